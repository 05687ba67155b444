//! Clients and a JavaScript that do anything in any order: nothing may panic,
//! hang or leak, and whoever behaves is served.

mod play;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::files;
use jstime_serve::listen_plan::ListenPlan;
use jstime_serve::runtime;
use jstime_serve::static_table::StaticTable;
use play::*;

/// Numbers that are the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn message(numbers: &mut Numbers) -> Vec<u8> {
    let method = numbers.one_of(&["GET", "HEAD", "POST", "PURGE"]);
    let target = numbers.one_of(&["/", "/static", "/large", "/a?b", "*", "http://a/static"]);
    let version = numbers.one_of(&["1.1", "1.1", "1.1", "1.0"]);
    let mut text = format!("{method} {target} HTTP/{version}\r\nHost: localhost\r\n");
    for field in [
        "Connection: close",
        "Expect: 100-continue",
        "X: y",
        "Bad : line",
    ] {
        if numbers.below(12) == 0 {
            text += field;
            text += "\r\n";
        }
    }
    let size = numbers.one_of(&[0, 1, 100, 10_000, 40_000, 300_000]);
    let mut bytes = match numbers.below(4) {
        0 => {
            let declared = if numbers.below(8) == 0 {
                size + 5
            } else {
                size
            };
            text += &format!("Content-Length: {declared}\r\n\r\n");
            let mut bytes = text.into_bytes();
            bytes.resize(bytes.len() + size, b'x');
            bytes
        }
        1 => {
            text += "Transfer-Encoding: chunked\r\n\r\n";
            let mut bytes = text.into_bytes();
            let mut left = size;
            while left > 0 {
                let chunk = left.min(1 + numbers.below(70_000) as usize);
                bytes.extend(format!("{chunk:x}\r\n").as_bytes());
                bytes.resize(bytes.len() + chunk, b'y');
                bytes.extend(b"\r\n");
                left -= chunk;
            }
            bytes.extend(b"0\r\n\r\n");
            bytes
        }
        _ => {
            text += "\r\n";
            text.into_bytes()
        }
    };
    if numbers.below(10) == 0 {
        let at = numbers.below(bytes.len().min(300) as u64) as usize;
        bytes[at] = numbers.next() as u8;
    }
    bytes
}

/// A client that does anything for a while.
fn misbehave(address: SocketAddr, seed: u64) {
    let mut numbers = Numbers(seed);
    for _ in 0..25 {
        let mut client = Client::connect(address);
        client
            .stream
            .set_read_timeout(Some(Duration::from_millis(1)))
            .unwrap();
        client
            .stream
            .set_write_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        'connection: for _ in 0..numbers.below(6) {
            let bytes = message(&mut numbers);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let size = match numbers.below(3) {
                    0 => 1 + numbers.below(40) as usize,
                    1 => 1 + numbers.below(5_000) as usize,
                    _ => rest.len(),
                };
                match client.stream.write(&rest[..size.min(rest.len())]) {
                    Ok(count) => rest = &rest[count..],
                    Err(_) => break 'connection,
                }
                if numbers.below(200) == 0 {
                    break 'connection;
                }
            }
            if numbers.below(2) == 0 {
                let mut buffer = [0; 100_000];
                let _ = client.stream.read(&mut buffer);
            }
        }
        match numbers.below(4) {
            0 => client.reset(),
            1 => {
                let _ = client.stream.shutdown(std::net::Shutdown::Write);
                let _ = client.stream.read(&mut [0; 100_000]);
            }
            _ => {}
        }
    }
}

/// Answers a request in any way, or does nothing about it.
fn answer(js: &mut JavaScript, of: Key, numbers: &mut Numbers) {
    let large = vec![b'z'; numbers.one_of(&[0, 5, 20_000, 500_000])];
    match numbers.below(17) {
        0..=3 => js.respond(of, 200, "X-A: b\r\n", b"hello"),
        4 => {
            js.respond_with_content(of, &large);
        }
        5 => {
            let path = std::env::current_exe().unwrap();
            let file = files::open_regular(&path).unwrap();
            let size = file.facts.size.min(2_000_000);
            let token = files::keep(runtime::owner(), file);
            js.respond_file(of, token, numbers.below(size), size);
        }
        6 | 7 => {
            let known = numbers.one_of(&[0, RESPOND_LENGTH_KNOWN]);
            js.respond_stream(of, known, 10);
            js.chunk(of, b"01234", false);
            js.chunk(of, b"56789", numbers.below(2) == 0);
        }
        8 => js.ask_content(of, CONTENT_STREAM),
        9 => js.ask_content(of, CONTENT_GATHER),
        10 => js.command(COMMAND_ABORT, 0, of, &[], &[]),
        11 => js.respond_with(of, RESPOND_NOTIFY | RESPOND_CLOSE, 204, "", b""),
        12 => {
            // Anything at all.
            let kind = numbers.below(10) as u32;
            let words: Vec<u32> = (0..numbers.below(12))
                .map(|_| numbers.below(40) as u32)
                .collect();
            js.command(kind, numbers.below(64) as u32, of, &words, &[]);
        }
        13 => {
            js.respond_stream(of, 0, 0);
            let words = [numbers.one_of(&[0, 1, 100]), numbers.one_of(&[0, 100_000])];
            js.command(COMMAND_EVENT_STREAM, 0, of, &words, &[]);
            js.chunk(of, &large, numbers.below(8) == 0);
        }
        14 | 15 => {
            let token = js.runtime().lend(&large);
            let words = [large.len() as u32, token, 2, of.0, of.1, of.0 ^ 1, of.1];
            js.command(COMMAND_EVENT, RESPOND_CONTENT_TOKEN, (0, 0), &words, &[]);
        }
        _ => {}
    }
}

/// Other numbers with `JSTIME_SEED`.
fn seed_base() -> u64 {
    let seed = std::env::var("JSTIME_SEED").ok();
    seed.and_then(|seed| seed.parse().ok()).unwrap_or(77)
}

#[test]
fn anything_may_happen() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(ListenPlan {
        max_content: 250_000,
        idle_timeout: Some(Duration::from_millis(500)),
        max_pending: 20,
        ..plan()
    });
    let large = vec![b'l'; 100_000];
    let table = table(&[("/static", 200, "", b"static"), ("/large", 200, "", &large)]);
    js.runtime()
        .set_static(listener, StaticTable::parse(&table).unwrap());
    let clients: Vec<_> = (0..8)
        .map(|seed| std::thread::spawn(move || misbehave(address, seed_base() + seed)))
        .collect();
    let behaved = std::thread::spawn(move || {
        for _ in 0..200 {
            let mut client = Client::connect(address);
            client.get("/static");
            assert_eq!(client.response().text(), "static");
            std::thread::sleep(Duration::from_millis(3));
        }
    });
    let mut numbers = Numbers(seed_base() * 4711);
    let mut known: Vec<Key> = Vec::new();
    let is_over =
        |clients: &[std::thread::JoinHandle<()>]| clients.iter().all(|client| client.is_finished());
    while !is_over(&clients) || !behaved.is_finished() {
        match js.poll() {
            Some(Event::Request(request)) => {
                known.push(request.key);
                answer(&mut js, request.key, &mut numbers);
            }
            Some(Event::Content { of, .. }) => {
                js.take(of, 1 << 20);
                answer(&mut js, of, &mut numbers);
            }
            Some(_) => {}
            None => std::thread::sleep(Duration::from_micros(100)),
        }
        if !known.is_empty() && numbers.below(4) == 0 {
            let of = numbers.one_of(&known);
            answer(&mut js, of, &mut numbers);
        }
    }
    for client in clients {
        client.join().unwrap();
    }
    behaved.join().unwrap();
    wait_for("all connections to end", || {
        js.poll();
        js.metric(listener, METRIC_CONNECTIONS) == 0.0
    });
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
    while !js.is_quiet() {}
    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"hello");
    assert_eq!(client.response().text(), "hello");
    js.runtime().stop(listener, false);
    assert_eq!(js.event(), Event::Stopped { listener });
}
