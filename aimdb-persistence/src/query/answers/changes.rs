//! Runs of equal values: what changed when.

use aimdb_persistence_backend::json::{Projection, Scalar};
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};
use serde::Serialize;

use crate::declaration::versions::Lift;
use crate::query::decoding::{Check, Decoded, Decoder};
use crate::query::history::History;
use crate::query::look::Look;
use crate::query::range::{Range, RowTimes, TermsOfSeries};
use crate::query::timeline::{Edge, Extract, Outside};
use crate::thinning::criteria::Criteria;
use crate::thinning::sample::Sample;

/// A time for which a series held one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Run<T> {
    /// The record's key.
    pub record_name: String,
    /// When it begins, in Unix milliseconds: with its first row, or at the start of the range with what was in force then.
    pub start_ms: u64,
    /// When it ends: where the next one begins, or what held ceases to, or the range ends.
    pub end_ms: u64,
    /// How many rows of the range there are in it; none where nothing has come since the range began.
    pub rows: u64,
    /// The value: that of its first row.
    pub value: T,
}

impl<T: Send + 'static> History<T> {
    /// Runs of equal values, by record name and then by time: what changed when. A run ends where the next begins, or at the end of the
    /// range; the first one may have begun before the range. Values that differ in their event time alone are equal, and so are those that differ in fields that the
    /// policy [ignores](crate::Policy::ignore).
    ///
    /// A row that a filter leaves out, or that does not decode, ends what held, and so does the time for which a value [holds](Self::holds):
    /// between two runs, nothing is known. A [`limit`](Self::limit) and an [`order`](Self::order) do not count. Of the
    /// [latest](Self::latest) rows, the first run begins with the first of them; of the [oldest](Self::oldest), the last one ends with the last.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn changes(self) -> Result<Vec<Run<T>>, PersistenceError> {
        let Self {
            question,
            from_stored,
        } = self;
        let check = Check::of::<T>(from_stored);
        let runs = question.in_time(async {
            let range = Range::of(&question);
            let outside = question.outside(&range, &check, false, || Whole).await?;
            let (order, limit_per_series) = question.reading_by_time();
            let changes = Changes {
                decoder: Decoder::new(from_stored, question.strict),
                ascending: order == Order::OldestFirst,
                lift: question.lift,
                range,
                terms: TermsOfSeries::of(&question),
                outside,
                series: None,
                runs: Vec::new(),
            };
            let reading = question.read_as(order, limit_per_series);
            let mut changes = question.look(reading, changes).await?;
            changes.decoder.report(question.archive()?)?;
            changes.end();
            Ok(changes.runs)
        });
        let mut runs = runs.await?;
        runs.sort_by(|a, b| (&a.record_name, a.start_ms).cmp(&(&b.record_name, b.start_ms)));
        Ok(runs)
    }
}

/// A whole row: its version and JSON.
struct Whole;

type Stored = (u32, Box<str>);

impl Extract for Whole {
    type Value = Stored;

    fn bind(&mut self, _: &mut Projection) {}

    fn value(&self, row: Row<'_>, _: &[Scalar<'_>]) -> Option<Stored> {
        Some((row.version, row.json.into()))
    }
}

struct Changes<T> {
    decoder: Decoder<T>,
    ascending: bool,
    lift: Option<Lift>,
    range: Range,
    terms: Option<TermsOfSeries>,
    outside: Outside<Stored>,
    series: Option<Series<T>>,
    runs: Vec<Run<T>>,
}

struct Series<T> {
    record_name: String,
    holds_ms: u64,
    identity: Criteria,
    /// The row beside: that before, or, read backwards, that after.
    beside_ms: Option<u64>,
    rows: RowTimes,
    open: Option<Open<T>>,
}

/// The run under way.
struct Open<T> {
    looks: Sample,
    json: Box<str>,
    run: Run<T>,
    /// The newest of its rows.
    newest_ms: u64,
    /// When the row after it came, where that is known already.
    next_ms: Option<u64>,
}

impl<T> Changes<T> {
    fn begin(&mut self, record_name: &str) {
        self.end_series();
        let terms = self.terms.as_ref();
        let mut series = Series {
            record_name: record_name.to_owned(),
            holds_ms: terms.map_or(u64::MAX, |terms| terms.holds_ms(record_name)),
            identity: terms.map_or_else(
                || Criteria::of_changes(std::iter::empty()),
                |terms| terms.identity(record_name),
            ),
            beside_ms: None,
            rows: RowTimes::default(),
            open: None,
        };
        if let Some(Edge {
            at_ms,
            value: Some((version, json)),
        }) = self.outside.before.remove(record_name)
        {
            let row = Row {
                record_name,
                stored_at: at_ms,
                json: &json,
                version,
                source: None,
            };
            // It has been seen to decode.
            if let Decoded::Value(value) = self.decoder.decode(row) {
                series.open = Some(self.open(&series, row, value, 0));
                series.beside_ms = Some(at_ms);
            }
        }
        self.series = Some(series);
    }

    fn open(&self, series: &Series<T>, row: Row<'_>, value: T, rows: u64) -> Open<T> {
        Open {
            looks: self.looks(&series.identity, row),
            json: row.json.into(),
            run: Run {
                record_name: series.record_name.clone(),
                start_ms: row.stored_at,
                end_ms: row.stored_at,
                rows,
                value,
            },
            newest_ms: row.stored_at,
            next_ms: None,
        }
    }

    /// What of a row is compared.
    fn looks(&self, identity: &Criteria, row: Row<'_>) -> Sample {
        match self.lift {
            Some(lift) => Sample::of(&lift.json_of(row), identity),
            None => Sample::of(row.json, identity),
        }
    }

    /// Ends the run under way at this time, or when it ceases to hold.
    fn close(&mut self, series: &mut Series<T>, at_ms: u64) {
        let Some(Open {
            mut run, newest_ms, ..
        }) = series.open.take()
        else {
            return;
        };
        run.end_ms = at_ms.min(newest_ms.saturating_add(series.holds_ms));
        let start_ms = self.range.start_ms.unwrap_or(0);
        // What has ceased to hold before the range is no part of it.
        if run.rows > 0 || run.end_ms > start_ms {
            run.start_ms = run.start_ms.max(start_ms);
            self.runs.push(run);
        }
    }

    fn end_series(&mut self) {
        let Some(mut series) = self.series.take() else {
            return;
        };
        let end_ms = match self.ascending {
            true => self
                .range
                .of_series(&series.rows)
                .map(|window| window.end_ms),
            false => series.open.as_ref().and_then(|open| open.next_ms),
        };
        if let Some(end_ms) = end_ms {
            self.close(&mut series, end_ms);
        }
    }

    /// Series without rows in the range are those of which something was in force when it began.
    fn end(&mut self) {
        self.end_series();
        while let Some((record_name, edge)) = self.outside.before.pop_first() {
            self.outside.before.insert(record_name.clone(), edge);
            self.begin(&record_name);
            self.end_series();
        }
    }

    /// Notes the row; answers with when the row after it came, if rows come newest first.
    fn pass(&self, series: &mut Series<T>, at_ms: u64, is_own: bool) -> Option<u64> {
        series.rows.add(at_ms, is_own);
        let beside_ms = series.beside_ms.replace(at_ms);
        match self.ascending {
            true => None,
            false => Some(beside_ms.unwrap_or_else(|| self.range.end_with(at_ms))),
        }
    }

    fn take(&mut self, series: &mut Series<T>, row: Row<'_>) -> Visit {
        let at_ms = row.stored_at;
        let next_ms = self.pass(series, at_ms, true);
        let holds_ms = series.holds_ms;
        // Whether the run goes on, forwards or backwards.
        let open = series.open.as_mut().filter(|open| match self.ascending {
            true => at_ms <= open.newest_ms.saturating_add(holds_ms),
            false => open.run.start_ms <= at_ms.saturating_add(holds_ms),
        });
        let is_same = match open {
            Some(open) if *open.json == *row.json => true,
            Some(_) => {
                let looks = self.looks(&series.identity, row);
                series
                    .open
                    .as_ref()
                    .is_some_and(|open| looks != Sample::Unknown && open.looks == looks)
            }
            None => false,
        };
        let needs_value = !(is_same && self.ascending);
        let value = match needs_value.then(|| self.decoder.decode(row)) {
            None => None,
            Some(Decoded::Value(value)) => Some(value),
            Some(Decoded::Skipped) => return self.gap(series, at_ms),
            Some(Decoded::Failed) => return Visit::Stop,
        };
        if let (true, Some(open)) = (is_same, series.open.as_mut()) {
            open.run.rows += 1;
            match value {
                // The value is that of the first row.
                Some(value) => (open.run.start_ms, open.run.value) = (at_ms, value),
                None => open.newest_ms = at_ms,
            }
            return Visit::Continue;
        }
        let end_ms = match self.ascending {
            true => Some(at_ms),
            false => series.open.as_ref().and_then(|open| open.next_ms),
        };
        self.close(series, end_ms.unwrap_or(at_ms));
        if let Some(value) = value {
            let mut open = self.open(series, row, value, 1);
            open.next_ms = next_ms;
            series.open = Some(open);
        }
        Visit::Continue
    }

    /// What held until then holds no longer.
    fn gap(&mut self, series: &mut Series<T>, at_ms: u64) -> Visit {
        let end_ms = match self.ascending {
            true => Some(at_ms),
            false => series.open.as_ref().and_then(|open| open.next_ms),
        };
        self.close(series, end_ms.unwrap_or(at_ms));
        Visit::Continue
    }
}

impl<T: Send + 'static> Look for Changes<T> {
    fn begin_series(&mut self, record_name: &str) {
        self.begin(record_name);
    }

    fn row(&mut self, row: Row<'_>, _: &[Scalar<'_>]) -> Visit {
        let Some(mut series) = self.series.take() else {
            return Visit::Continue;
        };
        let visit = self.take(&mut series, row);
        self.series = Some(series);
        visit
    }

    fn left_out(&mut self, stored_at: u64) -> Visit {
        let Some(mut series) = self.series.take() else {
            return Visit::Continue;
        };
        self.pass(&mut series, stored_at, false);
        let visit = self.gap(&mut series, stored_at);
        self.series = Some(series);
        visit
    }
}
