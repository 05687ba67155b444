use super::super::test_wire::*;
use super::*;

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// Cleared from a first byte for a frame that is not the last.
const MORE: u8 = 0x7f;
const CONTINUATION: u8 = 0x80;
const COMPRESSED: u8 = 0x40;

fn text(text: &str) -> Got {
    Got::Text(text.to_owned())
}

fn binary(bytes: &[u8]) -> Got {
    Got::Binary(bytes.to_owned())
}

#[test]
fn what_clients_may_send() {
    let long = noise(65_536, 1);
    let medium = noise(126, 2);
    let rows: [(&str, Vec<u8>, Vec<Got>); 15] = [
        ("nothing", vec![], vec![]),
        ("empty text", frame(TEXT, b""), vec![text("")]),
        ("empty binary", frame(BINARY, b""), vec![binary(b"")]),
        ("text", frame(TEXT, "κόσμε".as_bytes()), vec![text("κόσμε")]),
        ("126 bytes", frame(BINARY, &medium), vec![binary(&medium)]),
        (
            "three messages",
            [frame(TEXT, b"1"), frame(BINARY, b"2"), frame(TEXT, b"3")].concat(),
            vec![text("1"), binary(b"2"), text("3")],
        ),
        (
            "fragments",
            [
                frame(TEXT & MORE, b"Hel"),
                frame(CONTINUATION & MORE, b"l"),
                frame(CONTINUATION, b"o"),
                frame(BINARY, b"next"),
            ]
            .concat(),
            vec![text("Hello"), binary(b"next")],
        ),
        (
            "empty fragments",
            [
                frame(BINARY & MORE, b""),
                frame(CONTINUATION & MORE, b""),
                frame(CONTINUATION, b""),
            ]
            .concat(),
            vec![binary(b"")],
        ),
        (
            "a character over three fragments",
            [
                frame(TEXT & MORE, b"a\xe2"),
                frame(CONTINUATION & MORE, b"\x82"),
                frame(CONTINUATION, b"\xacb"),
            ]
            .concat(),
            vec![text("a€b")],
        ),
        (
            "control frames between fragments",
            [
                frame(TEXT & MORE, b"a\xe2\x82"),
                frame(PING, b"ping"),
                frame(CONTINUATION & MORE, b"\xac"),
                frame(PONG, b""),
                frame(CONTINUATION, b"b"),
            ]
            .concat(),
            vec![Got::Ping(b"ping".to_vec()), Got::Pong(vec![]), text("a€b")],
        ),
        (
            "the longest ping",
            frame(PING, &medium[..125]),
            vec![Got::Ping(medium[..125].to_vec())],
        ),
        (
            "pings that are not text",
            frame(PING, b"\xff"),
            vec![Got::Ping(vec![0xff])],
        ),
        (
            "empty close",
            frame(0x88, b""),
            vec![Got::Close(1005, "".into())],
        ),
        (
            "close in the middle of a message",
            [frame(TEXT & MORE, b"\xe2"), close(4000, "é".as_bytes())].concat(),
            vec![Got::Close(4000, "é".into())],
        ),
        (
            "anything after close",
            [close(1000, &b"r".repeat(123)), b"\xff\x00garbage".to_vec()].concat(),
            vec![Got::Close(1000, "r".repeat(123))],
        ),
    ];
    for (name, bytes, events) in rows {
        let expected = Outcome {
            events,
            failure: None,
        };
        assert_eq!(replay(LIMITS, None, &bytes), expected, "{name}");
        // The extension changes nothing for those that do not use it.
        assert_eq!(replay(LIMITS, Some(&NO_TAKEOVER), &bytes), expected);
    }

    let bytes = frame(BINARY, &long);
    for size in [1, 1000, 65_537, bytes.len()] {
        let mut decoder = Decoder::new(LIMITS, None);
        let pieces = bytes.chunks(size);
        let outcome = feed(&mut decoder, &mut Inflater::new(), pieces);
        assert_eq!(outcome.events, [binary(&long)]);
        assert_eq!(outcome.failure, None);
    }
}

/// Everything in RFC 6455 that a client can do wrong with frames, and after
/// how many bytes of the wrong frame it is found.
#[test]
fn violations() {
    let begun = || frame(TEXT & MORE, b"begun");
    type Row = (&'static str, Vec<u8>, Vec<u8>, u16, usize);
    let rows: Vec<Row> = vec![
        ("RSV1", vec![], vec![0xc1], 1002, 1),
        ("RSV2", vec![], vec![0xa1], 1002, 1),
        ("RSV3", vec![], vec![0x91], 1002, 1),
        ("RSV1 of a ping", vec![], vec![0xc9], 1002, 1),
        ("RSV1 of a continuation", begun(), vec![0xc0], 1002, 1),
        ("opcode 3", vec![], vec![0x83], 1002, 1),
        ("opcode 7", vec![], vec![0x87], 1002, 1),
        ("opcode 11", vec![], vec![0x8b], 1002, 1),
        ("opcode 15", begun(), vec![0x8f], 1002, 1),
        ("no mask", vec![], b"\x81\x02ab".to_vec(), 1002, 2),
        ("no mask on a pong", begun(), b"\x8a\x00".to_vec(), 1002, 2),
        ("fragmented ping", vec![], vec![0x09], 1002, 1),
        ("fragmented close", vec![], vec![0x08], 1002, 1),
        ("long ping", vec![], head(PING, 126), 1002, 4),
        ("long close", vec![], head(0x88, 65_536), 1002, 10),
        ("continuation first", vec![], vec![0x80], 1002, 1),
        (
            "continuation after the end",
            [begun(), frame(CONTINUATION, b"")].concat(),
            vec![0x00],
            1002,
            1,
        ),
        ("text in a message", begun(), vec![0x81], 1002, 1),
        ("binary in a message", begun(), vec![0x02], 1002, 1),
        (
            "text after a ping in a message",
            [begun(), frame(PING, b"")].concat(),
            vec![0x81],
            1002,
            1,
        ),
        ("126 for 125", vec![], b"\x82\xfe\x00\x7d".to_vec(), 1002, 4),
        ("126 for 0", vec![], b"\x82\xfe\x00\x00".to_vec(), 1002, 4),
        (
            "127 for 65535",
            vec![],
            b"\x82\xff\0\0\0\0\0\0\xff\xff".to_vec(),
            1002,
            10,
        ),
        (
            "length with its highest bit",
            vec![],
            b"\x82\xff\x80\0\0\0\0\0\0\0".to_vec(),
            1002,
            10,
        ),
        ("half a close code", vec![], frame(0x88, b"\x03"), 1002, 2),
        ("close 1005", vec![], close(1005, b""), 1002, 8),
        ("close 999", begun(), close(999, b"reason"), 1002, 14),
        ("close 2999", vec![], close(2999, b""), 1002, 8),
        ("close 5000", vec![], close(5000, b""), 1002, 8),
        ("close reason", vec![], close(1000, b"\xff"), 1007, 9),
        (
            "close reason, cut",
            vec![],
            close(1000, b"\xe2\x82"),
            1007,
            10,
        ),
        ("text", vec![], frame(TEXT, b"ab\xc0cdef"), 1007, 9),
        (
            "text at its end",
            vec![],
            frame(TEXT, b"ab\xe2\x82"),
            1007,
            10,
        ),
        (
            "text in a fragment",
            frame(TEXT & MORE, b"ok\xe2"),
            frame(CONTINUATION & MORE, b"\x28never"),
            1007,
            7,
        ),
        (
            "text at the end of the last fragment",
            frame(TEXT & MORE, b"ok\xe2"),
            frame(CONTINUATION, b""),
            1007,
            6,
        ),
        (
            "text in a long fragment that never comes",
            begun(),
            [head(0x00, 1000), vec![0; 4], b"ab\xff".to_vec()].concat(),
            1007,
            11,
        ),
        (
            "a long message",
            vec![],
            head(BINARY, (1 << 20) + 1),
            1009,
            10,
        ),
        (
            "a message that becomes long",
            frame(BINARY & MORE, b"12345678"),
            head(0x00, (1 << 20) - 7),
            1009,
            10,
        ),
        (
            "the longest message",
            vec![],
            head(BINARY, u64::MAX >> 1),
            1009,
            10,
        ),
    ];
    for (name, before, wrong, code, length) in rows {
        let bytes = [before.clone(), wrong].concat();
        let outcome = replay(LIMITS, None, &bytes);
        assert_eq!(
            outcome.failure.map(|failure| failure.code),
            Some(code),
            "{name}"
        );
        let found = fails_after(LIMITS, None, &bytes);
        assert_eq!(found, Some(before.len() + length), "{name}");
    }
}

#[test]
fn violations_with_compression() {
    let agreed = Some(&NO_TAKEOVER);
    let compressed = TEXT | COMPRESSED;
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let begun = || frame(compressed & MORE, &hello[..3]);
    let rows: Vec<(&str, Vec<u8>, u16)> = vec![
        ("RSV2", vec![0xa1], 1002),
        ("RSV3", vec![0xd1], 1002),
        ("RSV1 of a ping", vec![0xc9], 1002),
        ("RSV1 of a close", vec![0xc8], 1002),
        (
            "RSV1 of a continuation",
            [begun(), vec![0xc0]].concat(),
            1002,
        ),
        (
            "RSV1 of a continuation of plain text",
            [frame(TEXT & MORE, b""), vec![0xc0]].concat(),
            1002,
        ),
        ("not compressed", frame(compressed, b"Hello"), 1007),
        ("a block of no kind", frame(compressed, b"\x06"), 1007),
        ("not complete", frame(compressed, &hello[..4]), 1007),
        (
            "a stored block, cut",
            frame(compressed, b"\0\x05\0\xfa\xffHe"),
            1007,
        ),
        (
            "bytes behind a last block",
            frame(compressed, b"\xf3\x48\xcd\xc9\xc9\x07\x00\xff\xff"),
            1007,
        ),
        (
            "too far back without takeover",
            [
                frame(compressed, hello),
                frame(compressed, b"\xf2\0\x11\0\0"),
            ]
            .concat(),
            1007,
        ),
        (
            // Stored "\xff".
            "not text",
            frame(compressed, b"\0\x01\0\xfe\xff\xff\0"),
            1007,
        ),
        (
            "half a character",
            frame(compressed, b"\0\x01\0\xfe\xff\xe2\0"),
            1007,
        ),
        (
            "longer than it may become",
            head(compressed, (1 << 20) / 8 * 9 + 65),
            1009,
        ),
    ];
    for (name, bytes, code) in rows {
        let outcome = replay(LIMITS, agreed, &bytes);
        assert_eq!(
            outcome.failure.map(|failure| failure.code),
            Some(code),
            "{name}"
        );
    }
}

/// RFC 7692, 7.2.3.
#[test]
fn examples_of_the_rfc() {
    let compressed = TEXT | COMPRESSED;
    let takeover = Agreed {
        client_takeover: true,
        ..NO_TAKEOVER
    };
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let rows: [(&str, Vec<u8>, usize); 8] = [
        ("one block", frame(compressed, hello), 1),
        (
            "fragments",
            [
                frame(compressed & MORE, &hello[..3]),
                frame(PING, b""),
                frame(CONTINUATION, &hello[3..]),
            ]
            .concat(),
            1,
        ),
        (
            "takeover",
            [
                frame(compressed, hello),
                frame(compressed, b"\xf2\0\x11\0\0"),
            ]
            .concat(),
            2,
        ),
        (
            "a message between that is not compressed",
            [
                frame(compressed, hello),
                frame(TEXT, b"Hello"),
                frame(compressed, b"\xf2\0\x11\0\0"),
            ]
            .concat(),
            3,
        ),
        (
            "a stored block",
            frame(compressed, b"\0\x05\0\xfa\xff\x48\x65\x6c\x6c\x6f\0"),
            1,
        ),
        (
            "a last block",
            frame(compressed, b"\xf3\x48\xcd\xc9\xc9\x07\0\0"),
            1,
        ),
        (
            "a last block, and nothing behind it",
            frame(compressed, b"\xf3\x48\xcd\xc9\xc9\x07\0"),
            1,
        ),
        (
            "two blocks",
            frame(compressed, b"\xf2\x48\x05\0\0\0\xff\xff\xca\xc9\xc9\x07\0"),
            1,
        ),
    ];
    for (name, bytes, messages) in rows {
        let Outcome {
            mut events,
            failure,
        } = replay(LIMITS, Some(&takeover), &bytes);
        events.retain(|event| *event != Got::Ping(vec![]));
        assert_eq!(failure, None, "{name}");
        assert_eq!(events, vec![text("Hello"); messages], "{name}");
    }

    // An empty message, as it should be and as some send it.
    for empty in [&b"\0"[..], b""] {
        let outcome = replay(LIMITS, Some(&takeover), &frame(compressed, empty));
        assert_eq!(outcome.events, [text("")]);
    }
}

#[test]
fn a_failure_is_final() {
    let mut decoder = Decoder::new(LIMITS, None);
    let mut inflater = Inflater::new();
    let good = frame(TEXT, b"good");
    let bytes = [&good[..], b"\x81\x00", &good].concat();
    let outcome = feed(&mut decoder, &mut inflater, [&bytes[..]]);
    assert_eq!(outcome.events, [text("good")]);
    assert_eq!(outcome.failure.map(|failure| failure.code), Some(1002));
    let again = feed(&mut decoder, &mut inflater, [&good[..]]);
    assert_eq!(again.events, []);
    assert_eq!(again.failure, outcome.failure);

    let mut decoder = Decoder::new(LIMITS, None);
    let bad_close = close(1006, b"");
    feed(&mut decoder, &mut inflater, [&bad_close[..]]);
    let again = feed(&mut decoder, &mut inflater, [&good[..]]);
    assert_eq!(again.events, []);
    assert_eq!(again.failure.map(|failure| failure.code), Some(1002));
}

#[test]
fn a_message_in_one_piece_is_not_copied() {
    let mut bytes = [frame(TEXT, b"one"), frame(BINARY, b"two")].concat();
    let mut decoder = Decoder::new(LIMITS, None);
    let mut inflater = Inflater::new();
    let range = bytes.as_ptr_range();
    let mut rest = &mut bytes[..];
    for expected in [b"one", b"two"] {
        let step = decoder.step(rest, &mut inflater).unwrap();
        let consumed = step.consumed;
        let Some(Event::Message {
            payload: Cow::Borrowed(payload),
            ..
        }) = step.event
        else {
            panic!("{:?}", step.event);
        };
        assert_eq!(payload, expected);
        assert!(range.contains(&payload.as_ptr()));
        rest = &mut rest[consumed..];
    }
    assert!(rest.is_empty());
    assert_eq!(decoder.memory(), 0);
}

#[test]
fn memory_grows_with_what_arrived() {
    let limits = Limits {
        message_bytes: 1 << 30,
        ..LIMITS
    };
    let mut inflater = Inflater::new();
    for first in [BINARY, BINARY & MORE] {
        let mut decoder = Decoder::new(limits, None);
        let bytes = [head(first, 1 << 30), vec![0; 4]].concat();
        feed(&mut decoder, &mut inflater, [&bytes[..]]);
        assert_eq!(decoder.memory(), 0, "nothing but a promise");
        let mut arrived = 0;
        for size in [1, 10, 1000, 100_000, 1_000_000] {
            feed(&mut decoder, &mut inflater, [&vec![7; size][..]]);
            arrived += size;
            assert!(decoder.memory() <= 2 * arrived);
        }
    }
    // No more than the message, once its end is known.
    let bytes = frame(BINARY, &noise(100_000, 3));
    let mut decoder = Decoder::new(limits, None);
    feed(&mut decoder, &mut inflater, [&bytes[..90_000]]);
    assert!(decoder.memory() <= 100_000);
    feed(&mut decoder, &mut inflater, [&bytes[90_000..]]);
    assert_eq!(decoder.memory(), 0, "the message was given away");
}

#[test]
fn fragments_are_counted() {
    let limits = Limits {
        fragments: 1000,
        ..LIMITS
    };
    let mut inflater = Inflater::new();
    for (payload, compressed) in [
        (&b"a"[..], 0),
        (b"", 0),
        (b"a", COMPRESSED),
        (b"", COMPRESSED),
    ] {
        let mut decoder = Decoder::new(limits, Some(&NO_TAKEOVER));
        let first = frame((TEXT | compressed) & MORE, payload);
        let more = frame(CONTINUATION & MORE, payload);
        let mut outcome = feed(&mut decoder, &mut inflater, [&first[..]]);
        for _ in 1..1000 {
            assert_eq!(outcome.failure, None);
            assert!(decoder.memory() <= 2 * 1000);
            outcome = feed(&mut decoder, &mut inflater, [&more[..]]);
        }
        assert_eq!(outcome.failure, None);
        // The last of them may also be one too many.
        let last = frame(CONTINUATION, payload);
        outcome = feed(&mut decoder, &mut inflater, [&last[..]]);
        assert_eq!(outcome.failure.map(|failure| failure.code), Some(1008));
        assert_eq!(decoder.memory(), 0);
    }

    // Each message anew, and control frames do not count.
    let mut decoder = Decoder::new(
        Limits {
            fragments: 2,
            ..LIMITS
        },
        None,
    );
    let bytes = [
        frame(TEXT & MORE, b"a"),
        frame(PING, b""),
        frame(PING, b""),
        frame(CONTINUATION, b"b"),
    ]
    .concat();
    for _ in 0..3 {
        let outcome = feed(&mut decoder, &mut inflater, [&bytes[..]]);
        assert_eq!(outcome.failure, None);
        assert_eq!(outcome.events.last(), Some(&text("ab")));
    }
}

#[test]
fn limits_are_exact() {
    let limits = Limits {
        message_bytes: 300,
        ..LIMITS
    };
    let code = |agreed: Option<&Agreed>, bytes: &[u8]| {
        replay(limits, agreed, bytes)
            .failure
            .map(|failure| failure.code)
    };
    let bytes = noise(301, 4);
    assert_eq!(code(None, &frame(BINARY, &bytes[..300])), None);
    assert_eq!(code(None, &frame(BINARY, &bytes)), Some(1009));
    let two = |length| {
        [
            frame(BINARY & MORE, &bytes[..200]),
            frame(CONTINUATION, &bytes[200..length]),
        ]
        .concat()
    };
    assert_eq!(code(None, &two(300)), None);
    assert_eq!(code(None, &two(301)), Some(1009));

    // Inflated, even if it does not compress.
    let stored = |bytes: &[u8]| {
        let length = bytes.len() as u16;
        [
            &[0][..],
            &length.to_le_bytes(),
            &(!length).to_le_bytes(),
            bytes,
            &[0],
        ]
        .concat()
    };
    let agreed = Some(&NO_TAKEOVER);
    let first = BINARY | COMPRESSED;
    assert_eq!(code(agreed, &frame(first, &stored(&bytes[..300]))), None);
    assert_eq!(code(agreed, &frame(first, &stored(&bytes))), Some(1009));

    // A limit of nothing.
    let nothing = Limits {
        message_bytes: 0,
        ..LIMITS
    };
    assert_eq!(replay(nothing, None, &frame(TEXT, b"")).events, [text("")]);
    assert!(replay(nothing, None, &frame(TEXT, b"a")).failure.is_some());
    let outcome = replay(nothing, agreed, &frame(first, b"\0"));
    assert_eq!(outcome.events, [binary(b"")]);
    assert!(
        replay(nothing, agreed, &frame(first, &stored(b"a")))
            .failure
            .is_some()
    );
}

#[test]
fn a_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 192, "{}", size_of::<Decoder>());
}
