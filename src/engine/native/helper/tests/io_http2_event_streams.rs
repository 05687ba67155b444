//! Event streams over HTTP/2: parts for many, comments, slow clients, the end.

mod play;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::listen_plan::ListenPlan;
use play::http2::*;
use play::*;

const LIMIT: u32 = 64 * 1024;
/// What clients permit unless they say so.
const WINDOW: usize = 65_535;

fn listen(idle_timeout: u64) -> (JavaScript, u32, SocketAddr) {
    let js = JavaScript::new();
    let (listener, address) = js.listen(ListenPlan {
        http2: true,
        idle_timeout: Some(Duration::from_millis(idle_timeout)),
        ..plan()
    });
    (js, listener, address)
}

/// Opens an event stream that begins with `:\n\n`.
fn open(js: &mut JavaScript, client: &mut Http2, id: u32, heartbeat: u32, limit: u32) -> Key {
    client.send(get(id, "/"));
    let request = js.request();
    assert!(request.has(REQUEST_EVENT_STREAM));
    js.respond_stream(request.key, 0, 0);
    let words = [heartbeat, limit];
    js.command(COMMAND_EVENT_STREAM, 0, request.key, &words, &[]);
    js.chunk(request.key, b":\n\n", false);
    request.key
}

/// Sends a part to streams.
fn send(js: &mut JavaScript, streams: &[Key], part: &[u8]) {
    let token = js.runtime().lend(part);
    let mut words = vec![part.len() as u32, token, streams.len() as u32];
    words.extend(streams.iter().flat_map(|(one, other)| [*one, *other]));
    js.command(COMMAND_EVENT, RESPOND_CONTENT_TOKEN, (0, 0), &words, &[]);
}

fn gone(of: Key, is_deadline: bool) -> Event {
    Event::Gone { of, is_deadline }
}

/// Reads until so much content has arrived on a stream.
fn read(client: &mut Http2, id: u32, count: usize) -> Vec<u8> {
    let mut content = Vec::new();
    while content.len() < count {
        let frame = client.next_of_streams().expect("no end");
        if (frame.kind, frame.stream) == (DATA, id) {
            content.extend(frame.payload);
        }
    }
    content
}

fn is_blocked(js: &JavaScript, (index, _): Key) -> bool {
    let start = CONTROL_BYTES + EVENTS_BYTES + COMMANDS_BYTES + 8 * MAX_CONNECTIONS;
    let word = js.control((start + index as usize * 4) / 4);
    word.load(Ordering::Acquire) == 1
}

#[test]
fn parts_reach_streams_of_any_version() {
    let (mut js, _, address) = listen(10_000);
    let mut client = Http2::connect(address);
    let mut keys = vec![
        open(&mut js, &mut client, 1, 0, LIMIT),
        open(&mut js, &mut client, 3, 0, LIMIT),
    ];
    let mut old = Client::connect(address);
    old.get("/");
    let key = js.request().key;
    js.respond_stream(key, 0, 0);
    js.command(COMMAND_EVENT_STREAM, 0, key, &[0, LIMIT], &[]);
    js.chunk(key, b":\n\n", false);
    keys.push(key);
    let long = vec![b'x'; 10_000];
    send(&mut js, &keys, b"data: 1\n\n");
    send(&mut js, &keys[1..], &long);
    send(&mut js, &keys, b"data: 2\n\n");
    for key in &keys {
        js.chunk(*key, b"", true);
    }
    let short = b":\n\ndata: 1\n\ndata: 2\n\n".to_vec();
    let all = [b":\n\ndata: 1\n\n", &long[..], b"data: 2\n\n"].concat();
    let mut contents = [Vec::new(), Vec::new()];
    let mut ends = 0;
    while ends < 2 {
        let frame = client.next_of_streams().unwrap();
        ends += u32::from(frame.is_last());
        if frame.kind == DATA {
            contents[frame.stream as usize / 2].extend(frame.payload);
        }
    }
    assert!(contents == [short, all.clone()]);
    assert!(old.response().content == all);
    // What is written is not told.
    assert!(js.is_quiet());
    // Too late.
    send(&mut js, &keys, b"data: 3\n\n");
    client.send(get(5, "/"));
    let request = js.request();
    js.respond(request.key, 200, "", b"again");
    assert_eq!(client.content(5).unwrap(), b"again");
}

#[test]
fn silence_is_broken_by_comments() {
    let (mut js, _, address) = listen(300);
    let mut client = Http2::connect(address);
    let key = open(&mut js, &mut client, 1, 100, LIMIT);
    // Beyond the idle timeout, and nobody reads commands or events meanwhile.
    assert_eq!(read(&mut client, 1, 24), b":\n\n".repeat(8));
    js.chunk(key, b"", true);
    client.content(1).unwrap();
}

#[test]
fn a_quiet_stream_outlives_the_idle_timeout() {
    let (mut js, _, address) = listen(200);
    let mut other = Http2::connect(address);
    let mut client = Http2::connect(address);
    let key = open(&mut js, &mut client, 1, 0, LIMIT);
    // One without a stream does not.
    other.ends();
    send(&mut js, &[key], b"data: 1\n\n");
    js.chunk(key, b"", true);
    assert_eq!(client.content(1).unwrap(), b":\n\ndata: 1\n\n");
}

#[test]
fn who_opens_no_window_is_cut_at_the_idle_timeout() {
    let (mut js, listener, address) = listen(400);
    let mut client = Http2::connect(address);
    let key = open(&mut js, &mut client, 1, 100, u32::MAX);
    send(&mut js, &[key], &vec![b'x'; 1 << 20]);
    assert_eq!(js.event(), gone(key, true));
    assert_eq!(read(&mut client, 1, WINDOW).len(), WINDOW);
    const INTERNAL_ERROR: u32 = 2;
    assert_eq!(client.content(1), Err(INTERNAL_ERROR));
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
}

#[test]
fn a_slow_client_is_cut_and_others_are_served() {
    let (mut js, _, address) = listen(10_000);
    let mut slow = Http2::connect(address);
    let mut fast = Http2::connect(address);
    let keys = [
        open(&mut js, &mut slow, 1, 0, LIMIT),
        open(&mut js, &mut fast, 1, 0, LIMIT),
    ];
    let part = vec![b'x'; 32 * 1024];
    read(&mut fast, 1, 3);
    // The window takes nearly two; with two more it is over the limit, and the
    // next one finds it so.
    for count in 1..=5 {
        assert_eq!(js.poll(), None, "{count}");
        send(&mut js, &keys, &part);
        let mut left = part.len();
        while left > 0 {
            let frame = fast.next_of_streams().unwrap();
            assert_eq!(frame.kind, DATA);
            left -= frame.payload.len();
            for stream in [0, 1] {
                let more = (frame.payload.len() as u32).to_be_bytes();
                fast.send(self::frame(WINDOW_UPDATE, 0, stream, &more));
            }
        }
    }
    assert_eq!(js.event(), gone(keys[0], false));
    assert!(!is_blocked(&js, keys[0]));
    assert!(slow.content(1).is_err());
    // Its connection is as good as before, but for the window.
    slow.send(frame(WINDOW_UPDATE, 0, 0, &100_000u32.to_be_bytes()));
    slow.send(get(3, "/"));
    let request = js.request();
    js.respond(request.key, 200, "", b"fine");
    assert_eq!(slow.content(3).unwrap(), b"fine");
    js.chunk(keys[1], b"", true);
    assert_eq!(fast.content(1).unwrap(), b"");
}

#[test]
fn one_part_larger_than_the_limit_is_delivered_and_blocking_is_shown() {
    let (mut js, _, address) = listen(10_000);
    let mut client = Http2::connect(address);
    let key = open(&mut js, &mut client, 1, 0, 0);
    assert!(!is_blocked(&js, key));
    send(&mut js, &[key], &vec![b'x'; 1 << 20]);
    wait_for("it is blocked", || is_blocked(&js, key));
    js.chunk(key, b"", true);
    // Both windows, at once.
    for stream in [0, 1] {
        client.send(frame(WINDOW_UPDATE, 0, stream, &(2u32 << 20).to_be_bytes()));
    }
    assert_eq!(client.content(1).unwrap().len(), 3 + (1 << 20));
    wait_for("it is not", || !is_blocked(&js, key));
}

#[test]
fn clients_that_leave_are_told_and_get_nothing() {
    let (mut js, listener, address) = listen(10_000);
    let mut client = Http2::connect(address);
    let first = open(&mut js, &mut client, 1, 0, LIMIT);
    let second = open(&mut js, &mut client, 3, 0, LIMIT);
    client.send(frame(RST_STREAM, 0, 1, &8u32.to_be_bytes()));
    assert_eq!(js.event(), gone(first, false));
    send(&mut js, &[first, second], b"data: 1\n\n");
    assert_eq!(read(&mut client, 3, 12), b":\n\ndata: 1\n\n");
    drop(client);
    assert_eq!(js.event(), gone(second, false));
    send(&mut js, &[first, second], b"data: 2\n\n");
    wait_for("the end", || js.metric(listener, METRIC_CONNECTIONS) == 0.0);
    assert!(js.is_quiet());
}
