//! Writing the packed rows of a damaged file into a new history, one by one.

use std::io;

use crate::chunks::place::ChunkPlace;
use crate::chunks::rows::PackedRows;
use crate::copy::pages::cells::Page;
use crate::copy::pages::entry::{Chunk, Entry, entry};
use crate::copy::pages::search::Lies;
use crate::copy::saving::{ADD_ROW, Claim, SaveError, Saved, Saving};
use crate::layout::place::RowKey;
use crate::layout::seal;

impl Saving<'_> {
    /// Before single rows: of those that were packed since, copies may lie on pages that are free or unclear.
    pub(super) fn chunks(&mut self) -> Result<(), SaveError> {
        let search = &self.source.search;
        for (id, lies) in &search.chunks {
            let place = search.places.get(id);
            let claim = match place {
                Some(_) => Claim::Certain,
                None if self.is_damaged && !search.free_chunks.contains(id) => Claim::Doubtful,
                None => Claim::Gone,
            };
            let chunk = self.chunk_at(*lies)?.filter(|chunk| chunk.id == *id);
            let rows = chunk.and_then(|chunk| {
                let rows = PackedRows::of_body(chunk.body).ok()?;
                Some((chunk.series, rows))
            });
            match rows {
                Some((series, rows)) => self.add_packed(series, &rows, place, claim)?,
                None if claim != Claim::Gone => {
                    self.report.damaged_rows += place.map_or(1, counted);
                }
                None => {}
            }
        }
        let lost = search.places.iter();
        let lost = lost.filter(|(id, _)| !search.chunks.contains_key(id));
        self.report.rows_without_value += lost.map(|(_, place)| counted(place)).sum::<u64>();
        Ok(())
    }

    fn chunk_at(&self, (number, index): Lies) -> io::Result<Option<Box<Chunk>>> {
        let image = &self.source.image;
        let bytes = image.page(number)?.unwrap_or_default();
        let Some(page) = Page::of(number, &bytes, image.usable()) else {
            return Ok(None);
        };
        let cell = page.cell(index, image)?;
        Ok(match cell.and_then(|cell| entry(page.kind, &cell)) {
            Some(Entry::Chunk(chunk)) => Some(chunk),
            _ => None,
        })
    }

    fn add_packed(
        &mut self,
        series: i64,
        rows: &PackedRows,
        place: Option<&ChunkPlace>,
        claim: Claim,
    ) -> Result<(), SaveError> {
        let counted = place.map_or(0..rows.places.len(), |place| rows.counted(place));
        let Ok(texts) = rows.texts(counted.clone()) else {
            self.report.damaged_rows += counted.len() as u64;
            return Ok(());
        };
        let target = self.target;
        let mut add = target.prepare_cached(ADD_ROW)?;
        for row in counted {
            let key = RowKey {
                series,
                place: rows.places[row],
            };
            // What a kept log holds of older rows is in the file itself, or was removed from it.
            let after = self.source.after;
            if after.is_some_and(|after| key.place.sequence <= after) {
                continue;
            }
            let value = texts.get(row).unwrap_or_default().as_bytes().to_vec();
            let seal = seal::seal(key, rows.version(row), &value);
            self.add(&mut add, &Saved { key, seal, value }, claim)?;
        }
        Ok(())
    }
}

fn counted(place: &ChunkPlace) -> u64 {
    u64::try_from(place.counted()).unwrap_or(0)
}
