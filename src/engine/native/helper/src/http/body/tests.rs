use super::*;

/// What must never be taken for content.
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\n";

/// Content, and bytes of input used; `None` if the content is not complete.
type Outcome = Result<Option<(Vec<u8>, usize)>, Refusal>;

/// Decodes what has arrived after each of `lengths` bytes, with so much room
/// in each call.
fn decode_at(
    length: BodyLength,
    input: &[u8],
    room: usize,
    lengths: impl IntoIterator<Item = usize>,
) -> Outcome {
    let mut decoder = BodyDecoder::new(length);
    let mut content = Vec::new();
    let mut used = 0;
    for arrived in lengths {
        loop {
            let before = (used, content.len());
            used += decoder.decode(&input[used..arrived], room, &mut content)?;
            assert!(content.len() - before.1 <= room);
            if before == (used, content.len()) || decoder.is_done() {
                break;
            }
        }
        if decoder.is_done() {
            assert_eq!(decoder.remaining(), Some(0));
            return Ok(Some((content, used)));
        }
        assert_eq!(used, arrived, "input is left over");
    }
    Ok(None)
}

/// Decodes the whole, byte by byte, and split at every offset, with much room
/// and with little.
fn replay_as(length: BodyLength, input: &[u8]) -> Outcome {
    let whole = decode_at(length, input, usize::MAX, [input.len()]);
    for room in [1, 3, usize::MAX] {
        let text = input.escape_ascii();
        let bytes = decode_at(length, input, room, 1..=input.len());
        assert_eq!(bytes, whole, "byte by byte, room {room}: {text}");
        for split in 0..input.len() {
            let halves = decode_at(length, input, room, [split, input.len()]);
            assert_eq!(halves, whole, "split at {split}, room {room}: {text}");
        }
    }
    whole
}

fn replay(input: &[u8]) -> Outcome {
    replay_as(BodyLength::Chunked, input)
}

fn taken(chunks: &[u8], content: &[u8]) {
    let outcome = replay(&[chunks, NEXT].concat());
    let expected = Ok(Some((content.to_vec(), chunks.len())));
    assert_eq!(outcome, expected, "{}", chunks.escape_ascii());
}

fn refused(chunks: &[u8], status: u16) {
    let outcome = replay(&[chunks, NEXT].concat());
    assert_eq!(
        outcome,
        Err(Refusal { status }),
        "{}",
        chunks.escape_ascii()
    );
}

#[test]
fn declared_content_ends_where_it_should() {
    for length in 0..6 {
        let input = [&b"hello"[..length], NEXT].concat();
        let outcome = replay_as(BodyLength::Length(length as u64), &input);
        assert_eq!(outcome, Ok(Some((b"hello"[..length].to_vec(), length))));
    }
    assert_eq!(replay_as(BodyLength::Length(9), b"hello"), Ok(None));
    assert_eq!(replay_as(BodyLength::Length(u64::MAX), b"hello"), Ok(None));
}

#[test]
fn without_content_nothing_is_used() {
    for length in [BodyLength::None, BodyLength::Length(0)] {
        let mut decoder = BodyDecoder::new(length);
        let mut content = Vec::new();
        assert!(decoder.is_done());
        assert_eq!(decoder.remaining(), Some(0));
        assert_eq!(decoder.decode(NEXT, 9, &mut content), Ok(0));
        assert!(content.is_empty());
    }
}

#[test]
fn what_remains_is_known_with_a_length() {
    let mut decoder = BodyDecoder::new(BodyLength::Length(5));
    let mut content = b"before ".to_vec();
    assert_eq!(decoder.remaining(), Some(5));
    assert_eq!(decoder.decode(b"hel", 9, &mut content), Ok(3));
    assert_eq!(decoder.remaining(), Some(2));
    assert_eq!(decoder.decode(b"lo and more", 9, &mut content), Ok(2));
    assert_eq!(decoder.remaining(), Some(0));
    assert_eq!(content, b"before hello");
    let mut decoder = BodyDecoder::new(BodyLength::Chunked);
    assert_eq!(decoder.remaining(), None);
    assert_eq!(decoder.decode(b"5\r\nhel", 9, &mut content), Ok(6));
    assert_eq!(decoder.remaining(), None);
}

#[test]
fn framing_needs_no_room() {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked);
    let mut content = Vec::new();
    assert_eq!(decoder.decode(b"2\r\nhe", 0, &mut content), Ok(3));
    assert_eq!(decoder.decode(b"he\r\n1", 1, &mut content), Ok(1));
    assert_eq!(decoder.decode(b"e\r\n1\r\nl", 1, &mut content), Ok(6));
    assert_eq!(decoder.decode(b"l\r\n0\r\n\r\nGET", 1, &mut content), Ok(8));
    assert_eq!(content, b"hel");
    assert!(decoder.is_done());
    let mut decoder = BodyDecoder::new(BodyLength::Length(1));
    assert_eq!(decoder.decode(b"a", 0, &mut content), Ok(0));
    assert!(!decoder.is_done());
}

#[test]
fn chunks_are_decoded() {
    let rows: [&[u8]; 19] = [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n",
        b"0005\r\nhello\r\n000\r\n\r\n",
        b"00000000000000000000000000000005\r\nhello\r\n0\r\n\r\n",
        b"5;a=b\r\nhello\r\n0;c\r\n\r\n",
        b"5;a=b;c=\"d;e\"\r\nhello\r\n0\r\n\r\n",
        b"5;a=\"\xe9\"\r\nhello\r\n0\r\n\r\n",
        b"5;\r\nhello\r\n0;\r\n\r\n",
        b"5 ;a=b\r\nhello\r\n0\r\n\r\n",
        b"5\t ; a = b\r\nhello\r\n0 ;c\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A: b\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A: b\r\nX-B:c\r\nX-C:\r\nX-D: \t\r\n\r\n",
        b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n",
        b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A: caf\xe9\r\n\r\n",
        b"5;0\r\nhello\r\n0\r\n\r\n",
        b"0000000000000000000005 ;a\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n00000000000000000\r\n\r\n",
    ];
    for row in rows {
        taken(row, b"hello");
    }
    taken(b"0\r\n\r\n", b"");
    taken(b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789");
    taken(b"A\r\n0\r\n\r\nGET /\r\n0\r\n\r\n", b"0\r\n\r\nGET /");
    taken(
        b"1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
        b"abcdefghijklmnopqrstuvwxyz",
    );
}

#[test]
fn broken_chunks_are_refused() {
    let rows: [&[u8]; 52] = [
        b"\r\nhello\r\n0\r\n\r\n",
        b";a\r\nhello\r\n0\r\n\r\n",
        b"g\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5h\r\nhello\r\n0\r\n\r\n",
        b"5_0\r\nhello\r\n0\r\n\r\n",
        b"5,5\r\nhello\r\n0\r\n\r\n",
        b"5.\r\nhello\r\n0\r\n\r\n",
        b"\xb5\r\nhello\r\n0\r\n\r\n",
        b"\xd9\xa5\r\nhello\r\n0\r\n\r\n",
        b"\0\r\nhello\r\n0\r\n\r\n",
        b"5\0\r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"\t5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"5\t\r\nhello\r\n0\r\n\r\n",
        b"5 5\r\nhello\r\n0\r\n\r\n",
        b"5 a\r\nhello\r\n0\r\n\r\n",
        b"10000000000000005\r\nhello\r\n0\r\n\r\n",
        b"0010000000000000005\r\nhello\r\n0\r\n\r\n",
        b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"1000000000000000\r\nhello\r\n0\r\n\r\n",
        b"8000000000000000\r\nhello\r\n0\r\n\r\n",
        b"fffffffffffffffffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\rhello\r\n0\r\n\r\n",
        b"5\r\rhello\r\n0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello\r0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello\r\n\r\n0\r\n\r\n",
        b"4\r\nhello\r\n0\r\n\r\n",
        b"6\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\n\n",
        b"5\r\nhello\r\n0\r\n\n",
        b"5\r\nhello\r\n0\r\n\r\r\n",
        b"5;a\nb\r\nhello\r\n0\r\n\r\n",
        b"5;a\rb\r\nhello\r\n0\r\n\r\n",
        b"5;a\0\r\nhello\r\n0\r\n\r\n",
        b"5;a\x7f\r\nhello\r\n0\r\n\r\n",
        b"5;a\x0b\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A : b\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A\r\n\r\n",
        b"5\r\nhello\r\n0\r\n: b\r\n\r\n",
        b"5\r\nhello\r\n0\r\n X-A: b\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A: b\nX-B: c\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A: b\rX-B: c\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A: b\0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX\xe9: b\r\n\r\n",
    ];
    for row in rows {
        refused(row, 400);
    }
}

#[test]
fn what_came_before_a_broken_chunk_is_content() {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked);
    let mut content = Vec::new();
    let broken = b"5\r\nhello\r\nzz\r\n";
    let refusal = Err(Refusal::BAD_REQUEST);
    assert_eq!(decoder.decode(broken, 99, &mut content), refusal);
    assert_eq!(content, b"hello");
    // Nothing can be decoded after it.
    assert_eq!(decoder.decode(b"0\r\n\r\n", 99, &mut content), refusal);
    assert!(!decoder.is_done());
    assert_eq!(decoder.remaining(), None);
}

#[test]
fn incomplete_chunks_wait() {
    let chunks = b"5 ;a\r\nhello\r\n00\r\nX-A: b\r\n\r\n";
    for length in 0..chunks.len() {
        assert_eq!(replay(&chunks[..length]), Ok(None));
    }
    // The largest size that is not refused.
    assert_eq!(replay(b"fffffffffffffff\r\nhello"), Ok(None));
}

/// Decodes in one piece and in small ones.
fn outcome_of(chunks: &[u8]) -> Result<bool, Refusal> {
    let whole = decode_at(BodyLength::Chunked, chunks, usize::MAX, [chunks.len()]);
    let pieces = (1..=chunks.len()).filter(|length| length % 7 == 0 || *length == chunks.len());
    let cut = decode_at(BodyLength::Chunked, chunks, 5, pieces);
    assert_eq!(cut, whole);
    whole.map(|content| content.is_some())
}

#[test]
fn size_lines_are_capped() {
    let with_extension =
        |bytes: usize| format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(bytes - 2));
    assert_eq!(
        outcome_of(with_extension(CHUNK_LINE_BYTES).as_bytes()),
        Ok(true)
    );
    let too_large = Err(Refusal::CONTENT_TOO_LARGE);
    let one_more = with_extension(CHUNK_LINE_BYTES + 1);
    assert_eq!(outcome_of(one_more.as_bytes()), too_large);
    for endless in ["5;a", "5 ", "5;a=\"", "0"] {
        let last = &endless[endless.len() - 1..];
        let line = endless.to_owned() + &last.repeat(100_000);
        assert_eq!(outcome_of(line.as_bytes()), too_large);
    }
}

#[test]
fn extensions_are_capped_over_the_whole_body() {
    // Each size line has 1000 bytes that say nothing.
    for line in [format!("1;{}", "a".repeat(999)), format!("{:0>1016}", 1)] {
        let chunks = |count: usize| format!("{line}\r\na\r\n").repeat(count) + "0\r\n\r\n";
        let most = CHUNK_EXTENSION_BYTES / 1000;
        assert_eq!(outcome_of(chunks(most).as_bytes()), Ok(true));
        let too_large = Err(Refusal::CONTENT_TOO_LARGE);
        assert_eq!(outcome_of(chunks(most + 1).as_bytes()), too_large);
    }
    // Without any, a body may have as many chunks as it likes.
    let many = "1\r\na\r\n".repeat(10_000) + "0\r\n\r\n";
    assert_eq!(outcome_of(many.as_bytes()), Ok(true));
}

#[test]
fn trailers_are_capped() {
    let with_trailers = |bytes: usize| {
        let value = "a".repeat(bytes - "X: \r\n".len());
        format!("0\r\nX: {value}\r\n\r\n")
    };
    assert_eq!(
        outcome_of(with_trailers(TRAILER_BYTES).as_bytes()),
        Ok(true)
    );
    let too_large = Err(Refusal::CONTENT_TOO_LARGE);
    let one_more = with_trailers(TRAILER_BYTES + 1);
    assert_eq!(outcome_of(one_more.as_bytes()), too_large);
    let many = "0\r\n".to_owned() + &"X-A: b\r\n".repeat(20_000);
    assert_eq!(outcome_of(many.as_bytes()), too_large);
}
