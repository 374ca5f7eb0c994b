mod blocking;
mod handle;
mod runner;
mod tcp;
mod wire;
