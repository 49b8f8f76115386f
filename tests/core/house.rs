//! The house's own rules: layers, the list of features, the names of errors.

use stanzawire::im;
use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first. A module imports from its own line or from one above it.
const LAYERS: [&[&str]; 6] = [
    &["decimal", "error", "jid", "json", "xml", "unicode"],
    &["stanza", "stream", "sasl"],
    &["session"],
    &["im"],
    &["engine"],
    &["web"],
];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(of: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![src().join(of), src().join(format!("{of}.rs"))];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// The modules of the crate that a source names, outside of its documentation.
fn imports(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            assert!(
                !rest.starts_with('{'),
                "one `use crate::` a module, so that this test can read it"
            );
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_');
            &rest[..end.unwrap_or(rest.len())]
        })
        .collect()
}

#[test]
fn no_module_imports_from_a_layer_above_it() {
    for (level, modules) in LAYERS.iter().enumerate() {
        let above: Vec<&str> = LAYERS[level + 1..].concat();
        for module in *modules {
            let sources = sources(module);
            assert!(!sources.is_empty(), "{module} exists");
            for (path, text) in sources {
                for import in imports(&text) {
                    assert!(!above.contains(&import), "{} imports crate::{import}", path.display());
                }
            }
        }
    }
}

#[test]
fn every_module_has_its_layer() {
    let listed = LAYERS.concat();
    for entry in fs::read_dir(src()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(matches!(name, "lib" | "manual") || listed.contains(&name), "{name}");
    }
}

#[test]
fn each_feature_has_its_file_its_tests_and_its_row() {
    let readme = fs::read_to_string(src().join("../README.md")).unwrap();
    for name in im::NAMES {
        let doc = fs::read_to_string(src().join(format!("im/{name}.rs"))).unwrap();
        let spec = doc.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == ' '));
        let spec = spec
            .map(str::trim)
            .find(|word| word.starts_with("XEP-") || word.starts_with("RFC "));
        assert!(spec.is_some(), "the doc of {name} names its spec");
        assert!(
            src().join(format!("../tests/core/{name}.rs")).exists(),
            "{name} has tests"
        );
        assert!(
            readme.contains(&format!("| `{name}` |")),
            "{name} has its row in the README's table"
        );
    }
    let is_feature = |line: &&str| line.starts_with("| `") && !line.starts_with("| `cargo");
    let rows = readme.lines().filter(is_feature).count();
    assert_eq!(rows, im::NAMES.len(), "and the table has no others");
}

#[test]
fn no_source_is_longer_than_a_reader_likes() {
    for module in LAYERS.concat() {
        for (path, text) in sources(module) {
            assert!(text.lines().count() <= 500, "{}", path.display());
        }
    }
}
