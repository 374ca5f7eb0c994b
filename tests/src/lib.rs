//! What the behaviour tests need of an AimDB version: one module per version, all with the same items.
//!
//! The tests themselves stand once, in `tests/behaviour/`; a test binary per version (`tests/aimdb1.rs`) mounts them
//! with `crate::aimdb` standing for its version's module.

pub mod aimdb1;

/// The README's code blocks, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
