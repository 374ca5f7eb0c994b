mod handle;
mod runner;
mod wire;
