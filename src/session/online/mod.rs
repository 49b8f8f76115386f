//! Online: stanzas both ways, and their way through the server's acknowledgements.
//!
//! A stanza enters the ledger when it is sent, and leaves it when the server has taken it. How the server is asked for
//! that, and whether it is still there, is the matter of `liveness.rs`; what becomes of what it hasn't taken when the
//! connection ends, that of `ending.rs`.

mod ending;
mod liveness;

pub(crate) use ending::miscount;

use super::discovery::Endpoint;
use super::io::{Millis, Note, Origin, Status, Token};
use super::ledger::{Beyond, Ledger};
use super::negotiate::Hurried;
use super::outgoing::{Kind, Outgoing, Parcel, queue_full};
use super::sm::{self, Asleep, Word};
use super::state::State;
use super::timers::Timer;
use super::tracker::Tracker;
use super::{Input, Shared};
use crate::decimal::decimal;
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::stream::features::StreamLimits;
use crate::stream::framing::{self, Incoming};
use crate::stream::ns;
use crate::xml::{Element, ReadError};
use liveness::{ANSWER, Asked};
use std::collections::VecDeque;

/// How far the ledger may grow beyond the queue before a server that acknowledges nothing is taken for gone.
const PATIENCE: usize = 10_000;

/// A bound resource on a live stream.
#[derive(Debug)]
pub(crate) struct Online {
    jid: Jid,
    endpoint: Endpoint,
    generation: u32,
    limits: StreamLimits,
    csi: bool,
    hurried: Hurried,
    since: Millis,
    tracker: Tracker,
    ledger: Ledger,
    sm: Sm,
    /// What the server was asked and hasn't answered.
    asked: Option<Asked>,
    /// When the server was last heard, and spoken to.
    heard: Millis,
    spoke: Millis,
    /// When the app last sent something, or was told something.
    used: Millis,
    /// How long the server's last answer took, in milliseconds.
    round_trip: u64,
    /// Whether the server is asked because of a suspicion.
    verifying: bool,
    /// Whether the server has acknowledged anything.
    progressed: bool,
    /// Whether the server waits for an acknowledgement of ours that first has to be stored.
    owes: bool,
}

/// How far stream management has come.
#[derive(Debug)]
pub(crate) enum Sm {
    /// There is none.
    Off,
    /// `<enable/>` is sent: everything behind it counts.
    Asked,
    /// `<enabled/>` has come.
    On {
        /// What the session can be resumed by.
        id: Option<String>,
        location: Option<String>,
    },
}

/// What a negotiation hands over.
pub(crate) struct Begun {
    pub(crate) endpoint: Endpoint,
    pub(crate) generation: u32,
    pub(crate) limits: StreamLimits,
    pub(crate) csi: bool,
    pub(crate) hurried: Hurried,
}

impl Online {
    /// A resource is bound. Says so.
    pub(crate) fn start(shared: &mut Shared, now: Millis, begun: Begun, jid: Jid, sm: Sm) -> Box<Online> {
        // Before the status, so that what features send first comes before what listeners make of the news.
        shared.note(Note::Online);
        shared.bound = jid.resource().map(str::to_owned);
        let mut online = Online::new(shared, now, begun, jid, Ledger::default(), Tracker::default(), sm);
        if online.hurried == Hurried::Risky {
            // What a parser at a loss makes of the first, it can't make of the second.
            online.ping(shared, now);
            online.ask_by_ping(shared, now, ANSWER);
        }
        online
    }

    /// A session goes on, of which the server has handled all that the ledger has left. Says so.
    pub(crate) fn resume(shared: &mut Shared, now: Millis, begun: Begun, mut asleep: Asleep) -> Box<Online> {
        shared.note(Note::Resumed {
            restored: asleep.restored,
        });
        shared.bound = asleep.jid.resource().map(str::to_owned);
        let salvaged = ending::to_send_again(shared, &mut asleep.tracker, asleep.ledger.take());
        // What is sent again enters the ledger again, by the same numbers.
        shared.outbox.put_back(salvaged);
        let sm = Sm::On {
            id: Some(asleep.id),
            location: None,
        };
        Online::new(shared, now, begun, asleep.jid, asleep.ledger, asleep.tracker, sm)
    }

    fn new(
        shared: &mut Shared,
        now: Millis,
        begun: Begun,
        jid: Jid,
        ledger: Ledger,
        tracker: Tracker,
        sm: Sm,
    ) -> Box<Online> {
        shared.timers.stop(Timer::Attempt);
        shared.timers.stop(Timer::Endpoint);
        shared.set_status(Status::Online, None);
        shared.keeper.change();
        let online = Box::new(Online {
            jid,
            endpoint: begun.endpoint,
            generation: begun.generation,
            limits: begun.limits,
            csi: begun.csi,
            hurried: begun.hurried,
            since: now,
            tracker,
            ledger,
            sm,
            asked: None,
            heard: now,
            spoke: now,
            used: now,
            round_trip: 0,
            verifying: false,
            progressed: false,
            owes: false,
        });
        // XEP-0352 §4.2: each connection begins active.
        if !shared.visible {
            online.indicate(shared);
        }
        online.rest(shared);
        online
    }

    pub(crate) fn jid(&self) -> &Jid {
        &self.jid
    }

    /// Where the server would like the session to be resumed (XEP-0198 §5).
    pub(crate) fn location(&self) -> Option<&str> {
        match &self.sm {
            Sm::On { location, .. } => location.as_deref(),
            _ => None,
        }
    }

    /// Sends a stanza, unless it is too large or too many are under way.
    pub(crate) fn submit(&mut self, shared: &mut Shared, now: Millis, outgoing: Outgoing) -> Result<(), Error> {
        self.fits(&outgoing)?;
        // What nobody waits for takes no place: the server's own requests are answered however full it is.
        let waits = !matches!(outgoing.kind, Kind::Send);
        if waits && !shared.outbox.has_room(self.ledger.awaited() + self.tracker.under_way()) {
            return Err(queue_full());
        }
        let parcel = shared.outbox.parcel(outgoing);
        let message = parcel.is_message();
        if message || parcel.outgoing.origin.is_some() {
            self.used = now;
        }
        if message {
            shared.keep_before_message();
        }
        let overtakes = message && !(shared.outbox.doubts.is_empty() && shared.outbox.waiting.is_empty());
        if self.hurried == Hurried::Risky || overtakes {
            shared.outbox.waiting.push_back(parcel);
        } else {
            self.send(shared, now, parcel);
        }
        Ok(())
    }

    /// XEP-0478 §4: what is larger than the server takes is not sent; it would end the stream.
    fn fits(&self, outgoing: &Outgoing) -> Result<(), Error> {
        match self.limits.max_bytes {
            Some(max) if outgoing.frame.len() > max as usize => {
                let [size, max] = [outgoing.frame.len() as i64, max.into()].map(decimal);
                let message = [
                    "the stanza has ",
                    &size,
                    " bytes, and the server takes no more than ",
                    &max,
                ];
                Err(Error::new(Code::TooLarge, Phase::Stanza, message.concat()))
            }
            _ => Ok(()),
        }
    }

    /// Sends what waits, as far as it may leave: nothing until it is clear that the server hasn't stumbled; no message before
    /// those in doubt; and what was under way at a stream error alone, so that it shows whose fault that was.
    pub(crate) fn pump(&mut self, shared: &mut Shared, now: Millis) {
        if self.hurried == Hurried::Risky {
            return;
        }
        let mut messages = shared.outbox.doubts.is_empty();
        let mut waiting = core::mem::take(&mut shared.outbox.waiting);
        let mut held = VecDeque::new();
        while let Some(parcel) = waiting.pop_front() {
            let suspect = parcel.strikes > 0;
            if suspect && self.ledger.len() > 0 {
                held.push_back(parcel);
                break;
            }
            if parcel.is_message() && !messages {
                held.push_back(parcel);
                continue;
            }
            match self.fits(&parcel.outgoing) {
                Ok(()) => self.send(shared, now, parcel),
                // It was queued before anybody knew how large it may be.
                Err(error) => shared.finish(parcel, Err(error)),
            }
            messages &= !suspect;
        }
        held.append(&mut waiting);
        shared.outbox.put_back(held);
    }

    fn send(&mut self, shared: &mut Shared, now: Millis, parcel: Parcel) {
        shared.write_frame(parcel.outgoing.frame.clone());
        self.track(shared, now, parcel);
    }

    /// A stanza has been sent.
    pub(crate) fn track(&mut self, shared: &mut Shared, now: Millis, mut parcel: Parcel) {
        self.spoke = now;
        let again = core::mem::replace(&mut parcel.sent, true);
        parcel.unhandled = false;
        match (&parcel.outgoing.kind, parcel.outgoing.origin) {
            (Kind::Ask { id, to, deadline }, Some(origin)) if !again => {
                self.tracker.insert(id.clone(), to.clone(), origin, *deadline);
            }
            (Kind::Send, Some(origin)) => {
                parcel.outgoing.origin = None;
                shared.note(Note::Answered {
                    origin,
                    result: Ok(None),
                });
            }
            _ => {}
        }
        if parcel.is_message() || !matches!(self.sm, Sm::Off) {
            self.ledger.push(parcel);
            shared.keeper.change();
        }
        self.ask_if_needed(shared, now);
    }

    pub(crate) fn handle(mut self: Box<Self>, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        match input {
            Input::Frame { generation, data } if generation == self.generation => {
                self.heard = now;
                shared.saw(data);
                match framing::incoming_as(shared.config.framing, data, &shared.config.frame) {
                    Ok(incoming) => self.incoming(shared, now, incoming),
                    // Anybody can send a stanza that is well-formed and passes a bound of ours, and must not be able to
                    // end our session by it. Each frame stands for itself, so that one can be left out.
                    Err(error @ ReadError::TooLarge(_)) if framing::is_stanza(data) => {
                        let text = "a stanza was dropped: ".to_owned() + error.text();
                        let error = Error::new(Code::ProtocolViolation, Phase::Stanza, text);
                        shared.note(Note::Failed(error.with_condition("policy-violation")));
                        self.ledger.handle();
                        shared.keeper.change();
                        State::Online(self)
                    }
                    Err(error) => {
                        let condition = error.condition();
                        let reason = "the server sent a frame that cannot be read: ".to_owned() + error.text();
                        let error = Error::new(Code::ProtocolViolation, Phase::Stream, reason)
                            .with_condition(condition)
                            .with_retryable(true);
                        shared.hang_up(generation, true, Some(condition));
                        self.lost(shared, now, error)
                    }
                }
            }
            Input::BinaryFrame { generation } if generation == self.generation => {
                shared.hang_up(generation, true, Some("unsupported-encoding"));
                let message = "the server sent a binary message, which XMPP does not have";
                let error = Error::new(Code::ProtocolViolation, Phase::Stream, message).with_retryable(true);
                self.lost(shared, now, error)
            }
            Input::SocketClosed { generation, .. } if generation == self.generation => {
                let error = Error::new(Code::Closed, Phase::Session, "the connection was lost");
                self.lost(shared, now, error)
            }
            input => {
                self.noticed(shared, now, &input);
                State::Online(self)
            }
        }
    }

    fn incoming(mut self: Box<Self>, shared: &mut Shared, now: Millis, incoming: Incoming) -> State {
        match incoming {
            // RFC 6120 §6.3.4: authentication is over.
            Incoming::Element(element) if element.ns() == ns::SASL => {
                self.out_of_order(shared, now, "the server went on with an authentication that is over")
            }
            // RFC 7395 §3.7: there is nothing after which a stream would begin anew.
            Incoming::Open(_) => self.out_of_order(shared, now, "the server began a stream within the stream"),
            Incoming::Element(element) => match self.element(shared, now, element) {
                Ok(()) => State::Online(self),
                Err(Beyond) => self.miscounted(shared, now),
            },
            Incoming::Error(error) => {
                // RFC 7395 §3.5: the server closes after this; there is nothing to wait for.
                shared.hang_up(self.generation, true, None);
                self.failed(shared, now, error)
            }
            Incoming::Close { see_other_uri } => {
                shared.hang_up(self.generation, true, None);
                if let Some(uri) = see_other_uri {
                    let config = &shared.config;
                    match self.endpoint.redirected(&uri, &config.account, config.allow_insecure) {
                        Ok(endpoint) => shared.elsewhere = Some(endpoint),
                        Err(error) => return self.lost(shared, now, error.with_retryable(true)),
                    }
                }
                let error = Error::new(Code::Closed, Phase::Session, "the server ended the session");
                self.dismissed(shared, now, error)
            }
            // RFC 6120 §4.3.5: features may come once more, and change nothing here.
            Incoming::Features(_) | Incoming::Nothing => State::Online(self),
        }
    }

    fn out_of_order(self, shared: &mut Shared, now: Millis, message: &'static str) -> State {
        let condition = "undefined-condition";
        shared.hang_up(self.generation, true, Some(condition));
        let error = Error::new(Code::ProtocolViolation, Phase::Session, message).with_condition(condition);
        self.lost(shared, now, error)
    }

    /// Takes a stanza, or a word about stanzas.
    pub(crate) fn element(&mut self, shared: &mut Shared, now: Millis, element: Element) -> Result<(), Beyond> {
        if element.ns() != ns::SM {
            self.stanza(shared, now, element);
            return Ok(());
        }
        match sm::read(&element) {
            Some(Word::Enabled { id, location }) if matches!(self.sm, Sm::Asked) => {
                self.sm = Sm::On { id, location };
                shared.keeper.change();
                self.ask_if_needed(shared, now);
            }
            Some(Word::Failed { .. }) if matches!(self.sm, Sm::Asked) => {
                // As if there were none: what counts are messages.
                self.sm = Sm::Off;
                self.ask_if_needed(shared, now);
            }
            Some(Word::Request) if matches!(self.sm, Sm::On { .. }) => self.acknowledge(shared, now),
            Some(Word::Acknowledged(h)) if matches!(self.sm, Sm::On { .. }) => self.acknowledged(shared, now, h)?,
            _ => {}
        }
        Ok(())
    }

    /// Takes one stanza: an answer goes to who asked, the rest to the layer above.
    pub(crate) fn stanza(&mut self, shared: &mut Shared, now: Millis, element: Element) {
        shared.note_seen(&element);
        if element.ns() == ns::CLIENT {
            if matches!(self.sm, Sm::On { .. }) {
                self.ledger.handle();
                shared.keeper.change();
            }
            match (element.name(), element.attr("type")) {
                ("iq", Some("result" | "error")) => {
                    if self.answered_ping(shared, now, &element) {
                        return;
                    }
                    if let Some(origin) = self.tracker.answered(&element, &self.jid) {
                        let result = match StanzaError::of(&element) {
                            Some(error) => Err(error.into_error("the request was refused")),
                            None => Ok(element.children().next().cloned()),
                        };
                        shared.note(Note::Answered { origin, result });
                        return;
                    }
                }
                ("message", Some("error")) => {
                    if let Some(parcel) = self.refused(&element) {
                        let error = StanzaError::of(&element).unwrap_or_default();
                        shared.finish(parcel, Err(error.into_error("the message was refused")));
                        return;
                    }
                }
                ("message", _) => self.used = now,
                _ => {}
            }
        }
        shared.note(Note::Stanza(element));
    }

    /// The message under way that this error bounces, if any.
    fn refused(&mut self, error: &Element) -> Option<Parcel> {
        let (bounced, from) = (error.attr("id")?, error.attr("from")?);
        let from = Jid::parse(from).ok()?;
        self.ledger.void(|parcel| match &parcel.outgoing.kind {
            Kind::Deliver { id, to, .. } => id == bounced && *to == from,
            _ => false,
        })
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.tracker.next_deadline()
    }

    /// Settles the questions whose time has come.
    pub(crate) fn expire(&mut self, shared: &mut Shared, now: Millis) {
        expire(&mut self.tracker, shared, now);
    }

    /// Takes out what a call waits for, with the error that it is to end with.
    pub(crate) fn cancel(&mut self, shared: &mut Shared, token: Token, error: &Error) -> Option<(Origin, Error)> {
        cancel(&mut self.tracker, &mut self.ledger, shared, token, error)
    }

    pub(crate) fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// What the session can be resumed by.
    pub(crate) fn id(&self) -> Option<&str> {
        match &self.sm {
            Sm::On { id, .. } => id.as_deref(),
            _ => None,
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }
}

/// Settles the questions whose time has come.
pub(crate) fn expire(tracker: &mut Tracker, shared: &mut Shared, now: Millis) {
    while let Some(origin) = tracker.expired(now) {
        let error = Error::new(Code::Timeout, Phase::Stanza, "nobody answered the request in time");
        shared.note(Note::Answered {
            origin,
            result: Err(error),
        });
    }
}

/// Takes out what a call waits for, with the error that it is to end with.
pub(crate) fn cancel(
    tracker: &mut Tracker,
    ledger: &mut Ledger,
    shared: &mut Shared,
    token: Token,
    error: &Error,
) -> Option<(Origin, Error)> {
    let voided = ledger.void(|parcel| parcel.is_for(token));
    if let Some(origin) = tracker.cancel(token) {
        return Some((origin, error.clone()));
    }
    let parcel = voided?;
    shared.keeper.settled(&parcel);
    Some((parcel.outgoing.origin?, may_be_taken(error)))
}

/// An abort that comes too late to be one.
pub(crate) fn may_be_taken(error: &Error) -> Error {
    let hint = "The message was on its way: the server may have it, and sending it again may deliver it twice.";
    error.clone().with_retryable(false).with_hint(hint)
}
