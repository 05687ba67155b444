//! The authorities that clients trust.

use std::sync::{Arc, Mutex};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::x509::fields_of;
use crate::runtime::lock;

/// How many sets are kept for the next connection, and how large they may be.
const KEPT_SETS: usize = 4;
const LARGEST_KEPT: usize = 1 << 20;
/// Longer chains are not completed.
const LONGEST_CHAIN: usize = 16;

/// Authorities.
#[derive(Debug)]
pub struct TrustedRoots {
    /// All of them.
    pub store: Arc<RootCertStore>,
    /// Those that were given, not those of Mozilla.
    given: Vec<CertificateDer<'static>>,
}

/// A set by what it was made of.
struct Kept {
    bundled: bool,
    pem: Box<[u8]>,
    roots: Arc<TrustedRoots>,
}

/// Most programs have one set, of some hundred certificates that take
/// milliseconds to parse.
static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

impl TrustedRoots {
    /// Those in `pem`, and with `bundled` Mozilla's. None if one cannot be used;
    /// but among many, as with `bundled`, the others are.
    pub fn get(bundled: bool, pem: &[u8]) -> Option<Arc<Self>> {
        let mut kept = lock(&KEPT);
        let is_it = |one: &Kept| one.bundled == bundled && *one.pem == *pem;
        if let Some(at) = kept.iter().position(is_it) {
            // The one used last is the last to go.
            let one = kept.remove(at);
            let roots = one.roots.clone();
            kept.push(one);
            return Some(roots);
        }
        let roots = Arc::new(Self::parse(bundled, pem)?);
        if pem.len() <= LARGEST_KEPT {
            if kept.len() == KEPT_SETS {
                kept.remove(0);
            }
            kept.push(Kept {
                bundled,
                pem: pem.into(),
                roots: roots.clone(),
            });
        }
        Some(roots)
    }

    fn parse(bundled: bool, pem: &[u8]) -> Option<Self> {
        let mut store = RootCertStore::empty();
        let mut given = Vec::new();
        if bundled {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let added = certificate
                .ok()
                .and_then(|certificate| store.add(certificate.clone()).ok().map(|()| certificate));
            match added {
                Some(certificate) => given.push(certificate),
                None if bundled => {}
                None => return None,
            }
        }
        Some(Self {
            store: Arc::new(store),
            given,
        })
    }

    /// Whether this very certificate was given.
    pub fn has(&self, certificate: &[u8]) -> bool {
        self.given.iter().any(|one| one.as_ref() == certificate)
    }

    /// Appends the issuers that were given, as far as a chain lacks them.
    pub fn complete(&self, chain: &mut Vec<Vec<u8>>) {
        while chain.len() < LONGEST_CHAIN {
            let Some(last) = chain.last().and_then(|last| fields_of(last)) else {
                return;
            };
            if last.issuer == last.subject {
                return;
            }
            let issuer = self
                .given
                .iter()
                .find(|one| fields_of(one).is_some_and(|fields| fields.subject == last.issuer));
            let Some(issuer) = issuer else {
                return;
            };
            chain.push(issuer.to_vec());
        }
    }
}
