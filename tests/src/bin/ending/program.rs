//! Values of a declared and of a plain record, and an end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, PersistenceBackend, RecordRegistrarPersistExt,
};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_tests::backends::{Call, Gate, Interposed};
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};
use tokio::runtime::Runtime;

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

const DECLARED: u64 = 900;
const PLAIN: u64 = 100;

pub(crate) fn run() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [runtime, ending, path] = &arguments[..] else {
        panic!("not {arguments:?}")
    };
    match (runtime.as_str(), ending.as_str()) {
        (_, "drop_runtime") => drop_runtime(path),
        ("multi_thread", _) => on_many_threads(ending, path),
        _ => on_one_thread(ending, path),
    }
}

#[tokio::main]
async fn on_many_threads(ending: &str, path: &str) {
    produce_and_end(ending, path).await;
}

#[tokio::main(flavor = "current_thread")]
async fn on_one_thread(ending: &str, path: &str) {
    produce_and_end(ending, path).await;
}

async fn produce_and_end(ending: &str, path: &str) {
    let db = aimdb::build(builder(backend(ending, path))).await;
    produce(&db, DECLARED, PLAIN).await;
    match ending {
        "close" => {
            let closed = db.close_persistence(Duration::from_secs(60)).await;
            assert!(closed.expect("it has a history").complete);
        }
        "drop" => drop(db),
        "panic" => panic!("the program has a bug"),
        "return" | "hang" => {}
        _ => panic!("no ending `{ending}`"),
    }
}

/// The database outlives its runtime, and goes on producing.
fn drop_runtime(path: &str) {
    let runtime = Runtime::new().expect("a runtime");
    let db = runtime.block_on(async {
        let db = aimdb::build(builder(backend("drop_runtime", path))).await;
        produce(&db, DECLARED, PLAIN).await;
        db
    });
    drop(runtime);
    let flushed = futures_lite::future::block_on(db.flush_persistence());
    flushed.expect("everything produced before is stored");
    for at in 0..7 {
        aimdb::produce_at_once(&db, "temperature.a", Temperature::at(DECLARED + at));
    }
}

fn backend(ending: &str, path: &str) -> Arc<dyn PersistenceBackend> {
    match ending {
        "hang" => Arc::new(Interposed::waiting_at(&Gate::shut(), |call| {
            matches!(call, Call::Store(_))
        })),
        _ => Arc::new(SqliteBackend::new(Path::new(path)).expect("the file opens")),
    }
}

fn builder(backend: Arc<dyn PersistenceBackend>) -> aimdb::Builder {
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    Temperature::series("a").register(&mut builder);
    builder.configure::<Reading>("plain", |reg| {
        reg.buffer(BufferCfg::SpmcRing { capacity: 256 })
            .persist("plain");
    });
    builder
}

async fn produce(db: &aimdb::Db, declared: u64, plain: u64) {
    for at in 0..declared {
        aimdb::produce(db, "temperature.a", Temperature::at(at)).await;
    }
    for n in 0..plain {
        aimdb::produce(db, "plain", Reading(n as _)).await;
    }
}
