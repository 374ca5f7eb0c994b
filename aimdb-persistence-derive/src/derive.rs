//! The two derives, from a type to its code and the mistakes that were found in it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use crate::errors::Errors;
use crate::expand;
use crate::model::Model;
use crate::model::part::Part;

pub(crate) fn persist(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let model = Model::read(input, &mut errors);
    // A union cannot implement the traits that a record needs, so code for it would only add messages.
    let code = match input.data {
        Data::Union(_) => None,
        _ if model.value.is_beyond_repair(model.generics) => None,
        _ => Some(expand::expand(&model)),
    };
    let errors = errors.into_compile_errors();
    quote!(#errors #code)
}

pub(crate) fn fields(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let part = Part::read(input, &mut errors);
    let code = match input.data {
        Data::Union(_) => None,
        _ => part.and_then(|part| expand::expand_part(&part, &mut errors)),
    };
    let errors = errors.into_compile_errors();
    quote!(#errors #code)
}
