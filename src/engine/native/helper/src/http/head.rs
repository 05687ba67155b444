//! Request heads (RFC 9112, 2 to 6).

use super::limits::{EMPTY_LINES, Limits};
use super::refusal::Refusal;
use lines::read_head;
pub(crate) use lines::{complete, method_number};

mod fields;
mod lines;
#[cfg(test)]
mod tests;

/// How the end of a request's content is known (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyLength {
    /// There is no content.
    #[default]
    None,
    /// Declared by `Content-Length`; it may be 0.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// Some bytes of the input that was parsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

impl Span {
    /// The bytes themselves; `input` is what was parsed.
    pub fn of(self, input: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &input[start..start + self.len as usize]
    }

    fn end(self) -> usize {
        self.start as usize + self.len as usize
    }
}

/// A header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderSpan {
    /// Name, in the case in which it was received.
    pub name: Span,
    /// Value without the white space around it.
    pub value: Span,
}

/// A request head. Spans index the input of the call that completed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `abi::METHOD_*`.
    pub method: u32,
    /// Method as text.
    pub method_text: Span,
    /// Target as it was sent, valid UTF-8: origin-form, absolute-form with
    /// `http` or `https`, or `*` (RFC 9112, 3.2).
    pub target: Span,
    /// Value of `Host`, which only HTTP/1.0 may lack. It may be empty.
    pub host: Option<Span>,
    /// All fields, in the order received.
    pub headers: Vec<HeaderSpan>,
    /// HTTP/1.0; otherwise it is HTTP/1.1.
    pub http_1_0: bool,
    /// Many clients may be sent the same parts of an answer.
    pub can_stream_events: bool,
    /// How the end of the content is known.
    pub body: BodyLength,
    /// Whether the connection may be used again. Never for HTTP/1.0, also if
    /// the client asks for it.
    pub keep_alive: bool,
    /// The client waits for 100 before it sends the content.
    pub expect_continue: bool,
    /// The client asks for an upgrade (RFC 9110, 7.8). Never with content.
    pub upgrade: bool,
    /// `Range` or one of the `If-*` fields is there.
    pub conditional: bool,
    /// Value of `If-None-Match`, if there is exactly one such field.
    pub if_none_match: Option<Span>,
    /// Bytes of input up to the end of the head.
    pub consumed: usize,
}

/// Parses the head of one request after the other. It remembers how far it has
/// looked for the end of an incomplete one, so that a head costs the same in
/// one piece and in many.
#[derive(Debug, Default)]
pub struct HeadParser {
    /// Bytes in which the end of the head was looked for, empty lines before
    /// the request line not counted.
    searched: usize,
    /// Where in them the last line begins.
    line_start: usize,
    /// Bytes that were looked at.
    #[cfg(test)]
    work: usize,
}

impl HeadParser {
    /// Forgets the head that was begun: the next input begins with another.
    pub fn reset(&mut self) {
        self.searched = 0;
        self.line_start = 0;
    }

    /// Parses `input`, which begins with a head and may go on behind it. False:
    /// it is not complete; call again with the same bytes and more. When it is
    /// complete or refused, the next call begins with another head; `head` is
    /// of use only if it is complete.
    pub fn parse(
        &mut self,
        input: &[u8],
        limits: &Limits,
        head: &mut Head,
    ) -> Result<bool, Refusal> {
        let result = self.parse_more(input, limits, head);
        if result != Ok(false) {
            self.reset();
        }
        result
    }

    fn parse_more(
        &mut self,
        input: &[u8],
        limits: &Limits,
        head: &mut Head,
    ) -> Result<bool, Refusal> {
        let Some(start) = skip_empty_lines(input)? else {
            return Ok(false);
        };
        let end = start.saturating_add(limits.head_bytes);
        let input = &input[..end.min(input.len())];
        // The first time the head is probably whole: no need to look first.
        if self.searched == 0 || self.find_end(&input[start..])? {
            self.count_work(input.len() - start);
            if read_head(input, start, limits, head)? {
                return Ok(true);
            }
            if self.searched > 0 || self.find_end(&input[start..])? {
                return Err(Refusal::BAD_REQUEST);
            }
        }
        if input.len() < end {
            return Ok(false);
        }
        Err(self.why_too_large(&input[start..], limits))
    }

    /// Looks for the empty line in what is new of `head`.
    fn find_end(&mut self, head: &[u8]) -> Result<bool, Refusal> {
        let from = self.searched.min(head.len());
        self.count_work(head.len() - from);
        self.searched = head.len();
        for (index, _) in (from..)
            .zip(&head[from..])
            .filter(|(_, byte)| **byte == b'\n')
        {
            if index == 0 || head[index - 1] != b'\r' {
                return Err(Refusal::BAD_REQUEST);
            }
            if index == self.line_start + 1 {
                return Ok(true);
            }
            self.line_start = index + 1;
        }
        Ok(false)
    }

    /// `head` has as many bytes as it may and is not complete.
    fn why_too_large(&self, head: &[u8], limits: &Limits) -> Refusal {
        let line_ended = self.line_start > 0;
        let method = head.iter().position(|byte| *byte == b' ');
        let target = method.map_or(0, |method| head.len() - method - 1);
        if !line_ended && target > limits.target_bytes {
            Refusal::URI_TOO_LONG
        } else {
            Refusal::HEAD_TOO_LARGE
        }
    }

    #[cfg(test)]
    fn count_work(&mut self, bytes: usize) {
        self.work += bytes;
    }

    #[cfg(not(test))]
    fn count_work(&self, _bytes: usize) {}
}

/// Where the request line begins; `None` if it has not begun.
fn skip_empty_lines(input: &[u8]) -> Result<Option<usize>, Refusal> {
    let mut start = 0;
    loop {
        match &input[start..] {
            [] | [b'\r'] => return Ok(None),
            [b'\r', b'\n', ..] if start < EMPTY_LINES * 2 => start += 2,
            [b'\r' | b'\n', ..] => return Err(Refusal::BAD_REQUEST),
            _ => return Ok(Some(start)),
        }
    }
}
