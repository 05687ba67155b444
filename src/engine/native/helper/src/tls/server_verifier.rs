//! Whether a client trusts a server, by its certificates and its name (RFC 5280,
//! 6; RFC 9525).

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::client_policy::{REJECTED, UNKNOWN_ISSUER, code_of};
use super::trusted_roots::TrustedRoots;
use super::x509::{fields_of, is_self_signed};

/// The verifier of one connection, which remembers what it has found.
#[derive(Debug)]
pub struct ServerVerifier {
    roots: Arc<TrustedRoots>,
    /// None trusts nobody.
    judge: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
    /// Who is not trusted does not get through the handshake.
    is_required: bool,
    objection: OnceLock<&'static str>,
}

impl ServerVerifier {
    /// Trusts `roots`. None if that is not possible.
    pub fn new(
        roots: Arc<TrustedRoots>,
        is_required: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Option<Self> {
        let judge = if roots.store.is_empty() {
            None
        } else {
            let store = roots.store.clone();
            let builder = WebPkiServerVerifier::builder_with_provider(store, provider.clone());
            Some(builder.build().ok()?)
        };
        Some(Self {
            roots,
            judge,
            algorithms: provider.signature_verification_algorithms,
            is_required,
            objection: OnceLock::new(),
        })
    }

    /// Why the server that was seen is not to be trusted, by the code that OpenSSL
    /// has for it, or Node for a wrong name; None if it is, or none was seen.
    pub fn objection(&self) -> Option<&'static str> {
        self.objection.get().copied()
    }

    /// The roots.
    pub fn roots(&self) -> &TrustedRoots {
        &self.roots
    }

    fn judge(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        // One that was made by hand is often that of an authority, too, and then
        // none for servers to webpki. But somebody has named just this one.
        if is_self_signed(own) && self.roots.has(own) {
            is_in_time(own, now)?;
            return verify_server_name(&ParsedCertificate::try_from(own)?, name);
        }
        let Some(judge) = &self.judge else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        judge.verify_server_cert(own, others, name, &[], now)?;
        Ok(())
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let result = self.judge(own, others, name, now);
        if let Err(error) = result {
            // There is one server per connection.
            let _ = self.objection.set(code_for(&error, own, others));
            if self.is_required {
                return Err(error);
            }
        }
        Ok(ServerCertVerified::assertion())
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

fn is_in_time(certificate: &[u8], now: UnixTime) -> Result<(), Error> {
    let validity = fields_of(certificate).and_then(|fields| fields.validity);
    let (first, last) = validity.ok_or(CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < first {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > last {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

fn code_for(error: &Error, own: &[u8], others: &[CertificateDer<'_>]) -> &'static str {
    let is_name_wrong = matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        )
    );
    if is_name_wrong {
        return "ERR_TLS_CERT_ALTNAME_INVALID";
    }
    match code_of(error) {
        // The other if it is an authority's, too.
        UNKNOWN_ISSUER | REJECTED if is_self_signed(own) => "DEPTH_ZERO_SELF_SIGNED_CERT",
        UNKNOWN_ISSUER if others.iter().any(|one| is_self_signed(one)) => {
            "SELF_SIGNED_CERT_IN_CHAIN"
        }
        code => code,
    }
}
