//! WebSockets on the event loop: messages both ways, and every way to end.

mod play;

use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use jstime_serve::abi::*;
use jstime_serve::websocket::{Deflater, Inflater};
use play::web_socket::*;
use play::*;

fn server() -> (JavaScript, u32, std::net::SocketAddr) {
    let js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    (js, listener, address)
}

fn received(js: &mut JavaScript, of: Key, count: usize) -> Vec<Got> {
    (0..count).map(|_| js.next_of(of)).collect()
}

// ---------------------------------------------------------------------------
// Opening
// ---------------------------------------------------------------------------

#[test]
fn the_handshake_is_answered_and_frames_behind_it_are_read() {
    let (mut js, listener, address) = server();
    let mut client = Client::connect(address);
    let mut bytes = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend(text("early"));
    bytes.extend(&text("bird")[..5]);
    client.send(bytes);
    let request = js.request();
    let lines = "Sec-WebSocket-Protocol: chat\r\nX-A: b\r\nContent-Length: 7\r\n";
    js.write_upgrade(
        request.key,
        Upgrade {
            lines,
            ..Upgrade::default()
        },
    );
    js.write_send(request.key, SEND_TEXT, b"first");
    js.publish();
    let response = client.response();
    assert_eq!(response.status, 101);
    assert_eq!(response.header("upgrade"), Some("websocket"));
    assert_eq!(response.header("connection"), Some("Upgrade"));
    assert_eq!(response.header("sec-websocket-accept"), Some(ACCEPT));
    assert_eq!(response.header("sec-websocket-protocol"), Some("chat"));
    assert_eq!(response.header("x-a"), Some("b"));
    assert_eq!(response.header("content-length"), None);
    assert_eq!(response.header("sec-websocket-extensions"), None);
    assert_eq!(client.frame(), Frame::text("first"));
    assert_eq!(js.next_of(request.key), Got::Text("early".into()));
    client.send(&text("bird")[5..]);
    assert_eq!(js.next_of(request.key), Got::Text("bird".into()));
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
    assert_eq!(js.metric(listener, METRIC_STATUS + 1), 1.0);
}

#[test]
fn an_upgrade_that_comes_too_late_is_told_to_be_closed() {
    let (mut js, _, address) = server();
    let mut client = Client::connect(address);
    client.ask_upgrade();
    let key = js.request().key;
    client.reset();
    assert!(matches!(js.event(), Event::Gone { .. }));
    js.write_upgrade(key, Upgrade::default());
    js.write_send(key, SEND_TEXT, b"nobody");
    js.publish();
    assert_eq!(js.next_of(key), Got::Closed(1006, "".into()));
    // Nothing more about it, whatever is said.
    js.close(key, 1000, "");
    assert!(js.is_quiet());
    // The index may be another's: that one is not concerned.
    let (mut other, other_key) = js.socket(address, Upgrade::default());
    js.upgrade(key, Upgrade::default());
    assert_eq!(js.next_of(key), Got::Closed(1006, "".into()));
    other.send(text("still here"));
    assert_eq!(js.next_of(other_key), Got::Text("still here".into()));
}

#[test]
fn upgrades_of_other_requests_are_refused() {
    let (mut js, _, address) = server();
    let mut client = Client::connect(address);
    client.get("/");
    let key = js.request().key;
    js.upgrade(key, Upgrade::default());
    assert_eq!(js.next_of(key), Got::Closed(1006, "".into()));
    let response = client.response();
    assert_eq!(response.status, 400);
    assert_eq!(response.header("connection"), Some("close"));
    client.ends();

    let invalid = [
        Upgrade {
            extensions: "a;;b",
            ..Upgrade::default()
        },
        Upgrade {
            lines: "x: a\rb\r\n",
            ..Upgrade::default()
        },
    ];
    for (upgrade, status) in invalid.into_iter().zip([400, 500]) {
        let mut client = Client::connect(address);
        client.ask_upgrade();
        let key = js.request().key;
        js.upgrade(key, upgrade);
        assert_eq!(js.next_of(key), Got::Closed(1006, "".into()));
        assert_eq!(client.response().status, status);
        client.ends();
    }
    assert!(js.is_quiet());
}

#[test]
fn a_second_upgrade_changes_nothing() {
    let (mut js, _, address) = server();
    let (mut client, key) = js.socket(address, Upgrade::default());
    js.upgrade(key, Upgrade::default());
    js.respond(key, 200, "", b"no");
    js.send(key, SEND_TEXT, b"one");
    assert_eq!(client.frame(), Frame::text("one"));
    assert!(js.is_quiet());
}

// ---------------------------------------------------------------------------
// Messages
// ---------------------------------------------------------------------------

#[test]
fn messages_of_every_length_are_echoed() {
    let (mut js, _, address) = server();
    let (mut client, key) = js.socket(address, Upgrade::default());
    let mut sent = 0;
    for length in [
        0, 1, 125, 126, 32767, 32768, 32769, 65535, 65536, 200_000, 5_000_000,
    ] {
        let payload: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        let mut stream = client.stream.try_clone().unwrap();
        let bytes = binary(&payload);
        let writer = std::thread::spawn(move || stream.write_all(&bytes).unwrap());
        assert_eq!(js.next_of(key), Got::Binary(payload.clone()), "{length}");
        writer.join().unwrap();
        if length < 100_000 {
            js.send(key, 0, &payload);
        } else {
            js.send_lent(key, 0, &payload);
        }
        let frame = client.frame();
        assert!(frame.first == 0x82 && frame.payload == payload, "{length}");
        sent += payload.len() as u32;
        wait_for("it to be delivered", || js.delivered(key.0) == sent);
    }
}

#[test]
fn fragments_and_bytes_one_by_one_make_messages() {
    let (mut js, _, address) = server();
    let (mut client, key) = js.socket(address, Upgrade::default());
    for byte in text("h\u{e9}llo") {
        client.send([byte]);
    }
    assert_eq!(js.next_of(key), Got::Text("h\u{e9}llo".into()));
    client.send(frame(0x01, b"a"));
    client.send(frame(0x89, b"ping"));
    client.send(frame(0x00, b"b"));
    client.send(frame(0x80, b"c"));
    client.send(frame(0x8a, b"pong"));
    assert_eq!(
        received(&mut js, key, 3),
        [
            Got::Ping(b"ping".into()),
            Got::Text("abc".into()),
            Got::Pong(b"pong".into()),
        ]
    );
    let pong = client.frame();
    assert_eq!((pong.first, &pong.payload[..]), (0x8a, &b"ping"[..]));
    js.send(key, SEND_PING, b"server");
    js.send(key, SEND_PONG, b"too");
    assert_eq!(client.frame().first, 0x89);
    assert_eq!(client.frame().payload, b"too");
    wait_for("all to be delivered", || js.delivered(key.0) == 9);
}

#[test]
fn long_messages_wait_in_order_and_hold_the_client_back() {
    let (mut js, listener, address) = server();
    let (client, key) = js.socket(address, Upgrade::default());
    let count = 200;
    let mut stream = client.stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        for number in 0..count {
            let long = vec![number as u8; 50_000];
            stream.write_all(&binary(&long)).unwrap();
            stream.write_all(&text(&number.to_string())).unwrap();
        }
    });
    sleep(Duration::from_millis(300));
    let read = js.metric(listener, METRIC_BYTES_READ);
    assert!(read < 1_000_000.0, "{read} bytes were read");
    for number in 0..count {
        assert_eq!(js.next_of(key), Got::Binary(vec![number as u8; 50_000]));
        assert_eq!(js.next_of(key), Got::Text(number.to_string()));
    }
    writer.join().unwrap();
    assert_eq!(js.take(key, 1), None);
}

#[test]
fn long_messages_outlive_their_socket() {
    let (mut js, _, address) = server();
    let (mut client, key) = js.socket(address, Upgrade::default());
    let long = vec![7; 100_000];
    client.send(binary(&long));
    client.send(closing(1000, ""));
    assert_eq!(client.frame().payload[..2], 1000u16.to_be_bytes());
    client.ends();
    assert_eq!(js.next_of(key), Got::Binary(long.clone()));
    assert_eq!(js.next_of(key), Got::Closed(1000, "".into()));

    // Those of a socket that JavaScript has closed do not.
    let (mut client, key) = js.socket(address, Upgrade::default());
    client.send(binary(&long));
    let event = js.socket_event();
    js.close(key, 1000, "");
    assert_eq!(client.frame(), Frame::close(1000, ""));
    assert_eq!(js.take(event.of, 1), None);
    let (mut client, key) = js.socket(address, Upgrade::default());
    client.send(binary(&long));
    client.send(closing(1000, ""));
    assert_eq!(client.frame().payload[..2], 1000u16.to_be_bytes());
    client.ends();
    js.close(key, 1000, "");
    wait_for("the message to be forgotten", || js.take(key, 0).is_none());
}

#[test]
fn what_finds_no_room_comes_later_and_in_order() {
    let (mut js, _, address) = server();
    let (mut client, key) = js.socket(address, Upgrade::default());
    let (mut other, other_key) = js.socket(address, Upgrade::default());
    let count = 3000;
    let mut stream = client.stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        for number in 0..count {
            let message = format!("{number} {}", "x".repeat(1000));
            stream.write_all(&text(&message)).unwrap();
        }
        stream.write_all(&closing(4000, "done")).unwrap();
    });
    sleep(Duration::from_millis(300));
    // The ring is full. Others are served as far as they need no room.
    for number in 0..10u8 {
        other.send(frame(0x89, &[number]));
        assert_eq!(other.frame().payload, [number]);
    }
    other.send(text("other"));
    let mut others = Vec::new();
    let mut next = 0;
    loop {
        let event = js.socket_event();
        if event.of == other_key {
            others.push(js.got(event));
            continue;
        }
        assert_eq!(event.of, key);
        match js.got(event) {
            Got::Text(message) => {
                assert_eq!(message.split(' ').next(), Some(&*next.to_string()));
                next += 1;
            }
            got => {
                assert_eq!(got, Got::Closed(4000, "done".into()));
                break;
            }
        }
    }
    assert_eq!(next, count);
    while others.len() < 11 {
        others.push(js.next_of(other_key));
    }
    let pings = (0..10u8).map(|number| Got::Ping(vec![number]));
    let expected: Vec<Got> = pings.chain([Got::Text("other".into())]).collect();
    assert_eq!(others, expected);
    writer.join().unwrap();
    assert_eq!(client.frame().payload[..2], 4000u16.to_be_bytes());
    client.ends();
}

#[test]
fn a_flood_of_pings_gets_few_pongs_and_no_memory() {
    let (mut js, listener, address) = server();
    let (client, key) = js.socket(address, Upgrade::default());
    let count = 50_000;
    let mut stream = client.stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        let pings: Vec<u8> = (0..count).flat_map(|_| frame(0x89, b"x")).collect();
        stream.write_all(&pings).unwrap();
        stream.write_all(&frame(0x89, b"last")).unwrap();
    });
    for _ in 0..count {
        assert_eq!(js.next_of(key), Got::Ping(b"x".into()));
    }
    assert_eq!(js.next_of(key), Got::Ping(b"last".into()));
    writer.join().unwrap();
    let mut client = client;
    let mut pongs = 0;
    loop {
        let pong = client.frame();
        assert_eq!(pong.first, 0x8a);
        pongs += 1;
        if pong.payload == b"last" {
            break;
        }
    }
    assert!(pongs < 5000, "{pongs} pongs");
    assert!(js.metric(listener, METRIC_BYTES_WRITTEN) < 50_000.0);
}

#[test]
fn a_paused_socket_is_not_read_from() {
    let (mut js, listener, address) = server();
    let mut client = Client::connect(address);
    client.ask_upgrade();
    client.send(text("a"));
    let key = js.request().key;
    let idle = Upgrade {
        idle: 2000,
        ..Upgrade::default()
    };
    js.write_upgrade(key, idle);
    js.write(COMMAND_PAUSE, 0, key, &[], &[]);
    js.publish();
    assert_eq!(client.response().status, 101);
    // Another one that is as silent, and longer.
    let (_other, other) = js.socket(address, idle);
    let before = js.metric(listener, METRIC_BYTES_READ);
    let mut stream = client.stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || stream.write_all(&binary(&[1; 10_000_000])).unwrap());
    // Its silence is our own doing.
    assert_eq!(js.next_of(other), Got::Closed(1006, "".into()));
    assert!(js.is_quiet());
    assert_eq!(js.metric(listener, METRIC_BYTES_READ), before);
    js.send(key, SEND_TEXT, b"still here");
    assert_eq!(client.frame(), Frame::text("still here"));
    js.command(COMMAND_RESUME, 0, key, &[], &[]);
    assert_eq!(js.next_of(key), Got::Text("a".into()));
    assert_eq!(js.next_of(key), Got::Binary(vec![1; 10_000_000]));
    writer.join().unwrap();
    // From here on it counts again.
    assert_eq!(js.next_of(key), Got::Closed(1006, "".into()));
    client.ends();
}

#[test]
fn deflate_is_agreed_on_and_used() {
    let (mut js, _, address) = server();
    for (window, extensions, expected) in [
        (
            DEFLATE_SHARED,
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
        ),
        (32 * 1024, "permessage-deflate", "permessage-deflate"),
    ] {
        let upgrade = Upgrade {
            flags: UPGRADE_DEFLATE,
            extensions,
            compress: window,
            decompress: window,
            ..Upgrade::default()
        };
        let mut client = Client::connect(address);
        client.ask_upgrade();
        let key = js.request().key;
        js.upgrade(key, upgrade);
        let response = client.response();
        assert_eq!(
            response.header("sec-websocket-extensions"),
            Some(expected),
            "{extensions}"
        );
        let message = "compress me, ".repeat(1000);
        let mut deflater = Deflater::new();
        let compressed = deflater.deflate(message.as_bytes(), 15, None).unwrap();
        client.send(frame(0xc1, compressed));
        assert_eq!(js.next_of(key), Got::Text(message.clone()));
        js.send(key, SEND_TEXT | SEND_COMPRESSED, message.as_bytes());
        js.send(key, SEND_TEXT, b"plain");
        let frame = client.frame();
        assert_eq!(frame.first, 0xc1);
        assert!(frame.payload.len() < 500);
        let mut inflater = Inflater::new();
        inflater.inflate(&frame.payload, None, 1 << 20).unwrap();
        assert_eq!(inflater.message(), message.as_bytes());
        assert_eq!(client.frame(), Frame::text("plain"));
        let sent = message.len() as u32 + 5;
        wait_for("all to be delivered", || js.delivered(key.0) == sent);
        drop(client);
        assert_eq!(js.next_of(key), Got::Closed(1006, "".into()));
    }
}

// ---------------------------------------------------------------------------
// Many, and slow ones
// ---------------------------------------------------------------------------

/// Sends more than the system has room for while the client reads nothing;
/// returns how many bytes.
fn fill(js: &mut JavaScript, of: Key) -> u32 {
    let count = 20;
    for _ in 0..count {
        js.send_lent(of, 0, &[0; 1_000_000]);
    }
    wait_for("the socket to be blocked", || js.is_blocked(of.0));
    count * 1_000_000
}

#[test]
fn one_message_for_many_is_not_delayed_by_a_slow_one() {
    let (mut js, _, address) = server();
    let (mut clients, keys): (Vec<Client>, Vec<Key>) = (0..500)
        .map(|_| js.socket(address, Upgrade::default()))
        .unzip();
    let slow = keys[250];
    let mut sent = fill(&mut js, slow);
    let mut to = keys.clone();
    // Some that do not exist.
    to.push((keys[3].0, keys[3].1.wrapping_add(1)));
    to.push((u32::MAX, 0));
    for number in 0..5 {
        let message = format!("{number} {}", "x".repeat(number * 300));
        js.send_many(&to, SEND_TEXT, message.as_bytes());
        sent += message.len() as u32;
    }
    for (index, client) in clients.iter_mut().enumerate() {
        if index != 250 {
            for number in 0..5 {
                let message = format!("{number} {}", "x".repeat(number * 300));
                assert_eq!(client.frame(), Frame::text(&message));
            }
        }
    }
    let waiting = sent - js.delivered(slow.0);
    assert!(waiting > 0 && js.is_blocked(slow.0));
    // It gets everything, later.
    let slow_client = &mut clients[250];
    let mut large = 0;
    while slow_client.frame().first == 0x82 {
        large += 1;
    }
    assert!(large > 0);
    for _ in 1..5 {
        slow_client.frame();
    }
    assert_eq!(js.next_of(slow), Got::Drain);
    assert!(!js.is_blocked(slow.0));
    assert_eq!(js.delivered(slow.0), sent);
    assert!(js.is_quiet());
}

#[test]
fn a_close_frame_is_delivered_behind_everything_else() {
    let (mut js, _, address) = server();
    let (mut client, key) = js.socket(address, Upgrade::default());
    fill(&mut js, key);
    js.send(key, SEND_TEXT, b"last words");
    js.close(key, 4001, "bye");
    js.send(key, SEND_TEXT, b"not sent");
    loop {
        let frame = client.frame();
        if frame.first != 0x82 {
            assert_eq!(frame, Frame::text("last words"));
            break;
        }
    }
    assert_eq!(client.frame(), Frame::close(4001, "bye"));
    client.send(text("too late"));
    client.send(closing(4001, "bye"));
    client.ends();
    assert!(js.is_quiet());
}

#[test]
fn who_has_far_too_much_waiting_is_lost() {
    let (mut js, _, address) = server();
    let limited = Upgrade {
        limit: 1000,
        ..Upgrade::default()
    };
    let (_client, key) = js.socket(address, limited);
    for _ in 0..60 {
        js.send_lent(key, 0, &[0; 1_000_000]);
    }
    assert_eq!(js.next_of(key), Got::Closed(1006, "".into()));
}

// ---------------------------------------------------------------------------
// Ends
// ---------------------------------------------------------------------------

#[test]
fn a_client_that_closes_is_answered_and_told_about_once() {
    let (mut js, listener, address) = server();
    let rows: [(Vec<u8>, Got, Vec<u8>); 3] = [
        (
            closing(1001, "away"),
            Got::Closed(1001, "away".into()),
            Frame::close(1001, "away").payload,
        ),
        (frame(0x88, b""), Got::Closed(1005, "".into()), Vec::new()),
        (
            closing(4999, ""),
            Got::Closed(4999, "".into()),
            Frame::close(4999, "").payload,
        ),
    ];
    for (sent, told, answer) in rows {
        let (mut client, key) = js.socket(address, Upgrade::default());
        client.send(sent);
        client.send(text("nothing counts behind it"));
        assert_eq!(js.next_of(key), told);
        assert_eq!(client.frame().payload, answer);
        client.ends();
        js.send(key, SEND_TEXT, b"stale");
        js.close(key, 1000, "");
    }
    assert!(js.is_quiet());
    wait_for("all to be closed", || {
        js.metric(listener, METRIC_CONNECTIONS) == 0.0
    });
}

#[test]
fn violations_are_answered_by_their_code() {
    let (mut js, _, address) = server();
    let rows: [(Vec<u8>, u16); 5] = [
        (frame(0x83, b"x"), 1002),
        (frame(0xc1, b"x"), 1002),
        (frame(0x81, &[0xff]), 1007),
        (frame(0x82, &[0; 1001]), 1009),
        (frame(0x82, &[0; 1001])[..8].to_vec(), 1009),
    ];
    for (sent, code) in rows {
        let limited = Upgrade {
            most: 1000,
            ..Upgrade::default()
        };
        let (mut client, key) = js.socket(address, limited);
        client.send(sent);
        match js.next_of(key) {
            Got::Closed(1006, reason) => {
                assert_eq!(client.frame(), Frame::close(code, &reason));
            }
            got => panic!("{got:?}"),
        }
        client.ends();
    }
    assert!(js.is_quiet());
}

#[test]
fn clients_that_leave_without_a_word() {
    let (mut js, _, address) = server();
    for is_reset in [false, true] {
        for is_paused in [false, true] {
            let (mut client, key) = js.socket(address, Upgrade::default());
            if is_paused {
                js.command(COMMAND_PAUSE, 0, key, &[], &[]);
                sleep(Duration::from_millis(50));
                client.send(text("unread"));
                sleep(Duration::from_millis(50));
            }
            if is_reset {
                client.reset();
                assert_eq!(js.next_of(key), Got::Closed(1006, "".into()));
                continue;
            }
            client.half_close();
            if is_paused {
                assert!(js.is_quiet());
                js.command(COMMAND_RESUME, 0, key, &[], &[]);
                assert_eq!(js.next_of(key), Got::Text("unread".into()));
            }
            assert_eq!(js.next_of(key), Got::Closed(1006, "".into()));
            client.ends();
        }
    }
    assert!(js.is_quiet());
}

#[test]
fn terminate_sends_what_was_sent_before() {
    let (mut js, _, address) = server();
    let (mut client, key) = js.socket(address, Upgrade::default());
    client.send(text("never read"));
    assert_eq!(js.next_of(key), Got::Text("never read".into()));
    let long = vec![3; 3_000_000];
    js.send_lent(key, 0, &long);
    js.send(key, SEND_TEXT, b"last words");
    js.command(COMMAND_TERMINATE, 0, key, &[], &[]);
    assert!(client.frame().payload == long);
    assert_eq!(client.frame(), Frame::text("last words"));
    client.ends();
    assert!(js.is_quiet());
}

#[test]
fn silent_clients_are_pinged_and_closed() {
    let (mut js, listener, address) = server();
    let idle = Upgrade {
        flags: UPGRADE_SEND_PINGS,
        idle: 600,
        ..Upgrade::default()
    };
    let (mut client, key) = js.socket(address, idle);
    // Who answers stays, also while JavaScript looks at nothing.
    let until = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < until {
        assert_eq!(client.frame().first, 0x89);
        client.send(frame(0x8a, b""));
    }
    // Who does not is gone.
    assert_eq!(client.frame().first, 0x89);
    client.ends();
    loop {
        match js.next_of(key) {
            Got::Pong(_) => {}
            got => {
                assert_eq!(got, Got::Closed(1006, "".into()));
                break;
            }
        }
    }
    assert_eq!(js.metric(listener, METRIC_TIMEOUTS), 1.0);
}

#[test]
fn stopping_waits_for_sockets() {
    let (mut js, listener, address) = server();
    let (mut client, key) = js.socket(address, Upgrade::default());
    assert!(js.runtime().stop(listener, false));
    assert!(std::net::TcpStream::connect(address).is_err());
    sleep(Duration::from_millis(2200));
    client.send(text("still here"));
    assert_eq!(js.next_of(key), Got::Text("still here".into()));
    assert_eq!(js.runtime().close_idle(listener), Some(0));
    js.close(key, 1001, "");
    assert_eq!(client.frame(), Frame::close(1001, ""));
    client.send(closing(1001, ""));
    client.ends();
    assert_eq!(js.event(), Event::Stopped { listener });
}

#[test]
fn stopping_by_force_ends_sockets_and_still_closes_those_that_were_closed() {
    let (mut js, listener, address) = server();
    let (mut one, one_key) = js.socket(address, Upgrade::default());
    let (mut other, other_key) = js.socket(address, Upgrade::default());
    js.write(COMMAND_CLOSE, 0, one_key, &[1001, 0], &[]);
    js.publish();
    assert!(js.runtime().stop(listener, true));
    assert_eq!(one.frame(), Frame::close(1001, ""));
    one.send(closing(1001, ""));
    one.ends();
    other.ends();
    assert_eq!(js.next_of(other_key), Got::Closed(1006, "".into()));
    assert_eq!(js.event(), Event::Stopped { listener });
}
