//! One errand with a fault, one without, and what must be there then. Who looks is SQLite itself, and none of our code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aimdb_persistence_tests::crash::errand::{Errand, Kind, News};
use aimdb_persistence_tests::crash::{Promise, Report};
use tempfile::TempDir;

use crate::child::copy_database;
use crate::every_call::Fault;
use crate::history::{self, Due, Promised};

/// A child that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(90);

/// No errand needs so much memory.
const MOST_KIB: u64 = 200 << 10;

const NO_FAULT: &str = "";

/// What all lives begin with.
pub(crate) struct Ground {
    sound: TempDir,
    promised: Promised,
    damaged: TempDir,
    /// Of the damaged file.
    saved: Saved,
}

/// What salvage saves where nothing fails.
#[derive(Debug, PartialEq)]
struct Saved {
    rows: u64,
    gaps: u64,
    texts: BTreeSet<String>,
}

impl Ground {
    /// A file that was closed once and has a log since, and another one that is damaged.
    pub(crate) fn prepare() -> Self {
        let (sound, damaged) = (folder(), folder());
        let mut promised = Promised::default();
        for (run, kind) in [(0, Kind::Record), (1, Kind::Abandon)] {
            let news = run_child(&errand(kind, sound.path(), run, Promise::Full), NO_FAULT);
            hear(&mut promised, run, &news.expect("nothing fails"));
        }
        let (from, to) = (
            sound.path().join("history.db"),
            damaged.path().join("history.db"),
        );
        copy_database(&from, &to);
        damage(&to);
        let saving = folder();
        copy_database(&to, &saving.path().join("history.db"));
        let saved = salvaged(saving.path(), NO_FAULT)
            .expect("nothing fails")
            .expect("it is saved");
        assert!(saved.rows > 100 && saved.gaps > 0, "{saved:?}");
        Self {
            sound,
            promised,
            damaged,
            saved,
        }
    }

    /// How many calls of each kind an errand takes.
    pub(crate) fn calls(&self, kind: Kind) -> BTreeMap<String, usize> {
        let scratch = self.lay_out(kind);
        let counts = folder();
        let of_counts = counts.path().join("calls");
        let errand = errand(kind, scratch.path(), 2, Promise::Full);
        let status = command(&errand, NO_FAULT)
            .env("CALLS", &of_counts)
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("the child runs").success());
        let counts = fs::read_to_string(of_counts).expect("counts");
        let parse = |line: &str| {
            let (call, count) = line.split_once(' ').expect("a call and its count");
            (call.to_owned(), count.parse().expect("a number"))
        };
        counts.lines().map(parse).collect()
    }

    fn lay_out(&self, kind: Kind) -> TempDir {
        let scratch = folder();
        let from = match kind {
            Kind::Record | Kind::Abandon | Kind::BackUp => &self.sound,
            Kind::Quarantine | Kind::Salvage => &self.damaged,
        };
        let path = scratch.path().join("history.db");
        copy_database(&from.path().join("history.db"), &path);
        if kind == Kind::Quarantine {
            spoil_schema(&path);
        }
        scratch
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Destroys some of the pages that hold rows. Others of their place may be in the log.
fn damage(path: &Path) {
    const PAGE: usize = 4_096;
    const LEAF: u8 = 0x0A;
    let mut bytes = fs::read(path).expect("the file");
    let leaves = bytes.chunks_mut(PAGE).filter(|page| page[0] == LEAF);
    for page in leaves.skip(3).step_by(3) {
        page.fill(0x5A);
    }
    fs::write(path, bytes).expect("the file");
}

/// Destroys the list of the tables. The log, which may hold another one, goes.
fn spoil_schema(path: &Path) {
    let mut bytes = fs::read(path).expect("the file");
    bytes[100..2_000].fill(0x5A);
    fs::write(path, bytes).expect("the file");
    fs::remove_file(path.with_file_name("history.db-wal")).expect("its log");
}

fn errand(kind: Kind, folder: &Path, run: u32, durability: Promise) -> Errand {
    Errand {
        kind,
        folder: folder.to_owned(),
        run,
        durability,
        may_fail: false,
    }
}

fn command(errand: &Errand, faults: &str) -> Command {
    let mut errand = errand.clone();
    errand.may_fail = !faults.is_empty();
    let mut command = Command::new(env!("CARGO_BIN_EXE_errand_child"));
    command
        .arg(serde_json::to_string(&errand).expect("an errand is JSON"))
        .env("LD_PRELOAD", env!("TAPE_LIBRARY"))
        .env("FAULTS", faults)
        .env("FAULTS_FOLDER", &errand.folder)
        .stderr(Stdio::null());
    command
}

/// # Errors
/// If it hangs, crashes, was told something wrong, or takes too much memory; without a fault also if anything fails.
fn run_child(errand: &Errand, faults: &str) -> Result<Vec<News>, String> {
    let beside = folder();
    let said = beside.path().join("said");
    let out = fs::File::create(&said).expect("a file");
    let mut child = command(errand, faults)
        .stdout(out)
        .spawn()
        .expect("the child starts");
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("it is there to be killed");
            child.wait().expect("it ends");
            return Err("it hangs".to_owned());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let said = fs::read_to_string(said).expect("lines");
    let news = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("news"));
    let news: Vec<News> = news.collect();
    for one in &news {
        match one {
            News::Lied(what) => return Err(what.clone()),
            News::Failed(what) if faults.is_empty() => {
                return Err(format!("without a fault: {what}"));
            }
            News::Peak(kib) if *kib > MOST_KIB => return Err(format!("it took {kib} KiB")),
            _ => {}
        }
    }
    match status.success() {
        true => Ok(news),
        false => Err(format!("it ended: {status}")),
    }
}

fn hear(promised: &mut Promised, run: u32, news: &[News]) {
    for one in news {
        match one {
            News::Stored(counts) => promised.hear(0, run, &Report::Stored(counts.clone())),
            News::Passing(before_ms) => promised.hear(0, run, &Report::Passing(*before_ms)),
            _ => {}
        }
    }
}

/// An errand with the fault and one without. Says how many rows were promised and are there.
pub(crate) fn live(ground: &Ground, fault: &Fault) -> Result<usize, String> {
    let scratch = ground.lay_out(fault.errand());
    let checked = match fault.errand() {
        Kind::Salvage => salvages(ground, scratch.path(), fault),
        _ => records(ground, scratch.path(), fault),
    };
    checked.map_err(|problem| format!("{problem}; the evidence: {}", scratch.keep().display()))
}

fn records(ground: &Ground, folder: &Path, fault: &Fault) -> Result<usize, String> {
    let kind = fault.errand();
    let mut promised = match kind {
        Kind::Quarantine => Promised::default(),
        _ => ground.promised.clone(),
    };
    let damaged = fs::read(folder.join("history.db")).expect("the file");
    let faulty = errand(kind, folder, 2, fault.durability());
    let news = run_child(&faulty, &fault.on_tape())?;
    hear(&mut promised, 2, &news);
    if kind == Kind::BackUp {
        backup_is_as_told(ground, &faulty, &news)?;
    }
    // Of what was left behind the next one makes what is to be there.
    let next = match kind {
        Kind::Quarantine => Kind::Quarantine,
        _ => Kind::Record,
    };
    let news = run_child(&errand(next, folder, 3, fault.durability()), NO_FAULT)?;
    hear(&mut promised, 3, &news);
    set_aside_is(folder, (kind == Kind::Quarantine).then_some(&damaged))?;
    let copy = self::folder();
    let of_copy = copy.path().join("history.db");
    copy_database(&faulty.history(), &of_copy);
    let rows = history::read_plainly(&of_copy)?;
    promised.are_kept_by(&rows, Due::Stored)?;
    Ok(promised.rows() as usize)
}

/// A backup is complete, or there is none.
fn backup_is_as_told(ground: &Ground, errand: &Errand, news: &[News]) -> Result<(), String> {
    let told = news.iter().find_map(|one| match one {
        News::BackedUp(counts) => Some(counts),
        _ => None,
    });
    match told {
        None if errand.copy().exists() => Err("a backup failed, and lies there".to_owned()),
        None => Ok(()),
        Some(counts) => {
            let mut promised = ground.promised.clone();
            promised.hear(0, errand.run, &Report::Stored(counts.clone()));
            let copied = history::read_plainly(&errand.copy());
            copied
                .and_then(|rows| promised.are_kept_by(&rows, Due::Stored))
                .map_err(|problem| format!("the backup: {problem}"))
        }
    }
}

/// A damaged file lies aside, as it was; a sound one never does.
fn set_aside_is(folder: &Path, damaged: Option<&Vec<u8>>) -> Result<(), String> {
    let names = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let aside: Vec<String> = names
        .filter(|name| {
            name.contains(".corrupt-") && !name.ends_with("-wal") && !name.ends_with("-shm")
        })
        .collect();
    match (damaged, &aside[..]) {
        (None, []) => Ok(()),
        (None, _) => Err(format!("a sound file was set aside: {aside:?}")),
        (Some(damaged), [name]) if fs::read(folder.join(name)).expect("the file") == *damaged => {
            Ok(())
        }
        (Some(_), _) => Err(format!(
            "the damaged file does not lie aside as it was: {aside:?}"
        )),
    }
}

/// Says what was saved, if it was.
fn salvaged(folder: &Path, faults: &str) -> Result<Option<Saved>, String> {
    let errand = errand(Kind::Salvage, folder, 2, Promise::Full);
    let news = run_child(&errand, faults)?;
    let told = news.iter().find_map(|one| match one {
        News::Saved(rows, gaps) => Some((*rows, *gaps)),
        _ => None,
    });
    let Some((rows, gaps)) = told else {
        return match errand.saved().exists() {
            true => Err("salvage failed, and left a file".to_owned()),
            false => Ok(None),
        };
    };
    let found = history::read_plainly(&errand.saved())?;
    let texts: BTreeSet<String> = found
        .iter()
        .map(|row| format!("{} {:?}", row.key, row.mark))
        .collect();
    match texts.len() as u64 == rows && found.len() == texts.len() {
        true => Ok(Some(Saved { rows, gaps, texts })),
        false => Err(format!(
            "{rows} rows were saved, and {} are there",
            found.len()
        )),
    }
}

fn salvages(ground: &Ground, folder: &Path, fault: &Fault) -> Result<usize, String> {
    if let Some(saved) = salvaged(folder, &fault.on_tape())? {
        if !saved.texts.is_subset(&ground.saved.texts) {
            return Err("a row was made up".to_owned());
        }
        if saved.rows < ground.saved.rows && saved.gaps <= ground.saved.gaps {
            return Err(format!(
                "{} of {} rows, and not a word",
                saved.rows, ground.saved.rows
            ));
        }
        fs::remove_file(folder.join("saved.db")).expect("it is there");
    }
    for part in ["history.db", "history.db-wal"] {
        let (now, before) = (
            fs::read(folder.join(part)),
            fs::read(ground.damaged.path().join(part)),
        );
        if now.expect("a file") != before.expect("a file") {
            return Err(format!("{part} was changed"));
        }
    }
    match salvaged(folder, NO_FAULT)? {
        Some(saved) if saved == ground.saved => Ok(saved.rows as usize),
        saved => Err(format!("afterwards other rows are saved: {saved:?}")),
    }
}
