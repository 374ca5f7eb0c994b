//! The promises that every backend keeps, on a server: a schema for each check.

use std::sync::Arc;

use aimdb_persistence::PersistenceBackend;
use aimdb_persistence::conformance::{self, Check};
use aimdb_persistence_postgres::PostgresBackend;

aimdb_persistence::conformance_tests!(on_a_fresh_schema);

fn on_a_fresh_schema(check: Check) {
    let Some(place) = aimdb_persistence_test_server::place() else {
        return;
    };
    let open = move || {
        let builder = PostgresBackend::builder(&place.url);
        let builder = builder.schema(&*place.schema).source("gateway").take_over();
        async {
            let backend = builder.connect().await.expect("the server is there");
            Arc::new(backend) as Arc<dyn PersistenceBackend>
        }
    };
    conformance::block_on(check.run_reopening(open));
}
