//! Frame heads and masks (RFC 6455, 5.2 and 5.3).

use super::close::{CONTROL_BYTES, Failure};

/// The longest head of a client's frame.
pub const HEAD_BYTES: usize = 14;

const FINAL: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const RESERVED: u8 = 0x30;
const CONTROL: u8 = 0x08;
const MASKED: u8 = 0x80;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// More of a message.
    Continuation = 0,
    /// The first frame of a text message.
    Text = 1,
    /// The first frame of a binary message.
    Binary = 2,
    /// The last frame.
    Close = 8,
    /// Asks for a pong.
    Ping = 9,
    /// Answers a ping, or nothing.
    Pong = 10,
}

impl Opcode {
    fn of(byte: u8) -> Option<Self> {
        Some(match byte & 0x0f {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Whether frames like this may come between those of a message.
    pub fn is_control(self) -> bool {
        self as u8 & CONTROL != 0
    }
}

/// The head of a client's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// What the frame is.
    pub opcode: Opcode,
    /// The message ends with this frame.
    pub is_final: bool,
    /// The message that begins with this frame is compressed.
    pub is_compressed: bool,
    /// Bytes of payload.
    pub length: u64,
    /// Its mask.
    pub mask: Mask,
}

/// What frame heads may say next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// A message has begun and has not ended.
    pub continuation: bool,
    /// Messages may be compressed.
    pub compression: bool,
    /// Bytes of payload that the message has room for; if none has begun, of
    /// one that is not compressed.
    pub room: u64,
    /// As `room`, of one that is compressed.
    pub compressed_room: u64,
}

/// Reads the head that `bytes` begin with, and says how long it is: None if
/// more bytes are needed. What is wrong is found as soon as it is there.
pub fn parse_head(
    bytes: &[u8],
    expected: &Expected,
) -> Result<Option<(FrameHead, usize)>, Failure> {
    let Some(&first) = bytes.first() else {
        return Ok(None);
    };
    let is_final = first & FINAL != 0;
    let is_compressed = first & COMPRESSED != 0;
    if first & RESERVED != 0 {
        return Err(Failure::protocol("Reserved bit is set"));
    }
    let Some(opcode) = Opcode::of(first) else {
        return Err(Failure::protocol("Unknown opcode"));
    };
    if is_compressed && (!expected.compression || !matches!(opcode, Opcode::Text | Opcode::Binary))
    {
        return Err(Failure::protocol("Reserved bit is set"));
    }
    if opcode.is_control() {
        if !is_final {
            return Err(Failure::protocol("Control frame is fragmented"));
        }
    } else if expected.continuation != (opcode == Opcode::Continuation) {
        return Err(Failure::protocol(if expected.continuation {
            "Message inside of another"
        } else {
            "Continuation of nothing"
        }));
    }

    let Some(&second) = bytes.get(1) else {
        return Ok(None);
    };
    if second & MASKED == 0 {
        return Err(Failure::protocol("Frame is not masked"));
    }
    let Some((length, behind)) = parse_length(second & !MASKED, bytes)? else {
        return Ok(None);
    };
    if opcode.is_control() {
        if length > CONTROL_BYTES as u64 {
            return Err(Failure::protocol("Control frame is too long"));
        }
        if opcode == Opcode::Close && length == 1 {
            return Err(Failure::protocol("Close frame with half a code"));
        }
    } else {
        let room = if is_compressed {
            expected.compressed_room
        } else {
            expected.room
        };
        if length > room {
            return Err(Failure::TOO_BIG);
        }
    }

    let Some(key) = array_at(bytes, behind) else {
        return Ok(None);
    };
    let head = FrameHead {
        opcode,
        is_final,
        is_compressed,
        length,
        mask: Mask::new(key),
    };
    Ok(Some((head, behind + 4)))
}

/// The payload's length and where it ends in the head.
fn parse_length(short: u8, bytes: &[u8]) -> Result<Option<(u64, usize)>, Failure> {
    let (length, shortest, behind) = match short {
        126 => match array_at(bytes, 2) {
            Some(long) => (u64::from(u16::from_be_bytes(long)), 126, 4),
            None => return Ok(None),
        },
        127 => match array_at(bytes, 2) {
            Some(long) => (u64::from_be_bytes(long), 1 << 16, 10),
            None => return Ok(None),
        },
        _ => (u64::from(short), 0, 2),
    };
    if length < shortest {
        return Err(Failure::protocol("Length is not in its shortest form"));
    }
    if length >> 63 != 0 {
        return Err(Failure::protocol("Length has its highest bit set"));
    }
    Ok(Some((length, behind)))
}

fn array_at<const SIZE: usize>(bytes: &[u8], at: usize) -> Option<[u8; SIZE]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// A mask, at the place in a payload that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask(u32);

impl Mask {
    /// At the beginning of a payload.
    pub fn new(key: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(key))
    }

    /// Unmasks, or masks, what comes next.
    pub fn apply(&mut self, payload: &mut [u8]) {
        let key = self.0;
        if key == 0 {
            return;
        }
        let word = u64::from(key) << 32 | u64::from(key);
        let (words, rest) = payload.as_chunks_mut();
        for bytes in words {
            *bytes = (u64::from_le_bytes(*bytes) ^ word).to_le_bytes();
        }
        for (byte, mask) in rest.iter_mut().zip(word.to_le_bytes()) {
            *byte ^= mask;
        }
        self.0 = key.rotate_right(8 * (payload.len() % 4) as u32);
    }
}

#[cfg(test)]
mod tests;
