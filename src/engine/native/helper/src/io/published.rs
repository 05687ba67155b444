//! Published messages in an output that may be taken back, since their clients
//! are too slow for them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::abi::{SEND_DISCONNECT, SEND_DROP_OLDEST, SEND_LATEST};
use crate::websocket::SharedFrame;

/// Entries of messages that are gone are cleared away from so many on.
const MANY: usize = 32;

/// What is done for a client that is too slow for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It does not get it.
    DropNewest,
    /// It does not get the oldest ones with this policy.
    DropOldest,
    /// It gets the last one of the topic.
    Latest(Arc<[u8]>),
    /// It is cut.
    Disconnect,
}

impl Policy {
    /// By the flags of a command.
    pub fn of(flags: u32, topic: impl FnOnce() -> Arc<[u8]>) -> Self {
        if flags & SEND_LATEST != 0 {
            Self::Latest(topic())
        } else if flags & SEND_DROP_OLDEST != 0 {
            Self::DropOldest
        } else if flags & SEND_DISCONNECT != 0 {
            Self::Disconnect
        } else {
            Self::DropNewest
        }
    }

    /// Whether messages with it may be taken back once they wait.
    pub fn takes_back(&self) -> bool {
        matches!(self, Self::DropOldest | Self::Latest(_))
    }
}

/// A published message on its way to one client.
pub struct Message {
    frame: SharedFrame,
    written: usize,
    /// Its payload, as far as that is not written.
    pub credit: usize,
    /// JavaScript here has not sent it, and does not count it.
    pub is_foreign: bool,
    policy: Policy,
}

impl Message {
    /// A frame from an offset on, and how much payload it stands for.
    pub fn new(
        frame: SharedFrame,
        written: usize,
        credit: usize,
        is_foreign: bool,
        policy: &Policy,
    ) -> Self {
        Self {
            frame,
            written,
            credit,
            is_foreign,
            policy: policy.clone(),
        }
    }

    /// What is not written.
    pub fn rest(&self) -> &[u8] {
        &self.frame[self.written..]
    }

    /// So many bytes were written; whether these were the last.
    pub fn advance(&mut self, count: usize) -> bool {
        self.written += count;
        self.written == self.frame.len()
    }

    /// Whether something of it is written.
    pub fn is_begun(&self) -> bool {
        self.written > 0
    }

    /// Whether it may ever be taken back.
    pub fn may_be_taken(&self) -> bool {
        !self.is_begun() && self.policy.takes_back()
    }
}

/// Payload that was taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// What JavaScript counts.
    pub own: usize,
    /// What came from a bus.
    pub foreign: usize,
}

impl Freed {
    /// All of it.
    pub fn sum(self) -> usize {
        self.own + self.foreign
    }

    pub(super) fn add(&mut self, message: &Message) {
        if message.is_foreign {
            self.foreign += message.credit;
        } else {
            self.own += message.credit;
        }
    }
}

/// Numbers of the pieces that may be taken back. Those that are written or were
/// taken back may still be among them.
#[derive(Debug, Default)]
pub struct Published {
    oldest: VecDeque<u64>,
    latest: HashMap<Arc<[u8]>, VecDeque<u64>>,
    /// How many numbers there are in `latest`.
    count: usize,
    /// The client was too slow once, and has not caught up since: of each topic
    /// only the last message waits.
    pub is_behind: bool,
}

impl Published {
    /// There is a message with a number; the first of all pieces has `first`.
    pub fn add(&mut self, message: &Message, number: u64, first: u64) {
        match &message.policy {
            Policy::DropOldest => {
                forget(&mut self.oldest, first);
                self.oldest.push_back(number);
            }
            Policy::Latest(topic) => {
                let numbers = self.latest.entry(topic.clone()).or_default();
                self.count -= forget(numbers, first);
                numbers.push_back(number);
                self.count += 1;
                let pieces = (number - first) as usize;
                if self.count > MANY + 2 * pieces {
                    self.forget(first);
                }
            }
            Policy::DropNewest | Policy::Disconnect => {}
        }
    }

    /// Removes and returns the number of the oldest that is to be taken back
    /// when there are too many.
    pub fn take_oldest(&mut self) -> Option<u64> {
        self.oldest.pop_front()
    }

    /// Removes and returns the numbers of a topic.
    pub fn take_topic(&mut self, topic: &[u8]) -> VecDeque<u64> {
        let numbers = self.latest.remove(topic).unwrap_or_default();
        self.count -= numbers.len();
        numbers
    }

    /// How many topics have entries, for tests.
    #[cfg(test)]
    pub fn topics(&self) -> usize {
        self.latest.len()
    }

    /// Forgets what is before a number.
    fn forget(&mut self, first: u64) {
        self.latest.retain(|_, numbers| {
            forget(numbers, first);
            !numbers.is_empty()
        });
        self.count = self.latest.values().map(VecDeque::len).sum();
    }
}

/// Removes numbers before `first`; how many there were.
fn forget(numbers: &mut VecDeque<u64>, first: u64) -> usize {
    let before = numbers.len();
    while numbers.front().is_some_and(|number| *number < first) {
        numbers.pop_front();
    }
    before - numbers.len()
}
