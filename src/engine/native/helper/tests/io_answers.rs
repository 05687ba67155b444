//! Streamed answers and files.

mod play;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::files;
use jstime_serve::listen_plan::ListenPlan;
use jstime_serve::runtime;
use play::*;

fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|number| ((number * 7) >> 2) as u8).collect()
}

/// A file that is removed when it is dropped.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("jstime-io-{name}-{}", std::process::id()));
        File::create(&path).unwrap().write_all(content).unwrap();
        Self { path }
    }

    fn token(&self) -> u32 {
        files::keep(runtime::owner(), files::open_regular(&self.path).unwrap())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_stream_goes_out_as_chunks() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    for round in 0..2 {
        client.get("/");
        let request = js.request();
        js.respond_stream(request.key, 0, 0);
        let mut written = 0;
        for part in ["first", "second", ""] {
            js.chunk(request.key, part.as_bytes(), false);
            if !part.is_empty() {
                let Event::Written { of, count } = js.event() else {
                    panic!("no credit");
                };
                assert_eq!(of, request.key);
                written += count;
            }
        }
        assert_eq!(written, 11);
        if round == 0 {
            js.chunk(request.key, b"third", true);
        } else {
            js.chunk(request.key, b"third", false);
            js.chunk(request.key, b"", true);
        }
        let response = client.response();
        assert_eq!(response.header("transfer-encoding"), Some("chunked"));
        assert_eq!(response.text(), "firstsecondthird");
        while js.poll().is_some() {}
    }
}

#[test]
fn a_slow_reader_stops_its_producer() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    js.respond_stream(request.key, 0, 0);
    let chunk = pattern(STREAM_WINDOW);
    let mut given = 0u64;
    let mut credited = 0u64;
    // Only as much as is asked for.
    for _ in 0..100 {
        while given - credited < STREAM_WINDOW as u64 {
            js.chunk_lent(request.key, &chunk);
            given += chunk.len() as u64;
        }
        std::thread::sleep(Duration::from_millis(5));
        while let Some(event) = js.poll() {
            if let Event::Written { count, .. } = event {
                credited += u64::from(count);
            }
        }
    }
    assert!(credited < given, "there is no end to what it takes");
    assert!(given < 40_000_000);
    js.chunk(request.key, b"end", true);
    let response = client.response();
    assert!(!response.is_truncated);
    assert_eq!(response.content.len() as u64, given + 3);
    assert!(response.content.ends_with(b"end"));
    assert!(response.content.chunks(chunk.len()).next().unwrap() == chunk);
}

#[test]
fn every_byte_of_a_stream_is_credited() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    for (request_line, flags, length) in [
        ("GET / HTTP/1.1", 0, 0),
        ("GET / HTTP/1.1", RESPOND_LENGTH_KNOWN, 10_000_000),
        ("HEAD / HTTP/1.1", 0, 0),
        ("GET / HTTP/1.0", 0, 0),
    ] {
        client.send(format!("{request_line}\r\nHost: a\r\n\r\n"));
        let request = js.request();
        js.respond_stream(request.key, flags, length);
        let mut stream = client.stream.try_clone().unwrap();
        let is_head = request_line.starts_with("HEAD");
        let reader = std::thread::spawn(move || {
            use std::io::Read;
            let mut count = 0;
            let mut buffer = [0; 65536];
            while !is_head && count < 10_000_000 {
                count += stream.read(&mut buffer).unwrap();
            }
            count
        });
        let content = pattern(99_990);
        let mut given = 0u64;
        let mut credited = 0u64;
        for _ in 0..100 {
            js.chunk_lent(request.key, &content);
            js.chunk(request.key, &content[..10], false);
            given += 100_000;
            while given - credited > STREAM_WINDOW as u64 {
                if let Event::Written { count, .. } = js.event() {
                    credited += u64::from(count);
                }
            }
        }
        while credited < given {
            let Event::Written { count, .. } = js.event() else {
                panic!("no credit");
            };
            credited += u64::from(count);
        }
        assert_eq!(credited, given);
        js.chunk(request.key, b"", true);
        if !is_head {
            assert!(reader.join().unwrap() >= 10_000_000);
        }
        client = Client::connect(address);
        while !js.is_quiet() {}
    }
}

#[test]
fn a_stream_of_known_length_must_have_it() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    for (parts, content, is_truncated) in [
        (&["hello"][..], "hello", false),
        (&["he", "llo"][..], "hello", false),
        (&["hell"][..], "hell", true),
        (&["hello", "!"][..], "hello", false),
    ] {
        let mut client = Client::connect(address);
        client.get("/");
        let request = js.request();
        js.respond_stream(request.key, RESPOND_LENGTH_KNOWN, 5);
        for (index, part) in parts.iter().enumerate() {
            js.chunk(request.key, part.as_bytes(), index == parts.len() - 1);
            std::thread::sleep(Duration::from_millis(20));
        }
        let response = client.response();
        assert_eq!(response.header("content-length"), Some("5"));
        assert_eq!(response.text(), content);
        assert_eq!(response.is_truncated, is_truncated);
        if parts.concat() != "hello" {
            client.ends();
        }
        while js.poll().is_some() {}
    }
}

#[test]
fn aborting_a_stream_is_seen_by_the_client() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    js.write(COMMAND_RESPOND_STREAM, 0, request.key, &[200, 0, 0, 0], &[]);
    js.write(COMMAND_CHUNK, 0, request.key, &[5, 0], &[b"first"]);
    js.write(COMMAND_ABORT, 0, request.key, &[], &[]);
    js.publish();
    let response = client.response();
    assert_eq!(response.text(), "first");
    assert!(response.is_truncated);

    // Without any framing a reset has to tell.
    let mut client = Client::connect(address);
    client.send("GET / HTTP/1.0\r\n\r\n");
    while js
        .poll()
        .is_none_or(|event| !matches!(event, Event::Request(_)))
    {}
    let of = (request.key.0, js.generation(request.key.0));
    js.respond_stream(of, 0, 0);
    js.chunk(of, b"first", false);
    let mut buffer = [0; 1000];
    use std::io::Read;
    while !buffer.windows(5).any(|part| part == b"first") {
        let _ = client.stream.read(&mut buffer).unwrap();
    }
    js.command(COMMAND_ABORT, 0, of, &[], &[]);
    let error = client.stream.read(&mut buffer).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_stream_that_nobody_reads_is_cut() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(ListenPlan {
        idle_timeout: Some(Duration::from_millis(300)),
        ..plan()
    });
    let content = pattern(20_000_000);
    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    js.respond_with_content(request.key, &content);
    assert_eq!(
        js.event(),
        Event::Gone {
            of: request.key,
            is_deadline: true
        }
    );
    assert_eq!(js.metric(listener, METRIC_TIMEOUTS), 1.0);
    assert!(client.response().is_truncated);
}

#[test]
fn files_are_sent_whole_and_in_parts() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    let content = pattern(10 << 20);
    let file = Temporary::new("whole", &content);
    let before = open_descriptors();
    let size = content.len() as u64;
    for (start, end) in [
        (0, size),
        (0, 0),
        (0, 1),
        (5, 5),
        (1, 4096),
        (0, 32 * 1024),
        (0, 32 * 1024 + 1),
        (7, 100_007),
        (size - 1, size),
        (size, size),
        (12_345, size - 12_345),
    ] {
        client.get("/");
        let request = js.request();
        js.respond_file(request.key, file.token(), start, end);
        let response = client.response();
        assert_eq!(response.status, 200);
        assert!(
            response.content == content[start as usize..end as usize],
            "{start} to {end}"
        );
    }
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    let request = js.request();
    js.respond_file(request.key, file.token(), 0, size);
    let response = client.response_to("HEAD");
    assert_eq!(response.header("content-length"), Some("10485760"));
    client.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"next");
    assert_eq!(client.response().text(), "next");
    // Start behind end, and no such file.
    client.get("/");
    let request = js.request();
    js.respond_file(request.key, file.token(), 5, 4);
    assert_eq!(client.response().status, 500);
    client.get("/");
    let request = js.request();
    js.respond_file(request.key, 12_345_678, 0, 4);
    assert_eq!(client.response().status, 500);
    // Other tests open sockets meanwhile, so only many would be a leak.
    wait_for("all files to be closed", || {
        open_descriptors() < before + 10
    });
}

#[test]
fn a_file_that_becomes_shorter_aborts_its_response() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let content = pattern(20 << 20);
    for size in [4096, content.len()] {
        let file = Temporary::new("shorter", &content[..size]);
        let token = file.token();
        let mut client = Client::connect(address);
        client.get("/");
        let request = js.request();
        if size == 4096 {
            File::options()
                .write(true)
                .open(&file.path)
                .unwrap()
                .set_len(100)
                .unwrap();
        }
        js.respond_file(request.key, token, 0, size as u64);
        if size == 4096 {
            client.ends();
        } else {
            std::thread::sleep(Duration::from_millis(50));
            File::options()
                .write(true)
                .open(&file.path)
                .unwrap()
                .set_len(10 << 20)
                .unwrap();
            let response = client.response();
            assert!(response.is_truncated);
            assert!(response.content.len() >= 1 << 20);
            let length = response.content.len();
            assert!(response.content == content[..length]);
        }
        assert_eq!(
            js.event(),
            Event::Gone {
                of: request.key,
                is_deadline: false
            }
        );
    }
}

#[test]
fn a_file_that_is_replaced_or_deleted_is_sent_as_it_was() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let content = pattern(10 << 20);
    for replaces in [false, true] {
        let file = Temporary::new("replaced", &content);
        let mut client = Client::connect(address);
        client.get("/");
        let request = js.request();
        js.respond_file(request.key, file.token(), 0, content.len() as u64);
        std::thread::sleep(Duration::from_millis(30));
        if replaces {
            let other = Temporary::new("other", b"other");
            std::fs::rename(&other.path, &file.path).unwrap();
        } else {
            std::fs::remove_file(&file.path).unwrap();
        }
        assert!(client.response().content == content);
    }
}

#[test]
fn files_share_the_thread() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let content = pattern(10 << 20);
    let file = Temporary::new("shared", &content);
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let mut client = Client::connect(address);
            client.get("/file");
            std::thread::spawn(move || client.response().content)
        })
        .collect();
    for _ in 0..readers.len() {
        let request = js.request();
        js.respond_file(request.key, file.token(), 0, content.len() as u64);
    }
    let mut client = Client::connect(address);
    for _ in 0..20 {
        client.get("/");
        let request = js.request();
        js.respond(request.key, 200, "", b"between");
        assert_eq!(client.response().text(), "between");
    }
    for reader in readers {
        assert!(reader.join().unwrap() == content);
    }
}
