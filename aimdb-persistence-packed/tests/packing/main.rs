//! Chunks from the outside: what goes in comes out, and what is no chunk is an error.

mod arbitrary;
mod columns;
mod damage;
mod filling;
mod pinned;
mod rows;
mod statistics;
mod texts;
