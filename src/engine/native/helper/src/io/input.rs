//! Bytes that were read and could not be used yet.

/// Bytes of a connection. Empty, it holds no memory.
#[derive(Default)]
pub struct Input {
    bytes: Vec<u8>,
    used: usize,
}

impl Input {
    /// What is there. What is used of it may be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used..]
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.used
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends bytes.
    pub fn extend(&mut self, bytes: &[u8]) {
        if self.used > 0 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The first bytes were used.
    pub fn advance(&mut self, count: usize) {
        self.used += count;
        if self.used >= self.bytes.len() {
            *self = Self::default();
        }
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
