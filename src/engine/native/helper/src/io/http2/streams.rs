//! The streams of a connection, in the order of their numbers.

use super::stream::Stream;

/// Streams by number. New ones have the highest, so that a list that is searched
/// by halves does. They stay where they are in memory.
#[derive(Default)]
pub struct Streams(Vec<(u32, Box<Stream>)>);

impl Streams {
    /// Adds one.
    pub fn insert(&mut self, id: u32, stream: Box<Stream>) {
        let at = self.0.partition_point(|(other, _)| *other < id);
        self.0.insert(at, (id, stream));
    }

    /// The one with a number.
    pub fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        let at = self.find(id)?;
        Some(&mut self.0[at].1)
    }

    /// Removes the one with a number.
    pub fn remove(&mut self, id: u32) -> Option<Box<Stream>> {
        let at = self.find(id)?;
        Some(self.0.remove(at).1)
    }

    /// Removes those of which `is_kept` says so.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&mut Stream) -> bool) {
        self.0.retain_mut(|(_, stream)| is_kept(stream));
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.0.iter().map(|(_, stream)| &**stream)
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.0.iter_mut().map(|(_, stream)| &mut **stream)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, id: u32) -> Option<usize> {
        self.0.binary_search_by_key(&id, |(other, _)| *other).ok()
    }
}
