//! Files on their way to a socket.

use std::io;
use std::sync::Arc;

use super::socket::Socket;
use crate::files::OpenFile;

/// Files up to this size are read into memory and go out together with the
/// head: that is one call of the system less, and cheaper than pinning pages.
pub const SMALL_FILE: u64 = 32 * 1024;
/// Bytes of files that a connection may write before it is another's turn.
pub const FILE_BUDGET: usize = 1024 * 1024;

/// Bytes that are copied at a time where copying cannot be avoided.
const COPY_BYTES: usize = 64 * 1024;

/// A part of an open file. Dropping it closes the file, unless others have it.
pub struct FilePart {
    file: Arc<OpenFile>,
    position: u64,
    end: u64,
}

impl FilePart {
    /// The bytes from `position` up to `end`.
    pub fn new(file: Arc<OpenFile>, position: u64, end: u64) -> Self {
        Self {
            file,
            position,
            end,
        }
    }

    /// How many bytes are left.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.position)
    }

    /// Whether all bytes were written.
    pub fn is_done(&self) -> bool {
        self.position >= self.end
    }

    /// Writes at most `most` bytes; returns how many.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file has become shorter; `WouldBlock` if the
    /// socket takes nothing now.
    pub fn write_to(&mut self, socket: &Socket, most: usize) -> io::Result<usize> {
        let count = usize::try_from(self.len()).unwrap_or(usize::MAX).min(most);
        if count == 0 {
            return Ok(0);
        }
        let sent = match socket.write_file(&self.file.file, self.position, count) {
            Err(error) if is_unsupported(&error) => self.copy_to(socket, count)?,
            result => result?,
        };
        if sent == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position += sent as u64;
        Ok(sent)
    }

    /// Writes some of it by way of memory, for file systems that know no other.
    fn copy_to(&self, socket: &Socket, most: usize) -> io::Result<usize> {
        let mut bytes = vec![0; most.min(COPY_BYTES)];
        match self.file.read(&mut bytes, self.position)? {
            0 => Ok(0),
            count => socket.write(&bytes[..count]),
        }
    }

    /// Appends all of it to `out`.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file has become shorter. What was appended then
    /// is to be dropped.
    pub fn read_to(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let start = out.len();
        let count = usize::try_from(self.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        out.resize(start + count, 0);
        let mut at = start;
        while at < out.len() {
            match self.file.read(&mut out[at..], self.position)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => {
                    at += count;
                    self.position += count as u64;
                }
            }
        }
        Ok(())
    }
}

impl FilePart {
    /// Reads at most `most` bytes, for whoever cannot be given a file.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file has become shorter.
    pub fn read_some(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let count = usize::try_from(self.len()).unwrap_or(usize::MAX).min(most);
        let mut bytes = vec![0; count];
        let read = self.file.read(&mut bytes, self.position)?;
        if read == 0 && count > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.truncate(read);
        self.position += read as u64;
        Ok(bytes)
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINVAL | libc::ENOSYS | libc::EOPNOTSUPP)
    )
}
