//! Files that JavaScript has opened, by token, for all threads of the process.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// A regular file or a directory that is open for reading.
#[derive(Debug)]
pub struct OpenFile {
    /// It reads at positions, and never uses its own.
    pub file: File,
    /// What it was when it was opened.
    pub facts: FileFacts,
}

/// Facts of an open descriptor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FileFacts {
    /// Length in bytes.
    pub size: u64,
    /// Last modification of the content, milliseconds since the epoch.
    pub modified_ms: f64,
    /// Last change of content or attributes, milliseconds since the epoch.
    pub changed_ms: f64,
    /// The device that holds it.
    pub device: u64,
    /// Its number on that device.
    pub inode: u64,
    /// A regular file; if not, it is a directory.
    pub is_regular: bool,
}

impl OpenFile {
    /// Opens a regular file or a directory. It never blocks: without
    /// O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
    ///
    /// # Errors
    /// EINVAL for a pipe, a device or a socket.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY)
            .open(path)?;
        let facts = facts(&file)?;
        Ok(Self { file, facts })
    }

    /// Reads at a position; 0 at the end.
    pub fn read(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        loop {
            match self.file.read_at(buffer, position) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// What it is now.
    pub fn facts_now(&self) -> io::Result<FileFacts> {
        facts(&self.file)
    }
}

/// Opens a regular file.
///
/// # Errors
/// EISDIR for a directory; EINVAL for a pipe, a device or a socket.
pub fn open_regular(path: &Path) -> io::Result<OpenFile> {
    let file = OpenFile::open(path)?;
    if file.facts.is_regular {
        Ok(file)
    } else {
        Err(io::Error::from_raw_os_error(libc::EISDIR))
    }
}

fn facts(file: &File) -> io::Result<FileFacts> {
    let found = file.metadata()?;
    let is_regular = found.is_file();
    if !is_regular && !found.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    Ok(FileFacts {
        size: found.size(),
        modified_ms: milliseconds(found.mtime(), found.mtime_nsec()),
        changed_ms: milliseconds(found.ctime(), found.ctime_nsec()),
        device: found.dev(),
        inode: found.ino(),
        is_regular,
    })
}

fn milliseconds(seconds: i64, nanoseconds: i64) -> f64 {
    seconds as f64 * 1000.0 + nanoseconds as f64 / 1_000_000.0
}

/// Who opened a file: a number of a JavaScript thread.
pub type Owner = u64;

#[derive(Default)]
struct Table {
    last: u32,
    files: HashMap<u32, (Owner, Arc<OpenFile>)>,
}

static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

fn table() -> MutexGuard<'static, Table> {
    // A panic leaves the table as it was before or after.
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The largest token, as tokens are results of functions that return i32.
const MAX_TOKEN: u32 = i32::MAX as u32;

/// Keeps an open file until its token is spent or its owner is gone.
pub fn keep(owner: Owner, file: OpenFile) -> u32 {
    let mut table = table();
    loop {
        table.last = table.last % MAX_TOKEN + 1;
        let token = table.last;
        // After 2^31 tokens the first ones may still be in use.
        if let Entry::Vacant(place) = table.files.entry(token) {
            place.insert((owner, Arc::new(file)));
            return token;
        }
    }
}

/// The file of a token, which stays valid.
pub fn get(token: u32) -> Option<Arc<OpenFile>> {
    table().files.get(&token).map(|(_, file)| file.clone())
}

/// Spends a token. The file is closed when the last one that has it drops it.
pub fn take(token: u32) -> Option<Arc<OpenFile>> {
    table().files.remove(&token).map(|(_, file)| file)
}

/// Spends all tokens of an owner.
pub fn forget(owner: Owner) {
    let mut gone = Vec::new();
    let mut table = table();
    let tokens = table.files.iter().filter(|(_, file)| file.0 == owner);
    let tokens: Vec<u32> = tokens.map(|(&token, _)| token).collect();
    gone.extend(tokens.iter().filter_map(|token| table.files.remove(token)));
    // Closing may take long, on network file systems.
    drop(table);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A file that is removed when it is dropped.
    struct TestFile(PathBuf);

    impl TestFile {
        fn new(name: &str, content: &[u8]) -> Self {
            let name = format!("jstime-files-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, content).unwrap();
            Self(path)
        }
    }

    impl Drop for TestFile {
        fn drop(&mut self) {
            std::fs::remove_file(&self.0).unwrap();
        }
    }

    fn failure<Value>(result: io::Result<Value>) -> Option<i32> {
        result.err().expect("it opens").raw_os_error()
    }

    #[test]
    fn files_are_read_at_positions() {
        let path = TestFile::new("read", b"0123456789");
        let file = open_regular(&path.0).unwrap();
        assert_eq!(file.facts.size, 10);
        assert!(file.facts.is_regular);
        let modified = std::fs::metadata(&path.0).unwrap().modified().unwrap();
        let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
        assert!((file.facts.modified_ms - modified.as_secs_f64() * 1000.0).abs() < 1.0);
        let mut buffer = [0; 4];
        assert_eq!(file.read(&mut buffer, 8).unwrap(), 2);
        assert_eq!(&buffer[..2], b"89");
        assert_eq!(file.read(&mut buffer, 10).unwrap(), 0);
        assert_eq!(file.read(&mut buffer, 0).unwrap(), 4);
        assert_eq!(&buffer, b"0123");
        std::fs::write(&path.0, "longer than before").unwrap();
        assert_eq!(file.facts.size, 10);
        assert_eq!(file.facts_now().unwrap().size, 18);
    }

    #[test]
    fn only_files_and_directories_open() {
        let directory = std::env::temp_dir();
        assert!(!OpenFile::open(&directory).unwrap().facts.is_regular);
        assert_eq!(failure(open_regular(&directory)), Some(libc::EISDIR));
        assert_eq!(
            failure(OpenFile::open("/dev/null".as_ref())),
            Some(libc::EINVAL)
        );
        assert_eq!(
            failure(OpenFile::open("/nonexistent".as_ref())),
            Some(libc::ENOENT)
        );
        assert_eq!(failure(OpenFile::open("".as_ref())), Some(libc::ENOENT));
    }

    #[test]
    fn a_pipe_without_a_writer_does_not_block() {
        let path = std::env::temp_dir().join(format!("jstime-files-{}-pipe", std::process::id()));
        let made = std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap();
        assert!(made.success());
        let result = OpenFile::open(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(failure(result), Some(libc::EINVAL));
    }

    #[test]
    fn tokens_are_spent_once() {
        let path = TestFile::new("tokens", b"x");
        let one = keep(u64::MAX, open_regular(&path.0).unwrap());
        let two = keep(u64::MAX, open_regular(&path.0).unwrap());
        assert!(one != two && one != 0 && two != 0);
        assert!(get(one).is_some());
        assert!(take(one).is_some());
        assert!(take(one).is_none() && get(one).is_none());
        assert!(get(two).is_some() && get(0).is_none());
        forget(u64::MAX);
        assert!(get(two).is_none());
    }
}
