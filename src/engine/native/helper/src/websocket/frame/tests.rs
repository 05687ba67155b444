use super::*;

const ANY: Expected = Expected {
    continuation: false,
    compression: false,
    room: u64::MAX,
    compressed_room: u64::MAX,
};
const IN_MESSAGE: Expected = Expected {
    continuation: true,
    ..ANY
};
const DEFLATE: Expected = Expected {
    compression: true,
    ..ANY
};
const DEFLATE_IN_MESSAGE: Expected = Expected {
    continuation: true,
    ..DEFLATE
};

/// What a head is refused for, and with how many of its bytes.
fn refused(bytes: &[u8], expected: &Expected) -> Option<(&'static str, usize)> {
    (0..=bytes.len()).find_map(|length| {
        let failure = parse_head(&bytes[..length], expected).err()?;
        assert_eq!(
            failure.code,
            if failure == Failure::TOO_BIG {
                1009
            } else {
                1002
            }
        );
        Some((failure.reason, length))
    })
}

#[test]
fn heads() {
    use Opcode::*;
    let key = [1, 2, 3, 4];
    type Row = (&'static [u8], Expected, Opcode, bool, bool, u64);
    let rows: [Row; 14] = [
        (b"\x81\x80", ANY, Text, true, false, 0),
        (b"\x82\xfd", ANY, Binary, true, false, 125),
        (b"\x01\x85", ANY, Text, false, false, 5),
        (b"\x00\x85", IN_MESSAGE, Continuation, false, false, 5),
        (b"\x80\x85", IN_MESSAGE, Continuation, true, false, 5),
        (b"\x82\xfe\x00\x7e", ANY, Binary, true, false, 126),
        (b"\x82\xfe\xff\xff", ANY, Binary, true, false, 65535),
        (
            b"\x82\xff\0\0\0\0\0\x01\0\0",
            ANY,
            Binary,
            true,
            false,
            65536,
        ),
        (
            b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
            ANY,
            Binary,
            true,
            false,
            u64::MAX >> 1,
        ),
        (b"\xc1\x81", DEFLATE, Text, true, true, 1),
        (b"\x42\x81", DEFLATE, Binary, false, true, 1),
        (b"\x88\x80", ANY, Close, true, false, 0),
        (b"\x89\xfd", IN_MESSAGE, Ping, true, false, 125),
        (b"\x8a\x81", DEFLATE_IN_MESSAGE, Pong, true, false, 1),
    ];
    for (bytes, expected, opcode, is_final, is_compressed, length) in rows {
        let head = FrameHead {
            opcode,
            is_final,
            is_compressed,
            length,
            mask: Mask::new(key),
        };
        let whole = [bytes, &key, b"payload"].concat();
        let size = bytes.len() + 4;
        assert_eq!(parse_head(&whole, &expected), Ok(Some((head, size))));
        for cut in 0..size {
            assert_eq!(parse_head(&whole[..cut], &expected), Ok(None));
        }
    }
}

#[test]
fn violations_are_found_at_once() {
    let rows: &[(&[u8], Expected, &str, usize)] = &[
        (b"\x91\x80", ANY, "Reserved bit is set", 1),
        (b"\xa1\x80", ANY, "Reserved bit is set", 1),
        (b"\xc1\x80", ANY, "Reserved bit is set", 1),
        (b"\xf1\x80", DEFLATE, "Reserved bit is set", 1),
        (b"\xe1\x80", DEFLATE, "Reserved bit is set", 1),
        (b"\xc0\x80", DEFLATE_IN_MESSAGE, "Reserved bit is set", 1),
        (b"\xc8\x80", DEFLATE, "Reserved bit is set", 1),
        (b"\xc9\x80", DEFLATE, "Reserved bit is set", 1),
        (b"\xca\x80", DEFLATE, "Reserved bit is set", 1),
        (b"\x83\x80", ANY, "Unknown opcode", 1),
        (b"\x84\x80", ANY, "Unknown opcode", 1),
        (b"\x85\x80", ANY, "Unknown opcode", 1),
        (b"\x86\x80", ANY, "Unknown opcode", 1),
        (b"\x87\x80", ANY, "Unknown opcode", 1),
        (b"\x8b\x80", ANY, "Unknown opcode", 1),
        (b"\x8c\x80", ANY, "Unknown opcode", 1),
        (b"\x8d\x80", ANY, "Unknown opcode", 1),
        (b"\x8e\x80", ANY, "Unknown opcode", 1),
        (b"\x8f\x80", ANY, "Unknown opcode", 1),
        (b"\x08\x80", ANY, "Control frame is fragmented", 1),
        (b"\x09\x80", ANY, "Control frame is fragmented", 1),
        (b"\x0a\x80", ANY, "Control frame is fragmented", 1),
        (b"\x80\x80", ANY, "Continuation of nothing", 1),
        (b"\x00\x80", ANY, "Continuation of nothing", 1),
        (b"\x81\x80", IN_MESSAGE, "Message inside of another", 1),
        (b"\x02\x80", IN_MESSAGE, "Message inside of another", 1),
        (b"\x81\x05", ANY, "Frame is not masked", 2),
        (b"\x88\x00", ANY, "Frame is not masked", 2),
        (b"\x88\x81", ANY, "Close frame with half a code", 2),
        (b"\x88\xfe\x00\x7e", ANY, "Control frame is too long", 4),
        (b"\x89\xfe\xff\xff", ANY, "Control frame is too long", 4),
        (
            b"\x8a\xff\0\0\0\0\0\x01\0\0",
            ANY,
            "Control frame is too long",
            10,
        ),
        (
            b"\x82\xfe\x00\x7d",
            ANY,
            "Length is not in its shortest form",
            4,
        ),
        (
            b"\x89\xfe\x00\x05",
            ANY,
            "Length is not in its shortest form",
            4,
        ),
        (
            b"\x82\xff\0\0\0\0\0\0\xff\xff",
            ANY,
            "Length is not in its shortest form",
            10,
        ),
        (
            b"\x82\xff\x80\0\0\0\0\0\0\0",
            ANY,
            "Length has its highest bit set",
            10,
        ),
    ];
    for (bytes, expected, reason, length) in rows {
        let found = refused(bytes, expected);
        assert_eq!(found, Some((*reason, *length)), "{bytes:02x?}");
    }
}

#[test]
fn a_length_without_room_is_refused_before_the_mask() {
    let narrow = Expected {
        room: 200,
        compressed_room: 300,
        ..DEFLATE
    };
    let too_big = Failure::TOO_BIG.reason;
    assert_eq!(refused(b"\x82\xfe\x00\xc8", &narrow), None);
    assert_eq!(refused(b"\x82\xfe\x00\xc9", &narrow), Some((too_big, 4)));
    assert_eq!(refused(b"\xc2\xfe\x01\x2c", &narrow), None);
    assert_eq!(refused(b"\xc2\xfe\x01\x2d", &narrow), Some((too_big, 4)));
    let full = Expected {
        room: 0,
        ..IN_MESSAGE
    };
    assert_eq!(refused(b"\x80\x80", &full), None);
    assert_eq!(refused(b"\x80\x81", &full), Some((too_big, 2)));
    // Control frames are not part of the message.
    assert_eq!(refused(b"\x89\xfd", &full), None);
}

#[test]
fn masks_at_any_split() {
    for length in 0..40 {
        let plain: Vec<u8> = (0..length).map(|i: u8| i.wrapping_mul(7)).collect();
        let key = [0x11, 0x82, 0xf3, 0x04];
        let masked: Vec<u8> = plain
            .iter()
            .zip(key.iter().cycle())
            .map(|(a, b)| a ^ b)
            .collect();
        for one in 0..=masked.len() {
            for two in one..=masked.len() {
                let mut bytes = masked.clone();
                let mut mask = Mask::new(key);
                mask.apply(&mut bytes[..one]);
                mask.apply(&mut bytes[one..two]);
                mask.apply(&mut bytes[two..]);
                assert_eq!(bytes, plain);
            }
        }
    }
}

#[test]
fn a_mask_of_zeros_changes_nothing() {
    let mut bytes = *b"unchanged";
    Mask::new([0; 4]).apply(&mut bytes);
    assert_eq!(&bytes, b"unchanged");
}
