//! `event_time`: reads the field that is marked `timestamp`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;
use syn::spanned::Spanned;

use super::spans::relocate;
use crate::grammar::time_unit::TimeUnit;
use crate::model::event_time::{EventTime, Timestamp};

pub(super) fn expand(library: &Path, event_time: &EventTime<'_>) -> TokenStream {
    let time = time(library, event_time);
    quote! {
        fn event_time(&self) -> #library::derived::RowTime {
            #time
        }
    }
}

fn time(library: &Path, event_time: &EventTime<'_>) -> TokenStream {
    match event_time {
        EventTime::Struct(timestamp) => {
            let member = &timestamp.member;
            time_of(library, timestamp, quote!(&self.#member))
        }
        EventTime::Enum(variants) => {
            let arms = variants.iter().map(|(variant, timestamp)| {
                let member = &timestamp.member;
                let time = time_of(library, timestamp, quote!(__timestamp));
                quote!(Self::#variant { #member: __timestamp, .. } => #time)
            });
            quote!(match self { #(#arms,)* })
        }
    }
}

/// Errors point at the field's type, so that a type which is no timestamp is underlined.
fn time_of(library: &Path, timestamp: &Timestamp<'_>, field: TokenStream) -> TokenStream {
    let time = match timestamp.unit {
        None => quote!(#library::derived::RowTime::of(#field)),
        Some(unit) => {
            let unit = match unit {
                TimeUnit::Seconds => quote!(Seconds),
                TimeUnit::Milliseconds => quote!(Milliseconds),
                TimeUnit::Microseconds => quote!(Microseconds),
                TimeUnit::Nanoseconds => quote!(Nanoseconds),
            };
            quote!(#library::derived::RowTime::since_1970(#field, #library::derived::TimeUnit::#unit))
        }
    };
    relocate(time, timestamp.of.span())
}
