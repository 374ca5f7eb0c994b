//! AimDB 2's TCP connector carries 64 KiB at once: a longer answer would end the connection.

use std::sync::Arc;

use aimdb_client::AimxConnection;
use aimdb_persistence::{AimDbBuilderPersistExt, MemoryBackend, PersistenceBackend};
use aimdb_persistence_tests::records::FOREVER;
use aimdb_tcp_connector::connector::TcpServer;
use aimdb_tokio_adapter_2::net::TokioNet;
use serde_json::{Value, json};

use crate::aimdb;

#[tokio::test]
async fn every_row_arrives_over_tcp_and_the_connection_lasts() {
    let backend = Arc::new(MemoryBackend::new());
    for record in ["a", "b"] {
        for at in 0..2_000 {
            let value = json!({ "text": "“quoted” ".repeat(at as usize % 20), "at": at });
            backend.store(record, &value, at).await.unwrap();
        }
    }
    backend
        .store("b", &json!("x".repeat(100_000)), 5_000)
        .await
        .unwrap();
    let listener = TokioNet::listen("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let server = TcpServer::new(listener);
    let builder = aimdb::builder().with_persistence(backend, FOREVER);
    let _db = aimdb::build(builder.with_connector(server)).await;

    let connection = AimxConnection::connect(&endpoint).await.unwrap();
    let mut params = json!({ "name": "#", "start": 0 });
    let (mut rows, mut longest, mut too_large) = (0, 0, 0);
    loop {
        let answer = connection
            .query(params)
            .await
            .expect("the connection lasts");
        rows += aimdb::remote_rows(&answer).len();
        longest = longest.max(answer.to_string().len());
        too_large += answer["too_large"]["rows"].as_u64().unwrap_or(0);
        match answer.get("cursor") {
            Some(Value::String(cursor)) => params = json!({ "name": cursor }),
            _ => break,
        }
    }
    assert_eq!((rows, too_large), (4_000, 1));
    assert!((40_000..=60 * 1024).contains(&longest), "{longest}");
}
