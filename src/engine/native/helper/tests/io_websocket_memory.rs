//! What an idle WebSocket costs. On its own, since the memory of a process is
//! that of all its tests.

mod play;

use std::io::Write;
use std::net::TcpStream;

use jstime_serve::abi::METRIC_BYTES_READ;
use play::web_socket::*;
use play::*;

#[test]
fn sockets_hold_little_memory() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let payload = vec![7; 10_000];
    // What is allocated once is there before.
    let mut sockets = connect(&mut js, address, &payload, 50);
    let before = resident();
    let count = 2000;
    sockets.extend(connect(&mut js, address, &payload, count));
    let each = resident().saturating_sub(before) / count;
    assert!(each < 2048, "{each} bytes");

    // Fragments that never end cost about what is in them.
    let fragments: Vec<u8> = (0..2000).flat_map(|_| frame(0x00, b"x")).collect();
    let before = resident();
    for socket in &mut sockets[..1000] {
        socket.write_all(&frame(0x02, b"x")).unwrap();
        socket.write_all(&fragments).unwrap();
    }
    let read = (50 + count) as f64 * payload.len() as f64 + 1000.0 * fragments.len() as f64;
    wait_for("all to be read", || {
        js.metric(listener, METRIC_BYTES_READ) > read
    });
    let each = resident().saturating_sub(before) / 1000;
    assert!(each < 8192, "{each} bytes");
}

/// Connects sockets that have all echoed a message.
fn connect(
    js: &mut JavaScript,
    address: std::net::SocketAddr,
    payload: &[u8],
    count: usize,
) -> Vec<TcpStream> {
    (0..count)
        .map(|_| {
            let (mut client, key) = js.socket(address, Upgrade::default());
            client.send(binary(payload));
            assert_eq!(js.next_of(key), Got::Binary(payload.to_vec()));
            js.send(key, 0, payload);
            assert_eq!(client.frame().payload, payload);
            // Without what it has read with.
            client.stream
        })
        .collect()
}

/// Bytes of memory that this process uses.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
