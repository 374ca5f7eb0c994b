//! Which stretch of keys each page of rows answers for. A row that is not on the page that answers for its key was
//! removed.

use std::collections::BTreeMap;

use crate::layout::place::{Place, RowKey};

const LEAST: RowKey = RowKey {
    series: i64::MIN,
    place: Place {
        stored_at: i64::MIN,
        sequence: i64::MIN,
    },
};
const GREATEST: RowKey = RowKey {
    series: i64::MAX,
    place: Place::NEWEST,
};

/// What an interior page leads to.
#[derive(Default)]
pub(crate) struct Above {
    /// Each with the row that comes behind its rows.
    pub(crate) children: Vec<(u32, RowKey)>,
    pub(crate) last_child: Option<u32>,
}

/// A page in use: its own first and last row.
struct Own {
    first: RowKey,
    last: RowKey,
    above: Above,
    is_root: bool,
}

#[derive(Default)]
pub(crate) struct Reach {
    pages: BTreeMap<u32, Own>,
    /// In order, once they are known.
    stretches: Vec<(RowKey, RowKey)>,
}

impl Reach {
    pub(crate) fn add(&mut self, page: u32, own: (RowKey, RowKey), above: Above, is_root: bool) {
        let (first, last) = own;
        self.stretches.clear();
        let own = Own {
            first,
            last,
            above,
            is_root,
        };
        self.pages.insert(page, own);
    }

    /// Learns from the pages above how far each page answers for keys. Those whose pages above are lost answer for what
    /// lies between their own rows.
    pub(crate) fn settle(&mut self) {
        let mut bounds: BTreeMap<u32, (Option<RowKey>, Option<RowKey>)> = BTreeMap::new();
        let roots = self.pages.iter().filter(|(_, own)| own.is_root);
        bounds.extend(roots.map(|(page, _)| (*page, (Some(LEAST), Some(GREATEST)))));
        let mut open: Vec<u32> = bounds.keys().copied().collect();
        // Pages whose own place is not known bound their children all the same.
        open.extend(self.pages.keys());
        open.reverse();
        let mut done = std::collections::BTreeSet::new();
        while let Some(page) = open.pop() {
            let Some(own) = self.pages.get(&page).filter(|_| done.insert(page)) else {
                continue;
            };
            let (mut low, high) = bounds.get(&page).copied().unwrap_or_default();
            for (child, behind) in &own.above.children {
                bounds.insert(*child, (low, Some(*behind)));
                low = Some(*behind);
                open.push(*child);
            }
            if let Some(child) = own.above.last_child {
                bounds.insert(child, (low, high));
                open.push(child);
            }
        }
        let stretch = |(page, own): (&u32, &Own)| {
            let (low, high) = bounds.get(page).copied().unwrap_or_default();
            (low.unwrap_or(own.first), high.unwrap_or(own.last))
        };
        let leaves = self
            .pages
            .iter()
            .filter(|(_, own)| own.above.last_child.is_none());
        self.stretches = leaves.map(stretch).collect();
        self.stretches.sort_unstable();
    }

    /// Whether a page in use answers for the key.
    pub(crate) fn answers_for(&self, key: RowKey) -> bool {
        let behind = self.stretches.partition_point(|(low, _)| *low <= key);
        let before = behind.checked_sub(1).map(|index| self.stretches[index]);
        before.is_some_and(|(_, high)| key <= high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: i64) -> RowKey {
        RowKey::new(1, n, n)
    }

    #[test]
    fn a_page_answers_for_what_lies_between_the_rows_above_it() {
        let mut reach = Reach::default();
        let above = Above {
            children: vec![(2, key(20)), (3, key(40))],
            last_child: Some(4),
        };
        reach.add(1, (key(20), key(40)), above, false);
        reach.add(3, (key(25), key(30)), Above::default(), false);
        reach.add(4, (key(45), key(50)), Above::default(), false);
        reach.settle();
        let answered: Vec<_> = (0..60).filter(|n| reach.answers_for(key(*n))).collect();
        // Page 2 is lost, and nothing is known of what lies above page 1.
        assert_eq!(answered, (20..=50).collect::<Vec<_>>());

        let above = std::mem::take(&mut reach.pages.get_mut(&1).unwrap().above);
        reach.add(1, (key(20), key(40)), above, true);
        reach.settle();
        assert!(reach.answers_for(key(1_000)));
        assert!(!reach.answers_for(key(10)));
    }
}
