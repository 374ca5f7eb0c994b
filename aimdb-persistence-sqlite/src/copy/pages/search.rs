//! The first look at every page: where rows lie, where long values do, and what is known of series.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use crate::chunks::place::ChunkPlace;
use crate::copy::pages::cells::{Kind, Page};
use crate::copy::pages::entry::{Entry, Series, entry};
use crate::copy::pages::image::Image;
use crate::copy::pages::reach::{Above, Reach};
use crate::copy::pages::standing::{Standing, Standings};
use crate::layout::place::RowKey;
use crate::layout::seal;

/// A page on which rows lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaf {
    pub(crate) page: u32,
    pub(crate) standing: Standing,
    pub(crate) first: RowKey,
    pub(crate) is_in_tail: bool,
}

/// Where a long value lies: page and cell.
pub(crate) type Lies = (u32, usize);

#[derive(Default)]
pub(crate) struct Search {
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) large: HashMap<i64, Lies>,
    /// Packed rows, by the number of their chunk.
    pub(crate) chunks: BTreeMap<i64, Lies>,
    /// Those that may have been removed.
    pub(crate) free_chunks: BTreeSet<i64>,
    /// Where packed rows lie, by the number of their chunk.
    pub(crate) places: BTreeMap<i64, ChunkPlace>,
    pub(crate) series: BTreeMap<i64, Series>,
    pub(crate) names: BTreeMap<i64, String>,
    /// Up to here rows of the tail count no more.
    pub(crate) settled: Option<i64>,
    /// Whether anything but rows of the published crate's table was found.
    pub(crate) is_history: bool,
    pub(crate) reach: Reach,
    pub(crate) damaged_pages: u64,
    pub(crate) damaged_cells: u64,
}

impl Search {
    pub(crate) fn through(image: &Image) -> io::Result<Self> {
        let standings = Standings::of(image)?;
        let (mut search, mut unclear) = (Self::default(), Vec::new());
        for number in 1..=image.pages() {
            let standing = standings.of_page(number, image);
            if standing == Standing::Apart {
                continue;
            }
            let bytes = image.page(number)?;
            let page = bytes
                .as_deref()
                .and_then(|bytes| Page::of(number, bytes, image.usable()));
            let makes_sense = match &page {
                Some(page) => search.page(page, standing, standings.is_root(number), image)?,
                None => false,
            };
            if !makes_sense && standing != Standing::Free {
                unclear.push(number);
            }
        }
        // What is neither a page of a tree nor one on which a long value goes on.
        let overflow = image.pages_of_long_values();
        search.damaged_pages = unclear
            .iter()
            .filter(|page| !overflow.contains(page))
            .count() as u64;
        search.leaves.sort_by_key(|leaf| {
            (
                leaf.standing != Standing::InUse,
                leaf.is_in_tail,
                leaf.first,
            )
        });
        Ok(search)
    }

    /// The rows in use with a higher sequence, as far as they are what was stored. Long values are not looked at.
    pub(crate) fn rows_behind(&self, image: &Image, sequence: i64) -> io::Result<BTreeSet<RowKey>> {
        let mut rows = BTreeSet::new();
        for leaf in self
            .leaves
            .iter()
            .filter(|leaf| leaf.standing != Standing::Free)
        {
            let bytes = image.page(leaf.page)?.unwrap_or_default();
            let Some(page) = Page::of(leaf.page, &bytes, image.usable()) else {
                continue;
            };
            for index in 0..page.cells() {
                let cell = page.cell(index, image)?;
                if let Some(Entry::Row(row)) = cell.and_then(|cell| entry(page.kind, &cell))
                    && row.key.place.sequence > sequence
                    && row
                        .value
                        .is_none_or(|value| seal::opened(row.key, row.seal, &value).is_some())
                {
                    rows.insert(row.key);
                }
            }
        }
        Ok(rows)
    }

    /// Says whether the page makes sense.
    fn page(
        &mut self,
        page: &Page<'_>,
        standing: Standing,
        is_root: bool,
        image: &Image,
    ) -> io::Result<bool> {
        let mut keys: Vec<RowKey> = Vec::new();
        let (mut is_in_tail, mut above) = (false, Above::default());
        let (mut sound, mut damaged) = (0, 0);
        if page.kind == Kind::TableInterior {
            return Ok(true);
        }
        for index in 0..page.cells() {
            let cell = page.cell(index, image)?;
            let entry = cell.as_ref().and_then(|cell| entry(page.kind, cell));
            let Some(entry) = entry else {
                damaged += 1;
                continue;
            };
            sound += 1;
            let child = cell.and_then(|cell| cell.child);
            match entry {
                Entry::Row(row) => {
                    is_in_tail = row.is_in_tail;
                    keys.push(row.key);
                    above.children.extend(child.map(|child| (child, row.key)));
                }
                Entry::Published(row) => keys.push(RowKey::new(0, 0, row.id)),
                Entry::Large { sequence, .. } => {
                    self.large(sequence, (page.number, index), standing)
                }
                Entry::Chunk(chunk) => self.chunk(chunk.id, (page.number, index), standing),
                other if standing != Standing::Free => self.note(other),
                _ => {}
            }
        }
        if sound == 0 && damaged > 0 {
            return Ok(false);
        }
        if standing != Standing::Free {
            self.damaged_cells += damaged;
        }
        if let (Some(&first), Some(&last)) = (keys.first(), keys.last()) {
            self.leaves.push(Leaf {
                page: page.number,
                standing,
                first,
                is_in_tail,
            });
            if standing == Standing::InUse && !is_in_tail {
                above.last_child = page.last_child;
                self.reach.add(page.number, (first, last), above, is_root);
            }
        }
        Ok(true)
    }

    fn large(&mut self, sequence: i64, lies: Lies, standing: Standing) {
        match standing {
            Standing::InUse => drop(self.large.insert(sequence, lies)),
            Standing::Unknown => drop(self.large.entry(sequence).or_insert(lies)),
            Standing::Free | Standing::Apart => {}
        }
    }

    /// A number is never used twice: every copy of a chunk holds the same.
    fn chunk(&mut self, id: i64, lies: Lies, standing: Standing) {
        self.is_history = true;
        self.chunks.entry(id).or_insert(lies);
        match standing {
            Standing::Free => drop(self.free_chunks.insert(id)),
            _ => drop(self.free_chunks.remove(&id)),
        }
    }

    fn note(&mut self, entry: Entry) {
        self.is_history |= entry != Entry::Other;
        match entry {
            Entry::Series(series) => drop(self.series.insert(series.id, *series)),
            Entry::Name { id, key } => drop(self.names.insert(id, key)),
            Entry::ChunkPlace(place) => drop(self.places.insert(place.chunk, *place)),
            Entry::Settled(settled) => self.settled = Some(settled),
            Entry::NotedSettled(settled) => drop(self.settled.get_or_insert(settled)),
            Entry::Row(_)
            | Entry::Published(_)
            | Entry::Large { .. }
            | Entry::Chunk(_)
            | Entry::Other => {}
        }
    }
}
