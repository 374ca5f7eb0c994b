//! Statistics come back from their bytes.

use proptest::prelude::*;

use super::*;

const SPAN: Span = Span {
    first_ms: 1_000,
    last_ms: 90_000,
};

fn of(rows: &[(u64, &str)]) -> Accumulator {
    let mut all = Accumulator::default();
    for (at_ms, text) in rows {
        all.push(*at_ms, Number::parse(text));
    }
    all
}

fn written(accumulator: &Accumulator) -> usize {
    let mut bytes = Vec::new();
    accumulator.put(&mut bytes, SPAN);
    let mut input = Input::new(&bytes, 0);
    let read = Accumulator::read(&mut input, SPAN).unwrap();
    input.end().unwrap();
    assert_eq!(read, *accumulator);
    bytes.len()
}

#[test]
fn any_kind_of_number_comes_back() {
    let huge = "340282366920938463463374607431768211455";
    for rows in [
        &[][..],
        &[(1_000, "x")],
        &[(1_000, "1")],
        &[(1_000, "x"), (2_000, "1.5"), (90_000, "x")],
        &[(1_000, "21.5"), (2_000, "22"), (90_000, "1e300")],
        &[(1_000, huge), (2_000, huge), (3_000, "-1")],
        &[(1_000, "0.0"), (2_000, "0.0")],
        &[(1_000, "5e-324"), (2_000, "-1.7976931348623157e308")],
        &[(1_000, "9223372036854775807"); 9],
    ] {
        written(&of(rows));
    }
}

#[test]
fn the_field_of_a_usual_chunk_takes_some_forty_bytes() {
    let mut all = Accumulator::default();
    for row in 0..2_000_u64 {
        let text = format!("{}.{}", 20 + row % 7, row % 10);
        all.push(1_000 + row * 10_000 + row % 6, Number::parse(&text));
    }
    assert!(written(&all) <= 48, "{} bytes", written(&all));
}

proptest! {
    #[test]
    fn any_rows_come_back(
        rows in prop::collection::vec((0_u64..100_000, prop::option::of((any::<i64>(), 0_i32..20))), 0..50),
        shift in 0_u32..60,
    ) {
        let mut all = Accumulator::default();
        for (at_ms, number) in rows {
            let number = number.and_then(|(digits, places)| Number::parse(&format!("{}e-{places}", digits >> shift)));
            all.push(at_ms, number);
        }
        written(&all);
    }

    #[test]
    fn no_bytes_are_more_than_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Accumulator::read(&mut Input::new(&bytes, 0), SPAN);
    }
}
