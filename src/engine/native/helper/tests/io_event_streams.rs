//! Event streams: parts for many, comments, slow clients, and the end.

mod play;

use std::io::Read;
use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::listen_plan::ListenPlan;
use play::*;

const LIMIT: u32 = 64 * 1024;

/// Answers a request with an event stream that begins with `:\n\n`.
fn open(js: &mut JavaScript, of: Key, heartbeat: u32, limit: u32) {
    js.respond_stream(of, 0, 0);
    js.command(COMMAND_EVENT_STREAM, 0, of, &[heartbeat, limit], &[]);
    js.chunk(of, b":\n\n", false);
}

/// Sends a part to streams.
fn send(js: &mut JavaScript, streams: &[Key], part: &[u8]) {
    let mut words = vec![part.len() as u32, 0, streams.len() as u32];
    words.extend(streams.iter().flat_map(|(one, other)| [*one, *other]));
    js.command(COMMAND_EVENT, 0, (0, 0), &words, &[part]);
}

fn send_lent(js: &mut JavaScript, streams: &[Key], part: &[u8]) {
    let token = js.runtime().lend(part);
    let mut words = vec![part.len() as u32, token, streams.len() as u32];
    words.extend(streams.iter().flat_map(|(one, other)| [*one, *other]));
    js.command(COMMAND_EVENT, RESPOND_CONTENT_TOKEN, (0, 0), &words, &[]);
}

fn listening(streams: usize, heartbeat: u32, limit: u32) -> (JavaScript, Vec<Client>, Vec<Key>) {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut clients = Vec::new();
    let mut keys = Vec::new();
    for _ in 0..streams {
        let mut client = Client::connect(address);
        client.get("/");
        let request = js.request();
        open(&mut js, request.key, heartbeat, limit);
        clients.push(client);
        keys.push(request.key);
    }
    (js, clients, keys)
}

#[test]
fn parts_reach_all_streams_and_the_connection_is_used_again() {
    let (mut js, mut clients, keys) = listening(3, 0, LIMIT);
    let long = vec![b'x'; 100_000];
    send(&mut js, &keys, b"data: 1\n\n");
    send_lent(&mut js, &keys[..2], &long);
    send(&mut js, &keys, b"data: 2\n\n");
    for key in &keys {
        js.chunk(*key, b"", true);
    }
    for (index, client) in clients.iter_mut().enumerate() {
        let response = client.response();
        assert!(!response.is_truncated);
        let middle: &[u8] = if index < 2 { &long } else { b"" };
        let all = [b":\n\ndata: 1\n\n", middle, b"data: 2\n\n"].concat();
        assert_eq!(response.content, all);
        client.get("/again");
        let request = js.request();
        js.respond(request.key, 200, "", b"again");
        assert_eq!(client.response().text(), "again");
    }
    // What it has written is not told.
    assert!(js.is_quiet());
}

#[test]
fn old_clients_get_parts_until_the_connection_closes() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.send("GET / HTTP/1.0\r\n\r\n");
    let key = js.request().key;
    open(&mut js, key, 50, LIMIT);
    send(&mut js, &[key], b"data: 1\n\n");
    std::thread::sleep(Duration::from_millis(400));
    js.chunk(key, b"", true);
    let response = client.response();
    let text = response.text();
    assert!(text.starts_with(":\n\ndata: 1\n\n:\n\n"), "{text:?}");
    assert!(!response.head.contains("hunked"), "{}", response.head);
}

#[test]
fn silence_is_broken_by_comments() {
    let (mut js, mut clients, keys) = listening(1, 100, LIMIT);
    // Nobody reads commands or events meanwhile.
    let mut received = Vec::new();
    let until = b"3\r\n:\n\n\r\n".repeat(4);
    while !received.ends_with(&until) {
        let mut buffer = [0; 4096];
        let count = clients[0].stream.read(&mut buffer).unwrap();
        assert!(count > 0);
        received.extend(&buffer[..count]);
    }
    js.chunk(keys[0], b"", true);
}

#[test]
fn a_quiet_stream_outlives_the_idle_timeout() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(ListenPlan {
        idle_timeout: Some(Duration::from_millis(200)),
        ..plan()
    });
    let mut client = Client::connect(address);
    client.get("/");
    let key = js.request().key;
    open(&mut js, key, 0, LIMIT);
    std::thread::sleep(Duration::from_millis(900));
    send(&mut js, &[key], b"data: 1\n\n");
    js.chunk(key, b"", true);
    assert_eq!(client.response().text(), ":\n\ndata: 1\n\n");
}

#[test]
fn who_takes_nothing_is_cut_at_the_idle_timeout() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(ListenPlan {
        idle_timeout: Some(Duration::from_millis(300)),
        ..plan()
    });
    let mut client = Client::connect(address);
    client.get("/");
    let key = js.request().key;
    open(&mut js, key, 100, u32::MAX);
    send_lent(&mut js, &[key], &vec![b'x'; 32 << 20]);
    assert_eq!(
        js.event(),
        Event::Gone {
            of: key,
            is_deadline: true
        }
    );
    assert!(client.response().is_truncated);
}

#[test]
fn a_slow_client_is_cut_and_others_are_served() {
    let (mut js, mut clients, keys) = listening(2, 0, LIMIT);
    let part = vec![b'x'; 32 * 1024 - 100];
    let mut fast = clients.pop().unwrap();
    let reader = std::thread::spawn(move || fast.response());
    let mut sent = 0;
    let gone = loop {
        send(&mut js, &keys, &part);
        sent += 1;
        // As fast as the other one can read.
        std::thread::sleep(Duration::from_micros(500));
        if let Some(event) = js.poll() {
            break event;
        }
        assert!(sent < 10_000, "it is never cut");
    };
    assert_eq!(
        gone,
        Event::Gone {
            of: keys[0],
            is_deadline: false
        }
    );
    for _ in 0..10 {
        send(&mut js, &keys, &part);
        std::thread::sleep(Duration::from_millis(1));
    }
    js.chunk(keys[1], b"", true);
    let response = reader.join().unwrap();
    assert!(!response.is_truncated);
    assert_eq!(response.content.len(), 3 + (sent + 10) * part.len());
    assert!(clients[0].response().is_truncated);
}

#[test]
fn one_part_larger_than_the_limit_is_delivered() {
    let (mut js, mut clients, keys) = listening(1, 0, 0);
    let part = vec![b'x'; 8 << 20];
    send_lent(&mut js, &keys, &part);
    js.chunk(keys[0], b"", true);
    let response = clients[0].response();
    assert_eq!(response.content.len(), 3 + part.len());
}

#[test]
fn blocked_clients_are_shown() {
    let (mut js, mut clients, keys) = listening(1, 0, u32::MAX);
    let start = CONTROL_BYTES + EVENTS_BYTES + COMMANDS_BYTES + 8 * MAX_CONNECTIONS;
    let is_blocked = |js: &JavaScript| {
        let word = js.control((start + keys[0].0 as usize * 4) / 4);
        word.load(std::sync::atomic::Ordering::Acquire) == 1
    };
    assert!(!is_blocked(&js));
    send_lent(&mut js, &keys, &vec![b'x'; 32 << 20]);
    wait_for("it is blocked", || is_blocked(&js));
    js.chunk(keys[0], b"", true);
    assert_eq!(clients[0].response().content.len(), 3 + (32 << 20));
}

#[test]
fn clients_that_leave_are_told_and_get_nothing() {
    let (mut js, mut clients, keys) = listening(2, 0, LIMIT);
    clients.remove(0).reset();
    assert_eq!(
        js.event(),
        Event::Gone {
            of: keys[0],
            is_deadline: false
        }
    );
    send(&mut js, &keys, b"data: 1\n\n");
    js.chunk(keys[1], b"", true);
    assert_eq!(clients[0].response().text(), ":\n\ndata: 1\n\n");
}

#[test]
fn commands_that_make_no_sense_do_nothing() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.get("/");
    let key = js.request().key;
    // There is no answer to become one.
    js.command(COMMAND_EVENT_STREAM, 0, key, &[1, 1], &[]);
    send(
        &mut js,
        &[key, (77, 1), (u32::MAX, u32::MAX)],
        b"data: 1\n\n",
    );
    // It says that more follows than does.
    js.command(COMMAND_EVENT, 0, (0, 0), &[4000, 0, 1, key.0, key.1], &[]);
    js.command(COMMAND_EVENT, 0, (0, 0), &[1, 0, u32::MAX, key.0], &[]);
    js.command(COMMAND_EVENT, 0, (0, 0), &[], &[]);
    let words = [1, 99, 1, key.0, key.1];
    js.command(COMMAND_EVENT, RESPOND_CONTENT_TOKEN, (0, 0), &words, &[]);
    js.respond(key, 200, "", b"ok");
    assert_eq!(client.response().text(), "ok");
    // A stream of known length is none, either.
    client.get("/");
    let key = js.request().key;
    js.respond_stream(key, RESPOND_LENGTH_KNOWN, 2);
    js.command(COMMAND_EVENT_STREAM, 0, key, &[1, 1], &[]);
    send(&mut js, &[key], b"data: 1\n\n");
    js.chunk(key, b"ok", true);
    assert_eq!(client.response().text(), "ok");
}

#[test]
fn stopping_by_force_cuts_streams() {
    let (js, mut clients, _) = listening(1, 0, LIMIT);
    let runtime = js.runtime();
    let listener = 0;
    runtime.stop(listener, true);
    assert!(clients[0].response().is_truncated);
}
