//! "Did you mean": the nearest of the words that are known.

use strsim::osa_distance;

/// Words of other systems, each with our word for the same.
const SYNONYMS: [(&str, &str); 53] = [
    ("capacity", "buffer"),
    ("changed", "on_change"),
    ("conflict", "on_duplicate"),
    ("deadzone", "deadband"),
    ("debounce", "min_interval"),
    ("dedup", "on_change"),
    ("deduplicate", "on_change"),
    ("delta", "deadband"),
    ("distinct", "on_change"),
    ("duplicates", "on_duplicate"),
    ("earliest", "first"),
    ("epsilon", "deadband"),
    ("event_time", "timestamp"),
    ("every", "min_interval"),
    ("exclude", "ignore"),
    ("expire", "retention"),
    ("heartbeat", "max_silence"),
    ("hysteresis", "deadband"),
    ("interval", "min_interval"),
    ("keep_for", "retention"),
    ("keep_rows", "keep_last"),
    ("latest", "last"),
    ("library", "crate"),
    ("limit", "max_rows"),
    ("max_age", "retention"),
    ("max_interval", "max_silence"),
    ("measure", "unit"),
    ("min_rows", "keep_last"),
    ("name", "key"),
    ("newest", "last"),
    ("oldest", "first"),
    ("only_changes", "on_change"),
    ("overwrite", "replace"),
    ("path", "key"),
    ("rate_limit", "min_interval"),
    ("record", "key"),
    ("ring", "buffer"),
    ("sample", "min_interval"),
    ("schema", "version"),
    ("schema_version", "version"),
    ("template", "key"),
    ("threshold", "deadband"),
    ("throttle", "min_interval"),
    ("time", "timestamp"),
    ("tolerance", "deadband"),
    ("topic", "key"),
    ("ts", "timestamp"),
    ("ttl", "retention"),
    ("units", "unit"),
    ("unless_changed", "on_change"),
    ("update", "replace"),
    ("upgrade", "migrate"),
    ("upsert", "replace"),
];

/// The attributes of serde that decide what is stored.
const OF_SERDE: [&str; 14] = [
    "alias",
    "default",
    "flatten",
    "rename",
    "rename_all",
    "rename_all_fields",
    "skip",
    "skip_deserializing",
    "skip_serializing",
    "skip_serializing_if",
    "tag",
    "transparent",
    "untagged",
    "with",
];

/// Whether a word is one of serde's attributes.
pub(crate) fn is_of_serde(word: &str) -> bool {
    OF_SERDE.contains(&word)
}

/// The candidate that means the same as `word`, or else the one that is nearest to it, if it is near enough.
pub(crate) fn meant<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == word);
    synonym
        .and_then(|(_, meant)| candidates.iter().copied().find(|known| known == meant))
        .or_else(|| nearest(word, candidates))
}

/// The candidate that is nearest to `word`, if it is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    // Two neighbours in the wrong order are one mistake.
    let is_near = |candidate: &str| {
        // `retention_days`: the word that is meant, and more.
        word.starts_with(candidate) || osa_distance(&word, candidate) <= candidate.len().div_ceil(3)
    };
    candidates
        .iter()
        .copied()
        .filter(|candidate| is_near(candidate))
        .min_by_key(|candidate| osa_distance(&word, candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["key", "retention", "buffer", "crate"];

    #[test]
    fn a_misspelt_word_finds_its_neighbour() {
        for (word, meant) in [
            ("retentoin", "retention"),
            ("Retention", "retention"),
            ("keys", "key"),
            ("kye", "key"),
            ("bufer", "buffer"),
            ("retention_days", "retention"),
        ] {
            assert_eq!(nearest(word, &KNOWN), Some(meant), "{word}");
        }
    }

    #[test]
    fn a_word_of_others_finds_ours_where_it_may_stand() {
        assert_eq!(meant("ttl", &KNOWN), Some("retention"));
        assert_eq!(meant("keys", &KNOWN), Some("key"));
        assert_eq!(meant("ttl", &["timestamp"]), None);
    }

    #[test]
    fn a_word_unlike_any_other_has_no_neighbour() {
        for word in ["timestamp", "skip", "", "größe"] {
            assert_eq!(nearest(word, &KNOWN), None, "{word}");
        }
    }
}
