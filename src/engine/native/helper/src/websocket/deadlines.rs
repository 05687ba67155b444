//! When something is due, as pure functions of the time. Times are
//! milliseconds on any clock that does not go back.

/// How long a client may take to answer a close frame, and to take what was
/// sent before it.
pub const CLOSE_TIMEOUT: u64 = 10_000;

/// After how much silence something is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdleTimes {
    /// Milliseconds until the client is pinged; None is never.
    ping: Option<u64>,
    /// Milliseconds until the connection is ended; None is never.
    close: Option<u64>,
}

/// What to do about the silence of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleStep {
    /// Nothing, ever.
    Never,
    /// Nothing before this time; something may have been heard by then.
    Wait(u64),
    /// Send a ping.
    Ping,
    /// End the connection.
    Close,
}

impl IdleTimes {
    /// From options: seconds of silence until a connection is ended, 0 for
    /// never, and whether to ping before that.
    ///
    /// Clients have a quarter of the time, but 4 to 16 seconds, to answer.
    pub fn new(idle_timeout: u32, send_pings: bool) -> Self {
        Self::from_milliseconds(u64::from(idle_timeout) * 1000, send_pings)
    }

    /// As `new`, from milliseconds.
    pub fn from_milliseconds(close: u64, send_pings: bool) -> Self {
        if close == 0 {
            return Self {
                ping: None,
                close: None,
            };
        }
        let to_answer = (close / 4).clamp(4_000, 16_000).min(close / 2);
        Self {
            ping: send_pings.then_some(close - to_answer),
            close: Some(close),
        }
    }

    /// What to do now about a client that was heard last at `heard`.
    ///
    /// * `pinged`: it has been sent a ping since then.
    ///
    /// While a client is not read from, because it is paused or the reader is
    /// behind, its silence says nothing: it counts as heard when reading goes
    /// on.
    pub fn step(&self, heard: u64, pinged: bool, now: u64) -> IdleStep {
        let Some(close) = self.close else {
            return IdleStep::Never;
        };
        if now.saturating_sub(heard) >= close {
            return IdleStep::Close;
        }
        match self.ping {
            Some(ping) if !pinged => {
                let at = heard.saturating_add(ping);
                if now >= at {
                    IdleStep::Ping
                } else {
                    IdleStep::Wait(at)
                }
            }
            _ => IdleStep::Wait(heard.saturating_add(close)),
        }
    }
}

/// How many pings in a row are answered at once.
const PONG_BURST: u32 = 64;
/// Milliseconds that must pass for one more.
const PONG_INTERVAL: u64 = 20;

/// Which pings are answered when. A client that sends more than can be
/// answered gets a pong for the latest only, which is enough (RFC 6455,
/// 5.5.3), so that it cannot make the server send more than a little.
#[derive(Debug, Default)]
pub struct Pongs {
    /// Of PONG_BURST, how many have been used.
    used: u32,
    /// Until when those that were used have been counted back.
    counted: u64,
    /// Payload of the ping that waits for its pong.
    waiting: Option<Vec<u8>>,
}

impl Pongs {
    /// A ping has arrived: whether it is answered at once. If not,
    /// [`Pongs::due`] has its answer, unless another ping comes before.
    ///
    /// * `blocked`: the client does not take what it is sent.
    pub fn ping(&mut self, payload: &[u8], blocked: bool, now: u64) -> bool {
        if !blocked && self.waiting.is_none() && self.use_one(now) {
            return true;
        }
        let waiting = self.waiting.get_or_insert_default();
        waiting.clear();
        waiting.extend_from_slice(payload);
        false
    }

    /// The payload of a pong to send now, if there is one.
    ///
    /// * `blocked`: as above.
    pub fn due(&mut self, blocked: bool, now: u64) -> Option<Vec<u8>> {
        if blocked || self.waiting.is_none() || !self.use_one(now) {
            return None;
        }
        self.waiting.take()
    }

    /// When to look for a pong that is due, unless the client is blocked.
    pub fn due_at(&self) -> Option<u64> {
        let at = match self.used {
            0..PONG_BURST => self.counted,
            _ => self.counted.saturating_add(PONG_INTERVAL),
        };
        self.waiting.as_ref().map(|_| at)
    }

    fn use_one(&mut self, now: u64) -> bool {
        let passed = now.saturating_sub(self.counted) / PONG_INTERVAL;
        let back = self.used.min(u32::try_from(passed).unwrap_or(u32::MAX));
        self.used -= back;
        self.counted = if self.used == 0 {
            now.max(self.counted)
        } else {
            self.counted + u64::from(back) * PONG_INTERVAL
        };
        if self.used == PONG_BURST {
            return false;
        }
        self.used += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_times() {
        let rows = [
            (0, true, None, None),
            (0, false, None, None),
            (8, true, Some(4_000), Some(8_000)),
            (8, false, None, Some(8_000)),
            (16, true, Some(12_000), Some(16_000)),
            (30, true, Some(22_500), Some(30_000)),
            (120, true, Some(104_000), Some(120_000)),
            (960, true, Some(944_000), Some(960_000)),
            (1, true, Some(500), Some(1_000)),
        ];
        for (seconds, pings, ping, close) in rows {
            let times = IdleTimes { ping, close };
            assert_eq!(IdleTimes::new(seconds, pings), times, "{seconds}");
        }
    }

    #[test]
    fn idle_steps() {
        let times = IdleTimes::new(8, true);
        assert_eq!(times.step(1_000, false, 1_000), IdleStep::Wait(5_000));
        assert_eq!(times.step(1_000, false, 4_999), IdleStep::Wait(5_000));
        assert_eq!(times.step(1_000, false, 5_000), IdleStep::Ping);
        assert_eq!(times.step(1_000, true, 5_000), IdleStep::Wait(9_000));
        assert_eq!(times.step(1_000, true, 8_999), IdleStep::Wait(9_000));
        assert_eq!(times.step(1_000, true, 9_000), IdleStep::Close);
        // Late: nobody looked in between.
        assert_eq!(times.step(1_000, false, 20_000), IdleStep::Close);
        // Heard after the time was taken.
        assert_eq!(times.step(1_000, false, 900), IdleStep::Wait(5_000));

        let silent = IdleTimes::new(8, false);
        assert_eq!(silent.step(0, false, 7_999), IdleStep::Wait(8_000));
        assert_eq!(silent.step(0, false, 8_000), IdleStep::Close);
        let never = IdleTimes::new(0, true);
        assert_eq!(never.step(0, false, u64::MAX), IdleStep::Never);
    }

    #[test]
    fn a_few_pings_are_all_answered() {
        let mut pongs = Pongs::default();
        for _ in 0..PONG_BURST {
            assert!(pongs.ping(b"x", false, 0));
        }
        assert_eq!(pongs.due_at(), None);
        assert!(!pongs.ping(b"one", false, 0));
        assert!(!pongs.ping(b"latest", false, PONG_INTERVAL - 1));
        assert_eq!(pongs.due_at(), Some(PONG_INTERVAL));
        assert_eq!(pongs.due(false, PONG_INTERVAL - 1), None);
        assert_eq!(pongs.due(false, PONG_INTERVAL), Some(b"latest".to_vec()));
        assert_eq!(pongs.due(false, 10_000), None);
        // After a while there may be many again.
        for _ in 0..PONG_BURST {
            assert!(pongs.ping(b"x", false, 10_000));
        }
        assert!(!pongs.ping(b"x", false, 10_000));
    }

    #[test]
    fn a_flood_gets_one_pong_per_interval() {
        let mut pongs = Pongs::default();
        let mut sent = 0;
        for now in 0..10_000 {
            for _ in 0..10 {
                sent += u32::from(pongs.ping(b"flood", false, now));
            }
            sent += u32::from(pongs.due(false, now).is_some());
        }
        let most = PONG_BURST + (10_000 / PONG_INTERVAL) as u32;
        assert!(sent <= most && sent >= most - 1, "{sent}");
    }

    #[test]
    fn a_client_that_takes_nothing_gets_the_latest_later() {
        let mut pongs = Pongs::default();
        assert!(!pongs.ping(b"1", true, 5));
        assert!(!pongs.ping(b"2", true, 6));
        assert_eq!(pongs.due(true, 7), None);
        // Not before the one that waits, which would be out of order.
        assert!(!pongs.ping(b"3", false, 8));
        assert_eq!(pongs.due(false, 9), Some(b"3".to_vec()));
        assert!(pongs.ping(b"4", false, 9));
    }
}
