//! `series` is as visible as its type.

mod station {
    use aimdb_persistence::Persist;
    use serde::{Deserialize, Serialize};

    pub mod inner {
        use super::*;

        #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
        #[persist(key = "public")]
        pub struct Public;

        #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
        #[persist(key = "crate.{id}")]
        pub(crate) struct Crate;

        #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
        #[persist(key = "super.{id}")]
        pub(super) struct Super;

        #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
        #[persist(key = "path.{id}")]
        pub(in crate::station) struct Path;
    }

    pub fn keys() -> [String; 2] {
        [inner::Super::series(1).key(), inner::Path::series(2).key()].map(str::to_owned)
    }
}

fn main() {
    assert_eq!(station::inner::Public::series().key(), "public");
    assert_eq!(station::inner::Crate::series(1).key(), "crate.1");
    assert_eq!(station::keys(), ["super.1", "path.2"]);
}
