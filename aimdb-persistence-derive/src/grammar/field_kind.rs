//! What kind of JSON a type is, as far as its name says.

use syn::{GenericArgument, PathArguments, Type};

/// The library's `FieldKind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Bool,
    Integer,
    Float,
    Text,
    List,
    Map,
    Other,
}

impl FieldKind {
    /// An `Option` is of the kind of what it holds, and so is a `Box`.
    pub(crate) fn of(of: &Type) -> Self {
        match of {
            Type::Paren(inner) => Self::of(&inner.elem),
            Type::Group(inner) => Self::of(&inner.elem),
            Type::Reference(inner) => Self::of(&inner.elem),
            Type::Array(_) | Type::Slice(_) => Self::List,
            Type::Tuple(tuple) if !tuple.elems.is_empty() => Self::List,
            Type::Path(path) if path.qself.is_none() => match path.path.segments.last() {
                Some(last) => Self::named(&last.ident.to_string(), &last.arguments),
                None => Self::Other,
            },
            _ => Self::Other,
        }
    }

    fn named(name: &str, arguments: &PathArguments) -> Self {
        match name {
            "bool" => Self::Bool,
            "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64"
            | "u128" | "usize" => Self::Integer,
            "f32" | "f64" => Self::Float,
            "String" | "str" | "char" | "PathBuf" => Self::Text,
            "Vec" | "VecDeque" | "HashSet" | "BTreeSet" => Self::List,
            "HashMap" | "BTreeMap" => Self::Map,
            "Option" | "Box" | "Arc" | "Rc" | "Wrapping" | "Saturating" => match arguments {
                PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
                    Some(GenericArgument::Type(inner)) => Self::of(inner),
                    _ => Self::Other,
                },
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// The name of the library's variant.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "Bool",
            Self::Integer => "Integer",
            Self::Float => "Float",
            Self::Text => "Text",
            Self::List => "List",
            Self::Map => "Map",
            Self::Other => "Other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_of_the_kind_that_its_name_says() {
        for (of, kind) in [
            ("f64", FieldKind::Float),
            ("Option<Box<u8>>", FieldKind::Integer),
            ("std::string::String", FieldKind::Text),
            ("[f32; 3]", FieldKind::List),
            ("(u8, u8)", FieldKind::List),
            ("()", FieldKind::Other),
            ("HashMap<String, u8>", FieldKind::Map),
            ("Status", FieldKind::Other),
            ("<T as Of>::f64", FieldKind::Other),
        ] {
            assert_eq!(FieldKind::of(&syn::parse_str(of).unwrap()), kind, "{of}");
        }
    }
}
