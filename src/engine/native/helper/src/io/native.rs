//! Answers that need no JavaScript: health, metrics and the static table.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::context::Context;
use super::file_transfer::FilePart;
use super::listener::Listener;
use crate::abi::*;
use crate::files;
use crate::http::{BodyLength, Head, http_date, if_none_match};
use crate::prometheus;
use crate::static_table::{StaticAnswer, StaticTable};

const METRICS_LINES: &[u8] =
    b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nCache-Control: no-store\r\n";
const HEALTH_LINES: &[u8] = b"Cache-Control: no-store\r\n";

/// An answer.
pub struct NativeAnswer<'a> {
    /// Response status.
    pub status: u16,
    /// Header lines.
    pub lines: Cow<'a, [u8]>,
    /// `TYPE_*`.
    pub content_type: u32,
    /// What is sent.
    pub content: NativeContent<'a>,
}

/// Content of an answer.
pub enum NativeContent<'a> {
    /// For this answer alone.
    Bytes(Cow<'a, [u8]>),
    /// Of many answers.
    Shared(&'a Arc<[u8]>),
    /// Of a file.
    File(FilePart),
}

impl<'a> NativeAnswer<'a> {
    /// An answer without content.
    pub fn new(status: u16, lines: &'a [u8]) -> Self {
        let lines = Cow::Borrowed(lines);
        Self {
            status,
            lines,
            content_type: TYPE_NONE,
            content: NativeContent::Bytes(Cow::Borrowed(b"")),
        }
    }
}

impl NativeContent<'_> {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            NativeContent::Bytes(bytes) => bytes.len() as u64,
            NativeContent::Shared(bytes) => bytes.len() as u64,
            NativeContent::File(part) => part.len(),
        }
    }
}

/// Answers a request, and counts it; None if that needs JavaScript.
///
/// * `input`: what the head's spans are in.
pub fn answer<'a>(
    cx: &mut Context,
    listener: &Listener,
    table: &'a StaticTable,
    head: &Head,
    input: &[u8],
) -> Option<NativeAnswer<'a>> {
    if table.is_empty() && !listener.needs_heartbeat() {
        return None;
    }
    let path = path_of(head.target.of(input))?;
    let answer = if let Some(answer) = health(cx, listener, path) {
        listener.metrics.add(METRIC_REQUESTS, 1);
        answer
    } else if is_metrics(listener, path) {
        // This one is a request, too.
        listener.metrics.add(METRIC_REQUESTS, 1);
        metrics(cx, listener)
    } else {
        let answer = find(cx, table, path, head, input)?;
        listener.metrics.add(METRIC_REQUESTS, 1);
        answer
    };
    listener.metrics.add(METRIC_REQUESTS_NATIVE, 1);
    Some(answer)
}

/// The path of a target, as the client wrote it, without the query; None for
/// targets without a path.
fn path_of(target: &[u8]) -> Option<&[u8]> {
    let path = if target.first() == Some(&b'/') {
        target
    } else {
        let colon = target.windows(3).position(|window| window == b"://")?;
        let authority = &target[colon + 3..];
        let end = authority
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?'));
        end.map_or(&b""[..], |end| &authority[end..])
    };
    let end = path
        .iter()
        .position(|byte| *byte == b'?')
        .unwrap_or(path.len());
    Some(if end == 0 { b"/" } else { &path[..end] })
}

fn is_read(method: u32) -> bool {
    matches!(method, METHOD_GET | METHOD_HEAD)
}

/// The answer of the health route, whatever the method.
fn health(cx: &Context, listener: &Listener, path: &[u8]) -> Option<NativeAnswer<'static>> {
    if path != listener.plan.health_route || path.is_empty() {
        return None;
    }
    let stall = cx.events.waiting().stall_milliseconds(cx.now);
    let is_stalled = stall >= listener.plan.health_stall.as_secs_f64() * 1000.0;
    let (status, text): (u16, &[u8]) = if is_stalled {
        (503, b"stalled\n")
    } else {
        (200, b"ok\n")
    };
    Some(NativeAnswer {
        content_type: TYPE_TEXT,
        content: NativeContent::Bytes(Cow::Borrowed(text)),
        ..NativeAnswer::new(status, HEALTH_LINES)
    })
}

/// Whether this is the path of the metrics route, which answers any method.
fn is_metrics(listener: &Listener, path: &[u8]) -> bool {
    path == listener.plan.metrics_route && !path.is_empty()
}

/// The answer of the metrics route.
fn metrics(cx: &Context, listener: &Listener) -> NativeAnswer<'static> {
    let text = prometheus::text(&listener.all_metrics.values(cx.now));
    NativeAnswer {
        content: NativeContent::Bytes(Cow::Owned(text.into_bytes())),
        ..NativeAnswer::new(200, METRICS_LINES)
    }
}

/// The answer of the static table.
fn find<'a>(
    cx: &mut Context,
    table: &'a StaticTable,
    path: &[u8],
    head: &Head,
    input: &[u8],
) -> Option<NativeAnswer<'a>> {
    let answer = table.find(path, head.method)?;
    if answer.kind == STATIC_FILE {
        return file(cx, answer, head);
    }
    if let Some(lines) = &answer.not_modified
        && is_read(head.method)
        && let Some(field) = head.if_none_match
        && if_none_match(field.of(input), &answer.tag)
    {
        return Some(NativeAnswer::new(304, lines));
    }
    Some(NativeAnswer {
        content: NativeContent::Shared(&answer.content),
        ..NativeAnswer::new(answer.status, &answer.lines)
    })
}

/// A file, if it is there, for a request that asks for all of it.
fn file<'a>(cx: &mut Context, answer: &'a StaticAnswer, head: &Head) -> Option<NativeAnswer<'a>> {
    let asks_for_all = is_read(head.method)
        && !head.conditional
        && matches!(head.body, BodyLength::None | BodyLength::Length(0));
    if !asks_for_all {
        return None;
    }
    let file = files::open_regular(&answer.file).ok()?;
    let modified = (file.facts.modified_ms / 1000.0).floor() as i64;
    // A date in the future would not let caches see the next change (RFC 9110,
    // 8.8.2.1).
    let modified = if modified > now() {
        cx.date()
    } else {
        http_date(modified)
    };
    let mut lines = Vec::with_capacity(answer.lines.len() + 64);
    lines.extend_from_slice(&answer.lines);
    lines.extend_from_slice(b"Last-Modified: ");
    lines.extend_from_slice(&modified);
    lines.extend_from_slice(b"\r\n");
    let size = file.facts.size;
    Some(NativeAnswer {
        status: answer.status,
        lines: Cow::Owned(lines),
        content_type: TYPE_NONE,
        content: NativeContent::File(FilePart::new(Arc::new(file), 0, size)),
    })
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_as_they_are() {
        let paths: [(&[u8], Option<&[u8]>); 9] = [
            (b"/", Some(b"/")),
            (b"/a/b?c=d?e", Some(b"/a/b")),
            (b"/a%20/../b", Some(b"/a%20/../b")),
            (b"//a", Some(b"//a")),
            (b"http://a/b?c", Some(b"/b")),
            (b"http://a", Some(b"/")),
            (b"https://a?b", Some(b"/")),
            (b"http://a//b", Some(b"//b")),
            (b"*", None),
        ];
        for (target, path) in paths {
            assert_eq!(path_of(target), path, "{}", target.escape_ascii());
        }
    }
}
