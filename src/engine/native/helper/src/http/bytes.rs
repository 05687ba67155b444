//! Classes of bytes, and small things to do with bytes.

const TOKEN: u8 = 1 << 0;
const FIELD: u8 = 1 << 1;
const HOST: u8 = 1 << 2;

/// What each byte may be part of.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        if value == b'\t' || (value >= b' ' && value != 0x7f) {
            classes[byte] |= FIELD;
        }
        if value.is_ascii_alphanumeric() {
            classes[byte] |= TOKEN | HOST;
        }
        byte += 1;
    }
    add(&mut classes, b"!#$%&'*+-.^_`|~", TOKEN);
    // Unreserved, sub-delims and percent-encoded (RFC 3986, 3.2.2).
    add(&mut classes, b"-._~!$&'()*+,;=%", HOST);
    classes
}

const fn add(classes: &mut [u8; 256], bytes: &[u8], class: u8) {
    let mut index = 0;
    while index < bytes.len() {
        classes[bytes[index] as usize] |= class;
        index += 1;
    }
}

/// Whether `byte` may be in a token (RFC 9110, 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    CLASSES[byte as usize] & TOKEN != 0
}

/// Whether `byte` may be in a field value (RFC 9110, 5.5): no control
/// character but HTAB.
pub(super) fn is_field(byte: u8) -> bool {
    CLASSES[byte as usize] & FIELD != 0
}

/// Whether `byte` may be in a registered name or IPv4 address; a percent sign
/// needs two digits behind it.
pub(super) fn is_host(byte: u8) -> bool {
    CLASSES[byte as usize] & HOST != 0
}

/// `bytes` without the optional white space around them (RFC 9110, 5.6.3).
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The elements of a list (RFC 9110, 5.6.1), trimmed; empty ones included.
pub(super) fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(trim)
}

/// A number of nothing but digits; none if it has more than 64 bits.
pub(super) fn parse_decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Appends a number in decimal.
pub(super) fn write_decimal(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Copies a field name in lower case into `out`, which has its length.
pub fn write_lower_case(out: &mut [u8], name: &[u8]) {
    for (to, from) in out.iter_mut().zip(name) {
        *to = from.to_ascii_lowercase();
    }
}
