//! The pages of a damaged file: the newest version of each, from its log or from the file itself.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::file::frames::number;
use crate::file::survey::{Frame, Survey};

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Of files whose first page does not say. SQLite's own, and ours.
const USUAL_PAGE_BYTES: usize = 4_096;

pub(crate) struct Image {
    /// `None` where there is a log alone.
    file: Option<File>,
    file_bytes: u64,
    log: Option<File>,
    /// Where in the log the newest version of a page lies.
    in_log: BTreeMap<u32, u64>,
    /// Pages of which a newer version was damaged.
    outdated: BTreeSet<u32>,
    page_bytes: usize,
    usable: usize,
    pages: u32,
    /// The first page, if it can be read.
    header: Option<Vec<u8>>,
    long_values: RefCell<BTreeSet<u32>>,
    /// How many pages of the log are not as they were written.
    pub(crate) damaged_frames: u64,
}

impl Image {
    pub(crate) fn of(mut file: File, log: Option<File>) -> io::Result<Self> {
        let file_bytes = file.seek(SeekFrom::End(0))?;
        let in_file = header(&read_at(&file, 0, 100)?);
        let guess = in_file.unwrap_or((USUAL_PAGE_BYTES, 0));
        let survey = match &log {
            Some(log) => Survey::of(log, guess.0, None)?,
            None => Survey::default(),
        };
        let page_bytes = match (in_file, survey.frames.is_empty()) {
            (None, false) => survey.page_bytes,
            _ => guess.0,
        };
        let mut image = Self {
            file: Some(file),
            file_bytes,
            log,
            in_log: BTreeMap::new(),
            outdated: survey.damaged.iter().map(|(page, _)| *page).collect(),
            page_bytes,
            usable: page_bytes - guess.1,
            pages: u32::try_from(file_bytes.div_ceil(page_bytes as u64)).unwrap_or(u32::MAX),
            header: None,
            long_values: RefCell::default(),
            damaged_frames: survey.damaged.len() as u64,
        };
        if survey.page_bytes == page_bytes {
            image.take(survey.frames.iter());
        }
        let first = image.page(1)?;
        image.header = first.filter(|first| header(first).is_some());
        if let Some(header) = &image.header {
            // A count that lies does not make the search endless.
            let told = number(&header[28..]).min(image.pages.saturating_mul(2).max(1_000));
            image.pages = match survey.frames.last() {
                Some(last) if last.pages_after_commit > 0 => last.pages_after_commit,
                _ if told > 0 => told,
                _ => image.pages,
            };
        }
        Ok(image)
    }

    /// Of a log alone: what SQLite's recovery has not taken of it.
    pub(crate) fn beyond_reach(log: File, survey: &Survey) -> Self {
        let mut image = Self {
            file_bytes: 0,
            in_log: BTreeMap::new(),
            outdated: BTreeSet::new(),
            page_bytes: survey.page_bytes,
            usable: survey.page_bytes,
            pages: 0,
            header: None,
            long_values: RefCell::default(),
            damaged_frames: 0,
            file: None,
            log: Some(log),
        };
        image.take(survey.frames.iter().filter(|frame| !frame.is_reached));
        image
    }

    fn take<'a>(&mut self, frames: impl Iterator<Item = &'a Frame>) {
        for frame in frames {
            self.in_log.insert(frame.page, frame.content_at);
            self.pages = self.pages.max(frame.page);
        }
    }

    pub(crate) fn pages(&self) -> u32 {
        self.pages
    }

    pub(crate) fn usable(&self) -> usize {
        self.usable
    }

    /// Of file and log.
    pub(crate) fn bytes(&self) -> u64 {
        self.file_bytes + self.in_log.len() as u64 * self.page_bytes as u64
    }

    /// The file's first page, where it can be read.
    pub(crate) fn header(&self) -> Option<&[u8]> {
        self.header.as_deref()
    }

    /// Whether a newer version of the page has been damaged.
    pub(crate) fn is_outdated(&self, page: u32) -> bool {
        self.outdated.contains(&page)
    }

    /// A page on which a value goes on that began on another one.
    pub(crate) fn page_of_long_value(&self, number: u32) -> io::Result<Option<Vec<u8>>> {
        self.long_values.borrow_mut().insert(number);
        self.page(number)
    }

    /// Those that were read so far.
    pub(crate) fn pages_of_long_values(&self) -> BTreeSet<u32> {
        self.long_values.borrow().clone()
    }

    /// The newest version of a page, numbered from 1; `None` where there is none.
    pub(crate) fn page(&self, number: u32) -> io::Result<Option<Vec<u8>>> {
        let Some(before) = number.checked_sub(1) else {
            return Ok(None);
        };
        let (file, at) = match (&self.log, self.in_log.get(&number), &self.file) {
            (Some(log), Some(&at), _) => (log, at),
            (_, _, Some(file)) => (file, u64::from(before) * self.page_bytes as u64),
            _ => return Ok(None),
        };
        let page = read_at(file, at, self.page_bytes)?;
        Ok((page.len() == self.page_bytes).then_some(page))
    }
}

/// Page size and reserved bytes, from the beginning of the first page.
fn header(page: &[u8]) -> Option<(usize, usize)> {
    if page.len() < 100 || !page.starts_with(MAGIC) {
        return None;
    }
    let page_bytes = match usize::from(page[16]) << 8 | usize::from(page[17]) {
        1 => 65_536,
        bytes => bytes,
    };
    let reserved = usize::from(page[20]);
    let is_size = page_bytes.is_power_of_two() && (512..=65_536).contains(&page_bytes);
    (is_size && page_bytes - reserved >= 480).then_some((page_bytes, reserved))
}

/// As many bytes as there are.
fn read_at(mut file: &File, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
    let mut read = Vec::with_capacity(bytes);
    file.seek(SeekFrom::Start(at))?;
    file.take(bytes as u64).read_to_end(&mut read)?;
    Ok(read)
}
