//! WebSockets without I/O (RFC 6455, RFC 7692): bytes in, events out, and the
//! other way round. Sockets, clocks and threads belong to `crate::io`.
//!
//! Only the server's side: clients mask what they send, servers do not.

#![forbid(unsafe_code)]

pub mod close;
pub mod deadlines;
pub mod decoder;
pub mod deflate;
pub mod encoder;
pub mod frame;
pub mod handshake;
pub mod topics;
pub mod utf8;

#[cfg(test)]
mod test_wire;

pub use close::Failure;
pub use deadlines::{CLOSE_TIMEOUT, IdleStep, IdleTimes, Pongs};
pub use decoder::{Decoder, Event, Kind, Limits, Step};
pub use deflate::{Deflater, Inflater};
pub use encoder::{Broadcast, Encoder, SharedFrame};
pub use handshake::{Agreed, Compress, Decompress, DeflateConfig, Negotiated, accept, negotiate};
pub use topics::{Recipient, TopicId, Topics};
