//! What becomes of a request: refused, answered here, or sent to JavaScript.

use super::connection::{Connection, Phase};
use super::content::{Content, Discard};
use super::context::Context;
use super::exchange::{Answer, Exchange};
use super::native::{self, NativeAnswer, NativeContent};
use super::output::Piece;
use super::request::{self, Request, Sent};
use crate::abi::*;
use crate::fault;
use crate::http::{
    BodyDecoder, BodyLength, Framing, Head, ResponseHead, authority_of, has_content, write_head,
};

/// How long small content is awaited that did not come with its head, in
/// milliseconds. JavaScript has much less to do with a request that is
/// complete.
const AWAIT_TIME: u64 = 5;
/// Shared content up to this is copied, so that answers to several requests go
/// out together.
const COPIED_BYTES: usize = 16 * 1024;

/// Whether content goes to JavaScript together with its head.
enum Inline<'a> {
    /// All of it is here: the content, and the bytes that it was made of.
    Whole(&'a [u8], usize),
    /// It will follow.
    Later,
    /// It is refused.
    Refused(u16),
}

impl Connection {
    /// Takes a request from `input`, which begins with its head; returns how
    /// many bytes were used. None if nothing can be done now.
    pub(super) fn take_head(&mut self, cx: &mut Context, input: &[u8]) -> Option<usize> {
        if self.may_be_http2 {
            match self.detect_http2(input) {
                Some(true) => {
                    self.begin_http2(cx);
                    return Some(0);
                }
                Some(false) => self.may_be_http2 = false,
                None => return None,
            }
        }
        let mut head = std::mem::take(&mut cx.head);
        let used = match self.parser.parse(input, &self.listener.limits, &mut head) {
            Ok(false) => None,
            Ok(true) => self.dispatch(cx, input, &head),
            Err(refusal) => {
                self.refuse(cx, refusal.status);
                Some(input.len())
            }
        };
        cx.head = head;
        used
    }

    fn dispatch(&mut self, cx: &mut Context, input: &[u8], head: &Head) -> Option<usize> {
        fault::point(fault::IO + 1);
        if self.is_misdirected(input, head) {
            self.listener.metrics.add(METRIC_REQUESTS, 1);
            self.refuse(cx, 421);
            return Some(input.len());
        }
        if let BodyLength::Length(length) = head.body
            && length > self.listener.plan.max_content
        {
            self.listener.metrics.add(METRIC_REQUESTS, 1);
            self.refuse(cx, 413);
            return Some(input.len());
        }
        if let Some(used) = self.answer_here(cx, input, head) {
            return Some(used);
        }
        if cx.queue() >= u64::from(self.listener.plan.max_pending) {
            self.listener.metrics.add(METRIC_REQUESTS, 1);
            self.listener.metrics.add(METRIC_REQUESTS_SHED, 1);
            let answer = NativeAnswer::new(503, b"Retry-After: 1\r\n");
            return Some(self.answer_natively(cx, input, head, answer));
        }
        self.ask_javascript(cx, input, head)
    }

    /// Whether a request is for a server that would have asked this client for
    /// another certificate, or for none (RFC 9110, 7.4). One that names no server
    /// is for the first.
    fn is_misdirected(&self, input: &[u8], head: &Head) -> bool {
        let Some(scope) = self.socket.limited_scope() else {
            return false;
        };
        let host = head.host.map_or(&b""[..], |host| host.of(input));
        let target = authority_of(head.target.of(input));
        !scope.may_serve(host) || target.is_some_and(|authority| !scope.may_serve(authority))
    }

    /// Whether JavaScript can ask for the client's certificate.
    fn has_certificate(&mut self, cx: &Context) -> bool {
        *self.has_certificate.get_or_insert_with(|| {
            let certificate = self.socket.client_certificate();
            if let Some(certificate) = &certificate {
                let encoded = certificate.encode();
                cx.shared.peer_certificates.insert(self.index, encoded);
            }
            certificate.is_some()
        })
    }

    /// Answers a request that needs no JavaScript; None if it does.
    fn answer_here(&mut self, cx: &mut Context, input: &[u8], head: &Head) -> Option<usize> {
        let table = self.listener.table();
        let answer = native::answer(cx, &self.listener, &table, head, input)?;
        Some(self.answer_natively(cx, input, head, answer))
    }

    /// Answers a request here; returns how many bytes of `input` were used.
    fn answer_natively(
        &mut self,
        cx: &mut Context,
        input: &[u8],
        head: &Head,
        answer: NativeAnswer<'_>,
    ) -> usize {
        fault::point(fault::IO + 2);
        let discard = match head.body {
            BodyLength::None | BodyLength::Length(0) => None,
            length => Some(Discard::new(BodyDecoder::new(length))),
        };
        // Who waits for 100 may send the content now, or never.
        let keep_alive = head.keep_alive
            && !self.listener.is_stopping()
            && discard.as_ref().is_none_or(|discard| {
                discard.is_little() && !(head.expect_continue && input.len() == head.consumed)
            });
        let is_head = head.method == METHOD_HEAD;
        let date = cx.date();
        let written = write_head(
            &mut cx.out,
            &ResponseHead {
                status: answer.status,
                lines: &answer.lines,
                content_type: answer.content_type,
                framing: Framing::Length(answer.content.len()),
                http_1_0: head.http_1_0,
                keep_alive,
                is_head,
                date: &date,
            },
        );
        let Ok(written) = written else {
            // Lines that a table should not have.
            self.refuse(cx, 500);
            return input.len();
        };
        self.listener.metrics.count_status(answer.status);
        if !is_head && has_content(answer.status) {
            match answer.content {
                NativeContent::Bytes(bytes) => cx.out.extend_from_slice(&bytes),
                NativeContent::Shared(bytes) if bytes.len() <= COPIED_BYTES => {
                    cx.out.extend_from_slice(bytes);
                }
                NativeContent::Shared(bytes) => {
                    self.emit_with(cx, Piece::Shared(bytes.clone(), 0));
                }
                NativeContent::File(part) => self.emit_file(cx, part),
            }
        }
        if written.close {
            self.is_last = true;
            self.has_unread = discard.is_some();
            self.change(Phase::Ending);
            return input.len();
        }
        self.change(match discard {
            Some(discard) => Phase::draining(cx, discard),
            None => Phase::Head,
        });
        head.consumed
    }

    /// Sends a request to JavaScript.
    fn ask_javascript(&mut self, cx: &mut Context, input: &[u8], head: &Head) -> Option<usize> {
        let rest = &input[head.consumed..];
        let mut decoded = std::mem::take(&mut cx.dropped);
        let inline = match head.body {
            BodyLength::None | BodyLength::Length(0) => Inline::Whole(b"", 0),
            BodyLength::Length(length) if length <= INLINE_CONTENT as u64 => {
                match rest.get(..length as usize) {
                    Some(content) => Inline::Whole(content, content.len()),
                    None => Inline::Later,
                }
            }
            BodyLength::Length(_) => Inline::Later,
            BodyLength::Chunked => decode_whole(rest, self.listener.plan.max_content, &mut decoded),
        };
        let used = match inline {
            Inline::Whole(content, size) => self
                .send_request(cx, input, head, Some(content))
                .map(|()| head.consumed + size),
            Inline::Later if self.should_await(head) => {
                let needed = match head.body {
                    BodyLength::Length(length) => head.consumed + length as usize,
                    _ => head.consumed,
                };
                self.change(Phase::Awaiting { needed });
                cx.awaiting
                    .push_back((cx.now_ms + AWAIT_TIME, self.ticket()));
                None
            }
            Inline::Later => self
                .send_request(cx, input, head, None)
                .map(|()| head.consumed),
            Inline::Refused(status) => {
                self.listener.metrics.add(METRIC_REQUESTS, 1);
                self.refuse(cx, status);
                Some(input.len())
            }
        };
        cx.dropped = decoded;
        used
    }

    /// Whether the content will probably be here in a moment.
    fn should_await(&self, head: &Head) -> bool {
        let is_small =
            matches!(head.body, BodyLength::Length(length) if length <= INLINE_CONTENT as u64);
        is_small && !self.waited && !head.expect_continue
    }

    /// Sends a request; None if that was not possible.
    fn send_request(
        &mut self,
        cx: &mut Context,
        input: &[u8],
        head: &Head,
        content: Option<&[u8]>,
    ) -> Option<()> {
        let generation = self.generation.wrapping_add(1);
        let has_certificate = self.has_certificate(cx);
        let request = Request {
            listener: self.listener.id,
            head,
            input,
            content,
            peer: self.peer,
            has_certificate,
        };
        match request::send(cx, self.index, generation, &request) {
            Sent::Yes => {}
            Sent::NoRoom => {
                self.change(Phase::Held { since: cx.now_ms });
                cx.held.push_back(self.ticket());
                return None;
            }
            Sent::TooLarge => {
                self.refuse(cx, 431);
                return None;
            }
        }
        self.next_generation(cx);
        self.waited = false;
        self.listener.metrics.add(METRIC_REQUESTS, 1);
        self.listener.metrics.add(METRIC_PENDING, 1);
        let content = content.is_none().then(|| {
            Content::new(
                cx,
                head.body,
                self.listener.plan.max_content,
                head.expect_continue && !head.http_1_0,
                self.index,
                generation,
            )
        });
        self.change(Phase::Exchange(Exchange {
            http_1_0: head.http_1_0,
            is_head: head.method == METHOD_HEAD,
            asks_upgrade: head.upgrade,
            keep_alive: head.keep_alive,
            idle_timeout: self.listener.idle_timeout,
            content,
            answer: Answer::None,
            events: None,
            notify: false,
            is_counted: true,
            is_leaving: false,
        }));
        fault::point(fault::IO + 3);
        Some(())
    }

    /// Answers with nothing but a status, and closes: nobody knows where the
    /// next request would begin.
    pub(super) fn refuse(&mut self, cx: &mut Context, status: u16) {
        let date = cx.date();
        let head = ResponseHead {
            status,
            lines: b"",
            content_type: TYPE_NONE,
            framing: Framing::Length(0),
            http_1_0: false,
            keep_alive: false,
            is_head: false,
            date: &date,
        };
        // It has no lines that could be invalid.
        let _ = write_head(&mut cx.out, &head);
        self.listener.metrics.count_status(status);
        self.is_last = true;
        self.has_unread = true;
        self.change(Phase::Ending);
    }
}

/// Decodes chunks if all of them are there.
fn decode_whole<'a>(input: &[u8], limit: u64, out: &'a mut Vec<u8>) -> Inline<'a> {
    if input.is_empty() {
        return Inline::Later;
    }
    out.clear();
    let mut decoder = BodyDecoder::new(BodyLength::Chunked);
    let room = INLINE_CONTENT + 1;
    let result = decoder.decode(input, room, out);
    if out.len() as u64 > limit {
        return Inline::Refused(413);
    }
    match result {
        Ok(used) if decoder.is_done() && out.len() <= INLINE_CONTENT => Inline::Whole(out, used),
        Ok(_) => Inline::Later,
        Err(refusal) => Inline::Refused(refusal.status),
    }
}
