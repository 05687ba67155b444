//! Compressed messages (RFC 7692, 7.2).
//!
//! Compressors and decompressors belong to a thread, not to connections: a
//! connection with context takeover keeps what the last messages ended with,
//! and that is given to them as a dictionary before every message. A few
//! kilobytes per connection do for what otherwise takes 40 KiB for one
//! direction and 350 KiB for the other, and a message that was compressed in
//! vain has changed nothing.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// The smallest window that can be compressed with: below that zlib does not
/// do what it promises.
pub const SMALLEST_WINDOW: u8 = 9;
/// The largest window, RFC 1951's 32 KiB.
pub const LARGEST_WINDOW: u8 = 15;

/// What every compressed message would end with, and does not (RFC 7692,
/// 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// A block that is empty and the last.
const END: [u8; 2] = [3, 0];

/// Half the work of the usual level 6, with hardly more to send.
const LEVEL: u32 = 3;
/// zlib looks no closer than this to the end of a window.
const LOOK_AHEAD: usize = 262;
/// A dictionary costs time for each of its bytes. A message gets four times
/// its own length of it, but at least this much.
const DICTIONARY_BYTES: usize = 4096;
/// Scratch memory that is kept between messages.
const KEPT_BYTES: usize = 128 * 1024;
/// Inflated messages from this length on are handed over instead of copied.
const OWNED_BYTES: usize = 32 * 1024;
/// Each last block inside of a message (RFC 7692, 7.2.3.4) costs about as much
/// as a message. Nobody sends more than a few.
const LAST_BLOCKS: u32 = 64;

/// What the last messages of a direction ended with, as long as its window.
#[derive(Debug)]
pub struct History {
    bytes: Vec<u8>,
    window: usize,
}

impl History {
    /// Empty. It grows with what is pushed, up to the window.
    pub fn new(window_bits: u8) -> Self {
        Self {
            bytes: Vec::new(),
            window: 1 << window_bits,
        }
    }

    /// Adds a message that has been sent or received compressed.
    pub fn push(&mut self, message: &[u8]) {
        let Self { bytes, window } = self;
        let message = &message[message.len().saturating_sub(*window)..];
        let length = bytes.len() + message.len();
        bytes.drain(..length.saturating_sub(*window));
        if length > bytes.capacity() {
            let wanted = length.max(2 * bytes.capacity()).min(*window);
            bytes.reserve_exact(wanted - bytes.len());
        }
        bytes.extend_from_slice(message);
    }

    /// What was pushed last.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of memory that this holds.
    pub fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// As much as pays as a dictionary for a message of this length.
    fn dictionary(&self, length: usize) -> &[u8] {
        let worth = DICTIONARY_BYTES.max(length.saturating_mul(4));
        &self.bytes[self.bytes.len().saturating_sub(worth)..]
    }
}

/// Compresses messages; one for each thread.
#[derive(Default)]
pub struct Deflater {
    /// By window.
    compressors: [Option<Compress>; 7],
    out: Vec<u8>,
}

impl Deflater {
    /// Allocates nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compresses a message for a window of 9 to 15 bits; None if it would
    /// become no shorter. The history is left as it is.
    pub fn deflate(
        &mut self,
        message: &[u8],
        window_bits: u8,
        history: Option<&History>,
    ) -> Option<&[u8]> {
        let dictionary = history.map_or(&[][..], |history| history.dictionary(message.len()));
        let bits = match dictionary {
            [] => window_for(message.len(), window_bits),
            _ => window_bits.clamp(SMALLEST_WINDOW, LARGEST_WINDOW),
        };
        let slot = &mut self.compressors[usize::from(bits - SMALLEST_WINDOW)];
        let compressor = slot.get_or_insert_with(|| {
            Compress::new_with_window_bits(Compression::new(LEVEL), false, bits)
        });
        compressor.reset();
        if !dictionary.is_empty() {
            compressor.set_dictionary(dictionary).ok()?;
        }

        // With room for no more than that, it stops when it is in vain.
        let room = message.len() + TAIL.len();
        shrink(&mut self.out);
        grow(&mut self.out, room);
        let out = &mut self.out[..room];
        let status = compressor.compress(message, out, FlushCompress::Sync);
        let written = compressor.total_out() as usize;
        // While something was left to write there was no room for it.
        if !matches!(status, Ok(Status::Ok))
            || compressor.total_in() != message.len() as u64
            || written >= room
        {
            return None;
        }
        out[..written].strip_suffix(&TAIL)
    }
}

/// The smallest window that is as good as `most` for a message without a
/// dictionary: so that more connections have the same.
pub fn window_for(length: usize, most: u8) -> u8 {
    let needed = (length + LOOK_AHEAD).next_power_of_two().trailing_zeros();
    (needed.min(u32::from(most)) as u8).clamp(SMALLEST_WINDOW, LARGEST_WINDOW)
}

/// Why a message cannot be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateError {
    /// It is not compressed.
    Corrupt,
    /// It becomes longer than the limit.
    TooBig,
    /// It has too many last blocks.
    TooManyBlocks,
}

/// Inflates messages; one for each thread.
#[derive(Default)]
pub struct Inflater {
    decompressor: Option<Decompress>,
    out: Vec<u8>,
    /// Bytes of `out` that are the message.
    length: usize,
}

impl Inflater {
    /// Allocates nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Inflates a message of at most `limit` bytes, and adds it to the history.
    /// [`Inflater::message`] has it until the next.
    pub fn inflate(
        &mut self,
        compressed: &[u8],
        mut history: Option<&mut History>,
        limit: usize,
    ) -> Result<(), InflateError> {
        self.length = 0;
        shrink(&mut self.out);
        // Some clients leave out even the one byte that an empty message has.
        if compressed.is_empty() {
            return Ok(());
        }
        let before = history.as_ref().map_or(&[][..], |history| history.bytes());
        self.inflate_blocks(compressed, before, limit)?;
        if let Some(history) = &mut history {
            history.push(self.message());
        }
        Ok(())
    }

    /// The message that was inflated last.
    pub fn message(&self) -> &[u8] {
        &self.out[..self.length]
    }

    /// As `message`, but a long one is given away instead.
    pub fn take_message(&mut self) -> std::borrow::Cow<'_, [u8]> {
        if self.length < OWNED_BYTES {
            return self.message().into();
        }
        let mut out = std::mem::take(&mut self.out);
        out.truncate(self.length);
        self.length = 0;
        out.into()
    }

    fn inflate_blocks(
        &mut self,
        compressed: &[u8],
        history: &[u8],
        limit: usize,
    ) -> Result<(), InflateError> {
        let guess = compressed.len().saturating_mul(4).clamp(1024, 64 * 1024);
        // One byte more than the limit shows that there is too much.
        let most = limit.saturating_add(1);
        grow(&mut self.out, guess.min(most));
        self.restart(history)?;
        let mut last_blocks = 0;
        let mut rest = compressed;
        while self.inflate_part(&mut rest, limit)? == Status::StreamEnd {
            // Usually more follows, at least the beginning of an empty block.
            if rest.is_empty() {
                return Ok(());
            }
            last_blocks += 1;
            if last_blocks > LAST_BLOCKS {
                return Err(InflateError::TooManyBlocks);
            }
            self.restart(history)?;
        }
        let mut rest = &TAIL[..];
        if self.inflate_part(&mut rest, limit)? == Status::StreamEnd {
            return if rest.is_empty() {
                Ok(())
            } else {
                Err(InflateError::Corrupt)
            };
        }
        // Only between blocks this ends it, so nothing is missing.
        let mut rest = &END[..];
        match self.inflate_part(&mut rest, limit)? {
            Status::StreamEnd if rest.is_empty() => Ok(()),
            _ => Err(InflateError::Corrupt),
        }
    }

    /// Begins a stream behind the history and what of the message is there.
    fn restart(&mut self, history: &[u8]) -> Result<(), InflateError> {
        let decompressor = self
            .decompressor
            .get_or_insert_with(|| Decompress::new(false));
        decompressor.reset(false);
        let message = &self.out[..self.length];
        for dictionary in [history, message] {
            let window = 1 << LARGEST_WINDOW;
            let dictionary = &dictionary[dictionary.len().saturating_sub(window)..];
            if !dictionary.is_empty() {
                decompressor
                    .set_dictionary(dictionary)
                    .map_err(|_| InflateError::Corrupt)?;
            }
        }
        Ok(())
    }

    /// Inflates until `input` is used up or a last block ends.
    fn inflate_part(&mut self, input: &mut &[u8], limit: usize) -> Result<Status, InflateError> {
        let Some(decompressor) = &mut self.decompressor else {
            return Err(InflateError::Corrupt);
        };
        loop {
            if self.length == self.out.len() {
                let most = limit.saturating_add(1);
                let wanted = self.out.len().saturating_mul(2).max(1024);
                grow(&mut self.out, wanted.min(most));
            }
            let total_in = decompressor.total_in();
            let total_out = decompressor.total_out();
            let out = &mut self.out[self.length..];
            let status = decompressor
                .decompress(input, out, FlushDecompress::None)
                .map_err(|_| InflateError::Corrupt)?;
            let read = (decompressor.total_in() - total_in) as usize;
            let written = (decompressor.total_out() - total_out) as usize;
            *input = &input[read..];
            self.length += written;
            if self.length > limit {
                return Err(InflateError::TooBig);
            }
            // With room left in `out` it has nothing more to write.
            if status == Status::StreamEnd || input.is_empty() && self.length < self.out.len() {
                return Ok(status);
            }
            if read == 0 && written == 0 {
                return Err(InflateError::Corrupt);
            }
        }
    }
}

/// Makes it at least this long, and takes no more memory than that.
fn grow(scratch: &mut Vec<u8>, length: usize) {
    if scratch.len() < length {
        scratch.reserve_exact(length - scratch.len());
        scratch.resize(length, 0);
    }
}

/// Gives back what a long message needed.
fn shrink(scratch: &mut Vec<u8>) {
    if scratch.capacity() > KEPT_BYTES {
        *scratch = Vec::new();
    }
}

#[cfg(test)]
mod tests;
