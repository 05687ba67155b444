//! Buses: servers of one process, of whichever handle, that share their topics.
//!
//! A handle that becomes a member has a table of topics for each of its
//! threads. Only the thread changes it; publishers on other handles look whether
//! there are subscribers, and leave the message with the thread. They never wait
//! for it: a thread that has too much to do loses messages.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::abi::{SEND_COMPRESSED, SEND_TEXT};
use crate::io::Policy;
use crate::runtime::{IoShared, lock};
use crate::websocket::{Broadcast, Kind, Recipient, SharedFrame, Topics};

/// Bytes of messages that may wait for a thread.
const QUEUE_BYTES: usize = 64 << 20;
/// What a message that waits takes beside its bytes, roughly.
const MESSAGE_BYTES: usize = 256;

// ---------------------------------------------------------------------------
// Messages on their way
// ---------------------------------------------------------------------------

/// A message for the subscribers of a topic on one thread.
pub struct BusMessage {
    /// The topic.
    pub topic: Arc<[u8]>,
    /// Text or binary.
    pub kind: Kind,
    /// The message, not compressed.
    pub frame: SharedFrame,
    /// Compress it for clients that can.
    pub compress: bool,
    /// What is done for slow clients.
    pub policy: Policy,
    /// Where their subscriptions are.
    pub to: Vec<Arc<BusTopics>>,
}

impl BusMessage {
    fn bytes(&self) -> usize {
        self.frame.len() + self.topic.len() + MESSAGE_BYTES
    }
}

/// Messages that wait for a thread.
#[derive(Default)]
pub struct BusQueue {
    state: Mutex<QueueState>,
}

#[derive(Default)]
struct QueueState {
    messages: VecDeque<BusMessage>,
    /// Of those and of the ones that the thread has and is not done with.
    bytes: usize,
    closed: bool,
}

/// What became of a message for a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits, and the thread must be woken.
    First,
    /// It waits behind others.
    Behind,
    /// Too much waits: it is dropped.
    Full,
    /// The thread has ended, and its clients with it.
    Gone,
}

impl BusQueue {
    fn push(&self, message: BusMessage) -> Pushed {
        let mut state = lock(&self.state);
        let bytes = message.bytes();
        if state.closed {
            return Pushed::Gone;
        }
        if state.bytes > 0 && state.bytes + bytes > QUEUE_BYTES {
            return Pushed::Full;
        }
        state.bytes += bytes;
        state.messages.push_back(message);
        if state.messages.len() == 1 {
            Pushed::First
        } else {
            Pushed::Behind
        }
    }

    /// The next message, which counts as waiting until `done`.
    pub fn take(&self) -> Option<BusMessage> {
        lock(&self.state).messages.pop_front()
    }

    /// A message that was taken is where it belongs. Whether others wait.
    pub fn done(&self, message: &BusMessage) -> bool {
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_sub(message.bytes());
        !state.messages.is_empty()
    }

    /// Nobody takes messages any more.
    pub fn close(&self) {
        let messages = {
            let mut state = lock(&self.state);
            state.closed = true;
            state.bytes = 0;
            std::mem::take(&mut state.messages)
        };
        drop(messages);
    }
}

// ---------------------------------------------------------------------------
// Members
// ---------------------------------------------------------------------------

/// The subscriptions of a member on one thread.
pub struct BusTopics {
    thread: Arc<IoShared>,
    topics: Mutex<Topics>,
}

impl BusTopics {
    /// A connection of the thread is subscribed.
    pub fn subscribe(&self, connection: u32, topic: &[u8]) {
        lock(&self.topics).subscribe(connection, topic);
    }

    /// It is not any more.
    pub fn unsubscribe(&self, connection: u32, topic: &[u8]) {
        lock(&self.topics).unsubscribe(connection, topic);
    }

    /// It is subscribed to nothing any more.
    pub fn leave(&self, connection: u32) {
        lock(&self.topics).leave(connection);
    }

    /// How many are subscribed to a topic.
    pub fn count(&self, topic: &[u8]) -> usize {
        lock(&self.topics).count(topic)
    }

    /// How many topics have subscribers.
    pub fn len(&self) -> usize {
        lock(&self.topics).len()
    }

    /// Whether nobody is subscribed to anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the subscribers of a topic.
    pub fn recipients(&self, topic: &[u8], out: &mut Vec<Recipient>) {
        let topics = lock(&self.topics);
        if let Some(id) = topics.id(topic) {
            topics.recipients(id, out);
        }
    }
}

/// A handle that is a member of a bus.
struct Member {
    handle: u32,
    name: Arc<[u8]>,
    threads: Vec<Arc<BusTopics>>,
}

#[derive(Default)]
struct Buses {
    last: u32,
    members: HashMap<u32, Arc<Member>>,
    /// The members of each bus. None is without.
    buses: HashMap<Arc<[u8]>, Vec<u32>>,
}

static BUSES: RwLock<Option<Buses>> = RwLock::new(None);

fn read() -> RwLockReadGuard<'static, Option<Buses>> {
    BUSES.read().unwrap_or_else(PoisonError::into_inner)
}

fn write() -> RwLockWriteGuard<'static, Option<Buses>> {
    BUSES.write().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the threads of a handle members of a bus; the membership.
pub fn join(handle: u32, threads: &[Arc<IoShared>], name: &[u8]) -> u32 {
    let mut buses = write();
    let buses = buses.get_or_insert_default();
    let threads = threads.iter().map(|thread| {
        Arc::new(BusTopics {
            thread: thread.clone(),
            topics: Mutex::default(),
        })
    });
    let member = Member {
        handle,
        name: name.into(),
        threads: threads.collect(),
    };
    loop {
        buses.last = buses.last % i32::MAX as u32 + 1;
        let id = buses.last;
        if let Entry::Vacant(place) = buses.members.entry(id) {
            let of_bus = buses.buses.entry(member.name.clone()).or_default();
            of_bus.push(id);
            place.insert(Arc::new(member));
            return id;
        }
    }
}

impl Buses {
    fn remove(&mut self, membership: u32) -> bool {
        let Some(member) = self.members.remove(&membership) else {
            return false;
        };
        if let Entry::Occupied(mut bus) = self.buses.entry(member.name.clone()) {
            bus.get_mut().retain(|other| *other != membership);
            if bus.get().is_empty() {
                bus.remove();
            }
        }
        true
    }

    /// The tables of other handles on the same bus.
    fn others(&self, membership: u32) -> Option<impl Iterator<Item = &Arc<BusTopics>>> {
        let own = self.members.get(&membership)?;
        let others = self.buses.get(&own.name)?.iter();
        let others = others.filter_map(|id| self.members.get(id));
        let others = others.filter(|other| other.handle != own.handle);
        Some(others.flat_map(|other| &other.threads))
    }
}

/// Ends a membership; false without such a one.
pub fn leave(membership: u32) -> bool {
    write()
        .as_mut()
        .is_some_and(|buses| buses.remove(membership))
}

/// Ends the memberships of a handle.
pub fn forget(handle: u32) {
    let mut buses = write();
    let Some(buses) = buses.as_mut() else {
        return;
    };
    let own: Vec<u32> = buses
        .members
        .iter()
        .filter(|(_, member)| member.handle == handle)
        .map(|(id, _)| *id)
        .collect();
    for membership in own {
        buses.remove(membership);
    }
}

/// The subscriptions of a membership on one of its own threads.
pub fn topics_on(membership: u32, thread: &Arc<IoShared>) -> Option<Arc<BusTopics>> {
    let buses = read();
    let member = buses.as_ref()?.members.get(&membership)?;
    let mut threads = member.threads.iter();
    threads
        .find(|topics| Arc::ptr_eq(&topics.thread, thread))
        .cloned()
}

/// How many are subscribed to a topic on other handles; None without such a
/// membership.
pub fn count(membership: u32, topic: &[u8]) -> Option<usize> {
    let buses = read();
    let others = buses.as_ref()?.others(membership)?;
    Some(others.map(|topics| topics.count(topic)).sum())
}

/// How many buses there are, for tests.
pub fn len() -> usize {
    read().as_ref().map_or(0, |buses| buses.buses.len())
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// So many threads have it.
    pub threads: usize,
    /// So many have too much to do, and do not get it.
    pub dropped: usize,
}

/// Sends a message to the subscribers of a topic on other handles. `flags` are
/// `SEND_*`. None without such a membership.
pub fn publish(membership: u32, topic: &[u8], payload: &[u8], flags: u32) -> Option<Delivery> {
    let mut threads: Vec<(Arc<IoShared>, Vec<Arc<BusTopics>>)> = Vec::new();
    {
        let buses = read();
        for topics in buses.as_ref()?.others(membership)? {
            if topics.count(topic) == 0 {
                continue;
            }
            let known = threads
                .iter_mut()
                .find(|(thread, _)| Arc::ptr_eq(thread, &topics.thread));
            match known {
                Some((_, to)) => to.push(topics.clone()),
                None => threads.push((topics.thread.clone(), vec![topics.clone()])),
            }
        }
    }
    let mut delivery = Delivery {
        threads: 0,
        dropped: 0,
    };
    if threads.is_empty() {
        return Some(delivery);
    }
    let kind = if flags & SEND_TEXT != 0 {
        Kind::Text
    } else {
        Kind::Binary
    };
    let topic: Arc<[u8]> = topic.into();
    let policy = Policy::of(flags, || topic.clone());
    let frame = Broadcast::new(kind, payload, false).plain().clone();
    for (thread, to) in threads {
        let pushed = thread.bus.push(BusMessage {
            topic: topic.clone(),
            kind,
            frame: frame.clone(),
            compress: flags & SEND_COMPRESSED != 0,
            policy: policy.clone(),
            to,
        });
        match pushed {
            Pushed::Gone => {}
            Pushed::Full => delivery.dropped += 1,
            Pushed::First => {
                delivery.threads += 1;
                // It fails when nobody polls (any more).
                let _ = thread.waker.wake();
            }
            Pushed::Behind => delivery.threads += 1,
        }
    }
    Some(delivery)
}

#[cfg(test)]
mod tests;
