//! TCP connections that both sides open, use, pause, end and break in any
//! order: nothing may panic, hang or leak, every connection ends once, whatever
//! was written before `close` or `shutdown` arrives, and nothing arrives that
//! was not sent.

mod play;

use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use jstime_serve::abi::*;
use jstime_serve::tcp_target::TcpTarget;
use play::tcp::*;
use play::*;
use socket2::SockRef;

/// Peers that connect, each one after the other, and those that are connected
/// to.
const THREADS: usize = 4;
const CONNECTIONS: usize = 60;
/// How long a peer waits before it does something else.
const SHORT: Duration = Duration::from_millis(5);
/// What may wait for a peer before JavaScript writes no more to it.
const MOST_WAITING: u32 = 4 << 20;
/// A peer begins by saying who it is.
const NAME_BYTES: usize = 4;

/// Numbers that are the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }

    fn size(&mut self) -> usize {
        let most = [1, 100, 5_000, 70_000, 600_000][self.below(5) as usize];
        1 + self.below(most) as usize
    }
}

/// Bytes `start..start + size` of what a side sends that has this name.
fn pattern(name: u32, start: usize, size: usize) -> Vec<u8> {
    let byte = |at: usize| (at as u32 ^ name).wrapping_mul(2_654_435_761) >> 13;
    (start..start + size).map(|at| byte(at) as u8).collect()
}

// ---------------------------------------------------------------------------
// Peers
// ---------------------------------------------------------------------------

/// How a peer has seen its connection end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Saw {
    /// It has read to the end.
    End,
    Error(ErrorKind),
    /// It has not waited for it.
    Nothing,
}

/// What a peer has done.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    sent: usize,
    /// It has ended its side behind that.
    has_ended: bool,
    received: usize,
    saw: Saw,
}

struct Peer {
    stream: TcpStream,
    name: u32,
    outcome: Outcome,
}

impl Peer {
    fn new(stream: TcpStream, name: u32) -> Self {
        stream.set_read_timeout(Some(SHORT)).unwrap();
        stream.set_write_timeout(Some(SHORT)).unwrap();
        let outcome = Outcome {
            sent: 0,
            has_ended: false,
            received: 0,
            saw: Saw::Nothing,
        };
        Self {
            stream,
            name,
            outcome,
        }
    }

    /// Sends what finds room now.
    fn send(&mut self, size: usize) {
        if self.outcome.has_ended {
            return;
        }
        let bytes = match self.outcome.sent {
            0 => self.name.to_le_bytes().to_vec(),
            sent => pattern(self.name, sent, size),
        };
        match self.stream.write(&bytes) {
            Ok(count) => self.outcome.sent += count,
            Err(error) => self.failed(error.kind()),
        }
    }

    /// Receives what is there; false if nothing is.
    fn receive(&mut self, size: usize) -> bool {
        let mut buffer = vec![0; size];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.outcome.saw = Saw::End,
            Ok(count) => {
                let expected = pattern(!self.name, self.outcome.received, count);
                assert!(buffer[..count] == expected, "other bytes");
                self.outcome.received += count;
                return true;
            }
            Err(error) => self.failed(error.kind()),
        }
        false
    }

    fn failed(&mut self, kind: ErrorKind) {
        if !matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut) {
            self.outcome.saw = Saw::Error(kind);
        }
    }

    fn is_over(&self) -> bool {
        self.outcome.saw != Saw::Nothing
    }

    /// Does a few things, and ends somehow.
    fn play(mut self, numbers: &mut Numbers) -> (u32, Outcome) {
        self.send(0);
        for _ in 0..numbers.below(12) {
            if self.is_over() {
                break;
            }
            match numbers.below(8) {
                0..3 => self.send(numbers.size()),
                3..6 => drop(self.receive(numbers.size())),
                6 => thread::sleep(Duration::from_millis(numbers.below(3))),
                _ if numbers.below(3) == 0 => self.end(),
                _ => {}
            }
        }
        match numbers.below(4) {
            0 => SockRef::from(&self.stream)
                .set_linger(Some(Duration::ZERO))
                .unwrap(),
            // Perhaps a reset, if there is something to read.
            1 => {}
            _ => {
                if numbers.below(2) == 0 {
                    self.end();
                }
                let until = Instant::now() + DEADLINE;
                while !self.is_over() {
                    assert!(Instant::now() < until, "no end");
                    self.receive(100_000);
                }
            }
        }
        (self.name, self.outcome)
    }

    fn end(&mut self) {
        // It fails after a reset.
        self.outcome.has_ended |= self.stream.shutdown(Shutdown::Write).is_ok();
    }
}

type Outcomes = Arc<Mutex<HashMap<u32, Outcome>>>;

/// How many peers are done.
static DONE: AtomicUsize = AtomicUsize::new(0);

fn run_peers(seed: u64, outcomes: &Outcomes, mut next: impl FnMut() -> TcpStream) {
    let mut numbers = Numbers(seed * 7919 + 1);
    for index in 0..CONNECTIONS {
        let name = (seed as u32) << 16 | index as u32 | 1 << 31;
        let (name, outcome) = Peer::new(next(), name).play(&mut numbers);
        outcomes.lock().unwrap().insert(name, outcome);
        DONE.fetch_add(1, Ordering::SeqCst);
    }
}

// ---------------------------------------------------------------------------
// JavaScript
// ---------------------------------------------------------------------------

/// How JavaScript has ended its side.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ended {
    No,
    Shutdown,
    Closed,
    Terminated,
}

/// What JavaScript knows of a connection.
#[derive(Debug)]
struct Known {
    name: Vec<u8>,
    received: usize,
    accepted: usize,
    ended: Ended,
    discards: bool,
    /// The peer has ended its side.
    saw_end: bool,
}

impl Known {
    fn new() -> Self {
        Self {
            name: Vec::new(),
            received: 0,
            accepted: 0,
            ended: Ended::No,
            discards: false,
            saw_end: false,
        }
    }

    fn name(&self) -> Option<u32> {
        Some(u32::from_le_bytes(self.name[..].try_into().ok()?))
    }

    fn take(&mut self, bytes: &[u8]) {
        assert!(!self.discards && !self.saw_end, "bytes nobody wants");
        let missing = (NAME_BYTES - self.name.len()).min(bytes.len());
        self.name.extend(&bytes[..missing]);
        self.received += missing;
        let rest = &bytes[missing..];
        if let Some(name) = self.name() {
            assert!(pattern(name, self.received, rest.len()) == rest);
        }
        self.received += rest.len();
    }
}

/// Does something with a connection.
fn act(js: &mut JavaScript, of: Key, known: &mut Known, numbers: &mut Numbers) {
    match numbers.below(40) {
        0..22 => {
            let waiting = (known.accepted as u32).wrapping_sub(js.delivered(of.0));
            let (Some(name), Ended::No) = (known.name(), known.ended) else {
                return;
            };
            if waiting > MOST_WAITING {
                return;
            }
            let bytes = pattern(!name, known.accepted, numbers.size());
            known.accepted += bytes.len();
            if bytes.len() < 10_000 && numbers.below(2) == 0 {
                js.tcp_write(of, &bytes);
            } else {
                js.tcp_lend(of, &bytes);
            }
        }
        22..25 => js.tcp(COMMAND_TCP_PAUSE, of),
        25..31 => js.tcp(COMMAND_TCP_RESUME, of),
        31 => js.tcp(COMMAND_TCP_ASK_DRAIN, of),
        32 => js.command(COMMAND_TCP_NO_DELAY, 0, of, &[1], &[]),
        33 => js.command(COMMAND_TCP_KEEP_ALIVE, 0, of, &[1, 1000], &[]),
        34 => {
            js.tcp(COMMAND_TCP_SHUTDOWN_READ, of);
            known.discards = true;
        }
        35 | 36 if known.ended == Ended::No => {
            js.tcp(COMMAND_TCP_SHUTDOWN, of);
            known.ended = Ended::Shutdown;
        }
        37 => {
            js.tcp(COMMAND_TCP_TERMINATE, of);
            known.ended = Ended::Terminated;
        }
        _ => {
            js.tcp(COMMAND_TCP_CLOSE, of);
            known.discards = true;
            if known.ended != Ended::Terminated {
                known.ended = Ended::Closed;
            }
        }
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn whatever_both_sides_do_what_was_written_arrives() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(tcp_plan());
    let targets: Vec<_> = (0..THREADS)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let addresses: Vec<_> = targets
        .iter()
        .map(|target| target.local_addr().unwrap())
        .collect();
    let closed_port = {
        let target = TcpListener::bind("127.0.0.1:0").unwrap();
        target.local_addr().unwrap()
    };
    // By now the thread has everything that it keeps.
    is_fine(&mut js, address);
    wait_for("the thread", || js.io_sleeps());
    let before = descriptors();
    // Some peers will be done before they are accepted.
    let all = js.metric(listener, METRIC_CONNECTIONS_TOTAL) + (THREADS * CONNECTIONS) as f64;

    let outcomes = Outcomes::default();
    let mut threads = Vec::new();
    for (seed, target) in targets.iter().enumerate() {
        let (first, second) = (outcomes.clone(), outcomes.clone());
        let target = target.try_clone().unwrap();
        let connecting = move || TcpStream::connect(address).unwrap();
        let accepting = move || target.accept().unwrap().0;
        let seed = seed as u64;
        threads.push(thread::spawn(move || run_peers(seed, &first, connecting)));
        threads.push(thread::spawn(move || {
            run_peers(seed + 100, &second, accepting);
        }));
    }

    let mut open: HashMap<Key, Known> = HashMap::new();
    let mut ended: HashMap<u32, Known> = HashMap::new();
    let mut over: HashSet<Key> = HashSet::new();
    let mut left = [CONNECTIONS; THREADS];
    let mut connecting: HashSet<u32> = HashSet::new();
    let mut attempts = 0;
    let mut numbers = Numbers(42);
    let until = Instant::now() + Duration::from_secs(120);
    while DONE.load(Ordering::SeqCst) < 2 * THREADS * CONNECTIONS
        || !open.is_empty()
        || !connecting.is_empty()
        || js.metric(listener, METRIC_CONNECTIONS_TOTAL) < all
        || js.metric(listener, METRIC_CONNECTIONS) > 0.0
    {
        assert!(
            Instant::now() < until,
            "{} of {all} connections, {} open: {open:?}, {connecting:?}",
            js.metric(listener, METRIC_CONNECTIONS_TOTAL),
            js.metric(listener, METRIC_CONNECTIONS),
        );
        if connecting.len() < THREADS {
            let at = numbers.below(THREADS as u64) as usize;
            let to: Option<SocketAddr> = match numbers.below(20) {
                0 => Some(closed_port),
                _ if left[at] > 0 => {
                    left[at] -= 1;
                    Some(addresses[at])
                }
                _ => None,
            };
            if let Some(to) = to {
                connecting.insert(attempts);
                js.tcp_connect(attempts, TcpTarget::Addresses(vec![to]));
                attempts += 1;
            }
        }
        if let Some(key) = any(&open, &mut numbers) {
            act(&mut js, key, open.get_mut(&key).unwrap(), &mut numbers);
        }
        let Some(event) = js.poll() else {
            thread::sleep(Duration::from_micros(50));
            continue;
        };
        let event = match event {
            Event::Tcp(event) => event,
            Event::Space | Event::Heartbeat => continue,
            event => panic!("{event:?}"),
        };
        assert!(!over.contains(&event.of), "{event:?} after the last");
        match event.kind {
            EVENT_TCP_REFUSED => assert!(connecting.remove(&event.word)),
            EVENT_TCP_OPEN => {
                if event.flags & TCP_CONNECTED != 0 {
                    assert!(connecting.remove(&event.word));
                    js.tcp(COMMAND_TCP_RESUME, event.of);
                }
                assert!(open.insert(event.of, Known::new()).is_none());
            }
            EVENT_TCP_CLOSED => {
                let known = open.remove(&event.of).expect("a connection");
                over.insert(event.of);
                if let Some(name) = known.name() {
                    assert!(ended.insert(name, known).is_none());
                }
            }
            kind => {
                let known = open.get_mut(&event.of).expect("a connection");
                match kind {
                    // What was on its way when JavaScript did not want it.
                    EVENT_TCP_DATA | EVENT_TCP_END if known.discards => {}
                    EVENT_TCP_DATA => known.take(&event.rest),
                    EVENT_TCP_END => known.saw_end = true,
                    EVENT_TCP_DRAIN => {}
                    kind => panic!("an event of kind {kind}"),
                }
            }
        }
    }
    for thread in threads {
        thread.join().unwrap();
    }
    compare(&outcomes.lock().unwrap(), &ended);

    let until = Instant::now() + DEADLINE;
    while !js.is_quiet() {}
    loop {
        let left = (js.metric(listener, METRIC_CONNECTIONS), descriptors());
        if left == (0.0, before) {
            break;
        }
        assert!(Instant::now() < until, "{left:?} are left, {before} before");
        thread::sleep(Duration::from_millis(5));
    }
    is_fine(&mut js, address);
}

/// Whether whoever connects is served.
fn is_fine(js: &mut JavaScript, address: SocketAddr) {
    let mut client = TcpStream::connect(address).unwrap();
    let of = js.expect_tcp(EVENT_TCP_OPEN).of;
    client.write_all(b"fine").unwrap();
    assert_eq!(js.tcp_data(of, 4), b"fine");
    js.tcp(COMMAND_TCP_TERMINATE, of);
    js.expect_tcp(EVENT_TCP_CLOSED);
}

fn any(open: &HashMap<Key, Known>, numbers: &mut Numbers) -> Option<Key> {
    let count = open.len() as u64;
    let at = (count > 0).then(|| numbers.below(count))?;
    open.keys().nth(at as usize).copied()
}

/// What one side has sent is what the other has received, as far as nobody has
/// broken the connection.
fn compare(outcomes: &HashMap<u32, Outcome>, ended: &HashMap<u32, Known>) {
    let (mut delivered, mut received) = (0, 0);
    for (name, outcome) in outcomes {
        let Some(known) = ended.get(name) else {
            // It broke before it was known by name.
            continue;
        };
        let what = format!("{outcome:?}, {known:?}");
        assert!(outcome.received <= known.accepted, "{what}");
        assert!(known.received <= outcome.sent, "{what}");
        if outcome.saw == Saw::End {
            assert_ne!(known.ended, Ended::No, "{what}");
            assert_eq!(outcome.received, known.accepted, "{what}");
            delivered += 1;
        }
        // A peer that waits is told the end, unless there was a reset.
        if let Saw::Error(_) = outcome.saw {
            assert_eq!(known.ended, Ended::Terminated, "{what}");
        }
        if known.saw_end {
            assert_eq!(known.received, outcome.sent, "{what}");
            received += 1;
        }
    }
    // Otherwise nothing was seen.
    assert!(delivered > THREADS * CONNECTIONS / 8, "{delivered}");
    assert!(received > THREADS * CONNECTIONS / 8, "{received}");
}
