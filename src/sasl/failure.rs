//! Why an authentication failed, as the app is told: the conditions of RFC 6120 §6.5 (March 2011), and what SCRAM finds.

#[cfg(test)]
mod tests;

use super::Mechanism;
use super::scram::ScramError;
use crate::error::{Code, Error, Phase};

/// The typed error of a `<failure/>` (RFC 6120 §6.5).
pub fn failure(condition: &str, text: Option<String>) -> Error {
    refused(None, condition, text)
}

/// The same, where the mechanism is known.
pub(super) fn refused(mechanism: Option<Mechanism>, condition: &str, text: Option<String>) -> Error {
    let (code, message) = match condition {
        "not-authorized" => match mechanism {
            Some(Mechanism::OauthBearer | Mechanism::HashedToken(_)) => {
                (Code::NotAuthorized, "the server refused the token")
            }
            Some(Mechanism::External) => (Code::NotAuthorized, "nothing vouches for this client"),
            Some(Mechanism::Anonymous) => (Code::NotAuthorized, "the server refused an anonymous login"),
            _ => (Code::NotAuthorized, "wrong user name or password"),
        },
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
    match (condition, mechanism) {
        ("not-authorized", Some(Mechanism::OauthBearer)) => {
            error.with_hint("The token may have expired: get a new one.")
        }
        ("not-authorized", Some(Mechanism::External)) => {
            error.with_hint("Check what the server goes by, such as a cookie of its origin.")
        }
        ("aborted" | "incorrect-encoding" | "malformed-request", _) => {
            error.with_hint("This is between the server and stanzawire. Please report it.")
        }
        ("invalid-authzid", _) => error.with_hint("Check `authzid`."),
        ("temporary-auth-failure", _) => error.with_retryable(true).with_hint("Try again later."),
        ("not-authorized", Some(Mechanism::Anonymous)) | ("account-disabled", _) => {
            error.with_hint("Ask the server's operator.")
        }
        ("credentials-expired", _) => error.with_hint("Log in with a new password or token."),
        ("encryption-required", _) => error.with_hint("Use a `wss:` endpoint."),
        _ => error,
    }
}

pub(super) fn scram_error(error: ScramError) -> Error {
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
        ScramError::OfferChanged => (
            Code::Downgrade,
            "the ways to log in that arrived here are not those that the server offers",
        ),
        ScramError::KeysOutdated => (
            Code::KeysOutdated,
            "the server's salt or iteration count is no longer the one that the SCRAM keys were made with",
        ),
        ScramError::ServerError(_) => {
            // RFC 5802 §7: a value that isn't registered counts as "other-error".
            let value = error.server_error().unwrap_or("other-error");
            let code = match value {
                // RFC 5802 §6: what the two sides saw of the channel, or of the offer to bind to it, differs.
                "channel-bindings-dont-match" | "server-does-support-channel-binding" => Code::Downgrade,
                _ => Code::NotAuthorized,
            };
            let message = "the server refused the login: ".to_owned() + value;
            return Error::new(code, Phase::Auth, message)
                .with_condition(value)
                .with_retryable(value == "no-resources");
        }
        ScramError::KeyLength => (Code::Internal, "the derived key has the wrong length"),
        _ => (Code::ProtocolViolation, "the server's SCRAM message is malformed"),
    };
    Error::new(code, Phase::Auth, message)
}
