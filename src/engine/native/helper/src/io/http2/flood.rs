//! Clients that send frames which cost them little and this side something:
//! `h2` limits what they may take of memory, this limits what they may take of
//! time. It looks at the headers of frames as they arrive.

use super::PREFACE;

/// Bytes of a frame header (RFC 9113, 4.1).
const HEADER_BYTES: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Streams that a client may cancel at once, and per second for longer. Each may
/// have cost a request, and not even its answer.
const RESETS: Rate = Rate {
    burst: 256,
    per_second: 64,
};
/// Frames without any use for a request. Some clients measure by pings.
const EMPTY: Rate = Rate {
    burst: 2048,
    per_second: 512,
};
/// Permissions to send more, of which honest clients give one for several
/// frames.
const WINDOWS: Rate = Rate {
    burst: 65_536,
    per_second: 65_536,
};

#[derive(Clone, Copy)]
struct Rate {
    burst: u64,
    per_second: u64,
}

/// What is left of a rate, in thousandths.
struct Allowance {
    rate: Rate,
    left: u64,
    at: u64,
}

impl Allowance {
    fn new(rate: Rate) -> Self {
        Self {
            rate,
            left: rate.burst * 1000,
            at: 0,
        }
    }

    /// Takes one; false if there is none.
    fn take(&mut self, now: u64) -> bool {
        let gained = now
            .saturating_sub(self.at)
            .saturating_mul(self.rate.per_second);
        self.left = self.left.saturating_add(gained).min(self.rate.burst * 1000);
        self.at = now;
        match self.left.checked_sub(1000) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// The client sends too much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flood;

/// Looks at frames.
pub struct Meter {
    /// Bytes of the preface, and of a frame's content, that are still to come.
    skip: usize,
    header: [u8; HEADER_BYTES],
    filled: usize,
    /// The frame whose content is coming ends a block of header fields.
    ends_block: bool,
    block_since: Option<u64>,
    resets: Allowance,
    empty: Allowance,
    windows: Allowance,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            skip: PREFACE.len(),
            header: [0; HEADER_BYTES],
            filled: 0,
            ends_block: false,
            block_since: None,
            resets: Allowance::new(RESETS),
            empty: Allowance::new(EMPTY),
            windows: Allowance::new(WINDOWS),
        }
    }
}

impl Meter {
    /// Since when header fields are arriving that are not complete.
    pub fn block_since(&self) -> Option<u64> {
        self.block_since
    }

    /// Looks at what has arrived.
    ///
    /// * `now`: in milliseconds.
    pub fn look(&mut self, mut input: &[u8], now: u64) -> Result<(), Flood> {
        while !input.is_empty() {
            if self.skip > 0 {
                let count = self.skip.min(input.len());
                self.skip -= count;
                input = &input[count..];
            } else {
                let count = (HEADER_BYTES - self.filled).min(input.len());
                self.header[self.filled..self.filled + count].copy_from_slice(&input[..count]);
                self.filled += count;
                input = &input[count..];
                if self.filled < HEADER_BYTES {
                    return Ok(());
                }
                self.filled = 0;
                self.begin_frame(now)?;
            }
            if self.skip == 0 && self.ends_block {
                self.ends_block = false;
                self.block_since = None;
            }
        }
        Ok(())
    }

    fn begin_frame(&mut self, now: u64) -> Result<(), Flood> {
        let [high, middle, low, kind, flags, ..] = self.header;
        self.skip = u32::from_be_bytes([0, high, middle, low]) as usize;
        let is_within = match kind {
            RST_STREAM => self.resets.take(now),
            PRIORITY | SETTINGS | PING => self.empty.take(now),
            WINDOW_UPDATE => self.windows.take(now),
            DATA if self.skip == 0 && flags & END_STREAM == 0 => self.empty.take(now),
            HEADERS | CONTINUATION => {
                self.block_since.get_or_insert(now);
                self.ends_block = flags & END_HEADERS != 0;
                true
            }
            _ => true,
        };
        if is_within { Ok(()) } else { Err(Flood) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize, kind: u8, flags: u8) -> Vec<u8> {
        let [_, high, middle, low] = (length as u32).to_be_bytes();
        let mut frame = vec![high, middle, low, kind, flags, 0, 0, 0, 1];
        frame.resize(HEADER_BYTES + length, 0xaa);
        frame
    }

    fn begun() -> Meter {
        let mut meter = Meter::default();
        meter.look(PREFACE, 0).unwrap();
        meter
    }

    /// How many of a frame are let through at once.
    fn passed(frame: &[u8], now: u64) -> usize {
        let mut meter = begun();
        (0..100_000)
            .take_while(|_| meter.look(frame, now).is_ok())
            .count()
    }

    #[test]
    fn frames_that_cost_the_client_nothing_are_limited() {
        assert_eq!(passed(&frame(4, RST_STREAM, 0), 0), 256);
        for kind in [PRIORITY, SETTINGS, PING] {
            assert_eq!(passed(&frame(8, kind, 0), 0), 2048);
        }
        assert_eq!(passed(&frame(0, DATA, 0), 0), 2048);
        assert_eq!(passed(&frame(4, WINDOW_UPDATE, 0), 0), 65_536);
        for useful in [
            frame(1, DATA, 0),
            frame(0, DATA, END_STREAM),
            frame(3, HEADERS, 4),
        ] {
            assert_eq!(passed(&useful, 0), 100_000);
        }
    }

    #[test]
    fn time_gives_back_what_was_used() {
        let reset = frame(4, RST_STREAM, 0);
        let after = |times: &[u64]| {
            let mut meter = begun();
            for _ in 0..256 {
                meter.look(&reset, 0).unwrap();
            }
            let mut results = times.iter().map(|now| meter.look(&reset, *now));
            results.all(|result| result.is_ok())
        };
        assert!(!after(&[15]));
        assert!(after(&[16]));
        assert!(!after(&[16, 17]));
        assert!(after(&[1000; 64]));
        assert!(!after(&[1000; 65]));
    }

    #[test]
    fn frames_are_found_wherever_the_bytes_are_cut() {
        let mut all = PREFACE.to_vec();
        for _ in 0..257 {
            all.extend(frame(37, DATA, 0));
            all.extend(frame(4, RST_STREAM, 0));
        }
        for size in [1, 2, 7, 9, 100] {
            let mut meter = Meter::default();
            let pieces = all.chunks(size);
            let seen = pieces.take_while(|piece| meter.look(piece, 0).is_ok());
            // The header of the last frame goes over the limit.
            assert_eq!(seen.count(), (all.len() - 5) / size, "{size}");
        }
    }

    #[test]
    fn header_fields_are_timed_until_the_end_of_their_block() {
        let mut meter = begun();
        let open = frame(10, HEADERS, 0);
        meter.look(&open[..3], 5).unwrap();
        assert_eq!(meter.block_since(), None);
        meter.look(&open[3..], 6).unwrap();
        assert_eq!(meter.block_since(), Some(6));
        let last = frame(10, CONTINUATION, END_HEADERS);
        meter.look(&last[..18], 7).unwrap();
        assert_eq!(meter.block_since(), Some(6));
        meter.look(&last[18..], 8).unwrap();
        assert_eq!(meter.block_since(), None);
        meter.look(&frame(0, HEADERS, END_HEADERS), 9).unwrap();
        assert_eq!(meter.block_since(), None);
    }
}
