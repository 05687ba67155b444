//! The open connections of a thread, by index.

use super::connection::Connection;
use super::tcp::TcpConnection;
use crate::abi::MAX_CONNECTIONS;

/// What an index stands for.
enum Slot {
    /// HTTP, or what it became.
    Http(Box<Connection>),
    /// Bytes as they are.
    Tcp(Box<TcpConnection>),
}

/// Connections by index. An index that becomes free is not used again before
/// the end of the turn: what the system has told about it in this turn is not
/// taken for news of another connection.
#[derive(Default)]
pub struct Slab {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    freed: Vec<u32>,
    open: usize,
}

impl Slab {
    /// An index that is free; None if there are as many as there may be.
    pub fn vacant(&mut self) -> Option<u32> {
        if let Some(index) = self.free.pop() {
            return Some(index);
        }
        if self.slots.len() >= MAX_CONNECTIONS {
            return None;
        }
        self.slots.push(None);
        u32::try_from(self.slots.len() - 1).ok()
    }

    /// Gives a vacant index back that was not used.
    pub fn give_back(&mut self, index: u32) {
        self.free.push(index);
    }

    /// Puts a connection where it belongs.
    pub fn insert(&mut self, connection: Box<Connection>) {
        let index = connection.index as usize;
        self.slots[index] = Some(Slot::Http(connection));
        self.open += 1;
    }

    /// Puts a TCP connection where it belongs.
    pub fn insert_tcp(&mut self, connection: Box<TcpConnection>) {
        let index = connection.index as usize;
        self.slots[index] = Some(Slot::Tcp(connection));
        self.open += 1;
    }

    /// The connection with an index, unless it is of another kind.
    #[inline]
    pub fn get(&mut self, index: u32) -> Option<&mut Connection> {
        match self.slots.get_mut(index as usize)? {
            Some(Slot::Http(connection)) => Some(connection),
            _ => None,
        }
    }

    /// The TCP connection with an index, unless it is of another kind.
    #[inline]
    pub fn get_tcp(&mut self, index: u32) -> Option<&mut TcpConnection> {
        match self.slots.get_mut(index as usize)? {
            Some(Slot::Tcp(connection)) => Some(connection),
            _ => None,
        }
    }

    /// Takes a connection out for good, as `get`.
    pub fn remove(&mut self, index: u32) -> Option<Box<Connection>> {
        match self.slots.get_mut(index as usize)?.take()? {
            Slot::Http(connection) => {
                self.freed.push(index);
                self.open -= 1;
                Some(connection)
            }
            other => {
                self.slots[index as usize] = Some(other);
                None
            }
        }
    }

    /// Takes a TCP connection out for good, as `get_tcp`.
    pub fn remove_tcp(&mut self, index: u32) -> Option<Box<TcpConnection>> {
        match self.slots.get_mut(index as usize)?.take()? {
            Slot::Tcp(connection) => {
                self.freed.push(index);
                self.open -= 1;
                Some(connection)
            }
            other => {
                self.slots[index as usize] = Some(other);
                None
            }
        }
    }

    /// To be called at the end of each turn.
    pub fn end_turn(&mut self) {
        self.free.append(&mut self.freed);
        if self.open == 0 && self.slots.len() > 1024 {
            self.slots = Vec::new();
            self.free = Vec::new();
        }
    }

    /// All indices that may have a connection.
    pub fn indices(&self) -> std::ops::Range<u32> {
        0..self.slots.len() as u32
    }
}
