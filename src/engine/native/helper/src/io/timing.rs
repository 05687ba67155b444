//! What a connection does when nothing happens: who left, and how long it may
//! last.

use super::connection::{Connection, Over, Phase};
use super::context::Context;
use super::deadlines::{NEVER, UNARMED, tick_of};
use super::exchange::Answer;
use crate::abi::METRIC_TIMEOUTS;

/// How long an answer is still of use after the client has ended its side, in
/// milliseconds.
pub(super) const LEAVING_TIME: u64 = 50;

impl Connection {
    /// Nothing more can be done now: looks at who left, and at the time.
    pub(super) fn settle(&mut self, cx: &mut Context) {
        self.count_pending(true);
        if self.hung_up {
            self.look_for_client(cx);
        }
        if self.listener.is_stopping() && self.is_idle() {
            self.over = Some(Over::Done);
        }
        if self.over.is_some() {
            return;
        }
        self.tell_blocked(cx);
        self.show_blocked(cx);
        if self.progress {
            self.progress = false;
            self.active_at = cx.now_ms;
        }
        self.deadline = self.next_deadline(cx);
        self.arm(cx);
    }

    /// The client has ended its side while JavaScript has its request.
    ///
    /// That may be all that it has to say, as with `nc -N`, or the client may be
    /// gone: TCP does not tell. An answer that is on its way is delivered; if
    /// there is none in a moment, the client is taken for gone, as elsewhere.
    fn look_for_client(&mut self, cx: &mut Context) {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return;
        };
        let may_be_arriving = exchange
            .content
            .as_ref()
            .is_some_and(|content| !content.is_complete() && !content.has_failed());
        if exchange.is_leaving || exchange.answer == Answer::Complete || may_be_arriving {
            return;
        }
        exchange.is_leaving = true;
        let leaving = (cx.now_ms + LEAVING_TIME, self.ticket(), self.generation);
        cx.leaving.push_back(leaving);
    }

    /// The client has ended its side a moment ago.
    pub fn leave(&mut self, generation: u32) {
        if self.is_current(generation) && matches!(self.phase, Phase::Exchange(_)) {
            self.over = Some(Over::Left);
        }
    }

    pub(super) fn next_deadline(&mut self, cx: &Context) -> u64 {
        let active_at = self.active_at;
        let idle = |timeout: u64| match timeout {
            0 => NEVER,
            timeout => active_at + timeout,
        };
        let phase_deadline = match &self.phase {
            Phase::Head if self.socket.is_handshaking() => {
                idle(self.listener.idle_timeout).min(self.handshake_until)
            }
            Phase::Head => {
                let mut deadline = idle(self.listener.idle_timeout);
                if !self.input.is_empty() && self.listener.head_timeout > 0 {
                    self.head_since = self.head_since.min(cx.now_ms);
                    deadline = deadline.min(self.head_since + self.listener.head_timeout);
                }
                deadline
            }
            Phase::Awaiting { .. } | Phase::Held { .. } | Phase::Ending => {
                idle(self.listener.idle_timeout)
            }
            Phase::Exchange(exchange) => {
                let mut deadline = idle(exchange.idle_timeout);
                if let Some(events) = &exchange.events {
                    let is_waiting = self.output.is_some();
                    deadline = events.deadline(if is_waiting { deadline } else { NEVER });
                }
                self.stop_until = NEVER;
                if self.listener.plan.min_content_rate > 0
                    && let Some(content) = &exchange.content
                    && let Some(rate_deadline) = content.rate_deadline()
                {
                    deadline = deadline.min(rate_deadline);
                }
                deadline
            }
            Phase::Http2(session) => {
                let is_blocked = self.output.is_some();
                session.next_deadline(active_at, is_blocked)
            }
            Phase::WebSocket(socket) => socket.deadline(self.output.is_none(), cx.now_ms),
            Phase::Draining { until, .. } | Phase::Lingering { until, .. } => *until,
        };
        phase_deadline.min(self.stop_until)
    }

    /// Sees to it that somebody looks at the deadline.
    pub(super) fn arm(&mut self, cx: &mut Context) {
        if self.deadline != NEVER && tick_of(self.deadline) < self.armed {
            self.armed = cx.deadlines.insert(self.deadline, self.index, self.serial);
        }
    }

    /// The entry for tick `armed` has come up.
    pub fn look_at_deadline(&mut self, cx: &mut Context) {
        self.armed = UNARMED;
        if cx.now_ms < self.deadline {
            self.arm(cx);
            return;
        }
        match &mut self.phase {
            Phase::Head if self.socket.is_handshaking() => self.over = Some(Over::Deadline),
            Phase::Head if self.input.is_empty() && self.output.is_none() => {
                self.over = Some(Over::Done);
            }
            Phase::Head if self.output.is_none() => {
                self.listener.metrics.add(METRIC_TIMEOUTS, 1);
                self.refuse(cx, 408);
                self.emit(cx);
                self.advance(cx);
            }
            Phase::Exchange(exchange) => {
                let is_event_stream = exchange.events.is_some();
                let rate = self.listener.plan.min_content_rate;
                let is_about_rate = match &mut exchange.content {
                    Some(content) if rate > 0 => {
                        content.rate_deadline().is_some_and(|at| at <= cx.now_ms)
                            && content.is_fast_enough(rate, cx.now_ms)
                    }
                    _ => false,
                };
                if self.send_heartbeat(cx) {
                    return self.advance(cx);
                }
                self.deadline = self.next_deadline(cx);
                if (is_about_rate || is_event_stream) && cx.now_ms < self.deadline {
                    self.arm(cx);
                } else {
                    self.over = Some(Over::Deadline);
                }
            }
            Phase::Http2(_) => self.http2_is_due(cx),
            Phase::WebSocket(_) => self.web_socket_is_due(cx),
            Phase::Lingering { .. } => self.over = Some(Over::Done),
            _ => self.over = Some(Over::Deadline),
        }
    }
}
