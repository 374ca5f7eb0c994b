//! AimDB's own metrics of a record's buffer, as `record.list` shows them: a declaration takes none away.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, RecordRegistrarPersistExt,
};
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde_json::{Value, json};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

/// What AimDB lists of a record.
fn listed(db: &aimdb::Db, key: &str) -> Value {
    let records = serde_json::to_value(db.list_records()).unwrap();
    let mut records = records.as_array().unwrap().iter();
    let record = records.find(|record| record["record_key"] == key);
    record.unwrap_or_else(|| panic!("{key} is listed")).clone()
}

#[tokio::test]
async fn a_declared_record_shows_the_metrics_that_a_plain_one_shows() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    Temperature::series("declared").register(&mut builder);
    builder.configure::<Temperature>("plain", |reg| {
        reg.buffer(BufferCfg::SpmcRing { capacity: 65_536 })
            .persist("plain");
    });
    let db = aimdb::build(builder).await;
    for at in 0..5 {
        aimdb::produce(&db, "temperature.declared", Temperature::at(at)).await;
        aimdb::produce(&db, "plain", Temperature::at(at)).await;
    }
    // The recorder of a plain record is a reader of its buffer. So is this.
    aimdb::pass_through(&db, "temperature.declared", Temperature::at(5)).await;
    db.flush_persistence().await.unwrap();
    let declared = listed(&db, "temperature.declared");
    let plain = listed(&db, "plain");
    assert_eq!(
        (&declared["produced_count"], &plain["produced_count"]),
        (&json!(6), &json!(5))
    );
    assert_eq!(
        (&declared["consumed_count"], &plain["consumed_count"]),
        (&json!(1), &json!(5))
    );
    for metric in ["dropped_count", "occupancy"] {
        assert!(!plain[metric].is_null(), "{metric}");
        assert_eq!(
            declared[metric].as_array().map(|pair| &pair[1]),
            plain[metric].as_array().map(|pair| &pair[1]),
            "{metric}"
        );
        assert_eq!(declared[metric].is_null(), plain[metric].is_null());
    }
}
