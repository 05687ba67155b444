//! The event loop as two threads reach it: its own, and JavaScript's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::Duration;

use mio::Events as Readiness;

use super::{Loop, Offer};
use crate::runtime::lock;

/// How long the thread sleeps when the other moves much data, and how often in
/// a row at most.
const NAP: Duration = Duration::from_micros(50);
const NAPS: usize = 8;

/// The loop of an I/O thread, which leaves it only to wait for the system.
#[derive(Default)]
pub struct SharedLoop {
    /// None before the thread has begun and after it has ended.
    running: Mutex<Option<Loop>>,
    /// JavaScript's thread is moving much data, and will probably go on with it.
    is_moving: AtomicBool,
}

/// Ends a loop, also when its thread panics.
pub struct Running<'a>(&'a SharedLoop);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let ended = lock(&self.0.running).take();
        // Without the lock: closing sockets takes a while.
        drop(ended);
    }
}

impl SharedLoop {
    /// The thread begins.
    pub fn begin(&self, new: Loop) -> Running<'_> {
        *lock(&self.running) = Some(new);
        Running(self)
    }

    /// One turn, by the thread itself: how long it may wait then, None for ever;
    /// or None at the end.
    pub fn turn(&self, readiness: &Readiness) -> Option<Option<Duration>> {
        self.take().as_mut()?.turn(readiness)
    }

    /// Takes the loop for a turn. While the other thread moves much data, it has
    /// the loop again a moment after it has let go. To be woken for each such
    /// moment would cost both more than what there is to do then.
    fn take(&self) -> MutexGuard<'_, Option<Loop>> {
        for _ in 0..NAPS {
            match self.running.try_lock() {
                Err(TryLockError::WouldBlock) if self.is_moving.load(Ordering::Relaxed) => {
                    thread::sleep(NAP);
                }
                _ => break,
            }
        }
        lock(&self.running)
    }

    /// Carries out commands, by JavaScript's thread; false if that was not
    /// possible since the thread is in a turn, or has ended.
    pub fn help(&self) -> bool {
        self.with_idle(|io| io.help(None))
    }

    /// Carries out the commands up to `head`, the last of which is for
    /// `connection` and has this content, by JavaScript's thread; false if
    /// nothing was done.
    pub fn present(&self, connection: u32, head: u32, content: &[u8]) -> bool {
        let mut is_done = false;
        self.move_much(|io| is_done = io.present(connection, head, content)) && is_done
    }

    /// Reads from a TCP connection, by JavaScript's thread: None if the thread is
    /// in a turn, or has ended; and None if there is nothing.
    pub fn read_tcp(&self, offer: &Offer, out: &mut [u8]) -> Option<Option<usize>> {
        let mut count = None;
        let is_done = self.move_much(|io| count = io.read_tcp(offer, out));
        is_done.then_some(count)
    }

    /// As `with_idle`, for what may take as long as a turn.
    fn move_much(&self, happen: impl FnOnce(&mut Loop)) -> bool {
        self.is_moving.store(true, Ordering::Relaxed);
        let is_done = self.with_idle(happen);
        self.is_moving.store(false, Ordering::Relaxed);
        is_done
    }

    /// Lets something happen to the loop; false if the thread is in a turn, or
    /// has ended.
    fn with_idle(&self, happen: impl FnOnce(&mut Loop)) -> bool {
        let mut running = match self.running.try_lock() {
            Ok(running) => running,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let Some(io) = running.as_mut() else {
            return false;
        };
        if catch_unwind(AssertUnwindSafe(|| happen(io))).is_err() {
            // Nobody knows in what state it is. Its thread is woken, and ends.
            *running = None;
            return false;
        }
        true
    }
}
