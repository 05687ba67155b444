//! What header fields say about the message itself.

use super::super::bytes::{elements, is_token, parse_decimal};
use super::super::refusal::Refusal;
use super::super::target::is_valid_host;
use super::{BodyLength, Head, HeaderSpan, Span};

/// What was found in the fields.
#[derive(Default)]
struct Facts {
    hosts: usize,
    /// Text and value of the first `Content-Length`.
    length: Option<(Span, u64)>,
    codings: Codings,
    /// `Connection: close`.
    close: bool,
    /// `Connection: upgrade`.
    upgrades: bool,
    /// `Upgrade` names something.
    protocols: bool,
    /// `Upgrade` names `websocket`.
    web_socket: bool,
    /// `Expect: 100-continue`.
    continues: bool,
    /// `Expect` names something else.
    expects_other: bool,
    if_none_match: usize,
}

/// The list in all `Transfer-Encoding` fields together.
#[derive(Default)]
struct Codings {
    present: bool,
    malformed: bool,
    chunked: usize,
    others: bool,
    ends_in_chunked: bool,
}

/// Completes a head whose lines are known.
pub(super) fn interpret_fields(input: &[u8], head: &mut Head) -> Result<(), Refusal> {
    head.host = None;
    head.if_none_match = None;
    head.conditional = false;
    let mut facts = Facts::default();
    for index in 0..head.headers.len() {
        let field = head.headers[index];
        interpret_field(input, field, head, &mut facts)?;
    }
    if facts.hosts > 1 || facts.hosts == 0 && !head.http_1_0 {
        return Err(Refusal::BAD_REQUEST);
    }
    if facts.if_none_match > 1 {
        head.if_none_match = None;
    }
    head.body = body_length(&facts, head.http_1_0)?;
    let has_content = !matches!(head.body, BodyLength::None | BodyLength::Length(0));
    head.keep_alive = !facts.close && !head.http_1_0;
    let upgrade = facts.upgrades && facts.protocols && !head.http_1_0;
    if upgrade && has_content && facts.web_socket {
        // Is what follows content, or does it belong to the new protocol?
        return Err(Refusal::BAD_REQUEST);
    }
    // Some clients offer `h2c` with whatever they send: that is ignored.
    head.upgrade = upgrade && !has_content;
    if facts.expects_other {
        return Err(Refusal::EXPECTATION_FAILED);
    }
    head.expect_continue = facts.continues && has_content && !head.http_1_0;
    Ok(())
}

fn interpret_field(
    input: &[u8],
    field: HeaderSpan,
    head: &mut Head,
    facts: &mut Facts,
) -> Result<(), Refusal> {
    let name = field.name.of(input);
    let value = field.value.of(input);
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    // Most names are told apart from these by their length.
    match name.len() {
        4 if is(b"host") => {
            facts.hosts += 1;
            head.host = Some(field.value);
            if !is_valid_host(value) {
                return Err(Refusal::BAD_REQUEST);
            }
        }
        5 if is(b"range") => head.conditional = true,
        6 if is(b"expect") => facts.add_expectations(value),
        7 if is(b"upgrade") => facts.add_protocols(value),
        8 if is(b"if-match") || is(b"if-range") => head.conditional = true,
        10 if is(b"connection") => facts.add_connection_options(value),
        13 if is(b"if-none-match") => {
            facts.if_none_match += 1;
            head.if_none_match = Some(field.value);
            head.conditional = true;
        }
        14 if is(b"content-length") => facts.add_length(input, field.value)?,
        17 if is(b"if-modified-since") => head.conditional = true,
        17 if is(b"transfer-encoding") => facts.codings.add(value),
        19 if is(b"if-unmodified-since") => head.conditional = true,
        _ => {}
    }
    Ok(())
}

impl Facts {
    fn add_expectations(&mut self, list: &[u8]) {
        for expectation in elements(list) {
            if expectation.eq_ignore_ascii_case(b"100-continue") {
                self.continues = true;
            } else if !expectation.is_empty() {
                self.expects_other = true;
            }
        }
    }

    fn add_protocols(&mut self, list: &[u8]) {
        for protocol in elements(list) {
            let name = protocol.split(|byte| *byte == b'/').next();
            let name = name.unwrap_or_default();
            self.protocols |= !protocol.is_empty();
            self.web_socket |= name.eq_ignore_ascii_case(b"websocket");
        }
    }

    fn add_connection_options(&mut self, list: &[u8]) {
        for option in elements(list) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.upgrades |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    fn add_length(&mut self, input: &[u8], text: Span) -> Result<(), Refusal> {
        let length = parse_decimal(text.of(input)).ok_or(Refusal::BAD_REQUEST)?;
        // Equal ones are as good as one; `5` and `05` are not equal.
        let first = self.length.map_or(text, |(first, _)| first);
        if first.of(input) != text.of(input) {
            return Err(Refusal::BAD_REQUEST);
        }
        self.length = Some((first, length));
        Ok(())
    }
}

impl Codings {
    fn add(&mut self, list: &[u8]) {
        self.present = true;
        for coding in elements(list) {
            let is_chunked = coding.eq_ignore_ascii_case(b"chunked");
            self.malformed |= coding.is_empty() || !coding.iter().all(|byte| is_token(*byte));
            self.chunked += usize::from(is_chunked);
            self.others |= !is_chunked;
            self.ends_in_chunked = is_chunked;
        }
    }

    /// Whether the content is chunked and nothing else.
    fn check(&self) -> Result<(), Refusal> {
        if self.malformed || !self.ends_in_chunked || self.chunked > 1 {
            return Err(Refusal::BAD_REQUEST);
        }
        if self.others {
            return Err(Refusal::NOT_IMPLEMENTED);
        }
        Ok(())
    }
}

/// RFC 9112, 6.3, with whatever a smuggler might use refused.
fn body_length(facts: &Facts, http_1_0: bool) -> Result<BodyLength, Refusal> {
    match facts.length {
        Some(_) if facts.codings.present => Err(Refusal::BAD_REQUEST),
        Some((_, length)) => Ok(BodyLength::Length(length)),
        None if !facts.codings.present => Ok(BodyLength::None),
        None if http_1_0 => Err(Refusal::BAD_REQUEST),
        None => facts.codings.check().map(|()| BodyLength::Chunked),
    }
}
