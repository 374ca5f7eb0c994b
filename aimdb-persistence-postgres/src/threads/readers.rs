//! The connections that read: as many questions at a time as there may be connections.

use std::sync::{Arc, Mutex, PoisonError};

use aimdb_persistence_backend::{
    Page, Pattern, PersistenceError, ReadRequest, Rows, SeriesDeclaration,
};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

use crate::connect::migrate::{self, Access};
use crate::connect::session::{Connector, Session};
use crate::error::Failure;
use crate::read::catalog::{Catalog, Selected};
use crate::read::cursor::After;
use crate::read::moments::{Moment, Moments};
use crate::read::page::{Filling, USUAL_ROW_BYTES};
use crate::read::{declarations, last_stored};
use crate::scope::Scope;
use crate::threads::command::Answer;

/// A question, and where its answer goes.
pub(crate) enum Question {
    Page(ReadRequest, Answer<Page>),
    LastStored(String, Answer<Rows>),
    Declarations(Pattern, Answer<Vec<SeriesDeclaration>>),
}

/// Asks the server.
#[derive(Clone)]
pub(crate) struct Readers {
    runtime: Handle,
    shared: Arc<Shared>,
}

struct Shared {
    connector: Connector,
    scope: Scope,
    moments: Moments,
    permits: Semaphore,
    idle: Mutex<Vec<Reader>>,
}

/// A connection, and what it knows.
struct Reader {
    session: Session,
    catalog: Catalog,
    /// Of the program's own source, where questions go to many.
    own: Catalog,
    row_bytes: usize,
}

impl Readers {
    pub(crate) fn new(runtime: Handle, connector: Connector, scope: Scope) -> Self {
        let shared = Shared {
            permits: Semaphore::new(connector.options.readers),
            connector,
            scope,
            moments: Moments::default(),
            idle: Mutex::default(),
        };
        Self {
            runtime,
            shared: Arc::new(shared),
        }
    }

    /// Whether there is a history that may be read.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        let reader = self.shared.connect().await?;
        self.shared.put_back(reader);
        Ok(())
    }

    pub(crate) async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<Result<T, PersistenceError>>) -> Question,
    ) -> Result<T, PersistenceError> {
        let (sender, answer) = oneshot::channel();
        let (question, shared) = (question(sender), Arc::clone(&self.shared));
        self.runtime
            .spawn(async move { shared.answer(question).await });
        answer
            .await
            .map_err(|_| PersistenceError::BackendShutdown)?
    }
}

impl Shared {
    async fn answer(&self, question: Question) {
        let Ok(_permit) = self.permits.acquire().await else {
            return; // the answer's sender is dropped: the backend has shut down
        };
        // Sending fails when the caller has gone. Then nobody waits for the answer.
        match question {
            Question::Page(request, answer) if !answer.is_closed() => {
                let _ = answer.send(self.page(&request).await);
            }
            Question::LastStored(name, answer) if !answer.is_closed() => {
                let request = ReadRequest::new(Pattern::exact(name));
                let _ = answer.send(self.last_stored(&request).await);
            }
            Question::Declarations(pattern, answer) if !answer.is_closed() => {
                let _ = answer.send(self.declarations(&pattern).await);
            }
            Question::Page(..) | Question::LastStored(..) | Question::Declarations(..) => {}
        }
    }

    async fn page(&self, request: &ReadRequest) -> Result<Page, PersistenceError> {
        let after = request.after.as_ref().map(After::of).transpose()?;
        // A connection that has been idle may have ended meanwhile: the question is asked again on a new one.
        let mut is_last = false;
        loop {
            let mut reader = self.reader(is_last).await?;
            match self.page_by(&mut reader, request, after.as_ref()).await {
                Ok(page) => {
                    self.put_back(reader);
                    return Ok(page);
                }
                Err(Trouble::Failure(failure)) if failure.is_unanswered() && !is_last => {
                    is_last = true
                }
                Err(Trouble::Failure(failure)) => {
                    self.put_back(reader);
                    return Err(failure.into());
                }
                Err(Trouble::Error(error)) => {
                    self.put_back(reader);
                    return Err(error);
                }
            }
        }
    }

    async fn page_by(
        &self,
        reader: &mut Reader,
        request: &ReadRequest,
        after: Option<&After>,
    ) -> Result<Page, Trouble> {
        // No row lies beyond i64::MAX: a request that begins there selects nothing, one that ends there everything.
        let Ok(start) = i64::try_from(request.start_time.unwrap_or(0)) else {
            return Ok(Page::default());
        };
        let end = request
            .end_time
            .map_or(i64::MAX, |end| i64::try_from(end).unwrap_or(i64::MAX));
        let now = reader
            .catalog
            .refresh(&mut reader.session, &self.scope)
            .await?;
        let (moment, moment_id) = self.moment(now, after)?;
        let first = after.map_or("", |after| &after.record_name);
        // The series in which the page before ended, and those of the same name before it, whose source comes first.
        let of_last_source = after.and_then(|after| reader.catalog.source_named(after.source));
        let series = reader.catalog.select(request, first).skip_while(|series| {
            *series.record_name == *first
                && of_last_source.is_some_and(|last| *series.source_name < **last)
        });
        let filling = Filling {
            session: &mut reader.session,
            request,
            moment: &moment,
            moment_id,
            row_bytes: &mut reader.row_bytes,
            start,
            end,
            page: Page::default(),
        };
        Ok(filling.fill(series, after).await?)
    }

    /// The moment that the reading is of, and its name in cursors.
    fn moment(
        &self,
        now: std::collections::HashMap<i32, i64>,
        after: Option<&After>,
    ) -> Result<(Moment, u64), PersistenceError> {
        match after {
            Some(after) if self.scope.is_many() => {
                Ok((self.moments.named(after.moment)?, after.moment))
            }
            Some(after) => {
                let moment = i64::try_from(after.moment).unwrap_or(i64::MAX);
                let of_each = now.keys().map(|source| (*source, moment));
                Ok((Arc::new(of_each.collect()), after.moment))
            }
            None => {
                let moment = Arc::new(now);
                let id = match self.scope.is_many() {
                    true => self.moments.keep(&moment),
                    false => moment.values().next().copied().unwrap_or(0).cast_unsigned(),
                };
                Ok((moment, id))
            }
        }
    }

    async fn last_stored(&self, request: &ReadRequest) -> Result<Rows, PersistenceError> {
        let mut is_last = false;
        loop {
            let mut reader = self.reader(is_last).await?;
            let found = self.last_stored_by(&mut reader, request).await;
            match found {
                Err(failure) if failure.is_unanswered() && !is_last => is_last = true,
                found => {
                    self.put_back(reader);
                    return Ok(found?);
                }
            }
        }
    }

    async fn last_stored_by(
        &self,
        reader: &mut Reader,
        request: &ReadRequest,
    ) -> Result<Rows, Failure> {
        // What the next value of a record is compared with is of the same source.
        let (catalog, scope) = match &self.connector.options.source {
            Some(own) if self.scope.is_many() => (&mut reader.own, Scope::One(Arc::clone(own))),
            _ => (&mut reader.catalog, self.scope.clone()),
        };
        catalog.refresh(&mut reader.session, &scope).await?;
        let series: Option<Selected> = catalog.select(request, "").next();
        match series {
            Some(series) => last_stored::read(&mut reader.session, &series).await,
            None => Ok(Rows::new()),
        }
    }

    async fn declarations(
        &self,
        pattern: &Pattern,
    ) -> Result<Vec<SeriesDeclaration>, PersistenceError> {
        let mut is_last = false;
        loop {
            let mut reader = self.reader(is_last).await?;
            match declarations::read(&mut reader.session, &self.scope, pattern).await {
                Err(failure) if failure.is_unanswered() && !is_last => is_last = true,
                found => {
                    self.put_back(reader);
                    return Ok(found?);
                }
            }
        }
    }

    /// One that is idle, or a new one.
    async fn reader(&self, is_new: bool) -> Result<Reader, Failure> {
        while let Some(reader) = self.idle().pop() {
            if !is_new && !reader.session.is_broken() {
                return Ok(reader);
            }
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<Reader, Failure> {
        let mut session = self.connector.connect("reader").await?;
        migrate::prepare(&mut session, &self.connector.options.schema, Access::Read).await?;
        Ok(Reader {
            session,
            catalog: Catalog::default(),
            own: Catalog::default(),
            row_bytes: USUAL_ROW_BYTES,
        })
    }

    fn put_back(&self, reader: Reader) {
        if !reader.session.is_broken() {
            self.idle().push(reader);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        // No code that can panic runs under this lock.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Trouble {
    Failure(Failure),
    Error(PersistenceError),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<PersistenceError> for Trouble {
    fn from(error: PersistenceError) -> Self {
        Self::Error(error)
    }
}
