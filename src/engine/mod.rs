//! The whole client without I/O: a [`Session`], the features, and the calls that wait for them.
//!
//! **The drain rule.** After every [`Engine::handle`], [`Engine::command`] or [`Engine::abort`], call
//! [`Engine::poll_output`] until it returns `None`, carrying out what it returns in order, then arm one timer for
//! [`Engine::next_deadline`]. One drain at a time: what happens meanwhile is handed in after it.

mod io;
mod tickets;

pub use io::{
    Command, Endpoint, Event, Fetched, IQ_TIMEOUT, Input, IqRequest, Match, Millis, Observe, Output, Reply, Status,
    Ticket, Wish,
};

use crate::error::{Code, Error, Phase};
use crate::im::{self, Ctx, Features, Flow, WallClock};
use crate::jid::Jid;
use crate::session::{self, Kind, Note, Origin, Outgoing, Said, Session, Token};
use crate::stanza::iq;
use crate::stream::ns;
use crate::xml::Element;
use std::collections::VecDeque;
use tickets::Tickets;

/// What an engine is told once, when it is made.
#[derive(Clone, Debug)]
pub struct Config {
    /// The session's part.
    pub session: session::Config,
    /// The features' part.
    pub im: im::Config,
}

/// A client without I/O.
#[derive(Debug)]
pub struct Engine {
    session: Session,
    features: Features,
    tickets: Tickets,
    output: VecDeque<Output>,
    /// What the app answers itself.
    handlers: Vec<(u32, Match)>,
    /// The requests that the app has not answered yet, the oldest first.
    requests: Vec<(Ticket, Element)>,
    next_request: u64,
    /// What features know of each other's.
    facts: im::Facts,
    /// When features want to be called, each by its place in their list.
    timers: Vec<(u8, Millis)>,
}

/// How many requests may wait for the app's answer at once.
const MAX_REQUESTS: usize = 1_000;

/// The namespaces whose elements are the session's alone to send.
const RESERVED: [&str; 8] = [
    ns::FRAMING,
    ns::STREAM,
    ns::SASL,
    ns::SASL2,
    ns::BIND,
    ns::BIND2,
    ns::FAST,
    ns::SM,
];

impl Engine {
    /// A client that isn't connected. The seed feeds its random numbers, all of which are as unpredictable as it is.
    pub fn new(mut config: Config, seed: [u8; 32]) -> Engine {
        config.session.inline = im::inline(&config.im);
        Engine {
            features: Features::new(&config.im),
            facts: im::Facts::new(&config.im),
            session: Session::new(config.session, seed),
            tickets: Tickets::default(),
            output: VecDeque::new(),
            handlers: Vec::new(),
            requests: Vec::new(),
            next_request: 0,
            timers: Vec::new(),
        }
    }

    /// The app calls. Each ticket must be greater than the one before, and is settled exactly once.
    pub fn command(&mut self, now: Millis, ticket: Ticket, command: Command) {
        self.tickets.open(ticket, deadline(now, &command));
        if !matches!(command, Command::Answer { .. }) {
            self.facts.active = now;
        }
        if let Err(error) = self.begin(now, ticket, command) {
            self.reply(ticket, Err(error));
        }
        self.advance(now);
    }

    /// A fact from the edge.
    pub fn handle(&mut self, now: Millis, input: Input<'_>) {
        match input {
            Input::Deadline => self.expire(now),
            Input::Visible(_) => self.facts.active = now,
            Input::WallClock { utc, zone } => self.facts.clock = Some(WallClock { at: now, utc, zone }),
            _ => {}
        }
        let woken = matches!(input, Input::Visible(true) | Input::PageShown | Input::ClockJumped);
        self.session.handle(now, input);
        self.advance(now);
        if woken {
            self.features(now, |features, cx| features.on_wake(cx));
            self.advance(now);
        }
    }

    fn expire(&mut self, now: Millis) {
        while let Some(ticket) = self.tickets.expired(now) {
            // A login watches its own time: what is late here is a stanza or its answer.
            let error = Error::new(Code::Timeout, Phase::Stanza, "nobody answered in time");
            self.cancel(now, ticket, error);
        }
        while let Some(place) = self.timers.iter().position(|(_, at)| *at <= now) {
            let (feature, _) = self.timers.swap_remove(place);
            self.features(now, |features, cx| features.on_timer(cx, feature));
        }
    }

    /// The app no longer wants to know. The call ends with `aborted`, unless it has ended already.
    pub fn abort(&mut self, now: Millis, ticket: Ticket) {
        if self.tickets.is_open(ticket) {
            let error = Error::new(Code::Aborted, self.session.phase(), "the call was aborted");
            self.cancel(now, ticket, error);
        }
    }

    /// What is to be carried out next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    /// When [`Input::Deadline`] is due.
    pub fn next_deadline(&self) -> Option<Millis> {
        let feature = self.timers.iter().map(|(_, at)| *at).min();
        [self.session.next_deadline(), self.tickets.next_deadline(), feature]
            .into_iter()
            .flatten()
            .min()
    }

    /// Which of the costly events to emit.
    pub fn observe(&mut self, observe: Observe) {
        self.session.observe(observe);
    }

    /// From now on the app answers these requests: each becomes an [`Event::Request`] naming `handler`.
    pub fn answer(&mut self, handler: u32, requests: Match) {
        self.handlers.push((handler, requests));
    }

    /// The app no longer answers those.
    pub fn unanswer(&mut self, handler: u32) {
        self.handlers.retain(|(other, _)| *other != handler);
    }

    /// The bound address, while online; the account before.
    pub fn jid(&self) -> &Jid {
        self.session.jid().unwrap_or_else(|| self.session.account())
    }

    /// Where the server would like the session to be resumed: a host and a port for TCP (XEP-0198 §5).
    pub fn location(&self) -> Option<&str> {
        self.session.location()
    }

    /// The connection's state.
    pub fn status(&self) -> Status {
        self.session.status()
    }

    fn begin(&mut self, now: Millis, ticket: Ticket, command: Command) -> Result<(), Error> {
        match command {
            Command::Connect { timeout } => self.session.connect(now, ticket, timeout),
            Command::Discover { timeout } => self.session.discover(now, ticket, timeout),
            Command::Disconnect => self.session.disconnect(now, ticket),
            Command::Iq { request, .. } => {
                let id = self.session.rng().id();
                let IqRequest { set, to, payload } = request;
                let outgoing = Outgoing::ask(id, set, to, payload, None, app(ticket))?;
                self.session.submit(now, outgoing)?;
            }
            Command::SendElement(element) => {
                if element.ns().is_empty() {
                    let message = "the element has no namespace; that of stanzas is `jabber:client`";
                    return Err(Error::new(Code::InvalidArgument, Phase::Stanza, message));
                }
                if RESERVED.contains(&element.ns()) {
                    let message = "elements of this namespace belong to the session, not to the app";
                    return Err(Error::new(Code::InvalidArgument, Phase::Stanza, message));
                }
                let origin = Origin {
                    owner: Origin::APP_SENDS,
                    token: Token::Call(ticket),
                };
                let to = element.attr("to").and_then(|to| Jid::parse(to).ok());
                let outgoing = match to.filter(|_| element.is("message", ns::CLIENT)) {
                    Some(to) => {
                        let (element, id) = self.named(element);
                        Outgoing::message(&element, id, to, origin)?
                    }
                    None => Outgoing::new(&element, Kind::Send, Some(origin))?,
                };
                self.session.submit(now, outgoing)?;
            }
            Command::Answer { request, outcome } => {
                let place = self.requests.iter().position(|(waiting, _)| *waiting == request);
                if let Some((_, asked)) = place.map(|place| self.requests.remove(place)) {
                    let answer = match outcome {
                        Ok(payload) => iq::result(&asked, payload),
                        Err(condition) => iq::error(&asked, "cancel", condition),
                    };
                    let answer = Outgoing::new(&answer, Kind::Send, None);
                    match answer.and_then(|answer| self.session.submit(now, answer)) {
                        Ok(()) => {}
                        Err(error) => {
                            // RFC 6120 §8.2.3: who asked is to hear something.
                            self.refuse(now, &asked, "cancel", "internal-server-error");
                            return Err(error);
                        }
                    }
                }
                self.reply(ticket, Ok(Reply::Done));
            }
            Command::Im { command, .. } => {
                self.features(now, |features, cx| features.command(cx, ticket, command));
            }
        }
        Ok(())
    }

    /// A message with an id, by which it can be found again where it is in doubt.
    fn named(&mut self, message: Element) -> (Element, String) {
        match message.attr("id").filter(|id| !id.is_empty()).map(str::to_owned) {
            Some(id) => (message, id),
            None => {
                let id = self.session.rng().id();
                (message.with_attr("id", id.as_str()), id)
            }
        }
    }

    fn cancel(&mut self, now: Millis, ticket: Ticket, error: Error) {
        self.session.cancel(ticket, error.clone());
        self.advance(now);
        self.features(now, |features, cx| features.on_cancelled(cx, ticket));
        self.advance(now);
        self.reply(ticket, Err(error));
    }

    /// Carries what the session says to where it belongs.
    fn advance(&mut self, now: Millis) {
        while let Some(said) = self.session.poll() {
            match said {
                Said::Wish(wish) => self.output.push_back(Output::Io(wish)),
                Said::Note(note) => self.note(now, note),
            }
        }
        // Once idle, with the session silent, nothing can settle a call any more.
        if self.session.is_idle() {
            while let Some(ticket) = self.tickets.first() {
                let error = Error::new(Code::Offline, Phase::Session, "the client is not connected");
                self.reply(ticket, Err(error));
            }
        }
    }

    fn note(&mut self, now: Millis, note: Note) {
        match note {
            Note::Status(status, error) => self.event(Event::Status(status, error)),
            Note::Failed(error) => self.event(Event::Error(error)),
            Note::Keys(keys) => self.event(Event::Credentials(keys)),
            Note::Frame { inbound, data } => self.event(Event::Frame { inbound, data }),
            Note::Binding => self.features(now, |features, cx| features.on_binding(cx)),
            Note::Online => {
                self.features(now, |features, cx| features.on_online(cx));
                self.session.flush(now);
            }
            Note::Resumed { restored, lost } => {
                self.event(Event::Resumed { restored });
                self.features(now, |features, cx| features.on_resumed(cx, restored, lost));
                self.session.flush(now);
            }
            Note::Restored(saved) => self.features(now, |features, cx| features.restore(cx, &saved)),
            Note::Keep => self.session.keep(now, &self.features.save(&self.facts)),
            Note::Kept { message, result } => {
                self.features(now, |features, cx| features.on_kept(cx, &message, &result));
            }
            Note::Offline => {
                self.requests.clear();
                self.features(now, |features, cx| features.on_offline(cx));
            }
            Note::Settled { ticket, result } => self.reply(ticket, result.map(|()| Reply::Done)),
            Note::Found { ticket, endpoints } => self.reply(ticket, Ok(Reply::Endpoints(endpoints))),
            Note::Answered { origin, result } => match (origin.owner, origin.token) {
                (Origin::APP, Token::Call(ticket)) => self.reply(ticket, result.map(Reply::Payload)),
                (Origin::APP_SENDS, Token::Call(ticket)) => self.reply(ticket, result.map(|_| Reply::Done)),
                _ => self.features(now, |features, cx| features.on_reply(cx, origin, result)),
            },
            Note::Stanza(stanza) => self.stanza(now, stanza),
            Note::Seen(stanza) => self.event(Event::Stanza(stanza)),
        }
    }

    fn stanza(&mut self, now: Millis, stanza: Element) {
        let mut flow = Flow::Next;
        self.features(now, |features, cx| flow = features.on_stanza(cx, &stanza));
        if flow == Flow::Taken {
            return;
        }
        let Some(set) = iq::request(&stanza) else { return };
        let xmlns = stanza.children().next().map(Element::ns);
        let handler = self
            .handlers
            .iter()
            .find(|(_, wanted)| Some(wanted.xmlns.as_str()) == xmlns && wanted.set.is_none_or(|wanted| wanted == set))
            .map(|(handler, _)| *handler);
        match handler {
            Some(handler) if self.requests.len() < MAX_REQUESTS => {
                self.next_request += 1;
                let request = Ticket(self.next_request);
                self.requests.push((request, stanza.clone()));
                self.event(Event::Request {
                    request,
                    handler,
                    iq: stanza,
                });
            }
            // RFC 6120 §8.2.3: every request is answered, §8.4: what isn't understood by this.
            None => self.refuse(now, &stanza, "cancel", "service-unavailable"),
            Some(_) => self.refuse(now, &stanza, "wait", "resource-constraint"),
        }
    }

    fn refuse(&mut self, now: Millis, request: &Element, kind: &'static str, condition: &'static str) {
        let answer = iq::error(request, kind, condition);
        // Where the connection has gone meanwhile, so has the question.
        let _ = Outgoing::new(&answer, Kind::Send, None).and_then(|answer| self.session.submit(now, answer));
    }

    /// Lets the features speak, and passes on what they said.
    fn features(&mut self, now: Millis, speak: impl FnOnce(&mut Features, &mut Ctx<'_>)) {
        let mut said = Vec::new();
        let mut cx = Ctx::new(now, &mut self.session, &mut said, &mut self.facts);
        speak(&mut self.features, &mut cx);
        self.said(said);
    }

    // Once for all the ways to speak.
    #[inline(never)]
    fn said(&mut self, said: Vec<im::Said>) {
        for said in said {
            match said {
                im::Said::Event(event) => self.event(Event::Im(event)),
                im::Said::Reply(ticket, result) => self.reply(ticket, result.map(Reply::Im)),
                im::Said::Timer(feature, at) => {
                    self.timers.retain(|(other, _)| *other != feature);
                    self.timers.extend(at.map(|at| (feature, at)));
                }
            }
        }
    }

    fn event(&mut self, event: Event) {
        self.output.push_back(Output::Event(event));
    }

    /// Settles a call, unless it is settled already.
    fn reply(&mut self, ticket: Ticket, result: Result<Reply, Error>) {
        if self.tickets.close(ticket) {
            self.output.push_back(Output::Reply { ticket, result });
        }
    }
}

fn app(ticket: Ticket) -> Origin {
    Origin {
        owner: Origin::APP,
        token: Token::Call(ticket),
    }
}

/// When a call must have ended. A login watches its own time, a logout is bounded in itself.
fn deadline(now: Millis, command: &Command) -> Option<Millis> {
    match command {
        Command::Iq { timeout, .. } => Some(now.after(timeout.unwrap_or(IQ_TIMEOUT))),
        Command::Im { command, timeout } => timeout.or(command.patience()).map(|timeout| now.after(timeout)),
        Command::Connect { .. }
        | Command::Discover { .. }
        | Command::Disconnect
        | Command::SendElement(_)
        | Command::Answer { .. } => None,
    }
}
