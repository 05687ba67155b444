//! Commands about topics: whatever they claim, nothing outside of the record is
//! looked at, and what was written is read.

#![no_main]

use jstime_serve::abi::{COMMAND_SEND_MANY, RESPOND_CONTENT_TOKEN, SEND_LATEST};
use jstime_serve::ring::Command;
use jstime_serve::topic_commands::{payload_of, recipients_of, subscription_of, topic_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&flags, body)) = input.split_first() else {
        return;
    };
    let flags = match flags % 4 {
        0 => 0,
        1 => SEND_LATEST,
        2 => RESPOND_CONTENT_TOKEN,
        _ => SEND_LATEST | RESPOND_CONTENT_TOKEN,
    };
    let command = command(flags, body);
    let recipients = recipients_of(&command);
    let (topic, payload) = (topic_of(&command), payload_of(&command));
    for part in [recipients, topic, payload, subscription_of(&command)] {
        assert!(part.is_none_or(|part| part.len() <= body.len()));
    }
    if flags & SEND_LATEST == 0 {
        assert_eq!(topic, None);
    }
    if flags & RESPOND_CONTENT_TOKEN != 0 {
        assert_eq!(payload, None);
    }
    if let (Some(recipients), Some(payload)) = (recipients, payload) {
        check(flags, recipients, topic, payload);
    }
});

fn command(flags: u32, body: &[u8]) -> Command<'_> {
    Command {
        kind: COMMAND_SEND_MANY,
        flags,
        connection: 0,
        generation: 0,
        body,
        present: None,
        is_last: true,
    }
}

/// Writes the same again.
fn check(flags: u32, recipients: &[u8], topic: Option<&[u8]>, payload: &[u8]) {
    let words = [payload.len(), 0, recipients.len() / 8];
    let mut body: Vec<u8> = words
        .iter()
        .flat_map(|word| (*word as u32).to_le_bytes())
        .collect();
    body.extend(recipients);
    if let Some(topic) = topic {
        body.extend((topic.len() as u32).to_le_bytes());
        body.extend(topic);
    }
    body.extend(payload);
    body.resize(body.len().next_multiple_of(16), 0);
    let again = command(flags, &body);
    assert_eq!(recipients_of(&again), Some(recipients));
    assert_eq!(topic_of(&again), topic);
    assert_eq!(payload_of(&again), Some(payload));
}
