//! How many rows become one chunk: as many as fill its pages.

use crate::chunk::pack::{MOST_ROWS, Packed, RowIn, pack};
use crate::error::PackError;

/// What fits into one page of a file, beside what the file itself needs.
const PAGE: usize = 4_050;
/// Fewer rows are worth another page.
const FEW_ROWS: usize = 256;
/// More pages are never filled.
const MOST_PAGES: usize = 4;
/// Rows are as many as have so much JSON.
const MOST_JSON: usize = 128 << 10;
/// A chunk that leaves less of its pages empty is not packed again.
const NEARLY_FULL: f64 = 0.93;
/// To be aimed at, since the next rows may be a little larger.
const AIM: f64 = 0.98;
/// So often a number of rows is tried.
const TRIES: usize = 4;

/// Packs a series chunk by chunk. What the last chunk took tells how many rows the next one has.
#[derive(Debug, Clone, Default)]
pub struct Filling {
    /// Bytes a row of the last chunk.
    bytes_each: Option<f64>,
}

/// A chunk, and whether there were more rows than it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filled {
    /// The chunk, of the first [`rows`](Packed::rows) of those given.
    pub packed: Packed,
    /// It could have held more rows than there were.
    pub has_room: bool,
}

impl Filling {
    /// Nothing is known of the series yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Packs as many of the first rows as fill the pages of a chunk, and tells how many these are.
    ///
    /// A narrow series fills one page, a wide one up to four: 256 rows at least, where their JSON is not too long for that, and
    /// 4,096 at most.
    ///
    /// # Errors
    /// [`NoRows`](PackError::NoRows), and [`TooMuchText`](PackError::TooMuchText) for a first row that is longer than a
    /// chunk may be.
    pub fn fill(&mut self, rows: &[RowIn<'_>]) -> Result<Filled, PackError> {
        let most = most_rows(rows);
        let bytes_each = match self.bytes_each {
            Some(bytes_each) => bytes_each,
            None => bytes_each(&pack_first(rows, most.min(FEW_ROWS))?),
        };
        let mut count = aimed_at(bytes_each).clamp(1, most.max(1));
        let (mut best, mut over): (Option<Packed>, Option<Packed>) = (None, None);
        for _ in 0..TRIES {
            let packed = pack_first(rows, count)?;
            let room = room(&packed);
            self.bytes_each = Some(self::bytes_each(&packed));
            match size(&packed) <= room {
                true => best = Some(packed),
                false => over = Some(packed),
            }
            match next_try(best.as_ref(), over.as_ref(), room, most) {
                Some(next) => count = next,
                None => break,
            }
        }
        let packed = match best.or(over) {
            Some(packed) => packed,
            None => pack_first(rows, count)?,
        };
        let has_room = packed.rows == rows.len()
            && packed.rows < most_for(&packed)
            && (size(&packed) as f64) < room(&packed) as f64 * NEARLY_FULL;
        Ok(Filled { packed, has_room })
    }
}

/// How many rows to try next, between those that fit and those that do not; `None` where there is little to gain.
fn next_try(
    best: Option<&Packed>,
    over: Option<&Packed>,
    room: usize,
    most: usize,
) -> Option<usize> {
    let aim = room as f64 * AIM;
    let next = match (best, over) {
        (Some(best), _) if size(best) as f64 >= room as f64 * NEARLY_FULL => return None,
        (Some(best), Some(over)) => {
            let grown = size(over).saturating_sub(size(best)).max(1) as f64;
            let each = grown / (over.rows - best.rows).max(1) as f64;
            best.rows + ((aim - size(best) as f64) / each).max(0.0) as usize
        }
        (Some(one), None) | (None, Some(one)) => (aim / bytes_each(one)) as usize,
        (None, None) => return None,
    };
    let next = next.clamp(1, most);
    let is_more = best.is_none_or(|best| next > best.rows);
    let is_less = over.is_none_or(|over| next < over.rows);
    (is_more && is_less).then_some(next)
}

/// So many of the first rows have no more JSON than a chunk may.
fn most_rows(rows: &[RowIn<'_>]) -> usize {
    let mut json = 0;
    let fitting = rows.iter().take(MOST_ROWS).take_while(|row| {
        json += row.text.len();
        json <= MOST_JSON
    });
    fitting
        .count()
        .clamp(usize::from(!rows.is_empty()), MOST_ROWS)
}

/// How many rows like these have as much JSON as a chunk may.
fn most_for(packed: &Packed) -> usize {
    let each = packed.text_bytes.div_ceil(packed.rows).max(1);
    (MOST_JSON / each).clamp(1, MOST_ROWS)
}

fn pack_first(rows: &[RowIn<'_>], count: usize) -> Result<Packed, PackError> {
    pack(rows[..count.min(rows.len())].iter().copied())
}

/// What lies in the pages.
fn size(packed: &Packed) -> usize {
    packed.body.len() + packed.statistics.len()
}

fn bytes_each(packed: &Packed) -> f64 {
    size(packed) as f64 / packed.rows as f64
}

/// As many rows as fill one page; more pages, where those would be few.
fn aimed_at(bytes_each: f64) -> usize {
    let of_pages = |pages: usize| (pages * PAGE) as f64 * AIM / bytes_each;
    let enough = (1..=MOST_PAGES)
        .map(of_pages)
        .find(|rows| *rows >= FEW_ROWS as f64);
    enough.unwrap_or(of_pages(MOST_PAGES)) as usize
}

/// What the pages of a chunk hold that has so many rows.
fn room(packed: &Packed) -> usize {
    let pages = size(packed).div_ceil(PAGE);
    let needed = (1..=MOST_PAGES)
        .find(|pages| (pages * PAGE) as f64 / bytes_each(packed) >= FEW_ROWS as f64);
    // Rows that are so long that no number of them fits fill what they need.
    pages.min(needed.unwrap_or(MOST_PAGES)).max(1) * PAGE
}
