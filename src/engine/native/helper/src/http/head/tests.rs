use super::lines::STACK_FIELDS;
use super::*;
use crate::abi;
use crate::http::limits::FIELD_BYTES;

const LIMITS: Limits = Limits {
    head_bytes: 4096,
    header_count: 40,
    target_bytes: 1024,
};

/// What must never be taken for a part of the request before it.
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: next\r\n\r\n";

type Outcome = Result<Option<Head>, Refusal>;

/// Parses what has arrived after each of `lengths` bytes.
fn parse_at(input: &[u8], limits: &Limits, lengths: impl IntoIterator<Item = usize>) -> Outcome {
    let mut parser = HeadParser::default();
    let mut head = Head::default();
    for length in lengths {
        if parser.parse(&input[..length], limits, &mut head)? {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

/// Parses the whole, byte by byte, and split at every offset.
fn replay_with(input: &[u8], limits: &Limits) -> Outcome {
    let whole = parse_at(input, limits, [input.len()]);
    let bytes = parse_at(input, limits, 1..=input.len());
    assert_eq!(bytes, whole, "byte by byte: {}", input.escape_ascii());
    for split in 0..input.len() {
        let halves = parse_at(input, limits, [split, input.len()]);
        assert_eq!(halves, whole, "split at {split}: {}", input.escape_ascii());
    }
    whole
}

fn replay(input: &[u8]) -> Outcome {
    replay_with(input, &LIMITS)
}

/// The head that `lines` are, with more behind it.
fn taken(lines: &[u8]) -> Head {
    let input = [lines, NEXT.as_bytes()].concat();
    let head = match replay(&input) {
        Ok(Some(head)) => head,
        other => panic!("{other:?}: {}", lines.escape_ascii()),
    };
    assert_eq!(head.consumed, lines.len(), "{}", lines.escape_ascii());
    head
}

fn refused(input: &[u8], status: u16) {
    let outcome = replay(&[input, NEXT.as_bytes()].concat());
    assert_eq!(outcome, Err(Refusal { status }), "{}", input.escape_ascii());
}

/// A valid head with this request line.
fn with_line(line: &str) -> Vec<u8> {
    latin1(&format!("{line}\r\nHost: localhost\r\n\r\n"))
}

/// A valid head with these fields in addition.
fn with_fields(fields: &[&str]) -> Vec<u8> {
    let mut head = String::from("POST /a HTTP/1.1\r\nHost: localhost\r\n");
    for field in fields {
        head += field;
        head += "\r\n";
    }
    latin1(&(head + "\r\n"))
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|char| u8::try_from(u32::from(char)).unwrap())
        .collect()
}

fn fields_of(head: &Head, input: &[u8]) -> Vec<(String, String)> {
    let text = |span: Span| {
        span.of(input)
            .iter()
            .map(|byte| char::from(*byte))
            .collect()
    };
    head.headers
        .iter()
        .map(|field| (text(field.name), text(field.value)))
        .collect()
}

#[test]
fn a_request_is_described() {
    let input = b"GET /a?b HTTP/1.1\r\nHost: a.example:80\r\nX-A:\t b  c \t\r\n\
        X-Empty:\r\nx-tight:b: c\r\nX-\xc3\r\n\r\n";
    // Names are ASCII.
    refused(input, 400);
    let input = b"GET /a?b HTTP/1.1\r\nHost: a.example:80\r\nX-A:\t b  c \t\r\n\
        X-Empty:\r\nX-White: \t \r\nx-tight:b: c\r\nX-Latin: caf\xe9\r\n\r\n";
    let head = taken(input);
    assert_eq!(head.method, abi::METHOD_GET);
    assert_eq!(head.method_text.of(input), b"GET");
    assert_eq!(head.target.of(input), b"/a?b");
    assert_eq!(head.host.unwrap().of(input), b"a.example:80");
    let fields = [
        ("Host", "a.example:80"),
        ("X-A", "b  c"),
        ("X-Empty", ""),
        ("X-White", ""),
        ("x-tight", "b: c"),
        ("X-Latin", "caf\u{e9}"),
    ];
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    assert_eq!(fields_of(&head, input), fields);
    assert!(!head.http_1_0);
    assert!(head.keep_alive);
    assert_eq!(head.body, BodyLength::None);
    assert!(!head.upgrade && !head.expect_continue && !head.conditional);
    assert_eq!(head.if_none_match, None);
}

#[test]
fn a_head_is_reused() {
    let mut parser = HeadParser::default();
    let mut head = Head::default();
    let first = b"POST /a HTTP/1.0\r\nContent-Length: 5\r\nIf-None-Match: \"a\"\r\n\
        Host: a\r\nConnection: close\r\n\r\n";
    assert_eq!(parser.parse(first, &LIMITS, &mut head), Ok(true));
    assert!(head.conditional && head.http_1_0);
    let second = b"GET /b HTTP/1.1\r\nHost: b\r\n\r\n";
    assert_eq!(parser.parse(second, &LIMITS, &mut head), Ok(true));
    let fresh = parse_at(second, &LIMITS, [second.len()]).unwrap().unwrap();
    assert_eq!(head, fresh);
    // A refused head leaves nothing behind either.
    assert_eq!(parser.parse(b"GET", &LIMITS, &mut head), Ok(false));
    assert!(parser.parse(b"GET\n", &LIMITS, &mut head).is_err());
    assert_eq!(parser.parse(second, &LIMITS, &mut head), Ok(true));
    assert_eq!(head, fresh);
    // Nor does one that was given up.
    assert_eq!(parser.parse(&second[..25], &LIMITS, &mut head), Ok(false));
    parser.reset();
    assert_eq!(parser.parse(second, &LIMITS, &mut head), Ok(true));
    assert_eq!(head, fresh);
}

#[test]
fn pipelined_heads_come_one_by_one() {
    let targets: Vec<String> = (0..50).map(|index| format!("/{index}")).collect();
    let input: Vec<u8> = targets
        .iter()
        .flat_map(|target| with_line(&format!("GET {target} HTTP/1.1")))
        .collect();
    let mut rest = &input[..];
    let mut parser = HeadParser::default();
    let mut head = Head::default();
    for target in &targets {
        assert_eq!(parser.parse(rest, &LIMITS, &mut head), Ok(true));
        assert_eq!(head.target.of(rest), target.as_bytes());
        rest = &rest[head.consumed..];
    }
    assert_eq!(parser.parse(rest, &LIMITS, &mut head), Ok(false));
}

#[test]
fn methods_are_told_apart_by_case() {
    let rows = [
        ("GET", abi::METHOD_GET),
        ("HEAD", abi::METHOD_HEAD),
        ("POST", abi::METHOD_POST),
        ("PUT", abi::METHOD_PUT),
        ("PATCH", abi::METHOD_PATCH),
        ("DELETE", abi::METHOD_DELETE),
        ("OPTIONS", abi::METHOD_OPTIONS),
        ("get", abi::METHOD_OTHER),
        ("Get", abi::METHOD_OTHER),
        ("GETS", abi::METHOD_OTHER),
        ("TRACE", abi::METHOD_OTHER),
        ("PURGE", abi::METHOD_OTHER),
        ("__proto__", abi::METHOD_OTHER),
        ("!#$%&'*+-.^_`|~", abi::METHOD_OTHER),
    ];
    for (method, number) in rows {
        let input = with_line(&format!("{method} /a HTTP/1.1"));
        let head = taken(&input);
        assert_eq!(head.method, number, "{method}");
        assert_eq!(head.method_text.of(&input), method.as_bytes());
    }
}

#[test]
fn malformed_request_lines_are_refused() {
    let lines = [
        "GET",
        "GET ",
        "GET /a",
        "GET /a ",
        "/a HTTP/1.1",
        "GET HTTP/1.1",
        " GET /a HTTP/1.1",
        "\tGET /a HTTP/1.1",
        "GET  /a HTTP/1.1",
        "GET /a  HTTP/1.1",
        "GET /a HTTP/1.1 ",
        "GET\t/a\tHTTP/1.1",
        "GET /a\tHTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET /a b HTTP/2.0",
        "G@T /a HTTP/1.1",
        "GET: /a HTTP/1.1",
        "G\u{e9}T /a HTTP/1.1",
        "GET /a\0b HTTP/1.1",
        "GET /a\x01b HTTP/1.1",
        "GET /a\rb HTTP/1.1",
        "GET /a\x7fb HTTP/1.1",
        "GET /a\r HTTP/1.1",
        "GET /a HTTP/1.1\r",
        "GET /a HTTP/1.1\rX",
        // Not UTF-8.
        "GET /\u{e9} HTTP/1.1",
        "GET /\u{c0}\u{ae} HTTP/1.1",
        "GET a HTTP/1.1",
        "GET ?a HTTP/1.1",
        "GET a:80 HTTP/1.1",
        "GET * HTTP/1.1",
        "OPTIONS ** HTTP/1.1",
        "OPTIONS */a HTTP/1.1",
        "GET http:// HTTP/1.1",
        "GET http:///a HTTP/1.1",
        "GET http://u@a/b HTTP/1.1",
        "GET ftp://a/b HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "GET http://a/b#c HTTP/1.1",
        "GET /a http/1.1",
        "GET /a Http/1.1",
        "GET /a XTTP/1.1",
        "GET /a HTTP/1,1",
        "GET /a HTTP/11",
        "GET /a HTTP/1",
        "GET /a HTTP/1.",
        "GET /a HTTP/1.11",
        "GET /a HTTP/01.1",
        "GET /a HTTP/a.1",
        "GET /a HTTP 1.1",
        "GET /a HTTPS/1.1",
        "BAD",
        "nonsense",
    ];
    for line in lines {
        refused(&with_line(line), 400);
    }
    refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400);
    refused(b" and more\r\n\r\n", 400);
}

#[test]
fn other_versions_are_refused() {
    for version in ["0.9", "1.2", "1.9", "2.0", "3.0"] {
        refused(&with_line(&format!("GET /a HTTP/{version}")), 505);
    }
    refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
}

#[test]
fn connect_is_refused() {
    for target in ["a:80", "/a", "http://a/", "*"] {
        refused(&with_line(&format!("CONNECT {target} HTTP/1.1")), 501);
    }
}

#[test]
fn targets_are_handed_on_as_sent() {
    let rows = [
        "GET /",
        "GET //a/b",
        "GET /x/../%2e%2E/b?c=../d",
        "GET /a\\b",
        "GET /?__proto__=1&constructor[prototype][x]=2",
        "GET /%",
        "GET /|^`{}<>\"",
        "GET http://example.com:81/a?b",
        "GET HTTP://LOCALHOST/right",
        "GET http://localhost?/right",
        "OPTIONS *",
        "OPTIONS /",
    ];
    for row in rows {
        let input = with_line(&format!("{row} HTTP/1.1"));
        let target = row.split(' ').nth(1).unwrap();
        assert_eq!(taken(&input).target.of(&input), target.as_bytes());
    }
    // UTF-8 is no valid target, but common and not ambiguous.
    let input = "GET /ü HTTP/1.1\r\nHost: a\r\n\r\n".as_bytes();
    assert_eq!(taken(input).target.of(input), "/ü".as_bytes());
}

#[test]
fn malformed_fields_are_refused() {
    let fields = [
        " X-A: b",
        "\tX-A: b",
        " ",
        "X-A: b\r\n c",
        "X-A: b\r\n\tc",
        "X-A: b\r\n ",
        "X-A : b",
        "X-A\t: b",
        "X-A\r\n: b",
        ": b",
        ":",
        "X-A",
        "X A: b",
        "X(A): b",
        "X\"A: b",
        "X/A: b",
        "X@A: b",
        "X[A]: b",
        "X{A}: b",
        "X\u{e9}: b",
        "X-A\0: b",
        "X\x7f: b",
        "X-A: b\0c",
        "X-A: b\x01c",
        "X-A: b\x0bc",
        "X-A: b\x0cc",
        "X-A: b\x1bc",
        "X-A: b\x7fc",
        "X-A: \0",
        "X-A:\0",
        "X-A: b\rc",
        "X-A: b\r",
        "X-A: \r",
        "X-A:\r\r",
        "\rX-A: b",
    ];
    for field in fields {
        refused(&with_fields(&[field]), 400);
        refused(&with_fields(&[field, "X-B: c"]), 400);
        refused(&with_fields(&["X-B: c", field]), 400);
    }
    // Before any other field.
    for field in [" X-A: b", "\tX-A: b", " "] {
        let head = format!("GET / HTTP/1.1\r\n{field}\r\nHost: a\r\n\r\n");
        refused(head.as_bytes(), 400);
    }
}

#[test]
fn bare_line_feeds_are_refused() {
    let head = "GET /a HTTP/1.1\r\nHost: a\r\nX-A: b\r\nX-B:\r\nX-C: d \r\n\r\n";
    assert!(replay(head.as_bytes()).unwrap().is_some());
    let ends: Vec<_> = head.match_indices("\r\n").map(|(at, _)| at).collect();
    for end in &ends {
        let mut bare = head.to_owned();
        bare.remove(*end);
        refused(bare.as_bytes(), 400);
        let mut early = head.to_owned();
        early.insert(*end, '\n');
        refused(early.as_bytes(), 400);
        let mut doubled = head.to_owned();
        doubled.insert(*end, '\r');
        refused(doubled.as_bytes(), 400);
    }
    // Also if nothing but them comes.
    let bare = head.replace('\r', "");
    assert_eq!(replay(bare.as_bytes()), Err(Refusal::BAD_REQUEST));
    assert_eq!(replay(b"\nGET / HTTP/1.1\r\n"), Err(Refusal::BAD_REQUEST));
    assert_eq!(replay(b"GET /a HTTP/1.1\n"), Err(Refusal::BAD_REQUEST));
    // A bare CR instead of a line end.
    for end in &ends[..ends.len() - 1] {
        let mut bare = head.to_owned();
        bare.remove(*end + 1);
        refused(bare.as_bytes(), 400);
    }
}

#[test]
fn empty_lines_before_a_request_are_skipped() {
    let head = with_line("GET /a HTTP/1.1");
    for lines in 0..=EMPTY_LINES {
        let input = [&b"\r\n".repeat(lines), &head[..]].concat();
        assert_eq!(taken(&input).target.of(&input), b"/a");
    }
    refused(&[&b"\r\n".repeat(EMPTY_LINES + 1), &head[..]].concat(), 400);
    for start in ["\n", "\r", "\r\r\n", "\r\n\n", "\r\n ", "\0"] {
        refused(&[start.as_bytes(), &head].concat(), 400);
    }
    for start in ["", "\r", "\r\n", "\r\n\r"] {
        assert_eq!(replay(start.as_bytes()), Ok(None));
    }
}

#[test]
fn an_incomplete_head_waits() {
    let head = with_fields(&["X-A: b", "X-B:", "Content-Length: 5"]);
    for length in 0..head.len() {
        assert_eq!(replay(&head[..length]), Ok(None));
    }
}

#[test]
fn content_length_is_digits() {
    let values = [
        "",
        "+5",
        "-5",
        "0x5",
        "5a",
        "5.0",
        "1e1",
        "5_0",
        "5 5",
        "5;",
        "\"5\"",
        "5,",
        ",5",
        "5, 5",
        "5,5",
        "5,6",
        "\u{d9}\u{a5}",
        "\u{b2}",
        "18446744073709551616",
        "99999999999999999999999",
        "5\r\n 5",
    ];
    for value in values {
        refused(&with_fields(&[&format!("Content-Length: {value}")]), 400);
    }
    let valid = [
        ("0", 0),
        ("5", 5),
        ("05", 5),
        ("000000000000000000000000000005", 5),
        (" 5 ", 5),
        ("\t5\t", 5),
        ("9007199254740993", 9_007_199_254_740_993),
        ("18446744073709551615", u64::MAX),
    ];
    for (value, length) in valid {
        let head = taken(&with_fields(&[&format!("content-LENGTH:{value}")]));
        assert_eq!(head.body, BodyLength::Length(length), "{value}");
    }
}

#[test]
fn repeated_content_lengths_must_be_equal() {
    let pairs = [
        ("5", "6"),
        ("6", "5"),
        ("0", "5"),
        ("5", ""),
        ("", "5"),
        ("5", "05"),
        ("5", "5, 5"),
        ("5", "-5"),
    ];
    for (first, second) in pairs {
        let first = format!("Content-Length: {first}");
        let second = format!("content-length: {second}");
        refused(&with_fields(&[&first, &second]), 400);
        refused(&with_fields(&[&first, "X-A: b", &second]), 400);
        refused(&with_fields(&[&first, &first, &second]), 400);
    }
    let length = "Content-Length: 5";
    for fields in [&[length; 2][..], &[length, "X-A: b", length], &[length; 3]] {
        assert_eq!(taken(&with_fields(fields)).body, BodyLength::Length(5));
    }
}

#[test]
fn transfer_encoding_is_chunked_alone() {
    let rows: [(&[&str], u16); 27] = [
        (&["gzip"], 400),
        (&["identity"], 400),
        (&["identity, chunked"], 501),
        (&["chunked, identity"], 400),
        (&["chunked, gzip"], 400),
        (&["gzip, chunked"], 501),
        (&["gzip", "chunked"], 501),
        (&["chunked", "gzip"], 400),
        (&["chunked, gzip, chunked"], 400),
        (&["chunked, chunked"], 400),
        (&["chunked", "chunked"], 400),
        (&["chunked", "identity"], 400),
        (&["chunked", ""], 400),
        (&["", "chunked"], 400),
        (&["xchunked"], 400),
        (&["chunkedx"], 400),
        (&["chunk"], 400),
        (&["ch unked"], 400),
        (&["chunked;q=1"], 400),
        (&["\"chunked\""], 400),
        (&[""], 400),
        (&["chunked,"], 400),
        (&[",chunked"], 400),
        (&["chunked\x0b"], 400),
        (&["\x0bchunked"], 400),
        (&["chunked\0"], 400),
        (&["chunke\u{64}\u{a0}"], 400),
    ];
    for (values, status) in rows {
        let fields: Vec<String> = values
            .iter()
            .map(|value| format!("Transfer-Encoding: {value}"))
            .collect();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        refused(&with_fields(&fields), status);
    }
    for value in ["chunked", "Chunked", "CHUNKED", "\tchunked "] {
        let head = taken(&with_fields(&[&format!("transfer-encoding:{value}")]));
        assert_eq!(head.body, BodyLength::Chunked, "{value}");
    }
    // Names that only look like it.
    for name in [
        "Transfer_Encoding",
        "Transfer-Encodin",
        "X-Transfer-Encoding",
    ] {
        let head = taken(&with_fields(&[&format!("{name}: chunked")]));
        assert_eq!(head.body, BodyLength::None, "{name}");
    }
}

#[test]
fn two_framings_are_refused() {
    let pairs = [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Content-Length: 0", "Transfer-Encoding: chunked"],
        ["Content-Length: 5", "Transfer-Encoding: identity"],
        ["Content-Length: 5", "Transfer-Encoding:"],
        ["Content-Length: 5", "Transfer-Encoding: gzip, chunked"],
    ];
    for pair in pairs {
        refused(&with_fields(&pair), 400);
        refused(&with_fields(&[pair[1], "X-A: b", pair[0]]), 400);
    }
}

#[test]
fn http_1_0_has_no_transfer_encoding() {
    for coding in ["chunked", "identity", "gzip, chunked", ""] {
        let head = format!("POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n\r\n");
        refused(head.as_bytes(), 400);
    }
}

#[test]
fn there_is_exactly_one_host() {
    refused(b"GET /a HTTP/1.1\r\n\r\n", 400);
    refused(b"GET /a HTTP/1.1\r\nX-A: b\r\n\r\n", 400);
    refused(b"GET http://localhost/a HTTP/1.1\r\n\r\n", 400);
    for (first, second) in [("a", "a"), ("a", "b"), ("", ""), ("a", "")] {
        for version in ["1.1", "1.0"] {
            let head = format!("GET /a HTTP/{version}\r\nHost: {first}\r\nhost: {second}\r\n\r\n");
            refused(head.as_bytes(), 400);
        }
    }
    let head = taken(b"GET /a HTTP/1.0\r\n\r\n");
    assert_eq!(head.host, None);
    assert!(head.http_1_0);
}

#[test]
fn host_is_valid() {
    let invalid = [
        "a/b", "a/r/1?", "a?b", "a#b", "a@b", "u:p@a", "a b", "a\tb", "a\\b", "a<b", "a{b}", "a:b",
        "::1", "[::1", "[::1]x", "\u{e4}", "a, b", "a:99999", "a%zz", "[a]",
    ];
    for host in invalid {
        for version in ["1.1", "1.0"] {
            let head = format!("GET /a HTTP/{version}\r\nHost: {host}\r\n\r\n");
            refused(&latin1(&head), 400);
        }
        let head = format!("GET http://b/ HTTP/1.1\r\nHost: {host}\r\n\r\n");
        refused(&latin1(&head), 400);
    }
    let valid = [
        "localhost",
        "localhost:80",
        "localhost:",
        "a.example",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:8080",
        "",
    ];
    for host in valid {
        let input = format!("GET /a HTTP/1.1\r\nhOST: \t{host} \r\n\r\n");
        let head = taken(input.as_bytes());
        assert_eq!(head.host.unwrap().of(input.as_bytes()), host.as_bytes());
    }
}

#[test]
fn expectations_are_known_or_refused() {
    let length = "Content-Length: 5";
    let rows: [(&[&str], bool); 8] = [
        (&["Expect: 100-continue", length], true),
        (&["Expect: 100-Continue", length], true),
        (
            &["Expect: 100-continue", "Transfer-Encoding: chunked"],
            true,
        ),
        (&["Expect: 100-continue, 100-continue", length], true),
        (
            &["Expect: 100-continue", "Expect: 100-continue", length],
            true,
        ),
        (&["Expect: 100-continue"], false),
        (&["Expect: 100-continue", "Content-Length: 0"], false),
        (&["Expect:", length], false),
    ];
    for (fields, expected) in rows {
        let head = taken(&with_fields(fields));
        assert_eq!(head.expect_continue, expected, "{fields:?}");
    }
    for value in ["other", "100-continue, other", "100", "100-continue;a=b"] {
        let expect = format!("Expect: {value}");
        refused(&with_fields(&[&expect, length]), 417);
        refused(&with_fields(&["Expect: 100-continue", &expect]), 417);
    }
    let old = b"POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    assert!(!taken(old).expect_continue);
}

#[test]
fn connection_options_are_a_list() {
    let closing = [
        "close",
        "Close",
        "CLOSE",
        "x, close",
        "keep-alive, close",
        "close,x",
        ",close,",
        "close , keep-alive",
    ];
    for value in closing {
        let head = taken(&with_fields(&[&format!("Connection: {value}")]));
        assert!(!head.keep_alive, "{value}");
    }
    let fields = ["Connection: keep-alive", "connection: close"];
    assert!(!taken(&with_fields(&fields)).keep_alive);
    for value in [
        "",
        "keep-alive",
        "closed",
        "x-close",
        "\"close\"",
        "close;a",
    ] {
        let head = taken(&with_fields(&[&format!("Connection: {value}")]));
        assert!(head.keep_alive, "{value}");
    }
    for value in ["", "keep-alive", "close"] {
        let input = format!("GET / HTTP/1.0\r\nConnection: {value}\r\n\r\n");
        assert!(!taken(input.as_bytes()).keep_alive, "{value}");
    }
}

#[test]
fn upgrades_need_both_fields() {
    let upgrade = "Upgrade: websocket";
    let connection = "Connection: keep-alive, Upgrade";
    let rows: [(&[&str], bool); 9] = [
        (&[upgrade, connection], true),
        (&["upgrade: h2c, WebSocket", "connection: UPGRADE"], true),
        (&[upgrade, connection, "Content-Length: 0"], true),
        (&["Upgrade: h2c", connection], true),
        (&[upgrade], false),
        (&[connection], false),
        (&["Upgrade:", connection], false),
        (&["Upgrade: ,", connection], false),
        (&[upgrade, "Connection: upgrades"], false),
    ];
    for (fields, expected) in rows {
        assert_eq!(taken(&with_fields(fields)).upgrade, expected, "{fields:?}");
    }
    let old = b"GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    assert!(!taken(old).upgrade);
}

#[test]
fn upgrades_have_no_content() {
    for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        for protocol in ["websocket", "WebSocket", "h2c, websocket", "websocket/13"] {
            let upgrade = format!("Upgrade: {protocol}");
            refused(
                &with_fields(&[&upgrade, "Connection: upgrade", framing]),
                400,
            );
        }
        // What several clients send with any request is ignored.
        let fields = [
            "Connection: Upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            framing,
        ];
        assert!(!taken(&with_fields(&fields)).upgrade);
        // Nobody asks for an upgrade here.
        assert!(!taken(&with_fields(&["Upgrade: websocket", framing])).upgrade);
    }
}

#[test]
fn conditions_are_noticed() {
    let fields = [
        "Range: bytes=0-",
        "If-Match: *",
        "If-None-Match: *",
        "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
        "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
        "If-Range: \"a\"",
    ];
    for field in fields {
        assert!(taken(&with_fields(&[field])).conditional, "{field}");
        let lower = field.to_lowercase();
        assert!(taken(&with_fields(&[&lower])).conditional, "{lower}");
    }
    for field in ["Accept: */*", "If-Other: a", "Ranges: b", "If-Non-Match: a"] {
        assert!(!taken(&with_fields(&[field])).conditional, "{field}");
    }
    let input = with_fields(&["If-None-Match: \"a\", \"b\"", "X-A: b"]);
    let head = taken(&input);
    assert_eq!(head.if_none_match.unwrap().of(&input), b"\"a\", \"b\"");
    let twice = taken(&with_fields(&[
        "If-None-Match: \"a\"",
        "if-none-match: \"b\"",
    ]));
    assert_eq!(twice.if_none_match, None);
    assert!(twice.conditional);
}

#[test]
fn limits_hold_to_the_byte() {
    let head = with_fields(&["X-A: b", "X-B: c", "X-C: d"]);
    let exact = Limits {
        head_bytes: head.len(),
        header_count: 4,
        target_bytes: 2,
    };
    let input = [&head[..], NEXT.as_bytes()].concat();
    assert!(replay_with(&input, &exact).unwrap().is_some());
    let rows = [
        (
            Limits {
                head_bytes: head.len() - 1,
                ..exact
            },
            431,
        ),
        (
            Limits {
                head_bytes: 20,
                ..exact
            },
            431,
        ),
        (
            Limits {
                head_bytes: 0,
                ..exact
            },
            431,
        ),
        (
            Limits {
                header_count: 3,
                ..exact
            },
            431,
        ),
        (
            Limits {
                header_count: 0,
                ..exact
            },
            431,
        ),
        (
            Limits {
                target_bytes: 1,
                ..exact
            },
            414,
        ),
        (
            Limits {
                target_bytes: 0,
                ..exact
            },
            414,
        ),
    ];
    for (limits, status) in rows {
        let outcome = replay_with(&input, &limits);
        assert_eq!(outcome, Err(Refusal { status }), "{limits:?}");
    }
    // Empty lines in front do not count.
    let late = [b"\r\n\r\n", &input[..]].concat();
    assert!(replay_with(&late, &exact).unwrap().is_some());
}

#[test]
fn endless_heads_are_refused() {
    let full = LIMITS.head_bytes;
    let rows = [
        (format!("GET /{}", "a".repeat(full)), 414),
        (format!("GET /{} HTTP/1.1\r\n", "a".repeat(2000)), 414),
        ("A".repeat(full + 1), 431),
        (format!("GET / HTTP/1.1\r\nX-A: {}", "a".repeat(full)), 431),
        (format!("GET / HTTP/1.1\r\n{}", "X".repeat(full)), 431),
        (
            format!("GET / HTTP/1.1\r\n{}", "X: a\r\n".repeat(full)),
            431,
        ),
    ];
    for (head, status) in rows {
        let head = head + "\r\nHost: a\r\n\r\n";
        let lengths = [1, 2, 100, head.len() / 2, head.len()];
        let expected = Err(Refusal { status });
        assert_eq!(parse_at(head.as_bytes(), &LIMITS, lengths), expected);
        assert_eq!(parse_at(head.as_bytes(), &LIMITS, [head.len()]), expected);
        let bytes = parse_at(head.as_bytes(), &LIMITS, 1..=head.len());
        assert_eq!(bytes, expected);
    }
}

#[test]
fn fields_fit_into_records() {
    let limits = Limits {
        head_bytes: 1 << 20,
        header_count: 4,
        target_bytes: 1 << 20,
    };
    let parse = |head: String| {
        let head = format!("{head}Host: a\r\n\r\n");
        parse_at(head.as_bytes(), &limits, [head.len()]).map(|head| head.is_some())
    };
    let long = "a".repeat(FIELD_BYTES);
    let rest = "a".repeat(FIELD_BYTES - 1);
    assert_eq!(parse(format!("GET / HTTP/1.1\r\nX: {long}\r\n")), Ok(true));
    assert_eq!(parse(format!("GET / HTTP/1.1\r\n{long}: b\r\n")), Ok(true));
    assert_eq!(parse(format!("GET /{rest} HTTP/1.1\r\n")), Ok(true));
    assert_eq!(parse(format!("{long} / HTTP/1.1\r\n")), Ok(true));
    let too_large = Err(Refusal::HEAD_TOO_LARGE);
    assert_eq!(
        parse(format!("GET / HTTP/1.1\r\nX: a{long}\r\n")),
        too_large
    );
    assert_eq!(
        parse(format!("GET / HTTP/1.1\r\na{long}: b\r\n")),
        too_large
    );
    assert_eq!(parse(format!("a{long} / HTTP/1.1\r\n")), too_large);
    let too_long = Err(Refusal::URI_TOO_LONG);
    assert_eq!(parse(format!("GET /{long} HTTP/1.1\r\n")), too_long);
}

#[test]
fn many_fields_are_taken_if_the_limit_says_so() {
    let limits = Limits {
        head_bytes: 1 << 20,
        header_count: 1000,
        target_bytes: 100,
    };
    let head = |count: usize| {
        let fields: String = (1..count)
            .map(|index| format!("X-{index}: a\r\n"))
            .collect();
        format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
    };
    for count in [1, STACK_FIELDS - 1, STACK_FIELDS, STACK_FIELDS + 1, 1000] {
        let input = head(count);
        let parsed = parse_at(input.as_bytes(), &limits, [input.len()]);
        assert_eq!(parsed.unwrap().unwrap().headers.len(), count);
    }
    let input = head(1001);
    let parsed = parse_at(input.as_bytes(), &limits, [input.len()]);
    assert_eq!(parsed, Err(Refusal::HEAD_TOO_LARGE));
}

/// Bytes that a parser has to look at when a head arrives in such pieces.
fn work(head: &[u8], piece: usize) -> usize {
    let limits = Limits {
        head_bytes: 1 << 20,
        header_count: 1 << 16,
        target_bytes: 1 << 20,
    };
    let mut parser = HeadParser::default();
    let mut out = Head::default();
    let mut length = 0;
    loop {
        length = head.len().min(length + piece);
        let complete = parser.parse(&head[..length], &limits, &mut out);
        if complete == Ok(true) {
            return parser.work;
        }
        assert_eq!(complete, Ok(false));
        assert!(length < head.len());
    }
}

#[test]
fn the_work_does_not_depend_on_the_pieces() {
    let head = format!(
        "GET / HTTP/1.1\r\nHost: a\r\n{}X-B: {}\r\n\r\n",
        "X-A: b\r\n".repeat(2000),
        "c".repeat(16_000)
    );
    let head = head.as_bytes();
    assert_eq!(work(head, head.len()), head.len());
    for piece in [
        1,
        2,
        3,
        100,
        1500,
        16_384,
        head.len() / 2 + 1,
        head.len() - 1,
    ] {
        let work = work(head, piece);
        assert!(work <= head.len() * 4, "{work} in pieces of {piece}");
    }
}

/// The same bytes are never understood in two ways, however they are cut.
#[test]
fn mutated_heads_are_understood_in_one_way() {
    let seeds = [
        with_fields(&["Content-Length: 5", "X-A: b c", "Expect: 100-continue"]),
        with_fields(&["Transfer-Encoding: chunked", "Connection: close"]),
        with_fields(&["Upgrade: websocket", "Connection: Upgrade", "X-A:"]),
        b"\r\nOPTIONS * HTTP/1.0\r\nIf-None-Match: \"a\"\r\n\r\n".to_vec(),
        with_line("GET http://a:80/b?c HTTP/1.1"),
    ];
    let bytes = b"\r\n\t :;,#*/\\\0\x7f\xc3aA05.";
    let mut random = 1u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    for round in 0..4000 {
        let mut input = seeds[round % seeds.len()].clone();
        for _ in 0..=next(3) {
            let at = next(input.len());
            match next(3) {
                0 => input[at] = bytes[next(bytes.len())],
                1 => input.insert(at, bytes[next(bytes.len())]),
                _ => drop(input.remove(at)),
            }
        }
        input.extend_from_slice(NEXT.as_bytes());
        let whole = parse_at(&input, &LIMITS, [input.len()]);
        let split = next(input.len());
        for cut in [
            parse_at(&input, &LIMITS, 1..=input.len()),
            parse_at(&input, &LIMITS, [split, input.len()]),
        ] {
            // A refusal may have another reason: another fault comes first.
            assert_eq!(
                cut.as_ref().ok(),
                whole.as_ref().ok(),
                "{}",
                input.escape_ascii()
            );
        }
    }
}
