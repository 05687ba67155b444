//! Entity tags (RFC 9110, 8.8.3 and 13.1.2).

use super::bytes::trim;

/// Whether a field `If-None-Match` names `tag`, such as `"a"` or `W/"a"`:
/// compared weakly with each of a list, or with `*`, which is any.
pub fn if_none_match(field: &[u8], tag: &[u8]) -> bool {
    let mut rest = trim(field);
    if rest == b"*" {
        return true;
    }
    let wanted = without_weakness(tag);
    while !rest.is_empty() {
        let (element, after) = take_element(rest);
        if element == Some(wanted) {
            return true;
        }
        rest = after;
    }
    false
}

fn without_weakness(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// The first element of a list, if it is a tag, and what follows its comma.
fn take_element(list: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let quoted = without_weakness(trim(list));
    let end = match quoted {
        // A comma may be inside of the quotes.
        [b'"', opaque @ ..] => opaque.iter().position(|byte| *byte == b'"'),
        _ => None,
    };
    let (tag, after) = match end {
        Some(end) => quoted.split_at(end + 2),
        None => (&[][..], quoted),
    };
    let comma = after.iter().position(|byte| *byte == b',');
    let (behind, rest) = match comma {
        Some(comma) => (&after[..comma], &after[comma + 1..]),
        None => (after, &[][..]),
    };
    let is_tag = !tag.is_empty() && trim(behind).is_empty();
    (is_tag.then_some(tag), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        let rows: [(&str, &str, bool); 30] = [
            ("*", "\"a\"", true),
            (" * ", "\"a\"", true),
            ("*, \"b\"", "\"a\"", false),
            ("\"a\"", "\"a\"", true),
            ("\"a\"", "W/\"a\"", true),
            ("W/\"a\"", "\"a\"", true),
            ("W/\"a\"", "W/\"a\"", true),
            ("w/\"a\"", "\"a\"", false),
            ("\"A\"", "\"a\"", false),
            ("\"b\", \"a\"", "\"a\"", true),
            ("\"b\",\"a\"", "\"a\"", true),
            ("\"b\"\t,\tW/\"a\" ", "\"a\"", true),
            (",, \"a\",", "\"a\"", true),
            ("\"b\", \"c\"", "\"a\"", false),
            ("\"a, b\"", "\"a, b\"", true),
            ("\"x, \", \"a\"", "\"a\"", true),
            ("\"b,\"a\"", "\"a\"", false),
            ("\"b\" \"a\"", "\"a\"", false),
            ("\"a\" \"b\"", "\"a\"", false),
            ("\"a\"b", "\"a\"", false),
            ("b, \"a\"", "\"a\"", true),
            ("\"\"", "\"\"", true),
            ("\"", "\"\"", false),
            ("\"a", "\"a\"", false),
            ("a", "\"a\"", false),
            ("a", "a", false),
            ("", "\"a\"", false),
            (" , ", "\"a\"", false),
            ("", "", false),
            ("b", "", false),
        ];
        for (field, tag, expected) in rows {
            let found = if_none_match(field.as_bytes(), tag.as_bytes());
            assert_eq!(found, expected, "{field} and {tag}");
        }
    }

    #[test]
    fn bytes_above_127_are_part_of_tags() {
        assert!(if_none_match(b"\"b\", \"\xe9\"", b"\"\xe9\""));
        assert!(!if_none_match(b"\"\xe8\"", b"\"\xe9\""));
    }
}
