//! Values that cannot stand in a key as they are, such as IP addresses and host names.

use std::fmt::Display;

/// A value in a form that can stand for a placeholder of a key: `10.0.0.7` becomes `10%2E0%2E0%2E7`.
///
/// Separators (`.`, `:`), wildcards, braces, control characters and `%` itself are written as in URLs, by their bytes.
/// [`decode_key_value`] gives the value back. Values of other characters stay as they are.
///
/// ```
/// use aimdb_persistence::{Persist, declare::{decode_key_value, encode_key_value}};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
/// #[persist(key = "latency.{host}")]
/// struct Latency {
///     ms: f64,
/// }
///
/// assert!(Latency::try_series("gateway.example.org").is_err());
/// let series = Latency::series(encode_key_value("gateway.example.org"));
/// assert_eq!(series.key(), "latency.gateway%2Eexample%2Eorg");
/// let host = series.key().rsplit('.').next().and_then(decode_key_value);
/// assert_eq!(host.as_deref(), Some("gateway.example.org"));
/// ```
pub fn encode_key_value(value: impl Display) -> String {
    let value = value.to_string();
    let mut encoded = String::with_capacity(value.len());
    for character in value.chars() {
        if !".:*#{}%".contains(character) && !character.is_control() {
            encoded.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 15].map(hex_digit));
        }
    }
    encoded
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

/// The value that [`encode_key_value`] has made this of; `None` where it has not.
pub fn decode_key_value(encoded: &str) -> Option<String> {
    let mut parts = encoded.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(is_hex.then_some(digits)?, 16).ok()?);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use aimdb_persistence_backend::validate_placeholder_value;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_value_can_stand_in_a_key_and_comes_back(value in ".+|[.:*#{}%\u{0}\u{85}]+") {
            let encoded = encode_key_value(&value);
            prop_assert!(validate_placeholder_value(&encoded).is_ok(), "{encoded}");
            prop_assert_eq!(decode_key_value(&encoded), Some(value));
        }

        #[test]
        fn what_was_not_encoded_is_decoded_or_refused(text in ".*|[%0-9a-zé]*") {
            if let Some(decoded) = decode_key_value(&text) {
                prop_assert_eq!(decode_key_value(&encode_key_value(&decoded)), Some(decoded));
            }
        }
    }

    #[test]
    fn a_value_without_special_characters_is_itself() {
        assert_eq!(encode_key_value("sf"), "sf");
        assert_eq!(encode_key_value("Köln-7"), "Köln-7");
        assert_eq!(encode_key_value("fe80::1"), "fe80%3A%3A1");
        for broken in ["%", "%2", "%+1", "%2é", "%FF"] {
            assert_eq!(decode_key_value(broken), None, "{broken}");
        }
    }
}
