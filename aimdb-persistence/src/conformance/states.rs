//! States and runs are those of a model that looks at every millisecond.

use std::collections::BTreeMap;

use aimdb_persistence_backend::StoredValue;
use aimdb_persistence_backend::internal::{Lottery, Subject, in_order, row};
use serde_json::{Value, json};

use crate::conformance::model::Model;
use crate::conformance::over_time::{TIMES_MS, models};
use crate::conformance::questions::Question;
use crate::time::now_ms;

/// The time in each state, and how often it was entered.
fn states(model: &Model<'_>) -> BTreeMap<String, (u64, u64)> {
    let state_of = |row: &StoredValue| {
        let state = &row.value["state"];
        (!state.is_null()).then(|| state.to_string())
    };
    let mut states = BTreeMap::<_, (u64, u64)>::new();
    for at in model.start_ms..model.end_ms {
        if let Some(state) = model.in_force(at).and_then(state_of) {
            states.entry(state).or_default().0 += 1;
        }
    }
    let mut rows: Vec<&StoredValue> = model.rows.clone();
    rows.retain(|row| {
        row.stored_at <= model.end_ms && (model.reaches_back || row.stored_at >= model.start_ms)
    });
    for (index, row) in rows.iter().enumerate() {
        let is_own = model.own.iter().any(|own| own == row);
        let Some(state) = state_of(row).filter(|_| is_own) else {
            continue;
        };
        let before = index.checked_sub(1).map(|before| rows[before]);
        let before = before.filter(|before| {
            model.filter.is_none_or(|holds| holds(&before.value))
                && row.stored_at - before.stored_at <= model.holds_ms
        });
        if before.and_then(state_of).as_ref() != Some(&state) {
            states.entry(state).or_default().1 += 1;
        }
    }
    states
}

pub(crate) async fn states_are_those_of_a_list(subject: Subject) {
    const STATE: crate::Field<Value, Value> = crate::Field::at(&["state"]);
    let mut lottery = Lottery::new(13);
    let rows = store_rows_apart(&subject, &mut lottery).await;
    for _ in 0..120 {
        let mut question = Question::draw(&mut lottery, &rows);
        question.pattern = "#";
        if question.start_ms.is_some() && question.end_ms.is_none() {
            question.end_ms = Some(lottery.below(TIMES_MS + 50));
        }
        let holds_ms = lottery.pick(&[u64::MAX, 9]);
        let holds = std::time::Duration::from_millis(holds_ms);
        let found = question
            .of(&subject)
            .holds(holds)
            .time_in_states(STATE)
            .await;
        let found = found.expect("states can be found");
        let own = question.series_of_list(&rows);
        let now = now_ms();
        let mut expected = Vec::new();
        for (name, model) in models(&rows, &own, &question, holds_ms, (now, now)) {
            let states = states(&model);
            let known_ms: u64 = states.values().map(|(total_ms, _)| total_ms).sum();
            for (state, (total_ms, times)) in states {
                let range_ms = model.end_ms - model.start_ms;
                expected.push((name.clone(), state, total_ms, times, known_ms, range_ms));
            }
        }
        let found: Vec<_> = found
            .into_iter()
            .map(|held| {
                let state = held.state.to_string();
                (
                    held.record_name,
                    state,
                    held.total_ms,
                    held.times,
                    held.known_ms,
                    held.range_ms,
                )
            })
            .collect();
        assert_eq!(
            found, expected,
            "the time in each state: {question:?}, held for {holds_ms} ms"
        );
    }
}

/// Rows of few values, so that some follow themselves; no two of them of one time.
async fn store_rows_apart(subject: &Subject, lottery: &mut Lottery) -> Vec<StoredValue> {
    let mut rows = Vec::new();
    for name in ["a", "b"] {
        let mut at = 0;
        while at < TIMES_MS {
            let state =
                lottery.pick(&[json!("Idle"), json!("Idle"), json!("Running"), json!(null)]);
            let value = json!({ "state": state, "v": lottery.below(3) });
            rows.push(row(name, at, value));
            at += 1 + lottery.below(8);
        }
    }
    subject.store_batch(&rows).await;
    in_order(&rows)
}

/// Runs of equal values, as the milliseconds say: with their ends and the number of their rows.
fn runs(model: &Model<'_>) -> Vec<(u64, u64, u64, Value)> {
    let mut runs = Vec::<(u64, u64, u64, Value)>::new();
    for at in model.start_ms..=model.end_ms {
        // Rows of one time follow each other within no time.
        for row in model.own.iter().filter(|row| row.stored_at == at) {
            let goes_on = |run: &&mut (u64, u64, u64, Value)| run.1 == at && run.3 == row.value;
            match runs.last_mut().filter(goes_on) {
                Some(run) => run.2 += 1,
                None => runs.push((at, at, 1, row.value.clone())),
            }
        }
        let Some(row) = model.in_force(at).filter(|_| at < model.end_ms) else {
            continue;
        };
        match runs
            .last_mut()
            .filter(|run| run.1 == at && run.3 == row.value)
        {
            Some(run) => run.1 = at + 1,
            None => runs.push((at, at + 1, 0, row.value.clone())),
        }
    }
    runs
}

pub(crate) async fn runs_are_those_of_a_list(subject: Subject) {
    let mut lottery = Lottery::new(14);
    let rows = store_rows_apart(&subject, &mut lottery).await;
    for _ in 0..120 {
        let mut question = Question::draw(&mut lottery, &rows);
        question.pattern = "#";
        if question.start_ms.is_some() && question.end_ms.is_none() {
            question.end_ms = Some(lottery.below(TIMES_MS + 50));
        }
        let holds_ms = lottery.pick(&[u64::MAX, 5]);
        let holds = std::time::Duration::from_millis(holds_ms);
        let found = question.of(&subject).holds(holds).changes().await;
        let found = found.expect("runs can be found").into_iter();
        let found: Vec<_> = found
            .map(|run| {
                (
                    run.record_name,
                    (run.start_ms, run.end_ms, run.rows, run.value),
                )
            })
            .collect();
        let own = question.series_of_list(&rows);
        let now = now_ms();
        let models = models(&rows, &own, &question, holds_ms, (now, now));
        let expected: Vec<_> = models
            .iter()
            .flat_map(|(name, model)| runs(model).into_iter().map(|run| (name.clone(), run)))
            .collect();
        assert_eq!(
            found, expected,
            "runs of equal values: {question:?}, held for {holds_ms} ms"
        );
    }
}
