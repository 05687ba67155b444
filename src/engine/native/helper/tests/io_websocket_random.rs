//! WebSockets that connect, talk, break rules and die in any order while others
//! are sent messages: nothing may panic, hang or leak, every socket ends once,
//! and whoever behaves is served.

mod play;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jstime_serve::abi::*;
use play::web_socket::*;
use play::*;

/// Numbers that are the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }
}

/// How many clients are done.
static DONE: AtomicUsize = AtomicUsize::new(0);
const THREADS: usize = 6;
const CLIENTS: usize = 80;

/// One client after the other, each of which does a few things.
fn clients(seed: u64, address: SocketAddr) {
    let mut numbers = Numbers(seed);
    for _ in 0..CLIENTS {
        let mut client = Client::connect(address);
        client.ask_upgrade();
        let steps = numbers.below(8);
        let mut is_over = numbers.below(10) == 0;
        if !is_over {
            assert_eq!(client.response().status, 101);
        }
        for _ in 0..steps {
            if is_over {
                break;
            }
            is_over = step(&mut numbers, &mut client);
        }
        if numbers.below(2) == 0 {
            client.reset();
        }
        DONE.fetch_add(1, Ordering::SeqCst);
    }
}

/// Whether nothing can follow.
fn step(numbers: &mut Numbers, client: &mut Client) -> bool {
    use std::io::Write;

    let size = [0, 5, 200, 20_000, 100_000, 1_000_000][numbers.below(6) as usize];
    let bytes = match numbers.below(12) {
        0..3 => binary(&vec![7; size]),
        3 => text(&"\u{e9}".repeat(size / 2)),
        // Compressed: nothing, and what is none.
        4 => [frame(0xc1, &[0]), frame(0xc1, b"none")].concat(),
        5 => [frame(0x01, b"a"), frame(0x89, b"p"), frame(0x80, b"b")].concat(),
        6 => (0..50).flat_map(|_| frame(0x89, b"flood")).collect(),
        // Tells JavaScript to close.
        7 => text("close"),
        8 => closing(4000, "bye"),
        9 => (0..200).map(|_| numbers.below(256) as u8).collect(),
        // Ends inside of a frame.
        10 => binary(&vec![7; size.max(10)])[..8].to_vec(),
        _ => Vec::new(),
    };
    if client.stream.write_all(&bytes).is_err() {
        return true;
    }
    // Reads what there is, or not: some are slow.
    if numbers.below(2) == 0 {
        let short = Some(Duration::from_millis(1 + numbers.below(5)));
        client.stream.set_read_timeout(short).unwrap();
        let mut buffer = vec![0; 100_000];
        let read = std::io::Read::read(&mut client.stream, &mut buffer);
        client.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        return matches!(read, Ok(0));
    }
    false
}

#[test]
fn whatever_clients_do_every_socket_ends_once() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let threads: Vec<_> = (0..THREADS as u64)
        .map(|seed| std::thread::spawn(move || clients(seed * 7919 + 1, address)))
        .collect();
    let upgrade = Upgrade {
        most: 2_000_000,
        limit: 4_000_000,
        ..Upgrade::default()
    };
    // The bytes that each was sent.
    let mut open: HashMap<Key, u32> = HashMap::new();
    // Those that are over, and whether JavaScript was told.
    let mut ended: HashMap<Key, bool> = HashMap::new();
    let mut numbers = Numbers(42);
    let until = Instant::now() + Duration::from_secs(60);
    while DONE.load(Ordering::SeqCst) < THREADS * CLIENTS || !open.is_empty() {
        assert!(Instant::now() < until, "{} sockets are left", open.len());
        let Some(event) = js.poll() else {
            std::thread::yield_now();
            continue;
        };
        let event = match event {
            Event::Request(request) => {
                let window = [DEFLATE_NONE, DEFLATE_SHARED, 8192][numbers.below(3) as usize];
                let upgrade = Upgrade {
                    flags: UPGRADE_DEFLATE,
                    extensions: "permessage-deflate; client_max_window_bits",
                    compress: window,
                    decompress: window.max(DEFLATE_SHARED),
                    ..upgrade
                };
                js.upgrade(request.key, upgrade);
                assert!(open.insert(request.key, 0).is_none());
                continue;
            }
            Event::Socket(event) => event,
            // Of requests whose client has left before the upgrade.
            Event::Gone { .. } | Event::Space => continue,
            event => panic!("{event:?}"),
        };
        let key = event.of;
        if let Some(is_told) = ended.get_mut(&key) {
            // JavaScript has closed it, and this was on its way.
            assert!(!*is_told, "{event:?} after the last");
            *is_told = event.kind == EVENT_CLOSED;
            continue;
        }
        assert!(open.contains_key(&key), "{event:?}");
        match js.got(event) {
            Got::Closed(..) => {
                open.remove(&key);
                ended.insert(key, true);
            }
            Got::Text(text) if text == "close" => {
                js.close(key, 1000, "as you say");
                open.remove(&key);
                ended.insert(key, false);
            }
            Got::Text(text) => {
                if numbers.below(4) == 0 {
                    let keys: Vec<Key> = open.keys().copied().collect();
                    js.send_many(&keys, SEND_TEXT | SEND_COMPRESSED, text.as_bytes());
                }
            }
            Got::Binary(payload) => {
                let sent = open.get_mut(&key).unwrap();
                let waiting = sent.wrapping_sub(js.delivered(key.0));
                if waiting <= upgrade.limit {
                    *sent = sent.wrapping_add(payload.len() as u32);
                    let flags = [0, SEND_COMPRESSED][numbers.below(2) as usize];
                    js.send_lent(key, flags, &payload);
                }
            }
            Got::Ping(_) | Got::Pong(_) | Got::Drain => {}
        }
        if numbers.below(50) == 0
            && let Some(key) = open.keys().next().copied()
        {
            js.command(COMMAND_TERMINATE, 0, key, &[], &[]);
            open.remove(&key);
            ended.insert(key, false);
        }
    }
    for thread in threads {
        thread.join().unwrap();
    }
    // Nothing is left of them.
    wait_for("all to be closed", || {
        js.poll();
        js.metric(listener, METRIC_CONNECTIONS) == 0.0
    });
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
    for key in ended.keys() {
        assert!(js.take(*key, 1).is_none(), "a message waits for ever");
    }
    // Events of sockets that JavaScript has closed may be left.
    while js.poll().is_some() {}
    let (mut client, key) = js.socket(address, upgrade);
    client.send(text("fine"));
    assert_eq!(js.next_of(key), Got::Text("fine".into()));
}
