//! Where a field lies in the stored JSON, and of which variant it is.

use std::fmt::{self, Debug, Display};

use aimdb_persistence_backend::json::Projection;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// How deeply fields of fields may be nested.
const MOST_JOINTS: usize = 8;

/// Names from the outside in; in an array, a name is an index. [`Field::path`](crate::Field::path) makes one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FieldPath {
    /// Each joint is what one `Field` was made of.
    joints: [&'static [&'static str]; MOST_JOINTS],
    len: usize,
    variant: Option<OfVariant>,
}

/// The variant of which the rest of a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OfVariant {
    name: &'static str,
    tagging: Tagging,
    /// The enum lies where the joints before this one lead to.
    joint: usize,
}

/// How serde stores which variant a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tagging {
    External,
    Internal {
        tag: &'static str,
    },
    Adjacent {
        tag: &'static str,
        content: &'static str,
    },
    Untagged,
}

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found<'v> {
    /// The value is of another variant.
    OfAnotherVariant,
    Missing,
    Value(&'v Value),
}

/// As it is shown.
impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FieldPath {
    pub(crate) const fn at(path: &'static [&'static str]) -> Self {
        let mut joints: [&'static [&'static str]; MOST_JOINTS] = [&[]; MOST_JOINTS];
        joints[0] = path;
        Self {
            joints,
            len: 1,
            variant: None,
        }
    }

    pub(crate) const fn of_variant(mut self, name: &'static str) -> Self {
        assert!(self.variant.is_none(), "a field is of one variant");
        self.variant = Some(OfVariant {
            name,
            tagging: Tagging::External,
            joint: 0,
        });
        self
    }

    pub(crate) const fn with_tagging(mut self, tagging: Tagging) -> Self {
        match &mut self.variant {
            Some(variant) => variant.tagging = tagging,
            None => panic!("`of_variant` comes first: it names the variant"),
        }
        self
    }

    pub(crate) const fn join(mut self, inner: Self) -> Self {
        if let Some(mut variant) = inner.variant {
            assert!(self.variant.is_none(), "a field is of one variant");
            variant.joint += self.len;
            self.variant = Some(variant);
        }
        let mut index = 0;
        while index < inner.len {
            assert!(self.len < MOST_JOINTS, "more than eight fields are joined");
            self.joints[self.len] = inner.joints[index];
            self.len += 1;
            index += 1;
        }
        self
    }

    /// From the outside in, those included that are between an enum and its variant's content.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let (outer, inner) = self.parts();
        let wrapped = match self.variant {
            Some(OfVariant { name, tagging, .. }) => match tagging {
                Tagging::External => Some(name),
                Tagging::Adjacent { content, .. } => Some(content),
                Tagging::Internal { .. } | Tagging::Untagged => None,
            },
            None => None,
        };
        outer.chain(wrapped).chain(inner)
    }

    /// The names that lead to the enum, and those within its variant.
    fn parts(
        &self,
    ) -> (
        impl Iterator<Item = &'static str> + '_,
        impl Iterator<Item = &'static str> + '_,
    ) {
        let joint = self.variant.map_or(0, |variant| variant.joint);
        let (outer, inner) = self.joints[..self.len].split_at(joint);
        let names = |joints: &'static [&'static str]| joints.iter().copied();
        (
            outer.iter().copied().flat_map(names),
            inner.iter().copied().flat_map(names),
        )
    }

    /// Where the name of the variant lies, if it is stored beside what it is the name of.
    fn tag(&self) -> Option<(impl Iterator<Item = &'static str> + '_, &'static str)> {
        let variant = self.variant?;
        let tag = match variant.tagging {
            Tagging::Internal { tag } | Tagging::Adjacent { tag, .. } => tag,
            Tagging::External | Tagging::Untagged => return None,
        };
        Some((self.parts().0.chain([tag]), variant.name))
    }

    /// Has the field read, of the rows of its variant.
    pub(crate) fn slot_in(&self, projection: &mut Projection) -> usize {
        match self.tag() {
            Some((tag, name)) => projection.slot_where(self.names(), tag, name),
            None => projection.slot(self.names()),
        }
    }

    pub(crate) fn find<'v>(&self, value: &'v Value) -> Found<'v> {
        let found = walk(value, self.names());
        let Some(variant) = self.variant else {
            return found.map_or(Found::Missing, Found::Value);
        };
        let is_of_it = match variant.tagging {
            Tagging::Untagged => found.is_some(),
            Tagging::External => {
                let of_enum = walk(value, self.parts().0);
                of_enum.is_some_and(|of_enum| of_enum.get(variant.name).is_some())
            }
            Tagging::Internal { .. } | Tagging::Adjacent { .. } => self.is_tagged(value),
        };
        match found {
            _ if !is_of_it => Found::OfAnotherVariant,
            Some(found) => Found::Value(found),
            None => Found::Missing,
        }
    }

    fn is_tagged(&self, value: &Value) -> bool {
        let Some((tag, name)) = self.tag() else {
            return true;
        };
        walk(value, tag).is_some_and(|tag| is_named(tag, name))
    }

    /// Takes the field out, unless the value is of another variant: as if it had never been there.
    pub(crate) fn remove_from(&self, value: &mut Value) {
        if self.is_tagged(value) {
            let names: Vec<_> = self.names().collect();
            remove(value, &names);
        }
    }
}

/// A tag is a text; serde also reads, and never writes, others.
fn is_named(tag: &Value, name: &str) -> bool {
    tag.as_str() == Some(name)
}

fn walk(value: &Value, mut names: impl Iterator<Item = &'static str>) -> Option<&Value> {
    names.try_fold(value, member)
}

fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

/// In an array the others keep their places.
fn remove(value: &mut Value, names: &[&str]) {
    match (names, value) {
        ([], value) => *value = Value::Null,
        ([name], Value::Object(members)) => {
            members.remove(*name);
        }
        ([name, inner @ ..], Value::Object(members)) => {
            if let Some(member) = members.get_mut(*name) {
                remove(member, inner);
            }
        }
        ([name, inner @ ..], Value::Array(items)) => {
            let item = name.parse::<usize>().ok();
            if let Some(item) = item.and_then(|index| items.get_mut(index)) {
                remove(item, inner);
            }
        }
        _ => {}
    }
}

impl Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{name}")?;
        }
        match self.variant {
            Some(OfVariant { name, tagging, .. }) if tagging != Tagging::External => {
                write!(f, " (of {name})")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_found_inside_others_in_arrays_and_by_a_name_with_a_dot() {
        let value = json!({ "a.b": { "c": 1 }, "a": { "b": [2, { "d.e": 3 }] } });
        let number = |path: FieldPath| match path.find(&value) {
            Found::Value(value) => value.as_u64(),
            _ => None,
        };
        assert_eq!(number(FieldPath::at(&["a.b", "c"])), Some(1));
        assert_eq!(number(FieldPath::at(&["a", "b", "0"])), Some(2));
        assert_eq!(number(FieldPath::at(&["a", "b", "1", "d.e"])), Some(3));
        for missing in [
            &["a", "b", "2"][..],
            &["a.b", "c", "d"],
            &["x"],
            &["a", "b", "-1"],
        ] {
            assert_eq!(
                FieldPath::at(missing).find(&value),
                Found::Missing,
                "{missing:?}"
            );
        }
        assert_eq!(FieldPath::at(&[]).find(&value), Found::Value(&value));
    }

    #[test]
    fn a_field_of_a_variant_is_found_in_its_values_alone_however_serde_tags_them() {
        let by = FieldPath::at(&["by"]).of_variant("Opened");
        let internal = by.with_tagging(Tagging::Internal { tag: "t" });
        let adjacent = by.with_tagging(Tagging::Adjacent {
            tag: "t",
            content: "c",
        });
        let within = FieldPath::at(&["door"]).join(internal);
        for (path, its_own, other) in [
            (
                by,
                json!({ "Opened": { "by": 1 } }),
                json!({ "Closed": { "by": 1 } }),
            ),
            (
                internal,
                json!({ "t": "Opened", "by": 1 }),
                json!({ "t": "Closed", "by": 1 }),
            ),
            (
                adjacent,
                json!({ "t": "Opened", "c": { "by": 1 } }),
                json!({ "t": "Closed", "c": { "by": 1 } }),
            ),
            (
                within,
                json!({ "door": { "t": "Opened", "by": 1 } }),
                json!({ "door": { "t": "Closed", "by": 1 } }),
            ),
            (
                by.with_tagging(Tagging::Untagged),
                json!({ "by": 1 }),
                json!({ "at": 1 }),
            ),
        ] {
            assert_eq!(path.find(&its_own), Found::Value(&json!(1)), "{path}");
            assert_eq!(path.find(&other), Found::OfAnotherVariant, "{path}");
            let mut left = other.clone();
            path.remove_from(&mut left);
            assert_eq!(left, other, "{path}");
            path.remove_from(&mut left);
            let mut left = its_own.clone();
            path.remove_from(&mut left);
            assert!(!left.to_string().contains("by"), "{path}: {left}");
            let mut projection = Projection::default();
            let slot = path.slot_in(&mut projection);
            for (value, is_some) in [(&its_own, true), (&other, false)] {
                let (text, mut scalars) = (value.to_string(), Vec::new());
                projection.read(&text, &mut scalars);
                assert_eq!(scalars[slot].is_some(), is_some, "{path}: {text}");
            }
        }
    }
}
