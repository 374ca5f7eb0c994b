//! The statistics of a chunk are those of its rows.

use aimdb_persistence_packed::statistics::{Accumulator, ChunkStatistics};
use aimdb_persistence_packed::{Number, PackedError, pack};
use proptest::prelude::*;

use crate::arbitrary::NUMBERS;
use crate::damage::varied;
use crate::rows::rows_of;

fn statistics<T: AsRef<str>>(texts: &[T]) -> ChunkStatistics {
    let packed = pack(rows_of(texts)).expect("rows");
    ChunkStatistics::open(packed.statistics).expect("statistics")
}

/// Row by row, with numbers as they are written.
fn by_hand<T: AsRef<str>>(texts: &[T], numbers: &[Option<String>]) -> Accumulator {
    let mut all = Accumulator::default();
    for (row, number) in rows_of(texts).iter().zip(numbers) {
        all.push(row.stored_at, number.as_deref().and_then(Number::parse));
    }
    all
}

#[test]
fn rows_and_their_times_are_told() {
    let texts = varied(300);
    let statistics = statistics(&texts);
    assert_eq!(statistics.rows(), 300);
    assert_eq!(statistics.times(), (1_700_000_001_000, 1_700_000_300_000));
}

#[test]
fn a_field_whose_numbers_only_the_texts_tell_has_none() {
    let texts = [
        r#"{"a":1.50,"b":1,"c":"x","d":{"e":1},"f":[1],"g":{"h":2}}"#,
        r#"{"a":1.5,"b":null,"c":"y","d":{"e": 2},"f":[2],"g":{"h":{}}}"#,
    ];
    let statistics = statistics(&texts);
    for path in [
        &["a"] as &[&str],
        &["c"],
        &["d"],
        &["d", "e"],
        &["f"],
        &["f", "0"],
        &["none"],
        &[],
    ] {
        assert_eq!(statistics.field(path.iter().copied()), Ok(None), "{path:?}");
    }
    for path in [&["b"] as &[&str], &["g", "h"]] {
        let field = statistics
            .field(path.iter().copied())
            .unwrap()
            .expect("numbers");
        assert_eq!((field.count, field.without_value), (1, 1), "{path:?}");
    }
    // Members of a row that is kept as text are not seen.
    let hidden = self::statistics(&[r#"{"a":1}"#, r#"{"a": 2}"#]);
    assert_eq!(hidden.field(["a"]), Ok(None));
}

#[test]
fn a_flip_or_a_cut_is_an_error() {
    let bytes = pack(rows_of(&varied(60))).expect("rows").statistics;
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x11;
        let error = ChunkStatistics::open(damaged).expect_err("a flipped byte");
        assert!(error.to_string().contains("packed chunk"), "byte {place}");
        assert!(
            ChunkStatistics::open(&bytes[..place]).is_err(),
            "cut at {place}"
        );
    }
    let mut later = bytes;
    later[0] = 9;
    assert_eq!(
        ChunkStatistics::open(later).err(),
        Some(PackedError::Format(9))
    );
}

fn number() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        2 => prop::sample::select(&NUMBERS[..]).prop_map(|number| Some(number.to_owned())),
        8 => (-2_000_i32..3_000).prop_map(|tenths| Some(format!("{:?}", f64::from(tenths) / 10.0))),
    ]
}

proptest! {
    #[test]
    fn they_are_those_of_the_rows_one_by_one(numbers in prop::collection::vec((number(), number(), 0..5), 1..80)) {
        let mut texts = Vec::new();
        let (mut a, mut c) = (Vec::new(), Vec::new());
        for (one, other, shape) in numbers {
            let text = |number: &Option<String>| number.clone().unwrap_or("null".into());
            match shape {
                0 => {
                    texts.push(format!(r#"{{"a":{}}}"#, text(&one)));
                    c.push(None);
                }
                1 => {
                    texts.push(format!(r#"{{"a":{},"b":true}}"#, text(&one)));
                    c.push(None);
                }
                _ => {
                    texts.push(format!(r#"{{"a":{},"b":{{"c":{}}}}}"#, text(&one), text(&other)));
                    c.push(other);
                }
            }
            a.push(one);
        }
        let statistics = statistics(&texts);
        let odd = ["-0", "1.50", "1.00", "1e5", "1E5", "1e+5", "1e16", "1180591620717411303424", "1e999", "12345678901234567.8"];
        for (path, numbers) in [(&["a"] as &[&str], &a), (&["b", "c"], &c)] {
            let has_odd = numbers.iter().flatten().any(|number| odd.contains(&number.as_str()));
            let has_number = numbers.iter().flatten().next().is_some();
            let field = statistics.field(path.iter().copied()).unwrap();
            prop_assert_eq!(field.is_some(), has_number && !has_odd, "{:?}", path);
            if let Some(field) = field {
                prop_assert_eq!(field, by_hand(&texts, numbers));
            }
        }
    }
}
