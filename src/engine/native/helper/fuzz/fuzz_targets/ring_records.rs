//! Rings: what was written is read, whatever the order of steps; and bytes
//! that no producer would write make the consumer read nothing beyond the ring.

#![no_main]

use jstime_serve::abi::{PAD, RECORD_ALIGN};
use jstime_serve::ring::{Memory, Reader, Writer};
use libfuzzer_sys::fuzz_target;
use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Small, so that it is full often.
const CAPACITY: usize = 256;

#[repr(align(16))]
struct Bytes(UnsafeCell<[u8; CAPACITY]>);

struct Ring {
    head: AtomicU32,
    tail: AtomicU32,
    blocked: AtomicU32,
    /// Boxed, so that bytes beyond it belong to nobody.
    bytes: Box<Bytes>,
}

impl Ring {
    fn new(bytes: [u8; CAPACITY]) -> Arc<Ring> {
        Arc::new(Ring {
            head: AtomicU32::new(0),
            tail: AtomicU32::new(0),
            blocked: AtomicU32::new(0),
            bytes: Box::new(Bytes(UnsafeCell::new(bytes))),
        })
    }
}

struct End(Arc<Ring>);

// SAFETY: the bytes are CAPACITY long, aligned to 16, live as long as the ring,
// which this value keeps, and belong to the one writer and the one reader that
// each input makes, on one thread.
unsafe impl Memory for End {
    type Word = AtomicU32;
    fn head(&self) -> &AtomicU32 {
        &self.0.head
    }
    fn tail(&self) -> &AtomicU32 {
        &self.0.tail
    }
    fn blocked(&self) -> &AtomicU32 {
        &self.0.blocked
    }
    fn bytes(&self) -> *mut u8 {
        self.0.bytes.0.get().cast()
    }
    fn capacity(&self) -> u32 {
        CAPACITY as u32
    }
}

fuzz_target!(|input: &[u8]| {
    match input {
        [0, steps @ ..] => both_ends(steps),
        [1, rest @ ..] => hostile_producer(rest),
        [2, rest @ ..] => hostile_consumer(rest),
        _ => {}
    }
});

/// Steps of both ends against a queue. One byte each: two bits say what, the
/// other six how much.
fn both_ends(steps: &[u8]) {
    let ring = Ring::new([0; CAPACITY]);
    let mut writer = Writer::new(End(ring.clone()));
    let mut reader = Reader::new(End(ring.clone()));
    let mut begun = VecDeque::new();
    let mut shown = VecDeque::new();
    let mut count = 0u32;
    for step in steps {
        let size = usize::from(step >> 2) * 5;
        match step & 3 {
            0 => {
                count += 1;
                match writer.begin(1 + count % 255, count & 0xff_ffff, count, !count, size) {
                    Some(bytes) => {
                        assert_eq!(bytes.len(), size);
                        bytes.fill(count as u8);
                        begun.push_back((count, size));
                    }
                    // Such a record never has room: nothing is waited for.
                    None if size > CAPACITY - 16 => {}
                    None => {
                        // What was begun is shown, so that it can be read.
                        shown.append(&mut begun);
                        assert_eq!(ring.blocked.load(Ordering::SeqCst), 1);
                    }
                }
            }
            1 => {
                writer.publish();
                shown.append(&mut begun);
            }
            2 => match (reader.next(), shown.pop_front()) {
                (None, None) => {}
                (Some(record), Some((count, size))) => {
                    assert_eq!(record.kind, 1 + count % 255);
                    assert_eq!(record.flags, count & 0xff_ffff);
                    assert_eq!((record.connection, record.generation), (count, !count));
                    assert_eq!(record.body.len(), size.next_multiple_of(RECORD_ALIGN));
                    assert!(record.body[..size].iter().all(|byte| *byte == count as u8));
                }
                (record, expected) => panic!("{record:?} instead of {expected:?}"),
            },
            _ => {
                let blocked = ring.blocked.load(Ordering::SeqCst) == 1;
                assert_eq!(reader.release(), blocked);
                assert_eq!(ring.blocked.load(Ordering::SeqCst), 0);
            }
        }
        assert!(writer.pending_bytes() <= CAPACITY);
    }
}

/// A consumer of bytes and counters that mean nothing.
fn hostile_producer(input: &[u8]) {
    let mut input = input;
    let mut take = |size: usize| {
        let size = size.min(input.len());
        let taken;
        (taken, input) = input.split_at(size);
        taken
    };
    let mut bytes = [0; CAPACITY];
    let start = take(CAPACITY);
    bytes[..start.len()].copy_from_slice(start);
    let ring = Ring::new(bytes);
    let mut reader = Reader::new(End(ring.clone()));
    while let Ok(head) = <[u8; 4]>::try_from(take(4)) {
        ring.head.store(u32::from_le_bytes(head), Ordering::SeqCst);
        let mut read = 0;
        while let Some(record) = reader.next() {
            assert_ne!(record.kind, PAD);
            read += record.body.len() + 16;
            assert!(read <= CAPACITY);
            // Every byte is looked at, so that a sanitizer sees it.
            let sum = record.body.iter().map(|byte| u32::from(*byte)).sum::<u32>();
            assert!(sum <= 255 * CAPACITY as u32);
            let at = record.connection as usize;
            let size = record.generation as usize;
            if let Some(bytes) = record.bytes(at, size, size) {
                assert_eq!(bytes.len(), size);
            }
            let _ = (record.word(at), record.wide(size));
        }
        assert!(!reader.has_next());
        reader.release();
    }
}

/// A producer whose consumer claims to have read what it likes.
fn hostile_consumer(input: &[u8]) {
    let ring = Ring::new([0; CAPACITY]);
    let mut writer = Writer::new(End(ring.clone()));
    for step in input.chunks_exact(6) {
        let tail = u32::from_le_bytes([step[0], step[1], step[2], step[3]]);
        ring.tail.store(tail, Ordering::SeqCst);
        ring.blocked
            .store(u32::from(step[4] >> 7), Ordering::SeqCst);
        if let Some(bytes) = writer.begin(1, 0, 0, 0, usize::from(step[5])) {
            bytes.fill(step[5]);
        }
        if step[4] & 1 != 0 {
            writer.publish();
        }
        writer.should_retry();
        let _ = (writer.pending_bytes(), writer.is_consumed());
    }
}
