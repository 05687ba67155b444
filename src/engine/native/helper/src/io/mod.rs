//! The event loop of an I/O thread: everything about sockets and time.
//!
//! A turn takes what the system, JavaScript and other threads have to say, lets
//! every connection concerned do all that it can, and tells JavaScript once at
//! the end. No connection can keep the thread for long: reads, accepts, files
//! and commands have budgets, and who has used one up goes on in the next turn.
//!
//! What happens to a connection is contained in it: should it panic, it is
//! closed, and the others go on.
//!
//! The loop is behind a lock, which its thread leaves only to wait for the
//! system. Meanwhile JavaScript's thread may carry out commands by itself: where
//! there are few, that takes less than waking another thread, for either side.

mod answer;
mod connection;
mod connector;
mod content;
mod context;
mod core;
mod deadlines;
mod dispatch;
mod event_stream;
mod events;
mod exchange;
mod file_transfer;
mod handshakes;
mod http2;
mod indices;
mod input;
mod interner;
mod listener;
mod native;
mod output;
mod plain_socket;
mod published;
mod receiving;
mod request;
mod sending;
mod shared_loop;
mod slab;
mod socket;
mod tcp;
mod tcp_core;
mod timing;
mod web_socket;
mod web_socket_bus;
mod web_socket_inbox;
mod web_socket_input;
mod web_socket_many;
mod web_socket_output;
mod web_socket_published;
mod web_socket_upgrade;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::{Events as Readiness, Registry, Token};

pub use self::shared_loop::SharedLoop;
pub use self::tcp_core::Offer;

pub use self::published::Policy;

#[cfg(fuzzing)]
pub use self::http2::trial::Trial as Http2Trial;

use self::connector::{CONNECTING, Connector};
use self::context::Context;
use self::core::{CONNECTIONS, Core};
use self::listener::{Acceptor, Listener};
use crate::abi::{COMMANDS_HEAD, EVENT_HEARTBEAT, EVENT_SPACE, IO_SLEEPS};
use crate::doorbell::{self, Doorbell};
use crate::fault;
use crate::ring::CommandReader;
use crate::runtime::{AcceptedSocket, IoListener, IoShared, IoThread, IoThreadOwn, Mail, WAKER};

/// What the system can tell at a time.
const EVENTS_PER_TURN: usize = 1024;
/// Commands carried out in a turn.
const COMMANDS_PER_TURN: usize = 1024;
/// Commands after which their space is given back.
const COMMANDS_PER_RELEASE: usize = 16;
/// The same for their bytes.
const BYTES_PER_RELEASE: usize = 128 * 1024;
/// The first token of listeners.
const ACCEPTORS: usize = 16;
/// How often JavaScript is asked for a sign of life, in milliseconds, while
/// somebody may want to know.
const HEARTBEAT: u64 = 500;
/// The longest time between looks at what JavaScript has read, in milliseconds.
const LONGEST_LOOK: u64 = 500;
/// No time at all.
const NEVER: u64 = u64::MAX;

/// Runs an I/O thread until its handle is closed or JavaScript is gone.
pub fn run(thread: IoThread) {
    let IoThread { mut poll, own } = thread;
    let shared = own.shared.clone();
    let Ok(registry) = poll.registry().try_clone() else {
        return;
    };
    let Some(new) = Loop::new(registry, own) else {
        return;
    };
    let _running = shared.event_loop.begin(new);
    let mut readiness = Readiness::with_capacity(EVENTS_PER_TURN);
    let mut timeout = Some(Duration::ZERO);
    loop {
        if poll.poll(&mut readiness, timeout).is_err() {
            // A signal; or the descriptor is broken, which nobody survives.
            readiness.clear();
        }
        match shared.event_loop.turn(&readiness) {
            Some(next) => timeout = next,
            None => return,
        }
    }
}

/// Everything that happens on an I/O thread.
pub struct Loop {
    index: usize,
    registry: Registry,
    shared: Arc<IoShared>,
    peers: Vec<Arc<IoShared>>,
    commands: CommandReader,
    doorbell: Doorbell,
    core: Core,
    acceptors: Vec<Option<Acceptor>>,
    connector: Connector,
    /// The thread that gets the next connection.
    next_peer: usize,
    /// When it wakes from its sleep by itself, in milliseconds.
    sleeps_until: u64,
    heartbeat_at: u64,
    /// When to look again whether JavaScript has read its events, and how long
    /// it was not looked.
    look_at: u64,
    look_pause: u64,
}

impl Loop {
    fn new(registry: Registry, own: IoThreadOwn) -> Option<Self> {
        let IoThreadOwn {
            shared,
            events,
            commands,
            mut doorbell,
            peers,
        } = own;
        // Without its doorbell nobody would know that JavaScript is gone.
        doorbell.register(&registry).ok()?;
        let events = events::Events::new(events, shared.waiting.clone());
        Some(Self {
            index: shared.index as usize,
            registry,
            peers,
            commands,
            doorbell,
            core: Core::new(Context::new(shared.clone(), events)),
            shared,
            acceptors: Vec::new(),
            connector: Connector::default(),
            next_peer: 0,
            sleeps_until: 0,
            heartbeat_at: 0,
            look_at: 0,
            look_pause: 0,
        })
    }

    /// One turn: how long to wait then, None for ever; or None at the end.
    fn turn(&mut self, readiness: &Readiness) -> Option<Option<Duration>> {
        self.wake_up();
        self.core.cx.tick();
        self.look();
        let mut has_mail = false;
        for event in readiness.iter() {
            match event.token() {
                WAKER => has_mail = true,
                // On an error JavaScript never connects, and gives up.
                doorbell::LISTENER => drop(self.doorbell.accept(&self.registry)),
                doorbell::CONNECTION => {
                    if !self.doorbell.is_javascript_there() {
                        return None;
                    }
                }
                Token(token) => match token.checked_sub(CONNECTIONS) {
                    Some(index) => self.core.ready(index as u32, event),
                    None if token >= CONNECTING => {
                        self.connector
                            .ready(&mut self.core, &self.registry, token - CONNECTING);
                    }
                    None => self.acceptor_ready(token - ACCEPTORS),
                },
            }
            if self.core.cx.events.should_announce() {
                self.announce();
            }
        }
        self.accept();
        self.core.resume_ready();
        self.run_commands(None);
        if has_mail && !self.read_mail() {
            return None;
        }
        self.core.deliver_from_buses();
        self.core.retry_held();
        self.core.run_deadlines();
        self.connector.run(&mut self.core, &self.registry);
        self.send_heartbeat();
        self.core.end_turn();
        self.announce();
        Some(self.rest())
    }

    /// What JavaScript's thread does while this one waits: carries out commands.
    fn help(&mut self, present: Option<&[u8]>) {
        fault::point(fault::IO + 8);
        self.core.cx.tick();
        self.run_commands(present);
        while present.is_some() && self.commands.has_next() {
            self.run_commands(present);
        }
        self.leave();
    }

    /// JavaScript's thread lets go of the loop.
    fn leave(&mut self) {
        // What the thread was told meanwhile may be about connections that are
        // closed now. It looks at that before it accepts others.
        self.core.end_turn();
        self.announce();
        if self.next_due() < self.sleeps_until {
            // It fails when nobody polls (any more).
            let _ = self.shared.waker.wake();
        }
    }

    /// The same, up to `head`, of which the thread was not told so far. False,
    /// and nothing is done, where much content would keep JavaScript for long.
    fn present(&mut self, connection: u32, head: u32, content: &[u8]) -> bool {
        if !self.core.takes_as_it_is(connection) {
            return false;
        }
        // SeqCst: see `IoShared::wake_if_asleep`; the records are this thread's.
        self.shared
            .region
            .control(COMMANDS_HEAD)
            .store(head, Ordering::SeqCst);
        self.help(Some(content));
        true
    }

    /// Reads from a TCP connection for JavaScript, on its thread.
    fn read_tcp(&mut self, offer: &Offer, out: &mut [u8]) -> Option<usize> {
        self.core.cx.tick();
        let count = self.core.read_tcp(offer, out);
        self.leave();
        count
    }

    // -----------------------------------------------------------------------
    // Waiting
    // -----------------------------------------------------------------------

    /// Prepares for waiting: how long that may take, None for ever.
    fn rest(&mut self) -> Option<Duration> {
        self.sleeps_until = self.next_due();
        let now = self.core.cx.now_ms;
        if self.sleeps_until <= now || !self.fall_asleep() {
            return Some(Duration::ZERO);
        }
        let pause = self.sleeps_until - now;
        (self.sleeps_until != NEVER).then_some(Duration::from_millis(pause))
    }

    /// When there is something to do, in milliseconds.
    fn next_due(&mut self) -> u64 {
        let now = self.core.cx.now_ms;
        let is_busy = self.core.has_ready()
            || self.commands.has_next()
            || self.core.has_bus_messages
            || self
                .acceptors
                .iter()
                .flatten()
                .any(|acceptor| acceptor.is_ready(now));
        if is_busy {
            return now;
        }
        let mut next = self.core.next_due().unwrap_or(NEVER);
        let mut sooner = |at: u64| next = next.min(at);
        for acceptor in self.acceptors.iter().flatten() {
            if let Some(at) = acceptor.retry_at() {
                sooner(at);
            }
        }
        if let Some(at) = self.connector.next_due() {
            sooner(at);
        }
        if self.core.needs_heartbeat() && self.doorbell.is_connected() {
            sooner(self.heartbeat_at);
        }
        if !self.core.cx.events.is_read() {
            sooner(self.look_at);
        }
        next
    }

    /// Announces sleep, so that commands wake this thread, and looks for what
    /// came before that. False if there is something to do.
    fn fall_asleep(&mut self) -> bool {
        // Another kind of failure would have come at the first try.
        let _ = self.doorbell.retry(&self.registry);
        // SeqCst: see `IoShared::wake_if_asleep`.
        self.shared
            .region
            .control(IO_SLEEPS)
            .store(1, Ordering::SeqCst);
        !self.commands.has_next() && !self.core.cx.events.should_retry()
    }

    fn wake_up(&self) {
        // At worst JavaScript wakes a thread that is awake.
        self.shared
            .region
            .control(IO_SLEEPS)
            .store(0, Ordering::Relaxed);
    }

    // -----------------------------------------------------------------------
    // JavaScript
    // -----------------------------------------------------------------------

    /// Publishes events and wakes JavaScript if it sleeps.
    fn announce(&mut self) {
        let cx = &mut self.core.cx;
        if cx.events.publish(cx.now) {
            self.doorbell.ring_if_asleep();
            self.look_pause = 1;
            self.look_at = cx.now_ms + 1;
        }
    }

    /// Looks whether JavaScript has read its events. It does not tell by
    /// itself, so this is done now and then, ever less often.
    fn look(&mut self) {
        let cx = &mut self.core.cx;
        if !cx.events.observe(cx.now) && cx.now_ms >= self.look_at {
            self.look_pause = (self.look_pause * 2).clamp(1, LONGEST_LOOK);
            self.look_at = cx.now_ms + self.look_pause;
        }
    }

    fn send_heartbeat(&mut self) {
        let now = self.core.cx.now_ms;
        if now < self.heartbeat_at || !self.core.needs_heartbeat() {
            return;
        }
        self.heartbeat_at = now + HEARTBEAT;
        // Events that were not read show the same.
        if self.doorbell.is_connected() && self.core.cx.events.is_read() {
            self.core.cx.events.send(EVENT_HEARTBEAT, 0, 0, 0, 0);
        }
    }

    /// * `present`: content of the command that has a token for it.
    fn run_commands(&mut self, present: Option<&[u8]>) {
        let mut count = 0;
        let mut bytes = 0;
        while count < COMMANDS_PER_TURN {
            let Some(mut command) = self.commands.next() else {
                break;
            };
            command.present = present;
            self.core.carry_out(&command);
            count += 1;
            bytes += command.body.len();
            if count % COMMANDS_PER_RELEASE == 0 || bytes > BYTES_PER_RELEASE {
                bytes = 0;
                self.release();
            }
        }
        if count > 0 {
            self.release();
            self.core.advance_unwritten();
        }
    }

    /// Gives the space of commands back.
    fn release(&mut self) {
        if self.commands.release() {
            self.core.cx.events.send(EVENT_SPACE, 0, 0, 0, 0);
            // JavaScript has nothing else to do until it knows.
            self.announce();
        }
    }

    // -----------------------------------------------------------------------
    // Mail
    // -----------------------------------------------------------------------

    /// Does what this thread was told; false if that is to end.
    fn read_mail(&mut self) -> bool {
        for mail in self.shared.take_mail() {
            match mail {
                Mail::Listen(given) => self.listen(given),
                Mail::Accepted { listener, socket } => {
                    self.core.open_from_peer(listener, socket, &self.registry)
                }
                Mail::Stop {
                    listener,
                    force,
                    done,
                } => {
                    self.stop(listener, force);
                    drop(done);
                }
                Mail::CloseIdle { listener, reply } => {
                    // Nobody may be waiting any more.
                    let _ = reply.try_send(self.core.close_idle(listener));
                }
                Mail::Static {
                    listener,
                    table,
                    done,
                } => {
                    if let Some(listener) = self.core.listener(listener) {
                        listener.set_table(table);
                    }
                    drop(done);
                }
                Mail::TcpConnect { attempt, target } => {
                    self.connector
                        .begin(&mut self.core, &self.registry, attempt, target);
                }
                Mail::Taken {
                    connection,
                    generation,
                } => {
                    self.core.content_taken(connection, generation);
                }
                Mail::Shutdown => return false,
            }
        }
        true
    }

    fn listen(&mut self, given: IoListener) {
        let (listener, socket) = Listener::new(given);
        self.core.add_listener(listener.clone());
        let Some(socket) = socket else {
            return;
        };
        let slot = self
            .acceptors
            .iter()
            .position(Option::is_none)
            .unwrap_or_else(|| {
                self.acceptors.push(None);
                self.acceptors.len() - 1
            });
        let token = Token(ACCEPTORS + slot);
        // It fails when memory is short; then nobody is ever accepted, and it
        // can be stopped as usual.
        self.acceptors[slot] = Acceptor::new(listener, socket, &self.registry, token).ok();
    }

    fn stop(&mut self, id: u32, force: bool) {
        let Some(listener) = self.core.listener(id) else {
            return;
        };
        if force {
            // Whatever JavaScript has said before is still done.
            while self.commands.has_next() {
                self.run_commands(None);
            }
        } else {
            // Who is connected already may have sent a request.
            self.accept();
        }
        for acceptor in &mut self.acceptors {
            if acceptor
                .as_ref()
                .is_some_and(|acceptor| Arc::ptr_eq(&acceptor.listener, &listener))
            {
                *acceptor = None;
            }
        }
        self.core.stop(&listener, force);
    }

    // -----------------------------------------------------------------------
    // Accepting
    // -----------------------------------------------------------------------

    fn acceptor_ready(&mut self, slot: usize) {
        if let Some(Some(acceptor)) = self.acceptors.get_mut(slot) {
            acceptor.set_ready();
        }
    }

    fn accept(&mut self) {
        let now = self.core.cx.now_ms;
        for acceptor in self.acceptors.iter_mut().flatten() {
            if !acceptor.is_ready(now) {
                continue;
            }
            let listener = acceptor.listener.clone();
            acceptor.accept(now, |socket: AcceptedSocket| {
                let peer = self.next_peer;
                self.next_peer = (peer + 1) % self.peers.len().max(1);
                if peer == self.index {
                    self.core.open(&listener, socket, &self.registry);
                } else {
                    self.peers[peer].post(Mail::Accepted {
                        listener: listener.id,
                        socket,
                    });
                }
            });
        }
    }
}
