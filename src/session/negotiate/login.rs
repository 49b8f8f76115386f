//! Authentication, RFC 6120 §6: from the app's credentials to the server's proof.

use super::{Failure, Given, Negotiate, Outcome, Progress, Step, violation};
use crate::error::{Code, Error, Phase};
use crate::sasl::{Credentials, Exchange, Mechanism, Next, Offer, Policy, Secret, Start};
use crate::session::Shared;
use crate::session::config::CredentialSource;
use crate::session::io::{Note, Wish};
use crate::session::timers::Timer;
use crate::stream::features::{Features, Inline};
use crate::stream::ns;
use crate::xml::Element;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a server says to a login whose messages came before it had announced itself (RFC 6120 §6.5). The rest of the
/// conditions is about the account.
const HASTY: [&str; 6] = [
    "aborted",
    "encryption-required",
    "incorrect-encoding",
    "invalid-mechanism",
    "malformed-request",
    "mechanism-too-weak",
];

impl Negotiate {
    /// Asks the app before the server has been heard, where it will be told at once what with.
    pub(super) fn ask_early(&mut self, shared: &mut Shared) {
        let ask = matches!(
            (&self.attempt.given, &shared.config.credentials),
            (Given::Nothing, CredentialSource::Ask)
        );
        // A token may spare the app the question.
        let token = shared.agent.token.is_some() && self.inline_known(shared).is_some();
        if ask && !token && self.mechanism_known(shared).is_some() {
            self.ask_credentials(shared);
        }
    }

    /// The features are there: logs in, or asks the app what with.
    pub(super) fn credentials(&mut self, shared: &mut Shared) -> Outcome {
        if let (false, true, Some((offer, inline))) =
            (self.refused_token, self.endpoint.private, self.offered.sasl2.clone())
            && let Some(exchange) = self.by_token(shared, &inline)
        {
            self.offer = offer;
            return Ok(Progress::To(Step::Sasl(exchange)));
        }
        if let Given::Nothing = self.attempt.given {
            match &shared.config.credentials {
                CredentialSource::Fixed(credentials) => self.attempt.given = Given::Credentials(credentials.clone()),
                CredentialSource::Ask => self.ask_credentials(shared),
                CredentialSource::None => {
                    let message =
                        "there is neither a password nor another credential, and no token from an earlier login";
                    return Err(Error::new(Code::InvalidArgument, Phase::Auth, message).into());
                }
            }
        }
        match &self.attempt.given {
            Given::Credentials(credentials) => {
                let credentials = credentials.clone();
                self.authenticate(shared, credentials)
            }
            Given::Nothing | Given::Asked(_) => {
                // A person at a dialog is not the endpoint's slowness.
                shared.timers.stop(Timer::Endpoint);
                Ok(Progress::To(Step::Credentials))
            }
        }
    }

    fn ask_credentials(&mut self, shared: &mut Shared) {
        let id = shared.ticket();
        let error = self.attempt.outdated.clone();
        shared.wish(Wish::AskCredentials { id, error });
        self.attempt.given = Given::Asked(id);
    }

    fn authenticate(&mut self, shared: &mut Shared, credentials: Credentials) -> Outcome {
        let policy = self.policy(shared);
        let choose = |offer: &Offer| Mechanism::choose(&credentials, offer, policy, None);
        let extensible = self.offered.sasl2.clone().filter(|_| self.endpoint.private);
        let mut reason = None;
        if let Some((offer, inline)) = extensible {
            match choose(&offer) {
                Ok(mechanism) => {
                    let exchange = self.begin(shared, mechanism, credentials, Some(&offer), Some(&inline))?;
                    self.offer = offer;
                    return Ok(Progress::To(Step::Sasl(exchange)));
                }
                Err(error) => reason = Some(error),
            }
        }
        let Some(offer) = self.offered.offer.clone() else {
            let message = "the server does not offer authentication on this connection";
            let nothing = || Error::new(Code::NoMechanism, Phase::Auth, message);
            return Err(reason.unwrap_or_else(nothing).into());
        };
        let mechanism = choose(&offer)?;
        let exchange = self.begin(shared, mechanism, credentials, Some(&offer), None)?;
        self.offer = offer;
        Ok(Progress::To(Step::Sasl(exchange)))
    }

    /// What the server offers before the login.
    pub(super) fn features(&mut self, shared: &mut Shared, features: Features) -> Outcome {
        if features.offer.is_none() && !(features.sasl2.is_some() && self.endpoint.private) {
            let message = "the server does not offer authentication on this connection";
            return Err(Error::new(Code::NoMechanism, Phase::Auth, message).into());
        }
        self.offered = features;
        let Some(exchange) = self.ahead.exchange.take() else {
            return self.credentials(shared);
        };
        // What it was begun with may have been taken out of the offer since.
        let mechanism = exchange.mechanism();
        let offer = match (&self.along, &self.offered.sasl2, &self.offered.offer) {
            (Some(along), Some((offer, inline)), _) => Some(offer).filter(|_| along.fits(mechanism, offer, inline)),
            (None, _, Some(offer)) => Some(offer).filter(|_| offer.names(mechanism.name())),
            _ => None,
        };
        let Some(offer) = offer else { return Ok(Progress::Again) };
        self.offer = offer.clone();
        self.look_further(shared);
        Ok(Progress::To(Step::Sasl(exchange)))
    }

    /// The namespace of the profile of SASL that is used.
    pub(super) fn profile(&self) -> &'static str {
        if self.along.is_some() { ns::SASL2 } else { ns::SASL }
    }

    /// An exchange was begun before the server's offer was there: the next one is to be what the offer allows by now.
    pub(super) fn look_further(&mut self, shared: &Shared) {
        if let Given::Credentials(credentials) = &self.attempt.given {
            self.better = Mechanism::choose(credentials, &self.offer, self.policy(shared), None).ok();
        }
    }

    /// Sends the first message of an exchange.
    pub(super) fn begin(
        &mut self,
        shared: &mut Shared,
        mechanism: Mechanism,
        credentials: Credentials,
        offer: Option<&Offer>,
        inline: Option<&Inline>,
    ) -> Result<Exchange, Error> {
        // The keys of an earlier login belong to the password of then.
        let fixed = matches!(shared.config.credentials, CredentialSource::Fixed(_));
        let (exchange, initial) = Exchange::start(Start {
            mechanism,
            credentials,
            account: &shared.config.account,
            nonce: shared.rng.id(),
            policy: self.policy(shared),
            binding: None,
            offer,
            cached: shared.memory.keys.clone().filter(|_| fixed),
        })?;
        self.along = None;
        if let Some(inline) = inline {
            self.authenticate_with(shared, mechanism, &initial, inline);
            return Ok(exchange);
        }
        let auth = Element::new("auth", ns::SASL)
            .with_attr("mechanism", mechanism.name())
            // RFC 6120 §6.4.2: "=" is an initial response of no bytes.
            .with_text(if initial.is_empty() {
                "=".to_owned()
            } else {
                STANDARD.encode(initial)
            });
        shared.write(&auth);
        Ok(exchange)
    }

    fn policy(&self, shared: &Shared) -> Policy {
        Policy {
            plain: shared.config.allow_plain,
            private: self.endpoint.private,
            pinned: shared.memory.pinned,
            scram: shared.config.scram,
        }
    }

    /// The server's next word.
    pub(super) fn sasl(&mut self, shared: &mut Shared, element: &Element, exchange: Exchange) -> Outcome {
        match element.name() {
            // The stream's new header has left already, which an answer would have had to come before.
            "challenge" if self.ahead.hurried => Ok(Progress::Again),
            "challenge" => {
                let data = decoded(element)?.unwrap_or_default();
                let (exchange, next) = exchange.challenge(&data, &self.offer)?;
                match next {
                    Next::Respond(data) => Ok(self.respond(shared, exchange, data)),
                    Next::Derive(request) => {
                        let id = shared.ticket();
                        shared.wish(Wish::DeriveKey { id, request });
                        // By its challenge the endpoint has shown that it is alive, and the rest is ours.
                        shared.timers.stop(Timer::Endpoint);
                        shared.timers.stop(Timer::Haste);
                        Ok(Progress::To(Step::Key { id, exchange }))
                    }
                }
            }
            "success" => match self.along.take() {
                Some(along) => self.succeeded(shared, element, exchange, along),
                None => {
                    self.prove(shared, exchange, decoded(element)?.as_deref())?;
                    Ok(Progress::To(self.restart(shared)))
                }
            },
            "continue" if self.along.is_some() => self.asked_for_more(shared, element, exchange),
            "failure" => {
                // RFC 6120 §6.5, XEP-0388 §2.6.2: whatever else there is.
                let named = || element.children().filter(|child| child.name() != "text");
                let registered = named().find(|child| child.ns() == ns::SASL);
                let condition = registered.or_else(|| named().next());
                let condition = condition.map_or("not-authorized", Element::name).to_owned();
                let text = element.child_text("text", self.profile());
                let by_token = matches!(exchange.mechanism(), Mechanism::HashedToken(_));
                let refusal = exchange.failure(&condition, text);
                if by_token {
                    return self.without_token(shared, refusal);
                }
                Err(Failure {
                    haste: HASTY.contains(&condition.as_str()),
                    ..refusal.into()
                })
            }
            _ => Err(violation(
                Phase::Auth,
                "the server sent something out of order during the authentication",
                "undefined-condition",
            )),
        }
    }

    /// The mechanism's end: whatever it takes to prove that this is the server.
    pub(super) fn prove(&mut self, shared: &mut Shared, exchange: Exchange, data: Option<&[u8]>) -> Result<(), Error> {
        self.mechanism = Some(exchange.mechanism());
        if let Some(keys) = exchange.success(data)? {
            if let Given::Credentials(Credentials::Password(_)) = &self.attempt.given {
                shared.note(Note::Keys(keys.clone()));
            }
            shared.memory.keys = Some(keys);
        }
        Ok(())
    }

    /// The key is there.
    pub(super) fn derived(&mut self, shared: &mut Shared, exchange: Exchange, key: &Secret) -> Outcome {
        let (exchange, data) = exchange.derived(key)?;
        Ok(self.respond(shared, exchange, data))
    }

    fn respond(&mut self, shared: &mut Shared, exchange: Exchange, data: Vec<u8>) -> Progress {
        shared.write(&Element::new("response", self.profile()).with_text(STANDARD.encode(data)));
        self.last_said(shared, &exchange);
        Progress::To(Step::Sasl(exchange))
    }

    /// Whether the app is to be asked once more: the keys that it gave no longer fit or were refused, and it may know the
    /// password.
    pub(super) fn asks_again(&mut self, shared: &Shared, error: &Error) -> bool {
        let asked = matches!(shared.config.credentials, CredentialSource::Ask);
        let keys = matches!(self.attempt.given, Given::Credentials(Credentials::Keys(_)));
        let refused = match error.code() {
            Code::KeysOutdated => true,
            Code::NotAuthorized => error.condition() == Some("not-authorized"),
            _ => false,
        };
        let again = asked && keys && refused && self.attempt.outdated.is_none();
        if again {
            self.attempt.outdated = Some(error.clone());
            self.attempt.given = Given::Nothing;
        }
        again
    }
}

/// What the server has said during the authentication can't be.
pub(super) fn violation_of(message: &'static str) -> Failure {
    violation(Phase::Auth, message, "undefined-condition")
}

pub(super) fn no_base64() -> Failure {
    violation(
        Phase::Auth,
        "the server sent SASL data that is no base64",
        "invalid-xml",
    )
}

/// The bytes that a SASL element carries; none where it is empty (RFC 6120 §6.4.2).
fn decoded(element: &Element) -> Result<Option<Vec<u8>>, Failure> {
    match element.text().trim() {
        "" => Ok(None),
        "=" => Ok(Some(Vec::new())),
        text => match STANDARD.decode(text) {
            Ok(data) => Ok(Some(data)),
            Err(_) => Err(no_base64()),
        },
    }
}
