//! The states of a session and the ways between them. Each is moved by value, so that what a state held cannot be
//! used after it has been left.

use super::discovery::{Endpoint, Lookup};
use super::io::{Input, Millis, Status, Ticket, Wish};
use super::negotiate::Negotiate;
use super::online::Online;
use super::timers::Timer;
use super::{Note, Shared};
use crate::error::{Code, Error, Phase};
use crate::stream::framing::{self, Incoming};
use crate::xml;
use std::vec;

/// Where a session is.
#[derive(Debug)]
pub(crate) enum State {
    /// No connection, and none is being made.
    Idle,
    /// Looking for endpoints.
    Discover(Box<Discover>),
    /// Socket, stream, authentication, binding.
    Negotiate(Box<Negotiate>),
    /// A resource is bound.
    Online(Box<Online>),
    /// Logging out: our `<close/>` is sent, the server's is awaited.
    Closing(Box<Closing>),
    /// Waiting for the next attempt.
    Backoff,
}

/// One login over all endpoints, or one look for them.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The call that asked for it; none where it is ours, after a loss.
    pub(crate) ticket: Option<Ticket>,
    /// The endpoints that are left to try.
    rest: vec::IntoIter<Endpoint>,
    /// They are what an earlier attempt has found, and may be out of date.
    remembered: bool,
    goal: Goal,
}

/// What an attempt is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Goal {
    /// A bound resource.
    Login,
    /// To say which endpoints there are.
    Endpoints,
}

/// Asking for host-meta.
#[derive(Debug)]
pub(crate) struct Discover {
    attempt: Attempt,
    lookup: Lookup,
}

/// Logging out.
#[derive(Debug)]
pub(crate) struct Closing {
    pub(crate) online: Box<Online>,
    pub(crate) tickets: Vec<Ticket>,
}

/// After the network has come back, attempts are spread over this time, in milliseconds.
const NETWORK_JITTER: u64 = 500;

impl State {
    pub(crate) fn connect(self, shared: &mut Shared, now: Millis, ticket: Ticket, timeout: Option<u64>) -> State {
        if !matches!(self, State::Idle) {
            let message = match self {
                State::Online(_) => "the client is connected already",
                State::Closing(_) => "the client is still disconnecting",
                _ => "the client is connecting already",
            };
            shared.settle(ticket, Err(Error::new(Code::InvalidState, Phase::Session, message)));
            return self;
        }
        // The language is the app's; everything else in the header was checked when it became an address.
        if let Err(error) = xml::write(&framing::open(
            shared.config.account.domain(),
            shared.config.lang.as_deref(),
        )) {
            let message = "`lang` cannot be sent: ".to_owned() + error.text();
            shared.settle(ticket, Err(Error::new(Code::InvalidArgument, Phase::Session, message)));
            return State::Idle;
        }
        shared.set_status(Status::Connecting, None);
        let timeout = timeout.unwrap_or(shared.config.timeout);
        Attempt::begin(shared, now, Some(ticket), timeout)
    }

    pub(crate) fn discover(self, shared: &mut Shared, now: Millis, ticket: Ticket, timeout: Option<u64>) -> State {
        if !matches!(self, State::Idle) {
            let message = "the client is connected, or connecting";
            shared.settle(ticket, Err(Error::new(Code::InvalidState, Phase::Session, message)));
            return self;
        }
        let timeout = timeout.unwrap_or(shared.config.timeout);
        Attempt::new(shared, now, Some(ticket), timeout, Goal::Endpoints).look_up(shared, now)
    }

    pub(crate) fn disconnect(self, shared: &mut Shared, now: Millis, ticket: Ticket) -> State {
        match self {
            State::Idle => {
                shared.settle(ticket, Ok(()));
                State::Idle
            }
            State::Online(online) => online.close(shared, now, ticket),
            State::Closing(mut closing) => {
                closing.tickets.push(ticket);
                State::Closing(closing)
            }
            State::Discover(_) | State::Negotiate(_) | State::Backoff => {
                if let Some(attempt) = self.hang_up(shared).and_then(|attempt| attempt.ticket) {
                    let message = "disconnect() was called during the login";
                    shared.settle(attempt, Err(Error::new(Code::Aborted, Phase::Session, message)));
                }
                shared.give_up(None);
                shared.settle(ticket, Ok(()));
                State::Idle
            }
        }
    }

    pub(crate) fn handle(self, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        match self {
            State::Idle => State::Idle,
            State::Discover(discover) => discover.handle(shared, now, input),
            State::Negotiate(negotiate) => negotiate.handle(shared, now, input),
            State::Online(online) => online.handle(shared, now, input),
            State::Closing(closing) => closing.handle(shared, now, input),
            State::Backoff => {
                if let Input::Network { online: true } = input {
                    let soon = now.after(shared.rng.below(NETWORK_JITTER));
                    shared.timers.set(Timer::Backoff, soon);
                }
                State::Backoff
            }
        }
    }

    pub(crate) fn timer(self, shared: &mut Shared, now: Millis, timer: Timer) -> State {
        match (self, timer) {
            (State::Backoff, Timer::Backoff) => {
                let timeout = shared.config.timeout;
                Attempt::begin(shared, now, None, timeout)
            }
            (state @ (State::Discover(_) | State::Negotiate(_)), Timer::Attempt) => {
                let phase = state.phase();
                match state.hang_up(shared) {
                    Some(attempt) => {
                        let message = match attempt.goal {
                            Goal::Login => "the login took too long",
                            Goal::Endpoints => "the domain's web server did not answer in time",
                        };
                        attempt.fail(shared, now, Error::new(Code::Timeout, phase, message))
                    }
                    None => State::Idle,
                }
            }
            (State::Negotiate(negotiate), Timer::Endpoint) => negotiate.too_slow(shared, now),
            (State::Online(online), timer) => online.timer(shared, now, timer),
            (State::Closing(closing), Timer::Close) => closing.finish(shared),
            (state, _) => state,
        }
    }

    /// Breaks off the attempt made for a call.
    pub(crate) fn cancel(mut self, shared: &mut Shared, ticket: Ticket, error: Error) -> State {
        let attempt = match &mut self {
            State::Discover(discover) => discover.attempt.ticket,
            State::Negotiate(negotiate) => negotiate.attempt.ticket,
            State::Closing(closing) => {
                closing.tickets.retain(|other| *other != ticket);
                None
            }
            State::Idle | State::Online(_) | State::Backoff => None,
        };
        if attempt != Some(ticket) {
            return self;
        }
        self.hang_up(shared);
        shared.give_up(Some(error.clone()));
        shared.settle(ticket, Err(error));
        State::Idle
    }

    /// How far things have come.
    pub(crate) fn phase(&self) -> Phase {
        match self {
            State::Discover(_) => Phase::Discovery,
            State::Negotiate(negotiate) => negotiate.phase(),
            State::Idle | State::Online(_) | State::Closing(_) | State::Backoff => Phase::Session,
        }
    }

    /// Breaks off an attempt on our side.
    fn hang_up(self, shared: &mut Shared) -> Option<Attempt> {
        match self {
            State::Discover(discover) => {
                discover.lookup.cancel(shared);
                Some(discover.attempt)
            }
            State::Negotiate(negotiate) => Some(negotiate.hang_up(shared, None)),
            _ => None,
        }
    }
}

impl Attempt {
    fn new(shared: &mut Shared, now: Millis, ticket: Option<Ticket>, timeout: u64, goal: Goal) -> Attempt {
        shared.timers.set(Timer::Attempt, now.after(timeout));
        Attempt {
            ticket,
            rest: Vec::new().into_iter(),
            remembered: false,
            goal,
        }
    }

    fn begin(shared: &mut Shared, now: Millis, ticket: Option<Ticket>, timeout: u64) -> State {
        let mut attempt = Attempt::new(shared, now, ticket, timeout, Goal::Login);
        let config = &shared.config;
        if let Some(url) = &config.url {
            return match Endpoint::explicit(url, config.allow_insecure) {
                Ok(endpoint) => attempt.negotiate(shared, now, vec![endpoint]),
                Err(error) => attempt.fail(shared, now, error),
            };
        }
        if shared.endpoints.is_empty() {
            return attempt.look_up(shared, now);
        }
        attempt.remembered = true;
        let endpoints = shared.endpoints.clone();
        attempt.negotiate(shared, now, endpoints)
    }

    fn look_up(mut self, shared: &mut Shared, now: Millis) -> State {
        self.remembered = false;
        shared.timers.stop(Timer::Endpoint);
        match Lookup::begin(shared) {
            Ok(lookup) => State::Discover(Box::new(Discover { attempt: self, lookup })),
            Err(error) => self.fail(shared, now, error),
        }
    }

    fn found(self, shared: &mut Shared, now: Millis, endpoints: Vec<Endpoint>) -> State {
        match (self.goal, self.ticket) {
            (Goal::Endpoints, Some(ticket)) => {
                shared.timers.stop(Timer::Attempt);
                shared.note(Note::Found { ticket, endpoints });
                State::Idle
            }
            _ => self.negotiate(shared, now, endpoints),
        }
    }

    fn negotiate(mut self, shared: &mut Shared, now: Millis, endpoints: Vec<Endpoint>) -> State {
        self.rest = endpoints.into_iter();
        let error = Error::new(
            Code::DiscoveryNoLink,
            Phase::Discovery,
            "there is no endpoint to connect to",
        );
        self.next(shared, now, error)
    }

    /// Goes on to the next endpoint; without one, the attempt has failed because of `error`. What was found by an earlier
    /// attempt may be out of date, and is looked up anew before that.
    pub(crate) fn next(mut self, shared: &mut Shared, now: Millis, error: Error) -> State {
        self.remember_rest(shared);
        match self.rest.next() {
            Some(endpoint) => Negotiate::start(shared, now, self, endpoint),
            None if self.remembered => self.look_up(shared, now),
            None => self.fail(shared, now, error),
        }
    }

    /// Whether there is nothing to go on to from the present endpoint.
    pub(crate) fn is_last(&self) -> bool {
        self.rest.as_slice().is_empty() && !self.remembered
    }

    /// The endpoints before have failed: the next attempt begins behind them.
    fn remember_rest(&self, shared: &mut Shared) {
        shared.endpoints = self.rest.as_slice().to_vec();
    }

    /// The attempt has failed; the socket, if there was one, is closed already.
    pub(crate) fn fail(self, shared: &mut Shared, now: Millis, error: Error) -> State {
        shared.timers.stop(Timer::Attempt);
        shared.timers.stop(Timer::Endpoint);
        if matches!(error.phase(), Phase::Socket | Phase::Stream) {
            self.remember_rest(shared);
        }
        match self.ticket {
            // Coming back applies after the first time online; the app's own attempt tells the app.
            Some(ticket) => {
                shared.give_up(Some(error.clone()));
                shared.settle(ticket, Err(error));
                State::Idle
            }
            None => State::back_off(shared, now, error),
        }
    }
}

impl Discover {
    fn handle(mut self: Box<Self>, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        let Input::Fetched { id, outcome } = input else {
            return State::Discover(self);
        };
        match self.lookup.fetched(shared, id, outcome) {
            None => State::Discover(self),
            Some(Ok(endpoints)) => self.attempt.found(shared, now, endpoints),
            Some(Err(error)) => self.attempt.fail(shared, now, error),
        }
    }
}

impl Closing {
    fn handle(mut self: Box<Self>, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        let ours = self.online.generation();
        match input {
            Input::Frame { generation, data } if generation == ours => {
                shared.saw(data);
                match framing::incoming(data, &shared.config.frame) {
                    // What was on its way before the server saw our `<close/>` still counts.
                    Ok(Incoming::Element(element)) => {
                        self.online.stanza(shared, now, element);
                        State::Closing(self)
                    }
                    Ok(Incoming::Features(_) | Incoming::Open(_)) => State::Closing(self),
                    Ok(Incoming::Close | Incoming::Error(_)) | Err(_) => self.finish(shared),
                }
            }
            Input::SocketClosed { generation, .. } if generation == ours => self.finish(shared),
            _ => State::Closing(self),
        }
    }

    fn finish(self, shared: &mut Shared) -> State {
        shared.wish(Wish::CloseSocket {
            generation: self.online.generation(),
            linger: false,
        });
        let error = Error::new(Code::Closed, Phase::Session, "disconnect() was called");
        self.online.end(shared, &error);
        shared.give_up(None);
        for ticket in self.tickets {
            shared.settle(ticket, Ok(()));
        }
        State::Idle
    }
}

impl State {
    /// Waits for the next attempt, or ends the session where another one makes no sense.
    pub(crate) fn back_off(shared: &mut Shared, now: Millis, error: Error) -> State {
        // The way to the server may be blocked for a while in any way; what the server itself refuses, it will refuse
        // again.
        let sensible = error.retryable() || matches!(error.phase(), Phase::Discovery | Phase::Socket);
        let delay = match shared.config.reconnect {
            Some(policy) if sensible => policy.delay(shared.failures, &mut shared.rng),
            _ => None,
        };
        // A login that doesn't last is no better than one that fails.
        shared.failures = shared.failures.saturating_add(1);
        match delay {
            Some(delay) => {
                shared.timers.set(Timer::Backoff, now.after(delay));
                shared.set_status(Status::Reconnecting, Some(error));
                State::Backoff
            }
            None => {
                shared.give_up(Some(error.clone()));
                shared.note(Note::Failed(error));
                State::Idle
            }
        }
    }
}
