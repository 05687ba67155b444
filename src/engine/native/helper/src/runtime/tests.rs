use super::*;
use crate::abi::{METRIC_REQUESTS, PLAN_TRANSPORT, PLAN_WORDS};
use crate::files;
use std::net;
use std::sync::Weak;

fn shared() -> (Poll, IoShared) {
    let poll = Poll::new().unwrap();
    let waker = Waker::new(poll.registry(), WAKER).unwrap();
    let region = Arc::new(Region::new().unwrap());
    let shared = IoShared::new(0, waker, region, &Common::default());
    (poll, shared)
}

fn is_awake(poll: &mut Poll) -> bool {
    let mut events = mio::Events::with_capacity(4);
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    events.iter().any(|event| event.token() == WAKER)
}

fn plan() -> ListenPlan {
    let mut words = [0u32; PLAN_WORDS];
    words[PLAN_TRANSPORT] = 1;
    words[crate::abi::PLAN_HOST_LENGTH] = 9;
    let words = words.iter().flat_map(|word| word.to_le_bytes());
    ListenPlan::parse(&words.chain(*b"127.0.0.1").collect::<Vec<u8>>()).unwrap()
}

/// Waits for what other threads do.
fn eventually(what: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < until, "it never happens");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn regions(handle: u32) -> Vec<Weak<Region>> {
    let runtime = find(handle).unwrap();
    runtime
        .threads
        .iter()
        .map(|shared| Arc::downgrade(&shared.region))
        .collect()
}

fn are_gone(regions: &[Weak<Region>]) -> bool {
    regions.iter().all(|region| region.strong_count() == 0)
}

#[test]
fn only_sleepers_are_woken() {
    let (mut poll, shared) = shared();
    shared.wake_if_asleep();
    assert!(!is_awake(&mut poll));
    shared.region.control(IO_SLEEPS).store(1, Ordering::SeqCst);
    shared.wake_if_asleep();
    assert!(is_awake(&mut poll));
    shared.wake_if_asleep();
    assert!(!is_awake(&mut poll), "once");
}

#[test]
fn mail_is_kept_in_order_until_the_thread_ends() {
    let (mut poll, shared) = shared();
    let taken = |connection| Mail::Taken {
        connection,
        generation: 0,
    };
    shared.post(taken(1));
    shared.post(taken(2));
    assert!(is_awake(&mut poll));
    let mail = shared.take_mail();
    assert!(matches!(
        mail[..],
        [
            Mail::Taken { connection: 1, .. },
            Mail::Taken { connection: 2, .. }
        ]
    ));
    assert!(shared.take_mail().is_empty());
    let (sender, done) = channel();
    let stop = || Mail::Stop {
        listener: 0,
        force: false,
        done: Done {
            _sender: sender.clone(),
        },
    };
    shared.post(stop());
    shared.close();
    shared.post(stop());
    drop(sender);
    assert!(done.recv().is_err(), "somebody still waits");
}

#[test]
fn content_is_taken_in_parts() {
    let (_poll, shared) = shared();
    let content = Arc::new(Mutex::new(WaitingContent {
        bytes: b"hello world".to_vec(),
        wake_when_taken: true,
        ..WaitingContent::default()
    }));
    shared
        .contents
        .lock()
        .unwrap()
        .insert((3, 4), content.clone());
    let mut out = [0; 8];
    assert_eq!(shared.take_content((3, 5), &mut out), None);
    assert_eq!(shared.take_content((3, 4), &mut out), Some(8));
    assert_eq!(&out, b"hello wo");
    assert_eq!(content.lock().unwrap().waiting(), 3);
    let mail = shared.take_mail();
    assert!(matches!(
        mail[..],
        [Mail::Taken {
            connection: 3,
            generation: 4
        }]
    ));
    assert_eq!(shared.take_content((3, 4), &mut out), Some(3));
    assert!(content.lock().unwrap().is_empty());
    assert!(shared.take_mail().is_empty(), "it was to be told once");

    // What comes later is appended. That all was taken is no error, as long as
    // the request is there.
    content.lock().unwrap().bytes.extend(b"!");
    assert_eq!(shared.take_content((3, 4), &mut []), Some(0));
    assert_eq!(shared.take_content((3, 4), &mut out), Some(1));
    assert_eq!(out[0], b'!');
    assert_eq!(shared.take_content((3, 4), &mut out), Some(0));
}

#[test]
fn listeners_end_with_their_last_thread() {
    let (_poll, one) = shared();
    let (_poll, two) = shared();
    let threads = [Arc::new(one), Arc::new(two)];
    let listeners = Listeners::default();
    let metrics = Arc::new(ListenerMetrics::new(&threads));
    assert_eq!(listeners.add(metrics.clone(), None), 0);
    assert_eq!(listeners.add(metrics.clone(), None), 1);
    assert!(!listeners.ended(0));
    assert!(listeners.metrics(0).is_some());
    assert!(listeners.ended(0));
    assert!(!listeners.ended(0));
    assert!(listeners.metrics(0).is_none());
    assert_eq!(
        listeners.add(metrics.clone(), None),
        2,
        "ids come back late"
    );
    metrics.of_thread(0).add(METRIC_REQUESTS, 1);
    metrics.of_thread(1).add(METRIC_REQUESTS, 2);
    assert_eq!(metrics.values(Instant::now())[METRIC_REQUESTS], 3.0);
}

#[test]
fn threads_have_limits() {
    for threads in [0, MAX_THREADS + 1, u32::MAX] {
        assert_eq!(
            open(threads).unwrap_err().raw_os_error(),
            Some(libc::EINVAL)
        );
    }
}

#[test]
fn closing_ends_everything() {
    let handle = open(3).unwrap();
    let regions = regions(handle);
    assert_eq!(regions.len(), 3);
    assert!(with(handle, |runtime| runtime.memory(2)).unwrap().is_some());
    assert!(with(handle, |runtime| runtime.memory(3)).unwrap().is_none());
    std::thread::spawn(move || assert!(with(handle, |_| ()).is_some()))
        .join()
        .unwrap();
    assert!(close(handle));
    assert!(with(handle, |_| ()).is_none());
    assert!(are_gone(&regions));
    assert!(!close(handle));
    assert!(find(handle).is_none());
}

#[test]
fn who_still_uses_a_handle_keeps_its_memory() {
    let handle = open(1).unwrap();
    let regions = regions(handle);
    let runtime = find(handle).unwrap();
    assert!(close(handle));
    assert!(!are_gone(&regions));
    runtime.wake(0);
    let (listener, _) = runtime.listen(plan()).unwrap();
    assert!(
        runtime.stop(listener, false),
        "it does not wait for threads that ended"
    );
    drop(runtime);
    assert!(are_gone(&regions));
}

#[test]
fn a_stopped_listener_is_closed() {
    let handle = open(2).unwrap();
    let runtime = find(handle).unwrap();
    let (listener, address) = runtime.listen(plan()).unwrap();
    let address = address.unwrap();
    assert_eq!(runtime.close_idle(listener + 1), None);
    assert!(!runtime.stop(listener + 1, true));
    assert!(runtime.stop(listener, true));
    net::TcpListener::bind(address).unwrap();
    // The threads say so on their own.
    eventually(|| runtime.metrics(listener).is_none());
    assert!(close(handle));
}

#[cfg(target_os = "linux")]
fn connect(handle: u32, thread: u32) -> std::os::unix::net::UnixStream {
    use std::os::linux::net::SocketAddrExt;
    let runtime = find(handle).unwrap();
    let path = &runtime.doorbell(thread).unwrap()[1..];
    let address = std::os::unix::net::SocketAddr::from_abstract_name(path).unwrap();
    std::os::unix::net::UnixStream::connect_addr(&address).unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_handle_ends_when_its_doorbell_is_closed() {
    let handle = open(2).unwrap();
    let regions = regions(handle);
    drop(connect(handle, 1));
    eventually(|| find(handle).is_none());
    // Whoever opened it may still look at its memory.
    assert!(with(handle, |runtime| runtime.memory(0)).unwrap().is_some());
    assert!(close(handle));
    assert!(are_gone(&regions));
    assert!(!close(handle));
}

#[test]
#[cfg(target_os = "linux")]
fn a_doorbell_ends_when_its_handle_is_closed() {
    use std::io::Read;
    let handle = open(1).unwrap();
    let mut javascript = connect(handle, 0);
    assert!(close(handle));
    let mut rest = Vec::new();
    // Reset, if it was closed before it was accepted.
    let _ = javascript.read_to_end(&mut rest);
}

#[test]
fn a_handle_and_its_files_end_with_the_javascript_thread() {
    let (handle, regions, token) = std::thread::spawn(|| {
        let handle = open(2).unwrap();
        let file = files::OpenFile::open(&std::env::temp_dir()).unwrap();
        (handle, regions(handle), files::keep(owner(), file))
    })
    .join()
    .unwrap();
    eventually(|| find(handle).is_none() && are_gone(&regions));
    eventually(|| files::get(token).is_none());
}

#[test]
fn handles_of_several_threads_do_not_meet() {
    // Not those of other tests, which look whether theirs are gone.
    let handles = [const { AtomicU32::new(0) }; 2];
    let meddler = |stop: &AtomicBool| {
        let mut turn = 0;
        while !stop.load(Ordering::Relaxed) {
            turn += 1;
            let handle = handles[turn % 2].load(Ordering::Relaxed);
            with(handle, |runtime| {
                runtime.wake(0);
                runtime.lend(b"x");
                runtime.take(1, 0, 0, &mut [0; 4]);
            });
            if let Some(runtime) = find(handle) {
                runtime.metrics(0);
                runtime.set_static(0, StaticTable::default());
            }
        }
    };
    let owner = |place: &AtomicU32| {
        for round in 0..25 {
            let handle = open(1 + round % 3).unwrap();
            place.store(handle, Ordering::Relaxed);
            let regions = regions(handle);
            let runtime = find(handle).unwrap();
            let (listener, address) = runtime.listen(plan()).unwrap();
            net::TcpStream::connect(address.unwrap()).unwrap();
            if round % 2 == 0 {
                assert!(runtime.stop(listener, round % 4 == 0));
            }
            drop(runtime);
            assert!(close(handle));
            // A meddler may still have it.
            eventually(|| are_gone(&regions));
        }
    };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let meddlers = [(); 2].map(|()| scope.spawn(|| meddler(&stop)));
        let owners = [0, 1].map(|index| {
            let place = &handles[index];
            scope.spawn(move || owner(place))
        });
        let results = owners.map(|thread| thread.join());
        stop.store(true, Ordering::Relaxed);
        for thread in meddlers {
            thread.join().unwrap();
        }
        assert!(results.iter().all(Result::is_ok));
    });
}
