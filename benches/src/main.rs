//! The project's own benchmarks: each figure stands beside raw SQLite doing the same work in the same run.
//!
//! `cargo run --release -p aimdb-persistence-benches -- [GROUP…] [--quick] [--json FILE] [--folder FOLDER]`

mod bench;
mod groups;
mod history;
mod raw;
mod report;

use std::path::PathBuf;

use bench::{Bench, Outcome};
use report::Report;

const USAGE: &str = "[GROUP…] [--quick] [--json FILE] [--folder FOLDER]";

struct Arguments {
    groups: Vec<String>,
    quick: bool,
    json: Option<PathBuf>,
    folder: PathBuf,
}

fn main() -> Outcome {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    // A figure that must not see what other groups left in memory is measured in a process of its own.
    if words.first().is_some_and(|word| word == bench::CHILD) {
        return groups::run_child(&words.split_off(1));
    }
    let arguments = parse()?;
    let bench = Bench::new(arguments.quick, &arguments.folder)?;
    let mut report = Report::default();
    for (name, run) in groups::selected(&arguments.groups)? {
        report.begin(name);
        run(&bench, &mut report)?;
        println!("{}", report.table());
    }
    if let Some(path) = arguments.json {
        let json = serde_json::to_string_pretty(&report.json(arguments.quick))?;
        std::fs::write(path, json + "\n")?;
    }
    Ok(())
}

fn parse() -> Outcome<Arguments> {
    use lexopt::Arg::{Long, Value};
    let mut arguments = Arguments {
        groups: Vec::new(),
        quick: false,
        json: None,
        folder: std::env::temp_dir(),
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("quick") => arguments.quick = true,
            Long("json") => arguments.json = Some(parser.value()?.into()),
            Long("folder") => arguments.folder = parser.value()?.into(),
            Long("help") => {
                println!("{USAGE}\ngroups: {}", groups::names());
                std::process::exit(0);
            }
            Value(group) => arguments.groups.push(group.to_string_lossy().into_owned()),
            other => return Err(format!("{}; usage: {USAGE}", other.unexpected()).into()),
        }
    }
    Ok(arguments)
}
