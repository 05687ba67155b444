//! Accepted sockets of both families; none of these calls blocks.

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;

use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};

use crate::sys;
use crate::tls::stream::Transport;

/// A connection's socket, as the system knows it.
pub enum PlainSocket {
    /// TCP.
    Tcp(TcpStream),
    /// Unix-domain.
    Unix(UnixStream),
}

impl PlainSocket {
    /// Tells `registry` to watch both directions, edge-triggered, for good:
    /// nothing is registered again for a request.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        match self {
            PlainSocket::Tcp(stream) => registry.register(stream, token, both),
            PlainSocket::Unix(stream) => registry.register(stream, token, both),
        }
    }

    /// Reads; 0 at the end.
    #[inline]
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        again(|| match self {
            PlainSocket::Tcp(stream) => (&*stream).read(buffer),
            PlainSocket::Unix(stream) => (&*stream).read(buffer),
        })
    }

    /// Writes as much as there is room for.
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        again(|| match self {
            PlainSocket::Tcp(stream) => (&*stream).write(bytes),
            PlainSocket::Unix(stream) => (&*stream).write(bytes),
        })
    }

    /// Writes several pieces at once. `more`: do not send a segment that is not
    /// full, since something follows immediately.
    pub fn write_pieces(&self, pieces: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let flags = if more { libc::MSG_MORE } else { 0 };
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let flags = {
            let _ = more;
            0
        };
        again(|| self.options(|socket| socket.send_vectored_with_flags(pieces, flags)))
    }

    /// Sends a part of a file without copying it through this process.
    pub fn write_file(&self, file: &File, position: u64, count: usize) -> io::Result<usize> {
        again(|| match self {
            PlainSocket::Tcp(stream) => sys::send_file(stream.as_fd(), file, position, count),
            PlainSocket::Unix(stream) => sys::send_file(stream.as_fd(), file, position, count),
        })
    }

    /// Says that nothing more will be written. Errors show up when reading.
    pub fn shutdown_write(&self) {
        let _ = self.options(|socket| socket.shutdown(Shutdown::Write));
    }

    /// Makes closing a reset, so that nobody takes what was sent for all.
    pub fn reset_on_close(&self) {
        let _ = self.options(|socket| socket.set_linger(Some(Duration::ZERO)));
    }

    /// This side's address; None for Unix sockets.
    pub fn local_address(&self) -> Option<SocketAddr> {
        match self {
            PlainSocket::Tcp(stream) => stream.local_addr().ok(),
            PlainSocket::Unix(_) => None,
        }
    }

    /// What went wrong since the last time: an error number, or 0.
    pub fn take_error(&self) -> i32 {
        let error = self.options(|socket| socket.take_error());
        error
            .ok()
            .flatten()
            .and_then(|error| error.raw_os_error())
            .unwrap_or(0)
    }

    /// Sets `TCP_NODELAY`, where there is such a thing.
    pub fn set_no_delay(&self, no_delay: bool) {
        if let PlainSocket::Tcp(stream) = self {
            let _ = stream.set_nodelay(no_delay);
        }
    }

    /// Sets `SO_KEEPALIVE`, and when the first probe goes out: zero leaves that
    /// as it is.
    pub fn set_keep_alive(&self, enable: bool, delay: Duration) {
        if let PlainSocket::Tcp(stream) = self {
            let socket = SockRef::from(stream);
            let _ = socket.set_keepalive(enable);
            if enable && !delay.is_zero() {
                // The system counts in seconds.
                let delay = delay.max(Duration::from_secs(1));
                let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(delay));
            }
        }
    }

    #[inline]
    fn options<Result>(&self, use_it: impl FnOnce(SockRef<'_>) -> Result) -> Result {
        match self {
            PlainSocket::Tcp(stream) => use_it(SockRef::from(stream)),
            PlainSocket::Unix(stream) => use_it(SockRef::from(stream)),
        }
    }
}

impl Transport for PlainSocket {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }

    fn write(&self, bytes: &[u8], more: bool) -> io::Result<usize> {
        if more {
            self.write_pieces(&[IoSlice::new(bytes)], true)
        } else {
            self.write(bytes)
        }
    }

    fn shutdown_write(&self) {
        self.shutdown_write();
    }
}

#[inline]
fn again(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
