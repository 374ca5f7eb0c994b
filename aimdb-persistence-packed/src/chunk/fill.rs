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
const TRIES: usize = 3;

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
        let mut best: Option<Packed> = None;
        for _ in 0..TRIES {
            let packed = pack_first(rows, count)?;
            let (room, each) = (room(&packed), self::bytes_each(&packed));
            let fits = packed.body.len() <= room;
            let is_full = packed.body.len() as f64 >= room as f64 * NEARLY_FULL;
            self.bytes_each = Some(each);
            if fits && best.as_ref().is_none_or(|best| best.rows < packed.rows) {
                best = Some(packed);
            } else if best.is_none() {
                // Nothing that fits is known yet.
                let fewer = (room as f64 / each * AIM) as usize;
                if count == 1 || fewer >= count {
                    best = Some(packed);
                    break;
                }
                count = fewer.max(1);
                continue;
            } else {
                break;
            }
            let next = aimed_at(each).clamp(1, most);
            if is_full || next <= count {
                break;
            }
            count = next;
        }
        let packed = match best {
            Some(packed) => packed,
            None => pack_first(rows, count)?,
        };
        let has_room = packed.rows == rows.len()
            && packed.rows < most_for(&packed)
            && (packed.body.len() as f64) < room(&packed) as f64 * NEARLY_FULL;
        Ok(Filled { packed, has_room })
    }
}

/// So many of the first rows have no more JSON than a chunk may.
fn most_rows(rows: &[RowIn<'_>]) -> usize {
    let mut json = 0;
    let fitting = rows.iter().take(MOST_ROWS).take_while(|row| {
        json += row.text.len();
        json <= MOST_JSON
    });
    fitting.count().clamp(usize::from(!rows.is_empty()), MOST_ROWS)
}

/// How many rows like these have as much JSON as a chunk may.
fn most_for(packed: &Packed) -> usize {
    let each = packed.text_bytes.div_ceil(packed.rows).max(1);
    (MOST_JSON / each).clamp(1, MOST_ROWS)
}

fn pack_first(rows: &[RowIn<'_>], count: usize) -> Result<Packed, PackError> {
    pack(rows[..count.min(rows.len())].iter().copied())
}

fn bytes_each(packed: &Packed) -> f64 {
    packed.body.len() as f64 / packed.rows as f64
}

/// As many rows as fill one page; more pages, where those would be few.
fn aimed_at(bytes_each: f64) -> usize {
    let of_pages = |pages: usize| (pages * PAGE) as f64 * AIM / bytes_each;
    let enough = (1..=MOST_PAGES).map(of_pages).find(|rows| *rows >= FEW_ROWS as f64);
    enough.unwrap_or(of_pages(MOST_PAGES)) as usize
}

/// What the pages of a chunk hold that has so many rows.
fn room(packed: &Packed) -> usize {
    let pages = packed.body.len().div_ceil(PAGE);
    let needed = (1..=MOST_PAGES).find(|pages| {
        (pages * PAGE) as f64 / bytes_each(packed) >= FEW_ROWS as f64
    });
    // Rows that are so long that no number of them fits fill what they need.
    pages.min(needed.unwrap_or(MOST_PAGES)).max(1) * PAGE
}
