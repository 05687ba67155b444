//! Request targets and `Host` (RFC 9112, 3.2).

use super::bytes::is_host;
use std::net::Ipv6Addr;

/// Whether a target has a form that a server which is no proxy answers. Its
/// bytes are visible ones already.
pub(super) fn is_valid_target(target: &[u8], is_options: bool) -> bool {
    match target {
        // Fragments are never sent: what follows would be read in two ways.
        _ if target.contains(&b'#') => false,
        [b'/', ..] => true,
        [b'*'] => is_options,
        _ => authority_of(target).is_some_and(is_valid_authority),
    }
}

/// The authority of a target in absolute-form; None of others.
pub fn authority_of(target: &[u8]) -> Option<&[u8]> {
    let rest = [&b"http://"[..], b"https://"].iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?'));
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// A URL needs a host, and user information is a disguise (RFC 9110, 4.2.4).
fn is_valid_authority(authority: &[u8]) -> bool {
    !matches!(authority, [] | [b':', ..]) && is_valid_host(authority)
}

/// Whether `Host` may have this value (RFC 9110, 7.2). The empty one may be.
pub(super) fn is_valid_host(host: &[u8]) -> bool {
    match host {
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else {
                return false;
            };
            is_ipv6(&rest[..end]) && is_port(&rest[end + 1..])
        }
        _ => {
            let end = host.iter().position(|byte| !is_host(*byte));
            let (name, port) = host.split_at(end.unwrap_or(host.len()));
            has_valid_escapes(name) && is_port(port)
        }
    }
}

fn is_ipv6(address: &[u8]) -> bool {
    str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// Nothing, or a colon and a port, whose digits may be missing.
fn is_port(port: &[u8]) -> bool {
    match port {
        [] => true,
        [b':', digits @ ..] if digits.len() <= 5 => {
            let mut number = 0u32;
            for digit in digits {
                if !digit.is_ascii_digit() {
                    return false;
                }
                number = number * 10 + u32::from(digit - b'0');
            }
            number <= u32::from(u16::MAX)
        }
        _ => false,
    }
}

fn has_valid_escapes(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| *byte == b'%');
    parts.next();
    parts.all(|part| match part {
        [high, low, ..] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_valid_by_rfc_9110() {
        let valid: [&[u8]; 18] = [
            b"",
            b":",
            b":80",
            b"localhost",
            b"localhost:80",
            b"localhost:",
            b"LOCALHOST:65535",
            b"a.example",
            b"a_b",
            b"a%20b",
            b"a%2fb",
            b"a!$&'()*+,;=~-.b",
            b"127.0.0.1:8080",
            b"999.0.0.1",
            b"[::1]",
            b"[::1]:8080",
            b"[::1]:",
            b"[::ffff:127.0.0.1]",
        ];
        for host in valid {
            assert!(is_valid_host(host), "{}", host.escape_ascii());
        }
        let invalid: [&[u8]; 32] = [
            b"a/b",
            b"a/r/1?",
            b"a?b",
            b"a#b",
            b"a@b",
            b"u:p@a",
            b"a b",
            b"a\tb",
            b"a\\b",
            b"a<b",
            b"a{b}",
            b"a\"b",
            b"a^b",
            b"a|b",
            b"a`b",
            b"a:b",
            b"a:-1",
            b"a:1:2",
            b"a:65536",
            b"a:99999",
            b"a:000080",
            b"a%",
            b"a%2",
            b"a%zz",
            b"::1",
            b"[::1",
            b"[::1]x",
            b"[a]",
            b"[]",
            b"[fe80::1%25eth0]",
            b"\xe4",
            b"a\0",
        ];
        for host in invalid {
            assert!(!is_valid_host(host), "{}", host.escape_ascii());
        }
    }

    #[test]
    fn targets_have_a_form_for_servers() {
        let valid: [&[u8]; 13] = [
            b"/",
            b"//a/b",
            b"/a?b=c&d",
            b"/a\\b",
            b"/[]{}|^`\"<>",
            "/ü".as_bytes(),
            b"http://a",
            b"http://a/b",
            b"http://a?/b",
            b"HTTP://LOCALHOST/right",
            b"https://a:8443/",
            b"http://[::1]:80/",
            b"http://a/@:b",
        ];
        for target in valid {
            assert!(is_valid_target(target, false), "{}", target.escape_ascii());
        }
        let invalid: [&[u8]; 17] = [
            b"",
            b"a",
            b"?a",
            b"*",
            b"*/",
            b"/a#b",
            b"/#",
            b"a:80",
            b"http:",
            b"http:/a",
            b"http://",
            b"http:///a",
            b"http://:80/",
            b"http://u@a/b",
            b"http://a:99999/b",
            b"http://a\\b/",
            b"ftp://a/b",
        ];
        for target in invalid {
            assert!(!is_valid_target(target, false), "{}", target.escape_ascii());
        }
        assert!(is_valid_target(b"*", true));
        assert!(!is_valid_target(b"**", true));
    }
}
