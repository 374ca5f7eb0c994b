use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
}

fn sum<'a>(texts: impl IntoIterator<Item = &'a str>) -> ExactSum {
    let mut sum = ExactSum::default();
    texts.into_iter().for_each(|text| sum.add(number(text)));
    sum
}

#[test]
fn sums_are_rounded_once_and_only_when_they_are_asked_for() {
    // Worked out by hand.
    for (texts, expected) in [
        (&[][..], 0.0),
        (&["0.1", "0.2"], 0.3),
        (&["0.1"; 10], 1.0),
        (&["1e16", "1", "-1e16"], 1.0),
        (&["1e300", "1", "-1e300"], 1.0),
        (&["1e300", "1e-300", "-1e300"], 1e-300),
        (&["9007199254740993", "-9007199254740992"], 1.0),
        (&["18446744073709551615", "-18446744073709551614"], 1.0),
        (
            &[
                "340282366920938463463374607431768211455",
                "-170141183460469231731687303715884105728",
                "-170141183460469231731687303715884105728",
            ],
            -1.0,
        ),
        (
            &["-170141183460469231731687303715884105728"; 4],
            -4.0 * 2_f64.powi(127),
        ),
        (&["21.5", "21.53", "22"], 65.03),
        (&["5e-324", "-5e-324"], 0.0),
    ] {
        assert_eq!(sum(texts.iter().copied()).to_f64(), expected, "{texts:?}");
    }
}

#[test]
fn whole_sums_come_in_full() {
    let whole = |texts: &[&str]| sum(texts.iter().copied()).whole();
    assert_eq!(
        whole(&["9007199254740993", "1"]),
        Some(9_007_199_254_740_994)
    );
    assert_eq!(whole(&["0.5", "0.5"]), Some(1));
    assert_eq!(whole(&["0.5"]), None);
    assert_eq!(whole(&["1e3"]), Some(1_000));
    assert_eq!(whole(&["340282366920938463463374607431768211455"]), None);
    assert_eq!(whole(&[]), Some(0));
}

/// Numbers as devices send them, and those at the edges of what is possible.
fn any_number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<i128>().prop_map(|n| n.to_string()),
        any::<u128>().prop_map(|n| n.to_string()),
        (-100_000_i64..100_000, 0_usize..6).prop_map(|(n, places)| format!("{n}e-{places}")),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(|f| format!("{f:e}")),
    ]
}

/// By long addition: units of 10^-400, which no number here is finer than.
fn by_hand(texts: &[(String, u64)]) -> BigInt {
    texts.iter().fold(BigInt::ZERO, |total, (text, times)| {
        let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let digits: BigInt = format!("{whole}{fraction}").parse().expect("digits");
        let exponent: i32 = exponent.parse().expect("an exponent");
        let places = 400 + exponent - i32::try_from(fraction.len()).expect("few");
        total + digits * BigInt::from(10).pow(u32::try_from(places).expect("fine enough")) * *times
    })
}

fn in_units(sum: &ExactSum) -> BigInt {
    let (units, exponent) = sum.total();
    units * BigInt::from(10).pow(u32::try_from(400 + exponent).expect("fine enough"))
}

proptest! {
    #[test]
    fn a_sum_is_that_of_long_addition_in_every_order_and_partition(
        texts in prop::collection::vec((any_number(), any::<u64>()), 0..30),
        parts in 1_usize..5,
        seed in any::<u64>(),
    ) {
        // Seventeen digits and fewer are kept; those of a float are.
        let expected = by_hand(&texts);
        let mut sums = vec![ExactSum::default(); parts];
        for (index, (text, times)) in texts.iter().enumerate() {
            let part = (index as u64).wrapping_mul(seed | 1) as usize % parts;
            sums[part].add_times(number(text), *times);
        }
        let merged = sums.iter().rev().fold(ExactSum::default(), |mut merged, sum| {
            merged.merge(sum);
            merged
        });
        prop_assert_eq!(in_units(&merged), expected);
        let mut in_order = ExactSum::default();
        texts.iter().for_each(|(text, times)| in_order.add_times(number(text), *times));
        prop_assert_eq!(in_order.to_f64(), merged.to_f64());
        prop_assert_eq!(&in_order, &merged);
        in_order.unmerge(&merged);
        prop_assert!(in_order.is_zero());
    }
}
