//! "Did you mean": the nearest of the words that are known.

/// What others call what is meant here.
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

/// Attributes of serde's that decide what is stored.
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

/// The candidate that `word` most likely was meant to be, if any means the same or is near enough.
pub(crate) fn meant<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == word);
    synonym
        .and_then(|(_, meant)| candidates.iter().copied().find(|known| known == meant))
        .or_else(|| nearest(word, candidates))
}

/// The candidate that `word` most likely was meant to be, if any is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let is_near = |candidate: &str| {
        // `retention_days`: the word that is meant, and more.
        word.starts_with(candidate) || distance(&word, candidate) <= candidate.len().div_ceil(3)
    };
    candidates
        .iter()
        .copied()
        .filter(|candidate| is_near(candidate))
        .min_by_key(|candidate| distance(&word, candidate))
}

/// How many characters must be inserted, removed, replaced or swapped with their neighbour to turn one word
/// into the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    // rows[i][j]: the distance between the first i characters of one and the first j of the other.
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    rows[0] = (0..=to.len()).collect();
    for i in 1..=from.len() {
        rows[i][0] = i;
        for j in 1..=to.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            rows[i][j] = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            let swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
            if swapped {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[from.len()][to.len()]
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
