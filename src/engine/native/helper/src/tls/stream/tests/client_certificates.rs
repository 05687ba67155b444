//! Which clients get through, and what is known of them.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, Error, SignatureScheme};

use super::*;
use crate::tls::certificates::tests::encode_with_policies;
use crate::tls::client_policy::tests::{
    CHAINED, CLIENT, EXPIRED, FOREIGN, SELF_SIGNED, SERVER_ONLY, lenient, strict,
};

type ClientPair = (&'static str, &'static str);

const NAMES: [(&str, Pair); 4] = [
    ("open.test", P256),
    ("strict.test", P256),
    ("lenient.test", OTHER),
    ("also.open.test", P256),
];

fn servers() -> Arc<SharedCertificates> {
    let shared = SharedCertificates::default();
    let bytes = encode_with_policies(&NAMES, &[b"", &strict(), &lenient(), b""]);
    shared.set(Certificates::parse(&bytes).unwrap());
    Arc::new(shared)
}

/// Shows a certificate, whoever may be asked for.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl rustls::client::ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn config(
    version: &'static SupportedProtocolVersion,
    shown: Option<ClientPair>,
) -> Arc<ClientConfig> {
    let mut config = client_config(&[version]);
    if let Some((chain, key)) = shown {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
            .map(Result::unwrap)
            .collect();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let key = default_provider()
            .key_provider
            .load_private_key(key)
            .unwrap();
        config.client_auth_cert_resolver = Arc::new(Shows(Arc::new(CertifiedKey::new(chain, key))));
    }
    Arc::new(config)
}

fn try_with(
    name: &'static str,
    version: &'static SupportedProtocolVersion,
    shown: Option<ClientPair>,
) -> Result<Both, AlertDescription> {
    let mut both = Both::named(&servers(), config(version, shown), name);
    match both.try_to_shake_hands() {
        Ok(()) => Ok(both),
        Err((Some(Error::AlertReceived(alert)), _)) => Err(alert),
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn only_those_who_are_trusted_get_through_where_that_is_required() {
    for version in [&TLS12, &TLS13] {
        let missing = AlertDescription::CertificateRequired;
        for (shown, expected) in [
            (Some(CLIENT), Ok(())),
            (Some(CHAINED), Ok(())),
            (None, Err(missing)),
            (Some(EXPIRED), Err(AlertDescription::CertificateExpired)),
            (Some(FOREIGN), Err(AlertDescription::UnknownCA)),
            (Some(SELF_SIGNED), Err(AlertDescription::UnknownCA)),
            (
                Some(SERVER_ONLY),
                Err(AlertDescription::UnsupportedCertificate),
            ),
            // It is somebody else's.
            (
                Some((CLIENT.0, FOREIGN.1)),
                Err(AlertDescription::DecryptError),
            ),
        ] {
            let result = try_with("strict.test", version, shown);
            assert_eq!(result.map(|_| ()), expected);
        }
    }
}

#[test]
fn where_everybody_gets_through_the_truth_is_told() {
    for version in [&TLS12, &TLS13] {
        for (shown, expected) in [
            (CLIENT, None),
            (EXPIRED, Some("CERT_HAS_EXPIRED")),
            (FOREIGN, Some("UNABLE_TO_VERIFY_LEAF_SIGNATURE")),
            (SELF_SIGNED, Some("DEPTH_ZERO_SELF_SIGNED_CERT")),
        ] {
            let both = try_with("lenient.test", version, Some(shown)).unwrap();
            let seen = both.server.client_certificate().unwrap();
            let own = CertificateDer::from_pem_slice(shown.0.as_bytes()).unwrap();
            assert_eq!(seen.objection, expected);
            assert_eq!(seen.chain[0], *own);
        }
        let both = try_with("lenient.test", version, None).unwrap();
        assert_eq!(both.server.client_certificate(), None);
        // Whose it is has to be true all the same.
        let stolen = Some((CLIENT.0, FOREIGN.1));
        let refused = try_with("lenient.test", version, stolen).map(|_| ());
        assert_eq!(refused, Err(AlertDescription::DecryptError));
    }
}

#[test]
fn nobody_is_asked_where_nothing_is_to_be_known() {
    let both = try_with("open.test", &TLS13, Some(CLIENT)).unwrap();
    assert_eq!(both.server.client_certificate(), None);
    // Without a name it is the first.
    let both = try_with("127.0.0.1", &TLS13, None).unwrap();
    assert!(both.server.scope().unwrap().may_serve(b"open.test"));
    assert!(!both.server.scope().unwrap().may_serve(b"strict.test"));
}

#[test]
fn the_name_may_come_byte_by_byte() {
    for version in [&TLS12, &TLS13] {
        let mut both = Both::named(&servers(), config(version, Some(CLIENT)), "strict.test");
        both.wire.portion.set(1);
        both.shake_hands();
        assert!(both.server.client_certificate().is_some());
        assert!(both.server.scope().unwrap().may_serve(b"strict.test"));
        assert!(!both.server.scope().unwrap().may_serve(b"open.test"));
        both.send(HELLO);
        assert_eq!(both.read(16384).unwrap(), HELLO);
    }
}

#[test]
fn what_is_no_hello_gets_an_alert() {
    for bytes in [
        HELLO,
        &[22, 3, 1, 0, 4, 2, 0, 0, 0],
        &[22, 3, 1, 255, 255, 1],
    ] {
        let mut both = Both::named(&servers(), config(&TLS13, None), "strict.test");
        both.wire.to_server.borrow_mut().extend(bytes);
        let error = both.read(16384).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(both.wire.to_client.borrow()[0], 21);
    }
    // One that does not go on is cut off, and not kept for ever.
    let mut both = Both::named(&servers(), config(&TLS13, None), "strict.test");
    both.wire
        .to_server
        .borrow_mut()
        .extend([22, 3, 1, 0, 100, 1]);
    assert!(both.read(16384).unwrap().is_empty());
    both.wire.client_is_gone.set(true);
    let error = both.read(16384).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_hello_in_endless_fragments_is_refused() {
    let mut both = Both::named(&servers(), config(&TLS13, None), "strict.test");
    // A message of 60,000 bytes in records of one.
    let mut sent = 0;
    let result = loop {
        let byte = [1, 0, 0xea, 0x60].get(sent).copied().unwrap_or(0);
        both.wire
            .to_server
            .borrow_mut()
            .extend([22, 3, 1, 0, 1, byte]);
        sent += 1;
        match both.read(16384) {
            Ok(content) => assert!(content.is_empty()),
            Err(error) => break error,
        }
        assert!(sent < 60_000);
    };
    assert_eq!(result.kind(), ErrorKind::InvalidData);
}

#[test]
fn sessions_do_not_resume_under_another_policy() {
    for version in [&TLS12, &TLS13] {
        let servers = servers();
        let mut config = Arc::unwrap_or_clone(config(version, Some(CLIENT)));
        config.resumption = Resumption::in_memory_sessions(64);
        let config = Arc::new(config);
        let kind = |name| {
            let mut both = Both::named(&servers, config.clone(), name);
            both.shake_hands();
            both.server.write(b"x", false).unwrap();
            both.client_content();
            both.client.handshake_kind().unwrap()
        };
        assert_eq!(kind("open.test"), HandshakeKind::Full);
        assert_eq!(kind("open.test"), HandshakeKind::Resumed);
        for name in ["strict.test", "lenient.test"] {
            // Everybody shows the certificate every time.
            assert_eq!(kind(name), HandshakeKind::Full);
            assert_eq!(kind(name), HandshakeKind::Full);
        }
    }
}

/// Keeps one session, and gives it for every name.
#[derive(Debug, Default)]
struct AnyName {
    tls12: std::sync::Mutex<Option<rustls::client::Tls12ClientSessionValue>>,
    tls13: std::sync::Mutex<Option<rustls::client::Tls13ClientSessionValue>>,
}

impl rustls::client::ClientSessionStore for AnyName {
    fn set_kx_hint(&self, _: ServerName<'static>, _: rustls::NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<rustls::NamedGroup> {
        None
    }

    fn set_tls12_session(
        &self,
        _: ServerName<'static>,
        value: rustls::client::Tls12ClientSessionValue,
    ) {
        *self.tls12.lock().unwrap() = Some(value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<rustls::client::Tls12ClientSessionValue> {
        self.tls12.lock().unwrap().clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(
        &self,
        _: ServerName<'static>,
        value: rustls::client::Tls13ClientSessionValue,
    ) {
        *self.tls13.lock().unwrap() = Some(value);
    }

    fn take_tls13_ticket(
        &self,
        _: &ServerName<'static>,
    ) -> Option<rustls::client::Tls13ClientSessionValue> {
        self.tls13.lock().unwrap().take()
    }
}

#[test]
fn a_ticket_of_another_name_does_not_stand_for_a_certificate() {
    for version in [&TLS12, &TLS13] {
        let servers = servers();
        let mut config = Arc::unwrap_or_clone(config(version, None));
        config.resumption = Resumption::store(Arc::new(AnyName::default()));
        let config = Arc::new(config);
        let kind = |name| {
            let mut both = Both::named(&servers, config.clone(), name);
            both.try_to_shake_hands().ok()?;
            both.server.write(b"x", false).unwrap();
            both.client_content();
            both.client.handshake_kind()
        };
        assert_eq!(kind("open.test"), Some(HandshakeKind::Full));
        assert_eq!(kind("open.test"), Some(HandshakeKind::Resumed));
        for (name, expected) in [
            ("also.open.test", Some(HandshakeKind::Full)),
            ("lenient.test", Some(HandshakeKind::Full)),
            ("strict.test", None),
        ] {
            kind("open.test");
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
