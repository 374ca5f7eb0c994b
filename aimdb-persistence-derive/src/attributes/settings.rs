//! The settings of one type or field. Each is known, is given once, and has the right form.

use std::fmt::Display;

use aimdb_persistence_duration::{Purpose, parse_ms};
use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Attribute, LitStr, Meta};

use crate::attributes::catalog::{Place, Setting};
use crate::attributes::entries::{Entries, Entry, Value, attributes_named};
use crate::errors::Errors;
use crate::grammar::did_you_mean;

/// The settings at one place.
pub(crate) struct Settings {
    given: Vec<Given>,
    malformed: bool,
}

struct Given {
    setting: Setting,
    /// As it is written, which may be misspelt.
    name: Ident,
    /// `None` where what is written cannot be used and has been reported.
    value: Option<Value>,
}

impl Settings {
    pub(crate) fn read(attributes: &[Attribute], place: Place, errors: &mut Errors) -> Self {
        let example = match place {
            Place::Type => Setting::Key.example(),
            Place::Field => Setting::Timestamp.example(),
            Place::Part => Setting::Crate.example(),
        };
        if place == Place::Field {
            refuse_empty_lists(attributes, &example, errors);
        }
        let entries = Entries::read(attributes, place.attribute(), &example, errors);
        let mut settings = Self {
            given: Vec::new(),
            malformed: entries.malformed,
        };
        // Misspelt names come last: one counts as the setting that it resembles only if that is not given.
        let (known, unknown): (Vec<Entry>, Vec<Entry>) = entries
            .list
            .into_iter()
            .partition(|entry| Setting::named(&entry.name).is_some());
        for entry in known.into_iter().chain(unknown) {
            match Setting::named(&entry.name) {
                Some(setting) if setting.may_stand(place) => settings.add(setting, entry, errors),
                Some(setting) => errors.add(&entry.name, advice_on_place(setting, place)),
                None => settings.add_unknown(entry, place, errors),
            }
        }
        settings
    }

    /// The name of a setting as it is written, if it is given.
    pub(crate) fn name(&self, setting: Setting) -> Option<&Ident> {
        self.given
            .iter()
            .find(|given| given.setting == setting)
            .map(|given| &given.name)
    }

    /// The text of a setting, if it is given and usable.
    pub(crate) fn text(&self, setting: Setting) -> Option<&LitStr> {
        match self.value(setting)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What the text of a setting means, if it is given and right.
    pub(crate) fn parse<T, E: Display>(
        &self,
        setting: Setting,
        parse: impl Fn(&str) -> Result<T, E>,
        errors: &mut Errors,
    ) -> Option<T> {
        let text = self.text(setting)?;
        parse(&text.value())
            .map_err(|message| errors.add(text, message))
            .ok()
    }

    /// The length of time that a setting gives, if it is given and right.
    pub(crate) fn parse_ms(
        &self,
        setting: Setting,
        purpose: Purpose,
        errors: &mut Errors,
    ) -> Option<u64> {
        self.parse(setting, |text| parse_ms(text, purpose), errors)
    }

    /// Whether a setting is left out. If part of the attributes could not be read, it may be there.
    pub(crate) fn lacks(&self, setting: Setting) -> bool {
        !self.malformed && self.name(setting).is_none()
    }

    /// The value of a setting, if it is given in the right form.
    pub(crate) fn value(&self, setting: Setting) -> Option<&Value> {
        self.given
            .iter()
            .filter(|given| given.setting == setting)
            .find_map(|given| given.value.as_ref())
    }

    fn add(&mut self, setting: Setting, Entry { name, value }: Entry, errors: &mut Errors) {
        if self.name(setting).is_some() {
            errors.add(&name, format!("`{name}` is given twice; remove one"));
        }
        let form = setting.check_form(&value);
        if let Err(message) = &form {
            match value.to_token_stream() {
                nothing if nothing.is_empty() => errors.add(&name, message),
                written => errors.add(written, message),
            }
        }
        self.given.push(Given {
            setting,
            name,
            value: form.is_ok().then_some(value),
        });
    }

    fn add_unknown(&mut self, Entry { name, value }: Entry, place: Place, errors: &mut Errors) {
        let known: Vec<_> = Setting::all_at(place).map(Setting::name).collect();
        let meant = did_you_mean::meant(&name.to_string(), &known);
        let owner = match place {
            Place::Type => "type",
            Place::Field => "field",
            Place::Part => "part of a record",
        };
        let advice = match meant {
            Some(meant) => format!("did you mean `{meant}`? A"),
            None if did_you_mean::is_of_serde(&name.to_string()) => {
                "it is serde's, and belongs in `#[serde(…)]`; a".to_owned()
            }
            None => "a".to_owned(),
        };
        let known = enumerate(&known);
        errors.add(
            &name,
            format!("unknown attribute `{name}`: {advice} {owner} may have {known}"),
        );
        // It counts as the setting that was meant, so that a misspelt `key` is not reported as missing too.
        if let Some(setting) = Setting::all_at(place).find(|s| Some(s.name()) == meant) {
            self.given.push(Given {
                setting,
                name,
                value: setting.check_form(&value).is_ok().then_some(value),
            });
        }
    }
}

fn advice_on_place(setting: Setting, place: Place) -> String {
    let (name, example) = (setting.name(), setting.example());
    if place == Place::Part {
        return format!("`{name}` belongs to a record, whose type derives `Persist`");
    }
    let above = match setting {
        Setting::Timestamp => "the one that holds the event time",
        Setting::Deadband => "the number that must move to be stored",
        Setting::Ignore => "one whose changes do not count",
        Setting::Unit => "the number that it is the unit of",
        Setting::Getter => "the one that the function reads",
        _ => {
            return format!("`{name}` belongs on the type; write `#[persist({example})]` above it");
        }
    };
    format!("`{name}` belongs on a field; write `#[persist({example})]` above {above}")
}

/// For fields only: on a type, the missing key is reported.
fn refuse_empty_lists(attributes: &[Attribute], example: &str, errors: &mut Errors) {
    for attribute in attributes_named("persist", attributes) {
        if matches!(&attribute.meta, Meta::List(list) if list.tokens.is_empty()) {
            errors.add(
                attribute,
                format!("`#[persist()]` says nothing; write `#[persist({example})]`, or remove it"),
            );
        }
    }
}

/// `` `a`, `b` and `c` ``.
fn enumerate(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", first.join(", "))
        }
    }
}
