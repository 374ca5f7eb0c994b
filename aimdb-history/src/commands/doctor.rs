//! `doctor`: what is odd.

use crate::commands::context::Context;
use crate::error::HistoryError;
use crate::location::{Location, Purpose};
use crate::output::{Cell, Column};
use crate::seen::{file_oddities, oddities};

pub(crate) async fn run(context: &Context) -> Result<(), HistoryError> {
    let history = context.open(Purpose::Read).await?;
    let now_ms = context.clock.now_ms;
    let mut found = oddities(&history, now_ms).await?;
    if let Location::File(path) = &context.location {
        found.extend(file_oddities(&history, path, now_ms).await?);
    }
    if found.is_empty() {
        context.say("Nothing is odd.");
        return Ok(());
    }
    let columns = [
        Column::new("about", "about"),
        Column::new("what is odd", "finding"),
        Column::new("what to do", "advice"),
    ];
    let rows: Vec<Vec<Cell>> = found
        .iter()
        .map(|odd| {
            let texts = [&odd.about, &odd.finding, &odd.advice];
            texts.map(|text| Cell::Text(text.clone())).to_vec()
        })
        .collect();
    context.print(|printer| printer.print(&columns, &rows))?;
    Err(HistoryError::Unwell(match found.len() {
        1 => "one thing is odd".to_owned(),
        many => format!("{many} things are odd"),
    }))
}
