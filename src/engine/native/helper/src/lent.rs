//! What is on its way from JavaScript to a thread besides the ring, by token:
//! most of it the content of responses.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::abi::CONTENT_PRESENT;
use crate::ring::Command;

/// What JavaScript has lent to the threads of a handle.
pub struct Lent<Content = Vec<u8>> {
    table: Mutex<Table<Content>>,
}

struct Table<Content> {
    last: u32,
    contents: HashMap<u32, Content>,
}

impl<Content> Default for Lent<Content> {
    fn default() -> Self {
        let contents = HashMap::new();
        Self {
            table: Mutex::new(Table { last: 0, contents }),
        }
    }
}

impl<Content> Lent<Content> {
    /// Keeps content until its token is spent. The token is never 0.
    pub fn lend(&self, content: Content) -> u32 {
        let mut table = self.lock();
        loop {
            // Also as a result of which less than 0 is a failure, and never
            // CONTENT_PRESENT.
            table.last = table.last.wrapping_add(1) & i32::MAX as u32;
            let token = table.last;
            // After 2^31 tokens the first ones may still be in use.
            if token == 0 {
                continue;
            }
            if let Entry::Vacant(place) = table.contents.entry(token) {
                place.insert(content);
                return token;
            }
        }
    }

    /// Spends a token; None if there is no such (any more).
    pub fn take(&self, token: u32) -> Option<Content> {
        self.lock().contents.remove(&token)
    }

    fn lock(&self) -> MutexGuard<'_, Table<Content>> {
        // A panic leaves the table as it was before or after.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent {
    /// The content that word `index` of a command stands for: what was lent, or
    /// is present. None if there is no such (any more).
    pub fn content_of<'a>(&self, command: &Command<'a>, index: usize) -> Option<Cow<'a, [u8]>> {
        match command.word(index) {
            CONTENT_PRESENT => command.present.map(Cow::Borrowed),
            token => self.take(token).map(Cow::Owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_spent_once() {
        let lent = Lent::<Vec<u8>>::default();
        let one = lent.lend(b"one".to_vec());
        let two = lent.lend(b"two".to_vec());
        assert_ne!(one, two);
        assert_eq!(lent.take(one).unwrap(), b"one");
        assert!(lent.take(one).is_none());
        assert_eq!(lent.take(two).unwrap(), b"two");
        assert!(lent.take(0).is_none());
    }

    #[test]
    fn tokens_skip_those_that_mean_something_else_and_those_in_use() {
        let lent = Lent::<Vec<u8>>::default();
        let kept = lent.lend(Vec::new());
        lent.lock().last = CONTENT_PRESENT - 1;
        let token = lent.lend(Vec::new());
        assert!(token != 0 && token != CONTENT_PRESENT && token != kept);
    }
}
