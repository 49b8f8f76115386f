//! Five in a room, two of them at pages whose connections misbehave: whether all of them agree, in the end, on who is there and on what was
//! said, and in which order. `tests/e2e/torture/rooms.mjs` runs it.

use serde_json::Value;

use super::{Run, Scene, number};
use crate::durable::Kind;
use crate::tally::Tally;

/// Who is tortured.
pub(super) const SCENE: Scene = Scene {
    name: "-rooms",
    script: "tests/e2e/torture/rooms.mjs",
    document: "/rooms.html",
    page: "/torture/room-page.js",
    wires: &["alice", "bob"],
};

/// What must not happen, as `room-judge.mjs` and `rooms.mjs` count it.
const NEVER: [(&str, &str); 11] = [
    ("lost", "lost"),
    ("doubled", "doubled"),
    ("disordered", "out of order"),
    ("unsettled", "unsettled"),
    ("twice", "settled twice"),
    ("refused", "not delivered, and the page told so"),
    ("membership", "with another idea of who is in the room"),
    ("lostRoom", "told that we have left"),
    ("gaps", "gaps"),
    ("gaveUp", "given up"),
    ("uncaught", "uncaught errors"),
];

/// As a command runs it.
pub(super) fn full() -> Run {
    Run {
        messages: 600,
        rate: 4,
        faults: 200,
        rooms: true,
        ..Run::full()
    }
}

/// The part of it that the check makes.
pub(super) fn slice() -> Run {
    Run {
        messages: 60,
        rate: 4,
        faults: 20,
        servers: vec![Kind::ProsodySasl2, Kind::Ejabberd],
        ..full()
    }
}

/// Prints what came of it. Each thing that must not happen is a check.
pub(super) fn verdicts(results: &[(Kind, Value)], seed: u32) -> Tally {
    println!("\nfive in a room, two of them under torture; --seed {seed}\n{:<38}", "");
    let mut tally = Tally::default();
    for (kind, result) in results {
        let count = |name: &str| number(result, &format!("/{name}"));
        println!(
            "{}: {} said by the pages, {} in the archive, {} heard by the pages, resumed {} times, back in the room {} times, in {:.0} s; faults: {}; \
             heard and not kept by a server that was killed: {}; delivery-unknown, as the manual says of rooms: {}",
            kind.name(),
            count("called"),
            count("archived"),
            count("received"),
            count("resumed"),
            count("rejoined"),
            count("seconds"),
            result.get("faults").cloned().unwrap_or_default(),
            count("counts/server"),
            count("counts/unknown"),
        );
        for (name, what) in NEVER {
            let many = count(&format!("counts/{name}"));
            let holds = many == 0.0;
            println!(
                "{} - {}, in a room: {many} {what}",
                if holds { "ok" } else { "not ok" },
                kind.name()
            );
            tally.add(if holds { Tally::ONE } else { Tally::FAILED });
        }
    }
    tally
}
