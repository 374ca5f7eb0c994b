//! What the behaviour tests need: a thin module per AimDB version, all with the same items, and what does not depend
//! on the version.
//!
//! The tests themselves stand once, in `tests/behaviour/`; a test binary per version (`tests/aimdb1.rs`) mounts them
//! with `crate::aimdb` standing for its version's module.

pub mod aimdb1;
#[cfg(feature = "aimdb-2")]
pub mod aimdb2;
pub mod backends;
pub mod contracts;
pub mod crash;
pub mod events;
pub mod gated;
pub mod records;
pub mod strict_clippy;
pub mod waiting;

/// The README's code blocks, compiled and run. So are those of every other document; a test says which is missing.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/backends.md")]
struct Backends;

#[cfg(doctest)]
#[doc = include_str!("../../docs/declarations.md")]
struct Declarations;

#[cfg(doctest)]
#[doc = include_str!("../../docs/operating.md")]
struct Operating;

#[cfg(doctest)]
#[doc = include_str!("../../docs/patterns.md")]
struct Patterns;

#[cfg(doctest)]
#[doc = include_str!("../../docs/performance.md")]
struct Performance;

#[cfg(doctest)]
#[doc = include_str!("../../docs/queries.md")]
struct Queries;

#[cfg(doctest)]
#[doc = include_str!("../../docs/without-derive.md")]
struct WithoutDerive;
