//! Static answers, clients that leave, stopping, and faults of the system.

mod play;

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jstime_serve::abi::*;
use jstime_serve::listen_plan::{Address, ListenPlan};
use jstime_serve::runtime;
use jstime_serve::static_table::StaticTable;
use play::*;

fn set_static(js: &JavaScript, listener: u32, table: &[u8]) {
    assert!(
        js.runtime()
            .set_static(listener, StaticTable::parse(table).unwrap())
    );
}

#[test]
fn static_answers_need_no_javascript() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let large = vec![b'x'; 300_000];
    set_static(
        &js,
        listener,
        &table(&[
            ("/", 200, "Content-Type: text/plain\r\n", b"hello"),
            ("/large", 200, "", &large),
            ("/none", 204, "", b""),
        ]),
    );
    let mut client = Client::connect(address);
    client.get("/?query");
    let response = client.response();
    assert_eq!(response.text(), "hello");
    assert_eq!(response.header("content-type"), Some("text/plain"));
    client.get("/large");
    assert!(client.response().content == large);
    client.get("/none");
    assert_eq!(client.response().status, 204);
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        client.response_to("HEAD").header("content-length"),
        Some("5")
    );
    // Content that comes along is dropped, now or later.
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nGET / H");
    assert_eq!(client.response().text(), "hello");
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n");
    assert_eq!(client.response().text(), "hello");
    client.send("GET / HGET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.response().content == large);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.response().header("connection"), Some("close"));
    client.ends();
    assert!(js.is_quiet());
    assert_eq!(js.metric(listener, METRIC_REQUESTS_NATIVE), 8.0);

    let mut client = Client::connect(address);
    set_static(&js, listener, &table(&[("/", 200, "", b"other")]));
    client.get("/");
    assert_eq!(client.response().text(), "other");
    client.get("/large");
    assert_eq!(js.request().target, "/large");
}

#[test]
fn ten_thousand_pipelined_requests_are_answered_in_order() {
    let js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let content = [b'x'; 1000];
    set_static(&js, listener, &table(&[("/", 200, "", &content)]));
    let mut client = Client::connect(address);
    let count = 10_000;
    let mut stream = client.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        for number in 0..count {
            let line = format!("GET /?{number} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            stream.write_all(line.as_bytes()).unwrap();
        }
    });
    // The client does not read: the server stops reading, too.
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..count {
        let response = client.response();
        assert_eq!(response.content, content);
    }
    sender.join().unwrap();
    assert_eq!(js.metric(listener, METRIC_REQUESTS), f64::from(count));
    assert!(client.is_quiet());
}

#[test]
fn ten_thousand_pipelined_requests_reach_javascript_in_order() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    let count = 10_000;
    let mut stream = client.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let all: String = (0..count)
            .map(|number| format!("GET /{number} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            .collect();
        stream.write_all(all.as_bytes()).unwrap();
    });
    let reader = std::thread::spawn(move || {
        for number in 0..count {
            assert_eq!(client.response().text(), format!("/{number}"));
        }
    });
    for _ in 0..count {
        let request = js.request();
        js.respond(request.key, 200, "", request.target.as_bytes());
    }
    sender.join().unwrap();
    reader.join().unwrap();
}

#[test]
fn static_files_are_opened_for_each_request() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let path = std::env::temp_dir().join(format!("jstime-io-static-{}", std::process::id()));
    let mut bytes = 1u32.to_le_bytes().to_vec();
    let name = path.to_str().unwrap();
    entry(
        &mut bytes,
        "/file",
        STATIC_FILE,
        200,
        "Content-Type: a/b\r\n",
        name.as_bytes(),
    );
    set_static(&js, listener, &bytes);
    let mut client = Client::connect(address);
    for content in [&b"hello"[..], &[b'x'; 500_000], b""] {
        std::fs::write(&path, content).unwrap();
        client.get("/file");
        let response = client.response();
        assert!(response.content == content);
        assert_eq!(response.header("content-type"), Some("a/b"));
        assert!(response.header("last-modified").is_some());
    }
    for field in [
        "Range: bytes=0-1",
        "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    ] {
        client.send(format!("GET /file HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n"));
        let request = js.request();
        js.respond(request.key, 200, "", b"JavaScript");
        assert_eq!(client.response().text(), "JavaScript");
    }
    std::fs::remove_file(&path).unwrap();
    client.get("/file");
    let request = js.request();
    js.respond(request.key, 404, "", b"");
    assert_eq!(client.response().status, 404);
}

#[test]
fn health_and_metrics_are_answered_while_javascript_is_busy() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(ListenPlan {
        health_route: b"/healthz".to_vec(),
        metrics_route: b"/metrics".to_vec(),
        ..plan()
    });
    let mut client = Client::connect(address);
    client.get("/healthz?a");
    assert_eq!(client.response().status, 200);
    client.send("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.response_to("HEAD").status, 200);
    client.send("POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(client.response().status, 200);

    // JavaScript does not look: its heartbeat stops.
    std::thread::sleep(Duration::from_millis(800));
    client.get("/healthz");
    let response = client.response();
    assert_eq!((response.status, response.text()), (503, "stalled\n"));
    client.get("/metrics");
    let response = client.response();
    assert!(
        response
            .header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    assert!(
        response
            .text()
            .contains("jstime_http_requests_native_total 4"),
        "{}",
        response.text()
    );
    assert!(js.metric(listener, METRIC_STALL_NOW) >= 100.0);

    // It looks again.
    let until = Instant::now() + Duration::from_millis(300);
    while Instant::now() < until {
        js.poll();
    }
    client.get("/healthz");
    assert_eq!(client.response().status, 200);
    assert!(js.metric(listener, METRIC_STALL_SUM) >= 100.0);
    let values = js.runtime().metrics(listener).unwrap();
    let slow: f64 = values[METRIC_STALLS + 5..METRIC_STATUS].iter().sum();
    assert!(slow >= 1.0, "{:?}", &values[METRIC_STALLS..METRIC_STATUS]);
    wait_for("the stall to be over", || {
        js.poll();
        js.metric(listener, METRIC_STALL_NOW) == 0.0
    });
}

#[test]
fn a_half_closed_client_gets_its_answers() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.get("/1");
    client.get("/2");
    client.half_close();
    for number in ["1", "2"] {
        let request = js.request();
        assert!(!request.is_stale);
        std::thread::sleep(Duration::from_millis(10));
        js.respond(request.key, 200, "", number.as_bytes());
    }
    assert_eq!(client.response().text(), "1");
    assert_eq!(client.response().text(), "2");
    client.ends();
}

#[test]
fn javascript_is_told_when_a_client_leaves() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    drop(client);
    assert_eq!(
        js.event(),
        Event::Gone {
            of: request.key,
            is_deadline: false
        }
    );
    js.respond(request.key, 200, "", b"late");
    wait_for("the end", || js.metric(listener, METRIC_CONNECTIONS) == 0.0);
    while js.poll().is_some() {}

    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    client.reset();
    assert_eq!(
        js.event(),
        Event::Gone {
            of: request.key,
            is_deadline: false
        }
    );
    assert_ne!(js.generation(request.key.0), request.key.1);
    assert_eq!(js.metric(listener, METRIC_CONNECTIONS), 0.0);
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
}

#[test]
fn requests_of_clients_that_have_left_never_enter_javascript() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let clients: Vec<Client> = (0..10)
        .map(|_| {
            let mut client = Client::connect(address);
            client.get("/");
            client
        })
        .collect();
    wait_for("all to wait", || js.metric(listener, METRIC_QUEUE) == 10.0);
    // They give up after a while, politely.
    std::thread::sleep(Duration::from_millis(60));
    drop(clients);
    wait_for("all to end", || {
        js.metric(listener, METRIC_CONNECTIONS) == 0.0
    });
    for _ in 0..10 {
        assert!(js.request().is_stale);
    }
}

#[test]
fn stopping_waits_for_what_is_pending() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let mut silent = Client::connect(address);
    let mut idle = Client::connect(address);
    idle.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"");
    assert_eq!(idle.response().status, 200);
    let mut pending = Client::connect(address);
    pending.get("/pending");
    let request = js.request();
    // Sent before, read after.
    let mut late = Client::connect(address);
    late.get("/late");

    assert!(js.runtime().stop(listener, false));
    silent.ends();
    idle.ends();
    let late_request = js.request();
    assert_eq!(late_request.target, "/late");
    assert!(
        std::net::TcpStream::connect(address).is_err(),
        "it still listens"
    );
    assert!(js.is_quiet(), "it is not stopped");
    js.respond(late_request.key, 200, "", b"late");
    js.respond(request.key, 200, "", b"pending");
    for (client, text) in [(&mut late, "late"), (&mut pending, "pending")] {
        let response = client.response();
        assert_eq!(response.text(), text);
        assert_eq!(response.header("connection"), Some("close"));
        client.ends();
    }
    assert_eq!(js.event(), Event::Stopped { listener });
    assert!(!js.runtime().stop(listener, false));
}

#[test]
fn stopping_by_force_waits_for_nothing() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let mut half = Client::connect(address);
    half.send("GET / HTTP/1.1\r\nHost");
    let mut pending = Client::connect(address);
    pending.get("/");
    let request = js.request();
    assert!(js.runtime().stop(listener, false));
    assert!(js.is_quiet());
    assert!(js.runtime().stop(listener, true));
    assert_eq!(
        js.event(),
        Event::Gone {
            of: request.key,
            is_deadline: false
        }
    );
    assert_eq!(js.event(), Event::Stopped { listener });
    half.ends();
    pending.ends();
    js.respond(request.key, 200, "", b"late");
    assert!(js.is_quiet());
}

#[test]
fn a_head_that_never_ends_does_not_keep_a_listener() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(ListenPlan {
        idle_timeout: None,
        head_timeout: None,
        ..plan()
    });
    let mut half = Client::connect(address);
    half.send("GET / HTTP/1.1\r\nHost");
    std::thread::sleep(Duration::from_millis(50));
    js.runtime().stop(listener, false);
    assert_eq!(js.event(), Event::Stopped { listener });
    assert_eq!(half.response().status, 408);
}

#[test]
fn idle_connections_are_closed_on_demand() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let mut idle: Vec<Client> = (0..3).map(|_| Client::connect(address)).collect();
    for client in &mut idle {
        client.get("/");
        let request = js.request();
        js.respond(request.key, 200, "", b"");
        client.response();
    }
    let mut busy = Client::connect(address);
    busy.get("/");
    let request = js.request();
    assert_eq!(js.runtime().close_idle(listener), Some(3));
    for client in &mut idle {
        client.ends();
    }
    assert_eq!(js.runtime().close_idle(listener), Some(0));
    js.respond(request.key, 200, "", b"busy");
    assert_eq!(busy.response().text(), "busy");
    assert_eq!(js.runtime().close_idle(listener), Some(1));
}

#[test]
fn several_listeners_of_one_handle() {
    let mut js = JavaScript::new();
    let (one, address) = js.listen(plan());
    let (two, other_address) = js.listen(plan());
    for (listener, address) in [(one, address), (two, other_address)] {
        let mut client = Client::connect(address);
        client.get("/");
        let request = js.request();
        assert_eq!(request.listener, listener);
        js.respond(request.key, 200, "", b"");
        assert_eq!(client.response().status, 200);
    }
    js.runtime().stop(one, true);
    loop {
        if js.event() == (Event::Stopped { listener: one }) {
            break;
        }
    }
    let mut client = Client::connect(other_address);
    client.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"still");
    assert_eq!(client.response().text(), "still");
}

#[test]
fn unix_sockets_have_no_address() {
    let mut js = JavaScript::new();
    let name = format!("\0jstime-io-{}", std::process::id());
    let runtime = js.runtime();
    let (listener, _) = runtime
        .listen(ListenPlan {
            address: Address::Unix(name.clone().into_bytes()),
            ..plan()
        })
        .unwrap();
    use std::os::linux::net::SocketAddrExt;
    let address =
        std::os::unix::net::SocketAddr::from_abstract_name(&name.as_bytes()[1..]).unwrap();
    let mut stream = std::os::unix::net::UnixStream::connect_addr(&address).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let request = js.request();
    assert_eq!(request.family, 0);
    js.respond(request.key, 200, "", b"hello");
    let mut buffer = [0; 1000];
    let count = stream.read(&mut buffer).unwrap();
    assert!(buffer[..count].ends_with(b"hello"));
    // It sends, leaves, and was served nevertheless.
    let mut stream = std::os::unix::net::UnixStream::connect_addr(&address).unwrap();
    stream
        .write_all(b"GET /left HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    drop(stream);
    assert_eq!(js.request().target, "/left");
    js.runtime().stop(listener, true);
}

#[test]
fn javascript_that_sleeps_is_woken_once() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    js.control(JS_SLEEPS).store(1, Ordering::SeqCst);
    let mut client = Client::connect(address);
    client.get("/");
    wait_for("the doorbell", || {
        js.control(JS_SLEEPS).load(Ordering::SeqCst) == 0
    });
    let mut bytes = [0; 10];
    assert_eq!(js.doorbell().read(&mut bytes).unwrap(), 1);
    let request = js.request();
    js.respond(request.key, 200, "", b"");
    assert_eq!(client.response().status, 200);
}

#[test]
fn everything_ends_with_javascript() {
    let js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.get("/");
    js.doorbell().shutdown(std::net::Shutdown::Both).unwrap();
    client.ends();
    wait_for("the handle to go", || runtime::find(js.handle).is_none());
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn several_threads_share_the_connections() {
    let handle = runtime::open(3).unwrap();
    let runtime: Arc<runtime::Runtime> = runtime::find(handle).unwrap();
    let (listener, address) = runtime.listen(plan()).unwrap();
    runtime.set_static(
        listener,
        StaticTable::parse(&table(&[("/", 200, "", b"hello")])).unwrap(),
    );
    let mut clients: Vec<Client> = (0..9).map(|_| Client::connect(address.unwrap())).collect();
    for client in &mut clients {
        client.get("/");
        assert_eq!(client.response().text(), "hello");
    }
    assert_eq!(runtime.metrics(listener).unwrap()[METRIC_CONNECTIONS], 9.0);
    assert_eq!(runtime.close_idle(listener), Some(9));
    for client in &mut clients {
        client.ends();
    }
    assert!(runtime.stop(listener, false));
    wait_for("it to stop", || runtime.metrics(listener).is_none());
    drop(runtime);
    runtime::close(handle);
}

#[test]
fn a_client_may_reset_at_any_moment() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let text = b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for cut in 0..=text.len() {
        let mut client = Client::connect(address);
        client.send(&text[..cut]);
        if cut % 3 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        if cut % 2 == 0 {
            client.reset();
        } else {
            drop(client);
        }
        while let Some(event) = js.poll() {
            if let Event::Request(request) = event {
                js.respond(request.key, 200, "", b"hello");
            }
        }
    }
    wait_for("all to end", || {
        while let Some(event) = js.poll() {
            if let Event::Request(request) = event {
                js.respond(request.key, 200, "", b"hello");
            }
        }
        js.metric(listener, METRIC_CONNECTIONS) == 0.0
    });
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
    let mut client = Client::connect(address);
    client.get("/last");
    // One of those that left may be the last to be accepted.
    loop {
        let request = js.request();
        js.respond(request.key, 200, "", b"hello");
        if request.target == "/last" {
            break;
        }
    }
    assert_eq!(client.response().text(), "hello");
}
