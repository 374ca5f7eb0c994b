//! Keywords as names of types, fields, variants and placeholders.

use aimdb_persistence::{Declared, Persist, declare::RowTime};
use serde::{Deserialize, Serialize};

#[allow(non_camel_case_types)]
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "{type}.{async}.{gen}")]
struct r#struct {
    #[persist(timestamp)]
    r#in: u64,
}

#[allow(non_camel_case_types)]
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "{true}")]
enum Event {
    r#match {
        #[persist(timestamp)]
        r#as: i64,
    },
}

fn main() {
    assert_eq!(r#struct::series("a", "b", "c").key(), "a.b.c");
    assert_eq!(r#struct::DECLARATION.type_name(), "struct");
    assert_eq!(r#struct::DECLARATION.template(), "{type}.{async}.{gen}");
    assert_eq!(r#struct { r#in: 7 }.event_time(), RowTime::At(7));
    assert_eq!(Event::series("a").key(), "a");
    assert_eq!(Event::r#match { r#as: 8 }.event_time(), RowTime::At(8));
}
