//! How a client speaks TLS.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::server_verifier::ServerVerifier;
use super::trusted_roots::TrustedRoots;
use crate::abi::{CLIENT_BUNDLED_ROOTS, CLIENT_VERIFIES};

/// What `jstime_tcp_client` was given, checked: for one connection.
///
/// There are no sessions to resume: every handshake verifies the server anew, by
/// the rules of its own connection.
pub struct Client {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    verifier: Arc<ServerVerifier>,
}

/// A client that has not said anything yet.
pub struct ClientSession {
    /// None if it cannot even begin.
    pub session: Option<Box<UnbufferedClientConnection>>,
    /// Knows what the server has shown.
    pub verifier: Arc<ServerVerifier>,
}

impl Client {
    /// Parses what `abi.rs` describes; None if a certificate, key or name cannot
    /// be used.
    pub fn parse(options: &[u8], authorities: &[u8]) -> Option<Self> {
        let given = Given::parse(options)?;
        let provider = Arc::new(default_provider());
        let bundled = given.flags & CLIENT_BUNDLED_ROOTS != 0;
        let roots = TrustedRoots::get(bundled, authorities)?;
        let is_required = given.flags & CLIENT_VERIFIES != 0;
        let verifier = Arc::new(ServerVerifier::new(roots, is_required, &provider)?);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone());
        let mut config = if given.chain.is_empty() {
            builder.with_no_client_auth()
        } else {
            let chain = CertificateDer::pem_slice_iter(given.chain)
                .collect::<Result<Vec<_>, _>>()
                .ok()?;
            let key = PrivateKeyDer::from_pem_slice(given.key).ok()?;
            builder.with_client_auth_cert(chain, key).ok()?
        };
        config.alpn_protocols = protocol_names(given.protocols)?;
        config.resumption = Resumption::disabled();
        let name = std::str::from_utf8(given.name).ok()?;
        Some(Self {
            config: Arc::new(config),
            name: ServerName::try_from(name.to_owned()).ok()?,
            verifier,
        })
    }

    /// For one connection.
    pub fn begin(self) -> ClientSession {
        let session = UnbufferedClientConnection::new(self.config, self.name);
        ClientSession {
            session: session.ok().map(Box::new),
            verifier: self.verifier,
        }
    }
}

/// Names of protocols, each behind its length (RFC 7301, 3.1).
pub fn protocol_names(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        if name.is_empty() {
            return None;
        }
        names.push(name.to_vec());
        bytes = rest;
    }
    Some(names)
}

/// Options as they were given.
struct Given<'a> {
    flags: u32,
    name: &'a [u8],
    protocols: &'a [u8],
    /// PEM; empty for none.
    chain: &'a [u8],
    /// PEM.
    key: &'a [u8],
}

impl<'a> Given<'a> {
    /// None unless all of it is right.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, mut texts) = bytes.split_at_checked(5 * 4)?;
        let mut words = head
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        let flags = words.next()?;
        let mut text = || {
            let (text, rest) = texts.split_at_checked(words.next()? as usize)?;
            texts = rest;
            Some(text)
        };
        let given = Self {
            flags,
            name: text()?,
            protocols: text()?,
            chain: text()?,
            key: text()?,
        };
        let is_known = flags & !(CLIENT_VERIFIES | CLIENT_BUNDLED_ROOTS) == 0;
        (is_known && texts.is_empty()).then_some(given)
    }
}

#[cfg(test)]
mod tests;
