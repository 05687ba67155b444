//! WebSocket messages that are too long for the ring, until JavaScript takes
//! them.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::abi::CONTENT_WINDOW;

/// A connection and the generation of its socket.
pub type Key = (u32, u32);

/// The messages of all sockets of a thread. They outlive their socket, since
/// JavaScript may not have read yet that they are there.
#[derive(Default)]
pub struct WaitingMessages {
    sockets: Mutex<HashMap<Key, Waiting>>,
}

/// The messages of one socket, the oldest first.
#[derive(Default)]
struct Waiting {
    messages: VecDeque<Vec<u8>>,
    bytes: usize,
    /// The I/O thread wants to know when there is room again.
    wake_when_taken: bool,
}

/// What `take` has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many bytes.
    pub count: usize,
    /// The I/O thread is to be told that there is room again.
    pub wake: bool,
}

impl WaitingMessages {
    /// Appends a message. Whether this is so much now that the socket should
    /// not be read from until some was taken.
    pub fn push(&self, socket: Key, message: Vec<u8>) -> bool {
        let mut sockets = self.lock();
        let waiting = sockets.entry(socket).or_default();
        waiting.bytes += message.len();
        waiting.messages.push_back(message);
        waiting.wake_when_taken = waiting.bytes >= CONTENT_WINDOW;
        waiting.wake_when_taken
    }

    /// Takes the oldest message; None if there is none. What `out` has no room
    /// for is lost.
    pub fn take(&self, socket: Key, out: &mut [u8]) -> Option<Taken> {
        let (message, wake) = self.take_first(socket)?;
        let count = message.len().min(out.len());
        out[..count].copy_from_slice(&message[..count]);
        Some(Taken { count, wake })
    }

    /// Drops the messages of a socket: nobody will take them.
    pub fn forget(&self, socket: Key) {
        self.lock().remove(&socket);
    }

    /// Drops everything.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn take_first(&self, socket: Key) -> Option<(Vec<u8>, bool)> {
        let mut sockets = self.lock();
        let Entry::Occupied(mut entry) = sockets.entry(socket) else {
            return None;
        };
        let waiting = entry.get_mut();
        let message = waiting.messages.pop_front()?;
        waiting.bytes -= message.len();
        let wake = waiting.wake_when_taken && waiting.bytes < CONTENT_WINDOW;
        waiting.wake_when_taken &= !wake;
        if waiting.messages.is_empty() {
            entry.remove();
        }
        Some((message, wake))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Waiting>> {
        // Whatever panics meanwhile leaves whole messages.
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(messages: &WaitingMessages, socket: Key, most: usize) -> Option<(Vec<u8>, bool)> {
        let mut out = vec![0; most];
        let Taken { count, wake } = messages.take(socket, &mut out)?;
        out.truncate(count);
        Some((out, wake))
    }

    #[test]
    fn messages_are_taken_whole_and_in_order() {
        let messages = WaitingMessages::default();
        assert!(!messages.push((1, 2), b"one".to_vec()));
        assert!(!messages.push((1, 3), b"other".to_vec()));
        assert!(!messages.push((1, 2), b"two".to_vec()));
        assert_eq!(take(&messages, (1, 2), 10), Some((b"one".to_vec(), false)));
        assert_eq!(take(&messages, (1, 2), 2), Some((b"tw".to_vec(), false)));
        assert_eq!(take(&messages, (1, 2), 10), None);
        assert_eq!(take(&messages, (1, 3), 5), Some((b"other".to_vec(), false)));
        assert!(messages.lock().is_empty());
    }

    #[test]
    fn whoever_was_held_back_is_told_once() {
        let messages = WaitingMessages::default();
        let half = vec![0; CONTENT_WINDOW / 2];
        assert!(!messages.push((1, 1), half.clone()));
        assert!(messages.push((1, 1), half.clone()));
        assert!(messages.push((1, 1), half.clone()));
        assert_eq!(take(&messages, (1, 1), 0), Some((Vec::new(), false)));
        assert_eq!(take(&messages, (1, 1), 0), Some((Vec::new(), true)));
        assert_eq!(take(&messages, (1, 1), 0), Some((Vec::new(), false)));
    }

    #[test]
    fn what_nobody_takes_is_forgotten() {
        let messages = WaitingMessages::default();
        messages.push((1, 1), b"x".to_vec());
        messages.forget((1, 1));
        assert_eq!(take(&messages, (1, 1), 1), None);
        messages.push((1, 1), b"x".to_vec());
        messages.clear();
        assert_eq!(take(&messages, (1, 1), 1), None);
    }
}
