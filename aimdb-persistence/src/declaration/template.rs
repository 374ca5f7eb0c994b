//! Key templates as text: what stands in the places of their placeholders.

/// The values that the placeholders of a template have in a key; `None` where the template cannot have made it.
pub(crate) fn values_in<'k>(template: &str, key: &'k str) -> Option<Vec<&'k str>> {
    let mut values = Vec::new();
    let (mut template, mut key) = (template, key);
    while let Some((literal, rest)) = template.split_once('{') {
        key = key.strip_prefix(literal)?;
        let (_, behind) = rest.split_once('}')?;
        let next = behind.split('{').next().unwrap_or_default();
        let end = match next {
            "" => key.len(),
            next => key.find(next)?,
        };
        let (value, rest) = key.split_at(end);
        let is_value = !value.is_empty() && !value.contains('.') && !value.contains("::");
        values.push(is_value.then_some(value)?);
        (template, key) = (behind, rest);
    }
    (template == key).then_some(values)
}

/// The key that a template makes of these values, if they are as many as it has placeholders.
pub(crate) fn fill(template: &str, values: &[&str]) -> Option<String> {
    let mut values = values.iter();
    let mut key = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((literal, behind)) = rest.split_once('{') {
        key.push_str(literal);
        key.push_str(values.next()?);
        rest = behind.split_once('}')?.1;
    }
    key.push_str(rest);
    values.next().is_none().then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_key_are_those_that_make_it() {
        for (template, key, values) in [
            ("temperature.{station}", "temperature.sf", Some(&["sf"][..])),
            (
                "building::{floor}::door-{number}",
                "building::2::door-17",
                Some(&["2", "17"]),
            ),
            ("{a}.x-{b}-y", "1.x-2-y", Some(&["1", "2"])),
            ("literal", "literal", Some(&[])),
            ("literal", "other", None),
            ("temperature.{station}", "temperature.", None),
            ("temperature.{station}", "temperature.a.b", None),
            ("temperature.{station}", "temp.sf", None),
        ] {
            assert_eq!(
                values_in(template, key).as_deref(),
                values,
                "{template} {key}"
            );
            if let Some(values) = values {
                assert_eq!(fill(template, values).as_deref(), Some(key));
            }
        }
        assert_eq!(fill("a.{b}", &["1", "2"]), None);
        assert_eq!(fill("a.{b}.{c}", &["1"]), None);
    }
}
