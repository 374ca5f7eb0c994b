#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aimdb_persistence_properties::packed::changed_is_no_panic(bytes));
