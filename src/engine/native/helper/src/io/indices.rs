//! Numbers of connections, and of the streams of HTTP/2 connections, which
//! JavaScript does not tell apart.

use super::context::Ticket;
use crate::abi::MAX_CONNECTIONS;

/// Indices that are enough for most; so many are kept for ever.
const KEPT: u32 = 1024;

/// Which indices are in use. One that becomes free is not used again before the
/// end of the turn: what the system has told about it in this turn is not taken
/// for news of another connection.
#[derive(Default)]
pub struct Indices {
    next: u32,
    free: Vec<u32>,
    freed: Vec<u32>,
    taken: usize,
    /// The connection and the number of each stream, by index.
    streams: Vec<Option<(Ticket, u32)>>,
}

impl Indices {
    /// An index that is free; None if there are as many as there may be.
    pub fn take(&mut self) -> Option<u32> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.next as usize >= MAX_CONNECTIONS => return None,
            None => {
                self.next += 1;
                self.next - 1
            }
        };
        self.taken += 1;
        Some(index)
    }

    /// Gives an index back that was not used.
    pub fn give_back(&mut self, index: u32) {
        self.taken -= 1;
        self.free.push(index);
    }

    /// Whatever had an index is gone.
    pub fn release(&mut self, index: u32) {
        self.taken -= 1;
        if let Some(stream) = self.streams.get_mut(index as usize) {
            *stream = None;
        }
        self.freed.push(index);
    }

    /// To be called at the end of each turn; whether all were forgotten.
    pub fn end_turn(&mut self) -> bool {
        self.free.append(&mut self.freed);
        let is_over = self.taken == 0 && self.next > KEPT;
        if is_over {
            *self = Self::default();
        }
        is_over
    }

    /// How many are in use, for tests.
    #[cfg(any(test, fuzzing))]
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// An index that was taken is that of a stream.
    pub fn set_stream(&mut self, index: u32, connection: Ticket, id: u32) {
        let index = index as usize;
        if self.streams.len() <= index {
            self.streams.resize(index + 1, None);
        }
        self.streams[index] = Some((connection, id));
    }

    /// The connection and the number of a stream.
    pub fn stream(&self, index: u32) -> Option<(Ticket, u32)> {
        self.streams.get(index as usize).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_used_again_in_the_next_turn() {
        let mut indices = Indices::default();
        assert_eq!(indices.take(), Some(0));
        assert_eq!(indices.take(), Some(1));
        indices.release(0);
        assert_eq!(indices.take(), Some(2));
        assert!(!indices.end_turn());
        assert_eq!(indices.take(), Some(0));
        indices.give_back(0);
        assert_eq!(indices.take(), Some(0));
    }

    #[test]
    fn there_are_no_more_than_the_memory_has_room_for() {
        let mut indices = Indices::default();
        let taken = std::iter::from_fn(|| indices.take()).count();
        assert_eq!(taken, MAX_CONNECTIONS);
        for index in 0..MAX_CONNECTIONS as u32 {
            indices.release(index);
        }
        assert_eq!(indices.take(), None);
        assert!(indices.end_turn());
        assert_eq!(indices.take(), Some(0));
    }

    #[test]
    fn streams_are_known_until_they_are_gone() {
        let mut indices = Indices::default();
        let index = indices.take().unwrap();
        let ticket = Ticket {
            index: 7,
            serial: 8,
        };
        indices.set_stream(index, ticket, 3);
        assert_eq!(indices.stream(index), Some((ticket, 3)));
        indices.release(index);
        assert_eq!(indices.stream(index), None);
    }
}
