//! System calls that neither std nor mio nor socket2 has.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// Sends up to `count` bytes of `file` from `position` on without copying them
/// through this process (sendfile(2)); neither uses nor moves the file's own
/// position. Returns how many were sent; 0 at the end of the file.
///
/// # Errors
/// `WouldBlock` if the socket takes nothing now.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn send_file(
    socket: BorrowedFd<'_>,
    file: &File,
    position: u64,
    count: usize,
) -> io::Result<usize> {
    let mut offset = i64::try_from(position).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: both descriptors are open as long as they are borrowed, and the
    // system writes to nothing but `offset`.
    let sent =
        unsafe { libc::sendfile64(socket.as_raw_fd(), file.as_raw_fd(), &raw mut offset, count) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Sends up to `count` bytes of `file` from `position` on without copying them
/// through this process (sendfile(2)); neither uses nor moves the file's own
/// position. Returns how many were sent; 0 at the end of the file.
///
/// # Errors
/// `WouldBlock` if the socket takes nothing now.
#[cfg(any(target_os = "macos", target_os = "ios"))]
pub fn send_file(
    socket: BorrowedFd<'_>,
    file: &File,
    position: u64,
    count: usize,
) -> io::Result<usize> {
    if count == 0 {
        return Ok(0); // Which would mean "all of it".
    }
    let offset = i64::try_from(position).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut sent = i64::try_from(count).unwrap_or(i64::MAX);
    // SAFETY: both descriptors are open as long as they are borrowed, and the
    // system writes to nothing but `sent`.
    let result = unsafe {
        libc::sendfile(
            file.as_raw_fd(),
            socket.as_raw_fd(),
            offset,
            &raw mut sent,
            std::ptr::null_mut(),
            0,
        )
    };
    // It also fails when it has sent a part.
    if result == 0 || sent > 0 {
        return Ok(usize::try_from(sent).unwrap_or(0));
    }
    Err(io::Error::last_os_error())
}

/// Whether the other end of a socket is in this process.
pub fn is_own_peer(socket: &UnixStream) -> bool {
    peer_process(socket).is_ok_and(|process| process == std::process::id())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn peer_process(socket: &UnixStream) -> io::Result<u32> {
    let mut peer = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut size = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the system writes at most `size` bytes to `peer`, a structure of
    // plain numbers, and the size to `size`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &raw mut size,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    u32::try_from(peer.pid).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
fn peer_process(socket: &UnixStream) -> io::Result<u32> {
    let mut peer: libc::pid_t = 0;
    let mut size = size_of::<libc::pid_t>() as libc::socklen_t;
    // SAFETY: the system writes at most `size` bytes to `peer`, a number, and
    // the size to `size`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_LOCAL,
            libc::LOCAL_PEERPID,
            (&raw mut peer).cast(),
            &raw mut size,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    u32::try_from(peer).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Keeps this library in memory until the process ends, whoever closes it:
/// threads may still run in it, and their destructors are in it. False if that
/// is impossible.
#[cfg(target_os = "linux")]
pub fn pin_library() -> bool {
    true // `build.rs` has told the linker.
}

/// Keeps this library in memory until the process ends, whoever closes it:
/// threads may still run in it, and their destructors are in it. False if that
/// is impossible.
#[cfg(not(target_os = "linux"))]
pub fn pin_library() -> bool {
    static ANCHOR: u8 = 0;
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr looks an address up, and writes to `found` alone.
    let result = unsafe { libc::dladdr((&raw const ANCHOR).cast(), found.as_mut_ptr()) };
    if result == 0 {
        return false;
    }
    // SAFETY: all of its fields may be zero, and dladdr has succeeded.
    let found = unsafe { found.assume_init() };
    if found.dli_fname.is_null() {
        return false;
    }
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: the name ends with NUL and lives as long as the library, which is
    // loaded, as this code runs: so nothing is loaded or initialised here.
    !unsafe { libc::dlopen(found.dli_fname, flags) }.is_null()
}

/// Keeps signals away from this thread: those who handle them run elsewhere,
/// and a broken pipe is an error of the call that found it.
pub fn block_signals() {
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: sigfillset initialises `all`; then the mask of this thread alone
    // is set, and the old one is not asked for.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), std::ptr::null_mut());
    }
}
