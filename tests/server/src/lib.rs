//! A PostgreSQL server for tests. One is found on the machine, started on a unix socket in a temporary folder, and ended
//! with the process that started it, however that ends.
//!
//! - `AIMDB_TEST_POSTGRES`, a URL, names a server that runs already.
//! - Otherwise the programs are looked for in `PG_BINDIR`, on the `PATH`, and where Debian puts them.
//! - Where there is none, tests are skipped, with one loud line; where `CI` is set they fail.

mod programs;
mod server;

use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

pub use server::Server;

/// Where to connect to, for one test.
#[derive(Debug, Clone)]
pub struct Place {
    /// The URL of the database.
    pub url: String,
    /// A schema that no other test uses.
    pub schema: String,
}

/// A fresh schema on the server of this test binary. `None` if there is no server, which has been said.
///
/// # Panics
/// If there is no server and `CI` is set, or if a server cannot be started.
pub fn place() -> Option<Place> {
    static URL: OnceLock<Option<(String, Option<Server>)>> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let found = URL.get_or_init(|| match std::env::var("AIMDB_TEST_POSTGRES") {
        Ok(url) => Some((url, None)),
        Err(_) => {
            let server = server()?;
            Some((server.url(), Some(server)))
        }
    });
    let (url, _) = found.as_ref()?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    Some(Place {
        url: url.clone(),
        schema: format!("test_{}_{number}", std::process::id()),
    })
}

/// A server of the test's own, to be stopped and killed. `None` if there are no programs for it, which has been said.
///
/// # Panics
/// If there are none and `CI` is set, or if it cannot be started.
pub fn server() -> Option<Server> {
    static SAID: OnceLock<()> = OnceLock::new();
    let Some(programs) = programs::find() else {
        let missing =
            "there is no PostgreSQL on this machine (Debian: `apt-get install postgresql`)";
        assert!(
            std::env::var_os("CI").is_none(),
            "{missing}, and `CI` is set"
        );
        SAID.get_or_init(|| {
            // The test's own output is shown only if it fails.
            let _ = writeln!(
                std::io::stderr(),
                "\n*** SKIPPED: {missing}; the tests that need one did nothing ***\n"
            );
        });
        return None;
    };
    Some(Server::start(&programs))
}
