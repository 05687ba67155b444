//! What is looked up in certificates besides what *webpki* verifies (RFC 5280,
//! 4.1).

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const DAY: i64 = 86_400;

/// Fields of a certificate. Names are the content of their SEQUENCE.
#[derive(Debug, PartialEq)]
pub struct Fields<'a> {
    /// Who has signed it.
    pub issuer: &'a [u8],
    /// Whom it is about.
    pub subject: &'a [u8],
    /// When it begins and ends to be valid, in seconds since 1970 began; None if
    /// that cannot be read.
    pub validity: Option<(i64, i64)>,
}

/// Whether a certificate names its subject as its issuer.
pub fn is_self_signed(certificate: &[u8]) -> bool {
    fields_of(certificate).is_some_and(|fields| fields.issuer == fields.subject)
}

/// The fields of a certificate in DER form; None if it is none.
pub fn fields_of(certificate: &[u8]) -> Option<Fields<'_>> {
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(certificate)?;
    let (_, mut fields, _) = element(certificate)?;
    let mut next = || {
        let (tag, content, rest) = element(fields)?;
        fields = rest;
        Some((tag, content))
    };
    let (first, _) = next()?;
    if first == VERSION {
        // The serial number.
        next()?;
    }
    let _algorithm = next()?;
    let (_, issuer) = next()?;
    let (_, validity) = next()?;
    let (_, subject) = next()?;
    Some(Fields {
        issuer,
        subject,
        validity: period(validity),
    })
}

fn period(validity: &[u8]) -> Option<(i64, i64)> {
    let (tag, first, rest) = element(validity)?;
    let (last_tag, last, _) = element(rest)?;
    Some((seconds(tag, first)?, seconds(last_tag, last)?))
}

/// A time in seconds since 1970 began (RFC 5280, 4.1.2.5).
fn seconds(tag: u8, text: &[u8]) -> Option<i64> {
    let text = text.strip_suffix(b"Z")?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = number(text, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => number(text, 4)?,
        _ => return None,
    };
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    let is_possible = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !rest.is_empty() || !is_possible {
        return None;
    }
    let days = days_before(year, month) + day - 1;
    Some(days * DAY + hour * 3600 + minute * 60 + second)
}

/// Days from the beginning of 1970 to that of a month.
fn days_before(year: i64, month: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 - 719_468
}

/// A number of so many digits, and what is behind it.
fn number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(digits)?;
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some((value, rest))
}

/// Tag and content of the first element in DER (X.690), and what is behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let digits;
        (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 3 {
            return None;
        }
        length = digits
            .iter()
            .fold(0, |length, digit| length << 8 | usize::from(*digit));
    }
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn times_are_seconds() {
        for (tag, text, expected) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (UTC_TIME, "500101000000Z", Some(-631_152_000)),
            (GENERALIZED_TIME, "20240229120000Z", Some(1_709_208_000)),
            (GENERALIZED_TIME, "20000301000000Z", Some(951_868_800)),
            (GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799)),
            (GENERALIZED_TIME, "20241301000000Z", None),
            (GENERALIZED_TIME, "20240100000000Z", None),
            (GENERALIZED_TIME, "20240101000000", None),
            (GENERALIZED_TIME, "2024010100000xZ", None),
            (GENERALIZED_TIME, "20240101000000.5Z", None),
            (UTC_TIME, "7001010000Z", None),
            (2, "700101000000Z", None),
        ] {
            assert_eq!(seconds(tag, text.as_bytes()), expected, "{text}");
        }
    }

    fn certificate() -> CertificateDer<'static> {
        let pem = include_bytes!("fixtures/p256_cert.pem");
        CertificateDer::from_pem_slice(pem).unwrap()
    }

    #[test]
    fn fields_are_found_and_nothing_else_is_a_certificate() {
        let certificate = certificate();
        let fields = fields_of(&certificate).unwrap();
        assert!(fields.issuer.windows(4).any(|part| part == b"p256"));
        assert!(is_self_signed(&certificate));
        let (first, last) = fields.validity.unwrap();
        assert!(first < last);
        for length in 0..certificate.len() {
            assert_eq!(fields_of(&certificate[..length]), None);
        }
        assert!(!is_self_signed(b"0"));
    }

    #[test]
    fn nothing_makes_it_panic() {
        let mut state = 1u32;
        for _ in 0..20_000 {
            let mut changed = certificate().to_vec();
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 8) as usize % 140;
            changed[at] = (state >> 24) as u8;
            let _ = fields_of(&changed);
        }
    }
}
