//! The names of fields and variants in the JSON.

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::serde_model::attributes::{Part, Rule};
use crate::serde_model::rename_all::Case;

/// The name of a field or variant in the JSON that is written, and the names under which it is read.
pub(crate) struct Names {
    pub(crate) written: String,
    pub(crate) read: Vec<String>,
}

impl Names {
    /// A field of a tuple has no name; its place among those that are written counts.
    pub(crate) fn of_index(index: usize) -> Self {
        Self {
            written: index.to_string(),
            read: vec![index.to_string()],
        }
    }

    /// The names of a field, in a struct or variant with this rule.
    pub(crate) fn of_field(field: &Ident, part: &Part, rule: Rule) -> Self {
        Self::of(field, part, rule, Case::of_field)
    }

    /// The names of a variant, in an enum with this rule.
    pub(crate) fn of_variant(variant: &Ident, part: &Part, rule: Rule) -> Self {
        Self::of(variant, part, rule, Case::of_variant)
    }

    fn of(ident: &Ident, part: &Part, rule: Rule, apply: fn(Case, &str) -> String) -> Self {
        let own = ident.unraw().to_string();
        let name = |rename: &Option<String>, rule: Option<Case>| match (rename, rule) {
            (Some(rename), _) => rename.clone(),
            (None, Some(rule)) => apply(rule, &own),
            (None, None) => own.clone(),
        };
        let mut read = vec![name(&part.rename.read, rule.read)];
        read.extend(part.aliases.iter().cloned());
        Self {
            written: name(&part.rename.written, rule.written),
            read,
        }
    }
}
