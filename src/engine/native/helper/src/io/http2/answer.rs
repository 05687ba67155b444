//! Answers on a stream.

use bytes::Bytes;
use h2::Reason;
use http::{Response, StatusCode};

use super::super::answer::discard;
use super::super::context::Context;
use super::super::exchange::{Answer, Stream as Way};
use super::super::file_transfer::FilePart;
use super::super::native::{NativeAnswer, NativeContent};
use super::response::{self, Head};
use super::session::Common;
use super::stream::{End, Part, Sending, Stream};
use crate::abi::*;
use crate::files;
use crate::http::has_content;
use crate::ring::Command;

/// What an answer begins with.
struct Begin<'a> {
    status: u16,
    lines: &'a [u8],
    content_type: u32,
    /// Length of the content, if it is known.
    length: Option<u64>,
    /// Nothing follows the head.
    is_all: bool,
}

impl Stream {
    /// Carries out a command for the request.
    pub fn carry_out(&mut self, cx: &mut Context, common: &Common, command: &Command<'_>) {
        self.active_at = cx.now_ms;
        match command.kind {
            COMMAND_RESPOND => self.respond(cx, common, command),
            COMMAND_RESPOND_FILE => self.respond_file(cx, common, command),
            COMMAND_RESPOND_STREAM => self.respond_stream(cx, common, command),
            COMMAND_CHUNK => self.chunk(cx, command),
            COMMAND_EVENT_STREAM => self.become_event_stream(cx, command),
            COMMAND_ABORT => self.reset(Reason::INTERNAL_ERROR),
            COMMAND_TIMEOUT => self.idle_timeout = command.word(4).into(),
            COMMAND_CONTENT => self.ask_content(cx, command.word(4)),
            _ => discard(cx, command),
        }
    }

    /// Answers without JavaScript.
    pub fn answer_natively(&mut self, cx: &mut Context, common: &Common, answer: NativeAnswer<'_>) {
        let length = answer.content.len();
        let has_none = self.is_head || !has_content(answer.status) || length == 0;
        let begin = Begin {
            status: answer.status,
            lines: &answer.lines,
            content_type: answer.content_type,
            length: Some(length),
            is_all: has_none,
        };
        self.answer = Answer::Complete;
        if self.begin_answer(cx, common, &begin) && !has_none {
            self.push(match answer.content {
                NativeContent::Bytes(bytes) => Part::Bytes(Bytes::copy_from_slice(&bytes)),
                NativeContent::Shared(bytes) => Part::Bytes(Bytes::from_owner(bytes.clone())),
                NativeContent::File(part) => Part::File(part),
            });
        }
    }

    // -----------------------------------------------------------------------
    // Whole answers
    // -----------------------------------------------------------------------

    fn respond(&mut self, cx: &mut Context, common: &Common, command: &Command<'_>) {
        let line_length = command.word(5) as usize;
        let lines = command.bytes(8, 0, line_length);
        let content = if command.flags & RESPOND_CONTENT_TOKEN != 0 {
            let content = cx.shared.lent.content_of(command, 7);
            content.map(|content| Bytes::from(content.into_owned()))
        } else {
            command
                .bytes(8, line_length, command.word(6) as usize)
                .map(Bytes::copy_from_slice)
        };
        if self.answer != Answer::None {
            return;
        }
        let (Some(lines), Some(content)) = (lines, content) else {
            return self.fail(cx, common);
        };
        let is_absent = command.flags & RESPOND_NO_CONTENT != 0 && self.is_head;
        let has_none = self.is_head || !has_content(command.word(4) as u16) || content.is_empty();
        let begin = Begin {
            length: (!is_absent).then_some(content.len() as u64),
            is_all: has_none,
            ..head_of(command, lines)
        };
        self.take_answer(command, true);
        if self.begin_answer(cx, common, &begin) && !has_none {
            self.push(Part::Bytes(content));
        }
    }

    fn respond_file(&mut self, cx: &mut Context, common: &Common, command: &Command<'_>) {
        let file = files::take(command.word(6));
        if self.answer != Answer::None {
            return;
        }
        let lines = command.bytes(12, 0, command.word(5) as usize);
        let (start, end) = (command.wide(8), command.wide(10));
        let (Some(lines), Some(file), true) = (lines, file, start <= end) else {
            return self.fail(cx, common);
        };
        let part = FilePart::new(file, start, end);
        let has_none = self.is_head || !has_content(command.word(4) as u16) || part.is_done();
        let begin = Begin {
            length: Some(part.len()),
            is_all: has_none,
            ..head_of(command, lines)
        };
        self.take_answer(command, true);
        if self.begin_answer(cx, common, &begin) && !has_none {
            self.push(Part::File(part));
        }
    }

    /// Answers a command that makes no sense.
    fn fail(&mut self, cx: &mut Context, common: &Common) {
        self.answer = Answer::Complete;
        self.begin_answer(cx, common, &FAILURE);
    }

    /// An answer begins that JavaScript has given.
    fn take_answer(&mut self, command: &Command<'_>, is_whole: bool) {
        self.notify |= command.flags & RESPOND_NOTIFY != 0;
        if is_whole {
            self.answer = Answer::Complete;
        }
    }

    /// Sends the head of an answer. False if that was a 500 instead, and whole,
    /// or there is nobody to send it to.
    fn begin_answer(&mut self, cx: &mut Context, common: &Common, begin: &Begin<'_>) -> bool {
        let date = cx.date();
        let spare = &mut cx.spare;
        let mut head = |begin: &Begin<'_>| {
            let head = Head {
                status: begin.status,
                lines: begin.lines,
                content_type: begin.content_type,
                length: begin.length,
                is_head: self.is_head,
                date: &date,
            };
            response::response(&head, spare)
        };
        let is_final = (200..=999).contains(&begin.status);
        let made = is_final.then(|| head(begin).ok()).flatten();
        let is_as_asked = made.is_some();
        let is_all = begin.is_all || !is_as_asked;
        let Some(response) = made.or_else(|| head(&FAILURE).ok()) else {
            return false;
        };
        if !is_as_asked {
            self.answer = Answer::Complete;
        }
        common
            .listener
            .metrics
            .count_status(response.status().as_u16());
        let Sending::Nothing(respond) = &mut self.sending else {
            return false;
        };
        match respond.send_response(response, is_all) {
            Ok(stream) => self.sending = Sending::Head(stream),
            Err(_) => {
                self.end = Some(End::Gone);
                return false;
            }
        }
        self.is_ended = is_all;
        is_as_asked
    }

    // -----------------------------------------------------------------------
    // Streams
    // -----------------------------------------------------------------------

    fn respond_stream(&mut self, cx: &mut Context, common: &Common, command: &Command<'_>) {
        if self.answer != Answer::None {
            return;
        }
        let Some(lines) = command.bytes(8, 0, command.word(5) as usize) else {
            return self.fail(cx, common);
        };
        let length = (command.flags & RESPOND_LENGTH_KNOWN != 0).then(|| command.wide(6));
        let has_none = self.is_head || !has_content(command.word(4) as u16);
        let begin = Begin {
            length,
            is_all: has_none,
            ..head_of(command, lines)
        };
        self.answer = Answer::Stream(match length {
            _ if has_none => Way::Dropped,
            Some(length) => Way::Length(length),
            None => Way::UntilClose,
        });
        self.take_answer(command, false);
        self.begin_answer(cx, common, &begin);
    }

    fn chunk(&mut self, cx: &mut Context, command: &Command<'_>) {
        let is_end = command.flags & RESPOND_END != 0;
        let content = if command.flags & RESPOND_CONTENT_TOKEN != 0 {
            let content = cx.shared.lent.content_of(command, 5);
            content.map(|content| Bytes::from(content.into_owned()))
        } else {
            command
                .bytes(6, 0, command.word(4) as usize)
                .map(Bytes::copy_from_slice)
        };
        let Answer::Stream(way) = &mut self.answer else {
            return;
        };
        let Some(content) = content else {
            return self.reset(Reason::INTERNAL_ERROR);
        };
        if let Way::Length(left) = way {
            // Neither more nor less than was promised.
            match left.checked_sub(content.len() as u64) {
                Some(rest) if rest == 0 || !is_end => *left = rest,
                _ => return self.reset(Reason::INTERNAL_ERROR),
            }
        }
        let is_dropped = *way == Way::Dropped;
        if is_dropped {
            self.drop_content(cx, content.len());
        } else {
            self.will_send(cx, content.len());
            self.push(Part::Bytes(content));
        }
        if is_end {
            self.answer = Answer::Complete;
        }
    }

    // -----------------------------------------------------------------------
    // Request content
    // -----------------------------------------------------------------------

    fn ask_content(&mut self, cx: &mut Context, mode: u32) {
        let Some(content) = &mut self.content else {
            return;
        };
        content.receive(cx);
        content.ask(cx, mode);
        if content.owes_continue
            && let Sending::Nothing(respond) = &mut self.sending
        {
            content.owes_continue = false;
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::CONTINUE;
            // It fails when the stream is over.
            let _ = respond.send_informational(response);
        }
    }
}

/// Of an answer that cannot be made.
const FAILURE: Begin<'static> = Begin {
    status: 500,
    lines: b"",
    content_type: TYPE_NONE,
    length: Some(0),
    is_all: true,
};

fn head_of<'a>(command: &Command<'_>, lines: &'a [u8]) -> Begin<'a> {
    Begin {
        status: command.word(4) as u16,
        lines,
        content_type: command.word(4) >> 16,
        length: None,
        is_all: false,
    }
}
