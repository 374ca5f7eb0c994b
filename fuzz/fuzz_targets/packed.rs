#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aimdb_persistence_properties::packed::comes_back(bytes));
