mod client_certificates;
mod programs;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::rc::Rc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, SignatureScheme,
    SupportedProtocolVersion,
};

use super::*;
use crate::tls::certificates::Certificates;
use crate::tls::certificates::tests::{OTHER, P256, Pair, RSA, encode as encode_certificates};

const HELLO: &[u8] = b"GET / HTTP/1.1\r\nHost: p256.test\r\n\r\n";

// ---------------------------------------------------------------------------
// Both ends
// ---------------------------------------------------------------------------

/// Bytes on their way, and how many of them the server can write.
struct Wire {
    to_server: RefCell<VecDeque<u8>>,
    to_client: RefCell<VecDeque<u8>>,
    room: Cell<usize>,
    /// The most bytes that the server reads at a time.
    portion: Cell<usize>,
    client_is_gone: Cell<bool>,
    is_shut: Cell<bool>,
}

impl Transport for Rc<Wire> {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.to_server.borrow_mut();
        if bytes.is_empty() {
            return if self.client_is_gone.get() {
                Ok(0)
            } else {
                Err(ErrorKind::WouldBlock.into())
            };
        }
        let count = buffer.len().min(self.portion.get());
        bytes.read(&mut buffer[..count])
    }

    fn write(&self, bytes: &[u8], _more: bool) -> io::Result<usize> {
        assert!(!self.is_shut.get());
        let count = bytes.len().min(self.room.get());
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.room.set(self.room.get() - count);
        self.to_client.borrow_mut().extend(&bytes[..count]);
        Ok(count)
    }

    fn shutdown_write(&self) {
        self.is_shut.set(true);
    }
}

/// Trusts everybody.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn client_config(versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
        .with_no_client_auth()
}

fn shared(entries: &[(&str, Pair)]) -> Arc<SharedCertificates> {
    let shared = SharedCertificates::default();
    shared.set(Certificates::parse(&encode_certificates(entries)).unwrap());
    Arc::new(shared)
}

/// A server's stream and its client.
struct Both {
    wire: Rc<Wire>,
    server: Stream<Rc<Wire>>,
    client: ClientConnection,
    received: Vec<u8>,
}

impl Both {
    fn new(certificates: &Arc<SharedCertificates>, config: ClientConfig) -> Self {
        Self::named(certificates, Arc::new(config), "p256.test")
    }

    fn named(
        certificates: &Arc<SharedCertificates>,
        config: Arc<ClientConfig>,
        name: &'static str,
    ) -> Self {
        let wire = Rc::new(Wire {
            to_server: RefCell::default(),
            to_client: RefCell::default(),
            room: Cell::new(usize::MAX),
            portion: Cell::new(usize::MAX),
            client_is_gone: Cell::new(false),
            is_shut: Cell::new(false),
        });
        let name = ServerName::try_from(name).unwrap();
        Self {
            server: Stream::new(wire.clone(), certificates.clone()),
            client: ClientConnection::new(config, name).unwrap(),
            wire,
            received: Vec::new(),
        }
    }

    /// After the handshake, with one certificate.
    fn connected() -> Self {
        let mut both = Self::new(&shared(&[("", P256)]), client_config(&[&TLS13]));
        both.shake_hands();
        both
    }

    /// The client writes what it has to, and reads what there is.
    fn run_client(&mut self) -> Result<(), rustls::Error> {
        let mut to_server = self.wire.to_server.borrow_mut();
        while self.client.wants_write() {
            self.client.write_tls(&mut *to_server).unwrap();
        }
        drop(to_server);
        let mut to_client = self.wire.to_client.borrow_mut();
        while !to_client.is_empty() {
            self.client.read_tls(&mut *to_client).unwrap();
            self.client.process_new_packets()?;
            match self.client.reader().read_to_end(&mut self.received) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => panic!("{error}"),
                _ => {}
            }
        }
        Ok(())
    }

    /// All that the server can read without waiting.
    fn read(&mut self, size: usize) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        let mut buffer = vec![0; size];
        loop {
            match self.server.read(&mut buffer) {
                Ok(0) => return Ok(content),
                Ok(count) => content.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let is_there = !self.wire.to_server.borrow().is_empty();
                    let hung_up = self.wire.client_is_gone.get();
                    if !is_there && !self.server.may_have_more(hung_up) {
                        return Ok(content);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn shake_hands(&mut self) {
        self.try_to_shake_hands().unwrap();
        assert!(!self.client.is_handshaking() && !self.server.is_handshaking());
    }

    fn try_to_shake_hands(&mut self) -> Result<(), (Option<rustls::Error>, ErrorKind)> {
        while self.client.is_handshaking() || self.server.is_handshaking() {
            let seen = self.run_client();
            match (self.read(16384), seen) {
                (Ok(content), Ok(())) => assert!(content.is_empty()),
                (Err(error), seen) => {
                    let seen = seen.and_then(|()| self.run_client()).err();
                    return Err((seen, error.kind()));
                }
                (_, seen) => return Err((seen.err(), ErrorKind::Other)),
            }
        }
        self.run_client().unwrap();
        Ok(())
    }

    /// What the client has received and can read.
    fn client_content(&mut self) -> Vec<u8> {
        self.run_client().unwrap();
        std::mem::take(&mut self.received)
    }

    /// Lets the client send.
    fn send(&mut self, bytes: &[u8]) {
        self.client.set_buffer_limit(None);
        self.client.writer().write_all(bytes).unwrap();
        self.run_client().unwrap();
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}

fn is_blocked(result: &io::Result<usize>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

// ---------------------------------------------------------------------------
// Handshakes
// ---------------------------------------------------------------------------

#[test]
fn content_goes_both_ways_with_every_version_and_kind_of_key() {
    for version in [&TLS12, &TLS13] {
        for pair in [P256, RSA] {
            let mut both = Both::new(&shared(&[("", pair)]), client_config(&[version]));
            both.shake_hands();
            both.send(HELLO);
            assert_eq!(both.read(16384).unwrap(), HELLO);
            let answer = noise(100_000);
            let mut sent = 0;
            while sent < answer.len() {
                sent += both.server.write(&answer[sent..], false).unwrap();
            }
            assert!(both.client_content() == answer);
        }
    }
}

#[test]
fn bytes_may_come_one_by_one() {
    let mut both = Both::new(&shared(&[("", P256)]), client_config(&[&TLS13, &TLS12]));
    both.wire.portion.set(1);
    both.shake_hands();
    both.send(HELLO);
    assert_eq!(both.read(16384).unwrap(), HELLO);
}

#[test]
fn the_name_chooses_the_certificate() {
    let certificates = shared(&[("", P256), ("other.test", OTHER), ("*.rsa.test", RSA)]);
    let of = |pair: Pair| {
        use rustls::pki_types::pem::PemObject;
        CertificateDer::from_pem_slice(pair.0.as_bytes()).unwrap()
    };
    for (name, expected) in [
        ("p256.test", P256),
        ("OTHER.test", OTHER),
        ("a.rsa.test", RSA),
        ("a.b.rsa.test", P256),
        ("127.0.0.1", P256),
    ] {
        let config = Arc::new(client_config(&[&TLS13]));
        let mut both = Both::named(&certificates, config, name);
        both.shake_hands();
        assert_eq!(
            both.client.peer_certificates().unwrap()[0],
            of(expected),
            "{name}"
        );
    }
}

#[test]
fn http_1_1_is_agreed_on_and_others_are_refused() {
    let certificates = shared(&[("", P256)]);
    let offer = |protocols: &[&str]| {
        let mut config = client_config(&[&TLS13]);
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Both::new(&certificates, config)
    };
    for (protocols, agreed) in [
        (&["http/1.1"][..], Some(&b"http/1.1"[..])),
        (&["h2", "http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let mut both = offer(protocols);
        both.shake_hands();
        assert_eq!(both.client.alpn_protocol(), agreed);
    }
    let mut both = offer(&["h2"]);
    let (seen, error) = both.try_to_shake_hands().unwrap_err();
    assert_eq!(error, ErrorKind::InvalidData);
    let alert = rustls::AlertDescription::NoApplicationProtocol;
    assert_eq!(seen, Some(rustls::Error::AlertReceived(alert)));
}

#[test]
fn sessions_resume_by_name_until_the_certificates_change() {
    for version in [&TLS12, &TLS13] {
        let certificates = shared(&[("", P256), ("other.test", P256)]);
        let mut config = client_config(&[version]);
        config.resumption = Resumption::in_memory_sessions(64);
        let config = Arc::new(config);
        let kind = |name| {
            let mut both = Both::named(&certificates, config.clone(), name);
            both.shake_hands();
            // Tickets of TLS 1.3 come after it.
            both.server.write(b"x", false).unwrap();
            both.client_content();
            both.client.handshake_kind().unwrap()
        };
        assert_eq!(kind("p256.test"), HandshakeKind::Full);
        assert_eq!(kind("p256.test"), HandshakeKind::Resumed);
        assert_eq!(kind("other.test"), HandshakeKind::Full);
        let replace = |entries: &[(&str, Pair)]| {
            certificates.set(Certificates::parse(&encode_certificates(entries)).unwrap());
        };
        replace(&[("", P256), ("other.test", P256)]);
        assert_eq!(kind("p256.test"), HandshakeKind::Resumed);
        replace(&[("", P256), ("other.test", OTHER)]);
        assert_eq!(kind("p256.test"), HandshakeKind::Full);
        assert_eq!(kind("p256.test"), HandshakeKind::Resumed);
    }
}

#[test]
fn certificates_are_those_of_the_first_byte() {
    let certificates = shared(&[("", P256)]);
    let mut both = Both::new(&certificates, client_config(&[&TLS13]));
    certificates.set(Certificates::parse(&encode_certificates(&[("", OTHER)])).unwrap());
    both.shake_hands();
    let shown = both.client.peer_certificates().unwrap()[0].clone();
    certificates.set(Certificates::parse(&encode_certificates(&[("", P256)])).unwrap());
    both.send(HELLO);
    assert_eq!(both.read(100).unwrap(), HELLO);
    let mut again = Both::new(&certificates, client_config(&[&TLS13]));
    again.shake_hands();
    assert_ne!(again.client.peer_certificates().unwrap()[0], shown);
}

#[test]
fn a_handshake_waits_for_room() {
    let mut both = Both::new(&shared(&[("", RSA)]), client_config(&[&TLS13]));
    both.wire.room.set(0);
    both.run_client().unwrap();
    assert!(both.read(16384).unwrap().is_empty());
    while both.client.is_handshaking() {
        both.wire.room.set(7);
        both.server.flush().unwrap();
        both.run_client().unwrap();
    }
    both.wire.room.set(usize::MAX);
    both.shake_hands();
    assert!(both.server.outgoing.is_empty());
}

// ---------------------------------------------------------------------------
// What is not TLS
// ---------------------------------------------------------------------------

#[test]
fn plain_http_gets_an_alert_and_the_end() {
    let mut both = Both::new(&shared(&[("", P256)]), client_config(&[&TLS13]));
    both.wire.to_server.borrow_mut().extend(HELLO);
    assert_eq!(both.read(16384).unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(both.read(16384).unwrap_err().kind(), ErrorKind::InvalidData);
    assert!(both.server.shutdown_write());
    assert!(both.wire.is_shut.get());
    // A fatal alert: decode_error.
    let alert = both.wire.to_client.borrow_mut().make_contiguous().to_vec();
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 50]);
    // The rest is only thrown away.
    both.wire.to_server.borrow_mut().extend(HELLO);
    assert_eq!(both.read(16384).unwrap(), HELLO);
}

#[test]
fn changed_bytes_end_the_connection_and_nothing_else() {
    let certificates = shared(&[("", P256)]);
    for seed in 0..200usize {
        let mut both = Both::new(&certificates, client_config(&[&TLS13, &TLS12]));
        both.run_client().unwrap();
        if seed % 2 == 0 {
            both.read(100).unwrap();
            both.run_client().unwrap();
            both.run_client().unwrap();
        }
        let mut bytes = both.wire.to_server.borrow_mut();
        let position = seed * 7919 % bytes.len();
        bytes[position] ^= 1 << (seed % 8);
        let length = bytes.len() - seed % 3;
        bytes.truncate(length);
        bytes.extend(noise(seed * 97));
        drop(bytes);
        let _ = both.read(1 + seed * 131 % 5000);
        both.server.shutdown_write();
        let _ = both.read(100);
        assert!(is_refused(both.server.write(b"x", false)));
    }
}

fn is_refused(result: io::Result<usize>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::NotConnected)
}

#[test]
fn a_changed_record_is_refused_with_an_alert() {
    let mut both = Both::connected();
    both.send(HELLO);
    both.send(HELLO);
    *both.wire.to_server.borrow_mut().back_mut().unwrap() ^= 1;
    // The record before is good.
    let mut buffer = [0; 1000];
    assert_eq!(both.server.read(&mut buffer).unwrap(), HELLO.len());
    assert!(both.server.may_have_more(false));
    let error = both.server.read(&mut buffer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let seen = both.run_client().unwrap_err();
    let alert = rustls::AlertDescription::BadRecordMac;
    assert_eq!(seen, rustls::Error::AlertReceived(alert));
    assert!(is_refused(both.server.write(b"x", false)));
}

#[test]
fn a_hello_without_end_is_refused() {
    let mut both = Both::new(&shared(&[("", P256)]), client_config(&[&TLS13]));
    // Of 60,000 bytes, in records of 1,000.
    let mut hello = vec![1, 0, 60_000u16.to_be_bytes()[0], 60_000u16.to_be_bytes()[1]];
    hello.resize(60_000, 0);
    let mut held = 0;
    for part in hello.chunks(1000) {
        let mut wire = both.wire.to_server.borrow_mut();
        wire.extend([22, 3, 1]);
        wire.extend((part.len() as u16).to_be_bytes());
        wire.extend(part);
        drop(wire);
        match both.read(16384) {
            Ok(content) => assert!(content.is_empty()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidData);
                assert!(held > 30_000);
                return;
            }
        }
        held = both.server.pending.len();
        assert!(held <= PENDING_BYTES);
    }
    panic!("it was taken");
}

// ---------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------

#[test]
fn nothing_is_lost_between_reads_of_any_size() {
    let sent = noise(70_000);
    for size in [1, 7, 100, 16_383, 16_384, 40_000, 200_000] {
        let mut both = Both::connected();
        both.send(&sent[..20_000]);
        for part in sent[20_000..].chunks(500) {
            both.send(part);
        }
        assert!(both.read(size).unwrap() == sent, "{size}");
        assert!(both.server.pending.capacity() == 0 && both.server.content.capacity() == 0);
    }
}

#[test]
fn what_waits_is_told_of() {
    let mut both = Both::connected();
    for _ in 0..3 {
        both.send(HELLO);
    }
    let mut buffer = [0; 10];
    let mut seen = 0;
    while seen < 3 * HELLO.len() {
        let count = both.server.read(&mut buffer).unwrap();
        seen += count;
        assert!(count > 0);
        assert_eq!(both.server.may_have_more(false), seen < 3 * HELLO.len());
    }
    assert!(is_blocked(&both.server.read(&mut buffer)));
    assert!(!both.server.may_have_more(false));
}

#[test]
fn a_part_of_a_record_waits_for_the_rest() {
    let mut both = Both::connected();
    both.send(HELLO);
    let mut bytes = std::mem::take(&mut *both.wire.to_server.borrow_mut());
    let last = bytes.pop_back().unwrap();
    both.wire.to_server.borrow_mut().append(&mut bytes);
    assert!(both.read(100).unwrap().is_empty());
    assert!(!both.server.pending.is_empty());
    both.wire.to_server.borrow_mut().push_back(last);
    assert_eq!(both.read(100).unwrap(), HELLO);
    assert!(both.server.pending.is_empty());
}

#[test]
fn an_end_without_a_word_is_no_end() {
    let mut both = Both::connected();
    both.send(HELLO);
    both.wire.client_is_gone.set(true);
    assert_eq!(both.read(100).unwrap_err().kind(), ErrorKind::UnexpectedEof);

    let mut both = Both::connected();
    both.send(HELLO);
    both.client.send_close_notify();
    both.run_client().unwrap();
    let mut buffer = [0; 100];
    assert_eq!(both.server.read(&mut buffer).unwrap(), HELLO.len());
    assert!(both.server.may_have_more(false));
    assert_eq!(both.server.read(&mut buffer).unwrap(), 0);
    both.wire.client_is_gone.set(true);
    assert_eq!(both.server.read(&mut buffer).unwrap(), 0);
    // The answer can still be sent.
    assert_eq!(both.server.write(b"answer", false).unwrap(), 6);
    assert_eq!(both.client_content(), b"answer");
}

#[test]
fn who_connects_and_leaves_has_ended() {
    let mut both = Both::new(&shared(&[("", P256)]), client_config(&[&TLS13]));
    both.wire.client_is_gone.set(true);
    assert_eq!(both.server.read(&mut [0; 100]).unwrap(), 0);
    let mut both = Both::new(&shared(&[("", P256)]), client_config(&[&TLS13]));
    both.run_client().unwrap();
    both.wire.client_is_gone.set(true);
    assert_eq!(both.read(100).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn the_client_may_change_its_keys() {
    let mut both = Both::connected();
    for _ in 0..5 {
        both.client.refresh_traffic_keys().unwrap();
        both.send(HELLO);
        assert_eq!(both.read(100).unwrap(), HELLO);
        assert_eq!(both.server.write(b"answer", false).unwrap(), 6);
        assert_eq!(both.client_content(), b"answer");
    }
}

// ---------------------------------------------------------------------------
// Writing
// ---------------------------------------------------------------------------

#[test]
fn a_slow_client_gets_everything_and_makes_progress() {
    let content = noise(300_000);
    for from_file in [false, true] {
        let mut both = Both::connected();
        let mut counted = 0;
        let mut received = Vec::new();
        let mut quiet_bytes = 0;
        while counted < content.len() {
            both.wire.room.set(1500);
            let rest = &content[counted..];
            let result = if from_file {
                both.server
                    .write_from(rest.len(), false, |buffer| (&*rest).read(buffer))
            } else {
                both.server.write(rest, false)
            };
            match result {
                Ok(count) => {
                    counted += count;
                    quiet_bytes = 0;
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    quiet_bytes += 1500;
                    assert!(quiet_bytes < 5000);
                }
            }
            assert!(both.server.outgoing.is_empty() || counted < content.len());
            received.extend(both.client_content());
            // What counts is gone, but for what a record has on top of it.
            assert!(counted <= received.len() + (16 << 10));
        }
        assert!(received == content);
        assert!(both.server.outgoing.is_empty());
    }
}

#[test]
fn what_is_kept_goes_out_before_anything_else() {
    let mut both = Both::connected();
    let content = noise(50_000);
    both.wire.room.set(20_000);
    let mut counted = both.server.write(&content, false).unwrap();
    assert!((10_000..50_000).contains(&counted));
    assert!(is_blocked(&both.server.write(&content[counted..], false)));
    both.wire.room.set(usize::MAX);
    both.server.flush().unwrap();
    // It was encrypted before: `fill` is not asked again.
    counted += both
        .server
        .write_from(content.len() - counted, false, |_| panic!("asked"))
        .unwrap();
    assert_eq!(counted, content.len());
    assert_eq!(both.server.write(b"more", false).unwrap(), 4);
    assert!(both.client_content() == [&*content, b"more"].concat());
}

#[test]
fn writing_loses_nothing_of_what_waits_to_be_read() {
    let mut both = Both::connected();
    for _ in 0..3 {
        both.send(HELLO);
    }
    both.client.send_close_notify();
    both.run_client().unwrap();
    let mut buffer = [0; 10];
    assert_eq!(both.server.read(&mut buffer).unwrap(), 10);
    assert_eq!(both.server.write(b"answer", false).unwrap(), 6);
    assert_eq!(both.client_content(), b"answer");
    assert_eq!(both.read(7).unwrap(), HELLO.repeat(3)[10..]);
    assert_eq!(both.server.read(&mut buffer).unwrap(), 0);
}

#[test]
fn the_answer_may_follow_the_handshake_at_once() {
    for size in [HELLO.len(), HELLO.len() - 1, 10, 16384] {
        for version in [&TLS12, &TLS13] {
            let mut both = Both::new(&shared(&[("", P256)]), client_config(&[version]));
            while both.client.is_handshaking() {
                both.run_client().unwrap();
                if both.client.is_handshaking() {
                    both.read(16384).unwrap();
                }
            }
            // Together with the end of the handshake, or behind it.
            both.send(HELLO);
            let mut buffer = vec![0; size];
            let count = both.server.read(&mut buffer).unwrap();
            assert_eq!(count, size.min(HELLO.len()));
            assert_eq!(both.server.write(b"answer", false).unwrap(), 6);
            assert_eq!(both.client_content(), b"answer");
            assert_eq!(both.read(100).unwrap(), HELLO[count..]);
        }
    }
}

#[test]
fn nothing_is_written_before_the_handshake() {
    let mut both = Both::new(&shared(&[("", P256)]), client_config(&[&TLS13]));
    assert!(is_refused(both.server.write(b"x", false)));
    both.run_client().unwrap();
    both.read(100).unwrap();
    both.wire.to_client.borrow_mut().clear();
    // Not even after the server's part of it, though it could be.
    assert!(both.server.is_handshaking());
}

#[test]
fn a_file_that_ends_is_seen() {
    let mut both = Both::connected();
    assert_eq!(both.server.write_from(100, false, |_| Ok(0)).unwrap(), 0);
    let broken = both
        .server
        .write_from(100, false, |_| Err(ErrorKind::Other.into()));
    assert_eq!(broken.unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(both.server.write(b"x", false).unwrap(), 1);
    assert_eq!(both.client_content(), b"x");
}

#[test]
fn the_end_is_said_behind_everything_else() {
    for room in [usize::MAX, 10, 0] {
        let mut both = Both::connected();
        assert_eq!(both.server.write(b"last", false).unwrap(), 4);
        both.wire.room.set(room);
        assert_eq!(both.server.shutdown_write(), room == usize::MAX);
        assert_eq!(both.wire.is_shut.get(), room == usize::MAX);
        both.wire.room.set(usize::MAX);
        both.server.flush().unwrap();
        assert!(both.wire.is_shut.get());
        assert!(both.server.shutdown_write());
        assert_eq!(both.client_content(), b"last");
        // It is an error where the alert is missing.
        both.client.read_tls(&mut io::empty()).unwrap();
        assert_eq!(both.client.reader().read(&mut [0; 10]).unwrap(), 0);
    }
}

#[test]
fn bytes_of_the_transport_are_counted() {
    let mut both = Both::connected();
    both.server.take_read();
    both.server.take_written();
    both.send(HELLO);
    both.read(100).unwrap();
    assert_eq!(both.server.take_read(), HELLO.len() as u64 + 22);
    assert_eq!(both.server.take_read(), 0);
    both.wire.room.set(100);
    let _ = both.server.write(&[0; 1000], false);
    assert_eq!(both.server.take_written(), 100);
    both.wire.room.set(10_000);
    both.server.flush().unwrap();
    assert_eq!(both.server.take_written(), 1000 + 22 - 100);
}
