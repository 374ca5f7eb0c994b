//! Packed rows as a source of a reading.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use aimdb_persistence_backend::Order;
use rusqlite::Connection;

use crate::chunks::place::{self, ChunkPlace};
use crate::chunks::rows::{LastChunk, PackedRows, Texts};
use crate::layout::place::Place;
use crate::read::stored_row::{Content, StoredRow};

/// Texts are decoded so many at first, then ever more: a reader of one row pays for few.
const FEW_TEXTS: usize = 4;
const MOST_TEXTS: usize = 128;

/// The packed rows of one series between two places.
pub(crate) struct Packed<'a> {
    connection: &'a Connection,
    last: &'a mut LastChunk,
    series: i64,
    order: Order,
    needs_texts: bool,
    /// What has not been opened yet. `None` behind the last chunk.
    rest: Option<(Place, Place)>,
    at: At,
}

/// The row at hand.
enum At {
    Nothing,
    Row(InChunk),
    /// A chunk that cannot be read: where it is told of, how many rows it has, and what is wrong.
    Damage(Place, u64, String),
}

struct InChunk {
    rows: Arc<PackedRows>,
    index: usize,
    /// What is left, the row at hand included.
    left: Range<usize>,
    texts: Texts,
    fetched: usize,
}

impl<'a> Packed<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        last: &'a mut LastChunk,
        series: i64,
        bounds: (Place, Place),
        order: Order,
        needs_texts: bool,
    ) -> Self {
        Self {
            connection,
            last,
            series,
            order,
            needs_texts,
            rest: Some(bounds),
            at: At::Nothing,
        }
    }

    pub(crate) fn head(&self) -> Option<Place> {
        match &self.at {
            At::Nothing => None,
            At::Row(at) => Some(at.rows.places[at.index]),
            At::Damage(place, ..) => Some(*place),
        }
    }

    pub(crate) fn advance(&mut self) -> rusqlite::Result<()> {
        if let At::Row(at) = &mut self.at
            && at.step(self.order)
        {
            return Ok(());
        }
        self.at = At::Nothing;
        while let Some(bounds) = self.rest
            && matches!(self.at, At::Nothing)
        {
            let found = place::next(self.connection, self.series, bounds, self.order)?;
            self.rest = found.as_ref().map(|chunk| match self.order {
                Order::NewestFirst => (bounds.0, chunk.first.before()),
                Order::OldestFirst => (chunk.last.after(), bounds.1),
            });
            if let Some(chunk) = found {
                self.enter(&chunk, bounds)?;
            }
        }
        Ok(())
    }

    fn enter(
        &mut self,
        chunk: &ChunkPlace,
        (oldest, newest): (Place, Place),
    ) -> rusqlite::Result<()> {
        self.at = match self.last.open(self.connection, chunk)? {
            Ok(rows) => {
                let left = rows.between(chunk, oldest, newest);
                match InChunk::new(rows, left, self.order) {
                    Some(at) => At::Row(at),
                    None => At::Nothing,
                }
            }
            Err(what) => {
                let place = match self.order {
                    Order::NewestFirst => chunk.last.min(newest),
                    Order::OldestFirst => chunk.first.max(oldest),
                };
                At::Damage(place, u64::try_from(chunk.counted()).unwrap_or(0), what)
            }
        };
        Ok(())
    }

    pub(crate) fn show<B>(
        &mut self,
        place: Place,
        show: &mut impl FnMut(StoredRow<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let content = match &mut self.at {
            At::Nothing => return ControlFlow::Continue(()),
            At::Damage(_, rows, what) => Content::Damaged { rows: *rows, what },
            At::Row(at) => {
                let version = at.rows.version(at.index);
                let json = match self.needs_texts {
                    true => at.text(self.order),
                    false => Ok(""),
                };
                match json {
                    Ok(json) => Content::Packed { json, version },
                    Err(what) => {
                        let row = StoredRow {
                            place,
                            content: Content::Damaged {
                                rows: 1,
                                what: &what,
                            },
                        };
                        return show(row);
                    }
                }
            }
        };
        show(StoredRow { place, content })
    }
}

impl InChunk {
    fn new(rows: Arc<PackedRows>, left: Range<usize>, order: Order) -> Option<Self> {
        let index = match order {
            Order::NewestFirst => left.end.checked_sub(1)?,
            Order::OldestFirst => left.start,
        };
        (!left.is_empty()).then(|| Self {
            rows,
            index,
            left,
            texts: Texts::default(),
            fetched: FEW_TEXTS,
        })
    }

    /// Goes to the next row; false behind the last one.
    fn step(&mut self, order: Order) -> bool {
        match order {
            Order::NewestFirst => self.left.end -= 1,
            Order::OldestFirst => self.left.start += 1,
        }
        if self.left.is_empty() {
            return false;
        }
        self.index = match order {
            Order::NewestFirst => self.left.end - 1,
            Order::OldestFirst => self.left.start,
        };
        true
    }

    fn text(&mut self, order: Order) -> Result<&str, String> {
        if self.texts.get(self.index).is_none() {
            let wanted = match order {
                Order::NewestFirst => {
                    let start = self.left.end.saturating_sub(self.fetched);
                    // From the beginning of a block, so that the next ones end where one ends.
                    let start = match self.fetched {
                        MOST_TEXTS => start.next_multiple_of(MOST_TEXTS).min(self.index),
                        _ => start,
                    };
                    start.max(self.left.start)..self.left.end
                }
                Order::OldestFirst => {
                    let end = self.left.start + self.fetched;
                    let end = match self.fetched {
                        MOST_TEXTS => (end / MOST_TEXTS * MOST_TEXTS).max(self.index + 1),
                        _ => end,
                    };
                    self.left.start..end.min(self.left.end)
                }
            };
            self.fetched = MOST_TEXTS.min(self.fetched * 4);
            let texts = self.rows.texts(wanted);
            self.texts = texts.map_err(|error| error.to_string())?;
        }
        let text = self.texts.get(self.index);
        text.ok_or_else(|| "a packed row has no text".to_owned())
    }
}
