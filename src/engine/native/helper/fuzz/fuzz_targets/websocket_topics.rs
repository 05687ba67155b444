//! Topics: any order of changes gives what a table that is too simple to be
//! wrong gives, also while messages are published.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use jstime_serve::websocket::{Recipient, Topics};
use libfuzzer_sys::fuzz_target;

/// Members by topic.
#[derive(Default)]
struct Model(BTreeMap<Vec<u8>, BTreeSet<u32>>);

fuzz_target!(|input: &[u8]| {
    let mut topics = Topics::new();
    let mut model = Model::default();
    let mut published: Vec<(Vec<u8>, Vec<Recipient>)> = Vec::new();
    for change in input.chunks_exact(3) {
        let member = u32::from(change[1] % 16);
        let name = vec![b't'; usize::from(change[2] % 8)];
        match change[0] % 8 {
            0..3 => {
                let is_new = model.0.entry(name.clone()).or_default().insert(member);
                assert_eq!(topics.subscribe(member, &name), is_new);
            }
            3..5 => {
                let was = model.remove(member, &name);
                assert_eq!(topics.unsubscribe(member, &name), was);
                end(&mut published, |of, other| *of == name && other == member);
            }
            5 => {
                for name in model.0.keys().cloned().collect::<Vec<_>>() {
                    model.remove(member, &name);
                }
                topics.leave(member);
                end(&mut published, |_, other| other == member);
            }
            6 => {
                let mut recipients = Vec::new();
                if let Some(id) = topics.id(&name) {
                    topics.recipients(id, &mut recipients);
                }
                let members: BTreeSet<_> = recipients
                    .iter()
                    .map(|recipient| recipient.member)
                    .collect();
                assert_eq!(members.len(), recipients.len());
                assert_eq!(members, model.0.get(&name).cloned().unwrap_or_default());
                published.push((name, recipients));
                published.truncate(4);
            }
            _ => published.clear(),
        }
        model.0.retain(|_, members| !members.is_empty());
        check(&topics, &model);
        for (_, recipients) in &published {
            assert!(
                recipients
                    .iter()
                    .all(|recipient| topics.is_current(recipient))
            );
        }
    }
    for member in 0..16 {
        topics.leave(member);
    }
    assert!(topics.is_empty());
    for (_, recipients) in &published {
        assert!(
            !recipients
                .iter()
                .any(|recipient| topics.is_current(recipient))
        );
    }
});

impl Model {
    fn remove(&mut self, member: u32, name: &[u8]) -> bool {
        self.0
            .get_mut(name)
            .is_some_and(|members| members.remove(&member))
    }
}

/// Takes out the recipients whose subscription has ended.
fn end(published: &mut [(Vec<u8>, Vec<Recipient>)], ended: impl Fn(&Vec<u8>, u32) -> bool) {
    for (name, recipients) in published {
        recipients.retain(|recipient| !ended(name, recipient.member));
    }
}

fn check(topics: &Topics, model: &Model) {
    assert_eq!(topics.len(), model.0.len());
    for (name, members) in &model.0 {
        assert_eq!(topics.count(name), members.len());
        for member in 0..16 {
            assert_eq!(
                topics.is_subscribed(member, name),
                members.contains(&member)
            );
        }
    }
    for member in 0..16 {
        let own: BTreeSet<_> = topics.topics_of(member).map(<[u8]>::to_vec).collect();
        let expected: BTreeSet<_> = model
            .0
            .iter()
            .filter(|(_, set)| set.contains(&member))
            .map(|(name, _)| name.clone())
            .collect();
        assert_eq!(own, expected);
    }
}
