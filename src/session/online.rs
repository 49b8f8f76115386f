//! Online: stanzas both ways, questions with their answers, messages with their confirmation.
//!
//! Without stream management a server says nothing of a message that it has taken. But it handles a client's stanzas
//! in order (RFC 6120 §10.1): when it has answered a ping that was sent behind a message, it has taken the message.
//! One ping at a time is under way, for all that was sent before it.

use super::discovery::Endpoint;
use super::io::{Millis, Note, Origin, Status, Token};
use super::negotiate::Hurried;
use super::outgoing::{Kind, Outgoing, queue_full};
use super::state::{Closing, State};
use super::timers::Timer;
use super::tracker::Tracker;
use super::{Input, Shared, Ticket};
use crate::decimal::decimal;
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::stream::features::StreamLimits;
use crate::stream::framing::{self, Incoming};
use crate::stream::ns;
use crate::xml::{Element, ReadError};
use std::collections::VecDeque;

/// How long the server may take to answer the ping behind a message, in milliseconds.
const CONFIRM_TIMEOUT: u64 = 30_000;

/// How long nothing may be sent before the server is asked whether it is still there, in milliseconds: proxies are often
/// set to cut what is silent for a minute.
const KEEPALIVE: u64 = 50_000;

/// The same for a server that wants to be asked more often than is good, in milliseconds.
const KEEPALIVE_MIN: u64 = 3_000;

/// How long the server may take to answer our `<close/>`, in milliseconds.
const CLOSE_TIMEOUT: u64 = 3_000;

/// How long a connection must have held before it counts as a success, in milliseconds.
const STABLE: u64 = 60_000;

/// A bound resource on a live stream.
#[derive(Debug)]
pub(crate) struct Online {
    jid: Jid,
    endpoint: Endpoint,
    generation: u32,
    limits: StreamLimits,
    hurried: Hurried,
    /// What waits until it is clear that the server hasn't stumbled.
    held: VecDeque<Outgoing>,
    since: Millis,
    tracker: Tracker,
    unconfirmed: VecDeque<Unconfirmed>,
    /// How many messages were sent in all; the number of the last one.
    sent: u64,
    /// The ping under way: its id, and the last message sent before it.
    marker: Option<(String, u64)>,
}

#[derive(Debug)]
struct Unconfirmed {
    number: u64,
    id: String,
    to: Jid,
    origin: Origin,
}

impl Online {
    /// Begins, and says so.
    pub(crate) fn start(
        shared: &mut Shared,
        now: Millis,
        endpoint: Endpoint,
        generation: u32,
        jid: Jid,
        limits: StreamLimits,
        hurried: Hurried,
    ) -> Box<Online> {
        shared.timers.stop(Timer::Attempt);
        shared.timers.stop(Timer::Endpoint);
        // Before the status, so that what features send first comes before what listeners make of the news.
        shared.note(Note::Online);
        shared.set_status(Status::Online, None);
        let mut online = Box::new(Online {
            jid,
            endpoint,
            generation,
            limits,
            hurried,
            held: VecDeque::new(),
            since: now,
            tracker: Tracker::default(),
            unconfirmed: VecDeque::new(),
            sent: 0,
            marker: None,
        });
        online.stay(shared, now);
        if hurried == Hurried::Risky {
            // What a parser at a loss makes of the first, it can't make of the second.
            online.ping(shared);
            online.confirm(shared, now);
        }
        online
    }

    pub(crate) fn jid(&self) -> &Jid {
        &self.jid
    }

    /// Sends a stanza, unless it is too large or too many are under way.
    pub(crate) fn submit(&mut self, shared: &mut Shared, now: Millis, outgoing: Outgoing) -> Result<(), Error> {
        self.fits(&outgoing)?;
        // What nobody waits for takes no place: the server's own requests are answered however full it is.
        let waits = !matches!(outgoing.kind, Kind::Send);
        let under_way = self.unconfirmed.len() + self.tracker.under_way() + self.held.len();
        if waits && under_way >= shared.config.queue {
            return Err(queue_full());
        }
        self.send(shared, now, outgoing);
        Ok(())
    }

    /// Sends a stanza that was queued before anybody knew how large it may be.
    pub(crate) fn send_or_refuse(&mut self, shared: &mut Shared, now: Millis, outgoing: Outgoing) {
        match (self.fits(&outgoing), outgoing.origin) {
            (Ok(()), _) => self.send(shared, now, outgoing),
            (Err(error), Some(origin)) => shared.note(Note::Answered {
                origin,
                result: Err(error),
            }),
            (Err(error), None) => shared.note(Note::Failed(error)),
        }
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

    fn send(&mut self, shared: &mut Shared, now: Millis, outgoing: Outgoing) {
        if self.hurried == Hurried::Risky {
            return self.held.push_back(outgoing);
        }
        let Outgoing { frame, origin, kind } = outgoing;
        shared.write_frame(frame);
        self.stay(shared, now);
        self.sent(shared, now, kind, origin);
    }

    /// Something has been sent: the time until the server may take us for gone begins anew.
    fn stay(&self, shared: &mut Shared, now: Millis) {
        // XEP-0478 §3.1: in seconds. What stands between us and the server may be less patient than it.
        let idle = self.limits.idle_seconds.map(|seconds| u64::from(seconds) * 750);
        let interval = idle.unwrap_or(KEEPALIVE).clamp(KEEPALIVE_MIN, KEEPALIVE);
        shared.timers.set(Timer::Keepalive, now.after(interval));
    }

    /// A stanza has been sent.
    pub(crate) fn sent(&mut self, shared: &mut Shared, now: Millis, kind: Kind, origin: Option<Origin>) {
        match (kind, origin) {
            (Kind::Ask { id, to, deadline }, Some(origin)) => self.tracker.insert(id, to, origin, deadline),
            (Kind::Deliver { id, to }, Some(origin)) => {
                self.sent += 1;
                self.unconfirmed.push_back(Unconfirmed {
                    number: self.sent,
                    id,
                    to,
                    origin,
                });
                if self.marker.is_none() {
                    self.confirm(shared, now);
                }
            }
            (Kind::Send, Some(origin)) => shared.note(Note::Answered {
                origin,
                result: Ok(None),
            }),
            (_, None) => {}
        }
    }

    /// Sends a ping to the server (XEP-0199 2.0.1 §4.2); its id.
    fn ping(&self, shared: &mut Shared) -> String {
        let id = shared.rng.id();
        let ping = Element::new("iq", ns::CLIENT)
            .with_attr("type", "get")
            .with_attr("id", id.as_str())
            .with_attr("to", self.jid.domain())
            .with_child(Element::new("ping", "urn:xmpp:ping"));
        shared.write(&ping);
        id
    }

    /// Sends the ping behind the messages sent so far.
    fn confirm(&mut self, shared: &mut Shared, now: Millis) {
        let id = self.ping(shared);
        self.stay(shared, now);
        shared.timers.set(Timer::Confirm, now.after(CONFIRM_TIMEOUT));
        self.marker = Some((id, self.sent));
    }

    pub(crate) fn handle(self: Box<Self>, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        match input {
            Input::Frame { generation, data } if generation == self.generation => {
                shared.saw(data);
                match framing::incoming_as(shared.config.framing, data, &shared.config.frame) {
                    Ok(incoming) => self.incoming(shared, now, incoming),
                    // Anybody can send a stanza that is well-formed and passes a bound of ours, and must not be able to
                    // end our session by it. Each frame stands for itself, so that one can be left out.
                    Err(error @ ReadError::TooLarge(_)) if framing::is_stanza(data) => {
                        let text = "a stanza was dropped: ".to_owned() + error.text();
                        let error = Error::new(Code::ProtocolViolation, Phase::Stanza, text);
                        shared.note(Note::Failed(error.with_condition("policy-violation")));
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
            _ => State::Online(self),
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
            Incoming::Element(element) => {
                self.stanza(shared, now, element);
                State::Online(self)
            }
            Incoming::Error(error) => {
                // RFC 7395 §3.5: the server closes after this; there is nothing to wait for.
                shared.hang_up(self.generation, true, None);
                self.lost(shared, now, error.into_error(Phase::Session))
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
                self.lost(shared, now, error)
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

    /// Takes one stanza: an answer goes to who asked, the rest to the layer above.
    pub(crate) fn stanza(&mut self, shared: &mut Shared, now: Millis, element: Element) {
        shared.note_seen(&element);
        if element.ns() == ns::CLIENT {
            match (element.name(), element.attr("type")) {
                ("iq", Some("result" | "error")) => {
                    if self.marked(shared, now, &element) {
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
                    if let Some(origin) = self.refused(&element) {
                        let error = StanzaError::of(&element)
                            .unwrap_or_default()
                            .into_error("the message was refused");
                        shared.note(Note::Answered {
                            origin,
                            result: Err(error),
                        });
                        return;
                    }
                }
                _ => {}
            }
        }
        shared.note(Note::Stanza(element));
    }

    /// Whether this answers our ping; if so, all messages sent before it have been taken.
    fn marked(&mut self, shared: &mut Shared, now: Millis, iq: &Element) -> bool {
        let Some((id, last)) = &self.marker else { return false };
        // Only the server itself may say so: RFC 6120 §8.1.2.1.
        let servers = |from: &str| Jid::parse(from).is_ok_and(|from| from == self.jid.domain_jid());
        if iq.attr("id") != Some(id) || !iq.attr("from").is_some_and(servers) {
            return false;
        }
        let last = *last;
        self.marker = None;
        shared.timers.stop(Timer::Confirm);
        self.hurried = Hurried::No;
        for outgoing in core::mem::take(&mut self.held) {
            self.send(shared, now, outgoing);
        }
        while let Some(message) = self.unconfirmed.pop_front_if(|message| message.number <= last) {
            shared.note(Note::Answered {
                origin: message.origin,
                result: Ok(None),
            });
        }
        if !self.unconfirmed.is_empty() && self.marker.is_none() {
            self.confirm(shared, now);
        }
        true
    }

    /// The unconfirmed message that this error bounces, if any.
    fn refused(&mut self, error: &Element) -> Option<Origin> {
        let (id, from) = (error.attr("id")?, error.attr("from")?);
        let from = Jid::parse(from).ok()?;
        let place = self
            .unconfirmed
            .iter()
            .position(|message| message.id == id && message.to == from)?;
        Some(self.unconfirmed.remove(place)?.origin)
    }

    pub(crate) fn timer(mut self: Box<Self>, shared: &mut Shared, now: Millis, timer: Timer) -> State {
        match timer {
            Timer::Confirm => {}
            // RFC 7395 §3.8: no white space; XEP-0199 §4.1 instead. One that is under way will do.
            Timer::Keepalive => {
                match self.marker {
                    None => self.confirm(shared, now),
                    Some(_) => self.stay(shared, now),
                }
                return State::Online(self);
            }
            _ => return State::Online(self),
        }
        shared.hang_up(self.generation, true, None);
        let message = "the server has stopped answering";
        self.lost(shared, now, Error::new(Code::Timeout, Phase::Session, message))
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.tracker.next_deadline()
    }

    /// Settles the questions whose time has come.
    pub(crate) fn expire(&mut self, shared: &mut Shared, now: Millis) {
        while let Some(origin) = self.tracker.expired(now) {
            let error = Error::new(Code::Timeout, Phase::Stanza, "nobody answered the request in time");
            shared.note(Note::Answered {
                origin,
                result: Err(error),
            });
        }
    }

    /// Takes out what a call waits for, with the error that it is to end with.
    pub(crate) fn cancel(&mut self, token: Token, error: &Error) -> Option<(Origin, Error)> {
        if let Some(origin) = self.tracker.cancel(token) {
            return Some((origin, error.clone()));
        }
        let held = self
            .held
            .iter()
            .position(|held| held.origin.is_some_and(|origin| origin.token == token));
        if let Some(outgoing) = held.and_then(|place| self.held.remove(place)) {
            return outgoing.origin.map(|origin| (origin, error.clone()));
        }
        let of_call = |message: &Unconfirmed| message.origin.token == token;
        let place = self.unconfirmed.iter().position(of_call)?;
        let origin = self.unconfirmed.remove(place)?.origin;
        let hint = "The message was on its way: the server may have it, and sending it again may deliver it twice.";
        Some((origin, error.clone().with_retryable(false).with_hint(hint)))
    }

    /// Logs out (RFC 6121 §4.5.2, RFC 7395 §3.6): what the server still says until it has closed is taken.
    pub(crate) fn close(mut self: Box<Self>, shared: &mut Shared, now: Millis, ticket: Ticket) -> State {
        // There is no time left to wait in.
        self.hurried = Hurried::No;
        for outgoing in core::mem::take(&mut self.held) {
            self.send(shared, now, outgoing);
        }
        let asked = self.marker.as_ref().map_or(0, |(_, last)| *last);
        if self.unconfirmed.back().is_some_and(|message| message.number > asked) {
            // The last occasion to ask. The answer counts for what the ping before it asked about, too.
            self.confirm(shared, now);
        }
        shared.write(&Element::new("presence", ns::CLIENT).with_attr("type", "unavailable"));
        shared.write(&framing::close());
        shared.timers.set(Timer::Close, now.after(CLOSE_TIMEOUT));
        State::Closing(Box::new(Closing {
            online: self,
            tickets: vec![ticket],
        }))
    }

    /// The connection is gone: settles everything, and comes back if that makes sense.
    pub(crate) fn lost(self, shared: &mut Shared, now: Millis, mut error: Error) -> State {
        if shared.elsewhere.is_none() && self.hurried.stumbled(&error, now.since(self.since)) {
            // It has stumbled: once more, without haste.
            shared.memory.wait_for(&self.endpoint.url);
            shared.remember();
            error = error.with_retryable(true);
        }
        if now.since(self.since) >= STABLE {
            shared.failures = 0;
        }
        self.end(shared, &error);
        State::back_off(shared, now, error)
    }

    /// Settles what was under way.
    pub(crate) fn end(mut self, shared: &mut Shared, error: &Error) {
        shared.timers.stop(Timer::Confirm);
        shared.timers.stop(Timer::Keepalive);
        for origin in self.tracker.drain() {
            shared.note(Note::Answered {
                origin,
                result: Err(Error::new(
                    Code::Closed,
                    Phase::Stanza,
                    "the connection ended before the answer came: ".to_owned() + error.message(),
                )),
            });
        }
        // Nothing of it has left. What the app asked for leaves with the next session; the rest was about this one.
        self.held
            .retain(|outgoing| match outgoing.origin.map(|origin| (origin, origin.token)) {
                Some((origin, Token::Own(_))) => {
                    let result = Err(error.clone());
                    shared.note(Note::Answered { origin, result });
                    false
                }
                origin => origin.is_some(),
            });
        shared.outbox.put_back(core::mem::take(&mut self.held));
        for message in self.unconfirmed.drain(..) {
            shared.note(Note::Answered {
                origin: message.origin,
                result: Err(Error::new(
                    Code::DeliveryUnknown,
                    Phase::Stanza,
                    "the connection ended before the server confirmed the message: ".to_owned() + error.message(),
                )),
            });
        }
        shared.note(Note::Offline);
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }
}
