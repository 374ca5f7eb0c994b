//! redb and fjall, each with the key (series, time, sequence), so that a series' rows lie in order of time.
//!
//! `peer-stores redb|fjall ROWS FOLDER`

mod fjall;
mod redb;

use aimdb_persistence_workload::measure_peer;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let store = arguments.remove(0);
    match store.as_str() {
        "redb" => measure_peer::<redb::Redb>(&arguments),
        "fjall" => measure_peer::<fjall::Fjall>(&arguments),
        other => panic!("there is no peer `{other}` here: redb, fjall"),
    }
}
