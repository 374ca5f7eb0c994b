//! Every text comes back, by every form.

use proptest::prelude::*;

use crate::bytes::Input;
use crate::texts::encode::form;
use crate::texts::{TextList, TextReader, Texts, encode};

fn packed<T: AsRef<str>>(texts: &[T]) -> Vec<u8> {
    let mut list = TextList::default();
    for text in texts {
        list.push(text.as_ref());
    }
    let mut bytes = Vec::new();
    encode(&mut bytes, &list, None);
    let mut input = Input::new(&bytes, 0);
    let column = Texts::read(&mut input, &bytes, texts.len()).unwrap();
    input.end().unwrap();
    let mut reader = TextReader::new();
    for (index, text) in texts.iter().enumerate().rev() {
        let mut out = Vec::new();
        reader.put(&column, &bytes, None, index, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text.as_ref());
    }
    let beyond = reader.put(&column, &bytes, None, texts.len(), &mut Vec::new());
    assert!(beyond.is_err());
    bytes
}

#[test]
fn each_form_is_found_where_it_fits() {
    let numbered = |form: &dyn Fn(u64) -> String| (0..500).map(form).collect::<Vec<_>>();
    let mixed = |index: u64| (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for (expected, bytes_each, texts) in [
        (
            form::DICTIONARY,
            0.5,
            numbered(&|i| ["open", "closed", "Nö"][mixed(i) as usize % 3].into()),
        ),
        (
            form::INSTANTS,
            0.1,
            numbered(&|i| format!("2026-11-30T18:{:02}:{:02}.250Z", i / 60, i % 60)),
        ),
        (
            form::INSTANTS,
            0.1,
            numbered(&|i| format!("2024-02-29T0{}:{:02}:00+00:00", i / 60, i % 60)),
        ),
        (
            form::HEX,
            16.5,
            numbered(&|i| {
                let (a, b) = (mixed(i), mixed(i + 1_000));
                format!(
                    "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
                    a >> 32,
                    a & 0xffff,
                    b >> 52,
                    b & 0xffff,
                    a & 0xffff_ffff_ffff
                )
            }),
        ),
        (
            form::HEX,
            4.2,
            numbered(&|i| format!("SN-{:08X}", mixed(i) >> 32)),
        ),
        (
            form::PLAIN,
            8.0,
            numbered(&|i| format!("the pump of hall {} has begun anew", mixed(i) % 10_007)),
        ),
    ] {
        let bytes = packed(&texts);
        assert_eq!(bytes[0], expected, "{:?}", &texts[..2]);
        let each = bytes.len() as f64 / texts.len() as f64;
        assert!(each < bytes_each, "{each} bytes each: {:?}", &texts[..2]);
    }
}

#[test]
fn times_that_are_written_in_another_way_come_back_as_well() {
    for texts in [
        ["2026-11-30T18:49:16Z", "2026-11-30T18:49:16.5Z"],
        ["2026-11-30T18:49:16.123456789Z", "2026-11-30T18:49:16.12Z"],
        ["2026-02-30T18:49:16Z", "2026-11-30t18:49:16Z"],
        ["2026-11-30T24:00:00Z", "2026-11-30T23:59:60Z"],
        ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"],
        ["2026-11-30T18:49:16.Z", "é"],
        ["", "Z"],
    ] {
        packed(&texts);
    }
}

proptest! {
    #[test]
    fn any_texts_come_back(texts in prop::collection::vec("\\PC{0,12}|[0-9a-f]{4}|é[0-9A-F]", 0..60)) {
        packed(&texts);
        let repeated: Vec<_> = texts.iter().cycle().take(texts.len() * 3).collect();
        packed(&repeated);
    }

    #[test]
    fn no_bytes_are_more_than_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0_usize..5_000) {
        if let Ok(texts) = Texts::read(&mut Input::new(&bytes, 0), &bytes, count) {
            let mut reader = TextReader::new();
            for index in [0, 1, count / 2, count.saturating_sub(1)] {
                let _ = reader.put(&texts, &bytes, None, index, &mut Vec::new());
            }
        }
    }
}
