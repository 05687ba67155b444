//! Request heads: whatever comes in, it is understood in one way, and the
//! framing that comes out is what a second look at the lines says.

#![no_main]

use jstime_serve::http::{BodyLength, Head, HeadParser, Limits};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    head_bytes: 2048,
    header_count: 20,
    target_bytes: 512,
};

fuzz_target!(|input: &[u8]| {
    let whole = parse_at(input, [input.len()]);
    assert_eq!(parse_at(input, 1..=input.len()), whole);
    let split = input.iter().fold(0, |hash: usize, byte| {
        hash.wrapping_mul(31) + usize::from(*byte)
    });
    let split = split % (input.len() + 1);
    assert_eq!(parse_at(input, [split, input.len()]), whole);
    if let Some(head) = whole {
        let end = head.consumed;
        assert_eq!(parse_at(&input[..end], [end]).as_ref(), Some(&head));
        check(input, &head);
    }
});

/// Parses what has arrived after each of `lengths` bytes. `None`: it is refused
/// or not complete.
fn parse_at(input: &[u8], lengths: impl IntoIterator<Item = usize>) -> Option<Head> {
    let mut parser = HeadParser::default();
    let mut head = Head::default();
    for length in lengths {
        if parser.parse(&input[..length], &LIMITS, &mut head).ok()? {
            return Some(head);
        }
    }
    None
}

/// Reads the lines once more, in the simplest way.
fn check(input: &[u8], head: &Head) {
    let text = &input[..head.consumed];
    let start = text
        .iter()
        .position(|byte| !b"\r\n".contains(byte))
        .unwrap();
    let text = text[start..].strip_suffix(b"\r\n\r\n").unwrap();
    assert!(text.len() + 4 <= LIMITS.head_bytes);
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        lines.push(&rest[..end]);
        rest = &rest[end + 2..];
    }
    lines.push(rest);
    for byte in b"\r\n\0\x7f" {
        assert!(lines.iter().all(|line| !line.contains(byte)));
    }

    let words: Vec<_> = lines[0].split(|byte| *byte == b' ').collect();
    let version: &[u8] = if head.http_1_0 {
        b"HTTP/1.0"
    } else {
        b"HTTP/1.1"
    };
    assert_eq!(
        words,
        [head.method_text.of(input), head.target.of(input), version]
    );
    assert!(head.target.len as usize <= LIMITS.target_bytes);
    assert!(str::from_utf8(head.target.of(input)).is_ok());

    assert_eq!(head.headers.len(), lines.len() - 1);
    assert!(head.headers.len() <= LIMITS.header_count);
    let mut fields = Vec::new();
    for (line, field) in lines[1..].iter().zip(&head.headers) {
        let colon = line.iter().position(|byte| *byte == b':').unwrap();
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        assert_eq!(field.name.of(input), name);
        assert_eq!(field.value.of(input), value);
        assert!(!name.is_empty());
        assert!(
            name.iter()
                .all(|byte| byte.is_ascii_graphic() && *byte != b':')
        );
        fields.push((name.to_ascii_lowercase(), value));
    }
    let values = |name: &[u8]| -> Vec<_> {
        let same = fields.iter().filter(|(other, _)| other == name);
        same.map(|(_, value)| *value).collect()
    };
    let hosts = values(b"host");
    assert!(hosts.len() == 1 || head.http_1_0 && hosts.is_empty());
    assert_eq!(head.host.map(|host| host.of(input)), hosts.first().copied());
    let lengths = values(b"content-length");
    let codings = values(b"transfer-encoding");
    match head.body {
        BodyLength::None => assert!(lengths.is_empty() && codings.is_empty()),
        BodyLength::Chunked => {
            assert!(lengths.is_empty() && !head.http_1_0);
            assert_eq!(codings.len(), 1);
            assert!(codings[0].eq_ignore_ascii_case(b"chunked"));
        }
        BodyLength::Length(length) => {
            assert!(codings.is_empty());
            for text in lengths {
                assert!(text.iter().all(u8::is_ascii_digit));
                let text = str::from_utf8(text).unwrap();
                assert_eq!(text.parse(), Ok(length));
            }
        }
    }
    let has_content = !matches!(head.body, BodyLength::None | BodyLength::Length(0));
    assert!(!head.upgrade || !has_content);
    assert!(!head.expect_continue || has_content);
    assert!(!head.keep_alive || !head.http_1_0);
}
