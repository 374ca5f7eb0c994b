//! `from_stored`: decodes a row as the type it was written as, and lifts it from version to version.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Path, Type};

use super::relocate;
use crate::versions::Versions;

/// Nothing for the first version: what is provided decodes that.
pub(super) fn expand(library: &Path, Versions { older, .. }: &Versions) -> Option<TokenStream> {
    let gone = older
        .iter()
        .take_while(|of| matches!(of, Type::Infer(_)))
        .count();
    let (oldest, read) = (Literal::usize_unsuffixed(gone + 1), &older[gone..]);
    let too_old = (gone > 0).then(|| {
        let gone = Literal::usize_unsuffixed(gone);
        quote! {
            0..=#gone => ::core::result::Result::Err(#library::DecodeError::TooOld { stored: version, oldest: #oldest }),
        }
    });
    let arms = read.iter().enumerate().map(|(index, of)| {
        let version = Literal::usize_unsuffixed(gone + index + 1);
        // What was stored before any version was declared is of the first.
        let unversioned = (gone + index == 0).then(|| quote!(0 |));
        let steps = steps(library, &read[index..]);
        quote!(#unversioned #version => #library::decode::<#of>(json) #(.map(#steps))*,)
    });
    (!older.is_empty()).then(|| {
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

/// From the first of these types to the next, and so on to the record's. Each is located where the types stand, so that a
/// step that is missing is underlined there.
fn steps(library: &Path, types: &[Type]) -> Vec<TokenStream> {
    let newer = types[1..]
        .iter()
        .map(ToTokens::to_token_stream)
        .chain([quote!(Self)]);
    let step = |(old, new): (&Type, TokenStream)| {
        relocate(quote!(#library::lift::<#old, #new>), old.span())
    };
    types.iter().zip(newer).map(step).collect()
}
