//! Builds the library that writes down what a recording process asks of its file system (`src/crash/tape.c`), where it
//! can be put before that process' own C library: on Linux with glibc.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=src/crash/tape.c");
    let is = |key: &str, value: &str| env::var(key).is_ok_and(|actual| actual == value);
    let preloads = is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && is("CARGO_CFG_TARGET_POINTER_WIDTH", "64");
    if !preloads {
        return;
    }
    let library = PathBuf::from(env::var_os("OUT_DIR").expect("set by Cargo")).join("tape.so");
    let compiled = cc::Build::new()
        .get_compiler()
        .to_command()
        .args([
            "-shared",
            "-fPIC",
            "-Wall",
            "-Werror",
            "src/crash/tape.c",
            "-pthread",
            "-o",
        ])
        .arg(&library)
        .status()
        .expect("the C compiler that builds SQLite runs");
    assert!(compiled.success(), "src/crash/tape.c does not compile");
    println!("cargo:rustc-env=TAPE_LIBRARY={}", library.display());
}
