//! A client and a scripted server on a virtual clock: the engine on one side, the test on the other, and nothing that
//! depends on the machine between them.

use crate::server::{Fault, Scram};
use stanzawire::engine::{
    Command, Config, Engine, Event, Fetched, Input, IqRequest, Millis, Observe, Output, Reply, Ticket, Wish,
};
use stanzawire::error::Error;
use stanzawire::im::{self, chat, presence, roster};
use stanzawire::jid::Jid;
use stanzawire::sasl::{Credentials, Secret, derive};
use stanzawire::session::{self, CredentialSource, ReconnectPolicy, Status};
use stanzawire::xml::{self, Element};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub const NS_CLIENT: &str = "jabber:client";
pub const NS_MAM: &str = "urn:xmpp:mam:2";
pub const JID: &str = "alice@example.org/here";

/// The two sides, and what has happened between them so far.
pub struct Pair {
    pub engine: Engine,
    pub now: Millis,
    /// What the client sent and the test hasn't looked at.
    pub sent: VecDeque<String>,
    /// How often each call was settled, and with what.
    pub replies: BTreeMap<u64, Vec<Result<Reply, Error>>>,
    pub events: Vec<Event>,
    /// The socket that the client wants, and where to.
    pub socket: Option<(u32, String)>,
    /// The documents that the client has asked for, in that order.
    pub fetches: Vec<(Ticket, String)>,
    pub derive: Option<(Ticket, derive::KeyRequest)>,
    pub asked: Option<Ticket>,
    /// Why the app is asked for credentials again.
    pub asked_because: Option<Error>,
    /// The key that the client wants looked up.
    pub load: Option<(Ticket, String)>,
    /// What the client wants kept, by key.
    pub stored: Vec<(String, Option<String>)>,
    /// What the store has of sessions; it answers for these by itself. What is known of servers is the test's to answer for.
    pub kept: BTreeMap<String, String>,
    /// The same as of the last write of a segment, or of a header by which a client has logged out.
    pub at_segment: BTreeMap<String, String>,
    /// The first stanza sent since this was looked at, and the same as of then.
    pub first_stanza: Option<(String, BTreeMap<String, String>)>,
    /// Whether the store takes anything.
    pub store_fails: bool,
    /// The locks that somebody holds.
    pub locked: BTreeSet<String>,
    /// Whether locks keep their askers waiting, and whether the store says nothing.
    pub hold_locks: bool,
    pub silent_store: bool,
    /// The store says nothing of keys that end like this.
    pub mute: Option<&'static str>,
    answers: VecDeque<(Ticket, Answer)>,
    pub closed: u32,
    calls: u64,
}

enum Answer {
    Load(Option<String>),
    Store(bool),
    Lock(bool),
}

pub fn password(text: &str) -> CredentialSource {
    CredentialSource::Fixed(Credentials::Password(Secret::new(text.as_bytes().to_vec())))
}

pub fn config() -> Config {
    Config {
        session: session::Config {
            url: Some("wss://example.org/ws".into()),
            // What these are by default, and what they are for, is the matter of tests of their own.
            silence: u64::MAX,
            reconnect: Some(ReconnectPolicy {
                base: 1_000,
                ..ReconnectPolicy::default()
            }),
            ..session::Config::new(Jid::parse("alice@example.org").unwrap(), password("secret"))
        },
        im: im::Config::default(),
    }
}

impl Pair {
    pub fn new(config: Config) -> Pair {
        Pair::seeded(config, 42)
    }

    pub fn seeded(config: Config, seed: u8) -> Pair {
        let mut pair = Pair {
            engine: Engine::new(config, [seed; 32]),
            now: Millis(1_000),
            sent: VecDeque::new(),
            replies: BTreeMap::new(),
            events: Vec::new(),
            socket: None,
            fetches: Vec::new(),
            derive: None,
            asked: None,
            asked_because: None,
            load: None,
            stored: Vec::new(),
            kept: BTreeMap::new(),
            at_segment: BTreeMap::new(),
            first_stanza: None,
            store_fails: false,
            locked: BTreeSet::new(),
            hold_locks: false,
            silent_store: false,
            mute: None,
            answers: VecDeque::new(),
            closed: 0,
            calls: 0,
        };
        pair.engine.observe(Observe {
            stanzas: true,
            frames: false,
        });
        pair
    }

    /// A client that is logged in, its first stanzas taken.
    pub fn online() -> Pair {
        Pair::online_with(config())
    }

    pub fn online_with(config: Config) -> Pair {
        let mut pair = Pair::new(config);
        let call = pair.connect();
        pair.open_socket();
        pair.login(&Fault::None);
        assert!(matches!(pair.reply(call), Ok(Reply::Done)));
        pair.take_first_stanzas();
        pair
    }

    /// The roster request and the first presence, unanswered, and behind them the request for carbons, and the question where the
    /// archive ends: it is empty.
    pub fn take_first_stanzas(&mut self) -> (Element, Element) {
        let roster = self.element();
        assert!(
            roster.child("query", "jabber:iq:roster").is_some(),
            "the roster first: RFC 6121 §2.2"
        );
        let presence = self.element();
        assert!(presence.is("presence", NS_CLIENT));
        self.take_carbons();
        let archive = self.element();
        assert!(
            archive.child("metadata", NS_MAM).is_some(),
            "nothing falls between the archive and the presence"
        );
        self.answer(&archive, &format!("<metadata xmlns='{NS_MAM}'/>"));
        (roster, presence)
    }

    /// The request for carbons: there are some from now on.
    pub fn take_carbons(&mut self) {
        let carbons = self.element();
        assert!(carbons.child("enable", "urn:xmpp:carbons:2").is_some(), "{carbons:?}");
        self.answer(&carbons, "");
    }

    // --- the app's side ---

    pub fn call(&mut self, command: Command) -> Ticket {
        self.calls += 1;
        let ticket = Ticket(self.calls);
        self.engine.command(self.now, ticket, command);
        self.drain();
        ticket
    }

    pub fn connect(&mut self) -> Ticket {
        self.call(Command::Connect { timeout: None })
    }

    pub fn send(&mut self, to: &str, body: &str) -> Ticket {
        self.call(Command::Im {
            command: im::Command::Chat(chat::Command::Send(Box::new(chat::OutgoingMessage {
                to: to.into(),
                body: Some(body.into()),
                ..Default::default()
            }))),
            timeout: None,
        })
    }

    pub fn iq(&mut self, to: Option<&str>) -> Ticket {
        self.call(Command::Iq {
            request: IqRequest {
                set: false,
                to: to.map(|to| Jid::parse(to).unwrap()),
                payload: Element::new("question", "urn:example"),
            },
            timeout: None,
        })
    }

    pub fn roster(&mut self) -> Ticket {
        self.call(Command::Im {
            command: im::Command::Roster(roster::Command::Get),
            timeout: None,
        })
    }

    pub fn abort(&mut self, ticket: Ticket) {
        self.engine.abort(self.now, ticket);
        self.drain();
    }

    /// How a call ended. It must have.
    pub fn reply(&self, ticket: Ticket) -> Result<Reply, Error> {
        let replies = self.replies.get(&ticket.0).expect("the call is settled");
        assert_eq!(replies.len(), 1, "a call is settled once");
        replies[0].clone()
    }

    pub fn error(&self, ticket: Ticket) -> Error {
        self.reply(ticket).expect_err("the call fails")
    }

    pub fn is_open(&self, ticket: Ticket) -> bool {
        !self.replies.contains_key(&ticket.0)
    }

    pub fn statuses(&self) -> Vec<Status> {
        let status = |event: &Event| match event {
            Event::Status(status, _) => Some(*status),
            _ => None,
        };
        self.events.iter().filter_map(status).collect()
    }

    pub fn messages(&self) -> Vec<chat::Message> {
        let message = |event: &Event| match event {
            Event::Im(im::Event::Chat(chat::News::Message(message))) => Some(chat::Message::clone(message)),
            _ => None,
        };
        self.events.iter().filter_map(message).collect()
    }

    pub fn presences(&self) -> Vec<presence::PresenceEvent> {
        let presence = |event: &Event| match event {
            Event::Im(im::Event::Presence(presence)) => Some(presence.clone()),
            _ => None,
        };
        self.events.iter().filter_map(presence).collect()
    }

    // --- the network's side ---

    pub fn handle(&mut self, input: Input<'_>) {
        self.engine.handle(self.now, input);
        self.drain();
    }

    pub fn generation(&self) -> u32 {
        self.socket.as_ref().expect("the client has a socket").0
    }

    pub fn open_socket(&mut self) {
        let generation = self.generation();
        self.handle(Input::SocketOpen {
            generation,
            protocol: "xmpp",
        });
    }

    pub fn close_socket(&mut self) {
        let (generation, _) = self.socket.take().expect("the client has a socket");
        self.handle(Input::SocketClosed {
            generation,
            code: 1006,
            clean: false,
        });
    }

    pub fn receive(&mut self, frame: &str) {
        let generation = self.generation();
        self.handle(Input::Frame {
            generation,
            data: frame,
        });
    }

    /// Answers for host-meta in XML.
    pub fn xrd(&mut self, outcome: Fetched<'_>) {
        self.fetched(".well-known/host-meta", outcome);
    }

    /// Answers for host-meta in JSON.
    pub fn jrd(&mut self, outcome: Fetched<'_>) {
        self.fetched(".well-known/host-meta.json", outcome);
    }

    fn fetched(&mut self, place: &str, outcome: Fetched<'_>) {
        let asked = self.fetches.iter().position(|(_, url)| url.ends_with(place));
        let (id, _) = self.fetches.remove(asked.expect("the client asked for host-meta"));
        self.handle(Input::Fetched { id, outcome });
    }

    /// Lets time pass, waking the client whenever it asked for it.
    pub fn advance(&mut self, ms: u64) {
        let end = self.now.after(ms);
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.handle(Input::Deadline);
            let next = self.engine.next_deadline();
            assert!(
                next.is_none_or(|next| next > deadline),
                "a deadline that has come must not come again"
            );
        }
        self.now = end;
    }

    /// The next frame that the client sent.
    pub fn element(&mut self) -> Element {
        let frame = self.sent.pop_front().expect("the client sent something");
        xml::read(&frame, &xml::Limits::default()).expect("what the client sends is well-formed")
    }

    pub fn nothing_sent(&self) {
        assert!(self.sent.is_empty(), "unexpected: {:?}", self.sent);
    }

    /// Answers an iq with a payload, as the server's account.
    pub fn answer(&mut self, iq: &Element, payload: &str) {
        let to = iq.attr("to").map(|to| format!(" from='{to}'")).unwrap_or_default();
        let id = iq.attr("id").unwrap();
        self.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'{to}>{payload}</iq>"
        ));
    }

    // --- the server's side of a login ---

    pub fn login(&mut self, fault: &Fault) {
        self.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        if self.socket.is_none() || !self.authenticate(fault) {
            return;
        }
        self.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
        self.bind(JID);
    }

    /// Takes the client's header, and offers mechanisms.
    pub fn greet(&mut self, mechanisms: &str) {
        let open = self.element();
        assert!(open.is("open", "urn:ietf:params:xml:ns:xmpp-framing"));
        assert_eq!(open.attr("to"), Some("example.org"));
        self.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
        self.receive(&format!(
            "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
             <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{mechanisms}</mechanisms></stream:features>"
        ));
    }

    /// SCRAM-SHA-1 with the password "secret"; whether the client still is there at its end.
    pub fn authenticate(&mut self, fault: &Fault) -> bool {
        let auth = self.element();
        assert_eq!(auth.attr("mechanism"), Some("SCRAM-SHA-1"));
        let mut scram = Scram::new("secret");
        let challenge = scram.challenge(&auth.text(), fault);
        self.receive(&challenge);
        self.derive_key();
        if self.socket.is_none() {
            return false;
        }
        let response = self.element();
        let success = scram.success(&response.text(), fault);
        self.receive(&success);
        self.socket.is_some()
    }

    pub fn derive_key(&mut self) {
        if let Some((id, request)) = self.derive.take() {
            let key = derive::derive(&request);
            self.handle(Input::Derived { id, key });
        }
    }

    pub fn restart(&mut self, features: &str) {
        let open = self.element();
        assert!(open.is("open", "urn:ietf:params:xml:ns:xmpp-framing"));
        self.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s2' version='1.0'/>");
        self.receive(&format!(
            "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{features}</stream:features>"
        ));
    }

    pub fn bind(&mut self, jid: &str) {
        let bind = self.element();
        assert!(bind.child("bind", "urn:ietf:params:xml:ns:xmpp-bind").is_some());
        self.answer(
            &bind,
            &format!("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{jid}</jid></bind>"),
        );
    }

    /// Takes the ping that asks whether messages have been taken, and answers it.
    pub fn confirm(&mut self) {
        let ping = self.element();
        assert!(
            ping.child("ping", "urn:xmpp:ping").is_some(),
            "a ping behind the message"
        );
        self.answer(&ping, "");
    }

    fn drain(&mut self) {
        loop {
            while let Some(output) = self.engine.poll_output() {
                match output {
                    Output::Reply { ticket, result } => self.replies.entry(ticket.0).or_default().push(result),
                    Output::Event(event) => self.events.push(event),
                    Output::Io(wish) => self.carry_out(wish),
                    _ => panic!("an output that the test doesn't know"),
                }
            }
            let held = |answer: &Answer| match answer {
                Answer::Lock(_) => self.hold_locks,
                Answer::Load(_) | Answer::Store(_) => self.silent_store,
            };
            let next = self.answers.iter().position(|(_, answer)| !held(answer));
            let Some((id, answer)) = next.and_then(|next| self.answers.remove(next)) else {
                return;
            };
            match answer {
                Answer::Load(value) => {
                    let value = value.as_deref();
                    self.engine.handle(self.now, Input::Loaded { id, value });
                }
                Answer::Store(kept) => self.engine.handle(self.now, Input::Stored { id, kept }),
                Answer::Lock(held) => self.engine.handle(self.now, Input::Locked { id, held }),
            }
        }
    }

    fn carry_out(&mut self, wish: Wish) {
        match wish {
            Wish::Send(frame) => {
                assert!(self.socket.is_some(), "sent without a socket: {frame}");
                if self.first_stanza.is_none()
                    && ["<iq", "<message", "<presence"]
                        .iter()
                        .any(|stanza| frame.starts_with(stanza))
                {
                    self.first_stanza = Some((frame.clone(), self.kept.clone()));
                }
                self.sent.push_back(frame);
            }
            Wish::Connect { generation, url } => self.socket = Some((generation, url)),
            Wish::CloseSocket { generation, .. } => {
                if self.socket.as_ref().is_some_and(|(present, _)| *present == generation) {
                    self.socket = None;
                    self.closed += 1;
                }
            }
            Wish::Fetch { id, url, .. } => self.fetches.push((id, url)),
            Wish::CancelFetch { id } => {
                let asked = self.fetches.iter().position(|(present, _)| *present == id);
                self.fetches.remove(asked.expect("what is cancelled is under way"));
            }
            Wish::DeriveKey { id, request } => self.derive = Some((id, request)),
            Wish::AskCredentials { id, error } => {
                self.asked = Some(id);
                self.asked_because = error;
            }
            Wish::Load { id, key } if key.matches(':').count() == 1 => self.load = Some((id, key)),
            Wish::Load { key, .. } if self.mute.is_some_and(|end| key.ends_with(end)) => {}
            Wish::Load { id, key } => {
                let value = self.kept.get(&key).cloned();
                self.answers.push_back((id, Answer::Load(value)));
            }
            Wish::Store { key, value, .. } if key.matches(':').count() == 1 => self.stored.push((key, value)),
            Wish::Store { id, key, value } => {
                let kept = !self.store_fails || value.is_none();
                let is_end = value.as_ref().is_some_and(|value| value.starts_with("1\u{1e}5\u{1e}"));
                let is_segment = value.is_some() && key.matches(':').count() == 3;
                match value.filter(|_| kept) {
                    Some(value) => drop(self.kept.insert(key, value)),
                    None => drop(self.kept.remove(&key)),
                }
                if is_segment || is_end {
                    self.at_segment = self.kept.clone();
                }
                self.answers.push_back((id, Answer::Store(kept)));
            }
            Wish::Lock { id, name, .. } => {
                let held = self.locked.insert(name);
                self.answers.push_back((id, Answer::Lock(held)));
            }
            Wish::Unlock { name } => assert!(self.locked.remove(&name), "given back, and never had: {name}"),
            _ => panic!("a wish that the test doesn't know"),
        }
    }
}
