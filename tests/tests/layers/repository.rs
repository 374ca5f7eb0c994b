//! The crates of the workspace, as they lie on the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::modules::Sources;

/// Crates in these folders are no part of the product.
const WITHOUT_LAYERS: [&str; 4] = ["benches", "examples", "fuzz", "tests"];

pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("the tests lie in the workspace").to_owned()
}

/// The sources of every crate that needs layers, by the folder that they lie in.
pub(crate) fn crates() -> BTreeMap<String, Sources> {
    let root = root();
    let mut crates = BTreeMap::new();
    for manifest in manifests(&root) {
        let folder = manifest.parent().expect("a manifest lies in a folder");
        let folder = folder
            .strip_prefix(&root)
            .expect("a crate of the workspace");
        let needs_layers = !WITHOUT_LAYERS
            .iter()
            .any(|without| folder.starts_with(without));
        let sources = root.join(folder).join("src");
        if needs_layers && sources.is_dir() {
            let mut files = Sources::new();
            read_folder(&sources, &sources, &mut files);
            crates.insert(slashed(&folder.join("src")), files);
        }
    }
    crates
}

/// The manifest of every crate of the workspace.
fn manifests(root: &Path) -> Vec<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(root.join("Cargo.toml"))
        .output()
        .expect("`cargo metadata` runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`cargo metadata` failed: {errors}");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    let manifest = |package: &Value| package["manifest_path"].as_str().map(PathBuf::from);
    packages
        .iter()
        .map(|package| manifest(package).expect("a path"))
        .collect()
}

fn read_folder(sources: &Path, folder: &Path, files: &mut Sources) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_folder(sources, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.strip_prefix(sources).expect("a file in the folder");
            let text = fs::read_to_string(&path).expect("a source file");
            files.insert(slashed(file), text);
        }
    }
}

/// A path with `/` on every system.
fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
