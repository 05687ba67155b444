//! HTTP/1.1 without I/O (RFC 9110, RFC 9112): request heads, request content,
//! response heads. It takes and gives bytes; sockets, time limits and what is
//! answered belong to `crate::io`.
//!
//! Two recipients that read the same bytes differently can be played off
//! against each other (RFC 9112, 11.2), so whatever may be understood in two
//! ways is refused.

pub mod body;
mod bytes;
pub mod date;
pub mod etag;
pub mod head;
pub mod limits;
pub mod refusal;
pub mod response;
mod target;

pub use body::BodyDecoder;
pub use bytes::write_lower_case;
pub use date::{DateCache, http_date};
pub use etag::if_none_match;
pub use head::{BodyLength, Head, HeadParser, HeaderSpan, Span};
pub use limits::Limits;
pub use refusal::Refusal;
pub use response::{
    Framing, InvalidLines, ResponseHead, WrittenHead, has_content, reason, write_chunk, write_head,
    write_last_chunk,
};
pub use target::authority_of;
