//! One exchange with a mechanism, from the first message to the last (RFC 6120 §6.4, March 2011).

#[cfg(test)]
mod tests;

use super::derive::{Hash, KeyRequest, Secret};
use super::failure::{refused, scram_error};
use super::scram::{Accepted, AwaitingFinal, AwaitingKey, Binding, ClientFirst, Secrets, Verified};
use super::{ChannelBinding, Credentials, Mechanism, Offer, Policy, ScramKeys, oauth, prep, simple, token};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;

/// How much of a server's reason is kept, in bytes.
const MAX_REASON: usize = 1024;

/// One authentication, from the first message on. Boxed, so that handing it on costs a pointer.
#[derive(Debug)]
pub struct Exchange(Box<Inner>);

#[derive(Debug)]
struct Inner {
    mechanism: Mechanism,
    state: State,
}

#[derive(Debug)]
enum State {
    /// A mechanism of one message: nothing is left to say.
    Told,
    /// A server's own token is vouched for, and the server is to show that it has it as well.
    Hashed(Hash, Secret),
    /// A token is sent. It is good, or the server says why not.
    Bearer,
    /// The server has said why the token is no good, in JSON (RFC 7628 §3.2.2), and owes its `<failure/>`.
    BearerRefused(String),
    First(ClientFirst),
    Deriving(AwaitingKey),
    Final(AwaitingFinal),
    /// The server has proved itself in a challenge; only its `<success/>` is missing (RFC 5802 §5, RFC 6120 §6.4.5).
    Verified(Verified),
}

/// What an exchange begins with.
#[derive(Debug)]
pub struct Start<'a> {
    /// The mechanism, chosen or remembered.
    pub mechanism: Mechanism,
    /// What to log in with.
    pub credentials: Credentials,
    /// The account.
    pub account: &'a Jid,
    /// Fresh and random: printable ASCII without commas.
    pub nonce: String,
    /// What a login must not go below.
    pub policy: Policy,
    /// What an edge knows of the connection's own encryption, where it can know it.
    pub binding: Option<&'a ChannelBinding>,
    /// What the server offers; none where the first message leaves before that is known. Only a client that could bind to
    /// the channel says more or less by it.
    pub offer: Option<&'a Offer>,
    /// Keys that a login with the same password has left behind: used where they fit, and else made anew.
    pub cached: Option<ScramKeys>,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Next {
    /// Send this to the server.
    Respond(Vec<u8>),
    /// Derive this key, then call [`Exchange::derived`].
    Derive(KeyRequest),
}

impl Exchange {
    fn of(mechanism: Mechanism, state: State) -> Exchange {
        Exchange(Box::new(Inner { mechanism, state }))
    }

    /// Begins; the bytes are the initial response.
    ///
    /// # Errors
    /// `invalid-argument` where SASLprep refuses the password, the token has characters that no token has, or keys can't
    /// be the keys that they should be; `no-mechanism` where mechanism, credentials, policy and binding do not go
    /// together; `downgrade` as for [`Mechanism::choose`].
    pub fn start(start: Start<'_>) -> Result<(Exchange, Vec<u8>), Error> {
        let Start {
            mechanism,
            credentials,
            account,
            policy,
            ..
        } = start;
        // A remembered mechanism comes here without having been chosen.
        if !mechanism.fits(&credentials) || !mechanism.may_run(policy) {
            return Err(mismatch(mechanism));
        }
        mechanism.unless_pinned(policy)?;
        let user = account.local().unwrap_or_default();
        let (state, message) = match (mechanism, credentials) {
            (Mechanism::ScramPlus(hash) | Mechanism::Scram(hash), credentials) => {
                let secrets = match credentials {
                    Credentials::Keys(keys) => {
                        keys.check(policy.scram)?;
                        Secrets::Keys(keys)
                    }
                    Credentials::Password(password) => Secrets::Password(
                        prepared(&password)?,
                        start.cached.filter(|keys| keys.check(policy.scram).is_ok()),
                    ),
                    _ => return Err(mismatch(mechanism)),
                };
                let binding = binding(mechanism, start.binding, start.offer)?;
                let first = ClientFirst::new(hash, user, secrets, start.nonce, binding, policy.scram);
                let message = first.message().into_bytes();
                (State::First(first), message)
            }
            (Mechanism::Plain, Credentials::Password(password)) => {
                (State::Told, simple::plain(user, &prepared(&password)?))
            }
            (Mechanism::OauthBearer, Credentials::Token(token)) => {
                if !oauth::is_token(&token) {
                    return Err(argument("the token is empty, or has characters that no token has"));
                }
                (State::Bearer, oauth::message(account, &token))
            }
            (Mechanism::HashedToken(hash), Credentials::Issued(issued)) => {
                let message = token::message(hash, account, &issued.secret);
                (State::Hashed(hash, issued.secret), message)
            }
            (Mechanism::Anonymous, Credentials::Anonymous) => (State::Told, Vec::new()),
            (Mechanism::External, Credentials::External { authzid }) => {
                (State::Told, simple::external(authzid.as_ref()))
            }
            (mechanism, _) => return Err(mismatch(mechanism)),
        };
        Ok((Exchange::of(mechanism, state), message))
    }

    /// The mechanism that it is made with.
    pub fn mechanism(&self) -> Mechanism {
        self.0.mechanism
    }

    /// Whether what was sent last is the last that this exchange sends, where all goes well.
    pub fn has_said_all(&self) -> bool {
        matches!(
            self.0.state,
            State::Told | State::Hashed(..) | State::Bearer | State::Final(_)
        )
    }

    /// Takes the content of a `<challenge/>`. `offer` is what the server's features said before it.
    ///
    /// # Errors
    /// `protocol-violation` for one that the mechanism does not have, or that is malformed; for SCRAM also
    /// `server-signature`, `downgrade` and `keys-outdated`.
    pub fn challenge(self, data: &[u8], offer: &Offer) -> Result<(Exchange, Next), Error> {
        let mechanism = self.0.mechanism;
        let (state, next) = match self.0.state {
            State::First(first) => match first.challenge(data, offer).map_err(scram_error)? {
                Accepted::Derive(awaiting) => {
                    let request = awaiting.request().clone();
                    (State::Deriving(awaiting), Next::Derive(request))
                }
                Accepted::Answer(last) => {
                    let message = last.message().as_bytes().to_vec();
                    (State::Final(last), Next::Respond(message))
                }
            },
            // The server's last message may come as a challenge, to be answered by an empty response.
            State::Final(last) => {
                let proof = last.verify(data).map_err(scram_error)?;
                (State::Verified(proof), Next::Respond(Vec::new()))
            }
            // RFC 7628 §3.2.3: the client answers an error by a single %x01, and the server then fails the exchange.
            State::Bearer => {
                let reason = String::from_utf8_lossy(data);
                let reason = bounded(&reason, MAX_REASON).to_owned();
                (State::BearerRefused(reason), Next::Respond(vec![oauth::DUMMY]))
            }
            State::Told | State::Hashed(..) | State::BearerRefused(_) | State::Deriving(_) | State::Verified(_) => {
                return Err(violation("the server sent a challenge where the mechanism has none"));
            }
        };
        Ok((Exchange::of(mechanism, state), next))
    }

    /// Takes the key that [`Next::Derive`] asked for; the bytes are the next response.
    ///
    /// # Errors
    /// `internal` where no key was asked for.
    pub fn derived(self, key: &Secret) -> Result<(Exchange, Vec<u8>), Error> {
        match self.0.state {
            State::Deriving(awaiting) => {
                let last = awaiting.derived(key).map_err(scram_error)?;
                let message = last.message().as_bytes().to_vec();
                Ok((Exchange::of(self.0.mechanism, State::Final(last)), message))
            }
            _ => Err(Error::new(
                Code::Internal,
                Phase::Auth,
                "a derived key arrived where none was asked for",
            )),
        }
    }

    /// Takes the `<success/>` and its additional data, if any. `Ok` is the only proof of a login; in it are the keys that
    /// stand for the password from now on, where SCRAM ran.
    ///
    /// # Errors
    /// `server-signature` where the proof is missing or wrong that SCRAM requires, or a server's own token.
    pub fn success(self, data: Option<&[u8]>) -> Result<Option<ScramKeys>, Error> {
        match (self.0.state, data) {
            // RFC 6120 §6.4.6: "=" stands for data of no bytes.
            (State::Told | State::Bearer, None | Some([])) => Ok(None),
            (State::Verified(verified), None | Some([])) => Ok(Some(verified.into_keys())),
            (State::Final(last), Some(data)) => Ok(Some(last.verify(data).map_err(scram_error)?.into_keys())),
            (State::Hashed(hash, secret), Some(data)) if token::verify(hash, &secret, data) => Ok(None),
            (State::Hashed(..), _) => Err(Error::new(
                Code::ServerSignature,
                Phase::Auth,
                "the server declared success without proving that it knows the token",
            )),
            (State::First(_) | State::Deriving(_) | State::Final(_), _) => Err(Error::new(
                Code::ServerSignature,
                Phase::Auth,
                "the server declared success without proving that it knows the account's key",
            )),
            (State::BearerRefused(_), _) => Err(violation("the server refused the token, and then declared success")),
            (State::Told | State::Bearer | State::Verified(_), Some(_)) => Err(violation(
                "the server sent data with its success where the mechanism has none",
            )),
        }
    }

    /// Takes the `<failure/>`: its condition and its text. The error says what this mechanism's refusal means, and quotes
    /// what the server said of a token.
    pub fn failure(self, condition: &str, text: Option<String>) -> Error {
        let text = match self.0.state {
            State::BearerRefused(reason) if !reason.is_empty() => Some(reason),
            _ => text,
        };
        refused(Some(self.0.mechanism), condition, text)
    }
}

/// What the client says of channel binding: RFC 5802 §6, XEP-0440 §3.
fn binding<'a>(
    mechanism: Mechanism,
    binding: Option<&'a ChannelBinding>,
    offer: Option<&Offer>,
) -> Result<Binding<'a>, Error> {
    match (mechanism, binding) {
        (Mechanism::ScramPlus(_), Some(binding)) if binding.is_sound() => Ok(Binding::Bound(binding)),
        (Mechanism::ScramPlus(_), Some(_)) => Err(argument("the channel binding has no data, or an impossible name")),
        (Mechanism::ScramPlus(_), None) => Err(mismatch(mechanism)),
        (_, None) => Ok(Binding::Impossible),
        // The server offers to bind, and not in a way that we can: "y" would tell it that we saw no such offer.
        (_, Some(_)) if offer.is_some_and(Offer::plus) => Ok(Binding::Unshared),
        (_, Some(_)) => Ok(Binding::Unoffered),
    }
}

fn prepared(password: &Secret) -> Result<Secret, Error> {
    // RFC 5802 §2.2, RFC 4616 §2: the password is prepared with SASLprep.
    let text = core::str::from_utf8(password.as_bytes()).unwrap_or_default();
    match prep::saslprep(text) {
        Ok(text) if !text.is_empty() => Ok(Secret::new(text.as_bytes().to_vec())),
        Ok(_) => Err(argument("the password is empty")),
        Err(_) => Err(argument(
            "the password has characters that no password may have (RFC 4013)",
        )),
    }
}

/// As much of a text as fits.
pub(super) fn bounded(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or_default()
}

fn argument(message: &'static str) -> Error {
    Error::new(Code::InvalidArgument, Phase::Auth, message)
}

fn violation(message: &'static str) -> Error {
    Error::new(Code::ProtocolViolation, Phase::Auth, message)
}

fn mismatch(mechanism: Mechanism) -> Error {
    let message = "these credentials cannot be used, on this connection, with ".to_owned() + mechanism.name();
    Error::new(Code::NoMechanism, Phase::Auth, message)
}
