//! The listeners of a handle, and what is counted for each.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::{IoShared, lock};
use crate::abi::{METRIC_COUNT, REQUESTS_STARTED};
use crate::metrics::{EndedStalls, Metrics, Values, Waiting};
use crate::region::Region;
use crate::tls::certificates::SharedCertificates;

/// The metrics of a listener, over all threads.
pub struct ListenerMetrics {
    threads: Vec<ThreadMetrics>,
}

struct ThreadMetrics {
    metrics: Arc<Metrics>,
    waiting: Arc<Waiting>,
    region: Arc<Region>,
    /// Stalls from before there was the listener.
    before: EndedStalls,
}

impl ListenerMetrics {
    /// Of a new listener on these threads.
    pub(crate) fn new(threads: &[Arc<IoShared>]) -> Self {
        let threads = threads.iter().map(|shared| ThreadMetrics {
            metrics: Arc::default(),
            waiting: shared.waiting.clone(),
            region: shared.region.clone(),
            before: shared.waiting.ended_stalls(),
        });
        Self {
            threads: threads.collect(),
        }
    }

    /// What a thread counts.
    pub fn of_thread(&self, index: usize) -> Arc<Metrics> {
        self.threads[index].metrics.clone()
    }

    /// All values, by `METRIC_*`. The queue and the stalls are those of the
    /// JavaScript thread, whichever listener it listens with.
    pub fn values(&self, now: Instant) -> Values {
        let mut values = [0.0; METRIC_COUNT];
        for ThreadMetrics {
            metrics,
            waiting,
            region,
            before,
        } in &self.threads
        {
            metrics.add_to(&mut values);
            let started = region.control(REQUESTS_STARTED).load(Ordering::Relaxed);
            waiting.add_to(before, started, now, &mut values);
        }
        values
    }
}

/// The listeners of a handle that have not ended.
#[derive(Default)]
pub struct Listeners {
    table: Mutex<ListenerTable>,
}

#[derive(Default)]
struct ListenerTable {
    next: u32,
    listeners: HashMap<u32, Listener>,
}

struct Listener {
    metrics: Arc<ListenerMetrics>,
    certificates: Option<Arc<SharedCertificates>>,
    /// Threads that have not ended it.
    threads: usize,
}

impl Listeners {
    /// Adds one; returns its id.
    pub fn add(
        &self,
        metrics: Arc<ListenerMetrics>,
        certificates: Option<Arc<SharedCertificates>>,
    ) -> u32 {
        let mut table = lock(&self.table);
        let threads = metrics.threads.len();
        loop {
            let id = table.next;
            // Ids of ended listeners do not come back soon, since JavaScript
            // may not know yet that they have ended.
            table.next = (id + 1) & i32::MAX as u32;
            if let Entry::Vacant(place) = table.listeners.entry(id) {
                place.insert(Listener {
                    metrics,
                    certificates,
                    threads,
                });
                return id;
            }
        }
    }

    /// To be called once by each thread when a listener that was stopped has no
    /// connections there. True for the last of them, which sends STOPPED.
    pub fn ended(&self, listener: u32) -> bool {
        let mut table = lock(&self.table);
        let Some(entry) = table.listeners.get_mut(&listener) else {
            return false;
        };
        entry.threads = entry.threads.saturating_sub(1);
        let is_last = entry.threads == 0;
        if is_last {
            table.listeners.remove(&listener);
        }
        is_last
    }

    /// The metrics of a listener.
    pub fn metrics(&self, listener: u32) -> Option<Arc<ListenerMetrics>> {
        let table = lock(&self.table);
        table
            .listeners
            .get(&listener)
            .map(|entry| entry.metrics.clone())
    }

    /// The certificates of a listener; the inner None if it does not speak TLS.
    pub fn certificates(&self, listener: u32) -> Option<Option<Arc<SharedCertificates>>> {
        let table = lock(&self.table);
        table
            .listeners
            .get(&listener)
            .map(|entry| entry.certificates.clone())
    }
}
