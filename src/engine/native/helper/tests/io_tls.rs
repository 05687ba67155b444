//! HTTPS over real sockets.

mod play;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::ffi;
use jstime_serve::files;
use jstime_serve::listen_plan::ListenPlan;
use jstime_serve::runtime;
use jstime_serve::static_table::StaticTable;
use play::*;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

const P256: [&str; 2] = [
    include_str!("../src/tls/fixtures/p256_cert.pem"),
    include_str!("../src/tls/fixtures/p256_pkcs8.pem"),
];
const OTHER: [&str; 2] = [
    include_str!("../src/tls/fixtures/other_cert.pem"),
    include_str!("../src/tls/fixtures/other_pkcs8.pem"),
];

fn der([certificate, _]: [&str; 2]) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()
}

/// Trusts the two certificates, whatever their names.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        assert!([der(P256), der(OTHER)].contains(certificate));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn client_config() -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
        .with_no_client_auth();
    Arc::new(config)
}

/// An HTTPS client.
struct TlsClient {
    stream: StreamOwned<ClientConnection, TcpStream>,
}

impl TlsClient {
    fn connect(address: SocketAddr) -> Self {
        Self::named(&client_config(), address, "p256.test")
    }

    fn named(config: &Arc<ClientConfig>, address: SocketAddr, name: &'static str) -> Self {
        let name = ServerName::try_from(name).unwrap();
        let connection = ClientConnection::new(config.clone(), name).unwrap();
        let Client { stream, .. } = Client::connect(address);
        Self {
            stream: StreamOwned::new(connection, stream),
        }
    }

    fn shake_hands(&mut self) {
        while self.stream.conn.is_handshaking() {
            self.stream.conn.complete_io(&mut self.stream.sock).unwrap();
        }
    }

    fn certificate(&self) -> CertificateDer<'static> {
        self.stream.conn.peer_certificates().unwrap()[0]
            .clone()
            .into_owned()
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self.stream.flush().unwrap();
    }

    fn get(&mut self, target: &str) {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
    }

    /// Head and content of a response with a known length.
    fn response(&mut self) -> (String, Vec<u8>) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut content = vec![0; length];
        self.stream.read_exact(&mut content).unwrap();
        (head, content)
    }

    fn content(&mut self) -> Vec<u8> {
        self.response().1
    }

    /// All until the end, which the server has to say.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        rest
    }
}

fn certificates(entries: &[(&str, [&str; 2])]) -> Vec<u8> {
    let mut bytes = (entries.len() as u32).to_le_bytes().to_vec();
    let texts: Vec<&str> = entries
        .iter()
        .flat_map(|(name, [chain, key])| [*name, *chain, *key])
        .collect();
    for text in &texts {
        bytes.extend((text.len() as u32).to_le_bytes());
    }
    for text in &texts {
        bytes.extend(text.as_bytes());
    }
    bytes
}

fn set_certificates(js: &JavaScript, listener: u32, entries: &[(&str, [&str; 2])]) -> i32 {
    let bytes = certificates(entries);
    // SAFETY: the buffer has that many bytes.
    unsafe { ffi::jstime_tls(js.handle, listener, bytes.as_ptr(), bytes.len() as u32) }
}

fn tls_plan() -> ListenPlan {
    ListenPlan {
        tls: true,
        ..plan()
    }
}

fn listen(js: &JavaScript, plan: ListenPlan) -> (u32, SocketAddr) {
    let (listener, address) = js.listen(plan);
    assert_eq!(set_certificates(js, listener, &[("", P256)]), 0);
    (listener, address)
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

/// A file that is gone when the process is.
fn file_with(content: &[u8]) -> std::path::PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("jstime-io-tls-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

// ---------------------------------------------------------------------------
// Certificates of clients
// ---------------------------------------------------------------------------

macro_rules! client_pem {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../../tests/tls/client_certificates/",
            $name,
            ".pem"
        ))
    };
}

/// The first name asks for nothing, the second for a certificate.
fn listen_with_policies(js: &JavaScript) -> (u32, SocketAddr) {
    listen_with_policies_by(js, tls_plan())
}

fn listen_with_policies_by(js: &JavaScript, plan: ListenPlan) -> (u32, SocketAddr) {
    let (listener, address) = js.listen(plan);
    let mut bytes = certificates(&[("open.test", P256), ("strict.test", OTHER)]);
    let authority = client_pem!("authority");
    bytes.extend(0u32.to_le_bytes());
    bytes.extend((8 + authority.len() as u32).to_le_bytes());
    bytes.extend(POLICY_REQUIRED.to_le_bytes());
    bytes.extend((authority.len() as u32).to_le_bytes());
    bytes.extend(authority.as_bytes());
    // SAFETY: the buffer has that many bytes.
    let result =
        unsafe { ffi::jstime_tls(js.handle, listener, bytes.as_ptr(), bytes.len() as u32) };
    assert_eq!(result, 0);
    (listener, address)
}

fn config_with_certificate() -> Arc<ClientConfig> {
    let chain = CertificateDer::pem_slice_iter(client_pem!("client").as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(client_pem!("client_key").as_bytes()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
        .with_client_auth_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

fn peer_certificate(
    js: &JavaScript,
    (connection, generation): Key,
    size: u32,
) -> Result<Vec<u8>, i32> {
    let mut out = vec![0; size as usize];
    // SAFETY: the buffer has that many bytes.
    let result = unsafe {
        ffi::jstime_peer_certificate(js.handle, 0, connection, generation, out.as_mut_ptr(), size)
    };
    if result < 0 {
        return Err(result);
    }
    out.truncate(result as usize);
    Ok(out)
}

#[test]
fn javascript_can_ask_who_the_client_is() {
    let mut js = JavaScript::new();
    let (_, address) = listen_with_policies(&js);
    let config = config_with_certificate();
    let mut client = TlsClient::named(&config, address, "strict.test");
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nHost: strict.test\r\n\r\n");
        let request = js.request();
        assert!(request.has(REQUEST_HAS_CERTIFICATE));
        let encoded = peer_certificate(&js, request.key, 4096).unwrap();
        let own = CertificateDer::from_pem_slice(client_pem!("client").as_bytes()).unwrap();
        let mut expected: Vec<u8> = [0u32, 1, own.len() as u32]
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
        expected.extend_from_slice(&own);
        assert_eq!(encoded, expected);
        // Without room only the size is told.
        let small = peer_certificate(&js, request.key, 8).unwrap();
        assert_eq!(small.len(), 8);
        let (connection, generation) = request.key;
        let missing = Err(-libc::ENOENT);
        assert_eq!(
            peer_certificate(&js, (connection, generation + 1), 99),
            missing
        );
        assert_eq!(
            peer_certificate(&js, (connection + 1, generation), 99),
            missing
        );
        assert_eq!(peer_certificate(&js, (u32::MAX, generation), 99), missing);
        js.respond(request.key, 200, "", b"hello");
        assert_eq!(client.content(), b"hello");
    }
    client.send("GET / HTTP/1.1\r\nHost: strict.test\r\n\r\n");
    let request = js.request();
    drop(client);
    wait_for("the end", || {
        peer_certificate(&js, request.key, 4096) == Err(-libc::ENOENT)
    });
    assert!(matches!(js.event(), Event::Gone { .. }));
    // The next with the same index has none.
    let mut other = TlsClient::named(&client_config(), address, "open.test");
    other.send("GET / HTTP/1.1\r\nHost: open.test\r\n\r\n");
    let request = js.request();
    assert!(!request.has(REQUEST_HAS_CERTIFICATE));
    assert_eq!(peer_certificate(&js, request.key, 99), Err(-libc::ENOENT));
}

#[test]
fn who_does_not_go_on_with_a_handshake_is_cut_under_every_policy() {
    let js = JavaScript::new();
    let plan = ListenPlan {
        head_timeout: Some(Duration::from_millis(300)),
        idle_timeout: None,
        ..tls_plan()
    };
    let (listener, address) = listen_with_policies_by(&js, plan);
    let config = config_with_certificate();
    let mut silent = Client::connect(address);
    // Not enough to know the policy.
    let mut begun = Client::connect(address);
    begun.send([22, 3, 1, 0, 200, 1, 0, 0]);
    // Up to the certificate.
    let mut half = TlsClient::named(&config, address, "strict.test");
    let TlsClient { stream } = &mut half;
    stream.conn.write_tls(&mut stream.sock).unwrap();
    silent.ends();
    begun.ends();
    let mut seen = Vec::new();
    stream.sock.read_to_end(&mut seen).unwrap();
    assert!(seen.len() > 500);
    assert_eq!(js.metric(listener, METRIC_TIMEOUTS), 3.0);
}

#[test]
fn requests_for_names_with_another_policy_are_misdirected() {
    let mut js = JavaScript::new();
    let (listener, address) = listen_with_policies(&js);
    let table = table(&[("/static", 200, "", b"static")]);
    assert!(
        js.runtime()
            .set_static(listener, StaticTable::parse(&table).unwrap())
    );
    let config = config_with_certificate();
    let status = |name, request: &str| {
        let mut client = TlsClient::named(&config, address, name);
        client.send(request);
        let head = client.rest();
        String::from_utf8_lossy(&head[9..12]).into_owned()
    };
    for (name, target, host, expected) in [
        ("open.test", "/static", "Host: open.test\r\n", "200"),
        ("open.test", "/static", "Host: strict.test\r\n", "421"),
        ("open.test", "/", "Host: strict.test:443\r\n", "421"),
        ("open.test", "/", "Host: STRICT.test.\r\n", "421"),
        ("open.test", "/", "Host: s%74rict.test\r\n", "421"),
        (
            "open.test",
            "https://strict.test/",
            "Host: open.test\r\n",
            "421",
        ),
        (
            "open.test",
            "https://open.test/static",
            "Host: open.test\r\n",
            "200",
        ),
        ("127.0.0.1", "/static", "Host: [::1]\r\n", "200"),
        ("127.0.0.1", "/static", "Host: strict.test\r\n", "421"),
        ("strict.test", "/static", "Host: strict.test\r\n", "200"),
        ("strict.test", "/static", "Host: open.test\r\n", "421"),
        ("strict.test", "/static", "Host: unknown.test\r\n", "421"),
        (
            "strict.test",
            "https://open.test/static",
            "Host: strict.test\r\n",
            "421",
        ),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        assert_eq!(status(name, &request), expected, "{name} {request}");
    }
    // The first is meant by who says nothing.
    assert_eq!(status("open.test", "GET /static HTTP/1.0\r\n\r\n"), "200");
    assert_eq!(status("strict.test", "GET /static HTTP/1.0\r\n\r\n"), "421");
    assert!(js.is_quiet());
}

// ---------------------------------------------------------------------------
// Certificates
// ---------------------------------------------------------------------------

#[test]
fn nobody_is_accepted_before_there_are_certificates() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(tls_plan());
    let mut client = TlsClient::connect(address);
    assert!(js.is_quiet());
    assert_eq!(js.metric(listener, METRIC_CONNECTIONS_TOTAL), 0.0);
    assert_eq!(set_certificates(&js, listener, &[("", P256)]), 0);
    client.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"hello");
    assert_eq!(client.content(), b"hello");
}

#[test]
fn certificates_that_cannot_be_used_change_nothing() {
    let js = JavaScript::new();
    let (listener, address) = listen(&js, tls_plan());
    let wrong = [P256[0], OTHER[1]];
    let invalid = -libc::EINVAL;
    assert_eq!(set_certificates(&js, listener, &[("", wrong)]), invalid);
    assert_eq!(set_certificates(&js, listener, &[]), invalid);
    let (plain, _) = js.listen(plan());
    assert_eq!(set_certificates(&js, plain, &[("", P256)]), invalid);
    assert_eq!(set_certificates(&js, 99, &[("", P256)]), -libc::ENOENT);
    let mut client = TlsClient::connect(address);
    client.shake_hands();
    assert_eq!(client.certificate(), der(P256));
}

#[test]
fn names_choose_and_a_reload_is_for_new_connections() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js, tls_plan());
    let config = client_config();
    let shown = |name| {
        let mut client = TlsClient::named(&config, address, name);
        client.shake_hands();
        client.certificate()
    };
    assert_eq!(shown("other.test"), der(P256));
    let mut old = TlsClient::connect(address);
    old.shake_hands();
    let named = [("", P256), ("*.test", OTHER)];
    assert_eq!(set_certificates(&js, listener, &named), 0);
    assert_eq!(shown("other.test"), der(OTHER));
    assert_eq!(shown("other.example"), der(P256));
    old.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"hello");
    assert_eq!(old.content(), b"hello");
}

#[test]
fn no_handshake_fails_while_certificates_are_replaced() {
    let js = JavaScript::new();
    let (listener, address) = listen(&js, tls_plan());
    let is_over = AtomicBool::new(false);
    let counts = [const { AtomicUsize::new(0) }; 2];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // With tickets, some of which are of no use any more.
                let config = client_config();
                while !is_over.load(Ordering::Relaxed) {
                    let mut client = TlsClient::named(&config, address, "a.test");
                    client.shake_hands();
                    let is_other = client.certificate() == der(OTHER);
                    counts[usize::from(is_other)].fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let count = |which: usize| counts[which].load(Ordering::Relaxed);
        for round in 0..40 {
            let which = round % 2;
            let pair = [P256, OTHER][which];
            assert_eq!(set_certificates(&js, listener, &[("", pair)]), 0);
            let before = count(which);
            while count(which) == before {
                std::thread::yield_now();
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

// ---------------------------------------------------------------------------
// Answers and content
// ---------------------------------------------------------------------------

#[test]
fn answers_of_every_kind_arrive() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js, tls_plan());
    let large = noise(3_000_000);
    let small_file = file_with(&large[..20_000]);
    let large_file = file_with(&large);
    let entries = table(&[("/static", 200, "", &large[..100_000])]);
    let entries = StaticTable::parse(&entries).unwrap();
    assert!(js.runtime().set_static(listener, entries));
    let mut client = TlsClient::connect(address);
    for _ in 0..3 {
        client.get("/static");
        assert!(client.content() == large[..100_000]);
        client.get("/");
        let request = js.request();
        js.respond(request.key, 200, "", b"hello");
        assert_eq!(client.content(), b"hello");
        client.get("/large");
        let request = js.request();
        js.respond_with_content(request.key, &large);
        assert!(client.content() == large);
        for (path, length) in [(&small_file, 20_000), (&large_file, 3_000_000)] {
            client.get("/file");
            let request = js.request();
            let file = files::OpenFile::open(path).unwrap();
            let token = files::keep(runtime::owner(), file);
            js.respond_file(request.key, token, 10, length);
            assert!(client.content() == large[10..length as usize]);
        }
        client.get("/stream");
        let request = js.request();
        js.respond_stream(request.key, RESPOND_LENGTH_KNOWN, 3_000_000);
        for chunk in large.chunks(200_000) {
            js.chunk_lent(request.key, chunk);
        }
        js.chunk(request.key, b"", true);
        assert!(client.content() == large);
        // How much was written is told on the way.
        while let Some(Event::Written { of, .. }) = js.poll() {
            assert_eq!(of, request.key);
        }
    }
    assert_eq!(js.metric(listener, METRIC_CONNECTIONS_TOTAL), 1.0);
    // With what TLS adds.
    assert!(js.metric(listener, METRIC_BYTES_WRITTEN) > 3.0 * 9_120_000.0 * 1.001);
    std::fs::remove_file(small_file).unwrap();
    std::fs::remove_file(large_file).unwrap();
}

#[test]
fn content_arrives_and_is_held_back() {
    let mut js = JavaScript::new();
    let (_, address) = listen(&js, tls_plan());
    let content = noise(2_000_000);
    let sent = content.clone();
    let client = std::thread::spawn(move || {
        let mut client = TlsClient::connect(address);
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n");
        client.send(sent);
        client.content()
    });
    let request = js.request();
    js.ask_content(request.key, CONTENT_STREAM);
    let mut received = Vec::new();
    loop {
        let Event::Content {
            waiting, is_end, ..
        } = js.event()
        else {
            panic!("no content");
        };
        assert!(waiting as usize <= CONTENT_WINDOW + (128 << 10));
        loop {
            let part = js.take(request.key, 50_000).unwrap_or_default();
            if part.is_empty() {
                break;
            }
            received.extend(part);
        }
        if is_end {
            break;
        }
    }
    assert!(received == content);
    js.respond(request.key, 200, "", b"thanks");
    assert_eq!(client.join().unwrap(), b"thanks");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let js = JavaScript::new();
    let (listener, address) = listen(&js, tls_plan());
    let content = noise(1000);
    let entries = StaticTable::parse(&table(&[("/", 200, "", &content)])).unwrap();
    assert!(js.runtime().set_static(listener, entries));
    let mut client = TlsClient::connect(address);
    client.get("/");
    let (head, first) = client.response();
    assert!(first == content);
    let count = 5000;
    let expected = count * (head.len() + content.len());
    // Without waiting for what it has to read.
    let TlsClient { stream } = &mut client;
    stream.sock.set_nonblocking(true).unwrap();
    stream.conn.set_buffer_limit(None);
    let requests = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(count);
    stream.conn.writer().write_all(requests.as_bytes()).unwrap();
    let mut received = Vec::new();
    while received.len() < expected {
        if stream.conn.wants_write() {
            let _ = stream.conn.write_tls(&mut stream.sock);
        }
        match stream.conn.read_tls(&mut stream.sock) {
            Ok(0) => panic!("the end after {}", received.len()),
            Ok(_) => {
                stream.conn.process_new_packets().unwrap();
                let _ = stream.conn.reader().read_to_end(&mut received);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    assert_eq!(received.len(), expected);
    for answer in received.chunks(expected / count) {
        assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(&content));
    }
}

#[test]
fn many_handshakes_at_once_all_succeed() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js, tls_plan());
    let config = client_config();
    let mut clients: Vec<_> = (0..100)
        .map(|_| TlsClient::named(&config, address, "p256.test"))
        .collect();
    for client in &mut clients {
        // The hello only, so that they are all there at the same time.
        while client.stream.conn.wants_write() {
            client
                .stream
                .conn
                .write_tls(&mut client.stream.sock)
                .unwrap();
        }
    }
    for client in &mut clients {
        client.get("/");
        let request = js.request();
        js.respond(request.key, 200, "", b"hello");
        assert_eq!(client.content(), b"hello");
    }
    assert_eq!(js.metric(listener, METRIC_CONNECTIONS), 100.0);
}

// ---------------------------------------------------------------------------
// Ends
// ---------------------------------------------------------------------------

#[test]
fn the_server_says_that_it_is_the_end() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(
        &js,
        ListenPlan {
            idle_timeout: Some(Duration::from_millis(300)),
            ..tls_plan()
        },
    );
    let mut client = TlsClient::connect(address);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let request = js.request();
    js.respond(request.key, 200, "", b"hello");
    assert!(client.rest().ends_with(b"hello"));

    let mut idle = TlsClient::connect(address);
    idle.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"hello");
    assert!(idle.rest().ends_with(b"hello"));

    let mut stopped = TlsClient::connect(address);
    stopped.shake_hands();
    assert!(js.runtime().stop(listener, false));
    assert_eq!(stopped.rest(), b"");
}

#[test]
fn a_cut_answer_does_not_look_whole() {
    let mut js = JavaScript::new();
    let (_, address) = listen(&js, tls_plan());
    let mut client = TlsClient::connect(address);
    client.send("GET / HTTP/1.0\r\n\r\n");
    let request = js.request();
    js.respond_stream(request.key, 0, 0);
    js.chunk(request.key, b"part", false);
    js.command(COMMAND_ABORT, 0, request.key, &[], &[]);
    let mut rest = Vec::new();
    assert!(client.stream.read_to_end(&mut rest).is_err());
}

#[test]
fn a_client_that_leaves_is_gone() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js, tls_plan());
    for says_so in [false, true] {
        let mut client = TlsClient::connect(address);
        client.get("/");
        let request = js.request();
        if says_so {
            client.stream.conn.send_close_notify();
            client.stream.flush().unwrap();
        }
        drop(client);
        let Event::Gone { of, is_deadline } = js.event() else {
            panic!("it is not gone");
        };
        assert_eq!((of, is_deadline), (request.key, false));
    }
    // In the middle of its content.
    let mut client = TlsClient::connect(address);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    client.send(vec![b'x'; 50_000]);
    let request = js.request();
    js.ask_content(request.key, CONTENT_GATHER);
    drop(client);
    loop {
        match js.event() {
            Event::Gone { of, .. } => break assert_eq!(of, request.key),
            Event::Content { is_end, .. } => assert!(!is_end),
            event => panic!("{event:?}"),
        }
    }
    assert!(js.is_quiet());
    assert_eq!(js.metric(listener, METRIC_CONNECTIONS), 0.0);
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
}

#[test]
fn plain_http_gets_an_alert_and_the_end() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js, tls_plan());
    for ends in [false, true] {
        let mut client = Client::connect(address);
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        if ends {
            client.half_close();
        }
        let mut seen = Vec::new();
        client.stream.read_to_end(&mut seen).unwrap();
        assert_eq!(seen, [21, 3, 3, 0, 2, 2, 50]);
    }
    assert!(js.is_quiet());
    assert_eq!(js.metric(listener, METRIC_REQUESTS), 0.0);
}

#[test]
fn unfinished_handshakes_are_cut() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(
        &js,
        ListenPlan {
            head_timeout: Some(Duration::from_millis(300)),
            idle_timeout: None,
            ..tls_plan()
        },
    );
    let mut established = TlsClient::connect(address);
    established.shake_hands();
    let mut silent = Client::connect(address);
    let mut begun = Client::connect(address);
    begun.send([22, 3, 1]);
    // Up to the second half.
    let mut half = TlsClient::connect(address);
    let TlsClient { stream } = &mut half;
    stream.conn.write_tls(&mut stream.sock).unwrap();
    silent.ends();
    begun.ends();
    let mut seen = Vec::new();
    stream.sock.read_to_end(&mut seen).unwrap();
    assert!(seen.len() > 500);
    assert_eq!(js.metric(listener, METRIC_TIMEOUTS), 3.0);
    established.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"hello");
    assert_eq!(established.content(), b"hello");
    // A head that was begun has its own time.
    established.send("GET / HT");
    assert!(established.rest().starts_with(b"HTTP/1.1 408 "));
}

#[test]
fn stopping_waits_for_nobody_who_shakes_hands() {
    for force in [false, true] {
        let mut js = JavaScript::new();
        let (listener, address) = listen(&js, tls_plan());
        let mut silent = Client::connect(address);
        let mut half = TlsClient::connect(address);
        let TlsClient { stream } = &mut half;
        stream.conn.write_tls(&mut stream.sock).unwrap();
        stream.conn.read_tls(&mut stream.sock).unwrap();
        assert!(js.runtime().stop(listener, force));
        assert_eq!(js.event(), Event::Stopped { listener });
        silent.ends();
    }
}
