//! How a backend is opened, option by option.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence_backend::{BoxError, Pattern};

use crate::scope::Scope;

/// Where the password comes from.
#[derive(Clone)]
pub(crate) enum PasswordFrom {
    /// From the URL, or else from `PGPASSFILE` or `~/.pgpass`.
    UrlOrPgpass,
    Text(Arc<str>),
    File(PathBuf),
    Callback(Arc<AskPassword>),
}

pub(crate) type AskPassword = dyn Fn() -> Result<String, BoxError> + Send + Sync;

/// Never shows a password.
impl fmt::Debug for PasswordFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UrlOrPgpass => f.write_str("UrlOrPgpass"),
            Self::Text(_) => f.write_str("Text(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Callback(_) => f.write_str("Callback(…)"),
        }
    }
}

/// Opens a [`PostgresBackend`](crate::PostgresBackend) with options.
///
/// ```
/// use std::time::Duration;
/// use aimdb_persistence_postgres::PostgresBackend;
///
/// # async fn open() -> Result<(), aimdb_persistence_backend::PersistenceError> {
/// let backend = PostgresBackend::builder("postgresql://gateway-17@db.example/history?sslmode=verify-full")
///     .source("gateway-17")
///     .password_file("/run/secrets/history")
///     .statement_timeout(Duration::from_secs(20))
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is opened before `.connect()`"]
pub struct PostgresBackendBuilder {
    /// May hold a password.
    pub(crate) url: Arc<str>,
    pub(crate) source: Option<Arc<str>>,
    /// `None` for the program's own.
    pub(crate) sources: Option<Scope>,
    pub(crate) take_over: bool,
    pub(crate) read_only: bool,
    pub(crate) schema: Arc<str>,
    pub(crate) password: PasswordFrom,
    pub(crate) readers: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) statement_timeout: Duration,
    pub(crate) lock_timeout: Duration,
}

impl PostgresBackendBuilder {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            source: None,
            sources: None,
            take_over: false,
            read_only: false,
            schema: "aimdb".into(),
            password: PasswordFrom::UrlOrPgpass,
            readers: 2,
            connect_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(10),
        }
    }

    /// Under which name this program records. Required. One program records under a name at a time: give each gateway its
    /// own. Queries see the rows of this source.
    pub fn source(mut self, name: impl Into<Arc<str>>) -> Self {
        self.source = Some(name.into());
        self
    }

    /// Queries see the rows of every source whose name this pattern selects, such as `gateway-*` or `vienna.#`. What the
    /// program records still goes under its own name.
    ///
    /// Limits count for each source. Rows come by record name, then by source.
    pub fn sources(mut self, pattern: Pattern) -> Self {
        self.sources = Some(Scope::Matching(pattern));
        self
    }

    /// Queries see the rows of every source.
    pub fn all_sources(mut self) -> Self {
        self.sources = Some(Scope::All);
        self
    }

    /// Displaces a program that records under the same name and is alive. That one gets an error with its next row. Without
    /// this, only a program is displaced whose connection has ended, or that has been silent for 30 seconds.
    pub fn take_over(mut self) -> Self {
        self.take_over = true;
        self
    }

    /// Queries only. Calls that write fail with
    /// [`StorageErrorKind::ReadOnly`](aimdb_persistence_backend::StorageErrorKind::ReadOnly). The history must exist.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The schema that the tables lie in; `aimdb` by default. It is made if it is missing. A schema for each tenant keeps
    /// tenants apart.
    pub fn schema(mut self, name: impl Into<Arc<str>>) -> Self {
        self.schema = name.into();
        self
    }

    /// The password. It takes the place of one in the URL.
    pub fn password(mut self, password: impl Into<Arc<str>>) -> Self {
        self.password = PasswordFrom::Text(password.into());
        self
    }

    /// A file that holds the password and nothing else; a line break at its end does not count. It is read for each
    /// connection, so that a password may change while the program runs.
    pub fn password_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.password = PasswordFrom::File(path.into());
        self
    }

    /// Asks for the password before each connection, for those that expire. It must not take long.
    pub fn password_with(
        mut self,
        ask: impl Fn() -> Result<String, BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.password = PasswordFrom::Callback(Arc::new(ask));
        self
    }

    /// How many queries may run at the same time, each on a connection of its own. At least one, two by default.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// How long connecting to one address may take: 10 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the server may work on one statement: 30 seconds by default. A second later at the latest the connection is
    /// given up.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// How long a statement waits for a lock that another session holds: 10 seconds by default.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }
}

/// Shows neither the URL nor a password.
impl fmt::Debug for PostgresBackendBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBackendBuilder")
            .field("source", &self.source)
            .field("schema", &self.schema)
            .field("password", &self.password)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}
