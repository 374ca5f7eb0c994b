//! `sql` and `doctor`.

use std::fs;

use serde_json::json;

use crate::support::{Outcome, run, weather, weather_to_change};

#[test]
fn a_history_is_asked_in_sql_over_all_rows_and_over_the_fields_of_a_type() -> Outcome {
    let of = |statement: &str| run(weather(), &["sql", statement, "--json"]).json();
    let all = of("SELECT count(*) AS rows, min(stored_at) AS first FROM history");
    assert_eq!(
        all,
        [json!({"rows": 17_522, "first": 1_262_304_000_000_u64})]
    );
    let doors = of(
        "SELECT version, json_extract(value, '$.state') AS state FROM history WHERE record_name LIKE 'door.%' LIMIT 1",
    );
    assert_eq!(doors, [json!({"version": 2, "state": "open"})]);
    let warm = of(
        "SELECT record_name, count(*) AS n FROM temperature WHERE celsius > 20 GROUP BY 1 ORDER BY 1",
    );
    assert_eq!(warm.len(), 2);
    let stats = [
        "stats",
        "temperature.sf",
        "celsius",
        "--where",
        "celsius > 20",
        "--json",
    ];
    assert_eq!(warm[1]["n"], run(weather(), &stats).json()[0]["count"]);
    assert_eq!(
        of("SELECT state, locked FROM door WHERE locked")[0],
        json!({"state": "shut", "locked": 1})
    );

    let views = run(weather(), &["sql", "--json"]).json();
    assert_eq!(
        views[2]["columns"],
        "record_name, stored_at, version, celsius, station, at"
    );
    Ok(())
}

#[test]
fn packed_rows_are_asked_in_sql_like_any_others_and_unpacked_again() -> Outcome {
    let (_folder, history) = weather_to_change();
    let sums = "SELECT record_name, count(*) AS n, sum(stored_at) AS t, sum(length(value)) AS v, max(version) AS version \
        FROM history GROUP BY 1 ORDER BY 1";
    let warm = "SELECT stored_at, value FROM history WHERE record_name = 'temperature.sf' ORDER BY 1 LIMIT 50";
    let answers =
        || [sums, warm].map(|statement| run(&history, &["sql", statement, "--json"]).json());
    let shown = || {
        run(
            &history,
            &["show", "temperature.sf", "--limit", "50", "--json"],
        )
        .ok()
    };
    let before = (answers(), shown());
    let packed = run(&history, &["pack", "temperature.*", "--json"]).json();
    assert!(
        packed[0]["rows"].as_u64().is_some_and(|rows| rows > 17_000),
        "{packed:?}"
    );
    assert_eq!((answers(), shown()), before);
    let plain = "SELECT count(*) AS n FROM record_history WHERE record_name LIKE 'temperature.%'";
    let left = run(&history, &["sql", plain, "--json"]).json();
    assert!(
        left[0]["n"].as_u64().is_some_and(|rows| rows < 600),
        "{left:?}"
    );
    assert_eq!(run(&history, &["unpack", "--json"]).json(), packed);
    assert_eq!((answers(), shown()), before);
    let nothing = history.with_file_name("nothing.db");
    run(&nothing, &["pack"]).failed(1);
    assert!(!nothing.exists());
    Ok(())
}

#[test]
fn sql_changes_nothing_and_reaches_no_other_file() -> Outcome {
    let (folder, path) = weather_to_change();
    let before = fs::read(&path)?;
    for (statement, part) in [
        ("DELETE FROM row", "only reads"),
        ("DROP VIEW record_history", "only reads"),
        ("INSERT INTO series (key) VALUES ('x')", "only reads"),
        ("ATTACH 'other.db' AS other", ""),
        ("VACUUM INTO 'other.db'", ""),
        ("PRAGMA query_only = 0; DELETE FROM row", ""),
        ("SELECT celcius FROM temperature", "no such column"),
        ("SELECT * FROM temperature WHER celsius > 3", "\n         "),
    ] {
        let err = run(&path, &["sql", statement]).failed(2);
        assert!(err.contains(part), "{statement}: {err}");
    }
    assert_eq!(run(&path, &["sql", "PRAGMA user_version = 7"]).code, 2);
    assert!(fs::read(&path)? == before);
    assert_eq!(crate::support::files(folder.path()), ["history.db"]);
    Ok(())
}

#[test]
fn what_is_odd_is_told_with_what_to_do() -> Outcome {
    let (_folder, path) = weather_to_change();
    let csv = path.with_extension("csv");
    fs::write(
        &csv,
        "key,stored_at,celsius,station\n\
         temperature.sf,4102444800000,1,sf\n\
         temperature.seattle,5,1,seattle\n\
         attic.old,1262304000000,1,x\n",
    )?;
    run(&path, &["import", csv.to_str().unwrap(), "--key", "{key}"]).ok();
    let last = "stored_at,celsius\n1293840000001,warm\n";
    fs::write(&csv, last)?;
    run(
        &path,
        &[
            "import",
            csv.to_str().unwrap(),
            "--key",
            "temperature.seattle",
        ],
    )
    .ok();
    fs::remove_file(&csv)?;

    let ran = run(&path, &["doctor", "--json"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    let found: Vec<serde_json::Value> = ran
        .out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    for (about, finding) in [
        ("temperature.sf", "ahead of the clock"),
        ("temperature.seattle", "before 2000"),
        (
            "temperature.seattle",
            "`celsius` is declared as float, and its newest row holds text",
        ),
        ("temperature.seattle", "silent for"),
        ("door.front", "silent for"),
        ("attic.old", "no type declares it"),
        ("history.db", "no backup"),
    ] {
        let is_told = found.iter().any(|odd| {
            let text = |name: &str| odd[name].as_str().unwrap_or("");
            text("about").ends_with(about)
                && text("finding").contains(finding)
                && !text("advice").is_empty()
        });
        assert!(is_told, "{about}: {finding} in {found:#?}");
    }
    Ok(())
}

#[test]
fn a_history_that_is_well_is_told_to_be() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("history.db");
    let csv = folder.path().join("rows.csv");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)?
        .as_millis() as u64;
    let rows: String = (0..20)
        .map(|row| format!("{},{row}\n", now - row * 60_000))
        .collect();
    fs::write(&csv, format!("stored_at,n\n{rows}"))?;
    run(&path, &["import", csv.to_str().unwrap(), "--key", "a.b"]).ok();
    run(
        &path,
        &[
            "backup",
            folder.path().join("history-monday.db").to_str().unwrap(),
        ],
    )
    .ok();
    let well = run(&path, &["doctor"]);
    assert_eq!(
        (well.code, well.err.trim()),
        (0, "Nothing is odd."),
        "{}",
        well.out
    );
    Ok(())
}
