//! UTF-8 that arrives in pieces (RFC 3629; RFC 6455, 8.1).

/// Checks text as it arrives, and finds the first byte that cannot be right at
/// once, even if the character that it belongs to is not complete.
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8 {
    /// The beginning of a character that is not complete.
    begun: [u8; 3],
    length: u8,
}

/// There is no text that begins like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

impl Utf8 {
    /// Checks what follows.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), NotUtf8> {
        let rest = if self.length == 0 {
            bytes
        } else {
            let taken = self.complete(bytes)?;
            &bytes[taken..]
        };
        let Err(error) = str::from_utf8(rest) else {
            return Ok(());
        };
        if error.error_len().is_some() {
            return Err(NotUtf8);
        }
        // The standard library says that what remains may become a character.
        let begun = &rest[error.valid_up_to()..];
        self.begun[..begun.len()].copy_from_slice(begun);
        self.length = begun.len() as u8;
        Ok(())
    }

    /// Ends the text, and is ready for another.
    pub fn finish(&mut self) -> Result<(), NotUtf8> {
        if self.length == 0 {
            return Ok(());
        }
        self.length = 0;
        Err(NotUtf8)
    }

    /// Goes on with the character that was begun; how many bytes it took.
    fn complete(&mut self, bytes: &[u8]) -> Result<usize, NotUtf8> {
        let mut character = [0; 4];
        let begun = usize::from(self.length);
        character[..begun].copy_from_slice(&self.begun[..begun]);
        for (taken, byte) in bytes.iter().take(4 - begun).enumerate() {
            character[begun + taken] = *byte;
            let length = begun + taken + 1;
            match str::from_utf8(&character[..length]) {
                Ok(_) => {
                    self.length = 0;
                    return Ok(taken + 1);
                }
                Err(error) if error.error_len().is_some() => {
                    return Err(NotUtf8);
                }
                // Four bytes are a character or none, so three are begun.
                Err(_) => {
                    self.begun = [character[0], character[1], character[2]];
                    self.length = length as u8;
                }
            }
        }
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests;
