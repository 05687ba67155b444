//! Listeners: what their connections share, and accepting.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mio::{Interest, Registry, Token};
use socket2::SockRef;

use crate::abi::METRIC_CONNECTIONS_REFUSED;
use crate::bind::{ListenKind, ListenSocket};
use crate::http::Limits;
use crate::listen_plan::ListenPlan;
use crate::metrics::Metrics;
use crate::runtime::{AcceptedSocket, IoListener, ListenerMetrics, lock};
use crate::static_table::StaticTable;
use crate::tls::certificates::SharedCertificates;

/// Connections accepted before it is the turn of those that are open.
const ACCEPTS_PER_TURN: usize = 64;
/// The first pause after descriptors or memory have run out; it doubles.
const FIRST_PAUSE: u64 = 20;
/// The longest pause.
const LONGEST_PAUSE: u64 = 1000;

/// A listener, as its connections on this thread know it.
pub struct Listener {
    /// Its id.
    pub id: u32,
    /// What was asked for.
    pub plan: Arc<ListenPlan>,
    /// Limits of heads.
    pub limits: Limits,
    /// Milliseconds without progress; 0 is any.
    pub idle_timeout: u64,
    /// Milliseconds for a head; 0 is any.
    pub head_timeout: u64,
    /// Only this thread writes.
    pub metrics: Arc<Metrics>,
    /// Of all threads.
    pub all_metrics: Arc<ListenerMetrics>,
    /// For TLS.
    pub certificates: Option<Arc<SharedCertificates>>,
    /// Answers without JavaScript; replaced by `Mail::Static`.
    table: Mutex<Arc<StaticTable>>,
    /// It ends when the last connection does.
    stopping: AtomicBool,
    /// Open connections on this thread.
    open: AtomicU32,
    /// Open connections on all threads.
    all_open: Arc<AtomicU32>,
}

impl Listener {
    /// As asked for, and the socket if this thread has it.
    pub fn new(given: IoListener) -> (Arc<Self>, Option<ListenSocket>) {
        let IoListener {
            id,
            socket,
            plan,
            metrics,
            all_metrics,
            connections,
            certificates,
        } = given;
        let milliseconds =
            |timeout: Option<Duration>| timeout.map_or(0, |timeout| timeout.as_millis() as u64);
        let listener = Self {
            id,
            limits: Limits {
                head_bytes: plan.head_bytes,
                header_count: plan.header_count,
                target_bytes: plan.target_bytes,
            },
            idle_timeout: milliseconds(plan.idle_timeout),
            head_timeout: milliseconds(plan.head_timeout),
            plan,
            metrics,
            all_metrics,
            certificates,
            table: Mutex::default(),
            stopping: AtomicBool::new(false),
            open: AtomicU32::new(0),
            all_open: connections,
        };
        (Arc::new(listener), socket)
    }

    /// Whether JavaScript's heartbeat is of interest.
    pub fn needs_heartbeat(&self) -> bool {
        !self.plan.health_route.is_empty() || !self.plan.metrics_route.is_empty()
    }

    /// Whether clients can be served: for TLS there must be certificates.
    fn can_serve(&self) -> bool {
        match &self.certificates {
            Some(certificates) => certificates.are_there(),
            None => true,
        }
    }

    /// Whether it ends when its last connection does.
    #[inline]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Lets it end when its last connection does.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether it has no connections on this thread.
    pub fn is_empty(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0
    }

    /// The answers that need no JavaScript.
    #[inline]
    pub fn table(&self) -> Arc<StaticTable> {
        lock(&self.table).clone()
    }

    /// Replaces them.
    pub fn set_table(&self, table: Arc<StaticTable>) {
        *lock(&self.table) = table;
    }

    /// A connection was opened that `Acceptor::accept` has counted.
    pub fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// One that was opened is closed.
    pub fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.not_opened();
    }

    /// A connection was dropped that `Acceptor::accept` has counted, before it
    /// was opened.
    pub fn not_opened(&self) {
        self.all_open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The socket of a listener.
pub struct Acceptor {
    /// Whose it is.
    pub listener: Arc<Listener>,
    socket: ListenSocket,
    /// There may be somebody to accept.
    is_ready: bool,
    /// When to try again after an error, and the pause that this was.
    retry_at: Option<u64>,
    pause: u64,
}

impl Acceptor {
    /// Begins to accept.
    pub fn new(
        listener: Arc<Listener>,
        mut socket: ListenSocket,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        match &mut socket.socket {
            ListenKind::Tcp(socket) => {
                // Where connections inherit it, that is one call less for each.
                let _ = SockRef::from(&*socket).set_tcp_nodelay(true);
                registry.register(socket, token, Interest::READABLE)?;
            }
            ListenKind::Unix(socket) => registry.register(socket, token, Interest::READABLE)?,
        }
        Ok(Self {
            listener,
            socket,
            is_ready: true,
            retry_at: None,
            pause: 0,
        })
    }

    /// The system has told that somebody is there.
    pub fn set_ready(&mut self) {
        self.is_ready = true;
    }

    /// Whether `accept` should be called without waiting.
    pub fn is_ready(&self, now: u64) -> bool {
        self.is_ready
            && self.retry_at.is_none_or(|retry_at| retry_at <= now)
            && self.listener.can_serve()
    }

    /// When to call `accept` again, in case of a pause.
    pub fn retry_at(&self) -> Option<u64> {
        self.retry_at
    }

    /// Accepts some of those who wait. Each was counted: `opened` or
    /// `not_opened` must follow.
    pub fn accept(&mut self, now: u64, mut take: impl FnMut(AcceptedSocket)) {
        self.retry_at = None;
        for _ in 0..ACCEPTS_PER_TURN {
            match self.accept_one() {
                Ok(socket) => {
                    self.pause = 0;
                    if self.count() {
                        take(socket);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_ready = false;
                    return;
                }
                Err(error) if is_about_one_client(&error) => {}
                Err(_) => {
                    // Descriptors or memory: whoever waits keeps waiting, and
                    // the system does not tell of them again.
                    self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                    self.retry_at = Some(now + self.pause);
                    return;
                }
            }
        }
    }

    fn accept_one(&self) -> io::Result<AcceptedSocket> {
        match &self.socket.socket {
            ListenKind::Tcp(socket) => {
                let (stream, address) = socket.accept()?;
                #[cfg(not(any(target_os = "linux", target_os = "android")))]
                let _ = stream.set_nodelay(true);
                Ok(AcceptedSocket::Tcp(stream, address))
            }
            ListenKind::Unix(socket) => Ok(AcceptedSocket::Unix(socket.accept()?.0)),
        }
    }

    fn count(&self) -> bool {
        let listener = &self.listener;
        let before = listener.all_open.fetch_add(1, Ordering::Relaxed);
        if before < listener.plan.max_connections {
            return true;
        }
        listener.not_opened();
        listener.metrics.add(METRIC_CONNECTIONS_REFUSED, 1);
        false
    }
}

fn is_about_one_client(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNABORTED
                | libc::EINTR
                | libc::EPROTO
                | libc::EPERM
                | libc::ENETDOWN
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::EHOSTUNREACH
                | libc::ENOPROTOOPT
                | libc::EOPNOTSUPP
                | libc::ETIMEDOUT
        )
    )
}
