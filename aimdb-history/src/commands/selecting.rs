//! Which rows a command is about: the arguments that many commands share.

use aimdb_persistence::question::RowTest;
use aimdb_persistence::{Ask, History as Question};
use aimdb_persistence_backend::Pattern;
use serde_json::Value;

use crate::commands::context::{Context, no_series};
use crate::error::HistoryError;
use crate::location::OpenHistory;
use crate::question::{Bound, Fields, Selection, WhereClause};

/// Which rows.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Selecting {
    /// Which series: a key, or a pattern such as `temperature.*` or `#` for all
    pub(crate) pattern: String,
    /// Rows at or after this time: 2026-11-28, 2026-11-28T12:00, -24h, now, Unix ms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// Rows at or before this time; a date means all of that day
    #[arg(
        long,
        visible_alias = "until",
        value_name = "TIME",
        allow_hyphen_values = true
    )]
    pub(crate) to: Option<String>,
    /// Rows for which this holds: 'celsius > 20 and not station = "sf"'
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) condition: Option<String>,
}

impl Selecting {
    pub(crate) fn times(
        &self,
        context: &Context,
    ) -> Result<(Option<u64>, Option<u64>), HistoryError> {
        let time = |option: &str, text: &Option<String>, bound| match text {
            None => Ok(None),
            Some(text) => match context.clock.parse(text, bound) {
                Ok(ms) => Ok(Some(ms)),
                Err(reason) => Err(HistoryError::Usage(format!("{option}: {reason}"))),
            },
        };
        let from_ms = time("--from", &self.from, Bound::Start)?;
        let to_ms = time("--to", &self.to, Bound::End)?;
        if let (Some(from_ms), Some(to_ms)) = (from_ms, to_ms)
            && from_ms > to_ms
        {
            return Err(HistoryError::Usage(format!(
                "--from {} lies after --to {}",
                context.clock.show(from_ms),
                context.clock.show(to_ms)
            )));
        }
        Ok((from_ms, to_ms))
    }

    pub(crate) fn parsed_pattern(&self) -> Pattern {
        // As every query does: keys from elsewhere may be too odd for a pattern.
        Pattern::parse(&self.pattern).unwrap_or_else(|_| Pattern::exact(&*self.pattern))
    }

    pub(crate) async fn fields(&self, history: &OpenHistory) -> Result<Fields, HistoryError> {
        Fields::of(history, &self.parsed_pattern()).await
    }

    async fn clause(&self, history: &OpenHistory) -> Result<Option<WhereClause>, HistoryError> {
        let Some(text) = &self.condition else {
            return Ok(None);
        };
        let usage = |error| HistoryError::Usage(format!("--where: {error}"));
        let clause = WhereClause::parse(text).map_err(usage)?;
        clause
            .check(text, &self.fields(history).await?)
            .map_err(usage)?;
        Ok(Some(clause))
    }

    /// As a question to the archive.
    pub(crate) async fn question(
        &self,
        context: &Context,
        history: &OpenHistory,
    ) -> Result<Question<Value>, HistoryError> {
        let (from_ms, to_ms) = self.times(context)?;
        let mut question = history.archive.history(&self.pattern);
        if let Some(from_ms) = from_ms {
            question = question.since(from_ms);
        }
        if let Some(to_ms) = to_ms {
            question = question.until(to_ms);
        }
        if let Some(clause) = self.clause(history).await? {
            question = question.filter(clause.filter());
        }
        Ok(question)
    }

    /// As what is read through the contract.
    pub(crate) async fn selection(
        &self,
        context: &Context,
        history: &OpenHistory,
    ) -> Result<Selection, HistoryError> {
        let (from_ms, to_ms) = self.times(context)?;
        let clause = self.clause(history).await?;
        let test = clause.map(|clause| RowTest::new::<()>(clause.filter()));
        Ok(Selection {
            pattern: self.parsed_pattern(),
            from_ms,
            to_ms,
            test: test.transpose()?,
        })
    }

    /// Why nothing was found: there is no such series, or none of its rows is meant.
    pub(crate) async fn nothing_found(
        &self,
        context: &Context,
        history: &OpenHistory,
    ) -> HistoryError {
        let pattern = Pattern::parse(&self.pattern);
        let all = crate::seen::series(history, "#", false).await;
        let (Ok(pattern), Ok(all)) = (pattern, all) else {
            return HistoryError::NothingFound("nothing was found".to_owned());
        };
        let mut selected = all.iter().filter(|s| pattern.matches(&s.record_name));
        let message = match selected.next() {
            Some(first) => {
                let (first_ms, last_ms) = selected
                    .fold((first.first_ms, first.last_ms), |ends, s| {
                        (ends.0.min(s.first_ms), ends.1.max(s.last_ms))
                    });
                format!(
                    "no row of `{}` is meant by this: its rows reach from {} to {}",
                    self.pattern,
                    context.clock.show(first_ms),
                    context.clock.show(last_ms)
                )
            }
            None if all.is_empty() => format!("{}: there are no rows yet", context.location),
            None => no_series(&self.pattern, all.iter().map(|s| &*s.record_name)),
        };
        HistoryError::NothingFound(message)
    }
}
