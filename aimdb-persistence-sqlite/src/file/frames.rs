//! The frames of a write-ahead log as they lie on the disk: how far they are whole, and writing them again.
//!
//! SQLite documents the format at <https://www.sqlite.org/fileformat2.html#walformat>.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

pub(crate) const HEADER_BYTES: usize = 32;
pub(crate) const FRAME_HEADER_BYTES: usize = 24;
const MAGIC: u32 = 0x377F_0682;

/// What is in memory at a time: a megabyte of usual pages.
const FRAMES_AT_ONCE: usize = 256;

/// Tells a log from the one that SQLite begins in the same file when everything has been copied.
pub(crate) type Salts = [u8; 8];

/// So many frames of a log, from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) salts: Salts,
    pub(crate) frames: u32,
}

/// The log that a file holds at present; `None` while it holds none.
pub(crate) fn salts(mut log: &File) -> io::Result<Option<Salts>> {
    let mut header = [0; HEADER_BYTES];
    log.seek(SeekFrom::Start(0))?;
    Ok(read_whole(&mut log, &mut header)?.then(|| salts_of(&header)))
}

/// Writes what lies behind `synced` again, as far as the frames are whole, and syncs it. Gives how far that is; `None`
/// if there is no log.
///
/// A sync that fails has the system take pages for written that are not, so that syncing again proves nothing: they are
/// made dirty again. Each frame's checksum is over all before it, so what is read is what SQLite wrote. Within the write
/// lock: the log can only grow meanwhile, or start over, and both take that lock. Readers find what they would have found.
pub(crate) fn write_again(mut log: &File, synced: Option<Extent>) -> io::Result<Option<Extent>> {
    let mut header = [0; HEADER_BYTES];
    log.seek(SeekFrom::Start(0))?;
    if !read_whole(&mut log, &mut header)? {
        return Ok(None);
    }
    let Some(mut chain) = Chain::of(&header) else {
        return Ok(None);
    };
    let salts = salts_of(&header);
    let known = synced.filter(|synced| synced.salts == salts);
    let first = known.map_or(0, |synced| u64::from(synced.frames));
    if first == 0 {
        log.seek(SeekFrom::Start(0))?;
        log.write_all(&header)?;
    }
    let frame_bytes = FRAME_HEADER_BYTES + chain.page_bytes;
    let offset_of = |frame| SeekFrom::Start(HEADER_BYTES as u64 + frame * frame_bytes as u64);
    let (mut block, mut whole, mut goes_on) = (Vec::new(), 0, true);
    while goes_on {
        log.seek(offset_of(whole))?;
        block.clear();
        log.take((FRAMES_AT_ONCE * frame_bytes) as u64)
            .read_to_end(&mut block)?;
        let frames = block.chunks_exact(frame_bytes);
        let sound = frames
            .take_while(|frame| frame[8..16] == salts && chain.takes(frame))
            .count();
        let from =
            usize::try_from(first.saturating_sub(whole)).map_or(sound, |from| from.min(sound));
        log.seek(offset_of(whole + from as u64))?;
        log.write_all(&block[from * frame_bytes..sound * frame_bytes])?;
        whole += sound as u64;
        goes_on = sound == FRAMES_AT_ONCE;
    }
    log.sync_data()?;
    Ok(Some(Extent {
        salts,
        frames: u32::try_from(whole).unwrap_or(u32::MAX),
    }))
}

/// Whether there was as much.
pub(crate) fn read_whole(from: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(into) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

fn salts_of(header: &[u8; HEADER_BYTES]) -> Salts {
    std::array::from_fn(|index| header[16 + index])
}

pub(crate) fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .take(4)
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The checksum of everything up to some frame.
pub(crate) struct Chain {
    page_bytes: usize,
    is_big_endian: bool,
    sum: (u32, u32),
}

impl Chain {
    pub(crate) fn of(header: &[u8; HEADER_BYTES]) -> Option<Self> {
        let magic = number(header);
        let mut chain = Self {
            page_bytes: number(&header[8..]) as usize,
            is_big_endian: magic & 1 == 1,
            sum: (0, 0),
        };
        chain.add(&header[..24]);
        let is_header = magic & !1 == MAGIC
            && (512..=65_536).contains(&chain.page_bytes)
            && chain.is_at(&header[24..]);
        is_header.then_some(chain)
    }

    /// Whether the frame follows what came before.
    pub(crate) fn takes(&mut self, frame: &[u8]) -> bool {
        self.add(&frame[..8]);
        self.add(&frame[FRAME_HEADER_BYTES..]);
        self.is_at(&frame[16..])
    }

    /// Of a log whose header is not known. The bytes of its sums lie as they do in memory here.
    pub(crate) fn unknown(page_bytes: usize) -> Self {
        Self {
            page_bytes,
            is_big_endian: cfg!(target_endian = "big"),
            sum: (0, 0),
        }
    }

    pub(crate) fn page_bytes(&self) -> usize {
        self.page_bytes
    }

    pub(crate) fn sum(&self) -> (u32, u32) {
        self.sum
    }

    /// What came before had this sum.
    pub(crate) fn go_on_from(&mut self, sum: (u32, u32)) {
        self.sum = sum;
    }

    fn add(&mut self, bytes: &[u8]) {
        let (mut one, mut two) = self.sum;
        for pair in bytes.chunks_exact(8) {
            let [first, second] = [number(pair), number(&pair[4..])].map(|word| {
                if self.is_big_endian {
                    word
                } else {
                    word.swap_bytes()
                }
            });
            one = one.wrapping_add(first).wrapping_add(two);
            two = two.wrapping_add(second).wrapping_add(one);
        }
        self.sum = (one, two);
    }

    fn is_at(&self, sum: &[u8]) -> bool {
        self.sum == (number(sum), number(&sum[4..]))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use rusqlite::Connection;

    use super::*;

    /// A database whose log holds so many commits, each of one page.
    fn log_of(commits: i64, folder: &tempfile::TempDir) -> (Connection, PathBuf) {
        let path = folder.path().join("history.db");
        let connection = Connection::open(&path).unwrap();
        let set_up = "PRAGMA journal_mode = WAL; CREATE TABLE t (x)";
        connection.execute_batch(set_up).unwrap();
        for n in 0..commits {
            connection
                .execute("INSERT INTO t VALUES (?1)", [n])
                .unwrap();
        }
        (connection, folder.path().join("history.db-wal"))
    }

    fn file(path: &PathBuf) -> File {
        File::options().read(true).write(true).open(path).unwrap()
    }

    #[test]
    fn all_whole_frames_are_found_and_written_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        // More than are read at a time.
        let (_connection, path) = log_of(600, &folder);
        let before = fs::read(&path).unwrap();
        let all = write_again(&file(&path), None).unwrap().unwrap();
        assert_eq!(all.frames as usize, (before.len() - 32) / (24 + 4_096));
        assert_eq!(Some(all.salts), salts(&file(&path)).unwrap());
        assert!(fs::read(&path).unwrap() == before);
    }

    #[test]
    fn wherever_writing_again_begins_all_frames_are_found_and_left_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let (_connection, path) = log_of(300, &folder);
        let all = write_again(&file(&path), None).unwrap().unwrap();
        let before = fs::read(&path).unwrap();
        for synced in [0, 1, 255, 256, 257, all.frames] {
            let synced = Extent {
                frames: synced,
                ..all
            };
            assert_eq!(write_again(&file(&path), Some(synced)).unwrap(), Some(all));
            assert!(fs::read(&path).unwrap() == before);
        }
    }

    #[test]
    fn frames_end_where_one_is_not_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let (_connection, path) = log_of(20, &folder);
        let mut bytes = fs::read(&path).unwrap();
        bytes[32 + 7 * (24 + 4_096) + 1_000] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(write_again(&file(&path), None).unwrap().unwrap().frames, 7);
    }

    #[test]
    fn a_file_without_a_log_has_no_frames() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        for bytes in [vec![], vec![7; 10], vec![7; 5_000]] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(write_again(&file(&path), None).unwrap(), None);
        }
    }
}
