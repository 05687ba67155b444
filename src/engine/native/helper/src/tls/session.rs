//! The protocol state machines of both sides, which differ in their types only.

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::CertificateDer;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncryptError, UnbufferedStatus, WriteTraffic};

/// A session of either side.
pub enum Session {
    /// With a client.
    Server(Box<UnbufferedServerConnection>),
    /// With a server.
    Client(Box<UnbufferedClientConnection>),
}

impl Session {
    /// Whether the handshake is not complete.
    pub fn is_handshaking(&self) -> bool {
        match self {
            Session::Server(session) => session.is_handshaking(),
            Session::Client(session) => session.is_handshaking(),
        }
    }

    /// The protocol that was agreed on (RFC 7301).
    pub fn protocol(&self) -> Option<&[u8]> {
        match self {
            Session::Server(session) => session.alpn_protocol(),
            Session::Client(session) => session.alpn_protocol(),
        }
    }

    /// What the peer has shown.
    pub fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        match self {
            Session::Server(session) => session.peer_certificates(),
            Session::Client(session) => session.peer_certificates(),
        }
    }

    /// What encrypts, while content may be sent. `was_saying`: it was not told
    /// that what it had to say is kept. `pending`: what was read and not used.
    pub fn traffic(&mut self, was_saying: bool, pending: &mut [u8]) -> Option<Traffic<'_>> {
        match self {
            Session::Server(session) => {
                traffic_of(&mut **session, was_saying, pending).map(Traffic::Server)
            }
            Session::Client(session) => {
                traffic_of(&mut **session, was_saying, pending).map(Traffic::Client)
            }
        }
    }
}

/// What a session does with records.
pub trait Records {
    /// Of a side.
    type Data;
    /// Takes records from `input`, and says what comes of them.
    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;
    /// Whether there is something to say.
    fn wants_write(&self) -> bool;
}

impl Records for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(input)
    }

    fn wants_write(&self) -> bool {
        (**self).wants_write()
    }
}

impl Records for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(input)
    }

    fn wants_write(&self) -> bool {
        (**self).wants_write()
    }
}

/// Encrypts content.
pub enum Traffic<'a> {
    /// To a client.
    Server(WriteTraffic<'a, ServerConnectionData>),
    /// To a server.
    Client(WriteTraffic<'a, ClientConnectionData>),
}

impl Traffic<'_> {
    /// Encrypts content; how many bytes of `records` that makes.
    pub fn encrypt(&mut self, content: &[u8], records: &mut [u8]) -> Result<usize, EncryptError> {
        match self {
            Traffic::Server(traffic) => traffic.encrypt(content, records),
            Traffic::Client(traffic) => traffic.encrypt(content, records),
        }
    }

    /// Says that nothing follows; how many bytes of `records` that makes.
    pub fn queue_close_notify(&mut self, records: &mut [u8]) -> Result<usize, EncryptError> {
        match self {
            Traffic::Server(traffic) => traffic.queue_close_notify(records),
            Traffic::Client(traffic) => traffic.queue_close_notify(records),
        }
    }
}

fn traffic_of<'a, Side: Records>(
    session: &'a mut Side,
    was_saying: bool,
    pending: &mut [u8],
) -> Option<WriteTraffic<'a, Side::Data>> {
    if was_saying && let Ok(ConnectionState::TransmitTlsData(data)) = session.process(pending).state
    {
        data.done();
    }
    match session.process(pending).state {
        Ok(ConnectionState::WriteTraffic(traffic)) => Some(traffic),
        _ => None,
    }
}
