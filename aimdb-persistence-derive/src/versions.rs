//! `version = 3, migrate(TemperatureV1, TemperatureV2)`: the types that older rows were written as.

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Token, Type};

use crate::entries::Value;
use crate::errors::Errors;
use crate::policy::whole;
use crate::setting::Setting;
use crate::settings::Settings;

/// The version of a type, and the types before it.
pub(crate) struct Versions {
    pub(crate) version: u32,
    /// One for each version before it; `_`, at the beginning only, for one that is read no more.
    pub(crate) older: Vec<Type>,
}

impl Versions {
    /// How many of the first versions are read no more.
    pub(crate) fn gone(&self) -> usize {
        self.older.iter().take_while(is_gone).count()
    }

    /// The older types that are read.
    pub(crate) fn read_types(&self) -> &[Type] {
        &self.older[self.gone()..]
    }

    /// `None` if no version is declared, or what is declared is wrong.
    pub(crate) fn read(settings: &Settings, errors: &mut Errors) -> Option<Self> {
        let version = read_version(settings, errors);
        let older = parse_types(settings, errors);
        if settings.lacks(Setting::Version) {
            if let Some(migrate) = settings.name(Setting::Migrate) {
                let version = older.map_or(2, |older| older.len() + 1);
                errors.add(
                    migrate,
                    format!("`migrate` does nothing without a version; add `version = {version}`"),
                );
            }
            return None;
        }
        let (version, older) = (version?, older?);
        check_number(settings, version, &older, errors)?;
        check_gaps(&older, errors)?;
        Some(Self { version, older })
    }
}

fn read_version(settings: &Settings, errors: &mut Errors) -> Option<u32> {
    let Some(Value::Whole(number)) = settings.value(Setting::Version) else {
        return None;
    };
    match whole::<u32>(number) {
        Ok(0) => errors.add(number, "versions are counted from 1; write `version = 1`"),
        Ok(version) => return Some(version),
        Err(message) => errors.add(number, message),
    }
    None
}

/// None at all where `migrate` is left out.
fn parse_types(settings: &Settings, errors: &mut Errors) -> Option<Vec<Type>> {
    let Some(Value::List(types)) = settings.value(Setting::Migrate) else {
        return settings.name(Setting::Migrate).is_none().then(Vec::new);
    };
    let parsed = Punctuated::<Type, Token![,]>::parse_terminated.parse2(types.clone());
    match parsed {
        Ok(types) => Some(types.into_iter().collect()),
        Err(_) => {
            errors.add(
                types,
                "`migrate` takes the types of the older versions, the oldest first; write \
                 `migrate(TemperatureV1, TemperatureV2)`",
            );
            None
        }
    }
}

fn check_number(
    settings: &Settings,
    version: u32,
    older: &[Type],
    errors: &mut Errors,
) -> Option<()> {
    let (needed, given) = (version as usize - 1, older.len());
    if needed == given {
        return Some(());
    }
    let given_as = match given {
        0 => "none is given".to_owned(),
        1 => "`migrate` names one".to_owned(),
        given => format!("`migrate` names {given}"),
    };
    let message = match needed {
        0 => "version 1 is the first: there is nothing to migrate from; remove `migrate`, or write a higher `version`".to_owned(),
        1 => format!("version 2 has one version before it, and {given_as}; write `migrate(…)` with the type as it was in version 1, or `migrate(_)` if no such row is left"),
        2 => format!("version 3 has two versions before it, and {given_as}; write `migrate(…)` with the types as they were in versions 1 and 2, or `_` for one of which no row is left"),
        needed => format!("version {version} has {needed} versions before it, and {given_as}; write `migrate(…)` with the types as they were in versions 1 to {needed}, the oldest first, with `_` for one of which no row is left"),
    };
    errors.add(
        settings
            .name(Setting::Migrate)
            .or(settings.name(Setting::Version)),
        message,
    );
    None
}

fn is_gone(of: &&Type) -> bool {
    matches!(of, Type::Infer(_))
}

/// A version that is read no more breaks the chain for all before it.
fn check_gaps(older: &[Type], errors: &mut Errors) -> Option<()> {
    let Some(gap) = older.iter().skip_while(is_gone).find(is_gone) else {
        return Some(());
    };
    errors.add(
        gap,
        "rows of the versions before this one are lifted through it; name its type, or write `_` for the earlier ones as \
         well",
    );
    None
}
