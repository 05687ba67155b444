//! Buffers of large request contents, kept for their memory: the system takes
//! longer to hand out fresh pages than it takes to fill them.

use std::sync::Mutex;

use crate::runtime::lock;

/// What all spares together may have.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Empty buffers that nobody uses.
#[derive(Debug, Default)]
pub struct SpareContents(Mutex<Vec<Vec<u8>>>);

impl SpareContents {
    /// A buffer with room for so many bytes, if there is one.
    pub fn find(&self, size: usize) -> Option<Vec<u8>> {
        let mut spares = lock(&self.0);
        let index = spares.iter().position(|spare| spare.capacity() >= size)?;
        Some(spares.swap_remove(index))
    }

    /// A buffer with room for so many bytes.
    pub fn take(&self, size: usize) -> Vec<u8> {
        self.find(size).unwrap_or_else(|| Vec::with_capacity(size))
    }

    /// Keeps a buffer, if there is room for it.
    pub fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut spares = lock(&self.0);
        let kept: usize = spares.iter().map(Vec::capacity).sum();
        if kept + buffer.capacity() <= MOST_BYTES {
            spares.push(buffer);
        } else {
            // Freeing it takes a while.
            drop(spares);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_if_it_is_large_enough() {
        let spares = SpareContents::default();
        let mut buffer = spares.take(1000);
        buffer.extend_from_slice(b"secret");
        let start = buffer.as_ptr();
        spares.give(buffer);
        let larger = spares.take(1001);
        assert_ne!(larger.as_ptr(), start);
        let buffer = spares.take(1000);
        assert_eq!(buffer.as_ptr(), start);
        assert!(buffer.is_empty());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let spares = SpareContents::default();
        for _ in 0..20 {
            spares.give(Vec::with_capacity(MOST_BYTES / 4));
        }
        assert_eq!(lock(&spares.0).len(), 4);
    }
}
