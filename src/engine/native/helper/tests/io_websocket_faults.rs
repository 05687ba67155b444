//! A panic over a WebSocket costs that one.
#![cfg(feature = "fault-injection")]

mod play;

use jstime_serve::abi::*;
use jstime_serve::fault;
use play::web_socket::*;
use play::*;

#[test]
fn a_panic_costs_one_socket() {
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    let (mut other, other_key) = js.socket(address, Upgrade::default());
    for point in [fault::IO + 6, fault::IO + 7] {
        let (mut client, key) = js.socket(address, Upgrade::default());
        client.send(text("works"));
        assert_eq!(js.next_of(key), Got::Text("works".into()));
        assert!(fault::set(point, 1));
        if point == fault::IO + 6 {
            client.send(text("lost"));
        } else {
            js.send(key, SEND_TEXT, b"lost");
        }
        assert_eq!(js.next_of(key), Got::Closed(1006, "".into()));
        client.ends();
    }
    assert!(js.is_quiet());
    other.send(text("still here"));
    assert_eq!(js.next_of(other_key), Got::Text("still here".into()));
    js.send(other_key, SEND_TEXT, b"so am I");
    assert_eq!(other.frame(), Frame::text("so am I"));
    assert_eq!(js.metric(listener, METRIC_CONNECTIONS), 1.0);
}
