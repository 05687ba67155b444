//! Chunked content: the decoder agrees with one that is simple and slow,
//! however the bytes are cut and however little room there is.

#![no_main]

use jstime_serve::http::limits::{CHUNK_EXTENSION_BYTES, CHUNK_LINE_BYTES, TRAILER_BYTES};
use jstime_serve::http::{BodyDecoder, BodyLength};
use libfuzzer_sys::fuzz_target;

/// What comes of some bytes.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Content, and how many bytes it took.
    Done(Vec<u8>, usize),
    Incomplete,
    Refused,
}

fuzz_target!(|input: &[u8]| {
    let whole = decode_at(input, usize::MAX, [input.len()]);
    assert_eq!(decode_at(input, 3, 1..=input.len()), whole);
    assert_eq!(decode_at(input, 1, [input.len()]), whole);
    let halves = [input.len() / 2, input.len()];
    assert_eq!(decode_at(input, usize::MAX, halves), whole);
    match expect(input) {
        // A line that has not ended may be refused already.
        Outcome::Incomplete => assert!(!matches!(whole, Outcome::Done(..))),
        expected => assert_eq!(whole, expected),
    }
});

fn decode_at(input: &[u8], room: usize, lengths: impl IntoIterator<Item = usize>) -> Outcome {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked);
    let mut content = Vec::new();
    let mut used = 0;
    for arrived in lengths {
        while used < arrived && !decoder.is_done() {
            let had = content.len();
            match decoder.decode(&input[used..arrived], room, &mut content) {
                Ok(more) => {
                    assert!(more > 0);
                    used += more;
                }
                Err(_) => return Outcome::Refused,
            }
            assert!(content.len() - had <= room);
        }
        if decoder.is_done() {
            return Outcome::Done(content, used);
        }
    }
    Outcome::Incomplete
}

/// The same by RFC 9112, 7.1, line by line.
fn expect(input: &[u8]) -> Outcome {
    let mut content = Vec::new();
    let mut rest = input;
    let mut extensions = 0;
    loop {
        let Some(line) = take_line(&mut rest) else {
            return Outcome::Incomplete;
        };
        let Some((size, extra)) = size_of(line) else {
            return Outcome::Refused;
        };
        extensions += extra;
        if line.len() > CHUNK_LINE_BYTES || extensions > CHUNK_EXTENSION_BYTES {
            return Outcome::Refused;
        }
        if size == 0 {
            break;
        }
        let Some((chunk, after)) = rest.split_at_checked(size as usize) else {
            return Outcome::Incomplete;
        };
        match after {
            [b'\r', b'\n', after @ ..] => rest = after,
            [] | [b'\r'] => return Outcome::Incomplete,
            _ => return Outcome::Refused,
        }
        content.extend_from_slice(chunk);
    }
    let mut trailers = 0;
    loop {
        let Some(line) = take_line(&mut rest) else {
            return Outcome::Incomplete;
        };
        if line.is_empty() {
            return Outcome::Done(content, input.len() - rest.len());
        }
        trailers += line.len() + 2;
        if !is_field(line) || trailers > TRAILER_BYTES {
            return Outcome::Refused;
        }
    }
}

/// What comes before the next CR LF.
fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    let line = &rest[..end];
    *rest = &rest[end + 2..];
    Some(line)
}

/// The size, and how many bytes of the line are no part of it.
fn size_of(line: &[u8]) -> Option<(u64, usize)> {
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (size, extension) = line.split_at(digits);
    let size = str::from_utf8(size).unwrap();
    let size = u128::from_str_radix(size.trim_start_matches('0'), 16);
    let size = match size {
        Ok(size) => u64::try_from(size).ok().filter(|size| size >> 60 == 0)?,
        Err(_) if digits > 0 && line[..digits].iter().all(|digit| *digit == b'0') => 0,
        Err(_) => return None,
    };
    match extension.trim_ascii_start() {
        [] if extension.is_empty() => {}
        [b';', rest @ ..] if rest.iter().all(is_visible) => {}
        _ => return None,
    }
    let white = &extension[..extension.len() - extension.trim_ascii_start().len()];
    let valid = white.iter().all(is_visible);
    valid.then_some((size, digits.saturating_sub(16) + extension.len()))
}

fn is_visible(byte: &u8) -> bool {
    *byte == b'\t' || !byte.is_ascii_control()
}

fn is_field(line: &[u8]) -> bool {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    match line.iter().position(|byte| !token(byte)) {
        Some(colon) if colon > 0 && line[colon] == b':' => line[colon..].iter().all(is_visible),
        _ => false,
    }
}
