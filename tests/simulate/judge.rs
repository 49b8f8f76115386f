//! What is promised, and whether it was kept.
//!
//! Some of it is judged at once (a `send` that resolves before the server has the message), the rest at the end, when there
//! have been no faults for a while.

use crate::network::Link;
use crate::plan::{Act, StoreFault, StoreKind};
use crate::server::in_text;
use crate::world::{Event, World};
use stanzawire::engine::{Event as Said, Status};
use stanzawire::im::{self, Named};
use std::collections::BTreeMap;

/// How long after its coming in a message may be missing in the store, in milliseconds: it is written once a second.
const UNWRITTEN: u64 = 1_100;

/// The most that a tab may keep when nothing is under way, in bytes.
const KEPT: usize = 8_000;

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
    stored: bool,
    /// Which page said last what has become of it, and when.
    reported: Option<(usize, u64)>,
    /// What later pages said of it.
    kept: Vec<Result<(), String>>,
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
        }
    }

    fn token(&self) -> String {
        format!("[a{}]", self.number)
    }
}

/// Pages of a tab, each of which knows what the one before it has left.
#[derive(Debug)]
pub struct Chain {
    tab: usize,
    /// How many messages of the peer's there had been when the server knew the first page to be there.
    from: Option<u32>,
    since: u64,
    /// The server knew a page to be there on that connection; that page may not know it yet.
    there: Option<(Link, u32)>,
    /// What listeners were told: number, time and page.
    emitted: Vec<(u32, u64, usize)>,
    gaps: u32,
}

impl Chain {
    pub fn new(tab: usize) -> Chain {
        Chain {
            tab,
            from: None,
            since: 0,
            there: None,
            emitted: Vec::new(),
            gaps: 0,
        }
    }
}

/// Whether the client of this build looks into the archive.
fn catches_up() -> bool {
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
                let given_up = *status == Status::Offline && before != Status::Connecting && self.pages[page].wants;
                // A login of an earlier page, which ended over it, may come through late; this one can't know.
                let ghost = error == "conflict" && self.pages.iter().any(|one| one.ends.is_some());
                let given_up = given_up && !ghost;
                if given_up && !self.plan.has(|act| matches!(act, Act::Disconnect { .. })) {
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
            "gap" => {
                self.chains[chain].gaps += 1;
                self.tally.gaps += 1;
            }
            _ => {
                let text = value.to_string();
                let number = text
                    .split("[a")
                    .nth(1)
                    .and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
                let Some(sent) = number
                    .and_then(|number| number.checked_sub(1))
                    .filter(|at| *at < self.sent.len())
                else {
                    // A store that lies may have made it up.
                    if self.plan.page.store_fault == StoreFault::Garbage {
                        return;
                    }
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
                let window = self.window();
                let (now, reported) = (self.now, self.sent[sent].reported.replace((page, self.now)));
                let again = reported.is_some_and(|(earlier, at)| {
                    self.pages[earlier]
                        .ends
                        .is_some_and(|ends| at + window + self.pages[earlier].slept >= ends && ends <= now)
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
            Err("delivery-unknown") => self.tally.unknown += 1,
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
        let asks = 2 * (self.plan.network.latency + self.plan.network.jitter) + self.plan.server.archive_delay;
        let (chain, window) = (
            self.pages[page].chain,
            self.window() + self.pages[page].slept + asks + UNWRITTEN,
        );
        if self.chains[chain].since + window > self.now {
            self.chains[chain].from = None;
        }
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

    // --- the end ---

    /// The faults have been over for a while.
    pub fn probe(&mut self) {
        for page in self.running() {
            let one = &self.pages[page];
            if one.wants && one.status != Status::Online {
                return self.breaks(format!(
                    "page {page} is {}, long after the last fault",
                    one.status.as_str()
                ));
            }
        }
        self.log(|| "all are online; once more, each way".into());
        for page in self.running() {
            self.send(page, true);
        }
        self.peer_sends(1);
        self.server.ask_all(self.now);
        self.effects();
        let patient = self.plan.page.throttle > 1_000 && self.pages.iter().any(|page| page.alive && !page.visible);
        self.at(self.now + if patient { 200_000 } else { 20_000 }, Event::End);
    }

    pub fn end(&mut self) {
        self.server.ask_all(self.now);
        self.effects();
        for page in self.running() {
            let open = self.pages[page].calls.iter().find(|(_, (_, settled))| *settled != 1);
            if let Some((ticket, (call, settled))) = open {
                let broken = format!("call {ticket} of page {page} ({call:?}) was settled {settled} times");
                return self.breaks(broken);
            }
            if self.pages[page].status != Status::Online {
                return self.breaks(format!("page {page} is no longer online"));
            }
        }
        self.judge_sent();
        if !self.stolen {
            self.judge_order();
        }
        for chain in 0..self.chains.len() {
            if self.broken.is_none() && !self.stolen {
                self.judge_chain(chain);
            }
        }
        self.judge_rest();
        self.ended = true;
        for page in self.running() {
            self.log_out(page);
        }
        self.ended = false;
        self.at(self.now + 15_000, Event::Gone);
    }

    fn judge_sent(&mut self) {
        let mut taken: BTreeMap<u32, u32> = BTreeMap::new();
        for number in &self.server.taken {
            *taken.entry(*number).or_default() += 1;
        }
        self.tally.sent += self.sent.len() as u64;
        let found = self.sent.iter().find_map(|sent| {
            let times = taken.get(&sent.number).copied().unwrap_or_default();
            self.judge_one(sent, times)
                .map(|what| format!("{} {what}", sent.token()))
        });
        if let Some(broken) = found {
            self.breaks(broken);
        }
    }

    fn judge_one(&self, sent: &Sent, times: u32) -> Option<String> {
        // A store that takes its time may not have heard yet, when the page ends, that a message has left; and one that
        // lies has never heard it.
        let unsaid = !self.pages[sent.page].alive && self.forgets();
        let faulty = self.plan.page.store_fault != StoreFault::None;
        if times > 1 && !unsaid && !faulty {
            return Some(format!("was delivered {times} times"));
        }
        match &sent.outcome {
            Some(Ok(())) if times == 0 => return Some("resolved, and was never delivered".into()),
            Some(Ok(())) => {}
            Some(Err("delivery-unknown")) if self.undecidable(sent) => {}
            Some(Err("delivery-unknown")) => {
                return Some("ends with delivery-unknown, though the archive knows".into());
            }
            Some(Err("aborted")) if sent.aborted => {}
            Some(Err(code @ ("not-delivered" | "offline" | "queue-full"))) => {
                if times != 0 {
                    return Some(format!("rejects {code}, and was delivered"));
                }
            }
            Some(Err(code)) => return Some(format!("ends with {code}")),
            None if self.pages[sent.page].alive => return Some("never ends".into()),
            None => {}
        }
        let faulty = self.plan.page.store_fault != StoreFault::None;
        if sent.kept.len() > 1 && !faulty {
            return Some(format!("is reported {} times", sent.kept.len()));
        }
        match sent.kept.first() {
            Some(Ok(())) if times == 0 => Some("is reported as sent, and was not".into()),
            Some(Err(code)) if code == "delivery-unknown" => {
                (!self.undecidable(sent)).then(|| "is reported as unknown, though the archive knows".into())
            }
            Some(Err(code)) if times == 1 => Some(format!("is reported as {code}, and was delivered")),
            Some(_) => None,
            None => {
                // A store that is too slow is not waited for; what it has stays there for a later page.
                let slow = matches!(self.plan.page.store, StoreKind::Async(100..));
                let good = self.plan.page.store_fault == StoreFault::None && !self.stolen && !slow;
                let lost = sent.outcome.is_none() && sent.stored && good;
                lost.then(|| "was in the store when its page ended, and nobody heard of it again".into())
            }
        }
    }

    /// Whether nobody can say what has become of a message in doubt.
    fn undecidable(&self, sent: &Sent) -> bool {
        !self.plan.server.archive
            || self.plan.page.store_fault == StoreFault::Garbage && !self.pages[sent.page].alive
            || !sent.archivable
            || sent.let_go
            || !catches_up()
            || self.plan.has(|act| matches!(act, Act::Purge))
    }

    /// Whether a store may say something else than what was so when its page ended.
    fn forgets(&self) -> bool {
        matches!(self.plan.page.store, StoreKind::Async(_)) || self.plan.page.store_fault != StoreFault::None
    }

    fn judge_order(&mut self) {
        let mut last: BTreeMap<usize, u32> = BTreeMap::new();
        for number in self.server.taken.clone() {
            let Some(sent) = self.sent.get((number as usize).wrapping_sub(1)) else {
                // A store that lies may have made it up.
                if self.plan.page.store_fault == StoreFault::Garbage {
                    continue;
                }
                return self.breaks(format!("the peer got [a{number}], which nobody has sent"));
            };
            // Of what was let go by a logout, the rest may come late.
            if sent.let_go || self.forgets() {
                continue;
            }
            let last = last.entry(self.pages[sent.page].chain).or_default();
            if *last > number {
                let last = *last;
                return self.breaks(format!("[a{number}] is delivered behind [a{last}]"));
            }
            *last = number;
        }
    }

    /// How long before a page is killed it may have learnt what isn't in the store.
    fn window(&self) -> u64 {
        let late = match self.plan.page.store {
            StoreKind::Async(most) => most * 2 + 20,
            _ => 0,
        };
        let hidden = if self.plan.has(|act| matches!(act, Act::Hide)) {
            self.plan.page.throttle
        } else {
            3
        };
        UNWRITTEN + late + hidden
    }

    /// What came in.
    fn judge_chain(&mut self, chain: usize) {
        let one = &self.chains[chain];
        let faulty = self.plan.page.store_fault != StoreFault::None;
        let window = self.window();
        // A page that was killed takes what it hadn't written along, and that comes again.
        let mut seen: BTreeMap<u32, (u64, usize)> = BTreeMap::new();
        let mut last = 0;
        let mut broken = None;
        let strict = self.plan.server.archive && catches_up();
        for (number, at, page) in &one.emitted {
            if let Some((before, earlier)) = seen.insert(*number, (*at, *page)) {
                let killed = self.pages[earlier].ends.filter(|_| earlier != *page);
                let slept = self.pages[earlier].slept;
                // While a session is being ended, nothing of it is written.
                let ending = self.pages[earlier].let_go;
                let recent = killed.is_some_and(|ends| before + window + slept >= ends || ending);
                let unwritten = recent && !self.orderly(earlier);
                if !unwritten && (strict || earlier == *page && !self.given_again(*number)) {
                    broken.get_or_insert(format!("[b{number}] comes twice, at {before} and at {at}"));
                }
                if unwritten {
                    last = last.min(number.saturating_sub(1));
                }
            }
            if strict && *number <= last {
                broken.get_or_insert(format!("[b{number}] comes behind [b{last}]"));
            }
            last = *number;
        }
        if strict && one.gaps == 0 && !self.plan.page.invisible {
            // An early page's chain ends where the next one's begins.
            let over = self.chains.iter().skip(chain + 1).any(|later| later.tab == one.tab);
            let until = if over {
                one.emitted.iter().map(|(number, _, _)| *number).max().unwrap_or(0)
            } else {
                self.peer_sent
            };
            let from = one.from.unwrap_or(u32::MAX);
            // Who has seen nothing of the archive can't know that something is gone.
            let anchored = one.emitted.first().map_or(u32::MAX, |(number, _, _)| *number);
            for number in from.saturating_add(1)..=until {
                let gone = number < anchored && self.server.purged.contains(&number);
                if !seen.contains_key(&number) && !gone && !self.server.unheard.contains(&number) && !faulty {
                    broken.get_or_insert(format!("[b{number}] never comes, and there's no gap"));
                }
            }
        }
        // Where there's an archive, what waits for it when a page without a store is killed comes from it, or never.
        let given = self
            .server
            .given
            .iter()
            .filter(|given| given.tab == one.tab && given.acknowledged && !strict);
        for given in given {
            let came = self.chains.iter().filter(|other| other.tab == one.tab);
            let mut came = came.flat_map(|other| other.emitted.iter());
            if one.gaps == 0 && !came.any(|(number, _, _)| *number == given.number) {
                broken.get_or_insert(format!("[b{}] is acknowledged, and nobody has seen it", given.number));
            }
        }
        if let Some(broken) = broken {
            self.breaks(format!("tab {}: {broken}", self.chains[chain].tab));
        }
    }

    /// Whether a page had the time to write everything down.
    fn orderly(&self, page: usize) -> bool {
        self.pages[page].left
            && !self.pages[page].let_go
            && self.plan.page.store == StoreKind::Sync
            && self.plan.page.store_fault == StoreFault::None
    }

    /// Whether the server itself has handed a message to two sessions.
    fn given_again(&self, number: u32) -> bool {
        self.server.given.iter().filter(|given| given.number == number).count() > 1
    }

    fn judge_rest(&mut self) {
        for tab in 0..self.tabs.len() {
            let Some(page) = self.tabs[tab].page else { continue };
            let store = &self.tabs[tab].store;
            let (size, waits) = (store.size(), self.pages[page].errands.len());
            if size > KEPT * (1 + self.chains.len()) {
                self.breaks(format!("tab {tab} keeps {size} bytes, with nothing under way"));
            }
            if waits > 0 {
                self.breaks(format!(
                    "page {page} has {waits} errands for its store, with nothing under way"
                ));
            }
            let slow = matches!(self.plan.page.store, StoreKind::Async(100..));
            let alone = self.tabs.len() == 1 && self.plan.page.store_fault == StoreFault::None && !slow;
            if alone && self.tabs[tab].store.holds("[a") {
                self.breaks(format!("tab {tab} keeps a message, with nothing under way"));
            }
        }
        let links = self.running().into_iter().filter_map(|page| self.pages[page].link);
        let waits: usize = links.map(|link| self.server.unacknowledged(link)).sum();
        if waits > 0 && self.plan.page.store_fault == StoreFault::None {
            self.breaks(format!("{waits} stanzas of the server's are never acknowledged"));
        }
    }

    /// All have logged out.
    pub fn gone(&mut self) {
        self.ended = true;
        for page in self.running() {
            let one = &self.pages[page];
            let open = one.calls.iter().find(|(_, (_, settled))| *settled != 1);
            if let Some((ticket, (call, settled))) = open {
                let broken = format!("call {ticket} of page {page} ({call:?}) was settled {settled} times in the end");
                return self.breaks(broken);
            }
            if one.engine.status() != Status::Offline {
                return self.breaks(format!(
                    "page {page} has logged out, and is {}",
                    one.engine.status().as_str()
                ));
            }
            if let Some(deadline) = one.engine.next_deadline() {
                return self.breaks(format!("page {page} has logged out, and waits for {}", deadline.0));
            }
        }
    }
}
