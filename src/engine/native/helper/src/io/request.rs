//! Requests on their way to JavaScript.

use std::net::{IpAddr, SocketAddr};

use super::context::Context;
use super::interner::Place;
use crate::abi::*;
use crate::http::{BodyLength, Head, HeaderSpan, write_lower_case};

/// Larger records might never find a place, since none goes over the end of the
/// ring.
const LARGEST_RECORD: usize = EVENTS_BYTES / 4;
/// Bytes of the words behind the first four.
const WORDS: usize = (REQUEST_WORDS - 4) * 4;
/// Bytes of the first four words.
const PREFIX: usize = 16;

/// The address of a client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peer {
    /// 0 for none, 4 or 6.
    family: u8,
    port: u16,
    octets: [u8; 16],
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        let mut octets = [0; 16];
        let family = match address.ip() {
            IpAddr::V4(ip) => {
                octets[..4].copy_from_slice(&ip.octets());
                4
            }
            IpAddr::V6(ip) => {
                octets = ip.octets();
                6
            }
        };
        Self {
            family,
            port: address.port(),
            octets,
        }
    }
}

impl Peer {
    /// The address as the words of a record have it.
    pub fn bytes(&self) -> [u8; 20] {
        let mut bytes = [0; 20];
        let word = u32::from(self.family) | u32::from(self.port) << 16;
        bytes[..4].copy_from_slice(&word.to_le_bytes());
        bytes[4..].copy_from_slice(&self.octets);
        bytes
    }
}

/// What a record is made of.
pub struct Request<'a> {
    /// Number of the listener.
    pub listener: u32,
    /// The head.
    pub head: &'a Head,
    /// What the head was parsed from.
    pub input: &'a [u8],
    /// Content, if all of it goes with the record.
    pub content: Option<&'a [u8]>,
    /// The client.
    pub peer: Peer,
    /// It has shown a certificate.
    pub has_certificate: bool,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is on its way.
    Yes,
    /// There is no room now.
    NoRoom,
    /// There never will be.
    TooLarge,
}

/// Sends a request.
pub fn send(cx: &mut Context, connection: u32, generation: u32, request: &Request<'_>) -> Sent {
    let Request { head, input, .. } = *request;
    let target = head.target.of(input);
    let host = head.host.map(|host| host.of(input));
    let target_place = cx.targets.place(target);
    let host_place = match host {
        Some(host) => cx.hosts.place(host),
        None => Place {
            slot: NO_HOST,
            is_new: false,
        },
    };
    let new_target = if target_place.is_new { target } else { b"" };
    let new_host = host.filter(|_| host_place.is_new).unwrap_or(b"");
    let method = if head.method == METHOD_OTHER {
        head.method_text.of(input)
    } else {
        b""
    };
    let content = request.content.unwrap_or(b"");

    let text_length = head
        .headers
        .iter()
        .map(|field| text_length(*field))
        .sum::<usize>();
    let head_length = WORDS
        + head.headers.len() * 4
        + text_length
        + new_target.len()
        + new_host.len()
        + method.len();
    // Records begin at multiples of 16, so this is one of 8 there, too.
    let content_start = (PREFIX + head_length).next_multiple_of(8) - PREFIX;
    let size = if content.is_empty() {
        head_length
    } else {
        content_start + content.len()
    };
    if size > LARGEST_RECORD {
        return Sent::TooLarge;
    }

    let mut flags = 0;
    let mut declared = 0;
    flags |= if head.http_1_0 { REQUEST_HTTP_1_0 } else { 0 };
    flags |= if head.can_stream_events {
        REQUEST_EVENT_STREAM
    } else {
        0
    };
    flags |= if head.upgrade { REQUEST_UPGRADE } else { 0 };
    flags |= if request.has_certificate {
        REQUEST_HAS_CERTIFICATE
    } else {
        0
    };
    flags |= if request.content.is_some() {
        REQUEST_CONTENT_COMPLETE
    } else {
        0
    };
    flags |= if target_place.is_new {
        REQUEST_TARGET_DEFINED
    } else {
        0
    };
    flags |= if host_place.is_new {
        REQUEST_HOST_DEFINED
    } else {
        0
    };
    match head.body {
        BodyLength::None => {}
        BodyLength::Length(0) => flags |= REQUEST_LENGTH_KNOWN,
        BodyLength::Length(length) => {
            flags |= REQUEST_LENGTH_KNOWN | REQUEST_HAS_CONTENT;
            declared = length;
        }
        BodyLength::Chunked => flags |= REQUEST_HAS_CONTENT,
    }
    let words = [
        request.listener,
        head.method | (method.len() as u32) << 8,
        target_place.slot | (target.len() as u32) << 16,
        host_place.slot | (host.map_or(0, <[u8]>::len) as u32) << 16,
        head.headers.len() as u32,
        text_length as u32,
        content.len() as u32,
        declared as u32,
        (declared >> 32) as u32,
        u32::from(request.peer.family) | u32::from(request.peer.port) << 16,
    ];

    let Some(body) = cx.events.begin_request(flags, connection, generation, size) else {
        return Sent::NoRoom;
    };
    let mut record = Record { body, at: 0 };
    for word in words {
        record.put(&word.to_le_bytes());
    }
    record.put(&request.peer.octets);
    record.put(&[0; 8]);
    for field in &head.headers {
        let lengths = field.name.len & 0xffff | field.value.len << 16;
        record.put(&lengths.to_le_bytes());
    }
    for field in &head.headers {
        write_lower_case(record.take(field.name.len as usize), field.name.of(input));
        record.put(field.value.of(input));
    }
    record.put(new_target);
    record.put(new_host);
    record.put(method);
    if !content.is_empty() {
        record.at = content_start;
        record.put(content);
    }
    if target_place.is_new {
        cx.targets.define(target_place, target);
    }
    if host_place.is_new {
        cx.hosts.define(host_place, new_host);
    }
    Sent::Yes
}

fn text_length(field: HeaderSpan) -> usize {
    field.name.len as usize + field.value.len as usize
}

struct Record<'a> {
    body: &'a mut [u8],
    at: usize,
}

impl Record<'_> {
    #[inline]
    fn take(&mut self, size: usize) -> &mut [u8] {
        let start = self.at;
        self.at += size;
        &mut self.body[start..start + size]
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.take(bytes.len()).copy_from_slice(bytes);
    }
}
