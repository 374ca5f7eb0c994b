//! The task that writes: it holds the source, stores what is queued in one transaction, and reconnects.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence_backend::{
    BatchOutcome, PersistenceError, Rows, SeriesDeclaration, SweepReport,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use crate::connect::migrate::{self, Access};
use crate::connect::session::Connector;
use crate::error::Failure;
use crate::health::Health;
use crate::remove::removal::Removal;
use crate::report;
use crate::threads::command::{Answer, Command, Store};
use crate::write::declare;
use crate::write::holding::{Claim, end_of_epoch};
use crate::write::insert::{Doubt, Unstored};
use crate::write::placed::Resolved;
use crate::write::recording::Recording;
use crate::write::refusals::refusals;

/// Rows and bytes of one transaction.
const GROUP_ROWS: usize = 10_000;
const GROUP_BYTES: usize = 8 << 20;

/// A holder of a source shows that it is alive.
const SHOW_LIFE_EVERY: Duration = Duration::from_secs(10);

/// So often the same rows are stored anew before their callers are told.
const ATTEMPTS: usize = 3;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A backend that is closed looks for so long whether its last commit was done.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Writer {
    connector: Connector,
    claim: Claim,
    health: Health,
    commands: mpsc::Receiver<Command>,
    /// `None` while there is no connection.
    recording: Option<Recording>,
    removals: VecDeque<(Removal, Answer<SweepReport>)>,
    /// Another program has the source by now.
    displaced: Option<Failure>,
    shows_life_at: Instant,
}

impl Writer {
    pub(crate) fn new(
        connector: Connector,
        claim: Claim,
        health: Health,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        Self {
            connector,
            claim,
            health,
            commands,
            recording: None,
            removals: VecDeque::new(),
            displaced: None,
            shows_life_at: Instant::now() + SHOW_LIFE_EVERY,
        }
    }

    /// Connects and takes hold of the source, before anything is to be done.
    pub(crate) async fn open(&mut self) -> Result<(), Failure> {
        self.connected().await.map(drop)
    }

    /// Works until the queue is closed and empty.
    pub(crate) async fn run(mut self) {
        loop {
            let next = match self.removals.is_empty() {
                true => timeout_at(self.shows_life_at, self.commands.recv()).await,
                false => match self.commands.try_recv() {
                    Ok(command) => Ok(Some(command)),
                    Err(mpsc::error::TryRecvError::Empty) => {
                        self.remove_some().await;
                        continue;
                    }
                    Err(mpsc::error::TryRecvError::Disconnected) => Ok(None),
                },
            };
            match next {
                Ok(Some(command)) => {
                    self.execute(command).await;
                    if !self.removals.is_empty() {
                        self.remove_some().await;
                    }
                }
                Ok(None) => break,
                Err(_) => {}
            }
            if Instant::now() >= self.shows_life_at {
                self.show_life().await;
            }
        }
        if let Some(recording) = self.recording.take()
            && let Err(failure) = recording.let_go().await
            && !failure.is_unanswered()
        {
            // Where the connection has ended, so has the hold.
            report::warn(&failure.to_string());
        }
    }

    /// The connection, which is made anew if it has ended.
    async fn connected(&mut self) -> Result<&mut Recording, Failure> {
        if let Some(displaced) = &self.displaced {
            return Err(displaced.clone());
        }
        if self
            .recording
            .as_ref()
            .is_some_and(|recording| recording.session.is_broken())
        {
            self.recording = None;
        }
        if self.recording.is_none() {
            let recording = self.connect().await;
            self.note(recording.as_ref().err());
            self.recording = Some(recording?);
        }
        self.recording
            .as_mut()
            .ok_or_else(|| unreachable_here(&self.connector))
    }

    async fn connect(&mut self) -> Result<Recording, Failure> {
        let mut session = self.connector.connect("writer").await?;
        if !self.claim.has_held {
            let schema = Arc::clone(&self.connector.options.schema);
            if migrate::prepare(&mut session, &schema, Access::Write).await? {
                self.health
                    .note_new_history(format!("{}, schema {schema}", session.server));
            }
        }
        let recording = self.claim.hold(session).await?;
        self.claim.has_held = true;
        Ok(recording)
    }

    /// Once displaced, a program stays so.
    fn note(&mut self, failure: Option<&Failure>) {
        if let Some(failure) = failure.filter(|failure| failure.is_displaced()) {
            self.displaced = Some(failure.clone());
            self.recording = None;
        }
    }

    async fn show_life(&mut self) {
        self.shows_life_at = Instant::now() + SHOW_LIFE_EVERY;
        let shown = match self.connected().await {
            Ok(recording) => recording.show_life().await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = shown {
            self.note(Some(&failure));
            self.health.note_upkeep_failure(&failure);
        }
    }

    async fn execute(&mut self, command: Command) {
        // Sending fails when the caller has gone. Then nobody waits for the answer.
        match command {
            Command::Store(first) => {
                let (stores, next) = self.group(first);
                self.commit(stores).await;
                if let Some(next) = next {
                    Box::pin(self.execute(next)).await;
                }
            }
            Command::Declare(declarations, answer) => {
                let _ = answer.send(self.declare(&declarations).await);
            }
            Command::Sweep(expiry, answer) => {
                self.removals.push_back((Removal::sweep(expiry), answer))
            }
            Command::Erase {
                record_name,
                start,
                end,
                answer,
            } => {
                let removal = Removal::erase(record_name, start, end);
                self.removals.push_back((removal, answer));
            }
            Command::Rename { from, to, answer } => {
                let renamed = match self.connected().await {
                    Ok(recording) => recording.rename(&from, &to).await,
                    Err(failure) => Err(failure.into()),
                };
                let _ = answer.send(renamed);
            }
            // Everything before it has been answered, and is as durable as the server makes it.
            Command::Flush(answer) => {
                let _ = answer.send(Ok(()));
            }
            Command::Close => self.commands.close(),
        }
    }

    async fn declare(
        &mut self,
        declarations: &[SeriesDeclaration],
    ) -> Result<(), PersistenceError> {
        let wanted = declare::wanted(declarations)?;
        // Declaring the same again changes nothing, so an answer that was lost is asked for anew.
        let mut attempts = 1;
        loop {
            let declared = match self.connected().await {
                Ok(recording) => recording.declare(&wanted).await,
                Err(failure) => return Err(failure.into()),
            };
            match declared {
                Ok(()) => return Ok(()),
                Err(failure) if failure.is_unanswered() && attempts < ATTEMPTS => attempts += 1,
                Err(failure) => {
                    self.note(Some(&failure));
                    return Err(failure.into());
                }
            }
        }
    }

    /// One step of the oldest removal.
    async fn remove_some(&mut self) {
        let Some((mut removal, answer)) = self.removals.pop_front() else {
            return;
        };
        if answer.is_closed() {
            return;
        }
        let stepped = match self.connected().await {
            Ok(recording) => removal.step(recording).await,
            Err(failure) => Err(failure),
        };
        match stepped {
            Ok(None) => self.removals.push_front((removal, answer)),
            Ok(Some(report)) => {
                let _ = answer.send(Ok(report));
            }
            Err(failure) => {
                self.note(Some(&failure));
                let _ = answer.send(Err(failure.into()));
            }
        }
    }

    /// Group commit: `first` and what is queued behind it. Also gives the command that ended the group.
    fn group(&mut self, first: Store) -> (Vec<Store>, Option<Command>) {
        let (mut rows, mut bytes) = (first.rows.len(), first.rows.text_bytes());
        let mut stores = vec![first];
        while rows < GROUP_ROWS && bytes < GROUP_BYTES {
            match self.commands.try_recv() {
                Ok(Command::Store(store)) => {
                    rows += store.rows.len();
                    bytes += store.rows.text_bytes();
                    stores.push(store);
                }
                Ok(other) => return (stores, Some(other)),
                Err(_) => break,
            }
        }
        (stores, None)
    }

    async fn commit(&mut self, stores: Vec<Store>) {
        let (batches, answers): (Vec<_>, Vec<_>) = stores
            .into_iter()
            .map(|store| (store.rows, store.answer))
            .unzip();
        let refused: Vec<_> = batches.iter().map(|rows| refusals(rows)).collect();
        let is_left = |(rows, refused): (&Arc<Rows>, &Vec<_>)| refused.len() < rows.len();
        let stored = match batches.iter().zip(&refused).any(is_left) {
            true => self.store(&batches, &refused).await,
            false => Ok(vec![Resolved::default(); batches.len()]),
        };
        let mut stored = stored.map(Vec::into_iter);
        for ((rows, refused), answer) in batches.iter().zip(refused).zip(answers) {
            let resolved = match &mut stored {
                Ok(resolved) => resolved.next().unwrap_or_default(),
                Err(failure) if refused.len() < rows.len() => {
                    let _ = answer.send(BatchOutcome::stopped(failure.clone().into()));
                    continue;
                }
                Err(_) => Resolved::default(),
            };
            let outcome = BatchOutcome {
                settled: rows.len(),
                left_out: resolved.left_out,
                replaced: resolved.replaced,
                refused,
                stopped_by: None,
            };
            // Sending fails when the caller has gone. Then nobody waits for the answer.
            let _ = answer.send(outcome);
        }
    }

    /// Stores the batches, or says truthfully that it has not.
    async fn store(
        &mut self,
        batches: &[Arc<Rows>],
        refused: &[Vec<(usize, PersistenceError)>],
    ) -> Result<Vec<Resolved>, Failure> {
        let mut attempts = 1;
        loop {
            let failure = match self.connected().await?.store(batches, refused).await {
                Ok(resolved) => return Ok(resolved),
                Err(Unstored::Nothing(failure)) => failure,
                Err(Unstored::Unknown(doubt, failure)) => {
                    self.recording = None;
                    match self.look_up(&doubt, failure).await {
                        Looked::Stored => return Ok(doubt.resolved),
                        Looked::NotStored(failure) => failure,
                    }
                }
            };
            self.note(Some(&failure));
            if !failure.is_unanswered() || attempts >= ATTEMPTS {
                return Err(failure);
            }
            attempts += 1;
        }
    }

    /// Finds out whether a commit was done whose answer was lost. Until that is known, its callers wait: told that nothing was
    /// stored, they would store it again.
    async fn look_up(&mut self, doubt: &Doubt, lost: Failure) -> Looked {
        let mut pause = FIRST_PAUSE;
        let mut gives_up_at = None;
        loop {
            let next_sequence = match self.connected().await {
                Ok(recording) => Ok(Some(recording.next_sequence)),
                Err(displaced) if displaced.is_displaced() => self.end_of_epoch(doubt.epoch).await,
                Err(failure) => Err(failure),
            };
            let failure = match next_sequence {
                Ok(Some(next_sequence)) if next_sequence >= doubt.after => return Looked::Stored,
                Ok(_) => return Looked::NotStored(self.displaced.clone().unwrap_or(lost)),
                Err(failure) => failure,
            };
            self.health.note_upkeep_failure(&failure);
            if self.commands.is_closed() {
                let gives_up_at = gives_up_at.get_or_insert_with(|| Instant::now() + PATIENCE);
                if Instant::now() >= *gives_up_at {
                    report::warn(&format!(
                        "{failure}; it is not known whether the last rows were stored"
                    ));
                    return Looked::NotStored(failure);
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn end_of_epoch(&self, epoch: i64) -> Result<Option<i64>, Failure> {
        let mut session = self.connector.connect("writer").await?;
        end_of_epoch(&mut session, &self.claim.source, epoch).await
    }
}

enum Looked {
    Stored,
    NotStored(Failure),
}

fn unreachable_here(connector: &Connector) -> Failure {
    use aimdb_persistence_backend::StorageErrorKind;
    Failure::new(
        StorageErrorKind::Other,
        connector.server(),
        "there is no connection",
    )
}
