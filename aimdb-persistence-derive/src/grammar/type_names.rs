//! What the name of a type tells about it. The macro sees no more of a type than its name.

use syn::{GenericArgument, PathArguments, Type, TypeReference};

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
    match peeled(of) {
        Type::Array(_) | Type::Slice(_) => Some("an array".into()),
        Type::Tuple(_) => Some("a tuple".into()),
        of => {
            let (name, arguments) = named(of)?;
            match arguments[..] {
                [inner] if name == "Option" => known_other_than_a_number(inner),
                _ => OTHERS
                    .contains(&name.as_str())
                    .then(|| format!("a `{name}`")),
            }
        }
    }
}

/// The first reference in a field's type. One with a lifetime of the type's own is reported there, and passed over here.
pub(crate) fn reference_in(of: &Type) -> Option<&TypeReference> {
    let found = find(of, &|of| match of {
        Type::Reference(reference) => {
            let lifetime = reference.lifetime.as_ref();
            lifetime.is_none_or(|lifetime| lifetime.ident == "static")
        }
        _ => false,
    })?;
    match found {
        Type::Reference(reference) => Some(reference),
        _ => None,
    }
}

/// Whether it is an `Option` by its name.
pub(crate) fn is_option(of: &Type) -> bool {
    named(of).is_some_and(|(name, _)| name == "Option")
}

/// Whether it is a map by its name.
pub(crate) fn is_map(of: &Type) -> bool {
    named(of).is_some_and(|(name, _)| MAPS.contains(&name.as_str()))
}

/// The first `Option` of which a value that is present is written as one that is missing: of an `Option`, or of nothing.
pub(crate) fn option_that_loses_a_value(of: &Type) -> Option<&Type> {
    find(of, &|of| match named(of) {
        Some((name, arguments)) if name == "Option" => arguments
            .first()
            .is_some_and(|inner| is_written_as_null(inner)),
        _ => false,
    })
}

fn is_written_as_null(of: &Type) -> bool {
    match peeled(of) {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        of => match named(of) {
            Some((name, arguments)) if WRAPPERS.contains(&name.as_str()) => arguments
                .last()
                .is_some_and(|inner| is_written_as_null(inner)),
            Some((name, _)) => name == "Option" || name == "PhantomData",
            None => false,
        },
    }
}

/// The first map whose keys are numbers or truth values, with the type of its keys.
pub(crate) fn map_with_keys_other_than_texts(of: &Type) -> Option<(&Type, &Type)> {
    let map = find(of, &|of| {
        key_of_map(of).is_some_and(|key| {
            named(key).is_some_and(|(name, _)| name == "bool" || is_number(&name))
        })
    })?;
    Some((map, key_of_map(map)?))
}

/// The first map whose keys cannot be written, with the type of its keys: keys are texts in JSON.
pub(crate) fn map_with_keys_that_are_no_texts(of: &Type) -> Option<(&Type, &Type)> {
    let is_no_text = |key: &Type| match peeled(key) {
        Type::Tuple(_) | Type::Array(_) | Type::Slice(_) => true,
        key => named(key).is_some_and(|(name, _)| {
            ["Option", "Vec", "VecDeque", "BTreeSet"].contains(&name.as_str())
                || MAPS.contains(&name.as_str())
        }),
    };
    let map = find(of, &|of| key_of_map(of).is_some_and(is_no_text))?;
    Some((map, key_of_map(map)?))
}

/// The first integer of 128 bits.
pub(crate) fn integer_of_128_bits(of: &Type) -> Option<&Type> {
    const WIDE: [&str; 4] = ["u128", "i128", "NonZeroU128", "NonZeroI128"];
    find(of, &|of| {
        named(of).is_some_and(|(name, _)| WIDE.contains(&name.as_str()))
    })
}

/// Whether it is written as something other than an object, as far as its name tells.
pub(crate) fn is_never_an_object(of: &Type) -> bool {
    const NEVER: [&str; 9] = [
        "bool", "char", "String", "str", "Vec", "VecDeque", "HashSet", "BTreeSet", "PathBuf",
    ];
    match peeled(of) {
        Type::Tuple(tuple) => !tuple.elems.is_empty(),
        Type::Array(_) | Type::Slice(_) => true,
        of => match named(of) {
            Some((name, arguments)) if WRAPPERS.contains(&name.as_str()) => arguments
                .last()
                .is_some_and(|inner| is_never_an_object(inner)),
            Some((name, _)) => NEVER.contains(&name.as_str()) || is_number(&name),
            None => false,
        },
    }
}

/// Whether serde cannot add a tag to it, as far as its name tells.
pub(crate) fn cannot_be_tagged(of: &Type) -> bool {
    is_never_an_object(of) || is_option(of)
}

/// `V` of `Option<V>`; any other type itself.
pub(crate) fn without_option(of: &Type) -> &Type {
    match named(of) {
        Some((name, arguments)) if name == "Option" => arguments.first().copied().unwrap_or(of),
        _ => of,
    }
}

/// Written as what they hold.
const WRAPPERS: [&str; 11] = [
    "Arc",
    "Box",
    "Cell",
    "Cow",
    "Mutex",
    "Rc",
    "RefCell",
    "Reverse",
    "RwLock",
    "Saturating",
    "Wrapping",
];

const MAPS: [&str; 7] = [
    "AHashMap",
    "BTreeMap",
    "DashMap",
    "FxHashMap",
    "HashMap",
    "IndexMap",
    "Map",
];

fn key_of_map(of: &Type) -> Option<&Type> {
    let (_, arguments) = named(of).filter(|(name, _)| MAPS.contains(&name.as_str()))?;
    arguments.first().copied()
}

fn is_number(name: &str) -> bool {
    let bits = name.trim_start_matches("NonZero").to_ascii_lowercase();
    let bits = bits.strip_prefix(['u', 'i', 'f']);
    bits.is_some_and(|bits| ["8", "16", "32", "64", "128", "size"].contains(&bits))
}

/// The last name of a type's path, and the types in its angle brackets.
fn named(of: &Type) -> Option<(String, Vec<&Type>)> {
    let Type::Path(path) = peeled(of) else {
        return None;
    };
    let last = path.path.segments.last()?;
    let arguments = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            let types = arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(of) => Some(of),
                _ => None,
            });
            types.collect()
        }
        _ => Vec::new(),
    };
    Some((last.ident.to_string(), arguments))
}

/// Without parentheses, and without the invisible ones around what a `macro_rules!` was handed.
fn peeled(of: &Type) -> &Type {
    match of {
        Type::Paren(paren) => peeled(&paren.elem),
        Type::Group(group) => peeled(&group.elem),
        of => of,
    }
}

/// The first type that is wanted, from the outside in.
fn find<'t>(of: &'t Type, is_wanted: &dyn Fn(&Type) -> bool) -> Option<&'t Type> {
    if is_wanted(of) {
        return Some(of);
    }
    let inner: Vec<&Type> = match of {
        Type::Array(array) => vec![&array.elem],
        Type::Slice(slice) => vec![&slice.elem],
        Type::Paren(paren) => vec![&paren.elem],
        Type::Group(group) => vec![&group.elem],
        Type::Tuple(tuple) => tuple.elems.iter().collect(),
        Type::Path(path) => {
            let segments = path.path.segments.iter();
            let arguments = segments.filter_map(|segment| match &segment.arguments {
                PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
                _ => None,
            });
            let types = arguments.flatten().filter_map(|argument| match argument {
                GenericArgument::Type(of) => Some(of),
                _ => None,
            });
            types.collect()
        }
        _ => Vec::new(),
    };
    inner.into_iter().find_map(|of| find(of, is_wanted))
}
