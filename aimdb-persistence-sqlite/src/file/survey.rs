//! What a write-ahead log holds, frame by frame, beyond the place as well at which SQLite's recovery ends.
//!
//! Each frame's checksum continues that of the frame before. SQLite takes frames as far as the chain is whole. Behind
//! damage the chain goes on: a frame is what was written if it continues the checksum that is written in the one before.

use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom};

use crate::file::frames::{Chain, FRAME_HEADER_BYTES, HEADER_BYTES, Salts, number, read_whole};

/// A frame that is as it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) page: u32,
    /// How many pages the database has after the commit that this frame ends; 0 if it ends none.
    pub(crate) pages_after_commit: u32,
    /// Where the page lies in the log.
    pub(crate) content_at: u64,
    /// Whether SQLite's recovery takes it.
    pub(crate) is_reached: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) page_bytes: usize,
    /// Up to the last commit.
    pub(crate) frames: Vec<Frame>,
    /// Of frames that are not as they were written, up to the last commit: the page, and whether it ended a commit.
    pub(crate) damaged: Vec<(u32, bool)>,
    /// How many frames are known to have been there behind the log's end.
    pub(crate) cut_off: u32,
    /// How many frames SQLite's recovery takes.
    pub(crate) reached: u32,
    /// How many frames are known to have been committed.
    known: Option<u32>,
}

/// How many frames a log had, as the index beside it has it. The index outlives a program that is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    salts: Salts,
    frames: u32,
}

impl Known {
    /// From the index of a log; `None` where it says nothing.
    ///
    /// Its layout is in <https://www.sqlite.org/walformat.html#the_wal_index_header>, in the byte order of the machine.
    pub(crate) fn of(mut index: &File) -> io::Result<Option<Self>> {
        let mut header = [0; 96];
        index.seek(SeekFrom::Start(0))?;
        if !read_whole(&mut index, &mut header)? || header[..48] != header[48..] {
            return Ok(None);
        }
        let is_made = header[12] != 0;
        let frames = u32::from_ne_bytes([header[16], header[17], header[18], header[19]]);
        let salts = std::array::from_fn(|n| header[32 + n]);
        Ok(is_made.then_some(Self { salts, frames }))
    }
}

impl Survey {
    /// Of a log, whose pages have this size where its own header does not say. Frames at its end that make no commit were
    /// never committed, unless it is `known` that they were.
    pub(crate) fn of(mut log: &File, page_bytes: usize, known: Option<Known>) -> io::Result<Self> {
        log.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(1 << 20, log);
        let mut header = [0; HEADER_BYTES];
        if !read_whole(&mut reader, &mut header)? {
            return Ok(Self::default());
        }
        let sound = Chain::of(&header);
        let has_header = sound.is_some();
        let mut chain = sound.unwrap_or_else(|| Chain::unknown(page_bytes));
        let mut salts = has_header.then(|| header[16..24].to_vec());
        let page_bytes = chain.page_bytes();
        let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes];
        let mut survey = Self {
            page_bytes,
            ..Self::default()
        };
        let known = known.filter(|known| salts.as_deref() == Some(&known.salts[..]));
        survey.known = known.map(|known| known.frames);
        let known = survey.known.unwrap_or(0);
        let mut slot = 0;
        let (mut is_whole, mut written) = (has_header, has_header.then(|| chain.sum()));
        let (mut committed, mut damaged_by_then, mut content_at) = (0, 0, HEADER_BYTES as u64);
        while read_whole(&mut reader, &mut frame)? {
            let page = number(&frame);
            slot += 1;
            let is_of_this_log = salts.as_deref().is_none_or(|salts| frame[8..16] == *salts);
            let follows = written.is_some_and(|sum| {
                chain.go_on_from(sum);
                chain.takes(&frame)
            });
            let is_sound = follows && is_of_this_log && page > 0;
            is_whole &= is_sound;
            if is_sound {
                salts.get_or_insert_with(|| frame[8..16].to_vec());
                survey.frames.push(Frame {
                    page,
                    pages_after_commit: number(&frame[4..]),
                    content_at: content_at + FRAME_HEADER_BYTES as u64,
                    is_reached: is_whole,
                });
                if number(&frame[4..]) > 0 {
                    (committed, damaged_by_then) = (survey.frames.len(), survey.damaged.len());
                }
            } else if is_of_this_log && page > 0 || slot <= known {
                let is_commit = number(&frame[4..]) > 0;
                survey.damaged.push((page, is_commit));
            }
            if slot <= known {
                (committed, damaged_by_then) = (survey.frames.len(), survey.damaged.len());
            }
            written = Some((number(&frame[16..]), number(&frame[20..])));
            content_at += frame.len() as u64;
        }
        survey.frames.truncate(committed);
        survey.damaged.truncate(damaged_by_then);
        // The log is shorter than it was.
        survey.cut_off = known.saturating_sub(slot);
        Ok(survey.without_open_end())
    }

    /// SQLite's recovery takes whole commits.
    fn without_open_end(mut self) -> Self {
        let ends = |frame: &Frame| frame.is_reached && frame.pages_after_commit > 0;
        let reached = self
            .frames
            .iter()
            .rposition(ends)
            .map_or(0, |last| last + 1);
        for frame in &mut self.frames[reached..] {
            frame.is_reached = false;
        }
        self.reached = u32::try_from(reached).unwrap_or(u32::MAX);
        self
    }

    /// Whether recovery does not take all that was committed.
    pub(crate) fn is_cut(&self) -> bool {
        self.frames.len() > self.reached as usize || !self.damaged.is_empty() || self.cut_off > 0
    }

    /// A commit that fails may leave frames behind the end of the log.
    pub(crate) fn has_more_than_leftovers(&self) -> bool {
        self.is_cut() && self.known != Some(self.reached)
    }

    /// Commits that recovery does not take; there may be more.
    pub(crate) fn commits_beyond(&self) -> u64 {
        let beyond = self.frames.iter().filter(|frame| !frame.is_reached);
        let whole = beyond.filter(|frame| frame.pages_after_commit > 0).count();
        let damaged = self
            .damaged
            .iter()
            .filter(|(_, is_commit)| *is_commit)
            .count();
        (whole + damaged).max(usize::from(self.is_cut())) as u64
    }
}
