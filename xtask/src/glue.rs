//! The JavaScript glue, turned into a factory.
//!
//! wasm-bindgen's glue keeps its one instance in variables of the module, so that a page could never replace an instance
//! that has trapped. Its `no-modules` form keeps them inside one function: here that function becomes the module's default
//! export, and each call of it makes a glue of its own, whose objects can't touch another's. The text is checked on the
//! way; a wasm-bindgen that writes something else fails the build.

use std::fmt::Write;

use anyhow::{Context, Result, bail};

/// What wasm-bindgen writes before its code. `script_src` is only used for a default path, which is left out.
const HEAD: &str = "let wasm_bindgen = (function(exports) {
    let script_src;
    if (typeof document !== 'undefined' && document.currentScript !== null) {
        script_src = new URL(document.currentScript.src, location.href).toString();
    }
";
/// And behind it.
const TAIL: &str = "    return Object.assign(__wbg_init, { initSync }, exports);
})({ __proto__: null });";

const NEW_HEAD: &str = "export default function createGlue() {
    const exports = { __proto__: null };
";
const NEW_TAIL: &str = "    return Object.assign(__wbg_init, { initSync }, exports);
}
";

/// What would tie the glue to a script element or to a loader of modules.
const FORBIDDEN: [&str; 4] = ["script_src", "document.currentScript", "import.meta", "require("];

/// Makes the factory out of `wasm-bindgen --target no-modules`.
pub(crate) fn factory(no_modules: &str) -> Result<String> {
    let body = no_modules
        .trim_end()
        .strip_prefix(HEAD)
        .context("wasm-bindgen's glue begins in another way than expected")?
        .strip_suffix(TAIL)
        .context("wasm-bindgen's glue ends in another way than expected")?;
    let mut text = NEW_HEAD.to_owned();
    text.push_str(&without_doc_comments(body));
    text.push_str(NEW_TAIL);
    for word in FORBIDDEN {
        if text.contains(word) {
            bail!("wasm-bindgen's glue uses {word}, which a module can't have");
        }
    }
    Ok(text)
}

/// The types carry the same comments; a page doesn't have to load them.
fn without_doc_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.lines() {
        let bare = line.trim();
        inside |= bare.starts_with("/**");
        if !inside && !bare.is_empty() {
            kept.push_str(line);
            kept.push('\n');
        }
        inside &= !bare.ends_with("*/");
    }
    kept
}

/// Makes the factory's types out of those of `wasm-bindgen --target web`: the same declarations, with another way to load.
pub(crate) fn types(web: &str) -> Result<String> {
    let (declared, _) = web
        .split_once("export type InitInput")
        .context("wasm-bindgen's types have no InitInput to cut at")?;
    let mut text = declared.trim_end().to_owned();
    text.push_str(
        "

/**
 * One loaded, or not yet loaded, instance of the wasm module.
 */
export interface Glue {
    /**
     * Loads the instance from an address, a response, bytes or a compiled module.
     */
    (options: {
        module_or_path: string | URL | Request | Response | BufferSource | WebAssembly.Module | Promise<Response>;
    }): Promise<unknown>;
    /**
     * Loads the instance from bytes or a compiled module, at once.
     */
    initSync(options: { module: BufferSource | WebAssembly.Module }): unknown;
",
    );
    for name in declared.lines().filter_map(declared_value) {
        let _ = writeln!(text, "    readonly {name}: typeof {name};");
    }
    text.push_str(
        "}

/**
 * Makes a glue with an instance of its own; nothing is shared with one made before.
 */
export default function createGlue(): Glue;
",
    );
    Ok(text)
}

/// The name that a line of types declares, where it stands for a value at run time.
fn declared_value(line: &str) -> Option<&str> {
    let rest = ["export class ", "export function ", "export enum ", "export const "]
        .iter()
        .find_map(|keyword| line.strip_prefix(keyword))?;
    rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .next()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn generated(body: &str) -> String {
        format!("{HEAD}{body}{TAIL}\n")
    }

    #[test]
    fn the_function_becomes_the_default_export() {
        let body = "\n    /**\n     * A client.\n     */\n    class Client {\n        /** One line. */\n        hi() { return 1 /* here */; }\n    }\n";
        let text = factory(&generated(body)).unwrap();
        assert_eq!(
            text,
            "export default function createGlue() {\n    const exports = { __proto__: null };\n    class Client {\n        \
             hi() { return 1 /* here */; }\n    }\n    return Object.assign(__wbg_init, { initSync }, exports);\n}\n"
        );
    }

    #[test]
    fn an_unknown_form_fails() {
        assert!(factory("const wasm = 1;").is_err());
        assert!(factory(&generated("").replace("initSync", "init")).is_err());
        assert!(factory(&generated("").replace("let script_src", "var script_src")).is_err());
    }

    #[test]
    fn a_default_path_fails() {
        assert!(factory(&generated("fetch(script_src.replace('.js', '_bg.wasm'));")).is_err());
    }

    #[test]
    fn types_name_what_the_glue_has() {
        let web = "export interface Options {}\n\nexport class Client {\n    hi(): void;\n}\nexport function start(): void;\n\n\
                   export type InitInput = URL;\nexport function initSync(): void;\n";
        let text = types(web).unwrap();
        assert!(text.contains("    readonly Client: typeof Client;\n    readonly start: typeof start;\n}"));
        assert!(!text.contains("readonly Options") && !text.contains("InitInput"));
    }
}
