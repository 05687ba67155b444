//! Request heads as those of HTTP/1.1.

use h2::RecvStream;
use http::{Request, header};

use crate::http::head::{self, BodyLength, Head, HeaderSpan, Span};
use crate::http::{Limits, Refusal};

/// Makes a head of what `h2` has understood, which has refused what RFC 9113,
/// 8.2 and 8.3 do not permit already. `text` gets what the head's spans are in.
///
/// * `is_complete`: there is no content.
pub fn convert(
    request: &Request<RecvStream>,
    is_complete: bool,
    limits: &Limits,
    text: &mut Vec<u8>,
    head: &mut Head,
) -> Result<(), Refusal> {
    let uri = request.uri();
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    text.clear();
    *head = Head {
        headers: std::mem::take(&mut head.headers),
        ..Head::default()
    };
    head.headers.clear();
    head.method = head::method_number(request.method().as_str())?;
    head.method_text = put(text, request.method().as_str().as_bytes());
    head.target = put(text, target.as_bytes());
    let host = request.headers().get(header::HOST);
    if let Some(authority) = uri.authority() {
        let authority = authority.as_str().as_bytes();
        match host {
            // Which of them would count (RFC 9113, 8.3.1)?
            Some(host) if !host.as_bytes().eq_ignore_ascii_case(authority) => {
                return Err(Refusal::BAD_REQUEST);
            }
            Some(_) => {}
            None => add(text, head, b"host", authority),
        }
    }
    for (name, value) in request.headers() {
        add(text, head, name.as_str().as_bytes(), value.as_bytes());
    }
    if head.headers.len() > limits.header_count || text.len() > limits.head_bytes {
        return Err(Refusal::HEAD_TOO_LARGE);
    }
    // What the names and values would be without compression.
    head.consumed = text.len();
    head::complete(text, limits, head)?;
    if is_complete {
        head.body = BodyLength::None;
        head.expect_continue = false;
    } else if head.body == BodyLength::None {
        head.body = BodyLength::Chunked;
        head.expect_continue = request.headers().contains_key(header::EXPECT);
    }
    head.upgrade = false;
    head.can_stream_events = true;
    head.keep_alive = true;
    Ok(())
}

fn add(text: &mut Vec<u8>, head: &mut Head, name: &[u8], value: &[u8]) {
    let name = put(text, name);
    let value = put(text, value);
    head.headers.push(HeaderSpan { name, value });
}

fn put(text: &mut Vec<u8>, bytes: &[u8]) -> Span {
    let start = text.len() as u32;
    text.extend_from_slice(bytes);
    Span {
        start,
        len: bytes.len() as u32,
    }
}
