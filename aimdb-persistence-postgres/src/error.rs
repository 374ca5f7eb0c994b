//! From the server's and the network's failures to the contract's: a kind, a server, and what to do.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence_backend::{PersistenceError, StorageError, StorageErrorKind};
use tokio_postgres::error::{Severity, SqlState};

/// A failure that every caller of a transaction can be told: unlike `PersistenceError` it can be cloned.
#[derive(Clone)]
pub(crate) struct Failure {
    kind: StorageErrorKind,
    message: String,
    /// The server has not answered: what was asked of it may have been done, or not.
    unanswered: bool,
    displaced: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Failure {
    /// `server` begins the sentence.
    pub(crate) fn new(kind: StorageErrorKind, server: &str, what: impl fmt::Display) -> Self {
        Self {
            kind,
            message: format!("{server}: {what}"),
            unanswered: false,
            displaced: false,
            source: None,
        }
    }

    /// The server refused while `doing` something, or its answer did not come.
    pub(crate) fn of_postgres(server: &str, doing: &str, error: tokio_postgres::Error) -> Self {
        let kind = kind_of(&error);
        let told = told(&error);
        let message = match advice(kind, &error) {
            Some(advice) => format!("{doing} failed: {told}; {advice}"),
            None => format!("{doing} failed: {told}"),
        };
        Self {
            unanswered: !is_refusal(&error),
            ..Self::new(kind, server, message).caused_by(error)
        }
    }

    /// No answer came within the limit.
    pub(crate) fn timed_out(server: &str, doing: &str, limit: Duration) -> Self {
        let what = format!(
            "{doing} was not answered within {} ms; the connection is given up",
            limit.as_millis()
        );
        Self {
            unanswered: true,
            ..Self::new(StorageErrorKind::Busy, server, what)
        }
    }

    /// Another program records under the name of this one's source.
    pub(crate) fn displaced(server: &str, source: &str) -> Self {
        let what = format!(
            "another program has taken over the source `{source}`, and this one may store nothing more under that name; \
             give each program a source of its own, and start this one again"
        );
        Self {
            displaced: true,
            ..Self::new(StorageErrorKind::CannotOpen, server, what)
        }
    }

    pub(crate) fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> StorageErrorKind {
        self.kind
    }

    /// Whether what was asked for may have been done nevertheless.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.unanswered
    }

    pub(crate) fn is_displaced(&self) -> bool {
        self.displaced
    }
}

/// Says what was being done on which server when it failed.
pub(crate) trait During<T> {
    /// `doing` begins the sentence: `"storing rows"`.
    fn during(self, server: &str, doing: &str) -> Result<T, Failure>;
}

impl<T> During<T> for Result<T, tokio_postgres::Error> {
    fn during(self, server: &str, doing: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure::of_postgres(server, doing, error))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Failure> for PersistenceError {
    fn from(failure: Failure) -> Self {
        let error = StorageError::new(failure.kind, failure.message);
        Self::Storage(match failure.source {
            Some(source) => error.with_source(source),
            None => error,
        })
    }
}

/// Whether the server itself says that it has not done what was asked. A connection that ends, by the server's will too, says
/// nothing of a commit that was under way.
fn is_refusal(error: &tokio_postgres::Error) -> bool {
    let severity = error
        .as_db_error()
        .and_then(|error| error.parsed_severity());
    severity == Some(Severity::Error)
}

/// What the server says, or else what the driver does, with its causes.
fn told(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        let detail = error.detail().map(|detail| format!(" ({detail})"));
        return format!("{}{}", error.message(), detail.unwrap_or_default());
    }
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
}

fn kind_of(error: &tokio_postgres::Error) -> StorageErrorKind {
    let Some(code) = error.code() else {
        // The connection ended, or never was.
        return StorageErrorKind::Busy;
    };
    match code.code() {
        "53100" => StorageErrorKind::DiskFull,
        "42501" | "25006" => StorageErrorKind::ReadOnly,
        "3D000" | "3F000" | "42P01" | "42703" => StorageErrorKind::CannotOpen,
        "XX001" | "XX002" => StorageErrorKind::Corrupt,
        // The server is starting or going down, is out of connections or memory, gave up waiting, or chose a victim.
        "40001" | "40P01" | "55P03" | "57014" => StorageErrorKind::Busy,
        code if code.starts_with("57P") || code.starts_with("53") || code.starts_with("08") => {
            StorageErrorKind::Busy
        }
        code if code.starts_with("28") => StorageErrorKind::CannotOpen,
        code if code.starts_with("58") => StorageErrorKind::Io,
        _ => StorageErrorKind::Other,
    }
}

fn advice(kind: StorageErrorKind, error: &tokio_postgres::Error) -> Option<&'static str> {
    let code = error.code();
    match kind {
        StorageErrorKind::DiskFull => {
            Some("free some space on the server; storing goes on by itself then")
        }
        StorageErrorKind::ReadOnly if code == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => Some(
            "the server or the role only reads: connect to the primary, or open it with `.read_only()`",
        ),
        StorageErrorKind::ReadOnly => {
            Some("grant the role its rights on the schema, see the page on PostgreSQL")
        }
        StorageErrorKind::CannotOpen => {
            Some("check the user, the password, the database and the schema")
        }
        StorageErrorKind::Busy if code == Some(&SqlState::TOO_MANY_CONNECTIONS) => Some(
            "the server is out of connections: allow more of them, or give this backend fewer `.readers(…)`",
        ),
        StorageErrorKind::Busy if code.is_none() => {
            Some("check that the server runs and can be reached from here")
        }
        StorageErrorKind::Corrupt => {
            Some("the server's files are damaged: restore them from a backup")
        }
        _ => None,
    }
}
