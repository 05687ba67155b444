use super::*;

/// Where the first byte is that makes `bytes` wrong, pushed in these pieces:
/// the length if only the end is wrong, None if nothing is.
fn first_wrong<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Option<usize> {
    let mut utf8 = Utf8::default();
    let mut seen = 0;
    for piece in pieces {
        if utf8.push(piece).is_err() {
            return Some(seen);
        }
        seen += piece.len();
    }
    utf8.finish().is_err().then_some(seen)
}

/// What a decoder written from the table of RFC 3629, 4 says.
fn by_the_table(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let (second, length) = match bytes[at] {
            0x00..=0x7f => (0x80..=0xbf, 1),
            0xc2..=0xdf => (0x80..=0xbf, 2),
            0xe0 => (0xa0..=0xbf, 3),
            0xed => (0x80..=0x9f, 3),
            0xe1..=0xef => (0x80..=0xbf, 3),
            0xf0 => (0x90..=0xbf, 4),
            0xf4 => (0x80..=0x8f, 4),
            0xf1..=0xf3 => (0x80..=0xbf, 4),
            _ => return Some(at),
        };
        for offset in 1..length {
            let Some(byte) = bytes.get(at + offset) else {
                return Some(bytes.len());
            };
            let range = if offset == 1 {
                second.clone()
            } else {
                0x80..=0xbf
            };
            if !range.contains(byte) {
                return Some(at + offset);
            }
        }
        at += length;
    }
    None
}

fn check(bytes: &[u8]) -> bool {
    let expected = by_the_table(bytes);
    assert_eq!(first_wrong(bytes.chunks(1)), expected, "{bytes:02x?}");
    for split in 0..=bytes.len() {
        let (one, two) = bytes.split_at(split);
        let found = first_wrong([one, two].into_iter());
        assert_eq!(found.is_some(), expected.is_some(), "{bytes:02x?}");
    }
    expected.is_none()
}

#[test]
fn every_two_bytes_and_their_continuations() {
    for first in 0..=0xff {
        for second in 0..=0xff {
            check(&[first, second]);
            for third in [0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff] {
                check(&[first, second, third]);
                check(&[first, second, third, 0x80]);
            }
        }
    }
}

#[test]
fn fails_at_the_first_wrong_byte() {
    let rows: [(&[u8], Option<usize>); 14] = [
        (b"", None),
        ("κόσμε".as_bytes(), None),
        (b"a\xc0", Some(1)),
        (b"\xe0\x9f\x80", Some(1)),
        (b"\xe0\xa0\x7f", Some(2)),
        (b"\xed\xa0\x80", Some(1)),
        (b"\xed\x9f\xbf", None),
        (b"\xf0\x8f\xbf\xbf", Some(1)),
        (b"\xf4\x8f\xbf\xbf", None),
        (b"\xf4\x90\x80\x80", Some(1)),
        (b"\xf1\x80\x80", Some(3)),
        (b"\xf1\x80\x80a", Some(3)),
        (b"\xf5", Some(0)),
        (b"ok\x80", Some(2)),
    ];
    for (bytes, expected) in rows {
        assert_eq!(first_wrong(bytes.chunks(1)), expected, "{bytes:02x?}");
    }
}

#[test]
fn is_ready_for_another_text() {
    let mut utf8 = Utf8::default();
    assert_eq!(utf8.push(b"\xe2\x82"), Ok(()));
    assert_eq!(utf8.finish(), Err(NotUtf8));
    assert_eq!(utf8.push(b"\xe2\x82"), Ok(()));
    assert_eq!(utf8.push(b""), Ok(()));
    assert_eq!(utf8.push(b"\xac"), Ok(()));
    assert_eq!(utf8.finish(), Ok(()));
}

/// The texts of Autobahn's section 6, by value: whether each is UTF-8.
#[test]
fn autobahn_6() {
    let kosme = "κόσμε".as_bytes();
    let greeting = "Hello-µ@ßöäüàá-UTF-8!!".as_bytes();
    // 6.2: valid, 6.3 and 6.4: a surrogate or too large in the middle.
    assert!(check(greeting));
    assert!(check(kosme));
    assert!(!check(&[kosme, b"\xed\xa0\x80edited"].concat()));
    assert!(!check(&[kosme, b"\xf4\x90\x80\x80edited"].concat()));
    // 6.5: kosme again, and alone as bytes.
    assert!(check(b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"));
    // 6.5.2 to 6.5.5: characters that are not complete.
    for cut in [1, 3, 4, 6, 8, 10] {
        assert!(!check(
            &b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"[..cut]
        ));
    }

    let valid: [&[u8]; 24] = [
        // 6.6: first of each length, 6.7: last.
        b"\x00",
        b"\xc2\x80",
        b"\xe0\xa0\x80",
        b"\xf0\x90\x80\x80",
        b"\x7f",
        b"\xdf\xbf",
        b"\xef\xbf\xbf",
        b"\xf4\x8f\xbf\xbf",
        // 6.9: beside the surrogates, the replacement, the last.
        b"\xed\x9f\xbf",
        b"\xee\x80\x80",
        b"\xef\xbf\xbd",
        b"\xf4\x8f\xbf\xbf",
        // 6.22: no characters, but valid.
        b"\xef\xbf\xbe",
        b"\xef\xbf\xbf",
        b"\xf0\x9f\xbf\xbe",
        b"\xf0\x9f\xbf\xbf",
        b"\xf0\xaf\xbf\xbe",
        b"\xf3\xbf\xbf\xbf",
        b"\xf4\x8f\xbf\xbe",
        // 6.23: specials.
        b"\xef\xbf\xb9",
        b"\xef\xbf\xba",
        b"\xef\xbf\xbb",
        b"\xef\xbf\xbc",
        b"\xef\xbf\xbd",
    ];
    for bytes in valid {
        assert!(check(bytes), "{bytes:02x?}");
    }

    let invalid: [&[u8]; 46] = [
        // 6.8: five and six bytes; 6.10 and 6.11: too large.
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xf7\xbf\xbf\xbf",
        b"\xfb\xbf\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf\xbf",
        b"\xf4\x90\x80\x80",
        // 6.12: continuations on their own.
        b"\x80",
        b"\xbf",
        b"\x80\xbf",
        b"\x80\xbf\x80",
        b"\x80\xbf\x80\xbf",
        b"\x80\xbf\x80\xbf\x80",
        b"\x80\xbf\x80\xbf\x80\xbf",
        // 6.13: first bytes on their own, here with a space behind.
        b"\xc0 \xc1 ",
        b"\xdf ",
        b"\xe0 ",
        b"\xef ",
        b"\xf0 ",
        b"\xf7 ",
        b"\xf8 ",
        b"\xfc ",
        b"\xfd ",
        // 6.14: the last continuation is missing; 6.15: several such.
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xc0\xe0\x80\xf0\x80\x80",
        // 6.16: bytes that never are.
        b"\xfe",
        b"\xff",
        b"\xfe\xfe\xff\xff",
        // 6.17 to 6.19: longer than needed.
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x80\x80\x80\xaf",
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xc0\x80",
        // 6.20 and 6.21: surrogates, alone and in pairs.
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xed\xaf\xbf\xed\xbf\xbf",
    ];
    for bytes in invalid {
        assert!(!check(bytes), "{bytes:02x?}");
    }
}
