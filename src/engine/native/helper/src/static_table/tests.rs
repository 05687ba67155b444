use super::*;
use crate::abi::{ALL_METHODS, METHOD_DELETE, METHOD_GET, METHOD_HEAD, METHOD_OTHER, METHOD_POST};

struct Entry<'a> {
    path: &'a [u8],
    methods: u32,
    kind: u32,
    status: u32,
    texts: [&'a [u8]; 4],
}

const HELLO: Entry = Entry {
    path: b"/hello",
    methods: 1 << METHOD_GET | 1 << METHOD_HEAD,
    kind: STATIC_CONTENT,
    status: 200,
    texts: [b"etag: \"1\"\r\n", b"\"1\"", b"etag: \"1\"\r\n", b"hello"],
};

fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = (entries.len() as u32).to_le_bytes().to_vec();
    for entry in entries {
        let lengths = entry.texts.map(|text| text.len() as u32);
        let words = [
            entry.path.len() as u32,
            entry.methods,
            entry.kind,
            entry.status,
        ];
        for word in words.iter().chain(&lengths) {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(entry.path);
        entry.texts.iter().for_each(|text| bytes.extend(*text));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

#[test]
fn answers_are_found_by_path_and_method() {
    let post = Entry {
        methods: 1 << METHOD_POST,
        status: 201,
        texts: [b"", b"", b"", b"posted"],
        ..HELLO
    };
    let file = Entry {
        path: b"/file",
        methods: ALL_METHODS,
        kind: STATIC_FILE,
        texts: [b"", b"", b"", b"/tmp/\xff"],
        ..HELLO
    };
    let table = StaticTable::parse(&encode(&[HELLO, post, file])).unwrap();
    let hello = table.find(b"/hello", METHOD_GET).unwrap();
    assert_eq!((hello.kind, hello.status), (STATIC_CONTENT, 200));
    assert_eq!(hello.lines, b"etag: \"1\"\r\n");
    assert_eq!(hello.tag, b"\"1\"");
    assert_eq!(hello.not_modified.as_deref(), Some(&b"etag: \"1\"\r\n"[..]));
    assert_eq!(&*hello.content, b"hello");
    let posted = table.find(b"/hello", METHOD_POST).unwrap();
    assert_eq!((posted.status, &*posted.content), (201, &b"posted"[..]));
    assert!(posted.not_modified.is_none());
    assert!(table.find(b"/hello", METHOD_DELETE).is_none());
    assert!(table.find(b"/hello/", METHOD_GET).is_none());
    assert!(table.find(b"", METHOD_GET).is_none());
    for method in [METHOD_OTHER, METHOD_GET, METHOD_DELETE] {
        let file = table.find(b"/file", method).unwrap();
        assert_eq!(file.file.as_os_str().len(), 6);
        assert!(file.content.is_empty());
    }
    assert!(table.find(b"/file", 32).is_none());
    assert!(table.find(b"/file", u32::MAX).is_none());
}

#[test]
fn the_first_of_two_answers_wins() {
    let second = Entry {
        methods: ALL_METHODS,
        status: 404,
        ..HELLO
    };
    let table = StaticTable::parse(&encode(&[HELLO, second])).unwrap();
    assert_eq!(table.find(b"/hello", METHOD_GET).unwrap().status, 200);
    assert_eq!(table.find(b"/hello", METHOD_POST).unwrap().status, 404);
}

#[test]
fn an_empty_table_answers_nothing() {
    let table = StaticTable::parse(&[0; 4]).unwrap();
    assert!(table.is_empty());
    assert!(table.find(b"/", METHOD_GET).is_none());
}

#[test]
fn whatever_is_not_all_right_is_refused() {
    let bytes = encode(&[HELLO, HELLO]);
    for end in 0..bytes.len() {
        // The padding of the last entry may be missing.
        let is_padding = bytes.len() - end < 4 && bytes[end..].iter().all(|&byte| byte == 0);
        let table = StaticTable::parse(&bytes[..end]);
        assert_eq!(table.is_some(), is_padding, "cut at {end}");
    }
    assert!(StaticTable::parse(&[bytes.clone(), vec![0; 4]].concat()).is_none());
    for word in 0..STATIC_WORDS {
        for value in [u32::MAX, 1 << 31, 1 << 16, 99] {
            if word == 1 {
                continue; // Any mask is fine.
            }
            let mut bytes = bytes.clone();
            bytes[4 + word * 4..8 + word * 4].copy_from_slice(&value.to_le_bytes());
            assert!(
                StaticTable::parse(&bytes).is_none(),
                "word {word} is {value}"
            );
        }
    }
    let many = u32::MAX.to_le_bytes();
    assert!(StaticTable::parse(&many).is_none());
}

#[test]
fn many_paths_are_spread() {
    let paths: Vec<String> = (0..10_000)
        .map(|number| format!("/items/{number}/detail"))
        .collect();
    let entries: Vec<Entry> = paths
        .iter()
        .map(|path| Entry {
            path: path.as_bytes(),
            ..HELLO
        })
        .collect();
    let table = StaticTable::parse(&encode(&entries)).unwrap();
    for path in &paths {
        assert!(table.find(path.as_bytes(), METHOD_GET).is_some());
    }
    let hash = |path: &String| {
        let mut hasher = PathHasher::default();
        hasher.write(path.as_bytes());
        hasher.finish()
    };
    let mut lowest: Vec<u64> = paths.iter().map(|path| hash(path) & 0x3fff).collect();
    lowest.sort_unstable();
    lowest.dedup();
    // Evenly spread over 16384 places 10000 take about 7500.
    assert!(lowest.len() > 6_500, "{}", lowest.len());
}
