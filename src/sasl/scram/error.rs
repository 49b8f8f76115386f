//! What can go wrong in a SCRAM exchange, seen from the client.

use std::fmt;

/// Why a SCRAM exchange failed. None of them is mended by sending the same again, save `no-resources` of
/// [`ScramError::ServerError`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ScramError {
    /// A server's message is not what RFC 5802 §7 allows; the text says what of it.
    Malformed(&'static str),
    /// The server's nonce does not begin with ours, or adds nothing to it (RFC 5802 §5.1 and §5).
    NonceMismatch,
    /// The server requires an extension, by `m=`, and this version of SCRAM has none (RFC 5802 §5.1).
    MandatoryExtension,
    /// The server asks for this many iterations, fewer than [`Limits::min_iterations`](super::Limits).
    IterationsTooFew(u32),
    /// The server asks for this many iterations, more than [`Limits::max_iterations`](super::Limits); at a number
    /// beyond 32 bits it is `u32::MAX`.
    IterationsTooMany(u32),
    /// The salt has no bytes.
    EmptySalt,
    /// The mechanisms and channel-binding types that arrived are not those that the server offered (XEP-0474).
    OfferChanged,
    /// The server has another salt or iteration count than the keys were made with.
    KeysOutdated,
    /// The salted password handed in is not as long as the hash: a mistake of whoever derived it.
    KeyLength,
    /// The server refuses the login: the value of `e=` as it was sent. See [`ScramError::server_error`].
    ServerError(String),
    /// The server's last message has no signature: whoever sent it has not shown that it knows the user.
    SignatureMissing,
    /// The server's signature is not the one that follows from the password.
    SignatureWrong,
}

/// RFC 5802 §7, `server-error-value`.
const SERVER_ERRORS: [&str; 11] = [
    "invalid-encoding",
    "extensions-not-supported",
    "invalid-proof",
    "channel-bindings-dont-match",
    "server-does-support-channel-binding",
    "channel-binding-not-supported",
    "unsupported-channel-binding-type",
    "unknown-user",
    "invalid-username-encoding",
    "no-resources",
    OTHER_ERROR,
];

const OTHER_ERROR: &str = "other-error";

impl ScramError {
    /// The registered error that the server gave, a text that is safe to show and to compare with.
    pub fn server_error(&self) -> Option<&'static str> {
        let ScramError::ServerError(value) = self else {
            return None;
        };
        // RFC 5802 §7: unrecognized errors should be treated as "other-error".
        Some(
            SERVER_ERRORS
                .into_iter()
                .find(|known| known == value)
                .unwrap_or(OTHER_ERROR),
        )
    }
}

impl fmt::Display for ScramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, number) = match self {
            ScramError::Malformed(what) => (*what, None),
            ScramError::NonceMismatch => ("the server's nonce does not continue ours", None),
            ScramError::MandatoryExtension => ("the server requires an unknown SCRAM extension", None),
            ScramError::IterationsTooFew(n) => ("the server asks for too few iterations: ", Some(n)),
            ScramError::IterationsTooMany(n) => ("the server asks for too many iterations: ", Some(n)),
            ScramError::EmptySalt => ("the server's salt is empty", None),
            ScramError::OfferChanged => ("the offer is not the one that the server made", None),
            ScramError::KeysOutdated => ("the keys were made with another salt or iteration count", None),
            ScramError::KeyLength => ("the salted password has the wrong length", None),
            ScramError::ServerError(_) => (self.server_error().unwrap_or(OTHER_ERROR), None),
            ScramError::SignatureMissing => ("the server did not sign the login", None),
            ScramError::SignatureWrong => ("the server's signature is wrong", None),
        };
        f.write_str(text)?;
        number.map_or(Ok(()), |n| fmt::Display::fmt(n, f))
    }
}

impl std::error::Error for ScramError {}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]
mod tests {
    use super::*;

    #[test]
    fn rfc5802_7_unrecognized_server_errors_are_other_error() {
        let error = |value: &str| ScramError::ServerError(value.into());
        assert_eq!(error("invalid-proof").server_error(), Some("invalid-proof"));
        assert_eq!(error("Invalid-Proof").server_error(), Some("other-error"));
        assert_eq!(error("<script>").server_error(), Some("other-error"));
        assert_eq!(error("<script>").to_string(), "other-error");
        assert_eq!(ScramError::SignatureWrong.server_error(), None);
    }

    #[test]
    fn the_number_of_iterations_is_told() {
        assert_eq!(
            ScramError::IterationsTooFew(12).to_string(),
            "the server asks for too few iterations: 12"
        );
        assert_eq!(ScramError::EmptySalt.to_string(), "the server's salt is empty");
    }
}
