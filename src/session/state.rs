//! The states of a session and the ways between them. Each is moved by value, so that what a state held cannot be
//! used after it has been left.

use super::discovery::{self, Endpoint};
use super::io::{Fetched, Input, Millis, Status, Ticket, Wish};
use super::negotiate::Negotiate;
use super::online::Online;
use super::timers::Timer;
use super::{Note, Shared, memory};
use crate::decimal::decimal;
use crate::error::{Code, Error, Phase};
use crate::stream::framing::{self, Incoming};
use crate::xml::{self, ReadError};
use std::vec;

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
    /// Waiting for the next attempt.
    Backoff,
}

/// One login over all endpoints.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The call that asked for it; none where it is ours, after a loss.
    pub(crate) ticket: Option<Ticket>,
    /// The endpoints that are left to try.
    pub(crate) rest: vec::IntoIter<Endpoint>,
    /// How often a server has led elsewhere (RFC 7395 §3.6.1).
    pub(crate) hops: u32,
    /// Why the app's credentials won't do, once it has been asked for others.
    pub(crate) outdated: Option<Error>,
}

/// Asking the app's store.
#[derive(Debug)]
pub(crate) struct Recall {
    attempt: Attempt,
    load: Ticket,
    begun: Millis,
    timeout: u64,
}

/// Asking for host-meta.
#[derive(Debug)]
pub(crate) struct Discover {
    attempt: Attempt,
    fetch: Ticket,
}

/// Logging out.
#[derive(Debug)]
pub(crate) struct Closing {
    pub(crate) online: Box<Online>,
    pub(crate) tickets: Vec<Ticket>,
}

/// How long the app's store may take, in milliseconds. Without an answer it is as if it had kept nothing.
const RECALL_TIMEOUT: u64 = 2_000;

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
            None,
            shared.config.lang.as_deref(),
        )) {
            let message = "`lang` cannot be sent: ".to_owned() + error.text();
            shared.settle(ticket, Err(Error::new(Code::InvalidArgument, Phase::Session, message)));
            return State::Idle;
        }
        shared.set_status(Status::Connecting, None);
        let timeout = timeout.unwrap_or(shared.config.timeout);
        if shared.config.storage && !shared.memory.loaded {
            Recall::begin(shared, now, ticket, timeout)
        } else {
            Attempt::begin(shared, now, Some(ticket), timeout)
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
            State::Recall(_) | State::Discover(_) | State::Negotiate(_) | State::Backoff => {
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
            State::Recall(recall) => match input {
                Input::Loaded { id, value } if id == recall.load => {
                    shared.memory.recall(value.unwrap_or_default());
                    recall.end(shared, now)
                }
                _ => State::Recall(recall),
            },
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
                let error = Error::new(Code::Timeout, state.phase(), "the login took too long");
                match state.hang_up(shared) {
                    Some(attempt) => attempt.fail(shared, now, error),
                    None => State::Idle,
                }
            }
            (State::Recall(recall), Timer::Load) => recall.end(shared, now),
            (State::Negotiate(negotiate), Timer::Haste) => negotiate.again(shared, now, true),
            (State::Negotiate(negotiate), Timer::Endpoint) => negotiate.too_slow(shared, now),
            (State::Online(online), timer) => online.timer(shared, now, timer),
            (State::Closing(closing), Timer::Close) => closing.finish(shared),
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
            State::Idle | State::Recall(_) | State::Online(_) | State::Closing(_) | State::Backoff => Phase::Session,
        }
    }

    /// Breaks off an attempt on our side.
    fn hang_up(self, shared: &mut Shared) -> Option<Attempt> {
        match self {
            State::Recall(recall) => Some(recall.attempt),
            State::Discover(discover) => {
                shared.wish(Wish::CancelFetch { id: discover.fetch });
                Some(discover.attempt)
            }
            State::Negotiate(negotiate) => Some(negotiate.hang_up(shared, None)),
            _ => None,
        }
    }
}

impl Recall {
    fn begin(shared: &mut Shared, now: Millis, ticket: Ticket, timeout: u64) -> State {
        let load = shared.ticket();
        let key = memory::key(&shared.config.account);
        shared.wish(Wish::Load { id: load, key });
        shared.timers.set(Timer::Load, now.after(RECALL_TIMEOUT.min(timeout)));
        State::Recall(Box::new(Recall {
            attempt: Attempt::new(Some(ticket)),
            load,
            begun: now,
            timeout,
        }))
    }

    fn end(self, shared: &mut Shared, now: Millis) -> State {
        shared.timers.stop(Timer::Load);
        shared.memory.loaded = true;
        let left = self.timeout.saturating_sub(now.since(self.begun));
        Attempt::begin(shared, now, self.attempt.ticket, left)
    }
}

impl Attempt {
    fn new(ticket: Option<Ticket>) -> Attempt {
        Attempt {
            ticket,
            rest: Vec::new().into_iter(),
            hops: 0,
            outdated: None,
        }
    }

    fn begin(shared: &mut Shared, now: Millis, ticket: Option<Ticket>, timeout: u64) -> State {
        shared.timers.set(Timer::Attempt, now.after(timeout));
        let attempt = Attempt::new(ticket);
        if let Some(endpoint) = shared.elsewhere.take() {
            return attempt.negotiate(shared, now, vec![endpoint]);
        }
        let config = &shared.config;
        if let Some(url) = &config.url {
            return match Endpoint::explicit(url, config.allow_insecure) {
                Ok(endpoint) => attempt.negotiate(shared, now, vec![endpoint]),
                Err(error) => attempt.fail(shared, now, error),
            };
        }
        let domain = config.account.domain();
        match discovery::host_meta_url(domain, config.host_meta.as_deref(), config.allow_insecure) {
            Ok(url) => {
                let id = shared.ticket();
                shared.wish(Wish::Fetch {
                    id,
                    url,
                    limit: discovery::MAX_HOST_META,
                });
                State::Discover(Box::new(Discover { attempt, fetch: id }))
            }
            Err(error) => attempt.fail(shared, now, error),
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

    /// Goes on to the next endpoint; without one, the attempt has failed because of `error`.
    pub(crate) fn next(mut self, shared: &mut Shared, now: Millis, error: Error) -> State {
        match self.rest.next() {
            Some(endpoint) => Negotiate::start(shared, now, self, endpoint),
            None => self.fail(shared, now, error),
        }
    }

    /// The attempt has failed; the socket, if there was one, is closed already.
    pub(crate) fn fail(self, shared: &mut Shared, now: Millis, error: Error) -> State {
        shared.timers.stop(Timer::Attempt);
        shared.timers.stop(Timer::Endpoint);
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
    fn handle(self: Box<Self>, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        let Input::Fetched { id, outcome } = input else {
            return State::Discover(self);
        };
        if id != self.fetch {
            return State::Discover(self);
        }
        match endpoints(outcome, shared.config.allow_insecure) {
            Ok(endpoints) => self.attempt.negotiate(shared, now, endpoints),
            Err(error) => self.attempt.fail(shared, now, error),
        }
    }
}

fn endpoints(outcome: Fetched<'_>, allow_insecure: bool) -> Result<Vec<Endpoint>, Error> {
    match outcome {
        Fetched::Response { status, body } if (200..300).contains(&status) => discovery::read_xrd(body, allow_insecure),
        Fetched::Response { status, .. } => {
            let message = "the domain's host-meta answered with HTTP status ".to_owned() + &decimal(status.into());
            let error = Error::new(Code::DiscoveryHttp, Phase::Discovery, message);
            // RFC 9110 §15.6, RFC 6585 §4: trouble that may pass.
            Err(if status >= 500 || status == 429 {
                error
                    .with_retryable(true)
                    .with_hint("The domain's web server is in trouble. Try again later.")
            } else {
                error
            })
        }
        Fetched::Failed => Err(Error::new(
            Code::DiscoveryNetwork,
            Phase::Discovery,
            "the domain's host-meta could not be fetched (network or CORS; the browser does not say which)",
        )),
        Fetched::TooLarge => Err(Error::new(
            Code::DiscoveryParse,
            Phase::Discovery,
            "the domain's host-meta is larger than any host-meta should be",
        )),
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
                    Ok(Incoming::Element(element)) => {
                        self.online.stanza(shared, now, element);
                        State::Closing(self)
                    }
                    Ok(Incoming::Features(_) | Incoming::Open(_) | Incoming::Nothing) => State::Closing(self),
                    // As while online: no stanza of a stranger's ends anything.
                    Err(ReadError::TooLarge(_)) if framing::is_stanza(data) => State::Closing(self),
                    Ok(Incoming::Close { .. } | Incoming::Error(_)) | Err(_) => self.finish(shared),
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
