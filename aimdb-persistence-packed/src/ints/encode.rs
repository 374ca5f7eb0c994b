//! Writing a column in the form that takes least.

use std::collections::HashSet;

use crate::bytes::{put_signed, put_unsigned};
use crate::ints::bits::width_of;
use crate::ints::choice::Pattern;
use crate::ints::column::{MOST_DEPTH, MOST_DISTINCT, Unit, mode};

/// A column is looked at in so many places to guess its slope.
const PLACES: usize = 256;

/// Appends a column. `times` are those of the rows, where there is one number for each row.
pub(crate) fn encode(out: &mut Vec<u8>, values: &[i64], times: Option<&[i64]>) {
    encode_within(out, values, times, 0);
}

fn encode_within(out: &mut Vec<u8>, values: &[i64], times: Option<&[i64]>, depth: usize) {
    let Some(first) = values.first() else {
        return;
    };
    if values.iter().all(|value| value == first) {
        out.push(mode::CONSTANT);
        return put_signed(out, *first);
    }
    let step = values[1].wrapping_sub(*first);
    if values
        .windows(2)
        .all(|pair| pair[1].wrapping_sub(pair[0]) == step)
    {
        out.push(mode::ARITHMETIC);
        put_signed(out, *first);
        return put_signed(out, step);
    }
    let (pattern, mut bits) = cheapest_pattern(values);
    let mut best = None;
    if depth < MOST_DEPTH {
        let others = [
            beside_times(values, times, bits, depth),
            scaled(values, depth),
            dictionary(values, bits, depth),
            runs(values, depth),
        ];
        for other in others.into_iter().flatten() {
            if other.len() * 8 < bits {
                bits = other.len() * 8;
                best = Some(other);
            }
        }
    }
    match best {
        Some(best) => out.extend(best),
        None => put_pattern(out, pattern, values),
    }
}

fn put_pattern(out: &mut Vec<u8>, pattern: Pattern, values: &[i64]) {
    match pattern {
        Pattern::Line(0) => out.push(mode::LEVEL),
        Pattern::Line(slope) => {
            out.push(mode::SLOPE);
            put_signed(out, slope);
        }
        Pattern::Delta => out.push(mode::DELTA),
        Pattern::DeltaOfDelta => out.push(mode::DELTA_OF_DELTA),
    }
    pattern.put_blocks(out, values);
}

fn cheapest_pattern(values: &[i64]) -> (Pattern, usize) {
    let mut best = (Pattern::Line(0), Pattern::Line(0).cost(values));
    let mut consider = |pattern: Pattern| {
        let bits = pattern.cost(values);
        if bits < best.1 {
            best = (pattern, bits);
        }
        best.0 == pattern
    };
    let delta_is_better = consider(Pattern::Delta);
    let (median, mean) = slopes(values);
    if delta_is_better || median != 0 {
        consider(Pattern::Line(median));
        if mean != median {
            consider(Pattern::Line(mean));
        }
        consider(Pattern::DeltaOfDelta);
    }
    best
}

/// What the numbers grow by from one to the next: mostly, and on the whole.
fn slopes(values: &[i64]) -> (i64, i64) {
    let every = (values.len() / PLACES).max(1);
    let pairs = values.windows(2).step_by(every);
    let mut steps: Vec<_> = pairs.map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    let middle = steps.len() / 2;
    let median = *steps.select_nth_unstable(middle).1;
    let all = i128::from(values[values.len() - 1]) - i128::from(values[0]);
    let count = values.len() as i128 - 1;
    let mean = (all + all.signum() * count / 2) / count;
    (median, i64::try_from(mean).unwrap_or(0))
}

/// As event times, which differ from the rows' times by less than from each other.
fn beside_times(
    values: &[i64],
    times: Option<&[i64]>,
    bits: usize,
    depth: usize,
) -> Option<Vec<u8>> {
    let times = times.filter(|times| times.len() == values.len())?;
    let mut best: Option<Vec<u8>> = None;
    for (code, unit) in (0..).zip(Unit::ALL) {
        let pairs = || values.iter().zip(times);
        let beside = |(value, time): (&i64, &i64)| value.wrapping_sub(unit.of(*time));
        let (mut least, mut greatest) = (i64::MAX, i64::MIN);
        // An event time in another unit is millions away.
        for beside in pairs().map(beside) {
            least = least.min(beside);
            greatest = greatest.max(beside);
        }
        let width = width_of(greatest.wrapping_sub(least) as u64) as usize;
        if least > greatest || width * values.len() > bits.saturating_mul(2) {
            continue;
        }
        let besides: Vec<_> = pairs().map(beside).collect();
        let mut out = vec![mode::TIMES, code];
        encode_within(&mut out, &besides, None, depth + 1);
        if best.as_ref().is_none_or(|best| out.len() < best.len()) {
            best = Some(out);
        }
    }
    best
}

/// By the greatest common factor of what lies between the numbers.
fn scaled(values: &[i64], depth: usize) -> Option<Vec<u8>> {
    let least = *values.iter().min()?;
    let above = |value: &i64| value.wrapping_sub(least) as u64;
    let mut factor = 0;
    for value in values {
        factor = greatest_common_factor(factor, above(value));
        if factor == 1 {
            return None;
        }
    }
    let factor = i64::try_from(factor).ok().filter(|factor| *factor > 1)?;
    let parts: Vec<_> = values
        .iter()
        .map(|value| (above(value) / factor as u64) as i64)
        .collect();
    let mut out = vec![mode::SCALED];
    put_signed(&mut out, factor);
    put_signed(&mut out, least);
    encode_within(&mut out, &parts, None, depth + 1);
    Some(out)
}

fn greatest_common_factor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// By the places of few distinct numbers.
fn dictionary(values: &[i64], bits: usize, depth: usize) -> Option<Vec<u8>> {
    let most = MOST_DISTINCT.min(values.len() / 4);
    let mut distinct = HashSet::new();
    let mut before = None;
    for value in values {
        if before == Some(value) {
            continue;
        }
        before = Some(value);
        distinct.insert(*value);
        if distinct.len() > most {
            return None;
        }
    }
    let width = width_of(distinct.len() as u64 - 1) as usize;
    if width * values.len() > bits {
        return None;
    }
    let mut distinct: Vec<_> = distinct.into_iter().collect();
    distinct.sort_unstable();
    let code = |value: &i64| distinct.binary_search(value).map_or(0, |code| code as i64);
    let codes: Vec<_> = values.iter().map(code).collect();
    let mut out = vec![mode::DICTIONARY];
    put_unsigned(&mut out, distinct.len() as u64);
    encode_within(&mut out, &distinct, None, MOST_DEPTH);
    encode_within(&mut out, &codes, None, depth + 1);
    Some(out)
}

/// By how often each number is repeated.
fn runs(values: &[i64], depth: usize) -> Option<Vec<u8>> {
    let changes = values.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if changes >= values.len() / 3 {
        return None;
    }
    let (mut lengths, mut heads) = (Vec::new(), Vec::new());
    for run in values.chunk_by(|one, other| one == other) {
        lengths.push(run.len() as i64);
        heads.push(run[0]);
    }
    let mut out = vec![mode::RUNS];
    put_unsigned(&mut out, lengths.len() as u64);
    encode_within(&mut out, &lengths, None, depth + 1);
    encode_within(&mut out, &heads, None, depth + 1);
    Some(out)
}
