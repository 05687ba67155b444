//! What a connection does that speaks HTTP/2.

use h2::Reason;

use super::super::answer::discard;
use super::super::connection::{Connection, Over, Phase};
use super::super::context::Context;
use super::super::event_stream::Part;
use super::is_preface;
use super::session::{Client, Session};
use crate::ring::Command;

/// What is written at a time.
const WRITE_BYTES: usize = 128 * 1024;

impl Connection {
    fn session(&mut self) -> Option<&mut Session> {
        match &mut self.phase {
            Phase::Http2(session) => Some(session),
            _ => None,
        }
    }

    /// Whether a client that has said nothing else speaks HTTP/2; None if that is
    /// to be seen.
    pub(in super::super) fn detect_http2(&self, input: &[u8]) -> Option<bool> {
        // With TLS it has been agreed on, or not.
        self.socket.is_http2().or_else(|| is_preface(input))
    }

    /// From now on the connection speaks HTTP/2.
    pub(in super::super) fn begin_http2(&mut self, cx: &Context) {
        self.may_be_http2 = false;
        let client = Client {
            peer: self.peer,
            certificate: self.socket.client_certificate().map(|it| it.encode()),
            scope: self.socket.limited_scope(),
        };
        let session = Session::new(cx, self.ticket(), self.listener.clone(), client);
        self.change(Phase::Http2(Box::new(session)));
    }

    // -----------------------------------------------------------------------
    // Input and output
    // -----------------------------------------------------------------------

    /// A turn begins.
    #[inline]
    pub(in super::super) fn begin_streams_turn(&mut self) {
        if let Phase::Http2(session) = &mut self.phase {
            session.begin_turn();
        }
    }

    /// Whether reading something shows that the client is there. One that takes
    /// nothing could go on sending for ever.
    #[inline]
    pub(in super::super) fn counts_as_progress(&self) -> bool {
        self.output.is_none() || !matches!(self.phase, Phase::Http2(_))
    }

    /// Uses input; returns how many bytes that were.
    pub(in super::super) fn receive_http2(&mut self, cx: &mut Context, input: &[u8]) -> usize {
        if let Some(session) = self.session() {
            session.feed(cx, input);
            self.drive(cx);
        }
        input.len()
    }

    /// All input was read.
    pub(in super::super) fn http2_ended(&mut self, cx: &mut Context) {
        if let Some(session) = self.session() {
            session.input_ended();
            self.drive(cx);
        }
        if matches!(self.phase, Phase::Http2(_)) {
            // What it has not taken in is of no use to anybody.
            self.over = Some(Over::Left);
        }
    }

    /// Everything is written; whether there was something to do.
    pub(in super::super) fn drive_if_needed(&mut self, cx: &mut Context) -> bool {
        let Some(session) = self.session() else {
            return false;
        };
        if session.can_end() {
            session.shut_down(Reason::NO_ERROR);
        }
        if !session.needs_drive() {
            return false;
        }
        self.drive(cx);
        true
    }

    fn drive(&mut self, cx: &mut Context) {
        let room = match self.output {
            Some(_) => 0,
            None => WRITE_BYTES,
        };
        let Some(session) = self.session() else {
            return;
        };
        let is_over = session.drive(cx, room);
        if session.wants_turn() {
            self.queue(cx);
        }
        self.emit(cx);
        if is_over {
            if let Some(session) = self.session() {
                session.close(cx, false);
                let was_idle = session.was_idle();
                self.has_unread |= !was_idle;
                // What may arrive now was sent too late.
                self.readable &= !was_idle;
            }
            self.change(Phase::Ending);
        }
    }

    // -----------------------------------------------------------------------
    // JavaScript
    // -----------------------------------------------------------------------

    /// Carries out a command for a stream, unless it is stale.
    pub fn carry_out_for_stream(&mut self, cx: &mut Context, id: u32, command: &Command<'_>) {
        self.progress = true;
        let is_carried_out = self
            .session()
            .is_some_and(|session| session.carry_out(cx, id, command));
        if is_carried_out {
            self.advance_later(cx);
        } else {
            discard(cx, command);
        }
    }

    /// Sends a part to an event stream, unless that is stale.
    pub fn send_event_to_stream(&mut self, cx: &mut Context, id: u32, of: u32, part: &Part) {
        let is_sent = self
            .session()
            .is_some_and(|session| session.send_event(cx, id, of, part));
        if is_sent {
            self.progress |= self.output.is_none();
            self.advance_later(cx);
        }
    }

    /// JavaScript has taken content of a stream.
    pub fn stream_content_taken(&mut self, cx: &mut Context, id: u32, generation: u32) {
        if let Some(session) = self.session() {
            session.content_taken(cx, id, generation);
            self.advance(cx);
        }
    }

    /// There may be room for requests; see `Connection::retry`.
    pub(in super::super) fn retry_streams(&mut self, cx: &mut Context) -> bool {
        let Some(session) = self.session() else {
            return false;
        };
        let are_through = session.retry(cx);
        self.advance(cx);
        are_through
    }

    // -----------------------------------------------------------------------
    // Time and the end
    // -----------------------------------------------------------------------

    /// A deadline is over, of the connection or of a stream.
    pub(in super::super) fn http2_is_due(&mut self, cx: &mut Context) {
        let (active_at, is_blocked) = (self.active_at, self.output.is_some());
        let Some(session) = self.session() else {
            return;
        };
        if !session.look_at_deadlines(cx, active_at, is_blocked) {
            return self.advance(cx);
        }
        if is_blocked || !self.say_goodbye() {
            self.over = Some(Over::Deadline);
            return;
        }
        self.advance(cx);
    }

    /// The listener stops.
    pub(in super::super) fn stop_streams(&mut self) {
        if let Some(session) = self.session() {
            session.stop();
        }
    }

    /// Ends the connection if it speaks HTTP/2 and has no streams; whether that
    /// is so.
    pub(in super::super) fn say_goodbye(&mut self) -> bool {
        self.session().is_some_and(Session::shut_down_if_idle)
    }

    /// The connection is closed, and with it its streams.
    pub(in super::super) fn lose_streams(&mut self, cx: &mut Context, over: Over) {
        if let Some(session) = self.session() {
            session.close(cx, over == Over::Deadline);
        }
    }
}
