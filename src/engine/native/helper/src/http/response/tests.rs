use super::*;

const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

/// The usual response; cases change what they are about.
const HEAD: ResponseHead<'static> = ResponseHead {
    status: 200,
    lines: b"",
    content_type: abi::TYPE_NONE,
    framing: Framing::Length(5),
    http_1_0: false,
    keep_alive: true,
    is_head: false,
    date: DATE,
};

/// The lines of a response head, and whether the connection closes.
fn written(head: ResponseHead<'_>) -> (Vec<String>, bool) {
    let mut out = b"before".to_vec();
    let written = write_head(&mut out, &head).unwrap();
    let text: String = out.iter().map(|byte| char::from(*byte)).collect();
    let text = text.strip_prefix("before").unwrap();
    let text = text.strip_suffix("\r\n\r\n").unwrap();
    let lines = text.split("\r\n").map(str::to_owned).collect();
    (lines, written.close)
}

/// The lines besides the status line and `Date`.
fn fields(head: ResponseHead<'_>) -> Vec<String> {
    let date = format!("Date: {}", str::from_utf8(DATE).unwrap());
    let mut lines = written(head).0;
    lines.remove(0);
    lines.retain(|line| *line != date);
    lines
}

#[test]
fn a_head_has_status_date_and_framing() {
    let (lines, close) = written(ResponseHead {
        lines: b"x-a: b\r\nset-cookie: c\r\nset-cookie: d\r\n",
        content_type: abi::TYPE_TEXT,
        ..HEAD
    });
    assert_eq!(
        lines,
        [
            "HTTP/1.1 200 OK",
            "x-a: b",
            "set-cookie: c",
            "set-cookie: d",
            "Content-Type: text/plain;charset=UTF-8",
            "Date: Sun, 06 Nov 1994 08:49:37 GMT",
            "Content-Length: 5",
        ]
    );
    assert!(!close);
}

#[test]
fn every_status_has_a_line() {
    for status in 100..=999 {
        let line = &written(ResponseHead { status, ..HEAD }).0[0];
        assert_eq!(*line, format!("HTTP/1.1 {status} {}", reason(status)));
    }
    assert_eq!(reason(418), "");
    assert_eq!(reason(404), "Not Found");
    for status in [0, 1, 99, 1000, u16::MAX] {
        let mut out = b"before".to_vec();
        let head = ResponseHead { status, ..HEAD };
        assert_eq!(write_head(&mut out, &head), Err(InvalidLines));
        assert_eq!(out, b"before");
    }
}

#[test]
fn a_type_of_the_lines_comes_first() {
    let typed = |content_type| {
        let lines = b"content-TYPE: a/b\r\n";
        let own = fields(ResponseHead {
            content_type,
            ..HEAD
        });
        let given = fields(ResponseHead {
            content_type,
            lines,
            ..HEAD
        });
        (own[0].clone(), given[0].clone())
    };
    let length = "Content-Length: 5".to_owned();
    let given = "content-TYPE: a/b".to_owned();
    assert_eq!(typed(abi::TYPE_NONE), (length.clone(), given.clone()));
    assert_eq!(typed(99), (length, given.clone()));
    let json = "Content-Type: application/json".to_owned();
    assert_eq!(typed(abi::TYPE_JSON), (json, given.clone()));
    let text = "Content-Type: text/plain;charset=UTF-8".to_owned();
    assert_eq!(typed(abi::TYPE_TEXT), (text, given));
}

#[test]
fn date_and_server_of_the_lines_stay() {
    let lines = b"DATE: Wed, 01 Jan 2020 00:00:00 GMT\r\nServer: mine\r\n";
    let expected = [
        "DATE: Wed, 01 Jan 2020 00:00:00 GMT",
        "Server: mine",
        "Content-Length: 5",
    ];
    assert_eq!(fields(ResponseHead { lines, ..HEAD }), expected);
}

#[test]
fn framing_of_the_lines_is_dropped() {
    let dropped = [
        "Content-Length: 2",
        "content-length: 5",
        "Content-Length: -1",
        "Content-Length: 5, 5",
        "Transfer-Encoding: chunked",
        "transfer-encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Keep-Alive: timeout=5",
        "Connection: keep-alive",
        "connection: x-a, keep-alive",
        "Connection:",
    ];
    for line in dropped {
        for lines in [
            format!("{line}\r\n"),
            format!("{line}\r\nx-a: b\r\n"),
            format!("x-a: b\r\n{line}\r\n"),
            format!("x-a: b\r\n{line}\r\n{line}\r\nx-c: d\r\n"),
        ] {
            let kept: Vec<_> = lines
                .lines()
                .filter(|given| *given != line)
                .chain(["Content-Length: 5"])
                .collect();
            let lines = lines.as_bytes();
            assert_eq!(fields(ResponseHead { lines, ..HEAD }), kept);
            assert!(!written(ResponseHead { lines, ..HEAD }).1);
        }
    }
}

#[test]
fn lookalikes_stay() {
    let lines = "X-Connection: a\r\nConnections: a\r\nDates: a\r\nDat: a\r\n\
        Content_Length: a\r\nTransfer-Encodings: a\r\nTE: a\r\nTrailer: a\r\n\
        Upgrade: a\r\nContent-Types: a\r\n";
    let expected: Vec<_> = lines.lines().chain(["Content-Length: 5"]).collect();
    let lines = lines.as_bytes();
    assert_eq!(fields(ResponseHead { lines, ..HEAD }), expected);
}

#[test]
fn connection_says_what_happens() {
    let close = "Connection: close".to_owned();
    let keep = "Connection: keep-alive".to_owned();
    type Row<'a> = (&'a [u8], bool, bool, &'a [&'a String], bool);
    let rows: [Row; 10] = [
        (b"", true, false, &[], false),
        (b"", false, false, &[&close], true),
        (b"", true, true, &[&keep], false),
        (b"", false, true, &[&close], true),
        (b"Connection: close\r\n", true, false, &[&close], true),
        (b"connection: Close\r\n", true, true, &[&close], true),
        (b"Connection: x-a, close\r\n", true, false, &[&close], true),
        (
            b"Connection: close\r\nConnection: close\r\n",
            true,
            false,
            &[&close],
            true,
        ),
        (b"Connection: close\r\n", false, false, &[&close], true),
        (b"Connection: keep-alive\r\n", false, false, &[&close], true),
    ];
    for (lines, keep_alive, http_1_0, expected, closes) in rows {
        let head = ResponseHead {
            lines,
            keep_alive,
            http_1_0,
            ..HEAD
        };
        let said: Vec<_> = fields(head)
            .into_iter()
            .filter(|line| line.starts_with("Connection"))
            .collect();
        assert_eq!(said.iter().collect::<Vec<_>>(), expected);
        assert_eq!(written(head).1, closes);
    }
    // RFC 9110, 7.8: `Upgrade` needs the option beside it.
    let lines = b"Upgrade: websocket\r\nConnection: upgrade, close\r\n";
    let head = ResponseHead {
        status: 426,
        lines,
        ..HEAD
    };
    let expected = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Content-Length: 5",
        "Connection: close",
    ];
    assert_eq!(fields(head), expected);
}

#[test]
fn the_end_of_content_is_known() {
    let rows = [
        (Framing::Length(0), false, "Content-Length: 0", false),
        (
            Framing::Length(u64::MAX),
            false,
            "Content-Length: 18446744073709551615",
            false,
        ),
        (Framing::Length(10), true, "Content-Length: 10", false),
        (Framing::Chunked, false, "Transfer-Encoding: chunked", false),
        (Framing::Chunked, true, "Connection: close", true),
        (Framing::UntilClose, false, "Connection: close", true),
        (Framing::UntilClose, true, "Connection: close", true),
        (Framing::None, false, "Connection: close", true),
    ];
    for (framing, http_1_0, line, closes) in rows {
        let (lines, close) = written(ResponseHead {
            framing,
            http_1_0,
            ..HEAD
        });
        assert!(lines.iter().any(|own| own == line), "{lines:?}");
        assert_eq!(close, closes, "{framing:?}");
        let framings = lines
            .iter()
            .filter(|line| line.starts_with("Content-Length") || line.starts_with("Transfer"));
        assert_eq!(framings.count(), usize::from(!closes));
    }
}

#[test]
fn statuses_without_content_have_no_length() {
    let framings = [
        Framing::Length(5),
        Framing::Chunked,
        Framing::UntilClose,
        Framing::None,
    ];
    for framing in framings {
        for status in [100, 103, 204, 304] {
            let head = ResponseHead {
                status,
                framing,
                ..HEAD
            };
            assert_eq!(fields(head), [""; 0], "{status}");
            assert!(!written(head).1);
            let lines = b"Transfer-Encoding: chunked\r\n";
            assert_eq!(fields(ResponseHead { lines, ..head }), [""; 0]);
        }
    }
    for status in [100, 101, 204] {
        let lines = b"Content-Length: 5\r\n";
        for is_head in [false, true] {
            let head = ResponseHead {
                status,
                lines,
                is_head,
                ..HEAD
            };
            assert_eq!(fields(head), [""; 0], "{status}");
        }
    }
    let head = ResponseHead {
        status: 205,
        framing: Framing::Length(0),
        ..HEAD
    };
    assert_eq!(fields(head), ["Content-Length: 0"]);
}

#[test]
fn interim_responses_say_nothing_of_their_own() {
    let head = ResponseHead {
        status: 100,
        framing: Framing::None,
        keep_alive: false,
        ..HEAD
    };
    let mut out = Vec::new();
    assert_eq!(
        write_head(&mut out, &head),
        Ok(WrittenHead { close: false })
    );
    assert_eq!(out, b"HTTP/1.1 100 Continue\r\n\r\n");
    let head = ResponseHead {
        status: 101,
        lines: b"Upgrade: websocket\r\nConnection: Upgrade\r\nsec-a: b\r\n",
        ..head
    };
    let mut out = Vec::new();
    assert_eq!(
        write_head(&mut out, &head),
        Ok(WrittenHead { close: false })
    );
    assert_eq!(
        str::from_utf8(&out).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nsec-a: b\r\n\
         Connection: Upgrade\r\n\r\n"
    );
}

#[test]
fn head_and_304_keep_the_length_that_get_would_have() {
    let lines = b"content-length: 7\r\n";
    for framing in [Framing::Length(0), Framing::None, Framing::Chunked] {
        let head = ResponseHead {
            framing,
            is_head: true,
            ..HEAD
        };
        assert_eq!(
            fields(ResponseHead { lines, ..head }),
            ["content-length: 7"]
        );
        let head = ResponseHead {
            framing,
            status: 304,
            ..HEAD
        };
        assert_eq!(
            fields(ResponseHead { lines, ..head }),
            ["content-length: 7"]
        );
    }
    let head = ResponseHead {
        is_head: true,
        ..HEAD
    };
    assert_eq!(fields(head), ["Content-Length: 5"]);
    // Only one, and only a number.
    let twice = b"Content-Length: 7\r\nContent-Length: 8\r\n";
    assert_eq!(
        fields(ResponseHead {
            lines: twice,
            ..head
        }),
        ["Content-Length: 7"]
    );
    for value in ["", "-1", "junk", "5, 5", "99999999999999999999"] {
        let lines = format!("Content-Length: {value}\r\n");
        let lines = lines.as_bytes();
        assert_eq!(
            fields(ResponseHead { lines, ..head }),
            ["Content-Length: 5"]
        );
    }
    // Answers to HEAD have no content that closing would end.
    for framing in [Framing::None, Framing::UntilClose] {
        let head = ResponseHead {
            framing,
            is_head: true,
            ..HEAD
        };
        assert_eq!(fields(head), [""; 0]);
        assert!(!written(head).1);
    }
}

#[test]
fn lines_cannot_split_the_response() {
    let invalid: [&[u8]; 27] = [
        b"x-a: b\r\n\r\nx-c: d\r\n",
        b"\r\n",
        b"x-a: b\rx-c: d\r\n",
        b"x-a: b\nx-c: d\r\n",
        b"x-a: b\0c\r\n",
        b"x-a: b\r\r\n",
        b"x-a: b\n\r\n",
        b"x-a: \n",
        b"x-a: b",
        b"x-a: b\r",
        b"x-a: b\n",
        b"x-a: b\r\nx-c",
        b"x-a: b\r\nx-c: d",
        b"x-a: b\r\n x-c: d\r\n",
        b"x-a: b\r\n\tx-c: d\r\n",
        b"x-a : b\r\n",
        b" x-a: b\r\n",
        b": b\r\n",
        b"x-a\r\n",
        b"x a: b\r\n",
        b"x\r\na: b\r\n",
        b"x\0a: b\r\n",
        b"x(a): b\r\n",
        b"x\xe9: b\r\n",
        b"x-a: 0123456789abcdef0123456789abcdef\rx: y\r\n",
        b"x-a: 0123456789abcdef0123456789abcde\0\r\n",
        b"x-a: \xff\xff\xff\xff\xff\xff\xff\xff\n\xff\xff\xff\xff\xff\xff\xff\r\n",
    ];
    for lines in invalid {
        for before in [&b""[..], b"x-b: c\r\n", b"connection: close\r\n"] {
            let lines = [before, lines].concat();
            let mut out = b"before".to_vec();
            let head = ResponseHead {
                lines: &lines,
                ..HEAD
            };
            let written = write_head(&mut out, &head);
            assert_eq!(written, Err(InvalidLines), "{}", lines.escape_ascii());
            assert_eq!(out, b"before");
        }
    }
}

#[test]
fn a_break_is_found_wherever_it_is() {
    for length in 0..40 {
        for at in 0..length {
            for byte in 0..=u8::MAX {
                let mut value = vec![b'v'; length];
                value[at] = byte;
                let lines = [b"x:", &value[..], b"\r\n"].concat();
                let head = ResponseHead {
                    lines: &lines,
                    ..HEAD
                };
                let valid = write_head(&mut Vec::new(), &head).is_ok();
                assert_eq!(valid, !matches!(byte, b'\r' | b'\n' | 0), "{byte}");
            }
        }
    }
}

#[test]
fn values_may_have_any_other_byte() {
    let value: Vec<u8> = (1..=u8::MAX)
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    let lines = [b"x-a:", &value[..], b"\r\nx-b:\r\nx-c: \r\n"].concat();
    let mut out = Vec::new();
    write_head(
        &mut out,
        &ResponseHead {
            lines: &lines,
            ..HEAD
        },
    )
    .unwrap();
    assert!(out.windows(lines.len()).any(|window| window == lines));
}

#[test]
fn chunks_have_their_size_in_front() {
    for length in [1, 9, 10, 15, 16, 255, 256, 4095, 4096, 65_536] {
        let data = vec![b'a'; length];
        let mut out = Vec::new();
        write_chunk(&mut out, &data);
        let expected = [format!("{length:x}\r\n").as_bytes(), &data, b"\r\n"].concat();
        assert_eq!(out, expected);
    }
    let mut out = Vec::new();
    write_chunk(&mut out, b"");
    assert_eq!(out, b"");
    write_last_chunk(&mut out);
    assert_eq!(out, b"0\r\n\r\n");
    let mut out = Vec::new();
    write_hexadecimal(&mut out, usize::MAX);
    assert_eq!(out, format!("{:x}", usize::MAX).as_bytes());
}

#[test]
fn chunks_that_are_written_can_be_read() {
    use crate::http::{BodyDecoder, BodyLength};
    let mut out = Vec::new();
    let mut expected = Vec::new();
    for length in [1, 0, 5, 300, 70_000] {
        let data: Vec<u8> = (0..length).map(|index| index as u8).collect();
        write_chunk(&mut out, &data);
        expected.extend(data);
    }
    write_last_chunk(&mut out);
    let mut decoder = BodyDecoder::new(BodyLength::Chunked);
    let mut content = Vec::new();
    assert_eq!(
        decoder.decode(&out, usize::MAX, &mut content),
        Ok(out.len())
    );
    assert!(decoder.is_done());
    assert!(content == expected);
}
