//! Which share of the rows is saved whose pages are sound, whatever else of the file is destroyed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aimdb_persistence::PersistenceBackend;
use aimdb_persistence_sqlite::{SalvageReport, SqliteBackend, salvage};

use crate::support::{Numbers, OwnedRow, everything, plain, read_all, rows, scratch, store};

const PAGE: usize = 4_096;
const ROWS: u64 = 19_500;

/// Each row's text is its own, so that it is found in the bytes of pages.
fn text(n: u64) -> String {
    format!("{{\"n\":{n},\"unit\":\"C\"}}")
}

/// Some 240 pages: rows of five series in the clustered table, and some in the tail.
async fn history(path: &Path) {
    let backend = SqliteBackend::new(path).unwrap();
    let texts: Vec<_> = (0..ROWS)
        .map(|n| {
            (
                format!("t.{}", n % 5),
                1_700_000_000_000 + n * 1_000,
                text(n),
            )
        })
        .collect();
    let many = rows(texts.iter().map(|(name, at, text)| (&**name, *at, &**text)));
    assert_eq!(backend.store_batch(many).await.settled as u64, ROWS);
    for n in ROWS..ROWS + 50 {
        let value: serde_json::Value = serde_json::from_str(&text(n)).unwrap();
        backend.store("tail", &value, n).await.unwrap();
    }
    backend.close().await.unwrap();
}

/// The same by the published crate.
fn published(path: &Path) {
    let mut old = plain(path);
    old.execute_batch(
        "CREATE TABLE record_history (id INTEGER PRIMARY KEY AUTOINCREMENT, record_name TEXT NOT NULL,
             value_json TEXT NOT NULL, stored_at INTEGER NOT NULL);
         CREATE INDEX idx_record_time ON record_history (record_name, stored_at DESC);",
    )
    .unwrap();
    let transaction = old.transaction().unwrap();
    let insert =
        "INSERT INTO record_history (record_name, value_json, stored_at) VALUES (?1, ?2, ?3)";
    for n in 0..ROWS / 4 * 3 {
        let row = (format!("t.{}", n % 5), text(n), n as i64);
        transaction.execute(insert, row).unwrap();
    }
    transaction.commit().unwrap();
}

async fn rows_of(path: &Path) -> Vec<OwnedRow> {
    let backend = SqliteBackend::builder(path).read_only().open().unwrap();
    let (rows, _) = read_all(&backend, everything("#")).await;
    backend.close().await.unwrap();
    rows
}

/// Number, time and record of each row, and the pages on which its text lies.
struct Truth {
    rows: BTreeMap<u64, (OwnedRow, Vec<usize>)>,
}

fn number(row: &OwnedRow) -> u64 {
    let digits = row.2.trim_start_matches("{\"n\":").split(',').next();
    digits.unwrap().parse().unwrap()
}

impl Truth {
    /// By looking for the texts in the bytes: nothing of the format is needed for that.
    fn of(rows: Vec<OwnedRow>, bytes: &[u8]) -> Self {
        let mut rows: BTreeMap<u64, _> = rows
            .into_iter()
            .map(|row| (number(&row), (row, Vec::new())))
            .collect();
        let begin = b"{\"n\":";
        for (page, bytes) in bytes.chunks(PAGE).enumerate() {
            for at in 0..bytes.len() {
                let Some(rest) = bytes[at..].strip_prefix(begin) else {
                    continue;
                };
                let digits: String = rest
                    .iter()
                    .map(|b| *b as char)
                    .take_while(char::is_ascii_digit)
                    .collect();
                if let Some((row, pages)) = digits.parse().ok().and_then(|n: u64| rows.get_mut(&n))
                    && bytes[at..].starts_with(row.2.as_bytes())
                {
                    pages.push(page);
                }
            }
        }
        Self { rows }
    }

    /// Salvages, checks that nothing was made up, and gives the share of the rows whose pages are sound.
    async fn share(&self, damaged: &Path, destroyed: &[usize]) -> (f64, SalvageReport) {
        let before = fs::read(damaged).unwrap();
        let saved = damaged.with_extension("saved");
        let report = salvage(damaged, &saved).unwrap();
        assert!(fs::read(damaged).unwrap() == before, "it was touched");
        let rows = rows_of(&saved).await;
        fs::remove_file(&saved).unwrap();
        assert_eq!(report.rows as usize, rows.len());
        let mut found = BTreeMap::new();
        for row in &rows {
            let (own, _) = self.rows.get(&number(row)).expect("a row was made up");
            assert_eq!((&row.1, &row.2), (&own.1, &own.2));
            assert!(
                row.0 == own.0 || row.0.starts_with("lost."),
                "{row:?}, not {own:?}"
            );
            assert!(found.insert(number(row), ()).is_none(), "twice: {row:?}");
        }
        let is_sound = |pages: &[usize]| {
            !pages.is_empty() && pages.iter().all(|page| !destroyed.contains(page))
        };
        let expected = self.rows.iter().filter(|(_, (_, pages))| is_sound(pages));
        let expected: Vec<_> = expected.map(|(n, _)| *n).collect();
        let saved = expected.iter().filter(|n| found.contains_key(n)).count();
        let lost = self.rows.len() - rows.len();
        assert!(
            lost == 0 || report.damaged_pages > 0,
            "{lost} lost in silence: {report:?}"
        );
        (saved as f64 / expected.len().max(1) as f64, report)
    }
}

/// Destroys so many pages, and gives their numbers from 0.
fn destroy(bytes: &mut [u8], count: usize, numbers: &mut Numbers) -> Vec<usize> {
    let mut destroyed = Vec::new();
    while destroyed.len() < count {
        let page = numbers.below(bytes.len() / PAGE);
        if !destroyed.contains(&page) {
            let own = &mut bytes[page * PAGE..(page + 1) * PAGE];
            own.iter_mut()
                .for_each(|byte| *byte = numbers.below(256) as u8);
            destroyed.push(page);
        }
    }
    destroyed
}

#[tokio::test]
async fn however_many_pages_are_destroyed_the_rows_of_the_others_are_saved() {
    let scratch = scratch();
    history(&scratch.path).await;
    let sound = fs::read(&scratch.path).unwrap();
    let truth = Truth::of(rows_of(&scratch.path).await, &sound);
    assert!(truth.rows.values().all(|(_, pages)| !pages.is_empty()));
    let pages = sound.len() / PAGE;
    assert!((230..260).contains(&pages), "{pages}");
    for count in [3, 10, 48, 97] {
        for seed in 0..4 {
            let (mut bytes, mut numbers) = (sound.clone(), Numbers(seed));
            let destroyed = destroy(&mut bytes, count, &mut numbers);
            fs::write(&scratch.path, bytes).unwrap();
            let (share, report) = truth.share(&scratch.path, &destroyed).await;
            println!("{count} of {pages}, seed {seed}: {share:.4}, {report:?}");
            assert!(
                share >= 0.99,
                "{count} of {pages}, seed {seed}: {share}, {report:?}"
            );
        }
    }
}

#[tokio::test]
async fn of_a_file_cut_short_overwritten_or_without_its_beginning_sound_pages_are_saved() {
    let scratch = scratch();
    history(&scratch.path).await;
    let sound = fs::read(&scratch.path).unwrap();
    let truth = Truth::of(rows_of(&scratch.path).await, &sound);
    let pages = sound.len() / PAGE;
    let fill = |from: usize, to: usize, with: u8| {
        let mut bytes = sound.clone();
        bytes[from * PAGE..to * PAGE].fill(with);
        (bytes, (from..to).collect::<Vec<_>>())
    };
    let cut = |to: usize| (sound[..to * PAGE].to_vec(), (to..pages).collect::<Vec<_>>());
    let mut uneven = cut(pages - 1);
    uneven
        .0
        .extend_from_slice(&sound[(pages - 1) * PAGE..sound.len() - 1_000]);
    for (what, (bytes, destroyed)) in [
        ("one page cut off", cut(pages - 1)),
        ("a part of a page cut off", uneven),
        ("half cut off", cut(pages / 2)),
        ("the first page", fill(0, 1, 0)),
        ("the first pages", fill(0, 8, 0xA5)),
        ("the middle", fill(pages / 3, pages / 2, 0)),
        ("all but the end", fill(0, pages - 20, 0xFF)),
    ] {
        fs::write(&scratch.path, bytes).unwrap();
        let (share, report) = truth.share(&scratch.path, &destroyed).await;
        println!("{what}: {share:.4}, {report:?}");
        assert!(share >= 0.99, "{what}: {share}, {report:?}");
    }
    // A log of no bytes.
    fs::write(&scratch.path, &sound).unwrap();
    fs::write(scratch.folder.path().join("history.db-wal"), "").unwrap();
    let (share, report) = truth.share(&scratch.path, &[]).await;
    assert_eq!((share, report.damaged_pages), (1.0, 0));
}

#[tokio::test]
async fn of_the_published_crates_file_the_rows_of_sound_pages_are_saved() {
    let scratch = scratch();
    published(&scratch.path);
    let sound = fs::read(&scratch.path).unwrap();
    let truth: Vec<OwnedRow> = (0..ROWS / 4 * 3)
        .map(|n| (format!("t.{}", n % 5), n, text(n)))
        .collect();
    let truth = Truth::of(truth, &sound);
    let pages = sound.len() / PAGE;
    assert!(pages > 120, "{pages}");
    for count in [0, 3, 10, 48, 97] {
        for seed in 0..3 {
            let (mut bytes, mut numbers) = (sound.clone(), Numbers(seed));
            let destroyed = destroy(&mut bytes, count, &mut numbers);
            fs::write(&scratch.path, bytes).unwrap();
            let (share, report) = truth.share(&scratch.path, &destroyed).await;
            println!("{count} of {pages}, seed {seed}: {share:.4}, {report:?}");
            assert!(
                share >= 0.99,
                "{count} of {pages}, seed {seed}: {share}, {report:?}"
            );
            assert_eq!(report.lost_names, 0);
        }
    }
}

/// Rows that were swept leave free pages behind, and room on others.
#[tokio::test]
async fn what_was_removed_does_not_come_back_with_what_is_saved() {
    let scratch = scratch();
    history(&scratch.path).await;
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let until = 1_700_000_000_000 + ROWS / 3 * 1_000;
    assert_eq!(backend.erase("t.1", 0, until).await.unwrap(), ROWS / 15);
    assert_eq!(backend.erase("t.3", 0, u64::MAX).await.unwrap(), ROWS / 5);
    store(&backend, "other", 1, 1).await;
    assert!(backend.erase("other", 0, 5).await.unwrap() == 1);
    backend.close().await.unwrap();
    // Without giving the pages back, as after a sweep that was interrupted.
    let other = plain(&scratch.path);
    let remove = "DELETE FROM row WHERE series = (SELECT id FROM series WHERE key = 't.2')";
    assert_eq!(other.execute(remove, []), Ok(ROWS as usize / 5));
    let free = other.pragma_query_value(None, "freelist_count", |r| r.get::<_, i64>(0));
    assert!(free.unwrap() > 20);
    drop(other);
    let rows = rows_of(&scratch.path).await;
    let left = rows.len();
    let sound = fs::read(&scratch.path).unwrap();
    let truth = Truth::of(rows, &sound);
    let (share, report) = truth.share(&scratch.path, &[]).await;
    assert_eq!((share, report.rows as usize), (1.0, left), "{report:?}");
    assert!(
        report.left_out > 1_000,
        "what lies on free pages is told of: {report:?}"
    );
    for seed in 0..4 {
        let (mut bytes, mut numbers) = (sound.clone(), Numbers(seed));
        // The lists that tell which pages are free stay.
        let destroyed = destroy(&mut bytes[2 * PAGE..], 20, &mut numbers);
        let destroyed: Vec<_> = destroyed.iter().map(|page| page + 2).collect();
        fs::write(&scratch.path, bytes).unwrap();
        let (share, report) = truth.share(&scratch.path, &destroyed).await;
        println!("seed {seed}: {share:.4}, {report:?}");
        assert!(share >= 0.99, "seed {seed}: {share}, {report:?}");
    }
}
