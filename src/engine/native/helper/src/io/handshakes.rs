//! How much of a turn TLS handshakes may take.

/// Steps of handshakes in a turn: each takes long, and who is connected does not
/// wait for many of them.
const STEPS_PER_TURN: u32 = 16;

/// Counts the steps of a turn. Those that have to wait come first in the next
/// turn, so that nobody is overtaken for ever.
#[derive(Default)]
pub struct Handshakes {
    left: u32,
    /// Some have to wait for the next turn.
    are_waiting: bool,
    /// Some have waited since the last turn, and were not asked yet.
    are_first: bool,
}

impl Handshakes {
    /// A turn begins.
    pub fn begin_turn(&mut self) {
        self.left = STEPS_PER_TURN;
        self.are_first = std::mem::take(&mut self.are_waiting);
    }

    /// Now those are asked that have waited, then all others.
    pub fn resume(&mut self) {
        self.are_first = false;
    }

    /// Whether there is time for a step. If not, ask again after `resume`.
    pub fn take(&mut self) -> bool {
        if self.are_first {
            return false;
        }
        self.are_waiting = self.left == 0;
        self.left = self.left.saturating_sub(1);
        !self.are_waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_waited_comes_first() {
        let mut handshakes = Handshakes::default();
        handshakes.begin_turn();
        let taken = (0..STEPS_PER_TURN + 3)
            .filter(|_| handshakes.take())
            .count();
        assert_eq!(taken, STEPS_PER_TURN as usize);
        handshakes.begin_turn();
        // Somebody new.
        assert!(!handshakes.take());
        handshakes.resume();
        let taken = (0..4).filter(|_| handshakes.take()).count();
        assert_eq!(taken, 4);
        // Nobody waits any more.
        handshakes.begin_turn();
        assert!(handshakes.take());
    }
}
