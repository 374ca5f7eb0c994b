//! Nothing: cargo fetches what this depends on.
