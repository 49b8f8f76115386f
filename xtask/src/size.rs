//! How many bytes the package costs, and the budget over which the check fails.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::build::files;

/// Bytes of one file, or of several compressed apart, as a server sends them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Size {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

/// Prints the table; fails when a budget is passed.
pub(crate) fn size(root: &Path, package: &Path) -> Result<()> {
    let of = |name: &str| -> Result<Size> {
        let content = fs::read(package.join(name)).with_context(|| format!("cannot read pkg/{name}"))?;
        measure(&content)
    };
    let sum = |names: &BTreeSet<String>| -> Result<Size> {
        names
            .iter()
            .try_fold(Size::default(), |sum, name| Ok(sum.and(of(name)?)))
    };
    let loaded = loaded_by(package, "index.js")?;
    let all = sum(&loaded)?;
    let wasm = of("stanzawire.wasm")?;
    println!("{:<34} {:>9} {:>9} {:>9}", "bytes", "raw", "gzip -9", "brotli 11");
    row("wasm (stanzawire.wasm)", wasm);
    row("wasm inlined (wasm.js)", of("wasm.js")?);
    row("glue (stanzawire.js)", of("stanzawire.js")?);
    row("façade (client.js)", of("client.js")?);
    row("what a page loads in all", all);
    row(
        "and with stanzawire/slim",
        sum(&loaded_by(package, "slim.js")?)?.and(wasm),
    );
    println!("a page loads {}", loaded.into_iter().collect::<Vec<_>>().join(", "));

    let budget = fs::read_to_string(root.join("xtask/size-budget.toml")).context("xtask/size-budget.toml")?;
    let unpacked = unpacked(package)?;
    let (total, most) = (limit(&budget, "total_brotli")?, limit(&budget, "unpacked")?);
    if unpacked > most {
        bail!(
            "the package has {unpacked} bytes, {} over the budget of {most}",
            unpacked - most
        );
    }
    println!("the package has {unpacked} bytes unpacked, of {most} that it may have");
    if all.brotli > total {
        bail!(
            "a page loads {} bytes by brotli, {} over the budget of {total}",
            all.brotli,
            all.brotli - total
        );
    }
    println!(
        "within the budget of {total} bytes by brotli, {} left",
        total - all.brotli
    );
    Ok(())
}

impl Size {
    fn and(self, other: Self) -> Self {
        Self {
            raw: self.raw + other.raw,
            gzip: self.gzip + other.gzip,
            brotli: self.brotli + other.brotli,
        }
    }
}

/// All files of the package together. npm packs no other: `files` of package.json names them.
fn unpacked(package: &Path) -> Result<usize> {
    let sizes = files(package)?
        .into_iter()
        .map(|file| fs::metadata(file).map(|data| data.len()));
    let sum: u64 = sizes.sum::<Result<u64, _>>()?;
    Ok(usize::try_from(sum)?)
}

fn row(name: &str, size: Size) {
    println!("{name:<34} {:>9} {:>9} {:>9}", size.raw, size.gzip, size.brotli);
}

fn measure(content: &[u8]) -> Result<Size> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content)?;
    let mut brotli = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*content, &mut brotli, &params)?;
    Ok(Size {
        raw: content.len(),
        gzip: gzip.finish()?.len(),
        brotli: brotli.len(),
    })
}

/// The modules that importing `entry` brings along, now or later.
fn loaded_by(package: &Path, entry: &str) -> Result<BTreeSet<String>> {
    let mut loaded = BTreeSet::new();
    let mut open = vec![entry.to_owned()];
    while let Some(name) = open.pop() {
        if loaded.contains(&name) {
            continue;
        }
        let text = fs::read_to_string(package.join(&name)).with_context(|| format!("cannot read pkg/{name}"))?;
        open.extend(imports(&text));
        loaded.insert(name);
    }
    Ok(loaded)
}

/// The relative modules that a minified module imports, statically or by `import()`.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for start in ["from\"./", "import(\"./", "import\"./"] {
        let named = text
            .split(start)
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
        found.extend(named.filter(|name| name.ends_with(".js")));
    }
    found
}

fn limit(budget: &str, name: &str) -> Result<usize> {
    let budget: toml::Table = budget.parse().context("size-budget.toml can't be read")?;
    let limit = budget.get(name).and_then(toml::Value::as_integer);
    let limit = limit.with_context(|| format!("size-budget.toml has no {name}"))?;
    usize::try_from(limit).with_context(|| format!("{name} is negative"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn imports_of_both_kinds_are_followed() {
        let text =
            "import c from\"./stanzawire.js\";const w=await import(\"./wasm.js\");import x from\"y\";import\"z\";";
        assert_eq!(imports(text), ["stanzawire.js", "wasm.js"]);
    }

    #[test]
    fn what_repeats_compresses() {
        let size = measure(&[b'a'; 10_000]).unwrap();
        assert!(size.raw == 10_000 && size.gzip < 100 && size.brotli < 100);
    }

    #[test]
    fn a_budget_must_say_its_total() {
        assert_eq!(
            limit("# bytes\ntotal_brotli = 60_000\n", "total_brotli").unwrap(),
            60_000
        );
        assert!(limit("", "unpacked").is_err() && limit("unpacked = -1", "unpacked").is_err());
    }
}
