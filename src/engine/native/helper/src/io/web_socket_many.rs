//! Messages that many WebSockets are sent.

use std::sync::Arc;

use super::connection::Connection;
use super::context::Context;
use super::output::Piece;
use super::published::Policy;
use super::web_socket_output::{kind_of, take_lent};
use super::web_socket_published::Origin;
use crate::abi::SEND_COMPRESSED;
use crate::ring::Command;
use crate::topic_commands::{RECIPIENT_BYTES, payload_of, recipients_of, topic_of};
use crate::websocket::{Broadcast, SharedFrame};

/// Frames up to this are copied for each of the sockets that share them.
const COPIED_BYTES: usize = 512;
/// Messages for the same sockets are put together up to this many bytes.
const TOGETHER_BYTES: usize = 64 * 1024;

/// Messages for the same sockets, usually those of a topic. What is published
/// to it in one turn goes to each of them with one write.
pub struct Many {
    /// Connections and generations, as in a command.
    recipients: Vec<u8>,
    messages: Vec<Broadcast>,
    /// The frames of all messages, not compressed.
    plain: SharedFrame,
    /// The length of all payloads.
    length: usize,
    /// What is done for slow clients.
    policy: Policy,
}

impl Many {
    /// Reads a command; None if it makes no sense.
    pub fn read(cx: &Context, command: &Command<'_>) -> Option<Self> {
        let message = message_of(cx, command)?;
        Some(Self {
            recipients: recipients_of(command)?.to_vec(),
            plain: message.plain().clone(),
            length: message.payload().len(),
            messages: vec![message],
            policy: Policy::of(command.flags, || topic_of(command).unwrap_or(&[]).into()),
        })
    }

    /// Adds the message of another command, if it is for the same sockets.
    pub fn join(&mut self, cx: &Context, command: &Command<'_>) -> bool {
        let length = command.word(4) as usize;
        let is_little = self.plain.len().saturating_add(length) <= TOGETHER_BYTES;
        let has_policy =
            self.policy.takes_back() || Policy::of(command.flags, Default::default).takes_back();
        if has_policy || !is_little || recipients_of(command) != Some(&self.recipients) {
            return false;
        }
        if let Some(message) = message_of(cx, command) {
            // It is shared with the first message until there are two.
            Arc::make_mut(&mut self.plain).extend_from_slice(message.plain());
            self.length += message.payload().len();
            self.messages.push(message);
        }
        true
    }

    /// Connections and generations; they can be had once.
    pub fn take_recipients(&mut self) -> impl Iterator<Item = (u32, u32)> + use<> {
        let recipients = std::mem::take(&mut self.recipients);
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap_or_default());
        let count = recipients.len() / RECIPIENT_BYTES;
        (0..count).map(move |index| {
            let pair = &recipients[index * RECIPIENT_BYTES..][..RECIPIENT_BYTES];
            (word(&pair[..4]), word(&pair[4..]))
        })
    }
}

fn message_of(cx: &Context, command: &Command<'_>) -> Option<Broadcast> {
    let lent = take_lent(cx, command);
    let payload = match &lent {
        Some(lent) => &lent[..],
        None => payload_of(command)?,
    };
    let compress = command.flags & SEND_COMPRESSED != 0;
    Some(Broadcast::new(kind_of(command), payload, compress))
}

impl Connection {
    /// Sends messages that others are sent, too.
    ///
    /// * `now`: nothing more follows that could go out with them.
    pub(super) fn send_many(&mut self, cx: &mut Context, many: &mut Many, now: bool) {
        if many.policy.takes_back() {
            for message in &mut many.messages {
                self.send_published(cx, message, &many.policy, Origin::Own, now);
            }
            return;
        }
        if !self.may_send(many.length) {
            return;
        }
        let Some(socket) = self.web_socket() else {
            return;
        };
        if !socket.encoder.compresses() {
            return self.send_shared(cx, &many.plain, many.length, now);
        }
        let now = now && many.messages.len() == 1;
        for message in &mut many.messages {
            let Some(socket) = self.web_socket() else {
                return;
            };
            let deflater = &mut cx.codecs.deflater;
            let frame = message.frame_for(&mut socket.encoder, deflater);
            self.send_shared(cx, &frame, message.payload().len(), now);
        }
    }

    fn send_shared(&mut self, cx: &mut Context, frame: &SharedFrame, length: usize, now: bool) {
        let mut written = 0;
        if now {
            written = self.write_now(cx, b"", frame, length);
            if written == frame.len() {
                return;
            }
        }
        let output = self.output_for_frames(cx);
        if written == 0 && frame.len() <= COPIED_BYTES {
            output.append(length, |out| out.extend_from_slice(frame));
        } else {
            let credit = length - written.min(length);
            output.push(Piece::frame(frame.clone(), written, credit));
        }
        self.advance_later(cx);
    }
}
