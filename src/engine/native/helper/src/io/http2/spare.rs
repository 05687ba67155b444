//! What streams use again and again: memory, and values of header fields.

use http::HeaderValue;

/// Room for the text of a small head.
const TEXT_BYTES: usize = 512;
/// A larger one is not kept.
const LARGEST_TEXT: usize = 16 * 1024;
/// Lengths of content whose text is kept.
const LENGTHS: usize = 16;

/// Kept by a thread for all of its streams.
pub struct Spare {
    text: Vec<u8>,
    date_text: [u8; 29],
    date: HeaderValue,
    lengths: [Option<(u64, HeaderValue)>; LENGTHS],
}

impl Default for Spare {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            date_text: [0; 29],
            date: HeaderValue::from_static(""),
            lengths: Default::default(),
        }
    }
}

impl Spare {
    /// Memory for the text of a head.
    pub fn take_text(&mut self) -> Vec<u8> {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.reserve(TEXT_BYTES);
        text
    }

    /// Gives it back.
    pub fn give_text(&mut self, text: Vec<u8>) {
        if text.capacity() <= LARGEST_TEXT {
            self.text = text;
        }
    }

    /// The value of `Date`.
    pub fn date(&mut self, text: &[u8; 29]) -> HeaderValue {
        if self.date_text != *text {
            self.date_text = *text;
            self.date = HeaderValue::from_bytes(text).unwrap_or(HeaderValue::from_static(""));
        }
        self.date.clone()
    }

    /// The value of `Content-Length`.
    pub fn length(&mut self, length: u64) -> HeaderValue {
        match &mut self.lengths[length as usize % LENGTHS] {
            Some((kept, value)) if *kept == length => value.clone(),
            place => {
                let value = HeaderValue::from(length);
                *place = Some((length, value.clone()));
                value
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_that_were_asked_for() {
        let mut spare = Spare::default();
        for length in [0, 5, 5, 21, 5, 16, u64::MAX, 0] {
            assert_eq!(spare.length(length), *length.to_string());
        }
        for date in [
            b"Sun, 06 Nov 1994 08:49:37 GMT",
            b"Sun, 06 Nov 1994 08:49:38 GMT",
        ] {
            for _ in 0..2 {
                assert_eq!(spare.date(date).as_bytes(), date);
            }
        }
    }

    #[test]
    fn memory_is_kept_unless_it_is_much() {
        let mut spare = Spare::default();
        let mut text = spare.take_text();
        text.extend_from_slice(&[1; 2000]);
        spare.give_text(text);
        let text = spare.take_text();
        assert!(text.is_empty() && text.capacity() >= 2000);
        spare.give_text(Vec::with_capacity(LARGEST_TEXT + 1));
        assert!(spare.take_text().capacity() < 2000);
    }
}
