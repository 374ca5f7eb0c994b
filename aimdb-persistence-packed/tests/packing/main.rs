//! Chunks from the outside: what goes in comes out, and what is no chunk is an error.

mod columns;
mod damage;
mod filling;
mod pinned;
mod rows;
mod texts;
mod weather;
