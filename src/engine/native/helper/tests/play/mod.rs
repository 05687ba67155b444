//! Plays the JavaScript side of an I/O thread, and clients, in tests.
#![allow(dead_code)]

pub mod http2;
pub mod tcp;
pub mod web_socket;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jstime_serve::abi::*;
use jstime_serve::listen_plan::{Address, ListenPlan};
use jstime_serve::runtime;
use jstime_serve::tcp_times::TcpTimes;

/// Generous, so that only a hang ever meets it.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// JavaScript, with one handle of one thread.
pub struct JavaScript {
    pub handle: u32,
    region: *mut u8,
    doorbell: UnixStream,
    tail: u32,
    head: u32,
    helps: bool,
    presents: bool,
    /// What is offered to be read comes as if the thread had read it.
    pub takes_offers: bool,
    targets: HashMap<u32, Vec<u8>>,
    hosts: HashMap<u32, Vec<u8>>,
}

/// An event, read.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Request(Request),
    Content { of: Key, waiting: u32, is_end: bool },
    ContentFailed { of: Key, status: u32 },
    Gone { of: Key, is_deadline: bool },
    Written { of: Key, count: u32 },
    Done { of: Key },
    Stopped { listener: u32 },
    Heartbeat,
    Space,
    Other { of: Key, kind: u32 },
    Socket(web_socket::SocketEvent),
    Tcp(tcp::TcpEvent),
}

/// A connection and a generation.
pub type Key = (u32, u32);

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub key: Key,
    pub flags: u32,
    pub listener: u32,
    pub method: u32,
    pub method_text: Vec<u8>,
    pub target: String,
    pub host: Option<String>,
    pub headers: Vec<(String, String)>,
    pub content: Vec<u8>,
    pub declared: u64,
    pub family: u32,
    pub port: u32,
    pub address: [u8; 16],
    /// Its client had left when it was read.
    pub is_stale: bool,
}

impl Request {
    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

pub fn plan() -> ListenPlan {
    ListenPlan {
        address: Address::Tcp {
            host: "127.0.0.1".to_owned(),
            port: 0,
            reuse_port: false,
            ipv6_only: false,
        },
        tls: false,
        http2: false,
        is_tcp: false,
        max_content: 128 << 20,
        idle_timeout: Some(Duration::from_secs(10)),
        head_timeout: Some(Duration::from_secs(10)),
        max_connections: 10_000,
        max_pending: 1000,
        head_bytes: 64 * 1024,
        header_count: 100,
        target_bytes: 16 * 1024,
        health_stall: Duration::from_millis(100),
        health_route: Vec::new(),
        metrics_route: Vec::new(),
        min_content_rate: 0,
    }
}

impl JavaScript {
    pub fn new() -> Self {
        Self::with_times(TcpTimes::default())
    }

    /// With other times for TCP than programs get.
    pub fn with_times(times: TcpTimes) -> Self {
        let handle = runtime::open_with(1, times).unwrap();
        let (region, path) = runtime::with(handle, |runtime| {
            (
                runtime.memory(0).unwrap(),
                runtime.doorbell(0).unwrap().to_vec(),
            )
        })
        .unwrap();
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&path[1..]).unwrap();
        let doorbell = UnixStream::connect_addr(&address).unwrap();
        Self {
            handle,
            region,
            doorbell,
            tail: 0,
            head: 0,
            helps: false,
            presents: false,
            takes_offers: true,
            targets: HashMap::new(),
            hosts: HashMap::new(),
        }
    }

    pub fn doorbell(&self) -> &UnixStream {
        &self.doorbell
    }

    /// How far events were read.
    pub fn tail(&self) -> u32 {
        self.tail
    }

    pub fn listen(&self, plan: ListenPlan) -> (u32, SocketAddr) {
        let runtime = runtime::find(self.handle).unwrap();
        let (id, address) = runtime.listen(plan).unwrap();
        (id, address.unwrap())
    }

    pub fn runtime(&self) -> std::sync::Arc<runtime::Runtime> {
        runtime::find(self.handle).unwrap()
    }

    pub fn metric(&self, listener: u32, metric: usize) -> f64 {
        self.runtime().metrics(listener).unwrap()[metric]
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: inside of the region, which lives until `close`, and aligned.
        unsafe { AtomicU32::from_ptr(self.region.add(offset).cast()) }
    }

    pub fn control(&self, word: usize) -> &AtomicU32 {
        self.word(word * 4)
    }

    pub fn generation(&self, connection: u32) -> u32 {
        let start = CONTROL_BYTES + EVENTS_BYTES + COMMANDS_BYTES;
        self.word(start + connection as usize * 4)
            .load(Ordering::Acquire)
    }

    /// The next event if there is one.
    pub fn poll(&mut self) -> Option<Event> {
        loop {
            if self.control(EVENTS_HEAD).load(Ordering::SeqCst) == self.tail {
                return None;
            }
            let at = CONTROL_BYTES + (self.tail as usize % EVENTS_BYTES);
            let size = self.word(at).load(Ordering::Relaxed);
            let kind = self.word(at + 4).load(Ordering::Relaxed);
            assert!(size >= 16 && size.is_multiple_of(16), "size {size}");
            // SAFETY: the record is inside of the ring and published.
            let record =
                unsafe { std::slice::from_raw_parts(self.region.add(at), size as usize) }.to_vec();
            self.tail = self.tail.wrapping_add(size);
            let event = (kind & 0xff != PAD).then(|| self.read(&record)).flatten();
            self.control(EVENTS_TAIL).store(self.tail, Ordering::SeqCst);
            if self.control(EVENTS_BLOCKED).swap(0, Ordering::SeqCst) == 1 {
                self.wake();
            }
            if event.is_some() {
                return event;
            }
        }
    }

    /// None if it was handled here.
    fn read(&mut self, record: &[u8]) -> Option<Event> {
        let word =
            |index: usize| u32::from_le_bytes(record[index * 4..index * 4 + 4].try_into().unwrap());
        let of = (word(2), word(3));
        let flags = word(1) >> 8;
        Some(match word(1) & 0xff {
            EVENT_REQUEST => Event::Request(self.read_request(record, of, flags)),
            EVENT_CONTENT => Event::Content {
                of,
                waiting: word(4),
                is_end: flags & CONTENT_END != 0,
            },
            EVENT_CONTENT_FAILED => Event::ContentFailed {
                of,
                status: word(4),
            },
            EVENT_GONE => Event::Gone {
                of,
                is_deadline: word(4) == 1,
            },
            EVENT_WRITTEN => Event::Written { of, count: word(4) },
            EVENT_DONE => Event::Done { of },
            EVENT_STOPPED => Event::Stopped { listener: word(4) },
            EVENT_HEARTBEAT => Event::Heartbeat,
            EVENT_SPACE => Event::Space,
            EVENT_MESSAGE..=EVENT_CLOSED => Event::Socket(web_socket::read(record)),
            EVENT_TCP_OPEN..=EVENT_TCP_SECURED => Event::Tcp(tcp::read(record)),
            EVENT_TCP_READABLE if self.takes_offers => {
                return self.tcp_read(of, word(4)).map(Event::Tcp);
            }
            EVENT_TCP_READABLE => Event::Tcp(tcp::read(record)),
            kind => Event::Other { of, kind },
        })
    }

    fn read_request(&mut self, record: &[u8], key: Key, flags: u32) -> Request {
        let word =
            |index: usize| u32::from_le_bytes(record[index * 4..index * 4 + 4].try_into().unwrap());
        let mut at = REQUEST_WORDS * 4;
        let mut take = |count: usize| {
            at += count;
            record[at - count..at].to_vec()
        };
        let count = word(8) as usize;
        let lengths: Vec<(usize, usize)> = (0..count)
            .map(|_| {
                let pair = take(4);
                let length = |at| u16::from_le_bytes([pair[at], pair[at + 1]]).into();
                (length(0), length(2))
            })
            .collect();
        // Field values may be any bytes.
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let headers: Vec<_> = lengths
            .into_iter()
            .map(|(name, value)| (text(take(name)), text(take(value))))
            .collect();
        let (target_slot, target_length) = (word(6) & 0xffff, word(6) as usize >> 16);
        let (host_slot, host_length) = (word(7) & 0xffff, word(7) as usize >> 16);
        if flags & REQUEST_TARGET_DEFINED != 0 {
            self.targets.insert(target_slot, take(target_length));
        }
        if flags & REQUEST_HOST_DEFINED != 0 {
            self.hosts.insert(host_slot, take(host_length));
        }
        let target = self.targets[&target_slot].clone();
        assert_eq!(target.len(), target_length);
        let host = (host_slot != NO_HOST).then(|| text(self.hosts[&host_slot].clone()));
        let method_length = if word(5) & 0xff == METHOD_OTHER {
            word(5) >> 8
        } else {
            0
        };
        let method_text = take(method_length as usize);
        let content_length = word(10) as usize;
        let content = if content_length == 0 {
            Vec::new()
        } else {
            let start = at.next_multiple_of(8);
            record[start..start + content_length].to_vec()
        };
        self.control(REQUESTS_STARTED)
            .fetch_add(1, Ordering::SeqCst);
        Request {
            key,
            flags,
            listener: word(4),
            method: word(5) & 0xff,
            method_text,
            target: text(target),
            host,
            headers,
            content,
            declared: u64::from(word(11)) | u64::from(word(12)) << 32,
            family: word(13) & 0xffff,
            port: word(13) >> 16,
            address: record[56..72].try_into().unwrap(),
            is_stale: self.generation(key.0) != key.1,
        }
    }

    /// The next event, heartbeats aside.
    pub fn event(&mut self) -> Event {
        let until = Instant::now() + DEADLINE;
        loop {
            match self.poll() {
                Some(Event::Heartbeat) => {}
                Some(event) => return event,
                None => {
                    assert!(Instant::now() < until, "there is no event");
                    sleep(Duration::from_micros(200));
                }
            }
        }
    }

    pub fn request(&mut self) -> Request {
        match self.event() {
            Event::Request(request) => request,
            event => panic!("{event:?} instead of a request"),
        }
    }

    /// The content of a request, also if it came later than its head.
    pub fn content(&mut self, request: &Request) -> Vec<u8> {
        if request.has(REQUEST_CONTENT_COMPLETE) {
            return request.content.clone();
        }
        self.ask_content(request.key, CONTENT_GATHER);
        match self.event() {
            Event::Content {
                of,
                waiting,
                is_end: true,
            } if of == request.key => self.take(of, waiting as usize).unwrap(),
            event => panic!("{event:?} instead of content"),
        }
    }

    /// Whether nothing happens for a moment.
    pub fn is_quiet(&mut self) -> bool {
        sleep(Duration::from_millis(50));
        self.poll().is_none()
    }

    pub fn wake(&self) {
        runtime::with(self.handle, |runtime| runtime.wake(0));
    }

    /// Writes a command and publishes it.
    pub fn command(&mut self, kind: u32, flags: u32, of: Key, words: &[u32], rest: &[&[u8]]) {
        self.write(kind, flags, of, words, rest);
        self.publish();
    }

    /// Writes a command and publishes it. Word `token` of `words` stands for its
    /// content: what happens must not depend on where that is.
    pub fn command_with(
        &mut self,
        (kind, flags): (u32, u32),
        of: Key,
        words: &[u32],
        token: usize,
        content: &[u8],
    ) {
        let flags = flags | RESPOND_CONTENT_TOKEN;
        let mut words = words.to_vec();
        self.presents = !self.presents;
        if self.presents {
            let start = self.head;
            words[token] = CONTENT_PRESENT;
            self.write(kind, flags, of, &words, &[]);
            if self.runtime().present(0, of.0, self.head, content) {
                return;
            }
            self.head = start;
        }
        words[token] = self.runtime().lend(content);
        self.command(kind, flags, of, &words, &[]);
    }

    /// Writes a command that `publish` will show.
    pub fn write(&mut self, kind: u32, flags: u32, of: Key, words: &[u32], rest: &[&[u8]]) {
        let mut record = Vec::new();
        for word in [0, kind | flags << 8, of.0, of.1].iter().chain(words) {
            record.extend(word.to_le_bytes());
        }
        for bytes in rest {
            record.extend(*bytes);
        }
        record.resize(record.len().next_multiple_of(RECORD_ALIGN), 0);
        let size = record.len();
        record[..4].copy_from_slice(&(size as u32).to_le_bytes());
        let left = COMMANDS_BYTES - self.head as usize % COMMANDS_BYTES;
        if left < size {
            let mut pad = vec![0; 16];
            pad[..4].copy_from_slice(&(left as u32).to_le_bytes());
            self.put(&pad, left);
        }
        self.put(&record, size);
    }

    fn put(&mut self, record: &[u8], size: usize) {
        let until = Instant::now() + DEADLINE;
        loop {
            let tail = self.control(COMMANDS_TAIL).load(Ordering::SeqCst);
            if self.head.wrapping_sub(tail) as usize + size <= COMMANDS_BYTES {
                break;
            }
            self.publish();
            assert!(Instant::now() < until, "commands are not read");
            sleep(Duration::from_micros(200));
        }
        let at = CONTROL_BYTES + EVENTS_BYTES + self.head as usize % COMMANDS_BYTES;
        // SAFETY: inside of the ring, and the I/O thread does not read it yet.
        unsafe {
            std::ptr::copy_nonoverlapping(record.as_ptr(), self.region.add(at), record.len());
        }
        self.head = self.head.wrapping_add(size as u32);
    }

    /// Shows the thread what was written, without waking it.
    pub fn show(&self) {
        self.control(COMMANDS_HEAD)
            .store(self.head, Ordering::SeqCst);
    }

    pub fn publish(&mut self) {
        self.show();
        // What happens must not depend on who carries it out.
        self.helps = !self.helps;
        if self.helps {
            self.help();
        } else {
            self.wake();
        }
    }

    /// Carries out commands on this thread, if the other sleeps.
    pub fn help(&self) {
        runtime::with(self.handle, |runtime| runtime.help(0));
    }

    /// Waits until the I/O thread has closed the doorbell.
    pub fn doorbell_ends(&mut self) {
        let mut bytes = [0; 64];
        while self.doorbell.read(&mut bytes).expect("an end") > 0 {}
    }

    /// Whether the I/O thread waits for the system.
    pub fn io_sleeps(&self) -> bool {
        self.control(IO_SLEEPS).load(Ordering::SeqCst) == 1
    }

    /// Whether all commands that were published have been read.
    pub fn is_read(&self) -> bool {
        self.control(COMMANDS_TAIL).load(Ordering::SeqCst) == self.head
    }

    pub fn respond(&mut self, of: Key, status: u32, lines: &str, content: &[u8]) {
        self.respond_with(of, 0, status, lines, content);
    }

    pub fn respond_with(&mut self, of: Key, flags: u32, status: u32, lines: &str, content: &[u8]) {
        let words = [status, lines.len() as u32, content.len() as u32, 0];
        self.command(
            COMMAND_RESPOND,
            flags,
            of,
            &words,
            &[lines.as_bytes(), content],
        );
    }

    pub fn respond_lent(&mut self, of: Key, content: &[u8]) -> u32 {
        let token = self.runtime().lend(content);
        let words = [200, 0, content.len() as u32, token];
        self.command(COMMAND_RESPOND, RESPOND_CONTENT_TOKEN, of, &words, &[]);
        token
    }

    pub fn respond_with_content(&mut self, of: Key, content: &[u8]) {
        let words = [200, 0, content.len() as u32, 0];
        self.command_with((COMMAND_RESPOND, 0), of, &words, 3, content);
    }

    pub fn respond_file(&mut self, of: Key, token: u32, start: u64, end: u64) {
        let (low, high) = (|n: u64| n as u32, |n: u64| (n >> 32) as u32);
        let words = [
            200,
            0,
            token,
            0,
            low(start),
            high(start),
            low(end),
            high(end),
        ];
        self.command(COMMAND_RESPOND_FILE, 0, of, &words, &[]);
    }

    pub fn respond_stream(&mut self, of: Key, flags: u32, length: u64) {
        let words = [200, 0, length as u32, (length >> 32) as u32];
        self.command(COMMAND_RESPOND_STREAM, flags, of, &words, &[]);
    }

    pub fn chunk(&mut self, of: Key, content: &[u8], is_end: bool) {
        let flags = if is_end { RESPOND_END } else { 0 };
        self.command(
            COMMAND_CHUNK,
            flags,
            of,
            &[content.len() as u32, 0],
            &[content],
        );
    }

    pub fn chunk_lent(&mut self, of: Key, content: &[u8]) {
        let token = self.runtime().lend(content);
        let words = [content.len() as u32, token];
        self.command(COMMAND_CHUNK, RESPOND_CONTENT_TOKEN, of, &words, &[]);
    }

    pub fn ask_content(&mut self, of: Key, mode: u32) {
        self.command(COMMAND_CONTENT, 0, of, &[mode], &[]);
    }

    /// Takes content that has arrived; None if there is none to come.
    pub fn take(&self, of: Key, most: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; most];
        let count = self.runtime().take(0, of.0, of.1, &mut out)?;
        out.truncate(count);
        Some(out)
    }

    /// Answers `hello` to each request until `is_over`.
    pub fn serve_hello(&mut self, mut is_over: impl FnMut() -> bool) {
        while !is_over() {
            match self.poll() {
                Some(Event::Request(request)) => {
                    self.respond(request.key, 200, "", b"hello");
                }
                Some(_) => {}
                None => std::thread::yield_now(),
            }
        }
    }
}

impl Drop for JavaScript {
    fn drop(&mut self) {
        runtime::close(self.handle);
    }
}

// ---------------------------------------------------------------------------
// Clients
// ---------------------------------------------------------------------------

/// A client that checks what it reads.
pub struct Client {
    pub stream: TcpStream,
    unread: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub content: Vec<u8>,
    /// The connection ended before the content did.
    pub is_truncated: bool,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.content).unwrap()
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    pub fn get(&mut self, target: &str) {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }

    pub fn half_close(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Makes closing send a reset.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    fn fill(&mut self) -> bool {
        let mut buffer = [0; 65536];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.unread.extend(&buffer[..count]);
                count > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.unread.drain(..end + 2).take(end).collect();
                return Some(String::from_utf8(line).unwrap());
            }
            if !self.fill() {
                return None;
            }
        }
    }

    fn bytes(&mut self, count: usize) -> (Vec<u8>, bool) {
        while self.unread.len() < count {
            if !self.fill() {
                return (std::mem::take(&mut self.unread), true);
            }
        }
        (self.unread.drain(..count).collect(), false)
    }

    pub fn response(&mut self) -> Response {
        self.response_to("GET")
    }

    pub fn response_to(&mut self, method: &str) -> Response {
        let mut head = String::new();
        loop {
            let line = self.line().expect("a response");
            if line.is_empty() {
                break;
            }
            head += &line;
            head += "\n";
        }
        let status: u16 = head[9..12].parse().unwrap();
        let mut response = Response {
            status,
            head,
            content: Vec::new(),
            is_truncated: false,
        };
        if method == "HEAD" || matches!(status, 100..=199 | 204 | 304) {
            return response;
        }
        if let Some(length) = response.header("content-length") {
            let length = length.parse().unwrap();
            (response.content, response.is_truncated) = self.bytes(length);
        } else if response.header("transfer-encoding") == Some("chunked") {
            loop {
                let Some(size) = self.line() else {
                    response.is_truncated = true;
                    break;
                };
                let size = usize::from_str_radix(&size, 16).unwrap();
                let (mut bytes, is_truncated) = self.bytes(size + 2);
                if is_truncated {
                    response.is_truncated = true;
                    break;
                }
                assert!(bytes.ends_with(b"\r\n"));
                bytes.truncate(size);
                response.content.extend(bytes);
                if size == 0 {
                    break;
                }
            }
        } else {
            while self.fill() {}
            response.content = std::mem::take(&mut self.unread);
        }
        response
    }

    /// Waits for the end; anything else that comes is an error.
    pub fn ends(&mut self) {
        while self.fill() {}
        assert!(self.unread.is_empty(), "{}", self.unread.escape_ascii());
    }

    /// Whether nothing comes for a moment.
    pub fn is_quiet(&mut self) -> bool {
        self.stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let result = self.stream.read(&mut [0]);
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        result.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

/// A static table of content entries: path, status, lines, content.
pub fn table(entries: &[(&str, u32, &str, &[u8])]) -> Vec<u8> {
    let mut out = (entries.len() as u32).to_le_bytes().to_vec();
    for (path, status, lines, content) in entries {
        entry(&mut out, path, STATIC_CONTENT, *status, lines, content);
    }
    out
}

/// Appends an entry that any method may ask for.
pub fn entry(out: &mut Vec<u8>, path: &str, kind: u32, status: u32, lines: &str, content: &[u8]) {
    let words = [
        path.len() as u32,
        ALL_METHODS,
        kind,
        status,
        lines.len() as u32,
        0,
        0,
        content.len() as u32,
    ];
    for word in words {
        out.extend(word.to_le_bytes());
    }
    out.extend(path.as_bytes());
    out.extend(lines.as_bytes());
    out.extend(content);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Waits until something is so.
pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        sleep(Duration::from_millis(2));
    }
}
