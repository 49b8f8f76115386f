//! The house's own rules: layers, the list of features, the table of requirements.

use stanzawire::im;
use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first. A module imports from its own line or from one above it.
const LAYERS: [&[&str]; 6] = [
    &["decimal", "error", "given", "jid", "json", "xml", "unicode"],
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
    let is_feature =
        |line: &&str| line.starts_with("| `") && !line.starts_with("| `cargo") && !line.starts_with("| `{");
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
    for name in ["index.js", "client.js", "listening.js", "rooms.js"] {
        let facade = fs::read_to_string(src().join("../pkg-template").join(name)).unwrap();
        assert!(facade.lines().count() <= 300, "what grows belongs into the core");
    }
}

/// The clauses of RFC 7395 that ask something.
const CLAUSES: [&str; 16] = [
    "3.1", "3.2", "3.3.1", "3.3.2", "3.3.3", "3.4", "3.5", "3.6", "3.6.1", "3.7", "3.8", "3.9", "3.10", "4", "5", "6",
];

/// The tests in a source, by their names.
fn tests(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_test = |line: &str| line == "#[test]" || line == "#[wasm_bindgen_test]";
    let names = lines.windows(2).filter(|pair| is_test(pair[0])).filter_map(|pair| {
        let function = pair[1].strip_prefix("async ").unwrap_or(pair[1]).strip_prefix("fn ")?;
        function.split('(').next()
    });
    names.collect()
}

#[test]
fn each_requirement_of_rfc7395_names_the_tests_that_hold_it() {
    let root = src().join("..");
    let table = fs::read_to_string(src().join("manual/rfc7395.md")).unwrap();
    let mut named = Vec::new();
    let mut clauses = Vec::new();
    for row in table.lines().filter_map(|line| line.strip_prefix("| §")) {
        let [clause, requirement, held] = row.strip_suffix(" |").unwrap().split(" | ").collect::<Vec<_>>()[..] else {
            panic!("three columns: {row}");
        };
        assert!(!requirement.is_empty() && !held.is_empty(), "{row}");
        let prefix = format!("rfc7395_{}_", clause.replace('.', "_"));
        for (path, test) in held.split('`').filter_map(|code| code.split_once("::")) {
            let text = fs::read_to_string(root.join(path)).unwrap_or_default();
            assert!(tests(&text).contains(&test), "{path} has no test {test}");
            assert!(
                !test.starts_with("rfc7395_") || test.starts_with(&prefix),
                "§{clause}: {test}"
            );
            named.push((path.to_owned(), test.to_owned()));
        }
        clauses.push(clause);
    }
    clauses.dedup();
    assert_eq!(clauses, CLAUSES, "in their order, and none missing");

    let mut open = vec!["src".to_owned(), "tests".to_owned()];
    let mut without = Vec::new();
    while let Some(path) = open.pop() {
        if root.join(&path).is_dir() {
            let entries = fs::read_dir(root.join(&path)).unwrap();
            open.extend(entries.map(|entry| format!("{path}/{}", entry.unwrap().file_name().to_str().unwrap())));
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(root.join(&path)).unwrap();
            let of_this = tests(&text).into_iter().filter(|test| test.starts_with("rfc7395_"));
            let of_this = of_this.map(|test| (path.clone(), test.to_owned()));
            without.extend(of_this.filter(|test| !named.contains(test)));
        }
    }
    assert!(without.is_empty(), "tests without a row: {without:?}");
}
