//! Places that can be made to panic, for tests of what a panic may break. They
//! are nothing without the feature `fault-injection`.

/// Exported functions, in the order of `abi.rs`: 0 is `jstime_abi`.
pub const EXPORTS: u32 = 0;
/// First of the event loop's.
pub const IO: u32 = 64;
/// The number of points.
pub const POINTS: u32 = 256;

#[cfg(feature = "fault-injection")]
mod injected {
    use std::sync::atomic::{AtomicU32, Ordering};

    static COUNTS: [AtomicU32; super::POINTS as usize] =
        [const { AtomicU32::new(0) }; super::POINTS as usize];

    /// Panics if it was asked to.
    pub fn point(point: u32) {
        let count = &COUNTS[point as usize];
        let left = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            count.checked_sub(1)
        });
        assert!(left.is_err(), "injected fault {point}");
    }

    /// Makes the next `count` passes of a point panic; false without such a
    /// point.
    pub fn set(point: u32, count: u32) -> bool {
        let Some(counter) = COUNTS.get(point as usize) else {
            return false;
        };
        counter.store(count, Ordering::Relaxed);
        true
    }
}

#[cfg(feature = "fault-injection")]
pub use injected::{point, set};

/// Nothing.
#[cfg(not(feature = "fault-injection"))]
#[inline(always)]
pub fn point(_point: u32) {}
