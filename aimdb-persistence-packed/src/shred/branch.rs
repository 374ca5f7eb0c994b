//! A place of the rows, with all that was found there: it grows row by row.

use std::collections::HashMap;

use crate::numbers::{Written, to_sortable};
use crate::shred::item::{Item, What};
use crate::texts::TextList;
use crate::tree::Kind;

/// More places than this have no column of their own.
const MOST_BRANCHES: usize = 2_048;

/// Members of objects have no more values than this, missing ones included: a list of objects that have nothing in common would
/// have the square of what its text has. Arrays and lists have no more elements than a chunk has bytes of JSON.
const MOST_VALUES: usize = 2 << 20;

/// Longer arrays are lists.
const MOST_ELEMENTS: usize = 64;

/// All places of the rows.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    pub(crate) root: Branch,
    size: Size,
    /// The members of the objects that are being taken in.
    found: Vec<usize>,
}

/// How large the columns are in all.
#[derive(Debug, Default)]
struct Size {
    branches: usize,
    /// Of the members of all objects.
    values: usize,
}

/// What is left of a value that has become columns.
#[derive(Debug, Default)]
pub(crate) struct Branch {
    /// One for each value.
    pub(crate) kinds: Vec<Kind>,
    pub(crate) integers: Vec<i64>,
    pub(crate) unsigned: Vec<i64>,
    pub(crate) decimals: Vec<i64>,
    pub(crate) places: Vec<u8>,
    pub(crate) floats: Vec<i64>,
    pub(crate) texts: TextList,
    pub(crate) raws: TextList,
    pub(crate) objects: usize,
    pub(crate) members: Members,
    pub(crate) arrays: usize,
    pub(crate) elements: Vec<Branch>,
    pub(crate) lengths: Vec<i64>,
    pub(crate) listed: Option<Box<Branch>>,
}

/// The members of an object: the union of those of all rows, in an order that fits every one of them.
#[derive(Debug, Default)]
pub(crate) struct Members {
    pub(crate) branches: Vec<(String, Branch)>,
    /// Members in their order in the text.
    pub(crate) order: Vec<usize>,
    /// The reverse.
    positions: Vec<usize>,
    by_name: HashMap<String, usize>,
}

impl Members {
    /// The member of this name, at or behind position `at`.
    fn find(
        &mut self,
        name: &str,
        at: &mut usize,
        objects: usize,
        size: &mut Size,
    ) -> Option<usize> {
        if let Some(member) = self
            .order
            .get(*at)
            .filter(|member| self.branches[**member].0 == name)
        {
            *at += 1;
            return Some(*member);
        }
        if let Some(member) = self.by_name.get(name) {
            let position = self.positions[*member];
            if position < *at {
                return None;
            }
            *at = position + 1;
            return Some(*member);
        }
        if size.branches >= MOST_BRANCHES || size.values + objects > MOST_VALUES {
            return None;
        }
        size.branches += 1;
        size.values += objects;
        let member = self.branches.len();
        self.branches.push((name.to_owned(), Branch::default()));
        self.by_name.insert(name.to_owned(), member);
        self.order.insert(*at, member);
        self.positions.push(0);
        for position in *at..self.order.len() {
            self.positions[self.order[position]] = position;
        }
        *at += 1;
        Some(member)
    }
}

impl Forest {
    /// Takes a row in.
    pub(crate) fn push(&mut self, text: &str, items: &[Item]) {
        let mut root = std::mem::take(&mut self.root);
        root.push(self, Shown { text, items }, 0);
        self.root = root;
    }
}

/// A text and what it holds.
#[derive(Clone, Copy)]
struct Shown<'a> {
    text: &'a str,
    items: &'a [Item],
}

impl Branch {
    /// Takes a value in; its depth is bounded by the parser's.
    fn push(&mut self, forest: &mut Forest, shown: Shown<'_>, index: usize) {
        let item = shown.items[index];
        let text = &shown.text[item.start..item.end];
        let kind = match item.what {
            What::Null => Kind::Null,
            What::False => Kind::False,
            What::True => Kind::True,
            What::Number(number) => self.push_number(number, text),
            What::Text => {
                self.texts.push(text);
                Kind::Text
            }
            What::Object(count) => match self.push_object(forest, shown, index, count) {
                true => Kind::Object,
                false => self.push_raw(text),
            },
            What::Array(count) => self.push_array(forest, shown, index, count),
            What::Raw | What::Name => self.push_raw(text),
        };
        self.kinds.push(kind);
    }

    fn push_raw(&mut self, text: &str) -> Kind {
        self.raws.push(text);
        Kind::Raw
    }

    fn push_number(&mut self, number: Written, text: &str) -> Kind {
        match number {
            Written::Integer(value) => {
                self.integers.push(value);
                Kind::Integer
            }
            Written::Unsigned(value) => {
                self.unsigned.push(value as i64);
                Kind::Unsigned
            }
            Written::Decimal { value, places } => {
                self.decimals.push(value);
                self.places.push(places as u8);
                Kind::Decimal
            }
            Written::Float(value) => {
                self.floats.push(to_sortable(value));
                Kind::Float
            }
            Written::Raw => self.push_raw(text),
        }
    }

    /// Whether the members could be put into order: not if one repeats, or if they come in another order than before.
    fn push_object(
        &mut self,
        forest: &mut Forest,
        shown: Shown<'_>,
        index: usize,
        count: usize,
    ) -> bool {
        let (first, mut at, mut name) = (forest.found.len(), 0, index + 1);
        for _ in 0..count {
            let item = shown.items[name];
            let text = &shown.text[item.start..item.end];
            let Some(member) = self
                .members
                .find(text, &mut at, self.objects, &mut forest.size)
            else {
                forest.found.truncate(first);
                return false;
            };
            forest.found.push(member);
            name = shown.items[name + 1].next;
        }
        if forest.size.values + self.members.branches.len() > MOST_VALUES {
            forest.found.truncate(first);
            return false;
        }
        forest.size.values += self.members.branches.len();
        let mut name = index + 1;
        for place in first..first + count {
            let branch = &mut self.members.branches[forest.found[place]].1;
            branch.kinds.resize(self.objects, Kind::Missing);
            branch.push(forest, shown, name + 1);
            name = shown.items[name + 1].next;
        }
        forest.found.truncate(first);
        self.objects += 1;
        true
    }

    fn push_array(
        &mut self,
        forest: &mut Forest,
        shown: Shown<'_>,
        index: usize,
        count: usize,
    ) -> Kind {
        let is_first = self.arrays == 0 && self.lengths.is_empty();
        if is_first && count <= MOST_ELEMENTS && forest.size.branches + count <= MOST_BRANCHES {
            forest.size.branches += count;
            self.elements.resize_with(count, Branch::default);
        }
        let mut element = index + 1;
        if count == self.elements.len() && (self.arrays > 0 || is_first) {
            for branch in &mut self.elements {
                branch.push(forest, shown, element);
                element = shown.items[element].next;
            }
            self.arrays += 1;
            return Kind::Array;
        }
        let listed = self.listed.get_or_insert_default();
        for _ in 0..count {
            listed.push(forest, shown, element);
            element = shown.items[element].next;
        }
        self.lengths.push(count as i64);
        Kind::List
    }
}
