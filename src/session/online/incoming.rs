//! What comes in while online: frames of the server's, and facts about the connection.

use super::{Online, Sm};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::session::Shared;
use crate::session::io::{Input, Millis, Note};
use crate::session::ledger::Beyond;
use crate::session::outgoing::{Kind, Parcel};
use crate::session::sm::{self, Word};
use crate::session::state::State;
use crate::stanza::StanzaError;
use crate::stream::framing::{self, Incoming};
use crate::stream::ns;
use crate::xml::{Element, ReadError};

/// The close codes that are about what was sent, as some stream errors are: what cannot be read, and what is too big
/// (RFC 6455 §7.4.1).
const ABOUT_CONTENT: [u16; 2] = [1007, 1009];

impl Online {
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
            Input::SocketClosed { generation, code, .. } if generation == self.generation => {
                if ABOUT_CONTENT.contains(&code) {
                    self.strike();
                }
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
            Incoming::Element(element) if matches!(element.ns(), ns::SASL | ns::SASL2) => {
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
            Incoming::Features(features) if self.features_to_come => {
                self.features_to_come = false;
                (self.limits, self.csi) = (features.limits, features.csi);
                shared.memory.roster_ver = features.roster_ver;
                shared.remember();
                self.indicate(shared);
                self.rest(shared);
                State::Online(self)
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
                ("message", _) => self.used = Some(now),
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
}
