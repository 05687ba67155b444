//! The connection as `h2` has it, and its streams.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as Task, Poll, Waker};

use bytes::Bytes;
use h2::server::{Builder, Connection, Handshake, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;

use super::super::context::{Context, Ticket};
use super::super::deadlines::NEVER;
use super::super::event_stream::Part;
use super::super::file_transfer::FILE_BUDGET;
use super::super::listener::Listener;
use super::super::native::{self, NativeAnswer};
use super::super::request::{self, Peer, Sent};
use super::content::{self, Content};
use super::flood::Meter;
use super::pipe::Pipe;
use super::request::convert;
use super::stream::{End, Held, Offer, Slot, Stream};
use super::streams::Streams;
use super::*;
use crate::abi::*;
use crate::fault;
use crate::http::{BodyLength, Head};
use crate::ring::Command;
use crate::tls::certificates::Scope;

/// How long the rest of the preface may take, in milliseconds, where heads may
/// take any time.
const PREFACE_TIME: u64 = 10_000;

/// Who is at the other end.
pub struct Client {
    /// Its address.
    pub peer: Peer,
    /// Its certificate for JavaScript, if it was asked for one and has one.
    pub certificate: Option<Arc<[u8]>>,
    /// What it may ask for; None is anything.
    pub scope: Option<Scope>,
}

/// What streams share.
pub struct Common {
    /// The connection.
    pub ticket: Ticket,
    /// Its listener.
    pub listener: Arc<Listener>,
    /// The client.
    pub client: Client,
    /// Bytes of files that may still be read in this turn.
    pub file_budget: usize,
    /// There is more to do than fits into this turn.
    pub wants_turn: bool,
}

impl Common {
    /// Another generation of an index; returns it.
    pub fn next_generation(&self, cx: &Context, index: u32) -> u32 {
        let word = cx.shared.region.generation(index);
        let generation = word.load(Ordering::Relaxed).wrapping_add(1);
        word.store(generation, Ordering::Release);
        generation
    }

    /// JavaScript cannot ask for the certificate of a stream's client any more.
    pub fn forget_certificate(&self, cx: &Context, index: u32) {
        if self.client.certificate.is_some() {
            cx.shared.peer_certificates.remove(index);
        }
    }
}

enum State {
    Beginning(Handshake<Pipe, Bytes>),
    Open(Connection<Pipe, Bytes>),
    Over,
}

/// The streams of a connection.
pub struct Session {
    common: Common,
    pipe: Pipe,
    state: State,
    meter: Meter,
    streams: Streams,
    /// A client may have reset some of them.
    may_be_reset: bool,
    /// Those whose request finds no room in the ring, the oldest first.
    held: VecDeque<u32>,
    /// The connection is among those that wait for room.
    is_held: bool,
    /// Something has happened since `drive`.
    needs_drive: bool,
    began_at: u64,
    is_stopping: bool,
    said_goodbye: bool,
    /// When it was told to end, the client had nothing to wait for.
    was_idle: bool,
}

impl Session {
    /// For a client whose preface has arrived, or begins to.
    pub fn new(cx: &Context, ticket: Ticket, listener: Arc<Listener>, client: Client) -> Self {
        let pipe = Pipe::default();
        let head_bytes = u32::try_from(listener.limits.head_bytes).unwrap_or(u32::MAX);
        let handshake = Builder::new()
            .initial_window_size(CONTENT_WINDOW as u32)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(head_bytes)
            .max_send_buffer_size(SEND_BUFFER)
            .max_concurrent_reset_streams(REMEMBERED_RESETS)
            .max_local_error_reset_streams(Some(MAX_ERRORS))
            .max_pending_accept_reset_streams(MAX_UNSEEN_RESETS)
            .handshake(pipe.clone());
        Self {
            common: Common {
                ticket,
                listener,
                client,
                file_budget: FILE_BUDGET,
                wants_turn: false,
            },
            pipe,
            state: State::Beginning(handshake),
            meter: Meter::default(),
            streams: Streams::default(),
            may_be_reset: false,
            held: VecDeque::new(),
            is_held: false,
            needs_drive: true,
            began_at: cx.now_ms,
            is_stopping: false,
            said_goodbye: false,
            was_idle: false,
        }
    }

    /// The turn of the connection begins.
    pub fn begin_turn(&mut self) {
        if std::mem::take(&mut self.common.wants_turn) {
            self.needs_drive = true;
        }
        self.common.file_budget = FILE_BUDGET;
    }

    /// Whether `drive` has something to do.
    pub fn needs_drive(&self) -> bool {
        self.needs_drive
    }

    /// Whether it should be called in the next turn.
    pub fn wants_turn(&self) -> bool {
        self.common.wants_turn
    }

    /// Whether more input is of use now.
    pub fn wants_input(&self) -> bool {
        self.pipe.buffers().is_empty()
    }

    /// Whether there are no requests, and no answers on their way.
    pub fn is_idle(&self) -> bool {
        self.streams.is_empty()
            && match &self.state {
                State::Open(connection) => !connection.has_streams(),
                _ => true,
            }
    }

    // -----------------------------------------------------------------------
    // Input and output
    // -----------------------------------------------------------------------

    /// Bytes have arrived; `drive` must follow.
    pub fn feed(&mut self, cx: &mut Context, bytes: &[u8]) {
        self.needs_drive = true;
        if self.said_goodbye {
            return;
        }
        if self.meter.look(bytes, cx.now_ms).is_err() {
            return self.shut_down(Reason::ENHANCE_YOUR_CALM);
        }
        let mut buffers = self.pipe.buffers();
        buffers.borrow_memory(&mut cx.dropped);
        buffers.feed(bytes);
    }

    /// Nothing more will arrive.
    pub fn input_ended(&mut self) {
        self.pipe.buffers().end();
        self.needs_drive = true;
    }

    /// Does all that can be done, and appends at most `room` bytes of what is to
    /// be written to `cx.out`. True if the connection is over, but for that.
    pub fn drive(&mut self, cx: &mut Context, room: usize) -> bool {
        self.needs_drive = false;
        {
            let mut buffers = self.pipe.buffers();
            self.may_be_reset |= !buffers.is_empty();
            buffers.output = std::mem::take(&mut cx.out);
            buffers.room = room;
            buffers.was_full = false;
        }
        let is_over = self.poll(cx);
        let mut buffers = self.pipe.buffers();
        cx.out = std::mem::take(&mut buffers.output);
        buffers.return_memory(&mut cx.dropped);
        self.needs_drive |= buffers.was_full;
        // While it cannot write, there may be input that it has not looked at.
        self.may_be_reset = buffers.was_full;
        is_over
    }

    fn poll(&mut self, cx: &mut Context) -> bool {
        let mut task = Task::from_waker(Waker::noop());
        loop {
            match &mut self.state {
                State::Over => return true,
                State::Beginning(handshake) => match Pin::new(handshake).poll(&mut task) {
                    Poll::Ready(Ok(mut connection)) => {
                        if self.is_stopping {
                            connection.graceful_shutdown();
                        }
                        self.state = State::Open(connection);
                    }
                    Poll::Ready(Err(_)) => self.state = State::Over,
                    Poll::Pending => return self.said_goodbye,
                },
                State::Open(connection) => {
                    match connection.poll_accept(&mut task) {
                        Poll::Ready(Some(Ok((request, respond)))) => {
                            self.receive(cx, request, respond);
                        }
                        Poll::Ready(Some(Err(_)) | None) => self.state = State::Over,
                        Poll::Pending if self.advance_streams(cx) => {}
                        Poll::Pending => return false,
                    };
                }
            }
        }
    }

    /// Lets all streams go on; whether that gave `h2` something to do.
    fn advance_streams(&mut self, cx: &mut Context) -> bool {
        let Self {
            streams, common, ..
        } = self;
        let may_be_reset = self.may_be_reset;
        let mut has_acted = false;
        streams.retain(|stream| {
            has_acted |= stream.advance(cx, common, may_be_reset);
            match stream.end {
                Some(end) => {
                    stream.close(cx, common, end);
                    // It may have something to say to the client.
                    has_acted = true;
                    false
                }
                None => true,
            }
        });
        has_acted
    }

    // -----------------------------------------------------------------------
    // Requests
    // -----------------------------------------------------------------------

    fn receive(
        &mut self,
        cx: &mut Context,
        request: Request<RecvStream>,
        respond: SendResponse<Bytes>,
    ) {
        fault::point(fault::IO + 1);
        let id = respond.stream_id().as_u32();
        let is_head = request.method() == http::Method::HEAD;
        let mut stream = Box::new(Stream::new(cx, &self.common, respond, is_head));
        let mut head = std::mem::take(&mut cx.head);
        let mut text = cx.spare.take_text();
        let is_complete = request.body().is_end_stream();
        let limits = &self.common.listener.limits;
        let converted = convert(&request, is_complete, limits, &mut text, &mut head);
        match converted {
            Err(refusal) => {
                let answer = NativeAnswer::new(refusal.status, b"");
                stream.answer_natively(cx, &self.common, answer);
            }
            Ok(()) => {
                let content = (!is_complete).then(|| request.into_body());
                self.dispatch(cx, id, &mut stream, &mut head, &mut text, content);
            }
        }
        cx.head = head;
        cx.spare.give_text(text);
        if stream.is_answered() {
            // That was probably all.
            stream.advance(cx, &mut self.common, false);
        }
        match stream.end {
            Some(end) => stream.close(cx, &self.common, end),
            None => self.streams.insert(id, stream),
        }
    }

    fn dispatch(
        &mut self,
        cx: &mut Context,
        id: u32,
        stream: &mut Stream,
        head: &mut Head,
        text: &mut Vec<u8>,
        content: Option<RecvStream>,
    ) {
        let listener = self.common.listener.clone();
        let host = head.host.map_or(&b""[..], |host| host.of(text));
        let scope = &self.common.client.scope;
        if scope.as_ref().is_some_and(|scope| !scope.may_serve(host)) {
            listener.metrics.add(METRIC_REQUESTS, 1);
            return stream.answer_natively(cx, &self.common, NativeAnswer::new(421, b""));
        }
        if let BodyLength::Length(length) = head.body
            && length > listener.plan.max_content
        {
            listener.metrics.add(METRIC_REQUESTS, 1);
            return stream.answer_natively(cx, &self.common, NativeAnswer::new(413, b""));
        }
        if self.answer_here(cx, stream, head, text) {
            return;
        }
        if cx.queue() >= u64::from(listener.plan.max_pending) {
            listener.metrics.add(METRIC_REQUESTS, 1);
            listener.metrics.add(METRIC_REQUESTS_SHED, 1);
            let answer = NativeAnswer::new(503, b"Retry-After: 1\r\n");
            return stream.answer_natively(cx, &self.common, answer);
        }
        let (whole, mut rest) = match content.map(gather) {
            None => (Some(Vec::new()), None),
            Some((whole, None)) if whole.len() as u64 > listener.plan.max_content => {
                listener.metrics.add(METRIC_REQUESTS, 1);
                return stream.answer_natively(cx, &self.common, NativeAnswer::new(413, b""));
            }
            Some((whole, None)) => (Some(whole), None),
            Some((first, Some(content))) => (None, Some((content, first))),
        };
        let mut offer = Offer {
            head,
            text,
            whole: whole.as_deref(),
            rest: &mut rest,
        };
        if self.held.is_empty() && self.send_request(cx, id, stream, &mut offer) {
            return;
        }
        stream.held = Some(Box::new(Held {
            head: std::mem::take(head),
            text: std::mem::take(text),
            whole,
            rest,
        }));
        self.hold(cx, id);
    }

    /// Answers a request that needs no JavaScript; false if it does.
    fn answer_here(
        &mut self,
        cx: &mut Context,
        stream: &mut Stream,
        head: &Head,
        text: &[u8],
    ) -> bool {
        let listener = &self.common.listener;
        let table = listener.table();
        let Some(answer) = native::answer(cx, listener, &table, head, text) else {
            return false;
        };
        stream.answer_natively(cx, &self.common, answer);
        true
    }

    /// Sends a request to JavaScript, or what there is to say instead; false if
    /// there is no room.
    fn send_request(
        &mut self,
        cx: &mut Context,
        id: u32,
        stream: &mut Stream,
        offer: &mut Offer<'_>,
    ) -> bool {
        let Some(index) = cx.indices.take() else {
            stream.reset(Reason::REFUSED_STREAM);
            return true;
        };
        let common = &self.common;
        let listener = &common.listener;
        let word = cx.shared.region.generation(index);
        let slot = Slot {
            index,
            generation: word.load(Ordering::Relaxed).wrapping_add(1),
        };
        let request = request::Request {
            listener: listener.id,
            head: offer.head,
            input: offer.text,
            content: offer.whole,
            peer: common.client.peer,
            has_certificate: common.client.certificate.is_some(),
        };
        if let Some(certificate) = &common.client.certificate {
            cx.shared
                .peer_certificates
                .insert(index, certificate.clone());
        }
        match request::send(cx, index, slot.generation, &request) {
            Sent::Yes => {}
            Sent::NoRoom => {
                common.forget_certificate(cx, index);
                cx.indices.give_back(index);
                return false;
            }
            Sent::TooLarge => {
                common.forget_certificate(cx, index);
                cx.indices.give_back(index);
                stream.answer_natively(cx, common, NativeAnswer::new(431, b""));
                return true;
            }
        }
        common.next_generation(cx, index);
        cx.indices.set_stream(index, common.ticket, id);
        listener.metrics.add(METRIC_REQUESTS, 1);
        listener.metrics.add(METRIC_PENDING, 1);
        let continues = offer.head.expect_continue;
        let content = offer.rest.take().map(|(content, first)| {
            let limit = listener.plan.max_content;
            Content::new(cx, content, first, limit, continues, slot)
        });
        stream.begin(cx, slot, content);
        true
    }

    // -----------------------------------------------------------------------
    // No room in the ring
    // -----------------------------------------------------------------------

    fn hold(&mut self, cx: &mut Context, id: u32) {
        self.held.push_back(id);
        self.wait_for_room(cx);
    }

    fn wait_for_room(&mut self, cx: &mut Context) {
        if !self.is_held {
            self.is_held = true;
            cx.held.push_back(self.common.ticket);
        }
    }

    /// There may be room. Whether all requests that were held are through.
    pub fn retry(&mut self, cx: &mut Context) -> bool {
        self.is_held = false;
        self.needs_drive = true;
        while let Some(id) = self.held.front().copied() {
            // Its client may have left.
            if let Some(mut stream) = self.streams.remove(id) {
                let is_sent = match stream.held.take() {
                    None => true,
                    Some(mut held) => {
                        let mut offer = held.offer();
                        let is_sent = self.send_request(cx, id, &mut stream, &mut offer);
                        stream.held = (!is_sent).then_some(held);
                        is_sent
                    }
                };
                self.streams.insert(id, stream);
                if !is_sent {
                    self.wait_for_room(cx);
                    return false;
                }
            }
            self.held.pop_front();
        }
        true
    }

    // -----------------------------------------------------------------------
    // JavaScript
    // -----------------------------------------------------------------------

    /// The stream that a command is for, unless the command is stale.
    fn current(&mut self, id: u32, generation: u32) -> Option<(&mut Stream, &mut Common)> {
        let stream = self.streams.get_mut(id)?;
        stream
            .is_current(generation)
            .then_some((stream, &mut self.common))
    }

    /// Carries out a command; `drive` must follow. False if it is stale.
    pub fn carry_out(&mut self, cx: &mut Context, id: u32, command: &Command<'_>) -> bool {
        fault::point(fault::IO + 4);
        let Some((stream, common)) = self.current(id, command.generation) else {
            return false;
        };
        stream.carry_out(cx, common, command);
        self.needs_drive = true;
        true
    }

    /// Sends a part of event streams; `drive` must follow. False if the stream is
    /// none, or stale.
    pub fn send_event(&mut self, cx: &mut Context, id: u32, generation: u32, part: &Part) -> bool {
        let Some((stream, common)) = self.current(id, generation) else {
            return false;
        };
        stream.send_event(cx, common, part);
        self.needs_drive = true;
        true
    }

    /// JavaScript has taken content.
    pub fn content_taken(&mut self, cx: &Context, id: u32, generation: u32) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.content_taken(cx, generation);
            self.needs_drive = true;
        }
    }

    // -----------------------------------------------------------------------
    // Time
    // -----------------------------------------------------------------------

    /// When somebody should look.
    ///
    /// * `active_at`: when the connection has last done something.
    /// * `is_blocked`: the client does not take what is written.
    pub fn next_deadline(&self, active_at: u64, is_blocked: bool) -> u64 {
        let listener = &self.common.listener;
        let head_time = listener.head_timeout;
        let mut deadline = match self.state {
            State::Beginning(_) if head_time == 0 => self.began_at + PREFACE_TIME,
            State::Beginning(_) => self.began_at + head_time,
            _ => NEVER,
        };
        if listener.idle_timeout > 0 && (is_blocked || self.streams.is_empty()) {
            deadline = deadline.min(active_at + listener.idle_timeout);
        }
        if head_time > 0
            && let Some(since) = self.meter.block_since()
        {
            deadline = deadline.min(since + head_time);
        }
        let streams = self.streams.iter();
        let streams = streams.map(|stream| stream.deadline(&self.common));
        deadline.min(streams.min().unwrap_or(NEVER))
    }

    /// Breaks the streams that are late. True if the connection is late itself.
    pub fn look_at_deadlines(
        &mut self,
        cx: &mut Context,
        active_at: u64,
        is_blocked: bool,
    ) -> bool {
        let before = self.streams.len();
        let common = &self.common;
        self.streams.retain(|stream| {
            stream.look_at_deadline(cx, common);
            match stream.end {
                Some(end) => {
                    // Not by `drive`, which waits for a client that may never
                    // take what is written.
                    stream.close(cx, common, end);
                    false
                }
                None => true,
            }
        });
        self.needs_drive = true;
        let is_any_late = self.streams.len() < before;
        !is_any_late && self.next_deadline(active_at, is_blocked) <= cx.now_ms
    }

    // -----------------------------------------------------------------------
    // The end
    // -----------------------------------------------------------------------

    /// Tells the client that nothing more is answered; `drive` must follow.
    pub fn shut_down(&mut self, reason: Reason) {
        self.said_goodbye = true;
        self.needs_drive = true;
        match &mut self.state {
            State::Open(connection) => connection.abrupt_shutdown(reason),
            _ => self.state = State::Over,
        }
    }

    /// What was begun is finished, and nothing else: `drive` must follow.
    pub fn stop(&mut self) {
        if std::mem::replace(&mut self.is_stopping, true) {
            return;
        }
        self.needs_drive = true;
        self.was_idle = self.is_idle();
        if let State::Open(connection) = &mut self.state {
            connection.graceful_shutdown();
        }
    }

    /// Tells the client so, if it has nothing to wait for; whether that is so.
    pub fn shut_down_if_idle(&mut self) -> bool {
        let is_idle = self.is_idle();
        if is_idle {
            self.was_idle = true;
            self.shut_down(Reason::NO_ERROR);
        }
        is_idle
    }

    /// Whether the client is probably sending nothing.
    pub fn was_idle(&self) -> bool {
        self.was_idle
    }

    /// Whether it was told to stop, and can do so now.
    pub fn can_end(&self) -> bool {
        self.is_stopping && !self.said_goodbye && self.is_idle()
    }

    /// All streams are over.
    pub fn close(&mut self, cx: &mut Context, is_deadline: bool) {
        if self.is_held {
            // It waits for JavaScript no longer.
            let ticket = self.common.ticket;
            cx.held.retain(|held| *held != ticket);
        }
        let mut streams = std::mem::take(&mut self.streams);
        for stream in streams.iter_mut() {
            let end = match stream.end {
                None if is_deadline => End::Deadline,
                _ => End::Gone,
            };
            stream.close(cx, &self.common, end);
        }
        // After a panic, what `h2` shares may be locked for ever.
        let state = std::mem::replace(&mut self.state, State::Over);
        let _ = catch_unwind(AssertUnwindSafe(|| drop((streams, state))));
    }
}

/// Takes what has arrived of a request's content, if it may fit into a record;
/// the second result is where the rest comes from, None if there is none.
fn gather(mut stream: RecvStream) -> (Vec<u8>, Option<RecvStream>) {
    let mut bytes = Vec::new();
    while bytes.len() <= INLINE_CONTENT {
        match content::poll(&mut stream) {
            std::task::Poll::Ready(Some(Ok(piece))) => bytes.extend_from_slice(&piece),
            std::task::Poll::Ready(None) if bytes.len() <= INLINE_CONTENT => {
                // Nothing more comes on this stream; the others have a share.
                let _ = stream.flow_control().release_capacity(bytes.len());
                return (bytes, None);
            }
            _ => break,
        }
    }
    (bytes, Some(stream))
}
