//! All settings: where each may stand, and in which form.

use aimdb_persistence_duration::{Purpose, parse_ms, parse_retention};
use proc_macro2::{Ident, TokenStream};
use syn::Type;

use crate::attributes::entries::Value;
use crate::grammar::buffer;
use crate::grammar::choice;
use crate::grammar::deadband;
use crate::grammar::key;
use crate::grammar::measurement_unit;
use crate::grammar::pack;
use crate::grammar::time_unit;

/// A name that may stand in `#[persist(…)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Key,
    For,
    Retention,
    KeepLast,
    MaxRows,
    OnChange,
    MinInterval,
    Keep,
    MaxSilence,
    OnDuplicate,
    Pack,
    Restore,
    Version,
    VersionField,
    Migrate,
    Buffer,
    Crate,
    Timestamp,
    Deadband,
    Ignore,
    Unit,
    Getter,
}

/// What an attribute stands above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Type,
    Field,
    /// A type that is part of a record, with `#[fields(…)]` above it.
    Part,
}

/// How a setting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `on_change`.
    Flag,
    /// `key = "…"`.
    Text,
    /// `restore`, or `restore = "…"`.
    FlagOrText,
    /// `keep_last = 1`.
    WholeNumber,
    /// `deadband = 0.2`, or `deadband = "2%"`.
    NumberOrText,
    /// `migrate(TemperatureV1)`.
    Types,
}

impl Place {
    /// The attribute that holds the settings.
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::Type | Self::Field => "persist",
            Self::Part => "fields",
        }
    }
}

/// Every setting with its name, its form, and a value that it may have.
const SETTINGS: [(Setting, &str, Form, &str); 22] = [
    (Setting::Key, "key", Form::Text, "\"temperature.{station}\""),
    (
        Setting::For,
        "for",
        Form::Text,
        "\"contracts::Temperature\"",
    ),
    (Setting::Retention, "retention", Form::Text, "\"7d\""),
    (Setting::KeepLast, "keep_last", Form::WholeNumber, "1"),
    (Setting::MaxRows, "max_rows", Form::WholeNumber, "10_000"),
    (Setting::OnChange, "on_change", Form::Flag, ""),
    (Setting::MinInterval, "min_interval", Form::Text, "\"10s\""),
    (Setting::Keep, "keep", Form::Text, "\"last\""),
    (Setting::MaxSilence, "max_silence", Form::Text, "\"1h\""),
    (
        Setting::OnDuplicate,
        "on_duplicate",
        Form::Text,
        "\"replace\"",
    ),
    (Setting::Pack, "pack", Form::Text, "\"1d\""),
    (Setting::Restore, "restore", Form::FlagOrText, "\"1h\""),
    (Setting::Version, "version", Form::WholeNumber, "2"),
    (
        Setting::VersionField,
        "version_field",
        Form::Text,
        "\"schema_version\"",
    ),
    (Setting::Migrate, "migrate", Form::Types, "TemperatureV1"),
    (Setting::Buffer, "buffer", Form::Text, "\"ring(4096)\""),
    (Setting::Crate, "crate", Form::Text, "\"aimdb_persistence\""),
    (Setting::Timestamp, "timestamp", Form::FlagOrText, "\"s\""),
    (Setting::Deadband, "deadband", Form::NumberOrText, "0.2"),
    (Setting::Ignore, "ignore", Form::Flag, ""),
    (Setting::Unit, "unit", Form::Text, "\"°C\""),
    (
        Setting::Getter,
        "getter",
        Form::Text,
        "\"contracts::Temperature::at\"",
    ),
];

impl Setting {
    /// The settings that may stand at a place.
    pub(crate) fn all_at(place: Place) -> impl Iterator<Item = Self> {
        let all = SETTINGS.iter().map(|(setting, ..)| *setting);
        all.filter(move |setting| setting.may_stand(place))
    }

    pub(crate) fn named(name: &Ident) -> Option<Self> {
        let mut all = SETTINGS.iter();
        all.find(|(_, known, ..)| name == known)
            .map(|(setting, ..)| *setting)
    }

    fn terms(self) -> (&'static str, Form, &'static str) {
        let mut all = SETTINGS.into_iter();
        all.find(|(setting, ..)| *setting == self)
            .map_or(("", Form::Flag, ""), |(_, name, form, example)| {
                (name, form, example)
            })
    }

    pub(crate) fn name(self) -> &'static str {
        self.terms().0
    }

    pub(crate) fn may_stand(self, place: Place) -> bool {
        let of_field = matches!(
            self,
            Self::Timestamp | Self::Deadband | Self::Ignore | Self::Unit | Self::Getter
        );
        match place {
            Place::Type => !of_field,
            Place::Field => of_field,
            Place::Part => self == Self::Crate,
        }
    }

    /// An example of the setting.
    pub(crate) fn example(self) -> String {
        let (name, form, example) = self.terms();
        match form {
            Form::Flag | Form::FlagOrText => name.to_owned(),
            Form::Text | Form::WholeNumber | Form::NumberOrText => format!("{name} = {example}"),
            Form::Types => format!("{name}({example})"),
        }
    }

    /// Checks the form of a value, not what it says.
    ///
    /// # Errors
    /// Says what to write instead. That is the same value in the right form, if it would be accepted.
    pub(crate) fn check_form(self, value: &Value) -> Result<(), String> {
        let (name, form, example) = self.terms();
        let meant = self.meant(form, value);
        let given = meant.as_deref().unwrap_or(example);
        let (takes, write) = match (form, value) {
            (Form::Flag | Form::FlagOrText, Value::Absent)
            | (Form::Text | Form::FlagOrText | Form::NumberOrText, Value::Text(_))
            | (Form::WholeNumber | Form::NumberOrText, Value::Whole(_))
            | (Form::NumberOrText, Value::Fraction(_))
            | (Form::Types, Value::List(_)) => return Ok(()),
            (Form::Flag, _) => ("takes no value", format!("`{name}`")),
            (Form::Text, _) => ("takes a string literal", format!("`{name} = {given}`")),
            (Form::FlagOrText, _) => (
                "stands alone, or takes a string literal",
                format!("`{name}`, or `{name} = {given}`"),
            ),
            (Form::WholeNumber, _) => ("takes a whole number", format!("`{name} = {given}`")),
            (Form::NumberOrText, _) => (
                "takes a positive number, or a percentage in quotes",
                match meant {
                    Some(meant) => format!("`{name} = {meant}`"),
                    None => format!("`{name} = {example}`, or `{name} = \"2%\"`"),
                },
            ),
            (Form::Types, _) => (
                "takes the types of the older versions, the oldest first",
                format!("`{name}({given})`"),
            ),
        };
        Err(format!("`{name}` {takes}; write {write}"))
    }

    /// A value of the wrong form, written in the right one.
    fn meant(self, form: Form, value: &Value) -> Option<String> {
        match (form, value) {
            (Form::WholeNumber, Value::Text(text)) => {
                let text = text.value();
                let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                is_number.then_some(text)
            }
            (Form::Types, Value::Text(text)) => {
                let text = text.value();
                syn::parse_str::<Type>(&text).is_ok().then_some(text)
            }
            (Form::Types, Value::Other(tokens)) => syn::parse2::<Type>(tokens.clone())
                .is_ok()
                .then(|| tokens.to_string()),
            (Form::WholeNumber | Form::Types, _) => None,
            (_, Value::List(tokens) | Value::Other(tokens)) => self.in_quotes(tokens),
            _ => None,
        }
    }

    /// A value without quotes, written with quotes, if it would be accepted then.
    fn in_quotes(self, tokens: &TokenStream) -> Option<String> {
        let text: String = tokens.to_string().split_whitespace().collect();
        (!text.contains('"') && self.accepts(&text)).then(|| format!("\"{text}\""))
    }

    fn accepts(self, text: &str) -> bool {
        match self {
            Self::Key => key::check(text).is_ok(),
            Self::For => syn::parse_str::<Type>(text).is_ok(),
            Self::Getter => syn::parse_str::<syn::Path>(text).is_ok(),
            Self::Retention => parse_retention(text).is_ok(),
            Self::MinInterval => parse_ms(text, Purpose::MinInterval).is_ok(),
            Self::Keep => choice::parse_keep(text).is_ok(),
            Self::MaxSilence => parse_ms(text, Purpose::MaxSilence).is_ok(),
            Self::OnDuplicate => choice::parse_on_duplicate(text).is_ok(),
            Self::Pack => pack::parse(text).is_ok(),
            Self::Restore => parse_ms(text, Purpose::RestoreAge).is_ok(),
            Self::Buffer => buffer::parse(text).is_ok(),
            Self::Crate => syn::parse_str::<syn::Path>(text).is_ok(),
            Self::Timestamp => time_unit::parse(text).is_ok(),
            Self::Deadband => deadband::parse_percentage(text).is_ok(),
            Self::VersionField => !text.is_empty(),
            Self::Unit => measurement_unit::parse(text).is_ok(),
            Self::KeepLast
            | Self::MaxRows
            | Self::OnChange
            | Self::Version
            | Self::Migrate
            | Self::Ignore => false,
        }
    }
}
