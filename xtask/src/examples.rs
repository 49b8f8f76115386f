//! The `@example`s of the package's types, made into files that can be compiled. `docs.rs` does the same for guide and readmes.
//!
//! Each is a module of its own. What it names of the package without importing it is imported; what else it leaves to the reader's mind is
//! declared in `tests/types/reader.d.ts`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Where the types are.
const TYPES: [&str; 2] = ["pkg/index.d.ts", "pkg/features.d.ts"];

/// What the package exports beside types.
const VALUES: [&str; 6] = ["connect", "createClient", "discover", "isXmppError", "register", "xml"];

/// Something that documentation shows.
#[derive(Debug, PartialEq, Eq)]
struct Example {
    /// The line that it begins at, from 1.
    line: usize,
    code: String,
}

/// Writes them into a folder of their own, and says which files they are.
pub(crate) fn write(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join("target/xtask/examples");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"));
    let types = [read(TYPES[0])?, read(TYPES[1])?];
    let names: Vec<&str> = types.iter().flat_map(|text| exported(text)).collect();
    let mut written = Vec::new();
    for (path, text) in TYPES.iter().zip(&types) {
        written.push((*path, commented(text)));
    }
    let mut files = Vec::new();
    for (path, examples) in written {
        ensure!(!examples.is_empty(), "{path} has no example");
        for example in examples {
            let name = format!("{}-{}.ts", path.replace(['/', '.'], "-"), example.line);
            let file = folder.join(name);
            fs::write(&file, example.module(path, &names))?;
            files.push(file);
        }
    }
    Ok(files)
}

impl Example {
    fn module(&self, path: &str, names: &[&str]) -> String {
        let words: Vec<&str> = self.code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let imports = |names: &[&str]| {
            let used = names.iter().filter(|name| words.contains(name) && !self.imports(name));
            used.copied().collect::<Vec<_>>().join(", ")
        };
        format!(
            "// {path}:{}\nimport {{ {} }} from \"stanzawire\";\nimport type {{ {} }} from \"stanzawire\";\n{}\nexport {{}};\n",
            self.line,
            imports(&VALUES),
            imports(names),
            self.code
        )
    }

    /// Whether it imports this itself.
    fn imports(&self, name: &str) -> bool {
        let imports = self.code.lines().filter(|line| line.starts_with("import "));
        let mut words = imports.flat_map(|line| line.split(|c: char| !c.is_alphanumeric()));
        words.any(|word| word == name)
    }
}

/// The names of the types that are exported.
fn exported(text: &str) -> Vec<&str> {
    let name = |line: &str| {
        let rest = line.strip_prefix("export ")?;
        let rest = rest.strip_prefix("interface ").or_else(|| rest.strip_prefix("type "))?;
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        Some(line.len() - rest.len()..line.len() - rest.len() + end)
    };
    let names = text.lines().filter_map(|line| line.get(name(line)?));
    let mut names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The examples in comments: from `@example` to the next tag or the end.
fn commented(text: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut open: Option<Example> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let (line, ends) = match line.strip_suffix("*/") {
            Some(line) => (line.trim_end(), true),
            None => (line, false),
        };
        let inner = line
            .strip_prefix("/**")
            .or_else(|| line.strip_prefix('*'))
            .unwrap_or(line);
        let inner = inner.strip_prefix(' ').unwrap_or(inner);
        if let Some(first) = inner.strip_prefix("@example") {
            examples.extend(open.take());
            let (line, code) = (number + 1, first.trim().to_owned());
            open = Some(Example { line, code });
        } else if inner.starts_with('@') {
            examples.extend(open.take());
        } else if let Some(example) = open.as_mut().filter(|_| !inner.is_empty() || !ends) {
            example.code.push('\n');
            example.code.push_str(inner);
        }
        if ends {
            examples.extend(open.take());
        }
    }
    examples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(line: usize, code: &str) -> Example {
        let code = code.to_owned();
        Example { line, code }
    }

    #[test]
    fn they_are_found_in_comments() {
        let text = "/** @example one(); */\nexport interface A {}\n/**\n * B.\n *\n * @example\n * if (a) {\n *   two();\n * }\n * @see C\n */\n\
                    export type B = string;\n/** @example three();\n * @example four();\n */\nfive();\n";
        let found = [
            example(1, "one();"),
            example(6, "\nif (a) {\n  two();\n}"),
            example(13, "three();"),
            example(14, "four();"),
        ];
        assert_eq!(commented(text), found);
        assert_eq!(exported(text), ["A", "B"]);
    }

    #[test]
    fn what_they_name_is_imported_once() {
        let module = example(7, "const a: A = await connect(b);").module("x.md", &["A", "B"]);
        assert!(module.starts_with(
            "// x.md:7\nimport { connect } from \"stanzawire\";\nimport type { A } from \"stanzawire\";\n"
        ));
        let module = example(1, "import { connect, xml } from \"stanzawire\";\nconnect(xml());").module("x.md", &[]);
        assert!(module.contains("import {  } from"), "{module}");
    }
}
