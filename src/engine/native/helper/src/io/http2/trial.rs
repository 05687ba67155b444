//! A session in memory, for fuzzing and tests: a client sends anything, takes
//! what it likes of the answers, and JavaScript is played, as a script has it.
//! Whatever that is, nothing panics, the session ends, every request ends once,
//! and nothing is left of any.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::{Poll, Waker};

use super::super::context::{Context, READ_BYTES, Ticket};
use super::super::deadlines::NEVER;
use super::super::event_stream::Part;
use super::super::events::Events;
use super::super::listener::Listener;
use super::super::request::Peer;
use super::PREFACE;
use super::session::{Client, Session};
use crate::abi::*;
use crate::listen_plan::{Address, ListenPlan};
use crate::region::Region;
use crate::ring::{self, Command, Reader};
use crate::runtime::{Common, IoListener, IoShared, ListenerMetrics, WAKER, lock};
use crate::static_table::StaticTable;
use h2::Reason;

/// What is written at a time, as by connections.
const WRITE_BYTES: usize = 128 * 1024;
/// Deadlines that a session may meet before it is over, when nothing else
/// happens any more: those of its streams, and then its own.
const LAST_DEADLINES: usize = 1000;
/// Content that takes more than a frame.
static LARGE: [u8; 20_000] = [b'x'; 20_000];
/// What a request may have of content.
const MAX_CONTENT: u64 = 300_000;

/// A connection and a generation.
type Key = (u32, u32);

/// What JavaScript knows of a request.
#[derive(Clone, Copy, Default)]
struct Request {
    /// It has begun to answer.
    is_begun: bool,
}

/// Runs scripts, one session for each.
pub struct Trial {
    cx: Context,
    listener: Arc<Listener>,
    javascript: Reader<ring::Events>,
    serial: u32,
    _poll: Poll,
}

impl Default for Trial {
    fn default() -> Self {
        Self::new()
    }
}

impl Trial {
    /// With all limits on, and some routes.
    pub fn new() -> Self {
        let poll = Poll::new().unwrap();
        let waker = Waker::new(poll.registry(), WAKER).unwrap();
        let region = Arc::new(Region::new().unwrap());
        let (events, _) = ring::ends(&region);
        let javascript = ring::events_end(&region);
        let shared = IoShared::new(0, waker, region, &Common::default());
        let shared = Arc::new(shared);
        let all_metrics = Arc::new(ListenerMetrics::new(std::slice::from_ref(&shared)));
        let (listener, _) = Listener::new(IoListener {
            id: 0,
            socket: None,
            plan: Arc::new(plan()),
            metrics: Arc::default(),
            all_metrics,
            connections: Arc::default(),
            certificates: None,
        });
        let routes: [(&str, &[u8]); 2] = [("/s", b"static"), ("/l", &[b'l'; 100_000])];
        listener.set_table(Arc::new(StaticTable::parse(&table(&routes)).unwrap()));
        let events = Events::new(events, shared.waiting.clone());
        Self {
            cx: Context::new(shared, events),
            listener,
            javascript,
            serial: 0,
            _poll: poll,
        }
    }

    /// Runs a session as `script` has it, from its first byte to its end; how
    /// many bytes the client had sent at most that were not read.
    ///
    /// # Panics
    /// If something goes wrong.
    pub fn run(&mut self, script: &[u8]) -> usize {
        self.serial = self.serial.wrapping_add(1);
        let index = self.cx.indices.take().unwrap();
        let serial = self.serial;
        let client = Client {
            peer: Peer::default(),
            certificate: None,
            scope: None,
        };
        let ticket = Ticket { index, serial };
        let session = Session::new(&self.cx, ticket, self.listener.clone(), client);
        let active_at = self.cx.now_ms;
        let mut run = Run {
            trial: self,
            session,
            sent: Vec::new(),
            most_sent: 0,
            next_stream: 1,
            output: 0,
            takes: usize::MAX,
            active_at,
            requests: HashMap::new(),
            order: Vec::new(),
            is_over: false,
        };
        run.play(script);
        run.session.close(&mut run.trial.cx, false);
        run.listen();
        assert!(run.requests.is_empty(), "requests that never end");
        let most_sent = run.most_sent;
        drop(run);
        self.cx.indices.release(index);
        self.cx.indices.end_turn();
        assert_eq!(self.cx.indices.taken(), 0);
        assert!(lock(&self.cx.shared.contents).is_empty());
        assert!(self.cx.held.is_empty());
        assert_eq!(self.listener.metrics.get(METRIC_PENDING), 0);
        most_sent
    }
}

/// One session.
struct Run<'a> {
    trial: &'a mut Trial,
    session: Session,
    /// By the client, and not read.
    sent: Vec<u8>,
    /// The most that this was.
    most_sent: usize,
    /// The number of its next request.
    next_stream: u32,
    /// Bytes that were written and that it has not taken.
    output: usize,
    /// Bytes that it takes before it stops doing so.
    takes: usize,
    active_at: u64,
    requests: HashMap<Key, Request>,
    /// The keys of requests, the oldest first.
    order: Vec<Key>,
    is_over: bool,
}

/// What is left of a script.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

impl Run<'_> {
    fn play(&mut self, script: &[u8]) {
        let mut script = Script(script);
        let ending = script.byte().unwrap_or_default();
        if ending & 0x80 == 0 {
            self.sent.extend_from_slice(PREFACE);
            self.sent.extend(frame(4, 0, 0, &[]));
        }
        while !self.is_over
            && let Some(step) = script.byte()
        {
            self.step(step, &mut script);
            self.most_sent = self.most_sent.max(self.sent.capacity());
            // Several things may happen in one turn.
            if step & 0x20 == 0 {
                self.advance();
            }
        }
        self.finish(ending & 7);
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        let argument = script.byte().unwrap_or_default();
        match step % 8 {
            0 => self.sent.extend_from_slice(script.bytes(argument.into())),
            1 | 2 => {
                let flags = script.byte().unwrap_or_default();
                let stream = script.byte().unwrap_or_default();
                let count = script.byte().unwrap_or_default();
                let payload = script.bytes(count.into());
                // Of some there are many, and some are long.
                let times = if step & 0x40 != 0 { 64 } else { 1 };
                let payload = payload.repeat(if step & 0x80 != 0 { 64 } else { 1 });
                for _ in 0..times {
                    let frame = frame(argument % 12, flags, stream.into(), &payload);
                    self.sent.extend(frame);
                }
            }
            3 => {
                let target = [&b"/"[..], b"/s", b"/l", b"/h"][usize::from(argument >> 1 & 3)];
                let method: &[u8] = match argument >> 3 & 3 {
                    0 | 1 => b"GET",
                    2 => b"POST",
                    _ => b"HEAD",
                };
                let flags = 4 | (argument & 1);
                let mut fields = field(b":method", method);
                fields.extend(field(b":scheme", b"http"));
                fields.extend(field(b":authority", b"a"));
                fields.extend(field(b":path", target));
                if argument & 0x20 != 0 {
                    fields.extend(field(b"content-length", b"100"));
                }
                if argument & 0x40 != 0 {
                    fields.extend(field(b"expect", b"100-continue"));
                }
                self.sent.extend(frame(1, flags, self.next_stream, &fields));
                self.next_stream += 2;
            }
            4 | 5 => {
                let at = usize::from(argument >> 4);
                if let Some(of) = self.order.get(at).copied() {
                    self.act(of, argument & 15);
                }
            }
            6 => self.wait(u64::from(argument) * 50),
            _ => self.takes = usize::from(argument) * 1000,
        }
    }

    // -----------------------------------------------------------------------
    // JavaScript
    // -----------------------------------------------------------------------

    fn act(&mut self, of: Key, act: u8) {
        match act {
            0 => self.command(COMMAND_RESPOND, 0, of, &[200, 0, 5], b"hello"),
            1 => self.command(COMMAND_EVENT_STREAM, 0, of, &[1000, 30_000], b""),
            2 => self.send_event(of),
            3 => self.command(COMMAND_RESPOND, 0, of, &[204, 6, 0], b"a: b\r\n"),
            4 => self.command(COMMAND_RESPOND, 0, of, &[200, 0, 20_000], &LARGE),
            5 => self.command(COMMAND_RESPOND, 0, of, &[7, 3, 0], b"no\n"),
            6 => self.command(COMMAND_RESPOND_STREAM, 0, of, &[200, 0, 0, 0], b""),
            7 => {
                let flags = RESPOND_LENGTH_KNOWN;
                self.command(COMMAND_RESPOND_STREAM, flags, of, &[200, 0, 5, 0], b"");
            }
            8 => self.command(COMMAND_CHUNK, 0, of, &[5, 0], b"hello"),
            9 => self.command(COMMAND_CHUNK, 0, of, &[20_000, 0], &LARGE),
            10 => self.command(COMMAND_CHUNK, RESPOND_END, of, &[5, 0], b"hello"),
            11 => self.command(COMMAND_ABORT, 0, of, &[], b""),
            12 => self.command(COMMAND_CONTENT, 0, of, &[CONTENT_STREAM], b""),
            13 => self.command(COMMAND_CONTENT, 0, of, &[CONTENT_GATHER], b""),
            14 => self.command(COMMAND_TIMEOUT, 0, of, &[2000], b""),
            _ => self.take(of),
        }
    }

    fn command(&mut self, kind: u32, flags: u32, of: Key, words: &[u32], rest: &[u8]) {
        let (connection, generation) = of;
        let mut body: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        // Answers begin behind eight words, chunks behind six.
        let is_answer = [COMMAND_RESPOND, COMMAND_RESPOND_STREAM].contains(&kind);
        body.resize(body.len().max(if is_answer { 16 } else { 8 }), 0);
        body.extend(rest);
        let command = Command {
            kind,
            flags: flags | if is_answer { RESPOND_NOTIFY } else { 0 },
            connection,
            generation,
            body: &body,
            present: None,
            is_last: true,
        };
        let Some((_, id)) = self.trial.cx.indices.stream(connection) else {
            return;
        };
        let is_carried_out = self.session.carry_out(&mut self.trial.cx, id, &command);
        if is_carried_out
            && is_answer
            && let Some(request) = self.requests.get_mut(&of)
        {
            request.is_begun = true;
        }
    }

    /// Sends a part of an event stream.
    fn send_event(&mut self, (connection, generation): Key) {
        let body = [&20_000u32.to_le_bytes(), &[0; 8][..], &LARGE].concat();
        let command = Command {
            kind: COMMAND_EVENT,
            flags: 0,
            connection: 0,
            generation: 0,
            body: &body,
            present: None,
            is_last: true,
        };
        let cx = &mut self.trial.cx;
        let part = Part::read(cx, &command).unwrap();
        if let Some((_, id)) = cx.indices.stream(connection) {
            self.session.send_event(cx, id, generation, &part);
        }
    }

    /// Takes all content of a request that waits.
    fn take(&mut self, of: Key) {
        let content = lock(&self.trial.cx.shared.contents).get(&of).cloned();
        let Some(content) = content else { return };
        let mut waiting = lock(&content);
        waiting.bytes.clear();
        waiting.taken = 0;
        let wake = std::mem::take(&mut waiting.wake_when_taken);
        drop(waiting);
        if wake && let Some((_, id)) = self.trial.cx.indices.stream(of.0) {
            self.session.content_taken(&self.trial.cx, id, of.1);
        }
    }

    /// Reads what there is to read.
    fn listen(&mut self) {
        let cx = &mut self.trial.cx;
        cx.events.send_kept();
        cx.events.publish(cx.now);
        let region = &cx.shared.region;
        while let Some(event) = self.trial.javascript.next() {
            let key = (event.connection, event.generation);
            match event.kind {
                EVENT_REQUEST => {
                    region
                        .control(REQUESTS_STARTED)
                        .fetch_add(1, Ordering::Relaxed);
                    let before = self.requests.insert(key, Request::default());
                    assert!(before.is_none(), "a request comes twice");
                    self.order.push(key);
                }
                EVENT_DONE | EVENT_GONE => {
                    let request = self.requests.remove(&key);
                    let request = request.expect("an end of nothing");
                    assert!(event.kind == EVENT_GONE || request.is_begun);
                    self.order.retain(|other| *other != key);
                }
                EVENT_CONTENT | EVENT_CONTENT_FAILED | EVENT_WRITTEN => {
                    assert!(self.requests.contains_key(&key), "news of nothing");
                }
                kind => panic!("an event of kind {kind}"),
            }
        }
        self.trial.javascript.release();
    }

    // -----------------------------------------------------------------------
    // The connection
    // -----------------------------------------------------------------------

    /// What a connection does when something has happened to it.
    fn advance(&mut self) {
        self.session.begin_turn();
        while !self.is_over {
            let taken = self.output.min(self.takes);
            self.output -= taken;
            self.takes -= taken;
            if taken > 0 {
                self.active_at = self.trial.cx.now_ms;
            }
            if self.output == 0 {
                if self.session.can_end() {
                    self.session.shut_down(Reason::NO_ERROR);
                }
                if self.session.needs_drive() {
                    self.drive();
                    continue;
                }
            }
            if self.sent.is_empty() || !self.session.wants_input() {
                break;
            }
            let count = self.sent.len().min(READ_BYTES);
            let bytes: Vec<u8> = self.sent.drain(..count).collect();
            if self.output == 0 {
                self.active_at = self.trial.cx.now_ms;
            }
            self.session.feed(&mut self.trial.cx, &bytes);
            self.drive();
        }
        self.listen();
        assert!(self.trial.cx.out.is_empty());
    }

    fn drive(&mut self) {
        let room = if self.output == 0 { WRITE_BYTES } else { 0 };
        let cx = &mut self.trial.cx;
        self.is_over = self.session.drive(cx, room);
        self.output += cx.out.len();
        cx.out.clear();
        assert!(self.output <= WRITE_BYTES, "more than there is room for");
        if self.session.wants_turn() {
            self.session.begin_turn();
        }
    }

    /// Time passes.
    fn wait(&mut self, milliseconds: u64) {
        self.trial.cx.now_ms += milliseconds;
        let is_blocked = self.output > 0;
        let (active_at, now) = (self.active_at, self.trial.cx.now_ms);
        if self.session.next_deadline(active_at, is_blocked) > now {
            return;
        }
        let cx = &mut self.trial.cx;
        let is_late = self.session.look_at_deadlines(cx, active_at, is_blocked);
        if is_late && (is_blocked || !self.session.shut_down_if_idle()) {
            self.is_over = true;
        }
    }

    // -----------------------------------------------------------------------
    // The end
    // -----------------------------------------------------------------------

    /// However it ends, it does.
    fn finish(&mut self, ending: u8) {
        let answers = ending & 1 != 0;
        match ending >> 1 {
            // The client leaves.
            0 => {
                self.session.input_ended();
                self.drive();
                self.listen();
                return;
            }
            // It takes nothing any more.
            1 => self.takes = 0,
            // The server stops.
            2 => {
                self.session.stop();
                self.takes = usize::MAX;
            }
            // It sends nothing any more.
            _ => self.takes = usize::MAX,
        }
        self.advance();
        for _ in 0..LAST_DEADLINES {
            if self.is_over {
                return;
            }
            if answers {
                for of in self.order.clone() {
                    self.take(of);
                    self.act(of, 0);
                    self.act(of, 10);
                }
                self.advance();
            }
            let next = self.session.next_deadline(self.active_at, self.output > 0);
            assert_ne!(next, NEVER, "a session that would never end");
            self.wait(next.saturating_sub(self.trial.cx.now_ms));
            self.advance();
        }
        assert!(self.is_over, "a session that does not end");
    }
}

fn plan() -> ListenPlan {
    ListenPlan {
        address: Address::Unix(Vec::new()),
        tls: false,
        http2: true,
        is_tcp: false,
        max_content: MAX_CONTENT,
        idle_timeout: Some(Duration::from_secs(10)),
        head_timeout: Some(Duration::from_secs(5)),
        max_connections: 10,
        max_pending: 100,
        head_bytes: 16 * 1024,
        header_count: 50,
        target_bytes: 1024,
        health_stall: Duration::from_secs(1),
        health_route: b"/h".to_vec(),
        metrics_route: Vec::new(),
        min_content_rate: 100,
    }
}

/// A frame (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A field as a literal that changes no table (RFC 7541, 6.2.2).
fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        bytes.push(text.len() as u8);
        bytes.extend(text);
    }
    bytes
}

/// A static table with routes for all methods.
fn table(routes: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = (routes.len() as u32).to_le_bytes().to_vec();
    for (path, content) in routes {
        let (path_length, length) = (path.len() as u32, content.len() as u32);
        let words = [
            path_length,
            ALL_METHODS,
            STATIC_CONTENT,
            200,
            0,
            0,
            0,
            length,
        ];
        out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        out.extend(path.as_bytes());
        out.extend(*content);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that are the same in every run (xorshift64*).
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
        }
    }

    #[test]
    fn requests_are_answered_and_sessions_end() {
        let mut trial = Trial::new();
        for ending in 0..8 {
            // Two requests, answers, time.
            trial.run(&[ending, 3, 1, 3, 0x11, 4, 0, 4, 4, 6, 1]);
            // Content, a part at a time.
            trial.run(&[ending, 3, 0x10, 4, 12, 0x81, 0, 0, 1, 3, 1, 2, 3, 5, 15]);
            // Of static routes, which answer at once, not all is taken.
            trial.run(&[ending, 7, 3, 3, 3, 3, 5, 3, 7, 6, 255]);
        }
        let metrics = &trial.listener.metrics;
        assert_eq!(metrics.get(METRIC_REQUESTS), 8 * 6);
        assert_eq!(metrics.get(METRIC_REQUESTS_NATIVE), 8 * 3);
        assert!(metrics.get(METRIC_TIMEOUTS) > 0);
    }

    #[test]
    fn anything_may_be_in_a_script() {
        let mut trial = Trial::new();
        let mut numbers = Numbers(4711);
        for _ in 0..3000 {
            let length = numbers.next() % 200;
            let script: Vec<u8> = (0..length).map(|_| numbers.next() as u8).collect();
            trial.run(&script);
        }
    }
}
