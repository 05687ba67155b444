//! TCP connections whose bytes go to JavaScript as they are.

mod play;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use jstime_serve::abi::*;
use jstime_serve::error_name::NAME_NOT_FOUND;
use jstime_serve::io::Offer;
use jstime_serve::tcp_target::TcpTarget;
use play::tcp::*;
use play::*;
use socket2::SockRef;

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn open() -> (JavaScript, TcpStream, Key) {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(tcp_plan());
    let client = connect(address);
    let of = js.expect_tcp(EVENT_TCP_OPEN).of;
    (js, client, of)
}

/// Closing it is a reset.
fn reset(client: TcpStream) {
    SockRef::from(&client)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(client);
}

fn read_all(mut client: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Bytes that are different everywhere.
fn pattern(size: usize) -> Vec<u8> {
    (0..size)
        .map(|index| ((index as u32).wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

#[test]
fn bytes_go_both_ways() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(tcp_plan());
    let mut client = connect(address);
    let open = js.expect_tcp(EVENT_TCP_OPEN);
    assert_eq!((open.word, open.flags), (listener, 0));
    let word = |at: usize| u32::from_le_bytes(open.rest[at..at + 4].try_into().unwrap());
    let peer = client.local_addr().unwrap();
    assert_eq!(word(0), 4 | u32::from(peer.port()) << 16);
    assert_eq!(open.rest[4..8], [127, 0, 0, 1]);
    assert_eq!(word(20), 4 | u32::from(address.port()) << 16);
    let of = open.of;
    client.write_all(b"hello").unwrap();
    assert_eq!(js.tcp_data(of, 5), b"hello");
    js.tcp_write(of, b"one ");
    js.tcp_lend(of, b"two");
    js.tcp(COMMAND_TCP_CLOSE, of);
    assert_eq!(read_all(&client), b"one two");
    assert_eq!(js.delivered(of.0), 7);
    drop(client);
    let closed = js.expect_tcp(EVENT_TCP_CLOSED);
    assert_eq!((closed.of, closed.word), (of, 0));
    assert_ne!(js.generation(of.0), of.1);
}

#[test]
fn a_side_that_has_ended_can_still_receive() {
    let (mut js, mut client, of) = open();
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(js.tcp_data(of, 8), b"question");
    js.expect_tcp(EVENT_TCP_END);
    assert!(js.is_quiet());
    js.tcp_write(of, b"answer");
    js.tcp(COMMAND_TCP_SHUTDOWN, of);
    assert_eq!(read_all(&client), b"answer");
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).word, 0);

    // The other way round.
    let (mut js, mut client, of) = open();
    js.tcp_write(of, b"all");
    js.tcp(COMMAND_TCP_SHUTDOWN, of);
    assert_eq!(read_all(&client), b"all");
    client.write_all(b"thanks").unwrap();
    assert_eq!(js.tcp_data(of, 6), b"thanks");
    drop(client);
    js.expect_tcp(EVENT_TCP_END);
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).word, 0);
}

#[test]
fn after_close_everything_arrives_also_at_a_slow_reader() {
    let (mut js, mut client, of) = open();
    let bytes = pattern(24 << 20);
    for part in bytes.chunks(1 << 20) {
        js.tcp_lend(of, part);
    }
    js.tcp(COMMAND_TCP_CLOSE, of);
    // Bytes that nobody reads must not make a reset of the end.
    wait_for("the command", || {
        let tail = js.control(COMMANDS_TAIL).load(Ordering::SeqCst);
        tail == js.control(COMMANDS_HEAD).load(Ordering::SeqCst)
    });
    client.write_all(b"ignored").unwrap();
    let mut received = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = client.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        received.extend_from_slice(&buffer[..count]);
        thread::sleep(Duration::from_millis(1));
    }
    assert!(received == bytes);
    drop(client);
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).word, 0);
}

#[test]
fn drain_comes_when_everything_was_written() {
    let (mut js, client, of) = open();
    let bytes = pattern(16 << 20);
    js.tcp_lend(of, &bytes);
    js.tcp(COMMAND_TCP_ASK_DRAIN, of);
    assert!(js.is_quiet());
    assert!(js.delivered(of.0) < 16 << 20);
    let reader = thread::spawn(move || {
        let mut received = vec![0; 16 << 20];
        (&client).read_exact(&mut received).unwrap();
        received
    });
    js.expect_tcp(EVENT_TCP_DRAIN);
    assert_eq!(js.delivered(of.0), 16 << 20);
    assert!(reader.join().unwrap() == bytes);
}

#[test]
fn a_peer_whose_bytes_nobody_takes_is_held_back() {
    for is_paused in [false, true] {
        let (mut js, client, of) = open();
        if is_paused {
            js.tcp(COMMAND_TCP_PAUSE, of);
            assert!(js.is_quiet());
        }
        let bytes = pattern(32 << 20);
        client.set_nonblocking(true).unwrap();
        let mut sent = 0;
        loop {
            // JavaScript does nothing meanwhile: what is in nobody's buffers stays
            // with the client.
            match (&client).write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(100));
                    match (&client).write(&bytes[sent..]) {
                        Ok(count) => sent += count,
                        Err(_) => break,
                    }
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(sent < bytes.len(), "{sent} bytes found a place");
        client.set_nonblocking(false).unwrap();
        let rest = bytes[sent..].to_vec();
        let writer = thread::spawn(move || {
            (&client).write_all(&rest).unwrap();
            client
        });
        if is_paused {
            assert!(js.is_quiet());
            js.tcp(COMMAND_TCP_RESUME, of);
        }
        assert!(js.tcp_data(of, bytes.len()) == bytes);
        drop(writer.join().unwrap());
        js.expect_tcp(EVENT_TCP_END);
    }
}

/// What the offer says that is made when there is much to read.
fn next_offer(js: &mut JavaScript, of: Key) -> Offer {
    js.takes_offers = false;
    loop {
        match js.event() {
            Event::Tcp(event) if event.kind == EVENT_TCP_READABLE => {
                return Offer {
                    connection: of.0,
                    generation: of.1,
                    number: event.word,
                };
            }
            Event::Tcp(event) => assert_eq!(event.kind, EVENT_TCP_DATA),
            event => panic!("{event:?} instead of an offer"),
        }
    }
}

#[test]
fn an_offer_stands_once_and_until_the_next() {
    let (mut js, client, of) = open();
    let sent = pattern(8 << 20);
    let writer = thread::spawn(move || (&client).write_all(&sent).unwrap());
    let runtime = js.runtime();
    let mut bytes = vec![0; 64 * 1024];
    // The thread may be in a turn, in which something else has arrived.
    let mut read = |offer: &Offer| {
        loop {
            match runtime.read_tcp(0, offer, &mut bytes) {
                Err(libc::EBUSY) => thread::yield_now(),
                result => return result,
            }
        }
    };
    let first = next_offer(&mut js, of);
    assert!(js.is_quiet(), "nothing is read meanwhile");
    let other = Offer {
        generation: of.1.wrapping_add(1),
        ..first
    };
    assert_eq!(read(&other), Err(libc::EAGAIN));
    assert!(read(&first).unwrap() > 0);
    assert_eq!(read(&first), Err(libc::EAGAIN));

    let second = next_offer(&mut js, of);
    assert_ne!(second.number, first.number);
    js.tcp(COMMAND_TCP_PAUSE, of);
    js.tcp(COMMAND_TCP_RESUME, of);
    let third = next_offer(&mut js, of);
    assert_eq!(read(&second), Err(libc::EAGAIN));
    js.command(COMMAND_TCP_READ, 0, of, &[second.number], &[]);
    assert!(js.is_quiet(), "this one does not stand either");
    assert!(read(&third).unwrap() > 0);

    let fourth = next_offer(&mut js, of);
    js.tcp(COMMAND_TCP_TERMINATE, of);
    js.expect_tcp(EVENT_TCP_CLOSED);
    assert_eq!(read(&fourth), Err(libc::EAGAIN));
    assert!(writer.join().is_err());
}

#[test]
fn a_hundred_megabytes_come_back_as_they_were() {
    const SIZE: usize = 100 << 20;
    let (mut js, client, of) = open();
    let bytes = pattern(SIZE);
    let sent = bytes.clone();
    let reading = client.try_clone().unwrap();
    let writer = thread::spawn(move || (&client).write_all(&sent).unwrap());
    let reader = thread::spawn(move || {
        let mut received = vec![0; SIZE];
        (&reading).read_exact(&mut received).unwrap();
        received
    });
    let mut echoed = 0;
    while echoed < SIZE {
        let event = js.expect_tcp(EVENT_TCP_DATA);
        echoed += event.rest.len();
        if event.rest.len() % 2 == 0 {
            js.tcp_lend(of, &event.rest);
        } else {
            js.tcp_write(of, &event.rest);
        }
    }
    writer.join().unwrap();
    assert!(reader.join().unwrap() == bytes);
}

#[test]
fn resets_at_any_moment_are_told_once() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(tcp_plan());
    let big = pattern(300_000);
    for round in 0..120 {
        let mut client = connect(address);
        let of = js.expect_tcp(EVENT_TCP_OPEN).of;
        match round % 6 {
            0 => {}
            1 => client.write_all(b"x").unwrap(),
            2 => js.tcp_lend(of, &big),
            3 => {
                js.tcp_lend(of, &big);
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
            }
            4 => js.tcp(COMMAND_TCP_PAUSE, of),
            _ => {
                client.shutdown(Shutdown::Write).unwrap();
                js.expect_tcp(EVENT_TCP_END);
            }
        }
        reset(client);
        if round % 6 == 4 {
            js.tcp(COMMAND_TCP_RESUME, of);
        }
        if round % 6 == 5 {
            // Otherwise nobody asks.
            js.tcp_write(of, b"x");
        }
        let closed = loop {
            let event = js.tcp_event();
            assert_eq!(event.of, of);
            match event.kind {
                EVENT_TCP_DATA => assert_eq!(event.rest, b"x"),
                EVENT_TCP_END => {}
                _ => break event,
            }
        };
        assert_eq!(closed.kind, EVENT_TCP_CLOSED, "round {round}");
        let errno = closed.word as i32;
        assert!(
            [libc_errno("ECONNRESET"), libc_errno("EPIPE")].contains(&errno),
            "round {round}: {errno}"
        );
    }
    assert!(js.is_quiet());
}

fn libc_errno(name: &str) -> i32 {
    (1..200)
        .find(|number| jstime_serve::error_name::error_name(*number) == Some(name))
        .unwrap()
}

#[test]
fn terminate_is_a_reset() {
    let (mut js, mut client, of) = open();
    js.tcp_write(of, b"some");
    js.tcp(COMMAND_TCP_TERMINATE, of);
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).word, 0);
    let mut buffer = [0; 16];
    let error = loop {
        match client.read(&mut buffer) {
            Ok(count) => assert_ne!(count, 0, "an end"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    // Too late, and harmless.
    js.tcp_lend(of, b"late");
    js.tcp(COMMAND_TCP_CLOSE, of);
    assert!(js.is_quiet());
}

#[test]
fn what_arrives_after_shutdown_read_is_thrown_away() {
    let (mut js, mut client, of) = open();
    js.tcp(COMMAND_TCP_SHUTDOWN_READ, of);
    assert!(js.is_quiet());
    client.write_all(&pattern(8 << 20)).unwrap();
    js.tcp_write(of, b"still there");
    js.tcp(COMMAND_TCP_SHUTDOWN, of);
    assert_eq!(read_all(&client), b"still there");
    drop(client);
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).word, 0);
}

#[test]
fn a_listener_that_stops_keeps_its_connections() {
    let (mut js, mut client, of) = open();
    js.runtime().stop(0, true);
    assert!(TcpStream::connect(client.peer_addr().unwrap()).is_err());
    client.write_all(b"on").unwrap();
    assert_eq!(js.tcp_data(of, 2), b"on");
    js.tcp(COMMAND_TCP_CLOSE, of);
    assert_eq!(read_all(&client), b"");
    drop(client);
    js.expect_tcp(EVENT_TCP_CLOSED);
    assert_eq!(js.event(), Event::Stopped { listener: 0 });
}

#[test]
fn connections_are_made() {
    let mut js = JavaScript::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Of the addresses of the name only one may answer.
    let targets = [
        TcpTarget::Addresses(vec![address]),
        TcpTarget::Host("localhost".to_owned(), address.port()),
    ];
    for (attempt, target) in targets.into_iter().enumerate() {
        js.tcp_connect(attempt as u32, target);
        let (mut server, _) = listener.accept().unwrap();
        let open = js.expect_tcp(EVENT_TCP_OPEN);
        assert_eq!((open.word, open.flags), (attempt as u32, TCP_CONNECTED));
        server.write_all(b"banner").unwrap();
        // The program does not have it yet.
        assert!(js.is_quiet());
        js.tcp(COMMAND_TCP_RESUME, open.of);
        assert_eq!(js.tcp_data(open.of, 6), b"banner");
        js.tcp_write(open.of, b"bye");
        js.tcp(COMMAND_TCP_CLOSE, open.of);
        assert_eq!(read_all(&server), b"bye");
        drop(server);
        js.expect_tcp(EVENT_TCP_CLOSED);
    }
}

#[test]
fn connections_are_refused() {
    let mut js = JavaScript::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let nowhere = "/nonexistent/socket".as_bytes().to_vec();
    let nobody = b"\0nobody listens here".to_vec();
    let cases = [
        (TcpTarget::Addresses(vec![address, address]), "ECONNREFUSED"),
        (TcpTarget::Unix(nowhere), "ENOENT"),
        (TcpTarget::Unix(nobody), "ECONNREFUSED"),
        (TcpTarget::Unix(b"a\0b".to_vec()), "EINVAL"),
    ];
    for (attempt, (target, name)) in cases.into_iter().enumerate() {
        js.tcp_connect(attempt as u32, target);
        let refused = js.expect_tcp(EVENT_TCP_REFUSED);
        assert_eq!(refused.word, attempt as u32);
        assert_eq!(refused.rest, libc_errno(name).to_le_bytes());
    }
    js.tcp_connect(9, TcpTarget::Failed(NAME_NOT_FOUND));
    let refused = js.expect_tcp(EVENT_TCP_REFUSED);
    assert_eq!(refused.rest, NAME_NOT_FOUND.to_le_bytes());
}

#[test]
fn an_address_that_does_not_answer_does_not_hold_up_the_next() {
    let mut js = JavaScript::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Its queue is full, so that it does not answer: nobody accepts.
    let silent = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    silent.bind(&any.into()).unwrap();
    silent.listen(0).unwrap();
    let deaf = silent.local_addr().unwrap().as_socket().unwrap();
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let socket =
                socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            let _ = socket.connect(&deaf.into());
            socket
        })
        .collect();
    js.tcp_connect(1, TcpTarget::Addresses(vec![deaf, address]));
    let open = js.expect_tcp(EVENT_TCP_OPEN);
    assert_eq!(open.rest[2..4], address.port().to_le_bytes());
    drop(waiting);
}

#[test]
fn thousands_of_connections_come_and_go_while_javascript_sleeps() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(tcp_plan());
    for _ in 0..2_000 {
        let mut client = connect(address);
        client.write_all(&[7; 2_000]).unwrap();
        reset(client);
    }
    // Those that JavaScript was told of all end, and nobody else is there.
    let mut open = 0;
    let mut seen = 0;
    loop {
        match js.poll() {
            Some(Event::Tcp(event)) if event.kind == EVENT_TCP_OPEN => {
                open += 1;
                seen += 1;
            }
            Some(Event::Tcp(event)) if event.kind == EVENT_TCP_CLOSED => open -= 1,
            Some(_) => {}
            None if js.metric(listener, METRIC_CONNECTIONS) == 0.0 && js.is_quiet() => break,
            None => thread::sleep(Duration::from_millis(1)),
        }
    }
    assert_eq!(open, 0);
    assert!(seen > 0);
}

#[test]
fn a_peer_that_never_ends_is_cut_when_everything_was_sent() {
    let (mut js, mut client, of) = open();
    js.tcp_write(of, b"all");
    js.tcp(COMMAND_TCP_CLOSE, of);
    assert_eq!(read_all(&client), b"all");
    assert!(js.is_quiet());
    assert_eq!(js.expect_tcp(EVENT_TCP_CLOSED).word, 0);
    // The first byte is answered by a reset.
    client.write_all(b"x").unwrap();
    let until = std::time::Instant::now() + DEADLINE;
    while client.write_all(b"x").is_ok() {
        assert!(std::time::Instant::now() < until);
        thread::sleep(Duration::from_millis(1));
    }
}
