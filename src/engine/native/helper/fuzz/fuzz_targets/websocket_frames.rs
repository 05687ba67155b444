//! WebSocket frames: however the bytes are cut, the same comes out, and no more
//! memory is taken than what arrived needs.

#![no_main]

use jstime_serve::websocket::{Agreed, Decoder, Event, Failure, Inflater, Kind, Limits};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    message_bytes: 300,
    fragments: 6,
};

/// An event without its borrows.
#[derive(Debug, PartialEq)]
enum Got {
    Message(Kind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
}

#[derive(Debug, PartialEq)]
struct Outcome {
    events: Vec<Got>,
    failure: Option<Failure>,
}

fuzz_target!(|input: &[u8]| {
    let [options, cut, script @ ..] = input else {
        return;
    };
    let agreed = Agreed {
        compress: true,
        server_takeover: false,
        server_window_bits: 15,
        client_takeover: options & 2 != 0,
        client_window_bits: 9 + (options >> 2) % 7,
    };
    let agreed = (options & 1 != 0).then_some(&agreed);
    let wire = if options & 0x80 == 0 {
        frames(script)
    } else {
        script.to_vec()
    };

    let whole = feed(agreed, &mut [&wire[..]].into_iter());
    assert_eq!(feed(agreed, &mut wire.chunks(1)), whole);
    let size = usize::from(*cut).max(1);
    assert_eq!(feed(agreed, &mut wire.chunks(size)), whole);
    let (one, two) = wire.split_at(usize::from(*cut).min(wire.len()));
    assert_eq!(feed(agreed, &mut [one, two].into_iter()), whole);
    check(&whole);
});

/// Reads bytes as frames that are mostly right, since a mask hides from a
/// fuzzer what it changes.
fn frames(mut script: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    while let [first, length, rest @ ..] = script {
        let (payload, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        wire.push(*first);
        match payload.len() {
            short @ 0..126 => wire.push(0x80 | short as u8),
            long => {
                wire.push(0x80 | 126);
                wire.extend((long as u16).to_be_bytes());
            }
        }
        let key = [*first, *length, 0x5a, 0];
        wire.extend(key);
        wire.extend(payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b));
        script = rest;
    }
    wire.extend(script);
    wire
}

fn feed(agreed: Option<&Agreed>, pieces: &mut dyn Iterator<Item = &[u8]>) -> Outcome {
    let mut decoder = Decoder::new(LIMITS, agreed);
    let mut inflater = Inflater::new();
    let window = agreed.map_or(0, |agreed| 1 << agreed.client_window_bits);
    let mut events = Vec::new();
    let mut arrived = 0;
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut rest = &mut piece[..];
        loop {
            let length = rest.len();
            let (consumed, got) = match decoder.step(rest, &mut inflater) {
                Ok(step) => (step.consumed, step.event.map(own)),
                Err(failure) => {
                    let mut more = [0x89, 0x80];
                    let again = decoder.step(&mut more, &mut inflater);
                    assert_eq!(again, Err(failure));
                    let failure = Some(failure);
                    return Outcome { events, failure };
                }
            };
            arrived += consumed;
            assert!(decoder.memory() <= 2 * arrived + window + 256);
            let Some(got) = got else {
                assert_eq!(consumed, length);
                break;
            };
            events.push(got);
            rest = &mut rest[consumed..];
        }
    }
    Outcome {
        events,
        failure: None,
    }
}

fn own(event: Event<'_>) -> Got {
    match event {
        Event::Message { kind, payload } => Got::Message(kind, payload.into_owned()),
        Event::Ping(payload) => Got::Ping(payload.to_vec()),
        Event::Pong(payload) => Got::Pong(payload.to_vec()),
        Event::Close { code, reason } => Got::Close(code, reason.to_owned()),
    }
}

fn check(outcome: &Outcome) {
    for (index, event) in outcome.events.iter().enumerate() {
        match event {
            Got::Message(kind, payload) => {
                assert!(payload.len() <= LIMITS.message_bytes);
                assert!(*kind == Kind::Binary || std::str::from_utf8(payload).is_ok());
            }
            Got::Ping(payload) | Got::Pong(payload) => assert!(payload.len() <= 125),
            Got::Close(code, reason) => {
                assert_eq!(index + 1, outcome.events.len());
                assert!(outcome.failure.is_none());
                assert!(matches!(code, 1000..=1003 | 1005 | 1007..=1014 | 3000..=4999));
                assert!(reason.len() <= 123);
            }
        }
    }
    if let Some(failure) = outcome.failure {
        assert!(matches!(failure.code, 1002 | 1007 | 1008 | 1009));
        assert!(failure.reason.len() <= 123);
    }
}
