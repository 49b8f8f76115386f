//! OAUTHBEARER, RFC 7628 (August 2015): a token of OAuth 2.0 in place of a password.
//!
//! Left out: the host and the port (§3.1, both optional: the stream has named the domain), and finding out where a
//! token is to be had (§3.2.2), which is for the app to do with the server's answer.

use super::Secret;
use super::scram::escape;
use crate::jid::Jid;

/// The client's answer to an error, so that the server can end the exchange (§3.2.3).
pub(super) const DUMMY: u8 = 1;

/// The client's first message (§3.1): `gs2-header kvsep *kvpair kvsep`.
pub(super) fn message(account: &Jid, token: &Secret) -> Vec<u8> {
    let mut message = String::from("n,");
    if account.local().is_some() {
        // RFC 5801 §4: the authorization identity is a saslname.
        message.push_str("a=");
        escape(account.to_bare().as_str(), &mut message);
    }
    message.push_str(",\x01auth=Bearer ");
    let mut message = message.into_bytes();
    message.extend_from_slice(token.as_bytes());
    message.extend_from_slice(b"\x01\x01");
    message
}

/// Whether it can be sent: visible ASCII, and something of it. RFC 6750 §2.1 has fewer characters (b64token), and servers
/// give out others (RFC 8959 has a colon).
pub(super) fn is_token(token: &Secret) -> bool {
    !token.as_bytes().is_empty() && token.as_bytes().iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sent(account: &str, token: &str) -> String {
        let account = Jid::parse(account).unwrap();
        String::from_utf8(message(&account, &Secret::new(token.into()))).unwrap()
    }

    /// RFC 7628 §4.1, without its host and port.
    #[test]
    fn rfc7628_3_1_the_first_message() {
        assert_eq!(
            sent("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="),
            "n,a=user@example.com,\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
        );
        // The bare address, escaped as RFC 5801 §4 has it; and where there is no user, the token says who it is.
        assert_eq!(
            sent("a=b,c@example.com/desk", "x"),
            "n,a=a=3Db=2Cc@example.com,\x01auth=Bearer x\x01\x01"
        );
        assert_eq!(sent("example.com", "x"), "n,,\x01auth=Bearer x\x01\x01");
    }

    #[test]
    fn rfc6750_2_1_what_is_a_token() {
        let good = |token: &str| is_token(&Secret::new(token.into()));
        assert!(good("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="));
        assert!(good("secret-token:M.a~b/c+d_e"));
        for token in ["", "a b", " a", "a\n", "a\x01host=b", "a\0", "tökén", "a\x7f"] {
            assert!(!good(token), "{token:?}");
        }
    }
}
