//! What is promised: what there is to know of each message, and what is judged at once (a `send` that resolves before the
//! server has the message). `verdict.rs` judges the rest.

use crate::mutation::Mutation;
use crate::network::Link;
use crate::page::Call;
use crate::plan::{StoreFault, StoreKind};
use crate::server::in_text;
use crate::world::World;
use stanzawire::engine::{Event as Said, Status};
use stanzawire::im::{self, Named};

/// How long after its coming in a message may be missing in the store, in milliseconds: it is written once a second.
const UNWRITTEN: u64 = 1_100;

/// The most that a tab may keep when nothing is under way, in bytes.
pub const KEPT: usize = 16_000;

/// A message of the app's.
#[derive(Debug)]
pub struct Sent {
    pub number: u32,
    pub page: usize,
    pub archivable: bool,
    /// How its promise was settled: with nothing, or an error of this code.
    pub outcome: Option<Result<(), &'static str>>,
    pub aborted: bool,
    /// The app has logged out since.
    pub let_go: bool,
    /// It was in the store when its page ended.
    pub stored: bool,
    /// Which page said last what has become of it, and when.
    reported: Option<(usize, u64)>,
    /// What later pages said of it.
    pub kept: Vec<Result<(), String>>,
    /// Which pages have written it to a socket, and when.
    pub left: Vec<(usize, u64)>,
    /// When it was first said to be unknown.
    pub unknown: Option<u64>,
}

impl Sent {
    pub fn new(number: u32, page: usize, archivable: bool) -> Sent {
        Sent {
            number,
            page,
            archivable,
            outcome: None,
            aborted: false,
            let_go: false,
            stored: false,
            reported: None,
            kept: Vec::new(),
            left: Vec::new(),
            unknown: None,
        }
    }

    pub fn token(&self) -> String {
        format!("[a{}]", self.number)
    }
}

/// Pages of a tab, each of which knows what the one before it has left.
#[derive(Debug)]
pub struct Chain {
    pub tab: usize,
    /// How many messages of the peer's there had been when the server knew the first page to be there.
    pub from: Option<u32>,
    since: u64,
    /// When the first of them began.
    pub began: u64,
    /// The server knew a page to be there on that connection; that page may not know it yet.
    there: Option<(Link, u32)>,
    /// What listeners were told: number, time and page.
    pub emitted: Vec<(u32, u64, usize)>,
    /// How many messages of the peer's there had been at the last gap, and when that was.
    pub gap: u32,
    pub gap_at: Option<u64>,
    /// No further page belongs to it.
    pub over: bool,
}

impl Chain {
    pub fn new(tab: usize, began: u64) -> Chain {
        Chain {
            tab,
            from: None,
            since: 0,
            began,
            there: None,
            emitted: Vec::new(),
            gap: 0,
            gap_at: None,
            over: false,
        }
    }
}

/// Whether the client of this build looks into the archive.
pub fn catches_up() -> bool {
    im::NAMES.iter().any(|name| matches!(*name, "archive" | "mam"))
}

impl World {
    /// An event for the app's listeners.
    pub fn saw(&mut self, page: usize, event: &Said) {
        match event {
            Said::Status(status, error) => {
                let error = error.as_ref().map(|error| error.code().as_str()).unwrap_or_default();
                self.log(|| format!("  page {page}: {} {error}", status.as_str()));
                let before = std::mem::replace(&mut self.pages[page].status, *status);
                if *status == Status::Offline {
                    self.pages[page].ending = None;
                    self.gone_offline(page);
                }
                let given_up = *status == Status::Offline && before != Status::Connecting && self.pages[page].wants;
                let leaves = |(call, settled): &(Call, u32)| *call == Call::Disconnect && *settled == 0;
                if given_up && error == "conflict" && self.is_haunted(page) {
                    // What was under way remains in doubt.
                    for sent in self.sent.iter_mut().filter(|sent| sent.page == page) {
                        sent.let_go |= matches!(sent.outcome, None | Some(Err("delivery-unknown")));
                    }
                } else if given_up && !self.pages[page].calls.values().any(leaves) {
                    self.breaks(format!("page {page} has given up: {error}"));
                }
                if *status == Status::Online {
                    self.pages[page].online_link = self.pages[page].link;
                    self.both_there(page);
                }
            }
            Said::Im(event) => self.saw_im(page, event),
            other => self.log(|| format!("  page {page}: {other:?}")),
        }
    }

    /// Whether the login of an earlier page may come through late, of which this one, without a store, can't know.
    fn is_haunted(&self, page: usize) -> bool {
        let one = &self.pages[page];
        let mut before = self.pages[..page].iter();
        one.fresh && self.plan.page.resource.is_some() && before.any(|other| other.tab == one.tab && !other.alive)
    }

    /// The server knows that a tab's client is there: what comes from now on is for it.
    pub fn arrived(&mut self, link: Link) {
        let page = self.connections[link].page;
        let chain = self.pages[page].chain;
        let arrived = !std::mem::take(&mut self.server.arrived).is_empty();
        // What comes late from a page that has gone brings nobody.
        if arrived && self.pages[page].alive {
            self.chains[chain].there = Some((link, self.peer_sent));
            self.both_there(page);
        }
    }

    /// Where both sides know of one another, what comes from now on is for this page.
    fn both_there(&mut self, page: usize) {
        let (one, now) = (&self.pages[page], self.now);
        let chain = &mut self.chains[one.chain];
        if let Some((link, sent)) = chain.there
            && chain.from.is_none()
            && one.online_link == Some(link)
        {
            chain.from = Some(sent);
            chain.since = now;
        }
    }

    fn saw_im(&mut self, page: usize, event: &im::Event) {
        let name = event.name();
        if !matches!(name, "message" | "sent" | "not-sent" | "gap") {
            return;
        }
        let value = serde_json::to_value(event).unwrap_or_default();
        self.log(|| format!("  page {page}: {name} {value}"));
        let chain = self.pages[page].chain;
        match name {
            "message" => {
                let body = value.get("body").and_then(|body| body.as_str()).unwrap_or_default();
                if let Some(number) = in_text(body, 'b') {
                    self.chains[chain].emitted.push((number, self.now, page));
                    self.tally.received += 1;
                }
            }
            "gap" if self.mutation == Some(Mutation::GapDropped) => {}
            "gap" => {
                self.chains[chain].gap = self.peer_sent;
                self.chains[chain].gap_at = Some(self.now);
                self.tally.gaps += 1;
            }
            _ => {
                let text = value.to_string();
                let body = value.get("body").and_then(|body| body.as_str());
                let number = body.and_then(|body| in_text(body, 'a'));
                if number.is_some_and(|number| self.is_made_up(number)) {
                    return;
                }
                let sent = number.and_then(|number| (number as usize).checked_sub(1));
                let Some(sent) = sent.filter(|at| *at < self.sent.len()) else {
                    return self.breaks(format!("a {name} event of no message: {text}"));
                };
                self.tally.kept += 1;
                let code = event.error().map(|error| error.code().as_str());
                let result = match name {
                    "sent" => Ok(()),
                    _ => Err(code.unwrap_or("not-delivered").to_owned()),
                };
                if result.is_ok() && !self.server.taken.contains(&self.sent[sent].number) {
                    self.breaks(format!(
                        "{} is reported as sent, and the server doesn't have it",
                        self.sent[sent].token()
                    ));
                }
                if self.pages[self.sent[sent].page].tab != self.pages[page].tab && !self.stolen {
                    self.breaks(format!(
                        "{} is another tab's, and reported here",
                        self.sent[sent].token()
                    ));
                }
                // What a page was told just before it was killed, the next one is told again.
                if code == Some("delivery-unknown") {
                    self.sent[sent].unknown.get_or_insert(self.now);
                }
                let (now, reported) = (self.now, self.sent[sent].reported.replace((page, self.now)));
                let again = reported.is_some_and(|(earlier, at)| {
                    let (page, window) = (&self.pages[earlier], self.window(earlier));
                    page.ends
                        .is_some_and(|ends| at + window + page.slept >= ends && ends <= now)
                });
                if again {
                    self.sent[sent].kept.clear();
                }
                self.sent[sent].kept.push(result);
            }
        }
    }

    /// A `send` has ended.
    pub fn outcome(&mut self, _page: usize, sent: usize, outcome: Result<(), &'static str>) {
        let has = self.server.taken.contains(&self.sent[sent].number);
        match outcome {
            Ok(()) if !has => {
                self.breaks(format!(
                    "{} resolves, and the server doesn't have it",
                    self.sent[sent].token()
                ));
            }
            Ok(()) => self.tally.resolved += 1,
            Err("delivery-unknown") => {
                self.tally.unknown += 1;
                self.sent[sent].unknown = Some(self.now);
            }
            Err(_) => self.tally.not_delivered += 1,
        }
        self.sent[sent].outcome = Some(outcome);
    }

    /// The client closes a connection by itself. It should have a reason.
    pub fn given_up(&mut self, page: usize, link: Link) {
        let one = &self.pages[page];
        let connection = &self.connections[link];
        // A session of which the store doesn't know the latest can't be gone on with: that shows before anybody is online.
        if one.online_link == Some(link) && connection.touched.is_none() && one.wants && !self.ended {
            self.breaks(format!(
                "page {page} gives up connection {link}, and there's nothing wrong with it"
            ));
        }
    }

    /// The server gives up a connection whose client doesn't answer.
    pub fn unanswered(&mut self, link: Link) {
        let connection = &self.connections[link];
        if connection.attached && connection.touched.is_none() && self.pages[connection.page].alive {
            self.breaks(format!(
                "the client doesn't answer on connection {link}, and there's nothing wrong with it"
            ));
        }
    }

    pub fn page_died(&mut self, page: usize, orderly: bool) {
        // What a page learns of the archive is worth nothing to the next one before it is written.
        let (chain, window) = (
            self.pages[page].chain,
            self.window(page) + self.pages[page].slept + self.asks() + UNWRITTEN,
        );
        if self.chains[chain].since + window > self.now {
            self.chains[chain].from = None;
        }
        // Nor is that the server may have dropped something for it.
        let (known, connections) = (self.pages[page].online_link, &self.connections);
        let forgets = self.plan.page.store == StoreKind::None;
        self.server.dropped.retain(|(link, at)| {
            connections[*link].page != page || !(forgets || known != Some(*link) || at + window > self.now)
        });
        let store = &self.tabs[self.pages[page].tab].store;
        let mut lost = None;
        for sent in self.sent.iter_mut().filter(|sent| sent.page == page) {
            sent.stored = store.holds(&sent.token());
            if sent.outcome.is_none() && !sent.stored && !sent.let_go && orderly {
                lost = Some(sent.token());
            }
        }
        let good = self.plan.page.store_fault == StoreFault::None && self.plan.page.store == StoreKind::Sync;
        if let Some(token) = lost.filter(|_| good) {
            self.breaks(format!(
                "page {page} was left in good order, and {token} isn't in the store"
            ));
        }
    }

    /// How long a question to the archive takes.
    pub fn asks(&self) -> u64 {
        2 * (self.plan.network.latency + self.plan.network.jitter) + self.plan.server.archive_delay
    }

    /// How long before a page is killed it may have learnt what isn't in the store.
    pub fn window(&self, page: usize) -> u64 {
        let late = match self.plan.page.store {
            StoreKind::Async(most) => most * 2 + 20,
            _ => 0,
        };
        let one = &self.pages[page];
        let at = one.ends.unwrap_or(self.now);
        // A timer that was to be late because nobody looked may not have had the time yet.
        let looked = one.shown.is_none_or(|shown| shown + UNWRITTEN + late < at);
        let hidden = if one.visible && looked {
            3
        } else {
            self.plan.page.throttle
        };
        UNWRITTEN + late + hidden
    }
}
