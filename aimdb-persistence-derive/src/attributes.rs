//! Which entries may stand where: settings on the type, `timestamp` on a field.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Ident, LitStr};

use crate::buffer;
use crate::entries::{Entries, Entry, Value};
use crate::errors::Errors;
use crate::key;
use crate::retention;
use crate::suggest::nearest;

/// What may be set on the type; each takes a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Key,
    Retention,
    Buffer,
    Crate,
}

impl Setting {
    const ALL: [Self; 4] = [Self::Key, Self::Retention, Self::Buffer, Self::Crate];

    fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Retention => "retention",
            Self::Buffer => "buffer",
            Self::Crate => "crate",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    fn example(self) -> &'static str {
        match self {
            Self::Key => "temperature.{station}",
            Self::Retention => "7d",
            Self::Buffer => "ring(4096)",
            Self::Crate => "aimdb_persistence",
        }
    }

    fn accepts(self, text: &str) -> bool {
        match self {
            Self::Key => key::check(text).is_ok(),
            Self::Retention => retention::parse(text).is_ok(),
            Self::Buffer => buffer::parse(text).is_ok(),
            Self::Crate => syn::parse_str::<syn::Path>(text).is_ok(),
        }
    }

    /// What to write in place of a value that is not a string: the same in quotes where that is right.
    fn advice(self, value: Option<&TokenStream>) -> String {
        let quoted = value
            .map(|tokens| tokens.to_string().split_whitespace().collect::<String>())
            .map(|text| {
                text.trim_start_matches('(')
                    .trim_end_matches(')')
                    .to_owned()
            })
            .filter(|text| !text.contains('"') && self.accepts(text));
        let text = quoted.as_deref().unwrap_or(self.example());
        format!(
            "`{0}` takes a string; write `{0} = \"{text}\"`",
            self.name()
        )
    }
}

/// The settings of a type.
pub(crate) struct TypeAttributes {
    /// In order; without a text where what is written cannot be used and has been reported.
    given: Vec<(Setting, Option<LitStr>)>,
    malformed: bool,
}

impl TypeAttributes {
    pub(crate) fn read(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let entries = Entries::read(attributes, "key = \"temperature.{station}\"", errors);
        let mut read = Self {
            given: Vec::new(),
            malformed: entries.malformed,
        };
        for entry in entries.list {
            read.add(entry, errors);
        }
        read
    }

    /// The text of a setting, if it is given and usable.
    pub(crate) fn text(&self, setting: Setting) -> Option<&LitStr> {
        self.given
            .iter()
            .find_map(|(given, text)| (*given == setting).then_some(text.as_ref()?))
    }

    /// Whether a setting is left out, and not hidden in something that has been reported already.
    pub(crate) fn lacks(&self, setting: Setting) -> bool {
        !self.malformed && self.given.iter().all(|(given, _)| *given != setting)
    }

    fn add(&mut self, entry: Entry, errors: &mut Errors) {
        let name = entry.name.to_string();
        let Some(setting) = Setting::named(&name) else {
            return self.add_unknown(&name, entry, errors);
        };
        if self.given.iter().any(|(given, _)| *given == setting) {
            errors.add(&entry.name, format!("`{name}` is given twice; remove one"));
        }
        let text = match entry.value {
            Value::Text(text) => Some(text),
            Value::Absent => {
                errors.add(&entry.name, setting.advice(None));
                None
            }
            Value::Other(tokens) if tokens.is_empty() => {
                errors.add(&entry.name, setting.advice(None));
                None
            }
            Value::Other(tokens) => {
                errors.add(&tokens, setting.advice(Some(&tokens)));
                None
            }
        };
        self.given.push((setting, text));
    }

    fn add_unknown(&mut self, name: &str, entry: Entry, errors: &mut Errors) {
        if name == "timestamp" {
            return errors.add(
                &entry.name,
                "`timestamp` belongs on a field; write `#[persist(timestamp)]` above the one that holds the event time",
            );
        }
        let known = Setting::ALL.map(Setting::name);
        let meant = nearest(name, &known);
        let question = meant
            .map(|meant| format!("; did you mean `{meant}`?"))
            .unwrap_or_default();
        errors.add(
            &entry.name,
            format!("unknown attribute `{name}`: a type may have `key`, `retention`, `buffer` and `crate`{question}"),
        );
        // Taken as what it was meant to be, so that a misspelt `key` is not reported as missing too.
        if let Some(setting) = meant.and_then(Setting::named) {
            let text = match entry.value {
                Value::Text(text) => Some(text),
                _ => None,
            };
            self.given.push((setting, text));
        }
    }
}

/// The `timestamp` that marks a field, if one does.
pub(crate) fn timestamp_marker(attributes: &[Attribute], errors: &mut Errors) -> Option<Ident> {
    const EXAMPLE: &str = "timestamp";
    for attribute in crate::entries::persist_attributes(attributes) {
        let is_empty = attribute
            .meta
            .require_list()
            .is_ok_and(|list| list.tokens.is_empty());
        if is_empty {
            errors.add(
                attribute,
                "it says nothing; write `#[persist(timestamp)]`, or remove it",
            );
        }
    }
    let mut marker = None;
    for entry in Entries::read(attributes, EXAMPLE, errors).list {
        let name = entry.name.to_string();
        if name != "timestamp" {
            errors.add(&entry.name, advice_on_field_entry(&name));
            continue;
        }
        let value = match entry.value {
            Value::Absent => None,
            Value::Text(text) => Some(quote!(#text)),
            Value::Other(tokens) => Some(tokens),
        };
        if let Some(value) = value {
            errors.add(
                value,
                "`timestamp` takes no value; write `#[persist(timestamp)]`",
            );
        }
        if marker.is_some() {
            errors.add(&entry.name, "`timestamp` is given twice; remove one");
        }
        marker.get_or_insert(entry.name);
    }
    marker
}

fn advice_on_field_entry(name: &str) -> String {
    if Setting::named(name).is_some() {
        return format!(
            "`{name}` belongs on the type; write `#[persist({name} = \"…\")]` above it"
        );
    }
    let question = match nearest(name, &["timestamp"]) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => String::new(),
    };
    format!("unknown attribute `{name}`: a field may have `timestamp`{question}")
}
