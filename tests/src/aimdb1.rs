//! AimDB 1.

use std::fmt::Debug;
use std::sync::Arc;

use aimdb_core::AimDbBuilder;
use aimdb_tokio_adapter::TokioAdapter;

pub use aimdb_core::buffer::BufferCfg;
pub use aimdb_tokio_adapter::TokioRecordRegistrarExt;

/// A builder for the Tokio runtime.
pub type Builder = AimDbBuilder<TokioAdapter>;

/// A running database.
pub type Db = aimdb_core::AimDb<TokioAdapter>;

/// An empty builder.
pub fn builder() -> Builder {
    AimDbBuilder::new().runtime(Arc::new(TokioAdapter))
}

/// Builds the database and lets it run.
pub async fn build(builder: Builder) -> Db {
    builder.build().await.expect("the database builds")
}

/// Produces one value.
pub async fn produce<T: Clone + Debug + Send + 'static>(db: &Db, key: &str, value: T) {
    db.produce(key, value)
        .await
        .expect("the record exists and has this type");
}

/// Gives the record a source that produces these values as soon as the database starts it.
pub fn add_source<T: Clone + Debug + Send + Sync + 'static>(
    builder: &mut Builder,
    key: &'static str,
    values: Vec<T>,
) {
    builder.configure::<T>(key, |reg| {
        reg.source(|_, producer| async move {
            for value in values {
                producer
                    .produce(value)
                    .await
                    .expect("the record exists and has this type");
            }
        });
    });
}
