//! HTTP/2: streams as JavaScript sees them.

mod play;

use std::net::SocketAddr;
use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::files;
use jstime_serve::listen_plan::ListenPlan;
use jstime_serve::static_table::StaticTable;
use play::http2::*;
use play::*;

fn http2_plan() -> ListenPlan {
    ListenPlan {
        http2: true,
        ..plan()
    }
}

fn listen(js: &JavaScript) -> (u32, SocketAddr) {
    js.listen(http2_plan())
}

fn gone(of: Key) -> Event {
    Event::Gone {
        of,
        is_deadline: false,
    }
}

#[test]
fn a_stream_is_a_request() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js);
    let mut client = Http2::connect(address);
    let mut keys = Vec::new();
    for stream in [1, 3, 5] {
        client.send(head(
            stream,
            END_STREAM,
            "PURGE",
            "/a?b=c",
            &[("x-a", "b"), ("cookie", "c=1"), ("cookie", "d=2")],
        ));
        let request = js.request();
        assert_eq!(request.target, "/a?b=c");
        assert_eq!(request.host.as_deref(), Some("localhost:1"));
        assert_eq!(request.method_text, b"PURGE");
        assert_eq!(request.listener, listener);
        assert_eq!(request.family, 4);
        let port = client.stream.local_addr().unwrap().port();
        assert_eq!(request.port, port.into());
        for (name, value) in [("host", "localhost:1"), ("x-a", "b"), ("cookie", "d=2")] {
            let field = (name.to_owned(), value.to_owned());
            assert!(request.headers.contains(&field), "{name}");
        }
        assert!(request.has(REQUEST_CONTENT_COMPLETE));
        assert!(!request.has(REQUEST_HAS_CONTENT | REQUEST_UPGRADE));
        keys.push(request.key);
    }
    // In any order.
    for (stream, key) in [(3, keys[1]), (5, keys[2]), (1, keys[0])] {
        js.respond_with(key, RESPOND_NOTIFY, 200, "X-B: c\r\n", b"hello");
        assert_eq!(client.content(stream).unwrap(), b"hello");
        assert_eq!(js.event(), Event::Done { of: key });
    }
    assert_eq!(js.metric(listener, METRIC_REQUESTS), 3.0);
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
    assert_eq!(js.metric(listener, METRIC_STATUS + 100), 3.0);
    assert_eq!(js.metric(listener, METRIC_CONNECTIONS), 1.0);
    assert!(js.is_quiet());
}

#[test]
fn what_is_stale_is_ignored() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js);
    let mut client = Http2::connect(address);
    client.send(get(1, "/"));
    let first = js.request();
    client.send(frame(RST_STREAM, 0, 1, &8u32.to_be_bytes()));
    assert_eq!(js.event(), gone(first.key));
    assert_ne!(js.generation(first.key.0), first.key.1);
    client.send(get(3, "/"));
    let second = js.request();
    js.respond(first.key, 200, "", b"stale");
    js.respond_lent(first.key, b"stale");
    js.respond(second.key, 200, "", b"fresh");
    js.respond(second.key, 200, "", b"twice");
    assert_eq!(client.content(3).unwrap(), b"fresh");
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
    assert!(js.is_quiet());
}

#[test]
fn content_is_taken_at_the_speed_of_javascript() {
    let mut js = JavaScript::new();
    let (_, address) = listen(&js);
    let mut client = Http2::connect(address);
    client.send(head(1, 0, "POST", "/", &[]));
    let request = js.request();
    assert!(request.has(REQUEST_HAS_CONTENT));
    let piece = vec![7; 16 * 1024];
    // As much as the window permits.
    for _ in 0..CONTENT_WINDOW / piece.len() {
        client.send(frame(DATA, 0, 1, &piece));
    }
    js.ask_content(request.key, CONTENT_STREAM);
    let mut taken = 0;
    while taken < CONTENT_WINDOW {
        taken += js.take(request.key, 10_000).unwrap().len();
    }
    // What was taken may be sent again; the client is not told of the last part
    // before it is worth a frame.
    let mut room = 0;
    while room < CONTENT_WINDOW / 4 {
        let frame = client.next().unwrap();
        if frame.kind == WINDOW_UPDATE && frame.stream == 1 {
            room += frame.code() as usize;
        }
    }
    client.send(frame(DATA, END_STREAM, 1, b"end"));
    loop {
        match js.event() {
            Event::Content { is_end: true, .. } => break,
            Event::Content { .. } => {}
            event => panic!("{event:?}"),
        }
    }
    assert_eq!(js.take(request.key, 100).unwrap(), b"end");
    js.respond(request.key, 200, "", b"");
    assert_eq!(client.content(1).unwrap(), b"");
    assert_eq!(js.take(request.key, 100), None);
}

#[test]
fn more_than_the_window_breaks_the_stream() {
    let mut js = JavaScript::new();
    let (_, address) = listen(&js);
    let mut client = Http2::connect(address);
    client.send(head(1, 0, "POST", "/", &[]));
    let request = js.request();
    let piece = vec![7; 16 * 1024];
    for _ in 0..CONTENT_WINDOW / piece.len() + 1 {
        client.send(frame(DATA, 0, 1, &piece));
    }
    assert_eq!(js.event(), gone(request.key));
    const FLOW_CONTROL_ERROR: u32 = 3;
    assert_eq!(client.content(1), Err(FLOW_CONTROL_ERROR));
    client.send(get(3, "/"));
    let request = js.request();
    js.respond(request.key, 200, "", b"fine");
    assert_eq!(client.content(3).unwrap(), b"fine");
}

#[test]
fn a_streamed_answer_goes_as_far_as_the_client_lets_it() {
    let mut js = JavaScript::new();
    let (_, address) = listen(&js);
    let mut client = Http2::connect(address);
    client.send(get(1, "/"));
    let request = js.request();
    js.respond_stream(request.key, 0, 0);
    // All at once, so that it is never told that all of it was written.
    for _ in 0..8 {
        let words = [20_000, 0];
        js.write(COMMAND_CHUNK, 0, request.key, &words, &[&[7; 20_000]]);
    }
    js.publish();
    // The client has windows of 65,535 bytes, and does not open them.
    let mut arrived = 0;
    while arrived < 65_535 {
        let frame = client.next_of_streams().unwrap();
        arrived += if frame.kind == DATA {
            frame.payload.len()
        } else {
            0
        };
    }
    assert_eq!(arrived, 65_535);
    // Less than a portion was written: nobody needs to know.
    assert!(js.is_quiet());
    client.send(frame(WINDOW_UPDATE, 0, 0, &1000u32.to_be_bytes()));
    client.send(frame(WINDOW_UPDATE, 0, 1, &1000u32.to_be_bytes()));
    match js.event() {
        Event::Written { of, count } if of == request.key => assert_eq!(count, 66_535),
        event => panic!("{event:?}"),
    }
    for stream in [0, 1] {
        client.send(frame(WINDOW_UPDATE, 0, stream, &100_000u32.to_be_bytes()));
    }
    js.chunk(request.key, b"end", true);
    let content = client.content(1).unwrap();
    assert_eq!(arrived + content.len(), 160_003);
    assert!(content.ends_with(b"\x07end"));
}

#[test]
fn a_short_or_long_stream_breaks() {
    let mut js = JavaScript::new();
    let (_, address) = listen(&js);
    let mut client = Http2::connect(address);
    for (stream, content, is_end) in [(1, "four", true), (3, "sixsix", false)] {
        client.send(get(stream, "/"));
        let request = js.request();
        js.respond_stream(request.key, RESPOND_LENGTH_KNOWN, 5);
        js.chunk(request.key, content.as_bytes(), is_end);
        const INTERNAL_ERROR: u32 = 2;
        assert_eq!(client.content(stream), Err(INTERNAL_ERROR));
        assert_eq!(js.event(), gone(request.key));
    }
}

#[test]
fn requests_wait_for_room_in_the_ring() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js);
    let large = "v".repeat(12_000);
    let mut clients: Vec<_> = (0..3).map(|_| Http2::connect(address)).collect();
    for client in &mut clients {
        for index in 0..100 {
            let path = format!("/{index}");
            client.send(head(
                index * 2 + 1,
                END_STREAM,
                "GET",
                &path,
                &[("x", &large)],
            ));
        }
    }
    // More than the ring has room for.
    std::thread::sleep(Duration::from_millis(100));
    assert!(js.metric(listener, METRIC_REQUESTS) < 300.0);
    for _ in 0..300 {
        let request = js.request();
        js.respond(request.key, 200, "", request.target.as_bytes());
    }
    for client in &mut clients {
        let mut answered = 0;
        while answered < 100 {
            let frame = client.next_of_streams().unwrap();
            if frame.kind == DATA {
                let path = format!("/{}", frame.stream / 2);
                assert_eq!(frame.payload, path.as_bytes());
                answered += 1;
            }
        }
    }
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
    assert!(js.is_quiet());
}

#[test]
fn clients_that_leave_are_forgotten_wherever_they_are() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js);
    let large = "v".repeat(12_000);
    let mut client = Http2::connect(address);
    for index in 0..120 {
        client.send(head(
            index * 2 + 1,
            END_STREAM,
            "GET",
            "/",
            &[("x", &large)],
        ));
    }
    std::thread::sleep(Duration::from_millis(100));
    drop(client);
    wait_for("the end", || js.metric(listener, METRIC_CONNECTIONS) == 0.0);
    while let Some(event) = js.poll() {
        match event {
            Event::Request(request) => assert!(request.is_stale),
            Event::Gone { .. } => {}
            event => panic!("{event:?}"),
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
    // Whoever comes next is served.
    let mut client = Http2::connect(address);
    client.send(get(1, "/"));
    let request = js.request();
    js.respond(request.key, 200, "", b"hello");
    assert_eq!(client.content(1).unwrap(), b"hello");
}

#[test]
fn a_client_that_takes_nothing_any_more_is_cut() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(ListenPlan {
        idle_timeout: Some(Duration::from_millis(500)),
        ..http2_plan()
    });
    let mut client = Http2::connect(address);
    // It permits anything, and then reads nothing.
    let wide = (i32::MAX as u32).to_be_bytes();
    client.send(frame(SETTINGS, 0, 0, &[&[0, 4][..], &wide].concat()));
    client.send(frame(WINDOW_UPDATE, 0, 0, &(1u32 << 30).to_be_bytes()));
    client.send(get(1, "/"));
    let request = js.request();
    // More than the system keeps.
    js.respond_lent(request.key, &vec![7; 64 << 20]);
    assert_eq!(
        js.event(),
        Event::Gone {
            of: request.key,
            is_deadline: true,
        }
    );
    wait_for("the end", || js.metric(listener, METRIC_CONNECTIONS) == 0.0);
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
}

#[test]
fn files_and_static_answers() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js);
    let large = vec![b'x'; 200_000];
    let table = table(&[
        ("/static", 200, "X-A: b\r\n", b"static"),
        ("/large", 200, "", &large),
    ]);
    js.runtime()
        .set_static(listener, StaticTable::parse(&table).unwrap());
    let path = std::env::temp_dir().join(format!("jstime_http2_{}", std::process::id()));
    let content: Vec<u8> = (0..1_000_000u32).map(|at| (at * 7) as u8).collect();
    std::fs::write(&path, &content).unwrap();
    let mut client = Http2::connect(address);
    client.send(get(1, "/static?query"));
    assert_eq!(client.content(1).unwrap(), b"static");
    client.send(head(3, END_STREAM, "HEAD", "/static", &[]));
    assert_eq!(client.content(3).unwrap(), b"");
    client.send(get(5, "/large"));
    assert_eq!(client.content(5).unwrap(), large);
    client.send(get(7, "/file"));
    let request = js.request();
    let token = files::keep(0, files::open_regular(&path).unwrap());
    js.respond_file(request.key, token, 10, 999_990);
    assert_eq!(client.content(7).unwrap(), content[10..999_990]);
    // One that is shorter than was said.
    client.send(get(9, "/file"));
    let request = js.request();
    let token = files::keep(0, files::open_regular(&path).unwrap());
    js.respond_file(request.key, token, 0, 2_000_000);
    assert!(client.content(9).is_err());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(js.event(), gone(request.key));
    assert_eq!(js.metric(listener, METRIC_REQUESTS_NATIVE), 3.0);
}

#[test]
#[cfg(feature = "fault-injection")]
fn a_panic_costs_one_connection() {
    use jstime_serve::fault;

    let mut js = JavaScript::new();
    let (listener, address) = listen(&js);
    let mut other = Http2::connect(address);
    other.send(get(1, "/"));
    let pending = js.request();
    for point in [0, 1, 4] {
        let mut client = Http2::connect(address);
        client.send(get(1, "/"));
        let first = js.request();
        assert!(fault::set(fault::IO + point, 1));
        if point == 4 {
            js.respond(first.key, 200, "", b"hello");
        } else {
            client.send(get(3, "/"));
        }
        assert_eq!(js.event(), gone(first.key), "{point}");
        client.ends();
        wait_for("one to end", || {
            js.metric(listener, METRIC_CONNECTIONS) == 1.0
        });
        assert!(js.is_quiet());
    }
    js.respond(pending.key, 200, "", b"still here");
    assert_eq!(other.content(1).unwrap(), b"still here");
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
}

#[test]
fn anything_may_be_sent() {
    let mut js = JavaScript::new();
    let (listener, address) = listen(&js);
    let mut state = 0x9e37_79b9_u64;
    let mut below = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    for round in 0..300 {
        let mut client = Http2::connect(address);
        let mut bytes = Vec::new();
        let mut next = 1;
        for _ in 0..below(40) {
            let stream = match below(4) {
                0 => below(8) as u32,
                _ => next,
            };
            let piece = match below(10) {
                0..=2 => get(stream, "/"),
                3 => head(stream, 0, "POST", "/", &[("content-length", "5")]),
                4 => frame(DATA, below(2) as u8, stream, &vec![1; below(9) as usize]),
                5 => frame(RST_STREAM, 0, stream, &(below(14) as u32).to_be_bytes()),
                6 => frame(
                    WINDOW_UPDATE,
                    0,
                    stream,
                    &(below(1 << 20) as u32).to_be_bytes(),
                ),
                7 => frame(SETTINGS, 0, 0, &[0, 4, 0, 0, below(3) as u8, 0]),
                8 => frame(PING, 0, 0, &[0; 8]),
                _ => frame(
                    below(12) as u8,
                    below(256) as u8,
                    stream,
                    &[below(256) as u8; 6],
                ),
            };
            next += 2;
            bytes.extend(piece);
        }
        // Now and then something is changed on the way.
        if round % 3 == 0 && !bytes.is_empty() {
            let at = below(bytes.len() as u64) as usize;
            bytes[at] = below(256) as u8;
        }
        use std::io::Write;
        let _ = client.stream.write_all(&bytes);
        for _ in 0..below(5) {
            match js.poll() {
                Some(Event::Request(request)) if below(2) == 0 => {
                    js.respond(request.key, 200, "", b"hello");
                }
                Some(Event::Request(request)) => {
                    js.respond_stream(request.key, 0, 0);
                    js.chunk(request.key, b"hello", below(2) == 0);
                }
                Some(_) => {}
                None => std::thread::sleep(Duration::from_micros(300)),
            }
        }
        if below(2) == 0 {
            let _ = client.stream.shutdown(std::net::Shutdown::Write);
        }
    }
    wait_for("the end of all", || {
        while js.poll().is_some() {}
        js.metric(listener, METRIC_CONNECTIONS) == 0.0
    });
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
    let mut client = Http2::connect(address);
    client.send(get(1, "/"));
    let request = loop {
        if let Event::Request(request) = js.event()
            && !request.is_stale
        {
            break request;
        }
    };
    js.respond(request.key, 200, "", b"hello");
    assert_eq!(client.content(1).unwrap(), b"hello");
}
