//! `export` and `import`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use aimdb_history::OpenHistory;
use aimdb_history::exchange::{self, ExportProgress};
use aimdb_history::question::Selection;
use aimdb_persistence_backend::{MemoryBackend, Pattern, PersistenceBackend, ReadRequest, Rows};
use aimdb_persistence_sqlite::SqliteBackend;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{Outcome, files, run, tool, weather};

/// Every row of a history: what its value is, and not how it is written.
pub(crate) fn rows(path: &Path) -> Vec<(String, u64, u32, Value)> {
    Runtime::new().unwrap().block_on(async {
        let backend = SqliteBackend::builder(path).read_only().open().unwrap();
        let everything = ReadRequest::new(Pattern::parse("#").unwrap());
        let page = backend.read(everything).await.unwrap();
        backend.close().await.unwrap();
        let row = |row: aimdb_persistence_backend::Row<'_>| {
            let value: Value = serde_json::from_str(row.json).unwrap();
            (
                row.record_name.to_owned(),
                row.stored_at,
                row.version,
                value,
            )
        };
        let mut rows: Vec<_> = page.rows.iter().map(row).collect();
        rows.sort_by_key(|(name, at, version, value)| {
            (name.clone(), *at, *version, value.to_string())
        });
        rows
    })
}

/// A history of values that files find hard.
fn hard(path: &Path) -> Outcome {
    let mut rows = Rows::new();
    let values = [
        r#"{"note":"a, b; \"c\"\nnew line","n":1.5,"on":true}"#,
        r#"{"note":"東京 – ünïcode","n":18446744073709551615,"of":{"a":[1,2],"b":{}}}"#,
        r#"{"note":"5","n":null,"version":7,"stored_at":"mine"}"#,
        r#"{"note":"","a.b":1,"back\\slash":2,"of":{"a":"[1"}}"#,
        r#"{}"#,
        r#"[1,"two"]"#,
        r#""true""#,
        "null",
        "-0.25",
    ];
    for (index, value) in (0..).zip(values) {
        rows.push_versioned("odd.one", 1_000 + index / 2, value, (index % 3) as u32);
    }
    rows.push("odd.two", 5, "7");
    Runtime::new()?.block_on(async {
        let backend = SqliteBackend::new(path)?;
        let outcome = backend.store_batch(Arc::new(rows)).await;
        assert_eq!((outcome.settled, outcome.refused.len()), (10, 0));
        Ok(backend.close().await?)
    })
}

fn export(history: &Path, file: &Path, more: &[&str]) {
    let mut arguments = vec!["export", "#", "--to", file.to_str().unwrap()];
    arguments.extend(more);
    run(history, &arguments).ok();
}

#[test]
fn a_history_that_was_exported_and_imported_is_the_same() -> Outcome {
    let folder = TempDir::new()?;
    let of = |name: &str| folder.path().join(name);
    hard(&of("hard.db"))?;
    let hard = of("hard.db");
    for (history, ending) in [(&*hard, "csv"), (&*hard, "ndjson"), (weather(), "csv")] {
        let (file, copy) = (of(&format!("rows.{ending}")), of("copy.db"));
        export(history, &file, &[]);
        let imported = run(&copy, &["import", file.to_str().unwrap(), "--json"]).json();
        let expected = rows(history);
        assert_eq!(imported[0]["rows"], expected.len());
        for (one, other) in rows(&copy).iter().zip(&expected) {
            assert_eq!(one, other, "{ending}");
        }

        // Again, and nothing is doubled.
        let again = run(&copy, &["import", file.to_str().unwrap(), "--json"]).json();
        assert_eq!(again[0]["rows"], 0);
        assert_eq!(again[0]["repeated"], expected.len());
        assert!(rows(&copy) == expected, "{ending}");
        fs::remove_file(copy)?;
        fs::remove_file(file)?;
    }
    assert_eq!(files(folder.path()), ["hard.db"]);
    Ok(())
}

#[test]
fn csv_has_a_column_for_each_field_and_an_empty_cell_where_it_is_missing() -> Outcome {
    let folder = TempDir::new()?;
    let (history, file) = (
        folder.path().join("hard.db"),
        folder.path().join("rows.csv"),
    );
    hard(&history)?;
    export(&history, &file, &[]);
    let text = fs::read_to_string(&file)?;
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let header = csv.headers()?.clone();
    for column in [
        "record_name",
        "stored_at",
        "version",
        "note",
        "of.a",
        "of.b",
        r"a\.b",
        ".version",
        ".",
    ] {
        assert!(
            header.iter().any(|name| name == column),
            "{column}: {header:?}"
        );
    }
    let first = csv.records().next().unwrap()?;
    assert_eq!(&first[1], "1970-01-01T00:00:01.000Z");
    assert_eq!(
        &first[header.iter().position(|c| c == "note").unwrap()],
        "a, b; \"c\"\nnew line"
    );
    assert_eq!(&first[header.iter().position(|c| c == "of.a").unwrap()], "");
    Ok(())
}

#[test]
fn a_field_that_comes_while_rows_are_written_has_a_column() -> Outcome {
    let folder = TempDir::new()?;
    let file = folder.path().join("rows.csv");
    futures_lite::future::block_on(async {
        let backend = Arc::new(MemoryBackend::new());
        backend
            .store("a.b", &serde_json::json!({ "n": 1 }), 1)
            .await?;
        let history = OpenHistory::of(backend.clone()).await?;
        let selection = Selection::of(Pattern::parse("#")?);
        let mut has_come = false;
        let come = |progress| {
            if let (ExportProgress::Looking(_), false) = (progress, has_come) {
                has_come = true;
                let value = serde_json::json!({ "n": 2, "new": "x" });
                let stored = futures_lite::future::block_on(backend.store("a.b", &value, 2));
                stored.expect("it is stored");
            }
        };
        let exported = exchange::export(&history, &selection, &file, come).await?;
        assert_eq!((exported.rows, exported.columns), (2, 2));
        Ok::<(), Box<dyn std::error::Error>>(())
    })?;
    let expected = "record_name,stored_at,version,n,new\n\
                    a.b,1970-01-01T00:00:00.001Z,0,1,\n\
                    a.b,1970-01-01T00:00:00.002Z,0,2,x\n";
    assert_eq!(fs::read_to_string(&file)?, expected);
    assert_eq!(files(folder.path()), ["rows.csv"]);
    Ok(())
}

#[test]
fn only_the_rows_that_are_meant_are_exported() -> Outcome {
    let folder = TempDir::new()?;
    let file = folder.path().join("july.csv");
    let to = file.to_str().unwrap();
    let arguments = [
        "export",
        "temperature.*",
        "--to",
        to,
        "--from",
        "2010-07-01",
        "--until",
        "2010-07-31",
        "--where",
        "celsius > 20",
    ];
    run(weather(), &arguments).ok();
    let mut csv = csv::Reader::from_path(&file)?;
    let mut warm = 0;
    for record in csv.records() {
        let record = record?;
        assert!(record[1].starts_with("2010-07"), "{record:?}");
        warm += 1;
    }
    let counted = [
        "stats",
        "temperature.*",
        "celsius",
        "--combined",
        "--json",
        "--from",
        "2010-07-01",
        "--to",
        "2010-07-31",
        "--where",
        "celsius > 20",
    ];
    assert_eq!(run(weather(), &counted).json()[0]["count"], warm);
    Ok(())
}

#[test]
fn a_file_from_elsewhere_is_imported_by_naming_its_columns() -> Outcome {
    let folder = TempDir::new()?;
    let history = folder.path().join("history.db");
    let file = folder.path().join("logger.csv");
    fs::write(
        &file,
        "date,station,temp,gust\n2010/01/01 00:00,sf,8.5,\n1262307600,sf,8.75,3\nnoon,sf,1,1\n2010/01/01 02:00,,1,1\n2010/01/01 03:00,x\n",
    )?;
    let rejects = folder.path().join("rejects.csv");
    let arguments = [
        "import",
        file.to_str().unwrap(),
        "--key",
        "temperature.{station}",
        "--time",
        "date",
        "--fields",
        "celsius=temp,wind.gust=gust",
        "--version",
        "2",
        "--rejects",
        rejects.to_str().unwrap(),
    ];
    let dry: Vec<&str> = arguments.iter().copied().chain(["--dry-run"]).collect();
    let dry = run(&history, &dry);
    assert_eq!(dry.code, 4, "{}", dry.err);
    assert!(!history.exists(), "a dry run makes nothing");
    fs::remove_file(&rejects)?;

    let ran = run(&history, &arguments);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(
        ran.err
            .contains("3 lines cannot be rows; the first is line 4: `date`: `noon`"),
        "{}",
        ran.err
    );
    let expected = [
        (
            "temperature.sf".to_owned(),
            1_262_304_000_000,
            2,
            serde_json::json!({"celsius": 8.5}),
        ),
        (
            "temperature.sf".to_owned(),
            1_262_307_600_000,
            2,
            serde_json::json!({"celsius": 8.75, "wind": {"gust": 3}}),
        ),
    ];
    assert_eq!(rows(&history), expected);
    let rejected = fs::read_to_string(&rejects)?;
    assert!(rejected.starts_with("line,reason,text\n4,"), "{rejected}");
    assert!(rejected.contains("`station` is empty"), "{rejected}");
    assert!(
        rejected.contains("it has 2 cells, and the header has 4"),
        "{rejected}"
    );

    let wrong = [
        "import",
        file.to_str().unwrap(),
        "--time",
        "datum",
        "--key",
        "a.b",
    ];
    let err = run(&history, &wrong).failed(2);
    assert!(
        err.contains("there is no column `datum`; there are date, station"),
        "{err}"
    );
    Ok(())
}

/// A limit on the size of files stands for the disk that is full.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_leaves_no_half_of_a_file() -> Outcome {
    let folder = TempDir::new()?;
    for ending in ["csv", "ndjson"] {
        let file = folder.path().join(format!("rows.{ending}"));
        let export = tool(weather(), &["export", "#", "--to", file.to_str().unwrap()]);
        let mut limited = std::process::Command::new("sh");
        limited.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "sh"]);
        limited.arg(export.get_program()).args(export.get_args());
        let output = limited.output()?;
        let err = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(
            err.contains(&format!("rows.{ending}: writing it: ")),
            "{err}"
        );
        assert_eq!(files(folder.path()), Vec::<String>::new());
    }
    Ok(())
}

/// The first moments may come too early or too late; an export is caught half-way soon.
#[cfg(unix)]
#[test]
fn an_export_that_is_interrupted_leaves_nothing_of_its_file() -> Outcome {
    let folder = TempDir::new()?;
    let file = folder.path().join("rows.csv");
    for _ in 0..100 {
        let export = ["export", "#", "--to", file.to_str().unwrap(), "--quiet"];
        let mut child = tool(weather(), &export).spawn()?;
        while files(folder.path()).is_empty() && child.try_wait()?.is_none() {
            std::thread::yield_now();
        }
        let killed = std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .stderr(std::process::Stdio::null())
            .status()?;
        let code = child.wait()?.code();
        if killed.success() && code == Some(130) {
            assert_eq!(files(folder.path()), Vec::<String>::new());
            return Ok(());
        }
        assert_eq!(code, Some(0));
        fs::remove_file(&file)?;
    }
    Err("no export was caught half-way".into())
}

#[test]
fn an_export_never_replaces_a_file_and_says_what_endings_it_knows() -> Outcome {
    let folder = TempDir::new()?;
    let file = folder.path().join("rows.csv");
    fs::write(&file, "mine")?;
    let err = run(weather(), &["export", "#", "--to", file.to_str().unwrap()]).failed(1);
    assert!(err.contains("there is a file already"), "{err}");
    assert_eq!(fs::read_to_string(&file)?, "mine");
    let err = run(weather(), &["export", "#", "--to", "rows.xlsx"]).failed(2);
    assert!(err.contains(".csv, .ndjson or .parquet"), "{err}");
    let none = folder.path().join("none.csv");
    let err = run(
        weather(),
        &[
            "export",
            "temperature.*",
            "--from",
            "2020-01-01",
            "--to",
            none.to_str().unwrap(),
        ],
    )
    .failed(3);
    assert!(err.contains("its rows reach from"), "{err}");
    assert_eq!(files(folder.path()), ["rows.csv"]);
    Ok(())
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_has_the_same_rows_with_the_right_types() -> Outcome {
    use parquet::basic::{LogicalType, Type as Physical};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let folder = TempDir::new()?;
    let file = folder.path().join("rows.parquet");
    let to = file.to_str().unwrap();
    run(weather(), &["export", "temperature.*", "--to", to]).ok();
    let reader = SerializedFileReader::new(fs::File::open(&file)?)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let of = |name: &str| {
        schema
            .columns()
            .iter()
            .find(|c| c.name() == name)
            .unwrap()
            .clone()
    };
    assert_eq!(of("celsius").physical_type(), Physical::DOUBLE);
    assert_eq!(of("at").physical_type(), Physical::INT64);
    assert_eq!(of("station").logical_type_ref(), Some(&LogicalType::String));
    assert!(matches!(
        of("stored_at").logical_type_ref(),
        Some(LogicalType::Timestamp {
            is_adjusted_to_u_t_c: true,
            ..
        })
    ));

    let expected = rows(weather());
    let mut read = Vec::new();
    for row in reader.get_row_iter(None)? {
        let (mut name, mut at, mut celsius, mut station) = (String::new(), 0, 0.0, String::new());
        for (column, field) in row?.get_column_iter() {
            match (&**column, field) {
                ("record_name", Field::Str(text)) => name.clone_from(text),
                ("stored_at", Field::TimestampMillis(ms)) => at = u64::try_from(*ms)?,
                ("celsius", Field::Double(number)) => celsius = *number,
                ("station", Field::Str(text)) => station.clone_from(text),
                ("at" | "version", Field::Long(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        let value = serde_json::json!({"celsius": celsius, "station": station, "at": at});
        read.push((name, at, 1, value));
    }
    let expected: Vec<_> = expected
        .into_iter()
        .filter(|row| row.0.starts_with("temp"))
        .collect();
    assert_eq!(read.len(), expected.len());
    assert!(
        read.iter()
            .zip(&expected)
            .all(|(one, other)| (&one.0, one.1, &one.3) == (&other.0, other.1, &other.3))
    );
    Ok(())
}
