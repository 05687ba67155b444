//! What the opening handshake agrees on (RFC 6455, 4.2.2; RFC 7692, 5 and 7).

use super::deflate::{LARGEST_WINDOW, SMALLEST_WINDOW};

/// Appended to a client's key (RFC 6455, 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of `Sec-WebSocket-Accept` for one of `Sec-WebSocket-Key`.
pub fn accept(key: &[u8]) -> String {
    let mut hash = sha1_smol::Sha1::new();
    hash.update(key);
    hash.update(GUID);
    let digest = hash.digest().bytes();
    let mut text = String::with_capacity(28);
    for group in digest.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..=group.len() {
            let index = bits >> (18 - 6 * digit) & 0x3f;
            text.push(char::from(BASE64[index as usize]));
        }
    }
    // Twenty bytes leave one digit empty.
    text.push('=');
    text
}

/// How messages to clients are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compress {
    /// Not at all.
    Disable,
    /// Each on its own.
    Shared,
    /// With what was sent before, as far as a window of 9 to 15 bits reaches.
    Dedicated {
        /// Bits of the window.
        window_bits: u8,
    },
}

/// How messages from clients are inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decompress {
    /// Each on its own.
    Shared,
    /// With what was received before, as far as a window of 9 to 15 bits
    /// reaches.
    Dedicated {
        /// Bits of the window.
        window_bits: u8,
    },
}

/// What a server is willing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateConfig {
    /// For messages to clients.
    pub compress: Compress,
    /// For messages from clients.
    pub decompress: Decompress,
}

impl Compress {
    /// A compressor by the memory that zlib needs for it, from 3 KiB (9 bits)
    /// doubling to 256 KiB (15 bits), which is how options name them.
    pub fn dedicated(memory: u32) -> Self {
        let kibibytes = memory >> 10;
        let window_bits = match kibibytes {
            0..8 => SMALLEST_WINDOW,
            _ => (kibibytes.ilog2() as u8 + 7).min(LARGEST_WINDOW),
        };
        Self::Dedicated { window_bits }
    }
}

impl Decompress {
    /// A decompressor by the size of its window in bytes.
    pub fn dedicated(memory: u32) -> Self {
        let bits = memory.max(1).ilog2() as u8;
        Self::Dedicated {
            window_bits: bits.clamp(SMALLEST_WINDOW, LARGEST_WINDOW),
        }
    }
}

/// What client and server have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Messages to the client may be compressed.
    pub compress: bool,
    /// They may refer to messages before them.
    pub server_takeover: bool,
    /// Bits of the window that they stay in.
    pub server_window_bits: u8,
    /// Messages from the client may refer to messages before them.
    pub client_takeover: bool,
    /// Bits of the window that they stay in.
    pub client_window_bits: u8,
}

/// An offer that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// What was agreed on.
    pub agreed: Agreed,
    /// The value of `Sec-WebSocket-Extensions` that says so.
    pub response: String,
}

/// A field `Sec-WebSocket-Extensions` that is none (RFC 6455, 9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Accepts the first offer of permessage-deflate that can be accepted, if any.
/// Several fields are read as one, in their order.
pub fn negotiate<'a>(
    fields: impl IntoIterator<Item = &'a [u8]>,
    config: &DeflateConfig,
) -> Result<Option<Negotiated>, Malformed> {
    let mut accepted = None;
    for field in fields {
        let mut rest = Scanner(field);
        rest.skip(b" \t,");
        while !rest.is_empty() {
            let offer = rest.extension()?;
            if accepted.is_none() {
                accepted = offer.and_then(|offer| offer.answer(config));
            }
            if !rest.is_empty() && !rest.take(b',') {
                return Err(Malformed);
            }
            rest.skip(b" \t,");
        }
    }
    Ok(accepted)
}

/// An offer of permessage-deflate whose parameters are valid.
#[derive(Clone, Copy, Debug, Default)]
struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// Outer None: not offered; inner None: no limit.
    client_max_window_bits: Option<Option<u8>>,
}

impl Offer {
    /// Takes a parameter; false if the offer must be declined for it.
    fn set(&mut self, name: &[u8], value: Option<&[u8]>) -> bool {
        match (name, value) {
            (b"server_no_context_takeover", None) => {
                !std::mem::replace(&mut self.server_no_context_takeover, true)
            }
            (b"client_no_context_takeover", None) => {
                !std::mem::replace(&mut self.client_no_context_takeover, true)
            }
            (b"server_max_window_bits", Some(value)) => {
                let bits = window_bits(value);
                bits.is_some()
                    && std::mem::replace(&mut self.server_max_window_bits, bits).is_none()
            }
            (b"client_max_window_bits", value) => {
                let bits = value.map(window_bits);
                bits != Some(None)
                    && self
                        .client_max_window_bits
                        .replace(bits.flatten())
                        .is_none()
            }
            _ => false,
        }
    }

    fn answer(self, config: &DeflateConfig) -> Option<Negotiated> {
        let server_most = self.server_max_window_bits.unwrap_or(LARGEST_WINDOW);
        // zlib cannot be trusted with the one below.
        if server_most < SMALLEST_WINDOW {
            return None;
        }
        let (own_takeover, server_wanted) = match config.compress {
            Compress::Dedicated { window_bits } => (true, window_bits),
            Compress::Disable | Compress::Shared => (false, LARGEST_WINDOW),
        };
        let server_takeover = own_takeover && !self.server_no_context_takeover;
        let server_window_bits = server_wanted
            .clamp(SMALLEST_WINDOW, LARGEST_WINDOW)
            .min(server_most);

        let (client_takeover, client_window_bits) = match config.decompress {
            Decompress::Shared => (false, LARGEST_WINDOW),
            Decompress::Dedicated { window_bits } => {
                let wanted = window_bits.clamp(SMALLEST_WINDOW, LARGEST_WINDOW);
                match self.client_max_window_bits {
                    Some(most) => (true, wanted.min(most.unwrap_or(LARGEST_WINDOW))),
                    // It cannot be told to use a smaller window than the
                    // largest, only to forget it.
                    None => (wanted == LARGEST_WINDOW, LARGEST_WINDOW),
                }
            }
        };
        let client_takeover = client_takeover && !self.client_no_context_takeover;

        let mut response = String::from("permessage-deflate");
        if !client_takeover {
            response.push_str("; client_no_context_takeover");
        }
        if !server_takeover {
            response.push_str("; server_no_context_takeover");
        }
        if client_takeover && client_window_bits < LARGEST_WINDOW {
            let bits = client_window_bits;
            response.push_str(&format!("; client_max_window_bits={bits}"));
        }
        if self.server_max_window_bits.is_some() {
            let bits = server_window_bits;
            response.push_str(&format!("; server_max_window_bits={bits}"));
        }
        Some(Negotiated {
            agreed: Agreed {
                compress: config.compress != Compress::Disable,
                server_takeover,
                server_window_bits,
                client_takeover,
                client_window_bits,
            },
            response,
        })
    }
}

/// 8 to 15, without zeros before it.
fn window_bits(value: &[u8]) -> Option<u8> {
    match value {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

/// What is left of a field.
struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn skip(&mut self, bytes: &[u8]) {
        while let [first, rest @ ..] = self.0 {
            if !bytes.contains(first) {
                break;
            }
            self.0 = rest;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// A token, and white space behind it.
    fn token(&mut self) -> Result<&'a [u8], Malformed> {
        let end = self.0.iter().position(|byte| !is_token(*byte));
        let (token, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        if token.is_empty() {
            return Err(Malformed);
        }
        self.0 = rest;
        self.skip(b" \t");
        Ok(token)
    }

    /// An extension: None if it is another one than permessage-deflate, or if
    /// its parameters make it one to decline.
    fn extension(&mut self) -> Result<Option<Offer>, Malformed> {
        let mut offer = (self.token()? == b"permessage-deflate").then(Offer::default);
        while self.take(b';') {
            self.skip(b" \t");
            let name = self.token()?;
            let mut unquoted = Vec::new();
            let value = if self.take(b'=') {
                self.skip(b" \t");
                Some(self.value(&mut unquoted)?)
            } else {
                None
            };
            offer = offer.and_then(|mut offer| offer.set(name, value).then_some(offer));
        }
        Ok(offer)
    }

    /// A token, or one in quotes.
    fn value<'b>(&mut self, unquoted: &'b mut Vec<u8>) -> Result<&'b [u8], Malformed>
    where
        'a: 'b,
    {
        if !self.take(b'"') {
            return self.token();
        }
        loop {
            let Some((&byte, rest)) = self.0.split_first() else {
                return Err(Malformed);
            };
            self.0 = rest;
            let byte = match byte {
                b'"' => break,
                b'\\' => {
                    let Some((&escaped, rest)) = self.0.split_first() else {
                        return Err(Malformed);
                    };
                    self.0 = rest;
                    escaped
                }
                _ => byte,
            };
            if !is_token(byte) {
                return Err(Malformed);
            }
            unquoted.push(byte);
        }
        self.skip(b" \t");
        if unquoted.is_empty() {
            Err(Malformed)
        } else {
            Ok(unquoted)
        }
    }
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
