//! What a write-ahead log holds, frame by frame, beyond the place as well at which SQLite's recovery ends.
//!
//! Each frame's checksum continues that of the frame before. SQLite takes frames as far as the chain is whole. Behind
//! damage the chain goes on: a frame is what was written if it continues the checksum that is written in the one before.

use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom};

use crate::file::frames::{Chain, FRAME_HEADER_BYTES, HEADER_BYTES, number, read_whole};

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
    /// Pages of frames that are not as they were written, up to the last commit.
    pub(crate) damaged: Vec<u32>,
}

impl Survey {
    /// Of a log, whose pages have this size where its own header does not say.
    pub(crate) fn of(mut log: &File, page_bytes: usize) -> io::Result<Self> {
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
        let (mut is_whole, mut written) = (has_header, has_header.then(|| chain.sum()));
        let (mut committed, mut damaged_by_then, mut content_at) = (0, 0, HEADER_BYTES as u64);
        while read_whole(&mut reader, &mut frame)? {
            let page = number(&frame);
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
            } else if is_of_this_log && page > 0 {
                survey.damaged.push(page);
            }
            written = Some((number(&frame[16..]), number(&frame[20..])));
            content_at += frame.len() as u64;
        }
        survey.frames.truncate(committed);
        survey.damaged.truncate(damaged_by_then);
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
        self
    }

    /// Commits that recovery does not take, though their frames are there.
    pub(crate) fn commits_beyond(&self) -> u64 {
        let beyond = self.frames.iter().filter(|frame| !frame.is_reached);
        beyond.filter(|frame| frame.pages_after_commit > 0).count() as u64
    }
}
