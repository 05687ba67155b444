//! A client that sends HTTP/2 frames.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::DEADLINE;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    pub fn is_last(&self) -> bool {
        self.flags & END_STREAM != 0
    }
}

/// The bytes of a frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Fields as literals that change no table (RFC 7541, 6.2.2).
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            let mut rest = text.len();
            if rest < 127 {
                bytes.push(rest as u8);
            } else {
                bytes.push(127);
                rest -= 127;
                while rest > 127 {
                    bytes.push(rest as u8 & 127 | 128);
                    rest >>= 7;
                }
                bytes.push(rest as u8);
            }
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}

/// The head of a request.
pub fn head(stream: u32, flags: u8, method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut fields = vec![
        (":method", method),
        (":scheme", "http"),
        (":authority", "localhost:1"),
        (":path", path),
    ];
    fields.extend(more);
    frame(HEADERS, flags | END_HEADERS, stream, &block(&fields))
}

/// A GET request.
pub fn get(stream: u32, path: &str) -> Vec<u8> {
    head(stream, END_STREAM, "GET", path, &[])
}

pub struct Http2 {
    pub stream: TcpStream,
}

impl Http2 {
    /// Connects, and says what clients say first.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        let mut client = Self { stream };
        client.send(PREFACE);
        client.send(frame(SETTINGS, 0, 0, &[]));
        // What the server permits.
        while client.next().unwrap().kind != WINDOW_UPDATE {}
        client.send(frame(SETTINGS, ACK, 0, &[]));
        client
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// The next frame; None at the end.
    pub fn next(&mut self) -> Option<Frame> {
        let mut header = [0; 9];
        self.stream.read_exact(&mut header).ok()?;
        let [high, middle, low, kind, flags, stream @ ..] = header;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
        self.stream.read_exact(&mut payload).ok()?;
        Some(Frame {
            kind,
            flags,
            stream: u32::from_be_bytes(stream),
            payload,
        })
    }

    /// The next frame of a stream, or one that ends the connection.
    pub fn next_of_streams(&mut self) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            let is_about_all = frame.stream == 0 && frame.kind != GOAWAY;
            if !is_about_all && frame.kind != WINDOW_UPDATE {
                return Some(frame);
            }
        }
    }

    /// The rest of an answer on a stream, alone: its content, or the code of its
    /// reset.
    pub fn content(&mut self, stream: u32) -> Result<Vec<u8>, u32> {
        let mut content = Vec::new();
        loop {
            let frame = self.next_of_streams().expect("no end of the stream");
            if frame.stream != stream {
                continue;
            }
            match frame.kind {
                RST_STREAM => return Err(frame.code()),
                DATA => {
                    content.extend(&frame.payload);
                    let more = (frame.payload.len() as u32).to_be_bytes();
                    self.send(self::frame(WINDOW_UPDATE, 0, 0, &more));
                    if !frame.is_last() {
                        self.send(self::frame(WINDOW_UPDATE, 0, stream, &more));
                    }
                }
                _ => {}
            }
            if frame.is_last() {
                return Ok(content);
            }
        }
    }

    /// Waits for the end of the connection; the code of its last GOAWAY.
    pub fn ends(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(frame) = self.next() {
            if frame.kind == GOAWAY {
                code = Some(frame.code());
            }
        }
        code
    }
}
