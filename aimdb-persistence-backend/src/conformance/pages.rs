//! Pages put together are one answer, whatever is written in the meantime.

use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row, rows_of};
use crate::contract::backend::{QueryParams, StoredValue};
use crate::contract::read::ReadRequest;

/// Rows of three records under `prefix`, ties among them.
async fn store_some(subject: &Subject, prefix: &str) -> Vec<StoredValue> {
    let mut stored = Vec::new();
    for (name, times) in [
        ("a", &[10, 20, 20, 20, 30][..]),
        ("b", &[10]),
        ("c", &[30, 20, 20, 10]),
    ] {
        let name = format!("{prefix}.{name}");
        stored.extend(times.iter().map(|time| row(&name, *time, "")));
    }
    for (index, row) in stored.iter_mut().enumerate() {
        row.value = index.into();
    }
    subject.store_all(&stored).await;
    in_order(&stored)
}

pub(crate) async fn pages_of_every_size_make_up_the_whole(subject: Subject) {
    let rows = store_some(&subject, "page").await;
    for max_rows in 1..=rows.len() + 1 {
        let request = ReadRequest {
            max_rows,
            ..read_request("page.*")
        };
        let promise = format!("pages of {max_rows} rows must make up the whole answer, in order");
        expect_rows(&subject.read(request).await, &rows, &promise);
    }
}

pub(crate) async fn pages_of_every_byte_budget_make_up_the_whole(subject: Subject) {
    let rows: Vec<_> = (1..=6)
        .map(|n| row("page", n, "x".repeat(n as usize)))
        .collect();
    subject.store_all(&rows).await;
    for max_bytes in 1..=40 {
        let request = ReadRequest {
            max_bytes,
            ..read_request("page")
        };
        let promise = format!("pages of {max_bytes} bytes must make up the whole answer, in order");
        expect_rows(&subject.read(request).await, &in_order(&rows), &promise);
    }
}

pub(crate) async fn the_limit_holds_over_all_pages_together(subject: Subject) {
    store_some(&subject, "page").await;
    for limit in 0..=6 {
        let limited = QueryParams {
            limit_per_record: Some(limit),
            ..QueryParams::default()
        };
        let expected = subject.query("page.*", limited).await;
        for max_rows in 1..=8 {
            let request = ReadRequest {
                max_rows,
                limit_per_record: Some(limit),
                ..read_request("page.*")
            };
            let promise =
                format!("{limit} rows of each record is the limit for all pages together");
            expect_rows(&subject.read(request).await, &expected, &promise);
        }
    }
}

pub(crate) async fn the_bounds_hold_on_every_page(subject: Subject) {
    let mut rows = store_some(&subject, "page").await;
    rows.retain(|row| (11..=20).contains(&row.stored_at));
    for max_rows in 1..=rows.len() + 1 {
        let request = ReadRequest {
            max_rows,
            start_time: Some(11),
            end_time: Some(20),
            ..read_request("page.*")
        };
        expect_rows(
            &subject.read(request).await,
            &rows,
            "time bounds must hold on every page",
        );
    }
}

pub(crate) async fn rows_written_between_pages_do_not_show(subject: Subject) {
    for max_rows in 1..=9 {
        let prefix = format!("size{max_rows}");
        let rows = store_some(&subject, &prefix).await;
        let request = ReadRequest {
            max_rows,
            ..read_request(&format!("{prefix}.*"))
        };
        let first = subject.page(request.clone()).await;
        for (name, time) in [
            ("a", 40),
            ("a", 20),
            ("a", 5),
            ("aa", 20),
            ("b", 10),
            ("c", 20),
            ("d", 1),
        ] {
            let name = format!("{prefix}.{name}");
            subject.store(&name, time, format!("new {time}")).await;
        }
        let mut all = rows_of(&first);
        if let Some(next) = first.next {
            let request = ReadRequest {
                after: Some(next),
                ..request
            };
            all.extend(subject.read(request).await);
        }
        expect_rows(
            &all,
            &rows,
            "pages must show the rows that were there when the first one was read, and none that came later",
        );
    }
}

pub(crate) async fn rows_removed_between_pages_disturb_no_other(subject: Subject) {
    for max_rows in 1..=9 {
        let mut expected = store_some(&subject, "page").await;
        let request = ReadRequest {
            max_rows,
            ..read_request("page.*")
        };
        let first = subject.page(request.clone()).await;
        subject.cleanup(20).await;
        let mut all = rows_of(&first);
        if let Some(next) = first.next {
            let request = ReadRequest {
                after: Some(next),
                ..request
            };
            let seen = all.len();
            all.extend(subject.read(request).await);
            let mut index = 0;
            expected.retain(|row| {
                index += 1;
                index <= seen || row.stored_at >= 20
            });
        }
        expect_rows(
            &all,
            &expected,
            "rows removed between pages must neither repeat nor hide the rows that are left",
        );
        subject.cleanup(u64::MAX).await;
    }
}
