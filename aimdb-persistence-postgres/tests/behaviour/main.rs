//! What a backend on a server does beyond the contract. Without a server, each test says so and does nothing.

mod faults;
mod kills;
mod operations;
mod proxy;
mod retention;
mod sources;
mod support;
