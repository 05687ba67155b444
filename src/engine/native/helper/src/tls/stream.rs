//! TLS over a socket that does not block.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use rustls::Error;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError,
    UnbufferedStatus,
};

use super::certificates::{Scope, SharedCertificates};
use super::client::ClientSession;
use super::client_policy::code_of;
use super::outgoing::Outgoing;
use super::scratch::{self, WRITE_BYTES, room};
use super::server_choice::{Choice, Requested, choose, requested_name};
use super::server_verifier::ServerVerifier;
use super::session::{Records, Session, Traffic};
use crate::peer_certificates::PeerCertificate;

/// The largest record, with everything (RFC 5246, 6.2.3).
const RECORD_BYTES: usize = 5 + (1 << 14) + 2048;
/// What may wait for the rest of a record or of a handshake message. The
/// messages of honest clients fit into one record.
const PENDING_BYTES: usize = 2 * RECORD_BYTES;
/// What records are larger than their content by, at most, for WRITE_BYTES.
const OVERHEAD_BYTES: usize = 1024;

/// What a stream goes over. None of these blocks.
pub trait Transport {
    /// Reads; 0 at the end.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes as much as there is room for. `more`: something follows at once.
    fn write(&self, bytes: &[u8], more: bool) -> io::Result<usize>;
    /// Says that nothing more will be written.
    fn shutdown_write(&self);
}

/// What OpenSSL says of clients without a certificate.
const NO_CERTIFICATE: &str = "UNABLE_TO_GET_ISSUER_CERT";

/// Which side of a connection this is.
enum Side {
    /// A server's, with its certificates.
    Server(Arc<SharedCertificates>),
    /// A client's, with what judges the server.
    Client(Arc<ServerVerifier>),
}

/// What the peer has shown of itself.
#[derive(Debug, Default)]
pub struct ShownPeer {
    /// It was asked, and what it has shown is to be trusted.
    pub is_authorized: bool,
    /// Why it is not to be trusted, if it was asked; by a code of OpenSSL's.
    pub objection: Option<&'static str>,
    /// The certificate.
    pub certificate: Option<PeerCertificate>,
}

/// A connection, seen from inside of the encryption.
pub struct Stream<Transport> {
    transport: Transport,
    side: Side,
    /// A server's begins with the client's first byte, or if the policy for
    /// clients depends on it, with the name that the client asks for.
    session: Option<Session>,
    /// What a server's session was begun with.
    scope: Option<Scope>,
    /// Why the handshake has failed, if that is about a certificate.
    refusal: Option<&'static str>,
    /// What was read and not used: a part of a record, or records that found no
    /// room. Without any, it holds no memory.
    pending: Vec<u8>,
    /// There may be whole records in `pending`.
    has_records: bool,
    /// Content that found no room.
    content: Vec<u8>,
    outgoing: Outgoing,
    /// The session was not told that `outgoing` has what it had to say.
    is_saying: bool,
    /// The transport may have more to read, or at least an end.
    is_readable: bool,
    may_have_end: bool,
    /// The client has said that it sends nothing more.
    is_ended: bool,
    /// The client does not speak TLS, or not correctly.
    has_failed: bool,
    /// `shutdown_write` was called, and carried out.
    is_closing: bool,
    is_closed: bool,
    /// Reading goes on after `shutdown_write`.
    reads_on: bool,
    /// The name that the client asks for is of interest, and what it is.
    wants_name: bool,
    server_name: Option<String>,
    read: u64,
    written: u64,
}

impl<T: Transport> Stream<T> {
    /// For a client's connection without a byte so far. The certificates are those
    /// at the time of the first.
    pub fn new(transport: T, certificates: Arc<SharedCertificates>) -> Self {
        Self::of_side(transport, Side::Server(certificates))
    }

    /// For a connection to a server, of which `early` has arrived already. It says
    /// nothing before `greet`.
    pub fn for_client(transport: T, client: ClientSession, early: Vec<u8>) -> Self {
        let mut stream = Self::of_side(transport, Side::Client(client.verifier));
        stream.has_failed = client.session.is_none();
        stream.session = client.session.map(Session::Client);
        stream.has_records = !early.is_empty();
        stream.pending = early;
        stream.reads_on = true;
        stream
    }

    fn of_side(transport: T, side: Side) -> Self {
        Self {
            transport,
            side,
            session: None,
            scope: None,
            refusal: None,
            pending: Vec::new(),
            has_records: false,
            content: Vec::new(),
            outgoing: Outgoing::default(),
            is_saying: false,
            is_readable: true,
            may_have_end: true,
            is_ended: false,
            has_failed: false,
            is_closing: false,
            is_closed: false,
            reads_on: false,
            wants_name: false,
            server_name: None,
            read: 0,
            written: 0,
        }
    }

    /// For programs that use it as they like: `shutdown_write` ends only what is
    /// written, and they can ask for the name that the client has asked for.
    pub fn for_programs(mut self) -> Self {
        self.reads_on = true;
        self.wants_name = true;
        self
    }

    /// Says the first word, as clients do. Errors show up when reading.
    pub fn greet(&mut self) {
        let has_records = self.has_records;
        // With room for content, since there can be none.
        self.process(&mut [], &mut [0]);
        self.has_records = has_records;
        let _ = self.flush();
    }

    /// The protocol that was agreed on (RFC 7301).
    pub fn protocol(&self) -> Option<&[u8]> {
        self.session.as_ref()?.protocol()
    }

    /// The name that the client has asked for.
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// What it goes over.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// The same, to be changed.
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Whether the handshake is not complete, and may be. Nothing can be written
    /// before.
    pub fn is_handshaking(&self) -> bool {
        let is_incomplete = self
            .session
            .as_ref()
            .is_none_or(|session| session.is_handshaking());
        is_incomplete && !self.has_failed && !self.is_closing
    }

    /// What it was made under, once that is chosen.
    pub fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// The certificate that the client has shown in the handshake, if it was
    /// asked for one and has one.
    pub fn client_certificate(&self) -> Option<PeerCertificate> {
        let policy = self.scope()?.client_policy()?;
        let chain = self.session.as_ref()?.peer_certificates()?;
        Some(PeerCertificate {
            objection: policy.objection(chain),
            chain: chain.iter().map(|one| one.to_vec()).collect(),
        })
    }

    /// The certificate that the server has shown.
    fn server_certificate(&self, verifier: &ServerVerifier) -> Option<PeerCertificate> {
        let chain = self.session.as_ref()?.peer_certificates()?;
        let mut chain = chain.iter().map(|one| one.to_vec()).collect();
        verifier.roots().complete(&mut chain);
        Some(PeerCertificate {
            objection: verifier.objection(),
            chain,
        })
    }

    /// What the peer has shown in a handshake that is complete.
    pub fn shown_peer(&self) -> ShownPeer {
        let certificate = match &self.side {
            Side::Client(verifier) => self.server_certificate(verifier),
            Side::Server(_) => {
                let was_asked = self.scope().and_then(Scope::client_policy).is_some();
                if !was_asked {
                    return ShownPeer::default();
                }
                self.client_certificate()
            }
        };
        let objection = certificate
            .as_ref()
            .map_or(Some(NO_CERTIFICATE), |certificate| certificate.objection);
        ShownPeer {
            is_authorized: objection.is_none(),
            objection,
            certificate,
        }
    }

    /// Which certificate has made the handshake fail, by a code of OpenSSL's;
    /// None if that has another reason.
    pub fn refusal(&self) -> Option<&'static str> {
        self.refusal
    }

    /// Bytes that were read from the transport since the last time.
    pub fn take_read(&mut self) -> u64 {
        std::mem::take(&mut self.read)
    }

    /// Bytes that were written to the transport since the last time.
    pub fn take_written(&mut self) -> u64 {
        std::mem::take(&mut self.written)
    }

    // -----------------------------------------------------------------------
    // Reading
    // -----------------------------------------------------------------------

    /// Whether `read` may give more without the system telling of it. `hung_up`:
    /// it has told that the client sends nothing more.
    pub fn may_have_more(&self, hung_up: bool) -> bool {
        let is_told = self.is_ended || self.has_failed;
        self.is_readable
            || (hung_up && self.may_have_end)
            || !self.content.is_empty()
            || ((!self.is_closing || self.reads_on) && (self.has_records || is_told))
    }

    /// Reads content; 0 if the client has said that this is the end. What the
    /// handshake needs is written meanwhile.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing for now, though `may_have_more` may be
    /// true; `UnexpectedEof` if the client is gone without a word; `InvalidData`
    /// if it does not speak TLS correctly: then `shutdown_write` is of use still,
    /// as it delivers the alert; others by the transport.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.content.is_empty() {
            return Ok(self.read_content(buffer));
        }
        if self.is_closing && !self.reads_on {
            return self.read_to_drop(buffer);
        }
        if self.has_failed {
            return Err(ErrorKind::InvalidData.into());
        }
        if self.is_ended {
            return Ok(0);
        }
        scratch::with(|scratch| self.read_records(buffer, &mut scratch.input))
    }

    /// Takes content that found no room before.
    fn read_content(&mut self, buffer: &mut [u8]) -> usize {
        let count = self.content.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.content[..count]);
        if count == self.content.len() {
            self.content = Vec::new();
        } else {
            self.content.drain(..count);
        }
        count
    }

    /// What comes after this side has ended is not even decrypted.
    fn read_to_drop(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_transport(buffer)
    }

    fn read_transport(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.transport.read(buffer) {
            Ok(count) => {
                self.is_readable = count == buffer.len();
                self.may_have_end = count > 0;
                self.read += count as u64;
                Ok(count)
            }
            Err(error) => {
                self.is_readable = false;
                self.may_have_end = false;
                Err(error)
            }
        }
    }

    fn read_records(&mut self, buffer: &mut [u8], input: &mut Vec<u8>) -> io::Result<usize> {
        let waiting = self.pending.len();
        let wanted = buffer.len().max(RECORD_BYTES);
        let input = room(input, waiting + wanted);
        let mut filled = waiting;
        if !self.has_records {
            match self.read_transport(&mut input[waiting..])? {
                0 if self.session.is_none() && waiting == 0 => return Ok(0),
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
        }
        input[..waiting].copy_from_slice(&self.pending);
        let (used, count) = self.process(&mut input[..filled], buffer);
        self.keep_pending(&input[used..filled]);
        if !self.is_closed {
            self.flush()?;
        }
        if count > 0 {
            Ok(count)
        } else if self.has_failed {
            Err(ErrorKind::InvalidData.into())
        } else if self.is_ended {
            Ok(0)
        } else {
            Err(ErrorKind::WouldBlock.into())
        }
    }

    fn keep_pending(&mut self, rest: &[u8]) {
        if self.is_ended || self.has_failed || rest.is_empty() {
            self.pending = Vec::new();
            self.has_records = false;
        } else {
            self.pending.clear();
            self.pending.extend_from_slice(rest);
            self.has_failed = !self.has_records && rest.len() > PENDING_BYTES;
        }
    }

    /// Begins a session, if that is possible at all. False if more input has to
    /// come first.
    fn begin(&mut self, input: &[u8]) -> bool {
        let Side::Server(certificates) = &self.side else {
            return true;
        };
        // There are some: nobody is accepted before.
        let Some(certificates) = certificates.get() else {
            return true;
        };
        if self.wants_name {
            match requested_name(input) {
                Requested::NeedsMore => return false,
                Requested::Name(name) => self.server_name = name,
            }
        }
        let policy = match choose(&certificates, input) {
            Choice::Policy(policy) => policy,
            Choice::NeedsMore => return false,
        };
        self.session = UnbufferedServerConnection::new(certificates.config(policy))
            .ok()
            .map(|session| Session::Server(Box::new(session)));
        self.scope = Some(Scope::new(certificates, policy));
        true
    }

    /// Takes records from `input`, and their content to `buffer`; how many bytes
    /// of both were used. What the handshake has to say goes to `outgoing`.
    fn process(&mut self, input: &mut [u8], buffer: &mut [u8]) -> (usize, usize) {
        self.has_records = false;
        if self.session.is_none() && !self.begin(input) {
            return (0, 0);
        }
        match self.session.take() {
            None => {
                self.has_failed = true;
                (0, 0)
            }
            Some(Session::Server(mut session)) => {
                let result = self.process_with(&mut *session, input, buffer);
                self.session = Some(Session::Server(session));
                result
            }
            Some(Session::Client(mut session)) => {
                let result = self.process_with(&mut *session, input, buffer);
                self.session = Some(Session::Client(session));
                result
            }
        }
    }

    fn process_with(
        &mut self,
        session: &mut impl Records,
        input: &mut [u8],
        buffer: &mut [u8],
    ) -> (usize, usize) {
        let (mut used, mut count) = (0, 0);
        loop {
            let mut has_content = false;
            let rest = &mut input[used..];
            let UnbufferedStatus { discard, state } = session.process(rest);
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    has_content = true;
                    while let Some(Ok(record)) = traffic.next_record() {
                        let space = &mut buffer[count..];
                        let taken = record.payload.len().min(space.len());
                        space[..taken].copy_from_slice(&record.payload[..taken]);
                        self.content.extend_from_slice(&record.payload[taken..]);
                        count += taken;
                        used += record.discard;
                    }
                }
                // Nobody was told that there may be any.
                Ok(ConnectionState::ReadEarlyData(_)) => self.has_failed = true,
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(&mut data, &mut self.outgoing);
                    self.is_saying = true;
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    self.is_saying = false;
                }
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => self.is_ended = true,
                Ok(_) => return (used + discard, count),
                Err(error) => {
                    self.has_failed = true;
                    self.refusal = self.refusal_by(&error);
                    // The alert that says so.
                    while session.wants_write() {
                        let rest = &mut input[used + discard..];
                        match session.process(rest).state {
                            Ok(ConnectionState::EncodeTlsData(mut data)) => {
                                encode(&mut data, &mut self.outgoing);
                            }
                            _ => break,
                        }
                    }
                }
            }
            used += discard;
            let is_over = self.is_ended || self.has_failed;
            // If so, it would only ask for more. Behind anything else it may have
            // to say that the client has ended.
            let is_done = has_content && used == input.len() && !session.wants_write();
            if is_over || is_done {
                return (used, count);
            }
            if count == buffer.len() {
                self.has_records = used < input.len();
                return (used, count);
            }
        }
    }

    fn refusal_by(&self, error: &Error) -> Option<&'static str> {
        match (&self.side, error) {
            (Side::Client(verifier), Error::InvalidCertificate(_)) => verifier.objection(),
            (Side::Server(_), Error::InvalidCertificate(_)) => Some(code_of(error)),
            (Side::Server(_), Error::NoCertificatesPresented) => Some(NO_CERTIFICATE),
            _ => None,
        }
    }

    /// Takes the records that wait, so that nothing stands before writing.
    #[cold]
    fn read_ahead(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        // Content is smaller than its records.
        let mut content = vec![0; pending.len()];
        let (used, count) = self.process(&mut pending, &mut content);
        self.content.extend_from_slice(&content[..count]);
        self.keep_pending(&pending[used..]);
    }

    // -----------------------------------------------------------------------
    // Writing
    // -----------------------------------------------------------------------

    /// Writes as much as there is room for, in whole records; the transport may
    /// have taken a part of the last one.
    ///
    /// # Errors
    /// `WouldBlock` if nothing can be written now. Who gets this, or a number
    /// less than asked for, has to go on with the very same bytes: some may be
    /// encrypted already. `NotConnected` before the end of the handshake, and
    /// after it has failed. Others by the transport.
    pub fn write(&mut self, bytes: &[u8], more: bool) -> io::Result<usize> {
        if let Some(count) = self.write_kept(more)? {
            return Ok(count);
        }
        let content = &bytes[..bytes.len().min(WRITE_BYTES)];
        scratch::with(|scratch| self.write_records(content, more, &mut scratch.records))
    }

    /// As `write`, with at most `most` bytes that `fill` puts into a buffer; it
    /// returns how many.
    ///
    /// # Errors
    /// As `write`; what `fill` returns.
    pub fn write_from(
        &mut self,
        most: usize,
        more: bool,
        fill: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if let Some(count) = self.write_kept(more)? {
            return Ok(count);
        }
        scratch::with(|scratch| {
            let content = room(&mut scratch.content, most.min(WRITE_BYTES));
            let count = fill(content)?;
            self.write_records(&content[..count], more, &mut scratch.records)
        })
    }

    /// Sends what is kept; how much content that counts as, if any. None if
    /// nothing is kept.
    fn write_kept(&mut self, more: bool) -> io::Result<Option<usize>> {
        if self.outgoing.is_empty() {
            return Ok(None);
        }
        self.written += self.outgoing.send(&self.transport, more)?;
        match self.outgoing.take_written() {
            0 if self.outgoing.is_empty() => Ok(None),
            0 => Err(ErrorKind::WouldBlock.into()),
            count => Ok(Some(count)),
        }
    }

    fn write_records(
        &mut self,
        content: &[u8],
        more: bool,
        records: &mut Vec<u8>,
    ) -> io::Result<usize> {
        if content.is_empty() {
            return Ok(0);
        }
        let size = self.encrypt(content, records)?;
        let records = &records[..size];
        let mut sent = 0;
        while sent < size {
            match self.transport.write(&records[sent..], more) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.written += sent as u64;
        if sent == size {
            return Ok(content.len());
        }
        self.outgoing.keep(records, sent, content.len());
        match self.outgoing.take_written() {
            0 => Err(ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    /// Encrypts content; how many bytes of `records` that makes.
    fn encrypt(&mut self, content: &[u8], records: &mut Vec<u8>) -> io::Result<usize> {
        room(records, content.len() + OVERHEAD_BYTES);
        loop {
            let mut traffic = self.traffic().ok_or(ErrorKind::NotConnected)?;
            match traffic.encrypt(content, records) {
                Ok(size) => return Ok(size),
                Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size }))
                    if required_size > records.len() =>
                {
                    room(records, required_size);
                }
                // The key was used as often as it may be.
                Err(_) => return Err(ErrorKind::BrokenPipe.into()),
            }
        }
    }

    /// What encrypts, while content may be sent.
    fn traffic(&mut self) -> Option<Traffic<'_>> {
        if self.has_records {
            self.read_ahead();
        }
        if self.has_failed {
            return None;
        }
        let was_saying = std::mem::take(&mut self.is_saying);
        let session = self.session.as_mut()?;
        session.traffic(was_saying, &mut self.pending)
    }

    /// Sends what had to wait and is no content, as far as that is possible: to
    /// be called when there is room to write again.
    ///
    /// # Errors
    /// What the transport says.
    pub fn flush(&mut self) -> io::Result<()> {
        self.written += self.outgoing.send(&self.transport, false)?;
        if self.is_closing && !self.is_closed && self.outgoing.is_sent() {
            self.is_closed = true;
            self.transport.shutdown_write();
        }
        Ok(())
    }

    /// Says that nothing more will be written, with an alert that makes sure of
    /// it, and behind everything else. False while that waits: `flush` goes on.
    pub fn shutdown_write(&mut self) -> bool {
        if !self.is_closing {
            let mut alert = [0; OVERHEAD_BYTES];
            if let Some(mut traffic) = self.traffic()
                && let Ok(size) = traffic.queue_close_notify(&mut alert)
            {
                self.outgoing.extend(&alert[..size]);
            }
            self.is_closing = true;
        }
        // On an error there is nobody to tell.
        self.flush().is_err() || self.is_closed
    }
}

fn encode<Data>(data: &mut EncodeTlsData<'_, Data>, outgoing: &mut Outgoing) {
    if let Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) =
        data.encode(&mut [])
    {
        // With so much room it succeeds.
        let _ = data.encode(outgoing.grow(required_size));
    }
}

#[cfg(test)]
mod tests;
