//! One client's life: its engine, its page, its network, and what the server does for it.
//!
//! The server is as cheap as it can be: EXTERNAL, stream management, an empty roster. It answers at once and all alike, and no
//! client knows of another, so that a hundred thousand of them may live one after the other as well as at once.

use crate::plan::{CLOSES, Plan};
use crate::random::Random;
use stanzawire::engine::{Command, Config, Engine, Event, Input, Millis, Output, Status, Ticket, Wish};
use stanzawire::im::{self, chat};
use stanzawire::jid::Jid;
use stanzawire::sasl::Credentials;
use stanzawire::session::{self, CredentialSource, ReconnectPolicy};
use stanzawire::xml::{self, Element};
use std::collections::BTreeMap;

const ACCOUNT: &str = "alice@example.org";
const DOMAIN: &str = "example.org";
const PEER: &str = "bob@example.org";

const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
const CLIENT: &str = "jabber:client";
const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const SM: &str = "urn:xmpp:sm:3";
const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// How late a browser's timer may be, in milliseconds; in a page that nobody sees it is woken once a second.
const LATE: u64 = 4;
const THROTTLE: u64 = 1_000;

/// What has become of a client.
#[derive(Debug, Default)]
pub struct Life {
    /// Its attempts, but for the first: when, in milliseconds from the loss of the server.
    pub attempts: Vec<u64>,
    /// The app had sent or got something in the last ten seconds before the loss.
    pub in_use: bool,
    /// When it was online for good; none if it isn't.
    pub back: Option<u64>,
}

/// What is going to happen.
#[derive(Debug)]
enum Next {
    Connect,
    Timer {
        armed: u64,
    },
    /// The app sends something, or is sent something.
    Traffic,
    /// A connection's first packet is at the server.
    Knocks {
        generation: u32,
    },
    Opens {
        generation: u32,
    },
    Up {
        generation: u32,
        frame: String,
    },
    Down {
        generation: u32,
        frame: String,
    },
    /// The client learns that its connection is gone.
    Closes {
        generation: u32,
    },
    /// The server is gone.
    Lost,
}

/// A connection, as the server knows it.
#[derive(Debug)]
struct Link {
    generation: u32,
    /// At which of its starts the server took it.
    start: usize,
    authenticated: bool,
}

pub struct Client<'a> {
    plan: &'a Plan,
    engine: Engine,
    random: Random,
    now: u64,
    next: BTreeMap<(u64, u64), Next>,
    numbers: u64,
    armed: Option<u64>,
    /// Half the round trip, in milliseconds.
    latency: u64,
    /// Nobody sees the page.
    hidden: bool,
    /// The network doesn't tell it that the server is gone.
    late: bool,
    tickets: u64,
    /// The socket that the page has.
    socket: Option<u32>,
    link: Option<Link>,
    /// How many of the client's stanzas were handled in its session, and at which of its starts the server began it.
    session: Option<(u32, usize)>,
    /// When there was something for the app.
    used: Option<u64>,
    life: Life,
}

impl<'a> Client<'a> {
    pub fn new(plan: &'a Plan, policy: ReconnectPolicy, mut random: Random) -> Client<'a> {
        let credentials = CredentialSource::Fixed(Credentials::External { authzid: None });
        let config = Config {
            session: session::Config {
                url: Some("wss://example.org/ws".into()),
                reconnect: Some(policy),
                ..session::Config::new(Jid::parse(ACCOUNT).unwrap(), credentials)
            },
            im: im::Config::default(),
        };
        let hidden = random.percent(plan.hidden);
        let mut client = Client {
            plan,
            engine: Engine::new(config, random.seed()),
            now: 0,
            next: BTreeMap::new(),
            numbers: 0,
            armed: None,
            latency: random.range(10, 60),
            hidden,
            late: random.percent(plan.late),
            tickets: 0,
            socket: None,
            link: None,
            session: None,
            used: None,
            life: Life::default(),
            random,
        };
        let first = client.random.below(plan.arrival);
        client.at(first, Next::Connect);
        for (gone, _) in &plan.outages {
            client.at(*gone, Next::Lost);
        }
        client
    }

    /// Lives to the end of the plan.
    pub fn live(mut self) -> Life {
        while let Some(entry) = self.next.first_entry().filter(|entry| entry.key().0 <= self.plan.end) {
            let ((at, _), next) = entry.remove_entry();
            self.now = at;
            self.happens(next);
        }
        let start = self.plan.start(self.now);
        let there = self.engine.status() == Status::Online && self.link.as_ref().map(|link| link.start) == start;
        self.life.back = self.life.back.filter(|_| there);
        self.life
    }

    fn at(&mut self, at: u64, next: Next) {
        self.numbers += 1;
        self.next.insert((at, self.numbers), next);
    }

    fn after(&mut self, delay: u64, next: Next) {
        self.at(self.now + delay, next);
    }

    fn happens(&mut self, next: Next) {
        match next {
            Next::Connect => {
                self.engine.handle(Millis(self.now), Input::Visible(!self.hidden));
                self.call(Command::Connect { timeout: None });
                self.pause();
            }
            Next::Timer { armed } if self.armed == Some(armed) => {
                self.armed = None;
                self.fact(Input::Deadline);
            }
            Next::Timer { .. } => {}
            Next::Traffic => {
                if self.random.percent(50) {
                    self.send();
                } else {
                    self.receive();
                }
                self.pause();
            }
            Next::Knocks { generation } => match self.plan.start(self.now) {
                Some(start) => {
                    self.link = Some(Link {
                        generation,
                        start,
                        authenticated: false,
                    });
                    // The handshakes of TLS and WebSocket.
                    self.after(self.latency * 3, Next::Opens { generation });
                }
                None => self.after(self.latency, Next::Closes { generation }),
            },
            Next::Opens { generation } => self.fact(Input::SocketOpen {
                generation,
                protocol: "xmpp",
            }),
            Next::Down { generation, frame } => self.fact(Input::Frame {
                generation,
                data: &frame,
            }),
            Next::Closes { generation } => self.closes(generation),
            Next::Up { generation, frame } => self.up(generation, &frame),
            Next::Lost => {
                let loss = self.now == self.plan.loss();
                self.life.in_use |= loss && self.used.is_some_and(|used| used + 10_000 > self.now);
                // What the server has said is on its way; to those who are late nothing is said.
                if let Some(link) = self.link.as_ref().filter(|_| !self.late) {
                    let generation = link.generation;
                    self.after(self.latency, Next::Closes { generation });
                }
            }
        }
    }

    // --- the page ---

    fn call(&mut self, command: Command) {
        self.tickets += 1;
        self.engine.command(Millis(self.now), Ticket(self.tickets), command);
        self.drain();
    }

    fn fact(&mut self, input: Input<'_>) {
        self.engine.handle(Millis(self.now), input);
        self.drain();
    }

    fn closes(&mut self, generation: u32) {
        if self.socket == Some(generation) {
            self.socket = None;
            self.fact(Input::SocketClosed {
                generation,
                code: CLOSES,
                clean: false,
            });
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Io(wish) => self.grant(wish),
                Output::Event(Event::Status(Status::Online, _)) => {
                    self.life.back = Some(self.now.saturating_sub(self.plan.loss()));
                }
                _ => {}
            }
        }
        let Some(Millis(deadline)) = self.engine.next_deadline() else {
            self.armed = None;
            return;
        };
        if self.armed != Some(deadline) {
            self.armed = Some(deadline);
            let late = self.random.below(if self.hidden { THROTTLE } else { LATE });
            self.at(deadline.max(self.now) + late, Next::Timer { armed: deadline });
        }
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Connect { generation, .. } => {
                if let Some(since) = self.now.checked_sub(self.plan.loss()) {
                    self.life.attempts.push(since);
                }
                self.socket = Some(generation);
                // The handshake of TCP, and the request behind it.
                self.after(self.latency, Next::Knocks { generation });
            }
            Wish::Send(frame) => {
                if let Some(generation) = self.socket {
                    self.after(self.latency, Next::Up { generation, frame });
                }
            }
            Wish::CloseSocket { generation, .. } => {
                self.socket = self.socket.filter(|socket| *socket != generation);
            }
            other => panic!("nobody has told the client that there is this: {other:?}"),
        }
    }

    // --- the app and its peers ---

    fn pause(&mut self) {
        if let Some(mean) = self.plan.traffic {
            // An exponential distribution: whether somebody writes now doesn't depend on when somebody last did.
            let share = (self.random.below(1 << 32) + 1) as f64 / (1u64 << 32) as f64;
            let pause = (-share.ln() * mean as f64) as u64;
            self.after(pause.clamp(1, self.plan.longest), Next::Traffic);
        }
    }

    fn send(&mut self) {
        self.used = Some(self.now);
        let message = chat::OutgoingMessage {
            to: PEER.into(),
            body: Some("How are you?".into()),
            ..Default::default()
        };
        let command = im::Command::Chat(chat::Command::Send(Box::new(message)));
        self.call(Command::Im { command, timeout: None });
    }

    fn receive(&mut self) {
        let start = self.plan.start(self.now);
        let online = self.engine.status() == Status::Online;
        if online && start.is_some() && self.link.as_ref().map(|link| link.start) == start {
            self.used = Some(self.now);
            self.down(format!(
                "<message xmlns='{CLIENT}' from='{PEER}/b' to='{ACCOUNT}' type='chat'><body>Well.</body></message>"
            ));
        }
    }

    // --- the server ---

    fn up(&mut self, generation: u32, frame: &str) {
        let start = self.plan.start(self.now);
        let Some(link) = self.link.as_mut().filter(|link| link.generation == generation) else {
            return;
        };
        if start.is_none() {
            return;
        }
        if Some(link.start) != start {
            // Nobody here knows of that connection.
            return self.after(self.latency, Next::Closes { generation });
        }
        // The client's own words: it is enough to see how they begin.
        let is = |name: &str| {
            let rest = frame.strip_prefix('<').and_then(|rest| rest.strip_prefix(name));
            rest.is_some_and(|rest| rest.starts_with([' ', '/', '>']))
        };
        if is("r") {
            let handled = self.session.map_or(0, |(handled, _)| handled);
            self.down(format!("<a xmlns='{SM}' h='{handled}'/>"));
        } else if is("message") || is("presence") || is("iq") {
            if let Some((handled, _)) = &mut self.session {
                *handled += 1;
            }
            if is("iq") {
                self.asked(&xml::read(frame, &xml::Limits::default()).unwrap());
            }
        } else if is("open") {
            let features = match link.authenticated {
                false => format!("<mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>"),
                true => format!("<bind xmlns='{BIND}'/><sm xmlns='{SM}'/>"),
            };
            self.down(format!(
                "<open xmlns='{FRAMING}' from='{DOMAIN}' id='s' version='1.0'/>"
            ));
            self.down(format!(
                "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{features}</stream:features>"
            ));
        } else if is("auth") {
            link.authenticated = true;
            self.down(format!("<success xmlns='{SASL}'/>"));
        } else if is("enable") {
            self.session = start.map(|start| (0, start));
            self.down(format!("<enabled xmlns='{SM}' id='sm' resume='true' max='600'/>"));
        } else if is("resume") {
            let kept = |begun: usize| !self.plan.forgets || Some(begun) == start;
            match self.session.filter(|(_, begun)| kept(*begun)) {
                Some((handled, _)) => self.down(format!("<resumed xmlns='{SM}' previd='sm' h='{handled}'/>")),
                None => self.down(format!(
                    "<failed xmlns='{SM}'><item-not-found xmlns='{STANZAS}'/></failed>"
                )),
            }
        } else {
            assert!(
                is("a") || is("close"),
                "the server doesn't know what to do with {frame}"
            );
        }
    }

    fn asked(&mut self, iq: &Element) {
        let id = iq.attr("id").unwrap();
        if iq.child("bind", BIND).is_some() {
            return self.down(format!(
                "<iq xmlns='{CLIENT}' type='result' id='{id}'><bind xmlns='{BIND}'><jid>{ACCOUNT}/r</jid></bind></iq>"
            ));
        }
        let to = iq.attr("to").unwrap_or(ACCOUNT);
        let answer = match iq.child("query", "jabber:iq:roster") {
            Some(_) => format!("<iq xmlns='{CLIENT}' type='result' id='{id}'><query xmlns='jabber:iq:roster'/></iq>"),
            None => format!(
                "<iq xmlns='{CLIENT}' type='error' id='{id}' from='{to}'>\
                 <error type='cancel'><service-unavailable xmlns='{STANZAS}'/></error></iq>"
            ),
        };
        self.down(answer);
    }

    fn down(&mut self, frame: String) {
        if let Some(Link { generation, .. }) = self.link {
            self.after(self.latency, Next::Down { generation, frame });
        }
    }
}
