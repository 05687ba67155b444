//! Answers from JavaScript.

use super::connection::{Connection, Over, Phase};
use super::context::Context;
use super::exchange::{Answer, Exchange, Stream};
use super::file_transfer::FilePart;
use super::output::Piece;
use super::{web_socket_output, web_socket_upgrade};
use crate::abi::*;
use crate::fault;
use crate::files;
use crate::http::{Framing, ResponseHead, has_content, write_chunk, write_head, write_last_chunk};
use crate::ring::Command;

/// Content of a token up to this is copied, to be written together with the
/// head.
const COPIED_BYTES: usize = 16 * 1024;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The head of an answer.
struct AnswerHead<'a> {
    status: u16,
    lines: &'a [u8],
    content_type: u32,
    framing: Framing,
    flags: u32,
    /// All of the content is known.
    is_whole: bool,
}

/// Frees what a command carries that is carried out by nobody.
pub fn discard(cx: &mut Context, command: &Command<'_>) {
    match command.kind {
        COMMAND_UPGRADE => web_socket_upgrade::refuse_stale(cx, command),
        COMMAND_SEND | COMMAND_SEND_MANY => drop(web_socket_output::take_lent(cx, command)),
        COMMAND_CLOSE | COMMAND_TERMINATE => {
            let socket = (command.connection, command.generation);
            cx.shared.messages.forget(socket);
        }
        COMMAND_RESPOND if command.flags & RESPOND_CONTENT_TOKEN != 0 => {
            cx.shared.lent.take(command.word(7));
        }
        COMMAND_CHUNK if command.flags & RESPOND_CONTENT_TOKEN != 0 => {
            cx.shared.lent.take(command.word(5));
        }
        COMMAND_TCP_WRITE | COMMAND_TCP_GIVE_BACK if command.flags & RESPOND_CONTENT_TOKEN != 0 => {
            cx.shared.lent.take(command.word(5));
        }
        COMMAND_TCP_START_TLS => drop(cx.shared.clients.take(command.word(4))),
        COMMAND_RESPOND_FILE => {
            files::take(command.word(6));
        }
        _ => {}
    }
}

/// What is to be done after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// `Connection::advance`.
    Advance,
    /// The same at the end of the batch: more may follow.
    AdvanceLater,
}

impl Connection {
    /// Carries out a command for the request that is with JavaScript.
    pub fn carry_out(&mut self, cx: &mut Context, command: &Command<'_>) -> Then {
        fault::point(fault::IO + 4);
        self.progress = true;
        if matches!(self.phase, Phase::WebSocket(_)) {
            return self.carry_out_for_web_socket(cx, command);
        }
        match command.kind {
            COMMAND_UPGRADE => {
                self.upgrade(cx, command);
                return Then::AdvanceLater;
            }
            COMMAND_RESPOND => self.respond(cx, command),
            COMMAND_RESPOND_FILE => self.respond_file(cx, command),
            COMMAND_RESPOND_STREAM => {
                self.respond_stream(cx, command);
                return Then::AdvanceLater;
            }
            COMMAND_CHUNK => {
                self.chunk(cx, command);
                return Then::AdvanceLater;
            }
            COMMAND_EVENT_STREAM => {
                self.become_event_stream(cx, command);
                return Then::AdvanceLater;
            }
            COMMAND_ABORT => self.abort(cx),
            COMMAND_TIMEOUT => {
                if let Some(exchange) = self.exchange() {
                    exchange.idle_timeout = command.word(4).into();
                }
            }
            COMMAND_CONTENT => self.ask_content(cx, command.word(4)),
            _ => discard(cx, command),
        }
        Then::Advance
    }

    fn abort(&mut self, cx: &mut Context) {
        // What was answered before still goes out, as far as it can.
        self.write_once(cx);
        self.over = Some(Over::Left);
    }

    fn exchange(&mut self) -> Option<&mut Exchange> {
        match &mut self.phase {
            Phase::Exchange(exchange) => Some(exchange),
            _ => None,
        }
    }

    // -----------------------------------------------------------------------
    // Whole answers
    // -----------------------------------------------------------------------

    fn respond(&mut self, cx: &mut Context, command: &Command<'_>) {
        let line_length = command.word(5) as usize;
        let length = command.word(6) as usize;
        let lines = command.bytes(8, 0, line_length);
        let mut lent = None;
        let content = if command.flags & RESPOND_CONTENT_TOKEN != 0 {
            lent = cx.shared.lent.content_of(command, 7);
            lent.as_deref()
        } else {
            command.bytes(8, line_length, length)
        };
        if !self.may_begin() {
            return;
        }
        let (Some(lines), Some(content)) = (lines, content) else {
            return self.fail(cx);
        };
        let is_head = self.is_head();
        let has_no_content = command.flags & RESPOND_NO_CONTENT != 0;
        let head = AnswerHead {
            status: command.word(4) as u16,
            lines,
            content_type: command.word(4) >> 16,
            framing: if is_head && has_no_content {
                Framing::None
            } else {
                Framing::Length(content.len() as u64)
            },
            flags: command.flags,
            is_whole: true,
        };
        let status = head.status;
        if !self.begin(cx, head) {
            return;
        }
        if is_head || !has_content(status) {
            self.emit(cx);
        } else if content.len() <= COPIED_BYTES || lent.is_none() {
            cx.out.extend_from_slice(content);
            self.emit(cx);
        } else if let Some(content) = lent {
            self.emit_content(cx, content);
        }
    }

    fn respond_file(&mut self, cx: &mut Context, command: &Command<'_>) {
        let file = files::take(command.word(6));
        if !self.may_begin() {
            return;
        }
        let lines = command.bytes(12, 0, command.word(5) as usize);
        let (start, end) = (command.wide(8), command.wide(10));
        let (Some(lines), Some(file)) = (lines, file) else {
            return self.fail(cx);
        };
        if start > end {
            return self.fail(cx);
        }
        let status = command.word(4) as u16;
        let part = FilePart::new(file, start, end);
        let head = AnswerHead {
            status,
            lines,
            content_type: command.word(4) >> 16,
            framing: Framing::Length(part.len()),
            flags: command.flags,
            is_whole: true,
        };
        if !self.begin(cx, head) {
            return;
        }
        if !self.is_head() && has_content(status) {
            self.emit_file(cx, part);
        }
        self.emit(cx);
    }

    /// Begins an answer by writing its head to `cx.out`. False if that was a
    /// 500 instead, and whole.
    fn begin(&mut self, cx: &mut Context, head: AnswerHead<'_>) -> bool {
        let stopping = self.listener.is_stopping();
        let date = cx.date();
        let Phase::Exchange(exchange) = &mut self.phase else {
            return false;
        };
        let can_go_on = match &mut exchange.content {
            None => true,
            Some(content) if head.is_whole => content.drop_rest(),
            Some(content) => !content.has_failed(),
        };
        let is_final = (200..=999).contains(&head.status);
        let mut response = ResponseHead {
            status: if is_final { head.status } else { 0 },
            lines: head.lines,
            content_type: head.content_type,
            framing: head.framing,
            http_1_0: exchange.http_1_0,
            keep_alive: exchange.keep_alive
                && can_go_on
                && !stopping
                && head.flags & RESPOND_CLOSE == 0,
            is_head: exchange.is_head,
            date: &date,
        };
        exchange.notify |= head.flags & RESPOND_NOTIFY != 0;
        if head.is_whole {
            exchange.answer = Answer::Complete;
        }
        let mut is_as_asked = true;
        let written = match write_head(&mut cx.out, &response) {
            Ok(written) => written,
            Err(_) => {
                is_as_asked = false;
                exchange.answer = Answer::Complete;
                response = ResponseHead {
                    status: 500,
                    lines: b"",
                    content_type: TYPE_NONE,
                    framing: Framing::Length(0),
                    ..response
                };
                // Without lines it succeeds.
                match write_head(&mut cx.out, &response) {
                    Ok(written) => written,
                    Err(_) => return false,
                }
            }
        };
        self.is_last = written.close;
        self.has_unread |= !can_go_on;
        self.listener.metrics.count_status(response.status);
        // Before the client can know of the answer; should writing it take
        // longer, it counts again.
        self.count_pending(!head.is_whole);
        if !is_as_asked {
            self.emit(cx);
        }
        is_as_asked
    }

    /// Answers a command that makes no sense.
    fn fail(&mut self, cx: &mut Context) {
        // No status: becomes 500.
        self.begin(
            cx,
            AnswerHead {
                status: 0,
                lines: b"",
                content_type: TYPE_NONE,
                framing: Framing::Length(0),
                flags: 0,
                is_whole: true,
            },
        );
    }

    /// Whether an answer may begin now.
    fn may_begin(&mut self) -> bool {
        let Some(exchange) = self.exchange() else {
            return false;
        };
        if exchange
            .content
            .as_ref()
            .is_some_and(|content| content.was_cut())
        {
            // Who leaves in the middle of a request waits for no answer.
            self.over = Some(Over::Left);
            return false;
        }
        exchange.answer == Answer::None
    }

    fn is_head(&mut self) -> bool {
        self.exchange().is_some_and(|exchange| exchange.is_head)
    }

    // -----------------------------------------------------------------------
    // Streams
    // -----------------------------------------------------------------------

    fn respond_stream(&mut self, cx: &mut Context, command: &Command<'_>) {
        if !self.may_begin() {
            return;
        }
        let Some(lines) = command.bytes(8, 0, command.word(5) as usize) else {
            return self.fail(cx);
        };
        let status = command.word(4) as u16;
        let is_old = self.exchange().is_some_and(|exchange| exchange.http_1_0);
        let is_head = self.is_head();
        let (framing, stream) = if command.flags & RESPOND_LENGTH_KNOWN != 0 {
            let length = command.wide(6);
            (Framing::Length(length), Stream::Length(length))
        } else if is_head {
            (Framing::None, Stream::Dropped)
        } else if is_old {
            (Framing::UntilClose, Stream::UntilClose)
        } else {
            (Framing::Chunked, Stream::Chunked)
        };
        let head = AnswerHead {
            status,
            lines,
            content_type: command.word(4) >> 16,
            framing,
            flags: command.flags,
            is_whole: false,
        };
        if !self.begin(cx, head) {
            return;
        }
        let has_none = is_head || !has_content(status);
        if let Some(exchange) = self.exchange() {
            exchange.answer = Answer::Stream(if has_none { Stream::Dropped } else { stream });
        }
        // The first chunk probably follows in this batch.
        let output = self.output.get_or_insert_with(|| cx.outputs.take());
        output.push_bytes(&cx.out, 0);
        cx.out.clear();
    }

    fn chunk(&mut self, cx: &mut Context, command: &Command<'_>) {
        let length = command.word(4) as usize;
        let is_end = command.flags & RESPOND_END != 0;
        let mut lent = None;
        let content = if command.flags & RESPOND_CONTENT_TOKEN != 0 {
            lent = cx.shared.lent.take(command.word(5));
            lent.as_deref()
        } else {
            command.bytes(6, 0, length)
        };
        let Some(exchange) = self.exchange() else {
            return;
        };
        let Answer::Stream(stream) = &mut exchange.answer else {
            return;
        };
        let Some(content) = content else {
            self.over = Some(Over::Left);
            return;
        };
        let count = content.len();
        let mut is_short = false;
        if let Stream::Length(left) = stream {
            let Some(rest) = left.checked_sub(count as u64) else {
                return self.abort(cx);
            };
            *left = rest;
            is_short = is_end && rest > 0;
        }
        let stream = *stream;
        if let Some(events) = &mut exchange.events {
            events.will_send(count, cx.now_ms);
        }
        if is_end && !is_short {
            exchange.answer = Answer::Complete;
            if let Some(content) = &mut exchange.content
                && !content.drop_rest()
            {
                self.is_last = true;
                self.has_unread = true;
            }
        }
        if stream == Stream::Dropped {
            return self.tell_written(cx, count as u64);
        }
        let output = self.output.get_or_insert_with(|| cx.outputs.take());
        let is_chunked = stream == Stream::Chunked;
        match lent {
            Some(content) if content.len() > COPIED_BYTES => {
                if is_chunked {
                    output.push_bytes(format!("{:x}\r\n", content.len()).as_bytes(), 0);
                }
                output.push(Piece::owned(content, count));
                if is_chunked {
                    output.push_bytes(b"\r\n", 0);
                }
            }
            _ if is_chunked => output.append(count, |out| write_chunk(out, content)),
            _ => output.push_bytes(content, count),
        }
        if is_end && is_chunked {
            output.append(0, write_last_chunk);
        }
        if is_short {
            self.abort(cx);
        }
    }

    // -----------------------------------------------------------------------
    // Request content
    // -----------------------------------------------------------------------

    fn ask_content(&mut self, cx: &mut Context, mode: u32) {
        self.fresh = true;
        let Some(exchange) = self.exchange() else {
            return;
        };
        let is_unanswered = exchange.answer == Answer::None;
        let Some(content) = &mut exchange.content else {
            return;
        };
        content.ask(cx, mode);
        // Not after the final response, which says it all.
        if content.owes_continue && is_unanswered {
            content.owes_continue = false;
            cx.out.extend_from_slice(CONTINUE);
            self.emit(cx);
        }
    }
}
