//! What `jstime_listen` is asked for.

use std::time::Duration;

use crate::abi::*;

/// Where to listen.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// TCP.
    Tcp {
        /// Host name or IP literal.
        host: String,
        /// 0 lets the system choose.
        port: u16,
        /// `SO_REUSEPORT`.
        reuse_port: bool,
        /// `IPV6_V6ONLY`.
        ipv6_only: bool,
    },
    /// A Unix-domain path; an abstract name begins with NUL.
    Unix(Vec<u8>),
}

/// A listen plan, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenPlan {
    /// Where to listen.
    pub address: Address,
    /// TLS on every connection.
    pub tls: bool,
    /// HTTP/2 as well as HTTP/1.1.
    pub http2: bool,
    /// Not HTTP: bytes go to JavaScript as they are.
    pub is_tcp: bool,
    /// Larger request content, in bytes, is refused with 413.
    pub max_content: u64,
    /// Without progress; None is never.
    pub idle_timeout: Option<Duration>,
    /// From the first byte of a head to its last; None is never.
    pub head_timeout: Option<Duration>,
    /// Connections, over all threads.
    pub max_connections: u32,
    /// Requests waiting for JavaScript.
    pub max_pending: u32,
    /// Bytes of a head.
    pub head_bytes: usize,
    /// Header fields.
    pub header_count: usize,
    /// Bytes of a target.
    pub target_bytes: usize,
    /// From this stall on the health route answers 503.
    pub health_stall: Duration,
    /// Exact path of the health route; empty without.
    pub health_route: Vec<u8>,
    /// Exact path of the metrics route; empty without.
    pub metrics_route: Vec<u8>,
    /// Bytes per second that request content must make; 0 is any.
    pub min_content_rate: u32,
}

impl ListenPlan {
    /// Parses what `abi.rs` describes; None unless all of it is right.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (words, mut texts) = bytes.split_at_checked(PLAN_WORDS * 4)?;
        let word = |index: usize| {
            let at = index * 4;
            u32::from_le_bytes([words[at], words[at + 1], words[at + 2], words[at + 3]])
        };
        let mut text = |index: usize| {
            let (taken, rest) = texts.split_at_checked(word(index) as usize)?;
            texts = rest;
            Some(taken)
        };
        let host = text(PLAN_HOST_LENGTH)?;
        let health_route = text(PLAN_HEALTH_LENGTH)?.to_vec();
        let metrics_route = text(PLAN_METRICS_LENGTH)?.to_vec();
        if !texts.is_empty() {
            return None;
        }
        let flags = word(PLAN_FLAGS);
        if flags & !(LISTEN_REUSE_PORT | LISTEN_IPV6_ONLY | LISTEN_TLS | LISTEN_HTTP2) != 0 {
            return None;
        }
        let address = match word(PLAN_TRANSPORT) {
            1 => Address::Tcp {
                host: String::from_utf8(host.to_vec()).ok()?,
                port: u16::try_from(word(PLAN_PORT)).ok()?,
                reuse_port: flags & LISTEN_REUSE_PORT != 0,
                ipv6_only: flags & LISTEN_IPV6_ONLY != 0,
            },
            2 => Address::Unix(host.to_vec()),
            _ => return None,
        };
        let timeout = |index: usize| match word(index) {
            0 => None,
            milliseconds => Some(Duration::from_millis(milliseconds.into())),
        };
        Some(Self {
            address,
            tls: flags & LISTEN_TLS != 0,
            http2: flags & LISTEN_HTTP2 != 0,
            is_tcp: false,
            max_content: u64::from(word(PLAN_MAX_CONTENT_LOW))
                | u64::from(word(PLAN_MAX_CONTENT_HIGH)) << 32,
            idle_timeout: timeout(PLAN_IDLE_TIMEOUT),
            head_timeout: timeout(PLAN_HEAD_TIMEOUT),
            max_connections: word(PLAN_MAX_CONNECTIONS),
            max_pending: word(PLAN_MAX_PENDING),
            head_bytes: word(PLAN_HEAD_BYTES) as usize,
            header_count: word(PLAN_HEADER_COUNT) as usize,
            target_bytes: word(PLAN_TARGET_BYTES) as usize,
            health_stall: Duration::from_millis(word(PLAN_HEALTH_STALL).into()),
            health_route,
            metrics_route,
            min_content_rate: word(PLAN_MIN_CONTENT_RATE),
        })
    }
}

#[cfg(test)]
mod tests;
