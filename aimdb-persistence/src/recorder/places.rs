//! Which record of AimDB a declared series is recorded from, where the tap is not told: AimDB 2's.
//!
//! When the database is built, three things are known. A record whose buffer is ours says so. AimDB begins the taps record by
//! record, in an order that it tells. And each record has so many taps. Where no tap could have begun in this order at the
//! record of its series, the series stands in the `configure` closure of another key.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use crate::archive::record::RecordState;

/// A record of AimDB, as its database lists it.
pub(crate) struct Place<'a> {
    pub(crate) key: &'a str,
    pub(crate) taps: usize,
}

/// What the module of an AimDB version knows of a tap.
pub(crate) trait Tapped: Send {
    /// Whether the tap may be one on the record of this key.
    fn may_be_on(&self, db: &dyn Any, key: &str) -> bool;

    /// The keys of all records that have values of its type.
    fn keys_of_its_type(&self, db: &dyn Any) -> Vec<String>;
}

/// A tap that records a declared series.
pub(crate) struct BegunTap {
    pub(crate) record: Arc<RecordState>,
    pub(crate) tapped: Box<dyn Tapped>,
}

/// The series that are recorded from other records than their own, and the keys of those. The taps stand in the order in
/// which they began, and so do the places.
pub(crate) fn misplaced<'t>(
    taps: &'t [BegunTap],
    db: &dyn Any,
    places: &[Place<'_>],
) -> Vec<(&'t Arc<RecordState>, Vec<String>)> {
    let index: HashMap<&str, usize> = places
        .iter()
        .enumerate()
        .map(|(place, of)| (of.key, place))
        .collect();
    let room: Vec<usize> = places.iter().map(|place| place.taps).collect();
    let own: Vec<Option<usize>> = taps
        .iter()
        .map(|tap| {
            let place = *index.get(&*tap.record.name)?;
            (room[place] > 0 && tap.tapped.may_be_on(db, &tap.record.name)).then_some(place)
        })
        .collect();
    let as_declared: Vec<Vec<usize>> = own
        .iter()
        .map(|own| own.iter().copied().collect())
        .collect();
    if fit(&as_declared, &room).is_some() {
        return Vec::new();
    }
    let possible: Vec<Vec<usize>> = taps
        .iter()
        .map(|tap| {
            let keys = tap.tapped.keys_of_its_type(db).into_iter();
            let mut places: Vec<usize> = keys
                .filter(|key| tap.tapped.may_be_on(db, key))
                .filter_map(|key| index.get(&*key).copied())
                .filter(|place| room[*place] > 0)
                .collect();
            places.sort_unstable();
            places
        })
        .collect();
    let Some(ranges) = fit(&possible, &room) else {
        // AimDB has begun them in another order than it says. Then that is no clue.
        let certain = taps.iter().zip(&own).filter(|(_, own)| own.is_none());
        return certain.map(|(tap, _)| (&tap.record, Vec::new())).collect();
    };
    let mut misplaced = Vec::new();
    for ((tap, own), (possible, (first, last))) in
        taps.iter().zip(own).zip(possible.iter().zip(ranges))
    {
        let within = |place: &usize| (first..=last).contains(place);
        if own.as_ref().is_none_or(|own| !within(own)) {
            let keys = possible.iter().filter(|place| within(place));
            misplaced.push((
                &tap.record,
                keys.map(|place| places[*place].key.to_owned()).collect(),
            ));
        }
    }
    misplaced
}

/// The first and the last place of each tap, if the taps can stand in this order, each at one of its possible places, and no
/// more at a place than it has room for.
fn fit(possible: &[Vec<usize>], room: &[usize]) -> Option<Vec<(usize, usize)>> {
    let (mut first, mut taken) = (Vec::with_capacity(possible.len()), vec![0; room.len()]);
    for possible in possible {
        let least = first.last().copied().unwrap_or(0);
        let place = possible
            .iter()
            .copied()
            .find(|place| *place >= least && taken[*place] < room[*place])?;
        taken[place] += 1;
        first.push(place);
    }
    let (mut last, mut taken) = (Vec::with_capacity(possible.len()), vec![0; room.len()]);
    for possible in possible.iter().rev() {
        let most = last.last().copied().unwrap_or(usize::MAX);
        let place = possible
            .iter()
            .rev()
            .copied()
            .find(|place| *place <= most && taken[*place] < room[*place])?;
        taken[place] += 1;
        last.push(place);
    }
    Some(first.into_iter().zip(last.into_iter().rev()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tap of records of one type, where it is not known which it is on.
    struct OfType(&'static [&'static str]);

    impl Tapped for OfType {
        fn may_be_on(&self, _: &dyn Any, key: &str) -> bool {
            self.0.contains(&key)
        }

        fn keys_of_its_type(&self, _: &dyn Any) -> Vec<String> {
            self.0.iter().map(|key| (*key).to_owned()).collect()
        }
    }

    /// The series in the order in which their taps began, and what is told of them.
    fn told(
        series: &[(&str, &'static [&'static str])],
        places: &[(&str, usize)],
    ) -> Vec<(String, Vec<String>)> {
        let taps: Vec<_> = series
            .iter()
            .map(|(name, keys)| BegunTap {
                record: Arc::new(RecordState::new(name, Arc::default())),
                tapped: Box::new(OfType(keys)),
            })
            .collect();
        let places: Vec<_> = places
            .iter()
            .map(|(key, taps)| Place { key, taps: *taps })
            .collect();
        let misplaced = misplaced(&taps, &(), &places);
        misplaced
            .into_iter()
            .map(|(record, keys)| (record.name.to_string(), keys))
            .collect()
    }

    fn one(series: &str, key: &str) -> (String, Vec<String>) {
        (series.to_owned(), vec![key.to_owned()])
    }

    const AB: &[&str] = &["a", "b"];

    #[test]
    fn series_at_their_own_records_are_not_told() {
        assert_eq!(told(&[("a", AB), ("b", AB)], &[("a", 1), ("b", 1)]), []);
        assert_eq!(told(&[("b", AB)], &[("a", 3), ("b", 2)]), []);
        assert_eq!(told(&[], &[("a", 1)]), []);
    }

    #[test]
    fn a_series_whose_record_is_missing_or_has_no_tap_is_told_with_the_other_key() {
        assert_eq!(told(&[("c", AB)], &[("a", 0), ("b", 1)]), [one("c", "b")]);
        assert_eq!(told(&[("a", AB)], &[("a", 0), ("b", 1)]), [one("a", "b")]);
        let either = ("c".to_owned(), vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(told(&[("c", AB)], &[("a", 1), ("b", 1)]), [either]);
    }

    #[test]
    fn two_series_that_were_exchanged_are_told_by_the_order_of_their_taps() {
        let exchanged = told(&[("b", AB), ("a", AB)], &[("a", 1), ("b", 1)]);
        assert_eq!(exchanged, [one("b", "a"), one("a", "b")]);
    }

    #[test]
    fn an_order_that_cannot_be_is_no_clue_but_a_missing_record_is() {
        let places = [("a", 1), ("b", 1)];
        assert_eq!(told(&[("b", &["b"]), ("a", &["a"])], &places), []);
        let with_missing = told(&[("b", &["b"]), ("a", &["a"]), ("c", AB)], &places);
        assert_eq!(with_missing, [("c".to_owned(), vec![])]);
    }
}
