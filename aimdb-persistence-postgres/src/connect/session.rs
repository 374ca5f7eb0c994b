//! A connection to the server: its settings, its prepared statements, and the limits that every answer has.

use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence_backend::StorageErrorKind;
use futures_util::TryStreamExt as _;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Row, RowStream, Statement};

use crate::connect::address::{Address, Security};
use crate::connect::{password, tls};
use crate::error::{During, Failure};
use crate::options::PostgresBackendBuilder;

pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The server ends a statement at its limit. If its answer has not come so much later, the connection is given up.
const GRACE: Duration = Duration::from_secs(1);

/// A session that is in a transaction and hears nothing of its client ends after this time.
const IDLE_IN_TRANSACTION: &str = "20s";

/// How long the operating system waits for the server to acknowledge what it was sent.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

/// Where every session connects to, and how.
#[derive(Clone)]
pub(crate) struct Connector {
    address: Arc<Address>,
    pub(crate) options: PostgresBackendBuilder,
}

/// One connection.
pub(crate) struct Session {
    client: Arc<Client>,
    /// The task that drives the connection. It ends with the session.
    driver: AbortHandle,
    statements: HashMap<Box<str>, Statement>,
    pub(crate) server: Arc<str>,
    pub(crate) limit: Duration,
    is_broken: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connector {
    pub(crate) fn new(options: PostgresBackendBuilder) -> Result<Self, Failure> {
        Ok(Self {
            address: Arc::new(Address::parse(&options.url)?),
            options,
        })
    }

    /// The server and the database, for messages.
    pub(crate) fn server(&self) -> &str {
        &self.address.label
    }

    /// Connects, and sets the session's limits. `role` is what it is for: `writer` or `reader`.
    pub(crate) async fn connect(&self, role: &str) -> Result<Session, Failure> {
        let options = &self.options;
        let mut config = self.address.config.clone();
        password::provide(&mut config, &options.password, self.server())?;
        let source = options.source.as_deref().unwrap_or("all");
        let name: String = format!("aimdb {role} {source}").chars().take(60).collect();
        config
            .application_name(name)
            .connect_timeout(options.connect_timeout)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .keepalives_idle(UNACKNOWLEDGED)
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
        // The driver's own limit ends with the handshake of TCP: one for all of it, for each address.
        let addresses = u32::try_from(config.get_hosts().len()).unwrap_or(1);
        let limit = options.connect_timeout * addresses + GRACE;
        let connected = timeout(limit, self.connected(&config)).await;
        let (client, driver) =
            connected.map_err(|_| Failure::timed_out(self.server(), "connecting", limit))??;
        let mut session = Session {
            client: Arc::new(client),
            driver,
            statements: HashMap::new(),
            server: self.server().into(),
            limit: options.statement_timeout + GRACE,
            is_broken: false,
        };
        let settings = format!(
            "SET search_path = {schema}; SET statement_timeout = {statement}; SET lock_timeout = {lock}; \
             SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION}'; SET client_min_messages = warning; \
             SET TimeZone = 'UTC'; SET synchronous_commit = on",
            schema = quoted(&options.schema),
            statement = milliseconds(options.statement_timeout),
            lock = milliseconds(options.lock_timeout),
        );
        session.run(&settings, "setting up a session").await?;
        Ok(session)
    }

    async fn connected(&self, config: &Config) -> Result<(Client, AbortHandle), Failure> {
        let doing = "connecting";
        match &self.address.security {
            Security::Plain => {
                let (client, connection) =
                    config.connect(NoTls).await.during(self.server(), doing)?;
                Ok((client, drive(connection)))
            }
            Security::Verified { authorities } => {
                let tls = tls::verified(authorities.as_deref(), self.server())?;
                let connected = config.connect(tls).await;
                let (client, connection) = connected.map_err(|error| self.refused_by_tls(error))?;
                Ok((client, drive(connection)))
            }
        }
    }

    /// A certificate that does not hold will not hold a moment later.
    fn refused_by_tls(&self, error: tokio_postgres::Error) -> Failure {
        let failure = Failure::of_postgres(self.server(), "connecting", error);
        let told = failure.to_string();
        let advice = if told.contains("server does not support TLS") {
            "the server offers no TLS: switch it on there (`ssl = on`), or write `sslmode=disable` into the URL where the \
             network is your own"
        } else if told.contains("ertificate") {
            "the server's certificate is not valid for this host name, or its authority is unknown here: connect by the name \
             that it is made for, and name an authority of your own by `sslrootcert=…`"
        } else {
            return failure;
        };
        Failure::new(
            StorageErrorKind::CannotOpen,
            self.server(),
            format!("connecting failed: {advice}"),
        )
        .caused_by(failure)
    }
}

impl std::error::Error for Failure {}

fn drive<S, T>(connection: tokio_postgres::Connection<S, T>) -> AbortHandle
where
    tokio_postgres::Connection<S, T>:
        Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
{
    let driving = tokio::spawn(async move {
        // Its error ends every request under way, and each tells it.
        let _ = connection.await;
    });
    driving.abort_handle()
}

/// A name as SQL has it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// PostgreSQL takes 0 for no limit, and no more than 31 bits.
fn milliseconds(limit: Duration) -> u128 {
    limit.as_millis().clamp(1, i32::MAX as u128)
}

impl Session {
    /// Has the next statements take so long at least, which are few and seldom. Within a transaction.
    pub(crate) async fn take_time(&mut self, limit: Duration) -> Result<(), Failure> {
        self.limit = self.limit.max(limit);
        let sql = format!("SET LOCAL statement_timeout = {}", milliseconds(self.limit));
        self.run(&sql, "setting up a session").await
    }

    /// Whether nothing can be asked of it any more.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken || self.client.is_closed()
    }

    /// Gives up a connection that does not answer in time: what comes later would be taken for another answer.
    async fn within_limit<T>(
        &mut self,
        doing: &str,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        let Ok(answer) = timeout(self.limit, answer).await else {
            self.is_broken = true;
            self.driver.abort();
            return Err(Failure::timed_out(&self.server, doing, self.limit));
        };
        let answer = answer.during(&self.server, doing);
        if answer.as_ref().is_err_and(Failure::is_unanswered) {
            self.is_broken = true;
        }
        answer
    }

    /// Runs statements without parameters.
    pub(crate) async fn run(&mut self, sql: &str, doing: &str) -> Result<(), Failure> {
        let client = Arc::clone(&self.client);
        self.within_limit(doing, async { client.batch_execute(sql).await })
            .await
    }

    pub(crate) async fn query(
        &mut self,
        sql: &str,
        params: Params<'_>,
        doing: &str,
    ) -> Result<Vec<Row>, Failure> {
        let statement = self.statement(sql, doing).await?;
        let client = Arc::clone(&self.client);
        self.within_limit(doing, async { client.query(&statement, params).await })
            .await
    }

    /// Rows as they come: more are read only when these were taken.
    pub(crate) async fn stream(
        &mut self,
        sql: &str,
        params: Params<'_>,
        doing: &str,
    ) -> Result<Pin<Box<RowStream>>, Failure> {
        let statement = self.statement(sql, doing).await?;
        let client = Arc::clone(&self.client);
        let params = params.iter().copied();
        self.within_limit(doing, async { client.query_raw(&statement, params).await })
            .await
            .map(Box::pin)
    }

    /// The next row of a stream of this session.
    pub(crate) async fn next(
        &mut self,
        rows: &mut Pin<Box<RowStream>>,
        doing: &str,
    ) -> Result<Option<Row>, Failure> {
        self.within_limit(doing, async { rows.try_next().await })
            .await
    }

    /// How many rows were concerned.
    pub(crate) async fn execute(
        &mut self,
        sql: &str,
        params: Params<'_>,
        doing: &str,
    ) -> Result<u64, Failure> {
        let statement = self.statement(sql, doing).await?;
        let client = Arc::clone(&self.client);
        self.within_limit(doing, async { client.execute(&statement, params).await })
            .await
    }

    /// Copies rows in. `COPY` knows no limit of the server, so each part of it has ours.
    pub(crate) async fn copy<'r>(
        &mut self,
        sql: &str,
        types: &[Type],
        rows: impl Iterator<Item = [&'r (dyn ToSql + Sync); 6]>,
        doing: &str,
    ) -> Result<u64, Failure> {
        let statement = self.statement(sql, doing).await?;
        let client = Arc::clone(&self.client);
        let sink = self
            .within_limit(doing, async { client.copy_in(&statement).await })
            .await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, types));
        for row in rows {
            self.within_limit(doing, writer.as_mut().write(&row))
                .await?;
        }
        self.within_limit(doing, writer.as_mut().finish()).await
    }

    async fn statement(&mut self, sql: &str, doing: &str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let client = Arc::clone(&self.client);
        let statement = self
            .within_limit(doing, async { client.prepare(sql).await })
            .await?;
        self.statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }
}
