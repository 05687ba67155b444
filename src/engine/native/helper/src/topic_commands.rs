//! What commands about topics say.

use crate::abi::{RESPOND_CONTENT_TOKEN, SEND_LATEST};
use crate::ring::Command;

/// Bytes of a connection and its generation.
pub const RECIPIENT_BYTES: usize = 8;
/// Bytes of the length of a topic.
const LENGTH_BYTES: usize = 4;

/// Connections and generations of a SEND_MANY command; None if it makes no sense.
pub fn recipients_of<'a>(command: &Command<'a>) -> Option<&'a [u8]> {
    let size = (command.word(6) as usize).checked_mul(RECIPIENT_BYTES)?;
    command.bytes(7, 0, size)
}

/// The topic of a SEND_MANY command; None if it has none.
pub fn topic_of<'a>(command: &Command<'a>) -> Option<&'a [u8]> {
    if command.flags & SEND_LATEST == 0 {
        return None;
    }
    let skip = recipients_of(command)?.len();
    let length = command.bytes(7, skip, LENGTH_BYTES)?;
    let length = u32::from_le_bytes(length.try_into().ok()?);
    command.bytes(7, skip + LENGTH_BYTES, length as usize)
}

/// The payload of a SEND_MANY command; None if it has a token, or makes no sense.
pub fn payload_of<'a>(command: &Command<'a>) -> Option<&'a [u8]> {
    if command.flags & RESPOND_CONTENT_TOKEN != 0 {
        return None;
    }
    let mut skip = recipients_of(command)?.len();
    if command.flags & SEND_LATEST != 0 {
        skip += LENGTH_BYTES + topic_of(command)?.len();
    }
    command.bytes(7, skip, command.word(4) as usize)
}

/// The topic of a SUBSCRIBE or UNSUBSCRIBE command; None if it makes no sense.
pub fn subscription_of<'a>(command: &Command<'a>) -> Option<&'a [u8]> {
    command.bytes(6, 0, command.word(5) as usize)
}
