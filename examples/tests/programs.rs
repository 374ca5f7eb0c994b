//! The examples as their users meet them: as programs, with their output in a pipe.

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use tempfile::TempDir;

type Outcome = Result<(), Box<dyn Error>>;

/// An example, which Cargo builds beside the folder of this test.
fn program(name: &str) -> Command {
    let test = env::current_exe().expect("a running test has a path");
    let profile = test.ancestors().nth(2).expect("tests lie in PROFILE/deps");
    let path = profile.join("examples").join(name);
    assert!(
        path.with_extension(env::consts::EXE_EXTENSION).exists(),
        "{} is missing: `cargo test` builds it, `cargo test --test` alone does not",
        path.display()
    );
    Command::new(path)
}

fn run(program: &mut Command) -> Result<String, Box<dyn Error>> {
    succeeded(&program.output()?)
}

fn succeeded(output: &Output) -> Result<String, Box<dyn Error>> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    for stream in [&output.stdout, &output.stderr] {
        let control = stream
            .iter()
            .find(|byte| byte.is_ascii_control() && **byte != b'\n');
        assert_eq!(control, None, "control characters in a pipe: {stderr}");
    }
    Ok(String::from_utf8(output.stdout.clone())?)
}

fn weather_station(db: &Path, days_per_second: u32) -> Command {
    let mut command = program("weather_station");
    command.arg("--db").arg(db);
    command.args(["--days-per-second", &days_per_second.to_string()]);
    command
}

/// Fast enough for a test to be short, where nothing has to happen half-way.
const FAST: u32 = 1_000;

/// So slow that the rest of the year still takes many seconds when March begins.
const SLOW: u32 = 20;

/// Starts a slow replay and waits until March has begun. The reader must live as long as the program writes.
fn replay_until_march(db: &Path) -> Result<(Child, BufReader<ChildStderr>), Box<dyn Error>> {
    let mut child = weather_station(db, SLOW)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut progress = BufReader::new(child.stderr.take().ok_or("stderr is piped")?);
    let mut line = String::new();
    while !line.contains("2010-03") {
        line.clear();
        if progress.read_line(&mut line)? == 0 {
            return Err(format!("it ended before March: {:?}", child.wait_with_output()).into());
        }
    }
    Ok((child, progress))
}

/// The cells of a table's row, without the frame around them.
fn row<'a>(output: &'a str, series: &str) -> Vec<&'a str> {
    let line = output
        .lines()
        .find(|line| line.starts_with('│') && line.contains(series));
    let line = line.unwrap_or_else(|| panic!("no row of {series} in:\n{output}"));
    line.trim_matches('│').split('┆').map(str::trim).collect()
}

/// A history that was closed is one file, without SQLite's log beside it.
fn assert_closed(folder: &TempDir) -> Outcome {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.path())? {
        files.push(entry?.file_name());
    }
    assert_eq!(files, ["history.db"]);
    Ok(())
}

fn assert_complete(output: &str) {
    let (first, last) = ("2010-01-01 00:00", "2010-12-31 23:00");
    for expected in [
        [
            "temperature.seattle",
            "8,759",
            first,
            last,
            "3.06",
            "11.13",
            "24.39",
        ],
        [
            "temperature.sf",
            "8,759",
            first,
            last,
            "7.56",
            "13.85",
            "22.33",
        ],
    ] {
        assert_eq!(row(output, expected[0]), expected);
    }
}

#[test]
fn the_weather_station_records_a_year_of_two_cities_and_asks_it_back() -> Outcome {
    let folder = TempDir::new()?;
    let output = run(&mut weather_station(
        &folder.path().join("a/new/folder/history.db"),
        FAST,
    ))?;
    assert_complete(&output);
    for expected in [
        "17,518 readings recorded: 17,518 stored, none lost.",
        "seattle    4.2 °C  2010-12-31 23:00",
        "sf         9.1 °C  2010-12-31 23:00",
        "San Francisco, the year in 73 readings, °C",
    ] {
        assert!(output.contains(expected), "no `{expected}` in:\n{output}");
    }
    Ok(())
}

#[test]
fn a_second_run_finds_the_history_and_does_not_double_it() -> Outcome {
    let folder = TempDir::new()?;
    let db = folder.path().join("history.db");
    let first = run(&mut weather_station(&db, FAST))?;
    assert_eq!(first.matches("nothing stored yet").count(), 2, "{first}");
    let second = run(&mut weather_station(&db, FAST))?;
    assert_eq!(
        second
            .matches("the history is still there, up to 2010-12-31 23:00")
            .count(),
        2,
        "{second}"
    );
    assert!(
        second.contains("The year is complete: nothing is recorded again."),
        "{second}"
    );
    assert_complete(&second);
    assert_closed(&folder)?;
    Ok(())
}

#[cfg(unix)]
#[test]
fn an_interrupted_replay_closes_cleanly_and_the_next_run_completes_it() -> Outcome {
    let folder = TempDir::new()?;
    let db = folder.path().join("history.db");
    let (child, mut progress) = replay_until_march(&db)?;
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()?;
    assert!(interrupt.success());
    progress.read_to_string(&mut String::new())?;
    let interrupted = succeeded(&child.wait_with_output()?)?;
    assert!(interrupted.contains("none lost."), "{interrupted}");
    assert!(
        interrupted.contains("Interrupted. The history is closed"),
        "{interrupted}"
    );
    assert_closed(&folder)?;
    assert!(
        !interrupted.contains("17,518"),
        "it was not half-way: {interrupted}"
    );

    let next = run(&mut weather_station(&db, FAST))?;
    assert_eq!(
        next.matches("the history is still there").count(),
        2,
        "{next}"
    );
    assert_complete(&next);
    Ok(())
}

#[test]
fn a_killed_replay_is_completed_by_the_next_run() -> Outcome {
    let folder = TempDir::new()?;
    let db = folder.path().join("history.db");
    let (mut child, _progress) = replay_until_march(&db)?;
    child.kill()?;
    child.wait()?;
    let next = run(&mut weather_station(&db, FAST))?;
    assert_eq!(
        next.matches("the history is still there").count(),
        2,
        "{next}"
    );
    assert_complete(&next);
    Ok(())
}

#[test]
fn another_process_reads_the_newest_value_of_each_station_while_one_records() -> Outcome {
    let folder = TempDir::new()?;
    let db = folder.path().join("history.db");
    let (mut recording, _progress) = replay_until_march(&db)?;
    let output = run(program("ask_while_recording").arg(&db))?;
    assert_eq!(recording.try_wait()?, None, "it had ended before");
    recording.kill()?;
    recording.wait()?;

    let lines: Vec<_> = output.lines().collect();
    let [seattle, sf] = lines[..] else {
        panic!("one line per station, not:\n{output}")
    };
    for (line, key) in [(seattle, "temperature.seattle"), (sf, "temperature.sf")] {
        assert!(line.starts_with(key), "{line}");
        let (_, newest) = line.split_once("°C  ").ok_or("no time")?;
        // Rows from before March were stored when March began; the year was not over.
        assert!(("2010-02".."2010-12").contains(&newest), "{line}");
    }
    Ok(())
}

#[test]
fn an_unknown_argument_is_refused_and_help_is_given() -> Outcome {
    for arguments in [
        &["--database", "history.db"][..],
        &["history.db"],
        &["--db"],
        &["--days-per-second", "0"],
    ] {
        let output = program("weather_station").args(arguments).output()?;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = String::from_utf8(output.stderr)?;
        assert!(stderr.starts_with("weather_station: "), "{stderr}");
        assert!(stderr.contains("Usage: "), "{stderr}");
    }
    assert!(run(program("weather_station").arg("--help"))?.contains("--db PATH"));
    Ok(())
}

#[test]
fn the_quick_start_finds_the_rows_of_its_earlier_run() -> Outcome {
    let folder = TempDir::new()?;
    let db = folder.path().join("history.db");
    for earlier in ["Rows from earlier runs: 0\n", "Rows from earlier runs: 6\n"] {
        let output = run(program("quick_start").arg(&db))?;
        for expected in [
            earlier,
            "Latest of each city\n  Berlin   90.4 %\n  Vienna   94.1 %\n",
            "newest first\n  Vienna   94.1 %\n  Vienna   93.5 %\n  Vienna   91.2 %\n\n",
            "6 values stored, 0 lost\n",
        ] {
            assert!(output.contains(expected), "no `{expected}` in:\n{output}");
        }
    }
    assert_closed(&folder)?;
    Ok(())
}

#[test]
fn a_program_without_async_loses_nothing() -> Outcome {
    let folder = TempDir::new()?;
    let db = folder.path().join("history.db");
    let output = run(program("without_async").arg(&db))?;
    assert_eq!(
        output,
        "100 stored, 0 lost\n100 rows of this run\nthe newest is 999 N\n"
    );
    Ok(())
}

#[test]
fn a_marker_records_a_year_of_readings_whose_type_is_of_another_crate() -> Outcome {
    let output = run(&mut program("data_contracts"))?;
    // As many as the type's own deadband leaves of the year (docs/declarations.md).
    for expected in ["17518 hours of a year\n", "Seattle", " 5071 stored"] {
        assert!(output.contains(expected), "no `{expected}` in:\n{output}");
    }
    Ok(())
}

#[test]
fn a_backend_with_three_methods_carries_a_database() -> Outcome {
    let folder = TempDir::new()?;
    let path = folder.path().join("history.jsonl");
    let output = run(program("custom_backend").arg(&path))?;
    for expected in [
        "Rows from earlier runs: 0\n",
        "  machine.lathe.spindle  10 produced, 10 stored, 0 lost\n",
        "  machine.lathe.spindle  1200 rpm\n  machine.mill.spindle   8000 rpm\n",
        "newest first\n  1200 rpm\n  1201 rpm\n  1202 rpm\n  1203 rpm\n",
        "Rows older than a week removed: 4\nRows left: 16\n",
    ] {
        assert!(output.contains(expected), "no `{expected}` in:\n{output}");
    }
    let lines = std::fs::read_to_string(&path)?;
    assert_eq!(lines.lines().count(), 16);

    std::fs::write(&path, lines + "{\"record\":\"machine.lathe.sp")?;
    let next = run(program("custom_backend").arg(&path))?;
    assert!(next.contains("Rows from earlier runs: 16\n"), "{next}");
    Ok(())
}

#[test]
fn the_programs_without_options_refuse_what_they_do_not_know() -> Outcome {
    for name in [
        "quick_start",
        "custom_backend",
        "ask_while_recording",
        "without_async",
    ] {
        for arguments in [&["--db"][..], &["one", "two"]] {
            let output = program(name)
                .args(arguments.iter().map(OsStr::new))
                .output()?;
            assert!(!output.status.success(), "{name} {arguments:?}");
            assert!(String::from_utf8(output.stderr)?.contains("unexpected argument"));
        }
    }
    Ok(())
}

#[test]
fn the_building_stores_what_matters_and_finds_it_after_a_restart() -> Outcome {
    let folder = TempDir::new()?;
    let db = folder.path().join("history.db");
    let first = run(program("building").arg(&db))?;
    for expected in [
        ["building.main.energy", "10,080", "672", "9,408", "0", "0"],
        ["building.lab.set_point", "10,080", "11", "10,069", "0", "0"],
        [
            "building.gateway.firmware",
            "10,080",
            "2",
            "10,078",
            "0",
            "0",
        ],
        ["building.forecast", "672", "672", "0", "0", "0"],
    ] {
        assert_eq!(row(&first, expected[0])[..6], expected);
    }
    assert_eq!(row(&first, "all")[5], "0", "{first}");
    assert_eq!(first.matches("is heated to 17.0 °C").count(), 3, "{first}");

    let second = run(program("building").arg(&db))?;
    assert!(
        !second.contains("produced"),
        "the week is there already: {second}"
    );
    assert_eq!(
        second.matches("is heated to 17.0 °C").count(),
        3,
        "{second}"
    );
    assert_closed(&folder)
}

#[cfg(unix)]
#[test]
fn a_service_that_is_told_to_stop_closes_its_history_and_loses_nothing() -> Outcome {
    let folder = TempDir::new()?;
    let path = folder.path().join("history.db");
    let mut child = program("graceful_shutdown")
        .arg(&path)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("stdout is piped")?).lines();
    assert_eq!(lines.next().transpose()?.as_deref(), Some("recording"));
    // It has stored something by the time its log has a page.
    let log = folder.path().join("history.db-wal");
    while std::fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
        std::thread::yield_now();
    }
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()?;
    assert!(killed.success());
    let told = lines.collect::<Result<Vec<_>, _>>()?;
    assert!(child.wait()?.success(), "{told:?}");
    let [stopped, counted] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(stopped, "SIGTERM: closing the history");
    let numbers: Vec<&str> = counted.split(' ').collect();
    assert_eq!(numbers[0], numbers[3], "produced and stored: {counted}");
    assert_closed(&folder)
}
