//! `backup`, `check`, `salvage`, `compact`, `delete` and `rename`.

use std::fs;
use std::io::{Seek, SeekFrom, Write};

use tempfile::TempDir;

use crate::exchange::rows;
use crate::support::{Outcome, files, run, weather, weather_to_change};

#[test]
fn a_backup_is_a_history_like_any_other_and_replaces_nothing() -> Outcome {
    let folder = TempDir::new()?;
    let copy = folder.path().join("monday.db");
    let to = copy.to_str().unwrap();
    let backup = run(weather(), &["backup", to, "--json"]).json();
    assert_eq!(backup[0]["bytes"], fs::metadata(&copy)?.len());
    assert!(rows(&copy) == rows(weather()));
    assert_eq!(run(weather(), &["backup", to]).code, 1);
    assert_eq!(files(folder.path()), ["monday.db"]);
    Ok(())
}

#[test]
fn of_dated_backups_the_newest_are_kept() -> Outcome {
    let folder = TempDir::new()?;
    for day in 1..=3 {
        fs::write(
            folder
                .path()
                .join(format!("history-2026010{day}T000000Z.db")),
            "",
        )?;
    }
    let to = folder.path().join("history.db");
    let kept = run(
        weather(),
        &["backup", to.to_str().unwrap(), "--keep", "2", "--json"],
    )
    .json();
    assert_eq!(kept[0]["removed"], 2);
    let left = files(folder.path());
    assert_eq!(
        (left.len(), left[0].as_str()),
        (2, "history-20260103T000000Z.db")
    );
    assert!(rows(&folder.path().join(&left[1])) == rows(weather()));
    Ok(())
}

#[test]
fn damage_is_found_and_what_can_be_read_is_saved() -> Outcome {
    let (folder, path) = weather_to_change();
    let sound = run(&path, &["check"]);
    assert_eq!((sound.code, sound.err.trim()), (0, "The file is sound."));
    let mut file = fs::OpenOptions::new().write(true).open(&path)?;
    let middle = file.metadata()?.len() / 2 / 4_096 * 4_096;
    file.seek(SeekFrom::Start(middle))?;
    file.write_all(&[0xA5; 4_096])?;
    drop(file);

    let damaged = run(&path, &["check"]);
    assert_eq!(damaged.code, 4, "{}", damaged.err);
    assert!(damaged.err.contains("`salvage` saves"), "{}", damaged.err);
    let saved = folder.path().join("saved.db");
    let ran = run(&path, &["salvage", saved.to_str().unwrap(), "--json"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    let report: serde_json::Value = serde_json::from_str(&ran.out)?;
    let (all, left) = (rows(weather()).len(), rows(&saved).len());
    assert_eq!(report["rows"], left);
    assert!(left < all && left > all * 9 / 10, "{left} of {all}");
    assert_eq!(run(&saved, &["check"]).code, 0);
    assert_eq!(files(folder.path()), ["history.db", "saved.db"]);
    Ok(())
}

#[test]
fn what_would_be_deleted_is_shown_and_nothing_is_without_a_yes() -> Outcome {
    let (_folder, path) = weather_to_change();
    let before = rows(&path);
    let delete = ["delete", "temperature.sf", "--to", "2010-01-31"];
    let asked = run(&path, &delete);
    assert_eq!(asked.code, 5, "{}", asked.err);
    assert!(asked.out.contains("744"), "{}", asked.out);
    assert!(asked.err.contains("--yes"), "{}", asked.err);
    assert!(rows(&path) == before, "nothing is deleted");

    let yes: Vec<&str> = delete.iter().copied().chain(["--yes"]).collect();
    let done = run(&path, &yes);
    assert!(done.err.contains("744 rows are deleted"), "{}", done.err);
    assert_eq!(rows(&path).len(), before.len() - 744);
    assert_eq!(
        run(&path, &["show", "temperature.sf", "--to", "2010-01-31"]).code,
        3
    );
    Ok(())
}

#[test]
fn the_room_of_deleted_rows_is_given_back() -> Outcome {
    let (_folder, path) = weather_to_change();
    run(&path, &["delete", "temperature.*", "--yes"]).ok();
    let compacted = run(&path, &["compact", "--json"]).json();
    let after = compacted[0]["bytes_after"].as_u64().unwrap();
    assert_eq!(after, fs::metadata(&path)?.len());
    assert!(after < fs::metadata(weather())?.len() / 4, "{compacted:?}");
    assert_eq!(rows(&path).len(), 4);
    Ok(())
}

#[test]
fn a_series_is_renamed_after_it_was_shown() -> Outcome {
    let (_folder, path) = weather_to_change();
    assert_eq!(run(&path, &["rename", "door.front", "door.old"]).code, 5);
    run(&path, &["rename", "door.front", "door.old", "--yes"]).ok();
    let series = run(&path, &["series", "door.*", "--count", "--json"]).json();
    assert_eq!(
        (&series[0]["record_name"], &series[0]["rows"]),
        (&"door.old".into(), &4.into())
    );
    for (to, code) in [("temperature.sf", 2), ("door.{x}", 2)] {
        run(&path, &["rename", "door.old", to, "--yes"]).failed(code);
    }
    Ok(())
}
