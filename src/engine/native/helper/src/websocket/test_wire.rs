//! What clients send, and what becomes of it, for tests.

use super::close::Failure;
use super::decoder::{Decoder, Event, Kind, Limits};
use super::deflate::Inflater;
use super::frame::Mask;
use super::handshake::Agreed;

pub const LIMITS: Limits = Limits {
    message_bytes: 1 << 20,
    fragments: Limits::FRAGMENTS,
};

/// Deflate in both directions, without takeover.
pub const NO_TAKEOVER: Agreed = Agreed {
    compress: true,
    server_takeover: false,
    server_window_bits: 15,
    client_takeover: false,
    client_window_bits: 15,
};

/// A masked frame in its shortest form.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut masked = payload.to_vec();
    Mask::new(key).apply(&mut masked);
    [&head(first, payload.len() as u64)[..], &key, &masked].concat()
}

/// A frame's head up to its mask.
pub fn head(first: u8, length: u64) -> Vec<u8> {
    match length {
        0..126 => vec![first, 0x80 | length as u8],
        126..65536 => [&[first, 0xfe][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[first, 0xff][..], &length.to_be_bytes()].concat(),
    }
}

/// A close frame.
pub fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes()[..], reason].concat())
}

/// An event without its borrows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
}

impl From<Event<'_>> for Got {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Message {
                kind: Kind::Text,
                payload,
            } => {
                let text = String::from_utf8(payload.into_owned());
                Self::Text(text.expect("text has been checked"))
            }
            Event::Message {
                kind: Kind::Binary,
                payload,
            } => Self::Binary(payload.into_owned()),
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Close { code, reason } => Self::Close(code, reason.to_owned()),
        }
    }
}

/// What pieces become, and with which failure it ends, if with one.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub events: Vec<Got>,
    pub failure: Option<Failure>,
}

/// Feeds pieces to a decoder.
pub fn feed<'a>(
    decoder: &mut Decoder,
    inflater: &mut Inflater,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let mut events = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut rest = &mut piece[..];
        loop {
            let length = rest.len();
            let step = match decoder.step(rest, inflater) {
                Ok(step) => step,
                Err(failure) => {
                    return Outcome {
                        events,
                        failure: Some(failure),
                    };
                }
            };
            let consumed = step.consumed;
            let Some(event) = step.event else {
                assert_eq!(consumed, length, "stopped without an event");
                break;
            };
            events.push(event.into());
            rest = &mut rest[consumed..];
        }
    }
    Outcome {
        events,
        failure: None,
    }
}

/// What a connection's bytes become, which is the same whole, byte by byte and
/// split anywhere.
pub fn replay(limits: Limits, agreed: Option<&Agreed>, bytes: &[u8]) -> Outcome {
    let mut inflater = Inflater::new();
    let mut run = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        feed(&mut Decoder::new(limits, agreed), &mut inflater, pieces)
    };
    let whole = run(&mut [bytes].into_iter());
    assert_eq!(run(&mut bytes.chunks(1)), whole, "byte by byte");
    for split in 0..=bytes.len() {
        let (one, two) = bytes.split_at(split);
        assert_eq!(run(&mut [one, two].into_iter()), whole, "at {split}");
    }
    for size in [2, 3, 5, 7, 8, 9, 16] {
        assert_eq!(run(&mut bytes.chunks(size)), whole, "by {size}");
    }
    whole
}

/// After how many bytes a connection fails.
pub fn fails_after(limits: Limits, agreed: Option<&Agreed>, bytes: &[u8]) -> Option<usize> {
    let mut inflater = Inflater::new();
    let mut decoder = Decoder::new(limits, agreed);
    bytes
        .chunks(1)
        .position(|byte| feed(&mut decoder, &mut inflater, [byte]).failure.is_some())
        .map(|index| index + 1)
}

/// Bytes that look random.
pub fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    (0..length)
        .map(|_| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1);
            (seed >> 56) as u8
        })
        .collect()
}
