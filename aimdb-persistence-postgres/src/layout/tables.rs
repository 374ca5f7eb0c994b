//! Which tables the rows of a series lie in: one for each class of retention.

/// Rows that are removed one by one, or never.
pub(crate) const PLAIN: i16 = 0;

const DAY_MS: i64 = 86_400_000;

/// The table of each class, and the longest retention of the series that belong there. Those of the first have none in common.
const CLASSES: [(&str, i64); 5] = [
    ("history", i64::MAX),
    ("history_1d", DAY_MS),
    ("history_7d", 7 * DAY_MS),
    ("history_30d", 30 * DAY_MS),
    ("history_1y", 366 * DAY_MS),
];

/// The classes that are partitioned by time, with their number, their table and the width of a partition.
pub(crate) fn partitioned() -> impl Iterator<Item = (usize, &'static str, i64)> {
    let classes = CLASSES.iter().enumerate().skip(1);
    classes.map(|(number, (table, length_ms))| (number, *table, length_ms / 12))
}

/// Where rows are put of a series with this retention that keeps rows for no other reason.
pub(crate) fn class_of(retention_ms: Option<i64>) -> i16 {
    let fits =
        |(_, longest): &&(&str, i64)| retention_ms.is_some_and(|ms| (0..=*longest).contains(&ms));
    let class = CLASSES[1..].iter().position(|class| fits(&class));
    class.map_or(PLAIN, |class| class as i16 + 1)
}

/// The table that a class has.
pub(crate) fn table(class: i16) -> &'static str {
    let class = usize::try_from(class)
        .ok()
        .and_then(|class| CLASSES.get(class));
    class.map_or(CLASSES[0].0, |(table, _)| table)
}

/// Some of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Tables(u8);

impl Tables {
    /// Of all classes.
    pub(crate) const ALL: Self = Self((1 << CLASSES.len()) - 1);

    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Of the class of a series, and those that it belonged to before.
    pub(crate) fn of(class: i16, former: &[i16]) -> Self {
        let classes = former.iter().chain([&class]);
        let bit = |class: &i16| {
            1 << u8::try_from(*class)
                .unwrap_or(0)
                .min(CLASSES.len() as u8 - 1)
        };
        Self(classes.fold(0, |bits, class| bits | bit(class)))
    }

    pub(crate) fn has_plain(self) -> bool {
        self.0 & 1 != 0
    }

    pub(crate) fn each(self) -> impl Iterator<Item = &'static str> {
        let classes = CLASSES.iter().enumerate();
        classes
            .filter(move |(number, _)| self.0 >> number & 1 != 0)
            .map(|(_, (table, _))| *table)
    }

    /// What stands behind FROM.
    pub(crate) fn sql(self) -> String {
        let mut tables = self.each();
        match (tables.next(), tables.next()) {
            (Some(one), None) => one.to_owned(),
            _ => {
                let all = |table| {
                    format!(
                        "SELECT stored_at, sequence, source, series, version, value FROM {table}"
                    )
                };
                let all: Vec<_> = self.each().map(all).collect();
                format!("({})", all.join(" UNION ALL "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_lies_in_the_narrowest_class_that_its_retention_fits() {
        for (retention_ms, expected) in [
            (None, "history"),
            (Some(-1), "history"),
            (Some(0), "history_1d"),
            (Some(DAY_MS), "history_1d"),
            (Some(DAY_MS + 1), "history_7d"),
            (Some(30 * DAY_MS), "history_30d"),
            (Some(365 * DAY_MS), "history_1y"),
            (Some(400 * DAY_MS), "history"),
        ] {
            assert_eq!(table(class_of(retention_ms)), expected, "{retention_ms:?}");
        }
    }

    #[test]
    fn a_series_that_has_changed_its_class_is_asked_in_both() {
        assert_eq!(Tables::of(0, &[]).sql(), "history");
        let both = Tables::of(2, &[0]);
        assert_eq!(both.each().collect::<Vec<_>>(), ["history", "history_7d"]);
        assert!(both.sql().contains("UNION ALL"));
        assert_eq!(Tables::ALL.each().count(), 5);
    }
}
