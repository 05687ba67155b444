//! Responses (RFC 9112, 4 to 7).

use super::bytes::{elements, is_token, parse_decimal, trim, write_decimal};
use crate::abi;

#[cfg(test)]
mod tests;

/// How the client will know where the content ends (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`; towards HTTP/1.0 it is taken for
    /// `UntilClose`, and the content must be written so.
    Chunked,
    /// The connection closes behind it.
    UntilClose,
    /// There is none, and no length either: 1xx, 204, 304, or a HEAD that is
    /// answered without one. Elsewhere it is taken for `UntilClose`.
    None,
}

/// What a response head is made of.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// From 100 to 999.
    pub status: u16,
    /// Header lines as in `COMMAND_RESPOND`, each `name: value` CR LF.
    pub lines: &'a [u8],
    /// `abi::TYPE_*`, for lines without a `Content-Type`.
    pub content_type: u32,
    /// How the content will be framed. Statuses without content have none,
    /// whatever this says.
    pub framing: Framing,
    /// The request was HTTP/1.0.
    pub http_1_0: bool,
    /// The connection could be used again.
    pub keep_alive: bool,
    /// The request was HEAD.
    pub is_head: bool,
    /// The current date, see [`super::DateCache`].
    pub date: &'a [u8; 29],
}

/// What became of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenHead {
    /// The connection must close behind this response.
    pub close: bool,
}

/// Header lines that would break the response, or a status that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidLines;

/// Appends a head to `out`; returns what the lines ask for. The lines keep
/// their `Date`, their `Connection: close` and `Connection: upgrade`, and
/// their `Content-Length` in an answer to HEAD and in a 304; other framing and
/// connection fields among them are dropped, since they belong to the server.
///
/// Err: lines with CR, LF or NUL inside, lines without a name, or an
/// impossible status. Nothing was appended then.
pub fn write_head(out: &mut Vec<u8>, head: &ResponseHead<'_>) -> Result<WrittenHead, InvalidLines> {
    if !(100..=999).contains(&head.status) {
        return Err(InvalidLines);
    }
    let start = out.len();
    out.reserve(head.lines.len() + OWN_BYTES);
    write_status_line(out, head.status);
    match write_lines(out, head) {
        Ok(seen) => Ok(write_own_lines(out, head, &seen)),
        Err(invalid) => {
            out.truncate(start);
            Err(invalid)
        }
    }
}

/// Room for everything besides the lines that are given.
const OWN_BYTES: usize = 256;

/// What the given lines say.
#[derive(Default)]
struct Seen {
    content_type: bool,
    date: bool,
    length: bool,
    close: bool,
    upgrade: bool,
}

/// Copies the given lines, without those that are the server's own.
fn write_lines(out: &mut Vec<u8>, head: &ResponseHead<'_>) -> Result<Seen, InvalidLines> {
    let lines = head.lines;
    let mut seen = Seen::default();
    let mut copied = 0;
    let mut start = 0;
    while start < lines.len() {
        let line = &lines[start..];
        let name = line.iter().position(|byte| !is_token(*byte));
        let colon = name.filter(|name| *name > 0 && line[*name] == b':');
        let colon = colon.ok_or(InvalidLines)?;
        let end = value_end(line, colon + 1).ok_or(InvalidLines)?;
        if !keep_line(&line[..colon], &line[colon + 1..end], head, &mut seen) {
            out.extend_from_slice(&lines[copied..start]);
            copied = start + end + 2;
        }
        start += end + 2;
    }
    out.extend_from_slice(&lines[copied..]);
    Ok(seen)
}

/// Where the CR LF behind a value is, if nothing else breaks the line.
fn value_end(line: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    while let Some(&word) = line[end..].first_chunk::<8>() {
        if has_byte_below_14(u64::from_le_bytes(word)) {
            break;
        }
        end += word.len();
    }
    let breaks = |byte: &u8| matches!(byte, b'\r' | b'\n' | b'\0');
    end += line[end..].iter().position(breaks)?;
    line[end..].starts_with(b"\r\n").then_some(end)
}

/// Whether one of eight bytes is CR, LF, NUL or one of a few rare others.
fn has_byte_below_14(word: u64) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // The borrow sets the top bit of bytes that are too small; bytes that had
    // it set before do not count.
    word.wrapping_sub(ONES * 14) & !word & (ONES << 7) != 0
}

/// Whether a line goes out as it is.
fn keep_line(name: &[u8], value: &[u8], head: &ResponseHead<'_>, seen: &mut Seen) -> bool {
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    match name.len() {
        4 if is(b"date") => seen.date = true,
        10 if is(b"keep-alive") => return false,
        10 if is(b"connection") => {
            for option in elements(value) {
                seen.close |= option.eq_ignore_ascii_case(b"close");
                seen.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
            }
            return false;
        }
        12 if is(b"content-type") => seen.content_type = true,
        14 if is(b"content-length") => {
            let describes_other = head.status == 304 || head.is_head && has_content(head.status);
            if seen.length || !describes_other || parse_decimal(trim(value)).is_none() {
                return false;
            }
            seen.length = true;
        }
        17 if is(b"transfer-encoding") => return false,
        _ => {}
    }
    true
}

/// The lines that are the server's own, and the end of the head.
fn write_own_lines(out: &mut Vec<u8>, head: &ResponseHead<'_>, seen: &Seen) -> WrittenHead {
    if !seen.content_type {
        out.extend_from_slice(type_line(head.content_type));
    }
    if seen.upgrade {
        out.extend_from_slice(b"Connection: Upgrade\r\n");
    }
    if head.status < 200 {
        out.extend_from_slice(b"\r\n");
        return WrittenHead { close: false };
    }
    if !seen.date {
        out.extend_from_slice(b"Date: ");
        out.extend_from_slice(head.date);
        out.extend_from_slice(b"\r\n");
    }
    let ends_by_closing = has_content(head.status) && write_framing(out, head, seen);
    let close = seen.close || !head.keep_alive || ends_by_closing;
    if close {
        out.extend_from_slice(b"Connection: close\r\n");
    } else if head.http_1_0 {
        out.extend_from_slice(b"Connection: keep-alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
    WrittenHead { close }
}

fn type_line(content_type: u32) -> &'static [u8] {
    match content_type {
        abi::TYPE_TEXT => b"Content-Type: text/plain;charset=UTF-8\r\n",
        abi::TYPE_JSON => b"Content-Type: application/json\r\n",
        _ => b"",
    }
}

/// Writes how the content ends; whether it ends when the connection closes.
fn write_framing(out: &mut Vec<u8>, head: &ResponseHead<'_>, seen: &Seen) -> bool {
    match head.framing {
        _ if seen.length => false,
        Framing::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            write_decimal(out, length);
            out.extend_from_slice(b"\r\n");
            false
        }
        Framing::Chunked if !head.http_1_0 => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            false
        }
        // Without a length only the end of the connection ends the content.
        Framing::Chunked | Framing::UntilClose | Framing::None => !head.is_head,
    }
}

/// Appends a chunk, or nothing if `data` is empty: that would be the last one.
pub fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    out.reserve(data.len() + CHUNK_FRAMING_BYTES);
    write_hexadecimal(out, data.len());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// The most that is around a chunk's content.
const CHUNK_FRAMING_BYTES: usize = 2 * size_of::<usize>() + 4;

fn write_hexadecimal(out: &mut Vec<u8>, number: usize) {
    let digits = number.max(1).ilog2() / 4;
    out.extend(
        (0..=digits)
            .rev()
            .map(|digit| b"0123456789abcdef"[number >> (digit * 4) & 15]),
    );
}

/// Appends the chunk that ends chunked content.
pub fn write_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n\r\n");
}

/// Whether responses with this status have content, were it empty.
pub fn has_content(status: u16) -> bool {
    !matches!(status, 100..=199 | 204 | 304)
}

fn write_status_line(out: &mut Vec<u8>, status: u16) {
    let line = status_line(status);
    if line.is_empty() {
        out.extend_from_slice(b"HTTP/1.1 ");
        write_decimal(out, status.into());
        out.extend_from_slice(b" \r\n");
    } else {
        out.extend_from_slice(line.as_bytes());
    }
}

macro_rules! statuses {
    ($($status:literal $reason:literal,)*) => {
        /// The reason phrase of a status; empty if it is not registered.
        pub fn reason(status: u16) -> &'static str {
            match status {
                $($status => $reason,)*
                _ => "",
            }
        }

        /// The whole status line; empty if the status is not registered.
        fn status_line(status: u16) -> &'static str {
            match status {
                $($status => concat!("HTTP/1.1 ", $status, " ", $reason, "\r\n"),)*
                _ => "",
            }
        }
    };
}

// The IANA registry of HTTP status codes.
statuses! {
    100 "Continue",
    101 "Switching Protocols",
    102 "Processing",
    103 "Early Hints",
    200 "OK",
    201 "Created",
    202 "Accepted",
    203 "Non-Authoritative Information",
    204 "No Content",
    205 "Reset Content",
    206 "Partial Content",
    207 "Multi-Status",
    208 "Already Reported",
    226 "IM Used",
    300 "Multiple Choices",
    301 "Moved Permanently",
    302 "Found",
    303 "See Other",
    304 "Not Modified",
    305 "Use Proxy",
    307 "Temporary Redirect",
    308 "Permanent Redirect",
    400 "Bad Request",
    401 "Unauthorized",
    402 "Payment Required",
    403 "Forbidden",
    404 "Not Found",
    405 "Method Not Allowed",
    406 "Not Acceptable",
    407 "Proxy Authentication Required",
    408 "Request Timeout",
    409 "Conflict",
    410 "Gone",
    411 "Length Required",
    412 "Precondition Failed",
    413 "Content Too Large",
    414 "URI Too Long",
    415 "Unsupported Media Type",
    416 "Range Not Satisfiable",
    417 "Expectation Failed",
    421 "Misdirected Request",
    422 "Unprocessable Content",
    423 "Locked",
    424 "Failed Dependency",
    425 "Too Early",
    426 "Upgrade Required",
    428 "Precondition Required",
    429 "Too Many Requests",
    431 "Request Header Fields Too Large",
    451 "Unavailable For Legal Reasons",
    500 "Internal Server Error",
    501 "Not Implemented",
    502 "Bad Gateway",
    503 "Service Unavailable",
    504 "Gateway Timeout",
    505 "HTTP Version Not Supported",
    506 "Variant Also Negotiates",
    507 "Insufficient Storage",
    508 "Loop Detected",
    511 "Network Authentication Required",
}
