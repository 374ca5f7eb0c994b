//! What becomes of values when the storage below is damaged, gone, full, locked or shared, on the SQLite backend.

mod damage;
mod full;
mod limit;
mod shared;
