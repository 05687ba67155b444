use super::super::deflate::Inflater;
use super::super::test_wire::{NO_TAKEOVER, noise};
use super::*;

fn agreed(window_bits: u8, takeover: bool) -> Agreed {
    Agreed {
        server_window_bits: window_bits,
        server_takeover: takeover,
        ..NO_TAKEOVER
    }
}

/// A client: the messages of frames that follow one another.
struct Client {
    inflater: Inflater,
    history: Option<History>,
}

impl Client {
    fn new(agreed: &Agreed) -> Self {
        Self {
            inflater: Inflater::new(),
            history: agreed
                .server_takeover
                .then(|| History::new(agreed.server_window_bits)),
        }
    }

    /// First byte and message of each.
    fn read(&mut self, mut frames: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut read = Vec::new();
        while let [first, second, rest @ ..] = frames {
            let (length, rest) = match second {
                126 => {
                    let (length, rest) = rest.split_first_chunk().unwrap();
                    (u64::from(u16::from_be_bytes(*length)), rest)
                }
                127 => {
                    let (length, rest) = rest.split_first_chunk().unwrap();
                    (u64::from_be_bytes(*length), rest)
                }
                short => (u64::from(*short), rest),
            };
            let (payload, rest) = rest.split_at(length as usize);
            let message = if first & 0x40 == 0 {
                payload.to_vec()
            } else {
                self.inflater
                    .inflate(payload, self.history.as_mut(), 1 << 30)
                    .unwrap();
                self.inflater.message().to_vec()
            };
            read.push((*first, message));
            frames = rest;
        }
        assert!(frames.is_empty());
        read
    }
}

#[test]
fn heads() {
    let rows: [(Opcode, bool, usize, &[u8]); 10] = [
        (Opcode::Text, false, 0, b"\x81\x00"),
        (Opcode::Text, true, 1, b"\xc1\x01"),
        (Opcode::Binary, false, 125, b"\x82\x7d"),
        (Opcode::Binary, false, 126, b"\x82\x7e\x00\x7e"),
        (Opcode::Binary, true, 65535, b"\xc2\x7e\xff\xff"),
        (Opcode::Binary, false, 65536, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
        (
            Opcode::Binary,
            false,
            1 << 40,
            b"\x82\x7f\0\0\x01\0\0\0\0\0",
        ),
        (Opcode::Close, false, 2, b"\x88\x02"),
        (Opcode::Ping, false, 125, b"\x89\x7d"),
        (Opcode::Pong, false, 0, b"\x8a\x00"),
    ];
    for (opcode, is_compressed, length, expected) in rows {
        let head = ServerHead::new(opcode, is_compressed, length);
        assert_eq!(head.bytes(), expected);
    }
}

#[test]
fn close_frames() {
    let written = |code, reason: &str| {
        let mut out = b"before".to_vec();
        write_close(&mut out, code, reason);
        out.split_off(6)
    };
    assert_eq!(written(None, "nobody sees this"), b"\x88\x00");
    assert_eq!(written(Some(1000), ""), b"\x88\x02\x03\xe8");
    assert_eq!(written(Some(1001), "bye"), b"\x88\x05\x03\xe9bye");
    let long = written(Some(4999), &"é".repeat(100));
    assert_eq!(long[..4], *b"\x88\x7c\x13\x87");
    assert_eq!(long[4..], *"é".repeat(61).as_bytes());
}

#[test]
fn control_frames() {
    let mut out = Vec::new();
    write_frame(&mut out, Opcode::Ping, b"hi");
    write_frame(&mut out, Opcode::Pong, b"");
    assert_eq!(out, b"\x89\x02hi\x8a\x00");
}

#[test]
fn messages_arrive_as_they_were() {
    let messages: Vec<Vec<u8>> = [0, 1, 15, 16, 63, 64, 125, 126, 3000, 70_000]
        .into_iter()
        .flat_map(|length| [noise(length, 1), b"abcdefgh ".repeat(length / 9 + 1)])
        .collect();
    let mut deflater = Deflater::new();
    for window_bits in 9..=15 {
        for takeover in [false, true] {
            let agreed = agreed(window_bits, takeover);
            let mut client = Client::new(&agreed);
            let mut encoder = Encoder::new(Some(&agreed));
            let mut out = Vec::new();
            for (index, message) in messages.iter().enumerate() {
                let kind = if index % 2 == 0 {
                    Kind::Text
                } else {
                    Kind::Binary
                };
                let compress = index % 5 != 0;
                encoder.write_message(&mut out, kind, message, compress, &mut deflater);
            }
            let read = client.read(&out);
            assert_eq!(read.len(), messages.len());
            for (index, (first, message)) in read.iter().enumerate() {
                assert!(*message == messages[index]);
                assert_eq!(first & 0x3f, 1 + index as u8 % 2);
                if index % 5 == 0 {
                    assert_eq!(first & 0x40, 0, "nobody wanted it");
                }
            }
            assert!(read.iter().any(|(first, _)| first & 0x40 != 0));
            assert!(encoder.memory() <= if takeover { 1 << window_bits } else { 0 });
        }
    }
}

#[test]
fn nothing_is_compressed_unless_agreed_on() {
    let receive_only = Agreed {
        compress: false,
        ..NO_TAKEOVER
    };
    for agreed in [None, Some(&receive_only)] {
        let mut encoder = Encoder::new(agreed);
        let mut out = Vec::new();
        let message = [b'a'; 100];
        let deflater = &mut Deflater::new();
        encoder.write_message(&mut out, Kind::Text, &message, true, deflater);
        assert_eq!(out, [&b"\x81\x64"[..], &message].concat());
        let mut broadcast = Broadcast::new(Kind::Text, &message, true);
        assert_eq!(*broadcast.frame_for(&mut encoder, deflater), out);
    }
}

#[test]
fn small_messages_are_not_compressed() {
    let is_compressed = |takeover: bool, length: usize| {
        let mut encoder = Encoder::new(Some(&agreed(15, takeover)));
        let mut out = Vec::new();
        let message = vec![b'a'; length];
        let deflater = &mut Deflater::new();
        encoder.write_message(&mut out, Kind::Text, &message, true, deflater);
        out[0] & 0x40 != 0
    };
    assert!(!is_compressed(false, WORTH_COMPRESSING - 1));
    assert!(is_compressed(false, WORTH_COMPRESSING));
    assert!(!is_compressed(true, WORTH_COMPRESSING_AGAIN - 1));
    assert!(is_compressed(true, WORTH_COMPRESSING_AGAIN));
}

#[test]
fn what_was_sent_before_is_referred_to() {
    let message = noise(40, 1).repeat(2);
    let mut deflater = Deflater::new();
    let mut length = |takeover: bool, encode: &dyn Fn(&mut Encoder, &mut Deflater) -> usize| {
        let mut encoder = Encoder::new(Some(&agreed(15, takeover)));
        encode(&mut encoder, &mut deflater);
        encode(&mut encoder, &mut deflater)
    };
    let write = |encoder: &mut Encoder, deflater: &mut Deflater| {
        let mut out = Vec::new();
        encoder.write_message(&mut out, Kind::Binary, &message, true, deflater);
        out.len()
    };
    assert!(length(true, &write) < length(false, &write) / 2);
    let publish = |encoder: &mut Encoder, deflater: &mut Deflater| {
        let mut broadcast = Broadcast::new(Kind::Binary, &message, true);
        broadcast.frame_for(encoder, deflater).len()
    };
    assert!(length(true, &publish) < length(false, &publish) / 2);
}

#[test]
fn a_broadcast_is_encoded_and_compressed_once() {
    let message = b"the same for all, ".repeat(30);
    let mut deflater = Deflater::new();
    let mut broadcast = Broadcast::new(Kind::Text, &message, true);
    assert_eq!(broadcast.kind(), Kind::Text);
    assert_eq!(broadcast.payload(), message);
    let mut frame =
        |agreed: Option<&Agreed>| broadcast.frame_for(&mut Encoder::new(agreed), &mut deflater);
    let plain = frame(None);
    assert!(Arc::ptr_eq(&plain, &frame(None)));
    let compressed = frame(Some(&agreed(15, false)));
    assert_eq!(compressed[0], 0xc1);
    // 540 bytes need no more than 10 bits.
    for window_bits in 10..=15 {
        let other = frame(Some(&agreed(window_bits, false)));
        assert!(Arc::ptr_eq(&compressed, &other), "{window_bits}");
    }
    let small = frame(Some(&agreed(9, false)));
    assert!(!Arc::ptr_eq(&compressed, &small));
    let own = frame(Some(&agreed(15, true)));
    assert!(!Arc::ptr_eq(&compressed, &own));
    for (frame, window_bits, takeover) in
        [(compressed, 10, false), (small, 9, false), (own, 15, true)]
    {
        let read = Client::new(&agreed(window_bits, takeover)).read(&frame);
        assert_eq!(read, [(0xc1, message.clone())]);
    }
}

#[test]
fn a_broadcast_that_does_not_compress_is_plain() {
    let mut deflater = Deflater::new();
    for message in [noise(1000, 6), b"short".to_vec()] {
        let mut broadcast = Broadcast::new(Kind::Binary, &message, true);
        for takeover in [false, true] {
            let mut encoder = Encoder::new(Some(&agreed(15, takeover)));
            let frame = broadcast.frame_for(&mut encoder, &mut deflater);
            assert!(Arc::ptr_eq(&frame, broadcast.plain()));
        }
    }
}

#[test]
fn broadcasts_and_messages_keep_their_order_with_takeover() {
    let agreed = agreed(12, true);
    let mut encoder = Encoder::new(Some(&agreed));
    let mut deflater = Deflater::new();
    let mut out = Vec::new();
    let message =
        |number: usize| format!("message {number} of those that are much alike").into_bytes();
    for number in 0..50 {
        let payload = message(number);
        if number % 3 == 0 {
            let compress = number % 2 == 0;
            let mut broadcast = Broadcast::new(Kind::Text, &payload, compress);
            out.extend(&*broadcast.frame_for(&mut encoder, &mut deflater));
        } else {
            encoder.write_message(&mut out, Kind::Text, &payload, true, &mut deflater);
        }
    }
    let read = Client::new(&agreed).read(&out);
    for (number, (_, payload)) in read.iter().enumerate() {
        assert_eq!(*payload, message(number));
    }
    assert_eq!(read.len(), 50);
    assert!(encoder.has_takeover());
}

#[test]
fn broadcasts_from_frames() {
    for length in [0, 125, 126, 65_535, 65_536] {
        let message = noise(length, 8);
        let first = Broadcast::new(Kind::Binary, &message, false);
        let plain = first.plain().clone();
        let second = Broadcast::from_frame(Kind::Binary, plain, false);
        assert!(second.payload() == message);
        assert!(Arc::ptr_eq(first.plain(), second.plain()));
    }
}
