use super::super::published::Policy;
use super::*;

/// Numbers that are the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }
}

/// A piece as a table that is too simple to be wrong has it.
struct Known {
    bytes: Vec<u8>,
    written: usize,
    /// None for what is never taken back.
    policy: Option<Policy>,
    is_foreign: bool,
}

fn rest(output: &Output) -> Vec<u8> {
    let pieces = output.pieces.iter();
    pieces
        .flat_map(|piece| piece.bytes().unwrap().to_vec())
        .collect()
}

#[test]
fn taking_back_leaves_everything_else_in_order() {
    for seed in 1..60 {
        let mut numbers = Numbers(seed);
        let mut output = Output::default();
        let mut known: Vec<Known> = Vec::new();
        let (mut own, mut foreign) = (0, 0);
        for step in 0..2000u32 {
            match numbers.below(10) {
                0..6 => {
                    let bytes = vec![step as u8; 1 + numbers.below(5) as usize];
                    let topic: Arc<[u8]> = [numbers.below(3) as u8][..].into();
                    let policy = match numbers.below(4) {
                        0 => None,
                        1 => Some(Policy::Latest(topic)),
                        2 => Some(Policy::DropOldest),
                        _ => Some(Policy::DropNewest),
                    };
                    let is_foreign = policy.is_some() && numbers.below(2) == 0;
                    let length = bytes.len();
                    *(if is_foreign { &mut foreign } else { &mut own }) += length;
                    let frame = Arc::new(bytes.clone());
                    output.push_or_message(frame, policy.as_ref(), is_foreign);
                    known.push(Known {
                        bytes,
                        written: 0,
                        policy,
                        is_foreign,
                    });
                }
                6 => {
                    let count = numbers.below(12) as usize;
                    let left: usize = known.iter().map(|it| it.bytes.len() - it.written).sum();
                    let mut count = count.min(left);
                    output.advance(count);
                    while count > 0 {
                        let first = &mut known[0];
                        let length = first.bytes.len() - first.written;
                        if count < length {
                            first.written += count;
                            break;
                        }
                        count -= length;
                        known.remove(0);
                    }
                }
                7 => {
                    let topic = [numbers.below(3) as u8];
                    let freed = output.supersede(&topic);
                    let taken = take(
                        &mut known,
                        usize::MAX,
                        |policy| matches!(policy, Policy::Latest(other) if **other == topic),
                    );
                    assert_eq!(freed, taken);
                    own -= freed.own;
                    foreign -= freed.foreign;
                }
                _ => {
                    let wanted = numbers.below(30) as usize;
                    let freed = output.shed(wanted);
                    let taken = take(&mut known, wanted, |policy| *policy == Policy::DropOldest);
                    assert_eq!(freed, taken);
                    own -= freed.own;
                    foreign -= freed.foreign;
                }
            }
            let expected: Vec<u8> = known
                .iter()
                .flat_map(|it| it.bytes[it.written..].to_vec())
                .collect();
            assert_eq!(rest(&output), expected);
            // What was taken back takes no more memory than what is there.
            assert!(output.pieces.len() <= 2 * known.len() + 2 * MANY_TAKEN);
        }
        output.advance(rest(&output).len());
        assert_eq!(
            (output.credit, output.foreign),
            (own as u64, foreign as u64)
        );
        assert!(output.published.is_none());
    }
}

/// Takes back what a rule says, of at least so much payload.
fn take(known: &mut Vec<Known>, wanted: usize, is_meant: impl Fn(&Policy) -> bool) -> Freed {
    let mut freed = Freed::default();
    known.retain(|it| {
        let is_taken =
            freed.sum() < wanted && it.written == 0 && it.policy.as_ref().is_some_and(&is_meant);
        if is_taken && it.is_foreign {
            freed.foreign += it.bytes.len();
        } else if is_taken {
            freed.own += it.bytes.len();
        }
        !is_taken
    });
    freed
}

impl Output {
    fn push_or_message(&mut self, frame: SharedFrame, policy: Option<&Policy>, is_foreign: bool) {
        let length = frame.len();
        match policy {
            None => self.push(Piece::frame(frame, 0, length)),
            Some(policy) => {
                self.push_message(Message::new(frame, 0, length, is_foreign, policy));
            }
        }
    }
}

#[test]
fn topics_that_come_and_go_take_no_memory() {
    let mut output = Output::default();
    let frame = Arc::new(vec![0; 10]);
    for number in 0..10_000u32 {
        let topic: Arc<[u8]> = number.to_le_bytes()[..].into();
        let policy = Policy::Latest(topic);
        output.push_message(Message::new(frame.clone(), 0, 10, false, &policy));
        if number > 2 {
            output.advance(10);
        }
    }
    assert!(output.published.as_ref().unwrap().topics() < 100);
}
