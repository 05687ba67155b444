use super::*;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

fn tcp(host: &str, port: u16) -> Address {
    Address::Tcp {
        host: host.to_owned(),
        port,
        reuse_port: false,
        ipv6_only: false,
    }
}

fn failure(address: &Address) -> i32 {
    listen(address)
        .err()
        .expect("it listens")
        .raw_os_error()
        .expect("no number")
}

/// A directory that is removed with everything in it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let name = format!("jstime-bind-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> PathBuf {
        self.0.join("socket")
    }

    fn address(&self) -> Address {
        Address::Unix(self.path().as_os_str().as_bytes().to_vec())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn the_system_chooses_a_port() {
    let (_socket, address) = listen(&tcp("127.0.0.1", 0)).unwrap();
    let address = address.unwrap();
    assert_ne!(address.port(), 0);
    TcpStream::connect(address).unwrap();
    assert_eq!(failure(&tcp("127.0.0.1", address.port())), libc::EADDRINUSE);
}

#[test]
fn a_port_is_free_when_its_socket_is_dropped() {
    let (socket, address) = listen(&tcp("127.0.0.1", 0)).unwrap();
    let address = address.unwrap();
    // A connection that this end closes first leaves a trace for a minute.
    let client = TcpStream::connect(address).unwrap();
    let ListenKind::Tcp(listener) = &socket.socket else {
        panic!("not TCP")
    };
    drop(listener.accept().unwrap());
    drop((client, socket));
    listen(&tcp("127.0.0.1", address.port())).unwrap();
}

#[test]
fn names_are_looked_up() {
    let (_socket, address) = listen(&tcp("localhost", 0)).unwrap();
    assert!(address.unwrap().ip().is_loopback());
    assert_eq!(failure(&tcp("192.0.2.1", 0)), libc::EADDRNOTAVAIL);
    assert_eq!(failure(&tcp("no.such.name.invalid", 0)), NAME_NOT_FOUND);
    assert_eq!(failure(&tcp("a\0b", 0)), NAME_NOT_FOUND);
}

#[test]
fn a_port_can_be_shared_by_those_who_all_ask_for_it() {
    let share = |port| Address::Tcp {
        host: "127.0.0.1".to_owned(),
        port,
        reuse_port: true,
        ipv6_only: false,
    };
    let (_one, address) = listen(&share(0)).unwrap();
    let port = address.unwrap().port();
    let _two = listen(&share(port)).unwrap();
    assert_eq!(failure(&tcp("127.0.0.1", port)), libc::EADDRINUSE);
}

#[test]
fn ipv6_takes_ipv4_unless_it_is_told_not_to() {
    let any = |ipv6_only| Address::Tcp {
        host: "::".to_owned(),
        port: 0,
        reuse_port: false,
        ipv6_only,
    };
    let Ok((_both, address)) = listen(&any(false)) else {
        return; // A machine without IPv6.
    };
    TcpStream::connect(("127.0.0.1", address.unwrap().port())).unwrap();
    let (_one, address) = listen(&any(true)).unwrap();
    TcpStream::connect(("127.0.0.1", address.unwrap().port())).unwrap_err();
    TcpStream::connect(("::1", address.unwrap().port())).unwrap();
}

#[test]
fn a_socket_file_goes_with_its_socket() {
    let directory = Directory::new("own");
    let (socket, address) = listen(&directory.address()).unwrap();
    assert!(address.is_none());
    UnixStream::connect(directory.path()).unwrap();
    assert_eq!(failure(&directory.address()), libc::EADDRINUSE);
    assert!(directory.path().exists(), "removed by who failed");
    drop(socket);
    assert!(!directory.path().exists());
    listen(&directory.address()).unwrap();
}

#[test]
fn files_of_others_stay() {
    let directory = Directory::new("others");
    fs::write(directory.path(), "precious").unwrap();
    assert_eq!(failure(&directory.address()), libc::EADDRINUSE);
    fs::remove_file(directory.path()).unwrap();

    let (socket, _) = listen(&directory.address()).unwrap();
    fs::rename(directory.path(), directory.0.join("moved")).unwrap();
    fs::write(directory.path(), "precious").unwrap();
    drop(socket);
    assert_eq!(fs::read(directory.path()).unwrap(), b"precious");
    fs::remove_file(directory.path()).unwrap();

    // A socket that nobody listens at any more.
    drop(std::os::unix::net::UnixListener::bind(directory.path()).unwrap());
    assert_eq!(failure(&directory.address()), libc::EADDRINUSE);
    assert!(directory.path().exists());
}

#[test]
fn paths_must_be_possible() {
    let unix = |path: &[u8]| failure(&Address::Unix(path.to_vec()));
    assert_eq!(unix(b"/tmp/a\0b"), libc::EINVAL);
    assert_eq!(unix(&[b'a'; 200]), libc::EINVAL);
    assert_eq!(unix(b"/nonexistent/directory/socket"), libc::ENOENT);
}

#[test]
#[cfg(target_os = "linux")]
fn abstract_names_may_have_any_bytes() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;

    let name = format!("jstime-bind-{}\0\u{fc}", std::process::id());
    let address = Address::Unix([b"\0", name.as_bytes()].concat());
    let (socket, _) = listen(&address).unwrap();
    let peer = SocketAddr::from_abstract_name(&name).unwrap();
    UnixStream::connect_addr(&peer).unwrap();
    assert_eq!(failure(&address), libc::EADDRINUSE);
    assert!(!socket.has_file());
    drop(socket);
    UnixStream::connect_addr(&peer).unwrap_err();
}
