//! Sockets of different handles that share topics, and slow clients of what is
//! published.

mod play;

use std::thread::sleep;
use std::time::{Duration, Instant};

use jstime_serve::abi::*;
use jstime_serve::bus;
use play::web_socket::*;
use play::*;

/// A handle that is a member of a bus.
struct Member {
    js: JavaScript,
    membership: u32,
    address: std::net::SocketAddr,
}

impl Member {
    fn new(name: &str) -> Self {
        let js = JavaScript::new();
        let (_, address) = js.listen(plan());
        let membership = js.runtime().join_bus(js.handle, name.as_bytes());
        Self {
            js,
            membership,
            address,
        }
    }

    /// A client that is subscribed to topics.
    fn client(&mut self, topics: &[&str], upgrade: Upgrade) -> (Client, Key) {
        let (client, key) = self.js.socket(self.address, upgrade);
        for topic in topics {
            self.subscribe(COMMAND_SUBSCRIBE, key, topic);
        }
        (client, key)
    }

    fn subscribe(&mut self, command: u32, key: Key, topic: &str) {
        let words = [self.membership, topic.len() as u32];
        self.js
            .command(command, 0, key, &words, &[topic.as_bytes()]);
    }

    fn publish(&self, topic: &str, payload: &[u8], flags: u32) -> usize {
        let delivery = bus::publish(self.membership, topic.as_bytes(), payload, flags).unwrap();
        assert_eq!(delivery.dropped, 0);
        delivery.threads
    }

    /// Waits until so many are subscribed on other handles.
    fn sees(&self, topic: &str, count: usize) {
        let until = Instant::now() + DEADLINE;
        while bus::count(self.membership, topic.as_bytes()) != Some(count) {
            assert!(Instant::now() < until, "never {count} on {topic}");
            sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn messages_reach_the_subscribers_of_other_handles_once() {
    let mut one = Member::new("once");
    let mut other = Member::new("once");
    let mut stranger = Member::new("another");
    let (mut own, _) = one.client(&["t"], Upgrade::default());
    let (mut a, _) = other.client(&["t", "u"], Upgrade::default());
    let (mut b, key) = other.client(&["t"], Upgrade::default());
    let (mut not, _) = stranger.client(&["t"], Upgrade::default());
    one.sees("t", 2);
    one.sees("u", 1);
    other.sees("t", 1);
    stranger.sees("t", 0);
    assert_eq!(one.publish("t", b"one", SEND_TEXT), 1);
    assert_eq!(one.publish("u", b"two", SEND_TEXT), 1);
    assert_eq!(one.publish("v", b"none", SEND_TEXT), 0);
    assert_eq!(a.frame(), Frame::text("one"));
    assert_eq!(a.frame(), Frame::text("two"));
    assert_eq!(b.frame(), Frame::text("one"));
    // Subscribed twice is subscribed.
    other.subscribe(COMMAND_SUBSCRIBE, key, "t");
    other.subscribe(COMMAND_UNSUBSCRIBE, key, "t");
    one.sees("t", 1);
    one.publish("t", b"", 0);
    one.publish("t", &[7; 100_000], 0);
    assert_eq!(a.frame().payload, b"");
    assert_eq!(a.frame().payload, [7; 100_000]);
    other.publish("t", b"back", SEND_TEXT);
    assert_eq!(own.frame(), Frame::text("back"));
    other.js.send(key, SEND_TEXT, b"last");
    assert_eq!(b.frame(), Frame::text("last"));
    stranger.publish("t", b"nobody", SEND_TEXT);
    let key = (0, stranger.js.generation(0));
    stranger.js.send(key, SEND_TEXT, b"last");
    assert_eq!(not.frame(), Frame::text("last"));
    // Nothing of this is counted as JavaScript's.
    assert_eq!(other.js.delivered(0), 0);
}

#[test]
fn sockets_that_end_are_subscribed_to_nothing() {
    let mut one = Member::new("ends");
    let mut other = Member::new("ends");
    let clients: Vec<_> = (0..4)
        .map(|_| other.client(&["t", "u"], Upgrade::default()))
        .collect();
    one.sees("u", 4);
    let mut clients = clients.into_iter();
    let (mut client, key) = clients.next().unwrap();
    other.js.close(key, 1000, "");
    assert_eq!(client.frame(), Frame::close(1000, ""));
    one.sees("u", 3);
    let (mut client, key) = clients.next().unwrap();
    client.send(closing(1000, ""));
    assert_eq!(other.js.next_of(key), Got::Closed(1000, "".into()));
    one.sees("u", 2);
    let (client, key) = clients.next().unwrap();
    client.reset();
    assert_eq!(other.js.next_of(key), Got::Closed(1006, "".into()));
    one.sees("u", 1);
    let (_client, key) = clients.next().unwrap();
    other.js.command(COMMAND_TERMINATE, 0, key, &[], &[]);
    one.sees("u", 0);
    // What JavaScript says too late changes nothing.
    other.subscribe(COMMAND_SUBSCRIBE, key, "u");
    assert!(other.js.is_quiet());
    one.sees("u", 0);
    assert_eq!(one.publish("t", b"nobody", 0), 0);
    let _client = one.client(&[], Upgrade::default());
}

#[test]
fn a_handle_that_closes_is_no_member() {
    let one = Member::new("closes");
    let mut other = Member::new("closes");
    let _client = other.client(&["t"], Upgrade::default());
    one.sees("t", 1);
    let membership = other.membership;
    drop(other);
    one.sees("t", 0);
    assert_eq!(bus::count(membership, b"t"), None);
    assert_eq!(one.publish("t", b"nobody", 0), 0);
}

/// So that the client is slow: more than the system takes.
const MANY: usize = 400;
const LONG: usize = 64 * 1024;
const LIMIT: u32 = 256 * 1024;

fn numbered(number: usize) -> Vec<u8> {
    let mut payload = vec![0; LONG];
    payload[..4].copy_from_slice(&(number as u32).to_be_bytes());
    payload
}

fn number(frame: &Frame) -> usize {
    u32::from_be_bytes(frame.payload[..4].try_into().unwrap()) as usize
}

/// Reads until the last one; how many came, and the one before the last.
fn read_all(client: &mut Client) -> (usize, usize) {
    let (mut count, mut before) = (0, 0);
    loop {
        let number = number(&client.frame());
        assert!(count == 0 || number > before);
        count += 1;
        if number == MANY - 1 {
            return (count, before);
        }
        before = number;
    }
}

#[test]
fn slow_clients_of_a_bus_are_held_to_their_limit() {
    let cases = [
        (0, 0),
        (0, UPGRADE_CLOSE_ON_LIMIT),
        (SEND_DROP_OLDEST, UPGRADE_CLOSE_ON_LIMIT),
        (SEND_LATEST, 0),
        (SEND_DISCONNECT, 0),
    ];
    for (flags, upgrade_flags) in cases {
        let one = Member::new("slow");
        let mut other = Member::new("slow");
        let upgrade = Upgrade {
            flags: upgrade_flags,
            limit: LIMIT,
            ..Upgrade::default()
        };
        let (mut client, key) = other.client(&["t"], upgrade);
        one.sees("t", 1);
        for number in 0..MANY {
            if one.publish("t", &numbered(number), flags) == 0 {
                break;
            }
            sleep(Duration::from_micros(200));
        }
        assert_eq!(other.js.delivered(key.0), 0);
        let is_cut = flags == SEND_DISCONNECT || flags == 0 && upgrade_flags != 0;
        match flags {
            _ if is_cut => {
                assert_eq!(other.js.next_of(key), Got::Closed(1006, "".into()));
                one.sees("t", 0);
            }
            0 => {
                other.js.send(key, SEND_TEXT, b"last");
                let mut count = 0;
                while client.frame() != Frame::text("last") {
                    count += 1;
                }
                assert!(count < MANY);
            }
            _ => {
                let (count, before) = read_all(&mut client);
                assert!(count < MANY);
                if flags == SEND_DROP_OLDEST {
                    assert_eq!(before, MANY - 2);
                }
            }
        }
    }
}

fn send_with_policy(js: &mut JavaScript, key: Key, flags: u32, payload: &[u8]) {
    let recipient = [key.0.to_le_bytes(), key.1.to_le_bytes()].concat();
    let words = [payload.len() as u32, js.runtime().lend(payload), 1];
    let topic: &[u8] = if flags & SEND_LATEST != 0 {
        b"\x01\0\0\0t"
    } else {
        b""
    };
    let flags = flags | RESPOND_CONTENT_TOKEN;
    js.command(
        COMMAND_SEND_MANY,
        flags,
        (9, 9),
        &words,
        &[&recipient, topic],
    );
}

#[test]
fn what_is_taken_back_is_delivered_for_javascript() {
    for flags in [SEND_DROP_OLDEST, SEND_LATEST] {
        let mut js = JavaScript::new();
        let (_, address) = js.listen(plan());
        let upgrade = Upgrade {
            limit: LIMIT,
            ..Upgrade::default()
        };
        let (mut client, key) = js.socket(address, upgrade);
        let mut sent = 0u32;
        for number in 0..MANY {
            send_with_policy(&mut js, key, flags, &numbered(number));
            sent += LONG as u32;
            while sent.wrapping_sub(js.delivered(key.0)) > 2 * LIMIT {
                std::thread::yield_now();
            }
        }
        // Never more than the limit and a message.
        let until = Instant::now() + DEADLINE;
        while sent - js.delivered(key.0) > LIMIT + LONG as u32 {
            assert!(Instant::now() < until);
        }
        js.send(key, SEND_PING, b"ping");
        let (count, _) = read_all(&mut client);
        assert!(count < MANY);
        assert_eq!(client.frame().first, 0x89);
        let until = Instant::now() + DEADLINE;
        while js.delivered(key.0) != sent + 4 {
            assert!(Instant::now() < until);
        }
        assert_eq!(js.next_of(key), Got::Drain);
    }
}

#[test]
fn what_may_be_taken_back_is_nothing_that_others_refer_to() {
    for (compress, is_compressed) in [(DEFLATE_SHARED, true), (32 * 1024, false)] {
        let one = Member::new("deflate");
        let mut other = Member::new("deflate");
        let upgrade = Upgrade {
            flags: UPGRADE_DEFLATE,
            extensions: "permessage-deflate",
            compress,
            ..Upgrade::default()
        };
        let topic = format!("{compress}");
        let (mut client, _) = other.client(&[&topic], upgrade);
        one.sees(&topic, 1);
        let payload = b"again and again ".repeat(20);
        let flags = SEND_TEXT | SEND_COMPRESSED;
        one.publish(&topic, &payload, flags | SEND_DROP_OLDEST);
        let frame = client.frame();
        assert_eq!(frame.first & 0x40 != 0, is_compressed);
        assert_eq!(frame.payload == payload, !is_compressed);
        one.publish(&topic, &payload, flags);
        assert_eq!(client.frame().first & 0x40, 0x40);
    }
}

#[test]
fn the_last_messages_of_many_topics_are_bounded() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let upgrade = Upgrade {
        limit: LIMIT,
        ..Upgrade::default()
    };
    let (_client, key) = js.socket(address, upgrade);
    let recipient = [key.0.to_le_bytes(), key.1.to_le_bytes()].concat();
    let mut sent = 0u32;
    for number in 0..2000u32 {
        let payload = vec![0; LONG];
        let words = [LONG as u32, js.runtime().lend(&payload), 1];
        let topic = [4u32.to_le_bytes(), number.to_le_bytes()].concat();
        let flags = SEND_LATEST | RESPOND_CONTENT_TOKEN;
        js.command(
            COMMAND_SEND_MANY,
            flags,
            (9, 9),
            &words,
            &[&recipient, &topic],
        );
        sent += LONG as u32;
        let until = Instant::now() + DEADLINE;
        while sent - js.delivered(key.0) > LIMIT + (4 << 20) + LONG as u32 {
            assert!(Instant::now() < until);
            std::thread::yield_now();
        }
    }
    assert!(js.is_quiet());
}

/// Clients subscribe, unsubscribe and die while another handle publishes.
#[test]
fn sockets_that_come_and_go_while_messages_are_published_leave_nothing() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let one = Member::new("random");
    let mut other = Member::new("random");
    let membership = one.membership;
    let is_over = std::sync::Arc::new(AtomicBool::new(false));
    let publisher = {
        let is_over = is_over.clone();
        std::thread::spawn(move || {
            let mut number = 0usize;
            while !is_over.load(Ordering::Relaxed) {
                let flags = [0, SEND_DROP_OLDEST, SEND_LATEST, SEND_DISCONNECT][number % 4];
                let topic = ["a", "b", "c"][number % 3].as_bytes();
                let payload = vec![b'x'; [5, 600, 20_000][number % 5 % 3]];
                let flags = flags | SEND_TEXT | SEND_COMPRESSED;
                bus::publish(membership, topic, &payload, flags).unwrap();
                number += 1;
                sleep(Duration::from_micros(50));
            }
        })
    };
    let (mut witness, _) = other.client(
        &["a"],
        Upgrade {
            limit: 0,
            ..Upgrade::default()
        },
    );
    for round in 0..300u32 {
        let upgrade = Upgrade {
            flags: if round % 2 == 0 { UPGRADE_DEFLATE } else { 0 },
            extensions: "permessage-deflate",
            compress: if round % 4 == 0 { 4096 } else { DEFLATE_SHARED },
            limit: 100_000,
            ..Upgrade::default()
        };
        let mut client = Client::connect(other.address);
        client.ask_upgrade();
        let key = loop {
            match other.js.event() {
                Event::Request(request) => break request.key,
                Event::Socket(_) | Event::Space | Event::Gone { .. } => {}
                event => panic!("{event:?}"),
            }
        };
        other.js.upgrade(key, upgrade);
        for topic in ["a", "b", "c"] {
            other.subscribe(COMMAND_SUBSCRIBE, key, topic);
        }
        if round % 3 == 0 {
            other.subscribe(COMMAND_UNSUBSCRIBE, key, "b");
        }
        if round % 5 == 0 {
            other.js.close(key, 1000, "");
        }
        witness.frame();
        if round % 2 == 0 {
            client.reset();
        }
    }
    is_over.store(true, Ordering::Relaxed);
    publisher.join().unwrap();
    one.sees("b", 0);
    one.sees("c", 0);
    drop(witness);
    one.sees("a", 0);
}
