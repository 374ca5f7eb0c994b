//! One file, three versions of a program: every row is read, and asked for by the fields of the newest.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceBackend, Series,
};
use aimdb_persistence_tests::backends::{on_every_backend, sqlite};
use aimdb_persistence_tests::records::FOREVER;
use serde::{Deserialize, Serialize};

use crate::aimdb;

/// The program of the first release, which declared no version.
mod first {
    use super::{Deserialize, Persist, Serialize};

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "boiler.{name}", buffer = "ring(4096)")]
    pub(super) struct Boiler {
        pub(super) tenths: i64,
        #[persist(timestamp)]
        pub(super) at: u64,
    }
}

mod second {
    use super::{Deserialize, Persist, Serialize, first};

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(
        key = "boiler.{name}",
        version = 2,
        migrate(first::Boiler),
        buffer = "ring(4096)"
    )]
    pub(super) struct Boiler {
        pub(super) celsius: f64,
        #[persist(timestamp)]
        pub(super) at: u64,
    }

    impl From<first::Boiler> for Boiler {
        fn from(first::Boiler { tenths, at }: first::Boiler) -> Self {
            let celsius = tenths as f64 / 10.0;
            Self { celsius, at }
        }
    }
}

mod third {
    use super::{Deserialize, Persist, Serialize, first, second};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
    #[persist(
        key = "boiler.{name}",
        version = 3,
        migrate(first::Boiler, second::Boiler),
        buffer = "ring(4096)"
    )]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Boiler {
        #[serde(rename = "K")]
        pub(super) kelvin: f64,
        pub(super) is_hot: bool,
        #[persist(timestamp)]
        pub(super) at: u64,
    }

    impl From<second::Boiler> for Boiler {
        fn from(second::Boiler { celsius, at }: second::Boiler) -> Self {
            Self {
                kelvin: celsius + 273.0,
                is_hot: celsius > 50.0,
                at,
            }
        }
    }
}

const ROWS: u64 = 1_000;

/// One run of a program.
async fn run<T: Persist>(
    backend: Arc<dyn PersistenceBackend>,
    series: Series<T>,
    value: impl Fn(u64) -> T,
    times: std::ops::Range<u64>,
) {
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    series.register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in times {
        aimdb::produce(&db, series.key(), value(at)).await;
    }
    db.flush_persistence().await.expect("the backend works");
}

/// Tenths of a degree, from 0 to 99.9 °C.
fn tenths(at: u64) -> i64 {
    at as i64 % 1_000
}

/// The rows of three programs, one after the other.
async fn three_programs(backend: &Arc<dyn PersistenceBackend>) {
    let first = |at| first::Boiler {
        tenths: tenths(at),
        at,
    };
    let second = |at| second::Boiler::from(first(at));
    let third = |at| third::Boiler::from(second(at));
    let series = first::Boiler::series("old");
    run(backend.clone(), series, first, 0..ROWS).await;
    let series = second::Boiler::series("old");
    run(backend.clone(), series, second, ROWS..2 * ROWS).await;
    let series = third::Boiler::series("old");
    run(backend.clone(), series, third, 2 * ROWS..3 * ROWS).await;
}

async fn newest_program(backend: Arc<dyn PersistenceBackend>) -> aimdb::Db {
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    third::Boiler::series("old").register(&mut builder);
    aimdb::build(builder).await
}

fn expected(at: u64) -> third::Boiler {
    let celsius = tenths(at) as f64 / 10.0;
    third::Boiler {
        kelvin: celsius + 273.0,
        is_hot: celsius > 50.0,
        at,
    }
}

#[tokio::test]
async fn a_file_of_the_first_version_is_read_by_the_third_all_rows_lifted_twice() {
    let folder = tempfile::tempdir().unwrap();
    let backend = sqlite(folder.path());
    three_programs(&(Arc::new(backend.clone()) as Arc<dyn PersistenceBackend>)).await;
    backend.close().await.unwrap();
    let db = newest_program(Arc::new(sqlite(folder.path()))).await;
    let rows = third::Boiler::history(&db).oldest(usize::MAX).strict();
    let rows = rows.values().await.unwrap();
    assert_eq!(rows, (0..3 * ROWS).map(expected).collect::<Vec<_>>());
    assert_eq!(db.persistence_stats().unwrap().undecodable, 0);
}

#[tokio::test]
async fn a_condition_looks_at_rows_of_every_version_as_they_are_once_lifted() {
    on_every_backend(async |backend| {
        three_programs(&backend).await;
        let db = newest_program(backend).await;
        let fields = third::Boiler::fields();
        let conditions = [
            (
                fields.is_hot.is_true(),
                (|b| b.is_hot) as fn(&third::Boiler) -> bool,
            ),
            (fields.kelvin.lt(280.0), |b| b.kelvin < 280.0),
            (!fields.kelvin.within(274.0..300.0), |b| {
                !(274.0..300.0).contains(&b.kelvin)
            }),
        ];
        for (condition, holds) in conditions {
            let wanted: Vec<_> = (0..3 * ROWS).map(expected).filter(holds).collect();
            let asked = third::Boiler::history(&db).filter(condition);
            assert_eq!(asked.clone().count().await.unwrap(), wanted.len() as u64);
            let found = asked.oldest(usize::MAX).values().await.unwrap();
            assert_eq!(found, wanted);
        }
    })
    .await;
}
