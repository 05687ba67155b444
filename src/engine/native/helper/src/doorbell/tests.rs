use super::*;
use mio::{Events, Poll};
use std::io::ErrorKind;
use std::os::unix::net::UnixStream as StdStream;
use std::time::Duration;

struct Thread {
    poll: Poll,
    region: Arc<Region>,
    doorbell: Doorbell,
}

impl Thread {
    fn new() -> Self {
        let poll = Poll::new().unwrap();
        let region = Arc::new(Region::new().unwrap());
        let mut doorbell = Doorbell::new(region.clone()).unwrap();
        doorbell.register(poll.registry()).unwrap();
        Self {
            poll,
            region,
            doorbell,
        }
    }

    /// The token of the next event.
    fn next(&mut self) -> Option<Token> {
        let mut events = Events::with_capacity(1);
        self.poll
            .poll(&mut events, Some(Duration::from_secs(5)))
            .unwrap();
        events.iter().next().map(|event| event.token())
    }

    fn connect(&self) -> io::Result<StdStream> {
        connect(self.doorbell.path())
    }
}

#[cfg(target_os = "linux")]
fn connect(path: &[u8]) -> io::Result<StdStream> {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&path[1..])?;
    StdStream::connect_addr(&address)
}

#[cfg(not(target_os = "linux"))]
fn connect(path: &[u8]) -> io::Result<StdStream> {
    use std::os::unix::ffi::OsStrExt;
    StdStream::connect(std::ffi::OsStr::from_bytes(path))
}

#[test]
fn it_rings_for_sleepers() {
    let mut thread = Thread::new();
    let path = thread.doorbell.path().to_vec();
    let mut javascript = thread.connect().unwrap();
    javascript
        .set_read_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    assert_eq!(thread.next(), Some(LISTENER));
    thread.doorbell.accept(thread.poll.registry()).unwrap();
    assert_eq!(
        connect(&path).unwrap_err().kind(),
        missing(),
        "it takes one connection"
    );

    let mut bytes = [0; 8];
    thread.doorbell.ring_if_asleep();
    assert_eq!(
        javascript.read(&mut bytes).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    thread.region.control(JS_SLEEPS).store(1, Ordering::SeqCst);
    thread.doorbell.ring_if_asleep();
    thread.doorbell.ring_if_asleep();
    assert_eq!(javascript.read(&mut bytes).unwrap(), 1);
    assert_eq!(thread.region.control(JS_SLEEPS).load(Ordering::SeqCst), 0);
}

fn missing() -> ErrorKind {
    if cfg!(target_os = "linux") {
        ErrorKind::ConnectionRefused
    } else {
        ErrorKind::NotFound
    }
}

#[test]
fn it_rings_later_for_who_connects_late() {
    let mut thread = Thread::new();
    thread.region.control(JS_SLEEPS).store(1, Ordering::SeqCst);
    thread.doorbell.ring_if_asleep();
    let mut javascript = thread.connect().unwrap();
    assert_eq!(thread.next(), Some(LISTENER));
    thread.doorbell.accept(thread.poll.registry()).unwrap();
    assert_eq!(javascript.read(&mut [0; 8]).unwrap(), 1);
}

#[test]
fn it_never_blocks() {
    let mut thread = Thread::new();
    let _javascript = thread.connect().unwrap();
    assert_eq!(thread.next(), Some(LISTENER));
    thread.doorbell.accept(thread.poll.registry()).unwrap();
    for _ in 0..100_000 {
        thread.doorbell.ring();
    }
    assert!(thread.doorbell.is_javascript_there());
}

#[test]
fn it_notices_when_javascript_is_gone() {
    let mut thread = Thread::new();
    let gone = thread.doorbell.gone();
    let javascript = thread.connect().unwrap();
    assert!(thread.doorbell.is_javascript_there(), "not connected yet");
    assert_eq!(thread.next(), Some(LISTENER));
    thread.doorbell.accept(thread.poll.registry()).unwrap();
    assert!(thread.doorbell.is_javascript_there());
    assert!(!gone.load(Ordering::Relaxed));
    drop(javascript);
    assert_eq!(thread.next(), Some(CONNECTION));
    assert!(!thread.doorbell.is_javascript_there());
    assert!(!thread.doorbell.is_javascript_there());
    assert!(gone.load(Ordering::Relaxed));
    thread.doorbell.ring();
}

#[test]
fn names_differ() {
    let one = Thread::new();
    let two = Thread::new();
    assert_ne!(one.doorbell.path(), two.doorbell.path());
    assert!(one.doorbell.path().len() > 32);
}
