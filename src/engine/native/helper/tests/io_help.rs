//! JavaScript's thread carries out commands while the I/O thread sleeps.

mod play;

use std::thread::yield_now;

use jstime_serve::abi::*;
#[cfg(feature = "fault-injection")]
use jstime_serve::fault;
use play::*;

fn wait_until_asleep(js: &JavaScript) {
    while !js.io_sleeps() {
        yield_now();
    }
}

#[test]
fn commands_are_carried_out_when_the_call_returns() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    for round in 0..200 {
        client.get(&format!("/{round}"));
        let request = js.request();
        wait_until_asleep(&js);
        js.write(
            COMMAND_RESPOND,
            0,
            request.key,
            &[200, 0, 5, 0],
            &[b"hello"],
        );
        js.show();
        js.help();
        // The thread may have woken meanwhile, and then does it by itself.
        while !js.is_read() {
            yield_now();
        }
        assert_eq!(client.response().text(), "hello");
    }
}

#[test]
fn a_thread_that_is_helped_keeps_its_deadlines() {
    let mut js = JavaScript::new();
    let mut plan = plan();
    plan.idle_timeout = None;
    let (_, address) = js.listen(plan);
    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    wait_until_asleep(&js);
    // Nothing was due before: the thread sleeps until it is told.
    js.write(COMMAND_TIMEOUT, 0, request.key, &[100], &[]);
    js.show();
    js.help();
    assert_eq!(
        js.event(),
        Event::Gone {
            of: request.key,
            is_deadline: true
        }
    );
    client.ends();
}

#[test]
#[cfg(feature = "fault-injection")]
fn a_panic_of_the_helping_thread_ends_the_other() {
    let mut js = JavaScript::new();
    let (_, address) = js.listen(plan());
    let mut client = Client::connect(address);
    client.get("/");
    let request = js.request();
    wait_until_asleep(&js);
    assert!(fault::set(fault::IO + 8, 1));
    js.write(
        COMMAND_RESPOND,
        0,
        request.key,
        &[200, 0, 5, 0],
        &[b"hello"],
    );
    js.show();
    js.help();
    js.doorbell_ends();
    client.ends();
}
