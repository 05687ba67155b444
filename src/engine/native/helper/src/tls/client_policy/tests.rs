use rustls::crypto::ring::default_provider;

use super::*;

/// A file of the clients' certificates.
macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../../tests/tls/client_certificates/",
            $name,
            ".pem"
        ))
    };
}

/// Certificates and keys of clients.
pub const CLIENT: (&str, &str) = (pem!("client"), pem!("client_key"));
pub const CHAINED: (&str, &str) = (pem!("chained"), pem!("chained_key"));
pub const REVOKED: (&str, &str) = (pem!("revoked"), pem!("revoked_key"));
pub const EXPIRED: (&str, &str) = (pem!("expired"), pem!("expired_key"));
pub const FOREIGN: (&str, &str) = (pem!("foreign"), pem!("foreign_key"));
pub const SELF_SIGNED: (&str, &str) = (pem!("self_signed"), pem!("self_signed_key"));
pub const SERVER_ONLY: (&str, &str) = (pem!("server_only"), pem!("server_only_key"));

const AUTHORITY: &str = pem!("authority");
const OTHER_AUTHORITY: &str = pem!("other_authority");
const REVOCATIONS: &str = pem!("revocations");
const STALE_REVOCATIONS: &str = pem!("stale_revocations");

/// A policy as `jstime_tls` takes it.
pub fn encode(flags: u32, authorities: &str, lists: &str) -> Vec<u8> {
    let mut bytes = flags.to_le_bytes().to_vec();
    bytes.extend((authorities.len() as u32).to_le_bytes());
    bytes.extend(authorities.as_bytes());
    bytes.extend(lists.as_bytes());
    bytes
}

/// Everybody needs a certificate of the authority.
pub fn strict() -> Vec<u8> {
    encode(POLICY_REQUIRED, AUTHORITY, "")
}

/// Everybody may have one.
pub fn lenient() -> Vec<u8> {
    encode(0, AUTHORITY, "")
}

fn parse(bytes: &[u8]) -> Option<ClientPolicy> {
    ClientPolicy::parse(bytes, &Arc::new(default_provider()))
}

fn objection(policy: &ClientPolicy, pem: &str) -> Option<&'static str> {
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    policy.objection(&chain)
}

#[test]
fn everybody_gets_the_judgement_that_is_theirs() {
    let unknown = Some("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    let expired = Some("CERT_HAS_EXPIRED");
    let self_signed = Some("DEPTH_ZERO_SELF_SIGNED_CERT");
    let purpose = Some("INVALID_PURPOSE");
    let policy = parse(&lenient()).unwrap();
    for ((chain, _), expected) in [
        (CLIENT, None),
        (CHAINED, None),
        (REVOKED, None),
        (EXPIRED, expired),
        (FOREIGN, unknown),
        (SELF_SIGNED, self_signed),
        (SERVER_ONLY, purpose),
    ] {
        assert_eq!(objection(&policy, chain), expected);
    }
    let policy = parse(&encode(0, AUTHORITY, REVOCATIONS)).unwrap();
    for ((chain, _), expected) in [
        (CLIENT, None),
        (REVOKED, Some("CERT_REVOKED")),
        // Nobody knows about those of the intermediate authority.
        (CHAINED, Some("UNABLE_TO_GET_CRL")),
        (EXPIRED, expired),
        (FOREIGN, unknown),
    ] {
        assert_eq!(objection(&policy, chain), expected);
    }
    let policy = parse(&encode(0, AUTHORITY, STALE_REVOCATIONS)).unwrap();
    assert_eq!(objection(&policy, CLIENT.0), Some("CRL_HAS_EXPIRED"));
    let both = format!("{AUTHORITY}{OTHER_AUTHORITY}");
    let policy = parse(&encode(0, &both, "")).unwrap();
    for (chain, _) in [CLIENT, FOREIGN] {
        assert_eq!(objection(&policy, chain), None);
    }
    let nobody = parse(&encode(0, "", "")).unwrap();
    let expected = Some("UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
    assert_eq!(objection(&nobody, CLIENT.0), expected);
}

#[test]
fn what_cannot_be_used_is_refused() {
    assert!(parse(&strict()).is_some());
    assert!(parse(&encode(POLICY_REQUIRED, AUTHORITY, REVOCATIONS)).is_some());
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken_list = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    for (flags, authorities, lists) in [
        // Nobody could come in.
        (POLICY_REQUIRED, "", ""),
        (0, "", REVOCATIONS),
        (0, "text", ""),
        (0, CLIENT.1, ""),
        (0, broken, ""),
        (0, AUTHORITY, broken_list),
        (1 << 1, AUTHORITY, ""),
    ] {
        assert!(parse(&encode(flags, authorities, lists)).is_none());
    }
    let bytes = strict();
    for length in 0..8 {
        assert!(parse(&bytes[..length]).is_none());
    }
    let mut huge = bytes.clone();
    huge[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(parse(&huge).is_none());
}

#[test]
fn many_authorities_are_not_named() {
    let few = parse(&lenient()).unwrap();
    assert_eq!(few.verifier().root_hint_subjects().len(), 1);
    let many = AUTHORITY.repeat(HINT_BYTES / 10);
    let many = parse(&encode(0, &many, "")).unwrap();
    assert!(many.verifier().root_hint_subjects().is_empty());
}
