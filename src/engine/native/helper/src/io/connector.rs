//! Connections that JavaScript has asked for, until they are there.
//!
//! Of a host with several addresses the first that answers is taken; the next
//! one is tried when the one before has failed, or not answered for a moment
//! (RFC 8305, section 5).

use std::collections::{HashMap, VecDeque};
use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;

use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use super::core::Core;
use super::events::Event;
use super::plain_socket::PlainSocket;
use super::request::Peer;
use crate::abi::EVENT_TCP_REFUSED;
use crate::error_name::NAME_NOT_FOUND;
use crate::tcp_target::TcpTarget;

/// The first token of sockets that are connecting.
pub const CONNECTING: usize = 1 << 19;
/// So many may be at a time.
const MAX_SOCKETS: usize = 1 << 18;
/// After so many milliseconds without an answer the next address is tried, too.
const STAGGER: u64 = 250;
/// When to try again while a Unix socket has too many who wait.
const CROWDED_PAUSE: u64 = 10;
/// How often.
const CROWDED_TRIES: u32 = 1000;

/// A TCP socket that is connecting.
struct Pending {
    attempt: u32,
    stream: TcpStream,
    address: SocketAddr,
}

/// What is done for one `jstime_tcp_connect`.
struct Attempt {
    /// Addresses that were not tried.
    rest: VecDeque<SocketAddr>,
    /// Its sockets.
    sockets: Vec<usize>,
    /// A Unix socket, and how often it may be tried again.
    unix: Option<(Vec<u8>, u32)>,
    /// When there is something to do.
    next_at: u64,
    /// Why the last one has failed.
    failure: i32,
}

/// The attempts of a thread.
#[derive(Default)]
pub struct Connector {
    attempts: HashMap<u32, Attempt>,
    sockets: Vec<Option<Pending>>,
}

impl Connector {
    /// Begins an attempt. Its number is of JavaScript's choice, and none that
    /// is under way.
    pub fn begin(&mut self, core: &mut Core, registry: &Registry, number: u32, target: TcpTarget) {
        let mut attempt = Attempt {
            rest: VecDeque::new(),
            sockets: Vec::new(),
            unix: None,
            next_at: 0,
            failure: NAME_NOT_FOUND,
        };
        match target {
            TcpTarget::Addresses(addresses) => attempt.rest = addresses.into(),
            TcpTarget::Unix(path) => attempt.unix = Some((path, CROWDED_TRIES)),
            TcpTarget::Failed(errno) => attempt.failure = errno,
            // Somebody else looks it up first.
            TcpTarget::Host(..) => {}
        }
        self.attempts.insert(number, attempt);
        self.go_on(core, registry, number);
    }

    /// When something is due, in milliseconds.
    pub fn next_due(&self) -> Option<u64> {
        self.attempts
            .values()
            .filter(|attempt| !attempt.rest.is_empty() || attempt.unix.is_some())
            .map(|attempt| attempt.next_at)
            .min()
    }

    /// Tries the addresses that are due.
    pub fn run(&mut self, core: &mut Core, registry: &Registry) {
        if self.attempts.is_empty() {
            return;
        }
        let now = core.cx.now_ms;
        let due = |(number, attempt): (&u32, &Attempt)| {
            let has_more = !attempt.rest.is_empty() || attempt.unix.is_some();
            (has_more && attempt.next_at <= now).then_some(*number)
        };
        let numbers: Vec<u32> = self.attempts.iter().filter_map(due).collect();
        for number in numbers {
            self.go_on(core, registry, number);
        }
    }

    /// The system tells about a socket.
    pub fn ready(&mut self, core: &mut Core, registry: &Registry, slot: usize) {
        let Some(Some(pending)) = self.sockets.get(slot) else {
            return;
        };
        let error = SockRef::from(&pending.stream).take_error();
        let errno = match error {
            Ok(Some(error)) => error.raw_os_error().unwrap_or(libc::EIO),
            // It may have been told of the socket that was here before.
            Ok(None) if pending.stream.peer_addr().is_err() => return,
            Ok(None) => 0,
            Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
        };
        let number = pending.attempt;
        let Some(pending) = self.remove(registry, slot) else {
            return;
        };
        if errno == 0 {
            let socket = PlainSocket::Tcp(pending.stream);
            return self.succeed(core, registry, number, socket, pending.address.into());
        }
        if let Some(attempt) = self.attempts.get_mut(&number) {
            attempt.sockets.retain(|other| *other != slot);
            attempt.failure = errno;
        }
        self.go_on(core, registry, number);
    }

    /// Tries the next address; the attempt has failed if there is none, and
    /// nobody left who may answer.
    fn go_on(&mut self, core: &mut Core, registry: &Registry, number: u32) {
        let Some(attempt) = self.attempts.get_mut(&number) else {
            return;
        };
        if let Some((path, tries)) = &mut attempt.unix {
            match connect_unix(path) {
                Ok(stream) => {
                    let socket = PlainSocket::Unix(stream);
                    return self.succeed(core, registry, number, socket, Peer::default());
                }
                Err(error) if error.raw_os_error() == Some(libc::EAGAIN) && *tries > 0 => {
                    *tries -= 1;
                    attempt.next_at = core.cx.now_ms + CROWDED_PAUSE;
                    return;
                }
                Err(error) => attempt.failure = error.raw_os_error().unwrap_or(libc::EINVAL),
            }
        }
        while let Some(address) = attempt.rest.pop_front() {
            match connect_tcp(&mut self.sockets, registry, number, address) {
                Ok(slot) => {
                    attempt.sockets.push(slot);
                    attempt.next_at = core.cx.now_ms + STAGGER;
                    return;
                }
                Err(error) => attempt.failure = error.raw_os_error().unwrap_or(libc::EIO),
            }
        }
        if attempt.sockets.is_empty() {
            let failure = attempt.failure;
            self.attempts.remove(&number);
            refuse(core, number, failure);
        }
    }

    fn succeed(
        &mut self,
        core: &mut Core,
        registry: &Registry,
        number: u32,
        socket: PlainSocket,
        peer: Peer,
    ) {
        if let Some(attempt) = self.attempts.remove(&number) {
            for slot in attempt.sockets {
                self.remove(registry, slot);
            }
        }
        socket.set_no_delay(true);
        if !core.open_connected_tcp(number, socket, peer, registry) {
            refuse(core, number, libc::ENOBUFS);
        }
    }

    /// Takes a socket out.
    fn remove(&mut self, registry: &Registry, slot: usize) -> Option<Pending> {
        let mut pending = self.sockets.get_mut(slot)?.take()?;
        // Whoever has it next registers it anew.
        let _ = registry.deregister(&mut pending.stream);
        Some(pending)
    }
}

fn refuse(core: &mut Core, number: u32, errno: i32) {
    core.cx.events.send_event(Event {
        kind: EVENT_TCP_REFUSED,
        flags: 0,
        connection: 0,
        generation: 0,
        word: number,
        rest: &errno.to_le_bytes(),
    });
}

fn connect_tcp(
    sockets: &mut Vec<Option<Pending>>,
    registry: &Registry,
    attempt: u32,
    address: SocketAddr,
) -> io::Result<usize> {
    let slot = match sockets.iter().position(Option::is_none) {
        Some(slot) => slot,
        None if sockets.len() < MAX_SOCKETS => {
            sockets.push(None);
            sockets.len() - 1
        }
        None => return Err(io::Error::from_raw_os_error(libc::ENOBUFS)),
    };
    let mut stream = TcpStream::connect(address)?;
    registry.register(&mut stream, Token(CONNECTING + slot), Interest::WRITABLE)?;
    sockets[slot] = Some(Pending {
        attempt,
        stream,
        address,
    });
    Ok(slot)
}

fn connect_unix(path: &[u8]) -> io::Result<UnixStream> {
    if path.first() != Some(&0) && path.contains(&0) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let address = SockAddr::unix(OsStr::from_bytes(path))?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&address)?;
    Ok(UnixStream::from_std(socket.into()))
}
