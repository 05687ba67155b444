//! HTTP/2 (RFC 9113) on a connection. The crate `h2` knows its frames, header
//! compression, flow control and states; it is polled without a runtime, and
//! reads and writes memory. Here, its streams become requests as those of
//! HTTP/1.1: JavaScript does not tell them apart, since each stream has an index
//! of its own.
//!
//! Nothing wakes anybody. Whenever something has happened to the connection, it
//! is polled, and all of its streams are looked at: there are few.

mod answer;
mod content;
mod events;
mod flood;
mod hooks;
mod pipe;
mod request;
mod response;
mod session;
mod spare;
mod stream;
mod streams;
#[cfg(any(test, fuzzing))]
pub mod trial;

pub use self::session::Session;
pub use self::spare::Spare;

/// What a client that speaks HTTP/2 sends first (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Streams that a client may have open: what it costs to look at all.
const MAX_STREAMS: u32 = 128;
/// Content that may wait on all streams of a connection, in bytes. It is more
/// than a stream's, so that one nobody reads does not hold up the others.
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// What a stream may have written ahead, in bytes.
const SEND_BUFFER: usize = 128 * 1024;
/// Streams that were reset and whose late frames are still ignored rather than
/// taken for errors.
const REMEMBERED_RESETS: usize = 64;
/// Streams that a client may break before it is sent away, in all.
const MAX_ERRORS: usize = 256;
/// Streams that may be reset by the client before they are looked at.
const MAX_UNSEEN_RESETS: usize = 32;

/// Whether bytes begin with the preface; None if there are too few to tell.
fn is_preface(input: &[u8]) -> Option<bool> {
    let count = input.len().min(PREFACE.len());
    if input[..count] != PREFACE[..count] {
        Some(false)
    } else if count == PREFACE.len() {
        Some(true)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preface_is_told_from_requests() {
        assert_eq!(is_preface(b""), None);
        assert_eq!(is_preface(b"P"), None);
        assert_eq!(is_preface(&PREFACE[..23]), None);
        assert_eq!(is_preface(PREFACE), Some(true));
        assert_eq!(is_preface(&[PREFACE, b"\0\0"].concat()), Some(true));
        assert_eq!(is_preface(b"POST"), Some(false));
        assert_eq!(is_preface(b"PRI * HTTP/2.1"), Some(false));
        assert_eq!(is_preface(b"GET / HTTP/1.1\r\n\r\n"), Some(false));
    }
}
