use std::collections::{BTreeMap, BTreeSet};

use super::super::test_wire::noise;
use super::*;

fn recipients(topics: &Topics, name: &[u8]) -> Vec<Recipient> {
    let mut out = Vec::new();
    if let Some(id) = topics.id(name) {
        topics.recipients(id, &mut out);
    }
    out
}

fn members(topics: &Topics, name: &[u8]) -> Vec<Member> {
    let recipients = recipients(topics, name);
    assert!(
        recipients
            .iter()
            .all(|recipient| topics.is_current(recipient))
    );
    recipients
        .iter()
        .map(|recipient| recipient.member)
        .collect()
}

#[test]
fn subscriptions() {
    let mut topics = Topics::new();
    assert!(topics.subscribe(1, b"a"));
    assert!(!topics.subscribe(1, b"a"));
    assert!(topics.subscribe(2, b"a"));
    assert!(topics.subscribe(1, b"b"));
    assert_eq!(members(&topics, b"a"), [1, 2]);
    assert_eq!(members(&topics, b"b"), [1]);
    assert_eq!(members(&topics, b"c"), []);
    assert_eq!(topics.count(b"a"), 2);
    assert_eq!(topics.count(b"c"), 0);
    assert_eq!(topics.len(), 2);
    assert!(topics.is_subscribed(2, b"a"));
    assert!(!topics.is_subscribed(2, b"b"));
    assert!(!topics.is_subscribed(3, b"a"));
    let mut own: Vec<_> = topics.topics_of(1).collect();
    own.sort_unstable();
    assert_eq!(own, [b"a", b"b"]);

    assert!(topics.unsubscribe(1, b"a"));
    assert!(!topics.unsubscribe(1, b"a"));
    assert!(!topics.unsubscribe(2, b"b"));
    assert!(!topics.unsubscribe(2, b"c"));
    assert!(!topics.unsubscribe(3, b"a"));
    assert_eq!(members(&topics, b"a"), [2]);
    topics.leave(1);
    topics.leave(1);
    assert_eq!(topics.count(b"b"), 0);
    topics.leave(2);
    assert!(topics.is_empty());
}

#[test]
fn a_topic_keeps_its_id_while_it_has_subscribers() {
    let mut topics = Topics::new();
    topics.subscribe(1, b"a");
    let first = topics.id(b"a").unwrap();
    topics.subscribe(2, b"a");
    topics.unsubscribe(1, b"a");
    assert_eq!(topics.id(b"a"), Some(first));
    assert_eq!(topics.name(first), b"a");
    topics.unsubscribe(2, b"a");
    assert_eq!(topics.id(b"a"), None);
    assert_eq!(topics.name(first), b"");
    topics.subscribe(1, b"b");
    topics.subscribe(1, b"a");
    assert_ne!(topics.id(b"a"), Some(first));
    assert_eq!(topics.name(first), b"");
    let mut out = Vec::new();
    topics.recipients(first, &mut out);
    assert_eq!(out, []);
}

#[test]
fn names_are_bytes() {
    let mut topics = Topics::new();
    for name in [&b""[..], b"\0", b"\xff", "ä".as_bytes(), &[0; 10_000]] {
        assert!(topics.subscribe(7, name));
    }
    assert_eq!(topics.len(), 5);
    assert!(!topics.is_subscribed(7, b"a"));
    assert!(topics.is_subscribed(7, &[0; 10_000]));
}

#[test]
fn the_table_may_change_while_a_message_is_published() {
    let mut topics = Topics::new();
    for member in 0..6 {
        topics.subscribe(member, b"t");
    }
    let mut seen = Vec::new();
    for recipient in recipients(&topics, b"t") {
        if !topics.is_current(&recipient) {
            continue;
        }
        seen.push(recipient.member);
        match recipient.member {
            // Before it, itself, behind it: the last moves up each time.
            1 => topics.leave(0),
            2 => {
                topics.leave(2);
                topics.leave(4);
            }
            // New ones, and one that is back, did not see it published.
            3 => {
                topics.subscribe(9, b"t");
                topics.leave(5);
                topics.subscribe(5, b"t");
            }
            _ => {}
        }
    }
    assert_eq!(seen, [0, 1, 2, 3]);
    let mut left = members(&topics, b"t");
    left.sort_unstable();
    assert_eq!(left, [1, 3, 5, 9]);
}

#[test]
fn subscriptions_that_moved_are_current() {
    let mut topics = Topics::new();
    for member in 0..100 {
        topics.subscribe(member, b"t");
    }
    let before = recipients(&topics, b"t");
    for member in (0..100).step_by(3) {
        topics.leave(member);
    }
    for recipient in before {
        let is_current = recipient.member % 3 != 0;
        assert_eq!(topics.is_current(&recipient), is_current);
    }
}

#[test]
fn nothing_is_left() {
    for leaves in [true, false] {
        let mut topics = Topics::new();
        topics.subscribe(0, b"stays");
        for member in 1..1000 {
            topics.subscribe(member, b"stays");
            for topic in 0..10 {
                let name = format!("{member} {topic}");
                topics.subscribe(member, name.as_bytes());
            }
        }
        assert_eq!(topics.len(), 9991);
        for member in 1..1000 {
            if leaves {
                topics.leave(member);
                continue;
            }
            topics.unsubscribe(member, b"stays");
            for topic in 0..10 {
                let name = format!("{member} {topic}");
                topics.unsubscribe(member, name.as_bytes());
            }
        }
        assert_eq!(topics.len(), 1);
        assert_eq!(topics.members.len(), 1);
        assert_eq!(topics.topics.len(), 1);
        assert!(topics.ids.capacity() < 64);
        assert!(topics.topics.capacity() < 64);
        assert!(topics.members.capacity() < 64);
        let id = topics.id(b"stays").unwrap();
        assert!(topics.topics[&id].subscribers.capacity() < 64);
        topics.leave(0);
        assert!(topics.ids.is_empty() && topics.topics.is_empty());
        assert!(topics.members.is_empty());
    }
}

/// The same as a table that is too simple to be wrong.
#[test]
fn any_order_of_changes() {
    for seed in 0..30 {
        let mut topics = Topics::new();
        let mut model: BTreeMap<Vec<u8>, BTreeSet<Member>> = BTreeMap::new();
        for change in noise(3 * 400, seed).chunks(3) {
            let member = u32::from(change[1] % 12);
            let name = vec![change[2] % 9];
            match change[0] % 8 {
                0..5 => {
                    let set = model.entry(name.clone()).or_default();
                    let is_new = set.insert(member);
                    assert_eq!(topics.subscribe(member, &name), is_new);
                }
                5..7 => {
                    let was = model.get_mut(&name).is_some_and(|set| set.remove(&member));
                    assert_eq!(topics.unsubscribe(member, &name), was);
                }
                _ => {
                    topics.leave(member);
                    for set in model.values_mut() {
                        set.remove(&member);
                    }
                }
            }
            model.retain(|_, set| !set.is_empty());
            assert_eq!(topics.len(), model.len());
            for (name, set) in &model {
                let mut found = members(&topics, name);
                found.sort_unstable();
                assert!(found.iter().eq(set));
            }
        }
    }
}
