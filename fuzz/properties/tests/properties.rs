//! The stable twins of the fuzz targets: each property on random inputs, and on every input that was ever found to break it.
//!
//! `PROPTEST_CASES=100000 cargo test -p aimdb-persistence-properties` looks for longer.

use std::fs;
use std::path::Path;

use aimdb_persistence::conformance::block_on;
use aimdb_persistence::{BoxFuture, PersistenceBackend};
use aimdb_persistence_postgres::PostgresBackend;
use aimdb_persistence_properties::{opener, operations, packed, pattern, retention};
use aimdb_persistence_test_server::Place;
use proptest::prelude::*;

/// As many cases as the environment says, or else so many.
fn cases(usual: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = usual;
    }
    config.failure_persistence = None;
    config
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

/// Inputs in `fuzz/regressions/` that once broke a property.
fn regressions_hold(target: &str, holds: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../regressions")
        .join(target);
    for file in fs::read_dir(folder).expect("each target has a folder") {
        let path = file.expect("a file").path();
        println!("{}", path.display());
        holds(&fs::read(path).expect("an input"));
    }
}

#[test]
fn what_once_broke_a_property_does_not_any_more() {
    regressions_hold("pattern", pattern::holds);
    regressions_hold("pattern_text", pattern::ends);
    regressions_hold("retention", retention::holds);
    regressions_hold("opener", opener::holds);
    regressions_hold("operations", operations::holds);
    regressions_hold("packed", packed::comes_back);
    regressions_hold("packed_decoder", packed::is_no_panic);
    regressions_hold("packed_change", packed::changed_is_no_panic);
}

proptest! {
    #![proptest_config(cases(5_000))]

    #[test]
    fn a_pattern_selects_what_the_reference_selects(input in bytes(40)) {
        pattern::holds(&input);
    }

    #[test]
    fn no_text_makes_the_grammar_panic_or_keeps_it_busy(input in bytes(400)) {
        pattern::ends(&input);
    }

    #[test]
    fn a_retention_means_what_the_reference_says(input in bytes(12)) {
        retention::holds(&input);
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn rows_come_back_from_a_packed_chunk(input in bytes(400)) {
        packed::comes_back(&input);
    }

    #[test]
    fn rows_of_json_come_back_from_a_packed_chunk(
        input in prop::collection::vec(prop_oneof![12 => 0_u8..32, 1 => Just(0xff)], 0..400)
    ) {
        packed::comes_back(&input);
    }

    #[test]
    fn no_bytes_make_the_decoder_of_packed_chunks_panic(input in bytes(400)) {
        packed::is_no_panic(&input);
    }

    #[test]
    fn no_change_of_a_packed_chunk_makes_its_decoder_panic(input in bytes(400)) {
        packed::changed_is_no_panic(&input);
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn whatever_lies_in_the_files_place_is_refused_or_used_without_a_panic(input in bytes(2_000)) {
        opener::holds(&input);
    }

    #[test]
    fn sqlite_answers_like_the_backend_in_memory_whatever_is_done_to_both(input in bytes(600)) {
        operations::holds(&input);
    }
}

/// A schema of its own for each input.
struct OnAServer {
    backend: PostgresBackend,
    place: Place,
}

impl OnAServer {
    async fn open(place: &Place) -> PostgresBackend {
        let builder = PostgresBackend::builder(&place.url);
        let opened = builder.schema(&*place.schema).source("gateway").connect();
        opened.await.expect("the server is there")
    }
}

impl operations::Kept for OnAServer {
    fn backend(&self) -> &dyn PersistenceBackend {
        &self.backend
    }

    fn reopen(&mut self, _: u8) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.backend.close().await.expect("it closes");
            self.backend = Self::open(&self.place).await;
        })
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn postgresql_answers_like_the_backend_in_memory_whatever_is_done_to_both(input in bytes(600)) {
        if let Some(place) = aimdb_persistence_test_server::place() {
            let backend = block_on(OnAServer::open(&place));
            operations::holds_of(&mut OnAServer { backend, place }, &input);
        }
    }
}
