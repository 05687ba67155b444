use super::*;

fn words() -> [u32; PLAN_WORDS] {
    let mut words = [0; PLAN_WORDS];
    words[PLAN_TRANSPORT] = 1;
    words[PLAN_FLAGS] = LISTEN_IPV6_ONLY | LISTEN_TLS | LISTEN_HTTP2;
    words[PLAN_PORT] = 8080;
    words[PLAN_HOST_LENGTH] = 3;
    words[PLAN_MAX_CONTENT_LOW] = 1;
    words[PLAN_MAX_CONTENT_HIGH] = 2;
    words[PLAN_IDLE_TIMEOUT] = 10_000;
    words[PLAN_MAX_CONNECTIONS] = 5;
    words[PLAN_MAX_PENDING] = 6;
    words[PLAN_HEAD_BYTES] = 7;
    words[PLAN_HEADER_COUNT] = 8;
    words[PLAN_TARGET_BYTES] = 9;
    words[PLAN_HEALTH_STALL] = 500;
    words[PLAN_HEALTH_LENGTH] = 2;
    words[PLAN_METRICS_LENGTH] = 2;
    words[PLAN_MIN_CONTENT_RATE] = 11;
    words
}

fn encode(words: &[u32], texts: &[u8]) -> Vec<u8> {
    let words = words.iter().flat_map(|word| word.to_le_bytes());
    words.chain(texts.iter().copied()).collect()
}

#[test]
fn every_word_has_its_place() {
    let plan = ListenPlan::parse(&encode(&words(), b"::1/h/m")).unwrap();
    let expected = ListenPlan {
        address: Address::Tcp {
            host: "::1".to_owned(),
            port: 8080,
            reuse_port: false,
            ipv6_only: true,
        },
        tls: true,
        http2: true,
        is_tcp: false,
        max_content: 0x2_0000_0001,
        idle_timeout: Some(Duration::from_secs(10)),
        head_timeout: None,
        max_connections: 5,
        max_pending: 6,
        head_bytes: 7,
        header_count: 8,
        target_bytes: 9,
        health_stall: Duration::from_millis(500),
        health_route: b"/h".to_vec(),
        metrics_route: b"/m".to_vec(),
        min_content_rate: 11,
    };
    assert_eq!(plan, expected);
}

#[test]
fn unix_paths_are_bytes() {
    let mut words = words();
    words[PLAN_TRANSPORT] = 2;
    let plan = ListenPlan::parse(&encode(&words, b"\0\xff\xfe/h/m")).unwrap();
    assert_eq!(plan.address, Address::Unix(b"\0\xff\xfe".to_vec()));
}

#[test]
fn whatever_is_not_all_right_is_refused() {
    let bytes = encode(&words(), b"::1/h/m");
    for end in 0..bytes.len() {
        assert!(ListenPlan::parse(&bytes[..end]).is_none(), "cut at {end}");
    }
    assert!(ListenPlan::parse(&[bytes, vec![0]].concat()).is_none());
    assert!(ListenPlan::parse(&encode(&words(), b"\xff\xff\xff/h/m")).is_none());
    let wrong = [
        (PLAN_TRANSPORT, 0),
        (PLAN_TRANSPORT, 3),
        (PLAN_FLAGS, 8),
        (PLAN_PORT, 65536),
        (PLAN_HOST_LENGTH, u32::MAX),
        (PLAN_HEALTH_LENGTH, u32::MAX - 2),
        (PLAN_METRICS_LENGTH, 1),
    ];
    for (word, value) in wrong {
        let mut words = words();
        words[word] = value;
        let plan = ListenPlan::parse(&encode(&words, b"::1/h/m"));
        assert!(plan.is_none(), "word {word} is {value}");
    }
}
