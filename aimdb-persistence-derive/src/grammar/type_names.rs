//! What the name of a type tells about it. The macro sees no more of a type than its name.

use syn::{GenericArgument, PathArguments, PathSegment, Type, TypeReference};

/// What a field holds in place of a number, if the name of its type says so.
pub(crate) fn known_other_than_a_number(of: &Type) -> Option<String> {
    const OTHERS: [&str; 14] = [
        "String",
        "str",
        "char",
        "bool",
        "Vec",
        "VecDeque",
        "HashMap",
        "BTreeMap",
        "HashSet",
        "BTreeSet",
        "SystemTime",
        "PathBuf",
        "IpAddr",
        "Uuid",
    ];
    match of {
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            if let Some(inner) = option_of(last) {
                return known_other_than_a_number(inner);
            }
            let name = last.ident.to_string();
            OTHERS
                .contains(&name.as_str())
                .then(|| format!("a `{name}`"))
        }
        Type::Array(_) | Type::Slice(_) => Some("an array".into()),
        Type::Tuple(_) => Some("a tuple".into()),
        Type::Paren(paren) => known_other_than_a_number(&paren.elem),
        Type::Group(group) => known_other_than_a_number(&group.elem),
        _ => None,
    }
}

/// `V` of `Option<V>`.
fn option_of(segment: &PathSegment) -> Option<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) if segment.ident == "Option" => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(of) => Some(of),
                _ => None,
            })
        }
        _ => None,
    }
}

/// The first reference in a field's type. One with a lifetime of the type's own is reported there, and passed over here.
pub(crate) fn reference_in(of: &Type) -> Option<&TypeReference> {
    match of {
        Type::Reference(reference) => {
            let lifetime = reference.lifetime.as_ref();
            lifetime
                .is_none_or(|lifetime| lifetime.ident == "static")
                .then_some(reference)
        }
        Type::Array(array) => reference_in(&array.elem),
        Type::Paren(paren) => reference_in(&paren.elem),
        Type::Group(group) => reference_in(&group.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(reference_in),
        Type::Path(path) => path.path.segments.iter().find_map(|segment| {
            let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
                return None;
            };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(of) => reference_in(of),
                _ => None,
            })
        }),
        _ => None,
    }
}

/// Whether it is an `Option` by its name.
pub(crate) fn is_option(of: &Type) -> bool {
    let Type::Path(path) = of else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|segment| segment.ident == "Option")
}
