//! The JavaScript glue, turned into a factory.
//!
//! wasm-bindgen's glue keeps its one instance in variables of the module, so that a page could never replace an instance
//! that has trapped. Its `no-modules` form keeps them inside one function: here that function becomes the module's default
//! export, and each call of it makes a glue of its own, whose objects can't touch another's. Its loader, of which the
//! façade would need a tenth, is replaced by that tenth, and the names by which glue and wasm know each other, each with
//! a hash, by short ones. The text is checked on the way; a wasm-bindgen that writes something else fails the build.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// What wasm-bindgen writes before its code. `script_src` is only used for a default path, which is left out.
const HEAD: &str = "let wasm_bindgen = (function(exports) {
    let script_src;
    if (typeof document !== 'undefined' && document.currentScript !== null) {
        script_src = new URL(document.currentScript.src, location.href).toString();
    }
";
/// Where its loader begins, which knows addresses, responses, bytes and a cache of its own.
const LOADER: &str = "    let wasmModule, wasmInstance, wasm;
    function __wbg_finalize_init(instance, module) {
        wasmInstance = instance;
        wasm = instance.exports;
        wasmModule = module;
        cachedDataViewMemory0 = null;
        cachedUint8ArrayMemory0 = null;
        wasm.__wbindgen_start();
        return wasm;
    }
";
/// What it writes behind its code.
const TAIL: &str = "    return Object.assign(__wbg_init, { initSync }, exports);
})({ __proto__: null });";

const NEW_HEAD: &str = "export default async function createGlue(module) {
    const exports = { __proto__: null };
";
const NEW_TAIL: &str = "    const { exports: wasm } = await WebAssembly.instantiate(module, __wbg_get_imports());
    wasm.__wbindgen_start();
    return exports;
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
    let (body, _) = body
        .split_once(LOADER)
        .context("wasm-bindgen's glue loads in another way than expected")?;
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

/// The names between glue and wasm that wasm-opt has replaced in the wasm, as it tells them.
#[derive(Deserialize)]
struct Names {
    /// Module, name, new name. The new module is always `a`.
    imports: Vec<[String; 3]>,
    /// Name, new name.
    exports: Vec<[String; 2]>,
}

/// Puts the new names of a wasm's imports and exports into its glue.
pub(crate) fn rename(glue: &str, names: &str) -> Result<String> {
    let names: Names =
        serde_json::from_str(names).context("wasm-opt told the new names in another way than expected")?;
    let mut text = glue.to_owned();
    let mut replace = |old: String, new: String| {
        if text.matches(&old).count() != 1 {
            bail!("the glue has not one `{old}`");
        }
        text = text.replace(&old, &new);
        Ok(())
    };
    for [_, name, new] in &names.imports {
        replace(
            format!("\n            {name}: function("),
            format!("\n            {new}: function("),
        )?;
    }
    replace("\"./stanzawire_bg.js\": import0".to_owned(), "a: import0".to_owned())?;

    let mut renamed = String::with_capacity(text.len());
    let mut pieces = text.split("wasm.");
    renamed.extend(pieces.next());
    for piece in pieces {
        let end = piece.find(|c: char| !is_name(c)).unwrap_or(piece.len());
        let (name, rest) = piece.split_at(end);
        let known = names.exports.iter().find(|[old, _]| old == name);
        let [_, new] = known.with_context(|| format!("the wasm exports no `{name}`"))?;
        let _ = write!(renamed, "wasm.{new}{rest}");
    }
    Ok(renamed)
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

/// What the features' declarations, which stand first, need of the package's other types.
const FEATURES_HEAD: &str =
    "import type { CallOptions, Client, Events, ListenerOptions, XmlElement, XmppError } from \"./index.js\";

";

/// The features' declarations, and the factory's types, out of those of `wasm-bindgen --target web`: the same declarations, with
/// another way to load.
pub(crate) fn types(web: &str) -> Result<(String, String)> {
    let (declared, _) = web
        .split_once("export type InitInput")
        .context("wasm-bindgen's types have no InitInput to cut at")?;
    // Classes, where there are any that have types, stand behind them.
    let classes = declared.find("export class ").unwrap_or(declared.len());
    let (features, declared) = declared.split_at(classes);
    // In front of them it says that no linter need look at it.
    let features = features.split_once("\n\n").map_or(features, |(_, features)| features);
    let features = [FEATURES_HEAD, features.trim_end(), "\n"].concat();
    let mut text = declared.trim_end().to_owned();
    text.push_str(
        "

/**
 * One instance of the wasm module.
 */
export interface Glue {
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
export default function createGlue(module: WebAssembly.Module): Promise<Glue>;
",
    );
    Ok((features, text))
}

/// The name that a line of types declares, where it stands for a value at run time.
fn declared_value(line: &str) -> Option<&str> {
    let rest = ["export class ", "export function ", "export enum ", "export const "]
        .iter()
        .find_map(|keyword| line.strip_prefix(keyword))?;
    rest.split(|c: char| !is_name(c)).next()
}

/// Whether a name of JavaScript's may have the character.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn generated(body: &str) -> String {
        format!("{HEAD}{body}{LOADER}    async function __wbg_init() {{}}\n{TAIL}\n")
    }

    #[test]
    fn the_function_becomes_the_default_export() {
        let body = "\n    /**\n     * A client.\n     */\n    class Client {\n        /** One line. */\n        hi() { return 1 /* here */; }\n    }\n";
        let text = factory(&generated(body)).unwrap();
        let expected = "    class Client {\n        hi() { return 1 /* here */; }\n    }\n";
        assert_eq!(text, format!("{NEW_HEAD}{expected}{NEW_TAIL}"));
    }

    #[test]
    fn the_wasm_and_its_glue_agree_on_names() {
        let glue = "        const import0 = {\n            __wbg_now_e0: function() {\n            },\n        };\n        return \
                    { \"./stanzawire_bg.js\": import0 };\n    wasm.start(wasm.memory.buffer);\n";
        let names = r#"{"imports": [["./stanzawire_bg.js", "__wbg_now_e0", "$"]], "exports": [["memory", "a"], ["start", "b"]]}"#;
        let text = rename(glue, names).unwrap();
        assert!(text.contains("\n            $: function() {") && text.contains("{ a: import0 }"));
        assert!(text.contains("wasm.b(wasm.a.buffer)"));
        assert!(rename(&glue.replace("__wbg_now", "__wbg_then"), names).is_err());
        assert!(rename(&glue.replace("wasm.start", "wasm.begin"), names).is_err());
        assert!(rename(glue, "").is_err());
    }

    #[test]
    fn an_unknown_form_fails() {
        assert!(factory("const wasm = 1;").is_err());
        assert!(factory(&generated("").replace("initSync", "init")).is_err());
        assert!(factory(&generated("").replace("wasmInstance", "instance")).is_err());
        assert!(factory(&generated("").replace("let script_src", "var script_src")).is_err());
    }

    #[test]
    fn a_default_path_fails() {
        assert!(factory(&generated("fetch(script_src.replace('.js', '_bg.wasm'));")).is_err());
    }

    #[test]
    fn types_name_what_the_glue_has() {
        let web = "/* tslint:disable */\n\nexport interface Options {}\n\nexport class Client {\n    hi(): void;\n}\nexport function start(): void;\n\n\
                   export type InitInput = URL;\nexport function initSync(): void;\n";
        let (features, text) = types(web).unwrap();
        assert!(features.ends_with("export interface Options {}\n") && !text.contains("interface Options"));
        assert!(text.contains("    readonly Client: typeof Client;\n    readonly start: typeof start;\n}"));
        assert!(!text.contains("readonly Options") && !text.contains("InitInput"));
    }
}
