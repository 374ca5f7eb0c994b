//! `version = 3, migrate(TemperatureV1, TemperatureV2)`: the types of the older rows.

use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Token, Type};

use crate::attributes::catalog::Setting;
use crate::attributes::entries::Value;
use crate::attributes::settings::Settings;
use crate::errors::Errors;
use crate::grammar::whole_number;

/// Where values say themselves of which version they are: the name that is stored.
pub(crate) fn read_version_field(settings: &Settings, errors: &mut Errors) -> Option<String> {
    let name = settings.text(Setting::VersionField)?;
    if settings.lacks(Setting::Version) {
        errors.add(
            settings.name(Setting::VersionField),
            "`version_field` does nothing without a version; add `version = 1`, or the one that new values carry",
        );
    } else if name.value().is_empty() {
        errors.add(name, "write the name under which the version is stored, such as `version_field = \"schema_version\"`");
    }
    Some(name.value())
}

/// The version of a type, and the types before it.
pub(crate) struct Versions {
    pub(crate) version: u32,
    /// Those of the versions just before it, the oldest first.
    pub(crate) older: Vec<Type>,
}

impl Versions {
    /// `None` if no version is declared, or what is declared is wrong.
    pub(crate) fn read(settings: &Settings, errors: &mut Errors) -> Option<Self> {
        let version = read_version(settings, errors);
        let steps = Steps::read(settings, errors);
        if settings.lacks(Setting::Version) {
            if let Some(migrate) = settings.name(Setting::Migrate) {
                let version = steps.map_or(2, |steps| steps.types.len() + 1);
                errors.add(
                    migrate,
                    format!("`migrate` does nothing without a version; add `version = {version}`"),
                );
            }
            return None;
        }
        let (version, steps) = (version?, steps?);
        if let Err(message) = steps.check_number(version) {
            let migrate = settings.name(Setting::Migrate);
            errors.add(migrate.or(settings.name(Setting::Version)), message);
            return None;
        }
        Some(Self {
            version,
            older: steps.types,
        })
    }

    /// The oldest version of which rows are read.
    pub(crate) fn oldest(&self) -> usize {
        self.version as usize - self.older.len()
    }
}

fn read_version(settings: &Settings, errors: &mut Errors) -> Option<u32> {
    let Some(Value::Whole(number)) = settings.value(Setting::Version) else {
        return None;
    };
    match whole_number::parse::<u32>(number) {
        Ok(0) => errors.add(number, "versions are counted from 1; write `version = 1`"),
        Ok(version) => return Some(version),
        Err(message) => errors.add(number, message),
    }
    None
}

/// What `migrate(…)` names.
#[derive(Default)]
struct Steps {
    /// `..` at the beginning: rows of versions before the first type are not read any more.
    from_later: bool,
    types: Vec<Type>,
}

impl Steps {
    /// No steps if `migrate` is left out.
    fn read(settings: &Settings, errors: &mut Errors) -> Option<Self> {
        let Some(Value::List(list)) = settings.value(Setting::Migrate) else {
            let is_left_out = settings.name(Setting::Migrate).is_none();
            return is_left_out.then(Self::default);
        };
        let parse = |input: ParseStream<'_>| {
            let from_later = input.parse::<Option<Token![..]>>()?.is_some();
            if from_later && !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
            let types = Punctuated::<Type, Token![,]>::parse_terminated(input)?;
            Ok(Self {
                from_later,
                types: types.into_iter().collect(),
            })
        };
        let steps = parse.parse2(list.clone());
        if steps.is_err() {
            errors.add(
                list,
                "`migrate` takes the types of the older versions, the oldest first; write \
                 `migrate(TemperatureV1, TemperatureV2)`, or `migrate(.., TemperatureV2)` if no older row is left",
            );
        }
        steps.ok()
    }

    fn check_number(&self, version: u32) -> Result<(), String> {
        let (needed, given) = (version as usize - 1, self.types.len());
        if needed == given && !self.from_later || self.from_later && given < needed {
            return Ok(());
        }
        let names = match given {
            0 => "none is given".to_owned(),
            1 => "`migrate` names one".to_owned(),
            given => format!("`migrate` names {given}"),
        };
        let versions = match needed {
            0 => {
                return Err("version 1 is the first: there is nothing to migrate from; remove `migrate`, or write a \
                            higher `version`"
                    .to_owned());
            }
            1 => "one version before it".to_owned(),
            needed => format!("{needed} versions before it"),
        };
        if self.from_later {
            return Err(format!(
                "version {version} has {versions}, and {names}, so that `..` leaves out none; remove it"
            ));
        }
        let types = match needed {
            1 => "the type as it was in version 1".to_owned(),
            2 => "the types as they were in versions 1 and 2".to_owned(),
            needed => format!("the types as they were in versions 1 to {needed}, the oldest first"),
        };
        Err(format!(
            "version {version} has {versions}, and {names}; write `migrate(…)` with {types}, or begin it with `..` if no \
             older row is left"
        ))
    }
}
