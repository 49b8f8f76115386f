//! A stream up to its session: RFC 7395 §3.4, SASL of RFC 6120 §6 or the extensible one (`sasl2.rs`), and then a resource
//! (§7) or an earlier session.

use super::sasl2::SASL2;
use super::{ACCOUNT, CLIENT, DOMAIN, FRAMING, PASSWORD, SM, Server, Session, attr, escaped};
use crate::network::Link;
use crate::plan::Login;
use crate::scram::{Fault, Scram};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stanzawire::xml::Element;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";

/// A connection's stream.
pub(super) struct Stream {
    tab: usize,
    stage: Stage,
    /// Who has authenticated (XEP-0388 §2.3).
    agent: Option<String>,
}

pub(super) enum Stage {
    Header,
    Mechanisms,
    Response(Box<Scram>),
    /// The same in the extensible profile, with what was asked for along with it.
    Answer(Box<(Scram, Element)>),
    Anew,
    Bind,
    Session(u64),
    /// Whatever comes, nobody listens: the stream has ended with an error.
    Over,
}

impl Stream {
    pub(super) fn new(tab: usize) -> Stream {
        Stream {
            tab,
            stage: Stage::Header,
            agent: None,
        }
    }

    pub(super) fn session(&self) -> Option<u64> {
        match self.stage {
            Stage::Session(session) => Some(session),
            _ => None,
        }
    }
}

impl Server {
    pub(super) fn login(&mut self, link: Link, element: &Element) {
        let Some(stream) = self.streams.get_mut(&link) else {
            return;
        };
        let tab = stream.tab;
        let next = match (
            std::mem::replace(&mut stream.stage, Stage::Over),
            element.name(),
            element.ns(),
        ) {
            (Stage::Header, "open", FRAMING) => {
                self.open(link);
                let mechanism = match self.plan.login {
                    Login::Plain => "PLAIN",
                    Login::External => "EXTERNAL",
                    Login::Scram => "SCRAM-SHA-1",
                };
                let list = format!("<mechanisms xmlns='{SASL}'><mechanism>{mechanism}</mechanism></mechanisms>");
                self.features(link, &(list + &self.authentication(mechanism)));
                Stage::Mechanisms
            }
            (Stage::Mechanisms, "auth", SASL) => match self.auth(link, element) {
                Some(stage) => stage,
                None => return self.give_up(link, "not-authorized"),
            },
            (Stage::Mechanisms, "authenticate", SASL2) if self.plan.sasl2.offered => {
                let mut agent = None;
                let next = self.authenticate(link, (tab, &mut agent), element);
                if let Some(stream) = self.streams.get_mut(&link) {
                    stream.agent = agent;
                }
                match next {
                    Some(stage) => stage,
                    None => return self.give_up(link, "not-authorized"),
                }
            }
            (Stage::Mechanisms, "authenticate", SASL2) => {
                if let Some(mut stream) = self.streams.remove(&link) {
                    stream.stage = Stage::Mechanisms;
                    self.not_spoken(link, stream);
                }
                return;
            }
            (Stage::Answer(exchange), "response", SASL2) => {
                let agent = stream.agent.clone();
                self.respond(link, (tab, &agent), *exchange, element)
            }
            (Stage::Response(mut scram), "response", SASL) => {
                let success = scram.success(&element.text(), &Fault::None);
                self.send(link, success);
                Stage::Anew
            }
            (Stage::Anew, "open", FRAMING) => {
                self.open(link);
                self.features_behind(link);
                Stage::Bind
            }
            (Stage::Bind, "iq", CLIENT) if element.child("bind", BIND).is_some() => self.bind(link, tab, element),
            (Stage::Bind, "resume", SM) if self.plan.sm => match self.resume(link, tab, element) {
                Some(session) => Stage::Session(session),
                None => Stage::Bind,
            },
            (_, name, ns) => {
                // What was sent ahead of its turn to a server that isn't as it was.
                let ahead = ns == SM && !self.plan.sm;
                if !ahead {
                    self.wrong
                        .push(format!("<{name} xmlns='{ns}'/> has no place in this login"));
                }
                return self.give_up(link, "not-authorized");
            }
        };
        if let Some(stream) = self.streams.get_mut(&link) {
            stream.stage = next;
        }
    }

    fn give_up(&mut self, link: Link, condition: &str) {
        self.stream_error(link, condition);
        self.effects.push(super::Effect::Close(link));
        self.streams.remove(&link);
    }

    fn open(&mut self, link: Link) {
        let id = self.number();
        self.send(
            link,
            format!("<open xmlns='{FRAMING}' from='{DOMAIN}' id='s{id}' version='1.0'/>"),
        );
    }

    fn features(&mut self, link: Link, features: &str) {
        self.send(
            link,
            format!("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{features}</stream:features>"),
        );
    }

    /// What is offered once the login is through.
    pub(super) fn features_behind(&mut self, link: Link) {
        let mut features = format!("<bind xmlns='{BIND}'/>");
        if self.plan.sm {
            features += "<sm xmlns='urn:xmpp:sm:3'/>";
        }
        if self.plan.csi {
            features += "<csi xmlns='urn:xmpp:csi:0'/>";
        }
        self.features(link, &features);
    }

    fn auth(&mut self, link: Link, element: &Element) -> Option<Stage> {
        let text = element.text();
        match (self.plan.login, element.attr("mechanism")) {
            (Login::Plain, Some("PLAIN")) => {
                let message = STANDARD.decode(text).unwrap_or_default();
                if message != format!("\0alice\0{PASSWORD}").into_bytes() {
                    return None;
                }
            }
            (Login::External, Some("EXTERNAL")) => {}
            (Login::Scram, Some("SCRAM-SHA-1")) => {
                let mut scram = Scram::new(PASSWORD);
                let challenge = scram.challenge(&text, &Fault::None);
                self.send(link, challenge);
                return Some(Stage::Response(Box::new(scram)));
            }
            _ => return None,
        }
        self.send(link, format!("<success xmlns='{SASL}'/>"));
        Some(Stage::Anew)
    }

    fn bind(&mut self, link: Link, tab: usize, iq: &Element) -> Stage {
        let number = self.number();
        let asked = iq
            .child("bind", BIND)
            .and_then(|bind| bind.child_text("resource", BIND));
        let resource = asked.unwrap_or_else(|| format!("r{number}"));
        // RFC 6120 §7.7.2.2: the newcomer wins.
        let there = self.sessions.iter().find(|(_, session)| session.resource == resource);
        if let Some(id) = there.map(|(id, _)| *id) {
            self.counts.replaced += 1;
            if let Some(link) = self.sessions.get(&id).and_then(|session| session.link) {
                self.stream_error(link, "conflict");
            }
            self.end(id);
        }
        let jid = escaped(&format!("{ACCOUNT}/{resource}"));
        self.counts.logins += 1;
        self.sessions.insert(
            number,
            Session {
                tab,
                resource,
                bound: self.now,
                agent: self.streams.get(&link).and_then(|stream| stream.agent.clone()),
                link: Some(link),
                managed: None,
                present: false,
                expires: None,
            },
        );
        let id = attr(iq, "id");
        self.send(
            link,
            format!("<iq xmlns='{CLIENT}' type='result' id='{id}'><bind xmlns='{BIND}'><jid>{jid}</jid></bind></iq>"),
        );
        Stage::Session(number)
    }
}
