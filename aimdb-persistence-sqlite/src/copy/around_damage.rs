//! Reading a damaged table around its damage.

use std::ops::RangeInclusive;

/// A stretch in which nothing is found is halved so often.
const HALVINGS: u32 = 12;

/// How far a stretch could be read.
pub(crate) enum Reached {
    /// All of the stretch.
    End,
    /// There is damage after the row with this key, the last sound one if there was any.
    Damage(Option<i64>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// Reads the sound rows of a table in the order of a key. `read` reads a stretch from one of its ends until it meets
/// damage. A row may be read more than once. Says how many stretches could not be read.
pub(crate) fn read_around_damage<E>(
    keys: RangeInclusive<i64>,
    read: &mut impl FnMut(RangeInclusive<i64>, Direction) -> Result<Reached, E>,
) -> Result<u64, E> {
    let mut unreadable = Unreadable {
        stretches: 0,
        last: None,
    };
    cover(*keys.start(), *keys.end(), HALVINGS, read, &mut unreadable)?;
    Ok(unreadable.stretches)
}

struct Unreadable {
    stretches: u64,
    /// The last key of the latest stretch. They are noted in order.
    last: Option<i64>,
}

impl Unreadable {
    fn note(&mut self, start: i64, end: i64) {
        let goes_on = self
            .last
            .is_some_and(|last| last.checked_add(1) == Some(start));
        self.stretches += u64::from(!goes_on);
        self.last = Some(end);
    }
}

/// From both ends to the damage in between; then what lies there is halved.
fn cover<E>(
    start: i64,
    end: i64,
    halvings: u32,
    read: &mut impl FnMut(RangeInclusive<i64>, Direction) -> Result<Reached, E>,
    unreadable: &mut Unreadable,
) -> Result<(), E> {
    let (mut low, mut high) = (Some(start), Some(end));
    match read(start..=end, Direction::Up)? {
        Reached::End => return Ok(()),
        Reached::Damage(None) => {}
        Reached::Damage(Some(last)) => low = last.checked_add(1),
    }
    // Rows of one key may lie on both sides of the damage.
    match read(
        low.map_or(end, |low| low.saturating_sub(1).max(start))..=end,
        Direction::Down,
    )? {
        Reached::End => return Ok(()),
        Reached::Damage(None) => {}
        Reached::Damage(Some(last)) => high = last.checked_sub(1),
    }
    let (Some(low), Some(high)) = (low, high) else {
        return Ok(());
    };
    if low > high {
        unreadable.note(low, low);
        return Ok(());
    }
    let has_found_any = low > start || high < end;
    let halvings = if has_found_any { HALVINGS } else { halvings };
    if halvings == 0 || low == high {
        unreadable.note(low, high);
        return Ok(());
    }
    let middle = low.midpoint(high);
    cover(low, middle, halvings - 1, read, unreadable)?;
    cover(middle + 1, high, halvings - 1, read, unreadable)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Rows in pages of ten, some of which cannot be read.
    fn read(damaged: &BTreeSet<i64>, pages: i64) -> (BTreeSet<i64>, u64) {
        let mut found = BTreeSet::new();
        let is_sound = |key: i64| !damaged.contains(&(key / 10));
        let mut read_stretch = |keys: RangeInclusive<i64>, direction| {
            let in_table = *keys.start().max(&0)..=*keys.end().min(&(pages * 10 - 1));
            let mut keys: Vec<i64> = in_table.collect();
            if direction == Direction::Down {
                keys.reverse();
            }
            let mut last = None;
            for key in keys {
                if !is_sound(key) {
                    return Ok::<_, Infallible>(Reached::Damage(last));
                }
                found.insert(key);
                last = Some(key);
            }
            Ok(Reached::End)
        };
        let Ok(unreadable) = read_around_damage(0..=i64::MAX, &mut read_stretch);
        (found, unreadable)
    }

    proptest! {
        #[test]
        fn every_row_of_a_sound_page_is_found(damaged in prop::collection::btree_set(1_i64..99, 0..60)) {
            let (found, unreadable) = read(&damaged, 100);
            let expected: BTreeSet<i64> = (0..1_000).filter(|key| !damaged.contains(&(key / 10))).collect();
            prop_assert_eq!(found, expected);
            let stretches = damaged.iter().filter(|page| !damaged.contains(&(*page - 1))).count();
            prop_assert_eq!(unreadable, stretches as u64);
        }
    }

    #[test]
    fn where_nothing_is_sound_it_ends_all_the_same() {
        let damaged = (0..100).collect();
        assert_eq!(read(&damaged, 100), (BTreeSet::new(), 1));
    }
}
