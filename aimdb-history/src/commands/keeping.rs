//! `backup`, `check`, `salvage`, `compact`, `pack` and `unpack`.

use std::path::PathBuf;

use aimdb_persistence_backend::StorageErrorKind;
use aimdb_persistence_sqlite::salvage as salvage_file;
use indicatif::BinaryBytes;

use crate::commands::context::Context;
use crate::error::HistoryError;
use crate::kept;
use crate::location::{OpenHistory, Purpose};
use crate::output::{Cell, Column};

/// Where a backup goes.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArguments {
    /// The copy. With --keep the time goes into its name: history-20261128T120000Z.db for history.db
    to: PathBuf,
    /// Keep so many copies with a time in their name, and remove the oldest beyond
    #[arg(long, value_name = "COPIES", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
}

pub(crate) async fn backup(
    context: &Context,
    arguments: &BackupArguments,
) -> Result<(), HistoryError> {
    context.location.file("backup")?;
    let history = context.open(Purpose::Read).await?;
    let progress = context.progress("copying", 0);
    let keep = arguments.keep.map(|keep| keep as usize);
    let taken = kept::backup(&history, &arguments.to, keep, jiff::Timestamp::now()).await?;
    drop(progress);
    let columns = ["file", "bytes", "removed"].map(|name| Column::new(name, name));
    let row = vec![
        Cell::Text(taken.file.display().to_string()),
        Cell::Bytes(taken.bytes),
        Cell::Count(taken.removed.len() as u64),
    ];
    context.print(|printer| printer.print(&columns, &[row]))
}

/// Whether every page of the file is sound.
pub(crate) async fn check(context: &Context) -> Result<(), HistoryError> {
    context.location.file("check")?;
    let progress = context.progress("checking", 0);
    let shown = progress.clone();
    let found = match context.open(Purpose::Read).await {
        Ok(OpenHistory {
            file: Some(file), ..
        }) => {
            let check = file.check(move |at| shown.at(at.rows));
            check.await.map(|report| report.first)
        }
        Ok(_) => Ok(Vec::new()),
        Err(HistoryError::Persistence(error)) => Err(error),
        Err(error) => return Err(error),
    };
    let found = match found {
        // So damaged that not even its beginning can be read.
        Err(error) if error.storage_kind() == Some(StorageErrorKind::Corrupt) => {
            vec![error.to_string()]
        }
        found => found?,
    };
    drop(progress);
    if found.is_empty() {
        context.say("The file is sound.");
        return Ok(());
    }
    let columns = [Column::new("damage", "damage")];
    let rows: Vec<Vec<Cell>> = found
        .into_iter()
        .map(|damage| vec![Cell::Text(damage)])
        .collect();
    context.print(|printer| printer.print(&columns, &rows))?;
    Err(HistoryError::Unwell(
        "the file is damaged: `salvage` saves what can be read into a new one".to_owned(),
    ))
}

/// Where what can be read goes.
#[derive(Debug, clap::Args)]
pub(crate) struct SalvageArguments {
    /// The new history
    to: PathBuf,
}

/// It cannot be interrupted half-way: it takes a copy first, and removes it at the end.
pub(crate) fn salvage(context: &Context, arguments: &SalvageArguments) -> Result<(), HistoryError> {
    let path = context.location.file("salvage")?;
    let progress = context.progress("salvaging", 0);
    let saved = salvage_file(path, &arguments.to)?;
    drop(progress);
    let figures = [
        ("series", "series", saved.series),
        ("rows", "rows", saved.rows),
        ("damaged pages", "damaged_pages", saved.damaged_pages),
        ("damaged rows", "damaged_rows", saved.damaged_rows),
        (
            "rows without value",
            "rows_without_value",
            saved.rows_without_value,
        ),
        ("doubtful rows", "doubtful_rows", saved.doubtful_rows),
        ("left out", "left_out", saved.left_out),
        ("lost names", "lost_names", saved.lost_names),
    ];
    let columns = figures.map(|(heading, name, _)| Column::new(heading, name));
    let row = figures.map(|(_, _, count)| Cell::Count(count)).to_vec();
    context.print(|printer| printer.print(&columns, &[row]))?;
    let lost = [
        saved.damaged_pages,
        saved.damaged_rows,
        saved.rows_without_value,
        saved.lost_names,
    ];
    match lost.iter().sum() {
        0_u64 => Ok(()),
        _ => Err(HistoryError::Unwell(
            "not everything could be read".to_owned(),
        )),
    }
}

pub(crate) async fn compact(context: &Context) -> Result<(), HistoryError> {
    let path = context.location.file("compact")?;
    let progress = context.progress("compacting", 0);
    let compacted = kept::compact(path, |done, total| {
        progress.say(&format!("{} of {}", BinaryBytes(done), BinaryBytes(total)));
    });
    let compacted = compacted.await?;
    drop(progress);
    let columns = [
        Column::new("before", "bytes_before"),
        Column::new("after", "bytes_after"),
    ];
    let row = vec![
        Cell::Bytes(compacted.bytes_before),
        Cell::Bytes(compacted.bytes_after),
    ];
    context.print(|printer| printer.print(&columns, &[row]))
}

#[derive(Debug, clap::Args)]
pub(crate) struct PackArguments {
    /// The series, such as `temperature.*`
    #[arg(default_value = "#")]
    pattern: String,
}

pub(crate) async fn pack(context: &Context, arguments: &PackArguments) -> Result<(), HistoryError> {
    let backend = kept::open_to_pack(context.location.file("pack")?)?;
    let progress = context.progress("packing", 0);
    let packed = backend.pack_now(&arguments.pattern).await;
    drop(progress);
    backend.close().await?;
    print_rows(context, packed?)
}

pub(crate) async fn unpack(
    context: &Context,
    arguments: &PackArguments,
) -> Result<(), HistoryError> {
    let backend = kept::open_to_pack(context.location.file("unpack")?)?;
    let progress = context.progress("unpacking", 0);
    let unpacked = backend.unpack(&arguments.pattern, |_| ()).await;
    drop(progress);
    backend.close().await?;
    print_rows(context, unpacked?)
}

fn print_rows(context: &Context, rows: u64) -> Result<(), HistoryError> {
    let columns = [Column::new("rows", "rows")];
    context.print(|printer| printer.print(&columns, &[vec![Cell::Count(rows)]]))
}
