//! The whole client: a script of frames, times, facts about sockets and calls of the app's, an operation a line. An honest
//! server takes part where the script lets it; everything else that comes from the network is hostile.
//!
//! No panic; each call is settled exactly once; what comes out is bounded by what went in; a deadline that was kept
//! doesn't come again; nothing is sent that cannot be read, or where there is no socket; and before the server has
//! proved that it knows the account's key nobody is online, and no message of the app's goes out.

#![no_main]

#[path = "../app.rs"]
mod app;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use stanzawire::engine::{
    Command, Config, Engine, Event, Fetched, Input, Match, Millis, Observe, Output, Status, Ticket, Wish,
};
use stanzawire::error::{Code, Error, Phase};
use stanzawire::im;
use stanzawire::jid::Jid;
use stanzawire::sasl::{Credentials, KeyRequest, Secret, derive};
use stanzawire::session::{self, CredentialSource};
use stanzawire::stream::framing::{Framing, Incoming, incoming_as};
use stanzawire::xml::Limits;
use stanzawire_fuzz::scripted::{Offer, Script};
use stanzawire_fuzz::{bounded, is_private, script};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;

/// In each message of the app's.
const BODY: &str = "not for strangers";
const PASSWORD: &str = "correct horse battery staple";
/// Operations of one run.
const OPERATIONS: usize = 200;

/// One count, so that a login takes no time.
static OFFER: LazyLock<Offer> = LazyLock::new(|| Offer::new("example.org", &["SCRAM-SHA-256"], PASSWORD, 1));

fuzz_target!(|script: &str| {
    // A script that has them says them itself.
    if [BODY, PASSWORD].iter().any(|word| script.contains(word)) {
        return;
    }
    let mut lines = script.split('\n');
    let mut run = Run::new(lines.next().unwrap_or_default());
    for line in lines.take(OPERATIONS) {
        let mut chars = line.chars();
        let operation = chars.next().unwrap_or_default();
        bounded(|| run.operate(operation, chars.as_str()));
    }
    run.finish();
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    script::mutate(data, size, max_size, seed)
});

struct Run {
    engine: Engine,
    /// The honest server speaks that of RFC 7395 alone.
    framing: Framing,
    now: Millis,
    calls: u64,
    open: BTreeSet<u64>,
    /// The socket that the client wants, and the server behind it.
    socket: Option<Socket>,
    fetches: Vec<Ticket>,
    loads: Vec<Ticket>,
    stores: Vec<Ticket>,
    /// What was stored; the script can spoil it.
    kept: BTreeMap<String, String>,
    keys: Vec<String>,
    asked: Option<Ticket>,
    derive: Option<(Ticket, KeyRequest)>,
    requests: VecDeque<Ticket>,
    /// The last iq that the client sent.
    iq: String,
    query: String,
    /// Outputs and sent bytes since the last operation.
    said: usize,
    written: usize,
}

struct Socket {
    generation: u32,
    server: Script,
    /// What the honest server hasn't looked at.
    sent: VecDeque<String>,
}

impl Run {
    /// The letters of the first line choose the options.
    fn new(options: &str) -> Run {
        let has = |letter: char| options.contains(letter);
        let account = Jid::parse("alice@example.org").expect("an address");
        let credentials = Credentials::Password(Secret::new(PASSWORD.as_bytes().to_vec()));
        let credentials = if has('a') {
            CredentialSource::Ask
        } else {
            CredentialSource::Fixed(credentials)
        };
        let mut session = session::Config::new(account, credentials);
        session.scram.min_iterations = 1;
        session.queue = 100;
        session.url = (!has('u')).then(|| "wss://example.org/ws".into());
        session.storage = has('s');
        session.resource = has('r').then(|| "here".into());
        if has('o') {
            session.reconnect = None;
        }
        if has('d') {
            session.framing = Framing::Draft00;
        }
        let framing = session.framing;
        let mut engine = Engine::new(
            Config {
                session,
                im: im::Config::default(),
            },
            [42; 32],
        );
        engine.observe(Observe {
            stanzas: has('e'),
            frames: has('f'),
        });
        engine.answer(
            1,
            Match {
                xmlns: "urn:example".into(),
                set: None,
            },
        );
        let mut run = Run {
            engine,
            framing,
            now: Millis(1_000),
            calls: 0,
            open: BTreeSet::new(),
            socket: None,
            fetches: Vec::new(),
            loads: Vec::new(),
            stores: Vec::new(),
            kept: BTreeMap::new(),
            keys: Vec::new(),
            asked: None,
            derive: None,
            requests: VecDeque::new(),
            iq: String::new(),
            query: String::new(),
            said: 0,
            written: 0,
        };
        if has('l') {
            run.login();
        }
        run
    }

    /// Logs in at the honest server.
    fn login(&mut self) {
        self.operate('l', "");
        for operation in "KAo".chars().chain("SD".chars().cycle().take(12)) {
            self.operate(operation, "");
        }
        self.operate('S', "");
    }

    fn operate(&mut self, operation: char, text: &str) {
        (self.said, self.written) = (0, 0);
        let open = self.open.len();
        match operation {
            // The network.
            'f' => self.frame(text, 0),
            'F' => self.frame(text, 1),
            's' => self.serve(1),
            'S' => self.serve(usize::MAX),
            'b' => {
                let generation = self.generation(0);
                self.handle(Input::BinaryFrame { generation });
            }
            'o' => self.opened("xmpp"),
            'O' => self.opened(text),
            'c' => self.closed(text),
            'h' | 'H' => {
                if let Some(id) = self.fetches.pop() {
                    let status = if operation == 'h' { 200 } else { text.len() as u16 };
                    let outcome = match text {
                        "!" => Fetched::Failed,
                        "?" => Fetched::TooLarge,
                        body => Fetched::Response { status, body },
                    };
                    self.handle(Input::Fetched { id, outcome });
                }
            }
            'n' => self.handle(Input::Network {
                online: text.is_empty(),
            }),
            // Time.
            't' => self.advance(1 << text.len().min(20)),
            'T' => {
                self.now = self.now.after(1 << text.len().min(20));
                self.handle(Input::Deadline);
            }
            // What only an edge can do.
            'D' => self.derived(text),
            'K' | 'k' => self.loaded(operation == 'k', text),
            'w' => {
                if let Some(id) = self.stores.pop() {
                    self.handle(Input::Stored {
                        id,
                        kept: text.is_empty(),
                    });
                }
            }
            'A' => {
                if let Some(id) = self.asked.take() {
                    let error = Error::new(Code::Aborted, Phase::Auth, "nobody is there");
                    let credentials = Credentials::Password(Secret::new(PASSWORD.as_bytes().to_vec()));
                    let outcome = if text.is_empty() { Ok(credentials) } else { Err(error) };
                    self.handle(Input::Credentials { id, outcome });
                }
            }
            // The app.
            _ => self.say(operation, text),
        }
        let given = text.len() + 100 * open;
        assert!(self.said <= 1_000 + given, "{} outputs for {given} bytes", self.said);
        assert!(
            self.written <= 100_000 + 20 * given,
            "{} bytes sent for {given}",
            self.written
        );
    }

    /// Whatever has happened, a logout ends it all in bounded time, though nobody answers.
    fn finish(&mut self) {
        self.operate('L', "");
        self.operate('t', "--------------------");
        assert!(self.open.is_empty(), "never settled: {:?}", self.open);
        assert_eq!(self.engine.status(), Status::Offline);
        assert_eq!(self.engine.next_deadline(), None, "offline, and yet waiting");
        assert!(self.socket.is_none(), "the socket was left open");
    }

    fn call(&mut self, command: Command) -> Ticket {
        self.calls += 1;
        let ticket = Ticket(self.calls);
        self.open.insert(self.calls);
        self.engine.command(self.now, ticket, command);
        self.drain();
        ticket
    }

    fn im(&mut self, command: im::Command) -> Ticket {
        self.call(Command::Im { command, timeout: None })
    }

    fn handle(&mut self, input: Input<'_>) {
        self.engine.handle(self.now, input);
        self.drain();
    }

    fn generation(&self, before: u32) -> u32 {
        self.socket
            .as_ref()
            .map_or(0, |socket| socket.generation)
            .wrapping_sub(before)
    }

    /// `$i` is the id of the last iq that the client sent, `$q` of the last query, `$j` its address.
    fn frame(&mut self, text: &str, before: u32) {
        let data = text.replace("$i", &self.iq).replace("$q", &self.query);
        let data = data.replace("$j", self.engine.jid().as_str());
        let generation = self.generation(before);
        self.handle(Input::Frame {
            generation,
            data: &data,
        });
    }

    /// Lets the honest server answer so many frames.
    fn serve(&mut self, frames: usize) {
        for _ in 0..frames {
            let Some(socket) = &mut self.socket else { return };
            let generation = socket.generation;
            let Some(frame) = socket.sent.pop_front() else { return };
            for answer in socket.server.answer(&frame) {
                self.handle(Input::Frame {
                    generation,
                    data: &answer,
                });
            }
        }
    }

    fn opened(&mut self, protocol: &str) {
        let generation = self.generation(0);
        self.handle(Input::SocketOpen { generation, protocol });
    }

    fn closed(&mut self, text: &str) {
        if let Some(socket) = self.socket.take() {
            self.handle(Input::SocketClosed {
                generation: socket.generation,
                code: 1000 + text.len() as u16,
                clean: text.is_empty(),
            });
        }
    }

    /// The right key, or a wrong one.
    fn derived(&mut self, text: &str) {
        if let Some((id, request)) = self.derive.take() {
            assert!(request.iterations <= 1_000_000);
            // A hostile count would only take the fuzzer's time.
            let key = if text.is_empty() && request.iterations < 100 {
                derive::derive(&request)
            } else {
                Secret::new(text.as_bytes().to_vec())
            };
            self.handle(Input::Derived { id, key });
        }
    }

    /// What was kept under that key, or something else.
    fn loaded(&mut self, spoilt: bool, text: &str) {
        while let Some(id) = self.loads.pop() {
            let kept = self.keys.pop().and_then(|key| self.kept.get(&key).cloned());
            let value = if spoilt { Some(text) } else { kept.as_deref() };
            self.handle(Input::Loaded { id, value });
        }
    }

    /// Lets time pass, waking the client whenever it asked for it.
    fn advance(&mut self, ms: u64) {
        let end = self.now.after(ms);
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            (self.said, self.written) = (0, 0);
            self.handle(Input::Deadline);
            let next = self.engine.next_deadline();
            assert!(
                next.is_none_or(|next| next > deadline),
                "a deadline that was kept comes again"
            );
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            self.said += 1;
            match output {
                Output::Reply { ticket, .. } => assert!(self.open.remove(&ticket.0), "settled twice"),
                Output::Event(event) => self.event(&event),
                Output::Io(wish) => self.wish(wish),
                _ => {}
            }
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Status(Status::Online, _) => assert!(self.proved(), "online at a server that proved nothing"),
            Event::Request { request, .. } => self.requests.push_back(*request),
            Event::Frame { data, .. } => assert!(!data.contains(PASSWORD)),
            _ => {}
        }
    }

    fn proved(&self) -> bool {
        self.socket
            .as_ref()
            .is_some_and(|socket| socket.server.is_authenticated())
    }

    fn wish(&mut self, wish: Wish) {
        match wish {
            Wish::Send(frame) => {
                assert!(self.socket.is_some(), "sent without a socket");
                self.written += frame.len();
                assert!(!frame.contains(PASSWORD));
                assert!(
                    self.proved() || !frame.contains(BODY),
                    "the app's words to a server that proved nothing"
                );
                let sent = incoming_as(self.framing, &frame, &Limits::default()).expect("what is sent can be read");
                if let Incoming::Element(element) = sent
                    && element.is("iq", "jabber:client")
                    && matches!(element.attr("type"), Some("get" | "set"))
                {
                    self.iq = element.attr("id").expect("an iq has an id").to_owned();
                    let query = element.children().find_map(|child| child.attr("queryid"));
                    self.query = query.map_or(std::mem::take(&mut self.query), str::to_owned);
                }
                if let Some(socket) = &mut self.socket {
                    socket.sent.push_back(frame);
                }
            }
            Wish::Connect { generation, url } => {
                assert!(is_private(&url), "{url}");
                self.socket = Some(Socket {
                    generation,
                    server: Script::new(OFFER.clone()),
                    sent: VecDeque::new(),
                });
            }
            Wish::CloseSocket { generation, .. } => {
                self.socket.take_if(|socket| socket.generation == generation);
            }
            Wish::Fetch { id, .. } => self.fetches.push(id),
            Wish::CancelFetch { id } => self.fetches.retain(|other| *other != id),
            Wish::DeriveKey { id, request } => self.derive = Some((id, request)),
            Wish::AskCredentials { id, .. } => self.asked = Some(id),
            Wish::Load { id, key } => {
                self.loads.push(id);
                self.keys.push(key);
            }
            Wish::Store { id, key, value } => {
                self.stores.push(id);
                match value {
                    Some(value) => self.kept.insert(key, value),
                    None => self.kept.remove(&key),
                };
            }
            _ => {}
        }
    }
}
