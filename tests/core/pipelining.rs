//! What leaves before the server has answered: RFC 6120 §6, XEP-0305.

mod disliked;

mod prosody;

use crate::pair::{JID, NS_MAM, Pair, config, password};
use crate::server::{Fault, Scram};
use stanzawire::engine::{Event, Input, Reply, Ticket};
use stanzawire::error::{Code, Phase};
use stanzawire::im::presence::PresenceInit;
use stanzawire::session::{CredentialSource, Status};
use stanzawire::xml::{self, Element};

const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";

/// What a server does about what comes too early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quirk {
    /// It takes it.
    None,
    /// A stream error on an `<auth/>` that it hasn't announced itself for.
    ErrorOnAuth,
    /// A failure instead.
    FailureOnAuth,
    /// It hangs up on a bind that it hasn't offered.
    HangsUpOnBind,
    /// It answers that it knows no such request.
    RefusesBind,
    /// What comes before its features is lost.
    Loses,
    /// It proves itself in a challenge of its own, which has to be answered.
    ProvesInChallenge,
    /// It is one that stumbles, and what the client takes apart the network puts together again.
    Stumbles,
}

/// A server that answers by itself, but only once the client has stopped sending.
struct Server {
    quirk: Quirk,
    mechanisms: &'static str,
    scram: Scram,
    fault: Fault,
    proof: Option<String>,
    authenticated: bool,
    /// The client has been told that it may go on: it has seen the features.
    announced: bool,
    /// All that it heard, connection by connection.
    heard: Vec<Vec<Element>>,
    flights: Vec<u32>,
    /// How much of it came in earlier flights.
    read: usize,
    /// How long it waits before it answers, in milliseconds.
    way: u64,
    /// It says that it is Prosody.
    prosody: bool,
    /// How many stanzas it has read since it stumbled.
    stumbled: Option<u32>,
}

impl Server {
    fn new(quirk: Quirk) -> Server {
        Server {
            quirk,
            mechanisms: "<mechanism>SCRAM-SHA-1</mechanism>",
            scram: Scram::new("secret"),
            fault: Fault::None,
            proof: None,
            authenticated: false,
            announced: false,
            heard: Vec::new(),
            flights: Vec::new(),
            read: 0,
            way: 100,
            prosody: false,
            stumbled: None,
        }
    }

    /// Serves the client's socket, and the ones that follow, until the call is settled.
    fn serve(&mut self, pair: &mut Pair, call: Ticket) {
        self.serve_until(pair, |pair| !pair.is_open(call));
    }

    fn serve_until(&mut self, pair: &mut Pair, done: impl Fn(&Pair) -> bool) {
        while !done(pair) && pair.socket.is_some() {
            let generation = pair.generation();
            self.authenticated = false;
            self.announced = false;
            self.proof = None;
            self.stumbled = None;
            self.heard.push(Vec::new());
            self.flights.push(0);
            pair.sent.clear();
            pair.open_socket();
            while !done(pair) && pair.socket.as_ref().is_some_and(|(present, _)| *present == generation) {
                if pair.sent.is_empty() {
                    // Silence: the client has to find a way out.
                    let deadline = pair.engine.next_deadline().expect("the client waits for something");
                    pair.advance(deadline.since(pair.now));
                    continue;
                }
                self.flight(pair, generation);
            }
        }
    }

    fn flight(&mut self, pair: &mut Pair, generation: u32) {
        *self.flights.last_mut().unwrap() += 1;
        let announced = self.announced;
        self.read = self.heard.last().unwrap().len();
        let mut answers = Vec::new();
        while !pair.sent.is_empty() {
            for frame in pair.sent.drain(..) {
                let element = xml::read(&frame, &xml::Limits::default()).unwrap();
                self.heard.last_mut().unwrap().push(element.clone());
                answers.extend(self.answer(&element, announced));
            }
            // Until it says no more. That is also how long the way is.
            pair.advance(self.way);
        }
        if self.quirk == Quirk::Stumbles && self.stumbled.is_none() && self.in_one_breath() {
            self.stumbled = Some(0);
        }
        for answer in answers {
            if pair.socket.as_ref().is_none_or(|(present, _)| *present != generation) {
                return;
            }
            if answer.is_empty() {
                return pair.close_socket();
            }
            pair.receive(&answer);
            pair.derive_key();
        }
    }

    fn answer(&mut self, element: &Element, announced: bool) -> Vec<String> {
        let sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
        if let Some(read) = &mut self.stumbled {
            *read += 1;
            if *read > 1 {
                return vec![
                    "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
                     <not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
                        .into(),
                ];
            }
        }
        let early = !announced || (self.authenticated && !self.announced);
        match element.name() {
            "open" => {
                self.announced = true;
                let open =
                    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='1' version='1.0'/>";
                let features = if self.authenticated {
                    let node = if self.prosody {
                        "http://prosody.im"
                    } else {
                        "http://example.org"
                    };
                    format!("<bind xmlns='{BIND}'/><c xmlns='http://jabber.org/protocol/caps' node='{node}'/>")
                } else {
                    format!("<mechanisms {sasl}>{}</mechanisms>", self.mechanisms)
                };
                let features = format!(
                    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{features}</stream:features>"
                );
                vec![open.into(), features]
            }
            "auth" if early && self.quirk == Quirk::ErrorOnAuth => vec![
                "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
                 <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
                    .into(),
            ],
            "auth" if early && self.quirk == Quirk::FailureOnAuth => {
                vec![format!("<failure {sasl}><malformed-request/></failure>")]
            }
            "auth" if early && self.quirk == Quirk::Loses => Vec::new(),
            "auth" if !self.mechanisms.contains(element.attr("mechanism").unwrap()) => {
                vec![format!("<failure {sasl}><invalid-mechanism/></failure>")]
            }
            "auth" => vec![self.scram.challenge(&element.text(), &self.fault)],
            "response" if self.proof.is_some() => {
                self.succeed();
                vec![format!("<success {sasl}/>")]
            }
            "response" => {
                let success = self.scram.success(&element.text(), &self.fault);
                if self.quirk == Quirk::ProvesInChallenge && success.contains("<success") {
                    self.proof = Some(success.clone());
                    return vec![success.replace("success", "challenge")];
                }
                if success.contains("<success") {
                    self.succeed();
                }
                vec![success]
            }
            "iq" if !self.authenticated => Vec::new(),
            "iq" if element.child("bind", BIND).is_some() => match self.quirk {
                Quirk::HangsUpOnBind if self.unread() => vec![String::new()],
                Quirk::Loses if self.unread() => Vec::new(),
                Quirk::RefusesBind if self.unread() => vec![format!(
                    "<iq xmlns='jabber:client' type='error' id='{}'><error type='cancel'>\
                     <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
                    element.attr("id").unwrap()
                )],
                _ => vec![format!(
                    "<iq xmlns='jabber:client' type='result' id='{}'><bind xmlns='{BIND}'><jid>{JID}</jid></bind></iq>",
                    element.attr("id").unwrap()
                )],
            },
            "iq" if element.child("ping", "urn:xmpp:ping").is_some() => vec![format!(
                "<iq xmlns='jabber:client' type='result' id='{}' from='example.org'/>",
                element.attr("id").unwrap()
            )],
            "iq" if element.child("metadata", NS_MAM).is_some() => vec![format!(
                "<iq xmlns='jabber:client' type='result' id='{}'><metadata xmlns='{NS_MAM}'/></iq>",
                element.attr("id").unwrap()
            )],
            "iq" => vec![format!(
                "<iq xmlns='jabber:client' type='result' id='{}'><query xmlns='jabber:iq:roster'>\
                 <item jid='bob@example.org'/></query></iq>",
                element.attr("id").unwrap()
            )],
            _ => Vec::new(),
        }
    }

    fn succeed(&mut self) {
        self.authenticated = true;
        self.announced = false;
        self.proof = None;
    }

    /// Whether the client can't have read our features yet: its header came in this flight.
    fn unread(&self) -> bool {
        let heard = self.heard.last().unwrap();
        heard[self.read..].iter().any(|element| element.name() == "open")
    }

    /// Whether the new stream came together with the end of the login.
    fn in_one_breath(&self) -> bool {
        let flight = &self.heard.last().unwrap()[self.read..];
        let place = |name: &str| flight.iter().position(|element| element.name() == name);
        place("response").is_some() && place("open") > place("response")
    }

    /// Names of what was heard on the last connection.
    fn names(&self) -> Vec<&str> {
        self.heard.last().unwrap().iter().map(Element::name).collect()
    }
}

fn login(pair: &mut Pair, server: &mut Server) -> Ticket {
    let call = pair.connect();
    server.serve(pair, call);
    call
}

fn logout(pair: &mut Pair) {
    let call = pair.call(stanzawire::engine::Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    assert!(!pair.is_open(call));
    pair.sent.clear();
}

/// A client that has logged in once, and out again.
fn acquainted() -> (Pair, Server) {
    let mut pair = Pair::new(config());
    let mut server = Server::new(Quirk::None);
    let call = login(&mut pair, &mut server);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    logout(&mut pair);
    (pair, server)
}

#[test]
fn rfc6120_6_four_round_trips_at_first_and_two_from_then_on() {
    let (mut pair, mut server) = acquainted();
    assert_eq!(server.flights, [4]);
    for _ in 0..2 {
        server.flights.clear();
        let call = login(&mut pair, &mut server);
        assert_eq!((pair.reply(call), &server.flights[..]), (Ok(Reply::Done), &[2][..]));
        assert_eq!(
            server.names(),
            ["open", "auth", "response", "open", "iq", "iq", "presence", "iq", "iq"],
            "RFC 6121 §2.2: the roster before the presence"
        );
        pair.nothing_sent();
        logout(&mut pair);
    }
}

#[test]
fn what_left_ahead_is_answered_once_online() {
    let (mut pair, mut server) = acquainted();
    login(&mut pair, &mut server);
    let roster = pair.roster();
    assert_eq!(pair.value(roster)[0]["jid"], "bob@example.org");
    pair.nothing_sent();
}

#[test]
fn the_key_is_derived_once() {
    let (mut pair, mut server) = acquainted();
    let call = pair.connect();
    pair.open_socket();
    server.heard.push(Vec::new());
    server.flights.push(0);
    server.authenticated = false;
    server.announced = false;
    let generation = pair.generation();
    server.flight(&mut pair, generation);
    assert!(pair.derive.is_none());
    assert!(!pair.sent.is_empty(), "the answer is there at once");
    server.flight(&mut pair, generation);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

/// What a client that has been told nothing yet must not say.
fn gives_nothing_away(server: &Server) {
    for element in server.heard.last().unwrap() {
        let mut words = element.text();
        for child in element.children() {
            words.push_str(&child.text());
        }
        assert!(!words.contains("in a meeting"), "a status text: {element:?}");
        assert!(element.name() != "message", "{element:?}");
        assert!(element.child("question", "urn:example").is_none(), "{element:?}");
    }
}

#[test]
fn rfc5802_3_nothing_of_the_apps_leaves_before_the_server_has_proved_itself() {
    let mut config = config();
    config.im.presence = Some(PresenceInit {
        status: Some("in a meeting".into()),
        ..PresenceInit::default()
    });
    let mut pair = Pair::new(config);
    let mut server = Server::new(Quirk::None);
    let call = login(&mut pair, &mut server);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    gives_nothing_away(&server);
    pair.sent.clear();

    // The connection is lost, and somebody else answers at the same address.
    pair.close_socket();
    let message = pair.send("bob@example.org", "secret plans");
    let question = pair.iq(Some("bob@example.org"));
    pair.advance(1_000);
    let mut impostor = Server::new(Quirk::None);
    impostor.fault = Fault::WrongSignature;
    impostor.heard.push(Vec::new());
    impostor.flights.push(0);
    pair.open_socket();
    let generation = pair.generation();
    impostor.flight(&mut pair, generation);
    impostor.flight(&mut pair, generation);
    assert!(impostor.names().contains(&"response"), "{:?}", impostor.names());
    gives_nothing_away(&impostor);
    assert!(
        pair.sent.iter().all(|frame| frame.starts_with("<close")),
        "{:?}",
        pair.sent
    );
    assert_eq!(pair.engine.status(), Status::Offline);
    for call in [message, question] {
        assert!(!pair.is_open(call));
    }
    assert!(
        pair.events
            .iter()
            .any(|event| matches!(event, Event::Error(error) if error.code() == Code::ServerSignature))
    );
}

#[test]
fn rfc6120_6_3_3_a_stronger_mechanism_is_taken_up_the_next_time() {
    let (mut pair, mut server) = acquainted();
    server.mechanisms = "<mechanism>SCRAM-SHA-1</mechanism><mechanism>SCRAM-SHA-256</mechanism>";
    server.flights.clear();
    login(&mut pair, &mut server);
    assert_eq!(server.flights, [2]);
    logout(&mut pair);
    pair.connect();
    pair.open_socket();
    pair.element();
    assert_eq!(pair.element().attr("mechanism"), Some("SCRAM-SHA-256"));
}

#[test]
fn rfc6120_6_5_a_refusal_is_a_refusal() {
    for condition in [
        "not-authorized",
        "account-disabled",
        "credentials-expired",
        "temporary-auth-failure",
    ] {
        let (mut pair, _) = acquainted();
        let call = pair.connect();
        pair.open_socket();
        pair.sent.clear();
        pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='1' version='1.0'/>");
        pair.receive(
            "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
             <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>\
             </stream:features>",
        );
        pair.receive(&format!(
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/></failure>"
        ));
        let error = pair.error(call);
        assert_eq!((error.code(), error.phase()), (Code::NotAuthorized, Phase::Auth));
        assert_eq!(pair.socket, None);
    }
}

#[test]
fn credentials_are_asked_for_while_the_socket_opens() {
    let mut config = config();
    config.session.credentials = CredentialSource::Ask;
    let mut pair = Pair::new(config);
    let mut server = Server::new(Quirk::None);
    let CredentialSource::Fixed(secret) = password("secret") else {
        unreachable!()
    };
    for (round, flights) in [(0, 4), (1, 2), (2, 4)] {
        let call = pair.connect();
        let answer = |pair: &mut Pair| {
            let id = pair.asked.take().expect("asked");
            let outcome = Ok(secret.clone());
            pair.handle(Input::Credentials { id, outcome });
        };
        if round == 1 {
            answer(&mut pair);
        }
        // Who hesitates is waited for, and the stream opens meanwhile.
        pair.open_socket();
        server.heard.push(Vec::new());
        server.flights.push(0);
        server.authenticated = false;
        server.announced = false;
        let generation = pair.generation();
        while pair.is_open(call) {
            server.flight(&mut pair, generation);
            if pair.asked.is_some() {
                assert!(pair.sent.is_empty());
                answer(&mut pair);
            }
        }
        assert_eq!(pair.reply(call), Ok(Reply::Done));
        // What leaves behind our last word saves a round trip however late the rest was.
        let expected = if round == 2 { 3 } else { flights };
        assert_eq!(server.flights.last(), Some(&expected), "{round}");
        logout(&mut pair);
    }
}
