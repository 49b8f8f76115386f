//! What is judged at the end, when there have been no faults for a while: what has become of every message, both ways.

use crate::judge::{Chain, KEPT, Sent, catches_up};
use crate::plan::{Act, StoreFault, StoreKind};
use crate::world::{Event, World};
use std::collections::BTreeMap;
use stanzawire::engine::Status;

impl World {
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
        // After a suspected poison each message that was under way takes a round trip by itself.
        let open = self.pages.iter().flat_map(|page| page.calls.values()).filter(|(_, settled)| *settled == 0);
        let alone = open.count() as u64 * (2 * (self.plan.network.latency + self.plan.network.jitter) + 200);
        let patience = if patient { 200_000 } else { 20_000 };
        self.at(self.now + patience + alone, Event::End);
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
        self.judge_dropped();
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

    /// Whether a store that lies has made this message out of another.
    pub fn is_made_up(&self, number: u32) -> bool {
        self.tabs.iter().any(|tab| tab.store.made_up.contains(&number))
    }

    fn judge_one(&self, sent: &Sent, times: u32) -> Option<String> {
        if self.is_made_up(sent.number) {
            return None;
        }
        let unsaid = self.is_unsaid(sent);
        let faulty = self.plan.page.store_fault != StoreFault::None;
        // A session that went on in another tab may go on in its own, later.
        if times > 1 && !unsaid && !faulty && !self.stolen {
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
            Some(Err("not-delivered" | "offline" | "queue-full")) if times == 0 => {}
            Some(Err(code @ ("not-delivered" | "offline" | "queue-full"))) => {
                return Some(format!("rejects {code}, and was delivered"));
            }
            Some(Err(code)) => return Some(format!("ends with {code}")),
            None if self.pages[sent.page].alive => return Some("never ends".into()),
            None => {}
        }
        let faulty = self.plan.page.store_fault != StoreFault::None;
        if sent.kept.len() > 1 && !faulty && !self.stolen {
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
                // A page that doesn't wait for a slow store leaves there what is there, for a later one.
                let waits = self.is_slow() && self.tabs.iter().any(|tab| tab.store.holds(&sent.token()));
                let good = self.plan.page.store_fault == StoreFault::None && !self.stolen && !waits;
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
            // Who has learned late where it ends reads twenty pages back.
            || self.server.archive.len() > 20 * self.plan.server.page
            || self.server.first_purge.is_some_and(|first| sent.unknown.is_some_and(|unknown| first < unknown))
    }

    /// Whether a page has ended so soon after it had sent this that a store that takes its time may not have heard of it.
    fn is_unsaid(&self, sent: &Sent) -> bool {
        let soon = |(number, at): &(usize, u64)| {
            let page = &self.pages[*number];
            page.ends.is_some_and(|ends| at + self.window(*number) + page.slept >= ends)
        };
        matches!(self.plan.page.store, StoreKind::Async(_)) && sent.left.iter().any(soon)
    }

    /// Whether the store is too slow to be waited for.
    fn is_slow(&self) -> bool {
        matches!(self.plan.page.store, StoreKind::Async(100..)) || self.is_slept_through()
    }

    /// Whether a page may sleep while its store is at it, and wake when it should have answered long ago.
    fn is_slept_through(&self) -> bool {
        let sleeps = |act: &Act| matches!(act, Act::Sleep { .. });
        matches!(self.plan.page.store, StoreKind::Async(_)) && self.plan.has(sleeps)
    }

    fn judge_order(&mut self) {
        let mut last: BTreeMap<usize, u32> = BTreeMap::new();
        let faulty = self.plan.page.store_fault != StoreFault::None;
        for number in self.server.taken.clone() {
            if self.is_made_up(number) {
                continue;
            }
            let Some(sent) = self.sent.get((number as usize).wrapping_sub(1)) else {
                return self.breaks(format!("the peer got [a{number}], which nobody has sent"));
            };
            // Of what was let go by a logout, the rest may come late.
            if sent.let_go || faulty || self.is_unsaid(sent) {
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

    /// What came in.
    fn judge_chain(&mut self, chain: usize) {
        let one = &self.chains[chain];
        // A page that was killed takes what it hadn't written along, and that comes again.
        let mut seen: BTreeMap<u32, (u64, usize)> = BTreeMap::new();
        let mut last = 0;
        let mut broken = None;
        let strict = self.plan.server.archive && catches_up();
        for (place, (number, at, page)) in one.emitted.iter().enumerate() {
            if let Some((before, earlier)) = seen.insert(*number, (*at, *page)) {
                let unwritten = earlier != *page && self.is_unwritten(earlier, before);
                if !unwritten && (strict || earlier == *page && !self.given_again(*number)) {
                    broken.get_or_insert(format!("[b{number}] comes twice, at {before} and at {at}"));
                }
                if unwritten {
                    last = last.min(number.saturating_sub(1));
                }
            }
            if strict && *number <= last && self.of_an_older_session(one, *number) {
                continue;
            }
            if strict && *number <= last && self.is_before_all_that_was_lost(one, place) {
                last = *number;
                continue;
            }
            if strict && *number <= last {
                broken.get_or_insert(format!("[b{number}] comes behind [b{last}]"));
            }
            last = *number;
        }
        if strict {
            // An early page's chain ends where the next one's begins.
            let over = one.over || self.chains.iter().skip(chain + 1).any(|later| later.tab == one.tab);
            let until = if over || self.plan.page.invisible {
                one.emitted.iter().map(|(number, _, _)| *number).max().unwrap_or(0)
            } else {
                self.peer_sent
            };
            // What is missing from then on has no gap.
            let from = one.from.unwrap_or(u32::MAX).max(one.gap);
            // Who has seen nothing of the archive can't know that something is gone.
            let anchored = one.emitted.first().map_or(u32::MAX, |(number, _, _)| *number);
            for number in from.saturating_add(1)..=until {
                let gone = number < anchored && self.server.purged.contains(&number);
                if !seen.contains_key(&number) && !gone && !self.server.unheard.contains(&number) {
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
            if given.number > one.gap && !came.any(|(number, _, _)| *number == given.number) {
                broken.get_or_insert(format!("[b{}] is acknowledged, and nobody has seen it", given.number));
            }
        }
        if let Some(broken) = broken {
            self.breaks(format!("tab {}: {broken}", self.chains[chain].tab));
        }
    }

    /// Whether a page was killed before it had written what it told then.
    fn is_unwritten(&self, page: usize, at: u64) -> bool {
        let one = &self.pages[page];
        // What is told while the archive is asked counts as told when it has answered.
        let late = self.window(page) + self.asks() + one.slept;
        // While a session is being ended, nothing of it is written.
        let ends = one.ends.map(|ends| one.ending.unwrap_or(ends));
        ends.is_some_and(|ends| at + late >= ends) && !self.orderly(page)
    }

    /// Whether this lies before all that earlier pages have told, of which all that came behind it is unwritten: where in the
    /// archive they had begun, nobody knows any more.
    fn is_before_all_that_was_lost(&self, chain: &Chain, place: usize) -> bool {
        let (number, _, page) = chain.emitted[place];
        let mut before = chain.emitted[..place].iter();
        before.all(|(other, at, earlier)| *other > number && *earlier != page && self.is_unwritten(*earlier, *at))
    }

    /// Whether a store that lies had hidden a session that was there before these pages, and shows it again: what that is
    /// handed from before their time comes when it comes.
    fn of_an_older_session(&self, chain: &Chain, number: u32) -> bool {
        let mut given = self.server.given.iter();
        self.plan.page.store_fault == StoreFault::Garbage
            && chain.from.is_some_and(|from| number <= from)
            && given.any(|given| given.number == number && given.tab == chain.tab && given.bound < chain.began)
    }

    /// XEP-0386 §2.2: a server that has no archive has dropped what it kept all the same. Whoever was there hears that
    /// something is gone.
    fn judge_dropped(&mut self) {
        let silent = self.server.dropped.iter().find(|(link, at)| {
            let tab = self.pages[self.connections[*link].page].tab;
            let mut chains = self.chains.iter().filter(|chain| chain.tab == tab);
            !chains.any(|chain| chain.gap_at.is_some_and(|gap| gap >= *at))
        });
        if let Some((link, at)) = silent.filter(|_| self.plan.page.store_fault == StoreFault::None && catches_up()) {
            let broken = format!("on connection {link} messages were dropped at {at}, and there's no gap");
            self.breaks(broken);
        }
    }

    /// Whether a page had the time to write everything down.
    fn orderly(&self, page: usize) -> bool {
        self.pages[page].left
            && self.pages[page].ending.is_none()
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
            let alone = self.tabs.len() == 1 && self.plan.page.store_fault == StoreFault::None && !self.is_slow();
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
