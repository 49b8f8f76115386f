//! The mechanisms that are one message: PLAIN (RFC 4616) and EXTERNAL (RFC 4422 appendix A). ANONYMOUS (RFC 4505)
//! has an empty one.

use super::Secret;
use crate::jid::Jid;

/// PLAIN's only message: no authorization identity, the user name, the password (RFC 4616 §2).
pub(super) fn plain(user: &str, password: &Secret) -> Vec<u8> {
    let mut message = Vec::with_capacity(user.len() + password.as_bytes().len() + 2);
    message.push(0);
    message.extend_from_slice(user.as_bytes());
    message.push(0);
    message.extend_from_slice(password.as_bytes());
    message
}

/// EXTERNAL's only message: the address to act as, or nothing.
pub(super) fn external(authzid: Option<&Jid>) -> Vec<u8> {
    authzid.map(|jid| jid.as_str().as_bytes().to_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc4616_2_plain_message() {
        let password = Secret::new(b"tanstaaftanstaaf".to_vec());
        assert_eq!(plain("tim", &password), b"\0tim\0tanstaaftanstaaf");
    }
}
