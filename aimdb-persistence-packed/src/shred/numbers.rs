//! What is known of the numbers of every field.

use crate::numbers::{Decimal, Number, from_sortable};
use crate::shred::branch::Branch;
use crate::statistics::Accumulator;
use crate::tree::Kind;

/// The names that lead to a field, and what is known of its numbers.
pub(crate) type Summed<'b> = (Vec<&'b str>, Accumulator);

/// What is known of every field that holds a number in some row, and whose columns tell of all rows. To be called once the tree
/// is written: by then, decimals of a field have one number of places.
///
/// Nothing is said of a field that holds a number in an unusual form, or that lies in what is kept as text.
pub(crate) fn summed<'b>(root: &'b Branch, times: &[i64]) -> Vec<Summed<'b>> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    let rows = vec![true; times.len()];
    visit(root, &rows, times, &mut path, &mut found);
    found
}

/// `rows` tells which rows have a value in this branch.
fn visit<'b>(
    branch: &'b Branch,
    rows: &[bool],
    times: &[i64],
    path: &mut Vec<&'b str>,
    found: &mut Vec<Summed<'b>>,
) {
    let numbers = [
        &branch.integers,
        &branch.unsigned,
        &branch.decimals,
        &branch.floats,
    ];
    let has_numbers = numbers.iter().any(|numbers| !numbers.is_empty());
    if has_numbers && branch.raws.len() == 0 {
        found.push((path.clone(), accumulated(branch, rows, times)));
    }
    let others = branch.raws.len() + branch.arrays + branch.lengths.len();
    if branch.objects == 0 || others > 0 {
        return;
    }
    let mut kinds = branch.kinds.iter();
    let has_object = |has_value: &bool| *has_value && kinds.next() == Some(&Kind::Object);
    let rows: Vec<_> = rows.iter().map(has_object).collect();
    for member in &branch.members.order {
        let (name, inner) = &branch.members.branches[*member];
        path.push(name);
        visit(inner, &rows, times, path, found);
        path.pop();
    }
}

fn accumulated(branch: &Branch, rows: &[bool], times: &[i64]) -> Accumulator {
    let mut kinds = branch.kinds.iter();
    let mut integers = branch.integers.iter();
    let mut unsigned = branch.unsigned.iter();
    let mut decimals = branch.decimals.iter().zip(&branch.places);
    let mut floats = branch.floats.iter();
    let mut all = Accumulator::default();
    for (has_value, time) in rows.iter().zip(times) {
        let kind = if *has_value { kinds.next() } else { None };
        let number = match kind {
            Some(Kind::Integer) => integers
                .next()
                .map(|value| Number::Integer((*value).into())),
            Some(Kind::Unsigned) => unsigned
                .next()
                .map(|value| Number::Integer((*value as u64).into())),
            Some(Kind::Decimal) => decimals.next().and_then(|(digits, places)| {
                Decimal::new(*digits, -i32::from(*places)).map(Number::Decimal)
            }),
            Some(Kind::Float) => floats
                .next()
                .and_then(|bits| Number::of_float(from_sortable(*bits))),
            _ => None,
        };
        all.push(*time as u64, number);
    }
    all
}
