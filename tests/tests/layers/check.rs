//! Holds the imports of every crate against the layers that a document lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::circles::{Circle, Graph, circles};
use crate::list::{Layers, read_layers};
use crate::modules::{Modules, Sources};
use crate::root::other_items;
use crate::test_code::is_test_file;

/// What was found of all crates.
pub(crate) struct Report {
    pub(crate) crates: Vec<Counts>,
    /// What must change, each with its place.
    pub(crate) findings: Vec<String>,
}

/// What was counted of one crate. Files are counted without tests and roots; an import is a pair of files.
#[derive(Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) folder: String,
    pub(crate) files: usize,
    pub(crate) imports: usize,
    pub(crate) upward: usize,
    /// The number of files in each circle.
    pub(crate) circles: Vec<usize>,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            folder,
            files,
            imports,
            upward,
            circles,
        } = self;
        write!(
            f,
            "{folder}: {files} files, {imports} imports, {upward} upwards, circles of {circles:?} files"
        )
    }
}

/// Checks `crates`, the sources of each by its folder, against the blocks of `document`.
pub(crate) fn check(document: &str, crates: &BTreeMap<String, Sources>) -> Report {
    let mut report = Report {
        crates: Vec::new(),
        findings: Vec::new(),
    };
    let blocks = read_layers(document);
    for (index, block) in blocks.iter().enumerate() {
        let folder = &block.folder;
        if !crates.contains_key(folder) {
            report.findings.push(format!(
                "ARCHITECTURE.md lists layers of `{folder}`, which is no crate's `src` folder"
            ));
        }
        if blocks[..index].iter().any(|other| other.folder == *folder) {
            report.findings.push(format!(
                "ARCHITECTURE.md lists the layers of `{folder}` twice"
            ));
        }
    }
    for (folder, sources) in crates {
        let layers = blocks.iter().find(|block| block.folder == *folder);
        if layers.is_none() {
            report
                .findings
                .push(format!("ARCHITECTURE.md lists no layers of {folder}"));
        }
        let checked = Crate::read(folder, sources);
        report.findings.extend(checked.findings.iter().cloned());
        let upward = layers.map_or(Vec::new(), |layers| {
            checked.against(layers, &mut report.findings)
        });
        let circles = checked.circles();
        report
            .findings
            .extend(circles.iter().map(|circle| checked.describe_circle(circle)));
        report.crates.push(Counts {
            folder: folder.clone(),
            files: checked.files.len(),
            imports: checked.imports.len(),
            upward: upward.len(),
            circles: circles.iter().map(|circle| circle.files.len()).collect(),
        });
        report.findings.extend(upward);
    }
    report
}

/// One crate without its tests.
struct Crate<'a> {
    folder: &'a str,
    /// All files but the roots.
    files: BTreeSet<String>,
    /// By the importing and the imported file, but for what a root imports: the lines and paths as they are written.
    imports: BTreeMap<(String, String), BTreeSet<(usize, String)>>,
    findings: Vec<String>,
}

fn is_root(file: &str) -> bool {
    let program = file.strip_prefix("bin/");
    let is_program = program.is_some_and(|file| !file.contains('/') || file.ends_with("/main.rs"));
    matches!(file, "lib.rs" | "main.rs") || is_program
}

impl<'a> Crate<'a> {
    fn read(folder: &'a str, sources: &Sources) -> Self {
        let mut imports: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut findings = Vec::new();
        let mut declared = BTreeSet::new();
        let mut test_code = BTreeSet::new();
        for root in sources.keys().filter(|file| is_root(file)) {
            let modules = Modules::read(folder, sources, root);
            for (module, path, imported) in modules
                .imports()
                .filter(|(module, ..)| module.file != *root)
            {
                let pair = (module.file.clone(), imported);
                let suffix = if path.glob { "::*" } else { "" };
                imports
                    .entry(pair)
                    .or_default()
                    .insert((path.line, path.segments.join("::") + suffix));
            }
            declared.extend(modules.modules.into_iter().map(|module| module.file));
            test_code.extend(modules.test_code);
            findings.extend(modules.findings);
        }
        let of_tests =
            |file: &str| is_test_file(file) || test_code.iter().any(|code| file.starts_with(code));
        let files: BTreeSet<String> = sources
            .keys()
            .filter(|file| !is_root(file) && !of_tests(file))
            .cloned()
            .collect();
        let undeclared = files.difference(&declared);
        findings.extend(
            undeclared.map(|file| format!("{folder}/{file} is not compiled: no `mod` declares it")),
        );
        findings.extend(check_root(folder, sources));
        Crate {
            folder,
            files,
            imports,
            findings,
        }
    }

    /// Every import that runs upwards; what is wrong with the list itself goes to `findings`.
    fn against(&self, layers: &Layers, findings: &mut Vec<String>) -> Vec<String> {
        let placed = layers.place(self.files.iter().map(String::as_str));
        findings.extend(placed.findings);
        let mut upward = Vec::new();
        for ((file, imported), places) in &self.imports {
            let runs_to = match (placed.layers.get(file), placed.layers.get(imported)) {
                (_, None) if is_root(imported) => "which stands above every layer".to_owned(),
                (Some(from), Some(to)) if to < from => {
                    let [from, to] = [from, to].map(|layer| layers.layers[*layer].name());
                    format!("upwards from the layer `{from}` to the layer `{to}`")
                }
                _ => continue,
            };
            let from = self.describe_import(file, imported, places);
            upward.push(format!("{from}, {runs_to}"));
        }
        upward
    }

    fn circles(&self) -> Vec<Circle<'_>> {
        let mut graph = Graph::new();
        for (file, imported) in self.imports.keys() {
            if !is_root(imported) {
                graph.entry(file).or_default().insert(imported);
            }
        }
        circles(&graph)
    }

    fn describe_circle(&self, circle: &Circle<'_>) -> String {
        let files: Vec<&str> = circle.files.iter().copied().collect();
        let mut text = format!(
            "{}: {} files import each other in a circle: {}",
            self.folder,
            files.len(),
            files.join(", ")
        );
        for way in &circle.ways {
            text += "\n  a way round:";
            for (at, file) in way.iter().enumerate() {
                let imported = way[(at + 1) % way.len()];
                let places = &self.imports[&(file.to_string(), imported.to_string())];
                text += &format!("\n    {}", self.describe_import(file, imported, places));
            }
        }
        text
    }

    fn describe_import(
        &self,
        file: &str,
        imported: &str,
        places: &BTreeSet<(usize, String)>,
    ) -> String {
        let folder = self.folder;
        let (line, path) = places.first().expect("an import has a place");
        let lines: BTreeSet<usize> = places.iter().map(|(line, _)| *line).collect();
        let further = match lines.len() - 1 {
            0 => String::new(),
            1 => " (and in one more line)".to_owned(),
            further => format!(" (and in {further} more lines)"),
        };
        format!("{folder}/{file}:{line} imports `{path}`{further} from {folder}/{imported}")
    }
}

fn check_root(folder: &str, sources: &Sources) -> Vec<String> {
    if !sources.keys().any(|file| is_root(file)) {
        return vec![format!("{folder} has neither lib.rs nor main.rs")];
    }
    // A file that does not parse is reported where it is read.
    let library = sources
        .get("lib.rs")
        .and_then(|text| syn::parse_file(text).ok());
    let others = library.iter().flat_map(other_items);
    let misplaced = others.map(|(line, item)| {
        format!("{folder}/lib.rs:{line}: {item} belongs into a file of a layer; lib.rs declares modules and re-exports")
    });
    misplaced.collect()
}
