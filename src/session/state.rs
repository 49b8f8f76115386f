//! The states of a session and the ways between them. Each is moved by value, so that what a state held cannot be
//! used after it has been left.

use super::attempt::{Attempt, Discover, Goal};
use super::config::CredentialSource;
use super::io::{Input, Millis, Status, Ticket, Wish};
use super::negotiate::Negotiate;
use super::online::Online;
use super::recall::Recall;
use super::revoke::Revoke;
use super::timers::Timer;
use super::{Note, Shared};
use crate::error::{Code, Error, Phase};
use crate::stream::framing::{self, Incoming};
use crate::xml::{self, Element, ReadError};

/// Where a session is.
#[derive(Debug)]
pub(crate) enum State {
    /// No connection, and none is being made.
    Idle,
    /// Looking up what was remembered.
    Recall(Box<Recall>),
    /// Looking for endpoints.
    Discover(Box<Discover>),
    /// Socket, stream, authentication, binding.
    Negotiate(Box<Negotiate>),
    /// A resource is bound.
    Online(Box<Online>),
    /// Logging out: our `<close/>` is sent, the server's is awaited.
    Closing(Box<Closing>),
    /// Logged out: the token of the session is being made worthless.
    Revoke(Box<Revoke>),
    /// Waiting for the next attempt.
    Backoff,
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
        // A new login isn't kept waiting by the end of the last.
        let state = match self {
            State::Revoke(revoke) => revoke.finish(shared),
            state => state,
        };
        if !matches!(state, State::Idle) {
            let message = match state {
                State::Online(_) => "the client is connected already",
                State::Closing(_) => "the client is still disconnecting",
                _ => "the client is connecting already",
            };
            shared.settle(ticket, Err(Error::new(Code::InvalidState, Phase::Session, message)));
            return state;
        }
        // The language is the app's; everything else in the header was checked when it became an address.
        if let Err(error) = xml::write(&framing::open(
            shared.config.account.domain(),
            None,
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

    pub(crate) fn register(self, shared: &mut Shared, now: Millis, ticket: Ticket, timeout: Option<u64>) -> State {
        if !matches!(self, State::Idle) {
            let message = "the client is connected, or connecting";
            shared.settle(ticket, Err(Error::new(Code::InvalidState, Phase::Session, message)));
            return self;
        }
        let timeout = timeout.unwrap_or(shared.config.timeout);
        Attempt::new(shared, now, Some(ticket), timeout, Goal::Account).go(shared, now)
    }

    pub(crate) fn fill(
        self,
        shared: &mut Shared,
        now: Millis,
        ticket: Ticket,
        timeout: Option<u64>,
        query: Element,
    ) -> State {
        match self {
            State::Negotiate(negotiate) => negotiate.fill(shared, now, ticket, timeout, query),
            state => {
                let message = "the connection has ended while the form was filled in";
                shared.settle(ticket, Err(Error::new(Code::Closed, Phase::Stanza, message)));
                state
            }
        }
    }

    /// The account is no more: neither is anything that was kept of it, and nobody comes back.
    pub(crate) fn removed(self, shared: &mut Shared, now: Millis) -> State {
        shared.removing = None;
        match self {
            State::Online(online) => {
                shared.hang_up(online.generation(), true, None);
                online.gone(shared, now)
            }
            state => {
                shared.forget_account();
                state
            }
        }
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
            State::Revoke(mut revoke) => {
                revoke.join(ticket);
                State::Revoke(revoke)
            }
            State::Recall(_) | State::Discover(_) | State::Negotiate(_) | State::Backoff => {
                if let Some(attempt) = self.hang_up(shared).and_then(|attempt| attempt.ticket) {
                    let message = "disconnect() was called during the login";
                    shared.settle(attempt, Err(Error::new(Code::Aborted, Phase::Session, message)));
                }
                let error = Error::new(Code::Closed, Phase::Session, "disconnect() was called");
                // There was a connection, and there may be another one for that.
                let endpoint = shared.asleep.as_ref().map(|asleep| asleep.endpoint.clone());
                let endpoint = shared.agent.endpoint.take().or(endpoint);
                let tokens = shared.take_tokens();
                shared.give_up(now, None, &error);
                if let (Some(endpoint), Some(tokens)) = (endpoint, tokens) {
                    return Revoke::begin(shared, now, &endpoint, tokens, vec![ticket]);
                }
                shared.settle(ticket, Ok(()));
                State::Idle
            }
        }
    }

    pub(crate) fn handle(self, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        match self {
            State::Idle => State::Idle,
            State::Recall(recall) => recall.handle(shared, now, input),
            State::Discover(discover) => discover.handle(shared, now, input),
            State::Negotiate(negotiate) => negotiate.handle(shared, now, input),
            State::Online(online) => online.handle(shared, now, input),
            State::Closing(closing) => closing.handle(shared, now, input),
            State::Revoke(revoke) => revoke.handle(shared, input),
            State::Backoff => {
                let woken = matches!(
                    input,
                    Input::Network { online: true } | Input::Visible(true) | Input::PageShown | Input::ClockJumped
                );
                if matches!(input, Input::Network { online: true }) && shared.was_offline {
                    // What has failed meanwhile says nothing about the server.
                    shared.failures = 0;
                }
                if woken && shared.wakings.allow(now) {
                    let soon = now.after(shared.rng.below(NETWORK_JITTER));
                    let due = shared.timers.due(Timer::Backoff).unwrap_or(soon);
                    shared.timers.set(Timer::Backoff, soon.min(due));
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
            (state @ (State::Recall(_) | State::Discover(_) | State::Negotiate(_)), Timer::Attempt) => {
                let phase = state.phase();
                if let State::Negotiate(negotiate) = &state {
                    negotiate.out_of_time(shared);
                }
                match state.hang_up(shared) {
                    Some(attempt) => {
                        let message = match attempt.goal {
                            Goal::Login => "the login took too long",
                            Goal::Endpoints => "the domain's web server did not answer in time",
                            Goal::Account => "the server did not answer in time",
                        };
                        attempt.fail(shared, now, Error::new(Code::Timeout, phase, message))
                    }
                    None => State::Idle,
                }
            }
            (State::Recall(recall), Timer::Load) => recall.time_out(shared, now),
            (State::Negotiate(negotiate), Timer::Haste) => negotiate.again(shared, now, true),
            (State::Negotiate(negotiate), Timer::Gap) => negotiate.after_gap(shared, now),
            (State::Negotiate(negotiate), Timer::Endpoint) => negotiate.too_slow(shared, now),
            (State::Online(online), timer) => online.timer(shared, now, timer),
            (State::Closing(closing), Timer::Close) => closing.finish(shared, now),
            (State::Revoke(revoke), Timer::Close) => revoke.finish(shared),
            (state, _) => state,
        }
    }

    /// Breaks off the attempt made for a call.
    pub(crate) fn cancel(mut self, shared: &mut Shared, ticket: Ticket, error: Error) -> State {
        let attempt = match &mut self {
            State::Recall(recall) => recall.attempt.ticket,
            State::Discover(discover) => discover.attempt.ticket,
            State::Negotiate(negotiate) => negotiate.attempt.ticket,
            State::Closing(closing) => {
                closing.tickets.retain(|other| *other != ticket);
                None
            }
            State::Revoke(revoke) => {
                revoke.leave(ticket);
                None
            }
            State::Idle | State::Online(_) | State::Backoff => None,
        };
        if attempt != Some(ticket) {
            return self;
        }
        self.hang_up(shared);
        shared.leave(Some(error.clone()));
        shared.settle(ticket, Err(error));
        State::Idle
    }

    /// How far things have come.
    pub(crate) fn phase(&self) -> Phase {
        match self {
            State::Discover(_) => Phase::Discovery,
            State::Negotiate(negotiate) => negotiate.phase(),
            State::Idle
            | State::Recall(_)
            | State::Online(_)
            | State::Closing(_)
            | State::Revoke(_)
            | State::Backoff => Phase::Session,
        }
    }

    /// Breaks off an attempt on our side.
    fn hang_up(self, shared: &mut Shared) -> Option<Attempt> {
        match self {
            State::Recall(recall) => {
                recall.break_off(shared);
                Some(recall.attempt)
            }
            State::Discover(discover) => {
                discover.lookup.cancel(shared);
                Some(discover.attempt)
            }
            State::Negotiate(negotiate) => Some(negotiate.hang_up(shared, None)),
            _ => None,
        }
    }
}

impl Closing {
    fn handle(mut self: Box<Self>, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        let ours = self.online.generation();
        match input {
            Input::Frame { generation, data } if generation == ours => {
                shared.saw(data);
                match framing::incoming_as(shared.config.framing, data, &shared.config.frame) {
                    // What was on its way before the server saw our `<close/>` still counts.
                    Ok(Incoming::Element(element)) => match self.online.element(shared, now, element) {
                        Ok(()) => State::Closing(self),
                        Err(_) => self.finish(shared, now),
                    },
                    Ok(Incoming::Features(_) | Incoming::Open(_) | Incoming::Nothing) => State::Closing(self),
                    // As while online: no stanza of a stranger's ends anything.
                    Err(ReadError::TooLarge(_)) if framing::is_stanza(data) => State::Closing(self),
                    Ok(Incoming::Close { .. } | Incoming::Error(_)) | Err(_) => self.finish(shared, now),
                }
            }
            Input::SocketClosed { generation, .. } if generation == ours => self.finish(shared, now),
            _ => State::Closing(self),
        }
    }

    fn finish(self, shared: &mut Shared, now: Millis) -> State {
        shared.wish(Wish::CloseSocket {
            generation: self.online.generation(),
            linger: false,
        });
        let error = Error::new(Code::Closed, Phase::Session, "disconnect() was called");
        let endpoint = self.online.endpoint().clone();
        let tokens = shared.take_tokens();
        self.online.end(shared, &error);
        shared.give_up(now, None, &error);
        if let Some(tokens) = tokens {
            return Revoke::begin(shared, now, &endpoint, tokens, self.tickets);
        }
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
        // again. What is no XMPP comes from a server that begins to run, or from somebody in between.
        let sensible = error.retryable()
            || error.code() == Code::ProtocolViolation
            // The app's own function has failed, perhaps for want of a network.
            || (error.code() == Code::InvalidArgument
                && error.phase() == Phase::Auth
                && !matches!(shared.config.credentials, CredentialSource::None))
            || matches!(error.phase(), Phase::Discovery | Phase::Socket);
        let delay = match shared.config.reconnect {
            Some(policy) if sensible => policy.delay(shared.failures, shared.hurry, &mut shared.rng),
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
                if error.code() == Code::NotAuthorized {
                    // XEP-0077 §3.2: it has ended the stream over that, and knows the account no more.
                    shared.account_is_gone();
                }
                shared.give_up(now, Some(error.clone()), &error);
                shared.note(Note::Failed(error));
                State::Idle
            }
        }
    }
}
