//! `retention = "7d"` means what its grammar, written down naively, says.

use aimdb_persistence_duration::{Retention, parse_retention};

/// What durations are made of; other text is met too, but is none.
const PIECES: [&str; 24] = [
    "0",
    "1",
    "2",
    "5",
    "7",
    "9",
    "00",
    "18446744073709551615",
    "s",
    "m",
    "h",
    "d",
    "w",
    "y",
    "ms",
    "min",
    "days",
    "forever",
    "Forever",
    " ",
    "-",
    "+",
    ".",
    "é",
];

/// A duration of a few pieces, and one of any text.
pub fn holds(bytes: &[u8]) {
    let pieces = bytes.iter().take(6);
    let made: String = pieces
        .map(|byte| PIECES[usize::from(*byte) % PIECES.len()])
        .collect();
    agrees(&made);
    agrees(&String::from_utf8_lossy(bytes));
}

fn agrees(text: &str) {
    match (parse_retention(text), length_ms(text)) {
        (Ok(Retention::Forever), Some(None)) => {}
        (Ok(Retention::Milliseconds(found)), Some(Some(expected))) if found == expected => {}
        (Err(error), None) => assert!(!error.to_string().is_empty()),
        (found, expected) => panic!("{text:?} is {found:?}, not {expected:?}"),
    }
}

/// `Some(None)` is for ever.
fn length_ms(text: &str) -> Option<Option<u64>> {
    if text == "forever" {
        return Some(None);
    }
    let unit = text.chars().last()?;
    let number = text.strip_suffix(unit)?;
    if number.is_empty() || !number.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let unit_ms: u64 = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        'w' => 604_800_000,
        'y' => 31_536_000_000,
        _ => return None,
    };
    let mut count = 0_u64;
    for digit in number.bytes() {
        count = count
            .checked_mul(10)?
            .checked_add(u64::from(digit - b'0'))?;
    }
    let length_ms = count.checked_mul(unit_ms)?;
    (length_ms > 0).then_some(Some(length_ms))
}
