//! AimDB 1.

use std::fmt::Debug;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use aimdb_core::AimDbBuilder;
use aimdb_core::remote::AimxConfig;
use aimdb_tokio_adapter::TokioAdapter;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

pub use aimdb_core::buffer::{BufferCfg, BufferReader};
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

/// Produces one value where nothing can be awaited.
pub fn produce_at_once<T: Clone + Debug + Send + 'static>(db: &Db, key: &str, value: T) {
    let produced = pin!(db.produce(key, value));
    let polled = produced.poll(&mut Context::from_waker(Waker::noop()));
    assert!(
        matches!(polled, Poll::Ready(Ok(()))),
        "producing never waits, and the record has this type"
    );
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

/// Sends a value through a producer and a consumer of the record, and lets both go.
pub async fn pass_through<T: Clone + Debug + Send + Sync + 'static>(db: &Db, key: &str, value: T) {
    let consumer = db.consumer::<T>(key);
    let mut reader = consumer.subscribe().expect("the record has a buffer");
    let producer = db.producer::<T>(key);
    producer.produce(value).await.expect("the record exists");
    reader.recv().await.expect("the value arrives");
}

/// Lets remote clients in, by a socket in `folder`; returns where.
pub fn add_remote_access(builder: Builder, folder: &Path) -> (Builder, PathBuf) {
    let socket = folder.join("aimx.sock");
    let config = AimxConfig::uds_default().socket_path(&socket);
    (builder.with_remote_access(config), socket)
}

/// A client of the remote protocol: a JSON text per line.
pub struct RemoteClient {
    stream: BufReader<UnixStream>,
}

impl RemoteClient {
    /// Connects and greets.
    ///
    /// # Panics
    /// If the server does not welcome it.
    pub async fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket)
            .await
            .expect("the server listens");
        let mut client = Self {
            stream: BufReader::new(stream),
        };
        let welcome = client
            .exchange(&json!({ "version": "1.0", "client": "behaviour tests" }))
            .await;
        assert!(welcome.get("server").is_some(), "no welcome: {welcome}");
        client
    }

    /// The answer to `record.query`: its result, or else its error.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn query(&mut self, params: Value) -> Result<Value, Value> {
        let request = json!({ "id": 1, "method": "record.query", "params": params });
        let mut answer = self.exchange(&request).await;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(answer["error"].take()),
        }
    }

    async fn exchange(&mut self, message: &Value) -> Value {
        let line = format!("{message}\n");
        self.stream
            .get_mut()
            .write_all(line.as_bytes())
            .await
            .expect("the server reads");
        let mut answer = String::new();
        self.stream
            .read_line(&mut answer)
            .await
            .expect("the server answers");
        serde_json::from_str(&answer).expect("the answer is JSON")
    }
}

/// Whether a record that is tapped but has no buffer can be built.
pub const BUILDS_TAPS_WITHOUT_BUFFER: bool = true;

/// Whether a tap is told of which record it is.
pub const TAPS_KNOW_THEIR_KEY: bool = true;

/// Whether a remote client is told why it gets no answer.
pub const CLIENTS_ARE_TOLD_WHY: bool = true;

/// How many bytes an answer has at most, if the program sets no limits.
pub const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// What a client writes to ask for every record.
pub const EVERY_RECORD: &str = "*";

/// Builds a database with a record that is tapped and has no buffer, where the version allows that.
pub async fn build_with_a_tap_without_buffer(builder: Builder) -> Option<Db> {
    Some(build(builder).await)
}

/// The rows of an answer to `record.query`: record, value and time.
///
/// # Panics
/// If the answer has another shape than this version's clients expect.
pub fn remote_rows(answer: &Value) -> Vec<(String, Value, u64)> {
    let rows = answer["values"].as_array().expect("an array of values");
    assert_eq!(answer["count"], rows.len());
    let row = |row: &Value| {
        assert_eq!(row.as_object().expect("a row is an object").len(), 3);
        let record = row["record"].as_str().expect("a record's name");
        let stored_at = row["stored_at"].as_u64().expect("a time");
        (record.to_owned(), row["value"].clone(), stored_at)
    };
    rows.iter().map(row).collect()
}

/// The same rows in the order of a query: this version's clients get them so.
pub fn in_query_order(rows: Vec<(String, u64)>) -> Vec<(String, u64)> {
    rows
}

/// A reader of a tap's record.
///
/// # Panics
/// If the record has no buffer.
pub fn reader<T, R>(consumer: &aimdb_core::Consumer<T, R>) -> Box<dyn BufferReader<T> + Send>
where
    T: Clone + Debug + Send + Sync + 'static,
    R: aimdb_core::Spawn + 'static,
{
    consumer.subscribe().expect("the record has a buffer")
}
