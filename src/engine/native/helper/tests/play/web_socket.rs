//! Plays WebSockets: both what JavaScript says about them, and clients.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use jstime_serve::abi::*;

use super::{Client, Event, JavaScript, Key};

/// An event of a socket, read.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketEvent {
    pub kind: u32,
    pub flags: u32,
    pub of: Key,
    pub word: u32,
    pub rest: Vec<u8>,
}

/// What has happened to a socket.
#[derive(Clone, Debug, PartialEq)]
pub enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Drain,
    Closed(u32, String),
}

pub fn read(record: &[u8]) -> SocketEvent {
    let word =
        |index: usize| u32::from_le_bytes(record[index * 4..index * 4 + 4].try_into().unwrap());
    let kind = word(1) & 0xff;
    let flags = word(1) >> 8;
    let (start, length) = match kind {
        EVENT_MESSAGE if flags & MESSAGE_WAITS != 0 => (20, 0),
        EVENT_MESSAGE | EVENT_PING | EVENT_PONG => (20, word(4) as usize),
        EVENT_CLOSED => (24, word(5) as usize),
        _ => (16, 0),
    };
    SocketEvent {
        kind,
        flags,
        of: (word(2), word(3)),
        word: word(4),
        rest: record[start..start + length].to_vec(),
    }
}

/// Words of an UPGRADE command.
#[derive(Clone, Copy)]
pub struct Upgrade {
    pub flags: u32,
    pub lines: &'static str,
    pub extensions: &'static str,
    pub most: u32,
    pub limit: u32,
    pub idle: u32,
    pub compress: u32,
    pub decompress: u32,
}

impl Default for Upgrade {
    fn default() -> Self {
        Self {
            flags: 0,
            lines: "",
            extensions: "",
            most: 16 << 20,
            limit: 16 << 20,
            idle: 0,
            compress: DEFLATE_NONE,
            decompress: DEFLATE_SHARED,
        }
    }
}

/// The example of RFC 6455.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

impl JavaScript {
    fn word_of(&self, connection: u32, table: usize) -> u32 {
        let start = CONTROL_BYTES + EVENTS_BYTES + COMMANDS_BYTES + table * MAX_CONNECTIONS * 4;
        self.word(start + connection as usize * 4)
            .load(Ordering::Acquire)
    }

    pub fn delivered(&self, connection: u32) -> u32 {
        self.word_of(connection, 1)
    }

    pub fn is_blocked(&self, connection: u32) -> bool {
        self.word_of(connection, 2) == 1
    }

    /// Writes an UPGRADE command, which is not published.
    pub fn write_upgrade(&mut self, of: Key, it: Upgrade) {
        let words = [
            it.lines.len() as u32,
            KEY.len() as u32,
            it.extensions.len() as u32,
            it.most,
            it.limit,
            it.idle,
            it.compress,
            it.decompress,
        ];
        let texts = [it.lines, KEY, it.extensions].map(str::as_bytes);
        self.write(COMMAND_UPGRADE, it.flags, of, &words, &texts);
    }

    pub fn upgrade(&mut self, of: Key, upgrade: Upgrade) {
        self.write_upgrade(of, upgrade);
        self.publish();
    }

    /// Connects a client whose request is upgraded.
    pub fn socket(&mut self, address: SocketAddr, upgrade: Upgrade) -> (Client, Key) {
        let mut client = Client::connect(address);
        client.ask_upgrade();
        let request = self.request();
        assert!(request.has(REQUEST_UPGRADE));
        self.upgrade(request.key, upgrade);
        assert_eq!(client.response().status, 101);
        (client, request.key)
    }

    pub fn write_send(&mut self, of: Key, flags: u32, payload: &[u8]) {
        let words = [payload.len() as u32, 0];
        self.write(COMMAND_SEND, flags, of, &words, &[payload]);
    }

    pub fn send(&mut self, of: Key, flags: u32, payload: &[u8]) {
        self.write_send(of, flags, payload);
        self.publish();
    }

    pub fn send_lent(&mut self, of: Key, flags: u32, payload: &[u8]) {
        let words = [payload.len() as u32, 0];
        self.command_with((COMMAND_SEND, flags), of, &words, 1, payload);
    }

    pub fn send_many(&mut self, to: &[Key], flags: u32, payload: &[u8]) {
        let recipients: Vec<u8> = to
            .iter()
            .flat_map(|key| [key.0.to_le_bytes(), key.1.to_le_bytes()].concat())
            .collect();
        let length = payload.len() as u32;
        let count = to.len() as u32;
        if payload.len() <= INLINE_CONTENT {
            let words = [length, 0, count];
            let rest = [&recipients[..], payload];
            return self.command(COMMAND_SEND_MANY, flags, (9, 9), &words, &rest);
        }
        let words = [length, self.runtime().lend(payload), count];
        let flags = flags | RESPOND_CONTENT_TOKEN;
        self.command(COMMAND_SEND_MANY, flags, (9, 9), &words, &[&recipients]);
    }

    pub fn close(&mut self, of: Key, code: u32, reason: &str) {
        let words = [code, reason.len() as u32];
        self.command(COMMAND_CLOSE, 0, of, &words, &[reason.as_bytes()]);
    }

    /// What an event says, long messages taken.
    pub fn got(&self, event: SocketEvent) -> Got {
        let SocketEvent {
            kind,
            flags,
            of,
            word,
            mut rest,
        } = event;
        let text = |rest| String::from_utf8(rest).unwrap();
        match kind {
            EVENT_MESSAGE => {
                if flags & MESSAGE_WAITS != 0 {
                    rest = self.take(of, word as usize).unwrap();
                    assert_eq!(rest.len(), word as usize);
                }
                if flags & MESSAGE_TEXT != 0 {
                    Got::Text(text(rest))
                } else {
                    Got::Binary(rest)
                }
            }
            EVENT_PING => Got::Ping(rest),
            EVENT_PONG => Got::Pong(rest),
            EVENT_DRAIN => Got::Drain,
            _ => Got::Closed(word, text(rest)),
        }
    }

    /// The next event, which is of a socket.
    pub fn socket_event(&mut self) -> SocketEvent {
        match self.event() {
            Event::Socket(event) => event,
            event => panic!("{event:?} instead of an event of a socket"),
        }
    }

    /// The next event, which is of this socket.
    pub fn next_of(&mut self, of: Key) -> Got {
        let event = self.socket_event();
        assert_eq!(event.of, of);
        self.got(event)
    }
}

/// A frame from a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// FIN, RSV1 and so on, and the opcode.
    pub first: u8,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn text(text: &str) -> Self {
        let payload = text.as_bytes().to_vec();
        let first = 0x81;
        Self { first, payload }
    }

    pub fn close(code: u16, reason: &str) -> Self {
        let payload = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
        let first = 0x88;
        Self { first, payload }
    }
}

/// A client's frame.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        length @ 0..126 => out.push(0x80 | length as u8),
        length @ 126..65536 => {
            out.push(0x80 | 126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    let mask = [1, 2, 3, 4];
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
    out
}

pub fn text(text: &str) -> Vec<u8> {
    frame(0x81, text.as_bytes())
}

pub fn binary(payload: &[u8]) -> Vec<u8> {
    frame(0x82, payload)
}

pub fn closing(code: u16, reason: &str) -> Vec<u8> {
    frame(0x88, &Frame::close(code, reason).payload)
}

impl Client {
    pub fn ask_upgrade(&mut self) {
        self.send(format!(
            "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        ));
    }

    /// The next frame.
    pub fn frame(&mut self) -> Frame {
        let mut take = |count| {
            let (bytes, is_truncated) = self.bytes(count);
            assert!(!is_truncated, "the connection ended inside of a frame");
            bytes
        };
        let head = take(2);
        let length = match head[1] {
            126 => u16::from_be_bytes(take(2).try_into().unwrap()).into(),
            127 => u64::from_be_bytes(take(8).try_into().unwrap()),
            short => short.into(),
        };
        let payload = take(length as usize);
        Frame {
            first: head[0],
            payload,
        }
    }
}
