//! One attempt: from what is remembered to the endpoints, and from one of them to the next.

use super::discovery::{Endpoint, Lookup};
use super::io::{Input, Millis, Ticket};
use super::negotiate::{Given, Negotiate};
use super::recall::Recall;
use super::state::State;
use super::timers::Timer;
use super::{Note, Shared};
use crate::error::{Code, Error, Phase};
use std::vec;

/// One login over all endpoints, or one look for them.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The call that asked for it; none where it is ours, after a loss.
    pub(crate) ticket: Option<Ticket>,
    pub(crate) goal: Goal,
    /// The endpoints that are left to try.
    rest: vec::IntoIter<Endpoint>,
    via: Via,
    /// How often a server has led elsewhere (RFC 7395 §3.6.1).
    pub(crate) hops: u32,
    /// What the app has given, or is asked for.
    pub(crate) given: Given,
    /// Why the app's credentials won't do, once it has been asked for others.
    pub(crate) outdated: Option<Error>,
}

/// Where an attempt's endpoints come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Via {
    /// The app named the only one, or the server of the last session.
    Named,
    /// An earlier attempt found them.
    Remembered,
    /// This attempt looked them up.
    LookedUp,
}

/// What an attempt is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Goal {
    /// A bound resource.
    Login,
    /// To say which endpoints there are.
    Endpoints,
    /// The account, which isn't there yet.
    Account,
}

/// Asking for host-meta.
#[derive(Debug)]
pub(crate) struct Discover {
    pub(crate) attempt: Attempt,
    pub(crate) lookup: Lookup,
}

impl Attempt {
    pub(crate) fn new(shared: &mut Shared, now: Millis, ticket: Option<Ticket>, timeout: u64, goal: Goal) -> Attempt {
        shared.timers.set(Timer::Attempt, now.after(timeout));
        Attempt {
            ticket,
            goal,
            rest: Vec::new().into_iter(),
            via: Via::Named,
            hops: 0,
            given: Given::Nothing,
            outdated: None,
        }
    }

    /// A login, which begins with what the app's store has kept, where that isn't known yet.
    pub(crate) fn begin(shared: &mut Shared, now: Millis, ticket: Option<Ticket>, timeout: u64) -> State {
        let attempt = Attempt::new(shared, now, ticket, timeout, Goal::Login);
        if Recall::is_needed(shared) {
            return Recall::begin(shared, now, attempt, timeout);
        }
        attempt.go(shared, now)
    }

    pub(crate) fn go(mut self, shared: &mut Shared, now: Millis) -> State {
        if let Some(endpoint) = shared.elsewhere.take() {
            return self.negotiate(shared, now, vec![endpoint]);
        }
        let config = &shared.config;
        if let Some(url) = &config.url {
            return match Endpoint::explicit(url, config.allow_insecure) {
                Ok(endpoint) => self.negotiate(shared, now, vec![endpoint]),
                Err(error) => self.fail(shared, now, error),
            };
        }
        if shared.endpoints.is_empty() {
            return self.look_up(shared, now);
        }
        self.via = Via::Remembered;
        let endpoints = shared.endpoints.clone();
        self.negotiate(shared, now, endpoints)
    }

    pub(crate) fn look_up(mut self, shared: &mut Shared, now: Millis) -> State {
        self.via = Via::LookedUp;
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
            None if self.via == Via::Remembered => self.look_up(shared, now),
            None => self.fail(shared, now, error),
        }
    }

    /// From here on it is the present endpoint, or none.
    pub(crate) fn stay(&mut self) {
        self.rest = Vec::new().into_iter();
        self.via = Via::Named;
    }

    /// It has come to its end.
    pub(crate) fn succeed(self, shared: &mut Shared) -> State {
        shared.timers.stop(Timer::Attempt);
        shared.timers.stop(Timer::Endpoint);
        if let Some(ticket) = self.ticket {
            shared.settle(ticket, Ok(()));
        }
        State::Idle
    }

    /// Whether there is nothing to go on to from the present endpoint.
    pub(crate) fn is_last(&self) -> bool {
        self.rest.as_slice().is_empty() && self.via != Via::Remembered
    }

    /// The endpoints before have failed: the next attempt begins behind them.
    fn remember_rest(&self, shared: &mut Shared) {
        if self.via != Via::Named {
            shared.endpoints = self.rest.as_slice().to_vec();
        }
    }

    /// The attempt has failed; the socket, if there was one, is closed already.
    pub(crate) fn fail(self, shared: &mut Shared, now: Millis, error: Error) -> State {
        shared.timers.stop(Timer::Attempt);
        shared.timers.stop(Timer::Endpoint);
        if matches!(error.phase(), Phase::Socket | Phase::Stream) {
            self.remember_rest(shared);
        }
        match self.ticket {
            // Coming back applies after the first time online; the app's own attempt tells the app. What an earlier page has
            // left waits for the next one.
            Some(ticket) => {
                shared.leave(Some(error.clone()));
                shared.settle(ticket, Err(error));
                State::Idle
            }
            None => State::back_off(shared, now, error),
        }
    }
}

impl Discover {
    pub(crate) fn handle(mut self: Box<Self>, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        match input {
            Input::Fetched { id, outcome } => match self.lookup.fetched(shared, id, outcome) {
                None => State::Discover(self),
                Some(Ok(endpoints)) => self.attempt.found(shared, now, endpoints),
                Some(Err(error)) => self.attempt.fail(shared, now, error),
            },
            // The app was asked for an endpoint that has failed since.
            Input::Credentials { id, outcome } if self.attempt.given.awaits(id) => match outcome {
                Ok(credentials) => {
                    self.attempt.given = Given::Credentials(credentials);
                    State::Discover(self)
                }
                Err(error) => {
                    self.lookup.cancel(shared);
                    self.attempt.fail(shared, now, error)
                }
            },
            _ => State::Discover(self),
        }
    }
}
