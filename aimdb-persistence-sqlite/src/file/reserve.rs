//! Room kept for the day on which the disk is full: removing rows takes some before it gives some back.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::file::paths::{self, with_suffix};

const NOISE_BYTES: u64 = 128 << 10;

/// Another backend of the same history takes its first name for a moment at most.
const MOST_NAMES: u32 = 16;

/// Room beside the history that is given up when removing rows finds none, and taken again afterwards.
///
/// It is a file that has a name only while it is made, where the system allows that: nobody can open, replace or inherit
/// it. Closing it frees the room, and so does the end of the process.
pub(crate) struct Reserve {
    history: PathBuf,
    bytes: u64,
    held: Option<File>,
}

impl Reserve {
    pub(crate) fn new(history: &Path, bytes: u64) -> Self {
        let mut reserve = Self {
            history: history.to_owned(),
            bytes,
            held: None,
        };
        reserve.restore();
        reserve
    }

    /// Gives the room up; whether there was any.
    pub(crate) fn give_up(&mut self) -> bool {
        self.held.take().is_some()
    }

    /// Takes the room again, if it can be had.
    pub(crate) fn restore(&mut self) {
        if self.held.is_none() && self.bytes > 0 {
            // A part of it is of no use.
            self.held = self.fill().ok();
        }
    }

    fn fill(&self) -> io::Result<File> {
        let mut file = self.create()?;
        write_noise(&mut file, self.bytes)?;
        Ok(file)
    }

    /// Under a name that is free: what lies at another is not ours.
    fn create(&self) -> io::Result<File> {
        let further = (1..MOST_NAMES).map(|n| format!("-reserve-{n}"));
        let mut names = std::iter::once(String::from("-reserve")).chain(further);
        names
            .find_map(
                |suffix| match create_nameless(&with_suffix(&self.history, &suffix)) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                    created => Some(created),
                },
            )
            .unwrap_or_else(|| Err(io::ErrorKind::AlreadyExists.into()))
    }
}

#[cfg(not(windows))]
fn create_nameless(path: &Path) -> io::Result<File> {
    let file = paths::create_new(path, 0o600)?;
    fs::remove_file(path)?;
    Ok(file)
}

/// The system removes it when it is closed.
#[cfg(windows)]
#[expect(
    clippy::disallowed_methods,
    reason = "nobody has a file open that is new"
)]
fn create_nameless(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const DELETE_ON_CLOSE: u32 = 0x0400_0000;
    let mut options = fs::OpenOptions::new();
    let options = options.write(true).create_new(true);
    options.custom_flags(DELETE_ON_CLOSE).open(path)
}

/// A file system that compresses would need no room for zeros. The noise, as long as what such a file system compresses
/// at once, is made by George Marsaglia's "Xorshift RNGs", 2003.
fn write_noise(file: &mut File, mut bytes: u64) -> io::Result<()> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let noise: Vec<u8> = (0..NOISE_BYTES / 8).flat_map(next).collect();
    while bytes > 0 {
        let piece = bytes.min(NOISE_BYTES);
        file.write_all(&noise[..piece as usize])?;
        bytes -= piece;
    }
    Ok(())
}
