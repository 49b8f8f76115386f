// All of the simulation's own program; `main.rs` says what it is.

mod agents;
mod app;
mod faults;
mod judge;
mod mutation;
mod network;
mod page;
mod platform;
mod plan;
mod random;
#[allow(dead_code, reason = "of another test crate")]
#[path = "../core/server.rs"]
mod scram;
mod server;
mod store;
mod verdict;
mod world;

use mutation::Mutation;
use plan::Plan;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Instant;
use world::{Tally, World};

/// How many seeds are run where nothing is asked for.
const FEW: u64 = 300;

/// After how many seeds a long run says how far it has come.
const STEP: u64 = 20_000;

/// Within how many seeds each of the client's faults must show.
const SOON: u64 = 600;

/// What is asked for.
#[derive(Debug, Default)]
struct Options {
    seeds: Option<u64>,
    first: u64,
    seed: Option<u64>,
    transcript: bool,
    fault: Option<Mutation>,
    /// Acts of the plan that are left out.
    without: Vec<usize>,
    /// Leave out what isn't needed for the failure.
    shrink: bool,
    /// Go on behind a failure, and count them by kind.
    all: bool,
    jobs: Option<usize>,
}

thread_local! {
    static PANICKED: RefCell<String> = const { RefCell::new(String::new()) };
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    std::panic::set_hook(Box::new(|info| {
        PANICKED.with_borrow_mut(|text| *text = info.to_string());
    }));
    let good = match (options.seed, options.seeds) {
        (Some(seed), _) => one(seed, &options),
        (None, Some(seeds)) => many(options.first..options.first + seeds, &options),
        (None, None) => check(&options),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let number = arguments.next().and_then(|text| text.parse::<u64>().ok());
            number.ok_or_else(|| format!("{argument} wants a number behind it"))
        };
        match argument.as_str() {
            "--seeds" => options.seeds = Some(number()?),
            "--first" => options.first = number()?,
            "--seed" => options.seed = Some(number()?),
            "--jobs" => options.jobs = usize::try_from(number()?).ok(),
            "--transcript" => options.transcript = true,
            "--shrink" => options.shrink = true,
            "--all" => options.all = true,
            "--without" => {
                let list = arguments.next().unwrap_or_default();
                options.without = list.split(',').filter_map(|number| number.parse().ok()).collect();
            }
            "--fault" => {
                let name = arguments.next().unwrap_or_default();
                let known = Mutation::ALL.map(Mutation::name).join(", ");
                let fault = Mutation::from_name(&name);
                options.fault = Some(fault.ok_or_else(|| format!("no fault {name:?}; there are {known}"))?);
            }
            // What `cargo test` hands to every test program.
            _ => {}
        }
    }
    Ok(options)
}

/// How a seed ended: what was broken, if anything was.
struct Ended {
    broken: Option<String>,
    tally: Tally,
    transcript: Vec<String>,
}

fn run(seed: u64, without: &[usize], fault: Option<Mutation>, transcript: bool) -> Ended {
    let mut world = World::new(seed, Plan::new(seed).without(without), fault, transcript);
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
    if outcome.is_err() {
        let panicked = PANICKED.with_borrow_mut(std::mem::take);
        world.breaks(format!("panic: {panicked}"));
    }
    Ended {
        broken: world.broken,
        tally: world.tally,
        transcript: world.transcript.unwrap_or_default(),
    }
}

/// One seed, and all about it.
fn one(seed: u64, options: &Options) -> bool {
    let mut without = options.without.clone();
    let ended = run(seed, &without, options.fault, false);
    let good = ended.broken.is_none();
    if let Some(broken) = &ended.broken
        && options.shrink
    {
        without = shrunk(seed, without, options.fault, broken);
    }
    if options.transcript || !good {
        println!("{:#?}", Plan::new(seed).without(&without));
        let again = run(seed, &without, options.fault, true);
        for line in &again.transcript {
            println!("{line}");
        }
    }
    match ended.broken {
        Some(broken) => println!("seed {seed}: {broken}\n{}", replay(seed, &without, options.fault)),
        None => println!("seed {seed}: all promises kept; {:?}", ended.tally),
    }
    good
}

fn replay(seed: u64, without: &[usize], fault: Option<Mutation>) -> String {
    let mut command = format!("cargo xtask simulate --seed {seed} --transcript");
    if !without.is_empty() {
        let numbers: Vec<String> = without.iter().map(usize::to_string).collect();
        command += &format!(" --without {}", numbers.join(","));
    }
    if let Some(fault) = fault {
        command += &format!(" --fault {}", fault.name());
    }
    command
}

/// The acts that can be left out, and the same kind of promise is broken still.
fn shrunk(seed: u64, mut without: Vec<usize>, fault: Option<Mutation>, broken: &str) -> Vec<usize> {
    let wanted = kind(broken);
    let acts = Plan::new(seed).acts.len();
    let mut more = true;
    while more {
        more = false;
        for act in (0..acts).rev() {
            if without.contains(&act) {
                continue;
            }
            let mut fewer = without.clone();
            fewer.push(act);
            if run(seed, &fewer, fault, false)
                .broken
                .is_some_and(|broken| kind(&broken) == wanted)
            {
                without = fewer;
                more = true;
            }
        }
    }
    without.sort_unstable();
    without
}

/// A failure without its numbers.
fn kind(broken: &str) -> String {
    let mut kind = String::new();
    for c in broken.chars().take(200) {
        if !c.is_ascii_digit() {
            kind.push(c);
        } else if !kind.ends_with('#') {
            kind.push('#');
        }
    }
    kind
}

/// Many seeds, on all cores. The first that breaks something is shown.
fn many(seeds: std::ops::Range<u64>, options: &Options) -> bool {
    let began = Instant::now();
    let (count, first) = (seeds.end - seeds.start, seeds.start);
    let (tally, broken) = several(seeds, options);
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{count} seeds from {first} on in {seconds:.1} s, {:.0} a second",
        count as f64 / seconds
    );
    println!("{}", shown(&tally));
    let mut kinds: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (seed, broken) in &broken {
        let entry = kinds.entry(kind(broken)).or_insert((0, *seed));
        *entry = (entry.0 + 1, entry.1.min(*seed));
    }
    if options.all {
        for (kind, (times, seed)) in &kinds {
            println!("{times:>6} times, as in seed {seed}: {kind}");
        }
    } else if let Some((seed, _)) = broken.first() {
        one(
            *seed,
            &Options {
                shrink: true,
                fault: options.fault,
                ..Options::default()
            },
        );
    }
    println!("{} of {count} seeds broke a promise", broken.len());
    broken.is_empty()
}

fn several(seeds: std::ops::Range<u64>, options: &Options) -> (Tally, Vec<(u64, String)>) {
    let next = AtomicU64::new(seeds.start);
    let stop = AtomicBool::new(false);
    let results = Mutex::new((Tally::default(), Vec::new()));
    let jobs = options
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let mut sum = Tally::default();
                while !stop.load(Relaxed) {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    if options.all && seed > seeds.start && (seed - seeds.start).is_multiple_of(STEP) {
                        eprintln!("{} seeds so far", seed - seeds.start);
                    }
                    let ended = run(seed, &[], options.fault, false);
                    sum.add(&ended.tally);
                    if let Some(broken) = ended.broken {
                        if options.all {
                            eprintln!("seed {seed}: {broken}");
                        }
                        stop.store(!options.all, Relaxed);
                        results.lock().unwrap().1.push((seed, broken));
                    }
                }
                results.lock().unwrap().0.add(&sum);
            });
        }
    });
    let (tally, mut broken) = results.into_inner().unwrap();
    broken.sort();
    (tally, broken)
}

fn shown(tally: &Tally) -> String {
    let Tally {
        counts,
        connections,
        pages,
        sent,
        resolved,
        not_delivered,
        unknown,
        kept,
        received,
        gaps,
        events,
    } = tally;
    let server::Counts {
        logins,
        resumed,
        refused,
        searches,
        replaced,
        inline,
        by_token,
    } = counts;
    format!(
        "{connections} connections of {pages} pages: {logins} logins ({inline} along with SASL2; {by_token} by a token), {resumed} resumptions, {refused} refused, \
         {replaced} sessions replaced, {searches} searches\n\
         {sent} messages sent: {resolved} resolved, {not_delivered} rejected, {unknown} unknown, {kept} reported by later \
         pages\n{received} messages received, {gaps} gaps; {events} events"
    )
}

/// A few seeds, and each fault of the client's.
fn check(options: &Options) -> bool {
    let mut failed = 0;
    let mut passed = 0;
    let mut say = |name: &str, good: bool| {
        println!("test simulate::{name} ... {}", if good { "ok" } else { "FAILED" });
        if good { passed += 1 } else { failed += 1 }
    };
    say("every_promise_is_kept", many(0..FEW, options));
    for fault in Mutation::ALL {
        let (_, broken) = several(
            0..SOON,
            &Options {
                fault: Some(fault),
                ..Options::default()
            },
        );
        if let Some((seed, broken)) = broken.first() {
            println!("{}: {broken} (seed {seed})", fault.name());
        }
        say(
            &format!("a_client_with_the_fault_{}_is_found", fault.name().replace('-', "_")),
            !broken.is_empty(),
        );
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {result}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out");
    failed == 0
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        let (to, from) = (&mut self.counts, &other.counts);
        to.logins += from.logins;
        to.resumed += from.resumed;
        to.refused += from.refused;
        to.searches += from.searches;
        to.replaced += from.replaced;
        to.inline += from.inline;
        to.by_token += from.by_token;
        self.connections += other.connections;
        self.pages += other.pages;
        self.sent += other.sent;
        self.resolved += other.resolved;
        self.not_delivered += other.not_delivered;
        self.unknown += other.unknown;
        self.kept += other.kept;
        self.received += other.received;
        self.gaps += other.gaps;
        self.events += other.events;
    }
}
