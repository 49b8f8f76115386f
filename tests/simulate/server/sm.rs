//! The server's side of XEP-0198 1.6.3: counters modulo 2³², the queue of what the client hasn't acknowledged, resumption.

use super::{CLIENT, Effect, Later, SM, Server};
use crate::network::Link;
use stanzawire::xml::Element;
use std::collections::VecDeque;

const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// A session's stream management, once it is enabled.
#[derive(Debug)]
pub(super) struct Managed {
    pub(super) id: String,
    pub(super) resumable: bool,
    /// Stanzas of the client's that were handled.
    pub(super) handled: u32,
    /// What the client was told of that.
    told: u32,
    /// How many stanzas the client has acknowledged.
    acknowledged: u32,
    pub(super) queue: VecDeque<Queued>,
    /// When the client was asked what has not been answered.
    pub(super) asked: Option<u64>,
}

/// A stanza that the client hasn't acknowledged.
#[derive(Debug)]
pub(super) struct Queued {
    frame: String,
    /// The message of the peer's in it.
    pub(super) given: Option<usize>,
}

/// What comes of a `<resume/>`.
pub(super) enum Resumption {
    /// The session goes on: the word for it, and what is sent again.
    Goes {
        id: u64,
        resumed: String,
        again: Vec<String>,
    },
    /// The word for that.
    Refused(String),
}

impl Server {
    /// What isn't a stanza. Whether it was that.
    pub(super) fn nonza(&mut self, id: u64, link: Link, element: &Element) -> bool {
        if element.ns() != SM {
            return false;
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return true;
        };
        match (element.name(), &mut session.managed) {
            ("enable", None) if self.plan.sm => {
                let enabled = self.enable(id, matches!(element.attr("resume"), Some("true" | "1")));
                self.send(link, enabled);
            }
            ("enable", None) => {
                if self.plan.strict {
                    self.stream_error(link, "unsupported-stanza-type");
                    self.effects.push(Effect::Close(link));
                    self.streams.remove(&link);
                    self.end(id);
                } else {
                    self.send(link, failed("<feature-not-implemented", None));
                }
            }
            ("r", Some(_)) => {
                if self.random.percent(self.plan.slow_acks) {
                    let delay = self.random.below(2_000);
                    self.later(delay, id, Later::Ack);
                } else {
                    self.acknowledge(id);
                }
            }
            ("a", Some(managed)) => {
                managed.asked = None;
                match handled(element) {
                    Some(h) => self.acknowledged(id, h),
                    None => self.wrong.push("an <a/> without a number".into()),
                }
            }
            (name, managed) => {
                let on = if managed.is_some() { "with" } else { "without" };
                self.wrong.push(format!("<{name}/> {on} stream management"));
            }
        }
        true
    }

    /// Says how much has been handled.
    pub(super) fn acknowledge(&mut self, id: u64) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let (Some(link), Some(managed)) = (session.link, &mut session.managed) {
            managed.told = managed.handled;
            let h = managed.handled;
            self.send(link, format!("<a xmlns='{SM}' h='{h}'/>"));
        }
    }

    /// The client says how much it has handled.
    fn acknowledged(&mut self, id: u64, h: u32) {
        let Some(managed) = self.sessions.get_mut(&id).and_then(|session| session.managed.as_mut()) else {
            return;
        };
        let more = h.wrapping_sub(managed.acknowledged) as usize;
        if more > managed.queue.len() {
            let (before, waiting) = (managed.acknowledged, managed.queue.len());
            self.wrong.push(format!(
                "the client acknowledges {h} stanzas; it had acknowledged {before}, and {waiting} more were sent"
            ));
            return;
        }
        managed.acknowledged = h;
        for queued in managed.queue.drain(..more) {
            if let Some(given) = queued.given {
                self.given[given].acknowledged = true;
            }
        }
    }

    /// Stream management begins here; what is said to that.
    pub(super) fn enable(&mut self, id: u64, resumable: bool) -> String {
        let resumable = self.plan.resume && resumable;
        let managed = Managed {
            id: format!("sm{id}"),
            resumable,
            handled: self.plan.counters,
            told: self.plan.counters,
            acknowledged: self.plan.counters,
            queue: VecDeque::new(),
            asked: None,
        };
        let max = self.plan.keeps / 1_000;
        let enabled = match resumable {
            true => format!("<enabled xmlns='{SM}' id='{}' resume='true' max='{max}'/>", managed.id),
            false => format!("<enabled xmlns='{SM}'/>"),
        };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.managed = Some(managed);
        }
        enabled
    }

    /// `<resume/>` where it is asked by itself: the session that goes on, if any does.
    pub(super) fn resume(&mut self, link: Link, tab: usize, resume: &Element) -> Option<u64> {
        match self.try_to_resume(link, tab, resume) {
            Resumption::Goes { id, resumed, again } => {
                self.send(link, resumed);
                for frame in again {
                    self.send(link, frame);
                }
                self.ask(id);
                Some(id)
            }
            Resumption::Refused(failed) => {
                self.send(link, failed);
                None
            }
        }
    }

    pub(super) fn try_to_resume(&mut self, link: Link, tab: usize, resume: &Element) -> Resumption {
        let previous = resume.attr("previd").unwrap_or_default();
        let Some(h) = handled(resume) else {
            self.wrong.push("a <resume/> without a number".into());
            return Resumption::Refused(failed("<unexpected-request", None));
        };
        let found = self.sessions.iter().find_map(|(id, session)| {
            let managed = session.managed.as_ref()?;
            (managed.resumable && managed.id == previous).then_some((*id, session, managed))
        });
        let Some((id, session, managed)) = found else {
            let h = self.forgotten.get(previous).copied();
            self.counts.refused += 1;
            return Resumption::Refused(failed("<item-not-found", h));
        };
        if session.tab != tab {
            self.stolen = Some((session.tab, tab, session.link));
        }
        if managed.queue.len() > self.plan.queue_limit {
            let h = self.plan.failed_h.then_some(managed.handled);
            self.counts.refused += 1;
            self.end(id);
            return Resumption::Refused(failed("<item-not-found", h));
        }
        if h.wrapping_sub(managed.acknowledged) as usize > managed.queue.len() {
            // It says that it has more than it was sent, or takes something back: it remembers another time.
            let before = managed.acknowledged;
            self.stale = Some((link, format!("it resumes with {h}, and had acknowledged {before}")));
            self.counts.refused += 1;
            self.end(id);
            return Resumption::Refused(failed("<item-not-found", None));
        }
        self.acknowledged(id, h);
        self.counts.resumed += 1;
        let (mut resumed, mut again, mut old) = (String::new(), Vec::new(), None);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.expires = None;
            session.tab = tab;
            old = session.link.replace(link).filter(|old| *old != link);
            if let Some(managed) = &mut session.managed {
                managed.asked = None;
                managed.told = managed.handled;
                let (id, h) = (&managed.id, managed.handled);
                resumed = format!("<resumed xmlns='{SM}' previd='{id}' h='{h}'/>");
                again = managed.queue.iter().map(|queued| queued.frame.clone()).collect();
            }
        }
        if let Some(old) = old {
            self.streams.remove(&old);
            self.stream_error(old, "conflict");
            self.effects.push(Effect::Close(old));
        }
        Resumption::Goes { id, resumed, again }
    }

    /// Hands a stanza to a session.
    pub(super) fn give(&mut self, id: u64, frame: String, given: Option<usize>) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Some(managed) = &mut session.managed {
            managed.queue.push_back(Queued {
                frame: frame.clone(),
                given,
            });
        }
        if let Some(link) = session.link {
            self.send(link, frame);
            if self.random.percent(self.plan.asks) {
                self.ask(id);
            }
        }
    }

    pub(super) fn ask(&mut self, id: u64) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let (Some(link), Some(managed)) = (session.link, &mut session.managed) {
            managed.asked.get_or_insert(now);
            self.send(link, format!("<r xmlns='{SM}'/>"));
        }
    }

    /// Asks all that can be asked.
    pub fn ask_all(&mut self, now: u64) {
        self.now = now;
        let ids: Vec<u64> = self.sessions.keys().copied().collect();
        ids.into_iter().for_each(|id| self.ask(id));
    }

    /// Acknowledges what was never sent, or takes back what was acknowledged.
    pub fn lie(&mut self, now: u64, backwards: bool) {
        self.now = now;
        for session in self.sessions.values() {
            let (Some(link), Some(managed)) = (session.link, &session.managed) else {
                continue;
            };
            let h = match backwards {
                true if managed.told == self.plan.counters => continue,
                true => managed.told.wrapping_sub(1),
                false => managed.handled.wrapping_add(100_000),
            };
            self.effects
                .push(Effect::Send(link, format!("<a xmlns='{SM}' h='{h}'/>")));
        }
    }

    /// A stanza of the client's is handled now.
    pub(super) fn count(&mut self, id: u64, element: &Element) {
        let is_stanza = element.ns() == CLIENT && matches!(element.name(), "message" | "presence" | "iq");
        let session = self.sessions.get_mut(&id);
        if let Some(managed) = session
            .and_then(|session| session.managed.as_mut())
            .filter(|_| is_stanza)
        {
            managed.handled = managed.handled.wrapping_add(1);
        }
    }
}

fn handled(element: &Element) -> Option<u32> {
    element.attr("h")?.parse().ok()
}

fn failed(condition: &str, h: Option<u32>) -> String {
    let h = h.map(|h| format!(" h='{h}'")).unwrap_or_default();
    format!("<failed xmlns='{SM}'{h}>{condition} xmlns='{STANZAS}'/></failed>")
}
