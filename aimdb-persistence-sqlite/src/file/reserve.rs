//! Room kept for the day on which the disk is full: removing rows takes some before it gives some back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::file::paths::{self, with_suffix};

const NOISE_BYTES: u64 = 128 << 10;

/// A file beside the history that is given up when removing rows finds no room, and made again afterwards.
pub(crate) struct Reserve {
    path: PathBuf,
    bytes: u64,
    file_mode: u32,
    is_there: bool,
}

impl Reserve {
    pub(crate) fn new(history: &Path, bytes: u64, file_mode: u32) -> Self {
        let mut reserve = Self {
            path: with_suffix(history, "-reserve"),
            bytes,
            file_mode,
            is_there: false,
        };
        reserve.restore();
        reserve
    }

    /// Gives the room up; whether there was any.
    pub(crate) fn give_up(&mut self) -> bool {
        std::mem::take(&mut self.is_there) && fs::remove_file(&self.path).is_ok()
    }

    /// Takes the room again, if it can be had.
    pub(crate) fn restore(&mut self) {
        if self.is_there || self.bytes == 0 {
            return;
        }
        self.is_there = self.fill().is_ok();
        if !self.is_there {
            // A part of it is of no use; where it cannot be removed, nothing can be done about it either.
            let _ = fs::remove_file(&self.path);
        }
    }

    fn fill(&self) -> io::Result<()> {
        let missing = match fs::metadata(&self.path) {
            Ok(found) => self.bytes.saturating_sub(found.len()),
            Err(_) => {
                paths::create_new(&self.path, self.file_mode)?;
                self.bytes
            }
        };
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        write_noise(&mut file, missing)
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        self.give_up();
    }
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
