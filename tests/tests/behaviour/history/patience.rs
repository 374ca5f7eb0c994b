//! Answers that are not waited for.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{Persist, PersistenceError};
use aimdb_persistence_tests::backends::{Call, Gate, Interposed};
use aimdb_persistence_tests::records::Temperature;
use futures_lite::StreamExt;

use crate::behaviour::queries::{on_all, two_stations};

#[tokio::test]
async fn an_answer_that_takes_longer_than_its_time_limit_is_given_up() {
    let unanswered = Interposed::waiting_at(&Gate::shut(), |call| *call == Call::Query);
    let db = two_stations(Arc::new(unanswered)).await;
    let history = Temperature::history(&db).time_limit(Duration::from_millis(20));
    for error in [
        history.clone().values().await.map(drop).unwrap_err(),
        history.clone().exists().await.map(drop).unwrap_err(),
        history.clone().changes().await.map(drop).unwrap_err(),
        history
            .clone()
            .aggregate(Temperature::fields().celsius)
            .combined()
            .await
            .map(drop)
            .unwrap_err(),
        history
            .clone()
            .downsample(Temperature::fields().celsius, 10)
            .await
            .map(drop)
            .unwrap_err(),
        history
            .clone()
            .stream()
            .next()
            .await
            .unwrap()
            .map(drop)
            .unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(
            matches!(error, PersistenceError::TimeLimit { limit_ms: 20 }),
            "{text}"
        );
        assert!(text.contains("20 ms"), "{text}");
    }
}

#[tokio::test]
async fn an_answer_may_be_awaited_anywhere_and_dropped_at_any_time() {
    on_all(async |backend| {
        let db = two_stations(backend).await;
        let history = Temperature::history(&db);
        let counted = tokio::spawn(history.clone().count());
        let mut stream = history.clone().stream();
        let first = tokio::spawn(async move { stream.next().await.unwrap().unwrap() });
        assert_eq!(counted.await.unwrap().unwrap(), 20);
        assert_eq!(first.await.unwrap().stored_at, 9);
        for _ in 0..50 {
            let mut rows = Box::pin(history.clone().rows());
            let polled = futures_lite::future::poll_once(&mut rows).await;
            drop((polled, rows));
            let celsius = Temperature::fields().celsius;
            let sums = history.clone().aggregate(celsius);
            let mut buckets = Box::pin(sums.every("1s").per_series());
            drop((futures_lite::future::poll_once(&mut buckets).await, buckets));
            let mut points = Box::pin(history.clone().downsample(celsius, 3));
            drop((futures_lite::future::poll_once(&mut points).await, points));
            let mut runs = Box::pin(history.clone().changes());
            drop((futures_lite::future::poll_once(&mut runs).await, runs));
        }
        assert_eq!(history.rows().await.unwrap().len(), 20);
    })
    .await;
}
