//! Every unit of a retention.

use aimdb_persistence::{Declared, Persist, Retention};
use serde::{Deserialize, Serialize};

macro_rules! retention {
    ($text:literal) => {{
        #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
        #[persist(key = "any", retention = $text)]
        struct Any;
        Any::DECLARATION.retention()
    }};
}

fn main() {
    let ms = |length_ms| Some(Retention::Milliseconds(length_ms));
    assert_eq!(retention!("90s"), ms(90_000));
    assert_eq!(retention!("15m"), ms(900_000));
    assert_eq!(retention!("12h"), ms(43_200_000));
    assert_eq!(retention!("7d"), ms(604_800_000));
    assert_eq!(retention!("2w"), ms(1_209_600_000));
    assert_eq!(retention!("1y"), ms(31_536_000_000));
    assert_eq!(retention!("18446744073709551s"), ms(18_446_744_073_709_551_000));
    assert_eq!(retention!("forever"), Some(Retention::Forever));
}
