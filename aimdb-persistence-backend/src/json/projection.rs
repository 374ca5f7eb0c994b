//! Reading a few places of a row's JSON text in one go, without making a value of the rest.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::scalar::Scalar;

/// The places that are looked at, each with a slot for what is found there.
#[derive(Debug, Clone, Default)]
pub struct Projection {
    root: Node,
    slots: usize,
    conditional: Vec<Conditional>,
}

/// A slot that holds what another one does, where a third holds this text.
#[derive(Debug, Clone)]
struct Conditional {
    slot: usize,
    place: usize,
    tag: usize,
    name: Box<str>,
}

/// A value on the way to places, or one of them.
#[derive(Debug, Clone, Default)]
struct Node {
    slot: Option<usize>,
    inner: Vec<(Box<str>, Node)>,
}

impl Projection {
    /// The slot of the place that these names lead to; the same place has one slot.
    pub fn slot<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> usize {
        let mut node = &mut self.root;
        for name in names {
            let known = node.inner.iter().position(|(inner, _)| **inner == *name);
            let index = known.unwrap_or_else(|| {
                node.inner.push((name.into(), Node::default()));
                node.inner.len() - 1
            });
            node = &mut node.inner[index].1;
        }
        *node.slot.get_or_insert_with(|| {
            self.slots += 1;
            self.slots - 1
        })
    }

    /// A slot of the place that `path` leads to, which has nothing unless the text `name` lies where `tag` leads to.
    pub fn slot_where<'a>(
        &mut self,
        path: impl IntoIterator<Item = &'a str>,
        tag: impl IntoIterator<Item = &'a str>,
        name: &str,
    ) -> usize {
        let (place, tag) = (self.slot(path), self.slot(tag));
        let mut known = self.conditional.iter();
        if let Some(known) =
            known.find(|known| (known.place, known.tag, &*known.name) == (place, tag, name))
        {
            return known.slot;
        }
        let slot = self.slots;
        self.slots += 1;
        self.conditional.push(Conditional {
            slot,
            place,
            tag,
            name: name.into(),
        });
        slot
    }

    /// Whether no place is looked at.
    pub fn is_empty(&self) -> bool {
        self.slots == 0
    }

    /// Fills one scalar per slot. Text that is not JSON has nothing in any place.
    ///
    /// Of an object that holds a name twice, the last one counts.
    pub fn read<'a>(&self, json: &'a str, scalars: &mut Vec<Scalar<'a>>) {
        scalars.clear();
        scalars.resize(self.slots, Scalar::Missing);
        if self.is_empty() {
            return;
        }
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let look = Look {
            node: &self.root,
            scalars,
        };
        let looked = look.deserialize(&mut deserializer);
        if looked.and_then(|()| deserializer.end()).is_err() {
            scalars.fill(Scalar::Missing);
        }
        for conditional in &self.conditional {
            let holds = matches!(&scalars[conditional.tag], Scalar::Text(tag) if **tag == *conditional.name);
            if holds {
                scalars[conditional.slot] = scalars[conditional.place].clone();
            }
        }
    }
}

/// The same vector without its scalars, for those of another text: its allocation is used again.
pub fn emptied<'a>(mut scalars: Vec<Scalar<'_>>) -> Vec<Scalar<'a>> {
    scalars.clear();
    scalars.into_iter().map(|_| Scalar::Missing).collect()
}

/// Looks at one value.
struct Look<'n, 's, 'de> {
    node: &'n Node,
    scalars: &'s mut [Scalar<'de>],
}

impl<'de> DeserializeSeed<'de> for Look<'_, '_, 'de> {
    type Value = ();

    /// What is looked at is taken as its text, of which numbers keep all digits, whatever features `serde_json` has.
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Some(slot) = self.node.slot else {
            return deserializer.deserialize_any(self);
        };
        let json = <&RawValue>::deserialize(deserializer)?.get();
        self.scalars[slot] = Scalar::of_json(json);
        if self.node.inner.is_empty() {
            return Ok(());
        }
        let mut within = serde_json::Deserializer::from_str(json);
        within.deserialize_any(self).map_err(D::Error::custom)
    }
}

/// What has no places within it is passed over.
impl<'de> Visitor<'de> for Look<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(inner) = map.next_key_seed(Name(self.node))? {
            match inner {
                Some(node) => map.next_value_seed(Look {
                    node,
                    scalars: self.scalars,
                })?,
                None => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        for index in 0.. {
            let is_here = |(name, _): &&(Box<str>, Node)| name.parse() == Ok(index);
            let more = match self.node.inner.iter().find(is_here) {
                Some((_, node)) => sequence.next_element_seed(Look {
                    node,
                    scalars: self.scalars,
                })?,
                None => sequence.next_element::<IgnoredAny>()?.map(drop),
            };
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// A name within an object: the node that it leads to, if it is on the way.
struct Name<'n>(&'n Node);

impl<'n, 'de> DeserializeSeed<'de> for Name<'n> {
    type Value = Option<&'n Node>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for Name<'n> {
    type Value = Option<&'n Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let mut inner = self.0.inner.iter();
        Ok(inner
            .find(|(inner, _)| **inner == *name)
            .map(|(_, node)| node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimdb_persistence_packed::Number;

    fn read<'a>(paths: &[&[&str]], json: &'a str) -> Vec<Scalar<'a>> {
        let mut projection = Projection::default();
        let slots: Vec<_> = paths
            .iter()
            .map(|path| projection.slot(path.iter().copied()))
            .collect();
        let mut scalars = Vec::new();
        projection.read(json, &mut scalars);
        slots.iter().map(|slot| scalars[*slot].clone()).collect()
    }

    fn float(value: f64) -> Scalar<'static> {
        Scalar::Number(Number::of_float(value).expect("finite"))
    }

    fn integer(value: i128) -> Scalar<'static> {
        Scalar::Number(Number::Integer(value))
    }

    #[test]
    fn places_are_found_wherever_they_lie_in_one_pass() {
        let json = r#" {"skipped": {"a": [1, {"b": "}"}]}, "wind": {"gust": 7.5, "from": "N\u00f6"},
            "a": -3, "list": [10, [20, 30]], "null": null, "on": true, "big": 18446744073709551615} "#;
        let paths: &[&[&str]] = &[
            &["wind", "gust"],
            &["wind", "from"],
            &["wind"],
            &["a"],
            &["list", "1", "0"],
            &["list", "0"],
            &["null"],
            &["on"],
            &["big"],
            &["none"],
            &["a", "b"],
            &["skipped", "a", "1", "b"],
            &[],
        ];
        let expected = [
            float(7.5),
            Scalar::Text("Nö".into()),
            Scalar::Other(r#"{"gust": 7.5, "from": "N\u00f6"}"#.into()),
            integer(-3),
            integer(20),
            integer(10),
            Scalar::Null,
            Scalar::Bool(true),
            integer(u64::MAX.into()),
            Scalar::Missing,
            Scalar::Missing,
            Scalar::Text("}".into()),
            Scalar::Other(json.trim().into()),
        ];
        assert_eq!(read(paths, json), expected);
    }

    #[test]
    fn the_value_itself_is_a_place() {
        assert_eq!(read(&[&[]], "1.25"), [float(1.25)]);
        assert_eq!(
            read(&[&[], &["a"]], "\"Open\""),
            [Scalar::Text("Open".into()), Scalar::Missing]
        );
    }

    #[test]
    fn one_place_has_one_slot() {
        let mut projection = Projection::default();
        let slots = [["a", "b"], ["a", "c"], ["a", "b"]].map(|path| projection.slot(path));
        assert_eq!(slots, [0, 1, 0]);
    }

    #[test]
    fn what_is_no_json_has_nothing_in_any_place() {
        for json in [
            "",
            "{",
            r#"{"a": 1"#,
            r#"{"a": 1} x"#,
            r#"{"a": nul}"#,
            r#"{"a": 1,}"#,
        ] {
            assert_eq!(
                read(&[&["a"], &[]], json),
                [Scalar::Missing, Scalar::Missing],
                "{json}"
            );
        }
    }

    #[test]
    fn of_a_name_that_comes_twice_the_last_counts() {
        assert_eq!(read(&[&["a"]], r#"{"a": 1, "a": 2}"#), [integer(2)]);
    }
}
