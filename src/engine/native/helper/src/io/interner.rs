//! Slots for texts that requests repeat, so that JavaScript makes each string
//! once.

use crate::abi::{NO_SLOT, SLOT_TEXT_BYTES, SLOTS};

/// The texts that JavaScript has in its slots.
pub struct Interner {
    slots: Vec<Slot>,
}

#[derive(Default)]
struct Slot {
    /// What JavaScript has; empty if nothing.
    text: Vec<u8>,
    /// Hash of the text that has last asked for this slot in vain.
    candidate: u32,
}

/// Where a text is, or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of a slot, or NO_SLOT.
    pub slot: u32,
    /// JavaScript does not have it: it must be sent, and `Interner::define`
    /// called if it was.
    pub is_new: bool,
}

impl Default for Interner {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
        }
    }
}

impl Interner {
    /// Looks for a text. A slot that is taken changes hands only when somebody
    /// asks for it twice in a row: texts that come once, such as targets with
    /// ids, leave the others alone.
    #[inline]
    pub fn place(&mut self, text: &[u8]) -> Place {
        let none = Place {
            slot: NO_SLOT,
            is_new: true,
        };
        if text.is_empty() || text.len() > SLOT_TEXT_BYTES {
            return none;
        }
        let hash = hash(text);
        let index = hash as usize % SLOTS;
        let slot = &mut self.slots[index];
        if slot.text == text {
            return Place {
                slot: index as u32,
                is_new: false,
            };
        }
        if slot.text.is_empty() || slot.candidate == hash {
            return Place {
                slot: index as u32,
                is_new: true,
            };
        }
        slot.candidate = hash;
        none
    }

    /// JavaScript was sent a text that is new.
    pub fn define(&mut self, place: Place, text: &[u8]) {
        if let Some(slot) = self.slots.get_mut(place.slot as usize) {
            slot.text.clear();
            slot.text.extend_from_slice(text);
            slot.candidate = 0;
        }
    }
}

/// Anybody can find texts that share a slot; all they gain is that their own
/// texts are sent each time.
#[inline]
fn hash(text: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = text.len() as u64;
    let mut chunks = text.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = (state.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    }
    let mut last = [0; 8];
    let rest = chunks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    state = (state.rotate_left(5) ^ u64::from_le_bytes(last)).wrapping_mul(FACTOR);
    (state >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_new_once() {
        let mut interner = Interner::default();
        let place = interner.place(b"/");
        assert!(place.is_new && place.slot != NO_SLOT);
        // It was not sent, say, for want of space.
        assert_eq!(interner.place(b"/"), place);
        interner.define(place, b"/");
        assert_eq!(
            interner.place(b"/"),
            Place {
                is_new: false,
                ..place
            }
        );
    }

    #[test]
    fn long_and_empty_texts_get_no_slot() {
        let mut interner = Interner::default();
        let long = [b'a'; SLOT_TEXT_BYTES + 1];
        assert_eq!(interner.place(&long).slot, NO_SLOT);
        assert_eq!(interner.place(b"").slot, NO_SLOT);
        assert_ne!(interner.place(&long[1..]).slot, NO_SLOT);
    }

    #[test]
    fn texts_that_come_once_leave_slots_alone() {
        let mut interner = Interner::default();
        let place = interner.place(b"/kept");
        interner.define(place, b"/kept");
        for number in 0..100_000 {
            let text = format!("/user/{number}");
            let other = interner.place(text.as_bytes());
            if other.slot != NO_SLOT {
                interner.define(other, text.as_bytes());
            }
        }
        assert!(!interner.place(b"/kept").is_new);
    }

    #[test]
    fn a_slot_goes_to_the_text_that_asks_twice() {
        let mut interner = Interner::default();
        let place = interner.place(b"/");
        interner.define(place, b"/");
        let rival = (0..)
            .map(|number| format!("/{number}"))
            .find(|text| hash(text.as_bytes()) as usize % SLOTS == place.slot as usize);
        let rival = rival.unwrap();
        assert_eq!(interner.place(rival.as_bytes()).slot, NO_SLOT);
        assert_eq!(interner.place(rival.as_bytes()), place);
        interner.define(place, rival.as_bytes());
        assert!(!interner.place(rival.as_bytes()).is_new);
    }
}
