//! Links between documents, and from them to the code.

use std::path::Path;

use crate::{documents, read, root};

/// The targets of the links that lead into this repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets
        .filter(|target| !target.contains("://") && !target.contains(char::is_whitespace))
        .collect()
}

/// What the web site makes of a heading: `### `Run<T>`` becomes `runt`.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let letters = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        });
        kept.collect()
    };
    headings.map(letters).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut checked = 0;
    for document in documents() {
        let text = read(&document);
        let folder = Path::new(&document).parent().expect("documents are files");
        for link in links(&text) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => document.clone(),
                path => folder.join(path).to_str().expect("UTF-8").to_owned(),
            };
            assert!(
                root().join(&target).exists(),
                "{document} links to {link}, where nothing is"
            );
            let leads_to_a_heading =
                anchor.is_empty() || anchors(&read(&target)).contains(&anchor.to_owned());
            assert!(
                leads_to_a_heading,
                "{document} links to {link}, and there is no such heading"
            );
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} links were found");
}
