//! Counters of listeners and threads. Each has one writing thread and any
//! number of readers, so that nobody waits and no bus is locked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::abi::*;

/// Values of all metrics, by `METRIC_*`.
pub type Values = [f64; METRIC_COUNT];

/// Adds to a counter that only the calling thread writes.
fn add(counter: &AtomicU64, count: u64) {
    // Not fetch_add, which would lock the cache line for other writers.
    let value = counter.load(Ordering::Relaxed).wrapping_add(count);
    counter.store(value, Ordering::Relaxed);
}

const STATUSES: usize = METRIC_COUNT - METRIC_STATUS;

/// What one I/O thread counts for one listener. Only that thread writes.
#[derive(Debug)]
pub struct Metrics {
    values: [AtomicU64; METRIC_STALLS],
    statuses: [AtomicU64; STATUSES],
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            values: [const { AtomicU64::new(0) }; METRIC_STALLS],
            statuses: [const { AtomicU64::new(0) }; STATUSES],
        }
    }
}

impl Metrics {
    /// Adds to a counter: one of `METRIC_*` before `METRIC_QUEUE`, or
    /// `METRIC_BYTES_*`, `METRIC_TIMEOUTS`. The queue and the stalls are counted
    /// by `Waiting`, the statuses by `count_status`.
    #[inline]
    pub fn add(&self, metric: usize, count: u64) {
        add(&self.values[metric], count);
    }

    /// Takes from a gauge: `METRIC_CONNECTIONS`, `METRIC_PENDING`.
    #[inline]
    pub fn subtract(&self, metric: usize, count: u64) {
        add(&self.values[metric], count.wrapping_neg());
    }

    /// The value of a counter.
    #[inline]
    pub fn get(&self, metric: usize) -> u64 {
        self.values[metric].load(Ordering::Relaxed)
    }

    /// Counts a response.
    #[inline]
    pub fn count_status(&self, status: u16) {
        if let Some(index) = usize::from(status).checked_sub(100)
            && let Some(counter) = self.statuses.get(index)
        {
            add(counter, 1);
        }
    }

    /// Adds what was counted to `values`.
    pub fn add_to(&self, values: &mut Values) {
        for (value, counter) in values.iter_mut().zip(&self.values) {
            *value += counter.load(Ordering::Relaxed) as f64;
        }
        for (value, counter) in values[METRIC_STATUS..].iter_mut().zip(&self.statuses) {
            *value += counter.load(Ordering::Relaxed) as f64;
        }
    }
}

const BUCKETS: usize = STALL_BOUNDS.len() + 1;

/// What waits, or has waited, for one JavaScript thread. Only its I/O thread
/// writes.
#[derive(Debug)]
pub struct Waiting {
    start: Instant,
    /// REQUEST events published, modulo 2^32 as `REQUESTS_STARTED` is.
    requests_sent: AtomicU64,
    /// Microseconds from `start` to the beginning of the stall, plus 1; 0
    /// without one.
    stalled_since: AtomicU64,
    stall_sum_microseconds: AtomicU64,
    stalls: [AtomicU64; BUCKETS],
}

/// Stalls that had ended at some moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct EndedStalls {
    sum_microseconds: u64,
    counts: [u64; BUCKETS],
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            requests_sent: AtomicU64::new(0),
            stalled_since: AtomicU64::new(0),
            stall_sum_microseconds: AtomicU64::new(0),
            stalls: [const { AtomicU64::new(0) }; BUCKETS],
        }
    }
}

impl Waiting {
    /// REQUEST events were published.
    #[inline]
    pub fn requests_sent(&self, count: u32) {
        add(&self.requests_sent, count.into());
    }

    /// Requests that were sent and that JavaScript has not begun to handle,
    /// given the word `REQUESTS_STARTED`.
    #[inline]
    pub fn queue(&self, requests_started: u32) -> u32 {
        let sent = self.requests_sent.load(Ordering::Relaxed) as u32;
        let queue = sent.wrapping_sub(requests_started);
        // A reader on another thread may have seen the start of a request
        // before it saw that it was sent.
        if queue > u32::MAX / 2 { 0 } else { queue }
    }

    /// Something waits for JavaScript since `now`. Only the first counts until
    /// `stall_ended`.
    #[inline]
    pub fn stall_began(&self, now: Instant) {
        if self.stalled_since.load(Ordering::Relaxed) == 0 {
            let since = self.microseconds(now) + 1;
            self.stalled_since.store(since, Ordering::Relaxed);
        }
    }

    /// JavaScript has looked at its events.
    #[inline]
    pub fn stall_ended(&self, now: Instant) {
        let since = self.stalled_since.load(Ordering::Relaxed);
        if since == 0 {
            return;
        }
        let microseconds = (self.microseconds(now) + 1).saturating_sub(since);
        let bucket = STALL_BOUNDS
            .iter()
            .position(|&bound| microseconds <= u64::from(bound) * 1000)
            .unwrap_or(STALL_BOUNDS.len());
        add(&self.stalls[bucket], 1);
        add(&self.stall_sum_microseconds, microseconds);
        self.stalled_since.store(0, Ordering::Relaxed);
    }

    /// Milliseconds that something has waited for JavaScript; 0 if nothing does.
    pub fn stall_milliseconds(&self, now: Instant) -> f64 {
        match self.stalled_since.load(Ordering::Relaxed) {
            0 => 0.0,
            since => (self.microseconds(now) + 1).saturating_sub(since) as f64 / 1000.0,
        }
    }

    /// The stalls that have ended.
    pub fn ended_stalls(&self) -> EndedStalls {
        EndedStalls {
            sum_microseconds: self.stall_sum_microseconds.load(Ordering::Relaxed),
            counts: std::array::from_fn(|index| self.stalls[index].load(Ordering::Relaxed)),
        }
    }

    /// Adds what was counted since `before` to `values`. Of several threads the
    /// longest present stall is kept.
    pub fn add_to(
        &self,
        before: &EndedStalls,
        requests_started: u32,
        now: Instant,
        values: &mut Values,
    ) {
        values[METRIC_QUEUE] += f64::from(self.queue(requests_started));
        let stall = self.stall_milliseconds(now);
        values[METRIC_STALL_NOW] = values[METRIC_STALL_NOW].max(stall);
        let ended = self.ended_stalls();
        let sum = ended
            .sum_microseconds
            .saturating_sub(before.sum_microseconds);
        values[METRIC_STALL_SUM] += sum as f64 / 1000.0;
        for (index, count) in ended.counts.iter().enumerate() {
            let count = count.saturating_sub(before.counts[index]);
            values[METRIC_STALLS + index] += count as f64;
        }
    }

    fn microseconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_micros() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn counters_and_gauges_are_summed() {
        let (one, two) = (Metrics::default(), Metrics::default());
        one.add(METRIC_REQUESTS, 3);
        two.add(METRIC_REQUESTS, 4);
        one.add(METRIC_CONNECTIONS, 5);
        one.subtract(METRIC_CONNECTIONS, 2);
        for status in [0, 99, 100, 200, 200, 599, 600, u16::MAX] {
            two.count_status(status);
        }
        let mut values = [0.0; METRIC_COUNT];
        one.add_to(&mut values);
        two.add_to(&mut values);
        assert_eq!(values[METRIC_REQUESTS], 7.0);
        assert_eq!(values[METRIC_CONNECTIONS], 3.0);
        assert_eq!(one.get(METRIC_CONNECTIONS), 3);
        assert_eq!(values[METRIC_STATUS], 1.0);
        assert_eq!(values[METRIC_STATUS + 100], 2.0);
        assert_eq!(values[METRIC_STATUS + 499], 1.0);
        assert_eq!(values.iter().sum::<f64>(), 14.0);
    }

    #[test]
    fn stalls_go_where_they_belong() {
        let waiting = Waiting::default();
        let start = Instant::now();
        let after = |microseconds| start + Duration::from_micros(microseconds);
        waiting.stall_ended(start); // None has begun.
        let before = waiting.ended_stalls();
        for microseconds in [0, 1_000, 1_001, 5_000_000, 5_000_001] {
            waiting.stall_began(start);
            waiting.stall_began(after(microseconds)); // It is the same.
            assert_eq!(
                waiting.stall_milliseconds(after(microseconds)),
                microseconds as f64 / 1000.0
            );
            waiting.stall_ended(after(microseconds));
        }
        assert_eq!(waiting.stall_milliseconds(after(9_000_000)), 0.0);
        waiting.stall_began(start);
        let mut values = [0.0; METRIC_COUNT];
        waiting.add_to(&before, 0, after(2_500), &mut values);
        assert_eq!(values[METRIC_STALL_NOW], 2.5);
        assert_eq!(values[METRIC_STALL_SUM], 10_002.002);
        let mut expected = [0.0; BUCKETS];
        expected[0] = 2.0; // Up to 1 ms.
        expected[1] = 1.0;
        expected[STALL_BOUNDS.len() - 1] = 1.0;
        expected[STALL_BOUNDS.len()] = 1.0;
        assert_eq!(values[METRIC_STALLS..METRIC_STATUS], expected);

        // A later listener does not see them.
        let mut values = [0.0; METRIC_COUNT];
        waiting.add_to(&waiting.ended_stalls(), 0, after(2_500), &mut values);
        assert_eq!(values[METRIC_STALL_SUM], 0.0);
    }

    #[test]
    fn the_queue_is_what_was_sent_and_not_begun() {
        let waiting = Waiting::default();
        assert_eq!(waiting.queue(0), 0);
        waiting.requests_sent(5);
        assert_eq!(waiting.queue(2), 3);
        assert_eq!(waiting.queue(6), 0);
        waiting.requests_sent(u32::MAX);
        assert_eq!(waiting.queue(2), 2);
    }
}
