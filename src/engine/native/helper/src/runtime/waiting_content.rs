//! Request content between an I/O thread and JavaScript.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Buffers of content that are larger than this are not kept where it was.
const LARGE_CONTENT: usize = crate::abi::CONTENT_WINDOW * 2;

/// Request content by connection and generation.
pub type Contents = HashMap<(u32, u32), Arc<Mutex<WaitingContent>>>;

/// Request content that has arrived and that JavaScript has not taken.
#[derive(Debug, Default)]
pub struct WaitingContent {
    /// The content; the I/O thread appends.
    pub bytes: Vec<u8>,
    /// How many of them JavaScript has taken.
    pub taken: usize,
    /// The thread wants `Mail::Taken` once when JavaScript takes some.
    pub wake_when_taken: bool,
}

impl WaitingContent {
    /// Bytes that were not taken.
    pub fn waiting(&self) -> usize {
        self.bytes.len().saturating_sub(self.taken)
    }

    /// Whether all was taken.
    pub fn is_empty(&self) -> bool {
        self.waiting() == 0
    }

    /// Takes as much as fits; how many bytes.
    pub fn copy_to(&mut self, out: &mut [u8]) -> usize {
        let count = self.waiting().min(out.len());
        out[..count].copy_from_slice(&self.bytes[self.taken..self.taken + count]);
        self.taken += count;
        if self.is_empty() {
            self.taken = 0;
            self.bytes.clear();
        }
        count
    }

    /// A large buffer that is empty now.
    pub fn take_large(&mut self) -> Option<Vec<u8>> {
        let is_large = self.bytes.is_empty() && self.bytes.capacity() > LARGE_CONTENT;
        is_large.then(|| std::mem::take(&mut self.bytes))
    }
}
