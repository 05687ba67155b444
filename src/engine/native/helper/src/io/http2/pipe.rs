//! Memory that `h2` takes for a socket.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::runtime::lock;

/// What was read and not used, and what is to be written.
#[derive(Default)]
pub struct Buffers {
    input: Vec<u8>,
    used: usize,
    /// The client sends nothing more.
    is_ended: bool,
    /// What is to be written is appended here.
    pub output: Vec<u8>,
    /// How much more of it there may be.
    pub room: usize,
    /// There was more than that.
    pub was_full: bool,
}

impl Buffers {
    /// Bytes have arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.used > 0 {
            self.input.drain(..self.used);
            self.used = 0;
        }
        self.input.extend_from_slice(bytes);
    }

    /// Whether all that has arrived was used.
    pub fn is_empty(&self) -> bool {
        self.used == self.input.len()
    }

    /// Nothing more will arrive.
    pub fn end(&mut self) {
        self.is_ended = true;
    }

    /// Uses `memory` for what arrives next, if there is nothing.
    pub fn borrow_memory(&mut self, memory: &mut Vec<u8>) {
        if self.is_empty() {
            memory.clear();
            self.input = std::mem::take(memory);
            self.used = 0;
        }
    }

    /// Gives that back, if everything was used.
    pub fn return_memory(&mut self, memory: &mut Vec<u8>) {
        if self.is_empty() {
            *memory = std::mem::take(&mut self.input);
            memory.clear();
            self.used = 0;
        }
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room);
        self.output.extend_from_slice(&bytes[..count]);
        self.room -= count;
        count
    }
}

/// The socket; the buffers are shared with whoever fills and empties them.
#[derive(Clone, Default)]
pub struct Pipe(Arc<Mutex<Buffers>>);

impl Pipe {
    /// The buffers. Nobody has them for longer than a call.
    pub fn buffers(&self) -> MutexGuard<'_, Buffers> {
        lock(&self.0)
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let buffers = &mut *self.buffers();
        if buffers.is_empty() {
            return if buffers.is_ended {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            };
        }
        let rest = &buffers.input[buffers.used..];
        let count = rest.len().min(out.remaining());
        out.put_slice(&rest[..count]);
        buffers.used += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let buffers = &mut *self.buffers();
        match buffers.write(bytes) {
            0 if !bytes.is_empty() => {
                buffers.was_full = true;
                Poll::Pending
            }
            count => Poll::Ready(Ok(count)),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let buffers = &mut *self.buffers();
        let mut count = 0;
        for piece in pieces {
            let written = buffers.write(piece);
            count += written;
            if written < piece.len() {
                buffers.was_full = true;
                if count == 0 {
                    return Poll::Pending;
                }
                break;
            }
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
