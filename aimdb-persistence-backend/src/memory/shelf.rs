//! Rows in memory, in the order in which queries answer.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::Value;

use crate::contract::cursor::{Cursor, CursorError};
use crate::contract::error::PersistenceError;
use crate::contract::key::validate_key;
use crate::contract::read::{Order, Page, ReadRequest};
use crate::contract::rows::Row;
use crate::contract::terms::{OnDuplicate, SeriesDeclaration, SweepRequest};

/// All series by name, in the order in which queries answer.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) histories: BTreeMap<String, History>,
    pub(crate) next_sequence: u64,
}

/// One series: its rows as JSON text, and what is declared of it.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) rows: BTreeMap<Position, Content>,
    pub(crate) declared: Option<SeriesDeclaration>,
}

/// What a row holds.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) json: Box<str>,
    pub(crate) version: u32,
}

/// Where a row stands in its series: time first, then the order of storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) stored_at: u64,
    pub(crate) sequence: u64,
}

impl Shelf {
    pub(crate) fn history_of(&mut self, record_name: &str) -> &mut History {
        self.histories.entry(record_name.to_owned()).or_default()
    }

    pub(crate) fn store(&mut self, row: Row<'_>) -> Result<Stored, PersistenceError> {
        admit(row)?;
        let position = Position {
            stored_at: row.stored_at,
            sequence: self.next_sequence,
        };
        self.next_sequence += 1;
        let history = self.history_of(row.record_name);
        let content = Content {
            json: row.json.into(),
            version: row.version,
        };
        let position = match (history.on_duplicate(), history.newest_at(row.stored_at)) {
            (OnDuplicate::Ignore, Some(_)) => return Ok(Stored::LeftOut),
            (OnDuplicate::Replace, Some(other)) => {
                history.rows.insert(other, content);
                return Ok(Stored::Replaced);
            }
            _ => position,
        };
        history.rows.insert(position, content);
        Ok(Stored::AsRow)
    }

    /// The page that `request` asks for. It has a row at least, if any is left, so that paging
    /// always ends.
    pub(crate) fn read(&self, request: &ReadRequest) -> Result<Page, CursorError> {
        let after = request.after.as_ref().map(After::of).transpose()?;
        let last_sequence = match &after {
            Some(after) => after.last_sequence,
            None => self.next_sequence.saturating_sub(1),
        };
        let mut page = Page::default();
        let mut last: Option<Selected<'_>> = None;
        for selected in self.select(request, after, last_sequence) {
            let is_full =
                page.rows.len() >= request.max_rows || page.rows.text_bytes() >= request.max_bytes;
            if let Some(last) = last.filter(|_| is_full) {
                page.next = Some(last.cursor(last_sequence));
                break;
            }
            let Selected {
                position, content, ..
            } = selected;
            page.rows.push_versioned(
                selected.record_name,
                position.stored_at,
                &content.json,
                content.version,
            );
            last = Some(selected);
        }
        Ok(page)
    }

    /// The rows that `request` selects after its cursor, in its order, of those up to `last_sequence`.
    fn select<'a>(
        &'a self,
        request: &'a ReadRequest,
        after: Option<After<'a>>,
        last_sequence: u64,
    ) -> impl Iterator<Item = Selected<'a>> {
        let first_name = after.map_or("", |after| after.record_name);
        let from_there = (Bound::Included(first_name), Bound::Unbounded);
        let histories = self.histories.range::<str, _>(from_there);
        histories
            .filter(|(name, history)| history.is_selected(name, request))
            .flat_map(move |(name, history)| {
                let after = after.filter(|after| after.record_name == name);
                history.select(name, request, after, last_sequence)
            })
    }
}

/// What a cursor says.
#[derive(Debug, Clone, Copy)]
struct After<'a> {
    record_name: &'a str,
    position: Position,
    /// Rows of the record returned so far.
    taken: u64,
    /// Of the rows that were there when the first page was read, the one stored last.
    last_sequence: u64,
}

/// Tells the cursors of this backend from others'.
const MARK: &str = "memory";

impl<'a> After<'a> {
    fn of(cursor: &'a Cursor) -> Result<Self, CursorError> {
        let [stored_at, sequence, taken, last_sequence] = cursor.numbers(MARK)?;
        Ok(Self {
            record_name: cursor.record_name(),
            position: Position {
                stored_at,
                sequence,
            },
            taken,
            last_sequence,
        })
    }
}

impl History {
    fn is_selected(&self, name: &str, request: &ReadRequest) -> bool {
        let template = self.declared.as_ref().and_then(|d| d.template.as_ref());
        let of_template = match (&request.template, template) {
            (Some(asked), Some(declared)) => asked == declared,
            (Some(_), None) => request.pattern.exact_key().is_some(),
            (None, _) => true,
        };
        of_template && request.pattern.matches(name)
    }

    /// In the request's order, from where the cursor stands if it stands in this series.
    fn select<'a>(
        &'a self,
        record_name: &'a str,
        request: &ReadRequest,
        after: Option<After<'_>>,
        last_sequence: u64,
    ) -> impl Iterator<Item = Selected<'a>> + use<'a> {
        let limit = request.limit_per_record.unwrap_or(usize::MAX);
        let taken_before = after.map_or(0, |after| after.taken);
        let left = limit.saturating_sub(usize::try_from(taken_before).unwrap_or(usize::MAX));
        self.in_order(request, after.map(|after| after.position))
            .filter(move |(position, _)| position.sequence <= last_sequence)
            .take(left)
            .zip(taken_before.saturating_add(1)..)
            .map(move |((position, content), taken)| Selected {
                record_name,
                position: *position,
                content,
                taken,
            })
    }

    /// Of the rows with this time the one stored last.
    fn newest_at(&self, stored_at: u64) -> Option<Position> {
        let at = |sequence| Position {
            stored_at,
            sequence,
        };
        let rows = self.rows.range(at(0)..=at(u64::MAX));
        rows.last().map(|(position, _)| *position)
    }

    /// Looks through all of the rows: they are few where they are in memory.
    pub(crate) fn last_stored(&self) -> Option<(&Position, &Content)> {
        self.rows
            .iter()
            .max_by_key(|(position, _)| position.sequence)
    }

    /// The latest declaration counts; where it has no template, the one that is known does.
    pub(crate) fn declare(&mut self, declaration: &SeriesDeclaration) {
        let mut declared = declaration.clone();
        let known = self.declared.take().and_then(|known| known.template);
        declared.template = declared.template.or(known);
        self.declared = Some(declared);
    }

    fn on_duplicate(&self) -> OnDuplicate {
        let declared = self.declared.as_ref();
        declared.map_or(OnDuplicate::Keep, |declared| declared.on_duplicate)
    }

    /// Removes the oldest rows: those that have expired, but not the last that are to be kept, and those beyond the
    /// greatest number.
    pub(crate) fn remove_expired(&mut self, request: &SweepRequest) -> u64 {
        let declared = self.declared.as_ref();
        let retention = declared.and_then(|declared| declared.retention);
        let retention = retention.unwrap_or(request.default_retention);
        let cutoff_ms = retention.cutoff_ms(request.now_ms).unwrap_or(0);
        let keep_last = declared.map_or(0, |declared| declared.keep_last);
        let max_rows = declared.and_then(|declared| declared.max_rows);
        let rows = self.rows.len() as u64;
        let latest_ms = request.now_ms.saturating_add(request.max_ahead_ms);
        let ahead = self.rows.keys().rev();
        let ahead = ahead.take_while(|p| p.stored_at > latest_ms).count() as u64;
        let expired = self.rows.keys().take_while(|p| p.stored_at < cutoff_ms);
        let expired = (expired.count() as u64).min((rows - ahead).saturating_sub(keep_last));
        let beyond = rows.saturating_sub(max_rows.unwrap_or(u64::MAX));
        let removed = expired.max(beyond);
        for _ in 0..removed {
            self.rows.pop_first();
        }
        removed
    }

    /// The rows between the request's times that come after the position.
    fn in_order(
        &self,
        request: &ReadRequest,
        after: Option<Position>,
    ) -> Box<dyn Iterator<Item = (&Position, &Content)> + '_> {
        let (start_time, end_time) = (
            request.start_time.unwrap_or(0),
            request.end_time.unwrap_or(u64::MAX),
        );
        let is_within = move |(position, _): &(&Position, &Content)| {
            (start_time..=end_time).contains(&position.stored_at)
        };
        let at = |stored_at, sequence| {
            Bound::Included(Position {
                stored_at,
                sequence,
            })
        };
        // A cursor from another request may stand outside the times of this one.
        match request.order {
            Order::NewestFirst => {
                let after = after.filter(|after| after.stored_at <= end_time);
                let newest = after.map_or(at(end_time, u64::MAX), Bound::Excluded);
                let rows = self.rows.range((Bound::Unbounded, newest)).rev();
                Box::new(rows.take_while(is_within))
            }
            Order::OldestFirst => {
                let after = after.filter(|after| after.stored_at >= start_time);
                let oldest = after.map_or(at(start_time, 0), Bound::Excluded);
                let rows = self.rows.range((oldest, Bound::Unbounded));
                Box::new(rows.take_while(is_within))
            }
        }
    }

    pub(crate) fn remove_before(&mut self, cutoff_ms: u64) -> u64 {
        let kept = self.rows.split_off(&Position {
            stored_at: cutoff_ms,
            sequence: 0,
        });
        std::mem::replace(&mut self.rows, kept).len() as u64
    }
}

pub(crate) enum Stored {
    AsRow,
    /// In the place of another one.
    Replaced,
    LeftOut,
}

/// A row on its way into a page.
#[derive(Clone, Copy)]
struct Selected<'a> {
    record_name: &'a str,
    position: Position,
    content: &'a Content,
    /// Rows of this record returned so far, this one included.
    taken: u64,
}

impl Selected<'_> {
    fn cursor(self, last_sequence: u64) -> Cursor {
        let Position {
            stored_at,
            sequence,
        } = self.position;
        let numbers = [stored_at, sequence, self.taken, last_sequence];
        Cursor::of_numbers(self.record_name, MARK, numbers)
    }
}

/// Whether a row may be stored. What gets past here can be answered again: a text that does not
/// parse (too deeply nested, for one) would spoil every query that meets it.
fn admit(row: Row<'_>) -> Result<(), PersistenceError> {
    validate_key(row.record_name)?;
    if i64::try_from(row.stored_at).is_err() {
        return Err(PersistenceError::Unstorable {
            record_name: row.record_name.to_owned(),
            reason: format!(
                "its time, {} ms, lies beyond {} ms (`i64::MAX`), the last that can be stored",
                row.stored_at,
                i64::MAX
            ),
        });
    }
    serde_json::from_str::<Value>(row.json)?;
    Ok(())
}
