//! The event loop as two threads reach it: its own, and JavaScript's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use mio::Events as Readiness;

use super::Loop;
use crate::runtime::lock;

/// The loop of an I/O thread, which leaves it only to wait for the system.
#[derive(Default)]
pub struct SharedLoop {
    /// None before the thread has begun and after it has ended.
    running: Mutex<Option<Loop>>,
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
        lock(&self.running).as_mut()?.turn(readiness)
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
        self.with_idle(|io| is_done = io.present(connection, head, content)) && is_done
    }

    /// Reads from a TCP connection, by JavaScript's thread: None if the thread is
    /// in a turn, or has ended; and None if there is nothing.
    pub fn read_tcp(
        &self,
        connection: u32,
        generation: u32,
        out: &mut [u8],
    ) -> Option<Option<usize>> {
        let mut count = None;
        let is_done = self.with_idle(|io| count = io.read_tcp(connection, generation, out));
        is_done.then_some(count)
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
