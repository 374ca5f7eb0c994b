//! The process whose end the tests look at: it produces values into a history, and ends in one of several ways.
//!
//! `ending_child VERSION RUNTIME ENDING PATH`

mod version1;
#[cfg(feature = "aimdb-2")]
mod version2;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [version, runtime, ending, path] = &arguments[..] else {
        panic!("not {arguments:?}")
    };
    match version.as_str() {
        "1" => version1::program::run(runtime, ending, path),
        #[cfg(feature = "aimdb-2")]
        "2" => version2::program::run(runtime, ending, path),
        _ => panic!("no AimDB {version}"),
    }
}
