//! A panic costs one TCP connection.
#![cfg(feature = "fault-injection")]

mod play;

use std::io::{Read, Write};
use std::net::TcpStream;

use jstime_serve::abi::*;
use jstime_serve::error_name::error_name;
use jstime_serve::fault;
use play::tcp::*;
use play::*;

#[test]
fn a_panic_costs_one_connection() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(tcp_plan());
    let mut other = TcpStream::connect(address).unwrap();
    let kept = js.expect_tcp(EVENT_TCP_OPEN).of;
    for point in [40, 41] {
        let mut client = TcpStream::connect(address).unwrap();
        let of = js.expect_tcp(EVENT_TCP_OPEN).of;
        assert!(js.is_quiet());
        assert!(fault::set(fault::IO + point, 1));
        if point == 40 {
            client.write_all(b"x").unwrap();
        } else {
            js.tcp_write(of, b"x");
        }
        let closed = js.expect_tcp(EVENT_TCP_CLOSED);
        assert_eq!(closed.of, of);
        assert_eq!(error_name(closed.word as i32), Some("EIO"));
        assert!(!matches!(client.read(&mut [0; 8]), Ok(count) if count > 0));
        other.write_all(b"here").unwrap();
        assert_eq!(js.tcp_data(kept, 4), b"here");
        js.tcp_write(kept, b"too");
        let mut answer = [0; 3];
        other.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"too");
    }
}
