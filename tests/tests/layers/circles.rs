//! Circles in a graph of imports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Which files each file imports.
pub(crate) type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Files that all reach each other.
pub(crate) struct Circle<'a> {
    pub(crate) files: BTreeSet<&'a str>,
    /// Ways round, each as short as can be, which together pass through every file. The first file of a way follows its
    /// last.
    pub(crate) ways: Vec<Vec<&'a str>>,
}

pub(crate) fn circles<'a>(graph: &Graph<'a>) -> Vec<Circle<'a>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = graph
        .keys()
        .map(|file| (*file, reached_from(graph, file)))
        .collect();
    let mut circles: Vec<Circle<'a>> = Vec::new();
    for (file, reaches) in &reached {
        let is_known = circles.iter().any(|circle| circle.files.contains(file));
        if reaches.contains(file) && !is_known {
            let back = reaches
                .iter()
                .copied()
                .filter(|other| reached.get(other).is_some_and(|back| back.contains(file)));
            let files: BTreeSet<&str> = back.collect();
            let mut ways: Vec<Vec<&str>> = Vec::new();
            for file in &files {
                if !ways.iter().any(|way| way.contains(file)) {
                    ways.push(way_round(graph, file));
                }
            }
            circles.push(Circle { files, ways });
        }
    }
    circles
}

/// All that `file` imports, directly or not.
fn reached_from<'a>(graph: &Graph<'a>, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![file];
    while let Some(file) = waiting.pop() {
        for next in graph.get(file).into_iter().flatten().copied() {
            if reached.insert(next) {
                waiting.push(next);
            }
        }
    }
    reached
}

/// The shortest way from `file`, which lies on a circle, back to itself.
fn way_round<'a>(graph: &Graph<'a>, file: &'a str) -> Vec<&'a str> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut waiting = VecDeque::from([file]);
    while let Some(at) = waiting.pop_front().filter(|_| !before.contains_key(file)) {
        for next in graph.get(at).into_iter().flatten().copied() {
            before.entry(next).or_insert_with(|| {
                waiting.push_back(next);
                at
            });
        }
    }
    let mut way = vec![file];
    let mut at = before[file];
    while at != file {
        way.push(at);
        at = before[at];
    }
    way[1..].reverse();
    way
}
