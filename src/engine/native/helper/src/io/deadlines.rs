//! Wakes connections at their deadlines, coarsely and cheaply.
//!
//! A wheel of buckets, one per tick. A connection stores its own deadline, and
//! moving it further away, as every request does, costs a store: when the
//! connection's entry comes up too early, it is entered again. Only a deadline
//! that comes closer needs a new entry; the old one is then recognised as stale
//! by its tick.

/// Milliseconds per tick: how late a deadline may be noticed.
pub const TICK: u64 = 100;
/// Deadlines beyond so many ticks are entered again when they come closer.
const BUCKETS: u64 = 512;
/// A bucket keeps the memory of so many entries.
const KEPT_ENTRIES: usize = 1024;

/// No tick: a connection without an entry.
pub const UNARMED: u64 = u64::MAX;
/// No deadline.
pub const NEVER: u64 = u64::MAX;

/// A connection to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its index.
    pub index: u32,
    /// Its serial number, as indices are used again.
    pub serial: u32,
    /// The tick it was entered for.
    pub tick: u64,
}

/// The wheel.
pub struct Deadlines {
    /// The first tick that was not looked at.
    next: u64,
    buckets: Vec<Vec<Entry>>,
    /// Buckets with entries, one bit each.
    occupied: [u64; (BUCKETS / 64) as usize],
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            next: 0,
            buckets: (0..BUCKETS).map(|_| Vec::new()).collect(),
            occupied: [0; (BUCKETS / 64) as usize],
        }
    }
}

/// The tick at whose end a deadline is over.
#[inline]
pub fn tick_of(deadline: u64) -> u64 {
    deadline / TICK + 1
}

impl Deadlines {
    /// Enters a connection for a deadline in milliseconds; returns the tick,
    /// which may be earlier than the deadline's.
    pub fn insert(&mut self, deadline: u64, index: u32, serial: u32) -> u64 {
        let tick = tick_of(deadline).clamp(self.next, self.next + BUCKETS - 1);
        let bucket = tick % BUCKETS;
        self.buckets[bucket as usize].push(Entry {
            index,
            serial,
            tick,
        });
        self.occupied[(bucket / 64) as usize] |= 1 << (bucket % 64);
        tick
    }

    /// When the next entry is due, in milliseconds.
    pub fn next_due(&self) -> Option<u64> {
        let first = self.next % BUCKETS;
        let words = self.occupied.len() as u64;
        for step in 0..=words {
            let word = (first / 64 + step) % words;
            let mut bits = self.occupied[word as usize];
            if step == 0 {
                bits &= u64::MAX << (first % 64);
            } else if step == words {
                bits &= !(u64::MAX << (first % 64));
            }
            if bits != 0 {
                let bucket = word * 64 + u64::from(bits.trailing_zeros());
                let ahead = (bucket + BUCKETS - first) % BUCKETS;
                return Some((self.next + ahead) * TICK);
            }
        }
        None
    }

    /// Moves the entries that are due at `now` to `due`.
    pub fn expire(&mut self, now: u64, due: &mut Vec<Entry>) {
        let current = now / TICK;
        while self.next <= current {
            // Whatever is entered meanwhile belongs to later ticks.
            let Some(tick) = self.next_due().map(|due| due / TICK) else {
                break;
            };
            if tick > current {
                break;
            }
            self.next = tick + 1;
            let bucket = tick % BUCKETS;
            self.occupied[(bucket / 64) as usize] &= !(1 << (bucket % 64));
            let entries = &mut self.buckets[bucket as usize];
            due.append(entries);
            entries.shrink_to(KEPT_ENTRIES);
        }
        self.next = self.next.max(current + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(deadlines: &mut Deadlines, now: u64) -> Vec<u32> {
        let mut entries = Vec::new();
        deadlines.expire(now, &mut entries);
        entries.into_iter().map(|entry| entry.index).collect()
    }

    #[test]
    fn entries_come_up_when_their_deadline_is_over_and_not_before() {
        let mut deadlines = Deadlines::default();
        deadlines.insert(1050, 1, 0);
        deadlines.insert(5000, 2, 0);
        assert_eq!(deadlines.next_due(), Some(1100));
        assert!(due(&mut deadlines, 1099).is_empty());
        assert_eq!(due(&mut deadlines, 1100), [1]);
        assert_eq!(deadlines.next_due(), Some(5100));
        assert_eq!(due(&mut deadlines, 60_000), [2]);
        assert_eq!(deadlines.next_due(), None);
    }

    #[test]
    fn far_deadlines_are_entered_at_the_horizon() {
        let mut deadlines = Deadlines::default();
        let tick = deadlines.insert(10_000_000, 1, 0);
        assert_eq!(tick, BUCKETS - 1);
        assert!(due(&mut deadlines, (tick - 1) * TICK).is_empty());
        assert_eq!(due(&mut deadlines, tick * TICK), [1]);
    }

    #[test]
    fn deadlines_in_the_past_come_up_with_the_next_tick() {
        let mut deadlines = Deadlines::default();
        assert!(due(&mut deadlines, 70_000).is_empty());
        deadlines.insert(10, 1, 0);
        assert_eq!(deadlines.next_due(), Some(70_100));
        assert_eq!(due(&mut deadlines, 70_100), [1]);
    }

    #[test]
    fn every_position_of_the_wheel_is_found() {
        let mut deadlines = Deadlines::default();
        let mut now = 0;
        for step in 0..3 * BUCKETS {
            let wait = step * 37 % (BUCKETS - 2) + 1;
            deadlines.insert(now + wait * TICK, step as u32, 0);
            let next = deadlines.next_due().unwrap();
            assert_eq!(next, now + (wait + 1) * TICK);
            assert!(due(&mut deadlines, next - 1).is_empty());
            assert_eq!(due(&mut deadlines, next), [step as u32]);
            now = next;
        }
    }
}
