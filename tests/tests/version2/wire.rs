//! Access is granted by AimDB's own grammar: an answer must not reach further than that.

use std::sync::Arc;

use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, PersistenceBackend};
use aimdb_persistence_tests::records::FOREVER;
use serde_json::json;

use crate::aimdb::{self, RemoteClient};

#[tokio::test]
async fn a_client_s_pattern_selects_what_the_access_check_sees_in_it() {
    let backend = Arc::new(MemoryBackend::new());
    for record in ["temp", "temperature", "temp.sf", "temp.sf.raw", "temp::sf"] {
        backend.store(record, &json!(1), 1).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let builder = aimdb::builder().with_persistence(backend, FOREVER);
    let (builder, socket) = aimdb::add_remote_access(builder, folder.path());
    let db = aimdb::build(builder).await;
    let mut client = RemoteClient::connect(&socket).await;
    for (pattern, admitted, here) in [
        // Here a `*` alone means every record and `temp*` is a wildcard; there they are one segment, and literal.
        ("*", vec!["temp", "temp::sf", "temperature"], 5),
        ("temp*", vec![], 2),
        ("temp::*", vec![], 1),
        ("temp.*", vec!["temp.sf"], 1),
        ("temp.#", vec!["temp", "temp.sf", "temp.sf.raw"], 3),
        (
            "#",
            vec!["temp", "temp.sf", "temp.sf.raw", "temp::sf", "temperature"],
            5,
        ),
        ("temp::sf", vec!["temp::sf"], 1),
    ] {
        let answer = client.query(json!({ "name": pattern })).await.unwrap();
        let rows = aimdb::remote_rows(&answer);
        let records: Vec<_> = rows.iter().map(|(record, _, _)| record.as_str()).collect();
        assert_eq!(records, admitted, "{pattern}");
        let own: Vec<u64> = db.query_latest(pattern, 1).await.unwrap();
        assert_eq!(own.len(), here, "{pattern}");
    }
}
