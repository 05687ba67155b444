//! The certificates of a listener.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::server_names::ServerNames;

/// Protocols to agree on (RFC 7301), besides HTTP/2: clients that can do only
/// others are refused.
const PROTOCOLS: [&[u8]; 1] = [b"http/1.1"];

/// What `jstime_tls` was given, checked. It never changes: a reload replaces it.
///
/// Session tickets belong to it, and within it to the name that the client has
/// asked for, so they are of no use after a reload or for another name.
pub struct Certificates {
    config: Arc<ServerConfig>,
    names: Arc<Names>,
}

impl Certificates {
    /// Parses what `abi.rs` describes; None if a certificate or a key cannot be
    /// used, or they do not belong together.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let provider = Arc::new(default_provider());
        let names = Arc::new(Names::new(&entries(bytes)?, &provider)?);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .ok()?
            .with_no_client_auth()
            .with_cert_resolver(names.clone());
        config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
        config.ticketer = Ticketer::new().ok()?;
        // Clients have tickets instead: nothing to store, and nothing to lock.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Some(Self {
            config: Arc::new(config),
            names,
        })
    }

    /// For new sessions.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    fn offer_http2(&mut self) {
        let config = Arc::make_mut(&mut self.config);
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }

    /// Whether everybody would get the same certificate as by the others.
    fn are_the_same_as(&self, others: &Self) -> bool {
        self.names.list == others.names.list
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_list()
            .entries(self.names.list.iter().map(|(name, _)| name))
            .finish()
    }
}

/// The certificates of a listener, for all threads: none at first, then those
/// that were given last.
#[derive(Debug, Default)]
pub struct SharedCertificates {
    /// Clients are offered HTTP/2, and rather than HTTP/1.1.
    http2: bool,
    current: RwLock<Option<Arc<Certificates>>>,
}

impl SharedCertificates {
    /// For a listener that speaks HTTP/2 too, or not.
    pub fn new(http2: bool) -> Self {
        Self {
            http2,
            ..Self::default()
        }
    }

    /// Those that clients get from now on.
    pub fn get(&self) -> Option<Arc<Certificates>> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether there are any.
    pub fn are_there(&self) -> bool {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Replaces them. The same again change nothing, so that tickets stay good.
    pub fn set(&self, mut certificates: Certificates) {
        if self.http2 {
            certificates.offer_http2();
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some(before) if before.are_the_same_as(&certificates) => {}
            _ => *current = Some(Arc::new(certificates)),
        }
    }
}

/// Chooses a certificate by the name that a client asks for.
struct Names {
    table: ServerNames<Arc<CertifiedKey>>,
    /// Names and chains, as they were given. Keys belong to their chains.
    list: Vec<(String, Vec<CertificateDer<'static>>)>,
}

impl Names {
    fn new(entries: &[GivenCertificate<'_>], provider: &CryptoProvider) -> Option<Self> {
        // One with several names comes several times.
        let mut pairs = HashMap::new();
        let mut list = Vec::new();
        let mut named = Vec::new();
        for given in entries {
            let certified = match pairs.entry((given.chain, given.key)) {
                Entry::Occupied(known) => Arc::clone(known.get()),
                Entry::Vacant(place) => place.insert(Arc::new(certify(given, provider)?)).clone(),
            };
            list.push((given.server_name.to_owned(), certified.cert.clone()));
            named.push((given.server_name, certified));
        }
        Some(Self {
            table: ServerNames::new(named)?,
            list,
        })
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or_default();
        Some(self.table.select(name).clone())
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Names")
    }
}

fn certify(given: &GivenCertificate<'_>, provider: &CryptoProvider) -> Option<CertifiedKey> {
    let chain = CertificateDer::pem_slice_iter(given.chain)
        .collect::<Result<Vec<_>, _>>()
        .ok()?;
    if chain.is_empty() {
        return None;
    }
    let key = PrivateKeyDer::from_pem_slice(given.key).ok()?;
    CertifiedKey::from_der(chain, key, provider).ok()
}

/// A certificate as it was given.
struct GivenCertificate<'a> {
    /// Empty for none.
    server_name: &'a str,
    /// PEM.
    chain: &'a [u8],
    /// PEM.
    key: &'a [u8],
}

/// The entries of what `jstime_tls` is given; None unless all of it is right.
fn entries(bytes: &[u8]) -> Option<Vec<GivenCertificate<'_>>> {
    let (count, rest) = word(bytes)?;
    let (mut lengths, mut texts) = rest.split_at_checked((count as usize).checked_mul(12)?)?;
    let mut list = Vec::new();
    for _ in 0..count {
        let mut text = || {
            let (length, rest) = word(lengths)?;
            lengths = rest;
            let (text, rest) = texts.split_at_checked(length as usize)?;
            texts = rest;
            Some(text)
        };
        list.push(GivenCertificate {
            server_name: std::str::from_utf8(text()?).ok()?,
            chain: text()?,
            key: text()?,
        });
    }
    texts.is_empty().then_some(list)
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*word), rest))
}

#[cfg(test)]
pub(super) mod tests;
