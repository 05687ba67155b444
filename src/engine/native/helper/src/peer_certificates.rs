//! What clients have shown of themselves in TLS handshakes, for JavaScript to
//! ask for.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use crate::region::Region;
use crate::runtime::lock;

/// The certificates of a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PeerCertificate {
    /// Why they are not to be trusted; None if they are.
    pub objection: Option<&'static str>,
    /// In DER form, the client's own first.
    pub chain: Vec<Vec<u8>>,
}

impl PeerCertificate {
    /// As `jstime_peer_certificate` gives it.
    pub fn encode(&self) -> Arc<[u8]> {
        let objection = self.objection.unwrap_or_default();
        let lengths = self.chain.iter().map(|one| one.len() as u32);
        let head = [objection.len() as u32, self.chain.len() as u32];
        let words = head.into_iter().chain(lengths);
        let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        bytes.extend_from_slice(objection.as_bytes());
        for one in &self.chain {
            bytes.extend_from_slice(one);
        }
        bytes.into()
    }
}

/// Those of the open connections of a thread that have any.
#[derive(Debug, Default)]
pub struct PeerCertificates {
    encoded: Mutex<HashMap<u32, Arc<[u8]>>>,
}

impl PeerCertificates {
    /// Before JavaScript is told that a connection has one.
    pub fn insert(&self, connection: u32, encoded: Arc<[u8]>) {
        lock(&self.encoded).insert(connection, encoded);
    }

    /// When the connection is over, and its generation another.
    pub fn remove(&self, connection: u32) {
        lock(&self.encoded).remove(&connection);
    }

    /// When the thread ends.
    pub fn clear(&self) {
        lock(&self.encoded).clear();
    }

    /// That of the client of a request, if it is still there.
    pub fn get(&self, region: &Region, connection: u32, generation: u32) -> Option<Arc<[u8]>> {
        if connection as usize >= crate::abi::MAX_CONNECTIONS {
            return None;
        }
        let encoded = lock(&self.encoded);
        // While it is current, the entry is that of its connection: one that ends
        // changes the generation first, and another begins with a new one.
        let current = region.generation(connection).load(Ordering::Acquire);
        if current != generation {
            return None;
        }
        encoded.get(&connection).cloned()
    }
}
