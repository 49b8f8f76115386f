//! Pipelining (RFC 6120 §6 leaves it open, XEP-0305 1.0.0 has the idea): what leaves before the answer that would have
//! allowed it, so that a login takes fewer round trips.
//!
//! | server | what leaves together | round trips |
//! |---|---|---|
//! | never met | `<open/>`; `<auth/>`; `<response/>`; `<open/>`, bind | 4 |
//! | known to take it | `<open/>`, `<auth/>`; `<response/>`, `<open/>`, bind, roster, presence | 2 |
//! | known not to | each alone | 5 |
//!
//! A server that stumbles over a new stream in one read with the end of the login (see
//! [`Features::prosody`](crate::stream::features::Features::prosody)) is hurried so far only where the way to it is long. It is
//! given a moment before the second `<open/>`, and the session holds the app's stanzas back until it is clear that the
//! two came apart ([`Hurried`]).
//!
//! Before the server has proved itself nothing leaves that is the app's: no message, no iq, no text of a presence. Where an
//! answer doesn't fit what was assumed, or none comes, the same endpoint is tried again without haste, and never
//! hurried again.

use super::{Given, Negotiate, Step, binding};
use crate::error::{Code, Error, Phase};
use crate::sasl::{Exchange, Mechanism};
use crate::session::Shared;
use crate::session::config::CredentialSource;
use crate::session::io::{Millis, Note};
use crate::session::outgoing::Outgoing;
use crate::session::sm;
use crate::session::state::State;
use crate::session::timers::Timer;
use crate::stream::ns;
use crate::xml::Element;

/// How long a server may be silent about what was sent ahead, in milliseconds.
const PATIENCE: u64 = 8_000;

/// How long a round trip has to be for haste to be worth the risk at a server that stumbles, in milliseconds.
const LONG_WAY: u64 = 40;

/// What such a server is given between the last SASL message and the new stream, at least and at most: a tenth of a round
/// trip, in milliseconds.
const GAP: [u64; 2] = [10, 30];

/// Stream errors that have nothing to do with haste (RFC 6120 §4.9.3).
const DEFINITE: [&str; 6] = [
    "conflict",
    "host-gone",
    "host-unknown",
    "resource-constraint",
    "see-other-host",
    "system-shutdown",
];

/// How a session came about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hurried {
    /// With each word in its turn, as far as a server can stumble over it.
    No,
    /// The new stream was begun before the login had ended.
    Yes,
    /// The same at a server that may have stumbled over it, which shows with the second read from now on.
    Risky,
}

impl Hurried {
    /// Whether haste may be the reason for the end of a session that has lasted that many milliseconds.
    pub(crate) fn stumbled(self, error: &Error, lasted: u64) -> bool {
        match (self, error.code()) {
            (Hurried::No, _) => false,
            (Hurried::Yes, _) if lasted >= PATIENCE => false,
            (_, Code::StreamError) => error.condition().is_some_and(is_hasty),
            // What a server says when it has stumbled may get lost.
            (Hurried::Risky, Code::Closed | Code::Timeout) => true,
            _ => false,
        }
    }
}

/// What has left ahead of its turn.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// When the first header left.
    begun: Option<Millis>,
    /// How long the server's header took, in milliseconds.
    round_trip: u64,
    /// Our last SASL message has left, and the new stream waits for a moment.
    gap: bool,
    pub(super) hurried: bool,
    /// Whether anything has, and the server hasn't shown yet that it takes it.
    pub(super) unanswered: bool,
    /// The exchange whose first message left with the header.
    pub(super) exchange: Option<Exchange>,
    /// The bind request that left with the second header: its id.
    pub(super) bind: Option<String>,
    /// The session request that left with it: its id.
    pub(super) session: Option<String>,
    /// The request to go on with the session that sleeps left with it.
    pub(super) resume: bool,
    /// What features said behind it.
    pub(super) stanzas: Option<Vec<Outgoing>>,
}

/// Whether a stream error of this condition may be about what came too early.
pub(super) fn is_hasty(condition: &str) -> bool {
    !DEFINITE.contains(&condition)
}

impl Negotiate {
    /// The mechanism to begin with before the server has offered any.
    pub(super) fn mechanism_known(&self, shared: &Shared) -> Option<Mechanism> {
        let known = shared.memory.of(&self.endpoint.url)?;
        // PLAIN and OAUTHBEARER give something away; they wait for the server to ask, unless nobody else can read it and that
        // saves a round trip.
        let private = self.endpoint.private && known.inline.is_some();
        let harmless = |mechanism: &Mechanism| private || mechanism.pins() || *mechanism == Mechanism::Anonymous;
        known.mechanism.filter(harmless).filter(|_| known.pipelining)
    }

    /// The header has left: the first SASL message goes along, where the server is known and the credentials are there.
    pub(super) fn hurry(&mut self, shared: &mut Shared) {
        let inline = self.inline_known(shared);
        if let Some(exchange) = inline.as_ref().and_then(|inline| self.by_token(shared, inline)) {
            self.ahead.unanswered = true;
            self.ahead.exchange = Some(exchange);
            return;
        }
        let Some(mechanism) = self.mechanism_known(shared) else {
            return;
        };
        if let (Given::Nothing, CredentialSource::Fixed(credentials)) =
            (&self.attempt.given, &shared.config.credentials)
        {
            self.attempt.given = Given::Credentials(credentials.clone());
        }
        let Given::Credentials(credentials) = &self.attempt.given else {
            return;
        };
        if !mechanism.fits(credentials) {
            return;
        }
        // Where it can't be used, the server's own offer says so or helps out.
        let Ok(exchange) = self.begin(shared, mechanism, credentials.clone(), None, inline.as_ref()) else {
            return;
        };
        self.ahead.unanswered = true;
        self.last_said(shared, &exchange);
        self.ahead.exchange = Some(exchange);
    }

    /// An exchange has gone on. Behind our last word in it leaves what follows the login, where the server is known.
    pub(super) fn last_said(&mut self, shared: &mut Shared, exchange: &Exchange) {
        let known = shared.memory.of(&self.endpoint.url);
        let stumbles = known.is_some_and(|known| known.stumbles);
        if !exchange.has_said_all()
            || self.mechanism_known(shared).is_none()
            || self.ahead.hurried
            // There is no new stream then (XEP-0388 §2.6.1).
            || self.along.is_some()
        {
            return;
        }
        if !stumbles {
            self.begin_anew(shared);
        } else if shared.asleep.is_some() {
            // A stumble would end the session that is to be resumed.
        } else if shared.config.reconnect.is_some() && self.ahead.round_trip >= LONG_WAY {
            // Where it stumbles all the same, it takes another connection to mend.
            self.ahead.gap = true;
        }
    }

    /// The server has had its moment.
    pub(crate) fn after_gap(mut self: Box<Self>, shared: &mut Shared, now: Millis) -> State {
        if matches!(self.step, Step::Open { .. } | Step::Features { .. } | Step::Sasl(_)) && !self.ahead.hurried {
            self.begin_anew(shared);
            self.wait(shared, now);
        }
        State::Negotiate(self)
    }

    /// The new stream leaves before the login has ended.
    fn begin_anew(&mut self, shared: &mut Shared) {
        self.ahead.hurried = true;
        self.open(shared);
        self.bind_ahead(shared);
    }

    /// How the session comes about that is about to begin.
    pub(super) fn hurried(&self, shared: &Shared) -> Hurried {
        let known = shared.memory.of(&self.endpoint.url);
        match self.stumbles || known.is_some_and(|known| known.stumbles) {
            _ if !self.ahead.hurried => Hurried::No,
            true => Hurried::Risky,
            false => Hurried::Yes,
        }
    }

    /// The login has succeeded, and the stream begins anew (RFC 6120 §6.4.6, RFC 7395 §3.7).
    pub(super) fn restart(&mut self, shared: &mut Shared) -> Step {
        shared.timers.stop(Timer::Gap);
        if self.ahead.bind.is_none() && !self.ahead.hurried {
            self.open(shared);
            // Every server offers to bind next (RFC 6120 §7.1), so that even one that was never met needn't be waited for.
            if shared
                .memory
                .of(&self.endpoint.url)
                .is_none_or(|known| known.pipelining)
            {
                self.bind_ahead(shared);
            }
        }
        Step::Open { authenticated: true }
    }

    fn bind_ahead(&mut self, shared: &mut Shared) {
        let known = shared.memory.of(&self.endpoint.url);
        let sm = known.is_some_and(|known| known.sm);
        if let Some(asleep) = &shared.asleep {
            if sm {
                let resume = sm::resume(&asleep.id, asleep.ledger.handled);
                self.ahead.unanswered = true;
                self.ahead.resume = true;
                self.binding = true;
                shared.write(&resume);
            }
            // Whether it can be resumed here, the server's features say.
            return;
        }
        let session = known.map(|known| known.session);
        self.ahead.unanswered = true;
        self.binding = true;
        self.ahead.bind = Some(binding::request_bind(shared));
        let Some(session) = session else {
            // It may require a session (RFC 3921 §3) before any stanza.
            return;
        };
        if session {
            self.ahead.session = Some(binding::request_session(shared));
        }
        if sm {
            self.enabled = true;
            shared.write(&sm::enable());
        }
        self.ahead.stanzas = Some(Vec::new());
        shared.note(Note::Binding);
    }

    /// A feature's stanza leaves behind the bind request.
    pub(crate) fn send_ahead(&mut self, shared: &mut Shared, outgoing: Outgoing) -> Result<(), Error> {
        match &mut self.ahead.stanzas {
            Some(stanzas) => {
                shared.write_frame(outgoing.frame.clone());
                stanzas.push(outgoing);
                Ok(())
            }
            None => Err(Error::new(Code::Offline, Phase::Session, "no resource is being bound")),
        }
    }

    /// The server has been heard, or is to be heard: the time that it has begins anew.
    pub(super) fn wait(&mut self, shared: &mut Shared, now: Millis) {
        match (&self.step, self.ahead.begun) {
            (Step::Open { authenticated: false }, None) => self.ahead.begun = Some(now),
            (Step::Features { authenticated: false }, Some(begun)) => self.ahead.round_trip = now.since(begun),
            _ => {}
        }
        if core::mem::take(&mut self.ahead.gap) {
            let [least, most] = GAP;
            let gap = (self.ahead.round_trip / 10).clamp(least, most);
            shared.timers.set(Timer::Gap, now.after(gap));
        }
        if self.awaits_in_haste() {
            // Where there is little time, some of it has to be left for the login without haste.
            let patience = PATIENCE.min(shared.config.timeout / 3);
            shared.timers.set(Timer::Haste, now.after(patience));
        } else {
            shared.timers.stop(Timer::Haste);
        }
    }

    /// Whether this refuses something that has left ahead, out of its turn as that was.
    pub(super) fn refuses_haste(&self, element: &Element) -> bool {
        let failure = element.is("failure", self.profile()) && self.ahead.exchange.is_some();
        let error = element.is("iq", ns::CLIENT) && element.attr("type") == Some("error");
        self.ahead.unanswered && (failure || error)
    }

    /// The time is up. Where the server owes an answer to what it was sent ahead, it is not hurried again.
    pub(crate) fn out_of_time(&self, shared: &mut Shared) {
        if self.awaits_in_haste() {
            shared.memory.wait_for(&self.endpoint.url);
            shared.remember();
        }
    }

    fn awaits_in_haste(&self) -> bool {
        self.ahead.unanswered && !matches!(self.step, Step::Key { .. } | Step::Socket)
    }

    /// Nothing that has left ahead counts any more.
    pub(super) fn forget_ahead(&mut self, shared: &mut Shared) {
        shared.timers.stop(Timer::Haste);
        shared.timers.stop(Timer::Gap);
        if core::mem::take(&mut self.binding) {
            shared.ghost = true;
            shared.unheard |= self.along.as_ref().is_some_and(|along| along.binds());
        }
        if core::mem::take(&mut self.ahead).stanzas.is_some() {
            shared.note(Note::Offline);
        }
    }

    /// Once more, at the same endpoint, without haste. `open` is whether the stream can still be closed politely.
    pub(crate) fn again(self, shared: &mut Shared, now: Millis, open: bool) -> State {
        shared.memory.wait_for(&self.endpoint.url);
        shared.remember();
        self.anew(shared, now, open)
    }

    /// Once more, at the same endpoint.
    pub(super) fn anew(mut self, shared: &mut Shared, now: Millis, open: bool) -> State {
        self.forget_ahead(shared);
        shared.hang_up(self.generation, open, None);
        Negotiate::start(shared, now, self.attempt, self.endpoint)
    }
}
