//! Texts of one length that differ in hexadecimal digits only: UUIDs, addresses, serial numbers.

use crate::bytes::{Input, put_unsigned};
use crate::error::PackedError;
use std::ops::Range;

/// Texts of this form are no longer.
const MOST_LENGTH: usize = 256;

/// Stands in the template where a digit stands in the texts. JSON has no such byte within a text.
const DIGIT: u8 = 0;

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// Writes the texts, if they are such ones.
pub(crate) fn put_hex<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Option<Vec<u8>> {
    let mut template = texts.clone().next()?.as_bytes().to_vec();
    if template.is_empty()
        || template.len() > MOST_LENGTH
        || texts.clone().any(|text| text.len() != template.len())
    {
        return None;
    }
    for text in texts.clone() {
        for (place, byte) in template.iter_mut().zip(text.bytes()) {
            if *place != byte {
                *place = DIGIT;
            }
        }
    }
    let is_upper = [LOWER, UPPER].iter().position(|digits| {
        let mut texts = texts.clone();
        texts.all(|text| changing(&template, text).all(|byte| digits.contains(&byte)))
    })?;
    let mut out = vec![is_upper as u8];
    put_unsigned(&mut out, template.len() as u64);
    out.extend_from_slice(&template);
    let mut half = None;
    for byte in texts.flat_map(|text| changing(&template, text)) {
        let digit = (byte as char).to_digit(16)? as u8;
        match half.take() {
            Some(high) => out.push(high << 4 | digit),
            None => half = Some(digit),
        }
    }
    out.extend(half.map(|high| high << 4));
    // What stands there in all texts must be a text in itself, since it is checked apart from the digits.
    std::str::from_utf8(&template).is_ok().then_some(out)
}

/// The bytes of a text that stand where the template has a digit.
fn changing<'t>(template: &'t [u8], text: &'t str) -> impl Iterator<Item = u8> + 't {
    let places = template.iter().zip(text.bytes());
    places
        .filter(|(place, _)| **place == DIGIT)
        .map(|(_, byte)| byte)
}

/// Where such texts lie.
#[derive(Debug, Clone)]
pub(crate) struct Hex {
    digits: &'static [u8; 16],
    template: Vec<u8>,
    /// How many digits each text has.
    width: usize,
    range: Range<usize>,
}

impl Hex {
    pub(crate) fn read(input: &mut Input<'_>, count: usize) -> Result<Self, PackedError> {
        let digits = match input.byte()? {
            0 => LOWER,
            1 => UPPER,
            _ => return Err(PackedError::Damaged("there are no such digits")),
        };
        let length = input.count(MOST_LENGTH)?;
        let template = input.take(length)?.to_vec();
        if std::str::from_utf8(&template).is_err() {
            return Err(PackedError::Damaged("a text is not UTF-8"));
        }
        let width = template.iter().filter(|place| **place == DIGIT).count();
        let range = input.range(width.saturating_mul(count).div_ceil(2))?;
        Ok(Self {
            digits,
            template,
            width,
            range,
        })
    }

    pub(crate) fn put(
        &self,
        chunk: &[u8],
        index: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), PackedError> {
        let bytes = chunk.get(self.range.clone()).ok_or(PackedError::Cut)?;
        let mut at = index.saturating_mul(self.width);
        for place in &self.template {
            if *place != DIGIT {
                out.push(*place);
                continue;
            }
            let byte = *bytes.get(at / 2).ok_or(PackedError::Cut)?;
            let digit = if at.is_multiple_of(2) {
                byte >> 4
            } else {
                byte & 0xf
            };
            out.push(self.digits[usize::from(digit)]);
            at += 1;
        }
        Ok(())
    }
}
