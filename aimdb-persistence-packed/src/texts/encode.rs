//! Writing a column of texts in the form that takes least.

use std::collections::HashMap;

use crate::bytes::put_unsigned;
use crate::ints;
use crate::texts::hex::put_hex;
use crate::texts::instant::{Instant, SUFFIXES, read_instant};
use crate::texts::pool::put_pool;

/// The first byte of a column.
pub(crate) mod form {
    pub(crate) const PLAIN: u8 = 0;
    pub(crate) const DICTIONARY: u8 = 1;
    pub(crate) const INSTANTS: u8 = 2;
    pub(crate) const HEX: u8 = 3;
}

/// Texts one behind the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextList {
    joined: String,
    ends: Vec<usize>,
}

impl TextList {
    pub(crate) fn push(&mut self, text: &str) {
        self.joined.push_str(text);
        self.ends.push(self.joined.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.joined[start..*end])
    }
}

/// Appends a column. `times` are those of the rows, where there is one text for each row.
pub(crate) fn encode(out: &mut Vec<u8>, texts: &TextList, times: Option<&[i64]>) {
    if texts.len() == 0 {
        return;
    }
    if let Some(instants) = instants(texts, times) {
        return out.extend(instants);
    }
    if let Some(dictionary) = dictionary(texts) {
        return out.extend(dictionary);
    }
    let mut plain = vec![form::PLAIN];
    put_pool(&mut plain, texts.iter());
    match put_hex(texts.iter()).filter(|hex| hex.len() < plain.len()) {
        Some(hex) => {
            out.push(form::HEX);
            out.extend(hex);
        }
        None => out.extend(plain),
    }
}

/// Once each, where they repeat.
fn dictionary(texts: &TextList) -> Option<Vec<u8>> {
    let mut codes_of = HashMap::new();
    let mut distinct = Vec::new();
    let mut codes = Vec::with_capacity(texts.len());
    for text in texts.iter() {
        let code = *codes_of.entry(text).or_insert_with(|| {
            distinct.push(text);
            distinct.len() as i64 - 1
        });
        codes.push(code);
        if distinct.len() > texts.len() / 2 + 1 {
            return None;
        }
    }
    let mut out = vec![form::DICTIONARY];
    put_unsigned(&mut out, distinct.len() as u64);
    put_pool(&mut out, distinct.into_iter());
    ints::encode(&mut out, &codes, None);
    Some(out)
}

/// As numbers, if all are times.
fn instants(texts: &TextList, times: Option<&[i64]>) -> Option<Vec<u8>> {
    let first = texts.iter().next()?;
    let suffix = SUFFIXES
        .iter()
        .position(|suffix| read_instant(first, suffix).is_some())?;
    let instants = texts
        .iter()
        .map(|text| read_instant(text, SUFFIXES[suffix]));
    let instants: Vec<_> = instants.collect::<Option<_>>()?;
    let most = instants.iter().map(|instant| instant.digits).max()?;
    let at_most = |instant: &Instant| instant.units.checked_mul(10_i64.pow(most - instant.digits));
    let units: Vec<_> = instants.iter().map(at_most).collect::<Option<_>>()?;
    let digits: Vec<_> = instants
        .iter()
        .map(|instant| i64::from(instant.digits))
        .collect();
    let mut out = vec![form::INSTANTS, suffix as u8, most as u8];
    ints::encode(&mut out, &digits, None);
    ints::encode(&mut out, &units, times);
    Some(out)
}
