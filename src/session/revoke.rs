//! After the end of a session: the token that it was issued is made worthless (XEP-0484 §3.6).
//!
//! That takes a login by the token itself, over a connection of its own, which binds nothing. Whatever comes of it, the client has
//! forgotten the token before; so it is tried once, and not for long.

use super::Shared;
use super::discovery::Endpoint;
use super::io::{Input, Millis, Ticket, Wish};
use super::state::State;
use super::timers::Timer;
use crate::sasl::{Credentials, Exchange, IssuedToken, Policy, Start};
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
    token: IssuedToken,
    said: bool,
    /// The calls that end with it.
    tickets: Vec<Ticket>,
}

impl Revoke {
    /// Begins, where nobody else can read the token's hash.
    pub(crate) fn begin(
        shared: &mut Shared,
        now: Millis,
        endpoint: &Endpoint,
        (agent, token): (String, IssuedToken),
        tickets: Vec<Ticket>,
    ) -> State {
        let mut revoke = Revoke {
            generation: 0,
            agent,
            token,
            said: false,
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
                        let inline = features.sasl2.map(|(_, inline)| inline);
                        let taken = inline.is_some_and(|inline| inline.tokens.contains(&self.token.mechanism));
                        if taken && !self.said && self.say(shared) {
                            self.said = true;
                            State::Revoke(self)
                        } else {
                            self.hang_up(shared)
                        }
                    }
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

    fn say(&self, shared: &mut Shared) -> bool {
        let policy = Policy {
            private: true,
            ..Policy::default()
        };
        let begun = Exchange::start(Start {
            mechanism: self.token.mechanism,
            credentials: Credentials::Issued(self.token.clone()),
            account: &shared.config.account,
            nonce: String::new(),
            policy,
            binding: None,
            offer: None,
            cached: None,
        });
        let Ok((_, initial)) = begun else { return false };
        let authenticate = Element::new("authenticate", ns::SASL2)
            .with_attr("mechanism", self.token.mechanism.name())
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
