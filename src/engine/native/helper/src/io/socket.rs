//! What a connection reads from and writes to: a socket, or TLS over one.
//!
//! A connection need not know which, but for the end of a failed handshake and
//! for what the handshake writes: see `read` and `flush`.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use mio::{Registry, Token};

use super::plain_socket::PlainSocket;
use crate::peer_certificates::PeerCertificate;
use crate::tls::certificates::{Scope, SharedCertificates};
use crate::tls::client::ClientSession;
use crate::tls::stream::{ShownPeer, Stream};

/// A connection's socket.
pub enum Socket {
    /// Without encryption.
    Plain(PlainSocket),
    /// With it. Who was told that not everything could be written goes on with
    /// the very same bytes.
    Tls(Box<RefCell<Stream<PlainSocket>>>),
}

impl Socket {
    /// With certificates it speaks TLS.
    pub fn new(socket: PlainSocket, certificates: Option<&Arc<SharedCertificates>>) -> Self {
        match certificates {
            None => Socket::Plain(socket),
            Some(certificates) => {
                let stream = Stream::new(socket, certificates.clone());
                Socket::Tls(Box::new(RefCell::new(stream)))
            }
        }
    }

    /// The same for programs: see `Stream::for_programs`.
    pub fn for_programs(
        socket: PlainSocket,
        certificates: Option<&Arc<SharedCertificates>>,
    ) -> Self {
        match certificates {
            None => Socket::Plain(socket),
            Some(certificates) => {
                let stream = Stream::new(socket, certificates.clone()).for_programs();
                Socket::Tls(Box::new(RefCell::new(stream)))
            }
        }
    }

    /// Goes on as a TLS client; `early` has arrived already. It says nothing before
    /// `greet`. One that speaks TLS stays as it is.
    pub fn start_tls(self, client: ClientSession, early: Vec<u8>) -> Self {
        match self {
            Socket::Plain(socket) => {
                let stream = Stream::for_client(socket, client, early);
                Socket::Tls(Box::new(RefCell::new(stream)))
            }
            tls => tls,
        }
    }

    /// Says the first word of TLS, as clients do.
    pub fn greet(&self) {
        if let Socket::Tls(stream) = self {
            stream.borrow_mut().greet();
        }
    }

    /// What the peer has shown in a TLS handshake that is complete.
    pub fn shown_peer(&self) -> ShownPeer {
        match self {
            Socket::Plain(_) => ShownPeer::default(),
            Socket::Tls(stream) => stream.borrow().shown_peer(),
        }
    }

    /// Which certificate has made the handshake fail, if that was it.
    pub fn refusal(&self) -> Option<&'static str> {
        match self {
            Socket::Plain(_) => None,
            Socket::Tls(stream) => stream.borrow().refusal(),
        }
    }

    /// What was agreed on in a TLS handshake: the protocol, and the name that
    /// the client has asked for; empty for none.
    pub fn agreed(&self) -> (Vec<u8>, String) {
        match self {
            Socket::Plain(_) => Default::default(),
            Socket::Tls(stream) => {
                let stream = stream.borrow();
                let protocol = stream.protocol().unwrap_or_default().to_vec();
                (
                    protocol,
                    stream.server_name().unwrap_or_default().to_owned(),
                )
            }
        }
    }

    /// Tells `registry` to watch both directions, edge-triggered, for good.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Socket::Plain(socket) => socket.register(registry, token),
            Socket::Tls(stream) => stream.get_mut().transport_mut().register(registry, token),
        }
    }

    /// Whether bytes go to the system as they are.
    #[inline]
    pub fn is_plain(&self) -> bool {
        matches!(self, Socket::Plain(_))
    }

    /// Whether this is a TLS handshake that is not complete.
    #[inline]
    pub fn is_handshaking(&self) -> bool {
        match self {
            Socket::Plain(_) => false,
            Socket::Tls(stream) => stream.borrow().is_handshaking(),
        }
    }

    /// What a TLS connection was made under, if that does not let it be used for
    /// all requests.
    #[inline]
    pub fn limited_scope(&self) -> Option<Scope> {
        match self {
            Socket::Plain(_) => None,
            Socket::Tls(stream) => {
                let stream = stream.borrow();
                let scope = stream.scope()?;
                scope.is_one_of_several().then(|| scope.clone())
            }
        }
    }

    /// The certificate that the client has shown, if any.
    pub fn client_certificate(&self) -> Option<PeerCertificate> {
        match self {
            Socket::Plain(_) => None,
            Socket::Tls(stream) => stream.borrow().client_certificate(),
        }
    }

    /// Whether HTTP/2 was agreed on (RFC 7301); None without TLS.
    pub fn is_http2(&self) -> Option<bool> {
        match self {
            Socket::Plain(_) => None,
            Socket::Tls(stream) => Some(stream.borrow().protocol() == Some(b"h2")),
        }
    }

    // -----------------------------------------------------------------------
    // Reading
    // -----------------------------------------------------------------------

    /// Reads; 0 at the end.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing, though for TLS `may_have_more` may be
    /// true; `InvalidData` if the client does not speak TLS, correctly: then
    /// `shutdown_write` tells it so.
    #[inline]
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Plain(socket) => socket.read(buffer),
            Socket::Tls(stream) => stream.borrow_mut().read(buffer),
        }
    }

    /// Whether there may be more to read, after `read` has returned. `is_full`:
    /// so much as was asked for; `hung_up`: the client has ended its side.
    #[inline]
    pub fn may_have_more(&self, is_full: bool, hung_up: bool) -> bool {
        match self {
            // Less than asked for means that there is no more, except for the
            // end, which was told of then.
            Socket::Plain(_) => is_full || hung_up,
            Socket::Tls(stream) => stream.borrow().may_have_more(hung_up),
        }
    }

    /// How many bytes the system has given since the last time, if `count` were
    /// read.
    #[inline]
    pub fn take_read(&self, count: usize) -> u64 {
        match self {
            Socket::Plain(_) => count as u64,
            Socket::Tls(stream) => stream.borrow_mut().take_read(),
        }
    }

    // -----------------------------------------------------------------------
    // Writing
    // -----------------------------------------------------------------------

    /// Writes as much as there is room for.
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Plain(socket) => socket.write(bytes),
            Socket::Tls(stream) => stream.borrow_mut().write(bytes, false),
        }
    }

    /// Writes several pieces at once. `more`: do not send a segment that is not
    /// full, since something follows immediately.
    pub fn write_pieces(&self, pieces: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
        match self {
            Socket::Plain(socket) => socket.write_pieces(pieces, more),
            Socket::Tls(stream) => {
                let mut stream = stream.borrow_mut();
                if let [piece] = pieces {
                    return stream.write(piece, more);
                }
                let most = pieces.iter().map(|piece| piece.len()).sum();
                stream.write_from(most, more, |room| Ok(gather(pieces, room)))
            }
        }
    }

    /// Sends a part of a file, without copying it through this process if it
    /// need not be encrypted. 0 if the file has become shorter.
    pub fn write_file(&self, file: &File, position: u64, count: usize) -> io::Result<usize> {
        match self {
            Socket::Plain(socket) => socket.write_file(file, position, count),
            Socket::Tls(stream) => stream
                .borrow_mut()
                .write_from(count, false, |room| file.read_at(room, position)),
        }
    }

    /// How many bytes the system has taken since the last time, if `count` were
    /// written.
    #[inline]
    pub fn take_written(&self, count: u64) -> u64 {
        match self {
            Socket::Plain(_) => count,
            Socket::Tls(stream) => stream.borrow_mut().take_written(),
        }
    }

    /// There is room to write: sends what TLS has to say, if it had to wait.
    #[inline]
    pub fn flush(&self) {
        if let Socket::Tls(stream) = self {
            // Errors show up when reading.
            let _ = stream.borrow_mut().flush();
        }
    }

    /// Says that nothing more will be written. Errors show up when reading.
    pub fn shutdown_write(&self) {
        match self {
            Socket::Plain(socket) => socket.shutdown_write(),
            Socket::Tls(stream) => {
                stream.borrow_mut().shutdown_write();
            }
        }
    }

    /// Sees to it that closing will tell the client that it got everything.
    /// False while that has to wait: `flush` goes on.
    pub fn prepare_close(&self) -> bool {
        match self {
            Socket::Plain(_) => true,
            Socket::Tls(stream) => stream.borrow_mut().shutdown_write(),
        }
    }

    /// What the system knows it as.
    pub fn with_plain<Result>(&self, use_it: impl FnOnce(&PlainSocket) -> Result) -> Result {
        match self {
            Socket::Plain(socket) => use_it(socket),
            Socket::Tls(stream) => use_it(stream.borrow().transport()),
        }
    }

    /// Makes closing a reset, so that nobody takes what was sent for all.
    pub fn reset_on_close(&self) {
        match self {
            Socket::Plain(socket) => socket.reset_on_close(),
            Socket::Tls(stream) => stream.borrow().transport().reset_on_close(),
        }
    }
}

/// Copies the beginning of `pieces`; how many bytes.
fn gather(pieces: &[IoSlice<'_>], mut room: &mut [u8]) -> usize {
    let size = room.len();
    for piece in pieces {
        let count = piece.len().min(room.len());
        let (space, rest) = room.split_at_mut(count);
        space.copy_from_slice(&piece[..count]);
        room = rest;
    }
    size - room.len()
}
