//! Plays what JavaScript says about TCP connections.

use jstime_serve::abi::*;
use jstime_serve::io::Offer;
use jstime_serve::listen_plan::ListenPlan;
use jstime_serve::tcp_target::TcpTarget;
use jstime_serve::tls::client::Client;

use super::{Event, JavaScript, Key, plan};

/// An event of a connection, read.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpEvent {
    pub kind: u32,
    pub flags: u32,
    pub of: Key,
    pub word: u32,
    pub rest: Vec<u8>,
}

pub fn read(record: &[u8]) -> TcpEvent {
    let word =
        |index: usize| u32::from_le_bytes(record[index * 4..index * 4 + 4].try_into().unwrap());
    let kind = word(1) & 0xff;
    let length = match kind {
        EVENT_TCP_OPEN => 40,
        EVENT_TCP_DATA => word(4) as usize,
        EVENT_TCP_REFUSED => 4,
        EVENT_TCP_CLOSED if word(1) >> 8 & TCP_UNTRUSTED != 0 => 4 + word(5) as usize,
        EVENT_TCP_SECURED => record.len() - 20,
        _ => 0,
    };
    TcpEvent {
        kind,
        flags: word(1) >> 8,
        of: (word(2), word(3)),
        word: word(4),
        rest: record[20..20 + length].to_vec(),
    }
}

/// A plan for bytes as they are.
pub fn tcp_plan() -> ListenPlan {
    ListenPlan {
        is_tcp: true,
        ..plan()
    }
}

/// How a client speaks TLS.
pub struct ClientPlan {
    pub flags: u32,
    pub name: &'static str,
    pub authorities: &'static str,
    pub certificate: [&'static str; 2],
}

impl ClientPlan {
    fn options(&self) -> Vec<u8> {
        let [chain, key] = self.certificate;
        let texts = [self.name, "", chain, key];
        let lengths = texts.map(|text| text.len() as u32);
        let words = [self.flags].into_iter().chain(lengths);
        let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        bytes.extend(texts.concat().as_bytes());
        bytes
    }
}

impl JavaScript {
    /// The next event, which must be one of TCP.
    pub fn tcp_event(&mut self) -> TcpEvent {
        match self.event() {
            Event::Tcp(event) => event,
            event => panic!("{event:?} instead of TCP"),
        }
    }

    /// The next event, which must be of that kind.
    pub fn expect_tcp(&mut self, kind: u32) -> TcpEvent {
        let event = self.tcp_event();
        assert_eq!(event.kind, kind, "{event:?}");
        event
    }

    /// What arrives on a connection, until there are so many bytes.
    pub fn tcp_data(&mut self, of: Key, count: usize) -> Vec<u8> {
        let mut data = Vec::new();
        while data.len() < count {
            let event = self.expect_tcp(EVENT_TCP_DATA);
            assert_eq!(event.of, of);
            data.extend(event.rest);
        }
        data
    }

    /// Reads what there is much of, as if the thread had; None if it will, or
    /// there is nothing.
    pub fn tcp_read(&mut self, of: Key, number: u32) -> Option<TcpEvent> {
        let mut bytes = vec![0; 64 * 1024];
        let offer = Offer {
            connection: of.0,
            generation: of.1,
            number,
        };
        match self.runtime().read_tcp(0, &offer, &mut bytes) {
            Ok(count) => bytes.truncate(count),
            Err(libc::EBUSY) => {
                self.command(COMMAND_TCP_READ, 0, of, &[number], &[]);
                return None;
            }
            Err(error) => {
                assert_eq!(error, libc::EAGAIN);
                return None;
            }
        }
        (!bytes.is_empty()).then_some(TcpEvent {
            kind: EVENT_TCP_DATA,
            flags: 0,
            of,
            word: bytes.len() as u32,
            rest: bytes,
        })
    }

    pub fn tcp_write(&mut self, of: Key, bytes: &[u8]) {
        let words = [bytes.len() as u32, 0];
        self.command(COMMAND_TCP_WRITE, 0, of, &words, &[bytes]);
    }

    pub fn tcp_lend(&mut self, of: Key, bytes: &[u8]) {
        let words = [bytes.len() as u32, 0];
        self.command_with((COMMAND_TCP_WRITE, 0), of, &words, 1, bytes);
    }

    /// Begins TLS as `plan` says; `consumed` bytes are not its beginning.
    pub fn tcp_start_tls(&mut self, of: Key, plan: &ClientPlan, consumed: u32) {
        let client = Client::parse(&plan.options(), plan.authorities.as_bytes()).unwrap();
        let token = self.runtime().lend_client(client);
        self.command(COMMAND_TCP_START_TLS, 0, of, &[token, consumed], &[]);
    }

    pub fn tcp_give_back(&mut self, of: Key, bytes: &[u8]) {
        let words = [bytes.len() as u32, 0];
        self.command(COMMAND_TCP_GIVE_BACK, 0, of, &words, &[bytes]);
    }

    pub fn tcp(&mut self, kind: u32, of: Key) {
        self.command(kind, 0, of, &[], &[]);
    }

    pub fn tcp_connect(&self, attempt: u32, target: TcpTarget) {
        assert!(self.runtime().tcp_connect(0, attempt, target));
    }
}
