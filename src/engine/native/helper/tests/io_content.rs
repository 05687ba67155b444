//! Request content that does not arrive with its head.

mod play;

use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::listen_plan::ListenPlan;
use play::*;

fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|number| ((number * 7) >> 2) as u8).collect()
}

/// Takes content as JavaScript does, until the end.
fn take_all(js: &mut JavaScript, of: Key) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        match js.event() {
            Event::Content {
                of: found,
                waiting,
                is_end,
            } => {
                assert_eq!(found, of);
                assert!(waiting as usize <= CONTENT_WINDOW);
                while let taken = js.take(of, 10_000).unwrap()
                    && !taken.is_empty()
                {
                    content.extend(taken);
                }
                if is_end {
                    return content;
                }
            }
            event => panic!("{event:?}"),
        }
    }
}

#[test]
fn an_upload_is_streamed() {
    for is_chunked in [false, true] {
        let mut js = JavaScript::new();
        let (_, address) = js.listen(plan());
        let mut client = Client::connect(address);
        let content = pattern(3_000_000);
        let mut stream = client.stream.try_clone().unwrap();
        let sent = content.clone();
        let sender = std::thread::spawn(move || {
            use std::io::Write;
            if is_chunked {
                stream.write_all(CHUNKED.as_bytes()).unwrap();
                for chunk in sent.chunks(77_777) {
                    write!(stream, "{:x};a=b\r\n", chunk.len()).unwrap();
                    stream.write_all(chunk).unwrap();
                    stream.write_all(b"\r\n").unwrap();
                }
                stream.write_all(b"0\r\nX-A: b\r\n\r\n").unwrap();
            } else {
                stream.write_all(post(sent.len()).as_bytes()).unwrap();
                stream.write_all(&sent).unwrap();
            }
        });
        let request = js.request();
        assert!(request.has(REQUEST_HAS_CONTENT) && !request.has(REQUEST_CONTENT_COMPLETE));
        assert_eq!(request.has(REQUEST_LENGTH_KNOWN), !is_chunked);
        assert_eq!(request.declared, if is_chunked { 0 } else { 3_000_000 });
        assert!(js.is_quiet(), "nobody has asked");
        js.ask_content(request.key, CONTENT_STREAM);
        assert!(take_all(&mut js, request.key) == content);
        sender.join().unwrap();
        js.respond(request.key, 200, "", b"done");
        assert_eq!(client.response().text(), "done");
        // It is forgotten, and the connection goes on.
        wait_for("it to be forgotten", || js.take(request.key, 1).is_none());
        client.get("/");
        let request = js.request();
        js.respond(request.key, 200, "", b"next");
        assert_eq!(client.response().text(), "next");
    }
}

#[test]
fn an_upload_is_gathered() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    let content = pattern(1_000_000);
    client.send(post(content.len()));
    let request = js.request();
    js.ask_content(request.key, CONTENT_GATHER);
    client.send(&content[..600_000]);
    assert!(js.is_quiet(), "it is not complete");
    client.send(&content[600_000..]);
    assert_eq!(
        js.event(),
        Event::Content {
            of: request.key,
            waiting: 1_000_000,
            is_end: true
        }
    );
    assert!(js.take(request.key, 2_000_000).unwrap() == content);
    js.respond(request.key, 200, "", b"");
    assert_eq!(client.response().status, 200);
}

#[test]
fn the_sender_is_held_back_until_content_is_taken() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.send(post(20_000_000));
    let request = js.request();
    client.stream.set_nonblocking(true).unwrap();
    let mut sent = 0;
    loop {
        use std::io::Write;
        match client.stream.write(&[b'x'; 65536]) {
            Ok(count) => sent += count,
            Err(_) => {
                std::thread::sleep(Duration::from_millis(100));
                if client.stream.write(b"x").is_err() {
                    break;
                }
                sent += 1;
            }
        }
        assert!(sent < 19_000_000, "nobody holds it back");
    }
    let read = js.metric(listener, METRIC_BYTES_READ);
    assert!(read < 2.0 * CONTENT_WINDOW as f64, "{read} bytes were read");
    js.ask_content(request.key, CONTENT_STREAM);
    let Event::Content {
        waiting,
        is_end: false,
        ..
    } = js.event()
    else {
        panic!("no content");
    };
    assert_eq!(waiting as usize, CONTENT_WINDOW);
    let taken = js.take(request.key, 1 << 20).unwrap();
    assert_eq!(taken.len(), CONTENT_WINDOW);
    assert!(matches!(js.event(), Event::Content { is_end: false, .. }));
}

#[test]
fn small_chunked_content_comes_with_its_head() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.send(format!(
        "{CHUNKED}5\r\nhello\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n"
    ));
    let request = js.request();
    assert_eq!(request.content, b"hello");
    assert!(request.has(REQUEST_CONTENT_COMPLETE));
    js.respond(request.key, 200, "", b"");
    let request = js.request();
    assert_eq!(request.target, "/next");
    js.respond(request.key, 200, "", b"");
    assert_eq!(client.response().status, 200);
    assert_eq!(client.response().status, 200);
}

#[test]
fn content_that_is_late_does_not_keep_its_request_back() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.send(post(10));
    client.send("hello");
    let request = js.request();
    assert!(!request.has(REQUEST_CONTENT_COMPLETE));
    js.ask_content(request.key, CONTENT_STREAM);
    assert_eq!(
        js.event(),
        Event::Content {
            of: request.key,
            waiting: 5,
            is_end: false
        }
    );
    assert_eq!(js.take(request.key, 99).unwrap(), b"hello");
    client.send("world");
    assert_eq!(
        js.event(),
        Event::Content {
            of: request.key,
            waiting: 5,
            is_end: true
        }
    );
    assert_eq!(js.take(request.key, 99).unwrap(), b"world");
    assert_eq!(js.take(request.key, 99).unwrap(), b"");
    js.respond(request.key, 200, "", b"");
    assert_eq!(client.response().status, 200);
}

#[test]
fn continue_is_sent_when_content_is_asked_for() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    client.send(head);
    let request = js.request();
    assert!(client.is_quiet(), "nobody has asked");
    js.ask_content(request.key, CONTENT_GATHER);
    assert_eq!(client.response().status, 100);
    client.send("hello");
    assert!(matches!(js.event(), Event::Content { is_end: true, .. }));
    js.respond(request.key, 200, "", b"");
    assert_eq!(client.response().status, 200);

    // The final response says it all; what follows would be ambiguous.
    client.send(head);
    let request = js.request();
    js.respond(request.key, 403, "", b"");
    let response = client.response();
    assert_eq!(response.status, 403);
    assert_eq!(response.header("connection"), Some("close"));
    client.send("hello");
    client.ends();

    let mut client = Client::connect(address);
    client.send(head.replace("1.1", "1.0"));
    let request = js.request();
    js.ask_content(request.key, CONTENT_GATHER);
    assert!(client.is_quiet(), "HTTP/1.0 knows no 100");
    client.send("hello");
    js.event();
    js.respond(request.key, 200, "", b"");
    assert_eq!(client.response().status, 200);
}

#[test]
fn more_chunks_than_allowed_are_refused() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(ListenPlan {
        max_content: 10,
        ..plan()
    });
    // All at once, JavaScript never sees it.
    let mut client = Client::connect(address);
    client.send(format!("{CHUNKED}b\r\nhello world\r\n0\r\n\r\n"));
    assert_eq!(client.response().status, 413);
    client.ends();
    // Exactly as much as allowed.
    let mut client = Client::connect(address);
    client.send(format!("{CHUNKED}a\r\nhello worl\r\n0\r\n\r\n"));
    let request = js.request();
    assert_eq!(request.content, b"hello worl");
    js.respond(request.key, 200, "", b"");
    assert_eq!(client.response().status, 200);
    // Later, JavaScript is told.
    client.send(CHUNKED);
    let request = js.request();
    js.ask_content(request.key, CONTENT_STREAM);
    client.send("b\r\nhello world\r\n");
    let failed = Event::ContentFailed {
        of: request.key,
        status: 413,
    };
    loop {
        match js.event() {
            Event::Content {
                waiting, is_end, ..
            } => assert!(waiting <= 10 && !is_end),
            event => {
                assert_eq!(event, failed);
                break;
            }
        }
    }
    js.respond(request.key, 413, "", b"");
    let response = client.response();
    assert_eq!(response.status, 413);
    assert_eq!(response.header("connection"), Some("close"));
    client.ends();
}

#[test]
fn broken_chunks_fail() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.send(CHUNKED);
    let request = js.request();
    client.send("5\r\nhelloworld\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        js.event(),
        Event::ContentFailed {
            of: request.key,
            status: 400
        }
    );
    js.respond(request.key, 400, "", b"");
    assert_eq!(client.response().header("connection"), Some("close"));
    client.ends();
    assert!(js.is_quiet(), "no second request");
}

#[test]
fn content_that_breaks_off_fails() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    for (head, answers) in [
        (post(100_000), true),
        (post(9), true),
        (post(9), false),
        (CHUNKED.to_owned() + "5\r\n", true),
    ] {
        let mut client = Client::connect(address);
        client.send(head);
        client.send("half");
        client.half_close();
        let request = js.request();
        assert!(!request.is_stale);
        let of = request.key;
        assert_eq!(js.event(), Event::ContentFailed { of, status: 400 });
        if answers {
            js.respond(of, 400, "", b"");
        }
        let gone = Event::Gone {
            of,
            is_deadline: false,
        };
        assert_eq!(js.event(), gone);
        client.ends();
    }
}

#[test]
fn unread_content_that_is_little_is_dropped() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    for (head, content) in [
        (post(100_000), pattern(100_000)),
        (
            CHUNKED.to_owned(),
            [b"186a0\r\n", &pattern(100_000)[..], b"\r\n0\r\n\r\n"].concat(),
        ),
    ] {
        client.send(head);
        let request = js.request();
        js.respond(request.key, 200, "", b"early");
        let response = client.response();
        assert_eq!(response.header("connection"), None);
        assert_eq!(response.text(), "early");
        client.send(content);
        client.get("/next");
        let request = js.request();
        assert_eq!(request.target, "/next");
        js.respond(request.key, 200, "", b"");
        assert_eq!(client.response().status, 200);
    }
}

#[test]
fn unread_content_that_is_much_ends_the_connection_softly() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.send(post(10_000_000));
    client.send([b'x'; 300_000]);
    let request = js.request();
    js.respond(request.key, 200, "", b"early");
    client.send([b'x'; 300_000]);
    let response = client.response();
    assert_eq!(response.header("connection"), Some("close"));
    assert_eq!(response.text(), "early");
    client.ends();
    drop(client);
    wait_for("the end", || js.metric(listener, METRIC_CONNECTIONS) == 0.0);
}

#[test]
fn slow_content_is_cut() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(ListenPlan {
        min_content_rate: 1000,
        ..plan()
    });
    let mut client = Client::connect(address);
    client.send(post(1_000_000));
    let request = js.request();
    js.ask_content(request.key, CONTENT_GATHER);
    let mut stream = client.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        use std::io::Write;
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    assert_eq!(
        js.event(),
        Event::Gone {
            of: request.key,
            is_deadline: true
        }
    );
    client.ends();
    sender.join().unwrap();
    assert_eq!(js.metric(listener, METRIC_TIMEOUTS), 1.0);
}

#[test]
fn a_client_that_waits_for_its_turn_is_not_slow() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(ListenPlan {
        min_content_rate: 1_000_000_000,
        ..plan()
    });
    let mut client = Client::connect(address);
    client.send(post(1_000_000));
    client.send(vec![b'x'; 700_000]);
    let request = js.request();
    // The window is full, and nobody takes.
    std::thread::sleep(Duration::from_secs(6));
    js.respond(request.key, 200, "", b"patient");
    assert_eq!(client.response().text(), "patient");
}
