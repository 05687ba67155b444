//! Peers that do nothing do not hold on to TCP connections for ever.

mod play;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::error_name::error_name;
use jstime_serve::ffi;
use jstime_serve::listen_plan::ListenPlan;
use jstime_serve::tcp_times::TcpTimes;
use play::tcp::*;
use play::*;

const SHORT: u64 = 200;
/// Longer than any test may take.
const LONG: u64 = 600_000;
/// More than the system's buffers hold.
const BIG: usize = 24 << 20;

const ALL_LONG: TcpTimes = TcpTimes {
    handshake: LONG,
    alert: LONG,
    flush: LONG,
    linger: LONG,
    longest_linger: LONG,
};

/// A listener, and a client that it has accepted.
fn open(times: TcpTimes) -> (JavaScript, TcpStream, Key) {
    let mut js = JavaScript::with_times(times);
    let (_, address) = js.listen(tcp_plan());
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    client.set_write_timeout(Some(DEADLINE)).unwrap();
    let of = js.expect_tcp(EVENT_TCP_OPEN).of;
    (js, client, of)
}

fn write_much(js: &mut JavaScript, of: Key) {
    let part = vec![7; 1 << 20];
    for _ in 0..BIG >> 20 {
        js.tcp_lend(of, &part);
    }
}

/// How many bytes there are until the end or a reset.
fn drained(mut client: &TcpStream) -> usize {
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        match client.read(&mut buffer) {
            Ok(0) | Err(_) => return total,
            Ok(count) => total += count,
        }
    }
}

#[test]
fn after_close_a_reader_that_does_not_read_is_cut() {
    let times = TcpTimes {
        flush: SHORT,
        ..ALL_LONG
    };
    let (mut js, client, of) = open(times);
    write_much(&mut js, of);
    js.tcp(COMMAND_TCP_CLOSE, of);
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).of, of);
    assert!(drained(&client) < BIG);
}

#[test]
fn after_close_progress_puts_the_deadline_off() {
    let times = TcpTimes {
        flush: 1_000,
        ..ALL_LONG
    };
    let (mut js, mut client, of) = open(times);
    write_much(&mut js, of);
    js.tcp(COMMAND_TCP_CLOSE, of);
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    // Longer than the deadline as a whole.
    while total < BIG {
        let count = client.read(&mut buffer).unwrap();
        assert!(count > 0);
        total += count;
        if total % (1 << 18) < count {
            thread::sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(client.read(&mut buffer).unwrap(), 0);
}

#[test]
fn without_close_nobody_is_cut() {
    let times = TcpTimes {
        handshake: SHORT,
        alert: SHORT,
        flush: SHORT,
        linger: SHORT,
        longest_linger: SHORT,
    };
    let (mut js, client, of) = open(times);
    write_much(&mut js, of);
    js.tcp(COMMAND_TCP_SHUTDOWN, of);
    thread::sleep(Duration::from_millis(4 * SHORT));
    assert!(js.is_quiet());
    assert_eq!(drained(&client), BIG);
}

#[test]
fn a_peer_that_never_ends_is_cut_when_everything_was_sent() {
    let times = TcpTimes {
        linger: SHORT,
        ..ALL_LONG
    };
    let (mut js, client, of) = open(times);
    js.tcp_write(of, b"all");
    js.tcp(COMMAND_TCP_CLOSE, of);
    assert_eq!(drained(&client), 3);
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).word, 0);
}

#[test]
fn a_peer_that_goes_on_sending_is_cut_in_the_end() {
    let times = TcpTimes {
        linger: 2 * SHORT,
        longest_linger: 4 * SHORT,
        ..ALL_LONG
    };
    let (mut js, mut client, of) = open(times);
    js.tcp_write(of, b"all");
    js.tcp(COMMAND_TCP_CLOSE, of);
    assert_eq!(drained(&client), 3);
    let mut sent = 0;
    while client.write_all(b"more").is_ok() {
        sent += 1;
        assert!(sent < 10_000);
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).of, of);
}

fn tls(times: TcpTimes) -> (JavaScript, TcpStream, Key) {
    let mut js = JavaScript::with_times(times);
    let plan = ListenPlan {
        tls: true,
        ..tcp_plan()
    };
    let (listener, address) = js.listen(plan);
    let pair = [
        include_str!("../src/tls/fixtures/p256_cert.pem"),
        include_str!("../src/tls/fixtures/p256_pkcs8.pem"),
    ];
    let lengths = [0, pair[0].len(), pair[1].len()];
    let words = [1].into_iter().chain(lengths).map(|word| word as u32);
    let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
    bytes.extend(pair.concat().as_bytes());
    let size = bytes.len() as u32;
    // SAFETY: the buffer has that many bytes.
    let result = unsafe {
        ffi::jstime_tcp_tls(
            js.handle,
            listener,
            std::ptr::null(),
            0,
            bytes.as_ptr(),
            size,
        )
    };
    assert_eq!(result, 0);
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    let of = js.expect_tcp(EVENT_TCP_OPEN).of;
    (js, client, of)
}

#[test]
fn silent_clients_fail_the_handshake() {
    for beginning in [&[][..], &[22, 3, 1, 2, 0, 1]] {
        let times = TcpTimes {
            handshake: SHORT,
            ..ALL_LONG
        };
        let (mut js, mut client, of) = tls(times);
        client.write_all(beginning).unwrap();
        let closed = js.expect_tcp(EVENT_TCP_CLOSED);
        assert_eq!((closed.of, closed.flags), (of, TCP_IN_HANDSHAKE));
        assert_eq!(error_name(closed.word as i32), Some("ETIMEDOUT"));
        assert_eq!(drained(&client), 0);
    }
}

#[test]
fn who_was_sent_an_alert_is_not_waited_for_long() {
    let times = TcpTimes {
        alert: SHORT,
        ..ALL_LONG
    };
    let (mut js, mut client, _) = tls(times);
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let closed = js.expect_tcp(EVENT_TCP_CLOSED);
    assert_eq!(error_name(closed.word as i32), Some("EPROTO"));
    assert_eq!(drained(&client), 7);
}
