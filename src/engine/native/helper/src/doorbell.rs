//! Wakes JavaScript when it waits: a local socket that its event loop polls.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixListener as StdListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::net::{UnixListener, UnixStream};
use mio::{Interest, Registry, Token};

use crate::abi::JS_SLEEPS;
use crate::region::Region;
use crate::sys;

/// Token of the socket that waits for JavaScript's connection.
pub const LISTENER: Token = Token(1);
/// Token of JavaScript's connection.
pub const CONNECTION: Token = Token(2);

/// The I/O thread's end of the doorbell.
pub struct Doorbell {
    region: Arc<Region>,
    /// Until JavaScript has connected.
    listener: Option<UnixListener>,
    /// From then on, until JavaScript is gone.
    connection: Option<UnixStream>,
    /// To be rung as soon as JavaScript has connected.
    owed: bool,
    /// JavaScript's connection waits for a descriptor to be free.
    postponed: bool,
    gone: Arc<AtomicBool>,
    name: Name,
}

impl Doorbell {
    /// Listens, under a name that nobody can guess, for JavaScript.
    pub fn new(region: Arc<Region>) -> io::Result<Self> {
        let (name, listener) = Name::listen()?;
        listener.set_nonblocking(true)?;
        let listener = Some(UnixListener::from_std(listener));
        Ok(Self {
            region,
            listener,
            connection: None,
            owed: false,
            postponed: false,
            gone: Arc::default(),
            name,
        })
    }

    /// The path to connect to; an abstract name begins with NUL.
    pub fn path(&self) -> &[u8] {
        &self.name.path
    }

    /// Becomes true when JavaScript is gone.
    pub fn gone(&self) -> Arc<AtomicBool> {
        self.gone.clone()
    }

    /// Begins to listen for events of [`LISTENER`]; once, by the I/O thread.
    pub fn register(&mut self, registry: &Registry) -> io::Result<()> {
        match &mut self.listener {
            Some(listener) => registry.register(listener, LISTENER, Interest::READABLE),
            None => Ok(()),
        }
    }

    /// To be called for events of [`LISTENER`]: takes the first connection from
    /// this process, closes the listening socket, and begins to listen for
    /// events of [`CONNECTION`].
    ///
    /// Without a descriptor to be had it does nothing; see `retry`.
    pub fn accept(&mut self, registry: &Registry) -> io::Result<()> {
        self.postponed = false;
        let Some(listener) = &mut self.listener else {
            return Ok(());
        };
        loop {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) if is_shortage(&error) => {
                    self.postponed = true;
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let stream = std::os::unix::net::UnixStream::from(stream);
            if !sys::is_own_peer(&stream) {
                continue;
            }
            let mut stream = UnixStream::from_std(stream);
            registry.register(&mut stream, CONNECTION, Interest::READABLE)?;
            self.connection = Some(stream);
            self.listener = None;
            self.name.remove();
            if std::mem::take(&mut self.owed) {
                self.ring();
            }
            return Ok(());
        }
    }

    /// To be called once in a while: accepts what could not be accepted.
    #[inline]
    pub fn retry(&mut self, registry: &Registry) -> io::Result<()> {
        if self.postponed {
            self.accept(registry)
        } else {
            Ok(())
        }
    }

    /// To be called for events of [`CONNECTION`]. False if JavaScript is gone:
    /// then this thread is to end everything and return.
    pub fn is_javascript_there(&mut self) -> bool {
        let Some(connection) = &mut self.connection else {
            return !self.gone.load(Ordering::Relaxed);
        };
        let mut bytes = [0; 64];
        loop {
            match connection.read(&mut bytes) {
                Ok(0) => break,
                Ok(_) => {} // It has nothing to say.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.connection = None;
        self.gone.store(true, Ordering::Relaxed);
        false
    }

    /// Whether JavaScript has connected, and is not gone.
    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Rings if JavaScript sleeps. To be called after events were published.
    #[inline]
    pub fn ring_if_asleep(&mut self) {
        // SeqCst: see `Writer::publish`.
        let sleeps = self.region.control(JS_SLEEPS);
        if sleeps.load(Ordering::SeqCst) == 1 && sleeps.swap(0, Ordering::SeqCst) == 1 {
            self.ring();
        }
    }

    /// Rings.
    pub fn ring(&mut self) {
        let Some(connection) = &mut self.connection else {
            self.owed = true;
            return;
        };
        loop {
            match connection.write(&[1]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Full: bytes are on their way, of which one is enough. Broken:
                // an event of CONNECTION follows.
                _ => return,
            }
        }
    }
}

/// Where the doorbell listens. On Linux an abstract name, which the system
/// forgets by itself; elsewhere a path, which is removed when it was used or
/// dropped.
struct Name {
    path: Vec<u8>,
}

impl Name {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn listen() -> io::Result<(Self, StdListener)> {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::SocketAddr;

        let name = format!("jstime-{:032x}", random());
        let address = SocketAddr::from_abstract_name(&name)?;
        let listener = StdListener::bind_addr(&address)?;
        let path = [b"\0", name.as_bytes()].concat();
        Ok((Self { path }, listener))
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn listen() -> io::Result<(Self, StdListener)> {
        use std::os::unix::ffi::OsStringExt;
        use std::os::unix::fs::PermissionsExt;

        let path = std::env::temp_dir().join(format!("jstime-{:032x}", random()));
        let listener = StdListener::bind(&path)?;
        let name = Self {
            path: path.clone().into_os_string().into_vec(),
        };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok((name, listener))
    }

    fn remove(&mut self) {
        if !self.path.is_empty() && self.path[0] != 0 {
            use std::os::unix::ffi::OsStrExt;
            let path = std::ffi::OsStr::from_bytes(&self.path);
            // It may be gone; nothing depends on it.
            let _ = std::fs::remove_file(path);
        }
        self.path.clear();
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Whether it may work later.
fn is_shortage(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
    )
}

/// A number that nobody can guess: std's hash keys come from the system's
/// random numbers.
fn random() -> u128 {
    let half = || u128::from(RandomState::new().hash_one(0u8));
    half() << 64 | half()
}

#[cfg(test)]
mod tests;
