//! What a connection has still to write.

use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;

use super::file_transfer::FilePart;
use super::published::{Freed, Message, Published};
use super::socket::Socket;
use crate::websocket::SharedFrame;

/// Pieces that go out with one call.
const PIECES_PER_WRITE: usize = 16;
/// Bytes are added to a piece that has less than this.
const SMALL_PIECE: usize = 16 * 1024;
/// How many outputs are kept for their memory, and how much each may have.
const SPARES: usize = 256;
const SPARE_PIECES: usize = 16;
// Twice as much as a small piece, since vectors double.
const SPARE_BYTES: usize = 2 * SMALL_PIECE + 1024;
/// Fewer pieces that were taken back are not worth clearing away.
const MANY_TAKEN: usize = 32;

/// A part of what is to be written.
pub enum Piece {
    /// Bytes of this connection alone.
    Owned(Owned),
    /// Bytes that many connections may be writing, from an offset on.
    Shared(Arc<[u8]>, usize),
    /// A frame that many connections may be writing.
    Frame(Frame),
    /// The same, but it may be taken back, or comes from a bus.
    Message(Message),
    /// Was taken back.
    Taken,
    /// A part of a file.
    File(FilePart),
}

/// Bytes, and how many of them are content of a streamed response, or payload
/// of messages.
pub struct Owned {
    bytes: Vec<u8>,
    written: usize,
    credit: usize,
}

/// A frame, and how much payload it stands for.
pub struct Frame {
    bytes: SharedFrame,
    written: usize,
    credit: usize,
}

/// How far writing got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Everything is written.
    Done,
    /// The socket takes nothing now.
    Blocked,
    /// Enough for this turn.
    Yielded,
    /// The connection is broken, or a file is shorter than promised.
    Broken,
}

/// A queue of pieces.
#[derive(Default)]
pub struct Output {
    pieces: VecDeque<Piece>,
    /// Empty, for its memory.
    spare: Vec<u8>,
    /// Content bytes that were written and not told about.
    pub credit: u64,
    /// Payload bytes from a bus that were written.
    pub foreign: u64,
    /// Number of the first piece.
    first: u64,
    /// How many pieces were taken back.
    taken: usize,
    /// Which pieces may be taken back.
    published: Option<Box<Published>>,
    /// Why writing has failed: an error number, 0 if nobody knows.
    pub error: i32,
}

impl Output {
    /// Appends bytes, of which `credit` are content of a streamed response.
    pub fn push_bytes(&mut self, bytes: &[u8], credit: usize) {
        if !bytes.is_empty() {
            self.append(credit, |out| out.extend_from_slice(bytes));
        }
    }

    /// Appends what `write` appends, of which `credit` bytes are payload.
    pub fn append(&mut self, credit: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let last = match self.pieces.back_mut() {
            Some(Piece::Owned(last)) => Some(last.bytes.len()),
            _ => None,
        };
        if last.is_none_or(|length| length >= SMALL_PIECE) {
            let bytes = std::mem::take(&mut self.spare);
            self.push(Piece::owned(bytes, 0));
        }
        if let Some(Piece::Owned(last)) = self.pieces.back_mut() {
            write(&mut last.bytes);
            last.credit += credit;
        }
    }

    /// Appends bytes without a copy, from an offset on.
    pub fn push_owned(&mut self, bytes: Vec<u8>, written: usize) {
        if written < bytes.len() {
            self.pieces.push_back(Piece::Owned(Owned {
                bytes,
                written,
                credit: 0,
            }));
        }
    }

    /// Appends any piece.
    pub fn push(&mut self, piece: Piece) {
        self.pieces.push_back(piece);
    }

    /// Appends a message that may be taken back, or comes from a bus.
    pub fn push_message(&mut self, message: Message) {
        if message.may_be_taken() {
            let number = self.first + self.pieces.len() as u64;
            self.published
                .get_or_insert_default()
                .add(&message, number, self.first);
        }
        self.push(Piece::Message(message));
    }

    /// Takes back the oldest messages that may be, of at least so much payload
    /// if there is as much.
    pub fn shed(&mut self, payload: usize) -> Freed {
        let mut freed = Freed::default();
        while freed.sum() < payload
            && let Some(number) = self.published.as_mut().and_then(|it| it.take_oldest())
        {
            self.take_back(number, &mut freed);
        }
        self.compact();
        freed
    }

    /// Whether the client was too slow once, and has not caught up since.
    pub fn is_behind(&self) -> bool {
        self.published.as_ref().is_some_and(|it| it.is_behind)
    }

    /// Takes back the messages of a topic that a later one takes the place of.
    pub fn supersede(&mut self, topic: &[u8]) -> Freed {
        let mut freed = Freed::default();
        if !self.pieces.is_empty() {
            let published = self.published.get_or_insert_default();
            published.is_behind = true;
            for number in published.take_topic(topic) {
                self.take_back(number, &mut freed);
            }
            self.compact();
        }
        freed
    }

    /// Takes a message back, unless it has been begun.
    fn take_back(&mut self, number: u64, freed: &mut Freed) {
        let piece = number
            .checked_sub(self.first)
            .and_then(|index| self.pieces.get_mut(index as usize));
        if let Some(piece) = piece
            && let Piece::Message(message) = piece
            && !message.is_begun()
        {
            freed.add(message);
            *piece = Piece::Taken;
            self.taken += 1;
        }
    }

    /// Clears away what was taken back, once that is most of what there is.
    fn compact(&mut self) {
        if self.taken < MANY_TAKEN || self.taken < self.pieces.len() / 2 {
            return;
        }
        self.taken = 0;
        self.pieces.retain(|piece| !matches!(piece, Piece::Taken));
        let mut published = Published::default();
        published.is_behind = self.is_behind();
        for (piece, number) in self.pieces.iter().zip(self.first..) {
            if let Piece::Message(message) = piece
                && message.may_be_taken()
            {
                published.add(message, number, self.first);
            }
        }
        self.published = Some(Box::new(published));
    }

    /// Removes the first piece.
    fn pop(&mut self) -> Option<Piece> {
        let piece = self.pieces.pop_front();
        self.first += 1;
        if matches!(piece, Some(Piece::Taken)) {
            self.taken -= 1;
        }
        if self.pieces.is_empty() {
            self.published = None;
        }
        piece
    }

    /// Writes as much as possible, and of files at most `budget` bytes. The
    /// second result is how many bytes were written.
    pub fn write_to(&mut self, socket: &Socket, mut budget: usize) -> (Progress, u64) {
        let mut written = 0u64;
        loop {
            while let Some(Piece::Taken) = self.pieces.front() {
                self.pop();
            }
            let result = match self.pieces.front_mut() {
                None => return (Progress::Done, written),
                Some(Piece::File(_)) if budget == 0 => return (Progress::Yielded, written),
                Some(Piece::File(part)) => match part.write_to(socket, budget) {
                    Ok(count) => {
                        budget -= count;
                        written += count as u64;
                        if part.is_done() {
                            self.pop();
                        }
                        continue;
                    }
                    Err(error) => Err(error),
                },
                Some(_) => self.write_memory(socket),
            };
            match result {
                Ok(count) => {
                    written += count as u64;
                    self.advance(count);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return (Progress::Blocked, written);
                }
                Err(error) => {
                    self.error = error.raw_os_error().unwrap_or(0);
                    return (Progress::Broken, written);
                }
            }
        }
    }

    /// Writes pieces that are in memory, at the front.
    fn write_memory(&self, socket: &Socket) -> std::io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); PIECES_PER_WRITE];
        let mut count = 0;
        let mut more = false;
        for piece in &self.pieces {
            let Some(bytes) = piece.bytes() else {
                more = true;
                break;
            };
            if count == PIECES_PER_WRITE {
                more = true;
                break;
            }
            if bytes.is_empty() {
                continue;
            }
            slices[count] = IoSlice::new(bytes);
            count += 1;
        }
        if count == 1 && !more {
            return socket.write(&slices[0]);
        }
        socket.write_pieces(&slices[..count], more)
    }

    /// So many bytes at the front were written.
    fn advance(&mut self, mut count: usize) {
        while let Some(piece) = self.pieces.front_mut() {
            let left = piece.bytes().map_or(usize::MAX, <[u8]>::len);
            let step = count.min(left);
            let credit = piece.advance(step) as u64;
            if matches!(piece, Piece::Message(message) if message.is_foreign) {
                self.foreign += credit;
            } else {
                self.credit += credit;
            }
            if step < left {
                return;
            }
            count -= step;
            if let Some(Piece::Owned(mut owned)) = self.pop()
                && owned.bytes.capacity() <= SPARE_BYTES
            {
                owned.bytes.clear();
                self.spare = owned.bytes;
            }
        }
    }
}

/// Outputs that nobody uses.
// In their boxes, since that is how connections have them.
#[allow(clippy::vec_box)]
#[derive(Default)]
pub struct Spares(Vec<Box<Output>>);

impl Spares {
    /// An empty output.
    pub fn take(&mut self) -> Box<Output> {
        self.0.pop().unwrap_or_default()
    }

    /// Keeps an output that is empty, if it is small.
    pub fn give(&mut self, output: Box<Output>) {
        let is_small = output.pieces.is_empty() && output.pieces.capacity() <= SPARE_PIECES;
        if is_small && self.0.len() < SPARES {
            self.0.push(output);
        }
    }
}

impl Piece {
    /// Bytes of this connection alone, of which `credit` are content of a
    /// streamed response.
    pub fn owned(bytes: Vec<u8>, credit: usize) -> Self {
        Self::rest_of(bytes, 0, credit)
    }

    /// The same from an offset on.
    pub fn rest_of(bytes: Vec<u8>, written: usize, credit: usize) -> Self {
        Piece::Owned(Owned {
            bytes,
            written,
            credit,
        })
    }

    /// A frame from an offset on, and how much payload it stands for.
    pub fn frame(bytes: SharedFrame, written: usize, credit: usize) -> Self {
        Piece::Frame(Frame {
            bytes,
            written,
            credit,
        })
    }

    /// What is left of bytes in memory; None for a file.
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Piece::Owned(owned) => Some(&owned.bytes[owned.written..]),
            Piece::Shared(bytes, written) => Some(&bytes[*written..]),
            Piece::Frame(frame) => Some(&frame.bytes[frame.written..]),
            Piece::Message(message) => Some(message.rest()),
            Piece::Taken => Some(&[]),
            Piece::File(_) => None,
        }
    }

    /// So many bytes were written; returns how many of them count as content.
    fn advance(&mut self, count: usize) -> usize {
        match self {
            Piece::Owned(owned) => {
                owned.written += count;
                let is_done = owned.written == owned.bytes.len();
                take_credit(&mut owned.credit, count, is_done)
            }
            Piece::Frame(frame) => {
                frame.written += count;
                let is_done = frame.written == frame.bytes.len();
                take_credit(&mut frame.credit, count, is_done)
            }
            Piece::Shared(_, written) => {
                *written += count;
                0
            }
            Piece::Message(message) => {
                let is_done = message.advance(count);
                take_credit(&mut message.credit, count, is_done)
            }
            Piece::File(_) | Piece::Taken => 0,
        }
    }
}

/// What so many written bytes stand for, at most as many.
fn take_credit(credit: &mut usize, count: usize, is_done: bool) -> usize {
    let taken = if is_done { *credit } else { count.min(*credit) };
    *credit -= taken;
    taken
}

#[cfg(test)]
mod tests;
