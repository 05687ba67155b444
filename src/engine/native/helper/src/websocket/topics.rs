//! Who is subscribed to what.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::Arc;

/// A connection.
pub type Member = u32;

/// A topic. Its number is never used again once its last subscriber is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TopicId(u64);

/// One subscription, as it was when a message was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The subscriber.
    pub member: Member,
    topic: TopicId,
    place: u32,
    serial: u64,
}

/// The topics of one server, or of all that share a bus. Both directions are
/// kept, so that publishing costs one step per subscriber, and leaving one
/// step per own topic.
///
/// Topics come from clients: nothing of them is left when the last subscriber
/// is gone.
#[derive(Debug, Default)]
pub struct Topics {
    ids: HashMap<Arc<[u8]>, TopicId>,
    topics: HashMap<TopicId, Topic>,
    /// The topics of each member, and its place among their subscribers.
    members: HashMap<Member, HashMap<TopicId, u32>>,
    /// The last number of a topic, and of a subscription.
    serial: u64,
}

#[derive(Debug)]
struct Topic {
    name: Arc<[u8]>,
    subscribers: Vec<Subscriber>,
}

#[derive(Clone, Copy, Debug)]
struct Subscriber {
    member: Member,
    /// Tells this subscription from a later one of the same member.
    serial: u64,
}

impl Topics {
    /// Nobody, and nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Subscribes; false if it is so already.
    pub fn subscribe(&mut self, member: Member, name: &[u8]) -> bool {
        let id = self.id_for(name);
        let Some(topic) = self.topics.get_mut(&id) else {
            return false;
        };
        let own = self.members.entry(member).or_default();
        let Entry::Vacant(entry) = own.entry(id) else {
            return false;
        };
        entry.insert(topic.subscribers.len() as u32);
        self.serial += 1;
        let serial = self.serial;
        topic.subscribers.push(Subscriber { member, serial });
        true
    }

    /// Ends a subscription; false if there was none.
    pub fn unsubscribe(&mut self, member: Member, name: &[u8]) -> bool {
        let Some(id) = self.id(name) else {
            return false;
        };
        let Some(own) = self.members.get_mut(&member) else {
            return false;
        };
        let Some(place) = own.remove(&id) else {
            return false;
        };
        if own.is_empty() {
            self.members.remove(&member);
            shrink(&mut self.members);
        }
        self.remove_subscriber(id, place);
        true
    }

    /// Ends all subscriptions of a member.
    pub fn leave(&mut self, member: Member) {
        for (id, place) in self.members.remove(&member).unwrap_or_default() {
            self.remove_subscriber(id, place);
        }
        shrink(&mut self.members);
    }

    /// Whether a member is subscribed to a topic.
    pub fn is_subscribed(&self, member: Member, name: &[u8]) -> bool {
        self.id(name).is_some_and(|id| {
            self.members
                .get(&member)
                .is_some_and(|own| own.contains_key(&id))
        })
    }

    /// The topic of this name; None if it has no subscribers.
    pub fn id(&self, name: &[u8]) -> Option<TopicId> {
        self.ids.get(name).copied()
    }

    /// The name of a topic; empty if it is none any more.
    pub fn name(&self, id: TopicId) -> &[u8] {
        self.topics.get(&id).map_or(&[], |topic| &topic.name)
    }

    /// How many are subscribed to a topic.
    pub fn count(&self, name: &[u8]) -> usize {
        let topic = self.id(name).and_then(|id| self.topics.get(&id));
        topic.map_or(0, |topic| topic.subscribers.len())
    }

    /// The topics of a member, in no order.
    pub fn topics_of(&self, member: Member) -> impl Iterator<Item = &[u8]> {
        let own = self.members.get(&member);
        own.into_iter()
            .flat_map(|own| own.keys())
            .map(|id| self.name(*id))
    }

    /// How many topics have subscribers.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nobody is subscribed to anything.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Appends all subscribers of a topic, the first first. Whoever goes
    /// through them may change the table meanwhile, and has to ask
    /// [`Topics::is_current`] if that may have ended subscriptions.
    pub fn recipients(&self, topic: TopicId, out: &mut Vec<Recipient>) {
        let Some(Topic { subscribers, .. }) = self.topics.get(&topic) else {
            return;
        };
        let recipients =
            subscribers
                .iter()
                .zip(0..)
                .map(|(&Subscriber { member, serial }, place)| Recipient {
                    member,
                    topic,
                    place,
                    serial,
                });
        out.extend(recipients);
    }

    /// Whether the subscription still is what it was.
    pub fn is_current(&self, recipient: &Recipient) -> bool {
        let Recipient {
            member,
            topic,
            place,
            serial,
        } = *recipient;
        let Some(Topic { subscribers, .. }) = self.topics.get(&topic) else {
            return false;
        };
        let is_at = |place: u32| {
            subscribers
                .get(place as usize)
                .is_some_and(|subscriber| subscriber.serial == serial)
        };
        // It moves when another one ends.
        is_at(place)
            || self
                .members
                .get(&member)
                .and_then(|own| own.get(&topic))
                .is_some_and(|place| is_at(*place))
    }

    fn id_for(&mut self, name: &[u8]) -> TopicId {
        if let Some(id) = self.id(name) {
            return id;
        }
        self.serial += 1;
        let id = TopicId(self.serial);
        let name: Arc<[u8]> = name.into();
        self.ids.insert(name.clone(), id);
        self.topics.insert(
            id,
            Topic {
                name,
                subscribers: Vec::new(),
            },
        );
        id
    }

    /// Removes a subscriber, and the topic with the last one.
    fn remove_subscriber(&mut self, id: TopicId, place: u32) {
        let Some(Topic { name, subscribers }) = self.topics.get_mut(&id) else {
            return;
        };
        subscribers.swap_remove(place as usize);
        if let Some(moved) = subscribers.get(place as usize)
            && let Some(own) = self.members.get_mut(&moved.member)
        {
            own.insert(id, place);
        }
        if subscribers.len() < subscribers.capacity() / 4 {
            subscribers.shrink_to(2 * subscribers.len());
        }
        if subscribers.is_empty() {
            self.ids.remove(name);
            self.topics.remove(&id);
            shrink(&mut self.ids);
            shrink(&mut self.topics);
        }
    }
}

/// Gives back what was needed for many more than are left.
fn shrink<Key: Eq + Hash, Value>(map: &mut HashMap<Key, Value>) {
    if map.len() < map.capacity() / 8 {
        map.shrink_to(2 * map.len());
    }
}

#[cfg(test)]
mod tests;
