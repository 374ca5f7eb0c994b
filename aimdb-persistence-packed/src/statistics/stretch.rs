//! The time between a row of a series and the next one.

/// From a row that holds a value to the row after it, or to the end of what is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stretch<V> {
    /// The time of the row, in Unix milliseconds.
    pub(crate) from_ms: u64,
    pub(crate) value: V,
    pub(crate) until_ms: u64,
    /// What the row after it holds, where there is one that does.
    pub(crate) next: Option<V>,
}

/// Two times, of which the second is the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start_ms: u64,
    pub(crate) end_ms: u64,
}

impl Window {
    pub(crate) const ALL: Self = Self {
        start_ms: 0,
        end_ms: u64::MAX,
    };

    pub(crate) fn length_ms(self) -> u64 {
        self.end_ms.saturating_sub(self.start_ms)
    }

    pub(crate) fn within(self, other: Self) -> Self {
        Self {
            start_ms: self.start_ms.max(other.start_ms),
            end_ms: self.end_ms.min(other.end_ms),
        }
    }
}

impl<V> Stretch<V> {
    /// When the value holds: until the next row, and for so long at most.
    pub(crate) fn held(&self, holds_ms: u64) -> Window {
        Window {
            start_ms: self.from_ms,
            end_ms: self.until_ms.min(self.from_ms.saturating_add(holds_ms)),
        }
    }

    /// When it lies on a straight line to the next value: all the time, unless it ceases to hold before.
    pub(crate) fn line(&self, holds_ms: u64) -> Option<Window> {
        let length_ms = self.until_ms.saturating_sub(self.from_ms);
        let is_drawn = self.next.is_some() && length_ms <= holds_ms;
        is_drawn.then_some(Window {
            start_ms: self.from_ms,
            end_ms: self.until_ms,
        })
    }
}
