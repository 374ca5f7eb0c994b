//! What is seen of a history: its series and its rows.

mod file_oddities;
mod oddities;
pub(crate) mod series;
pub(crate) mod shown;

pub use self::file_oddities::file_oddities;
pub use self::oddities::{Oddity, oddities};
pub use self::series::{CountedRows, SeriesOverview, series};
pub use self::shown::{ShownRow, field_at, fields_of};
