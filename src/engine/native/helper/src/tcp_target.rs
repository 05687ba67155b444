//! What `jstime_tcp_connect` is asked for.

use std::net::{IpAddr, SocketAddr};

/// Where to connect to.
#[derive(Clone, Debug, PartialEq)]
pub enum TcpTarget {
    /// One of these, the first that answers.
    Addresses(Vec<SocketAddr>),
    /// A host that must be looked up.
    Host(String, u16),
    /// A Unix-domain path; an abstract name begins with NUL.
    Unix(Vec<u8>),
    /// Looking it up has failed.
    Failed(i32),
}

impl TcpTarget {
    /// Parses what `abi.rs` describes; None unless all of it is right.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (words, text) = bytes.split_at_checked(8)?;
        let (transport, port) = words.split_at(4);
        let word = |bytes: &[u8]| bytes.try_into().ok().map(u32::from_le_bytes);
        match word(transport)? {
            1 => {
                let host = std::str::from_utf8(text).ok()?;
                let port = u16::try_from(word(port)?).ok()?;
                Some(match host.parse::<IpAddr>() {
                    Ok(address) => Self::Addresses(vec![SocketAddr::new(address, port)]),
                    Err(_) => Self::Host(host.to_owned(), port),
                })
            }
            2 => Some(Self::Unix(text.to_vec())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(transport: u32, port: u32, text: &[u8]) -> Option<TcpTarget> {
        let mut bytes = transport.to_le_bytes().to_vec();
        bytes.extend_from_slice(&port.to_le_bytes());
        bytes.extend_from_slice(text);
        TcpTarget::parse(&bytes)
    }

    #[test]
    fn targets_are_understood_or_refused() {
        let address = "[::1]:80".parse().unwrap();
        let target = TcpTarget::Addresses(vec![address]);
        assert_eq!(parse(1, 80, b"::1"), Some(target));
        let target = TcpTarget::Host("a.test".to_owned(), 80);
        assert_eq!(parse(1, 80, b"a.test"), Some(target));
        let target = TcpTarget::Unix(b"\0a".to_vec());
        assert_eq!(parse(2, 0, b"\0a"), Some(target));
        assert_eq!(parse(1, 65536, b"a.test"), None);
        assert_eq!(parse(1, 80, b"\xff"), None);
        assert_eq!(parse(3, 80, b"a.test"), None);
        assert_eq!(TcpTarget::parse(b"1234567"), None);
    }
}
