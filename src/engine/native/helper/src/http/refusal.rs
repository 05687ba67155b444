//! Why a request is not taken.

/// A request that is answered with `status` and nothing else, after which the
/// connection closes: nobody knows where the next request would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A status from 400 to 505.
    pub status: u16,
}

impl Refusal {
    /// 400: the message is malformed or ambiguous.
    pub const BAD_REQUEST: Refusal = Refusal { status: 400 };
    /// 413: framing around the content takes more than it may.
    pub const CONTENT_TOO_LARGE: Refusal = Refusal { status: 413 };
    /// 414: the target is too long.
    pub const URI_TOO_LONG: Refusal = Refusal { status: 414 };
    /// 417: an expectation other than `100-continue`.
    pub const EXPECTATION_FAILED: Refusal = Refusal { status: 417 };
    /// 431: the head has too many bytes or fields.
    pub const HEAD_TOO_LARGE: Refusal = Refusal { status: 431 };
    /// 501: a method or transfer coding that is not implemented.
    pub const NOT_IMPLEMENTED: Refusal = Refusal { status: 501 };
    /// 505: neither HTTP/1.0 nor HTTP/1.1.
    pub const VERSION_NOT_SUPPORTED: Refusal = Refusal { status: 505 };
}
