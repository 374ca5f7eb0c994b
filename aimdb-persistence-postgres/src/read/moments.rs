//! The moments at which readings of several sources began.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use aimdb_persistence_backend::CursorError;

/// So many readings may be under way at the same time. A cursor holds one number, and a moment of many sources is one number
/// for each.
const MOST: usize = 1_024;

/// Of each source the sequence that its next row would get: rows with lower ones are of the moment.
pub(crate) type Moment = Arc<HashMap<i32, i64>>;

#[derive(Default)]
pub(crate) struct Moments(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    last_id: u64,
    moments: VecDeque<(u64, Moment)>,
}

impl Moments {
    /// Keeps it, and gives the number that names it.
    pub(crate) fn keep(&self, moment: &Moment) -> u64 {
        // No code that can panic runs under this lock.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last_id += 1;
        let id = kept.last_id;
        kept.moments.push_back((id, Arc::clone(moment)));
        if kept.moments.len() > MOST {
            kept.moments.pop_front();
        }
        id
    }

    pub(crate) fn named(&self, id: u64) -> Result<Moment, CursorError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = kept.moments.iter().find(|(kept, _)| *kept == id);
        let moment = moment.map(|(_, moment)| Arc::clone(moment));
        moment.ok_or_else(|| {
            CursorError::new("the reading that it belongs to is not known here any more")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_moments_are_kept_and_the_oldest_goes_first() {
        let moments = Moments::default();
        let first = moments.keep(&Arc::new(HashMap::from([(1, 5)])));
        assert_eq!(moments.named(first).unwrap()[&1], 5);
        let later: Vec<_> = (0..MOST).map(|_| moments.keep(&Arc::default())).collect();
        assert!(moments.named(first).is_err());
        assert!(later.iter().all(|id| moments.named(*id).is_ok()));
    }
}
