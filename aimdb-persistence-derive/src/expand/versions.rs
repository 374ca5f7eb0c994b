//! `from_stored`: decodes a row as the type it was written as, and lifts it from version to version.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Path, Type};

use super::spans::relocate;
use crate::model::marker::Value;
use crate::model::versions::Versions;

/// Nothing for the first version: the provided method decodes it.
pub(super) fn expand(
    library: &Path,
    versions: &Versions,
    version_field: Option<&str>,
    value: &Value<'_>,
) -> Option<TokenStream> {
    let value = value.written();
    let (oldest, older) = (versions.oldest(), &versions.older);
    let too_old = (oldest > 1).then(|| {
        let (last, oldest) = (
            Literal::usize_unsuffixed(oldest - 1),
            Literal::usize_unsuffixed(oldest),
        );
        quote! {
            0..=#last => ::core::result::Result::Err(#library::derived::DecodeError::TooOld { stored: __version, oldest: #oldest }),
        }
    });
    let arms = older.iter().enumerate().map(|(index, of)| {
        let version = Literal::usize_unsuffixed(oldest + index);
        // Rows that were stored before a version was declared are of the first.
        let unversioned = (oldest + index == 1).then(|| quote!(0 |));
        let decoded = quote!(#library::derived::decode::<#of>(__json)?);
        let lifted = lift(library, &older[index..], decoded, &value);
        quote!(#unversioned #version => ::core::result::Result::Ok(#lifted),)
    });
    let own_version = version_field.map(
        |name| quote!(let __version = #library::derived::version_of(__version, __json, #name);),
    );
    (versions.version > 1).then(|| {
        quote! {
            fn from_stored(__version: u32, __json: &str) -> ::core::result::Result<#value, #library::derived::DecodeError> {
                #own_version
                match __version {
                    #too_old
                    #(#arms)*
                    _ => #library::derived::decode_newest::<Self>(__version, __json),
                }
            }
        }
    })
}

/// Lifts a value of the first of these types to the next, and so on, up to the record. An error in a step points at its
/// type, so that the type without a step is underlined.
fn lift(library: &Path, types: &[Type], decoded: TokenStream, value: &TokenStream) -> TokenStream {
    let newer = types[1..]
        .iter()
        .map(ToTokens::to_token_stream)
        .chain([value.clone()]);
    types.iter().zip(newer).fold(decoded, |older, (old, new)| {
        let step = relocate(quote!(#library::derived::lift::<#old, #new>), old.span());
        quote!(#step(#older)?)
    })
}
