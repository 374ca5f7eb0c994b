//! `Temperature::fields()`: a struct like the type, with a `Field` in the place of each field.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Generics, Member, Path, Type, Visibility};

use crate::errors::Errors;
use crate::shape::{Field, Shape, Stored};

/// The type whose fields are addressed.
pub(crate) struct Owner<'a> {
    pub(crate) visibility: &'a Visibility,
    pub(crate) name: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) library: &'a Path,
    /// The type of another crate whose fields they are.
    pub(crate) marker_of: Option<&'a Type>,
}

/// Nothing for an enum, and for a type of which no field has a known place in the stored JSON.
pub(crate) fn expand(owner: &Owner<'_>, shape: &Shape<'_>) -> Option<TokenStream> {
    let Shape::Struct(fields) = shape else {
        return None;
    };
    let addressed: Vec<_> = fields.iter().filter_map(|f| owner.address(f)).collect();
    if addressed.iter().all(|field| field.value.is_none()) {
        return None;
    }
    let Owner {
        visibility,
        name,
        generics,
        library,
        ..
    } = owner;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let map = format_ident!("__{}Fields", name.unraw(), span = Span::mixed_site());
    let declared = addressed.iter().map(|field| {
        let Addressed {
            visibility,
            member,
            of,
            ..
        } = field;
        match member {
            Member::Named(name) => quote!(#visibility #name: #of),
            Member::Unnamed(_) => quote!(#visibility #of),
        }
    });
    // In the map, `Self` is another type.
    let owner = quote!(#name #type_generics);
    let map_generics = replace_self(generics.to_token_stream(), &owner);
    let map_where_clause = replace_self(where_clause.to_token_stream(), &owner);
    let declared = match fields[0].member {
        Member::Named(_) => quote!(#map_where_clause { #(#declared,)* }),
        Member::Unnamed(_) => quote!((#(#declared,)*) #map_where_clause;),
    };
    let values = addressed.iter().map(|Addressed { member, value, .. }| {
        let value = value.clone().unwrap_or_else(|| quote!(()));
        quote!(#member: #value)
    });
    Some(quote! {
        #[allow(dead_code, deprecated, missing_docs)]
        const _: () = {
            #visibility struct #map #map_generics #declared

            #[automatically_derived]
            impl #impl_generics #library::derived::HasFields for #name #type_generics #where_clause {
                type Fields = #map #type_generics;
                const FIELDS: Self::Fields = #map { #(#values,)* };
            }
        };
    })
}

/// The same for a part of records, with the function `fields`, which `Persist` provides to records.
pub(crate) fn expand_part(
    owner: &Owner<'_>,
    shape: &Shape<'_>,
    errors: &mut Errors,
) -> Option<TokenStream> {
    let fields = expand(owner, shape);
    if fields.is_none() {
        errors.add(owner.name, advice_without_fields(owner.name, shape));
    }
    let fields = fields?;
    let Owner {
        visibility,
        name,
        generics,
        library,
        ..
    } = owner;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Some(quote! {
        #fields

        #[allow(deprecated)]
        impl #impl_generics #name #type_generics #where_clause {
            /// The fields, each by where it lies in the stored JSON.
            #visibility const fn fields() -> <Self as #library::derived::HasFields>::Fields {
                <Self as #library::derived::HasFields>::FIELDS
            }
        }
    })
}

fn advice_without_fields(name: &Ident, shape: &Shape<'_>) -> String {
    match shape {
        Shape::Struct(_) => format!(
            "`{name}` has no field that is known to be stored; remove `Fields` from its derives"
        ),
        Shape::Enum(_) => format!(
            "`{name}` is an enum, whose fields depend on the variant; say where they lie, as in \
             `Field::at(&[\"Opened\", \"by\"])`, and remove `Fields` from its derives"
        ),
    }
}

/// A member of the map.
struct Addressed<'a> {
    visibility: &'a Visibility,
    member: Member,
    of: TokenStream,
    /// `None` keeps the place of a tuple's field that is not stored.
    value: Option<TokenStream>,
}

impl Owner<'_> {
    fn address<'a>(&self, field: &Field<'a>) -> Option<Addressed<'a>> {
        let Self {
            name,
            generics,
            library,
            ..
        } = self;
        let (_, type_generics, _) = generics.split_for_impl();
        let member = match &field.member {
            // The user's name, with the span of the macro: the user's lints do not check it.
            Member::Named(name) => {
                let mut name = name.clone();
                name.set_span(Span::mixed_site().located_at(name.span()));
                Member::Named(name)
            }
            Member::Unnamed(index) => Member::Unnamed(index.clone()),
        };
        let (of, value) = match (&field.stored, &member) {
            (Stored::At(path) | Stored::Flattened(path), _) => {
                let owner = quote!(#name #type_generics);
                let of = replace_self(field.of.to_token_stream(), &owner);
                let owner = match self.marker_of {
                    Some(value) => value.to_token_stream(),
                    None => owner,
                };
                (
                    quote!(#library::derived::Field<#owner, #of>),
                    Some(quote!(#library::derived::Field::at(&[#(#path),*]))),
                )
            }
            (Stored::LeftOut | Stored::Unknown, Member::Unnamed(_)) => (quote!(()), None),
            (Stored::LeftOut | Stored::Unknown, Member::Named(_)) => return None,
        };
        Some(Addressed {
            visibility: field.visibility,
            member,
            of,
            value,
        })
    }
}

/// The type of a field as it is written in the map, where `Self` is another type.
fn replace_self(tokens: TokenStream, owner: &TokenStream) -> TokenStream {
    let mut replaced = TokenStream::new();
    for token in tokens {
        match token {
            TokenTree::Ident(name) if name == "Self" => replaced.extend(owner.clone()),
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replace_self(group.stream(), owner));
                inner.set_span(group.span());
                replaced.extend([TokenTree::from(inner)]);
            }
            other => replaced.extend([other]),
        }
    }
    replaced
}
