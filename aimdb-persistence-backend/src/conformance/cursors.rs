//! A cursor may come from a client: whatever it says, it leads to rows of the request, or it is refused.

use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row, rows_of};
use crate::contract::backend::StoredValue;
use crate::contract::cursor::Cursor;
use crate::contract::error::PersistenceError;
use crate::contract::read::{Order, ReadRequest};

async fn store_some(subject: &Subject) -> Vec<StoredValue> {
    let rows: Vec<_> = (0..24)
        .map(|n| row(["cursor.a", "cursor.b", "other"][n as usize % 3], n / 4, n))
        .collect();
    subject.store_all(&rows).await;
    in_order(&rows)
}

/// The cursors of all pages of one row.
async fn cursors(subject: &Subject, mut request: ReadRequest) -> Vec<Cursor> {
    request.max_rows = 1;
    let mut cursors = Vec::new();
    while let Some(next) = subject.page(request.clone()).await.next {
        cursors.push(next.clone());
        request.after = Some(next);
    }
    cursors
}

fn after(cursor: Cursor) -> ReadRequest {
    ReadRequest {
        after: Some(cursor),
        ..read_request("cursor.*")
    }
}

async fn expect_refused(subject: &Subject, cursor: Cursor) {
    let answer = subject.backend.read(after(cursor.clone())).await;
    assert!(
        matches!(answer, Err(PersistenceError::InvalidCursor(_))),
        "a cursor that the backend has not made must be refused as such: {cursor:?}"
    );
}

pub(crate) async fn a_foreign_cursor_is_refused(subject: Subject) {
    store_some(&subject).await;
    for place in [&b""[..], b"x", b"another backend's", &[0; 32], &[255; 64]] {
        expect_refused(&subject, Cursor::new("cursor.a", place)).await;
    }
    for cursor in cursors(&subject, read_request("cursor.*")).await {
        let place = cursor.place();
        let longer = [place, b"0"].concat();
        let other_mark = [b"?", place].concat();
        for damaged in [&place[..place.len() - 1], &longer, &other_mark] {
            expect_refused(&subject, Cursor::new(cursor.record_name(), damaged)).await;
        }
    }
}

pub(crate) async fn a_cursor_leads_to_no_row_outside_the_request(subject: Subject) {
    let rows = store_some(&subject).await;
    let oldest_first = read_request("#").with_order(Order::OldestFirst);
    let mut made = cursors(&subject, read_request("#")).await;
    made.extend(cursors(&subject, oldest_first).await);
    // Of another record, too, and with other numbers in them: a backend may refuse those.
    let mut strange = Vec::new();
    for cursor in &made {
        strange.push(Cursor::new("", cursor.place()));
        strange.push(Cursor::new("cursor.a", cursor.place()));
        for index in 0..cursor.place().len() {
            let mut place = cursor.place().to_vec();
            place[index] ^= 0xff;
            strange.push(Cursor::new(cursor.record_name(), place));
        }
    }
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let request = read_request("cursor.*").with_order(order).with_times(2, 3);
        let mut selected = rows.clone();
        selected.retain(|row| row.record_name != "other" && (2..=3).contains(&row.stored_at));
        if order == Order::OldestFirst {
            selected.sort_by_key(|row| row.value.as_u64());
            selected.sort_by_key(|row| row.record_name.clone());
        }
        for cursor in made.iter().chain(&strange) {
            let request = ReadRequest {
                after: Some(cursor.clone()),
                ..request.clone()
            };
            let answer = match subject.backend.read(request.clone()).await {
                Ok(page) => rows_of(&page),
                Err(PersistenceError::InvalidCursor(_)) if strange.contains(cursor) => continue,
                Err(error) => {
                    panic!("{request:?} must be answered, or its cursor refused: {error}")
                }
            };
            let mut expected = selected.clone();
            expected.retain(|row| answer.contains(row));
            let promise =
                "a cursor from elsewhere must lead to rows of the request, in order, each once";
            expect_rows(&answer, &expected, promise);
        }
    }
}
