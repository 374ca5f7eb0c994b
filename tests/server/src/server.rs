//! One server, from `initdb` to its end.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// How long starting may take on a machine that is busy.
const STARTING: Duration = Duration::from_secs(60);

/// A server in a temporary folder. It ends when this is dropped, or when the process ends.
#[derive(Debug)]
pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    shell: Child,
    /// The shell ends the server when this is closed.
    open: ChildStdin,
}

/// Runs the server until standard input ends, which it does however the process that holds it ends. Removes the folder then,
/// unless it was told to keep it.
const GUARD: &str = r#"$4 "$1/postgres" -D "$2/data" -k "$2" -F -c full_page_writes=off -c listen_addresses= \
    -c max_connections=200 $3 >>"$2/log" 2>&1 </dev/null &
server=$!
told=$(cat)
kill -QUIT $server 2>/dev/null
wait $server
[ "$told" = keep ] || rm -rf "$2""#;

/// The user `secret` needs a password.
const ACCESS: &str = "local all secret scram-sha-256\nlocal all all trust\n";

impl Server {
    pub(crate) fn start(programs: &Path) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("aimdb-pg")
            .tempdir()
            .expect("a temporary folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))
            .expect("the folder is ours");
        let made = as_user(&programs.join("initdb"))
            .args([
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(folder.path().join("data"))
            .current_dir("/")
            .output()
            .expect("initdb runs");
        let told = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb failed: {told}");
        fs::write(folder.path().join("data/pg_hba.conf"), ACCESS).unwrap_or_else(|_| {
            // Its folder belongs to another user.
            let hba = folder.path().join("data/pg_hba.conf");
            let script = format!(
                "printf '{}' > '{}'",
                ACCESS.replace('\n', "\\n"),
                hba.display()
            );
            let written = as_user(Path::new("sh")).args(["-c", &script]).status();
            assert!(
                written.is_ok_and(|status| status.success()),
                "pg_hba.conf is written"
            );
        });
        let mut server = Self {
            folder,
            programs: programs.to_owned(),
            running: None,
        };
        server.run();
        server
    }

    /// The URL of its database, as the superuser.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The same for another user.
    pub fn url_of(&self, user: &str) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgresql://{user}@{socket}/postgres")
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }

    /// Starts it after it was stopped or killed.
    ///
    /// # Panics
    /// If it does not start.
    pub fn run(&mut self) {
        self.run_with("");
    }

    /// The same with further settings, such as `-c default_transaction_read_only=on`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn run_with(&mut self, settings: &str) {
        let began = Instant::now();
        loop {
            let mut shell = Command::new("sh")
                .args(["-c", GUARD, "sh"])
                .arg(&self.programs)
                .arg(self.folder.path())
                .arg(settings)
                .arg(if is_root() {
                    AS_NOBODY.join(" ")
                } else {
                    String::new()
                })
                .current_dir("/")
                .stdin(Stdio::piped())
                // The shell tells of a server that was killed.
                .stderr(Stdio::null())
                .spawn()
                .expect("a shell runs");
            let open = shell.stdin.take().expect("its input is piped");
            if self.is_up(began) {
                self.running = Some(Running { shell, open });
                return;
            }
            // After it was killed, what it has left may be in the way for a moment.
            end(shell, open);
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(
                began.elapsed() < STARTING,
                "the server does not start: {log}"
            );
        }
    }

    fn is_up(&self, began: Instant) -> bool {
        let attempt = Instant::now();
        while began.elapsed() < STARTING && attempt.elapsed() < Duration::from_secs(20) {
            if UnixStream::connect(self.socket()).is_ok() && self.accepts() {
                return true;
            }
            let is_gone = self.postmaster().is_none() && attempt.elapsed() > Duration::from_secs(2);
            if is_gone {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// The last line of its file says so.
    fn accepts(&self) -> bool {
        let status = self.read("data/postmaster.pid");
        status
            .lines()
            .last()
            .is_some_and(|line| line.trim() == "ready")
    }

    fn postmaster(&self) -> Option<u32> {
        self.read("data/postmaster.pid")
            .lines()
            .next()?
            .trim()
            .parse()
            .ok()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    /// Stops it in an orderly way, without waiting for its clients.
    pub fn stop(&mut self) {
        if let Some(Running { shell, open }) = self.running.take() {
            end(shell, open);
        }
    }

    /// Kills every process of it, as a power cut would.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill(&mut self) {
        let postmaster = self.postmaster().expect("the server runs");
        let mut all = children(postmaster);
        all.push(postmaster);
        let all = all.iter().map(u32::to_string);
        let _ = Command::new("kill")
            .arg("-KILL")
            .args(all)
            .stderr(Stdio::null())
            .status();
        self.stop();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn end(mut shell: Child, mut open: ChildStdin) {
    // If this fails, the shell has ended.
    let _ = open.write_all(b"keep");
    drop(open);
    let _ = shell.wait();
}

/// PostgreSQL refuses to run as root.
const AS_NOBODY: [&str; 4] = [
    "setpriv",
    "--reuid=nobody",
    "--regid=nogroup",
    "--clear-groups",
];

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new(AS_NOBODY[0]);
    command.args(&AS_NOBODY[1..]).arg(program);
    command
}

fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let parents = status.lines().find_map(|line| line.strip_prefix("PPid:"));
            parents.is_some_and(|pid| pid.trim() == parent.to_string())
        })
        .collect()
}
