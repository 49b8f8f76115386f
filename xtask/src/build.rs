//! The npm package: compile, bind, shrink, put together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::tools::{Tools, hex};
use crate::{glue, process, weave};

/// What the compiler may use for this target; wasm-opt has to be told.
const FEATURES: [&str; 8] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// What a finished package has beside what `pkg-template/` brings.
const GENERATED: [&str; 7] = [
    "stanzawire.js",
    "stanzawire.d.ts",
    "features.d.ts",
    "stanzawire_bg.wasm",
    "wasm.js",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];

/// What `pkg-template/` must bring.
const HANDWRITTEN: [&str; 7] = [
    "package.json",
    "index.js",
    "client.js",
    "listening.js",
    "rooms.js",
    "index.d.ts",
    "README.md",
];

/// Makes `pkg/`, unless it is there and nothing that goes into it has changed.
pub(crate) fn build(root: &Path, tools: &Tools) -> Result<PathBuf> {
    let package = root.join("pkg");
    let stamp = root.join("target/xtask/pkg.inputs");
    let inputs = fingerprint(root, tools)?;
    if fs::read_to_string(&stamp).is_ok_and(|old| old == inputs) && is_whole(&package) {
        eprintln!("build: pkg/ is up to date");
        return Ok(package);
    }
    for name in HANDWRITTEN {
        if !root.join("pkg-template").join(name).is_file() {
            bail!("pkg-template/{name} is missing");
        }
    }
    // On the file system of the checkout, so that the finished package can be moved into place.
    fs::create_dir_all(root.join("target/xtask"))?;
    let work = tempfile::tempdir_in(root.join("target/xtask"))?;
    eprintln!("build: compiling the release wasm");
    let compiled = compile(root)?;
    eprintln!("build: wasm-bindgen");
    let (bound, types) = (work.path().join("bound"), work.path().join("types"));
    bind(tools, &compiled, &bound, "no-modules")?;
    bind(tools, &compiled, &types, "web")?;
    let glue = glue::factory(&read(&bound.join("stanzawire.js"))?)?;
    let (features, types) = glue::types(&read(&types.join("stanzawire.d.ts"))?)?;
    eprintln!("build: wasm-opt and terser");
    let small = work.path().join("small.wasm");
    let names = shrink(tools, &bound.join("stanzawire_bg.wasm"), &small)?;
    let glue = glue::rename(&glue, &names)?;
    let wasm = fs::read(&small).context("wasm-opt wrote nothing")?;

    let new = work.path().join("pkg");
    copy_folder(&root.join("pkg-template"), &new)?;
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        fs::copy(root.join(name), new.join(name)).with_context(|| format!("{name} is missing"))?;
    }
    write(&new.join("stanzawire.js"), glue.as_bytes())?;
    write(&new.join("stanzawire.d.ts"), types.as_bytes())?;
    write(&new.join("features.d.ts"), features.as_bytes())?;
    write(&new.join("stanzawire_bg.wasm"), &wasm)?;
    let carrier = new.join("wasm.js");
    write(&carrier, weave::UNWEAVE.as_bytes())?;
    minify(tools, &carrier)?;
    write(&carrier, inlined(&read(&carrier)?, &weave::weave(&wasm)?).as_bytes())?;
    check_carried(&carrier, &wasm)?;
    let manifest = versioned(&read(&new.join("package.json"))?, env!("CARGO_PKG_VERSION"))?;
    write(&new.join("package.json"), manifest.as_bytes())?;
    for name in ["stanzawire.js", "index.js", "client.js", "listening.js", "rooms.js"] {
        minify(tools, &new.join(name))?;
    }
    check_syntax(&new)?;

    if package.exists() {
        fs::remove_dir_all(&package).context("cannot remove the old pkg/")?;
    }
    fs::rename(&new, &package).context("cannot move the new package to pkg/")?;
    write(&stamp, inputs.as_bytes())?;
    eprintln!("build: pkg/ is ready");
    Ok(package)
}

/// What `rustc` is told for the package alone. A panic traps at once: its message would be made by code that is a tenth
/// of the wasm, and a trap is told to the app as `internal` in any case.
/// `sha2` unrolls its rounds unless it is told otherwise.
const RUSTFLAGS: &str = "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none \
                         --cfg sha2_backend_soft=\"compact\"";

/// And `cargo`: the standard library is compiled with it, small and without those messages as well.
const BUILD_STD: [&str; 2] = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/// Compiles the library and says where the wasm is.
///
/// The flags are unstable ones. `RUSTC_BOOTSTRAP` lets the stable compiler take them, so that the package is made by the
/// compiler that the tests run on, and not by some nightly. The one crate type is asked for because cargo optimises across
/// crates only where nothing but the wasm is made: with the rlib of the manifest beside it, it would leave that out, silently.
fn compile(root: &Path) -> Result<PathBuf> {
    let mut command = Command::new("cargo");
    command
        .current_dir(root)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", RUSTFLAGS)
        .env("CARGO_TARGET_DIR", root.join("target/package"))
        .args([
            "rustc",
            "--release",
            "--lib",
            "--package",
            "stanzawire",
            "--crate-type",
            "cdylib",
        ])
        .args(BUILD_STD);
    command.args([
        "--target",
        "wasm32-unknown-unknown",
        "--message-format",
        "json-render-diagnostics",
    ]);
    command.stderr(Stdio::inherit());
    let messages = process::output(&mut command)?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message.pointer("/target/name").is_some_and(|name| name == "stanzawire"))
        .filter_map(|message| message.get("filenames")?.as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| file.extension().is_some_and(|kind| kind == "wasm"))
        .context("cargo built no wasm: is the library a cdylib?")
}

fn bind(tools: &Tools, wasm: &Path, into: &Path, target: &str) -> Result<()> {
    let mut command = Command::new(tools.program(&tools.wasm_bindgen()?));
    command.args([
        "--target",
        target,
        "--omit-default-module-path",
        "--out-name",
        "stanzawire",
    ]);
    command.args(["--remove-producers-section", "--out-dir"]);
    process::run(command.arg(into).arg(wasm))
}

/// Returns which names it has replaced by shorter ones, for the glue.
fn shrink(tools: &Tools, from: &Path, to: &Path) -> Result<String> {
    let mut command = Command::new(tools.npm_program("wasm-opt"));
    command
        .args(FEATURES)
        // No data lies below 1024: there the stack ends. So an offset up to that can be added by the load itself.
        .arg("--low-memory-unused")
        // Control flow is laid out anew first, with fewer branches than the compiler makes; the second time over finds a
        // little more. By name, functions stand beside others of their kind, which brotli likes.
        .args(["--flatten", "--rereloop", "-Oz", "-Oz"])
        .args(["--reorder-functions-by-name", "--optimize-added-constants-propagate"])
        .args(["--strip-debug", "--strip-producers", "--strip-target-features"])
        // A function used once is larger inlined, after compression: its variables get longer numbers.
        .arg("--one-caller-inline-max-function-size=0")
        .arg("--minify-imports-and-exports-and-modules");
    process::output(command.arg(from).arg("-o").arg(to))
}

/// Makes a module small in its place. What an app can see keeps its name: exports, properties, classes.
fn minify(tools: &Tools, module: &Path) -> Result<()> {
    let mut command = Command::new(tools.npm_program("terser"));
    command.args(["--module", "--compress", "passes=3", "--mangle", "--keep-classnames"]);
    process::run(command.arg("--output").arg(module).arg("--").arg(module))
}

/// The wasm as a module of its own, which loads under every bundler and loader with no asset to be found. It exports streams
/// of bytes, and behind them how to make the wasm of them.
fn inlined(unweave: &str, streams: &[Vec<u8>]) -> String {
    let streams: Vec<String> = streams.iter().map(|stream| literal(stream)).collect();
    format!("export default [{}];\n{unweave}", streams.join(","))
}

/// A string of one character a byte: the byte, exclusive or 64. Zero, the most frequent byte, is `@` then and not an escape.
///
/// After brotli that is about 2 % more than the plain bytes, where base64, whose groups of six bits hide what repeats, is
/// 40 % more. A module's text is always read as UTF-8; a bundler that makes a classic script of it may leave that to the
/// page, which is why the façade looks for characters that are no bytes.
fn literal(stream: &[u8]) -> String {
    let mut text = String::with_capacity(stream.len() * 3 / 2);
    text.push('"');
    let mut bytes = stream.iter().map(|byte| byte ^ 64).peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            // What ends a line or a string literal, and what tools take for the mark of a binary file. `\0` before a digit
            // would be an octal escape.
            0 if bytes.peek().is_some_and(u8::is_ascii_digit) => text.push_str("\\x00"),
            0 => text.push_str("\\0"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            _ => text.push(char::from(byte)),
        }
    }
    text.push('"');
    text
}

/// Lets Node make the wasm again, as a page will.
fn check_carried(carrier: &Path, wasm: &[u8]) -> Result<()> {
    let script = "import(process.argv[1]).then(async (m) => {
        const { createHash } = await import('node:crypto');
        console.log(createHash('sha256').update(m.unweave(m.default)).digest('hex'));
    })";
    let said = process::output(Command::new("node").args(["-e", script]).arg(carrier))?;
    if said.trim() != hex(&Sha256::digest(wasm), 32) {
        bail!("wasm.js does not give back the wasm");
    }
    Ok(())
}

/// `package.json` with the version that Cargo.toml says.
fn versioned(manifest: &str, version: &str) -> Result<String> {
    let mut manifest: serde_json::Value = serde_json::from_str(manifest).context("pkg-template/package.json")?;
    let fields = manifest
        .as_object_mut()
        .context("pkg-template/package.json isn't an object")?;
    fields.insert("version".to_owned(), version.into());
    let mut text = serde_json::to_string_pretty(&manifest)?;
    text.push('\n');
    Ok(text)
}

/// Lets Node parse the modules: a slip in one is told here, not by a blank page.
fn check_syntax(package: &Path) -> Result<()> {
    for file in files(package)? {
        if file.extension().is_some_and(|kind| kind == "js") {
            process::run(Command::new("node").arg("--check").arg(&file))?;
        }
    }
    Ok(())
}

fn is_whole(package: &Path) -> bool {
    GENERATED
        .iter()
        .chain(&HANDWRITTEN)
        .all(|name| package.join(name).is_file())
}

/// A hash of all that goes into the package: sources, template, tools, and this program's own part.
fn fingerprint(root: &Path, tools: &Tools) -> Result<String> {
    let mut inputs = Vec::new();
    for folder in ["src", "pkg-template", ".cargo"] {
        inputs.extend(files(&root.join(folder))?);
    }
    for name in ["Cargo.toml", "Cargo.lock", "LICENSE-MIT", "LICENSE-APACHE"] {
        inputs.push(root.join(name));
    }
    for name in ["build.rs", "glue.rs", "weave.rs", "unweave.js"] {
        inputs.push(root.join("xtask/src").join(name));
    }
    let mut hash = Sha256::new();
    hash.update(tools.build_key()?);
    hash.update(process::output(
        Command::new("rustc").current_dir(root).arg("--version"),
    )?);
    for file in inputs {
        hash.update(file.strip_prefix(root).unwrap_or(&file).to_string_lossy().as_bytes());
        // A file that isn't there is told when it is needed.
        let content = fs::read(&file).unwrap_or_default();
        hash.update(content.len().to_le_bytes());
        hash.update(&content);
    }
    Ok(hex(&hash.finalize(), 32))
}

/// All files below `folder`, in one fixed order.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        entries.push(entry?.path());
    }
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            found.extend(files(&entry)?);
        } else {
            found.push(entry);
        }
    }
    Ok(found)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for file in files(from)? {
        let copy = to.join(file.strip_prefix(from)?);
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, &copy).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_set_and_the_order_kept() {
        let text = versioned("{\"name\": \"a\", \"version\": \"0.0.0\", \"exports\": {}}", "1.2.3").unwrap();
        assert_eq!(
            text,
            "{\n  \"name\": \"a\",\n  \"version\": \"1.2.3\",\n  \"exports\": {}\n}\n"
        );
    }

    #[test]
    fn every_byte_comes_back() {
        // The last two become a NUL and a digit.
        let bytes: Vec<u8> = (0..=255).chain([64, b'1' ^ 64]).collect();
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("wasm.mjs");
        fs::write(&module, inlined("", std::slice::from_ref(&bytes))).unwrap();
        let script = "import(process.argv[1]).then((m) => console.log(Buffer.from(m.default[0], 'latin1').map((b) => b ^ 64).toString('hex')))";
        let said = process::output(Command::new("node").args(["-e", script]).arg(&module)).unwrap();
        assert_eq!(said.trim(), hex(&bytes, bytes.len()));
    }

    #[test]
    fn every_instruction_comes_back() {
        let mut code = vec![0x02, 0x40, 0x03, 0x7f, 0x41, 0x80, 0x7f, 0x0c, 0x01, 0x0b, 0x0b];
        code.extend([
            0x20, 0x81, 0x01, 0x0e, 0x02, 0x00, 0x01, 0x00, 0x28, 0x02, 0x90, 0x03, 0x42, 0xff, 0xff, 0x00,
        ]);
        code.extend([
            0x44, 0x0b, 1, 2, 3, 4, 5, 6, 7, 0xfc, 0x0a, 0, 0, 0xfc, 0x0b, 0, 0xfc, 0x07, 0x10, 0x85, 0x01,
        ]);
        code.extend([0x11, 0x03, 0x00, 0xd0, 0x6f, 0x1a, 0x0b]);
        // One group of locals; so long that its size takes two bytes.
        let mut body = vec![0x01, 0x05, 0x7f];
        body.extend([0x01; 200]);
        body.extend(code);
        let mut section = vec![0x01, (body.len() & 127) as u8 | 128, (body.len() >> 7) as u8];
        section.extend(body);
        let mut wasm = b"\0asm\x01\0\0\0\x00\x02\x01a".to_vec();
        wasm.extend([0x0a, (section.len() & 127) as u8 | 128, (section.len() >> 7) as u8]);
        wasm.extend(&section);
        wasm.extend(b"\x0b\x01\0");

        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("wasm.mjs");
        fs::write(&module, inlined(weave::UNWEAVE, &weave::weave(&wasm).unwrap())).unwrap();
        check_carried(&module, &wasm).unwrap();
        assert!(check_carried(&module, b"other").is_err());
        wasm.truncate(40);
        assert!(weave::weave(&wasm).is_err());
    }
}
