//! Memory that the streams of a thread take turns to use.

use std::cell::RefCell;

/// Content that is encrypted at a time: what a stream may have to keep if the
/// client does not take it.
pub const WRITE_BYTES: usize = 64 * 1024;

/// Buffers; each is as large as it was needed so far.
#[derive(Default)]
pub struct Scratch {
    /// Records that were read; they are decrypted in place.
    pub input: Vec<u8>,
    /// Content that has to be gathered before it is encrypted.
    pub content: Vec<u8>,
    /// Records to be written.
    pub records: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Lends the buffers of this thread. It must not be called while they are lent.
pub fn with<Result>(use_it: impl FnOnce(&mut Scratch) -> Result) -> Result {
    SCRATCH.with_borrow_mut(use_it)
}

/// Makes a buffer at least so large, and returns so much of it.
pub fn room(buffer: &mut Vec<u8>, size: usize) -> &mut [u8] {
    if buffer.len() < size {
        buffer.resize(size, 0);
    }
    &mut buffer[..size]
}
