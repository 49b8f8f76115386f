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
    for name in [
        "index.js",
        "slim.js",
        "api.js",
        "client.js",
        "listening.js",
        "rooms.js",
        "upload.js",
    ] {
        let facade = fs::read_to_string(src().join("../pkg-template").join(name)).unwrap();
        assert!(facade.lines().count() <= 300, "what grows belongs into the core");
    }
}

/// What the features declare in TypeScript.
fn declared() -> String {
    let blocks = |(_, text): (PathBuf, String)| {
        let blocks = text.split("typescript!(").skip(1).filter_map(|rest| {
            let (_, rest) = rest.split_once("r#\"")?;
            Some(rest.split_once("\"#")?.0.to_owned())
        });
        blocks.collect::<Vec<_>>()
    };
    sources("im").into_iter().flat_map(blocks).collect()
}

/// The doc comment of what is declared like this in one of the interfaces of that name.
fn documented<'a>(declared: &'a str, interface: &str, member: &str) -> Option<&'a str> {
    let open = format!("export interface {interface} ");
    let bodies = declared
        .split(&open)
        .skip(1)
        .filter_map(|rest| rest.split("\n}").next());
    let mut docs = bodies.filter_map(|body| {
        let (before, _) = body.split_once(&format!("\n  {member}"))?;
        let (_, doc) = before.trim_end().strip_suffix("*/")?.rsplit_once("/**")?;
        Some(doc)
    });
    docs.next()
}

#[test]
fn each_call_and_each_feature_has_an_example() {
    let declared = declared();
    let has = |interface: &str, member: &str| {
        let doc = documented(&declared, interface, member);
        doc.unwrap_or_else(|| panic!("{interface}.{member} is declared"))
            .contains("* @example")
    };
    let mut without = Vec::new();
    for call in im::CALLS.iter().copied().flatten() {
        let (interface, name) = match call.name.split_once('.') {
            None => ("Calls", call.name),
            Some((group, name)) => {
                // What is called of a room has no group on the client.
                let of_room = (group == "room").then_some("Room");
                let declared = declared.split_once(&format!("readonly {group}: "));
                let interface = declared.map(|(_, rest)| rest.split(';').next().unwrap());
                (of_room.or(interface).expect("the group is declared"), name)
            }
        };
        if !has(interface, &format!("{name}(")) {
            without.push(call.name);
        }
    }
    assert!(without.is_empty(), "calls without an example: {without:?}");
    // Those that have no calls say by one what comes of them. The hash of what a client can comes of one of the options.
    let options = fs::read_to_string(src().join("../pkg-template/index.d.ts")).unwrap();
    for name in im::NAMES {
        let own = match *name {
            "caps" => options
                .split_once("\n  features?: ")
                .and_then(|(before, _)| Some(before.rsplit_once("/**")?.1.contains("* @example")))
                .unwrap_or_default(),
            name => sources(&format!("im/{name}"))
                .iter()
                .any(|(_, text)| text.contains("* @example")),
        };
        assert!(own, "{name} has an example");
    }
}

/// Features that no others' software need be asked for.
const WITHOUT_A_ROW: [&str; 0] = [];

#[test]
fn each_feature_meets_others_software() {
    let rows = src().join("../tests/e2e/interop/rows");
    let mut specs = Vec::new();
    for entry in fs::read_dir(rows).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for row in text.split("xep: ").skip(1) {
            let name = row.split([',', ' ']).next().unwrap();
            let value = match row.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next(),
                None => text
                    .split(&format!("const {name} = \""))
                    .nth(1)
                    .and_then(|rest| rest.split('"').next()),
            };
            specs.push(value.unwrap_or_else(|| panic!("{name} is a constant")).to_owned());
        }
    }
    let readme = fs::read_to_string(src().join("../README.md")).unwrap();
    for name in im::NAMES {
        // The specification that its row in the README names first.
        let (_, row) = readme.split_once(&format!("| `{name}` | ")).unwrap();
        let spec = row.split([',', '|', ' ']).next().unwrap().trim();
        let met = specs
            .iter()
            .any(|specs| specs.split(", ").any(|of_row| of_row.starts_with(spec)));
        assert_ne!(
            met,
            WITHOUT_A_ROW.contains(name),
            "{name} ({spec}) has a row in tests/e2e/interop/rows, or is an exception"
        );
    }
}

#[test]
fn the_guide_explains_each_error_by_its_code() {
    let read = |path: &str| fs::read_to_string(src().join(path)).unwrap();
    let core = read("error.rs");
    let row = core
        .split_once("fn row(self)")
        .unwrap()
        .1
        .split_once("\n    }\n")
        .unwrap()
        .0;
    let mut known: Vec<&str> = row
        .split("Code::")
        .skip(1)
        .map(|arm| arm.split('"').nth(1).unwrap())
        .collect();
    // What the façade alone can say: where the wasm can't be loaded, and where a file goes.
    known.extend(["load-failed", "upload-failed"]);
    known.sort_unstable();
    let types = read("../pkg-template/index.d.ts");
    let union = types.split_once("export type ErrorCode =").unwrap().1;
    let mut typed: Vec<&str> = union
        .lines()
        .filter_map(|line| line.trim().strip_prefix("| \"")?.split('"').next())
        .collect();
    typed.sort_unstable();
    assert_eq!(typed, known, "the type has those of the core");

    let guide = read("manual/guide/errors.md");
    let mut explained = Vec::new();
    for part in guide.split("\n### ").skip(1) {
        let (code, rest) = part.split_once('\n').unwrap();
        assert!(rest.contains("\n*Do:* "), "what to do about {code}");
        explained.push(code);
    }
    explained.sort_unstable();
    assert_eq!(explained, known, "and the guide has them all");
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
