//! What a length of time is for.

/// What a length of time is for: which units it may have, and how a mistake in it is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// `retention = "7d"`: how long rows are kept; seconds or longer.
    Retention,
    /// `min_interval = "10s"`: how far apart rows are at least.
    MinInterval,
    /// `max_silence = "1h"`: how far apart rows are at most.
    MaxSilence,
    /// `restore = "1h"`: how old a value may be to be restored.
    RestoreAge,
    /// `pack = "1d"`: how old rows are when they are packed; seconds or longer.
    Packing,
    /// `past("24h")`: any stretch of time in a query. A year is 365 days.
    Span,
    /// `every("15m")`: the width of buckets, all of which are equally long. Months and years are not.
    BucketWidth,
}

impl Purpose {
    /// What it is, with its article.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Retention => "a retention",
            Self::MinInterval => "an interval",
            Self::MaxSilence => "a length of silence",
            Self::RestoreAge | Self::Packing => "an age",
            Self::Span => "a length of time",
            Self::BucketWidth => "a width of buckets",
        }
    }

    /// How to begin it.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::Retention => "write how long to keep rows",
            Self::MinInterval => "write how far apart rows are at least",
            Self::MaxSilence => "write how far apart rows are at most",
            Self::RestoreAge => "write how old a value may be to be restored",
            Self::Packing => "write how old rows are when they are packed",
            Self::Span => "write how long it is",
            Self::BucketWidth => "write how long each bucket is",
        }
    }

    pub(crate) const fn example(self) -> &'static str {
        match self {
            Self::Retention => "7d",
            Self::MinInterval => "10s",
            Self::MaxSilence | Self::RestoreAge => "1h",
            Self::Packing => "1d",
            Self::Span => "24h",
            Self::BucketWidth => "15m",
        }
    }

    /// A length as a message shows it: in quotes where it is written in an attribute.
    pub(crate) fn code(self, length: &str) -> String {
        match self {
            Self::Span | Self::BucketWidth => format!("`{length}`"),
            _ => format!("`\"{length}\"`"),
        }
    }

    /// What is wrong with no time at all.
    pub(crate) const fn zero(self) -> &'static str {
        match self {
            Self::Retention => "rows would expire at once",
            Self::MinInterval => "it would leave nothing out",
            Self::MaxSilence => "every value would be stored",
            Self::RestoreAge => "no value is that new",
            Self::Packing => "rows are packed in bulk, once they are old",
            Self::Span => "no time passes in it",
            Self::BucketWidth => "buckets of no length hold no rows",
        }
    }

    /// What to write in place of `"forever"`, where that is known.
    pub(crate) const fn advice_on_forever(self) -> Option<&'static str> {
        match self {
            // The word itself, in another spelling.
            Self::Retention => Some("write `\"forever\"`, in lower case and without spaces"),
            Self::MinInterval => None,
            Self::MaxSilence => Some("it has an end; remove `max_silence` to allow any silence"),
            Self::Packing => Some("write `pack = \"never\"` to leave rows as they are"),
            Self::RestoreAge => Some("write `restore` alone to restore a value of any age"),
            Self::Span => Some("it has an end; leave the step out to ask for all time"),
            Self::BucketWidth => {
                Some("it has an end; leave `every` out for one summary of all rows")
            }
        }
    }

    /// Whether it may be unlimited.
    pub(crate) const fn takes_forever(self) -> bool {
        matches!(self, Self::Retention)
    }

    /// Whether it may be shorter than a second.
    pub(crate) const fn takes_milliseconds(self) -> bool {
        !matches!(self, Self::Retention | Self::Packing)
    }

    /// Whether a year may be taken for 365 days.
    pub(crate) const fn takes_years(self) -> bool {
        !matches!(self, Self::BucketWidth)
    }

    /// The unit that is most likely meant where none is written, and its plural.
    pub(crate) const fn likely_unit(self) -> (&'static str, &'static str) {
        match self {
            Self::Retention | Self::Packing => ("d", "days"),
            Self::MinInterval | Self::MaxSilence | Self::RestoreAge => ("s", "seconds"),
            Self::Span => ("h", "hours"),
            Self::BucketWidth => ("m", "minutes"),
        }
    }
}
