//! Answers that need no JavaScript, by exact path.

use std::collections::HashMap;
use std::ffi::OsString;
use std::hash::{BuildHasherDefault, Hasher};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::abi::{STATIC_CONTENT, STATIC_FILE, STATIC_WORDS};

/// What `jstime_static` was given, parsed. It never changes: a reload replaces
/// the table.
#[derive(Debug, Default)]
pub struct StaticTable {
    paths: HashMap<Box<[u8]>, Vec<StaticAnswer>, BuildHasherDefault<PathHasher>>,
}

/// One answer.
#[derive(Debug)]
pub struct StaticAnswer {
    methods: u32,
    /// `STATIC_CONTENT` or `STATIC_FILE`.
    pub kind: u32,
    /// Response status.
    pub status: u16,
    /// Header lines, each with CR LF.
    pub lines: Vec<u8>,
    /// Entity tag; empty without one.
    pub tag: Vec<u8>,
    /// Header lines of the 304 for a matching `If-None-Match`, if there is one.
    pub not_modified: Option<Vec<u8>>,
    /// The content, of `STATIC_CONTENT`.
    pub content: Arc<[u8]>,
    /// The path of the file, of `STATIC_FILE`.
    pub file: PathBuf,
}

impl StaticTable {
    /// Parses what `abi.rs` describes; None unless all of it is right.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = Bytes { all: bytes, at: 0 };
        let count = rest.word()?;
        let mut table = Self::default();
        for _ in 0..count {
            let (path, answer) = entry(&mut rest)?;
            table.paths.entry(path.into()).or_default().push(answer);
        }
        rest.is_empty().then_some(table)
    }

    /// The answer to an exact path and a method, `METHOD_*`. Of several that
    /// take the method, the first.
    pub fn find(&self, path: &[u8], method: u32) -> Option<&StaticAnswer> {
        if self.paths.is_empty() {
            return None;
        }
        let bit = 1u32.checked_shl(method)?;
        let answers = self.paths.get(path)?;
        answers.iter().find(|answer| answer.methods & bit != 0)
    }

    /// Whether it answers nothing.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

fn entry<'a>(rest: &mut Bytes<'a>) -> Option<(&'a [u8], StaticAnswer)> {
    let mut words = [0; STATIC_WORDS];
    for word in &mut words {
        *word = rest.word()?;
    }
    let [
        path,
        methods,
        kind,
        status,
        lines,
        tag,
        not_modified,
        content,
    ] = words;
    let status = u16::try_from(status)
        .ok()
        .filter(|status| (200..=999).contains(status))?;
    let path = rest.take(path)?;
    let lines = rest.take(lines)?.to_vec();
    let tag = rest.take(tag)?.to_vec();
    let not_modified = rest.take(not_modified)?;
    let content = rest.take(content)?;
    rest.align();
    let (content, file) = match kind {
        STATIC_CONTENT => (content, PathBuf::new()),
        STATIC_FILE => (&[][..], OsString::from_vec(content.to_vec()).into()),
        _ => return None,
    };
    let not_modified = (!not_modified.is_empty()).then(|| not_modified.to_vec());
    let content = content.into();
    let answer = StaticAnswer {
        methods,
        kind,
        status,
        lines,
        tag,
        not_modified,
        content,
        file,
    };
    Some((path, answer))
}

struct Bytes<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn take(&mut self, size: u32) -> Option<&'a [u8]> {
        let end = self.at.checked_add(size as usize)?;
        let taken = self.all.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn word(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(4);
    }

    fn is_empty(&self) -> bool {
        self.at >= self.all.len()
    }
}

/// A hash that is fast rather than hard to predict: clients choose what is
/// looked up, but not what is in the table.
#[derive(Default)]
struct PathHasher(u64);

impl PathHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for PathHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
        let mut last = [0; 8];
        let rest = chunks.remainder();
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last));
    }

    fn write_usize(&mut self, length: usize) {
        self.add(length as u64);
    }

    fn finish(&self) -> u64 {
        // The map uses the highest and the lowest bits; the multiplication has
        // mixed the highest ones well.
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests;
