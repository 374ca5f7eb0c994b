//! The time between a row of a series and the next one.

/// From a row that holds a value to the row after it, or to the end of what is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch<V> {
    /// The time of the row, in Unix milliseconds.
    pub from_ms: u64,
    /// What it holds.
    pub value: V,
    /// The time of the row after it, or the end of what is asked for.
    pub until_ms: u64,
    /// What the row after it holds, where there is one that does.
    pub next: Option<V>,
}

/// Two times, of which the second is the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The earlier one.
    pub start_ms: u64,
    /// The later one.
    pub end_ms: u64,
}

impl Window {
    /// All of time.
    pub const ALL: Self = Self {
        start_ms: 0,
        end_ms: u64::MAX,
    };

    /// How long it is.
    pub fn length_ms(self) -> u64 {
        self.end_ms.saturating_sub(self.start_ms)
    }

    /// What lies in both.
    pub fn within(self, other: Self) -> Self {
        Self {
            start_ms: self.start_ms.max(other.start_ms),
            end_ms: self.end_ms.min(other.end_ms),
        }
    }
}

impl<V> Stretch<V> {
    /// When the value holds: until the next row, and for so long at most.
    pub fn held(&self, holds_ms: u64) -> Window {
        Window {
            start_ms: self.from_ms,
            end_ms: self.until_ms.min(self.from_ms.saturating_add(holds_ms)),
        }
    }

    /// When it lies on a straight line to the next value: all the time, unless it ceases to hold before.
    pub fn line(&self, holds_ms: u64) -> Option<Window> {
        let length_ms = self.until_ms.saturating_sub(self.from_ms);
        let is_drawn = self.next.is_some() && length_ms <= holds_ms;
        is_drawn.then_some(Window {
            start_ms: self.from_ms,
            end_ms: self.until_ms,
        })
    }
}
