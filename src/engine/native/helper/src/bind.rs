//! Listening sockets, as plans ask for them.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::error_name::NAME_NOT_FOUND;
use crate::listen_plan::Address;

/// How many connections the system may keep until they are accepted; it has a
/// limit of its own.
const BACKLOG: i32 = 4096;

/// A socket that listens. Dropping it closes it, and removes its file.
pub struct ListenSocket {
    /// The socket.
    pub socket: ListenKind,
    // Dropped after the socket.
    file: Option<SocketFile>,
}

/// The kinds of listening sockets; they do not block.
pub enum ListenKind {
    /// TCP.
    Tcp(mio::net::TcpListener),
    /// Unix-domain.
    Unix(mio::net::UnixListener),
}

/// The file of a Unix-domain socket.
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody else may have put another file there.
        if let Ok(found) = fs::symlink_metadata(&self.path)
            && (found.dev(), found.ino()) == (self.device, self.inode)
        {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl ListenSocket {
    /// Whether dropping it removes a file.
    pub fn has_file(&self) -> bool {
        self.file.is_some()
    }
}

/// Listens. Returns the bound address too, for TCP.
///
/// # Errors
/// Of the system call that failed; `NAME_NOT_FOUND` for a name without address.
pub fn listen(address: &Address) -> io::Result<(ListenSocket, Option<SocketAddr>)> {
    match address {
        Address::Tcp {
            host,
            port,
            reuse_port,
            ipv6_only,
        } => {
            let (socket, bound) = listen_tcp(host, *port, *reuse_port, *ipv6_only)?;
            let socket = ListenKind::Tcp(mio::net::TcpListener::from_std(socket.into()));
            Ok((ListenSocket { socket, file: None }, Some(bound)))
        }
        Address::Unix(path) => Ok((listen_unix(path)?, None)),
    }
}

fn listen_tcp(
    host: &str,
    port: u16,
    reuse_port: bool,
    ipv6_only: bool,
) -> io::Result<(Socket, SocketAddr)> {
    let addresses = (host, port)
        .to_socket_addrs()
        .map_err(|error| match error.raw_os_error() {
            Some(_) => error,
            None => io::Error::from_raw_os_error(NAME_NOT_FOUND),
        })?;
    let mut failure = io::Error::from_raw_os_error(NAME_NOT_FOUND);
    for address in addresses {
        match listen_address(address, reuse_port, ipv6_only) {
            Ok(found) => return Ok(found),
            // An address that this machine does not have now; another of the
            // name's may do. One that is taken by somebody else is an error:
            // half of the clients would reach them.
            Err(error) if is_absent(&error) => failure = error,
            Err(error) => return Err(error),
        }
    }
    Err(failure)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT)
    )
}

fn listen_address(
    address: SocketAddr,
    reuse_port: bool,
    ipv6_only: bool,
) -> io::Result<(Socket, SocketAddr)> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    // Connections of an earlier server that wait for their end keep nobody from
    // listening.
    socket.set_reuse_address(true)?;
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        // Systems have different defaults.
        socket.set_only_v6(ipv6_only)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let bound = socket
        .local_addr()?
        .as_socket()
        .ok_or(io::ErrorKind::InvalidData)?;
    Ok((socket, bound))
}

fn listen_unix(path: &[u8]) -> io::Result<ListenSocket> {
    let is_abstract = path.first() == Some(&0);
    if !is_abstract && path.contains(&0) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let path = OsStr::from_bytes(path);
    // Without a descriptor of it: EINVAL for a path that is too long.
    let address = SockAddr::unix(path).map_err(|error| match error.raw_os_error() {
        Some(_) => error,
        None => io::Error::from_raw_os_error(libc::EINVAL),
    })?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&address)?;
    // From here on errors remove the file.
    let file = if is_abstract || path.is_empty() {
        None
    } else {
        // Stopping must find it also after a change of directory.
        let path = std::path::absolute(path)?;
        let found = fs::symlink_metadata(&path)?;
        Some(SocketFile {
            path,
            device: found.dev(),
            inode: found.ino(),
        })
    };
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = std::os::unix::net::UnixListener::from(socket);
    let socket = ListenKind::Unix(mio::net::UnixListener::from_std(listener));
    Ok(ListenSocket { socket, file })
}

#[cfg(test)]
mod tests;
