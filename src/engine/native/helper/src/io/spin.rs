//! Looking for commands for a moment before going to sleep.

use std::time::{Duration, Instant};

use mio::{Events as Readiness, Poll};

use super::context::Context;
use crate::ring::CommandReader;

/// How long to look.
const SPIN_TIME: Duration = Duration::from_micros(50);
/// Only while answers have lately come within so many microseconds.
const QUICK_ANSWER: u64 = 40;
/// Looks at the commands between questions to the system.
const LOOKS: u32 = 50;

/// Spares quick answers the way over a sleeping thread: that takes longer than
/// they do, and costs JavaScript a system call. It burns nothing while no
/// request is out, and does nothing on a single processor, where JavaScript
/// could not run meanwhile.
pub struct Spinner {
    has_processors: bool,
}

impl Default for Spinner {
    fn default() -> Self {
        let processors = std::thread::available_parallelism();
        Self {
            has_processors: processors.is_ok_and(|count| count.get() > 1),
        }
    }
}

impl Spinner {
    /// Looks for commands and for what the system has to tell; whether there is
    /// something to do.
    pub fn spin(
        &self,
        cx: &Context,
        commands: &mut CommandReader,
        poll: &mut Poll,
        readiness: &mut Readiness,
    ) -> bool {
        if !self.has_processors || cx.outstanding == 0 || cx.answer_time > QUICK_ANSWER {
            return false;
        }
        let until = Instant::now() + SPIN_TIME;
        loop {
            for _ in 0..LOOKS {
                if commands.has_next() {
                    readiness.clear();
                    return true;
                }
                std::hint::spin_loop();
            }
            if poll.poll(readiness, Some(Duration::ZERO)).is_ok() && !readiness.is_empty() {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
        }
    }
}
