//! Streams that programs use as they like.

use super::*;

fn for_programs(version: &'static SupportedProtocolVersion) -> Both {
    let mut both = Both::new(&shared(&[("", P256)]), client_config(&[version]));
    both.server = Stream::new(both.wire.clone(), shared(&[("", P256)])).for_programs();
    both
}

#[test]
fn an_end_is_seen_behind_content_and_the_handshake() {
    for version in [&TLS12, &TLS13] {
        let mut both = for_programs(version);
        while both.client.is_handshaking() {
            both.run_client().unwrap();
            if both.client.is_handshaking() {
                both.read(16384).unwrap();
            }
        }
        // With the end of the handshake.
        both.send(b"early");
        let mut buffer = vec![0; 16384];
        assert_eq!(both.server.read(&mut buffer).unwrap(), 5);
        // In one piece.
        both.client.writer().write_all(b" bird").unwrap();
        both.client.send_close_notify();
        both.run_client().unwrap();
        both.wire.client_is_gone.set(true);
        assert_eq!(both.server.read(&mut buffer).unwrap(), 5);
        assert!(both.server.may_have_more(false));
        assert_eq!(both.server.read(&mut buffer).unwrap(), 0);
    }
}

#[test]
fn who_has_ended_goes_on_reading() {
    for version in [&TLS12, &TLS13] {
        let mut both = for_programs(version);
        both.shake_hands();
        assert_eq!(both.server.write(b"all", false).unwrap(), 3);
        assert!(both.server.shutdown_write());
        assert_eq!(both.client_content(), b"all");
        for part in [b"one", b"two"] {
            both.send(part);
            assert_eq!(both.read(100).unwrap(), part);
        }
        both.client.send_close_notify();
        both.run_client().unwrap();
        assert_eq!(both.server.read(&mut [0; 10]).unwrap(), 0);
    }
}

#[test]
fn what_was_agreed_on_can_be_asked_for() {
    let mut both = for_programs(&TLS13);
    assert_eq!(
        (both.server.protocol(), both.server.server_name()),
        (None, None)
    );
    both.wire.portion.set(7);
    both.shake_hands();
    assert_eq!(both.server.server_name(), Some("p256.test"));

    let certificates = Arc::new(SharedCertificates::default());
    let mut own = Certificates::parse(&encode_certificates(&[("", P256)])).unwrap();
    own.set_protocols(&[b"a".to_vec(), b"b".to_vec()]);
    certificates.set(own);
    let mut config = client_config(&[&TLS13]);
    config.alpn_protocols = vec![b"b".to_vec(), b"c".to_vec()];
    let mut both = Both::new(&certificates, config);
    both.shake_hands();
    assert_eq!(both.server.protocol(), Some(b"b".as_slice()));
}
