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

use super::client_policy::ClientPolicy;
use super::server_names::ServerNames;

/// Protocols to agree on (RFC 7301), besides HTTP/2: clients that can do only
/// others are refused.
const PROTOCOLS: [&[u8]; 1] = [b"http/1.1"];

/// What `jstime_tls` was given, checked. It never changes: a reload replaces it.
///
/// Session tickets belong to it, within it to the policy for clients, and within
/// that to the name that the client has asked for, so they are of no use after a
/// reload or for another name. Where clients are asked for certificates there
/// are none, so that those are verified in every handshake.
pub struct Certificates {
    names: Arc<Names>,
    /// One for each policy.
    servers: Vec<Server>,
    /// Which of them has a name.
    policies: ServerNames<PolicyIndex>,
    /// The same by entry.
    order: Vec<PolicyIndex>,
}

/// Tells the policies of `Certificates` apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PolicyIndex(usize);

/// The certificates and the policy that a connection was made under. They stay
/// the same as long as it lives.
#[derive(Clone, Debug)]
pub struct Scope {
    certificates: Arc<Certificates>,
    policy: PolicyIndex,
}

impl Scope {
    /// For a client that was chosen a policy.
    pub fn new(certificates: Arc<Certificates>, policy: PolicyIndex) -> Self {
        Self {
            certificates,
            policy,
        }
    }

    /// Whether `may_serve` may ever say no.
    pub fn is_one_of_several(&self) -> bool {
        self.certificates.has_several_policies()
    }

    /// Whether requests to an authority may come over the connection: those to
    /// servers with another policy for clients are misdirected.
    pub fn may_serve(&self, authority: &[u8]) -> bool {
        self.certificates.may_serve(self.policy, authority)
    }

    /// What the client was asked for, if anything.
    pub fn client_policy(&self) -> Option<&ClientPolicy> {
        self.certificates.client_policy(self.policy)
    }
}

/// How the names with one policy are served.
struct Server {
    config: Arc<ServerConfig>,
    /// None asks clients for nothing.
    policy: Option<ClientPolicy>,
    /// What it was made of.
    given: Box<[u8]>,
}

impl Certificates {
    /// Parses what `abi.rs` describes; None if a certificate or a key cannot be
    /// used, or they do not belong together.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let provider = Arc::new(default_provider());
        let entries = entries(bytes)?;
        let names = Arc::new(Names::new(&entries, &provider)?);
        let mut servers = Vec::new();
        let mut known = HashMap::new();
        let mut named = Vec::new();
        for entry in &entries {
            let index = match known.entry(entry.policy) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => {
                    servers.push(Server::new(entry.policy, &names, &provider)?);
                    *place.insert(PolicyIndex(servers.len() - 1))
                }
            };
            named.push((entry.server_name, index));
        }
        Some(Self {
            names,
            servers,
            order: named.iter().map(|(_, index)| *index).collect(),
            policies: ServerNames::new(named)?,
        })
    }

    /// Protocols to agree on instead, the preferred first; with none, nothing is
    /// agreed on.
    pub fn set_protocols(&mut self, protocols: &[Vec<u8>]) {
        for server in &mut self.servers {
            let mut config = ServerConfig::clone(&server.config);
            config.alpn_protocols = protocols.to_vec();
            server.config = Arc::new(config);
        }
    }

    /// Whether it matters which name a client asks for, besides the certificate
    /// that it gets.
    pub fn has_several_policies(&self) -> bool {
        self.servers.len() > 1
    }

    /// The policy for clients that ask for a name, or for an empty one.
    pub fn policy_for(&self, server_name: &str) -> PolicyIndex {
        *self.policies.select(server_name)
    }

    /// For new sessions.
    pub fn config(&self, policy: PolicyIndex) -> Arc<ServerConfig> {
        self.servers[policy.0].config.clone()
    }

    /// What clients are asked for, if anything.
    fn client_policy(&self, policy: PolicyIndex) -> Option<&ClientPolicy> {
        self.servers[policy.0].policy.as_ref()
    }

    /// Whether a connection that was made under a policy may be used for requests
    /// to an authority, a host with or without a port (RFC 9110, 7.4).
    fn may_serve(&self, policy: PolicyIndex, authority: &[u8]) -> bool {
        if !self.has_several_policies() {
            return true;
        }
        match host_name(authority) {
            Some(name) => self.policy_for(name) == policy,
            None => false,
        }
    }

    fn offer_http2(&mut self) {
        for server in &mut self.servers {
            let config = Arc::make_mut(&mut server.config);
            config.alpn_protocols.insert(0, b"h2".to_vec());
        }
    }

    /// Whether everybody would get the same as by the others.
    fn are_the_same_as(&self, others: &Self) -> bool {
        let policies = self.servers.iter().map(|server| &server.given);
        self.names.list == others.names.list
            && self.order == others.order
            && policies.eq(others.servers.iter().map(|server| &server.given))
    }
}

impl Server {
    fn new(given: &[u8], names: &Arc<Names>, provider: &Arc<CryptoProvider>) -> Option<Self> {
        let policy = if given.is_empty() {
            None
        } else {
            Some(ClientPolicy::parse(given, provider)?)
        };
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .ok()?;
        let builder = match &policy {
            None => builder.with_no_client_auth(),
            Some(policy) => builder.with_client_cert_verifier(policy.verifier()),
        };
        let mut config = builder.with_cert_resolver(names.clone());
        config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
        if policy.is_none() {
            config.ticketer = Ticketer::new().ok()?;
        } else {
            config.send_tls13_tickets = 0;
        }
        // Clients have tickets instead: nothing to store, and nothing to lock.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Some(Self {
            config: Arc::new(config),
            policy,
            given: given.into(),
        })
    }
}

/// The name that an authority asks for, empty for an IPv6 address, which nobody
/// asks TLS for (RFC 6066, 3). None if it could be read as another name: with
/// escapes, or characters that a URL does not keep.
fn host_name(authority: &[u8]) -> Option<&str> {
    if authority.starts_with(b"[") {
        return Some("");
    }
    let end = authority.iter().position(|byte| *byte == b':');
    let name = &authority[..end.unwrap_or(authority.len())];
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    if !name.iter().all(is_plain) {
        return None;
    }
    std::str::from_utf8(name).ok()
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
    /// What clients are asked for; empty for nothing.
    policy: &'a [u8],
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
            policy: b"",
        });
    }
    if !texts.is_empty() {
        let size = list.len().checked_mul(4)?;
        let (mut lengths, mut policies) = texts.split_at_checked(size)?;
        for entry in &mut list {
            let length;
            (length, lengths) = word(lengths)?;
            (entry.policy, policies) = policies.split_at_checked(length as usize)?;
        }
        texts = policies;
    }
    texts.is_empty().then_some(list)
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*word), rest))
}

#[cfg(test)]
pub(super) mod tests;
