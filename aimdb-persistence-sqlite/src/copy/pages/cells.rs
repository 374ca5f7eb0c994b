//! The cells of one page of a B-tree.
//!
//! <https://www.sqlite.org/fileformat2.html#b_tree_pages>

use std::io;

use crate::copy::pages::image::Image;
use crate::copy::pages::record::varint;
use crate::file::frames::number as number_of;

/// Which kind of tree a page is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Leaves of a table by rowid.
    TableLeaf,
    /// Leads to leaves of such a table: it holds no rows.
    TableInterior,
    /// Of an index, or of a table without rowids. Pages above the leaves hold rows as well.
    IndexLeaf,
    IndexInterior,
}

/// A page as far as it makes sense.
pub(crate) struct Page<'a> {
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    bytes: &'a [u8],
    usable: usize,
    pointers: Vec<usize>,
    /// The last child of an interior page.
    pub(crate) last_child: Option<u32>,
}

/// A cell and its payload, from overflow pages too.
pub(crate) struct Cell {
    pub(crate) rowid: i64,
    /// The child whose rows come before, in interior pages.
    pub(crate) child: Option<u32>,
    pub(crate) payload: Vec<u8>,
}

impl<'a> Page<'a> {
    /// `None` where the bytes are no page of a B-tree.
    pub(crate) fn of(number: u32, bytes: &'a [u8], usable: usize) -> Option<Self> {
        let start = if number == 1 { 100 } else { 0 };
        let bytes = bytes.get(..usable)?;
        let header = bytes.get(start..start + 12)?;
        let (kind, header_bytes) = match header[0] {
            13 => (Kind::TableLeaf, 8),
            5 => (Kind::TableInterior, 12),
            10 => (Kind::IndexLeaf, 8),
            2 => (Kind::IndexInterior, 12),
            _ => return None,
        };
        let count = short(&header[3..]);
        let content = match short(&header[5..]) {
            0 => 65_536,
            content => content,
        };
        let first = start + header_bytes;
        let end = first + 2 * count;
        if end > usable || content > usable.max(65_536) || end > content {
            return None;
        }
        let pointers = bytes[first..end].chunks_exact(2).map(short).collect();
        let last_child = (header_bytes == 12).then(|| number_of(&header[8..]));
        Some(Self {
            number,
            kind,
            bytes,
            usable,
            pointers,
            last_child,
        })
    }

    pub(crate) fn cells(&self) -> usize {
        self.pointers.len()
    }

    /// The cell with its payload; the inner `None` where it makes no sense.
    pub(crate) fn cell(&self, index: usize, image: &Image) -> io::Result<Option<Cell>> {
        let Some((mut cell, within, overflow)) = self.local(index) else {
            return Ok(None);
        };
        let Some((mut next, mut missing)) = overflow else {
            return Ok(Some(cell));
        };
        // A length that lies does not take more memory than the file has bytes.
        if missing as u64 > image.bytes() {
            return Ok(None);
        }
        cell.payload.reserve(missing - within.min(missing));
        while missing > 0 {
            let Some(page) = image.page_of_long_value(next)? else {
                return Ok(None);
            };
            let Some(content) = page.get(4..self.usable) else {
                return Ok(None);
            };
            let taken = missing.min(content.len());
            cell.payload.extend_from_slice(&content[..taken]);
            missing -= taken;
            next = number_of(&page);
        }
        Ok(Some(cell))
    }

    /// What lies on the page itself: how many bytes of the payload, and on which page it goes on with how many.
    #[expect(clippy::type_complexity, reason = "used once, just above")]
    fn local(&self, index: usize) -> Option<(Cell, usize, Option<(u32, usize)>)> {
        let mut rest = self.bytes.get(*self.pointers.get(index)?..)?;
        let mut child = None;
        if matches!(self.kind, Kind::IndexInterior | Kind::TableInterior) {
            child = Some(number_of(rest.get(..4)?));
            rest = &rest[4..];
        }
        let mut cell = Cell {
            rowid: 0,
            child,
            payload: Vec::new(),
        };
        if self.kind == Kind::TableInterior {
            return Some((cell, 0, None));
        }
        let (payload_bytes, behind) = varint(rest)?;
        rest = behind;
        let payload_bytes = usize::try_from(payload_bytes).ok()?;
        if self.kind == Kind::TableLeaf {
            (cell.rowid, rest) = varint(rest)?;
        }
        let within = self.bytes_within(payload_bytes);
        cell.payload.extend_from_slice(rest.get(..within)?);
        let overflow = match payload_bytes - within {
            0 => None,
            missing => Some((number_of(rest.get(within..within + 4)?), missing)),
        };
        Some((cell, within, overflow))
    }

    /// How many bytes of a payload lie on the page itself.
    fn bytes_within(&self, payload_bytes: usize) -> usize {
        let usable = self.usable;
        let most = match self.kind {
            Kind::TableLeaf => usable - 35,
            _ => (usable - 12) * 64 / 255 - 23,
        };
        if payload_bytes <= most {
            return payload_bytes;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        match least + (payload_bytes - least) % (usable - 4) {
            within if within <= most => within,
            _ => least,
        }
    }
}

fn short(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}
