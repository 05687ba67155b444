//! Handles and their I/O threads: opening, closing, and what JavaScript and the
//! threads tell each other besides the rings.
//!
//! A handle is a number in a table, never a pointer, so that a stale or made-up
//! one is an error and nothing else. Everything a handle owns is counted: the
//! region of a thread goes when its thread has ended, no exported function is
//! using it, and JavaScript has closed the handle or its thread is gone.
//!
//! A JavaScript thread may end without closing its handles, as a terminated
//! Worker does. The threads see that its end of the doorbell is closed, and in
//! case it never had one, a thread-local value is dropped; either way the handle
//! is abandoned: removed, and its threads told to end.

mod javascript_thread;
mod listeners;
mod waiting_content;

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use mio::net::{TcpStream, UnixStream};
use mio::{Poll, Token, Waker};

pub use self::javascript_thread::owner;
pub use self::listeners::{ListenerMetrics, Listeners};
pub use self::waiting_content::{Contents, WaitingContent};

use self::javascript_thread::JavaScriptThread;

use crate::abi::IO_SLEEPS;
use crate::bind::{self, ListenSocket};
use crate::bus::{self, BusQueue};
use crate::doorbell::Doorbell;
use crate::io::{Offer, SharedLoop};
use crate::lent::Lent;
use crate::listen_plan::ListenPlan;
use crate::metrics::{Metrics, Values, Waiting};
use crate::peer_certificates::PeerCertificates;
use crate::region::Region;
use crate::resolve;
use crate::ring::{self, CommandReader, EventWriter};
use crate::spare_contents::SpareContents;
use crate::static_table::StaticTable;
use crate::sys;
use crate::tcp_target::TcpTarget;
use crate::tcp_times::TcpTimes;
use crate::tls::certificates::{Certificates, SharedCertificates};
use crate::tls::client::Client;
use crate::waiting_messages::{Taken, WaitingMessages};

/// Token of [`IoShared::waker`].
pub const WAKER: Token = Token(0);

/// The most I/O threads of a handle.
const MAX_THREADS: u32 = 64;
/// The most handles of a process.
const MAX_HANDLES: usize = 4096;
/// How long JavaScript waits for I/O threads to carry something out. They never
/// wait for anything themselves, so this is for machines that hardly run.
const PATIENCE: Duration = Duration::from_secs(5);

// ---------------------------------------------------------------------------
// What JavaScript's thread and an I/O thread share
// ---------------------------------------------------------------------------

/// What an I/O thread shares with JavaScript and with its peers.
pub struct IoShared {
    /// Number of the thread.
    pub index: u32,
    /// The memory that JavaScript sees.
    pub region: Arc<Region>,
    /// Ends the thread's wait for the system.
    pub waker: Waker,
    /// What the thread is told; use `post` and `take_mail`.
    mailbox: Mutex<Mailbox>,
    /// Content of responses, by token; of all threads of the handle.
    pub lent: Arc<Lent>,
    /// How connections are to speak TLS, by token; likewise.
    pub clients: Arc<Lent<Client>>,
    /// How long TCP connections wait for their peers.
    pub tcp_times: TcpTimes,
    /// Request content that waits for `jstime_take`, by connection and
    /// generation.
    pub contents: Mutex<Contents>,
    /// Buffers of such content that are not used now.
    pub spare_contents: SpareContents,
    /// Messages that wait for it, too.
    pub messages: WaitingMessages,
    /// What clients have shown in TLS handshakes.
    pub peer_certificates: PeerCertificates,
    /// What waits for JavaScript. Only the I/O thread writes.
    pub waiting: Arc<Waiting>,
    /// The listeners of the handle.
    pub listeners: Arc<Listeners>,
    /// What the thread does, for JavaScript's thread to help.
    pub event_loop: SharedLoop,
    /// What was published for subscribers on this thread by other handles.
    pub bus: BusQueue,
}

/// What all threads of a handle have in common.
#[derive(Default)]
pub(crate) struct Common {
    lent: Arc<Lent>,
    clients: Arc<Lent<Client>>,
    listeners: Arc<Listeners>,
    tcp_times: TcpTimes,
}

#[derive(Default)]
struct Mailbox {
    mail: Vec<Mail>,
    /// The thread has ended: nobody would read it.
    closed: bool,
}

impl IoShared {
    /// What a thread shares.
    pub(crate) fn new(index: u32, waker: Waker, region: Arc<Region>, common: &Common) -> Self {
        Self {
            index,
            region,
            waker,
            mailbox: Mutex::default(),
            lent: common.lent.clone(),
            clients: common.clients.clone(),
            tcp_times: common.tcp_times,
            contents: Mutex::default(),
            spare_contents: SpareContents::default(),
            messages: WaitingMessages::default(),
            peer_certificates: PeerCertificates::default(),
            waiting: Arc::default(),
            listeners: common.listeners.clone(),
            event_loop: SharedLoop::default(),
            bus: BusQueue::default(),
        }
    }

    /// Tells the thread something and wakes it. Dropped if it has ended.
    pub fn post(&self, mail: Mail) {
        {
            let mut mailbox = lock(&self.mailbox);
            if mailbox.closed {
                return;
            }
            mailbox.mail.push(mail);
        }
        // It fails when nobody polls (any more).
        let _ = self.waker.wake();
    }

    /// What the thread was told since the last time, in order.
    pub fn take_mail(&self) -> Vec<Mail> {
        std::mem::take(&mut lock(&self.mailbox).mail)
    }

    /// Wakes the thread if it sleeps.
    #[inline]
    pub fn wake_if_asleep(&self) {
        let sleeps = self.region.control(IO_SLEEPS);
        // SeqCst: the caller has moved the commands' head before, and the
        // thread sets this flag before it looks at it.
        if sleeps.load(Ordering::SeqCst) == 1 && sleeps.swap(0, Ordering::SeqCst) == 1 {
            let _ = self.waker.wake();
        }
    }

    /// Carries out commands if the thread sleeps; it must have been told of
    /// them already.
    #[inline]
    pub fn help(&self) {
        // SeqCst: as above. While it does not sleep, it looks for commands
        // before it does.
        if self.region.control(IO_SLEEPS).load(Ordering::SeqCst) == 1 && !self.event_loop.help() {
            self.wake_if_asleep();
        }
    }

    /// Carries out the commands up to `head`, the last of which has this content
    /// and is for `connection`; false if nothing was done.
    #[inline]
    pub fn present(&self, connection: u32, head: u32, content: &[u8]) -> bool {
        self.event_loop.present(connection, head, content)
    }

    /// Reads from a TCP connection; see `SharedLoop`.
    pub fn read_tcp(&self, offer: &Offer, out: &mut [u8]) -> Option<Option<usize>> {
        self.event_loop.read_tcp(offer, out)
    }

    fn close(&self) {
        let mail = {
            let mut mailbox = lock(&self.mailbox);
            mailbox.closed = true;
            std::mem::take(&mut mailbox.mail)
        };
        // Without the lock: dropping sockets takes a while.
        drop(mail);
        lock(&self.contents).clear();
        self.messages.clear();
        self.peer_certificates.clear();
        self.bus.close();
    }

    fn take_content(&self, key: (u32, u32), out: &mut [u8]) -> Option<usize> {
        let content = lock(&self.contents).get(&key).cloned();
        let Taken { count, wake } = match content {
            None => self.messages.take(key, out)?,
            Some(content) => {
                let mut waiting = lock(&content);
                let count = waiting.copy_to(out);
                let wake = std::mem::take(&mut waiting.wake_when_taken);
                let emptied = waiting.take_large();
                drop(waiting);
                if let Some(buffer) = emptied {
                    self.spare_contents.give(buffer);
                }
                Taken { count, wake }
            }
        };
        if wake {
            let (connection, generation) = key;
            self.post(Mail::Taken {
                connection,
                generation,
            });
        }
        Some(count)
    }
}

/// What an I/O thread is told besides commands.
pub enum Mail {
    /// There is a new listener. Thread 0 gets its socket too.
    Listen(IoListener),
    /// From thread 0 to another: a connection that it accepted.
    Accepted {
        /// The listener.
        listener: u32,
        /// The connection, not registered anywhere.
        socket: AcceptedSocket,
    },
    /// Stop accepting; every thread then calls [`Listeners::ended`] as soon as
    /// it has no connections of the listener.
    Stop {
        /// The listener.
        listener: u32,
        /// Cut its connections.
        force: bool,
        /// Dropped when that was done.
        done: Done,
    },
    /// Close connections without a request.
    CloseIdle {
        /// The listener.
        listener: u32,
        /// Wants to know how many.
        reply: SyncSender<u32>,
    },
    /// Replace the static answers.
    Static {
        /// The listener.
        listener: u32,
        /// The new ones.
        table: Arc<StaticTable>,
        /// Dropped when that was done.
        done: Done,
    },
    /// Connect.
    TcpConnect {
        /// The number that JavaScript knows it by.
        attempt: u32,
        /// Where to; not a host that must be looked up.
        target: TcpTarget,
    },
    /// JavaScript took content of which `wake_when_taken` was set.
    Taken {
        /// The connection.
        connection: u32,
        /// Generation of the request.
        generation: u32,
    },
    /// Close everything and return from `io::run`.
    Shutdown,
}

/// Tells that something was done, by being dropped.
pub struct Done {
    _sender: Sender<()>,
}

/// A connection, fresh from its listener.
pub enum AcceptedSocket {
    /// TCP, and the client's address.
    Tcp(TcpStream, SocketAddr),
    /// Unix-domain.
    Unix(UnixStream),
}

/// What a thread needs to know of a listener.
pub struct IoListener {
    /// Its id.
    pub id: u32,
    /// Thread 0 has it, and drops it to stop accepting.
    pub socket: Option<ListenSocket>,
    /// What was asked for.
    pub plan: Arc<ListenPlan>,
    /// Of this thread alone; only it writes.
    pub metrics: Arc<Metrics>,
    /// Of all threads, to be read.
    pub all_metrics: Arc<ListenerMetrics>,
    /// Open connections of all threads; counted against the plan's limit.
    pub connections: Arc<AtomicU32>,
    /// For TLS. Nobody is accepted before there are any.
    pub certificates: Option<Arc<SharedCertificates>>,
}

// ---------------------------------------------------------------------------
// I/O threads
// ---------------------------------------------------------------------------

/// What `io::run` works with, all owned by that thread.
pub struct IoThread {
    /// The waker is registered already, the doorbell is not.
    pub poll: Poll,
    /// What its loop is made of.
    pub own: IoThreadOwn,
}

/// What the loop of an I/O thread is made of.
pub struct IoThreadOwn {
    /// What others see of this thread.
    pub shared: Arc<IoShared>,
    /// Writes events.
    pub events: EventWriter,
    /// Reads commands.
    pub commands: CommandReader,
    /// Wakes JavaScript.
    pub doorbell: Doorbell,
    /// All threads of the handle by number, this one among them.
    pub peers: Vec<Arc<IoShared>>,
}

fn run(handle: u32, thread: IoThread, gone: &AtomicBool) {
    sys::block_signals();
    let shared = thread.own.shared.clone();
    // What the panic hook prints is all there is to say. Its connections are
    // lost, and JavaScript sees the end of its doorbell, closes the handle, and
    // only then the region goes.
    let _ = catch_unwind(AssertUnwindSafe(|| crate::io::run(thread)));
    shared.close();
    if gone.load(Ordering::Relaxed) {
        abandon(handle);
    }
}

// ---------------------------------------------------------------------------
// Handles
// ---------------------------------------------------------------------------

/// What a handle stands for.
pub struct Runtime {
    threads: Vec<Arc<IoShared>>,
    doorbells: Vec<Vec<u8>>,
    lent: Arc<Lent>,
    /// How connections are to speak TLS, by token.
    pub clients: Arc<Lent<Client>>,
    listeners: Arc<Listeners>,
    /// Taken by whoever closes the handle.
    joins: Mutex<Vec<JoinHandle<()>>>,
}

struct Handles {
    last: u32,
    // So few that searching them in order is fastest.
    open: Vec<(u32, Arc<Runtime>)>,
}

static HANDLES: RwLock<Handles> = RwLock::new(Handles {
    last: 0,
    open: Vec::new(),
});

/// Runs `use_it` with what a handle stands for; None without such a handle. It
/// must be quick: handles can neither be opened nor closed meanwhile.
///
/// The thread that has opened a handle finds it without any lock, and even if
/// it was abandoned meanwhile.
#[inline]
pub fn with<Result>(handle: u32, use_it: impl Fn(&Runtime) -> Result) -> Option<Result> {
    match JavaScriptThread::with_own(handle, &use_it) {
        Some(result) => Some(result),
        None => {
            let handles = HANDLES.read().unwrap_or_else(PoisonError::into_inner);
            let (_, runtime) = handles.open.iter().find(|(number, _)| *number == handle)?;
            Some(use_it(runtime))
        }
    }
}

/// What a handle stands for; None without such a handle.
pub fn find(handle: u32) -> Option<Arc<Runtime>> {
    let handles = HANDLES.read().unwrap_or_else(PoisonError::into_inner);
    let (_, runtime) = handles.open.iter().find(|(number, _)| *number == handle)?;
    Some(runtime.clone())
}

fn remove(handle: u32) -> Option<Arc<Runtime>> {
    let mut handles = HANDLES.write().unwrap_or_else(PoisonError::into_inner);
    let index = handles
        .open
        .iter()
        .position(|(number, _)| *number == handle)?;
    let (_, runtime) = handles.open.swap_remove(index);
    drop(handles);
    bus::forget(handle);
    Some(runtime)
}

/// Starts I/O threads.
///
/// # Errors
/// EINVAL if `threads` is not from 1 to 64; EMFILE beyond 4096 handles; what the
/// system says.
pub fn open(threads: u32) -> io::Result<u32> {
    open_with(threads, TcpTimes::default())
}

/// As `open`, with other times than programs get.
///
/// # Errors
/// As `open`.
pub fn open_with(threads: u32, tcp_times: TcpTimes) -> io::Result<u32> {
    if !(1..=MAX_THREADS).contains(&threads) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    if !sys::pin_library() {
        return Err(io::Error::from_raw_os_error(libc::ENOSYS));
    }
    let common = Common {
        tcp_times,
        ..Common::default()
    };
    let mut parts = Vec::new();
    for index in 0..threads {
        let region = Arc::new(Region::new()?);
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let shared = IoShared::new(index, waker, region.clone(), &common);
        parts.push((poll, Doorbell::new(region)?, Arc::new(shared)));
    }
    let all: Vec<_> = parts.iter().map(|(.., shared)| shared.clone()).collect();
    let runtime = Arc::new(Runtime {
        threads: all.clone(),
        doorbells: parts
            .iter()
            .map(|(_, doorbell, _)| doorbell.path().to_vec())
            .collect(),
        lent: common.lent,
        clients: common.clients,
        listeners: common.listeners,
        joins: Mutex::default(),
    });
    let handle = insert(runtime.clone())?;
    for (poll, doorbell, shared) in parts {
        let (events, commands) = ring::ends(&shared.region);
        let index = shared.index;
        let gone = doorbell.gone();
        let peers = all.clone();
        let thread = IoThread {
            poll,
            own: IoThreadOwn {
                shared,
                events,
                commands,
                doorbell,
                peers,
            },
        };
        let spawned = Builder::new()
            .name(format!("jstime-io-{index}"))
            .spawn(move || run(handle, thread, &gone));
        match spawned {
            Ok(join) => lock(&runtime.joins).push(join),
            Err(error) => {
                close(handle);
                return Err(error);
            }
        }
    }
    JavaScriptThread::adopt(handle, runtime);
    Ok(handle)
}

fn insert(runtime: Arc<Runtime>) -> io::Result<u32> {
    let mut handles = HANDLES.write().unwrap_or_else(PoisonError::into_inner);
    if handles.open.len() >= MAX_HANDLES {
        return Err(io::Error::from_raw_os_error(libc::EMFILE));
    }
    loop {
        handles.last = handles.last % i32::MAX as u32 + 1;
        let handle = handles.last;
        if !handles.open.iter().any(|(number, _)| *number == handle) {
            handles.open.push((handle, runtime));
            return Ok(handle);
        }
    }
}

/// Ends everything of a handle and waits for its threads; false without such a
/// handle. JavaScript must not touch its regions from here on.
pub fn close(handle: u32) -> bool {
    let open = remove(handle);
    // It may have been abandoned, and still be this thread's.
    let own = JavaScriptThread::disown(handle);
    let Some(runtime) = open.or(own) else {
        return false;
    };
    runtime.shut_down();
    let joins = std::mem::take(&mut *lock(&runtime.joins));
    for join in joins {
        // It has caught its panics.
        let _ = join.join();
    }
    true
}

/// As `close`, for a JavaScript thread that is gone; waits for nothing.
fn abandon(handle: u32) {
    if let Some(runtime) = remove(handle) {
        runtime.shut_down();
    }
}

impl Runtime {
    fn thread(&self, thread: u32) -> Option<&Arc<IoShared>> {
        self.threads.get(thread as usize)
    }

    fn shut_down(&self) {
        for shared in &self.threads {
            shared.post(Mail::Shutdown);
        }
    }

    /// Memory of a thread.
    pub fn memory(&self, thread: u32) -> Option<*mut u8> {
        self.thread(thread).map(|shared| shared.region.as_ptr())
    }

    /// Path of a thread's doorbell.
    pub fn doorbell(&self, thread: u32) -> Option<&[u8]> {
        self.doorbells.get(thread as usize).map(Vec::as_slice)
    }

    /// Wakes a thread if it sleeps.
    #[inline]
    pub fn wake(&self, thread: u32) {
        if let Some(shared) = self.thread(thread) {
            shared.wake_if_asleep();
        }
    }

    /// Carries out the commands for a thread if it sleeps.
    #[inline]
    pub fn help(&self, thread: u32) {
        if let Some(shared) = self.thread(thread) {
            shared.help();
        }
    }

    /// As `help`, for a command whose content is present; see `IoShared`.
    #[inline]
    pub fn present(&self, thread: u32, connection: u32, head: u32, content: &[u8]) -> bool {
        self.thread(thread)
            .is_some_and(|shared| shared.present(connection, head, content))
    }

    /// Reads from a TCP connection; `EBUSY` if its thread is in a turn.
    #[inline]
    pub fn read_tcp(&self, thread: u32, offer: &Offer, out: &mut [u8]) -> Result<usize, i32> {
        self.thread(thread)
            .ok_or(libc::EAGAIN)?
            .read_tcp(offer, out)
            .ok_or(libc::EBUSY)?
            .ok_or(libc::EAGAIN)
    }

    /// Listens. Returns the listener's id, and for TCP the address.
    pub fn listen(&self, plan: ListenPlan) -> io::Result<(u32, Option<SocketAddr>)> {
        let (socket, address) = bind::listen(&plan.address)?;
        let plan = Arc::new(plan);
        let all_metrics = Arc::new(ListenerMetrics::new(&self.threads));
        let certificates = plan
            .tls
            .then(|| Arc::new(SharedCertificates::new(plan.http2)));
        let id = self
            .listeners
            .add(all_metrics.clone(), certificates.clone());
        let connections = Arc::<AtomicU32>::default();
        let mut socket = Some(socket);
        // Thread 0 is the last, since it sends connections to the others.
        for (index, shared) in self.threads.iter().enumerate().rev() {
            shared.post(Mail::Listen(IoListener {
                id,
                socket: if index == 0 { socket.take() } else { None },
                plan: plan.clone(),
                metrics: all_metrics.of_thread(index),
                all_metrics: all_metrics.clone(),
                connections: connections.clone(),
                certificates: certificates.clone(),
            }));
        }
        Ok((id, address))
    }

    /// Connects: an event tells what became of it. False without such a thread.
    pub fn tcp_connect(&self, thread: u32, attempt: u32, target: TcpTarget) -> bool {
        let Some(shared) = self.thread(thread) else {
            return false;
        };
        match target {
            TcpTarget::Host(host, port) => {
                let shared = shared.clone();
                resolve::resolve(host, port, move |result| {
                    let target = match result {
                        Ok(addresses) => TcpTarget::Addresses(addresses),
                        Err(errno) => TcpTarget::Failed(errno),
                    };
                    shared.post(Mail::TcpConnect { attempt, target });
                });
            }
            target => shared.post(Mail::TcpConnect { attempt, target }),
        }
        true
    }

    /// Stops a listener. When this returns nobody is accepted any more and the
    /// address is free. False without such a listener.
    pub fn stop(&self, listener: u32, force: bool) -> bool {
        if self.listeners.metrics(listener).is_none() {
            return false;
        }
        self.tell_all(|done| Mail::Stop {
            listener,
            force,
            done,
        });
        true
    }

    /// Closes idle connections; how many there were. None without such a
    /// listener.
    pub fn close_idle(&self, listener: u32) -> Option<u32> {
        self.listeners.metrics(listener)?;
        let (reply, replies) = sync_channel(self.threads.len());
        for shared in &self.threads {
            shared.post(Mail::CloseIdle {
                listener,
                reply: reply.clone(),
            });
        }
        drop(reply);
        let until = Instant::now() + PATIENCE;
        let mut sum = 0u32;
        while let Ok(count) = replies.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            sum = sum.saturating_add(count);
        }
        Some(sum)
    }

    /// Replaces the static answers. Requests that arrive when this has returned
    /// get the new ones. False without such a listener.
    pub fn set_static(&self, listener: u32, table: StaticTable) -> bool {
        if self.listeners.metrics(listener).is_none() {
            return false;
        }
        let table = Arc::new(table);
        self.tell_all(|done| Mail::Static {
            listener,
            table: table.clone(),
            done,
        });
        true
    }

    /// Replaces the certificates. Clients that send their first byte when this
    /// has returned get the new ones. None without such a listener; false if it
    /// does not speak TLS.
    pub fn set_certificates(&self, listener: u32, certificates: Certificates) -> Option<bool> {
        let Some(shared) = self.listeners.certificates(listener)? else {
            return Some(false);
        };
        shared.set(certificates);
        // They may be the first that it has waited for.
        if let Some(thread) = self.thread(0) {
            let _ = thread.waker.wake();
        }
        Some(true)
    }

    /// Makes the threads members of a bus; the membership.
    pub fn join_bus(&self, handle: u32, name: &[u8]) -> u32 {
        bus::join(handle, &self.threads, name)
    }

    /// Metrics of a listener.
    pub fn metrics(&self, listener: u32) -> Option<Values> {
        Some(self.listeners.metrics(listener)?.values(Instant::now()))
    }

    /// Keeps content for a command.
    pub fn lend(&self, content: &[u8]) -> u32 {
        self.lent.lend(content.to_vec())
    }

    /// Keeps how a connection is to speak TLS for a command.
    pub fn lend_client(&self, client: Client) -> u32 {
        self.clients.lend(client)
    }

    /// Copies request content that has arrived; None if there is none to come.
    pub fn take(
        &self,
        thread: u32,
        connection: u32,
        generation: u32,
        out: &mut [u8],
    ) -> Option<usize> {
        self.thread(thread)?
            .take_content((connection, generation), out)
    }

    /// The certificate of the client of a request, as `jstime_peer_certificate`
    /// gives it; None if it has none, or has left.
    pub fn peer_certificate(
        &self,
        thread: u32,
        connection: u32,
        generation: u32,
    ) -> Option<Arc<[u8]>> {
        let shared = self.thread(thread)?;
        let certificates = &shared.peer_certificates;
        certificates.get(&shared.region, connection, generation)
    }

    /// Posts mail to all threads and waits until all have carried it out.
    fn tell_all(&self, mail: impl Fn(Done) -> Mail) {
        let (sender, done): (Sender<()>, Receiver<()>) = channel();
        for shared in &self.threads {
            shared.post(mail(Done {
                _sender: sender.clone(),
            }));
        }
        drop(sender);
        // Nobody sends: it is over when the last sender is dropped.
        let _ = done.recv_timeout(PATIENCE);
    }
}

/// A panic while one of these is locked leaves nothing half done.
pub(crate) fn lock<Value>(mutex: &Mutex<Value>) -> MutexGuard<'_, Value> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
