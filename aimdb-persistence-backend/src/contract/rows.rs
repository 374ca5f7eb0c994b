//! Many rows in one allocation: what travels between recorder, backend and query.

use std::collections::HashMap;
use std::sync::Arc;

/// One row: a record's value at a time, as JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The record's key.
    pub record_name: &'a str,
    /// Unix milliseconds.
    pub stored_at: u64,
    /// The value as JSON.
    pub json: &'a str,
    /// The version of its type that the value was written as; 0 where none is declared.
    pub version: u32,
    /// Who recorded it, in storage that several programs share under names of their own. `None` in any other.
    pub source: Option<&'a Arc<str>>,
}

/// So many names are found by looking through them.
const FEW_NAMES: usize = 8;

/// A compact sequence of rows: every JSON text in one string, every record name once.
///
/// ```
/// use aimdb_persistence_backend::Rows;
///
/// let mut rows = Rows::new();
/// rows.push("temperature.sf", 1_000, r#"{"celsius":13.2}"#);
/// rows.push("temperature.sf", 2_000, r#"{"celsius":13.4}"#);
/// assert_eq!(rows.len(), 2);
/// assert_eq!(rows.iter().last().unwrap().stored_at, 2_000);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Rows {
    text: String,
    slots: Vec<Slot>,
    names: Vec<Arc<str>>,
    /// Empty while there are so few names that looking through them is faster.
    index_of_name: HashMap<Arc<str>, usize>,
    /// From which row on the rows are of which source. Empty where they have none.
    sources: Vec<(usize, Option<Arc<str>>)>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    name: u32,
    version: u32,
    stored_at: u64,
    /// Where the row's JSON ends in `text`; it begins where the previous row's ends.
    end: usize,
}

impl Rows {
    /// No rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a row.
    pub fn push(&mut self, record_name: &str, stored_at: u64, json: &str) {
        self.push_versioned(record_name, stored_at, json, 0);
    }

    /// Appends a row that was written as this version of its type.
    pub fn push_versioned(&mut self, record_name: &str, stored_at: u64, json: &str, version: u32) {
        let name = match self.known_name(record_name) {
            Some(index) => index,
            None => self.add_name(Arc::from(record_name)),
        };
        self.append(name, stored_at, json, version);
    }

    /// Appends a row whose record name is shared already.
    pub fn push_shared(
        &mut self,
        record_name: &Arc<str>,
        stored_at: u64,
        json: &str,
        version: u32,
    ) {
        let name = match self.known_name(record_name) {
            Some(index) => index,
            None => self.add_name(Arc::clone(record_name)),
        };
        self.append(name, stored_at, json, version);
    }

    /// The same for a row of a source.
    pub fn push_of_source(
        &mut self,
        source: &Arc<str>,
        record_name: &Arc<str>,
        stored_at: u64,
        json: &str,
        version: u32,
    ) {
        let index = self.len();
        self.push_shared(record_name, stored_at, json, version);
        match self.sources.as_slice() {
            // The row before was of the same source.
            [.., (_, Some(last)), (first, None)] if *first == index && last == source => {
                self.sources.pop();
            }
            [.., (first, None)] if *first == index => {
                self.sources.pop();
                self.sources.push((index, Some(Arc::clone(source))));
            }
            _ => self.sources.push((index, Some(Arc::clone(source)))),
        }
    }

    fn source(&self, index: usize) -> Option<&Arc<str>> {
        let behind = self.sources.partition_point(|(first, _)| *first <= index);
        self.sources[..behind].last()?.1.as_ref()
    }

    /// Rows of one record tend to come in runs, so the last one's name is tried first.
    fn known_name(&self, record_name: &str) -> Option<usize> {
        match self.slots.last() {
            Some(slot) if &*self.names[slot.name as usize] == record_name => {
                Some(slot.name as usize)
            }
            _ if self.names.len() <= FEW_NAMES => {
                self.names.iter().position(|name| **name == *record_name)
            }
            _ => self.index_of_name.get(record_name).copied(),
        }
    }

    fn add_name(&mut self, record_name: Arc<str>) -> usize {
        let index = self.names.len();
        self.names.push(record_name);
        if self.names.len() > FEW_NAMES {
            let unindexed = self.index_of_name.len()..self.names.len();
            let entry = |index: usize| (Arc::clone(&self.names[index]), index);
            self.index_of_name.extend(unindexed.map(entry));
        }
        index
    }

    fn append(&mut self, name: usize, stored_at: u64, json: &str, version: u32) {
        // A row is of the source before it only if it says so.
        if self.sources.last().is_some_and(|(_, last)| last.is_some()) {
            self.sources.push((self.slots.len(), None));
        }
        self.text.push_str(json);
        self.slots.push(Slot {
            name: u32::try_from(name).expect("memory ends before names do"),
            version,
            stored_at,
            end: self.text.len(),
        });
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Bytes of JSON text held.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The distinct record names, in order of their first row.
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Where row `index`'s record stands in [`names`](Self::names).
    ///
    /// # Panics
    /// If there is no such row.
    pub fn name_index(&self, index: usize) -> usize {
        self.slots[index].name as usize
    }

    /// Row `index`, if there is one.
    pub fn get(&self, index: usize) -> Option<Row<'_>> {
        let slot = self.slots.get(index)?;
        let start = index
            .checked_sub(1)
            .map_or(0, |before| self.slots[before].end);
        Some(Row {
            record_name: &self.names[slot.name as usize],
            stored_at: slot.stored_at,
            json: &self.text[start..slot.end],
            version: slot.version,
            source: self.source(index),
        })
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> + '_ {
        (0..self.len()).map(|index| self.get(index).expect("the index is below the length"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_as_they_went_in_and_names_are_kept_once() {
        let mut rows = Rows::new();
        let expected = [
            ("a", 1, "1", 0),
            ("b", 2, "", 7),
            ("a", 3, "[3]", u32::MAX),
            ("a", 3, "4", 0),
        ];
        for (name, stored_at, json, version) in expected {
            rows.push_versioned(name, stored_at, json, version);
        }
        let out: Vec<_> = rows
            .iter()
            .map(|r| (r.record_name, r.stored_at, r.json, r.version))
            .collect();
        assert_eq!(out, expected);
        assert_eq!(rows.names().len(), 2);
        assert_eq!(rows.get(4), None);
    }

    #[test]
    fn a_row_is_of_the_source_that_it_was_given_and_of_no_other() {
        let [east, west, name] = ["east", "west", "a"].map(Arc::from);
        let mut rows = Rows::new();
        let given = [
            None,
            Some(&east),
            Some(&east),
            None,
            Some(&east),
            Some(&west),
            None,
            None,
        ];
        for source in given {
            match source {
                Some(source) => rows.push_of_source(source, &name, 1, "1", 0),
                None => rows.push("a", 1, "1"),
            }
        }
        let sources: Vec<_> = rows.iter().map(|row| row.source).collect();
        assert_eq!(sources, given);
    }
}
