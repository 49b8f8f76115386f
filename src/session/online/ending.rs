//! The end of a connection, and what becomes of what the server hasn't taken.
//!
//! | what ends | what it may be resumed by | what follows |
//! |---|---|---|
//! | the connection | an id | the session sleeps: nothing in it is over |
//! | the connection | nothing | the session is over; messages under way are in doubt |
//! | the session, by `disconnect()` or for good | | messages under way end with `delivery-unknown` |

use super::{Online, Sm};
use crate::error::{Code, Error, Phase};
use crate::session::Shared;
use crate::session::io::{Millis, Note, Ticket, Token};
use crate::session::ledger::Ledger;
use crate::session::outgoing::{Doubt, Kind, Parcel};
use crate::session::sm::{self, Asleep};
use crate::session::state::{Closing, State};
use crate::session::timers::Timer;
use crate::session::tracker::Tracker;
use crate::stream::framing;
use crate::stream::ns;
use crate::stream::stream_error::StreamError;
use crate::xml::Element;

/// How long the server may take to answer our `<close/>`, in milliseconds.
const CLOSE_TIMEOUT: u64 = 3_000;

/// How long a connection must have held before it counts as a success, in milliseconds.
const STABLE: u64 = 60_000;

/// At how many stream errors a stanza may be under way before it is taken for their cause.
const STRIKES: u8 = 2;

/// The stream errors that are about the server or the connection, not about what was sent on it (RFC 6120 §4.9.3).
const BLAMELESS: [&str; 10] = [
    "conflict",
    "connection-timeout",
    "host-gone",
    "host-unknown",
    "not-authorized",
    "remote-connection-failed",
    "reset",
    "resource-constraint",
    "see-other-host",
    "system-shutdown",
];

impl Online {
    /// The server ends the stream with an error.
    pub(super) fn failed(mut self, shared: &mut Shared, now: Millis, error: StreamError) -> State {
        // XEP-0077 §3.2: in the place of an answer to who has removed the account.
        if let Some(origin) = shared.removing.filter(|_| error.condition == "not-authorized") {
            self.tracker.cancel(origin.token);
            shared.account_is_gone();
            return self.gone(shared, now);
        }
        let blameless = BLAMELESS.contains(&error.condition.as_str());
        let policy = error.condition == "policy-violation";
        let conflict = error.condition == "conflict";
        let mut error = error.into_error(Phase::Session);
        if !blameless {
            self.strike();
            // What was under way is to blame, and isn't sent for ever. A server whose policy it is to refuse us stays with it.
            if error.code() == Code::StreamError && !policy && self.ledger.len() > 0 {
                error = error.with_retryable(true);
            }
        }
        // An attempt that we gave up may still come through, and bind what we have bound since, or resume it. Not for ever.
        if conflict && core::mem::take(&mut shared.ghost) && now.since(self.since) < STABLE {
            error = error.with_retryable(true);
        }
        self.dismissed(shared, now, error)
    }

    /// What is under way may be why the connection ends.
    pub(super) fn strike(&mut self) {
        for parcel in self.ledger.iter_mut() {
            parcel.strikes = parcel.strikes.saturating_add(1);
        }
    }

    /// The server counts what it was never sent, or takes back what it has said: nothing that it says of this session can be
    /// relied on (XEP-0198 §4).
    pub(super) fn miscounted(mut self, shared: &mut Shared, now: Millis) -> State {
        let condition = sm::TOO_HIGH;
        shared.hang_up(self.generation, true, Some(condition));
        self.sm = Sm::Off;
        self.lost(shared, now, miscount().with_condition(condition))
    }

    /// The server has sent the client away: all its clients, perhaps.
    pub(super) fn dismissed(self, shared: &mut Shared, now: Millis, error: Error) -> State {
        shared.dismissed = true;
        self.lost(shared, now, error)
    }

    /// The connection is gone: the session sleeps or is over, and comes back if that makes sense.
    pub(super) fn lost(mut self, shared: &mut Shared, now: Millis, mut error: Error) -> State {
        if shared.elsewhere.is_none() && self.hurried.stumbled(&error, now.since(self.since)) {
            // It has stumbled: once more, without haste.
            shared.memory.wait_for(&self.endpoint.url);
            shared.remember();
            error = error.with_retryable(true);
        }
        if now.since(self.since) >= STABLE {
            shared.failures = 0;
            shared.ghost = false;
        } else if self.progressed {
            // Some way is there, and may be gone the next moment.
            shared.failures /= 2;
        }
        // Where it was the server that has sent us away, it has sent all others away too.
        let dismissed = core::mem::take(&mut shared.dismissed);
        shared.hurry = !dismissed && self.is_in_use(shared, now) && shared.hurries.allow(now);
        if self.has_network_again() && shared.wakings.allow(now) {
            // As in `Backoff`: it was the network.
            (shared.failures, shared.hurry) = (0, true);
        }
        shared.timers.stop(Timer::Confirm);
        shared.timers.stop(Timer::Keepalive);
        shared.timers.stop(Timer::Numbers);
        shared.keeper.open();
        match core::mem::replace(&mut self.sm, Sm::Off) {
            Sm::On { id: Some(id), .. } => {
                // `<resume/>` says what has been handled, and nothing that a later page couldn't know.
                if shared
                    .keeper
                    .stored(self.ledger.handled)
                    .is_some_and(|behind| behind > 0)
                {
                    shared.note(Note::Keep);
                }
                shared.asleep = Some(Box::new(Asleep {
                    id,
                    jid: self.jid,
                    endpoint: self.endpoint,
                    ledger: self.ledger,
                    tracker: self.tracker,
                    restored: false,
                }));
            }
            _ => shared.bury(self.tracker, self.ledger, &error),
        }
        shared.keeper.change();
        State::back_off(shared, now, error)
    }

    /// Logs out (RFC 6121 §4.5.2, RFC 7395 §3.6): what the server still says until it has closed is taken.
    pub(crate) fn close(mut self: Box<Self>, shared: &mut Shared, now: Millis, ticket: Ticket) -> State {
        // There is no time left to wait in.
        self.hurried = super::Hurried::No;
        shared.timers.stop(Timer::Numbers);
        shared.keeper.open();
        self.pump(shared, now);
        if let Sm::On { .. } = self.sm {
            // What isn't acknowledged would be delivered elsewhere, once more.
            self.say_handled(shared);
        }
        if self.ledger.awaited() > 0 && !self.asks_about_all() {
            // The last occasion to ask. The answer counts for what the question before it asked about, too.
            self.ask(shared, now, super::ANSWER);
        }
        shared.timers.stop(Timer::Confirm);
        shared.timers.stop(Timer::Keepalive);
        shared.write(&Element::new("presence", ns::CLIENT).with_attr("type", "unavailable"));
        shared.write(&framing::close());
        self.closing = true;
        shared.timers.set(Timer::Close, now.after(CLOSE_TIMEOUT));
        State::Closing(Box::new(Closing {
            online: self,
            tickets: vec![ticket],
        }))
    }

    /// The account is no more: neither is anything that was kept of it, and nobody comes back.
    pub(crate) fn gone(self, shared: &mut Shared, now: Millis) -> State {
        let error = Error::new(Code::Closed, Phase::Session, "the account was removed");
        self.end(shared, &error);
        shared.give_up(now, None, &error);
        shared.forget_account();
        State::Idle
    }

    /// The session is over: settles what was asked in it.
    pub(crate) fn end(self, shared: &mut Shared, error: &Error) {
        shared.timers.stop(Timer::Confirm);
        shared.timers.stop(Timer::Keepalive);
        shared.bury(self.tracker, self.ledger, error);
    }
}

/// What is said of a server that has lost count.
pub(crate) fn miscount() -> Error {
    let message = "the server acknowledges stanzas that it was never sent, or takes an acknowledgement back";
    Error::new(Code::ProtocolViolation, Phase::Session, message).with_retryable(true)
}

/// What of a session's stanzas is to be sent again: not those that nobody waits for any longer, and not those that the server
/// has ended two streams over.
pub(super) fn to_send_again(shared: &mut Shared, tracker: &mut Tracker, parcels: Vec<Parcel>) -> Vec<Parcel> {
    let mut again = Vec::new();
    for mut parcel in parcels {
        if parcel.strikes >= STRIKES {
            if let Some(origin) = parcel.outgoing.origin {
                tracker.cancel(origin.token);
            }
            shared.finish(parcel, Err(poison()));
        } else if !parcel.is_void() {
            parcel.unhandled = true;
            again.push(parcel);
        }
    }
    if again.iter().any(|parcel| parcel.strikes > 0) {
        // One by one, messages take a round trip each, and what the client has asked may be what others wait for.
        again.sort_by_key(Parcel::is_message);
    }
    again
}

/// What a stanza ends with that the server can't bear.
fn poison() -> Error {
    let message = "the server has ended two streams while this was on its way, and has not taken it";
    Error::new(Code::NotDelivered, Phase::Stanza, message).with_retryable(false)
}

impl Shared {
    /// The session is over, and nobody can go on with it: questions have no answer any more, and messages that were under way
    /// are in doubt.
    pub(crate) fn bury(&mut self, mut tracker: Tracker, mut ledger: Ledger, error: &Error) {
        for origin in tracker.drain() {
            self.note(Note::Answered {
                origin,
                result: Err(Error::new(
                    Code::Closed,
                    Phase::Stanza,
                    "the connection ended before the answer came: ".to_owned() + error.message(),
                )),
            });
        }
        let messages = ledger.take().into_iter().filter(Parcel::is_message);
        self.outbox.doubts.extend(messages);
        // What waits has not left. What the app asked for leaves with the next session; the rest was about this one.
        let waiting = core::mem::take(&mut self.outbox.waiting);
        for parcel in waiting {
            let own = |token| matches!(token, Token::Own(_));
            match (&parcel.outgoing.kind, parcel.outgoing.origin) {
                (Kind::Deliver { .. }, _) if parcel.sent && !parcel.unhandled => self.outbox.doubts.push(parcel),
                (Kind::Deliver { .. }, _) => self.outbox.waiting.push(parcel),
                (_, Some(origin)) if own(origin.token) || parcel.sent => {
                    let result = Err(error.clone());
                    if !parcel.sent {
                        self.note(Note::Answered { origin, result });
                    }
                }
                (_, Some(_)) => self.outbox.waiting.push(parcel),
                (_, None) => {}
            }
        }
        self.keeper.change();
        self.note(Note::Offline);
    }

    /// Nobody will go on with the session that sleeps.
    pub(crate) fn bury_asleep(&mut self, error: &Error) {
        if let Some(asleep) = self.asleep.take() {
            self.bury(asleep.tracker, asleep.ledger, error);
        }
    }

    /// A message has come to its end.
    pub(crate) fn finish(&mut self, parcel: Parcel, result: Result<Option<Element>, Error>) {
        self.keeper.settled(&parcel);
        self.delivered |= result.is_ok() && matches!(parcel.outgoing.kind, Kind::Deliver { archived: true, .. });
        match (parcel.outgoing.origin, &parcel.outgoing.kind) {
            (Some(origin), _) => self.note(Note::Answered { origin, result }),
            // Its promise has died with the page that sent it.
            (None, Kind::Deliver { .. }) => {
                if let Ok(message) = crate::xml::read(&parcel.outgoing.frame, &self.config.frame) {
                    self.note(Note::Kept { message, result });
                }
            }
            (None, _) => {}
        }
    }

    /// The archive has this message of ours.
    pub(crate) fn found(&mut self, doubt: &Doubt, stanza_id: &Element) {
        // An id is the app's to choose, and may stand on messages to several.
        let is_it = |parcel: &Parcel| match &parcel.outgoing.kind {
            Kind::Deliver { id, to, .. } => *id == doubt.id && *to == doubt.to,
            _ => false,
        };
        if let Some(place) = self.outbox.doubts.iter().position(is_it) {
            let parcel = self.outbox.doubts.remove(place);
            self.finish(parcel, Ok(Some(stanza_id.clone())));
        }
    }

    /// The archive has been searched: what it would have is sent again, the rest ends with `delivery-unknown`.
    pub(crate) fn end_doubts(&mut self, absent: &dyn Fn(&Doubt) -> bool) {
        let mut again = Vec::new();
        for parcel in core::mem::take(&mut self.outbox.doubts) {
            let decided = parcel.unhandled || parcel.doubt().is_some_and(|doubt| absent(&doubt));
            match decided {
                true if parcel.strikes >= STRIKES => self.finish(parcel, Err(poison())),
                true => again.push(parcel),
                false => {
                    let message = "the session ended before the server had confirmed the message, and no archive tells";
                    let error = Error::new(Code::DeliveryUnknown, Phase::Stanza, message);
                    self.finish(parcel, Err(error));
                }
            }
        }
        self.keeper.change();
        self.outbox.put_among(again);
    }
}
