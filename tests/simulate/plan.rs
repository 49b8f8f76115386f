//! What a seed has in store: what kind of server, network and page there is, and what happens when. All of it is drawn before
//! the first event, so that a part can be left out without moving the rest.

mod sasl2;

use crate::random::Random;
pub use sasl2::Sasl2Plan;

/// Everything that a seed decides beforehand.
#[derive(Clone, Debug)]
pub struct Plan {
    pub server: ServerPlan,
    pub network: NetworkPlan,
    pub page: PagePlan,
    /// What happens, and when; in milliseconds since the beginning.
    pub acts: Vec<(u64, Act)>,
    /// When the last of it has happened: no faults from here on.
    pub end: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Login {
    Plain,
    External,
    Scram,
}

#[derive(Clone, Debug)]
pub struct ServerPlan {
    pub login: Login,
    /// XEP-0198 at all.
    pub sm: bool,
    /// Sessions can be resumed.
    pub resume: bool,
    /// How long a session waits for that, in milliseconds.
    pub keeps: u64,
    /// More unacknowledged stanzas than this, and the session can't be resumed.
    pub queue_limit: usize,
    /// `<failed/>` says how much was handled.
    pub failed_h: bool,
    /// How many times in a hundred the server asks `<r/>` behind a stanza.
    pub asks: u64,
    /// How many times in a hundred it takes its time over an `<a/>`.
    pub slow_acks: u64,
    /// How long it waits for an answer to its own `<r/>` before it gives up the connection, in milliseconds.
    pub patience: u64,
    /// XEP-0313.
    pub archive: bool,
    /// The most messages in one answer of the archive.
    pub page: usize,
    /// How long the archive thinks, at most.
    pub archive_delay: u64,
    pub unknown: Unknown,
    /// Messages for an account without a session are kept for the next one.
    pub offline: bool,
    /// Client State Indication.
    pub csi: bool,
    /// What is unknown ends the stream, as RFC 6120 §4.9.3.24 has it.
    pub strict: bool,
    /// The presence that a client sends comes back to it, RFC 6121 §4.2.2.
    pub echo: bool,
    pub sasl2: Sasl2Plan,
    /// Where the counters of a session begin, on both sides.
    pub counters: u32,
}

#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// One way, in milliseconds.
    pub latency: u64,
    pub jitter: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreKind {
    /// The page has none.
    None,
    /// It answers at once.
    Sync,
    /// It takes up to so many milliseconds.
    Async(u64),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreFault {
    None,
    /// Some calls fail.
    Throws,
    /// Nothing that is longer than this is kept.
    Full(usize),
    /// Some answers are nonsense.
    Garbage,
}

#[derive(Clone, Debug)]
pub struct PagePlan {
    pub store: StoreKind,
    pub store_fault: StoreFault,
    /// The store is written while the engine's other wishes are carried out, in place of after them.
    pub store_first: bool,
    /// The platform has locks.
    pub locks: bool,
    /// The browser says when the network has gone and come back.
    pub told: bool,
    /// Timers are late by up to so much while the page is hidden.
    pub throttle: u64,
    /// How many messages in a hundred are followed by one of the app's own.
    pub listener: u64,
    /// The resource that the app asks for.
    pub resource: Option<&'static str>,
    /// The client's bound on what waits.
    pub queue: usize,
    /// The app stays invisible: no presence.
    pub invisible: bool,
}

/// Something that happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// The app sends messages.
    Send {
        count: u64,
        archivable: bool,
    },
    /// The app asks the server, or the peer, or somebody who never answers.
    Ask(Asked),
    /// The app no longer wants what it asked for last, or sent.
    Abort,
    /// The peer sends messages.
    Peer {
        count: u64,
    },
    /// The connection is cut; what each side learns of it, and how many of the frames under way still arrive in a hundred.
    Cut {
        client: Learns,
        server: Learns,
        up: u64,
        down: u64,
    },
    /// What is sent arrives later.
    Freeze {
        ms: u64,
        up: bool,
        down: bool,
    },
    /// No connection can be made: refused at once, or never answered.
    Refuse {
        ms: u64,
        silent: bool,
    },
    /// The server stops and comes back after a while.
    Restart {
        ms: u64,
        keeps_sessions: bool,
    },
    /// The server forgets the sessions that wait to be resumed.
    Expire,
    /// The archive forgets what is older than twenty seconds.
    Purge,
    /// The page's process ends in the middle of something.
    Kill {
        after: u64,
        outputs: u64,
    },
    /// The page is reloaded in good order.
    Reload {
        after: u64,
    },
    /// A second tab begins with a copy of this one's `sessionStorage`.
    Duplicate,
    /// The page has no network; its connections may survive that.
    Offline {
        ms: u64,
        survives: bool,
    },
    Hide,
    Show,
    /// The machine sleeps.
    Sleep {
        ms: u64,
        told: bool,
    },
    /// The browser fires these for no visible reason.
    Jump,
    PageShown,
    /// The server acknowledges what it can't.
    Lie {
        backwards: bool,
    },
    /// The server ends the stream.
    StreamError(&'static str),
    /// The server closes the stream without a reason.
    Close,
    /// The server asks `<r/>`.
    ServerAsks,
    /// The app logs out, and in again a while later.
    Disconnect {
        ms: u64,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    Server,
    Peer,
    Nobody,
}

/// What the archive has behind an entry that it doesn't have any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unknown {
    /// It says so.
    Said,
    /// Nothing, and that is all.
    Nothing,
    /// What came later.
    Later,
}

/// When a side learns that its connection is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Learns {
    Never,
    After(u64),
}

impl Plan {
    pub fn new(seed: u64) -> Plan {
        let mut random = Random::new(seed);
        let mut server = ServerPlan::new(&mut random.fork());
        let network = NetworkPlan::new(&mut random.fork());
        let page = PagePlan::new(&mut random.fork());
        let end = random.pick(&[3_000, 10_000, 30_000, 60_000, 150_000]) + random.below(2_000);
        let acts = acts(&mut random.fork(), end, &page);
        // Drawn last: the rest is as it was before there was this.
        server.sasl2 = Sasl2Plan::new(&mut random.fork(), &server);
        server.counters = counters(&mut random.fork());
        Plan {
            server,
            network,
            page,
            acts,
            end,
        }
    }

    /// Without those of the acts that have these numbers.
    pub fn without(mut self, numbers: &[usize]) -> Plan {
        let mut number = 0;
        self.acts.retain(|_| {
            number += 1;
            !numbers.contains(&(number - 1))
        });
        self
    }

    /// Whether something makes the archive forget, or tells lies: what is promised then is less.
    pub fn has(&self, wanted: impl Fn(&Act) -> bool) -> bool {
        self.acts.iter().any(|(_, act)| wanted(act))
    }
}

impl ServerPlan {
    fn new(random: &mut Random) -> ServerPlan {
        let sm = random.percent(88);
        ServerPlan {
            login: match random.below(20) {
                0 => Login::Scram,
                1..=9 => Login::Plain,
                _ => Login::External,
            },
            sm,
            resume: sm && random.percent(90),
            keeps: random.pick(&[2_000, 15_000, 60_000, 600_000]),
            queue_limit: random.pick(&[4, 20, 1_000, 1_000, 1_000]),
            failed_h: random.percent(50),
            asks: random.pick(&[0, 10, 50, 100]),
            slow_acks: random.pick(&[0, 0, 30]),
            patience: random.pick(&[15_000, 30_000, 120_000]),
            archive: random.percent(85),
            page: random.pick(&[10, 20, 50]),
            archive_delay: random.pick(&[0, 0, 300, 3_000]),
            offline: random.percent(40),
            csi: random.percent(50),
            strict: random.percent(30),
            echo: random.percent(60),
            unknown: random.pick(&[Unknown::Said, Unknown::Nothing, Unknown::Later]),
            sasl2: Sasl2Plan::default(),
            counters: 0,
        }
    }
}

/// XEP-0198 §4: they are modulo 2³², and nobody waits until they are there.
fn counters(random: &mut Random) -> u32 {
    match random.percent(20) {
        true => u32::MAX - random.below(30) as u32,
        false => 0,
    }
}

impl NetworkPlan {
    fn new(random: &mut Random) -> NetworkPlan {
        NetworkPlan {
            latency: random.pick(&[0, 5, 20, 60, 200, 1_000]),
            jitter: random.pick(&[0, 5, 40, 300]),
        }
    }
}

impl PagePlan {
    fn new(random: &mut Random) -> PagePlan {
        let store = match random.below(10) {
            0 => StoreKind::None,
            1 | 2 => StoreKind::Async(random.pick(&[1, 20, 150])),
            _ => StoreKind::Sync,
        };
        PagePlan {
            store,
            store_fault: match random.below(16) {
                0 => StoreFault::Throws,
                1 => StoreFault::Full(random.pick(&[0, 100, 600])),
                2 => StoreFault::Garbage,
                _ => StoreFault::None,
            },
            store_first: random.percent(50),
            locks: random.percent(80),
            told: random.percent(70),
            throttle: random.pick(&[0, 5, 1_000, 60_000]),
            listener: random.pick(&[0, 0, 5, 20]),
            resource: random.pick(&[None, None, Some("web")]),
            queue: random.pick(&[10_000, 10_000, 10_000, 12]),
            invisible: random.percent(5),
        }
    }
}

fn acts(random: &mut Random, end: u64, page: &PagePlan) -> Vec<(u64, Act)> {
    let mut acts = Vec::new();
    let sends = random.below(20);
    for _ in 0..sends {
        let count = if random.percent(15) { random.range(2, 40) } else { 1 };
        let archivable = !random.percent(3);
        acts.push((random.below(end), Act::Send { count, archivable }));
    }
    for _ in 0..random.below(20) {
        let count = if random.percent(15) { random.range(2, 40) } else { 1 };
        acts.push((random.below(end), Act::Peer { count }));
    }
    for _ in 0..random.below(5) {
        let asked = random.pick(&[Asked::Server, Asked::Peer, Asked::Nobody]);
        acts.push((random.below(end), Act::Ask(asked)));
    }
    if random.percent(30) {
        acts.push((random.below(end), Act::Abort));
    }
    // Faults of few kinds at a time: what one kind alone does is seen as well as how two go together.
    let kinds: Vec<u64> = (0..random.range(1, 4)).map(|_| random.below(28)).collect();
    for _ in 0..random.below(12) {
        let kind = random.pick(&kinds);
        let mut at = random.below(end);
        // Some of it right behind something that the app does.
        if random.percent(30) && !acts.is_empty() {
            at = random.pick(&acts).0 + random.below(120);
        }
        if let Some(act) = fault(random, kind, page) {
            acts.push((at.min(end), act));
        }
    }
    acts.sort_by_key(|(at, _)| *at);
    acts
}

fn fault(random: &mut Random, kind: u64, page: &PagePlan) -> Option<Act> {
    let while_ = |random: &mut Random| random.pick(&[50, 500, 3_000, 12_000]) + random.below(500);
    let learns = |random: &mut Random| match random.below(3) {
        0 => Learns::Never,
        1 => Learns::After(random.below(50)),
        _ => Learns::After(random.below(20_000)),
    };
    Some(match kind {
        0..=4 => Act::Cut {
            client: learns(random),
            server: learns(random),
            up: random.below(101),
            down: random.below(101),
        },
        5 | 6 => {
            let ways = random.below(3);
            Act::Freeze {
                ms: while_(random),
                up: ways != 1,
                down: ways != 2,
            }
        }
        7 => Act::Refuse {
            ms: while_(random),
            silent: random.percent(30),
        },
        8 | 9 => Act::Restart {
            ms: random.below(6_000),
            keeps_sessions: random.percent(40),
        },
        10 => Act::Expire,
        11 => Act::Purge,
        12..=14 => Act::Kill {
            after: random.below(3_000),
            outputs: random.below(8),
        },
        15..=17 => Act::Reload {
            after: random.below(3_000),
        },
        // Two clients that ask for the same resource throw each other out, as they should.
        18 if page.resource.is_none() && page.locks => Act::Duplicate,
        19 | 20 => Act::Offline {
            ms: while_(random),
            survives: random.percent(50),
        },
        21 => random.pick(&[Act::Hide, Act::Show]),
        22 => Act::Sleep {
            ms: while_(random) * random.range(1, 10),
            told: random.percent(70),
        },
        23 => random.pick(&[Act::Jump, Act::PageShown, Act::Show]),
        24 => Act::Lie {
            backwards: random.percent(50),
        },
        25 => match random.below(4) {
            0 => Act::Close,
            1 => Act::StreamError("reset"),
            2 => Act::StreamError("system-shutdown"),
            _ => Act::StreamError("undefined-condition"),
        },
        26 => Act::ServerAsks,
        27 => Act::Disconnect { ms: while_(random) },
        _ => return None,
    })
}
