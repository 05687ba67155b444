//! The exported functions; what they mean is in `abi.rs`. Numbers are checked,
//! buffers are what they claim to be, and panics end here.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::ptr;

use crate::abi;
use crate::bus;
use crate::error_name::error_name;
use crate::fault;
use crate::files::{self, FileFacts, OpenFile};
use crate::io::Offer;
use crate::listen_plan::ListenPlan;
use crate::runtime;
use crate::static_table::StaticTable;
use crate::tcp_target::TcpTarget;
use crate::tls::certificates::Certificates;
use crate::tls::client::{Client, protocol_names};

/// Size of what `jstime_file_open` and `jstime_file_stat` write.
const FACTS_BYTES: usize = 6 * 8;
/// The largest integer that JavaScript's numbers have without gaps.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A result below zero.
struct Failure(i32);

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(match error.raw_os_error() {
            Some(number) if number > 0 => number,
            _ if error.kind() == io::ErrorKind::InvalidInput => libc::EINVAL,
            _ => libc::EIO,
        })
    }
}

const BAD_HANDLE: Failure = Failure(libc::EBADF);
const INVALID: Failure = Failure(libc::EINVAL);
const NO_SUCH: Failure = Failure(libc::ENOENT);

/// Runs an exported function; `point` is its number for injected faults.
fn guard<Value>(point: u32, otherwise: Value, function: impl FnOnce() -> Value) -> Value {
    catch_unwind(AssertUnwindSafe(|| {
        fault::point(fault::EXPORTS + point);
        function()
    }))
    .unwrap_or(otherwise)
}

/// As `guard`, for functions whose result is a number or `-errno`.
fn checked(point: u32, function: impl FnOnce() -> Result<i32, Failure>) -> i32 {
    guard(point, -libc::EIO, || {
        function().unwrap_or_else(|Failure(number)| -number)
    })
}

/// A length as a result.
fn count(length: usize) -> Result<i32, Failure> {
    i32::try_from(length).map_err(|_| Failure(libc::EOVERFLOW))
}

/// The bytes of a buffer that JavaScript has passed.
///
/// # Safety
/// `start` is null, or points to `size` bytes that nobody writes to while the
/// result lives.
unsafe fn input<'a>(start: *const u8, size: u32) -> Result<&'a [u8], Failure> {
    if size == 0 {
        // JavaScript's empty views come as null or as anything.
        return Ok(&[]);
    }
    if start.is_null() || size > i32::MAX as u32 {
        return Err(Failure(libc::EFAULT));
    }
    // SAFETY: not null; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(start, size as usize) })
}

/// A buffer that JavaScript has passed to be written to.
///
/// # Safety
/// `start` is null, or points to `size` bytes that nobody else uses while the
/// result lives.
unsafe fn output<'a>(start: *mut u8, size: usize) -> Result<&'a mut [u8], Failure> {
    if size == 0 {
        return Ok(&mut []);
    }
    if start.is_null() || size > i32::MAX as usize {
        return Err(Failure(libc::EFAULT));
    }
    // SAFETY: not null; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts_mut(start, size) })
}

/// The number of the contract.
#[unsafe(no_mangle)]
pub extern "C" fn jstime_abi() -> u32 {
    guard(0, 0, || abi::ABI)
}

/// Starts I/O threads; a handle.
#[unsafe(no_mangle)]
pub extern "C" fn jstime_open(threads: u32) -> i32 {
    checked(1, || count(runtime::open(threads)? as usize))
}

/// The memory of a thread; it belongs to the handle.
#[unsafe(no_mangle)]
pub extern "C" fn jstime_memory(handle: u32, thread: u32) -> *mut u8 {
    guard(2, ptr::null_mut(), || {
        let memory = runtime::with(handle, |runtime| runtime.memory(thread));
        memory.flatten().unwrap_or(ptr::null_mut())
    })
}

/// The path of a thread's doorbell.
///
/// # Safety
/// `out` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_doorbell(handle: u32, thread: u32, out: *mut u8, size: u32) -> i32 {
    checked(3, || {
        // SAFETY: the caller's promise; a synchronous call.
        let out = unsafe { output(out, size as usize) }?;
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        let path = runtime.doorbell(thread).ok_or(INVALID)?;
        out.get_mut(..path.len())
            .ok_or(Failure(libc::ERANGE))?
            .copy_from_slice(path);
        count(path.len())
    })
}

/// Carries out the commands for a thread if it sleeps.
#[unsafe(no_mangle)]
pub extern "C" fn jstime_help(handle: u32, thread: u32) {
    guard(18, (), || {
        runtime::with(handle, |runtime| runtime.help(thread));
    });
}

/// Carries out the commands for a thread, the last of them with this content.
///
/// # Safety
/// `content` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_present(
    handle: u32,
    thread: u32,
    connection: u32,
    head: u32,
    content: *const u8,
    size: u32,
) -> u32 {
    guard(60, 0, || {
        // SAFETY: the caller's promise; a synchronous call.
        let Ok(content) = (unsafe { input(content, size) }) else {
            return 0;
        };
        let is_done = runtime::with(handle, |runtime| {
            runtime.present(thread, connection, head, content)
        });
        u32::from(is_done.unwrap_or(false))
    })
}

/// Wakes a thread if it sleeps.
#[unsafe(no_mangle)]
pub extern "C" fn jstime_wake(handle: u32, thread: u32) {
    guard(4, (), || {
        runtime::with(handle, |runtime| runtime.wake(thread));
    });
}

/// Ends everything of a handle.
#[unsafe(no_mangle)]
pub extern "C" fn jstime_close(handle: u32) -> i32 {
    checked(5, || {
        if runtime::close(handle) {
            Ok(0)
        } else {
            Err(BAD_HANDLE)
        }
    })
}

/// Listens.
///
/// # Safety
/// `plan` and `out` are null or point to as many bytes as `size` and `out_size`
/// say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_listen(
    handle: u32,
    plan: *const u8,
    size: u32,
    out: *mut u8,
    out_size: u32,
) -> i32 {
    checked(6, || {
        // SAFETY: the caller's promise; a synchronous call.
        let (plan, out) = unsafe { (input(plan, size)?, output(out, out_size as usize)?) };
        listen(handle, plan, false, out)
    })
}

/// Listens, and tells the address.
fn listen(handle: u32, plan: &[u8], is_tcp: bool, out: &mut [u8]) -> Result<i32, Failure> {
    let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
    let mut plan = ListenPlan::parse(plan).ok_or(INVALID)?;
    plan.is_tcp = is_tcp;
    if out.len() < abi::LISTEN_OUT_BYTES {
        return Err(Failure(libc::ERANGE));
    }
    let (listener, address) = runtime.listen(plan)?;
    out.fill(0);
    if let Some(address) = address {
        out[..4].copy_from_slice(&u32::from(address.port()).to_le_bytes());
        let text = address.ip().to_string();
        out[4..4 + text.len()].copy_from_slice(text.as_bytes());
    }
    count(listener as usize)
}

/// Stops a listener.
#[unsafe(no_mangle)]
pub extern "C" fn jstime_stop(handle: u32, listener: u32, force: u32) -> i32 {
    checked(7, || {
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        if runtime.stop(listener, force != 0) {
            Ok(0)
        } else {
            Err(NO_SUCH)
        }
    })
}

/// Closes idle connections.
#[unsafe(no_mangle)]
pub extern "C" fn jstime_close_idle(handle: u32, listener: u32) -> i32 {
    checked(8, || {
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        count(runtime.close_idle(listener).ok_or(NO_SUCH)? as usize)
    })
}

/// Replaces the static answers of a listener.
///
/// # Safety
/// `table` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_static(
    handle: u32,
    listener: u32,
    table: *const u8,
    size: u32,
) -> i32 {
    checked(9, || {
        // SAFETY: the caller's promise; a synchronous call.
        let table = unsafe { input(table, size) }?;
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        let table = StaticTable::parse(table).ok_or(INVALID)?;
        if runtime.set_static(listener, table) {
            Ok(0)
        } else {
            Err(NO_SUCH)
        }
    })
}

/// Metrics of a listener.
///
/// # Safety
/// `out` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_metrics(
    handle: u32,
    listener: u32,
    out: *mut u8,
    size: u32,
) -> i32 {
    checked(10, || {
        // SAFETY: the caller's promise; a synchronous call.
        let out = unsafe { output(out, size as usize) }?;
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        let values = runtime.metrics(listener).ok_or(NO_SUCH)?;
        count(write_values(&values, out))
    })
}

/// As many values as `out` has room for.
fn write_values(values: &[f64], out: &mut [u8]) -> usize {
    let places = out.chunks_exact_mut(8);
    let written = places.len().min(values.len());
    for (place, value) in places.zip(values) {
        place.copy_from_slice(&value.to_le_bytes());
    }
    written
}

/// Keeps content for a command.
///
/// # Safety
/// `content` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_lend(handle: u32, content: *const u8, size: u32) -> u32 {
    guard(11, 0, || {
        // SAFETY: the caller's promise; a synchronous call.
        let Ok(content) = (unsafe { input(content, size) }) else {
            return 0;
        };
        runtime::with(handle, |runtime| runtime.lend(content)).unwrap_or(0)
    })
}

/// Reads from a TCP connection.
///
/// # Safety
/// `out` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_tcp_read(
    handle: u32,
    thread: u32,
    connection: u32,
    generation: u32,
    offer: u32,
    out: *mut u8,
    size: u32,
) -> i32 {
    checked(61, || {
        let offer = Offer {
            connection,
            generation,
            number: offer,
        };
        let read = runtime::with(handle, |runtime| {
            // SAFETY: the caller's promise; a synchronous call.
            let out = unsafe { output(out, size as usize) }?;
            runtime.read_tcp(thread, &offer, out).map_err(Failure)
        });
        count(read.ok_or(BAD_HANDLE)??)
    })
}

/// Copies request content.
///
/// # Safety
/// `out` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_take(
    handle: u32,
    thread: u32,
    connection: u32,
    generation: u32,
    out: *mut u8,
    size: u32,
) -> i32 {
    checked(12, || {
        let taken = runtime::with(handle, |runtime| {
            // SAFETY: the caller's promise; a synchronous call.
            let out = unsafe { output(out, size as usize) }?;
            runtime
                .take(thread, connection, generation, out)
                .ok_or(NO_SUCH)
        });
        count(taken.ok_or(BAD_HANDLE)??)
    })
}

/// Opens a file or a directory.
///
/// # Safety
/// `path` is null or points to `size` bytes; `out` is null or points to six
/// f64, at any address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_file_open(path: *const u8, size: u32, out: *mut u8) -> i32 {
    checked(13, || {
        // SAFETY: the caller's promise; a synchronous call.
        let (path, out) = unsafe { (input(path, size)?, output(out, FACTS_BYTES)?) };
        let file = OpenFile::open(Path::new(OsStr::from_bytes(path)))?;
        write_facts(&file.facts, out);
        count(files::keep(runtime::owner(), file) as usize)
    })
}

/// What is known about an open file.
///
/// # Safety
/// `out` is null or points to six f64, at any address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_file_stat(token: u32, out: *mut u8) -> i32 {
    checked(14, || {
        // SAFETY: the caller's promise; a synchronous call.
        let out = unsafe { output(out, FACTS_BYTES) }?;
        let file = files::get(token).ok_or(BAD_HANDLE)?;
        write_facts(&file.facts_now()?, out);
        Ok(0)
    })
}

fn write_facts(facts: &FileFacts, out: &mut [u8]) {
    let kind = if facts.is_regular { 1.0 } else { 2.0 };
    let values = [
        facts.size as f64,
        facts.modified_ms,
        facts.changed_ms,
        facts.device as f64,
        facts.inode as f64,
        kind,
    ];
    write_values(&values, out);
}

/// Reads from a file.
///
/// # Safety
/// `out` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_file_read(
    token: u32,
    out: *mut u8,
    size: u32,
    position: f64,
) -> i32 {
    checked(15, || {
        // SAFETY: the caller's promise; a synchronous call.
        let out = unsafe { output(out, size as usize) }?;
        // Also not for NaN.
        if !(0.0..=MAX_SAFE_INTEGER).contains(&position) || position.fract() != 0.0 {
            return Err(INVALID);
        }
        let file = files::get(token).ok_or(BAD_HANDLE)?;
        count(file.read(out, position as u64)?)
    })
}

/// Closes a file.
#[unsafe(no_mangle)]
pub extern "C" fn jstime_file_close(token: u32) -> i32 {
    checked(16, || files::take(token).map(|_| 0).ok_or(BAD_HANDLE))
}

/// The name of an error number.
///
/// # Safety
/// `out` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_error_name(errno: u32, out: *mut u8, size: u32) -> i32 {
    checked(17, || {
        // SAFETY: the caller's promise; a synchronous call.
        let out = unsafe { output(out, size as usize) }?;
        let name = i32::try_from(errno)
            .ok()
            .and_then(error_name)
            .ok_or(INVALID)?;
        out.get_mut(..name.len())
            .ok_or(Failure(libc::ERANGE))?
            .copy_from_slice(name.as_bytes());
        count(name.len())
    })
}

/// Replaces the certificates of a listener.
///
/// # Safety
/// `certificates` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_tls(
    handle: u32,
    listener: u32,
    certificates: *const u8,
    size: u32,
) -> i32 {
    checked(18, || {
        // SAFETY: the caller's promise; a synchronous call.
        let certificates = unsafe { input(certificates, size) }?;
        // Without a handle this only tells whether they can be used.
        let certificates = Certificates::parse(certificates).ok_or(INVALID)?;
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        match runtime.set_certificates(listener, certificates) {
            None => Err(NO_SUCH),
            Some(false) => Err(INVALID),
            Some(true) => Ok(0),
        }
    })
}

/// Listens for TCP.
///
/// # Safety
/// As `jstime_listen`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_tcp_listen(
    handle: u32,
    plan: *const u8,
    size: u32,
    out: *mut u8,
    out_size: u32,
) -> i32 {
    checked(40, || {
        // SAFETY: the caller's promise; a synchronous call.
        let (plan, out) = unsafe { (input(plan, size)?, output(out, out_size as usize)?) };
        listen(handle, plan, true, out)
    })
}

/// Connects.
///
/// # Safety
/// `plan` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_tcp_connect(
    handle: u32,
    thread: u32,
    attempt: u32,
    plan: *const u8,
    size: u32,
) -> i32 {
    checked(41, || {
        // SAFETY: the caller's promise; a synchronous call.
        let target = TcpTarget::parse(unsafe { input(plan, size) }?).ok_or(INVALID)?;
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        if runtime.tcp_connect(thread, attempt, target) {
            Ok(0)
        } else {
            Err(INVALID)
        }
    })
}

/// Sets the certificates of a TCP listener, and the protocols to agree on.
///
/// # Safety
/// `protocols` and `certificates` are null or point to as many bytes as their
/// sizes say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_tcp_tls(
    handle: u32,
    listener: u32,
    protocols: *const u8,
    protocols_size: u32,
    certificates: *const u8,
    size: u32,
) -> i32 {
    checked(42, || {
        // SAFETY: the caller's promise; a synchronous call.
        let (protocols, certificates) = unsafe {
            (
                input(protocols, protocols_size)?,
                input(certificates, size)?,
            )
        };
        let protocols = protocol_names(protocols).ok_or(INVALID)?;
        // Without a handle this only tells whether they can be used.
        let mut certificates = Certificates::parse(certificates).ok_or(INVALID)?;
        certificates.set_protocols(&protocols);
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        match runtime.set_certificates(listener, certificates) {
            None => Err(NO_SUCH),
            Some(false) => Err(INVALID),
            Some(true) => Ok(0),
        }
    })
}

/// Keeps how a client speaks TLS.
///
/// # Safety
/// `options` and `authorities` are null or point to as many bytes as their sizes
/// say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_tcp_client(
    handle: u32,
    options: *const u8,
    options_size: u32,
    authorities: *const u8,
    size: u32,
) -> i32 {
    checked(43, || {
        // SAFETY: the caller's promise; a synchronous call.
        let (options, authorities) =
            unsafe { (input(options, options_size)?, input(authorities, size)?) };
        // Without a handle this only tells whether they can be used.
        let client = Client::parse(options, authorities).ok_or(INVALID)?;
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        count(runtime.lend_client(client) as usize)
    })
}

/// Tells the certificate of a request's client.
///
/// # Safety
/// `out` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_peer_certificate(
    handle: u32,
    thread: u32,
    connection: u32,
    generation: u32,
    out: *mut u8,
    size: u32,
) -> i32 {
    checked(20, || {
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        let encoded = runtime
            .peer_certificate(thread, connection, generation)
            .ok_or(NO_SUCH)?;
        // SAFETY: the caller's promise; a synchronous call.
        let out = unsafe { output(out, size as usize) }?;
        if let Some(out) = out.get_mut(..encoded.len()) {
            out.copy_from_slice(&encoded);
        }
        count(encoded.len())
    })
}

/// Makes a handle a member of a bus.
///
/// # Safety
/// `name` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_bus_join(handle: u32, name: *const u8, size: u32) -> i32 {
    checked(30, || {
        // SAFETY: the caller's promise; a synchronous call.
        let name = unsafe { input(name, size) }?;
        let runtime = runtime::find(handle).ok_or(BAD_HANDLE)?;
        let membership = runtime.join_bus(handle, name);
        if runtime::find(handle).is_none() {
            // It was abandoned meanwhile.
            bus::leave(membership);
            return Err(BAD_HANDLE);
        }
        count(membership as usize)
    })
}

/// Ends a membership.
#[unsafe(no_mangle)]
pub extern "C" fn jstime_bus_leave(membership: u32) -> i32 {
    checked(31, || {
        if bus::leave(membership) {
            Ok(0)
        } else {
            Err(NO_SUCH)
        }
    })
}

/// Publishes to other handles of a bus.
///
/// # Safety
/// `topic` and `payload` are null or point to as many bytes as `topic_size` and
/// `size` say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_bus_publish(
    membership: u32,
    topic: *const u8,
    topic_size: u32,
    payload: *const u8,
    size: u32,
    flags: u32,
) -> i32 {
    checked(32, || {
        // SAFETY: the caller's promise; a synchronous call.
        let (topic, payload) = unsafe { (input(topic, topic_size)?, input(payload, size)?) };
        let delivery = bus::publish(membership, topic, payload, flags).ok_or(NO_SUCH)?;
        if delivery.dropped > 0 {
            return Err(Failure(libc::EAGAIN));
        }
        count(delivery.threads)
    })
}

/// Counts subscribers on other handles of a bus.
///
/// # Safety
/// `topic` is null or points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jstime_bus_count(membership: u32, topic: *const u8, size: u32) -> i32 {
    checked(33, || {
        // SAFETY: the caller's promise; a synchronous call.
        let topic = unsafe { input(topic, size) }?;
        count(bus::count(membership, topic).ok_or(NO_SUCH)?)
    })
}

/// Makes the next `times` passes of a point panic. Only with the feature
/// `fault-injection`.
#[cfg(feature = "fault-injection")]
#[unsafe(no_mangle)]
pub extern "C" fn jstime_fault(point: u32, times: u32) -> i32 {
    if fault::set(point, times) {
        0
    } else {
        -libc::EINVAL
    }
}
