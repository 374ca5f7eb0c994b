//! Many tasks at once lose nothing, and a future may be dropped at any await.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_lite::future;
use serde_json::{Value, json};

use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row};
use crate::contract::backend::{BoxFuture, QueryParams, StoredValue};

/// Polls all of them on this thread until each has ended.
async fn join_all(tasks: Vec<BoxFuture<'_, ()>>) {
    let together = |all, task| -> BoxFuture<'_, ()> {
        Box::pin(async {
            future::zip(all, task).await;
        })
    };
    if let Some(all) = tasks.into_iter().reduce(together) {
        all.await;
    }
}

pub(crate) async fn concurrent_stores_lose_nothing(subject: Subject) {
    const TASKS: u64 = 12;
    const ROWS: u64 = 8;
    let own = |task: u64| -> Vec<StoredValue> {
        let name = format!("own.{task}");
        (0..ROWS).map(|n| row(&name, n, n)).collect()
    };
    let subject = &subject;
    let store_single = |task: u64| async move {
        for (own, n) in own(task).iter().zip(0..) {
            subject.store_all(std::slice::from_ref(own)).await;
            subject.store("shared", 1, json!([task, n])).await;
            future::yield_now().await;
        }
    };
    let store_batch = async move {
        let rows: Vec<_> = (0..ROWS)
            .map(|n| row("shared", 1, json!([TASKS, n])))
            .collect();
        let outcome = subject.store_batch(&rows).await;
        assert_eq!(
            outcome.settled,
            rows.len(),
            "a batch beside stores: {outcome:?}"
        );
    };
    let mut tasks: Vec<BoxFuture<'_, ()>> = vec![Box::pin(store_batch)];
    tasks.extend((0..TASKS).map(|task| Box::pin(store_single(task)) as BoxFuture<'_, ()>));
    join_all(tasks).await;

    let promise = "rows stored by many tasks at once must all be there, each once";
    let stored: Vec<_> = (0..TASKS).flat_map(own).collect();
    expect_rows(&subject.select("own.*").await, &in_order(&stored), promise);
    let shared = subject.select("shared").await;
    assert_eq!(shared.len() as u64, (TASKS + 1) * ROWS, "{promise}");
    for task in 0..=TASKS {
        let mut of_task = shared.clone();
        of_task.retain(|row| row.value[0] == task);
        let expected = (0..ROWS).rev().map(|n| row("shared", 1, json!([task, n])));
        let promise = "the rows of one task must keep their order of storing among those of others";
        expect_rows(&of_task, &expected.collect::<Vec<_>>(), promise);
    }
}

pub(crate) async fn a_query_while_storing_sees_every_answered_row(subject: Subject) {
    const ROWS: u64 = 40;
    let answered = AtomicU64::new(0);
    let (subject, answered) = (&subject, &answered);
    let store = async move {
        for n in 1..=ROWS {
            subject.store("growing", n, n).await;
            answered.store(n, Ordering::SeqCst);
            future::yield_now().await;
        }
    };
    let query = async move {
        while answered.load(Ordering::SeqCst) < ROWS {
            let at_least = answered.load(Ordering::SeqCst);
            let rows = subject.select("growing").await;
            let newest = rows.first().map_or(0, |row| row.stored_at);
            assert!(
                newest >= at_least,
                "every later query must see a stored row: {at_least} were answered, {newest} seen"
            );
            let expected: Vec<_> = (1..=newest).rev().map(|n| row("growing", n, n)).collect();
            let promise = "a query while storing must see the rows stored so far without a gap";
            expect_rows(&rows, &expected, promise);
            future::yield_now().await;
        }
    };
    join_all(vec![Box::pin(store), Box::pin(query)]).await;
    assert_eq!(subject.select("growing").await.len() as u64, ROWS);
}

pub(crate) async fn a_dropped_future_does_no_harm(subject: Subject) {
    const ROUNDS: u64 = 20;
    let backend = &subject.backend;
    let mut answered = Vec::new();
    for n in 0..ROUNDS {
        let value = Value::from(n);
        drop(backend.store("never.polled", &value, n));
        let store = backend.store("dropped", &value, n);
        if let Some(Ok(())) = future::poll_once(store).await {
            answered.push(n);
        }
        drop(future::poll_once(backend.query("#", QueryParams::default())).await);
        drop(future::poll_once(backend.read(read_request("#"))).await);
        drop(future::poll_once(backend.cleanup(0)).await);
        drop(future::poll_once(backend.flush()).await);
        subject.store("kept", n, n).await;
    }
    let kept: Vec<_> = (0..ROUNDS).map(|n| row("kept", n, n)).collect();
    expect_rows(
        &subject.select("kept").await,
        &in_order(&kept),
        "dropping a future half-way must not disturb what comes after it",
    );
    let dropped = subject.select("dropped").await;
    let times: Vec<_> = dropped.iter().map(|row| row.stored_at).collect();
    assert!(
        times.is_sorted_by(|newer, older| newer > older),
        "a store that was dropped half-way must store its row once at most: {times:?}"
    );
    assert!(
        answered.iter().all(|n| times.contains(n)),
        "a store that was answered must have stored its row: {answered:?} were, {times:?} are there"
    );
}
