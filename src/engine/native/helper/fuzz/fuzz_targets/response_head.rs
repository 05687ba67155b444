//! Response heads: no header lines break what a client reads.

#![no_main]

use jstime_serve::http::{Framing, ResponseHead, has_content, http_date, write_head};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [a, b, c, lines @ ..] = input else {
        return;
    };
    let head = ResponseHead {
        status: u16::from(*a) << 2 | u16::from(*b & 3),
        lines,
        content_type: u32::from(*b >> 2 & 3),
        framing: match b >> 4 & 3 {
            0 => Framing::Length(u64::from(*c) << (c & 31)),
            1 => Framing::Chunked,
            2 => Framing::UntilClose,
            _ => Framing::None,
        },
        http_1_0: c & 1 != 0,
        keep_alive: c & 2 != 0,
        is_head: c & 4 != 0,
        date: &http_date(784_111_777),
    };
    let mut out = b"before".to_vec();
    match write_head(&mut out, &head) {
        Ok(written) => check(&out[6..], &head, written.close),
        Err(_) => assert_eq!(out, b"before"),
    }
});

fn check(out: &[u8], head: &ResponseHead<'_>, closes: bool) {
    let out = out.strip_suffix(b"\r\n\r\n").unwrap();
    let mut lines = out.split(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(!line.contains(&b'\r') && !line.contains(&0));
        line
    });
    let status = format!("HTTP/1.1 {} ", head.status);
    assert!(lines.next().unwrap().starts_with(status.as_bytes()));
    let mut names = Vec::new();
    let mut said_close = false;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':').unwrap();
        let name = line[..colon].to_ascii_lowercase();
        assert!(!name.is_empty() && name.iter().all(u8::is_ascii_graphic));
        said_close |= line.eq_ignore_ascii_case(b"connection: close");
        names.push(name);
    }
    let count = |wanted: &[u8]| names.iter().filter(|name| *name == wanted).count();
    let framings = count(b"content-length") + count(b"transfer-encoding");
    assert!(framings <= 1);
    assert_eq!(count(b"keep-alive"), 0);
    assert!(count(b"date") >= 1 || head.status < 200);
    assert_eq!(said_close, closes);
    if !has_content(head.status) {
        assert_eq!(count(b"transfer-encoding"), 0);
        assert!(head.status == 304 || framings == 0);
    } else if framings == 0 && !head.is_head {
        assert!(closes);
    }
    assert!(!head.http_1_0 || count(b"transfer-encoding") == 0);
}
