//! Request content (RFC 9112, 6 and 7).

use super::bytes::{is_field, is_token};
use super::head::BodyLength;
use super::limits::{CHUNK_EXTENSION_BYTES, CHUNK_LINE_BYTES, TRAILER_BYTES};
use super::refusal::Refusal;

#[cfg(test)]
mod tests;

/// Takes the framing off one request's content. Chunk extensions and trailer
/// fields are checked and dropped: nobody may mistake them for header fields
/// (RFC 9110, 6.5.1).
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    /// Bytes of the current size line.
    line: usize,
    /// Bytes counted against `CHUNK_EXTENSION_BYTES`.
    extensions: usize,
    /// Bytes counted against `TRAILER_BYTES`.
    trailers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many bytes of declared content are to come.
    Content(u64),
    /// Before the first digit of a chunk's size.
    SizeStart,
    /// In the digits of a size.
    Size(u64),
    /// In white space behind a size, which only an extension may follow.
    SizeSpace(u64),
    /// In an extension.
    Extension(u64),
    /// Behind the CR of a size line.
    SizeEnd(u64),
    /// So many bytes of a chunk are to come.
    Chunk(u64),
    /// Behind a chunk's content.
    ChunkCr,
    /// Behind the CR behind a chunk's content.
    ChunkLf,
    /// At the beginning of a trailer field, or of the empty line at the end.
    TrailerStart,
    /// In the name of a trailer field.
    TrailerName,
    /// In the value of a trailer field.
    TrailerValue,
    /// Behind the CR of a trailer field.
    TrailerLf,
    /// Behind the CR of the empty line at the end.
    LastLf,
    Done,
    Failed(Refusal),
}

/// Digits that any size fits into; more are zeros, and count as extensions.
const SIZE_DIGITS: usize = 16;

/// Larger chunks are refused. Nobody sends them, and sums of what is smaller
/// do not overflow.
const CHUNK_BYTES: u64 = (1 << 60) - 1;

impl BodyDecoder {
    /// For content of this length.
    pub fn new(length: BodyLength) -> Self {
        let state = match length {
            BodyLength::None | BodyLength::Length(0) => State::Done,
            BodyLength::Length(bytes) => State::Content(bytes),
            BodyLength::Chunked => State::SizeStart,
        };
        BodyDecoder {
            state,
            line: 0,
            extensions: 0,
            trailers: 0,
        }
    }

    /// Whether all of the content was decoded, its framing included.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Bytes of content that are still to come; `None` if that is not known.
    pub fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Content(bytes) => Some(bytes),
            State::Done => Some(0),
            _ => None,
        }
    }

    /// Decodes a prefix of `input` and appends at most `room` bytes to `out`.
    /// Returns how many bytes of `input` were used: all of them, unless the
    /// content is done or there is no more room. Framing needs no room.
    ///
    /// After a refusal there is nothing but that refusal; what was appended
    /// before it is content.
    pub fn decode(
        &mut self,
        input: &[u8],
        room: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, Refusal> {
        let mut used = 0;
        let mut room = room;
        while let Some(&byte) = input.get(used) {
            let step = match self.state {
                State::Done => break,
                State::Failed(refusal) => return Err(refusal),
                State::Content(left) | State::Chunk(left) => {
                    let take = prefix(left, room, input.len() - used);
                    if take == 0 {
                        break;
                    }
                    out.extend_from_slice(&input[used..used + take]);
                    used += take;
                    room -= take;
                    self.state = self.behind(left - take as u64);
                    continue;
                }
                framing => self.step(framing, byte),
            };
            match step {
                Ok(state) => self.state = state,
                Err(refusal) => {
                    self.state = State::Failed(refusal);
                    return Err(refusal);
                }
            }
            used += 1;
        }
        Ok(used)
    }

    /// The state with `left` bytes to come.
    fn behind(&self, left: u64) -> State {
        match (self.state, left) {
            (State::Content(_), 0) => State::Done,
            (State::Content(_), _) => State::Content(left),
            (_, 0) => State::ChunkCr,
            (_, _) => State::Chunk(left),
        }
    }

    /// The state behind one byte of framing.
    fn step(&mut self, state: State, byte: u8) -> Result<State, Refusal> {
        match (state, byte) {
            (State::SizeStart, _) => {
                self.line = 1;
                Ok(State::Size(digit(byte).ok_or(Refusal::BAD_REQUEST)?))
            }
            (State::Size(size) | State::Extension(size), b'\r') => Ok(State::SizeEnd(size)),
            (State::Size(size) | State::SizeSpace(size), b';') => {
                self.count_extension()?;
                Ok(State::Extension(size))
            }
            (State::Size(size) | State::SizeSpace(size), b' ' | b'\t') => {
                self.count_extension()?;
                Ok(State::SizeSpace(size))
            }
            (State::Size(size), _) => {
                let digit = digit(byte).ok_or(Refusal::BAD_REQUEST)?;
                if size > CHUNK_BYTES >> 4 {
                    return Err(Refusal::BAD_REQUEST);
                }
                if self.line < SIZE_DIGITS {
                    self.line += 1;
                } else {
                    self.count_extension()?;
                }
                Ok(State::Size(size << 4 | digit))
            }
            (State::Extension(size), _) if is_field(byte) => {
                self.count_extension()?;
                Ok(State::Extension(size))
            }
            (State::SizeEnd(0), b'\n') => Ok(State::TrailerStart),
            (State::SizeEnd(size), b'\n') => Ok(State::Chunk(size)),
            (State::ChunkCr, b'\r') => Ok(State::ChunkLf),
            (State::ChunkLf, b'\n') => Ok(State::SizeStart),
            (State::LastLf, b'\n') => Ok(State::Done),
            (State::TrailerStart, b'\r') => Ok(State::LastLf),
            _ => self.step_trailer(state, byte),
        }
    }

    fn step_trailer(&mut self, state: State, byte: u8) -> Result<State, Refusal> {
        let next = match (state, byte) {
            (State::TrailerStart, _) if is_token(byte) => State::TrailerName,
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerName, _) if is_token(byte) => State::TrailerName,
            (State::TrailerValue, b'\r') => State::TrailerLf,
            (State::TrailerValue, _) if is_field(byte) => State::TrailerValue,
            (State::TrailerLf, b'\n') => State::TrailerStart,
            _ => return Err(Refusal::BAD_REQUEST),
        };
        self.trailers += 1;
        if self.trailers > TRAILER_BYTES {
            return Err(Refusal::CONTENT_TOO_LARGE);
        }
        Ok(next)
    }

    /// Counts one byte of a size line that says nothing.
    fn count_extension(&mut self) -> Result<(), Refusal> {
        self.line += 1;
        self.extensions += 1;
        if self.line > CHUNK_LINE_BYTES || self.extensions > CHUNK_EXTENSION_BYTES {
            return Err(Refusal::CONTENT_TOO_LARGE);
        }
        Ok(())
    }
}

/// The least of the three.
fn prefix(left: u64, room: usize, available: usize) -> usize {
    let most = room.min(available);
    usize::try_from(left).map_or(most, |left| left.min(most))
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}
