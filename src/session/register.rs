//! The account itself, XEP-0077: how it comes to be, how its password changes, and how it is removed.

use super::io::{Millis, Origin, Ticket};
use super::{CredentialSource, Session};
use crate::sasl::{Credentials, Secret};
use crate::xml::Element;

impl Session {
    /// Asks the account's server what it wants to know of it before it is there, over a connection on which nobody is logged in. What
    /// it says is a [`Note::Form`](super::Note::Form); `ticket` is settled by the reason why nothing came, or with what was filled in.
    pub fn register(&mut self, now: Millis, ticket: Ticket, timeout: Option<u64>) {
        self.step(|state, shared| state.register(shared, now, ticket, timeout));
    }

    /// Tells the server that, in a `<query/>`; `ticket` is settled when the account is there, or by the reason why it isn't.
    pub fn fill(&mut self, now: Millis, ticket: Ticket, timeout: Option<u64>, query: Element) {
        self.step(|state, shared| state.fill(shared, now, ticket, timeout, query));
    }

    /// The account has this password from now on: it takes the place of the one before, and of keys that were made from that. A
    /// token that the server has issued stays, as long as the server takes it.
    pub fn password_changed(&mut self, password: Secret) {
        let shared = &mut self.shared;
        shared.memory.keys = None;
        if let CredentialSource::None | CredentialSource::Fixed(Credentials::Password(_) | Credentials::Keys(_)) =
            &shared.config.credentials
        {
            shared.config.credentials = CredentialSource::Fixed(Credentials::Password(password));
        }
    }

    /// Somebody has asked that the account be removed, or has been refused: its end may say so in the place of an answer.
    pub fn removing(&mut self, origin: Option<Origin>) {
        self.shared.removing = origin;
    }

    /// The account is no more. So is the connection, and what was kept for a later page.
    pub fn removed(&mut self, now: Millis) {
        self.step(|state, shared| state.removed(shared, now));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::jid::Jid;
    use crate::sasl::{Hash, ScramKeys};
    use crate::session::Config;

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    fn after(credentials: CredentialSource) -> CredentialSource {
        let config = Config::new(Jid::parse("alice@example.org").unwrap(), credentials);
        let mut session = Session::new(config, [1; 32]);
        session.password_changed(secret("new"));
        session.shared.config.credentials
    }

    #[test]
    fn xep0077_3_3_a_new_password_takes_the_place_of_what_was_made_from_the_old() {
        let keys = ScramKeys {
            hash: Hash::Sha1,
            salt: vec![1],
            iterations: 4096,
            client_key: secret("c"),
            server_key: secret("s"),
        };
        let fixed = CredentialSource::Fixed;
        for before in [
            fixed(Credentials::Keys(keys)),
            fixed(Credentials::Password(secret("old"))),
            CredentialSource::None,
        ] {
            match after(before) {
                CredentialSource::Fixed(Credentials::Password(password)) => assert!(password == secret("new")),
                other => panic!("{other:?}"),
            }
        }
        assert!(
            matches!(after(CredentialSource::Ask), CredentialSource::Ask),
            "the app knows it"
        );
        let token = fixed(Credentials::Token(secret("token")));
        assert!(matches!(after(token), CredentialSource::Fixed(Credentials::Token(_))));
    }
}
