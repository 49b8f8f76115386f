//! The client as its server knows it from one login to the next: the user agent's id (XEP-0388 §2.3), and the token that it
//! was issued for the next login (XEP-0484 0.2.0, 2024-06-30).
//!
//! Both belong to the tag whose lock the client holds (`keeper.rs`): two tabs of one account are two user agents, so that a
//! server which ends the earlier session of an agent (XEP-0386 §2.2) leaves the other tab's alone. The id is made from the
//! tag and tells nothing about it. The token is kept beyond the page only where the app allows it.

use super::discovery::Endpoint;
use super::keeper::{self, FIELD};
use super::rng::Rng;
use super::{Config, Shared};
use crate::sasl::{Hash, IssuedToken, Mechanism, Secret};

/// The first field of a stored token: its form.
const FORM: &str = "1";

/// The longest token that is kept, in bytes.
const LONGEST: usize = 4_096;

/// A user agent.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    id: Option<String>,
    pub(crate) token: Option<IssuedToken>,
    /// The one before, which the server takes until that has been used (XEP-0484 §3.5).
    before: Option<IssuedToken>,
    /// Where it has logged in last.
    pub(crate) endpoint: Option<Endpoint>,
}

impl Shared {
    /// The user agent's id: the same as long as the client holds its tag.
    pub(crate) fn agent_id(&mut self) -> String {
        let tag = self.keeper.tag.as_deref();
        let rng = &mut self.rng;
        self.agent.id.get_or_insert_with(|| uuid(tag, rng)).clone()
    }

    /// The server has issued a token, which takes the place of the one before (XEP-0484 §3.5).
    pub(crate) fn issued(&mut self, token: IssuedToken) {
        let text = core::str::from_utf8(token.secret.as_bytes()).unwrap_or_default();
        if text.is_empty() || text.len() > LONGEST {
            return;
        }
        let record = [FORM, self.config.account.as_str(), token.mechanism.name(), text].join(FIELD);
        self.agent.before = self.agent.token.replace(token);
        self.keep_token(Some(record));
    }

    /// The token is worth nothing any more.
    pub(crate) fn drop_token(&mut self) {
        if self.agent.token.take().is_some() {
            self.keep_token(None);
        }
    }

    /// The tokens that may be good, the newest first, with the user agent's id, for them who give them back.
    pub(super) fn take_tokens(&mut self) -> Option<(String, Vec<IssuedToken>)> {
        let tokens = [self.agent.token.take(), self.agent.before.take()];
        let tokens: Vec<IssuedToken> = tokens.into_iter().flatten().collect();
        (!tokens.is_empty()).then(|| (self.agent_id(), tokens))
    }

    /// What an earlier page was issued. What another version has left, or was issued to another account, is not used.
    pub(super) fn recall_token(&mut self, record: &str) {
        self.agent.token = read(record, &self.config);
    }

    fn keep_token(&mut self, record: Option<String>) {
        if let (true, true, Some(tag)) = (self.config.keep_token, self.keeper.loaded, &self.keeper.tag) {
            let key = keeper::token(&self.config.account, tag);
            self.store(key, record);
        }
    }
}

fn read(record: &str, config: &Config) -> Option<IssuedToken> {
    let fields: Vec<&str> = record.split(FIELD).collect();
    let [FORM, account, mechanism, token] = fields[..] else {
        return None;
    };
    let fits = account == config.account.as_str() && !token.is_empty() && token.len() <= LONGEST;
    Some(IssuedToken {
        mechanism: Mechanism::for_tokens(&[mechanism.to_owned()]).first().copied()?,
        secret: Secret::new(token.as_bytes().to_vec()),
    })
    .filter(|_| fits)
}

/// A UUID of version 4 (RFC 9562 §5.4): of the tag's hash, so that it is as random as the tag, or of its own.
fn uuid(tag: Option<&str>, rng: &mut Rng) -> String {
    let own = rng.id();
    let hash = Hash::Sha256.hmac(tag.unwrap_or(&own).as_bytes(), b"user agent");
    let mut text = String::new();
    for (place, byte) in hash.as_bytes().iter().take(16).enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let byte = match place {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9562_5_4_an_id_of_version_4() {
        let mut rng = Rng::new([1; 32]);
        let id = uuid(Some("tag"), &mut rng);
        assert_eq!(id, uuid(Some("tag"), &mut rng), "of the tag");
        assert_ne!(id, uuid(Some("gat"), &mut rng));
        assert_ne!(uuid(None, &mut rng), uuid(None, &mut rng));
        for _ in 0..50 {
            let id = uuid(None, &mut rng);
            let parts: Vec<&str> = id.split('-').collect();
            assert_eq!(
                parts.iter().map(|part| part.len()).collect::<Vec<_>>(),
                [8, 4, 4, 4, 12]
            );
            assert!(
                id.chars().all(|c| c == '-' || matches!(c, '0'..='9' | 'a'..='f')),
                "{id}"
            );
            assert!(parts.get(2).is_some_and(|part| part.starts_with('4')), "{id}");
            assert!(
                parts.get(3).is_some_and(|part| part.starts_with(['8', '9', 'a', 'b'])),
                "{id}"
            );
        }
    }
}
