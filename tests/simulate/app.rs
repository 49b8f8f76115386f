//! The app: it wants to be connected, sends numbered messages, asks, gives up some of it, and listens.

use crate::network::Link;
use crate::judge::Sent;
use crate::mutation::Mutation;
use crate::page::Call;
use crate::plan::{Act, Asked, StoreFault};
use crate::server::{DOMAIN, PEER};
use crate::world::{Event, World};
use stanzawire::engine::{Command, Event as Said, IqRequest, Reply, Status};
use stanzawire::error::Error;
use stanzawire::im::{self, chat};
use stanzawire::jid::Jid;
use stanzawire::xml::Element;

impl World {
    /// The app looks after its connection.
    pub fn app(&mut self, page: usize) {
        let one = &self.pages[page];
        if !one.alive {
            return;
        }
        if one.wants && !one.connecting && one.status == Status::Offline && !one.sleeps() {
            self.pages[page].connecting = true;
            self.log(|| format!("  page {page}: connect()"));
            self.call(page, Call::Connect, Command::Connect { timeout: None });
        } else if one.wants && one.sleeps() {
            self.at(self.now + 1_000, Event::App { page });
        }
    }

    pub fn app_acts(&mut self, act: Act) {
        let pages: Vec<usize> = self
            .running()
            .into_iter()
            .filter(|page| !self.pages[*page].sleeps())
            .collect();
        if pages.is_empty() {
            return;
        }
        let page = self.random.pick(&pages);
        match act {
            Act::Send { count, archivable } => {
                for _ in 0..count {
                    if self.pages[page].alive {
                        self.send(page, archivable);
                    }
                }
            }
            Act::Ask(asked) => self.ask(page, asked),
            Act::Abort => {
                let open = self.pages[page]
                    .calls
                    .iter()
                    .filter(|(_, (call, settled))| *settled == 0 && matches!(call, Call::Send(_) | Call::Ask));
                let open: Vec<(u64, Call)> = open.map(|(ticket, (call, _))| (*ticket, *call)).collect();
                if !open.is_empty() {
                    let (ticket, call) = self.random.pick(&open);
                    if let Call::Send(sent) = call {
                        self.sent[sent].aborted = true;
                    }
                    self.log(|| format!("  page {page}: aborts call {ticket}"));
                    self.abort(page, ticket);
                }
            }
            Act::Disconnect { ms } => {
                self.log_out(page);
                self.at(self.now + ms, Event::App { page });
                // It wants to come back as soon as it may.
                self.pages[page].wants = true;
            }
            _ => {}
        }
    }

    /// The app logs out. What is under way may remain in doubt: nobody comes back to find out.
    pub fn log_out(&mut self, page: usize) {
        let tab = self.pages[page].tab;
        for sent in self.sent.iter_mut().filter(|sent| self.pages[sent.page].tab == tab) {
            // Of what was aborted nobody knows either whether it has left. An earlier page may have been killed before it had
            // written that something was settled, and a store that fails may still have what was to be taken out of it.
            let kept = self.plan.page.store_fault != StoreFault::None && sent.outcome == Some(Ok(()));
            sent.let_go |= sent.page < page || kept || matches!(sent.outcome, None | Some(Err("aborted")));
        }
        self.leaves_well(page);
        if let Some(link) = self.pages[page].link {
            self.connections[link].touched = Some(self.now);
        }
        self.pages[page].wants = false;
        self.pages[page].let_go = true;
        // It may be at that already.
        self.pages[page].ending.get_or_insert(self.now);
        self.log(|| format!("  page {page}: disconnect()"));
        self.call(page, Call::Disconnect, Command::Disconnect);
    }

    /// A page has written this to its socket.
    pub fn has_left(&mut self, link: Link, frame: &str) {
        let number = frame.split_once("<body>[a").and_then(|(_, rest)| rest.split(']').next()?.parse::<usize>().ok());
        if let Some(sent) = number.and_then(|number| self.sent.get_mut(number.wrapping_sub(1))) {
            sent.left.push((self.connections[link].page, self.now));
        }
    }

    pub fn send(&mut self, page: usize, archivable: bool) {
        let number = self.sent.len() as u32 + 1;
        self.sent.push(Sent::new(number, page, archivable));
        self.log(|| format!("  page {page}: send([a{number}])"));
        let message = chat::OutgoingMessage {
            to: PEER.into(),
            body: Some(format!("[a{number}]")),
            kind: (!archivable).then_some(chat::MessageType::Headline),
            ..Default::default()
        };
        let command = im::Command::Chat(chat::Command::Send(Box::new(message)));
        let sent = self.sent.len() - 1;
        let ticket = self.call(page, Call::Send(sent), Command::Im { command, timeout: None });
        if self.mutation == Some(Mutation::SettledEarly) && self.pages[page].mutated.happens() {
            let call = self.pages[page].calls.get_mut(&ticket).map(|(_, settled)| settled);
            if call.is_some_and(|settled| *settled == 0) {
                self.settled(page, ticket, Ok(Reply::Done));
            }
        }
    }

    fn ask(&mut self, page: usize, asked: Asked) {
        let to = match asked {
            Asked::Server => DOMAIN.to_owned(),
            Asked::Peer => format!("{PEER}/there"),
            Asked::Nobody => "nobody@example.org/x".to_owned(),
        };
        let request = IqRequest {
            set: false,
            to: Jid::parse(&to).ok(),
            payload: Element::new("question", "urn:example"),
        };
        self.log(|| format!("  page {page}: iq to {to}"));
        self.call(page, Call::Ask, Command::Iq { request, timeout: None });
    }

    /// A promise has been settled.
    pub fn settled(&mut self, page: usize, ticket: u64, result: Result<Reply, Error>) {
        let shown = match &result {
            Ok(_) => "resolves".to_owned(),
            Err(error) => format!("rejects: {} ({})", error.code().as_str(), error.message()),
        };
        self.log(|| format!("  page {page}: call {ticket} {shown}"));
        let mutated = matches!(self.mutation, Some(Mutation::NeverSettled | Mutation::SettledTwice));
        let mut times = 1;
        if mutated && self.pages[page].mutated.happens() {
            times = if self.mutation == Some(Mutation::SettledTwice) {
                2
            } else {
                0
            };
        }
        if times == 0 {
            return;
        }
        let Some((call, settled)) = self.pages[page].calls.get_mut(&ticket) else {
            return self.breaks(format!("call {ticket} of page {page} is settled, and was never made"));
        };
        *settled += times;
        let (call, settled) = (*call, *settled);
        if settled > 1 {
            return self.breaks(format!("call {ticket} of page {page} ({call:?}) is settled twice"));
        }
        match call {
            Call::Connect => {
                self.pages[page].connecting = false;
                if result.is_err() {
                    self.at(self.now + 1_000, Event::App { page });
                }
            }
            Call::Send(sent) => {
                let outcome = result.err().map_or(Ok(()), |error| Err(error.code().as_str()));
                self.outcome(page, sent, outcome);
            }
            Call::Ask => {}
            Call::Disconnect => {
                if let Err(error) = result {
                    self.breaks(format!("disconnect() fails: {}", error.code().as_str()));
                }
                self.judge_logout(page);
            }
        }
    }

    /// A listener runs: it may send something.
    pub fn listener(&mut self, page: usize, event: Said) {
        let often = match event {
            Said::Im(_) => self.plan.page.listener,
            Said::Status(Status::Online, _) | Said::Resumed { .. } => self.plan.page.listener * 2,
            _ => 0,
        };
        if !self.ended && often > 0 && self.sent.len() < 400 && self.random.percent(often) {
            self.send(page, true);
        }
        if let Said::Status(Status::Offline, _) = event {
            self.at(self.now + 1_000, Event::App { page });
        }
    }
}
