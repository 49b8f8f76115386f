//! SASL2 (XEP-0388 1.0.4) as a server speaks it, with what goes along: Bind 2 (XEP-0386 1.1.0), resumption and stream
//! management (XEP-0198), tokens (XEP-0484 0.2.0).

use super::login::{Stage, Stream};
use super::sm::Resumption;
use super::{ACCOUNT, Effect, PASSWORD, SM, Server, Session, attr, escaped};
use crate::network::Link;
use crate::plan::Login;
use crate::scram::{Fault, Scram};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use stanzawire::xml::{self, Element};
use std::collections::BTreeMap;

pub(super) const SASL2: &str = "urn:xmpp:sasl:2";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND2: &str = "urn:xmpp:bind:0";
const FAST: &str = "urn:xmpp:fast:0";
const HASHED: &str = "HT-SHA-256-NONE";

/// The tokens of all user agents.
#[derive(Debug, Default)]
pub struct Tokens {
    issued: Vec<Issued>,
    /// By which of them a connection has logged in.
    used: BTreeMap<Link, usize>,
}

#[derive(Debug)]
struct Issued {
    agent: String,
    token: String,
    /// What the client says of it, and what the server does.
    says: Vec<u8>,
    proof: String,
    slot: Slot,
}

/// XEP-0484 §5.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Slot {
    /// It hasn't been used.
    New,
    Current,
    /// Worth nothing any more.
    Void,
}

impl Tokens {
    /// §3.3. What was issued before and not used is worth nothing from now on (§3.5).
    fn issue(&mut self, agent: &str, token: String) {
        for other in self.issued.iter_mut().filter(|other| other.agent == agent) {
            if other.slot == Slot::New {
                other.slot = Slot::Void;
            }
        }
        let hashed = |role: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).unwrap();
            mac.update(role);
            mac.finalize().into_bytes().to_vec()
        };
        let (says, proof) = (hashed(b"Initiator"), STANDARD.encode(hashed(b"Responder")));
        self.issued.push(Issued {
            agent: agent.into(),
            token,
            says,
            proof,
            slot: Slot::New,
        });
    }

    /// One is used: the earlier ones go (§3.5).
    fn put_to_use(&mut self, number: usize, link: Link) {
        let agent = self.issued[number].agent.clone();
        for other in self.issued[..number].iter_mut().filter(|other| other.agent == agent) {
            other.slot = Slot::Void;
        }
        self.issued[number].slot = Slot::Current;
        self.used.insert(link, number);
    }

    pub(super) fn clear(&mut self) {
        self.issued.iter_mut().for_each(|issued| issued.slot = Slot::Void);
    }

    /// One that is among these, or was used on one of these connections, and is good still.
    pub fn good(&self, tokens: &[String], links: impl Fn(Link) -> bool) -> Option<&str> {
        let used: Vec<usize> = self
            .used
            .iter()
            .filter(|(link, _)| links(**link))
            .map(|(_, number)| *number)
            .collect();
        let good = self.issued.iter().enumerate().find(|(number, issued)| {
            issued.slot != Slot::Void && (used.contains(number) || tokens.contains(&issued.token))
        });
        good.map(|(_, issued)| issued.token.as_str())
    }
}

impl Server {
    /// What is offered before the login.
    pub(super) fn authentication(&self, mechanism: &str) -> String {
        let plan = &self.plan.sasl2;
        if !plan.offered {
            return String::new();
        }
        let mut inline = String::new();
        if plan.bind {
            let mut features = String::new();
            if plan.enable {
                features += &format!("<feature var='{SM}'/>");
            }
            if self.plan.csi {
                features += "<feature var='urn:xmpp:csi:0'/>";
            }
            inline += &format!("<bind xmlns='{BIND2}'><inline>{features}</inline></bind>");
        }
        if plan.resume {
            inline += &format!("<sm xmlns='{SM}'/>");
        }
        if plan.tokens {
            inline += &format!("<fast xmlns='{FAST}'><mechanism>{HASHED}</mechanism></fast>");
        }
        format!(
            "<authentication xmlns='{SASL2}'><mechanism>{mechanism}</mechanism><inline>{inline}</inline></authentication>"
        )
    }

    /// It comes back with another version, or other settings.
    pub fn change(&mut self) {
        if self.plan.sasl2.changes == 0 || !self.random.percent(self.plan.sasl2.changes) {
            return;
        }
        let what = self.random.below(6);
        let (sm, plan) = (self.plan.sm, &mut self.plan.sasl2);
        match what {
            0..=2 => plan.offered = !plan.offered,
            3 => plan.bind = !plan.bind,
            4 => plan.tokens = !plan.tokens,
            _ => (plan.resume, plan.enable) = (sm && !plan.resume, sm && !plan.enable),
        }
    }

    pub(super) fn authenticate(
        &mut self,
        link: Link,
        stream: (usize, &mut Option<String>),
        asked: &Element,
    ) -> Option<Stage> {
        let agent = asked.child("user-agent", SASL2).and_then(|agent| agent.attr("id"));
        let Some(agent) = agent.filter(|id| id.len() == 36).map(str::to_owned) else {
            self.wrong.push("an authentication of no user agent".into());
            return None;
        };
        *stream.1 = Some(agent.clone());
        let initial = asked.child_text("initial-response", SASL2).unwrap_or_default();
        let data = STANDARD.decode(initial.trim()).unwrap_or_default();
        match (self.plan.login, asked.attr("mechanism")) {
            (Login::Plain, Some("PLAIN")) if data == format!("\0alice\0{PASSWORD}").into_bytes() => {}
            (Login::External, Some("EXTERNAL")) => {}
            (Login::Scram, Some("SCRAM-SHA-1")) => {
                let mut scram = Scram::new(PASSWORD);
                let challenge = scram.challenge(&initial, &Fault::None);
                self.send(link, challenge.replace(SASL, SASL2));
                return Some(Stage::Answer(Box::new((scram, asked.clone()))));
            }
            (_, Some(HASHED)) if self.plan.sasl2.tokens => {
                return Some(match self.by_token(link, &agent, asked, &data) {
                    Some(proof) => self.succeed(link, stream.0, &agent, asked, Some(proof)),
                    None => self.fail(link, "credentials-expired"),
                });
            }
            (_, Some("PLAIN")) => return Some(self.fail(link, "not-authorized")),
            _ => return Some(self.fail(link, "invalid-mechanism")),
        }
        Some(self.succeed(link, stream.0, &agent, asked, None))
    }

    /// XEP-0388 §2.6.2: the client may try something else.
    fn fail(&mut self, link: Link, condition: &str) -> Stage {
        self.send(
            link,
            format!("<failure xmlns='{SASL2}'><{condition} xmlns='{SASL}'/></failure>"),
        );
        Stage::Mechanisms
    }

    /// The end of SCRAM.
    pub(super) fn respond(
        &mut self,
        link: Link,
        stream: (usize, &Option<String>),
        exchange: (Scram, Element),
        response: &Element,
    ) -> Stage {
        let (mut scram, asked) = exchange;
        let success = scram.success(&response.text(), &Fault::None);
        let success = xml::read(&success, &xml::Limits::default()).unwrap();
        if success.name() != "success" {
            return self.fail(link, "not-authorized");
        }
        let agent = stream.1.clone().unwrap_or_default();
        self.succeed(link, stream.0, &agent, &asked, Some(success.text()))
    }

    /// XEP-0484 §3.4: the server's proof, where the token is good.
    fn by_token(&mut self, link: Link, agent: &str, asked: &Element, data: &[u8]) -> Option<String> {
        let says = data.strip_prefix(b"alice\0")?;
        let number = self.tokens.issued.iter().position(|issued| issued.says == says)?;
        if asked.child("fast", FAST).is_none() {
            self.wrong.push("a token that isn't called one".into());
        }
        if self.tokens.issued[number].agent != agent {
            self.wrong
                .push(format!("the user agent {agent} uses the token of another one"));
            return None;
        }
        if self.random.percent(self.plan.sasl2.distrusts) {
            // Nor any other of that user agent.
            let of_agent = self.tokens.issued.iter_mut().filter(|issued| issued.agent == agent);
            of_agent.for_each(|issued| issued.slot = Slot::Void);
        }
        if self.tokens.issued[number].slot == Slot::Void {
            return None;
        }
        self.tokens.put_to_use(number, link);
        self.counts.by_token += 1;
        Some(self.tokens.issued[number].proof.clone())
    }

    /// The end of an authentication, with all that was asked for along with it (XEP-0388 §2.6.1).
    fn succeed(&mut self, link: Link, tab: usize, agent: &str, asked: &Element, data: Option<String>) -> Stage {
        let data = data.map(|data| format!("<additional-data>{data}</additional-data>"));
        let data = data.unwrap_or_default();
        let fast = asked.child("fast", FAST);
        let invalidate = fast.is_some_and(|fast| matches!(fast.attr("invalidate"), Some("true" | "1")));
        let mut token = String::new();
        if let Some(used) = self.tokens.used.get(&link).filter(|_| invalidate) {
            self.tokens.issued[*used].slot = Slot::Void;
        }
        let requested = asked.child("request-token", FAST).is_some();
        if self.plan.sasl2.tokens
            && (requested || fast.is_some() && !invalidate && self.random.percent(self.plan.sasl2.rotates))
        {
            let text = format!("t{}.{:016x}", self.number(), self.random.next());
            token = format!("<token xmlns='{FAST}' expiry='2030-01-01T00:00:00Z' token='{text}'/>");
            self.tokens.issue(agent, text);
        }
        let mut along = String::new();
        // XEP-0386 §2.2: first of all.
        if let Some(resume) = asked.child("resume", SM).filter(|_| self.plan.sasl2.resume) {
            match self.try_to_resume(link, tab, resume) {
                Resumption::Goes { id, resumed, again } => {
                    let session = self.sessions.get_mut(&id);
                    let resource = session.map(|session| {
                        session.agent = Some(agent.to_owned());
                        session.resource.clone()
                    });
                    let resource = resource.unwrap_or_default();
                    self.success(link, &data, Some(&resource), &(resumed + &token));
                    if !self.plan.sasl2.early {
                        self.features_behind(link);
                    }
                    again.into_iter().for_each(|frame| self.send(link, frame));
                    if self.plan.sasl2.early {
                        self.features_behind(link);
                    }
                    self.ask(id);
                    return Stage::Session(id);
                }
                Resumption::Refused(failed) => along = failed,
            }
        }
        let Some(bind) = asked.child("bind", BIND2).filter(|_| self.plan.sasl2.bind) else {
            self.success(link, &data, None, &(along + &token));
            self.features_behind(link);
            return Stage::Bind;
        };
        let (id, resource) = self.bind2(link, tab, agent, bind);
        let mut bound = String::new();
        if bind.child("enable", SM).is_some() && self.plan.sasl2.enable {
            let resume = bind.child("enable", SM).and_then(|enable| enable.attr("resume"));
            bound += &self.enable(id, matches!(resume, Some("true" | "1")));
        }
        if self.plan.archive && self.plan.sasl2.metadata {
            bound += &self.metadata();
        }
        let bound = format!("<bound xmlns='{BIND2}'>{bound}</bound>");
        self.success(link, &data, Some(&resource), &(along + &bound + &token));
        self.features_behind(link);
        Stage::Session(id)
    }

    fn success(&mut self, link: Link, data: &str, resource: Option<&str>, along: &str) {
        let jid = resource.map_or(ACCOUNT.to_owned(), |resource| format!("{ACCOUNT}/{resource}"));
        let jid = escaped(&jid);
        self.send(
            link,
            format!(
                "<success xmlns='{SASL2}'>{data}<authorization-identifier>{jid}</authorization-identifier>{along}</success>"
            ),
        );
    }

    /// XEP-0386 §2.2.
    fn bind2(&mut self, link: Link, tab: usize, agent: &str, bind: &Element) -> (u64, String) {
        let number = self.number();
        // What waits is in the archive, or ought to be.
        let dropped = std::mem::take(&mut self.offline);
        if !self.plan.archive && !dropped.is_empty() {
            self.dropped.push((link, self.now));
        }
        let tag = bind.children().find(|child| child.is("tag", BIND2)).map(Element::text);
        let tag = tag.map(|tag| tag + "/").unwrap_or_default();
        let own = match self.plan.sasl2.stable {
            // It must not show which agent it is.
            true => agent
                .bytes()
                .fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())),
            false => number,
        };
        let resource = format!("{tag}{own:x}");
        let resumes = self.plan.sasl2.resume;
        let ends = |session: &Session| {
            // What can't be resumed would linger, and take what it was sent long ago.
            let lingers = !session.managed.as_ref().is_some_and(|managed| managed.resumable) || !resumes;
            session.resource == resource
                || session.agent.as_deref() == Some(agent) && (self.plan.sasl2.terminates || lingers)
        };
        let earlier: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, session)| ends(session))
            .map(|(id, _)| *id)
            .collect();
        for id in earlier {
            self.counts.replaced += 1;
            if let Some(link) = self.sessions.get(&id).and_then(|session| session.link) {
                self.stream_error(link, "conflict");
            }
            self.end(id);
        }
        self.counts.logins += 1;
        self.counts.inline += 1;
        let session = Session {
            tab,
            resource: resource.clone(),
            bound: self.now,
            agent: Some(agent.to_owned()),
            link: Some(link),
            managed: None,
            present: false,
            expires: None,
        };
        self.sessions.insert(number, session);
        (number, resource)
    }

    /// Somebody begins by what the server doesn't speak, or doesn't speak any more.
    pub(super) fn not_spoken(&mut self, link: Link, stream: Stream) {
        match self.random.below(3) {
            // The features are under way.
            0 => {
                self.streams.insert(link, stream);
            }
            way => {
                let condition = if way == 1 {
                    "unsupported-stanza-type"
                } else {
                    "not-authorized"
                };
                self.stream_error(link, condition);
                self.effects.push(Effect::Close(link));
            }
        }
    }
}

/// The id of the user agent in a frame, for those who watch.
pub fn agent_of(frame: &str) -> Option<String> {
    let authenticate = xml::read(frame, &xml::Limits::default()).ok()?;
    let agent = authenticate.child("user-agent", SASL2)?;
    Some(attr(agent, "id"))
}
