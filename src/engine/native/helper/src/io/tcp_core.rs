//! The TCP connections of a thread and what happens to them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mio::{Registry, Token};

use super::answer::{self, Then};
use super::connection::Readiness;
use super::context::{Context, Ticket};
use super::core::{CONNECTIONS, Core};
use super::listener::Listener;
use super::plain_socket::PlainSocket;
use super::request::Peer;
use super::socket::Socket;
use super::tcp::{End, Origin, TcpConnection};
use crate::abi::*;
use crate::fault;
use crate::ring::Command;

/// What JavaScript was told with TCP_READABLE.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// The connection.
    pub connection: u32,
    /// Its generation.
    pub generation: u32,
    /// The number.
    pub number: u32,
}

impl Core {
    /// Opens a connection that was accepted and counted.
    pub(super) fn open_accepted_tcp(
        &mut self,
        listener: &Arc<Listener>,
        socket: PlainSocket,
        peer: Peer,
        registry: &Registry,
    ) {
        if listener.is_stopping() {
            return listener.not_opened();
        }
        let socket = Socket::for_programs(socket, listener.certificates.as_ref());
        let Some(ticket) = self.place_tcp(socket, registry) else {
            return listener.not_opened();
        };
        let (ticket, socket) = ticket;
        listener.opened();
        listener.metrics.add(METRIC_CONNECTIONS, 1);
        listener.metrics.add(METRIC_CONNECTIONS_TOTAL, 1);
        self.open_tcp(ticket, Origin::Accepted(listener.clone()), socket, peer);
    }

    /// Opens a connection that an attempt has made; false if there is no place.
    pub fn open_connected_tcp(
        &mut self,
        attempt: u32,
        socket: PlainSocket,
        peer: Peer,
        registry: &Registry,
    ) -> bool {
        let Some((ticket, socket)) = self.place_tcp(Socket::new(socket, None), registry) else {
            return false;
        };
        self.open_tcp(ticket, Origin::Connected(attempt), socket, peer);
        true
    }

    fn place_tcp(&mut self, mut socket: Socket, registry: &Registry) -> Option<(Ticket, Socket)> {
        let index = self.cx.indices.take()?;
        let token = Token(CONNECTIONS + index as usize);
        if socket.register(registry, token).is_err() {
            self.cx.indices.give_back(index);
            return None;
        }
        let serial = self.next_serial();
        Some((Ticket { index, serial }, socket))
    }

    fn open_tcp(&mut self, ticket: Ticket, origin: Origin, socket: Socket, peer: Peer) {
        let connection = TcpConnection::new(&self.cx, ticket, origin, socket, peer);
        self.connections.insert_tcp(Box::new(connection));
        self.with_tcp(ticket.index, |connection, cx| connection.advance(cx));
    }

    /// Lets something happen to a TCP connection; false if the index has none.
    /// A panic ends it, and no other.
    #[inline]
    pub(super) fn with_tcp(
        &mut self,
        index: u32,
        happen: impl FnOnce(&mut TcpConnection, &mut Context),
    ) -> bool {
        let Some(connection) = self.connections.get_tcp(index) else {
            return false;
        };
        let cx = &mut self.cx;
        // What the panic hook prints is all there is to say.
        let result = catch_unwind(AssertUnwindSafe(|| happen(&mut *connection, &mut *cx)));
        if result.is_err() {
            self.cx.recover();
            connection.over = Some(End::BROKEN);
        }
        if let Some(end) = connection.over {
            self.close_tcp(index, end);
        } else if connection.must_start_tls() {
            self.start_tls(index);
        }
        true
    }

    #[cold]
    fn start_tls(&mut self, index: u32) {
        if let Some(connection) = self.connections.remove_tcp(index) {
            self.connections.insert_tcp(connection.start_tls());
            self.with_tcp(index, |connection, cx| connection.greet(cx));
        }
    }

    /// The same for a ticket; false if its index has no TCP connection.
    #[inline]
    pub(super) fn with_tcp_ticket(
        &mut self,
        ticket: Ticket,
        happen: impl FnOnce(&mut TcpConnection, &mut Context),
    ) -> bool {
        let Some(connection) = self.connections.get_tcp(ticket.index) else {
            return false;
        };
        if connection.serial == ticket.serial {
            self.with_tcp(ticket.index, happen);
        }
        true
    }

    #[cold]
    fn close_tcp(&mut self, index: u32, end: End) {
        if let Some(mut connection) = self.connections.remove_tcp(index) {
            connection.close(&mut self.cx, end);
            self.cx.indices.release(index);
            let listener = connection.listener();
            drop(connection);
            if let Some(listener) = listener {
                self.look_for_end(&listener);
            }
        }
    }

    /// The system tells about a connection; false if it is not a TCP one.
    #[inline]
    pub(super) fn tcp_ready(&mut self, index: u32, readiness: Readiness) -> bool {
        self.with_tcp(index, |connection, cx| connection.ready(cx, readiness))
    }

    /// Carries out a command for a TCP connection, unless it is stale.
    pub(super) fn carry_out_tcp(&mut self, command: &Command<'_>) {
        let index = command.connection;
        match self.connections.get_tcp(index) {
            Some(connection) if connection.is_current(command.generation) => {}
            _ => return answer::discard(&mut self.cx, command),
        }
        self.with_tcp(index, |connection, cx| {
            match connection.carry_out(cx, command) {
                Then::Advance if connection.over.is_none() => connection.advance(cx),
                Then::Advance => {}
                Then::AdvanceLater => connection.advance_later(cx),
            }
        });
    }

    /// Reads from a TCP connection for JavaScript; None if there is nothing.
    pub fn read_tcp(&mut self, offer: &Offer, out: &mut [u8]) -> Option<usize> {
        let index = offer.connection;
        let connection = self.connections.get_tcp(index)?;
        if !connection.is_current(offer.generation) {
            return None;
        }
        let mut count = None;
        self.with_tcp(index, |connection, cx| {
            count = connection.read_for_javascript(cx, offer.number, out);
        });
        count
    }

    /// Lets those go on that have found no room in the ring.
    pub(super) fn retry_held_tcp(&mut self) {
        if !self.cx.events.send_kept() {
            return;
        }
        while let Some(ticket) = self.cx.tcp_held.pop_front() {
            let left = self.cx.tcp_held.len();
            self.with_tcp_ticket(ticket, |connection, cx| connection.retry(cx));
            if self.cx.tcp_held.len() > left {
                // Held again: those behind it come first the next time, since it
                // may have used the room that there was.
                return;
            }
        }
    }

    /// The entry of a deadline has come up; false if it is not a TCP
    /// connection's.
    pub(super) fn look_at_tcp_deadline(&mut self, ticket: Ticket, tick: u64) -> bool {
        self.with_tcp_ticket(ticket, |connection, cx| {
            fault::point(fault::IO + 42);
            if connection.armed == tick {
                connection.look_at_deadline(cx);
            }
        })
    }
}
