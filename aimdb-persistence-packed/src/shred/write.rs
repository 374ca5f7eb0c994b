//! Writing a place and all that lies within it.

use crate::bytes::{put_part, put_unsigned};
use crate::ints;
use crate::numbers::{as_float, to_sortable, with_places};
use crate::shred::branch::Branch;
use crate::texts;
use crate::tree::{Kind, PLACES_VARY};

/// Appends a place of `count` values. `times` are those of the rows: columns of as many values may follow them.
pub(crate) fn put_branch(out: &mut Vec<u8>, branch: &mut Branch, times: &[i64]) {
    let places = settle_decimals(branch);
    put_kinds(out, &branch.kinds);
    let ints = |out: &mut Vec<u8>, values: &[i64]| {
        if !values.is_empty() {
            put_part(out, |out| ints::encode(out, values, Some(times)));
        }
    };
    ints(out, &branch.integers);
    ints(out, &branch.unsigned);
    if !branch.decimals.is_empty() {
        put_part(out, |out| put_decimals(out, branch, places, times));
    }
    ints(out, &branch.floats);
    for texts in [&branch.texts, &branch.raws] {
        if texts.len() > 0 {
            put_part(out, |out| texts::encode(out, texts, Some(times)));
        }
    }
    put_inner(out, branch, times);
}

/// Arrays, lists and objects.
fn put_inner(out: &mut Vec<u8>, branch: &mut Branch, times: &[i64]) {
    if branch.arrays > 0 {
        put_part(out, |out| {
            put_unsigned(out, branch.elements.len() as u64);
            for element in &mut branch.elements {
                put_part(out, |out| put_branch(out, element, times));
            }
        });
    }
    if let Some(listed) = &mut branch.listed {
        put_part(out, |out| {
            ints::encode(out, &branch.lengths, Some(times));
            put_unsigned(out, listed.kinds.len() as u64);
            put_branch(out, listed, times);
        });
    }
    if branch.objects > 0 {
        put_part(out, |out| put_members(out, branch, times));
    }
}

fn put_members(out: &mut Vec<u8>, branch: &mut Branch, times: &[i64]) {
    let members = &mut branch.members;
    for (_, member) in &mut members.branches {
        member.kinds.resize(branch.objects, Kind::Missing);
    }
    // A member of none but objects that were given up has no values.
    let is_there = |member: &&usize| {
        let mut kinds = members.branches[**member].1.kinds.iter();
        kinds.any(|kind| *kind != Kind::Missing)
    };
    let order: Vec<_> = members.order.iter().filter(is_there).copied().collect();
    put_unsigned(out, order.len() as u64);
    for member in order {
        let (name, member) = &mut members.branches[member];
        put_part(out, |out| out.extend_from_slice(name.as_bytes()));
        put_part(out, |out| put_branch(out, member, times));
    }
}

/// Which kinds there are; where there are several, how many of each, and which value is which.
fn put_kinds(out: &mut Vec<u8>, kinds: &[Kind]) {
    let mut counts = [0_u64; Kind::ALL.len()];
    for kind in kinds {
        counts[kind.code()] += 1;
    }
    let present: Vec<_> = (0..counts.len()).filter(|code| counts[*code] > 0).collect();
    put_unsigned(out, present.iter().fold(0, |mask, code| mask | 1 << code));
    if present.len() < 2 {
        return;
    }
    for code in &present[1..] {
        put_unsigned(out, counts[*code]);
    }
    let mut dense = [0; Kind::ALL.len()];
    for (place, code) in (0..).zip(&present) {
        dense[*code] = place;
    }
    let codes: Vec<_> = kinds.iter().map(|kind| dense[kind.code()]).collect();
    put_part(out, |out| ints::encode(out, &codes, None));
}

/// Gives all decimals of a place the same number of places; that number, if they have one.
///
/// Among long floats, those that happen to be short become floats as well.
fn settle_decimals(branch: &mut Branch) -> Option<u8> {
    let numbers = branch.decimals.len() + branch.floats.len();
    let are_few = !branch.floats.is_empty() && branch.decimals.len() * 4 <= numbers;
    if are_few {
        decimals_to_floats(branch);
    }
    let most = *branch.places.iter().max()?;
    let decimals = branch.decimals.iter().zip(&branch.places);
    let same = decimals.map(|(value, places)| with_places(*value, (*places).into(), most.into()));
    branch.decimals = same.collect::<Option<_>>()?;
    branch.places.fill(most);
    Some(most)
}

fn decimals_to_floats(branch: &mut Branch) {
    let (mut decimals, mut floats) = (Vec::new(), Vec::new());
    let mut places_left = Vec::new();
    let mut old_decimals = branch.decimals.iter().zip(&branch.places);
    let mut old_floats = branch.floats.iter();
    for kind in &mut branch.kinds {
        match *kind {
            Kind::Float => floats.extend(old_floats.next()),
            Kind::Decimal => {
                let Some((value, places)) = old_decimals.next() else {
                    continue;
                };
                if let Some(float) = as_float(*value, (*places).into()) {
                    *kind = Kind::Float;
                    floats.push(to_sortable(float));
                } else {
                    decimals.push(*value);
                    places_left.push(*places);
                }
            }
            _ => {}
        }
    }
    branch.decimals = decimals;
    branch.places = places_left;
    branch.floats = floats;
}

/// How many places they have, and then their digits.
fn put_decimals(out: &mut Vec<u8>, branch: &Branch, places: Option<u8>, times: &[i64]) {
    match places {
        Some(places) => out.push(places),
        None => {
            out.push(PLACES_VARY);
            let places: Vec<_> = branch
                .places
                .iter()
                .map(|places| i64::from(*places))
                .collect();
            ints::encode(out, &places, None);
        }
    }
    ints::encode(out, &branch.decimals, Some(times));
}
