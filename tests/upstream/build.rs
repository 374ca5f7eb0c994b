//! Finds the tests of the published `aimdb-persistence` 0.1.1 where cargo keeps its source. They are compiled from there, unchanged.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=published/Cargo.toml");
    let source = source_of("published/Cargo.toml", "aimdb-persistence");
    let tests = source.join("tests").join("query_skip_invalid.rs");
    let module = format!("#[path = {tests:?}]\nmod query_skip_invalid;\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("published_tests.rs"), module).expect("the build's folder can be written to");
}

/// The folder of a package that this manifest depends on; cargo downloads it if need be.
fn source_of(manifest: &str, package: &str) -> PathBuf {
    let cargo = env::var_os("CARGO").expect("cargo sets it");
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--manifest-path", manifest])
        .output()
        .expect("cargo can be run");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let found = packages.iter().find(|found| found["name"] == package);
    let manifest = found.and_then(|found| found["manifest_path"].as_str());
    let manifest = Path::new(manifest.expect("the manifest depends on it"));
    manifest.parent().expect("a manifest lies in a folder").to_owned()
}
