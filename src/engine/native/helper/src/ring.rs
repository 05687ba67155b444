//! The two rings of a region: one producer, one consumer, records of any size.
//!
//! The code does not know which memory it works on ([`Memory`]), so that tests
//! can run both ends of one ring against each other, and a model checker can
//! watch every access.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::abi::{
    COMMANDS_BLOCKED, COMMANDS_BYTES, COMMANDS_HEAD, COMMANDS_TAIL, EVENTS_BLOCKED, EVENTS_BYTES,
    EVENTS_HEAD, EVENTS_TAIL, PAD, RECORD_ALIGN,
};
use crate::region::Region;

const ALIGN: u32 = RECORD_ALIGN as u32;
/// Size of the four words that begin a record.
const PREFIX: usize = 16;

/// A word that both sides of a ring use.
pub trait Word {
    /// Reads it.
    fn load(&self, order: Ordering) -> u32;
    /// Writes it.
    fn store(&self, value: u32, order: Ordering);
    /// Writes it, and returns what it was.
    fn swap(&self, value: u32, order: Ordering) -> u32;
}

impl Word for AtomicU32 {
    #[inline]
    fn load(&self, order: Ordering) -> u32 {
        AtomicU32::load(self, order)
    }
    #[inline]
    fn store(&self, value: u32, order: Ordering) {
        AtomicU32::store(self, value, order);
    }
    #[inline]
    fn swap(&self, value: u32, order: Ordering) -> u32 {
        AtomicU32::swap(self, value, order)
    }
}

/// Where a ring is.
///
/// # Safety
/// `bytes()` points to `capacity()` bytes, at an address that is a multiple of
/// 4, which live as long as the value and are used by nobody but the producer
/// and the consumer of this ring. The capacity is a power of two and a multiple
/// of `RECORD_ALIGN`.
pub unsafe trait Memory {
    /// Kind of the words.
    type Word: Word;
    /// End of what was written.
    fn head(&self) -> &Self::Word;
    /// End of what was read.
    fn tail(&self) -> &Self::Word;
    /// 1 while the producer waits for space.
    fn blocked(&self) -> &Self::Word;
    /// First byte of the ring.
    fn bytes(&self) -> *mut u8;
    /// Size of the ring.
    fn capacity(&self) -> u32;
    /// Told before each use of a range by the consumer; for checkers.
    #[inline]
    fn reads(&self, _at: u32, _size: u32) {}
    /// Told before each use of a range by the producer; for checkers.
    #[inline]
    fn writes(&self, _at: u32, _size: u32) {}
}

/// The events ring of a region.
pub struct Events(Arc<Region>);

// SAFETY: the events ring of a region is EVENTS_BYTES long, and lives as long as
// the region, which this value keeps. `open` makes one producer for it; its
// consumer is JavaScript.
unsafe impl Memory for Events {
    type Word = AtomicU32;
    #[inline]
    fn head(&self) -> &AtomicU32 {
        self.0.control(EVENTS_HEAD)
    }
    #[inline]
    fn tail(&self) -> &AtomicU32 {
        self.0.control(EVENTS_TAIL)
    }
    #[inline]
    fn blocked(&self) -> &AtomicU32 {
        self.0.control(EVENTS_BLOCKED)
    }
    #[inline]
    fn bytes(&self) -> *mut u8 {
        self.0.events()
    }
    #[inline]
    fn capacity(&self) -> u32 {
        EVENTS_BYTES as u32
    }
}

/// The commands ring of a region.
pub struct Commands(Arc<Region>);

// SAFETY: as for `Events`; here JavaScript is the producer.
unsafe impl Memory for Commands {
    type Word = AtomicU32;
    #[inline]
    fn head(&self) -> &AtomicU32 {
        self.0.control(COMMANDS_HEAD)
    }
    #[inline]
    fn tail(&self) -> &AtomicU32 {
        self.0.control(COMMANDS_TAIL)
    }
    #[inline]
    fn blocked(&self) -> &AtomicU32 {
        self.0.control(COMMANDS_BLOCKED)
    }
    #[inline]
    fn bytes(&self) -> *mut u8 {
        self.0.commands()
    }
    #[inline]
    fn capacity(&self) -> u32 {
        COMMANDS_BYTES as u32
    }
}

/// Writes events to JavaScript.
pub type EventWriter = Writer<Events>;
/// Reads commands from JavaScript.
pub type CommandReader = Reader<Commands>;

/// Both ends of the I/O thread; the region must be new, and this the only call
/// for it, since a ring has one producer and one consumer.
pub(crate) fn ends(region: &Arc<Region>) -> (EventWriter, CommandReader) {
    let events = Events(region.clone());
    let commands = Commands(region.clone());
    (Writer::new(events), Reader::new(commands))
}

/// The end of the events ring that is JavaScript's, for whoever plays it; as
/// `ends`, the only call for the region.
#[cfg(any(test, fuzzing))]
pub(crate) fn events_end(region: &Arc<Region>) -> Reader<Events> {
    Reader::new(Events(region.clone()))
}

/// The producing end of a ring.
pub struct Writer<M: Memory> {
    memory: M,
    /// End of what was begun.
    head: u32,
    /// End of what the consumer may see.
    published: u32,
    /// The consumer's position when it was last looked at.
    tail: u32,
    /// Something was published that `publish` has not told about.
    unannounced: bool,
    /// `begin` has found no room.
    waiting: bool,
}

impl<M: Memory> Writer<M> {
    /// The producer of a ring whose words are 0.
    pub fn new(memory: M) -> Self {
        Self {
            memory,
            head: 0,
            published: 0,
            tail: 0,
            unannounced: false,
            waiting: false,
        }
    }

    /// Space for one record with `size` bytes after its four words. They hold
    /// anything at first, and the consumer does not see them before `publish`.
    ///
    /// None if there is no room. Then everything begun so far is published, and
    /// the consumer is asked to wake this side when it has read something; try
    /// again then. Records larger than the ring never have room.
    #[inline]
    pub fn begin(
        &mut self,
        kind: u32,
        flags: u32,
        connection: u32,
        generation: u32,
        size: usize,
    ) -> Option<&mut [u8]> {
        let capacity = self.memory.capacity();
        if size > capacity as usize - PREFIX {
            return None;
        }
        let total = (PREFIX + size).next_multiple_of(RECORD_ALIGN) as u32;
        let mut at = self.head & (capacity - 1);
        if at + total > capacity {
            let rest = capacity - at;
            if !self.has_room(rest) {
                return self.refuse();
            }
            self.write_prefix(at, [rest, PAD, 0, 0]);
            // On its own, so that a record larger than what is left beside the
            // padding has room once the padding is read.
            self.head = self.head.wrapping_add(rest);
            at = 0;
        }
        if !self.has_room(total) {
            return self.refuse();
        }
        self.write_prefix(
            at,
            [total, (kind & 0xff) | (flags << 8), connection, generation],
        );
        self.memory.writes(at, total);
        self.head = self.head.wrapping_add(total);
        let start = at as usize + PREFIX;
        // SAFETY: `start + size` is at most `at + total`, which is inside of the
        // ring. The bytes are behind `published`, so the consumer does not
        // touch them, and has_room saw (acquire) that it is done with what was
        // there before. `&mut self` keeps this end from using them twice.
        Some(unsafe { std::slice::from_raw_parts_mut(self.memory.bytes().add(start), size) })
    }

    /// Makes the record that was begun last shorter: `begun` bytes were asked
    /// for, and it keeps the first `size`. None takes it back altogether. It
    /// must not have been published.
    #[inline]
    pub fn shorten(&mut self, begun: usize, size: Option<usize>) {
        let total = |size: usize| (PREFIX + size).next_multiple_of(RECORD_ALIGN) as u32;
        let old = total(begun);
        debug_assert!(self.head.wrapping_sub(self.published) >= old);
        let start = self.head.wrapping_sub(old);
        let new = size.map_or(0, total).min(old);
        self.head = start.wrapping_add(new);
        if new == 0 {
            return;
        }
        let at = start & (self.memory.capacity() - 1);
        self.memory.writes(at, 4);
        // SAFETY: the record begins there, so that the word is inside of the
        // ring, and aligned; it is not visible to the consumer, as in `begin`.
        unsafe {
            let word = self.memory.bytes().add(at as usize).cast::<u32>();
            word.write(new.to_le());
        }
    }

    /// Shows the consumer all records begun so far. Returns whether there are
    /// any that it was not told about.
    #[inline]
    pub fn publish(&mut self) -> bool {
        if self.head != self.published {
            // Release: the bytes of the records are visible before the counter.
            // SeqCst: the flag that says whether the consumer sleeps is looked
            // at after this, in the one order of all such operations. The
            // consumer sets the flag, and then looks at the counter. So one of
            // both sees what the other did, and no record is slept through.
            self.memory.head().store(self.head, Ordering::SeqCst);
            self.published = self.head;
            self.unannounced = true;
        }
        std::mem::take(&mut self.unannounced)
    }

    /// Whether the consumer has read everything that was published.
    #[inline]
    pub fn is_consumed(&self) -> bool {
        self.pending_bytes() == 0
    }

    /// Published bytes that the consumer has not read.
    #[inline]
    pub fn pending_bytes(&self) -> usize {
        let tail = self.memory.tail().load(Ordering::Acquire);
        self.published.wrapping_sub(tail) as usize
    }

    /// Whether `begin` has found no room, and something was read since; true
    /// once. To be asked after announcing sleep, since the consumer wakes only
    /// who sleeps.
    #[inline]
    pub fn should_retry(&mut self) -> bool {
        let retry = self.waiting && self.memory.blocked().load(Ordering::SeqCst) == 0;
        self.waiting &= !retry;
        retry
    }

    #[inline]
    fn has_room(&mut self, size: u32) -> bool {
        if self.fits(size) {
            return true;
        }
        // Acquire: the consumer's reads of the space are over.
        self.tail = self.memory.tail().load(Ordering::Acquire);
        if self.fits(size) {
            return true;
        }
        // The consumer moves its counter, and then looks at this flag; here it
        // is the other way round. Both in the one order of SeqCst operations,
        // so one of both sees what the other did.
        self.memory.blocked().store(1, Ordering::SeqCst);
        self.tail = self.memory.tail().load(Ordering::SeqCst);
        if self.fits(size) {
            self.memory.blocked().store(0, Ordering::SeqCst);
            return true;
        }
        false
    }

    #[inline]
    fn fits(&self, size: u32) -> bool {
        // A consumer that claims to be ahead of the producer, or further behind
        // than the ring is long, makes this false: nothing is overwritten.
        let used = self.head.wrapping_sub(self.tail);
        used <= self.memory.capacity() && self.memory.capacity() - used >= size
    }

    #[cold]
    fn refuse(&mut self) -> Option<&mut [u8]> {
        // The consumer cannot make room by reading what it does not see.
        self.unannounced = self.publish();
        self.waiting = true;
        None
    }

    #[inline]
    fn write_prefix(&mut self, at: u32, words: [u32; 4]) {
        self.memory.writes(at, PREFIX as u32);
        // SAFETY: records begin at multiples of 16 and rings are as long as a
        // multiple of 16, so that 16 bytes are inside of the ring; aligned for
        // words as the ring is. Not visible to the consumer, as in `begin`.
        unsafe {
            let start = self.memory.bytes().add(at as usize).cast::<[u32; 4]>();
            start.write(words.map(u32::to_le));
        }
    }
}

/// One record that JavaScript wrote.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// `COMMAND_*`.
    pub kind: u32,
    /// `RESPOND_*`, ...
    pub flags: u32,
    /// Index of the connection; anything, if JavaScript is broken.
    pub connection: u32,
    /// Generation of the request.
    pub generation: u32,
    /// What follows the first four words, the padding included.
    pub body: &'a [u8],
    /// Content that stays where it is until the command is carried out.
    pub present: Option<&'a [u8]>,
    /// Nothing had been shown behind it.
    pub is_last: bool,
}

impl<'a> Command<'a> {
    /// Word `index` of the record, counted as in `abi.rs`, where the body
    /// begins with word 4; 0 if the record has no such word.
    #[inline]
    pub fn word(&self, index: usize) -> u32 {
        match self.bytes(index, 0, 4) {
            Some(bytes) => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            None => 0,
        }
    }

    /// Words `index` (low) and `index + 1` (high) as one number.
    #[inline]
    pub fn wide(&self, index: usize) -> u64 {
        u64::from(self.word(index)) | u64::from(self.word(index.saturating_add(1))) << 32
    }

    /// `size` bytes that begin `skip` bytes behind word `index`, so that
    /// `bytes(8, 0, n)` is what follows word 7; None if the record is shorter.
    #[inline]
    pub fn bytes(&self, index: usize, skip: usize, size: usize) -> Option<&'a [u8]> {
        let start = index.checked_sub(4)?.checked_mul(4)?.checked_add(skip)?;
        self.body.get(start..start.checked_add(size)?)
    }
}

/// The consuming end of a ring.
pub struct Reader<M: Memory> {
    memory: M,
    /// End of what the producer has shown, when it was last looked at.
    head: u32,
    /// End of what was read.
    tail: u32,
    /// End of what was read and given back.
    released: u32,
}

impl<M: Memory> Reader<M> {
    /// The consumer of a ring whose words are 0.
    pub fn new(memory: M) -> Self {
        Self {
            memory,
            head: 0,
            tail: 0,
            released: 0,
        }
    }

    /// The next record. Its bytes stay until `release`.
    ///
    /// A record that cannot be right ends what is there: the rest is dropped,
    /// since nobody knows where the next one begins.
    // Not an iterator, since what it gives borrows from it.
    #[allow(clippy::should_implement_trait)]
    #[inline]
    pub fn next(&mut self) -> Option<Command<'_>> {
        loop {
            if self.tail == self.head && !self.has_next() {
                return None;
            }
            // Acquire, in has_next too: the records are complete.
            let capacity = self.memory.capacity();
            let shown = self.head.wrapping_sub(self.tail);
            let at = self.tail & (capacity - 1);
            if shown > capacity || !shown.is_multiple_of(ALIGN) || !at.is_multiple_of(ALIGN) {
                self.tail = self.head;
                return None;
            }
            self.memory.reads(at, PREFIX as u32);
            // SAFETY: `at` is a multiple of 16, so that 16 bytes are inside of
            // the ring, and aligned as the ring is. `shown` is at least 16: the
            // producer has released them and keeps off until `release`.
            let words = unsafe {
                self.memory
                    .bytes()
                    .add(at as usize)
                    .cast::<[u32; 4]>()
                    .read()
            };
            let [size, kind, connection, generation] = words.map(u32::from_le);
            if size < ALIGN || !size.is_multiple_of(ALIGN) || size > shown || size > capacity - at {
                self.tail = self.head;
                return None;
            }
            self.tail = self.tail.wrapping_add(size);
            if kind & 0xff == PAD {
                continue;
            }
            self.memory.reads(at, size);
            // SAFETY: `at + size` is at most the capacity, and `size` at most
            // what the producer has shown (acquire); it keeps off until
            // `release`, which needs this borrow of `self` to be over.
            let body = unsafe {
                std::slice::from_raw_parts(
                    self.memory.bytes().add(at as usize + PREFIX),
                    size as usize - PREFIX,
                )
            };
            return Some(Command {
                kind: kind & 0xff,
                flags: kind >> 8,
                connection,
                generation,
                body,
                present: None,
                is_last: self.tail == self.head,
            });
        }
    }

    /// Whether the producer has shown something that was not read.
    #[inline]
    pub fn has_next(&mut self) -> bool {
        if self.tail == self.head {
            // Acquire for the records; SeqCst as this is also asked after
            // announcing sleep (see `Writer::publish`).
            self.head = self.memory.head().load(Ordering::SeqCst);
        }
        self.tail != self.head
    }

    /// Gives what was read back to the producer. True if the producer waits for
    /// space and is to be told.
    #[inline]
    pub fn release(&mut self) -> bool {
        if self.released != self.tail {
            // Release: reads of the space are over. SeqCst: see `has_room`.
            self.memory.tail().store(self.tail, Ordering::SeqCst);
            self.released = self.tail;
        }
        self.memory.blocked().load(Ordering::SeqCst) == 1
            && self.memory.blocked().swap(0, Ordering::SeqCst) == 1
    }
}

#[cfg(test)]
mod tests;
