//! Whole messages from bytes (RFC 6455, 5 and 8.1).

use std::borrow::Cow;

use super::close::{self, Failure};
use super::deflate::{History, InflateError, Inflater};
use super::frame::{Expected, FrameHead, HEAD_BYTES, Mask, Opcode, parse_head};
use super::handshake::Agreed;
use super::utf8::{NotUtf8, Utf8};

/// What a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message, inflated; longer ones fail with 1009.
    pub message_bytes: usize,
    /// Frames of a message; more fail with 1008.
    pub fragments: u32,
}

impl Limits {
    /// Enough for 16 MiB in frames of 128 bytes.
    pub const FRAGMENTS: u32 = 1 << 17;
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

/// What has arrived.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A message; text has been checked.
    Message {
        /// What it is.
        kind: Kind,
        /// Its bytes: those of the input where they were in one piece.
        payload: Cow<'a, [u8]>,
    },
    /// A ping that is owed a pong.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// A close frame: the last event.
    Close {
        /// Its code, 1005 without one.
        code: u16,
        /// Its reason.
        reason: &'a str,
    },
}

/// One step through the input.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Bytes of the input that are done with; all of it if nothing happened.
    pub consumed: usize,
    /// What they, and those before, have become.
    pub event: Option<Event<'a>>,
}

/// Makes messages of what one client sends. It keeps nothing but what has
/// arrived of a message, and the history that compression needs.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    compression: Compression,
    state: State,
    /// A head that is not complete.
    head: [u8; HEAD_BYTES],
    head_length: u8,
    message: Option<Message>,
    /// What arrived of a message that was not in one piece.
    buffer: Vec<u8>,
    /// The same of a control frame, which may come in the middle of one.
    control: Vec<u8>,
}

#[derive(Debug)]
enum Compression {
    None,
    /// Each message on its own.
    NoTakeover,
    Takeover(Box<History>),
}

#[derive(Clone, Copy, Debug)]
enum State {
    Head,
    Payload {
        left: u64,
        mask: Mask,
        is_final: bool,
    },
    Control {
        left: u8,
        mask: Mask,
        opcode: Opcode,
    },
    Closed,
    Failed(Failure),
}

/// A message that is not complete.
#[derive(Clone, Copy, Debug)]
struct Message {
    kind: Kind,
    is_compressed: bool,
    fragments: u32,
    utf8: Utf8,
}

/// What `advance` has come to. Places instead of bytes, because it goes on
/// borrowing the input until it has found something.
enum Found {
    /// Everything was read.
    Nothing,
    /// A message that is in the input, up to where it has been read.
    InInput(Kind, usize),
    /// One that is in the buffer.
    InBuffer(Kind),
    /// One that the inflater has.
    Inflated(Kind),
    /// A ping, pong or close frame that is in `control`.
    Control(Opcode),
}

impl Decoder {
    /// For a connection that has just been upgraded.
    pub fn new(limits: Limits, agreed: Option<&Agreed>) -> Self {
        let compression = match agreed {
            None => Compression::None,
            Some(agreed) if !agreed.client_takeover => Compression::NoTakeover,
            Some(agreed) => {
                let history = History::new(agreed.client_window_bits);
                Compression::Takeover(Box::new(history))
            }
        };
        Self {
            limits,
            compression,
            state: State::Head,
            head: [0; HEAD_BYTES],
            head_length: 0,
            message: None,
            buffer: Vec::new(),
            control: Vec::new(),
        }
    }

    /// Reads on to the next event. The input is unmasked in place, so what was
    /// consumed must not be given again, and what was not must not be changed.
    ///
    /// A failure is final. What comes behind a close frame is dropped.
    pub fn step<'a>(
        &'a mut self,
        input: &'a mut [u8],
        inflater: &'a mut Inflater,
    ) -> Result<Step<'a>, Failure> {
        let (consumed, found) = match self.advance(input, inflater) {
            Ok(found) => found,
            Err(failure) => return Err(self.fail(failure)),
        };
        let event = match found {
            Found::Nothing => None,
            Found::InInput(kind, length) => Some(Event::Message {
                kind,
                payload: Cow::Borrowed(&input[consumed - length..consumed]),
            }),
            Found::InBuffer(kind) => Some(Event::Message {
                kind,
                payload: Cow::Owned(std::mem::take(&mut self.buffer)),
            }),
            Found::Inflated(kind) => Some(Event::Message {
                kind,
                payload: inflater.take_message(),
            }),
            Found::Control(Opcode::Ping) => Some(Event::Ping(&self.control)),
            Found::Control(Opcode::Pong) => Some(Event::Pong(&self.control)),
            Found::Control(_) => match close::parse(&self.control) {
                Ok((code, reason)) => {
                    self.state = State::Closed;
                    Some(Event::Close { code, reason })
                }
                Err(failure) => {
                    self.state = State::Failed(failure);
                    return Err(failure);
                }
            },
        };
        Ok(Step { consumed, event })
    }

    /// Bytes of memory that this holds for the connection, beside itself.
    pub fn memory(&self) -> usize {
        let history = match &self.compression {
            Compression::Takeover(history) => history.memory(),
            _ => 0,
        };
        self.buffer.capacity() + self.control.capacity() + history
    }

    fn fail(&mut self, failure: Failure) -> Failure {
        self.state = State::Failed(failure);
        self.buffer = Vec::new();
        self.control = Vec::new();
        failure
    }

    fn advance(
        &mut self,
        input: &mut [u8],
        inflater: &mut Inflater,
    ) -> Result<(usize, Found), Failure> {
        let mut at = 0;
        loop {
            match self.state {
                State::Failed(failure) => return Err(failure),
                State::Closed => return Ok((input.len(), Found::Nothing)),
                State::Head => {
                    let Some(head) = self.read_head(&input[at..], &mut at)? else {
                        return Ok((input.len(), Found::Nothing));
                    };
                    if head.opcode.is_control() {
                        self.control.clear();
                        self.state = State::Control {
                            left: head.length as u8,
                            mask: head.mask,
                            opcode: head.opcode,
                        };
                        continue;
                    }
                    self.begin(&head)?;
                    let Some(payload) = whole_payload(&head, &mut input[at..]) else {
                        self.state = State::Payload {
                            left: head.length,
                            mask: head.mask,
                            is_final: head.is_final,
                        };
                        continue;
                    };
                    // Without a copy: most messages are in one piece.
                    let mut mask = head.mask;
                    mask.apply(payload);
                    at += payload.len();
                    let found = self.finish(Some(payload), inflater)?;
                    return Ok((at, found));
                }
                State::Payload {
                    left,
                    mut mask,
                    is_final,
                } => {
                    let piece = first_bytes(left, &mut input[at..]);
                    mask.apply(piece);
                    at += piece.len();
                    let left = left - piece.len() as u64;
                    self.gather(piece, is_final.then_some(left))?;
                    if left > 0 {
                        self.state = State::Payload {
                            left,
                            mask,
                            is_final,
                        };
                        return Ok((at, Found::Nothing));
                    }
                    self.state = State::Head;
                    if is_final {
                        return Ok((at, self.finish(None, inflater)?));
                    }
                }
                State::Control {
                    left,
                    mut mask,
                    opcode,
                } => {
                    let piece = first_bytes(u64::from(left), &mut input[at..]);
                    mask.apply(piece);
                    at += piece.len();
                    self.control.extend_from_slice(piece);
                    let left = left - piece.len() as u8;
                    if left > 0 {
                        self.state = State::Control { left, mask, opcode };
                        return Ok((at, Found::Nothing));
                    }
                    self.state = State::Head;
                    return Ok((at, Found::Control(opcode)));
                }
            }
        }
    }

    /// Reads a head, or keeps what is there of one.
    fn read_head(&mut self, input: &[u8], at: &mut usize) -> Result<Option<FrameHead>, Failure> {
        let expected = self.expected();
        let kept = usize::from(self.head_length);
        if kept == 0
            && let Some((head, length)) = parse_head(input, &expected)?
        {
            *at += length;
            return Ok(Some(head));
        }
        let more = input.len().min(HEAD_BYTES - kept);
        let end = kept + more;
        self.head[kept..end].copy_from_slice(&input[..more]);
        let Some((head, length)) = parse_head(&self.head[..end], &expected)? else {
            self.head_length = end as u8;
            return Ok(None);
        };
        self.head_length = 0;
        *at += length - kept;
        Ok(Some(head))
    }

    fn expected(&self) -> Expected {
        let limit = self.limits.message_bytes as u64;
        // Deflate may make it this much longer, and no more is inflated.
        let compressed_limit = limit.saturating_add(limit / 8 + 64);
        let taken = self.buffer.len() as u64;
        let room = match self.message {
            Some(Message {
                is_compressed: true,
                ..
            }) => compressed_limit,
            _ => limit,
        };
        Expected {
            continuation: self.message.is_some(),
            compression: !matches!(self.compression, Compression::None),
            room: room.saturating_sub(taken),
            compressed_room: compressed_limit,
        }
    }

    /// A frame of a message begins.
    fn begin(&mut self, head: &FrameHead) -> Result<(), Failure> {
        let kind = match head.opcode {
            Opcode::Text => Kind::Text,
            _ => Kind::Binary,
        };
        let message = self.message.get_or_insert(Message {
            kind,
            is_compressed: head.is_compressed,
            fragments: 0,
            utf8: Utf8::default(),
        });
        message.fragments += 1;
        if message.fragments > self.limits.fragments {
            return Err(Failure {
                code: close::POLICY,
                reason: "Message has too many fragments",
            });
        }
        Ok(())
    }

    /// Takes more of a message. In its last frame it is known how many bytes
    /// are left.
    fn gather(&mut self, piece: &[u8], left: Option<u64>) -> Result<(), Failure> {
        self.check_text(piece)?;
        let Self { buffer, .. } = self;
        let length = buffer.len() + piece.len();
        if length > buffer.capacity() {
            // As much again as has arrived, but no more than is to come.
            let left = left.and_then(|left| usize::try_from(left).ok());
            let whole = length.saturating_add(left.unwrap_or(usize::MAX));
            let wanted = (2 * length).min(whole);
            buffer.reserve_exact(wanted - buffer.len());
        }
        buffer.extend_from_slice(piece);
        Ok(())
    }

    /// Text is checked as it arrives; compressed text when it is inflated.
    fn check_text(&mut self, piece: &[u8]) -> Result<(), Failure> {
        if let Some(Message {
            kind: Kind::Text,
            is_compressed: false,
            utf8,
            ..
        }) = &mut self.message
        {
            utf8.push(piece)?;
        }
        Ok(())
    }

    /// A message is complete: in the input, or else in the buffer.
    fn finish(
        &mut self,
        in_input: Option<&[u8]>,
        inflater: &mut Inflater,
    ) -> Result<Found, Failure> {
        if let Some(payload) = in_input {
            self.check_text(payload)?;
        }
        let Some(mut message) = self.message.take() else {
            return Ok(Found::Nothing);
        };
        let kind = message.kind;
        if message.is_compressed {
            let history = match &mut self.compression {
                Compression::Takeover(history) => Some(&mut **history),
                _ => None,
            };
            let compressed = in_input.unwrap_or(&self.buffer);
            let limit = self.limits.message_bytes;
            let inflated = inflater.inflate(compressed, history, limit);
            self.buffer = Vec::new();
            inflated?;
            if kind == Kind::Text {
                message.utf8.push(inflater.message())?;
                message.utf8.finish()?;
            }
            return Ok(Found::Inflated(kind));
        }
        message.utf8.finish()?;
        Ok(match in_input {
            Some(payload) => Found::InInput(kind, payload.len()),
            None => Found::InBuffer(kind),
        })
    }
}

impl From<NotUtf8> for Failure {
    fn from(_: NotUtf8) -> Self {
        Self::NO_UTF8
    }
}

impl From<InflateError> for Failure {
    fn from(error: InflateError) -> Self {
        match error {
            InflateError::TooBig => Self::TOO_BIG,
            InflateError::Corrupt => Self {
                code: close::INVALID_DATA,
                reason: "Compressed message is corrupt",
            },
            InflateError::TooManyBlocks => Self {
                code: close::POLICY,
                reason: "Compressed message has too many last blocks",
            },
        }
    }
}

/// The payload of a message of one frame, if all of it has arrived.
fn whole_payload<'a>(head: &FrameHead, input: &'a mut [u8]) -> Option<&'a mut [u8]> {
    let is_message = head.is_final && head.opcode != Opcode::Continuation;
    let length = usize::try_from(head.length).ok()?;
    if is_message {
        input.get_mut(..length)
    } else {
        None
    }
}

fn first_bytes(most: u64, input: &mut [u8]) -> &mut [u8] {
    let length = usize::try_from(most).map_or(input.len(), |most| most.min(input.len()));
    &mut input[..length]
}

#[cfg(test)]
mod tests;
