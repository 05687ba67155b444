//! Panics lose one connection, and running out of descriptors loses none.

mod play;

use jstime_serve::abi::*;
use play::*;

#[test]
#[cfg(feature = "fault-injection")]
fn a_panic_costs_one_connection() {
    use jstime_serve::fault;
    use jstime_serve::static_table::StaticTable;
    use std::time::Duration;

    // One after the other: points are those of the whole process.
    let mut js = JavaScript::new();
    let long = Some(Duration::from_secs(600));
    let (listener, address) = js.listen(jstime_serve::listen_plan::ListenPlan {
        idle_timeout: long,
        head_timeout: long,
        ..plan()
    });
    // The deadline that comes first is that of a connection here.
    let (hasty, hasty_address) = js.listen(jstime_serve::listen_plan::ListenPlan {
        idle_timeout: Some(Duration::from_millis(300)),
        ..plan()
    });
    let table = table(&[("/static", 200, "", b"static")]);
    js.runtime()
        .set_static(listener, StaticTable::parse(&table).unwrap());
    let mut other = Client::connect(address);
    other.get("/");
    let pending = js.request();
    let text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    for point in 0..6 {
        let is_deadline = point == 5;
        let mut client;
        if is_deadline {
            assert!(fault::set(fault::IO + point, 1));
            client = Client::connect(hasty_address);
        } else {
            client = Client::connect(address);
            // Open, before the fault is there.
            wait_for("both", || js.metric(listener, METRIC_CONNECTIONS) == 2.0);
            assert!(fault::set(fault::IO + point, 1));
            client.send(if point == 2 {
                "GET /static HTTP/1.1\r\nHost: a\r\n\r\n"
            } else {
                text
            });
        }
        if (3..5).contains(&point) {
            let request = js.request();
            if point == 4 {
                js.respond(request.key, 200, "", b"hello");
            }
            let gone = Event::Gone {
                of: request.key,
                is_deadline: false,
            };
            assert_eq!(js.event(), gone);
        }
        client.ends();
        drop(client);
        wait_for("one to end", || {
            let left = [listener, hasty].map(|id| js.metric(id, METRIC_CONNECTIONS));
            left == [1.0, 0.0]
        });
        assert!(js.is_quiet());
    }
    js.respond(pending.key, 200, "", b"still here");
    assert_eq!(other.response().text(), "still here");
    other.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"and again");
    assert_eq!(other.response().text(), "and again");
    assert_eq!(js.metric(listener, METRIC_PENDING), 0.0);
}

#[test]
fn running_out_of_descriptors_is_a_pause() {
    // The limit is the process's: this is done in another.
    if std::env::var_os("JSTIME_FEW_DESCRIPTORS").is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "running_out_of_descriptors_is_a_pause",
                "--nocapture",
            ])
            .env("JSTIME_FEW_DESCRIPTORS", "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let mut js = JavaScript::new();
    let (listener, address) = js.listen(plan());
    // Warm: everything that is opened once is open.
    let mut first = Client::connect(address);
    first.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"");
    first.response();
    let used = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    let limit = libc::rlimit {
        rlim_cur: used + 10,
        rlim_max: used + 10,
    };
    // SAFETY: it reads `limit`, and nothing else.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(result, 0);
    // A connection takes two of them here.
    let mut clients = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect(address) {
        clients.push(stream);
    }
    assert!(clients.len() > 4);
    let made = 1 + clients.len();
    first.get("/");
    let request = js.request();
    js.respond(request.key, 200, "", b"still");
    assert_eq!(first.response().text(), "still");
    let waiting = clients.pop().unwrap();
    drop(waiting);
    clients.truncate(2);
    // All were accepted, and those that have left again are gone.
    wait_for("room", || {
        let total = js.metric(listener, METRIC_CONNECTIONS_TOTAL);
        total == made as f64 && js.metric(listener, METRIC_CONNECTIONS) <= 3.0
    });
    let mut last = Client::connect(address);
    last.get("/last");
    let request = js.request();
    assert_eq!(request.target, "/last");
    js.respond(request.key, 200, "", b"recovered");
    assert_eq!(last.response().text(), "recovered");
}
