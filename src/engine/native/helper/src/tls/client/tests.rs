use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::rc::Rc;

use super::*;
use crate::tls::certificates::tests::{P256, encode as encode_certificates};
use crate::tls::certificates::{Certificates, SharedCertificates};
use crate::tls::stream::{ShownPeer, Stream, Transport};

/// A file of the servers' certificates.
macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../../tests/tcp/tls/",
            $name,
            ".pem"
        ))
    };
}

type Pair = (&'static str, &'static str);

const LOCALHOST: Pair = (pem!("localhost"), pem!("localhost_key"));
const A_TEST: Pair = (pem!("a_test"), pem!("a_test_key"));
const EXPIRED: Pair = (pem!("expired"), pem!("expired_key"));
const AUTHORITY: &str = pem!("authority");

// ---------------------------------------------------------------------------
// Both ends
// ---------------------------------------------------------------------------

#[derive(Default)]
struct Pipe {
    bytes: RefCell<VecDeque<u8>>,
    is_shut: Cell<bool>,
}

/// One end of a connection.
struct End {
    reads: Rc<Pipe>,
    writes: Rc<Pipe>,
}

impl Transport for End {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.reads.bytes.borrow_mut();
        if bytes.is_empty() && !self.reads.is_shut.get() {
            return Err(ErrorKind::WouldBlock.into());
        }
        bytes.read(buffer)
    }

    fn write(&self, bytes: &[u8], _more: bool) -> io::Result<usize> {
        assert!(!self.writes.is_shut.get());
        self.writes.bytes.borrow_mut().extend(bytes);
        Ok(bytes.len())
    }

    fn shutdown_write(&self) {
        self.writes.is_shut.set(true);
    }
}

fn options(flags: u32, name: &str, protocols: &[u8], (chain, key): (&str, &str)) -> Vec<u8> {
    let texts = [name.as_bytes(), protocols, chain.as_bytes(), key.as_bytes()];
    let lengths = texts.map(|text| text.len() as u32);
    let mut bytes = flags.to_le_bytes().to_vec();
    bytes.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
    bytes.extend(texts.concat());
    bytes
}

fn client(flags: u32, name: &str, authorities: &str) -> Client {
    let options = options(flags, name, b"", ("", ""));
    Client::parse(&options, authorities.as_bytes()).unwrap()
}

struct Both {
    client: Stream<End>,
    server: Stream<End>,
    to_client: Rc<Pipe>,
    to_server: Rc<Pipe>,
}

impl Both {
    fn new(client: Client, server: Pair) -> Self {
        Self::with_early(client, server, b"")
    }

    fn with_early(client: Client, server: Pair, early: &[u8]) -> Self {
        let shared = SharedCertificates::default();
        let mut certificates = Certificates::parse(&encode_certificates(&[("", server)])).unwrap();
        certificates.set_protocols(&[b"first".to_vec(), b"second".to_vec()]);
        shared.set(certificates);
        let (to_client, to_server) = (Rc::<Pipe>::default(), Rc::<Pipe>::default());
        let end = |reads: &Rc<Pipe>, writes: &Rc<Pipe>| End {
            reads: reads.clone(),
            writes: writes.clone(),
        };
        let plain = end(&to_client, &to_server);
        let mut client = Stream::for_client(plain, client.begin(), early.to_vec());
        assert!(client.is_handshaking());
        client.greet();
        let plain = end(&to_server, &to_client);
        Self {
            client,
            server: Stream::new(plain, Arc::new(shared)).for_programs(),
            to_client,
            to_server,
        }
    }

    /// What each side's reading ended with; nothing if the handshake is complete.
    fn shake_hands(&mut self) -> [Option<ErrorKind>; 2] {
        let mut buffer = [0; 100];
        let mut results = [None; 2];
        for _ in 0..10 {
            for (stream, result) in [&mut self.client, &mut self.server]
                .into_iter()
                .zip(&mut results)
            {
                match stream.read(&mut buffer) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => {
                        stream.shutdown_write();
                        *result = Some(error.kind());
                    }
                    Ok(count) => assert_eq!(count, 0),
                }
            }
        }
        results
    }

    /// The client's opinion of the server.
    fn judged(client: Client, server: Pair) -> Result<ShownPeer, Option<&'static str>> {
        let mut both = Self::new(client, server);
        match both.shake_hands() {
            [None, None] => Ok(both.client.shown_peer()),
            [Some(ErrorKind::InvalidData), Some(ErrorKind::InvalidData)] => {
                Err(both.client.refusal())
            }
            other => panic!("{other:?}"),
        }
    }
}

fn read_all(stream: &mut Stream<End>) -> (Vec<u8>, bool) {
    let (mut all, mut buffer) = (Vec::new(), [0; 5000]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (all, true),
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                if !stream.may_have_more(false) {
                    return (all, false);
                }
            }
        }
    }
}

// ---------------------------------------------------------------------------
// Tests
// ---------------------------------------------------------------------------

#[test]
fn servers_are_verified_by_issuer_name_and_time() {
    for (name, authorities, server, objection) in [
        ("localhost", AUTHORITY, LOCALHOST, None),
        ("LOCALHOST", AUTHORITY, LOCALHOST, None),
        ("127.0.0.1", AUTHORITY, LOCALHOST, None),
        ("a.test", AUTHORITY, A_TEST, None),
        // It is an authority's, too, which is none for servers to webpki.
        ("p256.test", P256.0, P256, None),
        (
            "b.test",
            AUTHORITY,
            A_TEST,
            Some("ERR_TLS_CERT_ALTNAME_INVALID"),
        ),
        (
            "127.0.0.2",
            AUTHORITY,
            LOCALHOST,
            Some("ERR_TLS_CERT_ALTNAME_INVALID"),
        ),
        ("a.test", P256.0, P256, Some("ERR_TLS_CERT_ALTNAME_INVALID")),
        ("localhost", AUTHORITY, EXPIRED, Some("CERT_HAS_EXPIRED")),
        (
            "localhost",
            P256.0,
            LOCALHOST,
            Some("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
        ),
        (
            "p256.test",
            AUTHORITY,
            P256,
            Some("DEPTH_ZERO_SELF_SIGNED_CERT"),
        ),
    ] {
        let strict = Both::judged(client(CLIENT_VERIFIES, name, authorities), server);
        match (objection, &strict) {
            (None, Ok(peer)) => assert!(peer.is_authorized && peer.objection.is_none()),
            (Some(code), Err(refusal)) => assert_eq!(*refusal, Some(code), "{name}"),
            _ => panic!("{name}: {strict:?}"),
        }
        // Whoever does not insist learns the same.
        let lenient = Both::judged(client(0, name, authorities), server).unwrap();
        assert_eq!(lenient.is_authorized, objection.is_none());
        assert_eq!(lenient.objection, objection, "{name}");
        let certificate = lenient.certificate.unwrap();
        assert_eq!(certificate.objection, objection);
        let is_known = authorities == AUTHORITY && server != P256;
        assert_eq!(certificate.chain.len(), if is_known { 2 } else { 1 });
    }
}

#[test]
fn without_authorities_nobody_is_trusted_and_with_mozillas_not_everybody() {
    for flags in [CLIENT_VERIFIES, CLIENT_VERIFIES | CLIENT_BUNDLED_ROOTS] {
        let refusal = Both::judged(client(flags, "localhost", ""), LOCALHOST).unwrap_err();
        assert_eq!(refusal, Some("UNABLE_TO_VERIFY_LEAF_SIGNATURE"));
    }
    // Those that are given come besides, and one that is no use is left out.
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let flags = CLIENT_VERIFIES | CLIENT_BUNDLED_ROOTS;
    let both = client(flags, "localhost", &format!("{broken}{AUTHORITY}"));
    assert!(Both::judged(both, LOCALHOST).unwrap().is_authorized);
    assert!(TrustedRoots::get(true, b"").unwrap().store.len() > 100);
    assert!(TrustedRoots::get(false, broken.as_bytes()).is_none());
}

#[test]
fn sets_of_authorities_are_kept_but_not_for_ever() {
    let first = TrustedRoots::get(false, AUTHORITY.as_bytes()).unwrap();
    for round in 0..3 {
        for other in 0..3 {
            let pem = format!("{round} {other}\n{AUTHORITY}");
            TrustedRoots::get(false, pem.as_bytes()).unwrap();
        }
        let again = TrustedRoots::get(false, AUTHORITY.as_bytes()).unwrap();
        assert!(first.has(&again_first(&again)));
    }
}

fn again_first(roots: &TrustedRoots) -> Vec<u8> {
    let mut chain = vec![
        CertificateDer::from_pem_slice(LOCALHOST.0.as_bytes())
            .unwrap()
            .to_vec(),
    ];
    roots.complete(&mut chain);
    chain.pop().unwrap()
}

#[test]
fn protocols_are_agreed_on_or_the_handshake_fails() {
    let with = |protocols: &[u8]| {
        let options = options(CLIENT_VERIFIES, "localhost", protocols, ("", ""));
        Client::parse(&options, AUTHORITY.as_bytes()).unwrap()
    };
    let mut both = Both::new(with(b"\x05other\x06second"), LOCALHOST);
    assert_eq!(both.shake_hands(), [None; 2]);
    assert_eq!(both.client.protocol(), Some(b"second".as_slice()));
    assert_eq!(both.server.protocol(), Some(b"second".as_slice()));
    assert_eq!(both.server.server_name(), Some("localhost"));
    let mut both = Both::new(with(b"\x05other"), LOCALHOST);
    assert_eq!(both.shake_hands(), [Some(ErrorKind::InvalidData); 2]);
    assert_eq!(both.client.refusal(), None);
}

#[test]
fn content_and_ends_go_both_ways() {
    let mut both = Both::new(client(CLIENT_VERIFIES, "localhost", AUTHORITY), LOCALHOST);
    assert_eq!(both.shake_hands(), [None; 2]);
    let content: Vec<u8> = (0..60_000u32).map(|index| (index / 7) as u8).collect();
    assert_eq!(both.client.write(&content, false).unwrap(), content.len());
    assert_eq!(both.server.write(&content, false).unwrap(), content.len());
    assert_eq!(read_all(&mut both.server), (content.clone(), false));
    assert_eq!(read_all(&mut both.client), (content.clone(), false));
    // The client ends, and goes on reading.
    assert!(both.client.shutdown_write());
    assert_eq!(read_all(&mut both.server), (Vec::new(), true));
    assert_eq!(both.server.write(b"answer", false).unwrap(), 6);
    assert_eq!(read_all(&mut both.client), (b"answer".to_vec(), false));
    assert!(both.server.shutdown_write());
    assert_eq!(read_all(&mut both.client), (Vec::new(), true));
}

#[test]
fn an_end_without_a_word_is_none() {
    let mut both = Both::new(client(CLIENT_VERIFIES, "localhost", AUTHORITY), LOCALHOST);
    both.to_client.is_shut.set(true);
    let error = both.client.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);

    let mut both = Both::new(client(CLIENT_VERIFIES, "localhost", AUTHORITY), LOCALHOST);
    assert_eq!(both.shake_hands(), [None; 2]);
    both.to_client.is_shut.set(true);
    let error = both.client.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn what_has_arrived_before_is_read_first() {
    // An alert: handshake failure.
    let alert = [21, 3, 3, 0, 2, 2, 40];
    for length in 0..=alert.len() {
        let client = client(CLIENT_VERIFIES, "localhost", AUTHORITY);
        let mut both = Both::with_early(client, LOCALHOST, &alert[..length]);
        both.to_client.bytes.borrow_mut().extend(&alert[length..]);
        both.to_client.is_shut.set(true);
        let error = loop {
            let error = both.client.read(&mut [0; 10]).unwrap_err();
            if error.kind() != ErrorKind::WouldBlock {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(!both.client.is_handshaking());
        // The greeting went out all the same.
        assert_eq!(both.to_server.bytes.borrow()[0], 22);
    }
}

#[test]
fn garbage_is_refused_with_an_alert() {
    for garbage in ["220 ready\r\n".as_bytes(), &[0; 100], &[22, 3, 3, 0, 0]] {
        let client = client(CLIENT_VERIFIES, "localhost", AUTHORITY);
        let mut both = Both::new(client, LOCALHOST);
        both.to_server.bytes.borrow_mut().clear();
        both.to_client.bytes.borrow_mut().extend(garbage);
        let error = both.client.read(&mut [0; 10]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(both.client.shutdown_write());
        let said = both.to_server.bytes.borrow();
        assert_eq!((said[0], said[5]), (21, 2));
    }
}

#[test]
fn wrong_options_are_refused() {
    let good = options(CLIENT_VERIFIES, "a.test", b"\x02h2", LOCALHOST);
    let authority = AUTHORITY.as_bytes();
    assert!(Client::parse(&good, authority).is_some());
    for length in 0..good.len() {
        assert!(Client::parse(&good[..length], authority).is_none());
    }
    assert!(Client::parse(&[&good, b"x".as_slice()].concat(), authority).is_none());
    let (certificate, key) = LOCALHOST;
    for wrong in [
        options(1 << 9, "a.test", b"", ("", "")),
        options(0, "", b"", ("", "")),
        options(0, "a b", b"", ("", "")),
        options(0, "a.test", b"\x03h2", ("", "")),
        options(0, "a.test", b"\0", ("", "")),
        options(0, "a.test", b"", ("no certificate", key)),
        options(0, "a.test", b"", (certificate, "no key")),
        options(0, "a.test", b"", (certificate, A_TEST.1)),
    ] {
        assert!(Client::parse(&wrong, authority).is_none());
    }
    // Of a kind that is not supported.
    let p521 = (
        include_str!("../fixtures/p521_cert.pem"),
        include_str!("../fixtures/p521_pkcs8.pem"),
    );
    assert!(Client::parse(&options(0, "a.test", b"", p521), authority).is_none());
}
