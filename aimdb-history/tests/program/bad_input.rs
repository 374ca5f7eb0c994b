//! What cannot be done is said, with the exit code of its kind, and nothing is left half written.

use crate::support::{Outcome, files, run, weather};

#[test]
fn what_makes_no_sense_is_told_with_what_to_write_instead() {
    for (arguments, code, part) in [
        (
            &["show", "#", "--from", "yesterday"][..],
            2,
            "--from: `yesterday` is no time",
        ),
        (&["show", "#", "--from", "2010"], 2, "write `2010-01-01`"),
        (
            &["show", "#", "--from", "2010-02-01", "--to", "2010-01-01"],
            2,
            "lies after --to",
        ),
        (
            &["show", "temperature.sf", "--where", "celsius >"],
            2,
            "\n  celsius >\n           ^",
        ),
        (
            &["show", "temperature.sf", "--where", "celcius > 3"],
            2,
            "did you mean `celsius`?\n  celcius > 3\n  ^",
        ),
        (
            &["stats", "temperature.sf", "celcius"],
            2,
            "did you mean `celsius`?",
        ),
        (
            &["stats", "temperature.sf", "celsius", "--every", "1 month"],
            2,
            "--every: ",
        ),
        (&["plot", "door.front", "state"], 2, "holds no numbers"),
        (
            &["show", "temperature.sg"],
            3,
            "did you mean `temperature.sf`?",
        ),
        (&["show", "#a..*"], 2, "pattern"),
        (
            &["show", "temperature.sf", "--from", "2020-01-01"],
            3,
            "its rows reach from 2010-01-01 00:00:00 to 2010-12-31 23:00:00",
        ),
        (
            &["series", "nothing.*"],
            3,
            "no series is selected by `nothing.*`",
        ),
        (&["series", "--silent", "long"], 2, "--silent: "),
        (&["shw", "#"], 2, "similar"),
        (&["show", "#", "--json", "--csv"], 2, "cannot be used with"),
    ] {
        let err = run(weather(), arguments).failed(code);
        assert!(err.contains(part), "{arguments:?}: {err}");
    }
}

#[test]
fn what_is_no_history_is_refused_and_left_as_it_is() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("text.db"), "this is no database\n".repeat(100))?;
    let other = rusqlite::Connection::open(path("other.db"))?;
    other.execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);")?;
    drop(other);
    std::fs::create_dir(path("folder.db"))?;
    let before = std::fs::read(path("other.db"))?;
    for name in ["missing.db", "text.db", "other.db", "folder.db"] {
        let err = run(&path(name), &["series"]).failed(1);
        assert!(err.contains(name), "{name}: {err}");
    }
    assert_eq!(std::fs::read(path("other.db"))?, before);
    assert_eq!(files(folder.path()), ["folder.db", "other.db", "text.db"]);
    Ok(())
}

#[test]
fn a_server_is_named_as_what_this_program_cannot_reach_yet_without_its_password() {
    let url = std::path::Path::new("postgresql://me:secret@db.example/plant");
    let err = run(url, &["series"]).failed(2);
    assert!(
        err.contains("feature `postgres`") && !err.contains("secret"),
        "{err}"
    );
}

#[test]
fn a_zone_that_does_not_exist_is_told() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_aimdb-history"));
    command
        .arg(weather())
        .args(["series", "--tz", "Europe/Wien"]);
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--tz: "));
}
