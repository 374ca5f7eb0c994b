mod blocking;
mod handle;
mod runner;
mod wire;
