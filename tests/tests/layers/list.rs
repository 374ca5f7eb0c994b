//! The layers that a document lists, and the layer that a file belongs to.

use std::collections::{BTreeMap, BTreeSet};

/// The layers of one crate, from top to bottom.
pub(crate) struct Layers {
    /// The folder of the crate's sources, relative to the repository.
    pub(crate) folder: String,
    pub(crate) layers: Vec<Layer>,
}

pub(crate) struct Layer {
    /// The line of the document that lists it.
    pub(crate) line: usize,
    /// `query/` for a folder and its module file, `query` for the file alone.
    pub(crate) entries: Vec<String>,
}

impl Layer {
    pub(crate) fn name(&self) -> String {
        self.entries.join(" ")
    }
}

/// Reads every code block whose info string is `layers`.
pub(crate) fn read_layers(document: &str) -> Vec<Layers> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(document.lines());
    while lines
        .by_ref()
        .any(|(_, line)| line.trim_end() == "```layers")
    {
        let block = lines
            .by_ref()
            .take_while(|(_, line)| line.trim_end() != "```");
        let mut block = block.filter(|(_, line)| !line.trim().is_empty());
        let folder = block.next().map(|(_, line)| line.trim().to_owned());
        blocks.push(Layers {
            folder: folder.unwrap_or_default(),
            layers: block
                .map(|(number, line)| read_layer(number, line))
                .collect(),
        });
    }
    blocks
}

fn read_layer(number: usize, line: &str) -> Layer {
    let line = line.trim();
    let entries = line
        .split_once("  ")
        .map_or(line, |(entries, _what_it_holds)| entries);
    Layer {
        line: number,
        entries: entries.split(' ').map(str::to_owned).collect(),
    }
}

/// Which layer each file belongs to.
pub(crate) struct Placed {
    /// The index of the layer, by file.
    pub(crate) layers: BTreeMap<String, usize>,
    pub(crate) findings: Vec<String>,
}

impl Layers {
    /// Places `files`, whose paths are relative to the crate's folder.
    pub(crate) fn place<'a>(&self, files: impl Iterator<Item = &'a str>) -> Placed {
        let (entries, mut findings) = self.entries();
        let mut used = BTreeSet::new();
        let mut layers = BTreeMap::new();
        for file in files {
            let entry = names(file)
                .into_iter()
                .find_map(|name| entries.get_key_value(&name));
            if let Some((entry, layer)) = entry {
                used.insert(entry);
                layers.insert(file.to_owned(), *layer);
            } else {
                findings.push(format!(
                    "{}/{file} belongs to no layer of ARCHITECTURE.md",
                    self.folder
                ));
            }
        }
        for (entry, layer) in entries.iter().filter(|(entry, _)| !used.contains(entry)) {
            findings.push(format!(
                "ARCHITECTURE.md:{}: no file of {} belongs to `{entry}` (`name` is a file without `.rs`, `name/` a folder, \
                 and two spaces come before the text)",
                self.layers[*layer].line, self.folder
            ));
        }
        Placed { layers, findings }
    }

    fn entries(&self) -> (BTreeMap<String, usize>, Vec<String>) {
        let mut entries = BTreeMap::new();
        let mut findings = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            for entry in &layer.entries {
                if let Some(other) = entries.insert(entry.clone(), index) {
                    findings.push(format!(
                        "ARCHITECTURE.md:{}: `{entry}` of {} is named already in line {}",
                        layer.line, self.folder, self.layers[other].line
                    ));
                }
            }
        }
        (entries, findings)
    }
}

/// The entries that a file may belong to, the narrowest first.
fn names(file: &str) -> Vec<String> {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let mut names = vec![stem.to_owned(), format!("{stem}/")];
    let folders = stem.rmatch_indices('/');
    names.extend(folders.map(|(end, slash)| stem[..end].to_owned() + slash));
    names
}
