//! A request that is with JavaScript, and its answer.

use super::content::Content;
use super::event_stream::EventStream;

/// A request that JavaScript was told of, until its response is written.
pub struct Exchange {
    /// The request was HTTP/1.0.
    pub http_1_0: bool,
    /// The request was HEAD.
    pub is_head: bool,
    /// The client asks for an upgrade.
    pub asks_upgrade: bool,
    /// The client would use the connection again.
    pub keep_alive: bool,
    /// Milliseconds without progress; 0 is any.
    pub idle_timeout: u64,
    /// Content that did not come with the head.
    pub content: Option<Box<Content>>,
    /// The response.
    pub answer: Answer,
    /// It is an event stream.
    pub events: Option<Box<EventStream>>,
    /// JavaScript wants to know when it was written.
    pub notify: bool,
    /// It is counted as pending.
    pub is_counted: bool,
    /// The client has ended its side: an answer must come soon.
    pub is_leaving: bool,
}

/// How far the response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// JavaScript has not answered.
    None,
    /// The head is out, and more content is to come.
    Stream(Stream),
    /// Everything was handed over; it may not be written yet.
    Complete,
}

/// How content of a streamed response goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// As chunks.
    Chunked,
    /// So many bytes are still to come.
    Length(u64),
    /// Until the connection closes.
    UntilClose,
    /// Not at all: the response has no content.
    Dropped,
}
