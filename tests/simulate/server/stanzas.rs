//! What the server does with stanzas: RFC 6121 §8 for one account and its peer, and the answers to a client's questions.

use super::{ACCOUNT, CLIENT, DOMAIN, Given, Later, PEER, Server, attr, escaped};
use crate::network::Link;
use stanzawire::xml::Element;

const DISCO: &str = "http://jabber.org/protocol/disco#info";
const ROSTER: &str = "jabber:iq:roster";
const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

impl Server {
    pub(super) fn online(&mut self, id: u64, link: Link, element: &Element) {
        if self.nonza(id, link, element) {
            return;
        }
        self.count(id, element);
        match (element.name(), element.ns()) {
            ("message", CLIENT) => self.message(id, element),
            ("presence", CLIENT) => self.presence(id, element),
            ("iq", CLIENT) => self.iq(id, element),
            ("active" | "inactive", "urn:xmpp:csi:0") if self.plan.csi => {}
            (name, ns) => self.wrong.push(format!("<{name} xmlns='{ns}'/> in a session")),
        }
        if self.plan.sm && self.random.percent(5) {
            // §4: a server may acknowledge without having been asked.
            self.acknowledge(id);
        }
    }

    fn from(&self, id: u64) -> String {
        let resource = self.sessions.get(&id).map_or("", |session| session.resource.as_str());
        escaped(&format!("{ACCOUNT}/{resource}"))
    }

    /// A message of the client's: the peer has it from now on.
    fn message(&mut self, id: u64, message: &Element) {
        let Some(number) = number(message, 'a') else {
            return self
                .wrong
                .push(format!("a message that the app didn't send: {message:?}"));
        };
        if message.attr("to") != Some(PEER) {
            self.wrong
                .push(format!("message {number} goes to {:?}", message.attr("to")));
        }
        self.taken.push(number);
        if message.attr("type") == Some("chat") {
            let from = self.from(id);
            let origin = message
                .child("origin-id", "urn:xmpp:sid:0")
                .map(|origin| attr(origin, "id"));
            let origin = origin
                .map(|id| format!("<origin-id xmlns='urn:xmpp:sid:0' id='{id}'/>"))
                .unwrap_or_default();
            let stanza = format!(
                "<message xmlns='{CLIENT}' from='{from}' to='{PEER}' type='chat' id='{}'><body>[a{number}]</body>{origin}",
                attr(message, "id")
            );
            self.keep(stanza, None);
        }
    }

    /// The peer sends a message.
    pub fn peer_says(&mut self, now: u64, number: u32) {
        self.now = now;
        let mut stanza = format!(
            "<message xmlns='{CLIENT}' from='{PEER}/there' to='{ACCOUNT}' type='chat' id='b{number}'>\
             <body>[b{number}]</body>"
        );
        if let Some(id) = self.keep(stanza.clone(), Some(number)) {
            stanza += &format!("<stanza-id xmlns='urn:xmpp:sid:0' id='{id}' by='{ACCOUNT}'/>");
        }
        stanza += "</message>";
        let present: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.present)
            .map(|(id, _)| *id)
            .collect();
        if present.is_empty() {
            if self.plan.offline {
                self.offline.push(number);
            } else if !self.plan.archive {
                self.unheard.push(number);
            }
        }
        for id in present {
            self.hand_over(id, number, stanza.clone());
        }
    }

    fn hand_over(&mut self, id: u64, number: u32, stanza: String) {
        let Some((tab, bound)) = self.sessions.get(&id).map(|session| (session.tab, session.bound)) else {
            return;
        };
        self.given.push(Given {
            number,
            tab,
            bound,
            acknowledged: false,
        });
        self.give(id, stanza, Some(self.given.len() - 1));
    }

    fn presence(&mut self, id: u64, presence: &Element) {
        if presence.attr("to").is_some() {
            return;
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let before = session.present;
        session.present = presence.attr("type").is_none();
        let arrives = session.present && !before;
        if self.plan.echo && self.sessions.get(&id).is_some_and(|session| session.present) {
            let from = self.from(id);
            self.give(
                id,
                format!("<presence xmlns='{CLIENT}' from='{from}' to='{from}'/>"),
                None,
            );
        }
        if arrives {
            self.arrived.extend(self.sessions.get(&id).map(|session| session.tab));
            for number in std::mem::take(&mut self.offline) {
                let kept = self.archive.iter().find(|entry| entry.number == Some(number));
                let (stamp, sid) = match kept {
                    Some(entry) => (
                        super::archive::stamp(entry.at),
                        format!("<stanza-id xmlns='urn:xmpp:sid:0' id='{}' by='{ACCOUNT}'/>", entry.id),
                    ),
                    None => (super::archive::stamp(self.now), String::new()),
                };
                let stanza = format!(
                    "<message xmlns='{CLIENT}' from='{PEER}/there' to='{ACCOUNT}' type='chat' id='b{number}'>\
                     <body>[b{number}]</body>{sid}<delay xmlns='urn:xmpp:delay' from='{DOMAIN}' stamp='{stamp}'/></message>"
                );
                self.hand_over(id, number, stanza);
            }
        }
    }

    fn iq(&mut self, id: u64, iq: &Element) {
        if matches!(iq.attr("type"), Some("result" | "error")) {
            return;
        }
        let Some(payload) = iq.children().next() else {
            return self.wrong.push("an iq without a payload".into());
        };
        let own = iq.attr("to").is_none_or(|to| to == ACCOUNT);
        match (payload.name(), payload.ns(), iq.attr("to")) {
            // Another client of the account's has none that this one could miss.
            ("enable", "urn:xmpp:carbons:2", None) => self.answer(id, iq, String::new()),
            ("ping", "urn:xmpp:ping", None | Some(DOMAIN | ACCOUNT)) => self.answer(id, iq, String::new()),
            ("query", ROSTER, _) if own => self.answer(id, iq, format!("<query xmlns='{ROSTER}'/>")),
            ("query", DISCO, None | Some(DOMAIN | ACCOUNT)) => {
                let mut features = format!("<feature var='{DISCO}'/><feature var='urn:xmpp:ping'/>");
                if self.plan.archive && own {
                    features += "<feature var='urn:xmpp:mam:2'/><feature var='urn:xmpp:sid:0'/>";
                }
                let answer = format!(
                    "<query xmlns='{DISCO}'><identity category='account' type='registered'/>{features}</query>"
                );
                self.answer(id, iq, answer);
            }
            ("query" | "prefs" | "metadata", super::archive::MAM, _) if own && self.plan.archive => {
                self.search(id, iq, payload);
            }
            ("question", "urn:example", None | Some(DOMAIN)) => {
                self.answer(id, iq, "<answer xmlns='urn:example'/>".into());
            }
            ("question", "urn:example", Some(to)) if to.starts_with(PEER) => {
                let answer = answered(iq, "<answer xmlns='urn:example'/>".into());
                let delay = self.random.below(2_000);
                self.later(delay, id, Later::Stanzas(vec![answer]));
            }
            // Somebody who never answers.
            ("question", "urn:example", Some(_)) => {}
            _ => self.refuse(id, iq, "service-unavailable"),
        }
    }

    pub(super) fn answer(&mut self, id: u64, iq: &Element, payload: String) {
        self.give(id, answered(iq, payload), None);
    }

    pub(super) fn refuse(&mut self, id: u64, iq: &Element, condition: &str) {
        let error = format!("<error type='cancel'><{condition} xmlns='{STANZAS}'/></error>");
        let answer = answered(iq, error).replace("type='result'", "type='error'");
        self.give(id, answer, None);
    }
}

/// The result that answers an iq. From whom it was asked.
pub(super) fn answered(iq: &Element, payload: String) -> String {
    let from = iq
        .attr("to")
        .map(|to| format!(" from='{}'", escaped(to)))
        .unwrap_or_default();
    format!(
        "<iq xmlns='{CLIENT}' type='result' id='{}'{from}>{payload}</iq>",
        attr(iq, "id")
    )
}

/// The number in a message of this side's: `[a12]`.
pub fn number(message: &Element, side: char) -> Option<u32> {
    in_text(&message.child_text("body", CLIENT)?, side)
}

/// The same in its body.
pub fn in_text(body: &str, side: char) -> Option<u32> {
    body.strip_prefix('[')?
        .strip_prefix(side)?
        .strip_suffix(']')?
        .parse()
        .ok()
}
