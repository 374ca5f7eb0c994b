//! Which pages of a file are in use, and which are free and hold what was deleted.
//!
//! Two lists say so: the free pages, from the first page on, and the pointer map, which tells of every page what it is.
//! Either may be damaged.

use std::collections::BTreeSet;
use std::io;

use crate::copy::pages::image::Image;
use crate::file::frames::number;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In use, and the newest version.
    InUse,
    /// Free, or not a page of rows: what it holds was deleted or moved.
    Free,
    /// Nothing that can be read says which, or a newer version is lost.
    Unknown,
    /// Holds neither rows nor what leads to them.
    Apart,
}

pub(crate) struct Standings {
    free: BTreeSet<u32>,
    /// Whether the list of free pages could be read to its end.
    is_complete: bool,
    /// Of each page from 1 what the pointer map says of it; 0 where it cannot be read.
    map: Vec<u8>,
    has_map: bool,
}

const FREE: u8 = 2;
const OVERFLOW: [u8; 2] = [3, 4];
const TREE: [u8; 2] = [1, 5];
const ROOT: u8 = 1;

impl Standings {
    pub(crate) fn of(image: &Image) -> io::Result<Self> {
        let (free, is_complete) = free_pages(image)?;
        let map = map(image)?;
        Ok(Self {
            free,
            is_complete,
            has_map: map.is_some(),
            map: map.unwrap_or_default(),
        })
    }

    pub(crate) fn of_page(&self, number: u32, image: &Image) -> Standing {
        if self.has_map && is_map(number, image.usable()) {
            return Standing::Apart;
        }
        let entry = self.map.get(number as usize - 1).copied().unwrap_or(0);
        if self.free.contains(&number) || entry == FREE {
            return Standing::Free;
        }
        match entry {
            _ if image.is_outdated(number) => Standing::Unknown,
            entry if TREE.contains(&entry) || number == 1 => Standing::InUse,
            entry if OVERFLOW.contains(&entry) => Standing::Apart,
            _ if self.is_complete => Standing::InUse,
            _ => Standing::Unknown,
        }
    }

    /// Whether a tree is known to begin with the page.
    pub(crate) fn is_root(&self, number: u32) -> bool {
        self.map.get(number as usize - 1) == Some(&ROOT)
    }
}

/// The free pages, and whether these are all.
fn free_pages(image: &Image) -> io::Result<(BTreeSet<u32>, bool)> {
    let mut free = BTreeSet::new();
    let Some(header) = image.header() else {
        return Ok((free, false));
    };
    let (mut trunk, count) = (number(&header[32..]), number(&header[36..]));
    while trunk != 0 {
        let is_new = trunk <= image.pages() && free.insert(trunk);
        let page = if is_new { image.page(trunk)? } else { None };
        let Some(page) = page.filter(|page| !is_damaged_trunk(page, image)) else {
            return Ok((free, false));
        };
        let leaves = page[8..].chunks_exact(4).take(number(&page[4..]) as usize);
        free.extend(leaves.map(number));
        trunk = number(&page);
    }
    let is_complete = free.len() == count as usize;
    Ok((free, is_complete))
}

fn is_damaged_trunk(page: &[u8], image: &Image) -> bool {
    let count = number(&page[4..]) as usize;
    count > image.usable() / 4 - 2
        || page[8..]
            .chunks_exact(4)
            .take(count)
            .any(|leaf| !(2..=image.pages()).contains(&number(leaf)))
}

/// Pages of the map come behind as many pages as one of them tells of.
fn is_map(number: u32, usable: usize) -> bool {
    number >= 2 && (number as usize - 2).is_multiple_of(usable / 5 + 1)
}

/// `None` where the file has none.
fn map(image: &Image) -> io::Result<Option<Vec<u8>>> {
    // The largest root page; 0 in a file without a map.
    if image
        .header()
        .is_some_and(|header| number(&header[52..]) == 0)
    {
        return Ok(None);
    }
    let mut map = vec![0; image.pages() as usize];
    let mut any = image.header().is_some();
    for own in (1..=image.pages()).filter(|own| is_map(*own, image.usable())) {
        let Some(page) = image.page(own)? else {
            continue;
        };
        let entries: Vec<_> = page[..image.usable()]
            .chunks_exact(5)
            .zip(own..image.pages())
            .collect();
        let is_entry = |(entry, _): &(&[u8], u32)| {
            let parent = number(&entry[1..]);
            let has_parent = !matches!(entry[0], 1 | 2);
            (1..=5).contains(&entry[0]) && parent <= image.pages() && (parent > 0) == has_parent
        };
        // Single entries may be damaged, or be of pages that are gone.
        let sound = entries.iter().filter(|entry| is_entry(entry)).count();
        if sound * 10 < entries.len() * 9 {
            continue;
        }
        any = true;
        for entry in entries.into_iter().filter(is_entry) {
            map[entry.1 as usize] = entry.0[0];
        }
    }
    Ok(any.then_some(map))
}
