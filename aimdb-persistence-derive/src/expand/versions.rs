//! `from_stored`: decodes a row as the type it was written as, and lifts it from version to version.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Path, Type};

use super::spans::relocate;
use crate::model::versions::Versions;

/// Nothing for the first version: what is provided decodes that.
pub(super) fn expand(library: &Path, versions: &Versions) -> Option<TokenStream> {
    let (oldest, older) = (versions.oldest(), &versions.older);
    let too_old = (oldest > 1).then(|| {
        let (last, oldest) = (
            Literal::usize_unsuffixed(oldest - 1),
            Literal::usize_unsuffixed(oldest),
        );
        quote! {
            0..=#last => ::core::result::Result::Err(#library::DecodeError::TooOld { stored: version, oldest: #oldest }),
        }
    });
    let arms = older.iter().enumerate().map(|(index, of)| {
        let version = Literal::usize_unsuffixed(oldest + index);
        // What was stored before any version was declared is of the first.
        let unversioned = (oldest + index == 1).then(|| quote!(0 |));
        let decoded = quote!(#library::decode::<#of>(json)?);
        let lifted = lift(library, &older[index..], decoded);
        quote!(#unversioned #version => ::core::result::Result::Ok(#lifted),)
    });
    (versions.version > 1).then(|| {
        quote! {
            fn from_stored(version: u32, json: &str) -> ::core::result::Result<Self, #library::DecodeError> {
                match version {
                    #too_old
                    #(#arms)*
                    _ => #library::decode_newest(version, json),
                }
            }
        }
    })
}

/// A value of the first of these types becomes one of the next, and so on, and at last the record. Each step is located where
/// its type stands, so that one which is missing is underlined there.
fn lift(library: &Path, types: &[Type], value: TokenStream) -> TokenStream {
    let newer = types[1..]
        .iter()
        .map(ToTokens::to_token_stream)
        .chain([quote!(Self)]);
    types.iter().zip(newer).fold(value, |value, (old, new)| {
        let step = relocate(quote!(#library::lift::<#old, #new>), old.span());
        quote!(#step(#value))
    })
}
