//! What a field says over one stretch of time, and where it says nothing.

use serde::Serialize;

use crate::aggregate::summary::Summary;

/// What a field says over one stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Bucket {
    /// The record's key; `None` where all series are combined.
    pub record_name: Option<String>,
    /// When it begins, in Unix milliseconds.
    pub start_ms: u64,
    /// When the next one begins.
    pub end_ms: u64,
    /// What it says.
    pub summary: Summary,
}

/// What becomes of stretches of time in which no row has a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gaps {
    /// They are left out.
    #[default]
    Skip,
    /// They have a summary without numbers, which says what was in force all the same: [`step_mean`](Summary::step_mean).
    Null,
    /// They hold the number that was in force when they began.
    Previous,
    /// They hold what lies on the straight line between the row before and the row after, at their middle.
    Linear,
}
