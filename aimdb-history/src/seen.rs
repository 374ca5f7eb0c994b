//! What is seen of a history: its series and its rows.

pub(crate) mod series;
pub(crate) mod shown;

pub use self::series::{CountedRows, SeriesOverview, series};
pub use self::shown::{ShownRow, field_at, fields_of};
