//! What the query builder answers is what a list of rows would answer, whatever the backend does about it.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence_backend::internal::{Lottery, Subject, expect_rows, in_order, row};
use aimdb_persistence_backend::{Order, Pattern, StoredValue};
use futures_lite::StreamExt;
use serde_json::{Value, json};

use crate::archive::Archive;
use crate::archive::options::PersistenceOptions;
use crate::conformance::conditions::filters;
use crate::declaration::versions::whatever_version;
use crate::query::answers::rows::Persisted;
use crate::query::history::History;
use crate::query::selection::Selection;

/// As a database over this backend would begin it.
pub(crate) fn history(subject: &Subject, pattern: &str) -> History<Value> {
    let options = PersistenceOptions::new(Arc::clone(&subject.backend), Duration::MAX);
    let archive = Archive::new(options, Arc::default());
    let selection = Selection::by_pattern(pattern);
    History::new(Some(archive), selection, whatever_version)
}

const NAMES: [&str; 4] = ["a.x", "a.y", "a.y.z", "b"];
const PATTERNS: [&str; 5] = ["#", "a.*", "a.y", "#.z", "none"];

/// Rows with ties in time; in most of them every field is of its type.
pub(crate) async fn store_rows(
    subject: &Subject,
    lottery: &mut Lottery,
    rows: u64,
) -> Vec<StoredValue> {
    let times = lottery.pick(&[rows / 3 + 1, rows * 1_000]);
    store_rows_within(subject, lottery, rows, times).await
}

/// The same, with times below this one.
pub(crate) async fn store_rows_within(
    subject: &Subject,
    lottery: &mut Lottery,
    rows: u64,
    times: u64,
) -> Vec<StoredValue> {
    let rows: Vec<_> = (0..rows)
        .map(|n| {
            let mut value = json!({
                "n": n,
                "v": lottery.below(400) as f64 / 8.0 - 10.0,
                "on": lottery.once_in(2),
                "state": lottery.pick(&["Idle", "Running", "Stopped"]),
                "inner": { "text": format!("text {}", lottery.below(9)), "maybe": lottery.below(5) },
            });
            let odd = [json!(null), json!("odd"), json!([1]), json!(-3), json!(u64::MAX), json!(1e300)];
            if lottery.once_in(6) {
                let field = lottery.pick(&["n", "v", "on", "state", "inner"]);
                value[field] = lottery.pick(&odd);
            }
            if lottery.once_in(8) {
                value["inner"] = json!({ "text": "π", "maybe": null });
            }
            row(lottery.pick(&NAMES), lottery.below(times), value)
        })
        .collect();
    for batch in rows.chunks(lottery.pick(&[7, 90, 1_000])) {
        let outcome = subject.store_batch(batch).await;
        assert_eq!(outcome.settled, batch.len(), "a batch must be stored");
    }
    in_order(&rows)
}

/// What is asked of the history and of the list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    pub(crate) pattern: &'static str,
    pub(crate) start_ms: Option<u64>,
    pub(crate) end_ms: Option<u64>,
    pub(crate) latest: Option<usize>,
    pub(crate) oldest: Option<usize>,
    order: Option<Order>,
    limit: Option<usize>,
    filter: Option<usize>,
}

impl Question {
    pub(crate) fn draw(lottery: &mut Lottery, rows: &[StoredValue]) -> Self {
        let last = rows.iter().map(|row| row.stored_at).max().unwrap_or(0) + 2;
        let numbers = [0, 1, 2, 5, 100, usize::MAX];
        let mut maybe = |one: u64| lottery.once_in(one).then(|| lottery.pick(&numbers));
        let (latest, oldest, limit) = (maybe(4), maybe(4), maybe(4));
        let filter = lottery
            .once_in(2)
            .then(|| lottery.below(filters().len() as u64) as usize);
        Self {
            pattern: lottery.pick(&PATTERNS),
            start_ms: lottery.once_in(3).then(|| lottery.below(last)),
            end_ms: lottery.once_in(3).then(|| lottery.below(last)),
            latest,
            oldest: oldest.filter(|_| latest.is_none()),
            order: lottery.pick(&[None, Some(Order::NewestFirst), Some(Order::OldestFirst)]),
            limit,
            filter,
        }
    }

    /// The rows of each series that the question is about, oldest first.
    pub(crate) fn series_of_list(&self, rows: &[StoredValue]) -> Vec<(String, Vec<StoredValue>)> {
        let by_time = Self {
            order: Some(Order::OldestFirst),
            ..self.clone()
        };
        let rows = by_time.of_list(rows);
        let series = rows.chunk_by(|one, next| one.record_name == next.record_name);
        series
            .map(|rows| (rows[0].record_name.clone(), rows.to_vec()))
            .collect()
    }

    /// Whether the question is about series of this name.
    pub(crate) fn selects(&self, record_name: &str) -> bool {
        let pattern = Pattern::parse(self.pattern).expect("a pattern");
        pattern.matches(record_name)
    }

    pub(crate) fn condition(&self) -> Option<fn(&Value) -> bool> {
        self.filter.map(|index| filters().swap_remove(index).1)
    }

    pub(crate) fn of(&self, subject: &Subject) -> History<Value> {
        let mut history = history(subject, self.pattern);
        if let Some(start_ms) = self.start_ms {
            history = history.since(start_ms);
        }
        if let Some(end_ms) = self.end_ms {
            history = history.until(end_ms);
        }
        if let Some(latest) = self.latest {
            history = history.latest(latest);
        }
        if let Some(oldest) = self.oldest {
            history = history.oldest(oldest);
        }
        if let Some(order) = self.order {
            history = history.order(order);
        }
        if let Some(limit) = self.limit {
            history = history.limit(limit);
        }
        if let Some(index) = self.filter {
            history = history.filter(filters().swap_remove(index).0);
        }
        history
    }

    /// The answer of a list that is by record name, then newest first.
    pub(crate) fn of_list(&self, rows: &[StoredValue]) -> Vec<StoredValue> {
        let pattern = Pattern::parse(self.pattern).expect("a pattern");
        let filter = self.filter.map(|index| filters().swap_remove(index).1);
        let mut rows = rows.to_vec();
        rows.retain(|row| {
            pattern.matches(&row.record_name)
                && self.start_ms.is_none_or(|start| row.stored_at >= start)
                && self.end_ms.is_none_or(|end| row.stored_at <= end)
                && filter.is_none_or(|holds| holds(&row.value))
        });
        let default_order = match self.oldest {
            Some(_) => Order::OldestFirst,
            None => Order::NewestFirst,
        };
        let mut answer = Vec::new();
        for series in rows.chunk_by(|one, next| one.record_name == next.record_name) {
            let mut series = series.to_vec();
            series.truncate(self.latest.unwrap_or(usize::MAX));
            series.reverse();
            series.truncate(self.oldest.unwrap_or(usize::MAX));
            if self.order.unwrap_or(default_order) == Order::NewestFirst {
                series.reverse();
            }
            answer.extend(series);
        }
        answer
    }
}

fn stored(rows: Vec<Persisted<Value>>) -> Vec<StoredValue> {
    rows.into_iter()
        .map(
            |Persisted {
                 record_name,
                 stored_at,
                 value,
                 ..
             }| row(&record_name, stored_at, value),
        )
        .collect()
}

pub(crate) async fn questions_are_answered_like_a_list_would(subject: Subject) {
    let mut lottery = Lottery::new(7);
    let rows = store_rows(&subject, &mut lottery, 1_500).await;
    for _ in 0..80 {
        let question = Question::draw(&mut lottery, &rows);
        let history = question.of(&subject);
        let all = question.of_list(&rows);
        let limited = &all[..all.len().min(question.limit.unwrap_or(usize::MAX))];

        let answer = history.clone().rows().await;
        let answer =
            answer.unwrap_or_else(|error| panic!("{question:?} must be answered, not: {error}"));
        expect_rows(
            &stored(answer),
            limited,
            &format!("a question must be answered as a list would: {question:?}"),
        );

        let count = history
            .clone()
            .count()
            .await
            .expect("what has rows can be counted");
        assert_eq!(
            count,
            limited.len() as u64,
            "rows must be counted: {question:?}"
        );
        let exists = history
            .clone()
            .exists()
            .await
            .expect("what has rows exists or not");
        assert_eq!(
            exists,
            !limited.is_empty(),
            "it must be known whether there are rows: {question:?}"
        );

        let times = || all.iter().map(|row| row.stored_at);
        let first = history
            .clone()
            .first()
            .await
            .expect("what has rows has a first one");
        assert_eq!(
            first.map(|row| row.stored_at),
            times().min(),
            "the first is the oldest: {question:?}"
        );
        let last = history.clone().last().await;
        assert_eq!(
            last.expect("what has rows has a last one")
                .map(|row| row.stored_at),
            times().max(),
            "the last is the newest: {question:?}"
        );

        let by_time = history.by_time().rows().await;
        let mut expected = all.clone();
        let oldest_first = match question.order {
            Some(order) => order == Order::OldestFirst,
            None => question.oldest.is_some(),
        };
        // A stable sort: rows of one time stay as they are.
        expected.sort_by_key(|row| match oldest_first {
            true => row.stored_at,
            false => u64::MAX - row.stored_at,
        });
        expected.truncate(question.limit.unwrap_or(usize::MAX));
        expect_rows(
            &stored(by_time.expect("rows can be ordered by time")),
            &expected,
            &format!("rows of all series must come by time: {question:?}"),
        );
    }
}

pub(crate) async fn a_stream_is_the_answer_in_pages(subject: Subject) {
    let mut rows = store_rows(&subject, &mut Lottery::new(8), 3_000).await;
    let all = Question {
        pattern: "#",
        ..Question::default()
    };
    let questions = [
        all.clone(),
        Question {
            order: Some(Order::OldestFirst),
            limit: Some(2_345),
            ..all.clone()
        },
        Question {
            filter: Some(0),
            ..all.clone()
        },
        Question {
            latest: Some(600),
            ..all.clone()
        },
        Question {
            oldest: Some(1),
            ..all
        },
    ];
    for question in questions {
        let mut stream = question.of(&subject).stream();
        let mut streamed = Vec::new();
        while let Some(row) = stream.next().await {
            let row =
                row.unwrap_or_else(|error| panic!("{question:?} must be streamed, not: {error}"));
            streamed.push(row);
            assert!(
                streamed.len() <= rows.len(),
                "a stream must end: {question:?}"
            );
            if streamed.len() == 1 {
                subject.store("a.y", 1, "stored during the stream").await;
            }
        }
        let mut expected = question.of_list(&rows);
        expected.truncate(question.limit.unwrap_or(usize::MAX));
        let promise = format!("a stream must show the moment at which it began: {question:?}");
        expect_rows(&stored(streamed), &expected, &promise);
        rows = subject.select("#").await;
    }
}

pub(crate) async fn the_value_in_force_is_the_newest_up_to_then(subject: Subject) {
    let stored = [
        ("a", 10, 1),
        ("a", 20, 2),
        ("a", 20, 3),
        ("a", 30, 4),
        ("b", 25, 5),
        ("c", 5, 6),
    ];
    let stored = stored.map(|(name, time, value)| row(name, time, value));
    subject.store_all(&stored).await;
    for (time, expected) in [
        (4_u64, &[][..]),
        (5, &[6]),
        (19, &[1, 6]),
        (20, &[3, 6]),
        (25, &[3, 5, 6]),
        (u64::MAX, &[4, 5, 6]),
    ] {
        let in_force = history(&subject, "#").as_of(time).values().await;
        let in_force = in_force.expect("there is an answer for every time");
        let expected: Vec<Value> = expected.iter().map(|value| json!(value)).collect();
        assert_eq!(
            in_force, expected,
            "of each series the newest row up to {time} must be the one in force"
        );
    }
}
