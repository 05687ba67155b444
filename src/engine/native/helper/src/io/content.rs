//! Content of a request that did not arrive together with its head.

use std::sync::{Arc, Mutex};

use super::context::Context;
use crate::abi::*;
use crate::http::{BodyDecoder, BodyLength, Refusal};
use crate::runtime::{WaitingContent, lock};

/// Content that arrives for nobody is read up to this, to keep the connection.
pub const DROP_BYTES: u64 = 256 * 1024;
/// The most room that is made for content before it arrives.
const MOST_ROOM: u64 = 4 * 1024 * 1024;
/// How long the speed of content is averaged, in milliseconds.
pub const RATE_WINDOW: u64 = 5000;

/// How JavaScript wants its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// It has not said so.
    Unasked,
    Stream,
    Gather,
}

/// What became of some input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// More is wanted.
    More,
    /// JavaScript is to take some of it first.
    HeldBack,
    /// It is complete.
    Complete,
    /// It will never be: to be refused with this status.
    Failed(u16),
}

/// Content on its way to JavaScript.
pub struct Content {
    decoder: BodyDecoder,
    connection: u32,
    generation: u32,
    waiting: Arc<Mutex<WaitingContent>>,
    mode: Mode,
    /// Bytes that may still come.
    room: u64,
    /// The client waits for 100.
    pub owes_continue: bool,
    state: Received,
    /// The client has ended its side before the content was complete.
    was_cut: bool,
    /// Takes the rest, which nobody wants.
    discard: Option<Discard>,
    window_end: u64,
    window_bytes: u64,
}

impl Content {
    /// Begins to receive content of at most `limit` bytes.
    pub fn new(
        cx: &Context,
        length: BodyLength,
        limit: u64,
        owes_continue: bool,
        connection: u32,
        generation: u32,
    ) -> Box<Self> {
        let decoder = BodyDecoder::new(length);
        let mut waiting = WaitingContent::default();
        let size = decoder.remaining().unwrap_or(0).min(limit);
        if size > CONTENT_WINDOW as u64
            && let Some(spare) = cx.shared.spare_contents.find(size.min(MOST_ROOM) as usize)
        {
            waiting.bytes = spare;
        }
        let waiting = Arc::new(Mutex::new(waiting));
        lock(&cx.shared.contents).insert((connection, generation), waiting.clone());
        Box::new(Self {
            decoder,
            connection,
            generation,
            waiting,
            mode: Mode::Unasked,
            room: limit,
            owes_continue,
            state: Received::More,
            was_cut: false,
            discard: None,
            window_end: cx.now_ms + RATE_WINDOW,
            window_bytes: 0,
        })
    }

    /// Whether more input is of use now.
    pub fn wants_input(&self) -> bool {
        self.state == Received::More
    }

    /// Whether all of it has arrived.
    pub fn is_complete(&self) -> bool {
        self.state == Received::Complete
    }

    /// Whether it will never be complete.
    pub fn has_failed(&self) -> bool {
        matches!(self.state, Received::Failed(_))
    }

    /// Whether the client has ended its side before the content was complete.
    pub fn was_cut(&self) -> bool {
        self.was_cut
    }

    /// Takes a prefix of `input`; returns how many bytes that were.
    pub fn receive(&mut self, cx: &mut Context, input: &[u8]) -> usize {
        if let Some(discard) = &mut self.discard {
            let result = discard.feed(cx, input);
            self.state = match result {
                Err(_) => Received::Failed(400),
                Ok(_) if discard.is_done() => Received::Complete,
                Ok(_) => Received::More,
            };
            return result.unwrap_or(input.len());
        }
        let waiting = self.waiting.clone();
        let mut waiting = lock(&waiting);
        let window = match self.mode {
            Mode::Gather => usize::MAX,
            _ => CONTENT_WINDOW.saturating_sub(waiting.waiting()),
        };
        let room = usize::try_from(self.room).unwrap_or(usize::MAX).min(window);
        let was_empty = waiting.is_empty();
        let before = waiting.bytes.len();
        let result = self.decoder.decode(input, room, &mut waiting.bytes);
        let arrived = (waiting.bytes.len() - before) as u64;
        self.room -= arrived;
        let used = match result {
            Ok(used) => used,
            Err(refusal) => {
                drop(waiting);
                self.fail(cx, refusal.status);
                return input.len();
            }
        };
        self.window_bytes += used as u64;
        if used > 0 {
            // Who sends content does not wait for 100.
            self.owes_continue = false;
        }
        if self.decoder.is_done() {
            self.state = Received::Complete;
        } else if used < input.len() {
            if self.room == 0 {
                drop(waiting);
                self.fail(cx, 413);
                return used;
            }
            self.state = Received::HeldBack;
            waiting.wake_when_taken = true;
        }
        let count = waiting.waiting();
        drop(waiting);
        if self.is_complete() || self.mode == Mode::Stream && was_empty && arrived > 0 {
            self.tell(cx, count);
        }
        used
    }

    /// JavaScript has asked for the content.
    pub fn ask(&mut self, cx: &mut Context, mode: u32) {
        if self.discard.is_some() || self.has_failed() {
            return;
        }
        self.mode = match mode {
            CONTENT_GATHER => Mode::Gather,
            _ => Mode::Stream,
        };
        self.resume(cx);
        if self.mode == Mode::Gather {
            self.make_room(cx);
        }
        let count = lock(&self.waiting).waiting();
        if self.is_complete() || self.mode == Mode::Stream && count > 0 {
            self.tell(cx, count);
        }
    }

    /// Makes room for content whose length is known, so that it need not move
    /// while it grows. What a client only promises takes no memory yet.
    fn make_room(&self, cx: &Context) {
        let Some(remaining) = self.decoder.remaining() else {
            return;
        };
        let missing = remaining.min(self.room).min(MOST_ROOM) as usize;
        let mut waiting = lock(&self.waiting);
        let size = waiting.bytes.len() + missing;
        if missing > 0 && waiting.bytes.capacity() < size {
            let mut bytes = cx.shared.spare_contents.take(size);
            bytes.extend_from_slice(&waiting.bytes);
            waiting.bytes = bytes;
        }
    }

    /// JavaScript has taken some, or wants all at once.
    pub fn resume(&mut self, cx: &Context) {
        if self.state == Received::HeldBack {
            self.state = Received::More;
            self.restart_window(cx.now_ms);
        }
    }

    /// The client will send no more.
    pub fn input_ended(&mut self, cx: &mut Context) {
        if !self.is_complete() && !self.has_failed() {
            self.was_cut = true;
            self.fail(cx, 400);
        }
    }

    /// Whatever else arrives is for nobody. Returns whether it is little
    /// enough to be read, so that the connection can be used again.
    pub fn drop_rest(&mut self) -> bool {
        if self.is_complete() {
            return true;
        }
        if self.has_failed() || self.owes_continue {
            // Who waits for 100 may send the content now, or never.
            return false;
        }
        let decoder = std::mem::replace(&mut self.decoder, BodyDecoder::new(BodyLength::None));
        let discard = Discard::new(decoder);
        let is_little = discard.is_little();
        self.discard = Some(discard);
        self.state = Received::More;
        is_little
    }

    /// What takes the rest, if `drop_rest` was called and there is any.
    pub fn into_discard(self) -> Option<Discard> {
        self.discard.filter(|discard| !discard.is_done())
    }

    /// When its speed is to be looked at; None while the sender is not to
    /// blame.
    pub fn rate_deadline(&self) -> Option<u64> {
        let is_awaited = self.state == Received::More && !self.owes_continue;
        is_awaited.then_some(self.window_end)
    }

    /// Whether it arrives at so many bytes per second; to be asked at the
    /// `rate_deadline`, after which there is another.
    pub fn is_fast_enough(&mut self, rate: u32, now: u64) -> bool {
        let elapsed = now + RATE_WINDOW - self.window_end;
        let is_fast = self.window_bytes * 1000 >= u64::from(rate) * elapsed;
        self.restart_window(now);
        is_fast
    }

    fn restart_window(&mut self, now: u64) {
        self.window_end = now + RATE_WINDOW;
        self.window_bytes = 0;
    }

    /// To be called when the request is over.
    pub fn forget(&self, cx: &Context) {
        lock(&cx.shared.contents).remove(&(self.connection, self.generation));
    }

    fn fail(&mut self, cx: &mut Context, status: u16) {
        self.state = Received::Failed(status);
        cx.events.send(
            EVENT_CONTENT_FAILED,
            0,
            self.connection,
            self.generation,
            status.into(),
        );
    }

    fn tell(&self, cx: &mut Context, count: usize) {
        if self.mode == Mode::Unasked {
            return;
        }
        let flags = if self.is_complete() { CONTENT_END } else { 0 };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        cx.events.send(
            EVENT_CONTENT,
            flags,
            self.connection,
            self.generation,
            count,
        );
    }
}

/// Reads content that nobody wants, so that the connection can be used again.
pub struct Discard {
    decoder: BodyDecoder,
    /// Bytes that may still come.
    left: u64,
}

impl Discard {
    /// Takes what `decoder` has not seen.
    pub fn new(decoder: BodyDecoder) -> Self {
        Self {
            decoder,
            left: DROP_BYTES,
        }
    }

    /// Whether it is known to be no more than may come, or not known to be more.
    pub fn is_little(&self) -> bool {
        self.decoder
            .remaining()
            .is_none_or(|remaining| remaining <= self.left)
    }

    /// Whether all of it was seen.
    pub fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// Takes a prefix of `input`; returns how many bytes that were.
    ///
    /// # Errors
    /// If it is too much, or malformed: the connection cannot be used again.
    pub fn feed(&mut self, cx: &mut Context, input: &[u8]) -> Result<usize, Refusal> {
        cx.dropped.clear();
        let used = self.decoder.decode(input, usize::MAX, &mut cx.dropped)?;
        match self.left.checked_sub(used as u64) {
            Some(left) => self.left = left,
            None if self.is_done() => {}
            None => return Err(Refusal::CONTENT_TOO_LARGE),
        }
        Ok(used)
    }
}
