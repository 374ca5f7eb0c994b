//! `try_series` returns the error; `series` panics with it, at its caller.

use std::panic::{catch_unwind, set_hook};
use std::sync::Mutex;

use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature;

static PANIC: Mutex<String> = Mutex::new(String::new());

fn main() {
    for value in ["", "a.b", "a::b", "*", "#", "{x}", "a\nb"] {
        let error = Temperature::try_series(value).unwrap_err();
        assert_eq!(error.key(), value);
    }

    set_hook(Box::new(|panic| *PANIC.lock().unwrap() = panic.to_string()));
    let caller = line!() + 1;
    catch_unwind(|| Temperature::series("a.b")).unwrap_err();
    let message = PANIC.lock().unwrap().clone();
    assert!(message.contains("`a.b` is not a record key"), "{message}");
    assert!(message.contains(&format!("{}:{caller}:", file!())), "{message}");
}
