//! What is odd about a history, and what to do about it.

use std::collections::BTreeMap;

use aimdb_persistence::Ask;
use aimdb_persistence_backend::{
    FieldKind, Order, Pattern, ReadRequest, Retention, SeriesDeclaration,
};
use serde::Serialize;
use serde_json::Value;

use crate::error::HistoryError;
use crate::location::OpenHistory;
use crate::question::{Fields, show_length};
use crate::seen::series::declarations;

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Oddity {
    /// What it is about: a series, or the file.
    pub about: String,
    /// What is odd.
    pub finding: String,
    /// What to do.
    pub advice: String,
}

impl Oddity {
    pub(crate) fn new(
        about: impl Into<String>,
        finding: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            about: about.into(),
            finding: finding.into(),
            advice: advice.into(),
        }
    }
}

/// Clocks differ by as much.
const AHEAD_MS: u64 = 60 * 60 * 1_000;
/// No device has measured anything before 2000: its clock was not set.
const UNSET_MS: u64 = 946_684_800_000;
/// A series is silent if it has said nothing for so many of its usual intervals.
const SILENT_INTERVALS: u64 = 10;
/// The usual interval is that of so many rows.
const INTERVALS_OF_ROWS: usize = 21;
/// Nobody calls a pause of less than that silence.
const LEAST_SILENCE_MS: u64 = 60 * 60 * 1_000;

/// What is odd about the series of a history, by key: rows ahead of the clock or from before clocks were set, series that
/// nobody declares beside those that are declared, rows that are not what their type declares, silent series.
///
/// # Errors
/// The backend's.
pub async fn oddities(history: &OpenHistory, now_ms: u64) -> Result<Vec<Oddity>, HistoryError> {
    let mut found = Vec::new();
    let declared = declarations(history, &everything()).await?;
    for series in history.archive.history("#").series().await? {
        let key = &series.record_name;
        if series.last_ms > now_ms.saturating_add(AHEAD_MS) {
            let ahead = show_length(series.last_ms - now_ms);
            found.push(Oddity::new(
                key,
                format!("its newest row lies {ahead} ahead of the clock"),
                "look at the clock of what measures it; `delete --from now` removes the rows that are ahead",
            ));
        }
        if series.first_ms < UNSET_MS {
            found.push(Oddity::new(
                key,
                "it has rows from before 2000: a clock that was not set",
                "`delete --to 1999-12-31` removes them",
            ));
        }
        match declared.get(key) {
            Some(declaration) => {
                found.extend(changed_fields(history, key, declaration).await?);
                found.extend(beyond_retention(key, declaration, series.first_ms, now_ms));
            }
            None if !declared.is_empty() => found.push(Oddity::new(
                key,
                "no type declares it, as others are declared",
                "was its record renamed, or given up? `rename` joins it to its new key, `delete` removes it",
            )),
            None => {}
        }
        if series.last_ms <= now_ms {
            found.extend(silence(history, key, series.last_ms, now_ms).await?);
        }
    }
    Ok(found)
}

fn everything() -> Pattern {
    Pattern::parse("#").unwrap_or_else(|_| Pattern::exact("#"))
}

/// A sweep removes rows once a day, so two days late is odd.
fn beyond_retention(
    key: &str,
    declaration: &SeriesDeclaration,
    first_ms: u64,
    now_ms: u64,
) -> Option<Oddity> {
    let Some(Retention::Milliseconds(kept_ms)) = declaration.retention else {
        return None;
    };
    let is_bounded = declaration.keep_last == 0;
    let late_ms = now_ms
        .checked_sub(first_ms)?
        .checked_sub(kept_ms.saturating_add(2 * 86_400_000))?;
    (is_bounded && late_ms > 0).then(|| {
        Oddity::new(
            key,
            format!("rows are {} beyond its retention", show_length(late_ms)),
            "a program that records sweeps when it starts, and every day: does one run?",
        )
    })
}

/// Whether the newest row is what its type declares.
async fn changed_fields(
    history: &OpenHistory,
    key: &str,
    declaration: &SeriesDeclaration,
) -> Result<Option<Oddity>, HistoryError> {
    if declaration.fields.is_empty() {
        return Ok(None);
    }
    let newest = ReadRequest::new(Pattern::exact(key)).with_limit(1);
    let page = history.backend.read(newest).await?;
    let Some(row) = page.rows.get(0) else {
        return Ok(None);
    };
    if row.version > declaration.version {
        return Ok(Some(Oddity::new(
            key,
            format!(
                "it has rows of version {}, and version {} is declared",
                row.version, declaration.version
            ),
            "an older program has declared it after a newer one had recorded: update the program",
        )));
    }
    let value: Value = serde_json::from_str(row.json).unwrap_or(Value::Null);
    let mut fields = Fields::default();
    fields.learn(&value);
    let stored: BTreeMap<&str, &str> = fields.iter().map(|(path, f)| (path, f.kind)).collect();
    let changed = declaration.fields.iter().find_map(|field| {
        let (kind, declared) = (stored.get(&*field.path)?, field.kind?);
        let fits = match (declared, *kind) {
            (_, "null") | (FieldKind::Float, "integer") | (FieldKind::Other, _) => true,
            (declared, kind) => declared.name() == kind,
        };
        (!fits).then(|| {
            format!(
                "`{}` is declared as {}, and its newest row holds {kind}",
                field.path,
                declared.name()
            )
        })
    });
    Ok(changed.map(|finding| {
        let advice = "a program of another version records here too, or the type was changed without a new version";
        Oddity::new(key, finding, advice)
    }))
}

/// Whether it has said nothing for much longer than usual.
async fn silence(
    history: &OpenHistory,
    key: &str,
    last_ms: u64,
    now_ms: u64,
) -> Result<Option<Oddity>, HistoryError> {
    let newest = ReadRequest::new(Pattern::exact(key))
        .with_order(Order::NewestFirst)
        .with_limit(INTERVALS_OF_ROWS);
    let page = history.backend.read(newest).await?;
    let times: Vec<u64> = page.rows.iter().map(|row| row.stored_at).collect();
    let mut intervals: Vec<u64> = times
        .windows(2)
        .map(|two| two[0].abs_diff(two[1]))
        .collect();
    intervals.sort_unstable();
    let Some(usual_ms) = intervals.get(intervals.len() / 2) else {
        return Ok(None);
    };
    let silent_ms = now_ms.saturating_sub(last_ms);
    let is_silent = silent_ms
        > usual_ms
            .saturating_mul(SILENT_INTERVALS)
            .max(LEAST_SILENCE_MS);
    Ok(is_silent.then(|| {
        Oddity::new(
            key,
            format!(
                "silent for {}, and it used to have a row every {}",
                show_length(silent_ms),
                show_length(*usual_ms)
            ),
            "look whether what measures it, or the program that records it, still runs",
        )
    }))
}
