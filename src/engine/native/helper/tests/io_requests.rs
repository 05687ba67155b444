//! Requests and whole answers.

mod play;

use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::files;
use play::*;

#[test]
fn hello() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let mut client = Client::connect(address);
    for number in 0..3 {
        client.send("GET /a?b=c HTTP/1.1\r\nHost: localhost:1\r\nX-A: b\r\nAccept: */*\r\n\r\n");
        let request = js.request();
        assert_eq!(request.target, "/a?b=c");
        assert_eq!(request.host.as_deref(), Some("localhost:1"));
        assert_eq!(request.method, METHOD_GET);
        assert_eq!(request.listener, listener);
        assert_eq!(request.family, 4);
        assert_eq!(request.address[..4], [127, 0, 0, 1]);
        let port = client.stream.local_addr().unwrap().port();
        assert_eq!(request.port, port.into());
        assert!(
            request
                .headers
                .contains(&("x-a".to_owned(), "b".to_owned()))
        );
        assert!(request.has(REQUEST_CONTENT_COMPLETE));
        assert!(!request.has(REQUEST_HAS_CONTENT));
        assert_eq!(request.has(REQUEST_TARGET_DEFINED), number == 0);
        js.respond(request.key, 200, "X-B: c\r\n", b"hello");
        let response = client.response();
        assert_eq!(response.status, 200);
        assert_eq!(response.header("X-B"), Some("c"));
        assert!(response.header("date").is_some());
        assert_eq!(response.header("connection"), None);
        assert_eq!(response.text(), "hello");
    }
    assert_eq!(js.metric(listener, METRIC_REQUESTS), 3.0);
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
    assert_eq!(js.metric(listener, METRIC_STATUS + 100), 3.0);
    assert_eq!(js.metric(listener, METRIC_CONNECTIONS), 1.0);
    assert!(js.is_quiet());
}

#[test]
fn head_and_statuses_without_content_have_none() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    let request = js.request();
    js.respond(request.key, 200, "", b"hello");
    let response = client.response_to("HEAD");
    assert_eq!(response.header("content-length"), Some("5"));
    for status in [204, 304] {
        client.get("/");
        let request = js.request();
        js.respond(request.key, status, "", b"hello");
        assert_eq!(client.response().header("content-length"), None);
    }
    client.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"next");
    assert_eq!(client.response().text(), "next");
}

#[test]
fn pipelined_requests_are_answered_in_order_one_at_a_time() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    let count = 100;
    let mut all = String::new();
    for number in 0..count {
        all += &format!("GET /{number} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    client.send(all);
    for number in 0..count {
        let request = js.request();
        assert_eq!(request.target, format!("/{number}"));
        if number == 3 {
            assert!(js.is_quiet(), "two requests of a connection at a time");
        }
        js.respond(request.key, 200, "", number.to_string().as_bytes());
    }
    for number in 0..count {
        assert_eq!(client.response().text(), number.to_string());
    }
}

#[test]
fn requests_arrive_whole_however_they_are_cut() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    let text = b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
    for cut in 1..text.len() {
        client.send(&text[..cut]);
        client.send(&text[cut..]);
        let request = js.request();
        assert_eq!(js.content(&request), b"hello", "cut at {cut}");
        assert!(request.has(REQUEST_HAS_CONTENT));
        js.respond(request.key, 200, "", b"");
        assert_eq!(client.response().status, 200);
    }
}

#[test]
fn large_content_is_answered_without_loss() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    let content: Vec<u8> = (0..8_000_000u32)
        .map(|number| ((number * 31) >> 3) as u8)
        .collect();
    client.get("/");
    client.get("/next");
    let request = js.request();
    let token = js.respond_lent(request.key, &content);
    assert!(js.is_quiet(), "the next one waits until the client reads");
    let response = client.response();
    assert!(response.content == content);
    let request = js.request();
    assert_eq!(request.target, "/next");
    js.respond(request.key, 200, "", b"");
    assert_eq!(client.response().status, 200);
    assert!(js.runtime().metrics(0).unwrap()[METRIC_BYTES_WRITTEN] > 8e6);
    let _ = token;
}

#[test]
fn done_is_told_to_who_wants_to_know() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    js.respond_with(request.key, RESPOND_NOTIFY, 200, "", b"hello");
    assert_eq!(js.event(), Event::Done { of: request.key });
    assert_eq!(client.response().text(), "hello");
}

#[test]
fn connections_close_when_either_side_says_so() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let request = js.request();
    js.respond(request.key, 200, "", b"1");
    assert_eq!(client.response().header("connection"), Some("close"));
    client.ends();

    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    js.respond_with(request.key, RESPOND_CLOSE, 200, "", b"2");
    assert_eq!(client.response().header("connection"), Some("close"));
    client.ends();

    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    js.respond(request.key, 200, "Connection: close\r\n", b"3");
    assert_eq!(client.response().header("connection"), Some("close"));
    client.ends();

    let mut client = Client::connect(address);
    client.send("GET / HTTP/1.0\r\n\r\n");
    let request = js.request();
    assert!(request.has(REQUEST_HTTP_1_0));
    assert_eq!(request.host, None);
    js.respond(request.key, 200, "", b"4");
    assert_eq!(client.response().text(), "4");
    client.ends();
}

#[test]
fn broken_answers_become_500() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    for lines in ["X-A: b\r\nX\r\n", "X-A: b\rc\r\n", ": a\r\n", "X-A: b"] {
        client.get("/");
        let request = js.request();
        js.respond(request.key, 200, lines, b"hello");
        let response = client.response();
        assert_eq!((response.status, response.text()), (500, ""), "{lines:?}");
    }
    client.get("/");
    let request = js.request();
    js.respond(request.key, 100, "", b"hello");
    assert_eq!(client.response().status, 500);
    client.get("/");
    let request = js.request();
    js.command(COMMAND_RESPOND, 0, request.key, &[200, 1 << 30, 5, 0], &[]);
    assert_eq!(client.response().status, 500);
}

#[test]
fn stale_commands_do_nothing_but_free_their_tokens() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.get("/1");
    let first = js.request();
    js.respond(first.key, 200, "", b"1");
    assert_eq!(client.response().text(), "1");
    client.get("/2");
    let second = js.request();
    assert_eq!(first.key.0, second.key.0);

    js.respond(first.key, 200, "", b"stale");
    let lent = js.respond_lent(first.key, &[0; 100_000]);
    let path = std::env::temp_dir().join(format!("jstime-stale-{}", std::process::id()));
    std::fs::write(&path, b"stale").unwrap();
    let file = files::keep(runtime_owner(), files::open_regular(&path).unwrap());
    js.respond_file(first.key, file, 0, 5);
    js.chunk(first.key, b"stale", true);
    js.command(COMMAND_ABORT, 0, first.key, &[], &[]);
    for key in [(77, 1), (u32::MAX, 0), (first.key.0, second.key.1 + 1)] {
        js.respond(key, 200, "", b"nobody's");
    }
    // Of a kind that there is not.
    js.command(99, 0, second.key, &[1, 2, 3], &[]);

    js.respond(second.key, 200, "", b"2");
    assert_eq!(client.response().text(), "2");
    // Answered once is enough.
    js.respond(second.key, 200, "", b"again");
    assert!(client.is_quiet());
    assert!(files::get(file).is_none());
    let _ = lent;
    std::fs::remove_file(path).unwrap();
}

fn runtime_owner() -> files::Owner {
    jstime_serve::runtime::owner()
}

#[test]
fn malformed_requests_are_refused_and_closed() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let refused = [
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n",
            413,
        ),
    ];
    for (text, status) in refused {
        let mut client = Client::connect(address);
        client.send(text);
        let response = client.response();
        assert_eq!(response.status, status, "{text:?}");
        assert_eq!(response.header("connection"), Some("close"));
        client.ends();
    }
    let mut client = Client::connect(address);
    client.send("GET / HTTP/1.1\r\nX-A: ");
    client.send([b'a'; 100_000]);
    assert_eq!(client.response().status, 431);
    client.ends();
    assert!(js.is_quiet(), "none of it concerns JavaScript");
    drop(client);
    wait_for("all connections to end", || {
        js.metric(listener, METRIC_CONNECTIONS) == 0.0
    });
}

#[test]
fn an_answer_before_a_refusal_is_delivered() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n");
    let request = js.request();
    js.respond(request.key, 200, "", b"first");
    assert_eq!(client.response().text(), "first");
    assert_eq!(client.response().status, 400);
    client.ends();
}

#[test]
fn more_requests_than_may_wait_are_shed() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(jstime_serve::listen_plan::ListenPlan {
        max_pending: 2,
        ..plan()
    });
    let mut waiting: Vec<Client> = (0..2).map(|_| Client::connect(address)).collect();
    for client in &mut waiting {
        client.get("/");
    }
    wait_for("both to wait", || js.metric(listener, METRIC_QUEUE) == 2.0);
    let mut shed = Client::connect(address);
    shed.get("/");
    let response = shed.response();
    assert_eq!(response.status, 503);
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(response.header("connection"), None);
    assert_eq!(js.metric(listener, METRIC_REQUESTS_SHED), 1.0);
    for _ in 0..2 {
        let request = js.request();
        js.respond(request.key, 200, "", b"");
    }
    // There is room again, on the same connection.
    shed.get("/again");
    let request = js.request();
    assert_eq!(request.target, "/again");
    js.respond(request.key, 200, "", b"");
    assert_eq!(shed.response().status, 200);
    for client in &mut waiting {
        assert_eq!(client.response().status, 200);
    }
}

#[test]
fn a_full_ring_holds_requests_back_and_loses_none() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(jstime_serve::listen_plan::ListenPlan {
        max_pending: 1000,
        ..plan()
    });
    let count = 100;
    let content = [b'x'; 30_000];
    let mut clients: Vec<Client> = (0..count).map(|_| Client::connect(address)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(format!(
            "POST /{number} HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n"
        ));
        client.send(content);
    }
    // More than fits into the ring.
    wait_for("the ring to be full", || {
        js.control(EVENTS_BLOCKED)
            .load(std::sync::atomic::Ordering::SeqCst)
            == 1
    });
    assert!(js.metric(listener, METRIC_PENDING) < count as f64);
    let mut seen = vec![false; count];
    for _ in 0..count {
        let request = js.request();
        // It may have come later than its head.
        assert!(request.content.is_empty() || request.content == content);
        let number: usize = request.target[1..].parse().unwrap();
        assert!(!std::mem::replace(&mut seen[number], true));
        js.respond(request.key, 200, "", b"");
    }
    for client in &mut clients {
        assert_eq!(client.response().status, 200);
    }
}

#[test]
fn many_connections_at_once() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let clients = std::thread::spawn(move || {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                std::thread::spawn(move || {
                    for _ in 0..20 {
                        let mut clients: Vec<Client> =
                            (0..10).map(|_| Client::connect(address)).collect();
                        for _ in 0..5 {
                            for client in &mut clients {
                                client.get("/hello");
                            }
                            for client in &mut clients {
                                assert_eq!(client.response().text(), "hello");
                            }
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    js.serve_hello(|| clients.is_finished());
    clients.join().unwrap();
    assert_eq!(js.metric(listener, METRIC_REQUESTS), 8000.0);
    wait_for("all connections to end", || {
        js.metric(listener, METRIC_CONNECTIONS) == 0.0
    });
}

#[test]
fn connections_beyond_the_limit_are_closed() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(jstime_serve::listen_plan::ListenPlan {
        max_connections: 2,
        ..plan()
    });
    let mut first = Client::connect(address);
    let second = Client::connect(address);
    wait_for("both", || js.metric(listener, METRIC_CONNECTIONS) == 2.0);
    Client::connect(address).ends();
    assert_eq!(js.metric(listener, METRIC_CONNECTIONS_REFUSED), 1.0);
    drop(second);
    wait_for("one to end", || {
        js.metric(listener, METRIC_CONNECTIONS) == 1.0
    });
    let mut third = Client::connect(address);
    for client in [&mut first, &mut third] {
        client.get("/");
        let request = js.request();
        js.respond(request.key, 200, "", b"");
        assert_eq!(client.response().status, 200);
    }
}

#[test]
fn a_quiet_connection_is_closed_and_a_dripped_head_is_cut() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(jstime_serve::listen_plan::ListenPlan {
        idle_timeout: Some(Duration::from_millis(600)),
        head_timeout: Some(Duration::from_millis(800)),
        ..plan()
    });
    Client::connect(address).ends();

    let mut client = Client::connect(address);
    let mut dripping = client.stream.try_clone().unwrap();
    let dripper = std::thread::spawn(move || {
        use std::io::Write;
        // Each byte is progress, and yet it is too slow.
        for byte in b"GET /".iter().chain([b'a'; 1000].iter()) {
            if dripping.write_all(&[*byte]).is_err() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    });
    assert_eq!(client.response().status, 408);
    client.ends();
    drop(client);
    assert!(dripper.join().unwrap(), "it was never cut");
    assert_eq!(js.metric(listener, METRIC_TIMEOUTS), 1.0);
    assert!(js.is_quiet());
}

#[test]
fn a_request_that_nobody_answers_is_cut() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(jstime_serve::listen_plan::ListenPlan {
        idle_timeout: Some(Duration::from_millis(300)),
        ..plan()
    });
    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    assert_eq!(
        js.event(),
        Event::Gone {
            of: request.key,
            is_deadline: true
        }
    );
    client.ends();
    assert_ne!(js.generation(request.key.0), request.key.1);
    assert_eq!(js.metric(listener, METRIC_TIMEOUTS), 1.0);
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);

    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    js.command(COMMAND_TIMEOUT, 0, request.key, &[0], &[]);
    std::thread::sleep(Duration::from_millis(900));
    js.respond(request.key, 200, "", b"slow");
    assert_eq!(client.response().text(), "slow");
}

#[test]
fn who_is_held_back_and_leaves_takes_no_place() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(jstime_serve::listen_plan::ListenPlan {
        max_pending: 60,
        ..plan()
    });
    let content = [b'x'; 30_000];
    let send = |client: &mut Client| {
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n");
        client.send(content);
    };
    let mut clients: Vec<Client> = (0..60).map(|_| Client::connect(address)).collect();
    clients.iter_mut().for_each(send);
    wait_for("the ring to be full", || {
        js.control(EVENTS_BLOCKED)
            .load(std::sync::atomic::Ordering::SeqCst)
            == 1
    });
    let mut shed = Client::connect(address);
    wait_for("all to wait", || {
        shed.get("/");
        shed.response().status == 503
    });
    let in_ring = js.metric(listener, METRIC_QUEUE);
    assert!(in_ring < 60.0);
    for client in clients {
        client.reset();
    }
    wait_for("them to end", || {
        js.metric(listener, METRIC_CONNECTIONS) == 1.0
    });
    shed.get("/");
    // Those in the ring still count, those held back do not.
    let mut stale = 0.0;
    let request = loop {
        match js.event() {
            Event::Request(request) if request.is_stale => stale += 1.0,
            Event::Request(request) => break request,
            event => assert!(matches!(event, Event::Gone { .. }), "{event:?}"),
        }
    };
    assert_eq!(stale, in_ring);
    js.respond(request.key, 200, "", b"");
    assert_eq!(shed.response().status, 200);
}
