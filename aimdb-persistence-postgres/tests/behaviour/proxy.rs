//! A proxy between a backend and the server, which cuts, delays and hangs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};

/// What the proxy does to connections.
#[derive(Clone, Copy)]
pub(crate) enum Does {
    Pass,
    /// Ends each connection after a number of bytes, in either direction, that is drawn below this one.
    Cut {
        below: u64,
    },
    /// Holds every piece back for so long.
    Delay(Duration),
    /// Lets what the program says through, and nothing of what the server says. No connection is closed.
    SwallowAnswers,
    /// Lets nothing through, and closes nothing.
    Hang,
}

pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    does: Mutex<Does>,
    cuts: AtomicU64,
    connections: AtomicU64,
}

impl State {
    fn does(&self) -> Does {
        *self.does.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Before the server with this unix socket. It lives as long as the test's runtime.
    pub(crate) async fn before(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::new(State {
            does: Mutex::new(Does::Pass),
            cuts: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((program, _)) = listener.accept().await {
                tokio::spawn(forward(program, socket.clone(), Arc::clone(&shared)));
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "postgresql://postgres@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        )
    }

    /// From now on, for connections that there are as well.
    pub(crate) fn set(&self, does: Does) {
        *self
            .state
            .does
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = does;
    }

    /// How many there have been.
    pub(crate) fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn cuts(&self) -> u64 {
        self.state.cuts.load(Ordering::Relaxed)
    }
}

async fn forward(program: tokio::net::TcpStream, socket: PathBuf, state: Arc<State>) {
    let Some(server) = connect(&socket).await else {
        return;
    };
    let number = state.connections.fetch_add(1, Ordering::Relaxed);
    let mut lottery = fastrand::Rng::with_seed(number);
    let (from_program, to_program) = program.into_split();
    let (from_server, to_server) = server.into_split();
    let budgets = (lottery.u64(..), lottery.u64(..));
    tokio::select! {
        () = pipe(from_program, to_server, budgets.0, false, &state) => {}
        () = pipe(from_server, to_program, budgets.1, true, &state) => {}
    }
}

async fn connect(socket: &Path) -> Option<UnixStream> {
    UnixStream::connect(socket).await.ok()
}

/// Ends when the connection is to be closed.
async fn pipe(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    lot: u64,
    is_answer: bool,
    state: &State,
) {
    let mut buffer = vec![0; 4_096];
    let mut passed = 0;
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let mut piece = &buffer[..read];
        loop {
            match state.does() {
                Does::Hang => tokio::time::sleep(Duration::from_millis(5)).await,
                Does::SwallowAnswers if is_answer => {
                    tokio::time::sleep(Duration::from_millis(5)).await
                }
                Does::Delay(length) => {
                    tokio::time::sleep(length).await;
                    break;
                }
                Does::Cut { below } => {
                    let last = if is_answer {
                        1_500 + lot % 2_000
                    } else {
                        lot % below
                    };
                    let left = last.saturating_sub(passed);
                    if left < piece.len() as u64 {
                        piece = &piece[..left as usize];
                        // A part may arrive.
                        let _ = to.write_all(piece).await;
                        state.cuts.fetch_add(1, Ordering::Relaxed);
                        return;
                    }
                    break;
                }
                Does::Pass | Does::SwallowAnswers => break,
            }
        }
        passed += piece.len() as u64;
        if to.write_all(piece).await.is_err() {
            return;
        }
    }
}
