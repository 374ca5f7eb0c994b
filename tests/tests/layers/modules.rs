//! The modules of one crate, and the module that a path leads to.

use std::collections::{BTreeMap, BTreeSet};

use crate::reading;
use crate::tokens::Written;

/// A crate's sources: text by path, relative to the crate's folder.
pub(crate) type Sources = BTreeMap<String, String>;

pub(crate) struct Module {
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    /// Every path that its code names, a `use` included.
    pub(crate) paths: Vec<Written>,
    /// Its calls of macros by their bare names.
    pub(crate) macro_calls: Vec<Written>,
}

/// A module that a path leads to, and the names after it.
struct Target {
    module: usize,
    rest: Vec<String>,
}

/// All that one root file (`lib.rs`) declares, directly or not. The root is module 0.
#[derive(Default)]
pub(crate) struct Modules {
    pub(crate) modules: Vec<Module>,
    /// The files that define a macro, by its name.
    pub(crate) macros: BTreeMap<String, BTreeSet<String>>,
    /// Files that are compiled for tests alone, and folders (with a `/`) of such files.
    pub(crate) test_code: BTreeSet<String>,
    pub(crate) findings: Vec<String>,
}

impl Modules {
    pub(crate) fn read(folder: &str, sources: &Sources, root: &str) -> Self {
        let mut modules = Modules::default();
        reading::read_file(&mut modules, folder, sources, root, None);
        modules
    }

    /// Every path that leads into another file: which module names it, and that file.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (&Module, &Written, String)> {
        (0..self.modules.len()).flat_map(move |at| {
            let module = &self.modules[at];
            let of_paths = module.paths.iter().flat_map(move |path| {
                let files = self.files_of(at, &path.segments).into_iter();
                files.map(move |file| (path, file))
            });
            let of_macros = module.macro_calls.iter().flat_map(move |call| {
                let files = self.files_of_macro(module, &call.segments[0]).into_iter();
                files.map(move |file| (call, file))
            });
            let named = of_paths.chain(of_macros);
            let elsewhere = named.filter(|(_, file)| *file != module.file);
            elsewhere.map(move |(path, file)| (module, path, file))
        })
    }

    fn files_of(&self, module: usize, path: &[String]) -> BTreeSet<String> {
        let targets = self.targets(module, path, &mut BTreeSet::new());
        let files = targets.iter().flat_map(|target| {
            let exported = target.rest.first().filter(|_| target.module == 0);
            let macros = exported.and_then(|name| self.macros.get(name));
            macros
                .cloned()
                .unwrap_or_else(|| BTreeSet::from([self.modules[target.module].file.clone()]))
        });
        files.collect()
    }

    /// A macro that no `use` brings in is found in the text above the call, that of parent modules included.
    fn files_of_macro(&self, module: &Module, name: &str) -> BTreeSet<String> {
        let brought_in = module
            .paths
            .iter()
            .any(|path| path.bound_as.as_deref() == Some(name));
        let files = self
            .macros
            .get(name)
            .filter(|files| !brought_in && !files.contains(&module.file));
        files.cloned().unwrap_or_default()
    }

    /// Where `path`, written in `module`, leads: nowhere if it names another crate's item. A name may be bound more
    /// than once, under different features.
    fn targets(
        &self,
        module: usize,
        path: &[String],
        seen: &mut BTreeSet<(usize, String)>,
    ) -> Vec<Target> {
        let Some((first, rest)) = path.split_first() else {
            return vec![self.descend(module, path)];
        };
        match first.as_str() {
            "crate" => return vec![self.descend(0, rest)],
            "self" => return vec![self.climb(module, rest)],
            "super" => return vec![self.climb(module, path)],
            _ => {}
        }
        if let Some(child) = self.modules[module].children.get(first) {
            return vec![self.descend(*child, rest)];
        }
        if !seen.insert((module, first.clone())) {
            return Vec::new();
        }
        let bound = self.modules[module]
            .paths
            .iter()
            .filter(|used| used.bound_as.as_ref() == Some(first));
        let bound: Vec<Target> = bound
            .flat_map(|used| self.targets(module, &used.segments, seen))
            .map(|target| self.continue_from(target, rest))
            .collect();
        if !bound.is_empty() {
            return bound;
        }
        let globs: Vec<&Written> = self.modules[module]
            .paths
            .iter()
            .filter(|used| used.glob)
            .collect();
        let in_globs = globs
            .into_iter()
            .flat_map(|used| self.in_glob(module, used, path, seen));
        in_globs.collect()
    }

    /// Follows every `super` that `path` begins with.
    fn climb(&self, module: usize, path: &[String]) -> Target {
        match (path.split_first(), self.modules[module].parent) {
            (Some((first, rest)), Some(parent)) if first == "super" => self.climb(parent, rest),
            _ => self.descend(module, path),
        }
    }

    /// What a `use …::*` makes of the first name of `path`, where it is a module.
    fn in_glob(
        &self,
        module: usize,
        used: &Written,
        path: &[String],
        seen: &mut BTreeSet<(usize, String)>,
    ) -> Vec<Target> {
        let opened = self.targets(module, &used.segments, seen).into_iter();
        let opened = opened.filter(|opened| opened.rest.is_empty() && opened.module != module);
        opened
            .flat_map(|opened| self.targets(opened.module, path, seen))
            .collect()
    }

    fn continue_from(&self, mut target: Target, rest: &[String]) -> Target {
        if target.rest.is_empty() {
            return self.descend(target.module, rest);
        }
        target.rest.extend_from_slice(rest);
        target
    }

    fn descend(&self, mut module: usize, mut path: &[String]) -> Target {
        while let Some((first, rest)) = path.split_first() {
            let Some(child) = self.modules[module].children.get(first) else {
                break;
            };
            (module, path) = (*child, rest);
        }
        Target {
            module,
            rest: path.to_vec(),
        }
    }
}
