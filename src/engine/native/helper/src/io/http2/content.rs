//! Content of a request on a stream. What JavaScript has not taken is not given
//! back to the client's window, so that it sends no more than there is room for.

use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll, Waker};

use bytes::Bytes;
use h2::RecvStream;

use super::super::content::RATE_WINDOW;
use super::super::context::Context;
use super::stream::Slot;
use crate::abi::*;
use crate::runtime::{WaitingContent, lock};

/// What JavaScript may take before the client is told that there is room.
const HELD_BYTES: usize = CONTENT_WINDOW / 2;

/// How JavaScript wants its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// It has not said so.
    Unasked,
    Stream,
    Gather,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    More,
    Complete,
    Failed,
}

/// Content on its way to JavaScript.
pub struct Content {
    stream: RecvStream,
    slot: Slot,
    waiting: Arc<Mutex<WaitingContent>>,
    mode: Mode,
    state: State,
    /// Bytes that may still come.
    room: u64,
    /// Bytes that have arrived and were not given back to the window.
    unreleased: usize,
    /// The client waits for 100.
    pub owes_continue: bool,
    window_end: u64,
    window_bytes: u64,
}

/// The next piece of content that has arrived; None at the end.
pub fn poll(stream: &mut RecvStream) -> Poll<Option<Result<Bytes, h2::Error>>> {
    stream.poll_data(&mut Task::from_waker(Waker::noop()))
}

impl Content {
    /// Begins to receive content of at most `limit` bytes, of which `first` has
    /// arrived.
    pub fn new(
        cx: &Context,
        stream: RecvStream,
        first: Vec<u8>,
        limit: u64,
        owes_continue: bool,
        slot: Slot,
    ) -> Box<Self> {
        let unreleased = first.len();
        let waiting = Arc::new(Mutex::new(WaitingContent {
            bytes: first,
            ..WaitingContent::default()
        }));
        lock(&cx.shared.contents).insert((slot.index, slot.generation), waiting.clone());
        Box::new(Self {
            stream,
            slot,
            waiting,
            mode: Mode::Unasked,
            state: State::More,
            room: limit.saturating_sub(unreleased as u64),
            unreleased,
            owes_continue: owes_continue && unreleased == 0,
            window_end: cx.now_ms + RATE_WINDOW,
            window_bytes: 0,
        })
    }

    /// Whether it will never be complete.
    pub fn has_failed(&self) -> bool {
        self.state == State::Failed
    }

    /// Takes what has arrived; whether there was something.
    pub fn receive(&mut self, cx: &mut Context) -> bool {
        if self.state != State::More {
            return false;
        }
        let mut arrived = 0;
        // JavaScript was told of what waits, and takes it meanwhile.
        let mut is_news = false;
        while self.state == State::More {
            let Poll::Ready(next) = poll(&mut self.stream) else {
                break;
            };
            match next {
                None => self.state = State::Complete,
                // The stream is over, of which everybody is told.
                Some(Err(_)) => break,
                Some(Ok(bytes)) => {
                    let Some(room) = self.room.checked_sub(bytes.len() as u64) else {
                        self.fail(cx, 413);
                        return true;
                    };
                    self.room = room;
                    self.unreleased += bytes.len();
                    self.window_bytes += bytes.len() as u64;
                    // Who sends content does not wait for 100.
                    self.owes_continue = false;
                    arrived += bytes.len();
                    let mut waiting = lock(&self.waiting);
                    is_news |= waiting.is_empty() && !bytes.is_empty();
                    waiting.bytes.extend_from_slice(&bytes);
                }
            }
        }
        let is_complete = self.state == State::Complete;
        if arrived == 0 && !is_complete {
            return false;
        }
        if is_complete && self.mode != Mode::Unasked || self.mode == Mode::Stream && is_news {
            self.tell(cx);
        }
        self.release(cx);
        true
    }

    /// JavaScript has asked for the content.
    pub fn ask(&mut self, cx: &mut Context, mode: u32) {
        if self.has_failed() {
            return;
        }
        self.mode = match mode {
            CONTENT_GATHER => Mode::Gather,
            _ => Mode::Stream,
        };
        let is_waiting = !lock(&self.waiting).is_empty();
        if self.state == State::Complete || self.mode == Mode::Stream && is_waiting {
            self.tell(cx);
        }
        self.release(cx);
    }

    /// Gives back to the client's window what was taken.
    pub fn release(&mut self, cx: &Context) {
        if self.unreleased == 0 || self.has_failed() {
            return;
        }
        let mut waiting = lock(&self.waiting);
        let kept = match self.mode {
            // All of it is wanted, as much as there may be.
            Mode::Gather => 0,
            // All of it is here: the other streams have a share in the window.
            _ if self.state == State::Complete => 0,
            _ => waiting.waiting(),
        };
        let free = self.unreleased.saturating_sub(kept);
        if free > 0 {
            // It fails when the stream is over.
            let _ = self.stream.flow_control().release_capacity(free);
            self.unreleased -= free;
        }
        waiting.wake_when_taken = self.unreleased >= HELD_BYTES;
        drop(waiting);
        if free > 0 {
            self.restart_window(cx.now_ms);
        }
    }

    /// When its speed is to be looked at; None while the sender is not to
    /// blame.
    pub fn rate_deadline(&self) -> Option<u64> {
        let is_awaited = self.state == State::More && !self.owes_continue && self.unreleased == 0;
        is_awaited.then_some(self.window_end)
    }

    /// Whether it arrives at so many bytes per second; to be asked at the
    /// `rate_deadline`, after which there is another.
    pub fn is_fast_enough(&mut self, rate: u32, now: u64) -> bool {
        let elapsed = now + RATE_WINDOW - self.window_end;
        let is_fast = self.window_bytes * 1000 >= u64::from(rate) * elapsed;
        self.window_end = now + RATE_WINDOW;
        self.window_bytes = 0;
        is_fast
    }

    fn restart_window(&mut self, now: u64) {
        if self.window_end <= now {
            self.window_end = now + RATE_WINDOW;
            self.window_bytes = 0;
        }
    }

    /// To be called when the request is over.
    pub fn forget(&self, cx: &Context) {
        let Slot { index, generation } = self.slot;
        lock(&cx.shared.contents).remove(&(index, generation));
    }

    fn fail(&mut self, cx: &mut Context, status: u16) {
        self.state = State::Failed;
        let Slot { index, generation } = self.slot;
        cx.events
            .send(EVENT_CONTENT_FAILED, 0, index, generation, status.into());
    }

    fn tell(&self, cx: &mut Context) {
        let is_complete = self.state == State::Complete;
        let flags = if is_complete { CONTENT_END } else { 0 };
        let count = u32::try_from(lock(&self.waiting).waiting()).unwrap_or(u32::MAX);
        let Slot { index, generation } = self.slot;
        cx.events
            .send(EVENT_CONTENT, flags, index, generation, count);
    }
}
