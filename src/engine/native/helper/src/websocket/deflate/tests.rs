use super::super::test_wire::noise;
use super::*;

/// A peer with streams of its own, that last as long as the connection.
struct Peer {
    compressor: Compress,
    decompressor: Decompress,
    takeover: bool,
}

impl Peer {
    fn new(window_bits: u8, takeover: bool) -> Self {
        Self {
            compressor: Compress::new_with_window_bits(Compression::new(6), false, window_bits),
            decompressor: Decompress::new_with_window_bits(false, window_bits),
            takeover,
        }
    }

    fn deflate(&mut self, message: &[u8]) -> Vec<u8> {
        if !self.takeover {
            self.compressor.reset();
        }
        let mut out = Vec::with_capacity(message.len() * 2 + 64);
        self.compressor
            .compress_vec(message, &mut out, FlushCompress::Sync)
            .unwrap();
        assert!(out.len() < out.capacity());
        out.strip_suffix(&TAIL).unwrap().to_vec()
    }

    fn inflate(&mut self, compressed: &[u8], length: usize) -> Vec<u8> {
        if !self.takeover {
            self.decompressor.reset(false);
        }
        let mut out = Vec::with_capacity(length + 1);
        for part in [compressed, &TAIL] {
            self.decompressor
                .decompress_vec(part, &mut out, FlushDecompress::None)
                .unwrap();
        }
        out
    }
}

/// Messages that have much in common, of many lengths; some have nothing.
fn messages() -> Vec<Vec<u8>> {
    let phrase = |number: usize, length: usize| {
        let text = format!("{{\"number\":{number},\"text\":\"just as before\"}}");
        text.bytes().cycle().take(length).collect::<Vec<u8>>()
    };
    let mut messages: Vec<_> = (0..40)
        .map(|number| phrase(number, 1 + number * number * 7))
        .collect();
    for (at, length) in [(3, 100), (20, 1000), (34, 40_000)] {
        messages.insert(at, noise(length, at as u64));
        messages.insert(at + 5, messages[at].clone());
    }
    messages.push(noise(50_000, 9));
    messages.push(phrase(1, 70_000));
    messages.push(phrase(2, 50));
    messages
}

#[test]
fn what_is_deflated_can_be_inflated() {
    let messages = messages();
    let mut deflater = Deflater::new();
    for window_bits in SMALLEST_WINDOW..=LARGEST_WINDOW {
        for takeover in [false, true] {
            let mut peer = Peer::new(window_bits, takeover);
            let mut history = takeover.then(|| History::new(window_bits));
            let mut compressed_some = 0;
            for message in &messages {
                let Some(compressed) = deflater.deflate(message, window_bits, history.as_ref())
                else {
                    continue;
                };
                assert!(compressed.len() < message.len());
                compressed_some += 1;
                let inflated = peer.inflate(compressed, message.len());
                assert!(inflated == *message, "{window_bits} {takeover}");
                if let Some(history) = &mut history {
                    history.push(message);
                }
            }
            assert!(compressed_some > messages.len() / 2);
        }
    }
}

#[test]
fn what_peers_deflate_can_be_inflated() {
    let messages = messages();
    let mut inflater = Inflater::new();
    for window_bits in SMALLEST_WINDOW..=LARGEST_WINDOW {
        for takeover in [false, true] {
            let mut peer = Peer::new(window_bits, takeover);
            let mut history = takeover.then(|| History::new(window_bits));
            for message in &messages {
                let compressed = peer.deflate(message);
                let limit = message.len();
                assert_eq!(
                    inflater.inflate(&compressed, history.as_mut(), limit),
                    Ok(())
                );
                assert!(inflater.message() == message);
                if limit > 0 {
                    // A limit of one byte less is noticed.
                    let mut twin = history.as_ref().map(|_| {
                        let mut twin = History::new(15);
                        twin.push(message);
                        twin
                    });
                    let alone = Peer::new(15, false).deflate(message);
                    let error = inflater.inflate(&alone, twin.as_mut(), limit - 1);
                    assert_eq!(error, Err(InflateError::TooBig));
                    assert_eq!(twin.map(|twin| twin.bytes.len()), {
                        history.as_ref().map(|_| limit.min(1 << 15))
                    });
                }
            }
        }
    }
}

#[test]
fn context_takeover_pays() {
    let mut deflater = Deflater::new();
    let mut history = History::new(15);
    let message = messages().swap_remove(5);
    let length = |deflater: &mut Deflater, history: &History| {
        deflater
            .deflate(&message, 15, Some(history))
            .map(<[u8]>::len)
    };
    let first = length(&mut deflater, &history);
    history.push(&message);
    let second = length(&mut deflater, &history);
    assert!(second.unwrap() < first.unwrap() / 3, "{second:?} {first:?}");
}

#[test]
fn what_does_not_compress_is_left() {
    let mut deflater = Deflater::new();
    for length in [0, 1, 10, 1000, 100_000] {
        assert_eq!(deflater.deflate(&noise(length, 5), 15, None), None);
    }
    assert!(deflater.deflate(&[0; 100], 15, None).is_some());
    // From too little to enough, one byte at a time.
    let mut message = noise(100, 7);
    let mut compressed = Vec::new();
    for _ in 0..30 {
        message.push(b'a');
        let shorter = deflater.deflate(&message, 15, None);
        assert!(shorter.is_none_or(|shorter| shorter.len() < message.len()));
        compressed.push(shorter.is_some());
    }
    assert!(compressed.is_sorted() && compressed[29] && !compressed[0]);
}

#[test]
fn histories_keep_the_end() {
    let mut history = History::new(9);
    let mut all = Vec::new();
    for length in [0, 1, 100, 300, 200, 511, 1, 512, 513, 5000, 3] {
        let bytes = noise(length, length as u64);
        history.push(&bytes);
        all.extend_from_slice(&bytes);
        let start = all.len().saturating_sub(512);
        assert_eq!(history.bytes(), &all[start..]);
        assert!(history.memory() <= 512);
    }
    let mut short = History::new(15);
    short.push(b"four");
    assert!(short.memory() < 64);
}

#[test]
fn windows() {
    for (length, most, expected) in [
        (0, 15, 9),
        (250, 15, 9),
        (251, 15, 10),
        (1000, 15, 11),
        (1000, 10, 10),
        (32_506, 15, 15),
        (32_507, 15, 15),
        (1 << 30, 12, 12),
        (10, 8, 9),
    ] {
        assert_eq!(window_for(length, most), expected, "{length} {most}");
    }
}

/// A few kilobytes that become eight megabytes.
#[test]
fn a_bomb_is_stopped_while_it_inflates() {
    let zeros = vec![0; 8 << 20];
    let bomb = Peer::new(15, false).deflate(&zeros);
    assert!(bomb.len() < 10_000);
    let mut inflater = Inflater::new();
    for limit in [0, 1, 1000, 1 << 20] {
        let error = inflater.inflate(&bomb, None, limit);
        assert_eq!(error, Err(InflateError::TooBig));
        assert!(inflater.out.capacity() <= (limit + 1).max(64 * 1024));
    }
    // It does no harm to the next.
    assert_eq!(
        inflater.inflate(b"\xf2\x48\xcd\xc9\xc9\x07\0", None, 5),
        Ok(())
    );
    assert_eq!(inflater.message(), b"Hello");
}

#[test]
fn last_blocks_keep_the_window_and_are_counted() {
    // "Hello" as a last block, then as a reference to it, again and again.
    let first = b"\xf3\x48\xcd\xc9\xc9\x07\0";
    let again = b"\xf3\x00\x11\x00";
    let message = |count: usize| [&first[..], &again.repeat(count)].concat();
    let mut inflater = Inflater::new();
    assert_eq!(inflater.inflate(&message(2), None, 100), Ok(()));
    assert_eq!(inflater.message(), b"HelloHelloHello");
    assert_eq!(inflater.inflate(&message(64), None, 1000), Ok(()));
    assert_eq!(
        inflater.inflate(&message(65), None, 1000),
        Err(InflateError::TooManyBlocks)
    );

    // The same with a history before it.
    let mut history = History::new(15);
    history.push(b"Hello");
    let message = again.repeat(3);
    assert_eq!(inflater.inflate(&message, Some(&mut history), 100), Ok(()));
    assert_eq!(inflater.message(), b"HelloHelloHello");
    assert_eq!(history.bytes(), b"HelloHelloHelloHello");
}

#[test]
fn what_is_corrupt_leaves_the_history() {
    let mut history = History::new(15);
    history.push(b"before");
    let mut inflater = Inflater::new();
    let rows: [&[u8]; 7] = [
        b"Hello",
        // Swallows the end, too.
        b"\0\x64\0\x9b\xffHe",
        b"\xf2\x48\xcd",
        b"\x06",
        b"\0\x05\0\xfa\xffHe",
        b"\0\x05\0\xfa\xfeHello",
        b"\xf3\x48\xcd\xc9\xc9\x07\0\xff\xff",
    ];
    for row in rows {
        let error = inflater.inflate(row, Some(&mut history), 1000);
        assert_eq!(error, Err(InflateError::Corrupt), "{row:02x?}");
        assert_eq!(history.bytes(), b"before");
        assert_eq!(inflater.inflate(b"\0", None, 0), Ok(()));
    }
}

#[test]
fn noise_never_panics() {
    let mut inflater = Inflater::new();
    for seed in 0..2000 {
        let mut history = History::new(9 + (seed % 7) as u8);
        history.push(&noise(600, seed + 1));
        let bytes = noise(1 + seed as usize % 90, seed);
        let _ = inflater.inflate(&bytes, Some(&mut history), 10_000);
    }
}

#[test]
fn long_messages_are_given_away() {
    let mut inflater = Inflater::new();
    let message = vec![7; OWNED_BYTES];
    let compressed = Peer::new(15, false).deflate(&message);
    inflater.inflate(&compressed, None, OWNED_BYTES).unwrap();
    assert!(matches!(
        inflater.take_message(),
        std::borrow::Cow::Owned(owned) if owned == message
    ));
    assert_eq!(inflater.message(), b"");
    inflater
        .inflate(b"\xf2\x48\xcd\xc9\xc9\x07\0", None, 5)
        .unwrap();
    assert!(matches!(
        inflater.take_message(),
        std::borrow::Cow::Borrowed(b"Hello")
    ));
}

#[test]
fn scratch_memory_is_given_back() {
    let mut inflater = Inflater::new();
    let mut deflater = Deflater::new();
    let long = vec![1; 4 << 20];
    let compressed = deflater.deflate(&long, 15, None).unwrap().to_vec();
    inflater.inflate(&compressed, None, long.len()).unwrap();
    assert!(inflater.message() == long);
    inflater.inflate(b"\0", None, 0).unwrap();
    deflater.deflate(&[0; 100], 15, None).unwrap();
    assert!(inflater.out.capacity() <= KEPT_BYTES);
    assert!(deflater.out.capacity() <= KEPT_BYTES);
}
