//! Who the clients are, and what happens to the server.

/// How a WebSocket ends whose connection is gone (RFC 6455 §7.4.1).
pub const CLOSES: u16 = 1006;

/// How long the server is gone, in milliseconds.
pub const GONE: u64 = 30_000;

/// After how long all have to be back, in milliseconds.
pub const BACK: u64 = 90_000;

/// When the server is lost, in milliseconds from the beginning: those who have just come count as in use for ten seconds.
const LOSS: u64 = 30_000;

/// Who the clients are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Population {
    /// Each sends or gets a message once a minute on average, at any time: of some 15 % that was within the last ten
    /// seconds. Half of the pages are hidden.
    Life,
    /// Nobody does anything.
    Idle,
    /// Each sends or gets a message every few seconds.
    Busy,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Course {
    /// The server is gone, and everybody's socket is closed at once.
    Told,
    /// Half of the clients are told nothing, and have to find out.
    Untold,
    /// The server remembers no session when it is back, and is gone again, for ten seconds, as soon as most are back.
    Relapse,
}

#[derive(Clone, Debug)]
pub struct Plan {
    /// Within which time the clients first connect, in milliseconds.
    pub arrival: u64,
    /// How many pages of a hundred nobody sees.
    pub hidden: u64,
    /// How many clients of a hundred aren't told that the server is gone.
    pub late: u64,
    /// How long it is from one message to the next on average, and at most, in milliseconds.
    pub traffic: Option<u64>,
    pub longest: u64,
    /// The server keeps no sessions.
    pub forgets: bool,
    /// From when to when the server is gone.
    pub outages: Vec<(u64, u64)>,
    pub end: u64,
}

impl Plan {
    pub fn new(population: Population, course: Course) -> Plan {
        let mut outages = vec![(LOSS, LOSS + GONE)];
        if course == Course::Relapse {
            outages.push((LOSS + GONE + 20_000, LOSS + GONE + 30_000));
        }
        let (traffic, longest) = match population {
            Population::Life => (Some(60_000), u64::MAX),
            Population::Idle => (None, u64::MAX),
            Population::Busy => (Some(4_000), 9_000),
        };
        Plan {
            arrival: 10_000,
            hidden: 50,
            late: if course == Course::Untold { 50 } else { 0 },
            traffic,
            longest,
            forgets: course == Course::Relapse,
            end: outages.last().map_or(0, |(_, back)| back + BACK),
            outages,
        }
    }

    /// When the server is lost.
    pub fn loss(&self) -> u64 {
        LOSS
    }

    /// How long after that it is back for good.
    pub fn return_after(&self) -> u64 {
        self.end - BACK - LOSS
    }

    /// From when to when the server is there again, in milliseconds from its loss.
    pub fn up_again(&self) -> Vec<(u64, u64)> {
        let gone = self.outages.iter().skip(1).map(|(gone, _)| *gone);
        let until = gone.chain([self.end]);
        let up = self.outages.iter().zip(until);
        up.map(|((_, back), until)| (back - LOSS, until - LOSS)).collect()
    }

    /// Which of its starts the server is in, if it is there.
    pub fn start(&self, now: u64) -> Option<usize> {
        let gone = self.outages.iter().any(|(gone, back)| (*gone..*back).contains(&now));
        (!gone).then(|| self.outages.iter().filter(|(_, back)| *back <= now).count())
    }
}
