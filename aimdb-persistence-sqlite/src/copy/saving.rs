//! Writing what the pages of a damaged file hold into a new history: what is certain first, then what may have been removed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use rusqlite::{CachedStatement, Connection, Transaction};
use serde::de::IgnoredAny;

use crate::copy::pages::cells::Page;
use crate::copy::pages::entry::{Entry, Published, Row, Series, entry};
use crate::copy::pages::image::Image;
use crate::copy::pages::search::{Leaf, Search};
use crate::copy::pages::standing::Standing;
use crate::copy::salvaged::SalvageReport;
use crate::layout::large::LARGE_BYTES;
use crate::layout::place::RowKey;
use crate::layout::seal;
use crate::layout::sql;

const ADD_SERIES: &str = "INSERT OR IGNORE INTO series (id, key, template, retention_ms, keep_last, max_rows, on_duplicate, \
     pack_ms, type, name_checksum, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0)";
pub(super) const ADD_ROW: &str = "INSERT OR IGNORE INTO row (series, stored_at, sequence, seal, value) VALUES (?1, ?2, ?3, ?4, ?5)";
const HAS_ROW: &str =
    "SELECT EXISTS (SELECT 1 FROM row WHERE series = ?1 AND stored_at = ?2 AND sequence = ?3)";
const NEXT_SEQUENCE: &str = "UPDATE meta SET value = 1 + (SELECT coalesce(max(sequence), 0) FROM row) WHERE name = 'next_sequence'";
const LAST_SEQUENCE: &str = "SELECT coalesce(max(sequence), 0) FROM row";

/// Whether a row is known to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Certain,
    /// It may have been removed.
    Doubtful,
    /// It was removed, or moved.
    Gone,
}

pub(crate) enum SaveError {
    Source(io::Error),
    Target(rusqlite::Error),
}

impl From<io::Error> for SaveError {
    fn from(error: io::Error) -> Self {
        Self::Source(error)
    }
}

impl From<rusqlite::Error> for SaveError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Target(error)
    }
}

/// A row of the new file.
pub(super) struct Saved {
    pub(super) key: RowKey,
    pub(super) seal: i64,
    pub(super) value: Vec<u8>,
}

/// Pages, and what was found on them.
pub(crate) struct Source {
    pub(crate) image: Image,
    pub(crate) search: Search,
    /// Of a log that was kept: rows up to this sequence are in the file itself, or were removed from it.
    pub(crate) after: Option<i64>,
}

pub(crate) struct Saving<'a> {
    /// The one being saved.
    pub(super) source: &'a Source,
    sources: &'a [Source],
    pub(super) target: &'a Connection,
    pub(super) report: SalvageReport,
    /// Whether anything is damaged at all. In a sound file nothing is doubtful.
    pub(super) is_damaged: bool,
    /// Series that rows are of.
    used: BTreeSet<i64>,
    /// Of the published crate's rows.
    published: BTreeMap<String, i64>,
    damaged: BTreeSet<RowKey>,
    without_value: BTreeSet<RowKey>,
}

impl<'a> Saving<'a> {
    /// The file comes first, then logs that were kept beside it.
    pub(crate) fn new(sources: &'a [Source], target: &'a Transaction<'_>) -> Option<Self> {
        let source = sources.first()?;
        let Source { image, search, .. } = source;
        Some(Self {
            source,
            sources,
            target,
            report: SalvageReport {
                damaged_pages: search.damaged_pages + image.damaged_frames,
                ..SalvageReport::default()
            },
            is_damaged: search.damaged_pages + search.damaged_cells + image.damaged_frames > 0,
            used: BTreeSet::new(),
            published: BTreeMap::new(),
            damaged: BTreeSet::new(),
            without_value: BTreeSet::new(),
        })
    }

    pub(crate) fn save(mut self) -> Result<SalvageReport, SaveError> {
        for source in self.sources {
            self.source = source;
            self.chunks()?;
            for leaf in &source.search.leaves {
                self.leaf(leaf)?;
            }
        }
        self.series()?;
        let damaged_cells: u64 = self
            .sources
            .first()
            .map_or(0, |file| file.search.damaged_cells);
        self.report.damaged_rows += damaged_cells + self.damaged.len() as u64;
        self.report.rows_without_value += self.without_value.len() as u64;
        self.target.execute(sql::SEAL_SERIES, [])?;
        self.target.execute(NEXT_SEQUENCE, [])?;
        let last: i64 = self.target.query_row(LAST_SEQUENCE, [], |r| r.get(0))?;
        self.target.execute(sql::SET_LAST_DIRECT_SEQUENCE, [last])?;
        self.target.execute(sql::NOTE_ALL_LAST_STORED, [])?;
        Ok(self.report)
    }

    fn leaf(&mut self, leaf: &Leaf) -> Result<(), SaveError> {
        let bytes = self.source.image.page(leaf.page)?.unwrap_or_default();
        let Some(page) = Page::of(leaf.page, &bytes, self.source.image.usable()) else {
            return Ok(());
        };
        let target = self.target;
        let mut add = target.prepare_cached(ADD_ROW)?;
        for index in 0..page.cells() {
            let cell = page.cell(index, &self.source.image)?;
            let entry = cell.and_then(|cell| entry(page.kind, &cell));
            let saved = match entry {
                Some(Entry::Row(row)) => {
                    let claim = self.claim(leaf, &row);
                    self.sound(row, claim)?.map(|row| (row, claim))
                }
                Some(Entry::Published(row)) => {
                    let claim = self.claim_at(leaf, RowKey::new(0, 0, row.id));
                    self.published(row, claim).map(|row| (row, claim))
                }
                _ => None,
            };
            if let Some((row, claim)) = saved {
                self.add(&mut add, &row, claim)?;
            }
        }
        Ok(())
    }

    fn claim(&self, leaf: &Leaf, row: &Row) -> Claim {
        let sequence = row.key.place.sequence;
        match self.source.after {
            Some(after) if sequence > after => return Claim::Certain,
            Some(_) => return Claim::Gone,
            None => {}
        }
        match (row.is_in_tail, self.source.search.settled) {
            (false, _) => self.claim_at(leaf, row.key),
            // Rows are removed from the tail once they are settled, and not before.
            (true, Some(settled)) if sequence > settled => Claim::Certain,
            (true, Some(_)) if self.source.search.reach.answers_for(row.key) => Claim::Gone,
            (true, _) if self.is_damaged => Claim::Doubtful,
            (true, _) => Claim::Gone,
        }
    }

    /// Of a row with this key in a tree.
    fn claim_at(&self, leaf: &Leaf, key: RowKey) -> Claim {
        match leaf.standing {
            Standing::InUse => Claim::Certain,
            Standing::Unknown if !self.source.search.reach.answers_for(key) => Claim::Doubtful,
            Standing::Unknown | Standing::Free | Standing::Apart => Claim::Gone,
        }
    }

    /// The row with its value, if it is the one that was stored.
    fn sound(&mut self, row: Row, claim: Claim) -> Result<Option<Saved>, SaveError> {
        let Row { key, seal, .. } = row;
        let (value, is_there) = match row.value {
            Some(value) => (Some(value), true),
            None => {
                let value = self.large(key.place.sequence)?;
                let is_there = value.is_some();
                (value, is_there)
            }
        };
        let value = value.filter(|value| seal::opened(key, seal, value).is_some());
        if value.is_none() && claim != Claim::Gone {
            let told = if is_there {
                &mut self.damaged
            } else {
                &mut self.without_value
            };
            told.insert(key);
        }
        Ok(value.map(|value| Saved { key, seal, value }))
    }

    fn large(&self, sequence: i64) -> io::Result<Option<Vec<u8>>> {
        let Some(&(number, index)) = self.source.search.large.get(&sequence) else {
            return Ok(None);
        };
        let bytes = self.source.image.page(number)?.unwrap_or_default();
        let Some(page) = Page::of(number, &bytes, self.source.image.usable()) else {
            return Ok(None);
        };
        let cell = page.cell(index, &self.source.image)?;
        Ok(match cell.and_then(|cell| entry(page.kind, &cell)) {
            Some(Entry::Large {
                sequence: own,
                value,
            }) if own == sequence => Some(value),
            _ => None,
        })
    }

    /// The published crate's rows carry no checksum: what is no JSON is known to be damaged.
    fn published(&mut self, row: Published, claim: Claim) -> Option<Saved> {
        let is_plausible = row.id > 0
            && !row.record_name.is_empty()
            && serde_json::from_str::<IgnoredAny>(&row.value).is_ok();
        if !is_plausible {
            if claim != Claim::Gone {
                self.damaged.insert(RowKey::new(0, 0, row.id));
            }
            return None;
        }
        let next = self.published.len() as i64 + 1;
        let series = *self.published.entry(row.record_name).or_insert(next);
        let key = RowKey::new(series, row.stored_at.max(0), row.id);
        let value = row.value.into_bytes();
        let seal = seal::seal(key, 0, &value);
        Some(Saved { key, seal, value })
    }

    pub(super) fn add(
        &mut self,
        add: &mut CachedStatement<'_>,
        row: &Saved,
        claim: Claim,
    ) -> Result<(), SaveError> {
        let RowKey { series, place } = row.key;
        let key = (series, place.stored_at, place.sequence);
        if claim == Claim::Gone {
            let mut has = self.target.prepare_cached(HAS_ROW)?;
            let is_saved: bool = has.query_row(key, |r| r.get(0))?;
            // What a kept log holds of rows that are in the file was not left out of it.
            let is_left_out = !is_saved && self.source.after.is_none();
            self.report.left_out += u64::from(is_left_out);
            return Ok(());
        }
        // What `sound` let through is text.
        let Ok(text) = str::from_utf8(&row.value) else {
            return Ok(());
        };
        let within = (row.value.len() <= LARGE_BYTES).then_some(text);
        if add.execute((key.0, key.1, key.2, row.seal, within))? == 0 {
            return Ok(());
        }
        if within.is_none() {
            let mut large = self.target.prepare_cached(sql::INSERT_LARGE)?;
            large.execute((place.sequence, text))?;
        }
        self.used.insert(series);
        self.report.rows += 1;
        self.report.doubtful_rows += u64::from(claim == Claim::Doubtful);
        self.damaged.remove(&row.key);
        self.without_value.remove(&row.key);
        Ok(())
    }

    fn series(&mut self) -> Result<(), SaveError> {
        for (name, id) in std::mem::take(&mut self.published) {
            self.add_series(&Series::named(id, name))?;
            self.used.remove(&id);
        }
        let sources = self.sources.iter();
        for series in sources.flat_map(|source| source.search.series.values()) {
            self.add_series(series)?;
            self.used.remove(&series.id);
        }
        for id in std::mem::take(&mut self.used) {
            let mut names = self
                .sources
                .iter()
                .filter_map(|source| source.search.names.get(&id));
            let name = names.next().cloned();
            self.report.lost_names += u64::from(name.is_none());
            let mut series = Series::named(id, name.unwrap_or_else(|| format!("lost.{id}")));
            while !self.add_series(&series)? {
                series.key.push_str(".lost");
            }
        }
        Ok(())
    }

    /// Says whether it was added: no two have one name.
    fn add_series(&mut self, series: &Series) -> Result<bool, SaveError> {
        let mut add = self.target.prepare_cached(ADD_SERIES)?;
        let added = add.execute((
            series.id,
            &series.key,
            &series.template,
            series.retention_ms,
            series.keep_last,
            series.max_rows,
            series.on_duplicate,
            series.pack_ms,
            &series.of_type,
        ))?;
        self.report.series += added as u64;
        Ok(added > 0)
    }
}
