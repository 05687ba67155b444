//! The lines of a head, and what they are made of.

use super::super::limits::{FIELD_BYTES, Limits};
use super::super::refusal::Refusal;
use super::super::target::is_valid_target;
use super::fields::interpret_fields;
use super::{Head, HeaderSpan, Span};
use crate::abi;
use httparse::{Error, Header, Request, Status};
use std::mem::MaybeUninit;

/// Fields that are parsed without an allocation.
pub(super) const STACK_FIELDS: usize = 128;

/// Reads the head that begins at `start`. False: it is not complete.
pub(super) fn read_head(
    input: &[u8],
    start: usize,
    limits: &Limits,
    head: &mut Head,
) -> Result<bool, Refusal> {
    let mut fields = [const { MaybeUninit::uninit() }; STACK_FIELDS];
    let count = limits.header_count.min(STACK_FIELDS);
    match read_lines(input, start, &mut fields[..count], limits, head) {
        Err(Refusal::HEAD_TOO_LARGE) if limits.header_count > count => {
            // The shortest field is `a:` CR LF.
            let most = limits.header_count.min(input.len() / 4 + 1);
            let mut fields = Vec::new();
            fields.resize_with(most, MaybeUninit::uninit);
            read_lines(input, start, &mut fields, limits, head)
        }
        result => result,
    }
}

fn read_lines<'a>(
    input: &'a [u8],
    start: usize,
    fields: &mut [MaybeUninit<Header<'a>>],
    limits: &Limits,
    head: &mut Head,
) -> Result<bool, Refusal> {
    let mut request = Request::new(&mut []);
    let text = &input[start..];
    let end = match request.parse_with_uninit_headers(text, fields) {
        Ok(Status::Complete(size)) => start + size,
        Ok(Status::Partial) => return Ok(false),
        Err(Error::TooManyHeaders) => return Err(Refusal::HEAD_TOO_LARGE),
        Err(Error::Version) => return refuse_version(text),
        Err(_) => return Err(Refusal::BAD_REQUEST),
    };
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Err(Refusal::BAD_REQUEST);
    };
    let span = |text: &[u8]| span_in(input, text);
    head.method = method_number(method)?;
    head.method_text = span(method.as_bytes());
    head.target = span(target.as_bytes());
    head.http_1_0 = version == 0;
    head.can_stream_events = true;
    head.consumed = end;
    head.headers.clear();
    head.headers
        .extend(request.headers.iter().map(|field| HeaderSpan {
            name: span(field.name.as_bytes()),
            value: span(field.value),
        }));
    check_lines(input, head)?;
    complete(input, limits, head)?;
    Ok(true)
}

/// Checks the target and the lengths of a head whose lines are known, and reads
/// what its fields say about the message.
pub(crate) fn complete(input: &[u8], limits: &Limits, head: &mut Head) -> Result<(), Refusal> {
    check_lengths(head, limits)?;
    let target = head.target.of(input);
    if !is_valid_target(target, head.method == abi::METHOD_OPTIONS) {
        return Err(Refusal::BAD_REQUEST);
    }
    interpret_fields(input, head)
}

/// Where `text` is in `input`, which it is a part of.
fn span_in(input: &[u8], text: &[u8]) -> Span {
    Span {
        start: (text.as_ptr().addr() - input.as_ptr().addr()) as u32,
        len: text.len() as u32,
    }
}

/// Tells an unknown version from what is no request line. `Ok(false)`: the line
/// is not complete.
fn refuse_version(text: &[u8]) -> Result<bool, Refusal> {
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else {
        return Ok(false);
    };
    let mut words = text[..end].split(|byte| *byte == b' ').skip(2);
    match (words.next(), words.next()) {
        (Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b'\r']), None)
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(Refusal::VERSION_NOT_SUPPORTED)
        }
        _ => Err(Refusal::BAD_REQUEST),
    }
}

/// `abi::METHOD_*`.
pub(crate) fn method_number(method: &str) -> Result<u32, Refusal> {
    Ok(match method {
        "GET" => abi::METHOD_GET,
        "HEAD" => abi::METHOD_HEAD,
        "POST" => abi::METHOD_POST,
        "PUT" => abi::METHOD_PUT,
        "PATCH" => abi::METHOD_PATCH,
        "DELETE" => abi::METHOD_DELETE,
        "OPTIONS" => abi::METHOD_OPTIONS,
        // Its target names another server: that is for proxies.
        "CONNECT" => return Err(Refusal::NOT_IMPLEMENTED),
        _ => abi::METHOD_OTHER,
    })
}

/// Every line ends in CR LF and begins where the one before it ended: the
/// parser takes bare LFs too, as RFC 9112, 2.2 permits.
fn check_lines(input: &[u8], head: &Head) -> Result<(), Refusal> {
    const VERSION: usize = " HTTP/1.1".len();
    let mut line = line_end(input, head.target.end() + VERSION)?;
    for field in &head.headers {
        if field.name.start as usize != line {
            return Err(Refusal::BAD_REQUEST);
        }
        let mut end = field.value.end();
        while let Some(b' ' | b'\t') = input.get(end) {
            end += 1;
        }
        line = line_end(input, end)?;
    }
    if line_end(input, line)? != head.consumed {
        return Err(Refusal::BAD_REQUEST);
    }
    Ok(())
}

/// The offset behind a CR LF.
fn line_end(input: &[u8], offset: usize) -> Result<usize, Refusal> {
    match input.get(offset..offset + 2) {
        Some(b"\r\n") => Ok(offset + 2),
        _ => Err(Refusal::BAD_REQUEST),
    }
}

fn check_lengths(head: &Head, limits: &Limits) -> Result<(), Refusal> {
    let target_bytes = limits.target_bytes.min(FIELD_BYTES);
    if head.target.len as usize > target_bytes {
        return Err(Refusal::URI_TOO_LONG);
    }
    // Only heads that are longer themselves can have longer fields.
    let fields = head
        .headers
        .iter()
        .flat_map(|field| [field.name, field.value]);
    if head.consumed > FIELD_BYTES
        && fields
            .chain([head.method_text])
            .any(|span| span.len as usize > FIELD_BYTES)
    {
        return Err(Refusal::HEAD_TOO_LARGE);
    }
    Ok(())
}
