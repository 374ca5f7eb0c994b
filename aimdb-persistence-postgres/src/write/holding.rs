//! Holding a source: one program records under its name at a time.

use std::collections::HashMap;

use aimdb_persistence_backend::{Quoted, StorageErrorKind};

use crate::connect::session::Session;
use crate::error::Failure;
use crate::write::recording::Recording;

/// A holder whose session is there has been silent for so long before it is displaced.
pub(crate) const SILENCE_SECONDS: i32 = 30;

/// Several programs that make their sources at the same moment draw the same number.
const ATTEMPTS: usize = 20;

/// Who wants to hold which source.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) source: Box<str>,
    /// Drawn anew for each backend.
    pub(crate) holder: Box<str>,
    /// Whether a holder that is alive may be displaced.
    pub(crate) take_over: bool,
    /// This backend has held the source already: it may only be held again, not taken.
    pub(crate) has_held: bool,
}

const FIND: &str = "SELECT s.id, s.holder, \
         s.holder_pid IS NOT NULL AND s.seen_at > now() - make_interval(secs => $2::int4) \
             AND EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = s.holder_pid AND a.datname = current_database()) \
     FROM source s WHERE s.name = $1";

const ADD: &str = "INSERT INTO source (id, name) SELECT coalesce(max(id), 0) + 1, $1 FROM source ON CONFLICT DO NOTHING";

/// A session of the holder may be in the middle of a transaction that has the source's row. It is ended; a session of
/// another kind that has got its number is not.
const END_SESSION: &str = "SELECT pg_terminate_backend(a.pid) FROM source s JOIN pg_stat_activity a ON a.pid = s.holder_pid \
     WHERE s.id = $1 AND a.datname = current_database() AND a.application_name LIKE 'aimdb writer %' \
         AND a.pid <> pg_backend_pid()";

/// Each holder has an epoch of its own, and so has each of its sessions.
const HOLD: &str = "WITH held AS (UPDATE source SET epoch = epoch + 1, holder = $2, holder_pid = pg_backend_pid(), seen_at = now() \
         WHERE id = $1 AND holder IS NOT DISTINCT FROM $3 RETURNING id, epoch, next_sequence, default_retention_ms), \
     noted AS (INSERT INTO holding (source, epoch, first_sequence) SELECT id, epoch, next_sequence FROM held), \
     forgotten AS (DELETE FROM holding USING held WHERE holding.source = held.id AND holding.epoch < held.epoch - 1000) \
     SELECT epoch, next_sequence, default_retention_ms FROM held";

const LET_GO: &str = "UPDATE source SET holder_pid = NULL WHERE id = $1 AND epoch = $2";

const SEEN: &str = "UPDATE source SET seen_at = now() WHERE id = $1 AND epoch = $2";

/// Where the epoch after this one began.
const END_OF_EPOCH: &str = "SELECT h.first_sequence FROM holding h JOIN source s ON s.id = h.source \
     WHERE s.name = $1 AND h.epoch > $2 ORDER BY h.epoch LIMIT 1";

impl Claim {
    /// Takes hold of the source. Sessions of an earlier holder, or of this one, can commit nothing from then on.
    pub(crate) async fn hold(&self, mut session: Session) -> Result<Recording, Failure> {
        let doing = "taking hold of the source";
        for _ in 0..ATTEMPTS {
            let found = session
                .query(FIND, &[&&*self.source, &SILENCE_SECONDS], doing)
                .await?;
            let Some(row) = found.first() else {
                if self.has_held {
                    let what = format!("the source `{}` has been removed", Quoted(&self.source));
                    return Err(Failure::new(
                        StorageErrorKind::CannotOpen,
                        &session.server,
                        what,
                    ));
                }
                session.execute(ADD, &[&&*self.source], doing).await?;
                continue;
            };
            let (id, holder, is_alive): (i32, Option<&str>, bool) =
                (row.get(0), row.get(1), row.get(2));
            let is_own = holder == Some(&*self.holder);
            if self.has_held && !is_own {
                return Err(Failure::displaced(&session.server, &self.source));
            }
            if is_alive && !is_own && !self.take_over {
                return Err(self.is_held(&session));
            }
            // A role that may not end it waits for its end, as long as a lock may be waited for.
            let _ = session.query(END_SESSION, &[&id], doing).await;
            let held = session
                .query(HOLD, &[&id, &&*self.holder, &holder], doing)
                .await?;
            if let Some(row) = held.first() {
                return Ok(Recording {
                    source: id,
                    source_name: self.source.clone(),
                    epoch: row.get(0),
                    next_sequence: row.get(1),
                    default_retention_ms: row.get(2),
                    series: HashMap::new(),
                    session,
                });
            }
        }
        Err(self.is_held(&session))
    }

    fn is_held(&self, session: &Session) -> Failure {
        let what = format!(
            "another program records under the name `{}`: give this one a source of its own, end the other, or say \
             `.take_over()`",
            Quoted(&self.source)
        );
        Failure::new(StorageErrorKind::Busy, &session.server, what)
    }
}

/// How far an epoch came that has ended, if it is known.
pub(crate) async fn end_of_epoch(
    session: &mut Session,
    source: &str,
    epoch: i64,
) -> Result<Option<i64>, Failure> {
    let ended = session
        .query(END_OF_EPOCH, &[&source, &epoch], "looking up a commit")
        .await?;
    Ok(ended.first().map(|row| row.get(0)))
}

impl Recording {
    /// Says that the holder is alive.
    pub(crate) async fn show_life(&mut self) -> Result<(), Failure> {
        let seen = self
            .session
            .execute(SEEN, &[&self.source, &self.epoch], "holding the source")
            .await?;
        match seen {
            0 => Err(self.displaced()),
            _ => Ok(()),
        }
    }

    /// The next program need not wait.
    pub(crate) async fn let_go(mut self) -> Result<(), Failure> {
        let let_go = self
            .session
            .execute(
                LET_GO,
                &[&self.source, &self.epoch],
                "letting the source go",
            )
            .await;
        let_go.map(drop)
    }
}
