//! The page on answers lists the fields that the types have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::{FnArg, ImplItem, Item, ReceiverKind, Visibility};

use crate::{read, root};

/// Where answers are defined.
const SOURCES: [&str; 6] = [
    "aimdb-persistence/src/query/answers",
    "aimdb-persistence/src/aggregate",
    "aimdb-persistence/src/archive/stats.rs",
    "aimdb-persistence/src/recorder/flush.rs",
    "aimdb-persistence/src/recorder/restore.rs",
    "aimdb-persistence-backend/src/contract",
];

/// Answers that are not found by their place, since a folder has other types as well.
const ELSEWHERE: [&str; 4] = ["StoredValue", "BackendHealth", "FreshStart", "LostCommits"];

/// Public names of a type: fields and variants as they are, methods on `&self` with `()`.
type Members = BTreeSet<String>;

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn collect(path: &Path, types: &mut BTreeMap<String, Members>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            collect(&entry.expect("an entry").path(), types);
        }
        return;
    }
    let source = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file = syn::parse_file(&source).expect("a source file");
    for item in &file.items {
        let (name, members): (_, Vec<String>) = match item {
            Item::Struct(item) if is_public(&item.vis) => {
                let fields = item.fields.iter().filter(|field| is_public(&field.vis));
                let names = fields.filter_map(|field| Some(field.ident.as_ref()?.to_string()));
                (item.ident.to_string(), names.collect())
            }
            Item::Enum(item) if is_public(&item.vis) => {
                let names = item
                    .variants
                    .iter()
                    .map(|variant| variant.ident.to_string());
                (item.ident.to_string(), names.collect())
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let syn::Type::Path(of) = &*item.self_ty else {
                    continue;
                };
                let methods = item.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(method) if is_public(&method.vis) => Some(&method.sig),
                    _ => None,
                });
                let reads = methods.filter(|signature| {
                    matches!(signature.inputs.first(), Some(FnArg::Receiver(this)) if matches!(this.kind, ReceiverKind::Reference(..)))
                });
                let names = reads.map(|signature| format!("{}()", signature.ident));
                let of = of.path.segments.last().expect("a name").ident.to_string();
                (of, names.collect())
            }
            _ => continue,
        };
        types.entry(name).or_default().extend(members);
    }
}

/// What the page lists: each type, and the names in the first column of its table.
fn listed(page: &str) -> BTreeMap<String, Members> {
    let mut listed = BTreeMap::<String, Members>::new();
    for section in page.split("\n### `").skip(1) {
        let (heading, rest) = section.split_once('`').expect("a type in backticks");
        let name = heading.split('<').next().expect("a name");
        let body = rest.split("\n## ").next().expect("a body");
        let rows = body.lines().filter(|line| line.starts_with("| `"));
        let first_columns = rows.filter_map(|line| line.split('|').nth(1));
        let names = first_columns.flat_map(|column| column.split('`').skip(1).step_by(2));
        // A method is listed with its argument.
        let names = names.map(|name| match name.split_once('(') {
            Some((method, _)) => format!("{method}()"),
            None => name.to_owned(),
        });
        listed.insert(name.to_owned(), names.collect());
    }
    listed
}

#[test]
fn the_page_on_answers_lists_every_field_of_every_answer() {
    let listed = listed(&read("docs/answers.md"));
    let mut answers = BTreeMap::<String, Members>::new();
    for source in SOURCES {
        let mut types = BTreeMap::new();
        collect(&root().join(source), &mut types);
        if source.ends_with("contract") {
            types.retain(|name, _| ELSEWHERE.contains(&&**name));
        }
        for (name, members) in types {
            answers.entry(name).or_default().extend(members);
        }
    }
    // What has no public members is a step on the way to an answer, or a choice that a question is given.
    answers.retain(|name, members| {
        !members.is_empty() && !["Gaps", "Calendar", "Width"].contains(&&**name)
    });
    assert!(answers.len() > 12, "{answers:?}");
    let names = |types: &BTreeMap<String, Members>| types.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&listed), names(&answers), "the types on the page");
    for (name, members) in &answers {
        assert_eq!(
            &listed[name], members,
            "{name}: on the page, and in the code"
        );
    }
}
