//! Frames for clients (RFC 6455, 5; RFC 7692, 7.2.1).

use std::sync::Arc;

use super::close::{CONTROL_BYTES, cut_reason};
use super::decoder::Kind;
use super::deflate::{Deflater, History, window_for};
use super::deflate::{LARGEST_WINDOW, SMALLEST_WINDOW};
use super::frame::Opcode;
use super::handshake::Agreed;

/// The longest head of a server's frame.
const HEAD_BYTES: usize = 10;

/// Messages shorter than this are not compressed: they become longer, or not
/// so much shorter that anybody would notice.
pub const WORTH_COMPRESSING: usize = 64;
/// The same where they can refer to messages before them.
pub const WORTH_COMPRESSING_AGAIN: usize = 16;

/// The head of a server's frame.
#[derive(Clone, Copy, Debug)]
pub struct ServerHead {
    bytes: [u8; HEAD_BYTES],
    length: u8,
}

impl ServerHead {
    /// For a frame that is the whole of its message.
    pub fn new(opcode: Opcode, is_compressed: bool, payload: usize) -> Self {
        let mut bytes = [0; HEAD_BYTES];
        bytes[0] = 0x80 | u8::from(is_compressed) << 6 | opcode as u8;
        let length = if payload <= CONTROL_BYTES {
            bytes[1] = payload as u8;
            2
        } else if let Ok(payload) = u16::try_from(payload) {
            bytes[1] = 126;
            bytes[2..4].copy_from_slice(&payload.to_be_bytes());
            4
        } else {
            bytes[1] = 127;
            bytes[2..].copy_from_slice(&(payload as u64).to_be_bytes());
            10
        };
        Self { bytes, length }
    }

    /// What goes before the payload.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Appends a frame that is the whole of a message, or a control frame of at
/// most [`CONTROL_BYTES`].
pub fn write_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    write(out, opcode, false, payload);
}

/// Appends a close frame; None for an empty one. The reason is cut if it is
/// too long.
pub fn write_close(out: &mut Vec<u8>, code: Option<u16>, reason: &str) {
    let Some(code) = code else {
        return write(out, Opcode::Close, false, &[]);
    };
    let reason = cut_reason(reason);
    let head = ServerHead::new(Opcode::Close, false, 2 + reason.len());
    out.extend_from_slice(head.bytes());
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(reason.as_bytes());
}

fn write(out: &mut Vec<u8>, opcode: Opcode, is_compressed: bool, payload: &[u8]) {
    let head = ServerHead::new(opcode, is_compressed, payload.len());
    out.reserve(head.bytes().len() + payload.len());
    out.extend_from_slice(head.bytes());
    out.extend_from_slice(payload);
}

impl Kind {
    fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::Text,
            Self::Binary => Opcode::Binary,
        }
    }
}

/// Makes frames of the messages to one client.
///
/// With context takeover every message that was compressed becomes part of
/// what the next ones refer to: what was encoded must be sent, and in this
/// order. Whatever may drop a message has to do so before.
#[derive(Debug)]
pub struct Encoder(Mode);

#[derive(Debug)]
enum Mode {
    Plain,
    NoTakeover {
        window_bits: u8,
    },
    Takeover {
        window_bits: u8,
        history: Box<History>,
    },
}

impl Encoder {
    /// For a connection that has just been upgraded.
    pub fn new(agreed: Option<&Agreed>) -> Self {
        Self(match agreed {
            Some(agreed) if agreed.compress => {
                let window_bits = agreed.server_window_bits;
                if agreed.server_takeover {
                    let history = Box::new(History::new(window_bits));
                    Mode::Takeover {
                        window_bits,
                        history,
                    }
                } else {
                    Mode::NoTakeover { window_bits }
                }
            }
            _ => Mode::Plain,
        })
    }

    /// Whether messages to this client may be compressed.
    pub fn compresses(&self) -> bool {
        !matches!(self.0, Mode::Plain)
    }

    /// Whether a frame for this client depends on what it was sent before.
    pub fn has_takeover(&self) -> bool {
        matches!(self.0, Mode::Takeover { .. })
    }

    /// Appends a message, compressed if that was wanted and agreed on, and
    /// pays.
    pub fn write_message(
        &mut self,
        out: &mut Vec<u8>,
        kind: Kind,
        payload: &[u8],
        compress: bool,
        deflater: &mut Deflater,
    ) {
        let compressed = if compress {
            self.deflate(payload, deflater)
        } else {
            None
        };
        let is_compressed = compressed.is_some();
        let payload = compressed.unwrap_or(payload);
        write(out, kind.opcode(), is_compressed, payload);
    }

    /// Bytes of memory that this holds for the connection, beside itself.
    pub fn memory(&self) -> usize {
        match &self.0 {
            Mode::Takeover { history, .. } => history.memory(),
            _ => 0,
        }
    }

    fn deflate<'a>(&mut self, payload: &[u8], deflater: &'a mut Deflater) -> Option<&'a [u8]> {
        match &mut self.0 {
            Mode::Plain => None,
            Mode::NoTakeover { window_bits } => {
                if payload.len() < WORTH_COMPRESSING {
                    return None;
                }
                deflater.deflate(payload, *window_bits, None)
            }
            Mode::Takeover {
                window_bits,
                history,
            } => {
                if payload.len() < WORTH_COMPRESSING_AGAIN {
                    return None;
                }
                let compressed = deflater.deflate(payload, *window_bits, Some(history))?;
                history.push(payload);
                Some(compressed)
            }
        }
    }
}

/// A frame that several connections send.
pub type SharedFrame = Arc<Vec<u8>>;

/// One message for many clients: encoded once, and compressed once for all
/// that agreed on the same.
#[derive(Debug)]
pub struct Broadcast {
    kind: Kind,
    compress: bool,
    plain: SharedFrame,
    /// Where its payload begins.
    head: usize,
    /// Compressed without takeover, by window.
    compressed: [Option<SharedFrame>; 7],
}

impl Broadcast {
    /// Encodes a message.
    pub fn new(kind: Kind, payload: &[u8], compress: bool) -> Self {
        let head = ServerHead::new(kind.opcode(), false, payload.len());
        let plain = [head.bytes(), payload].concat();
        Self::from_frame(kind, Arc::new(plain), compress)
    }

    /// As on another thread, but to be compressed again.
    pub fn from_frame(kind: Kind, plain: SharedFrame, compress: bool) -> Self {
        let head = match plain.get(1) {
            Some(126) => 4,
            Some(127) => 10,
            _ => 2,
        };
        Self {
            kind,
            compress,
            head: head.min(plain.len()),
            plain,
            compressed: Default::default(),
        }
    }

    /// What the message is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message.
    pub fn payload(&self) -> &[u8] {
        &self.plain[self.head..]
    }

    /// The message as a frame that is not compressed.
    pub fn plain(&self) -> &SharedFrame {
        &self.plain
    }

    /// The frame for a client; see [`Encoder`] for what that means.
    pub fn frame_for(&mut self, encoder: &mut Encoder, deflater: &mut Deflater) -> SharedFrame {
        if !self.compress {
            return self.plain.clone();
        }
        let payload = &self.plain[self.head..];
        match &encoder.0 {
            Mode::Plain => self.plain.clone(),
            Mode::NoTakeover { window_bits } => {
                let bits = window_for(payload.len(), *window_bits);
                let slot = &mut self.compressed[slot_of(bits)];
                if let Some(frame) = slot {
                    return frame.clone();
                }
                let frame = self.plain_or(encoder.deflate(payload, deflater));
                self.compressed[slot_of(bits)] = Some(frame.clone());
                frame
            }
            Mode::Takeover { .. } => self.plain_or(encoder.deflate(payload, deflater)),
        }
    }

    fn plain_or(&self, compressed: Option<&[u8]>) -> SharedFrame {
        let Some(compressed) = compressed else {
            return self.plain.clone();
        };
        let mut frame = Vec::new();
        write(&mut frame, self.kind.opcode(), true, compressed);
        Arc::new(frame)
    }
}

fn slot_of(window_bits: u8) -> usize {
    let bits = window_bits.clamp(SMALLEST_WINDOW, LARGEST_WINDOW);
    usize::from(bits - SMALLEST_WINDOW)
}

#[cfg(test)]
mod tests;
