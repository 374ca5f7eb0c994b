mod runner;
mod wire;
