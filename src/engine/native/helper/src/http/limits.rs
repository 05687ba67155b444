//! How much of what a client sends is taken.

/// Limits of a request head; a listener's options decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a head, from the request line to the empty line that ends it.
    /// A longer one is refused with 431.
    pub head_bytes: usize,
    /// Header fields; more are refused with 431.
    pub header_count: usize,
    /// Bytes of a target; a longer one is refused with 414. Never more than
    /// [`FIELD_BYTES`], whatever this says.
    pub target_bytes: usize,
}

/// Bytes of a target, a field name or a field value: records to JavaScript
/// have 16 bits for their lengths.
pub const FIELD_BYTES: usize = u16::MAX as usize;

/// Empty lines that are skipped before a request line (RFC 9112, 2.2).
pub const EMPTY_LINES: usize = 8;

/// Bytes of one chunk's size line, its extensions included.
pub const CHUNK_LINE_BYTES: usize = 4096;

/// Bytes of all chunk extensions of one request, and of superfluous zeros
/// before chunk sizes.
pub const CHUNK_EXTENSION_BYTES: usize = 16 * 1024;

/// Bytes of one request's trailer fields.
pub const TRAILER_BYTES: usize = 16 * 1024;
