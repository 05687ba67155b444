//! Which clients a server of a listener wants to see, by their certificates
//! (RFC 8446, 4.3.2 and 4.4.2.4; RFC 5280, 6).

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use super::x509::is_self_signed;
use crate::abi::POLICY_REQUIRED;

/// Names of authorities beyond this are not sent: clients are then asked for any
/// certificate.
const HINT_BYTES: usize = 16 * 1024;

/// The code for a chain that ends at nobody who is known.
pub(super) const UNKNOWN_ISSUER: &str = "UNABLE_TO_VERIFY_LEAF_SIGNATURE";

/// The code for everything else.
pub(super) const REJECTED: &str = "CERT_REJECTED";

/// What clients are asked for. Without a policy they are asked for nothing.
pub struct ClientPolicy {
    /// Used in handshakes.
    verifier: Arc<dyn ClientCertVerifier>,
    /// Knows who is trusted; without any authority nobody is.
    judge: Option<Arc<dyn ClientCertVerifier>>,
    /// Who is not trusted does not get through the handshake.
    is_required: bool,
}

impl ClientPolicy {
    /// Parses a policy as `abi.rs` describes it; None if it cannot be used.
    pub fn parse(bytes: &[u8], provider: &Arc<CryptoProvider>) -> Option<Self> {
        let (flags, rest) = word(bytes)?;
        let (size, rest) = word(rest)?;
        let (authorities, lists) = rest.split_at_checked(size as usize)?;
        if flags & !POLICY_REQUIRED != 0 {
            return None;
        }
        let judge = judge(authorities, lists, provider)?;
        let is_required = flags & POLICY_REQUIRED != 0;
        let verifier: Arc<dyn ClientCertVerifier> = match &judge {
            Some(judge) if is_required => judge.clone(),
            // Nobody could come in.
            None if is_required => return None,
            _ => Arc::new(AcceptsAnybody {
                judge: judge.clone(),
                algorithms: provider.signature_verification_algorithms,
            }),
        };
        Some(Self {
            verifier,
            judge,
            is_required,
        })
    }

    /// For handshakes.
    pub fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        self.verifier.clone()
    }

    /// Why a client that is through the handshake is not to be trusted by its
    /// certificates, the own one first, by the code that OpenSSL has for it; None
    /// if it is.
    pub fn objection(&self, chain: &[CertificateDer<'_>]) -> Option<&'static str> {
        if self.is_required {
            return None;
        }
        let (own, intermediates) = chain.split_first()?;
        let Some(judge) = &self.judge else {
            return Some("UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
        };
        match judge.verify_client_cert(own, intermediates, UnixTime::now()) {
            Ok(_) => None,
            Err(error) => Some(match code_of(&error) {
                UNKNOWN_ISSUER if is_self_signed(own) => "DEPTH_ZERO_SELF_SIGNED_CERT",
                code => code,
            }),
        }
    }
}

impl fmt::Debug for ClientPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientPolicy")
    }
}

/// What verifies against authorities and revocation lists in PEM form; None if
/// one cannot be used, or there are lists and no authorities.
#[allow(clippy::option_option)]
fn judge(
    authorities: &[u8],
    lists: &[u8],
    provider: &Arc<CryptoProvider>,
) -> Option<Option<Arc<dyn ClientCertVerifier>>> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(authorities) {
        roots.add(authority.ok()?).ok()?;
    }
    if roots.is_empty() {
        return (authorities.is_empty() && lists.is_empty()).then_some(None);
    }
    let lists = CertificateRevocationListDer::pem_slice_iter(lists)
        .collect::<Result<Vec<_>, _>>()
        .ok()?;
    let hints: usize = roots
        .subjects()
        .iter()
        .map(|name| name.as_ref().len())
        .sum();
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .with_crls(lists)
            .enforce_revocation_expiration();
    if hints > HINT_BYTES {
        builder = builder.clear_root_hint_subjects();
    }
    builder.build().ok().map(Some)
}

/// Asks for a certificate, and takes any, or none. That the client has its key is
/// verified all the same.
#[derive(Debug)]
struct AcceptsAnybody {
    judge: Option<Arc<dyn ClientCertVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for AcceptsAnybody {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.judge
            .as_ref()
            .map_or(&[], |judge| judge.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // `ClientPolicy::objection` tells what is to be thought of it.
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The code that OpenSSL has for a reason, or something like it.
pub(super) fn code_of(error: &Error) -> &'static str {
    let Error::InvalidCertificate(reason) = error else {
        return REJECTED;
    };
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "CERT_HAS_EXPIRED",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "CERT_NOT_YET_VALID"
        }
        CertificateError::Revoked => "CERT_REVOKED",
        CertificateError::UnknownIssuer => UNKNOWN_ISSUER,
        CertificateError::BadSignature => "CERT_SIGNATURE_FAILURE",
        CertificateError::UnknownRevocationStatus => "UNABLE_TO_GET_CRL",
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => "CRL_HAS_EXPIRED",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "INVALID_PURPOSE"
        }
        CertificateError::UnhandledCriticalExtension => "UNHANDLED_CRITICAL_EXTENSION",
        _ => REJECTED,
    }
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*word), rest))
}

#[cfg(test)]
pub(super) mod tests;
