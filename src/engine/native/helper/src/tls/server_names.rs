//! Which certificate a client gets by the name that it asks for (RFC 6066, 3).
//! The same as in `src/options/sni_table.ts`.

use std::collections::HashMap;

/// Values by host name. An exact name goes before `*.example.com`, which matches
/// exactly one label; every other name, and none, gets the first value.
#[derive(Debug)]
pub struct ServerNames<Value> {
    exact: HashMap<Box<str>, Value>,
    wildcard: HashMap<Box<str>, Value>,
    first: Value,
}

impl<Value: Clone> ServerNames<Value> {
    /// Of names, empty for none, and their values. Of two equal names the later
    /// counts. None without any entry.
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Option<Self> {
        let mut entries = entries.into_iter().peekable();
        let first = entries.peek()?.1.clone();
        let mut names = Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            first,
        };
        for (name, value) in entries {
            let name = normal(name);
            if let Some(parent) = name.strip_prefix("*.") {
                names.wildcard.insert(parent.into(), value);
            } else if !name.is_empty() {
                names.exact.insert(name.into(), value);
            }
        }
        Some(names)
    }

    /// The value for the name that a client asks for; empty if it asks for none.
    pub fn select(&self, name: &str) -> &Value {
        let name = normal(name);
        if let Some(value) = self.exact.get(&*name) {
            return value;
        }
        match name.split_once('.') {
            Some((label, parent)) if !label.is_empty() => {
                self.wildcard.get(parent).unwrap_or(&self.first)
            }
            _ => &self.first,
        }
    }
}

fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(entries: &[(&str, &'static str)]) -> ServerNames<&'static str> {
        ServerNames::new(entries.iter().copied()).unwrap()
    }

    #[test]
    fn exact_names_go_before_wildcards_and_the_first_is_for_the_rest() {
        let names = names(&[
            ("", "first"),
            ("First.test", "named"),
            ("*.wild.test", "wildcard"),
            ("exact.wild.test", "exact"),
        ]);
        for (asked, expected) in [
            ("", "first"),
            ("unknown.test", "first"),
            ("first.test", "named"),
            ("FIRST.TEST", "named"),
            ("first.test.", "named"),
            ("a.wild.test", "wildcard"),
            ("A.Wild.Test.", "wildcard"),
            ("exact.wild.test", "exact"),
            ("wild.test", "first"),
            (".wild.test", "first"),
            ("a.b.wild.test", "first"),
            ("*.wild.test", "wildcard"),
            ("test", "first"),
            (".", "first"),
        ] {
            assert_eq!(*names.select(asked), expected, "{asked}");
        }
    }

    #[test]
    fn of_two_equal_names_the_later_counts() {
        let names = names(&[
            ("same.test", "first"),
            ("*.wild.test", "second"),
            ("SAME.test", "third"),
            ("*.WILD.test.", "fourth"),
        ]);
        assert_eq!(*names.select("same.test"), "third");
        assert_eq!(*names.select("a.wild.test"), "fourth");
        assert_eq!(*names.select(""), "first");
    }

    #[test]
    fn there_is_no_table_without_an_entry() {
        assert!(ServerNames::<u8>::new([]).is_none());
    }
}
