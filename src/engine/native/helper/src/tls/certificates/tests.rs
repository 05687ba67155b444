use super::*;

/// A certificate and its key.
pub type Pair = (&'static str, &'static str);

pub const P256: Pair = (
    include_str!("../fixtures/p256_cert.pem"),
    include_str!("../fixtures/p256_pkcs8.pem"),
);
pub const OTHER: Pair = (
    include_str!("../fixtures/other_cert.pem"),
    include_str!("../fixtures/other_pkcs8.pem"),
);
pub const RSA: Pair = (
    include_str!("../fixtures/rsa_cert.pem"),
    include_str!("../fixtures/rsa_pkcs8.pem"),
);
const ED25519: Pair = (
    include_str!("../fixtures/ed25519_cert.pem"),
    include_str!("../fixtures/ed25519_pkcs8.pem"),
);
const P521: Pair = (
    include_str!("../fixtures/p521_cert.pem"),
    include_str!("../fixtures/p521_pkcs8.pem"),
);
const P256_SEC1: &str = include_str!("../fixtures/p256_sec1.pem");
const RSA_PKCS1: &str = include_str!("../fixtures/rsa_pkcs1.pem");

/// What `jstime_tls` takes.
pub fn encode(entries: &[(&str, Pair)]) -> Vec<u8> {
    let mut bytes = (entries.len() as u32).to_le_bytes().to_vec();
    let texts = |(name, (chain, key)): &(&'static str, Pair)| [*name, *chain, *key];
    let entries: Vec<_> = entries
        .iter()
        .map(|(name, pair)| (&*String::from(*name).leak(), *pair))
        .collect();
    for text in entries.iter().flat_map(texts) {
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    }
    for text in entries.iter().flat_map(texts) {
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// The same, with a policy for each; empty asks for nothing.
pub fn encode_with_policies(entries: &[(&str, Pair)], policies: &[&[u8]]) -> Vec<u8> {
    let mut bytes = encode(entries);
    for policy in policies {
        bytes.extend_from_slice(&(policy.len() as u32).to_le_bytes());
    }
    for policy in policies {
        bytes.extend_from_slice(policy);
    }
    bytes
}

fn is_usable(chain: &'static str, key: &'static str) -> bool {
    Certificates::parse(&encode(&[("", (chain, key))])).is_some()
}

#[test]
fn keys_of_all_formats_are_taken() {
    for (chain, key) in [P256, OTHER, RSA, ED25519] {
        assert!(is_usable(chain, key), "{chain}");
    }
    assert!(is_usable(P256.0, P256_SEC1));
    assert!(is_usable(RSA.0, RSA_PKCS1));
}

#[test]
fn what_cannot_be_used_is_refused() {
    for (chain, key) in [
        // Of somebody else.
        (P256.0, OTHER.1),
        (P256.0, RSA.1),
        // Not supported.
        P521,
        // Not there.
        ("", P256.1),
        (P256.0, ""),
        (P256.1, P256.1),
        (P256.0, P256.0),
        // Not what it says.
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            P256.1,
        ),
        (
            P256.0,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n",
            P256.1,
        ),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", P256.1),
    ] {
        assert!(!is_usable(chain, key), "{chain}{key}");
    }
    let good = ("", P256);
    assert!(Certificates::parse(&encode(&[good, ("a.test", (OTHER.0, RSA.1))])).is_none());
    assert!(Certificates::parse(&encode(&[])).is_none());
}

#[test]
fn a_chain_keeps_its_order_and_other_text_in_it_is_skipped() {
    let chain = format!(
        "Subject: one\n{}\n{}\nSubject: two\r\n{}",
        P256.0, P256.1, RSA.0
    );
    let pair = (&*chain.leak(), P256.1);
    let certificates = Certificates::parse(&encode(&[("", pair)])).unwrap();
    let (_, chain) = &certificates.names.list[0];
    let single = |pair: Pair| CertificateDer::from_pem_slice(pair.0.as_bytes()).unwrap();
    assert_eq!(*chain, [single(P256), single(RSA)]);
}

#[test]
fn lengths_must_be_right() {
    let bytes = encode(&[("a.test", P256), ("b.test", OTHER)]);
    assert!(Certificates::parse(&bytes).is_some());
    for length in 0..bytes.len() {
        assert!(entries(&bytes[..length]).is_none(), "{length}");
    }
    assert!(entries(&[&*bytes, b"x"].concat()).is_none());
    let policies = [&b"one"[..], b""];
    let with_policies = encode_with_policies(&[("a.test", P256), ("b.test", OTHER)], &policies);
    let parsed = entries(&with_policies).unwrap();
    assert_eq!(
        parsed.iter().map(|entry| entry.policy).collect::<Vec<_>>(),
        policies
    );
    for length in bytes.len() + 1..with_policies.len() {
        assert!(entries(&with_policies[..length]).is_none(), "{length}");
    }
    assert!(entries(&[&*with_policies, b"x"].concat()).is_none());
    let mut huge = bytes.clone();
    huge[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(entries(&huge).is_none());
    let mut huge = bytes.clone();
    huge[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(entries(&huge).is_none());
    let mut not_text = bytes;
    not_text[4 + 24] = 0xff;
    assert!(entries(&not_text).is_none());
}

#[test]
fn one_certificate_with_several_names_is_there_once() {
    let certificates = Certificates::parse(&encode(&[
        ("a.test", P256),
        ("b.test", P256),
        ("c.test", OTHER),
    ]))
    .unwrap();
    let table = &certificates.names.table;
    assert!(Arc::ptr_eq(table.select("a.test"), table.select("b.test")));
    assert!(!Arc::ptr_eq(table.select("a.test"), table.select("c.test")));
}

#[test]
fn the_same_certificates_again_change_nothing() {
    let parse = |entries: &[(&str, Pair)]| Certificates::parse(&encode(entries)).unwrap();
    let shared = SharedCertificates::default();
    assert!(!shared.are_there());
    shared.set(parse(&[("a.test", P256), ("b.test", OTHER)]));
    assert!(shared.are_there());
    let first = shared.get().unwrap();
    shared.set(parse(&[("a.test", P256), ("b.test", OTHER)]));
    assert!(Arc::ptr_eq(&first, &shared.get().unwrap()));
    for others in [
        parse(&[("a.test", P256), ("c.test", OTHER)]),
        parse(&[("a.test", P256), ("b.test", RSA)]),
        parse(&[("a.test", P256)]),
    ] {
        let before = shared.get().unwrap();
        shared.set(others);
        assert!(!Arc::ptr_eq(&before, &shared.get().unwrap()));
    }
}

#[test]
fn authorities_belong_to_the_policy_of_their_name() {
    use crate::tls::client_policy::tests::{lenient, strict};
    let certificates = Certificates::parse(&encode_with_policies(
        &[
            ("open.test", P256),
            ("strict.test", OTHER),
            ("*.strict.test", OTHER),
            ("lenient.test", P256),
        ],
        &[b"", &strict(), &strict(), &lenient()],
    ))
    .unwrap();
    assert!(certificates.has_several_policies());
    let open = certificates.policy_for("");
    let strict = certificates.policy_for("strict.test");
    let lenient = certificates.policy_for("lenient.test");
    assert!(certificates.client_policy(open).is_none());
    assert!(certificates.client_policy(strict).is_some());
    assert_ne!(strict, lenient);
    for (authority, expected) in [
        ("", open),
        ("open.test", open),
        ("unknown.test:443", open),
        ("127.0.0.1:443", open),
        ("[::1]:443", open),
        ("strict.test", strict),
        ("STRICT.test:443", strict),
        ("strict.test.", strict),
        ("a.Strict.test.:1", strict),
        ("lenient.test", lenient),
    ] {
        for policy in [open, strict, lenient] {
            let may = certificates.may_serve(policy, authority.as_bytes());
            assert_eq!(may, policy == expected, "{authority}");
        }
    }
    // A URL would read these as another name.
    for odd in [
        "strict%2etest",
        "s%74rict.test",
        "strict.test%00",
        "\u{ff53}trict.test",
    ] {
        for policy in [open, strict, lenient] {
            assert!(!certificates.may_serve(policy, odd.as_bytes()), "{odd}");
        }
    }
}

#[test]
fn with_one_policy_every_authority_is_served() {
    use crate::tls::client_policy::tests::strict;
    let entries = [("", P256), ("other.test", OTHER)];
    for policies in [[&b""[..], b""], [&*strict(), &*strict()]] {
        let bytes = encode_with_policies(&entries, &policies);
        let certificates = Certificates::parse(&bytes).unwrap();
        let policy = certificates.policy_for("other.test");
        for authority in ["", "other.test", "unknown%2etest", "[::1]"] {
            assert!(certificates.may_serve(policy, authority.as_bytes()));
        }
    }
}

#[test]
fn another_policy_is_a_change() {
    use crate::tls::client_policy::tests::{lenient, strict};
    let parse = |policy: &[u8]| {
        let bytes = encode_with_policies(&[("", P256)], &[policy]);
        Certificates::parse(&bytes).unwrap()
    };
    let shared = SharedCertificates::default();
    shared.set(parse(&strict()));
    let before = shared.get().unwrap();
    shared.set(parse(&strict()));
    assert!(Arc::ptr_eq(&before, &shared.get().unwrap()));
    shared.set(parse(&lenient()));
    assert!(!Arc::ptr_eq(&before, &shared.get().unwrap()));
}
