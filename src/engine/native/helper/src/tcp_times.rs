//! How long TCP connections wait for their peers.

/// Times in milliseconds. Programs get the default; tests do not wait so long.
#[derive(Clone, Copy, Debug)]
pub struct TcpTimes {
    /// A TLS handshake.
    pub handshake: u64,
    /// How long a peer is waited for that was told why its TLS is wrong.
    pub alert: u64,
    /// How long a peer may take nothing of what was written before `close`.
    pub flush: u64,
    /// How long a peer that was sent everything is waited for: closing while it
    /// sends would destroy what it has not read (RFC 9112, 9.6, has the same
    /// trouble).
    pub linger: u64,
    /// The same if it goes on sending.
    pub longest_linger: u64,
}

impl Default for TcpTimes {
    fn default() -> Self {
        Self {
            handshake: 60_000,
            alert: 1_000,
            flush: 60_000,
            linger: 5_000,
            longest_linger: 30_000,
        }
    }
}
