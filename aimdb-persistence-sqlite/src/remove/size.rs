//! How large the file is, and how large it may be.

use rusqlite::Connection;

/// How large the file may be, in pages. Pages that hold nothing do not count: they are filled before the file grows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    most: i64,
}

impl Size {
    pub(crate) fn of(connection: &Connection, max_bytes: u64) -> rusqlite::Result<Self> {
        let mut page_bytes = connection.prepare_cached("PRAGMA page_size")?;
        let page_bytes: i64 = page_bytes.query_row([], |r| r.get(0))?;
        Ok(Self {
            most: i64::try_from(max_bytes).unwrap_or(i64::MAX) / page_bytes,
        })
    }

    /// From here on rows are removed. What is left is room for the commits that come meanwhile.
    pub(crate) fn removal_begins_at(self) -> i64 {
        self.most - self.most / 16
    }

    /// So few pages that another search for rows is not worth it.
    pub(crate) fn hardly_any(self) -> i64 {
        self.most / 64
    }

    /// Whether enough has been removed.
    pub(crate) fn is_far_from(self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(used_pages(connection)? <= self.most - self.most / 8)
    }

    /// Whether the file itself is larger, pages included that hold nothing.
    pub(crate) fn is_exceeded_by(self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(pages(connection)? > self.most)
    }
}

/// Pages of the file that hold something.
pub(crate) fn used_pages(connection: &Connection) -> rusqlite::Result<i64> {
    Ok(pages(connection)? - free_pages(connection)?)
}

fn pages(connection: &Connection) -> rusqlite::Result<i64> {
    let mut pages = connection.prepare_cached("PRAGMA page_count")?;
    pages.query_row([], |r| r.get(0))
}

/// Pages of the file that hold nothing.
pub(crate) fn free_pages(connection: &Connection) -> rusqlite::Result<i64> {
    let mut free = connection.prepare_cached("PRAGMA freelist_count")?;
    free.query_row([], |r| r.get(0))
}
