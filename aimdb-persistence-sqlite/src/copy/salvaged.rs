//! What became of a damaged file.

/// What [`salvage`](crate::salvage) has saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SalvageReport {
    /// Rows in the new file.
    pub rows: u64,
    /// Series in the new file.
    pub series: u64,
    /// Pages of the damaged file that make no sense, or are missing. How many rows were on them is unknown.
    pub damaged_pages: u64,
    /// Rows, or parts of the file's own lists, that lie on sound pages and are not what was written: a checksum does not fit.
    /// They are not in the new file.
    pub damaged_rows: u64,
    /// Rows of which all but the value could be read. They are not in the new file.
    pub rows_without_value: u64,
    /// Of the rows in the new file those that may have been removed before: what would tell is lost.
    pub doubtful_rows: u64,
    /// Rows that were found on pages that are free, and rows that were removed from where they belong. They are not in the new
    /// file.
    pub left_out: u64,
    /// Series whose names are lost. In the new file they are called `lost.<number>`.
    pub lost_names: u64,
}
