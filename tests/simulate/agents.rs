//! What is promised of SASL2 (XEP-0388): who a page is for the server, what leaves during an authentication, and what is left
//! of a token.

use crate::mutation::Mutation;
use crate::network::Link;
use crate::plan::Act;
use crate::server::agent_of;
use crate::world::World;
use stanzawire::engine::Status;

/// How long a client tries to make its token worthless, in milliseconds.
const REVOKES: u64 = 3_000;

impl World {
    /// A page has written this to its socket.
    pub fn watch_up(&mut self, link: Link, frame: &str) {
        let page = self.connections[link].page;
        if !frame.starts_with("<authenticate ") {
            let allowed = ["<response ", "<abort ", "<close ", "<stream:error "];
            if self.connections[link].sasl2 && !allowed.iter().any(|word| frame.starts_with(word)) {
                self.breaks(format!(
                    "page {page} writes {frame} before it knows that it is logged in"
                ));
            }
            return;
        }
        self.connections[link].sasl2 = true;
        let agent = agent_of(frame);
        // That is said of a session that is over, and begins none.
        if agent.is_none() || frame.contains(" invalidate=") {
            return;
        }
        let same = self.running().into_iter().find(|other| {
            let one = &self.pages[*other];
            *other != page && one.agent == agent && one.status != Status::Offline
        });
        if let Some(other) = same {
            self.breaks(format!("page {page} logs in as the user agent that page {other} is"));
        }
        self.pages[page].agent = agent;
        if self.mutation == Some(Mutation::TokenSwapped) && frame.contains("<fast ") {
            self.pages[page].says = said(frame).map(str::to_owned);
        }
    }

    /// A page is about to read this.
    pub fn watch_down(&mut self, link: Link, frame: &str) {
        let connection = &mut self.connections[link];
        if !connection.attached || !connection.sasl2 {
            return;
        }
        let success = frame.starts_with("<success ");
        if success || frame.starts_with("<failure ") {
            connection.sasl2 = false;
        }
        let token = frame
            .split_once(" token='")
            .and_then(|(_, rest)| rest.split('\'').next());
        let page = connection.page;
        // One that sleeps may have let go of the connection before it comes to that.
        if let Some(token) = token.filter(|_| success && !self.pages[page].sleeps()) {
            self.pages[page].tokens.push(token.to_owned());
        }
    }

    /// A page is nobody for the server until it logs in again. What it was issued, and couldn't give back, it has forgotten.
    pub fn gone_offline(&mut self, page: usize) {
        let links = self.connections.len();
        let one = &mut self.pages[page];
        one.agent = None;
        if one.logout.is_none() {
            one.tokens.clear();
            one.first_link = links;
        }
    }

    /// The app is about to log out. Whether nothing stands in the way of that.
    pub fn leaves_well(&mut self, page: usize) {
        let one = &self.pages[page];
        let touched = one.link.is_none_or(|link| self.connections[link].touched.is_some());
        let way = 6 * (self.plan.network.latency + self.plan.network.jitter);
        let well = one.status == Status::Online
            && !touched
            && self.server.running
            && self.refuses <= self.now
            && self.offline <= self.now
            && way < REVOKES;
        self.pages[page].logout = well.then_some(self.now);
    }

    /// It has logged out: nobody can log in by its token any more.
    pub fn judge_logout(&mut self, page: usize) {
        let tokens = std::mem::take(&mut self.pages[page].tokens);
        let first = std::mem::replace(&mut self.pages[page].first_link, self.connections.len());
        let Some(began) = self.pages[page].logout.take() else {
            return;
        };
        let harmless = |act: &Act| matches!(act, Act::Send { .. } | Act::Peer { .. } | Act::Ask(_) | Act::Abort);
        let disturbed =
            (self.plan.acts.iter()).any(|(at, act)| (began..=self.now).contains(at) && !harmless(act) && *at != began);
        let offered = self.server.plan.sasl2.offered && self.server.plan.sasl2.tokens;
        if disturbed || !offered || self.pages[page].connecting || self.pages[page].sleeps() {
            return;
        }
        let of_page = |link: Link| link >= first && self.connections[link].page == page;
        if let Some(token) = self.server.tokens.good(&tokens, of_page) {
            let broken = format!("page {page} has logged out, and its token {token} is good still");
            self.breaks(broken);
        }
    }

    /// A mutation: a tab logs in as another one, or by the token of another one.
    pub fn by_another_tab(&self, link: Link, frame: String) -> String {
        let page = &self.pages[self.connections[link].page];
        let others = || self.pages.iter().rev().filter(|other| other.tab != page.tab);
        let swapped = match self.mutation {
            _ if !frame.starts_with("<authenticate ") => None,
            Some(Mutation::AgentSwapped) => {
                let other = others().find_map(|other| other.agent.as_deref());
                agent_of(&frame).zip(other).map(|(own, other)| frame.replace(&own, other))
            }
            Some(Mutation::TokenSwapped) if frame.contains("<fast ") => {
                let other = others().find_map(|other| other.says.as_deref());
                said(&frame).zip(other).map(|(own, other)| frame.replace(own, other))
            }
            _ => None,
        };
        swapped.unwrap_or(frame)
    }
}

/// What a client says of its token.
fn said(frame: &str) -> Option<&str> {
    let (_, rest) = frame.split_once("<initial-response>")?;
    rest.split('<').next()
}
