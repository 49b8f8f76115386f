// What the herd does, on anything but wasm.

mod client;
mod picture;
mod plan;
#[allow(dead_code, reason = "of another test crate")]
#[path = "../simulate/random.rs"]
mod random;
mod tally;

use picture::Picture;
use plan::{Course, Population};
use stanzawire::session::ReconnectPolicy;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use tally::Tally;

/// How many clients there are, where nothing else is asked for, and what decides their lives.
const CLIENTS: u64 = 100_000;
const SEED: u64 = 7395;

/// How many are enough to see whether something is wrong.
const FEW: u64 = 1_000;

/// And how much of what they do is chance, in standard deviations.
const CHANCE: f64 = 4.0;

/// What is run, and how it is called.
const HERDS: [(Population, Course, &str); 5] = [
    (Population::Life, Course::Told, "as in life"),
    (Population::Life, Course::Untold, "half of them told nothing"),
    (Population::Life, Course::Relapse, "gone again for 10 s"),
    (Population::Idle, Course::Told, "nobody in use"),
    (Population::Busy, Course::Told, "all in use"),
];

/// Which of them the manual shows.
const SHOWN: [usize; 2] = [0, 1];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        let number = arguments.get(place + 1).and_then(|text| text.parse::<u64>().ok());
        Some(number.unwrap_or_else(|| panic!("{name} wants a number behind it")))
    };
    let draw = arguments.iter().any(|argument| argument == "--draw");
    let seed = number("--seed").unwrap_or(SEED);
    let good = match number("--clients") {
        None if !draw => check(),
        clients => herds(clients.unwrap_or(CLIENTS), seed, draw),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs them all; whether the bounds hold.
fn herds(clients: u64, seed: u64, draw: bool) -> bool {
    println!(
        "{clients} clients, seed {seed}; the server is gone for {} s",
        plan::GONE / 1_000
    );
    println!("{:<26} {}", "", Tally::HEAD);
    let mut good = true;
    let mut shown = Vec::new();
    for (place, (population, course, name)) in HERDS.into_iter().enumerate() {
        let began = Instant::now();
        let tally = Tally::of(population, course, clients, seed, ReconnectPolicy::default());
        println!("{name:<26} {}   ({:.1} s)", tally.row(), began.elapsed().as_secs_f64());
        let broken = tally.broken(0.0);
        for broken in &broken {
            println!("{:<26} over the bound: {broken}", "");
        }
        // Where all are in use at once, haste for those who are has its price.
        good &= broken.is_empty() || population == Population::Busy;
        if SHOWN.contains(&place) {
            shown.push(tally);
        }
    }
    let picture = Picture::new(clients, seed, &shown);
    if draw {
        fs::write(path(), picture.draw()).unwrap();
        println!("drawn: {}", FILE);
    } else if let Err(error) = drawn(&picture) {
        println!("{FILE}: {error}");
        good = false;
    }
    println!(
        "{}",
        if good {
            "the bounds hold"
        } else {
            "the bounds are broken"
        }
    );
    good
}

const FILE: &str = "src/manual/herd.svg";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(FILE)
}

/// Whether the manual's picture is what is drawn of its figures, and those are what this run has come to.
fn drawn(picture: &Picture) -> Result<(), String> {
    let text = fs::read_to_string(path()).map_err(|error| error.to_string())?;
    let there = Picture::read(&text).ok_or("it has no figures")?;
    if there.draw() != text {
        return Err("it is not what is drawn of its figures; `cargo xtask herd` draws it".into());
    }
    there.agrees(picture)
}

/// A few clients, and policies that are no good.
fn check() -> bool {
    let mut failed = 0;
    let mut passed = 0;
    let mut say = |name: &str, result: Result<(), String>| {
        println!("test herd::{name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
        if let Err(error) = &result {
            println!("    {error}");
        }
        if result.is_ok() { passed += 1 } else { failed += 1 }
    };
    let run = |course, policy| Tally::of(Population::Life, course, FEW, SEED, policy);
    let within = |tally: &Tally| match &tally.broken(CHANCE)[..] {
        [] => Ok(()),
        broken => Err(broken.join("; ")),
    };
    let usual = ReconnectPolicy::default();
    let shown = SHOWN.map(|place| run(HERDS[place].1, usual));
    say("no_bound_is_broken", shown.iter().try_for_each(within));
    say(
        "nor_by_a_server_that_is_gone_again",
        within(&run(Course::Relapse, usual)),
    );
    say(
        "the_picture_is_what_is_measured",
        drawn(&Picture::new(FEW, SEED, &shown)),
    );
    let eager = |base, max| ReconnectPolicy { base, max, ..usual };
    for (name, policy) in [("a_second", eager(1_000, 1_000)), ("eight", eager(8_000, 8_000))] {
        let seen = !run(Course::Told, policy).broken(CHANCE).is_empty();
        let result = if seen { Ok(()) } else { Err("nobody has noticed".into()) };
        say(&format!("delays_that_never_grow_beyond_{name}_are_noticed"), result);
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {result}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out");
    failed == 0
}
