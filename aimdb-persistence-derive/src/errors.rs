//! The mistakes of one type. They are gathered and reported together.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// One more mistake, underlined at `place`.
    pub(crate) fn add(&mut self, place: impl ToTokens, message: impl Display) {
        let error = syn::Error::new_spanned(place, message);
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// One `compile_error!` per mistake; nothing if there are none.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.0
            .map(syn::Error::into_compile_error)
            .unwrap_or_default()
    }
}
