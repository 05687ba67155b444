//! TCP connections that become TLS clients.

mod play;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::error_name::error_name;
use jstime_serve::tcp_target::TcpTarget;
use jstime_serve::tcp_times::TcpTimes;
use play::tcp::*;
use play::*;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};
use socket2::SockRef;

const P256: [&str; 2] = [
    include_str!("../src/tls/fixtures/p256_cert.pem"),
    include_str!("../src/tls/fixtures/p256_pkcs8.pem"),
];
const OTHER: [&str; 2] = [
    include_str!("../src/tls/fixtures/other_cert.pem"),
    include_str!("../src/tls/fixtures/other_pkcs8.pem"),
];
/// An alert: handshake failure.
const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];
const SHORT: u64 = 200;

const TRUSTING: ClientPlan = ClientPlan {
    flags: CLIENT_VERIFIES,
    name: "p256.test",
    authorities: P256[0],
    certificate: ["", ""],
};

type Tls = StreamOwned<ServerConnection, TcpStream>;

fn config(asks: bool, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[version])
        .unwrap();
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let builder = if asks {
        let mut roots = RootCertStore::empty();
        roots
            .add(certificate(include_str!(
                "../../../../../tests/tls/client_certificates/authority.pem"
            )))
            .unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::from_pem_slice(P256[1].as_bytes()).unwrap();
    let config = builder.with_single_cert(vec![certificate(P256[0])], key);
    Arc::new(config.unwrap())
}

fn secure(stream: TcpStream) -> Tls {
    secure_by(&TLS13, stream)
}

fn secure_by(version: &'static SupportedProtocolVersion, stream: TcpStream) -> Tls {
    let connection = ServerConnection::new(config(false, version)).unwrap();
    StreamOwned::new(connection, stream)
}

/// A connection whose other end is played by `play`, and what that returns.
fn connected<Result: Send + 'static>(
    js: &mut JavaScript,
    play: impl FnOnce(TcpStream) -> Result + Send + 'static,
) -> (Key, JoinHandle<Result>) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let played = thread::spawn(move || {
        let (stream, _) = server.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        play(stream)
    });
    js.tcp_connect(1, TcpTarget::Addresses(vec![address]));
    let open = js.expect_tcp(EVENT_TCP_OPEN);
    (open.of, played)
}

/// The code of what has ended a handshake.
fn failure(js: &mut JavaScript) -> String {
    let closed = js.expect_tcp(EVENT_TCP_CLOSED);
    assert_ne!(closed.flags & TCP_IN_HANDSHAKE, 0, "{closed:?}");
    if closed.flags & TCP_UNTRUSTED != 0 {
        return String::from_utf8(closed.rest[4..].to_vec()).unwrap();
    }
    error_name(closed.word as i32).unwrap().to_owned()
}

fn pattern(size: usize) -> Vec<u8> {
    (0..size)
        .map(|index| ((index as u32).wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

/// Closing it is a reset.
fn reset(stream: TcpStream) {
    SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
}

fn read_rest(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn megabytes_go_both_ways_and_ends_are_announced() {
    for version in [&TLS12, &TLS13] {
        exchange_megabytes(version);
    }
}

fn exchange_megabytes(version: &'static SupportedProtocolVersion) {
    const SIZE: usize = 4 << 20;
    let mut js = JavaScript::new();
    let (of, server) = connected(&mut js, move |stream| {
        let mut tls = secure_by(version, stream);
        let mut bytes = vec![0; SIZE];
        tls.read_exact(&mut bytes).unwrap();
        tls.write_all(&bytes).unwrap();
        // The client's end, which is no end of what goes to it.
        assert_eq!(tls.read(&mut [0; 1]).unwrap(), 0);
        tls.write_all(b"the end").unwrap();
        tls.conn.send_close_notify();
        tls.flush().unwrap();
        assert_eq!(tls.sock.read(&mut [0; 1]).unwrap(), 0);
    });
    js.tcp_start_tls(of, &TRUSTING, 0);
    // Before the handshake has ended.
    let bytes = pattern(SIZE);
    for part in bytes.chunks(1 << 20) {
        js.tcp_lend(of, part);
    }
    js.tcp(COMMAND_TCP_RESUME, of);
    let secured = js.expect_tcp(EVENT_TCP_SECURED);
    assert_eq!(secured.flags, TCP_AUTHORIZED | TCP_HAS_CERTIFICATE);
    assert_eq!(secured.word, 0);
    let word = |at: usize| u32::from_le_bytes(secured.rest[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(4)), (0, 1));
    let der = CertificateDer::from_pem_slice(P256[0].as_bytes()).unwrap();
    assert_eq!(&secured.rest[12..12 + word(8) as usize], der.as_ref());
    assert_eq!(js.tcp_data(of, SIZE), bytes);
    assert_eq!(js.delivered(of.0) as usize, SIZE);
    js.tcp(COMMAND_TCP_SHUTDOWN, of);
    assert_eq!(js.tcp_data(of, 7), b"the end");
    js.expect_tcp(EVENT_TCP_END);
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).word, 0);
    server.join().unwrap();
}

#[test]
fn a_pause_holds_the_server_back() {
    const SIZE: usize = 16 << 20;
    let mut js = JavaScript::new();
    let (of, server) = connected(&mut js, |stream| {
        let mut tls = secure(stream);
        tls.write_all(&pattern(SIZE)).unwrap();
        tls.conn.send_close_notify();
        tls.flush().unwrap();
        read_rest(&mut tls);
    });
    js.tcp_start_tls(of, &TRUSTING, 0);
    // It is paused from the beginning, which the handshake is not.
    js.expect_tcp(EVENT_TCP_SECURED);
    assert!(js.is_quiet());
    assert!(!server.is_finished());
    let mut received = Vec::new();
    js.tcp(COMMAND_TCP_RESUME, of);
    for _ in 0..3 {
        received.extend(js.expect_tcp(EVENT_TCP_DATA).rest);
        js.tcp(COMMAND_TCP_PAUSE, of);
        // What had been read before.
        thread::sleep(Duration::from_millis(50));
        while let Some(event) = js.poll() {
            let Event::Tcp(event) = event else { continue };
            received.extend(event.rest);
        }
        assert!(js.is_quiet());
        assert!(received.len() < SIZE);
        js.tcp(COMMAND_TCP_RESUME, of);
    }
    received.extend(js.tcp_data(of, SIZE - received.len()));
    assert!(received == pattern(SIZE));
    js.expect_tcp(EVENT_TCP_END);
    js.tcp(COMMAND_TCP_CLOSE, of);
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).word, 0);
    server.join().unwrap();
}

#[test]
fn what_was_written_before_goes_out_first_in_plaintext() {
    const SIZE: usize = 12 << 20;
    let mut js = JavaScript::new();
    let (of, server) = connected(&mut js, |mut stream| {
        // The client has to wait with its first word of TLS.
        thread::sleep(Duration::from_millis(100));
        let mut plain = vec![0; SIZE];
        stream.read_exact(&mut plain).unwrap();
        assert!(plain == pattern(SIZE));
        let mut tls = secure(stream);
        read_rest(&mut tls)
    });
    js.tcp(COMMAND_TCP_RESUME, of);
    for part in pattern(SIZE).chunks(1 << 20) {
        js.tcp_lend(of, part);
    }
    js.tcp_start_tls(of, &TRUSTING, 0);
    js.tcp_write(of, b"over ");
    js.tcp_lend(of, b"TLS");
    js.tcp(COMMAND_TCP_CLOSE, of);
    assert_eq!(server.join().unwrap(), b"over TLS");
    js.expect_tcp(EVENT_TCP_SECURED);
    js.expect_tcp(EVENT_TCP_CLOSED);
}

#[test]
fn what_had_arrived_is_the_beginning_of_tls() {
    for parts in [1, 2, ALERT.len()] {
        let mut js = JavaScript::new();
        let (of, server) = connected(&mut js, |mut stream| {
            stream.write_all(b"go").unwrap();
            stream.write_all(&ALERT).unwrap();
            let mut first = [0; 1];
            stream.read_exact(&mut first).unwrap();
            first[0]
        });
        js.tcp(COMMAND_TCP_RESUME, of);
        assert_eq!(js.tcp_data(of, 9), [b"go".as_slice(), &ALERT].concat());
        js.tcp_start_tls(of, &TRUSTING, 2);
        // It waits for them.
        assert!(js.is_quiet());
        assert!(!server.is_finished());
        for part in ALERT.chunks(ALERT.len().div_ceil(parts)) {
            js.tcp_give_back(of, part);
        }
        assert_eq!(failure(&mut js), "EPROTO");
        // A handshake.
        assert_eq!(server.join().unwrap(), 22);
    }
}

#[test]
fn an_end_that_had_arrived_fails_the_handshake() {
    let mut js = JavaScript::new();
    let (of, server) = connected(&mut js, |mut stream| {
        stream.write_all(b"bye").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = stream.read(&mut [0; 1]);
    });
    js.tcp(COMMAND_TCP_RESUME, of);
    assert_eq!(js.tcp_data(of, 3), b"bye");
    js.expect_tcp(EVENT_TCP_END);
    js.tcp_start_tls(of, &TRUSTING, 3);
    assert_eq!(failure(&mut js), "ECONNRESET");
    server.join().unwrap();
}

#[test]
fn who_closes_before_tls_has_begun_needs_none() {
    let mut js = JavaScript::new();
    let (of, server) = connected(&mut js, |mut stream| {
        stream.write_all(b"early").unwrap();
        read_rest(&mut stream)
    });
    js.tcp(COMMAND_TCP_RESUME, of);
    js.tcp_data(of, 5);
    js.tcp_write(of, b"plain");
    js.tcp_start_tls(of, &TRUSTING, 0);
    js.tcp(COMMAND_TCP_CLOSE, of);
    assert_eq!(server.join().unwrap(), b"plain");
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).word, 0);
    // What is given back later is not wanted.
    js.tcp_give_back(of, b"early");
    assert!(js.is_quiet());
}

#[test]
fn servers_that_are_not_trusted_are_told_so() {
    for (plan, code) in [
        (
            ClientPlan {
                authorities: OTHER[0],
                ..TRUSTING
            },
            "DEPTH_ZERO_SELF_SIGNED_CERT",
        ),
        (
            ClientPlan {
                name: "other.test",
                ..TRUSTING
            },
            "ERR_TLS_CERT_ALTNAME_INVALID",
        ),
    ] {
        let mut js = JavaScript::new();
        let (of, server) = connected(&mut js, |stream| {
            let mut tls = secure(stream);
            tls.read(&mut [0; 1]).unwrap_err().to_string()
        });
        js.tcp_start_tls(of, &plan, 0);
        js.tcp_write(of, b"secret");
        js.tcp(COMMAND_TCP_RESUME, of);
        assert_eq!(failure(&mut js), code);
        assert!(server.join().unwrap().contains("alert"));
    }
}

#[test]
fn clients_show_their_certificate() {
    for version in [&TLS12, &TLS13] {
        show_certificate(version);
    }
}

fn show_certificate(version: &'static SupportedProtocolVersion) {
    macro_rules! pem {
        ($name:literal) => {
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../../tests/tls/client_certificates/",
                $name
            ))
        };
    }
    let mut js = JavaScript::new();
    let (of, server) = connected(&mut js, move |stream| {
        let connection = ServerConnection::new(config(true, version)).unwrap();
        let mut tls = StreamOwned::new(connection, stream);
        let mut bytes = [0; 4];
        tls.read_exact(&mut bytes).unwrap();
        tls.conn.peer_certificates().unwrap().len()
    });
    let certificate = [pem!("client.pem"), pem!("client_key.pem")];
    let plan = ClientPlan {
        certificate,
        ..TRUSTING
    };
    js.tcp_start_tls(of, &plan, 0);
    js.tcp_write(of, b"here");
    js.expect_tcp(EVENT_TCP_SECURED);
    assert_eq!(server.join().unwrap(), 1);
}

/// What becomes of a handshake with a peer that does this.
fn meets(play: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let mut js = JavaScript::with_times(TcpTimes {
        handshake: SHORT,
        alert: SHORT,
        ..TcpTimes::default()
    });
    let (of, server) = connected(&mut js, play);
    js.tcp_start_tls(of, &TRUSTING, 0);
    js.tcp_write(of, b"secret");
    js.tcp(COMMAND_TCP_RESUME, of);
    let failure = failure(&mut js);
    drop(js);
    server.join().unwrap();
    failure
}

fn until_gone(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

#[test]
fn peers_that_do_anything_else_fail_the_handshake() {
    let hello = |mut stream: &TcpStream| {
        let mut buffer = [0; 1000];
        assert!(stream.read(&mut buffer).unwrap() > 100);
        assert_eq!(buffer[0], 22);
    };
    assert_eq!(meets(drop), "ECONNRESET");
    assert_eq!(meets(move |stream| hello(&stream)), "ECONNRESET");
    let reset_code = meets(move |stream| {
        hello(&stream);
        reset(stream);
    });
    assert_eq!(reset_code, "ECONNRESET");
    for garbage in [&b"220 ready\r\n"[..], &[0; 3000], &[22, 3, 3, 255, 255]] {
        let code = meets(move |mut stream| {
            hello(&stream);
            stream.write_all(garbage).unwrap();
            // An alert.
            assert_eq!(until_gone(stream)[0], 21);
        });
        assert_eq!(code, "EPROTO");
    }
    let silent = meets(move |stream| {
        hello(&stream);
        assert!(until_gone(stream).is_empty());
    });
    assert_eq!(silent, "ETIMEDOUT");
    // A part of a server's hello is no progress.
    let slow = meets(move |mut stream| {
        hello(&stream);
        for byte in [22, 3, 3, 0, 100, 2, 0, 0, 96] {
            if stream.write_all(&[byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(SHORT / 4));
        }
        until_gone(stream);
    });
    assert_eq!(slow, "ETIMEDOUT");
}

#[test]
fn a_peer_that_does_not_take_the_plaintext_is_cut() {
    let mut js = JavaScript::with_times(TcpTimes {
        handshake: SHORT,
        ..TcpTimes::default()
    });
    let (of, server) = connected(&mut js, |stream| {
        let mut peeked = [0; 1];
        while stream.peek(&mut peeked).is_ok_and(|count| count == 1) {
            thread::sleep(Duration::from_millis(5));
            let error = SockRef::from(&stream).take_error().unwrap();
            if error.is_some_and(|error| error.kind() == ErrorKind::ConnectionReset) {
                break;
            }
        }
    });
    for part in pattern(12 << 20).chunks(1 << 20) {
        js.tcp_lend(of, part);
    }
    js.tcp_start_tls(of, &TRUSTING, 0);
    assert_eq!(failure(&mut js), "ETIMEDOUT");
    drop(server);
}

#[test]
fn stale_commands_leave_nothing() {
    let mut js = JavaScript::new();
    let (of, server) = connected(&mut js, drop);
    js.tcp(COMMAND_TCP_RESUME, of);
    js.expect_tcp(EVENT_TCP_END);
    js.tcp(COMMAND_TCP_CLOSE, of);
    js.expect_tcp(EVENT_TCP_CLOSED);
    server.join().unwrap();
    js.tcp_start_tls(of, &TRUSTING, 0);
    js.tcp_give_back(of, b"x");
    assert!(js.is_quiet());
    // The token was spent: the next one is the only one.
    assert!(js.runtime().clients.take(1).is_none());
}
