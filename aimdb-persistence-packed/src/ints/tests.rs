//! Every column comes back, by every form.

use proptest::prelude::*;

use crate::bytes::Input;
use crate::ints::bits::BLOCK;
use crate::ints::column::mode;
use crate::ints::{Cursor, Ints, encode};

/// The column's bytes; it is read again in every way.
fn packed(values: &[i64], times: Option<&[i64]>) -> Vec<u8> {
    let mut time_bytes = Vec::new();
    encode(&mut time_bytes, times.unwrap_or_default(), None);
    let mut bytes = time_bytes.clone();
    encode(&mut bytes, values, times);
    let mut input = Input::new(&bytes, 0);
    let count = times.map_or(0, <[i64]>::len);
    let times = Ints::read(&mut input, &bytes, count).unwrap();
    let ints = Ints::read(&mut input, &bytes, values.len()).unwrap();
    input.end().unwrap();
    let times = (count > 0).then_some(&times);
    assert_eq!(ints.all(&bytes, times).unwrap(), values);
    let mut cursor = Cursor::new();
    for index in (0..values.len()).rev() {
        let found = cursor.get(&ints, &bytes, times, index).unwrap();
        assert_eq!(found, values[index], "number {index}");
    }
    assert!(cursor.get(&ints, &bytes, times, values.len()).is_err());
    bytes.split_off(time_bytes.len())
}

/// Numbers that no pattern fits, below `most`.
fn noise(count: usize, most: u64) -> impl Iterator<Item = i64> {
    let mut state = 1_u64;
    (0..count).map(move |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((state >> 33) % most) as i64
    })
}

#[test]
fn each_pattern_is_found_where_it_is_cheapest() {
    let count = 1_000;
    let indices = || 0..count as i64;
    let jitter: Vec<_> = indices()
        .zip(noise(count, 6))
        .map(|(i, j)| i * 1_000 + j)
        .collect();
    let walk: Vec<_> = noise(count, 9)
        .scan(0, |sum, step| {
            *sum += step - 4;
            Some(*sum)
        })
        .collect();
    let accelerating: Vec<_> = walk
        .iter()
        .scan(0, |sum, step| {
            *sum += step;
            Some(*sum)
        })
        .collect();
    let coarse: Vec<_> = noise(count, 30).map(|value| value * 1_000 + 7).collect();
    let few = [3, 1_000_000_007, -5_000_000_000, 77];
    let few: Vec<_> = noise(count, 4).map(|code| few[code as usize]).collect();
    let long: Vec<_> = indices()
        .map(|i| (i / 90) * (i / 90) * 7_919 % 1_000)
        .collect();
    for (expected, values) in [
        (mode::CONSTANT, vec![-7; count]),
        (
            mode::ARITHMETIC,
            indices().map(|i| i * 60_000 - 9).collect(),
        ),
        (mode::LEVEL, noise(count, 500).collect()),
        (mode::SLOPE, jitter),
        (mode::DELTA, walk),
        (mode::DELTA_OF_DELTA, accelerating),
        (mode::SCALED, coarse),
        (mode::DICTIONARY, few),
        (mode::RUNS, long),
    ] {
        let bytes = packed(&values, None);
        assert_eq!(bytes[0], expected, "{:?}", &values[..9]);
    }
}

#[test]
fn an_event_time_costs_what_it_differs_by_from_the_rows_time() {
    let jitter = noise(2_000, 50).zip(0..);
    let times: Vec<_> = jitter
        .map(|(j, i)| 1_700_000_000_000 + i * 1_000 + j)
        .collect();
    let late = |unit: i64| -> Vec<i64> { times.iter().map(|time| time * unit - 3).collect() };
    for values in [late(1), late(1_000), late(1_000_000)] {
        assert!(packed(&values, Some(&times)).len() < 8);
    }
    let seconds: Vec<_> = times.iter().map(|time| time / 1_000).collect();
    assert!(packed(&seconds, Some(&times)).len() < 8);
}

#[test]
fn a_few_outliers_do_not_widen_their_block() {
    let mut values: Vec<_> = noise(BLOCK, 8).collect();
    let without = packed(&values, None).len();
    values[17] = 1 << 40;
    values[100] = -(1 << 39);
    assert!(packed(&values, None).len() < without + 32);
}

proptest! {
    #[test]
    fn any_numbers_come_back(values in prop::collection::vec(any::<i64>(), 0..400), shift in 0_u32..64) {
        let values: Vec<_> = values.iter().map(|value| value >> shift).collect();
        packed(&values, None);
        let times: Vec<_> = values.iter().rev().copied().collect();
        packed(&values, Some(&times));
    }

    #[test]
    fn no_bytes_are_more_than_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300), count in 0_usize..5_000) {
        if let Ok(ints) = Ints::read(&mut Input::new(&bytes, 0), &bytes, count) {
            let _ = ints.all(&bytes, Some(&ints));
        }
    }
}
