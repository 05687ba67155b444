//! The open connections of a thread, by index.

use super::connection::Connection;

/// Connections by index; [`super::indices::Indices`] has those that are free.
#[derive(Default)]
pub struct Slab {
    slots: Vec<Option<Box<Connection>>>,
}

impl Slab {
    /// Puts a connection where it belongs.
    pub fn insert(&mut self, connection: Box<Connection>) {
        let index = connection.index as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        self.slots[index] = Some(connection);
    }

    /// The connection with an index.
    #[inline]
    pub fn get(&mut self, index: u32) -> Option<&mut Connection> {
        self.slots.get_mut(index as usize)?.as_deref_mut()
    }

    /// Takes a connection out for good.
    pub fn remove(&mut self, index: u32) -> Option<Box<Connection>> {
        self.slots.get_mut(index as usize)?.take()
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
