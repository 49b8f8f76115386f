//! What goes wrong: with the network, the server and the page. At the end of the plan everything heals, except for what nobody
//! can: a connection that was cut stays cut.

use crate::page::Fact;
use crate::plan::{Act, Learns};
use crate::world::{Event, World};

impl World {
    pub fn fault(&mut self, act: Act) {
        match act {
            Act::Peer { count } => self.peer_sends(count),
            Act::Cut {
                client,
                server,
                up,
                down,
            } => {
                for link in self.live() {
                    self.cut(link, client, server, [up, down]);
                }
            }
            Act::Freeze { ms, up, down } => {
                let until = self.now + ms;
                for link in self.live() {
                    let connection = &mut self.connections[link];
                    connection.touched = Some(until);
                    if up {
                        connection.up.freeze(until);
                    }
                    if down {
                        connection.down.freeze(until);
                    }
                }
            }
            Act::Refuse { ms, silent } => self.refuse(ms, silent),
            Act::Restart { ms, keeps_sessions } => self.restart(ms, keeps_sessions),
            Act::Expire => {
                self.server.expire(self.now);
                self.effects();
            }
            Act::Purge => self.server.purge(self.now),
            Act::Kill { after, outputs } => {
                if let Some(page) = self.pick_page() {
                    self.pages[page].restarts = after;
                    if outputs == 0 {
                        return self.die(page, false);
                    }
                    self.pages[page].doom = Some(outputs);
                    self.at(self.now + 1_500, Event::Doom { page });
                }
            }
            Act::Reload { after } => {
                if let Some(page) = self.pick_page().filter(|page| !self.pages[*page].sleeps()) {
                    self.fact(page, Fact::PageHidden);
                    self.leave_soon(page, after);
                }
            }
            Act::Duplicate => self.duplicate(),
            Act::Offline { ms, survives } => self.go_offline(ms, survives),
            Act::Hide | Act::Show => {
                let visible = act == Act::Show;
                for page in self.running() {
                    self.look(page, visible);
                }
            }
            Act::Sleep { ms, told } => {
                for page in self.running() {
                    self.sleep(page, ms, told);
                }
            }
            Act::Jump => self
                .running()
                .into_iter()
                .for_each(|page| self.fact(page, Fact::ClockJumped)),
            Act::PageShown => {
                for page in self.running() {
                    self.fact(page, Fact::PageHidden);
                    self.fact(page, Fact::PageShown);
                }
            }
            Act::Lie { backwards } => {
                self.touch_all();
                self.server.lie(self.now, backwards);
                self.effects();
            }
            Act::StreamError(condition) => {
                self.touch_all();
                self.server.end_streams(self.now, Some(condition));
                self.effects();
            }
            Act::Close => {
                self.touch_all();
                self.server.end_streams(self.now, None);
                self.effects();
            }
            Act::ServerAsks => {
                self.server.ask_all(self.now);
                self.effects();
            }
            Act::Send { .. } | Act::Ask(_) | Act::Abort | Act::Disconnect { .. } => {}
        }
    }

    pub fn touch_all(&mut self) {
        for link in self.live() {
            self.connections[link].touched = Some(self.now);
        }
    }

    /// The pages that live.
    pub fn running(&self) -> Vec<usize> {
        self.tabs.iter().filter_map(|tab| tab.page).collect()
    }

    fn pick_page(&mut self) -> Option<usize> {
        let running = self.running();
        (!running.is_empty()).then(|| self.random.pick(&running))
    }

    pub fn peer_sends(&mut self, count: u64) {
        for _ in 0..count {
            self.peer_sent += 1;
            let number = self.peer_sent;
            if self.server.running {
                self.log(|| format!("the peer sends [b{number}]"));
                self.server.peer_says(self.now, number);
                self.effects();
            } else {
                // There's nobody to take it.
                self.server.unheard.push(number);
            }
        }
    }

    fn restart(&mut self, ms: u64, keeps_sessions: bool) {
        if !self.server.running {
            return;
        }
        self.server.stop(self.now, keeps_sessions);
        for link in 0..self.connections.len() {
            if self.connections[link].accepted {
                // The kernel says goodbye for the process; where that gets lost, nobody ever hears of it.
                let client = match self.random.below(3) {
                    0 => Learns::Never,
                    _ => Learns::After(self.random.below(1_000)),
                };
                self.cut(link, client, Learns::Never, [0, 100]);
            }
        }
        self.at(self.now + ms, Event::Boot);
    }

    fn go_offline(&mut self, ms: u64, survives: bool) {
        if self.offline > self.now {
            return;
        }
        self.offline = self.now + ms;
        let until = self.offline;
        for link in self.live() {
            if survives {
                let connection = &mut self.connections[link];
                connection.touched = Some(until + 10_000);
                connection.up.freeze(until);
                connection.down.freeze(until);
            } else {
                let client = if self.random.percent(50) {
                    Learns::After(self.random.below(200))
                } else {
                    Learns::Never
                };
                let server = if self.random.percent(50) {
                    Learns::After(self.random.below(90_000))
                } else {
                    Learns::Never
                };
                self.cut(link, client, server, [0, 0]);
            }
        }
        if self.plan.page.told {
            self.running()
                .into_iter()
                .for_each(|page| self.fact(page, Fact::Network { online: false }));
        }
        self.at(until, Event::Online);
    }

    pub fn online_again(&mut self) {
        if self.offline > self.now {
            return;
        }
        self.log(|| "the network is back".into());
        self.touch_all();
        if self.plan.page.told {
            self.running()
                .into_iter()
                .for_each(|page| self.fact(page, Fact::Network { online: true }));
        }
    }

    /// No more faults.
    pub fn heal(&mut self) {
        self.log(|| "no faults from here on".into());
        self.refuse(0, false);
        if !self.server.running {
            self.server.running = true;
        }
        if self.offline > self.now {
            self.offline = self.now;
            self.online_again();
        }
        let seen = self.random.percent(60);
        for page in self.running() {
            if self.pages[page].doom.is_some() {
                self.die(page, false);
            } else if seen {
                self.look(page, true);
            }
        }
        let patient = !seen && self.plan.page.throttle > 1_000 && self.pages.iter().any(|page| !page.visible);
        self.at(self.now + if patient { 900_000 } else { 200_000 }, Event::Probe);
    }
}
