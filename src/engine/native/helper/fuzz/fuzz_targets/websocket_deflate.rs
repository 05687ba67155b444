//! permessage-deflate: what is negotiated was offered, what is compressed can
//! be inflated, and what claims to be compressed does no harm.

#![no_main]

use jstime_serve::websocket::deflate::History;
use jstime_serve::websocket::{
    Agreed, Compress, Decompress, DeflateConfig, Deflater, Inflater, negotiate,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [choice, options, rest @ ..] = input else {
        return;
    };
    match choice % 3 {
        0 => check_negotiation(*options, rest),
        1 => check_round_trip(*options, rest),
        _ => check_inflating(*options, rest),
    }
});

fn check_negotiation(options: u8, field: &[u8]) {
    let window_bits = 9 + options % 7;
    let config = DeflateConfig {
        compress: match options >> 4 & 3 {
            0 => Compress::Disable,
            1 => Compress::Shared,
            _ => Compress::Dedicated { window_bits },
        },
        decompress: match options >> 6 & 1 {
            0 => Decompress::Shared,
            _ => Decompress::Dedicated { window_bits },
        },
    };
    let half = field.len() / 2;
    let _ = negotiate([&field[..half], &field[half..]], &config);
    let Ok(Some(accepted)) = negotiate([field], &config) else {
        return;
    };
    let Agreed {
        server_takeover,
        server_window_bits,
        client_takeover,
        client_window_bits,
        ..
    } = accepted.agreed;
    assert!((9..=15).contains(&server_window_bits));
    assert!((8..=15).contains(&client_window_bits));
    let has = |parameter: &str| accepted.response.contains(parameter);
    let offers = |parameter: &str| String::from_utf8_lossy(field).contains(parameter);
    assert_eq!(has("server_no_context_takeover"), !server_takeover);
    assert_eq!(has("client_no_context_takeover"), !client_takeover);
    for parameter in ["client_max_window_bits", "server_max_window_bits"] {
        assert!(!has(parameter) || offers(parameter));
    }
    // What is answered is itself an offer that can be accepted.
    let again = negotiate([accepted.response.as_bytes()], &config);
    assert!(matches!(again, Ok(Some(_))));
}

fn check_round_trip(options: u8, rest: &[u8]) {
    let window_bits = 9 + options % 7;
    let has_takeover = options & 0x80 != 0;
    let mut deflater = Deflater::new();
    let mut inflater = Inflater::new();
    let mut sent = History::new(window_bits);
    let mut received = History::new(window_bits);
    for message in rest.split(|byte| *byte == b'\n') {
        let message = message.repeat(1 + usize::from(options >> 4 & 7));
        let history = has_takeover.then_some(&sent);
        let Some(compressed) = deflater.deflate(&message, window_bits, history) else {
            continue;
        };
        assert!(compressed.len() < message.len());
        let history = has_takeover.then_some(&mut received);
        inflater
            .inflate(compressed, history, message.len())
            .unwrap();
        assert_eq!(inflater.message(), message);
        sent.push(&message);
    }
}

fn check_inflating(options: u8, compressed: &[u8]) {
    let limit = usize::from(options) * 64;
    let mut history = History::new(9 + options % 7);
    history.push(b"what was said before");
    let mut inflater = Inflater::new();
    for _ in 0..2 {
        let before = history.bytes().to_vec();
        match inflater.inflate(compressed, Some(&mut history), limit) {
            Ok(()) => {
                assert!(inflater.message().len() <= limit);
                assert!(
                    history
                        .bytes()
                        .ends_with(tail(inflater.message(), &history))
                );
            }
            Err(_) => assert_eq!(history.bytes(), before),
        }
    }
    // It has left nothing behind.
    inflater
        .inflate(b"\xf2\x48\xcd\xc9\xc9\x07\0", None, 5)
        .unwrap();
    assert_eq!(inflater.message(), b"Hello");
}

fn tail<'a>(message: &'a [u8], history: &History) -> &'a [u8] {
    &message[message.len().saturating_sub(history.bytes().len())..]
}
