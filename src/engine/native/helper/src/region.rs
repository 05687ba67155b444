//! The memory that one I/O thread shares with JavaScript.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

use crate::abi::{COMMANDS_BYTES, CONTROL_BYTES, EVENTS_BYTES, MAX_CONNECTIONS, REGION_BYTES};

const EVENTS_AT: usize = CONTROL_BYTES;
const COMMANDS_AT: usize = EVENTS_AT + EVENTS_BYTES;
const GENERATIONS_AT: usize = COMMANDS_AT + COMMANDS_BYTES;
const DELIVERED_AT: usize = GENERATIONS_AT + MAX_CONNECTIONS * 4;
const BLOCKED_AT: usize = DELIVERED_AT + MAX_CONNECTIONS * 4;

/// An anonymous mapping of [`REGION_BYTES`] zeroed bytes. The system provides
/// its pages when they are first touched.
pub struct Region {
    /// Owner: this value, which unmaps it when it is dropped.
    start: NonNull<u8>,
}

// SAFETY: the mapping belongs to no thread. Control words and those of
// connections are only reached as atomics; the rings are only given out as pointers, and their
// users keep to the protocol of `ring.rs`.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Maps a region.
    pub fn new() -> io::Result<Self> {
        // SAFETY: a new anonymous mapping at an address that the system
        // chooses touches nothing that exists.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                REGION_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start })
    }

    /// Where the region begins, for JavaScript.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// A control word: `EVENTS_HEAD`, `JS_SLEEPS`, ...
    ///
    /// # Panics
    /// If there is no such word.
    pub fn control(&self, word: usize) -> &AtomicU32 {
        assert!(word < CONTROL_BYTES / 4);
        self.word(word * 4)
    }

    /// The current generation of a connection.
    ///
    /// # Panics
    /// If `connection` is not less than `MAX_CONNECTIONS`.
    pub fn generation(&self, connection: u32) -> &AtomicU32 {
        self.word_of(connection, GENERATIONS_AT)
    }

    /// How many bytes sent to a WebSocket are done with.
    ///
    /// # Panics
    /// As `generation`.
    pub fn delivered(&self, connection: u32) -> &AtomicU32 {
        self.word_of(connection, DELIVERED_AT)
    }

    /// 1 while a WebSocket's client takes what it is sent slowly.
    ///
    /// # Panics
    /// As `generation`.
    pub fn blocked(&self, connection: u32) -> &AtomicU32 {
        self.word_of(connection, BLOCKED_AT)
    }

    fn word_of(&self, connection: u32, table: usize) -> &AtomicU32 {
        assert!((connection as usize) < MAX_CONNECTIONS);
        self.word(table + connection as usize * 4)
    }

    /// First byte of the events ring, `EVENTS_BYTES` long.
    pub(crate) fn events(&self) -> *mut u8 {
        // SAFETY: inside of the mapping.
        unsafe { self.start.as_ptr().add(EVENTS_AT) }
    }

    /// First byte of the commands ring, `COMMANDS_BYTES` long.
    pub(crate) fn commands(&self) -> *mut u8 {
        // SAFETY: inside of the mapping.
        unsafe { self.start.as_ptr().add(COMMANDS_AT) }
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        debug_assert!(offset.is_multiple_of(4) && offset + 4 <= REGION_BYTES);
        // SAFETY: inside of the mapping, aligned since the mapping begins at a
        // page, initialised by the system, and only ever used as an atomic. The
        // reference lives no longer than the region.
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: this value owns the mapping. JavaScript was told with
        // `jstime_close` to let go of it, or is gone.
        unsafe { libc::munmap(self.start.as_ptr().cast(), REGION_BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn words_are_apart_from_each_other() {
        let region = Region::new().unwrap();
        region
            .control(crate::abi::EVENTS_HEAD)
            .store(7, Ordering::Relaxed);
        let last = MAX_CONNECTIONS as u32 - 1;
        region.generation(0).store(8, Ordering::Relaxed);
        region.generation(last).store(9, Ordering::Relaxed);
        region.delivered(0).store(10, Ordering::Relaxed);
        region.delivered(last).store(11, Ordering::Relaxed);
        region.blocked(0).store(12, Ordering::Relaxed);
        region.blocked(last).store(13, Ordering::Relaxed);
        assert_eq!(
            region
                .control(crate::abi::EVENTS_TAIL)
                .load(Ordering::Relaxed),
            0
        );
        assert_eq!(
            region
                .control(crate::abi::EVENTS_HEAD)
                .load(Ordering::Relaxed),
            7
        );
        assert_eq!(region.generation(0).load(Ordering::Relaxed), 8);
        assert_eq!(region.generation(last).load(Ordering::Relaxed), 9);
        assert_eq!(region.delivered(0).load(Ordering::Relaxed), 10);
        assert_eq!(region.delivered(last).load(Ordering::Relaxed), 11);
        assert_eq!(region.blocked(0).load(Ordering::Relaxed), 12);
        assert_eq!(region.blocked(last).load(Ordering::Relaxed), 13);
    }

    #[test]
    #[should_panic(expected = "assertion")]
    fn generations_have_bounds() {
        Region::new().unwrap().generation(MAX_CONNECTIONS as u32);
    }
}
