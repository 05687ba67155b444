//! Both ends of a ring under the loom model checker, which tries every order
//! in which two threads may run and every value that an atomic may have. It
//! also knows when each byte was last used, and by whom.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --release --test ring_loom
//! ```
#![cfg(loom)]

use std::sync::atomic::Ordering;

use jstime_serve::ring::{Memory, Reader, Word, Writer};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, fence};
use loom::thread;

const CAPACITY: usize = 64;

/// loom knows the one order of all SeqCst operations for fences alone, and takes
/// SeqCst reads and writes for less than they are. So a fence follows each such
/// write here, as compilers do it for x86-64.
struct LoomWord(AtomicU32);

fn fence_if(order: Ordering) {
    if order == Ordering::SeqCst {
        fence(Ordering::SeqCst);
    }
}

impl Word for LoomWord {
    fn load(&self, order: Ordering) -> u32 {
        self.0.load(order)
    }
    fn store(&self, value: u32, order: Ordering) {
        self.0.store(value, order);
        fence_if(order);
    }
    fn swap(&self, value: u32, order: Ordering) -> u32 {
        let before = self.0.swap(value, order);
        fence_if(order);
        before
    }
}

struct Parts {
    head: LoomWord,
    tail: LoomWord,
    blocked: LoomWord,
    /// One for 16 bytes: loom fails when the two threads use one and neither
    /// knows (acquire, release) that the other is done.
    used: [UnsafeCell<()>; CAPACITY / 16],
    bytes: std::cell::UnsafeCell<[u128; CAPACITY / 16]>,
}

#[derive(Clone)]
struct LoomMemory(Arc<Parts>);

// SAFETY: `bytes` is only reached through the ends of the ring, and loom checks
// with `used` that they keep apart.
unsafe impl Send for LoomMemory {}
// SAFETY: as above.
unsafe impl Sync for LoomMemory {}

impl LoomMemory {
    fn new() -> Self {
        let word = || LoomWord(AtomicU32::new(0));
        Self(Arc::new(Parts {
            head: word(),
            tail: word(),
            blocked: word(),
            used: std::array::from_fn(|_| UnsafeCell::new(())),
            bytes: std::cell::UnsafeCell::new([0; CAPACITY / 16]),
        }))
    }

    fn cells(&self, at: u32, size: u32) -> &[UnsafeCell<()>] {
        &self.0.used[at as usize / 16..(at + size).div_ceil(16) as usize]
    }
}

// SAFETY: `bytes` has CAPACITY bytes and lives as long as the Arc; each test
// makes one writer and one reader.
unsafe impl Memory for LoomMemory {
    type Word = LoomWord;
    fn head(&self) -> &LoomWord {
        &self.0.head
    }
    fn tail(&self) -> &LoomWord {
        &self.0.tail
    }
    fn blocked(&self) -> &LoomWord {
        &self.0.blocked
    }
    fn bytes(&self) -> *mut u8 {
        self.0.bytes.get().cast()
    }
    fn capacity(&self) -> u32 {
        CAPACITY as u32
    }
    fn reads(&self, at: u32, size: u32) {
        for cell in self.cells(at, size) {
            cell.with(|_| ());
        }
    }
    fn writes(&self, at: u32, size: u32) {
        for cell in self.cells(at, size) {
            cell.with_mut(|_| ());
        }
    }
}

/// Reads what is there; returns the number of the next record.
fn drain(reader: &mut Reader<LoomMemory>, mut number: u32) -> u32 {
    while let Some(command) = reader.next() {
        assert_eq!(command.connection, number);
        assert!(command.body.iter().all(|&byte| byte == number as u8));
        number += 1;
    }
    number
}

#[test]
fn bytes_belong_to_one_side_at_a_time() {
    loom::model(|| {
        let memory = LoomMemory::new();
        let mut writer = Writer::new(memory.clone());
        let mut reader = Reader::new(memory);
        let producer = thread::spawn(move || {
            let mut number = 0;
            // 32, 32 and 48 bytes in 64: the third may wrap, and overwrite.
            for size in [16, 16, 32] {
                if let Some(record) = writer.begin(1, 0, number, 0, size) {
                    record.fill(number as u8);
                    number += 1;
                }
                writer.publish();
            }
            number
        });
        let mut seen = 0;
        for _ in 0..2 {
            seen = drain(&mut reader, seen);
            reader.release();
        }
        let written = producer.join().unwrap();
        assert_eq!(drain(&mut reader, seen), written);
    });
}

/// A flag that one side sets before it sleeps, and the bell that wakes it.
#[derive(Clone)]
struct Sleep(Arc<(LoomWord, LoomWord)>);

impl Sleep {
    fn new() -> Self {
        let word = || LoomWord(AtomicU32::new(0));
        Self(Arc::new((word(), word())))
    }
    fn announce(&self) {
        self.0.0.store(1, Ordering::SeqCst);
    }
    /// As `Doorbell::ring_if_asleep` and `IoShared::wake_if_asleep`.
    fn wake(&self) {
        let Self(parts) = self;
        let (sleeps, bell) = &**parts;
        if sleeps.load(Ordering::SeqCst) == 1 && sleeps.swap(0, Ordering::SeqCst) == 1 {
            bell.store(1, Ordering::SeqCst);
        }
    }
    fn was_woken(&self) -> bool {
        self.0.1.load(Ordering::SeqCst) == 1
    }
}

#[test]
fn no_record_is_slept_through() {
    loom::model(|| {
        let memory = LoomMemory::new();
        let sleep = Sleep::new();
        let mut writer = Writer::new(memory.clone());
        let mut reader = Reader::new(memory);
        let producer = {
            let sleep = sleep.clone();
            thread::spawn(move || {
                writer.begin(1, 0, 0, 0, 0).unwrap();
                if writer.publish() {
                    sleep.wake();
                }
            })
        };
        sleep.announce();
        let saw = reader.has_next();
        producer.join().unwrap();
        assert!(saw || sleep.was_woken());
    });
}

#[test]
fn no_space_is_slept_through() {
    loom::model(|| {
        let memory = LoomMemory::new();
        let sleep = Sleep::new();
        let mut writer = Writer::new(memory.clone());
        let mut reader = Reader::new(memory);
        writer.begin(1, 0, 0, 0, 48).unwrap().fill(0);
        writer.publish();
        let consumer = {
            let sleep = sleep.clone();
            thread::spawn(move || {
                assert_eq!(drain(&mut reader, 0), 1);
                if reader.release() {
                    sleep.wake();
                }
            })
        };
        let has_room = writer.begin(1, 0, 1, 0, 0).is_some();
        sleep.announce();
        let retries = !has_room && writer.should_retry();
        consumer.join().unwrap();
        assert!(has_room || retries || sleep.was_woken());
    });
}
