//! What the documents show is what the program prints.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::{Outcome, weather};

/// A command in a document, and what stands below it.
struct Transcript {
    /// Where its output begins and ends in the document, in lines.
    lines: std::ops::Range<usize>,
    command: String,
}

/// In blocks of `console`: a command after `$ `, and its output until the next command or the end of the block.
fn transcripts(document: &str) -> Vec<Transcript> {
    let mut found: Vec<Transcript> = Vec::new();
    let mut is_console = false;
    for (number, line) in document.lines().enumerate() {
        if line.starts_with("```") {
            is_console = line == "```console";
        } else if let (true, Some(command)) = (is_console, line.strip_prefix("$ ")) {
            let command = command.to_owned();
            let lines = number + 1..number + 1;
            found.push(Transcript { lines, command });
        } else if let (true, Some(last)) = (is_console, found.last_mut()) {
            last.lines.end = number + 1;
        }
    }
    found
}

/// What a command prints in a folder that has the history, errors at the end.
fn printed(command: &str, folder: &Path) -> String {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_aimdb-history"));
    let command = command.replace(
        "cargo run -p aimdb-history -- target/weather_station.db",
        "aimdb-history history.db",
    );
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .args(["-c", &command])
        .current_dir(folder)
        .env("PATH", path)
        .env("TZ", "UTC")
        .output()
        .expect("a shell");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    text(output.stdout) + &text(output.stderr)
}

/// `…` stands for whatever is different each time.
fn is_like(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = printed.strip_prefix(first) else {
        return false;
    };
    let mut last = first;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        (rest, last) = (if part.is_empty() { "" } else { after }, part);
    }
    rest.is_empty() || (last.is_empty() && shown.ends_with('…'))
}

/// `RECORD=1` writes down what is printed.
#[cfg(unix)]
#[test]
fn the_documents_show_what_the_program_prints() -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace");
    for name in ["docs/command-line.md", "README.md"] {
        let path = root.join(name);
        let document = fs::read_to_string(&path)?;
        let lines: Vec<&str> = document.lines().collect();
        let folder = TempDir::new()?;
        fs::copy(weather(), folder.path().join("history.db"))?;
        let found = transcripts(&document);
        assert!(found.len() >= 3, "{name}");
        let mut recorded = Vec::new();
        let mut at = 0;
        for Transcript { lines: of, command } in found {
            let printed = printed(&command, folder.path());
            let shown: String = lines[of.clone()]
                .iter()
                .map(|line| format!("{line}\n"))
                .collect();
            let is_recorded = std::env::var_os("RECORD").is_some() && !shown.contains('…');
            assert!(
                is_recorded || is_like(&shown, &printed),
                "{name}: {command}\n{printed}\nis not as shown:\n{shown}"
            );
            recorded.extend(lines[at..of.start].iter().map(|line| (*line).to_owned()));
            let kept = if is_recorded { printed } else { shown };
            recorded.extend(kept.lines().map(str::to_owned));
            at = of.end;
        }
        recorded.extend(lines[at..].iter().map(|line| (*line).to_owned()));
        if std::env::var_os("RECORD").is_some() {
            fs::write(&path, recorded.join("\n") + "\n")?;
        }
    }
    Ok(())
}
