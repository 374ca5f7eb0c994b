//! One module per group of figures.

mod interference;
mod latest;
mod pipeline;
mod postgres;
mod queries;
mod scan;
mod size;
mod stall;
mod store;
mod value_sizes;
mod wear;

use crate::bench::{Bench, Outcome};
use crate::report::Report;

type Run = fn(&Bench, &mut Report) -> Outcome;

const GROUPS: [(&str, Run); 11] = [
    ("pipeline", pipeline::run),
    ("store", store::run),
    ("value_sizes", value_sizes::run),
    ("latest", latest::run),
    ("scan", scan::run),
    ("queries", queries::run),
    ("interference", interference::run),
    ("stall", stall::run),
    ("wear", wear::run),
    ("size", size::run),
    ("postgres", postgres::run),
];

/// The groups of these names in their usual order; all of them if no name is given.
pub(crate) fn selected(wanted: &[String]) -> Outcome<Vec<(&'static str, Run)>> {
    let known = |name: &String| GROUPS.iter().any(|(group, _)| group == name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        return Err(format!("there is no group `{unknown}`; the groups are {}", names()).into());
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    Ok(GROUPS
        .into_iter()
        .filter(|(name, _)| is_wanted(name))
        .collect())
}

/// The names of all groups.
pub(crate) fn names() -> String {
    GROUPS.map(|(name, _)| name).join(", ")
}

/// Measures one figure in this process for the one that started it.
pub(crate) fn run_child(arguments: &[String]) -> Outcome {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["scan", rest @ ..] => scan::run_child(rest),
        ["wear", rest @ ..] => wear::run_child(rest),
        other => Err(format!("nothing is measured by {other:?}").into()),
    }
}
