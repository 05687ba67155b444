//! Close codes, and the payload of close frames (RFC 6455, 5.5.1 and 7.4).

/// A control frame's payload is no longer than this (RFC 6455, 5.5).
pub const CONTROL_BYTES: usize = 125;
/// What a close frame has room for behind its code.
pub const REASON_BYTES: usize = CONTROL_BYTES - 2;

/// The client broke the protocol.
pub const PROTOCOL_ERROR: u16 = 1002;
/// Reported, never sent: a close frame without a code.
pub const NO_CODE: u16 = 1005;
/// Reported, never sent: the connection ended without a close frame.
pub const ABNORMAL: u16 = 1006;
/// Data that is not what it says it is.
pub const INVALID_DATA: u16 = 1007;
/// Allowed by the protocol, but not by us.
pub const POLICY: u16 = 1008;
/// A message that is too long.
pub const TOO_BIG: u16 = 1009;

/// Why a connection cannot go on: what its close frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The close code.
    pub code: u16,
    /// The reason, at most [`REASON_BYTES`] long.
    pub reason: &'static str,
}

impl Failure {
    /// A breach of the protocol.
    pub(super) const fn protocol(reason: &'static str) -> Self {
        Self {
            code: PROTOCOL_ERROR,
            reason,
        }
    }

    /// Text that is not UTF-8.
    pub(super) const NO_UTF8: Self = Self {
        code: INVALID_DATA,
        reason: "Text is not UTF-8",
    };

    /// A message that is too long.
    pub(super) const TOO_BIG: Self = Self {
        code: TOO_BIG,
        reason: "Message is too long",
    };
}

/// Whether a close frame may have this code: those that RFC 6455 and IANA's
/// registry name, and those for libraries and programs.
pub const fn may_travel(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Code and reason of a close frame; [`NO_CODE`] if it is empty.
pub fn parse(payload: &[u8]) -> Result<(u16, &str), Failure> {
    let (code, reason) = match payload {
        [] => return Ok((NO_CODE, "")),
        [_] => return Err(Failure::protocol("Close frame with half a code")),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !may_travel(code) {
        return Err(Failure::protocol("Close frame with a reserved code"));
    }
    match str::from_utf8(reason) {
        Ok(reason) => Ok((code, reason)),
        Err(_) => Err(Failure::NO_UTF8),
    }
}

/// As much of a reason as a close frame has room for, cut between characters.
pub fn cut_reason(reason: &str) -> &str {
    let mut end = reason.len().min(REASON_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(code: u16, reason: &[u8]) -> Vec<u8> {
        [&code.to_be_bytes()[..], reason].concat()
    }

    #[test]
    fn every_code() {
        for code in 0..=u16::MAX {
            let expected = match code {
                0..=999 => false,
                1000..=1003 => true,
                1004..=1006 => false,
                1007..=1014 => true,
                1015..=2999 => false,
                3000..=4999 => true,
                5000.. => false,
            };
            assert_eq!(may_travel(code), expected, "{code}");
            let parsed = parse(&code.to_be_bytes()).map(|(code, _)| code);
            if expected {
                assert_eq!(parsed, Ok(code));
            } else {
                assert_eq!(parsed.map_err(|f| f.code), Err(1002), "{code}");
            }
        }
    }

    #[test]
    fn payloads() {
        assert_eq!(parse(b""), Ok((1005, "")));
        assert_eq!(parse(&frame(1000, b"")), Ok((1000, "")));
        assert_eq!(parse(&frame(4999, "bé".as_bytes())), Ok((4999, "bé")));
        let code = |payload: &[u8]| parse(payload).unwrap_err().code;
        assert_eq!(code(b"\x03"), 1002);
        assert_eq!(code(&frame(1000, b"\xff")), 1007);
        assert_eq!(code(&frame(1000, b"caf\xc3")), 1007);
        // The code is looked at first.
        assert_eq!(code(&frame(1005, b"\xff")), 1002);
    }

    #[test]
    fn reasons_are_cut_between_characters() {
        assert_eq!(cut_reason("short"), "short");
        assert_eq!(cut_reason(&"a".repeat(124)).len(), 123);
        assert_eq!(cut_reason(&"é".repeat(62)).len(), 122);
        assert_eq!(cut_reason(&"€".repeat(42)).len(), 123);
        assert_eq!(cut_reason(&format!("a{}", "😀".repeat(31))).len(), 121);
    }
}
