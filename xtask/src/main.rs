//! The project's own commands. `cargo xtask help` lists them.

mod apt;
mod build;
mod certificates;
mod control;
mod demo;
mod docs;
mod durable;
mod echo;
mod ejabberd;
mod examples;
mod faults;
mod firefox;
mod fuzz;
mod gap;
mod glue;
mod herd;
mod interop;
mod logins;
mod mischief;
mod packaging;
mod ports;
mod process;
mod prosody;
mod relay;
mod reload;
mod roundtrips;
mod scripted;
mod sends;
mod serve;
mod server;
mod setup;
mod simulate;
mod size;
mod soak;
mod sources;
mod tally;
mod test;
mod tools;
mod torture;
mod weave;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use setup::Need;

const HELP: &str = "\
cargo xtask <command>

  demo        Build the package, start Prosody with the accounts alice and bob, and serve the chat page until Ctrl-C.
      --check     instead drive the page in headless Chromium; screenshots go to target/demo/
      --no-open   don't open the browser
  test        The one check. The last line counts passed, failed and skipped; the exit status is 1 unless all is well.
      [step...]   only these: fmt, clippy, clippy-wasm, doc, core, simulate, herd, build, size, types, docs, browser,
                  demo, reload, logins, interop, roundtrips, torture, soak, packaging, fuzz
  faults      Plant each fault of xtask/faults.toml in a copy of the tree, and see the native tests, or the simulation, catch it.
      [name...]   only those whose names contain this
  fuzz        Feed the fuzz targets of tests/fuzz with bad input; what they find goes to target/fuzz/.
      [target...] only these
      --seconds N so long each, in place of 600
      --jobs N    so many at a time, in place of one a core
      --plant     instead plant the faults that are for them in a copy of the tree, and see them found
  roundtrips  Count the stream round trips of a login, by server and mechanism; fail where there are too many.
      --plant     instead build a login that waits too often into a copy, and see it fail
  simulate    Run the client against a model of a server, on a network and in pages that fail; decided by seeds alone.
      --seeds N   so many, in place of 20000, from --first S on; the first that breaks a promise is shown
      --all       go on behind it, and count the failures by kind
      --seed S    this one again; --transcript says what happens in it, --shrink leaves out what isn't needed
      --fault X   with a client that does something wrong; an unknown X lists them
  herd        Run 100,000 clients, and a server that is gone for 30 s; fail where too many try at once, or come back too
              late. Draws src/manual/herd.svg.
      --clients N so many; what is drawn is compared then, and not drawn
      --seed S    other lives
      --plant     instead plant the faults that are for it in a copy of the tree, and see them found
  interop     Try each feature with Prosody, ejabberd and slixmpp, and measure how long a page's main thread is kept by a long archive
              and by a great many contacts. Writes the table of src/manual/interop.md.
      --server NAME   prosody or ejabberd alone
      --only TEXT     only the rows whose names contain this
  torture     Send messages both ways between a page and Prosody, the same with SASL2, then ejabberd, while the connection is cut,
              reset, frozen, delayed and swallowed, the server killed and the page reloaded; fail where one is lost, doubled or
              in doubt.
      --messages N    so many each way, in place of 10,000; --rate N a second, in place of 40
      --seed N        the same mischief again
      --server NAME   prosody, prosody-sasl2 or ejabberd alone
      --plant NAME    instead plant a fault between client and socket, and see it found: ack, twice, swap, echo, deaf
      --rooms         instead have five in a room, two of them at such pages, and fail where they don't agree on who is there and what
                      was said
  soak        Send a great many messages through one page; fail where memory grows, or listeners or timers stay behind.
      --messages N    so many, in place of 1,000,000
      --plant NAME    instead plant a fault, and see it found: those of torture, and listener, timer, heap
  gap         Print how long a login keeps a page's main thread.
  sends       Print what a message costs a page's main thread, with a store and without.
  package --matrix    Install the packed package into fresh projects, one a bundler, runtime and kind of worker, build them, and exchange
              a message through a server. Writes the table of README.md, and prints how long the first client takes.
      --only TEXT     only the rows whose names contain this; the table stays as it is
      --plant         instead take the wasm out of the tarball, and see every row fail
  firefox     The browser tests, and the chat page, in Firefox.
  build       Make the npm package in pkg/, unless nothing has changed.
  docs        Make the documentation for developers of apps, a static site, in target/docs-site/.
  size        Print what the package costs in bytes; fail over xtask/size-budget.toml.
  setup       Install everything that `test` needs. The other commands install what they need by themselves.
  help        This text.

Tools are kept in $STANZAWIRE_CACHE, else $XDG_CACHE_HOME, else ~/.cache, in the folder stanzawire/tools, by version.
Servers that are started listen on loopback alone and end with the command.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match process::handle_signals().and_then(|()| run(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if error.is::<process::Interrupted>() => {
            eprintln!("interrupted");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all that was asked for held.
fn run(arguments: &[String]) -> Result<bool> {
    let root = root();
    let Some((command, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(false);
    };
    match command.as_str() {
        "demo" => {
            let flags = flags(rest, ["--check", "--no-open"])?;
            if flags.contains(&"--check") {
                let tally = demo::check(&root)?;
                println!("\n{tally}");
                return Ok(tally.is_good());
            }
            demo::demo(&root, !flags.contains(&"--no-open"))?;
        }
        "faults" => {
            let tally = faults::faults(&root, rest)?;
            println!("\n{tally}");
            return Ok(tally.is_good());
        }
        "fuzz" => {
            let tally = fuzz::fuzz(&root, rest)?;
            println!("\n{tally}");
            return Ok(tally.is_good());
        }
        "roundtrips" => {
            let plant = flags(rest, ["--plant"])?.contains(&"--plant");
            let tally = roundtrips::roundtrips(&root, plant)?;
            println!("\n{tally}");
            return Ok(tally.is_good());
        }
        "simulate" => return simulate::simulate(&root, rest),
        "torture" => {
            let tally = torture::torture(&root, rest)?;
            println!("\n{tally}");
            return Ok(tally.is_good());
        }
        "herd" => return herd::herd(&root, rest),
        "interop" => {
            let tally = interop::interop(&root, rest)?;
            println!("\n{tally}");
            return Ok(tally.is_good());
        }
        "soak" => {
            let tally = soak::soak(&root, rest)?;
            println!("\n{tally}");
            return Ok(tally.is_good());
        }
        "package" => {
            let tally = packaging::package(&root, rest)?;
            println!("\n{tally}");
            return Ok(tally.is_good());
        }
        "firefox" => {
            flags(rest, [])?;
            let tally = firefox::firefox(&root)?;
            println!("\n{tally}");
            return Ok(tally.is_good());
        }
        "gap" => {
            flags(rest, [])?;
            gap::gap(&root)?;
        }
        "sends" => {
            flags(rest, [])?;
            sends::sends(&root)?;
        }
        "test" => return test::test(&root, rest),
        "build" => {
            flags(rest, [])?;
            build::build(&root, &setup::ensure(&root, Need::BUILD)?)?;
        }
        "docs" => {
            flags(rest, [])?;
            let tools = setup::ensure(&root, Need::DOCS)?;
            let package = build::build(&root, &tools)?;
            println!("{}", docs::docs(&root, &tools, &package)?.join("index.html").display());
        }
        "size" => {
            flags(rest, [])?;
            let package = build::build(&root, &setup::ensure(&root, Need::BUILD)?)?;
            size::size(&root, &package)?;
        }
        "setup" => {
            flags(rest, [])?;
            setup::ensure(&root, Need::ALL)?;
            eprintln!("setup: nothing is missing");
        }
        "help" | "--help" | "-h" => print!("{HELP}"),
        _ => bail!("there's no command {command}; `cargo xtask help` lists them"),
    }
    Ok(true)
}

/// The flags given, all of them known.
fn flags<const N: usize>(given: &[String], known: [&'static str; N]) -> Result<Vec<&'static str>> {
    given
        .iter()
        .map(|flag| match known.into_iter().find(|one| one == flag) {
            Some(flag) => Ok(flag),
            None => bail!("{flag} means nothing here; see `cargo xtask help`"),
        })
        .collect()
}

/// The checkout: cargo says where this package is, also when the checkout has been moved since it was compiled.
fn root() -> PathBuf {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_flag_is_refused() {
        assert_eq!(
            flags(&["--check".to_owned()], ["--check", "--no-open"]).unwrap(),
            ["--check"]
        );
        assert!(flags(&["--chek".to_owned()], ["--check", "--no-open"]).is_err());
    }
}
