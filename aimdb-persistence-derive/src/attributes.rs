//! Which entries may stand where: settings on the type, `timestamp` on a field.

use proc_macro2::TokenStream;
use syn::{Attribute, Ident, LitStr, Meta};

use crate::buffer;
use crate::entries::{Entries, Entry, Value, persist_attributes};
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

    fn named(name: &Ident) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| name == setting.name())
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
            "`{0}` takes a string literal; write `{0} = \"{text}\"`",
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
        // Misspelt names last: they stand in for a setting only where it is not given by its right name.
        let (known, unknown): (Vec<Entry>, Vec<Entry>) = entries
            .list
            .into_iter()
            .partition(|entry| Setting::named(&entry.name).is_some());
        for entry in known.iter().chain(&unknown) {
            match Setting::named(&entry.name) {
                Some(setting) => read.add(setting, entry, errors),
                None => read.add_unknown(entry, errors),
            }
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

    fn add(&mut self, setting: Setting, entry: &Entry, errors: &mut Errors) {
        if self.given.iter().any(|(given, _)| *given == setting) {
            errors.add(
                &entry.name,
                format!("`{}` is given twice; remove one", entry.name),
            );
        }
        match &entry.value {
            Value::Text(_) => {}
            Value::Other(tokens) if !tokens.is_empty() => {
                errors.add(tokens, setting.advice(Some(tokens)))
            }
            Value::Other(_) | Value::Absent => errors.add(&entry.name, setting.advice(None)),
        }
        self.given.push((setting, entry.text().cloned()));
    }

    fn add_unknown(&mut self, entry: &Entry, errors: &mut Errors) {
        let name = &entry.name;
        if name == "timestamp" {
            return errors.add(
                name,
                "`timestamp` belongs on a field; write `#[persist(timestamp)]` above the one that holds the event time",
            );
        }
        let meant = nearest(&name.to_string(), &Setting::ALL.map(Setting::name));
        let question = meant
            .map(|meant| format!("; did you mean `{meant}`?"))
            .unwrap_or_default();
        errors.add(
            name,
            format!("unknown attribute `{name}`: a type may have `key`, `retention`, `buffer` and `crate`{question}"),
        );
        // Taken as what it was meant to be, so that a misspelt `key` is not reported as missing too.
        if let Some(setting) =
            meant.and_then(|meant| Setting::ALL.into_iter().find(|s| s.name() == meant))
        {
            self.given.push((setting, entry.text().cloned()));
        }
    }
}

/// The `timestamp` that marks a field, if one does.
pub(crate) fn timestamp_marker(attributes: &[Attribute], errors: &mut Errors) -> Option<Ident> {
    refuse_empty_lists(attributes, errors);
    let mut marker = None;
    for Entry { name, value } in Entries::read(attributes, "timestamp", errors).list {
        if name != "timestamp" {
            errors.add(&name, advice_on_field_entry(&name));
            continue;
        }
        if !matches!(value, Value::Absent) {
            errors.add(
                &name,
                "`timestamp` takes no value; write `#[persist(timestamp)]`",
            );
        }
        if marker.is_some() {
            errors.add(&name, "`timestamp` is given twice; remove one");
        }
        marker.get_or_insert(name);
    }
    marker
}

fn refuse_empty_lists(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in persist_attributes(attributes) {
        if matches!(&attribute.meta, Meta::List(list) if list.tokens.is_empty()) {
            errors.add(
                attribute,
                "`#[persist()]` says nothing; write `#[persist(timestamp)]`, or remove it",
            );
        }
    }
}

fn advice_on_field_entry(name: &Ident) -> String {
    if Setting::named(name).is_some() {
        return format!(
            "`{name}` belongs on the type; write `#[persist({name} = \"…\")]` above it"
        );
    }
    match nearest(&name.to_string(), &["timestamp"]) {
        Some(meant) => format!("unknown attribute `{name}`: did you mean `{meant}`?"),
        None => format!("unknown attribute `{name}`: a field may have `timestamp` only"),
    }
}
