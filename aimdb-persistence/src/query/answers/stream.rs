//! Rows one after the other, in bounded memory.

use std::collections::VecDeque;
use std::fmt::{self, Debug};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::query::answers::rows::{Persisted, persisted};
use crate::query::decoding::{Decoded, Decoder};
use crate::query::history::{History, Question};
use crate::query::look::{Look, Looking};
use aimdb_persistence_backend::json::Scalar;
use aimdb_persistence_backend::{BoxFuture, PersistenceError, Row, Visit};
use futures_lite::Stream;

/// So much is read ahead of whoever takes the rows.
const PAGE_ROWS: usize = 1_000;
const PAGE_BYTES: usize = 256 * 1024;

impl<T: Send + 'static> History<T> {
    /// The rows as a stream, however many there are: read in pages of bounded size, none before it is asked for.
    ///
    /// All of it shows one moment: what is stored after the first page was read does not appear. What retention
    /// removes meanwhile does not either, and nothing is locked while the stream waits to be asked. The
    /// [time limit](Self::time_limit) holds for each page. After an error the stream ends.
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, PersistenceError};
    /// use futures_lite::StreamExt;
    ///
    /// async fn export(db: &impl AimDbQueryExt) -> Result<(), PersistenceError> {
    ///     let mut rows = db.history("temperature.*").stream();
    ///     while let Some(row) = rows.try_next().await? {
    ///         println!("{},{},{}", row.record_name, row.stored_at, row.value);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As every answer of a [`History`]. The newest rows cannot be streamed oldest first, nor the other way round:
    /// [`latest`](Self::latest) and [`oldest`](Self::oldest) have an order. Nor can rows be streamed [by time](Self::by_time).
    pub fn stream(self) -> HistoryStream<T> {
        let Self {
            question,
            from_stored,
        } = self;
        let (order, _) = question.reading();
        let page = PageOf {
            decoder: Decoder::new(from_stored, question.strict),
            rows: VecDeque::new(),
            bytes: 0,
            room: question.limit.unwrap_or(usize::MAX),
        };
        let refusal = match order == question.order() {
            _ if question.by_time => Some(BY_TIME),
            true => None,
            false => Some(WRONG_END),
        };
        let rest = match refusal {
            None => Rest::Begin(Box::new((question, page))),
            Some(reason) => Rest::Fail(PersistenceError::InvalidQuery {
                reason: reason.to_owned(),
            }),
        };
        HistoryStream {
            rows: VecDeque::new(),
            rest,
        }
    }
}

const BY_TIME: &str = "a stream comes one series after the other, and not by time; leave out `by_time`, or take the rows at once with `rows`";

const WRONG_END: &str = "a stream of the newest rows begins with the newest, and one of the oldest with the oldest; leave \
                         out `order`, or take the rows at once with `rows`";

/// The rows of a [`History`]: what [`stream`](History::stream) answers.
#[must_use = "a stream reads nothing until it is asked for its first row"]
pub struct HistoryStream<T> {
    rows: VecDeque<Persisted<T>>,
    rest: Rest<T>,
}

/// What comes after the rows that were read.
enum Rest<T> {
    Begin(Box<(Question, PageOf<T>)>),
    GoOn(Box<(Question, Looking<PageOf<T>>)>),
    Wait(BoxFuture<'static, (VecDeque<Persisted<T>>, Self)>),
    Fail(PersistenceError),
    End,
}

impl<T: Send + 'static> Stream for HistoryStream<T> {
    type Item = Result<Persisted<T>, PersistenceError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(row) = this.rows.pop_front() {
                return Poll::Ready(Some(Ok(row)));
            }
            this.rest = match std::mem::replace(&mut this.rest, Rest::End) {
                Rest::Begin(start) => Rest::Wait(Box::pin(begin(start.0, start.1))),
                Rest::GoOn(rest) => Rest::Wait(Box::pin(go_on(rest.0, rest.1))),
                Rest::Wait(mut page) => match page.as_mut().poll(context) {
                    Poll::Ready((rows, rest)) => {
                        this.rows = rows;
                        rest
                    }
                    Poll::Pending => {
                        this.rest = Rest::Wait(page);
                        return Poll::Pending;
                    }
                },
                Rest::Fail(error) => return Poll::Ready(Some(Err(error))),
                Rest::End => return Poll::Ready(None),
            };
        }
    }
}

/// Every part of a stream may move: its futures are boxed.
impl<T> Unpin for HistoryStream<T> {}

impl<T> Debug for HistoryStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryStream").finish_non_exhaustive()
    }
}

/// The rows of a page, and what comes after them.
type Page<T> = (VecDeque<Persisted<T>>, Rest<T>);

async fn begin<T: Send + 'static>(question: Question, page: PageOf<T>) -> Page<T> {
    if page.room == 0 {
        return (VecDeque::new(), Rest::End);
    }
    let (order, limit_per_series) = question.reading();
    let reading = question.read_as(order, limit_per_series);
    let looking = question.in_time(question.begin(reading, page)).await;
    match looking {
        Ok(looking) => go_on(question, looking).await,
        Err(error) => (VecDeque::new(), Rest::Fail(error)),
    }
}

async fn go_on<T: Send + 'static>(question: Question, mut looking: Looking<PageOf<T>>) -> Page<T> {
    let read = question.in_time(looking.go_on()).await;
    let mut rows = VecDeque::new();
    let page = looking.looker().map(|page| {
        page.bytes = 0;
        rows = std::mem::take(&mut page.rows);
        let reported = question
            .archive()
            .and_then(|archive| page.decoder.report(archive));
        reported.map(|()| page.room > 0)
    });
    let rest = match (read, page) {
        (Ok(_), Some(Err(error))) | (Err(error), _) => Rest::Fail(error),
        (Ok(true), Some(Ok(true))) => Rest::GoOn(Box::new((question, looking))),
        (Ok(_), _) => match looking.end() {
            Ok(_) => Rest::End,
            Err(error) => Rest::Fail(error),
        },
    };
    (rows, rest)
}

/// Decodes a page of rows, then stops.
struct PageOf<T> {
    decoder: Decoder<T>,
    rows: VecDeque<Persisted<T>>,
    bytes: usize,
    /// How many rows of the whole stream are still wanted.
    room: usize,
}

impl<T: Send + 'static> Look for PageOf<T> {
    fn row(&mut self, row: Row<'_>, _: &[Scalar<'_>]) -> Visit {
        match self.decoder.decode(row) {
            Decoded::Value(value) => {
                self.rows.push_back(persisted(row, value));
                self.bytes += row.json.len();
                self.room -= 1;
            }
            Decoded::Skipped => {}
            Decoded::Failed => return Visit::Stop,
        }
        let is_full = self.rows.len() >= PAGE_ROWS || self.bytes >= PAGE_BYTES || self.room == 0;
        match is_full {
            true => Visit::Stop,
            false => Visit::Continue,
        }
    }
}
