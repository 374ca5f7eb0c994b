//! What may be set, where, and in which form.

use proc_macro2::{Ident, TokenStream};

use crate::buffer;
use crate::entries::Value;
use crate::key;
use crate::retention;
use crate::timestamp;

/// A name that may stand in `#[persist(…)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Key,
    Retention,
    Buffer,
    Crate,
    Timestamp,
}

/// What an attribute stands above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Type,
    Field,
    /// A type that is part of a record: what stands above it is `#[fields(…)]`.
    Part,
}

impl Place {
    /// The attribute that is read there.
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::Type | Self::Field => "persist",
            Self::Part => "fields",
        }
    }
}

/// How a setting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `key = "…"`.
    Text,
    /// `timestamp`, or `timestamp = "…"`.
    FlagOrText,
}

impl Setting {
    pub(crate) const ALL: [Self; 5] = [
        Self::Key,
        Self::Retention,
        Self::Buffer,
        Self::Crate,
        Self::Timestamp,
    ];

    /// The name, and a value that it may have.
    const fn name_and_example(self) -> (&'static str, &'static str) {
        match self {
            Self::Key => ("key", "\"temperature.{station}\""),
            Self::Retention => ("retention", "\"7d\""),
            Self::Buffer => ("buffer", "\"ring(4096)\""),
            Self::Crate => ("crate", "\"aimdb_persistence\""),
            Self::Timestamp => ("timestamp", "\"s\""),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        self.name_and_example().0
    }

    pub(crate) fn may_stand(self, place: Place) -> bool {
        match place {
            Place::Type => self != Self::Timestamp,
            Place::Field => self == Self::Timestamp,
            Place::Part => self == Self::Crate,
        }
    }

    const fn form(self) -> Form {
        match self {
            Self::Key | Self::Retention | Self::Buffer | Self::Crate => Form::Text,
            Self::Timestamp => Form::FlagOrText,
        }
    }

    pub(crate) fn named(name: &Ident) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| name == setting.name())
    }

    /// The setting as it may be written.
    pub(crate) fn example(self) -> String {
        let (name, example) = self.name_and_example();
        match self.form() {
            Form::Text => format!("{name} = {example}"),
            Form::FlagOrText => name.to_owned(),
        }
    }

    /// Whether a value has the right form; what it says is not looked at.
    ///
    /// # Errors
    /// Says what to write instead: the same in quotes where that is right.
    pub(crate) fn check_form(self, value: &Value) -> Result<(), String> {
        let (name, example) = self.name_and_example();
        let takes = match (self.form(), value) {
            (Form::Text | Form::FlagOrText, Value::Text(_)) | (Form::FlagOrText, Value::Absent) => {
                return Ok(());
            }
            (Form::Text, _) => "takes a string literal",
            (Form::FlagOrText, _) => "stands alone, or takes a string literal",
        };
        let quoted = match value {
            Value::Other(tokens) => self.in_quotes(tokens),
            Value::Absent | Value::Text(_) => None,
        };
        let value = quoted.unwrap_or_else(|| example.to_owned());
        let alone = match self.form() {
            Form::Text => String::new(),
            Form::FlagOrText => format!("`{name}`, or "),
        };
        Err(format!("`{name}` {takes}; write {alone}`{name} = {value}`"))
    }

    /// What is written without quotes, if it is right with them.
    fn in_quotes(self, tokens: &TokenStream) -> Option<String> {
        let text: String = tokens.to_string().split_whitespace().collect();
        let text = text.trim_start_matches('(').trim_end_matches(')');
        (!text.contains('"') && self.accepts(text)).then(|| format!("\"{text}\""))
    }

    fn accepts(self, text: &str) -> bool {
        match self {
            Self::Key => key::check(text).is_ok(),
            Self::Retention => retention::parse(text).is_ok(),
            Self::Buffer => buffer::parse(text).is_ok(),
            Self::Crate => syn::parse_str::<syn::Path>(text).is_ok(),
            Self::Timestamp => timestamp::parse(text).is_ok(),
        }
    }
}
