//! Online: stanzas both ways, and their way through the server's acknowledgements.
//!
//! A stanza enters the ledger when it is sent, and leaves it when the server has taken it. How the server is asked for
//! that, and whether it is still there, is the matter of `liveness.rs`; what becomes of what it hasn't taken when the
//! connection ends, that of `ending.rs`; and what the server says, that of `incoming.rs`.

mod ending;
mod incoming;
mod liveness;

pub(crate) use ending::miscount;

use super::Shared;
use super::discovery::Endpoint;
use super::io::{Millis, Note, Origin, Status, Token};
use super::ledger::Ledger;
use super::negotiate::Hurried;
use super::outgoing::{Kind, Outgoing, Parcel, queue_full};
use super::sm::Asleep;
use super::timers::Timer;
use super::tracker::Tracker;
use crate::decimal::decimal;
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::stream::features::StreamLimits;
use crate::xml::Element;
use liveness::{ANSWER, Asked};

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
    /// Whether the server takes it that somebody looks.
    active: bool,
    features_to_come: bool,
    inline: Option<(Element, Vec<String>)>,
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
    /// When the app last sent something, or was told something, on this connection.
    used: Option<Millis>,
    /// How long the server's last answer took, in milliseconds.
    round_trip: u64,
    /// Whether the server is asked because of a suspicion.
    verifying: bool,
    /// Whether the server has acknowledged anything.
    progressed: bool,
    /// Whether the server waits for an acknowledgement of ours that first has to be stored.
    owes: bool,
    /// Our `<close/>` has left.
    closing: bool,
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
    /// The server's features come behind this (XEP-0388 §2.6.1).
    pub(crate) features_to_come: bool,
    /// What was said of the resource, where it was bound along with the authentication, and what was enabled with it, by their
    /// namespaces (XEP-0386 §2.2).
    pub(crate) inline: Option<(Element, Vec<String>)>,
    /// The server was told along with that that nobody looks.
    pub(crate) inactive: bool,
}

impl Online {
    /// A resource is bound, and these have been sent behind the request for it. Says so.
    pub(crate) fn start(
        shared: &mut Shared,
        now: Millis,
        begun: Begun,
        jid: Jid,
        sm: Sm,
        ahead: Vec<Outgoing>,
    ) -> Box<Online> {
        // Before the status, so that what features send first comes before what listeners make of the news.
        shared.note(Note::Online);
        let ledger = Ledger::begun(shared.config.counters);
        shared.keeper.begin(ledger.handled);
        shared.bound = jid.resource().map(str::to_owned);
        let mut online = Online::new(shared, now, begun, jid, ledger, Tracker::default(), sm);
        for outgoing in ahead {
            let parcel = shared.outbox.parcel(outgoing);
            online.track(shared, now, parcel);
        }
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
            // Of an earlier page's stanzas those that aren't messages have left nothing but their numbers.
            lost: asleep.restored && asleep.ledger.iter().any(Parcel::is_void),
        });
        shared.bound = asleep.jid.resource().map(str::to_owned);
        // `<resume/>` has said it.
        asleep.ledger.told = asleep.ledger.handled;
        let salvaged = ending::to_send_again(shared, &mut asleep.tracker, asleep.ledger.take());
        asleep.tracker.resumed(now);
        // What is sent again enters the ledger again.
        shared.outbox.put_back(salvaged);
        shared.renumber(now);
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
        let mut online = Box::new(Online {
            jid,
            endpoint: begun.endpoint,
            generation: begun.generation,
            limits: begun.limits,
            csi: begun.csi,
            active: !begun.inactive,
            features_to_come: begun.features_to_come,
            inline: begun.inline,
            hurried: begun.hurried,
            since: now,
            tracker,
            ledger,
            sm,
            asked: None,
            heard: now,
            spoke: now,
            used: None,
            round_trip: 0,
            verifying: false,
            progressed: false,
            owes: false,
            closing: false,
        });
        // XEP-0352 §4.2: each connection begins active.
        online.indicate(shared);
        online.rest(shared);
        online
    }

    pub(crate) fn jid(&self) -> &Jid {
        &self.jid
    }

    /// What the server said of the resource, where it was bound along with the authentication.
    pub(crate) fn inline(&self) -> Option<(&Element, &[String])> {
        let (bound, enabled) = self.inline.as_ref()?;
        Some((bound, enabled))
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
        // What nobody waits for takes no place: the server's own requests are answered however full it is. What features ask
        // of their own accord is little, and may be what all the others wait for.
        let own = |origin: Origin| matches!(origin.token, Token::Own(_));
        let of_app = outgoing.origin.is_some_and(|origin| !own(origin));
        let waits = !matches!(outgoing.kind, Kind::Send) && of_app;
        if waits && !shared.outbox.has_room(self.ledger.awaited() + self.tracker.under_way()) {
            return Err(queue_full());
        }
        let parcel = shared.outbox.parcel(outgoing);
        let message = parcel.is_message();
        if of_app {
            self.used = Some(now);
        }
        if message {
            shared.keep_before_message(false);
        }
        let overtakes = message && !(shared.outbox.doubts.is_empty() && shared.outbox.waiting.is_empty());
        if self.hurried == Hurried::Risky || overtakes || shared.keeper.is_closed() {
            shared.outbox.waiting.push(parcel);
        } else {
            self.send(shared, now, parcel);
        }
        Ok(())
    }

    /// XEP-0478 §4: what is larger than the server takes is not sent; it would end the stream. Neither is a password where others
    /// can read it.
    fn fits(&self, outgoing: &Outgoing) -> Result<(), Error> {
        if outgoing.private && !self.endpoint.private {
            let message = "the connection is one that a password isn't sent over: unencrypted, or to a host that isn't the domain's";
            return Err(Error::new(Code::Insecure, Phase::Stanza, message));
        }
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
        if self.hurried == Hurried::Risky || shared.keeper.is_closed() {
            return;
        }
        let mut messages = shared.outbox.doubts.is_empty();
        let mut waiting = core::mem::take(&mut shared.outbox.waiting).into_iter();
        let mut held = Vec::new();
        for parcel in waiting.by_ref() {
            let suspect = parcel.strikes > 0;
            if suspect && self.ledger.len() > 0 {
                held.push(parcel);
                break;
            }
            if parcel.is_message() && !messages {
                held.push(parcel);
                continue;
            }
            match self.fits(&parcel.outgoing) {
                Ok(()) => self.send(shared, now, parcel),
                // It was queued before anybody knew how large it may be.
                Err(error) => shared.finish(parcel, Err(error)),
            }
            messages &= !suspect;
        }
        held.extend(waiting);
        shared.outbox.put_back(held);
    }

    fn send(&mut self, shared: &mut Shared, now: Millis, parcel: Parcel) {
        if parcel.is_message() {
            shared.keep_before_message(parcel.segment.is_some());
        }
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

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
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
