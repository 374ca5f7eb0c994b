//! AimDB 2.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aimdb_client::{AimxConnection, ClientError};
use aimdb_core_2::remote::QueryRecord;
use aimdb_core_2::{AimDb, AimDbBuilder};
use aimdb_tokio_adapter_2::TokioAdapter;
use aimdb_uds_connector::UdsServer;
use serde_json::{Value, json};

pub use aimdb_core_2::buffer::BufferCfg;
pub use aimdb_tokio_adapter_2::TokioRecordRegistrarExt;

/// A builder for the Tokio runtime.
pub type Builder = AimDbBuilder;

/// A running database.
pub type Db = AimDb;

/// An empty builder.
pub fn builder() -> Builder {
    AimDbBuilder::new().runtime(Arc::new(TokioAdapter))
}

/// Builds the database and lets it run.
pub async fn build(builder: Builder) -> Db {
    let (db, runner) = builder.build().await.expect("the database builds");
    tokio::spawn(runner.run());
    db
}

/// Produces one value.
pub async fn produce<T: Clone + Debug + Send + 'static>(db: &Db, key: &str, value: T) {
    db.produce(key, value)
        .expect("the record exists and has this type");
}

/// Produces one value where nothing can be awaited.
pub fn produce_at_once<T: Clone + Debug + Send + 'static>(db: &Db, key: &str, value: T) {
    db.produce(key, value)
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
                producer.produce(value);
            }
        });
    });
}

/// Sends a value through a producer and a consumer of the record, and lets both go.
pub async fn pass_through<T: Clone + Debug + Send + Sync + 'static>(db: &Db, key: &str, value: T) {
    let consumer = db.consumer::<T>(key).expect("the record exists");
    let mut reader = consumer.subscribe();
    let producer = db.producer::<T>(key).expect("the record exists");
    producer.produce(value);
    reader.recv().await.expect("the value arrives");
}

/// Lets remote clients in, by a socket in `folder`; returns where.
pub fn add_remote_access(builder: Builder, folder: &Path) -> (Builder, PathBuf) {
    let socket = folder.join("aimx.sock");
    let server = UdsServer::new(socket.to_string_lossy());
    (builder.with_connector(server), socket)
}

/// AimDB's own client of the remote protocol.
pub struct RemoteClient {
    connection: AimxConnection,
}

impl RemoteClient {
    /// Connects and greets.
    ///
    /// # Panics
    /// If the server does not welcome it.
    pub async fn connect(socket: &Path) -> Self {
        let endpoint = format!("unix://{}", socket.display());
        let connection = AimxConnection::connect(&endpoint).await;
        Self {
            connection: connection.expect("the server welcomes the client"),
        }
    }

    /// The answer to `record.query`: its result, or else its error.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn query(&mut self, params: Value) -> Result<Value, Value> {
        match self.connection.query(params).await {
            Ok(answer) => Ok(answer),
            Err(ClientError::ServerError { code, message, .. }) => {
                Err(json!({ "code": code, "message": message }))
            }
            Err(error) => panic!("no answer: {error}"),
        }
    }
}

/// Whether a record that is tapped but has no buffer can be built.
pub const BUILDS_TAPS_WITHOUT_BUFFER: bool = false;

/// Whether a tap is told of which record it is.
pub const TAPS_KNOW_THEIR_KEY: bool = false;

/// Whether a remote client is told why it gets no answer.
pub const CLIENTS_ARE_TOLD_WHY: bool = false;

/// How many bytes an answer has at most, if the program sets no limits.
pub const ANSWER_BYTES: usize = 60 * 1024;

/// What a client writes to ask for every record.
pub const EVERY_RECORD: &str = "#";

/// AimDB 2 refuses to build a record that is tapped and has no buffer.
pub async fn build_with_a_tap_without_buffer(builder: Builder) -> Option<Db> {
    let error = builder.build().await.err().expect("AimDB 2 refuses it");
    assert!(error.to_string().contains("buffer"), "{error}");
    None
}

/// The rows of an answer to `record.query`: record, value and time.
///
/// # Panics
/// If the answer has another shape than this version's clients expect, or does not come oldest first.
pub fn remote_rows(answer: &Value) -> Vec<(String, Value, u64)> {
    let records = answer["records"].clone();
    let rows: Vec<QueryRecord> = serde_json::from_value(records).expect("AimDB's own rows");
    assert_eq!(answer["total"], rows.len());
    assert!(rows.is_sorted_by_key(|row| row.ts), "oldest first");
    rows.into_iter()
        .map(|row| (row.topic, row.payload, row.ts))
        .collect()
}

/// Answers come oldest first; queries by record, then newest first.
pub fn in_query_order(mut rows: Vec<(String, u64)>) -> Vec<(String, u64)> {
    rows.sort_by(|(record_a, at_a), (record_b, at_b)| (record_a, at_b).cmp(&(record_b, at_a)));
    rows
}

/// A reader of a tap's record.
pub fn reader<T>(consumer: &aimdb_core_2::Consumer<T>) -> aimdb_core_2::buffer::Reader<T>
where
    T: Clone + Debug + Send + Sync + 'static,
{
    consumer.subscribe()
}
