//! Records that the socket did not take at once.

use std::io::{self, ErrorKind};

use super::stream::Transport;

/// Records, and how much content is in them.
///
/// Content counts as written in proportion to the records that were: a client
/// that takes little at a time makes progress, and the last byte counts when the
/// last record is gone.
#[derive(Debug, Default)]
pub struct Outgoing {
    records: Vec<u8>,
    sent: usize,
    /// Bytes of records that went out before the first that is kept here.
    before: usize,
    content: usize,
    told: usize,
}

impl Outgoing {
    /// Whether nothing is kept, and everything was counted.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether all records are gone.
    pub fn is_sent(&self) -> bool {
        self.sent == self.records.len()
    }

    /// Appends records without content.
    pub fn extend(&mut self, records: &[u8]) {
        self.records.extend_from_slice(records);
    }

    /// As `extend`, with records that the caller writes to what is returned.
    pub fn grow(&mut self, size: usize) -> &mut [u8] {
        let end = self.records.len();
        self.records.resize(end + size, 0);
        &mut self.records[end..]
    }

    /// Keeps what is left of `records`, of which the first `sent` bytes are
    /// gone, and which are `content` bytes of content. Nothing else is kept yet.
    pub fn keep(&mut self, records: &[u8], sent: usize, content: usize) {
        debug_assert!(self.is_empty());
        *self = Self {
            records: records[sent..].to_vec(),
            sent: 0,
            before: sent,
            content,
            told: 0,
        };
    }

    /// Sends as much as possible; how many bytes.
    ///
    /// # Errors
    /// What the transport says, but never `WouldBlock`.
    pub fn send(&mut self, transport: &impl Transport, more: bool) -> io::Result<u64> {
        let before = self.sent;
        while self.sent < self.records.len() {
            match transport.write(&self.records[self.sent..], more) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let count = self.sent - before;
        if self.is_sent() && self.told == self.content {
            *self = Self::default();
        }
        Ok(count as u64)
    }

    /// How much content counts as written since the last time; drops the records
    /// if all are sent.
    pub fn take_written(&mut self) -> usize {
        if self.is_sent() {
            let left = self.content - self.told;
            *self = Self::default();
            return left;
        }
        let total = self.before + self.records.len();
        let share = self.content as u64 * (self.before + self.sent) as u64 / total as u64;
        let count = (share as usize).saturating_sub(self.told);
        self.told += count;
        count
    }
}
