//! The examples of the workspace; run them with `cargo run --example NAME`.
