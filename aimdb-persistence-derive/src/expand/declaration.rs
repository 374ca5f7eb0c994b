//! `Persist::DECLARATION`, one constant expression.

use aimdb_persistence_duration::Retention;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;
use syn::Path;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::spans::relocate;
use crate::grammar::buffer::Buffer;
use crate::grammar::choice::{Keep, OnDuplicate};
use crate::grammar::deadband::Deadband;
use crate::grammar::pack::Pack;
use crate::model::Model;
use crate::model::deadbands::FieldDeadband;
use crate::model::marker::Value;
use crate::model::policy::Policy;
use crate::model::restore::Restore;
use crate::model::stored_path::StoredPath;
use crate::model::units::StoredField;
use crate::serde_model::item::Tagging;
use crate::shape::OfVariant;

pub(super) fn expand(model: &Model<'_>) -> TokenStream {
    let Model {
        library, template, ..
    } = model;
    let type_name = model.name.unraw().to_string();
    let mut terms = vec![quote!(#library::derived::Declaration::new(#type_name, #template))];
    terms.extend(model.retention.map(|of| retention(library, of)));
    terms.extend(model.buffer.map(|of| buffer(library, of)));
    if !model.policy.is_default() {
        let policy = policy(library, &model.policy);
        terms.push(quote!(.with_policy(#policy)));
    }
    terms.extend(model.restore.map(|of| restore(library, of)));
    terms.extend(model.pack.map(|of| pack(library, of)));
    terms.extend(model.versions.as_ref().map(|versions| {
        let version = Literal::u32_unsuffixed(versions.version);
        quote!(.with_version(#version))
    }));
    terms.extend(
        model
            .version_field
            .as_ref()
            .map(|name| quote!(.with_version_field(#name))),
    );
    if !model.stored_fields.is_empty() {
        let fields = model.stored_fields.iter().map(|field| {
            let StoredField {
                path,
                kind,
                unit,
                in_every_row,
            } = field;
            let kind = Ident::new(kind.name(), Span::call_site());
            let unit = unit.as_ref().map(|unit| quote!(.with_unit(#unit)));
            let in_every_row = (*in_every_row && model.value.another_type().is_some())
                .then(|| quote!(.in_every_row()));
            quote!(#library::derived::FieldInfo::new(#path).with_kind(#library::derived::FieldKind::#kind)#unit #in_every_row)
        });
        let with = match model.value {
            Value::Own(_) => quote!(with_fields),
            Value::Other { .. } => quote!(with_some_fields),
        };
        terms.push(quote!(.#with(&[#(#fields),*])));
    }
    let times = model
        .event_time
        .as_ref()
        .map(|of| of.paths())
        .unwrap_or_default();
    if !times.is_empty() {
        let times = times.iter().map(|time| {
            let field = field(time);
            quote!(#library::derived::Field::<(), ()>::#field.path())
        });
        terms.push(quote!(.with_event_time_fields(&[#(#times),*])));
    }
    quote!(#(#terms)*)
}

fn retention(library: &Path, retention: Retention) -> TokenStream {
    let retention = match retention {
        Retention::Forever => quote!(Forever),
        Retention::Milliseconds(length_ms) => {
            let length_ms = Literal::u64_unsuffixed(length_ms);
            quote!(Milliseconds(#length_ms))
        }
    };
    quote!(.with_retention(#library::derived::Retention::#retention))
}

fn buffer(library: &Path, buffer: Buffer) -> TokenStream {
    let buffer = match buffer {
        Buffer::Ring(capacity) => {
            let capacity = Literal::u32_unsuffixed(capacity);
            quote!(Ring(#capacity))
        }
        Buffer::Latest => quote!(Latest),
    };
    quote!(.with_buffer(#library::derived::BufferKind::#buffer))
}

fn restore(library: &Path, restore: Restore) -> TokenStream {
    let restore = match restore {
        Restore::Always => quote!(Always),
        Restore::NoOlderThan(age_ms) => {
            let age_ms = Literal::u64_unsuffixed(age_ms);
            quote!(NoOlderThan(#age_ms))
        }
    };
    quote!(.with_restore(#library::derived::Restore::#restore))
}

fn pack(library: &Path, pack: Pack) -> TokenStream {
    let pack = match pack {
        Pack::Never => quote!(Never),
        Pack::After(age_ms) => {
            let age_ms = Literal::u64_unsuffixed(age_ms);
            quote!(After(#age_ms))
        }
    };
    quote!(.with_pack(#library::derived::Packing::#pack))
}

fn policy(library: &Path, policy: &Policy<'_>) -> TokenStream {
    let mut terms = vec![quote!(#library::derived::Policy::new())];
    if policy.on_change {
        terms.push(quote!(.on_change()));
    }
    terms.extend(policy.ignored.iter().map(|path| {
        let field = field(path);
        quote!(.ignore(#library::derived::Field::<(), ()>::#field))
    }));
    terms.extend(policy.deadbands.iter().map(|of| deadband(library, of)));
    if let Some(ms) = policy.min_interval_ms {
        let ms = Literal::u64_unsuffixed(ms);
        let keep = match policy.keep {
            None | Some(Keep::First) => quote!(First),
            Some(Keep::Last) => quote!(Last),
        };
        terms.push(quote!(.min_interval_ms(#ms, #library::derived::Keep::#keep)));
    }
    let count = |rows: u64| Literal::u64_unsuffixed(rows);
    terms.extend(
        policy
            .max_silence_ms
            .map(count)
            .map(|ms| quote!(.max_silence_ms(#ms))),
    );
    terms.extend(
        policy
            .keep_last
            .map(count)
            .map(|rows| quote!(.keep_last(#rows))),
    );
    terms.extend(
        policy
            .max_rows
            .map(count)
            .map(|rows| quote!(.max_rows(#rows))),
    );
    terms.extend(policy.on_duplicate.map(|of| {
        let on_duplicate = match of {
            OnDuplicate::Keep => quote!(Keep),
            OnDuplicate::Replace => quote!(Replace),
            OnDuplicate::Ignore => quote!(Ignore),
        };
        quote!(.on_duplicate(#library::derived::OnDuplicate::#on_duplicate))
    }));
    quote!(#(#terms)*)
}

/// Errors point at the field's type, so that a type which is no number is underlined.
fn deadband(
    library: &Path,
    FieldDeadband { path, of, deadband }: &FieldDeadband<'_>,
) -> TokenStream {
    let deadband = match deadband {
        Deadband::Absolute(distance) => {
            let distance = Literal::f64_unsuffixed(*distance);
            quote!(Absolute(#distance))
        }
        Deadband::Relative(part) => {
            let part = Literal::f64_unsuffixed(*part);
            quote!(Relative(#part))
        }
    };
    let field = field(path);
    let number = quote!(#library::derived::number_field::<#of>(#library::derived::Field::<(), ()>::#field.path()));
    let number = relocate(number, of.span());
    quote!(.deadband(#number, #library::derived::Deadband::#deadband))
}

/// What follows `Field::` to make the field of this path.
fn field(path: &StoredPath) -> TokenStream {
    let names = path.within_variant();
    let of_variant = path.variant.as_ref().map(|OfVariant { name, tagging }| {
        let tagging = match tagging {
            Tagging::External => None,
            Tagging::Internal { tag } => Some(quote!(.tagged(#tag))),
            Tagging::Adjacent { tag, content } => Some(quote!(.tagged_beside(#tag, #content))),
            Tagging::Untagged => Some(quote!(.untagged())),
        };
        quote!(.of_variant(#name)#tagging)
    });
    quote!(at(&[#(#names),*])#of_variant)
}
