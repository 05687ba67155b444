use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;

use super::*;

struct Parts {
    head: AtomicU32,
    tail: AtomicU32,
    blocked: AtomicU32,
    capacity: u32,
    bytes: *mut u128,
}

// SAFETY: the pointer is only used through `Memory`, whose users keep to the
// protocol of the ring.
unsafe impl Send for Parts {}
// SAFETY: as above.
unsafe impl Sync for Parts {}

impl Drop for Parts {
    fn drop(&mut self) {
        let length = self.capacity as usize / 16;
        let bytes = std::ptr::slice_from_raw_parts_mut(self.bytes, length);
        // SAFETY: made by Box::into_raw with this length.
        drop(unsafe { Box::from_raw(bytes) });
    }
}

#[derive(Clone)]
struct TestMemory(Arc<Parts>);

impl TestMemory {
    fn new(capacity: u32, start: u32) -> Self {
        let bytes = vec![0u128; capacity as usize / 16].into_boxed_slice();
        Self(Arc::new(Parts {
            head: AtomicU32::new(start),
            tail: AtomicU32::new(start),
            blocked: AtomicU32::new(0),
            capacity,
            bytes: Box::into_raw(bytes).cast(),
        }))
    }

    /// Both ends; counters begin at `start`, to see them run over.
    fn ends(&self, start: u32) -> (Writer<Self>, Reader<Self>) {
        let mut writer = Writer::new(self.clone());
        (writer.head, writer.published, writer.tail) = (start, start, start);
        let mut reader = Reader::new(self.clone());
        (reader.head, reader.tail, reader.released) = (start, start, start);
        (writer, reader)
    }

    fn fill(&self, mut byte: impl FnMut() -> u8) {
        let start = self.0.bytes.cast::<u8>();
        for index in 0..self.0.capacity as usize {
            // SAFETY: inside of the ring; no end uses it meanwhile.
            unsafe { start.add(index).write(byte()) };
        }
    }
}

// SAFETY: `bytes` has `capacity` bytes and lives as long as the Arc; each test
// makes one writer and one reader.
unsafe impl Memory for TestMemory {
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
        self.0.bytes.cast()
    }
    fn capacity(&self) -> u32 {
        self.0.capacity
    }
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

fn content(seed: u32, size: usize) -> Vec<u8> {
    (0..size)
        .map(|index| (seed as usize * 31 + index) as u8)
        .collect()
}

#[test]
fn records_arrive_as_they_were_written() {
    let memory = TestMemory::new(256, 0);
    let (mut writer, mut reader) = memory.ends(0);
    writer
        .begin(7, 0xabcdef, 3, 4, 5)
        .unwrap()
        .copy_from_slice(b"hello");
    assert!(reader.next().is_none(), "seen before it was published");
    assert!(writer.publish());
    assert!(!writer.publish());
    assert_eq!(writer.pending_bytes(), 32);
    let command = reader.next().unwrap();
    assert_eq!((command.kind, command.flags), (7, 0xabcdef));
    assert_eq!((command.connection, command.generation), (3, 4));
    assert_eq!(&command.body[..5], b"hello");
    assert_eq!(command.body.len(), 16);
    assert!(command.is_last);
    assert!(reader.next().is_none());
    assert!(!writer.is_consumed());
    assert!(!reader.release());
    assert!(writer.is_consumed());
}

#[test]
fn words_and_bytes_of_a_command_have_bounds() {
    let body: Vec<u8> = (0..16).collect();
    let command = Command {
        kind: 1,
        flags: 0,
        connection: 0,
        generation: 0,
        body: &body,
        present: None,
        is_last: true,
    };
    assert_eq!(command.word(4), 0x0302_0100);
    assert_eq!(command.word(7), 0x0f0e_0d0c);
    assert_eq!(command.word(8), 0);
    assert_eq!(command.word(3), 0);
    assert_eq!(command.word(usize::MAX), 0);
    assert_eq!(command.wide(6), 0x0f0e_0d0c_0b0a_0908);
    assert_eq!(command.bytes(7, 1, 3), Some(&body[13..]));
    assert_eq!(command.bytes(7, 1, 4), None);
    assert_eq!(command.bytes(7, usize::MAX, 4), None);
    assert_eq!(command.bytes(7, 0, usize::MAX), None);
    assert_eq!(command.bytes(0, 0, 0), None);
}

#[test]
fn a_full_ring_blocks_until_something_was_read() {
    let memory = TestMemory::new(64, 0);
    let (mut writer, mut reader) = memory.ends(0);
    for _ in 0..4 {
        assert!(writer.begin(1, 0, 0, 0, 0).is_some());
    }
    assert!(writer.begin(1, 0, 0, 0, 0).is_none());
    assert!(!writer.should_retry());
    assert!(
        writer.publish(),
        "what was published by itself is still to be told"
    );
    assert!(!writer.publish());
    assert!(reader.next().is_some());
    assert!(reader.release(), "the writer waits");
    assert!(!reader.release(), "it is told once");
    assert!(writer.should_retry());
    assert!(!writer.should_retry(), "once");
    assert!(writer.begin(1, 0, 0, 0, 0).is_some());
}

#[test]
fn a_record_as_large_as_the_ring_has_room_at_last() {
    let memory = TestMemory::new(256, 0);
    let (mut writer, mut reader) = memory.ends(0);
    assert!(writer.begin(1, 0, 0, 0, 100).is_some());
    writer.publish();
    assert!(reader.next().is_some());
    reader.release();
    // Behind it there is not enough, and before it neither.
    assert!(writer.begin(2, 0, 0, 0, 240).is_none());
    assert!(reader.next().is_none());
    reader.release();
    writer.begin(2, 0, 0, 0, 240).unwrap().fill(9);
    writer.publish();
    assert!(reader.next().unwrap().body.iter().all(|&byte| byte == 9));
    reader.release();
    assert!(writer.begin(3, 0, 0, 0, 241).is_none());
    assert!(writer.begin(3, 0, 0, 0, usize::MAX).is_none());
}

#[test]
fn random_records_wrap_around_in_order() {
    for seed in 1..200 {
        let mut random = Random(seed);
        let capacity = 64 << random.below(5);
        // Some counters run over.
        let start = 0u32.wrapping_sub(16 * random.below(64) as u32);
        let memory = TestMemory::new(capacity, start);
        let (mut writer, mut reader) = memory.ends(start);
        let mut sent = VecDeque::new();
        let mut published = 0;
        let mut number = 0;
        for _ in 0..2_000 {
            match random.below(4) {
                0 | 1 => {
                    let size = random.below(u64::from(capacity) - 15) as usize;
                    let record = writer.begin(1 + number % 200, number >> 8, number, !number, size);
                    if let Some(record) = record {
                        assert_eq!(record.len(), size);
                        record.copy_from_slice(&content(number, size));
                        sent.push_back((number, size));
                        number += 1;
                    } else {
                        // Everything was published.
                        published = sent.len();
                    }
                }
                2 => {
                    writer.publish();
                    published = sent.len();
                }
                _ => {
                    for _ in 0..=random.below(4) {
                        let Some(command) = reader.next() else {
                            assert_eq!(published, 0);
                            break;
                        };
                        let (number, size) = sent.pop_front().unwrap();
                        published -= 1;
                        assert_eq!(command.kind, 1 + number % 200);
                        assert_eq!(command.flags, number >> 8);
                        assert_eq!(command.connection, number);
                        assert_eq!(command.generation, !number);
                        assert_eq!(&command.body[..size], content(number, size));
                        assert!(command.body.len() < size + 16);
                    }
                    reader.release();
                }
            }
        }
        assert!(number > 100, "{number} records of seed {seed}");
    }
}

#[test]
fn nothing_outside_of_the_ring_is_read_whatever_is_in_it() {
    for seed in 1..2_000 {
        let mut random = Random(seed);
        let memory = TestMemory::new(1024, 0);
        let (_, mut reader) = memory.ends(0);
        // Mostly small numbers, so that some records are right.
        memory.fill(|| {
            if random.below(3) == 0 {
                random.next() as u8 & 0x30
            } else {
                0
            }
        });
        let start = memory.0.bytes as usize;
        for _ in 0..20 {
            let head = match random.below(4) {
                0 => random.next() as u32,
                1 => reader.tail.wrapping_add(random.below(1100) as u32),
                _ => reader.tail.wrapping_add(16 * random.below(66) as u32),
            };
            memory.0.head.store(head, Ordering::Relaxed);
            let mut bytes = 0;
            while let Some(command) = reader.next() {
                let at = command.body.as_ptr() as usize;
                assert!(at >= start + PREFIX && at + command.body.len() <= start + 1024);
                bytes += command.body.len() + PREFIX;
                assert!(bytes <= 1024, "read twice");
            }
            reader.release();
            assert_eq!(memory.0.tail.load(Ordering::Relaxed), head);
        }
    }
}

#[test]
fn nothing_is_overwritten_whatever_the_reader_claims() {
    let memory = TestMemory::new(256, 0);
    let (mut writer, _) = memory.ends(0);
    assert!(writer.begin(1, 0, 0, 0, 200).is_some());
    writer.publish();
    for claim in [1000, 512, 257, u32::MAX, 1 << 31] {
        memory.0.tail.store(claim, Ordering::Relaxed);
        assert!(writer.begin(1, 0, 0, 0, 200).is_none());
    }
}

#[test]
fn two_threads_pass_records_and_sleep() {
    let records = if cfg!(miri) { 200 } else { 100_000 };
    let memory = TestMemory::new(512, 0);
    let (mut writer, mut reader) = memory.ends(0);
    let reader_sleeps = Arc::new(AtomicU32::new(0));
    let panicked = Arc::new(AtomicBool::new(false));
    let consumer = {
        let sleeps = reader_sleeps.clone();
        let panicked = panicked.clone();
        let producer = std::thread::current();
        std::thread::spawn(move || {
            let mut random = Random(5);
            let mut number = 0;
            while number < records && !panicked.load(Ordering::Relaxed) {
                while let Some(command) = reader.next() {
                    assert_eq!(command.connection, number);
                    let size = command.flags as usize;
                    assert_eq!(&command.body[..size], content(number, size));
                    number += 1;
                    if random.below(5) == 0 {
                        break;
                    }
                }
                if reader.release() {
                    producer.unpark();
                }
                sleeps.store(1, Ordering::SeqCst);
                if !reader.has_next() && number < records {
                    // Woken by nothing but the producer.
                    std::thread::park();
                }
                sleeps.store(0, Ordering::SeqCst);
            }
            number
        })
    };
    let wake = || {
        if reader_sleeps.swap(0, Ordering::SeqCst) == 1 {
            consumer.thread().unpark();
        }
    };
    let mut random = Random(7);
    for number in 0..records {
        let size = random.below(300) as usize;
        loop {
            if let Some(record) = writer.begin(1, size as u32, number, 0, size) {
                record.copy_from_slice(&content(number, size));
                break;
            }
            if writer.publish() {
                wake();
            }
            if !writer.should_retry() {
                // Woken by nothing but the consumer, or its end.
                std::thread::park();
            }
            if consumer.is_finished() {
                panicked.store(true, Ordering::Relaxed);
                break;
            }
        }
        if random.below(3) == 0 && writer.publish() {
            wake();
        }
    }
    writer.publish();
    consumer.thread().unpark();
    assert_eq!(consumer.join().unwrap(), records);
}

#[test]
fn records_can_be_made_shorter_and_taken_back() {
    let start = u32::MAX - 255;
    let memory = TestMemory::new(512, start);
    let (mut writer, mut reader) = memory.ends(start);
    let mut random = Random(11);
    let mut expected = VecDeque::new();
    for seed in 0..5000 {
        let begun = random.below(200) as usize;
        if let Some(body) = writer.begin(1, 0, seed, 0, begun) {
            body.copy_from_slice(&content(seed, begun));
            let size = random.below(begun as u64 + 1) as usize;
            if random.below(3) == 0 {
                writer.shorten(begun, None);
            } else {
                writer.shorten(begun, Some(size));
                expected.push_back((seed, size));
            }
        }
        if random.below(3) > 0 {
            continue;
        }
        writer.publish();
        while let Some(command) = reader.next() {
            let (seed, size) = expected.pop_front().unwrap();
            assert_eq!(command.connection, seed);
            assert_eq!(command.body[..size], content(seed, size));
            assert_eq!(command.body.len(), size.next_multiple_of(16));
        }
        assert!(expected.is_empty());
        reader.release();
    }
}
