//! The backend itself: a handle that is cheap to clone, and the thread behind it.

mod contract;

use std::fmt;
use std::sync::Arc;

use aimdb_persistence_backend::{PersistenceError, StorageErrorKind};
use tokio::sync::oneshot;

use crate::connect::session::Connector;
use crate::error::Failure;
use crate::options::PostgresBackendBuilder;
use crate::scope::Scope;
use crate::threads::command::Command;
use crate::threads::lifecycle::{Opening, Threads};
use crate::write::holding::Claim;

/// History in a PostgreSQL database, which many programs may share.
///
/// A clone is another handle on the same connections. When the last one is dropped, what was handed over is stored and the
/// source is let go; dropping does not wait for that. [`close`](Self::close) does the same, and resolves when it is done.
///
/// A row is stored exactly once. If the connection ends while a commit is under way, the backend connects again and looks
/// up whether it was done, before it answers.
#[derive(Clone)]
pub struct PostgresBackend {
    pub(crate) threads: Arc<Threads>,
}

impl PostgresBackend {
    /// Opens the database of this URL, such as `postgresql://gateway@db.example/history?sslmode=verify-full`, with options.
    ///
    /// TLS is used, and the server's certificate verified, unless the URL says `sslmode=disable` or names a unix socket.
    /// `sslrootcert=…` names the certificate of an authority of your own.
    pub fn builder(url: &str) -> PostgresBackendBuilder {
        PostgresBackendBuilder::new(url)
    }

    /// Stores what was handed over and lets the source go. Later calls, on clones too, fail with
    /// [`PersistenceError::BackendShutdown`].
    ///
    /// # Errors
    /// None as of now. Closing again is not an error.
    pub async fn close(&self) -> Result<(), PersistenceError> {
        self.threads.close().await;
        Ok(())
    }

    /// Sends a command to the task that writes, and waits for the answer.
    pub(crate) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, PersistenceError> {
        let (sender, answer) = oneshot::channel();
        let sent = self.threads.commands()?.send(command(sender)).await;
        sent.map_err(|_| PersistenceError::BackendShutdown)?;
        answer.await.map_err(|_| PersistenceError::BackendShutdown)
    }
}

/// Shows the server and the source, and no password.
impl fmt::Debug for PostgresBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBackend")
            .field("server", &self.threads.connector.server())
            .field("options", &self.threads.connector.options)
            .finish_non_exhaustive()
    }
}

impl PostgresBackendBuilder {
    /// Connects, makes the tables if there are none, and takes hold of the source.
    ///
    /// # Errors
    /// [`PersistenceError::Storage`]. Its kind says whether the server cannot be reached or the source is held by another
    /// program (`Busy`), the URL, the password, the certificate, the database or the schema is at fault (`CannotOpen`), a
    /// right is missing (`ReadOnly`), or the tables were made by a newer version (`TooNew`).
    pub async fn connect(self) -> Result<PostgresBackend, PersistenceError> {
        self.open(Opening::Now).await
    }

    /// Opens the backend without waiting for the server. What is recorded waits until the server is there. A query, and a
    /// row that is stored, fail until then with
    /// [`StorageErrorKind::Busy`](aimdb_persistence_backend::StorageErrorKind::Busy), which a recorder tries again for as long as it lasts.
    ///
    /// # Errors
    /// [`PersistenceError::Storage`] if the URL cannot be read or the source has no name.
    pub async fn connect_lazily(self) -> Result<PostgresBackend, PersistenceError> {
        self.open(Opening::Lazily).await
    }

    async fn open(self, opening: Opening) -> Result<PostgresBackend, PersistenceError> {
        let connector = Connector::new(self)?;
        let options = &connector.options;
        let refuse =
            |what: &str| Failure::new(StorageErrorKind::CannotOpen, connector.server(), what);
        let Some(source) = options.source.clone().filter(|source| !source.is_empty()) else {
            return Err(refuse(
                "give the source a name by `.source(…)`: each program records under its own",
            )
            .into());
        };
        if source.contains('\0') || options.schema.contains('\0') || options.schema.is_empty() {
            return Err(
                refuse("the name of a source or of the schema is empty or contains NUL").into(),
            );
        }
        let claim = (!options.read_only).then(|| Claim {
            source: (*source).into(),
            holder: format!("{:032x}", fastrand::u128(..)).into(),
            take_over: options.take_over,
            has_held: false,
        });
        let scope = options.sources.clone().unwrap_or(Scope::One(source));
        let threads = Threads::start(connector.clone(), claim, scope, opening).await?;
        Ok(PostgresBackend {
            threads: Arc::new(threads),
        })
    }
}
