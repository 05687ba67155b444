//! What the connections of a thread share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::deadlines::Deadlines;
use super::events::Events;
use super::handshakes::Handshakes;
use super::http2::Spare;
use super::indices::Indices;
use super::interner::Interner;
use super::output::Spares;
use crate::abi::REQUESTS_STARTED;
use crate::http::{DateCache, Head};
use crate::runtime::IoShared;
use crate::websocket::{Deflater, Inflater};

/// Size of the buffer that sockets are read into.
pub const READ_BYTES: usize = 128 * 1024;

/// A connection, also if its index is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its index.
    pub index: u32,
    /// Its serial number.
    pub serial: u32,
}

/// What compresses and inflates the messages of WebSockets. They share it, and
/// it takes much memory once it is used.
#[derive(Default)]
pub struct Codecs {
    /// Compresses.
    pub deflater: Deflater,
    /// Inflates.
    pub inflater: Inflater,
}

/// Everything that connections use besides what is their own.
pub struct Context {
    /// What others see of this thread.
    pub shared: Arc<IoShared>,
    /// To JavaScript.
    pub events: Events,
    /// The time of this turn.
    pub now: Instant,
    /// The same in milliseconds since the thread began.
    pub now_ms: u64,
    /// Numbers of connections and streams.
    pub indices: Indices,
    /// Wakes connections.
    pub deadlines: Deadlines,
    /// Connections with more to do than fitted into their turn.
    pub ready: Vec<Ticket>,
    /// Connections whose request or message found no room, the oldest first.
    pub held: VecDeque<Ticket>,
    /// TCP connections whose bytes find no room, the oldest first. Some of them
    /// may be gone.
    pub tcp_held: VecDeque<Ticket>,
    /// Connections that wait for small content, and until when.
    pub awaiting: VecDeque<(u64, Ticket)>,
    /// Connections whose client has ended its side, with the generation of the
    /// request, and until when they wait for the answer.
    pub leaving: VecDeque<(u64, Ticket, u32)>,
    /// Connections that have written to their output in this batch of commands.
    pub unwritten: Vec<Ticket>,
    /// TLS handshakes of this turn.
    pub handshakes: Handshakes,
    /// Where sockets are read to.
    pub buffer: Vec<u8>,
    /// The answer that is being put together. Empty between connections.
    pub out: Vec<u8>,
    /// Outputs that nobody uses.
    pub outputs: Spares,
    /// What compresses messages, and the other way round.
    pub codecs: Codecs,
    /// The head that was parsed last; kept for its memory.
    pub head: Head,
    /// What streams of HTTP/2 use again.
    pub spare: Spare,
    /// Content that nobody wants.
    pub dropped: Vec<u8>,
    /// Targets that JavaScript has.
    pub targets: Interner,
    /// Hosts that JavaScript has.
    pub hosts: Interner,
    start: Instant,
    date: DateCache,
    date_text: [u8; 29],
    date_is_current: bool,
}

impl Context {
    /// For a new thread.
    pub fn new(shared: Arc<IoShared>, events: Events) -> Self {
        let now = Instant::now();
        Self {
            shared,
            events,
            now,
            now_ms: 0,
            indices: Indices::default(),
            deadlines: Deadlines::default(),
            ready: Vec::new(),
            held: VecDeque::new(),
            tcp_held: VecDeque::new(),
            awaiting: VecDeque::new(),
            leaving: VecDeque::new(),
            unwritten: Vec::new(),
            handshakes: Handshakes::default(),
            buffer: vec![0; READ_BYTES],
            out: Vec::new(),
            outputs: Spares::default(),
            codecs: Codecs::default(),
            head: Head::default(),
            spare: Spare::default(),
            dropped: Vec::new(),
            targets: Interner::default(),
            hosts: Interner::default(),
            start: now,
            date: DateCache::default(),
            date_text: [0; 29],
            date_is_current: false,
        }
    }

    /// Looks at the clock.
    #[inline]
    pub fn tick(&mut self) {
        self.now = Instant::now();
        self.now_ms = self.now.duration_since(self.start).as_millis() as u64;
        self.date_is_current = false;
        self.handshakes.begin_turn();
    }

    /// The date for this turn.
    #[inline]
    pub fn date(&mut self) -> [u8; 29] {
        if !self.date_is_current {
            self.date_text = *self.date.now();
            self.date_is_current = true;
        }
        self.date_text
    }

    /// Requests that JavaScript has begun to handle, modulo 2^32.
    #[inline]
    pub fn requests_started(&self) -> u32 {
        self.shared
            .region
            .control(REQUESTS_STARTED)
            .load(Ordering::Acquire)
    }

    /// Requests that wait for JavaScript.
    #[inline]
    pub fn queue(&self) -> u64 {
        let sent = self.events.waiting().queue(self.requests_started());
        u64::from(sent) + self.held.len() as u64
    }

    /// Whether what is sent to JavaScript finds no room.
    #[inline]
    pub fn is_congested(&self) -> bool {
        !self.held.is_empty() || self.events.has_backlog()
    }

    /// Puts right what a panic may have left.
    pub fn recover(&mut self) {
        self.buffer.resize(READ_BYTES, 0);
        self.out.clear();
        self.codecs = Codecs::default();
        self.dropped = Vec::new();
    }
}
