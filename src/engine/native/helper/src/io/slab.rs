//! The open connections of a thread, by index.

use super::connection::Connection;
use super::tcp::TcpConnection;

/// What an index stands for.
enum Slot {
    /// HTTP, or what it became.
    Http(Box<Connection>),
    /// Bytes as they are.
    Tcp(Box<TcpConnection>),
}

/// Connections by index; [`super::indices::Indices`] has those that are free.
#[derive(Default)]
pub struct Slab {
    slots: Vec<Option<Slot>>,
}

impl Slab {
    /// Puts a connection where it belongs.
    pub fn insert(&mut self, connection: Box<Connection>) {
        let index = connection.index as usize;
        self.place(index, Slot::Http(connection));
    }

    /// Puts a TCP connection where it belongs.
    pub fn insert_tcp(&mut self, connection: Box<TcpConnection>) {
        let index = connection.index as usize;
        self.place(index, Slot::Tcp(connection));
    }

    fn place(&mut self, index: usize, slot: Slot) {
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        self.slots[index] = Some(slot);
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
            Slot::Http(connection) => Some(connection),
            other => {
                self.slots[index as usize] = Some(other);
                None
            }
        }
    }

    /// Takes a TCP connection out for good, as `get_tcp`.
    pub fn remove_tcp(&mut self, index: u32) -> Option<Box<TcpConnection>> {
        match self.slots.get_mut(index as usize)?.take()? {
            Slot::Tcp(connection) => Some(connection),
            other => {
                self.slots[index as usize] = Some(other);
                None
            }
        }
    }

    /// There is none, and the memory is of no use.
    pub fn clear(&mut self) {
        self.slots = Vec::new();
    }

    /// All indices that may have a connection.
    pub fn indices(&self) -> std::ops::Range<u32> {
        0..self.slots.len() as u32
    }
}
