//! SASL (RFC 4422) as XMPP profiles it (RFC 6120 §6): the choice of a mechanism, and one exchange with it.
//!
//! The credentials alone decide which mechanisms are possible; of those the strongest that the server offers
//! wins. An [`Exchange`] is moved by value from step to step and ends in `Ok` only when the mechanism has given
//! all that it promises: for SCRAM, when the server has proved that it knows the account's key.
//!
//! Left out: channel binding (a browser shows none to a page).

pub mod derive;
pub mod prep;
pub mod scram;
mod simple;

pub use derive::{Derivation, Hash, KeyRequest, Secret};

use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use scram::{AwaitingFinal, AwaitingKey, ChannelBinding, ClientFirst, ScramError, Verified};

/// What the app logs in with.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// The account's password: SCRAM, or PLAIN where the app allows it.
    Password(Secret),
    /// What a login with the password left behind: SCRAM, and no password needed.
    Keys(ScramKeys),
    /// A token of OAuth 2.0 (RFC 7628).
    Token(Secret),
    /// No account at all (RFC 4505).
    Anonymous,
    /// Something outside the stream vouches for the client, such as a cookie (RFC 4422 appendix A).
    External {
        /// The address to act as, where it isn't the one that the server derives.
        authzid: Option<Jid>,
    },
}

/// What stands for a password with one mechanism, as long as the server keeps its salt and count (RFC 5802 §3). Whoever has
/// it can log in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScramKeys {
    /// The mechanism's hash.
    pub hash: Hash,
    /// The server's salt, decoded.
    pub salt: Vec<u8>,
    /// The server's iteration count.
    pub iterations: u32,
    /// `ClientKey`, [`Hash::output_len`] bytes.
    pub client_key: Secret,
    /// `ServerKey`, [`Hash::output_len`] bytes.
    pub server_key: Secret,
}

/// What a login must not go below.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// The app allows PLAIN, and the connection is encrypted or loopback.
    pub plain: bool,
    /// Bounds on what SCRAM may ask.
    pub scram: scram::Limits,
}

/// A mechanism that this library speaks, strongest last within one kind of credentials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// RFC 5802, RFC 7677.
    Scram(Hash),
    /// RFC 4505.
    Anonymous,
    /// RFC 4422 appendix A.
    External,
}

impl Mechanism {
    /// The name in the IANA registry.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Scram(hash) => hash.mechanism(),
            Mechanism::Anonymous => "ANONYMOUS",
            Mechanism::External => "EXTERNAL",
        }
    }

    /// The strongest mechanism that these credentials can be used with and that the server offers.
    ///
    /// # Errors
    /// `no-mechanism` where there is none.
    pub fn choose(credentials: &Credentials, offered: &[String], policy: Policy) -> Result<Mechanism, Error> {
        let possible: &[Mechanism] = match credentials {
            Credentials::Password(_) => &[
                Mechanism::Scram(Hash::Sha256),
                Mechanism::Scram(Hash::Sha1),
                Mechanism::Plain,
            ],
            Credentials::Keys(_) | Credentials::Token(_) => &[],
            Credentials::Anonymous => &[Mechanism::Anonymous],
            Credentials::External { .. } => &[Mechanism::External],
        };
        possible
            .iter()
            .copied()
            .filter(|mechanism| policy.plain || *mechanism != Mechanism::Plain)
            .find(|mechanism| offered.iter().any(|name| name == mechanism.name()))
            .ok_or_else(|| {
                if offered.is_empty() {
                    let message = "the server offers no way to log in";
                    return Error::new(Code::NoMechanism, Phase::Auth, message).with_hint("Ask the server's operator.");
                }
                let list = offered.join(", ");
                let message = "the server offers no way to log in that these credentials allow (it offers: ";
                Error::new(Code::NoMechanism, Phase::Auth, message.to_owned() + &list + ")")
            })
    }
}

/// One authentication, from the first message on. Boxed, so that handing it on costs a pointer.
#[derive(Debug)]
pub struct Exchange(Box<State>);

#[derive(Debug)]
enum State {
    /// A mechanism of one message: nothing is left to say.
    Told,
    First(ClientFirst),
    Deriving(AwaitingKey),
    Final(AwaitingFinal),
    /// The server has proved itself in a challenge; only its `<success/>` is missing (RFC 5802 §5, RFC 6120 §6.4.5).
    Verified(Verified),
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
    fn of(state: State) -> Exchange {
        Exchange(Box::new(state))
    }

    /// Begins with `mechanism`; the bytes are the initial response. `nonce` must be fresh and random, printable
    /// ASCII without commas.
    ///
    /// # Errors
    /// `invalid-argument` where SASLprep refuses the password, `no-mechanism` where mechanism and credentials do
    /// not go together.
    pub fn start(
        mechanism: Mechanism,
        credentials: Credentials,
        account: &Jid,
        nonce: String,
        policy: Policy,
    ) -> Result<(Exchange, Vec<u8>), Error> {
        let user = account.local().unwrap_or_default();
        match (mechanism, credentials) {
            (Mechanism::Scram(hash), Credentials::Password(password)) => {
                let password = prepared(&password)?;
                let first = ClientFirst::new(hash, user, password, nonce, ChannelBinding::None, policy.scram);
                let message = first.message().into_bytes();
                Ok((Exchange::of(State::First(first)), message))
            }
            (Mechanism::Plain, Credentials::Password(password)) => {
                Ok((Exchange::of(State::Told), simple::plain(user, &prepared(&password)?)))
            }
            (Mechanism::Anonymous, Credentials::Anonymous) => Ok((Exchange::of(State::Told), Vec::new())),
            (Mechanism::External, Credentials::External { authzid }) => {
                Ok((Exchange::of(State::Told), simple::external(authzid.as_ref())))
            }
            (mechanism, _) => Err(Error::new(
                Code::NoMechanism,
                Phase::Auth,
                "these credentials cannot be used with ".to_owned() + mechanism.name(),
            )),
        }
    }

    /// Takes the content of a `<challenge/>`.
    ///
    /// # Errors
    /// `protocol-violation` for one that the mechanism does not have, or that is malformed; for SCRAM also
    /// `server-signature` and `downgrade`.
    pub fn challenge(self, data: &[u8]) -> Result<(Exchange, Next), Error> {
        match *self.0 {
            State::First(first) => {
                let awaiting = first.challenge(data).map_err(scram_error)?;
                let request = awaiting.request().clone();
                Ok((Exchange::of(State::Deriving(awaiting)), Next::Derive(request)))
            }
            // The server's last message may come as a challenge, to be answered by an empty response.
            State::Final(last) => {
                let proof = last.verify(data).map_err(scram_error)?;
                Ok((Exchange::of(State::Verified(proof)), Next::Respond(Vec::new())))
            }
            State::Told | State::Deriving(_) | State::Verified(_) => Err(Error::new(
                Code::ProtocolViolation,
                Phase::Auth,
                "the server sent a challenge where the mechanism has none",
            )),
        }
    }

    /// Takes the key that [`Next::Derive`] asked for; the bytes are the next response.
    ///
    /// # Errors
    /// `internal` where no key was asked for.
    pub fn derived(self, key: &Secret) -> Result<(Exchange, Vec<u8>), Error> {
        match *self.0 {
            State::Deriving(awaiting) => {
                let last = awaiting.derived(key).map_err(scram_error)?;
                let message = last.message().as_bytes().to_vec();
                Ok((Exchange::of(State::Final(last)), message))
            }
            _ => Err(Error::new(
                Code::Internal,
                Phase::Auth,
                "a derived key arrived where none was asked for",
            )),
        }
    }

    /// Takes the `<success/>` and its additional data, if any. `Ok` is the only proof of a login.
    ///
    /// # Errors
    /// `server-signature` where SCRAM's proof is missing or wrong.
    pub fn success(self, data: Option<&[u8]>) -> Result<(), Error> {
        match (*self.0, data) {
            (State::Told | State::Verified(_), None) => Ok(()),
            // RFC 6120 §6.4.6: "=" stands for data of no bytes.
            (State::Told | State::Verified(_), Some([])) => Ok(()),
            (State::Final(last), Some(data)) => last.verify(data).map(drop).map_err(scram_error),
            (State::First(_) | State::Deriving(_) | State::Final(_), _) => Err(Error::new(
                Code::ServerSignature,
                Phase::Auth,
                "the server declared success without proving that it knows the account's key",
            )),
            (State::Told | State::Verified(_), Some(_)) => Err(Error::new(
                Code::ProtocolViolation,
                Phase::Auth,
                "the server sent data with its success where the mechanism has none",
            )),
        }
    }
}

fn prepared(password: &Secret) -> Result<Secret, Error> {
    // RFC 5802 §2.2, RFC 4616 §2: the password is prepared with SASLprep.
    let text = core::str::from_utf8(password.as_bytes()).unwrap_or_default();
    match prep::saslprep(text) {
        Ok(text) if !text.is_empty() => Ok(Secret::new(text.as_bytes().to_vec())),
        Ok(_) => Err(Error::new(Code::InvalidArgument, Phase::Auth, "the password is empty")),
        Err(_) => Err(Error::new(
            Code::InvalidArgument,
            Phase::Auth,
            "the password has characters that no password may have (RFC 4013)",
        )),
    }
}

fn scram_error(error: ScramError) -> Error {
    let (code, message) = match error {
        ScramError::SignatureMissing | ScramError::SignatureWrong => (
            Code::ServerSignature,
            "the server did not prove that it knows the account's key",
        ),
        ScramError::NonceMismatch => (Code::ServerSignature, "the server answered with another login's nonce"),
        ScramError::IterationsTooFew(_) => (
            Code::Downgrade,
            "the server asks for fewer SCRAM iterations than are safe",
        ),
        ScramError::IterationsTooMany(_) => (
            Code::ProtocolViolation,
            "the server asks for more SCRAM iterations than are reasonable",
        ),
        ScramError::MandatoryExtension => (
            Code::ProtocolViolation,
            "the server requires a SCRAM extension that nobody has defined",
        ),
        ScramError::ServerError(_) => {
            // RFC 5802 §7: a value that isn't registered counts as "other-error".
            let value = error.server_error().unwrap_or("other-error");
            let message = "the server refused the login: ".to_owned() + value;
            return Error::new(Code::NotAuthorized, Phase::Auth, message).with_condition(value);
        }
        ScramError::KeyLength => (Code::Internal, "the derived key has the wrong length"),
        _ => (Code::ProtocolViolation, "the server's SCRAM message is malformed"),
    };
    Error::new(code, Phase::Auth, message)
}

/// The typed error of a `<failure/>` (RFC 6120 §6.5).
pub fn failure(condition: &str, text: Option<String>) -> Error {
    let (code, message) = match condition {
        "not-authorized" => (Code::NotAuthorized, "wrong user name or password"),
        "account-disabled" => (Code::NotAuthorized, "the account is disabled"),
        "credentials-expired" => (Code::NotAuthorized, "the credentials have expired"),
        "invalid-authzid" => (Code::NotAuthorized, "these credentials may not act as that address"),
        "temporary-auth-failure" => (Code::NotAuthorized, "the server cannot check credentials at the moment"),
        "encryption-required" => (
            Code::NoMechanism,
            "the server wants this mechanism only over an encrypted connection",
        ),
        "invalid-mechanism" => (Code::NoMechanism, "the server refused the mechanism that it offered"),
        "mechanism-too-weak" => (
            Code::NoMechanism,
            "the server finds the mechanism too weak for this account",
        ),
        "aborted" => (Code::NotAuthorized, "the server aborted the authentication"),
        "incorrect-encoding" | "malformed-request" => (Code::NotAuthorized, "the server could not read the login"),
        _ => (Code::NotAuthorized, "the server refused the login"),
    };
    let error = Error::new(code, Phase::Auth, message)
        .with_condition(condition.to_owned())
        .with_text(text);
    match condition {
        "not-authorized" => error,
        "aborted" | "incorrect-encoding" | "malformed-request" => {
            error.with_hint("This is between the server and stanzawire. Please report it.")
        }
        "invalid-authzid" => error.with_hint("Check `authzid`."),
        "temporary-auth-failure" => error.with_retryable(true).with_hint("Try again later."),
        "account-disabled" => error.with_hint("Ask the server's operator."),
        "credentials-expired" => error.with_hint("Log in with a new password or token."),
        "encryption-required" => error.with_hint("Use a `wss:` endpoint."),
        _ => error,
    }
}
