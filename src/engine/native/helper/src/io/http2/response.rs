//! Response heads as `h2` takes them.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use super::Spare;
use crate::abi::{TYPE_JSON, TYPE_TEXT};
use crate::http::{InvalidLines, has_content};

/// What a response head is made of.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// From 200 to 999.
    pub status: u16,
    /// Header lines as in `COMMAND_RESPOND`.
    pub lines: &'a [u8],
    /// `TYPE_*`, for lines without a `Content-Type`.
    pub content_type: u32,
    /// Length of the content, if it is known.
    pub length: Option<u64>,
    /// The request was HEAD.
    pub is_head: bool,
    /// The current date.
    pub date: &'a [u8; 29],
}

/// Makes a head. What belongs to a connection of HTTP/1.1 is dropped, as are
/// lengths that are the server's to say.
///
/// Err: lines that are none, values with control characters, or an impossible
/// status.
pub fn response(head: &Head<'_>, spare: &mut Spare) -> Result<Response<()>, InvalidLines> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(head.status).map_err(|_| InvalidLines)?;
    let fields = response.headers_mut();
    let mut given = Given::default();
    let mut rest = head.lines;
    while !rest.is_empty() {
        let end = rest.windows(2).position(|two| two == b"\r\n");
        let (line, behind) = rest.split_at(end.ok_or(InvalidLines)?);
        rest = &behind[2..];
        add_line(fields, line, head, &mut given)?;
    }
    add_own(fields, head, &given, spare)?;
    Ok(response)
}

/// Which of the server's own fields lines have given.
#[derive(Default)]
struct Given {
    content_type: bool,
    date: bool,
    length: bool,
}

fn add_line(
    fields: &mut HeaderMap,
    line: &[u8],
    head: &Head<'_>,
    given: &mut Given,
) -> Result<(), InvalidLines> {
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = line.split_at(colon.ok_or(InvalidLines)?);
    let name = HeaderName::from_bytes(name).map_err(|_| InvalidLines)?;
    let value = value[1..].trim_ascii();
    let value = HeaderValue::from_bytes(value).map_err(|_| InvalidLines)?;
    let is_dropped = match name {
        header::CONNECTION | header::TRANSFER_ENCODING | header::UPGRADE | header::TE => true,
        header::CONTENT_LENGTH => {
            let describes_other = head.status == 304 || head.is_head && has_content(head.status);
            let is_dropped = !describes_other || given.length || !is_number(value.as_bytes());
            given.length |= !is_dropped;
            is_dropped
        }
        header::CONTENT_TYPE => {
            given.content_type = true;
            false
        }
        header::DATE => {
            given.date = true;
            false
        }
        _ => matches!(name.as_str(), "keep-alive" | "proxy-connection"),
    };
    if !is_dropped {
        fields.try_append(name, value).map_err(|_| InvalidLines)?;
    }
    Ok(())
}

fn is_number(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|text| !text.starts_with('+') && text.parse::<u64>().is_ok())
}

/// Adds the fields that are the server's own.
fn add_own(
    fields: &mut HeaderMap,
    head: &Head<'_>,
    given: &Given,
    spare: &mut Spare,
) -> Result<(), InvalidLines> {
    let mut add = |name, value| match fields.try_insert(name, value) {
        Ok(_) => Ok(()),
        Err(_) => Err(InvalidLines),
    };
    let content_type = match head.content_type {
        TYPE_TEXT => Some("text/plain;charset=UTF-8"),
        TYPE_JSON => Some("application/json"),
        _ => None,
    };
    if let Some(content_type) = content_type
        && !given.content_type
    {
        add(header::CONTENT_TYPE, HeaderValue::from_static(content_type))?;
    }
    if !given.date {
        add(header::DATE, spare.date(head.date))?;
    }
    if let Some(length) = head.length
        && has_content(head.status)
        && !given.length
    {
        add(header::CONTENT_LENGTH, spare.length(length))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head<'_> = Head {
        status: 200,
        lines: b"",
        content_type: 0,
        length: None,
        is_head: false,
        date: b"Sun, 06 Nov 1994 08:49:37 GMT",
    };

    fn fields(head: Head<'_>) -> Vec<String> {
        let response = response(&head, &mut Spare::default()).unwrap();
        let mut lines: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.as_bytes().escape_ascii()))
            .filter(|line| !line.starts_with("date: Sun"))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn names_are_in_lower_case_and_values_trimmed() {
        let lines = b"X-A:  one \r\nSet-Cookie: a=1\r\nset-cookie: b=\xff\r\nX-B:\r\n";
        let wanted = [
            "set-cookie: a=1",
            "set-cookie: b=\\xff",
            "x-a: one",
            "x-b: ",
        ];
        assert_eq!(fields(Head { lines, ..HEAD }), wanted);
    }

    #[test]
    fn what_belongs_to_the_connection_is_dropped() {
        let lines = b"Connection: close\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\n\
            Upgrade: h2c\r\nProxy-Connection: close\r\nTE: trailers\r\nContent-Length: 7\r\n";
        let length = Some(3);
        assert_eq!(
            fields(Head {
                lines,
                length,
                ..HEAD
            }),
            ["content-length: 3"]
        );
    }

    #[test]
    fn an_answer_without_content_may_say_the_length_of_another() {
        let lines = b"Content-Length: 7\r\nContent-Length: 8\r\n";
        let is_head = true;
        let head = Head {
            lines,
            is_head,
            ..HEAD
        };
        assert_eq!(fields(head), ["content-length: 7"]);
        let status = 304;
        assert_eq!(
            fields(Head {
                lines,
                status,
                ..HEAD
            }),
            ["content-length: 7"]
        );
        let status = 204;
        let length = Some(0);
        assert_eq!(
            fields(Head {
                status,
                length,
                ..HEAD
            }),
            [""; 0]
        );
        let lines = b"Content-Length: +7\r\n";
        assert_eq!(fields(Head { lines, ..head }), [""; 0]);
    }

    #[test]
    fn the_date_and_the_type_are_added_unless_given() {
        let lines = b"Date: now\r\nContent-Type: text/html\r\n";
        let content_type = TYPE_JSON;
        let head = Head {
            content_type,
            ..HEAD
        };
        assert_eq!(fields(head), ["content-type: application/json"]);
        let wanted = ["content-type: text/html", "date: now"];
        assert_eq!(fields(Head { lines, ..head }), wanted);
        assert!(
            response(&HEAD, &mut Spare::default())
                .unwrap()
                .headers()
                .contains_key("date")
        );
    }

    #[test]
    fn lines_that_would_break_the_head_are_refused() {
        let all: [&[u8]; 8] = [
            b"a",
            b"a\r\n",
            b": b\r\n",
            b"a b: c\r\n",
            b"a: b\nc: d\r\n",
            b"a: \0\r\n",
            b"a: b\rc\r\n",
            b"a: \x01\r\n",
        ];
        for lines in all {
            assert!(
                response(&Head { lines, ..HEAD }, &mut Spare::default()).is_err(),
                "{}",
                lines.escape_ascii()
            );
        }
        assert!(response(&Head { status: 0, ..HEAD }, &mut Spare::default()).is_err());
    }
}
