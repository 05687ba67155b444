//! The connections of a thread and what happens to them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mio::event::Event;
use mio::{Registry, Token};

use super::answer::{self, Then};
use super::connection::{Connection, Over, Readiness};
use super::context::{Context, Ticket};
use super::deadlines::Entry;
use super::event_stream::{self, Part};
use super::listener::Listener;
use super::plain_socket::PlainSocket;
use super::request::Peer;
use super::slab::Slab;
use super::socket::Socket;
use super::web_socket_many::Many;
use super::web_socket_published::Origin;
use crate::abi::*;
use crate::fault;
use crate::ring::Command;
use crate::runtime::AcceptedSocket;
use crate::websocket::{Broadcast, Recipient};

/// The first token of connections.
pub const CONNECTIONS: usize = 1 << 20;

/// Deliveries of messages from buses before it is something else's turn.
const BUS_DELIVERIES_PER_TURN: usize = 8192;

/// Connections, listeners, and what they share.
pub struct Core {
    /// What connections share.
    pub cx: Context,
    pub(super) connections: Slab,
    listeners: Vec<Arc<Listener>>,
    last_serial: u32,
    /// Messages for many sockets that others may go out with.
    many: Option<Many>,
    /// Messages from buses did not fit into a turn.
    pub has_bus_messages: bool,
    /// Kept for its memory.
    recipients: Vec<Recipient>,
    /// Kept for its memory.
    due: Vec<Entry>,
    /// Who has found no room in the ring: TCP comes before HTTP this time.
    tcp_first: bool,
}

impl Core {
    /// Of a new thread.
    pub fn new(cx: Context) -> Self {
        Self {
            cx,
            connections: Slab::default(),
            listeners: Vec::new(),
            last_serial: 0,
            many: None,
            has_bus_messages: false,
            recipients: Vec::new(),
            due: Vec::new(),
            tcp_first: false,
        }
    }

    // -----------------------------------------------------------------------
    // Listeners
    // -----------------------------------------------------------------------

    /// There is a new listener.
    pub fn add_listener(&mut self, listener: Arc<Listener>) {
        self.listeners.push(listener);
    }

    /// The listener with an id.
    pub fn listener(&self, id: u32) -> Option<Arc<Listener>> {
        self.listeners
            .iter()
            .find(|listener| listener.id == id)
            .cloned()
    }

    /// Whether a listener wants to know how JavaScript does.
    pub fn needs_heartbeat(&self) -> bool {
        self.listeners
            .iter()
            .any(|listener| listener.needs_heartbeat())
    }

    /// Ends a listener's connections, as far as they may.
    pub fn stop(&mut self, listener: &Arc<Listener>, force: bool) {
        listener.set_stopping();
        for index in self.connections.indices() {
            if self.is_of(index, listener) {
                self.with(index, |connection, cx| connection.stop(cx, force));
            }
        }
        self.look_for_end(listener);
    }

    /// Closes a listener's idle connections; how many there were.
    pub fn close_idle(&mut self, id: u32) -> u32 {
        let Some(listener) = self.listener(id) else {
            return 0;
        };
        let mut count = 0;
        for index in self.connections.indices() {
            if self.is_of(index, &listener) {
                self.with(index, |connection, cx| {
                    count += u32::from(connection.close_if_idle(cx));
                });
            }
        }
        count
    }

    fn is_of(&mut self, index: u32, listener: &Arc<Listener>) -> bool {
        self.connections
            .get(index)
            .is_some_and(|connection| Arc::ptr_eq(&connection.listener, listener))
    }

    /// Tells JavaScript if a listener that was stopped has no connections left.
    pub(super) fn look_for_end(&mut self, listener: &Arc<Listener>) {
        if !listener.is_stopping() || !listener.is_empty() {
            return;
        }
        let Some(position) = self
            .listeners
            .iter()
            .position(|other| Arc::ptr_eq(other, listener))
        else {
            return;
        };
        self.listeners.swap_remove(position);
        if self.cx.shared.listeners.ended(listener.id) {
            self.cx.events.send(EVENT_STOPPED, 0, 0, 0, listener.id);
        }
    }

    // -----------------------------------------------------------------------
    // Connections come and go
    // -----------------------------------------------------------------------

    /// Opens a connection that another thread has accepted.
    pub fn open_from_peer(&mut self, listener: u32, socket: AcceptedSocket, registry: &Registry) {
        if let Some(listener) = self.listener(listener) {
            self.open(&listener, socket, registry);
        }
    }

    /// Opens a connection that was accepted and counted.
    pub fn open(&mut self, listener: &Arc<Listener>, socket: AcceptedSocket, registry: &Registry) {
        let (socket, peer) = match socket {
            AcceptedSocket::Tcp(stream, address) => (PlainSocket::Tcp(stream), Peer::from(address)),
            AcceptedSocket::Unix(stream) => (PlainSocket::Unix(stream), Peer::default()),
        };
        if listener.plan.is_tcp {
            return self.open_accepted_tcp(listener, socket, peer, registry);
        }
        let mut socket = Socket::new(socket, listener.certificates.as_ref());
        let index = match self.cx.indices.take() {
            Some(index) if !listener.is_stopping() => index,
            vacant => {
                if let Some(index) = vacant {
                    self.cx.indices.give_back(index);
                }
                return listener.not_opened();
            }
        };
        if socket
            .register(registry, Token(CONNECTIONS + index as usize))
            .is_err()
        {
            self.cx.indices.give_back(index);
            return listener.not_opened();
        }
        let ticket = Ticket {
            index,
            serial: self.next_serial(),
        };
        listener.opened();
        listener.metrics.add(METRIC_CONNECTIONS, 1);
        listener.metrics.add(METRIC_CONNECTIONS_TOTAL, 1);
        let connection = Connection::new(&self.cx, ticket, listener.clone(), socket, peer);
        self.connections.insert(Box::new(connection));
        self.with(index, |connection, cx| connection.advance(cx));
    }

    pub(super) fn next_serial(&mut self) -> u32 {
        self.last_serial = self.last_serial.wrapping_add(1);
        self.last_serial
    }

    /// Lets something happen to a connection. A panic ends it, and no other.
    fn with(&mut self, index: u32, happen: impl FnOnce(&mut Connection, &mut Context)) {
        let Some(connection) = self.connections.get(index) else {
            return;
        };
        let cx = &mut self.cx;
        // What the panic hook prints is all there is to say.
        let result = catch_unwind(AssertUnwindSafe(|| happen(&mut *connection, &mut *cx)));
        if result.is_err() {
            self.cx.recover();
            connection.over = Some(Over::Left);
        }
        if let Some(over) = connection.over {
            self.close(index, over);
        }
    }

    /// The same, unless the index belongs to another connection by now.
    fn with_ticket(&mut self, ticket: Ticket, happen: impl FnOnce(&mut Connection, &mut Context)) {
        if self
            .connections
            .get(ticket.index)
            .is_some_and(|connection| connection.serial == ticket.serial)
        {
            self.with(ticket.index, happen);
        }
    }

    #[cold]
    fn close(&mut self, index: u32, over: Over) {
        if let Some(mut connection) = self.connections.remove(index) {
            connection.close(&mut self.cx, over);
            self.cx.indices.release(index);
            let listener = connection.listener.clone();
            drop(connection);
            self.look_for_end(&listener);
        }
    }

    // -----------------------------------------------------------------------
    // What happens
    // -----------------------------------------------------------------------

    /// The system tells about a connection.
    #[inline]
    pub fn ready(&mut self, index: u32, event: &Event) {
        let readiness = Readiness {
            readable: event.is_readable(),
            writable: event.is_writable(),
            read_closed: event.is_read_closed(),
            write_closed: event.is_write_closed() || event.is_error(),
        };
        if !self.tcp_ready(index, readiness) {
            self.with(index, |connection, cx| connection.ready(cx, readiness));
        }
    }

    /// Whether bytes for a connection go to the system as they are.
    pub fn takes_as_it_is(&mut self, index: u32) -> bool {
        match self.connections.get_tcp(index) {
            Some(connection) => connection.takes_as_it_is(),
            None => self
                .connections
                .get(index)
                .is_some_and(|connection| connection.takes_as_it_is()),
        }
    }

    /// Carries out a command, unless it is stale.
    #[inline]
    pub fn carry_out(&mut self, command: &Command<'_>) {
        if command.kind == COMMAND_SEND_MANY {
            return self.take_many(command);
        }
        if command.kind == COMMAND_EVENT {
            return self.send_event(command);
        }
        if self.many.is_some() {
            self.send_many(false);
        }
        if (COMMAND_TCP_WRITE..=COMMAND_TCP_GIVE_BACK).contains(&command.kind) {
            return self.carry_out_tcp(command);
        }
        let index = command.connection;
        match self.connections.get(index) {
            Some(connection) if connection.is_current(command.generation) => {}
            Some(_) => return answer::discard(&mut self.cx, command),
            None => return self.carry_out_for_stream(command),
        }
        self.with(index, |connection, cx| {
            match connection.carry_out(cx, command) {
                Then::Advance => connection.advance(cx),
                Then::AdvanceLater => connection.advance_later(cx),
            }
        });
    }

    /// Carries out a command for a stream of an HTTP/2 connection, unless it is
    /// stale.
    fn carry_out_for_stream(&mut self, command: &Command<'_>) {
        match self.cx.indices.stream(command.connection) {
            Some((owner, id)) => self.with_ticket(owner, |connection, cx| {
                connection.carry_out_for_stream(cx, id, command);
            }),
            None => answer::discard(&mut self.cx, command),
        }
    }

    /// Takes a message for many sockets.
    fn take_many(&mut self, command: &Command<'_>) {
        let cx = &self.cx;
        let is_joined = self
            .many
            .as_mut()
            .is_some_and(|many| many.join(cx, command));
        if !is_joined {
            self.send_many(false);
            self.many = Many::read(&self.cx, command);
        }
        if command.is_last {
            self.send_many(true);
        }
    }

    /// Sends the messages for many sockets, stale ones excepted.
    ///
    /// * `now`: no other commands follow.
    fn send_many(&mut self, now: bool) {
        let Some(mut many) = self.many.take() else {
            return;
        };
        for (index, generation) in many.take_recipients() {
            let connection = self.connections.get(index);
            if connection.is_some_and(|connection| connection.is_socket(generation)) {
                self.with(index, |connection, cx| {
                    connection.send_many(cx, &mut many, now)
                });
            }
        }
    }

    /// Adds a part to event streams, stale ones excepted.
    fn send_event(&mut self, command: &Command<'_>) {
        let Some(part) = Part::read(&self.cx, command) else {
            return;
        };
        for (index, generation) in event_stream::recipients(command) {
            let connection = self.connections.get(index);
            if connection.is_some_and(|connection| connection.is_event_stream(generation)) {
                self.with(index, |connection, cx| connection.send_event(cx, &part));
            } else if let Some((owner, id)) = self.cx.indices.stream(index) {
                self.with_ticket(owner, |connection, cx| {
                    connection.send_event_to_stream(cx, id, generation, &part);
                });
            }
        }
    }

    /// Writes what a batch of commands has left.
    pub fn advance_unwritten(&mut self) {
        self.send_many(true);
        let mut tickets = std::mem::take(&mut self.cx.unwritten);
        for ticket in tickets.drain(..) {
            let is_tcp = self.with_tcp_ticket(ticket, |connection, cx| {
                connection.is_unwritten = false;
                connection.advance(cx);
            });
            if is_tcp {
                continue;
            }
            self.with_ticket(ticket, |connection, cx| {
                connection.is_unwritten = false;
                connection.advance(cx);
            });
        }
        self.cx.unwritten = tickets;
    }

    /// Sends what was published on other handles, as much as one turn may.
    pub fn deliver_from_buses(&mut self) {
        let shared = self.cx.shared.clone();
        let mut budget = BUS_DELIVERIES_PER_TURN;
        self.has_bus_messages = false;
        while let Some(message) = shared.bus.take() {
            let mut recipients = std::mem::take(&mut self.recipients);
            let (kind, frame) = (message.kind, message.frame.clone());
            let mut broadcast = Broadcast::from_frame(kind, frame, message.compress);
            for topics in &message.to {
                topics.recipients(&message.topic, &mut recipients);
                for Recipient { member, .. } in recipients.drain(..) {
                    budget = budget.saturating_sub(1);
                    self.with(member, |connection, cx| {
                        if connection.is_member(topics) {
                            let policy = &message.policy;
                            connection.send_published(
                                cx,
                                &mut broadcast,
                                policy,
                                Origin::Bus,
                                false,
                            );
                        }
                    });
                }
            }
            self.recipients = recipients;
            let has_more = shared.bus.done(&message);
            budget = budget.saturating_sub(1);
            if budget == 0 && has_more {
                self.has_bus_messages = true;
                break;
            }
        }
        if budget < BUS_DELIVERIES_PER_TURN {
            self.advance_unwritten();
        }
    }

    /// JavaScript has taken content.
    pub fn content_taken(&mut self, index: u32, generation: u32) {
        if let Some((owner, id)) = self.cx.indices.stream(index) {
            return self.with_ticket(owner, |connection, cx| {
                connection.stream_content_taken(cx, id, generation);
            });
        }
        self.with(index, |connection, cx| {
            connection.content_taken(cx, generation)
        });
    }

    /// Whether a connection has more to do than fitted into its turn.
    pub fn has_ready(&self) -> bool {
        !self.cx.ready.is_empty()
    }

    /// Lets those go on that have more to do.
    pub fn resume_ready(&mut self) {
        self.cx.handshakes.resume();
        // Whoever needs another turn after this is entered anew.
        for ticket in std::mem::take(&mut self.cx.ready) {
            if !self.with_tcp_ticket(ticket, |connection, cx| connection.resume(cx)) {
                self.with_ticket(ticket, |connection, cx| connection.resume(cx));
            }
        }
    }

    /// Sends what has found no room in the ring before.
    pub fn retry_held(&mut self) {
        if self.cx.tcp_held.is_empty() {
            return self.retry_held_http();
        }
        self.tcp_first = !self.tcp_first;
        if self.tcp_first {
            self.retry_held_tcp();
            self.retry_held_http();
        } else {
            self.retry_held_http();
            self.retry_held_tcp();
        }
    }

    fn retry_held_http(&mut self) {
        if !self.cx.events.send_kept() {
            return;
        }
        while let Some(ticket) = self.cx.held.pop_front() {
            let left = self.cx.held.len();
            let mut is_through = false;
            self.with_ticket(ticket, |connection, cx| is_through = connection.retry(cx));
            if self.cx.held.len() > left {
                if !is_through {
                    // Held again: it was the oldest, and it still is.
                    self.cx.held.rotate_right(1);
                }
                return;
            }
        }
    }

    // -----------------------------------------------------------------------
    // Time
    // -----------------------------------------------------------------------

    /// When something is due, in milliseconds.
    pub fn next_due(&self) -> Option<u64> {
        let awaiting = self.cx.awaiting.front().map(|(until, ..)| *until);
        let leaving = self.cx.leaving.front().map(|(until, ..)| *until);
        let all = [self.cx.deadlines.next_due(), awaiting, leaving];
        all.into_iter().flatten().min()
    }

    /// Looks at the deadlines that are due.
    pub fn run_deadlines(&mut self) {
        while let Some((until, ticket)) = self.cx.awaiting.front().copied()
            && until <= self.cx.now_ms
        {
            self.cx.awaiting.pop_front();
            self.with_ticket(ticket, |connection, cx| connection.stop_awaiting(cx));
        }
        while let Some((until, ticket, generation)) = self.cx.leaving.front().copied()
            && until <= self.cx.now_ms
        {
            self.cx.leaving.pop_front();
            self.with_ticket(ticket, |connection, _| connection.leave(generation));
        }
        let mut due = std::mem::take(&mut self.due);
        self.cx.deadlines.expire(self.cx.now_ms, &mut due);
        for Entry {
            index,
            serial,
            tick,
        } in due.drain(..)
        {
            let ticket = Ticket { index, serial };
            if self.look_at_tcp_deadline(ticket, tick) {
                continue;
            }
            self.with_ticket(ticket, |connection, cx| {
                fault::point(fault::IO + 5);
                if connection.armed == tick {
                    connection.look_at_deadline(cx);
                }
            });
        }
        self.due = due;
    }

    /// The turn is over: indices of closed connections may be used again.
    pub fn end_turn(&mut self) {
        if self.cx.indices.end_turn() {
            self.connections.clear();
        }
    }
}
