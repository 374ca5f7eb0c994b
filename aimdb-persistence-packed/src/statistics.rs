//! What is known of the numbers of a field: of rows one by one, of a chunk, or of many chunks.

mod accumulator;
mod chunk;
mod exact;
mod span;
mod stretch;

pub use self::accumulator::{Accumulator, Area, Meter, Reading, on_line};
pub use self::chunk::ChunkStatistics;
pub(crate) use self::chunk::put_statistics;
pub use self::exact::{ExactSum, quotient};
pub(crate) use self::span::Span;
pub use self::stretch::{Stretch, Window};
