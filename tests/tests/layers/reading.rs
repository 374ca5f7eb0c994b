//! Reads a file, and the files of the modules that it declares.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, ItemMacro, ItemMod, ItemUse, Macro, Meta, VisRestricted};

use crate::modules::{Module, Modules, Sources};
use crate::test_code::{is_test_file, is_test_only};
use crate::tokens::{Written, paths_of_tokens, paths_of_use};

/// Their arguments become another crate's code.
const QUOTING: [&str; 4] = [
    "quote",
    "quote_spanned",
    "parse_quote",
    "parse_quote_spanned",
];

/// Reads `file` as a module of its own, and returns the module's index.
pub(crate) fn read_file(
    modules: &mut Modules,
    folder: &str,
    sources: &Sources,
    file: &str,
    parent: Option<usize>,
) -> usize {
    let module = add_module(modules, file, parent);
    match syn::parse_file(&sources[file]) {
        Ok(parsed) => {
            let stem = file.strip_suffix(".rs").unwrap_or(file);
            let is_root = parent.is_none() || stem.ends_with("/mod");
            let children = match stem.rsplit_once('/') {
                Some((folder, _)) if is_root => format!("{folder}/"),
                None if is_root => String::new(),
                _ => format!("{stem}/"),
            };
            let mut reader = Reader {
                modules,
                folder,
                sources,
                file,
                module,
                children,
            };
            reader.visit_file(&parsed);
        }
        Err(error) => {
            let line = error.span().start().line;
            modules
                .findings
                .push(format!("{folder}/{file}:{line}: {error}"));
        }
    }
    module
}

fn add_module(modules: &mut Modules, file: &str, parent: Option<usize>) -> usize {
    modules.modules.push(Module {
        file: file.to_owned(),
        parent,
        children: Default::default(),
        paths: Vec::new(),
        macro_calls: Vec::new(),
    });
    modules.modules.len() - 1
}

struct Reader<'a> {
    modules: &'a mut Modules,
    folder: &'a str,
    sources: &'a Sources,
    file: &'a str,
    /// The module that is being read.
    module: usize,
    /// Where the files of its modules lie.
    children: String,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        &mut self.modules.modules[self.module]
    }

    fn find(&mut self, line: usize, what: &str) {
        let finding = format!("{}/{}:{line}: {what}", self.folder, self.file);
        self.modules.findings.push(finding);
    }

    fn tokens(&mut self, tokens: TokenStream) {
        paths_of_tokens(tokens, &mut self.module().paths);
    }

    fn read_inline(&mut self, name: String, items: &[Item]) {
        let child = add_module(self.modules, self.file, Some(self.module));
        self.module().children.insert(name.clone(), child);
        let children = format!("{}{name}/", self.children);
        let module = std::mem::replace(&mut self.module, child);
        let children = std::mem::replace(&mut self.children, children);
        for item in items {
            self.visit_item(item);
        }
        self.module = module;
        self.children = children;
    }

    fn read_declared(&mut self, name: String, ident: &Ident) {
        let candidates = [
            format!("{}{name}.rs", self.children),
            format!("{}{name}/mod.rs", self.children),
        ];
        let Some(file) = candidates
            .iter()
            .find(|file| self.sources.contains_key(*file))
        else {
            let [file, _] = candidates;
            let line = ident.span().start().line;
            return self.find(
                line,
                &format!("`mod {name};` has no file; expected {}/{file}", self.folder),
            );
        };
        if !is_test_file(file) {
            let child = read_file(
                self.modules,
                self.folder,
                self.sources,
                file,
                Some(self.module),
            );
            self.module().children.insert(name, child);
        }
    }
}

macro_rules! visit_unless_test_only {
    ($($visit:ident: $node:ident),+) => {$(
        fn $visit(&mut self, node: &'ast syn::$node) {
            if !is_test_only(node) {
                visit::$visit(self, node);
            }
        }
    )+};
}

impl<'ast> Visit<'ast> for Reader<'_> {
    visit_unless_test_only! {
        visit_arm: Arm,
        visit_field: Field,
        visit_field_value: FieldValue,
        visit_impl_item: ImplItem,
        visit_stmt: Stmt,
        visit_trait_item: TraitItem,
        visit_variant: Variant
    }

    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Mod(declared) if is_test_only(item) => {
                let path = format!("{}{}", self.children, declared.ident.unraw());
                self.modules
                    .test_code
                    .extend([format!("{path}.rs"), format!("{path}/")]);
            }
            item if is_test_only(item) => {}
            item => visit::visit_item(self, item),
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        for attribute in &item.attrs {
            if attribute.path().is_ident("path") {
                let line = attribute.span().start().line;
                self.find(
                    line,
                    "a file must lie where its module's name says, without `#[path]`",
                );
            }
            self.visit_attribute(attribute);
        }
        let name = item.ident.unraw().to_string();
        match &item.content {
            Some((_, items)) => self.read_inline(name, items),
            None => self.read_declared(name, &item.ident),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            paths_of_use(&[], &item.tree, &mut self.module().paths);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let segments = path
                .segments
                .iter()
                .map(|segment| segment.ident.unraw().to_string())
                .collect();
            let line = path.segments[0].ident.span().start().line;
            self.module().paths.push(Written::path(segments, line));
        }
        visit::visit_path(self, path);
    }

    /// Who may see an item is no import.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => self.tokens(list.tokens.clone()),
            Meta::Path(path) => self.visit_path(path),
            Meta::NameValue(_) => {}
        }
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        if let Some(name) = &item.ident {
            let files = self
                .modules
                .macros
                .entry(name.unraw().to_string())
                .or_default();
            files.insert(self.file.to_owned());
        }
        visit::visit_item_macro(self, item);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.visit_path(&called.path);
        if let Some(name) = called.path.get_ident() {
            let call = Written::path(vec![name.unraw().to_string()], name.span().start().line);
            self.module().macro_calls.push(call);
        }
        let name = called
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string());
        if !name.is_some_and(|name| QUOTING.contains(&name.as_str())) {
            self.tokens(called.tokens.clone());
        }
    }
}
