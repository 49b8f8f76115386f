//! After the end of a session: the token that it was issued is made worthless (XEP-0484 §3.6). Where the server doesn't know it any
//! more, the one before may be good still: a login that was given up and came through late has brought another one, which nobody got.
//!
//! That takes a login by the token itself, over a connection of its own, which binds nothing. Whatever comes of it, the client has
//! forgotten them before; so each is tried once, and not for long.

use super::Shared;
use super::discovery::Endpoint;
use super::io::{Input, Millis, Ticket, Wish};
use super::state::State;
use super::timers::Timer;
use crate::sasl::{Credentials, Exchange, IssuedToken, Mechanism, Policy, Start};
use crate::stream::framing::{self, Incoming};
use crate::stream::ns;
use crate::xml::Element;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How long it may take, in milliseconds.
const TIMEOUT: u64 = 3_000;

/// Giving a token back.
#[derive(Debug)]
pub(crate) struct Revoke {
    generation: u32,
    agent: String,
    /// Those that haven't been given back yet.
    tokens: Vec<IssuedToken>,
    /// By which mechanisms the server takes them, once it has said so.
    taken: Option<Vec<Mechanism>>,
    /// The calls that end with it.
    tickets: Vec<Ticket>,
}

impl Revoke {
    /// Begins, where nobody else can read the token's hash.
    pub(crate) fn begin(
        shared: &mut Shared,
        now: Millis,
        endpoint: &Endpoint,
        (agent, tokens): (String, Vec<IssuedToken>),
        tickets: Vec<Ticket>,
    ) -> State {
        let mut revoke = Revoke {
            generation: 0,
            agent,
            tokens,
            taken: None,
            tickets,
        };
        if !endpoint.private {
            return revoke.finish(shared);
        }
        shared.timers.set(Timer::Close, now.after(TIMEOUT));
        revoke.generation = shared.dial(endpoint.url.clone());
        State::Revoke(Box::new(revoke))
    }

    pub(crate) fn handle(mut self: Box<Self>, shared: &mut Shared, input: Input<'_>) -> State {
        let ours = self.generation;
        match input {
            Input::SocketOpen { generation, protocol } if generation == ours && protocol == framing::SUBPROTOCOL => {
                let account = &shared.config.account;
                let header = framing::open(account.domain(), Some(account), None);
                shared.write(&header);
                State::Revoke(self)
            }
            Input::Frame { generation, data } if generation == ours => {
                shared.saw(data);
                match framing::incoming_as(shared.config.framing, data, &shared.config.frame) {
                    Ok(Incoming::Open(_) | Incoming::Nothing) => State::Revoke(self),
                    Ok(Incoming::Features(features)) => {
                        let tokens = features.sasl2.map(|(_, inline)| inline.tokens).unwrap_or_default();
                        if self.taken.replace(tokens).is_some() {
                            return self.hang_up(shared);
                        }
                        self.say(shared)
                    }
                    Ok(Incoming::Element(element)) if element.is("failure", ns::SASL2) => self.say(shared),
                    // Either it is worthless now, or it has been before.
                    _ => self.hang_up(shared),
                }
            }
            Input::SocketOpen { generation, .. }
            | Input::BinaryFrame { generation }
            | Input::SocketClosed { generation, .. }
                if generation == ours =>
            {
                self.finish(shared)
            }
            _ => State::Revoke(self),
        }
    }

    /// The next of them, if there is one that the server takes.
    fn say(mut self: Box<Self>, shared: &mut Shared) -> State {
        let token = (!self.tokens.is_empty()).then(|| self.tokens.remove(0));
        let taken = |token: &IssuedToken| self.taken.iter().flatten().any(|taken| *taken == token.mechanism);
        match token.filter(taken) {
            Some(token) if self.give_back(shared, &token) => State::Revoke(self),
            _ => self.hang_up(shared),
        }
    }

    fn give_back(&self, shared: &mut Shared, token: &IssuedToken) -> bool {
        let mechanism = token.mechanism;
        let policy = Policy {
            private: true,
            ..Policy::default()
        };
        let begun = Exchange::start(Start {
            mechanism,
            credentials: Credentials::Issued(token.clone()),
            account: &shared.config.account,
            nonce: String::new(),
            policy,
            binding: None,
            offer: None,
            cached: None,
        });
        let Ok((_, initial)) = begun else { return false };
        let authenticate = Element::new("authenticate", ns::SASL2)
            .with_attr("mechanism", mechanism.name())
            .with_child(Element::new("initial-response", ns::SASL2).with_text(STANDARD.encode(initial)))
            .with_child(Element::new("user-agent", ns::SASL2).with_attr("id", self.agent.as_str()))
            .with_child(Element::new("fast", ns::FAST).with_attr("invalidate", "true"));
        shared.write(&authenticate);
        true
    }

    fn hang_up(self, shared: &mut Shared) -> State {
        shared.write(&framing::close());
        self.finish(shared)
    }

    /// It is over, whatever has come of it.
    pub(crate) fn finish(self, shared: &mut Shared) -> State {
        shared.timers.stop(Timer::Close);
        shared.wish(Wish::CloseSocket {
            generation: self.generation,
            linger: true,
        });
        for ticket in self.tickets {
            shared.settle(ticket, Ok(()));
        }
        State::Idle
    }

    /// Another call that ends with it.
    pub(crate) fn join(&mut self, ticket: Ticket) {
        self.tickets.push(ticket);
    }

    /// That call isn't waited for any longer.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        self.tickets.retain(|other| *other != ticket);
    }
}
