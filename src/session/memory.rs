//! What is remembered of an account and its server from one login to the next: that PLAIN is out of the question, and how
//! much may be sent before the server has answered.
//!
//! It lasts as long as the client, and longer where the app gives it a store: a line of text under a key of the account's.
//! Nothing in it is secret, and nothing that a store answers can do more than cost a login its haste, and the account its pin.

use super::io::Ticket;
use crate::jid::Jid;
use crate::sasl::{Mechanism, ScramKeys};

/// The record's first word: its form.
const FORM: &str = "1";

/// The key that an account's record is kept under.
pub(crate) fn key(account: &Jid) -> String {
    "stanzawire:".to_owned() + account.as_str()
}

/// The memory of one account.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The account has logged in by a mechanism that doesn't give the password away; whoever offers only PLAIN from
    /// now on is not believed.
    pub(crate) pinned: bool,
    /// The server of the last login.
    known: Option<Known>,
    /// The keys of the last login by a password, which spare the next one the derivation. They are not in the record.
    pub(crate) keys: Option<ScramKeys>,
    /// Whether the store has been asked.
    pub(crate) loaded: bool,
    /// The question that it has let the time run out for.
    pub(crate) late: Option<Ticket>,
    /// The record as it was stored last.
    stored: String,
}

/// A server that has been logged in to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Known {
    /// Its endpoint.
    pub(crate) url: String,
    /// What was logged in by.
    pub(crate) mechanism: Option<Mechanism>,
    /// Whether it answered what was sent ahead of its turn as if that had come in time.
    pub(crate) pipelining: bool,
    /// Whether it requires the session of RFC 3921.
    pub(crate) session: bool,
    /// Whether it offers stream management (XEP-0198).
    pub(crate) sm: bool,
    /// Whether it stumbles over a new stream that comes in one read with the end of the login.
    pub(crate) stumbles: bool,
}

impl Memory {
    /// What is known of the server at this endpoint.
    pub(crate) fn of(&self, url: &str) -> Option<&Known> {
        self.known.as_ref().filter(|known| known.url == url)
    }

    /// A login has come to its good end.
    pub(crate) fn learn(&mut self, known: Known) {
        self.pinned |= known.mechanism.is_some_and(Mechanism::pins);
        self.known = Some(known);
    }

    /// This server wants to be waited for.
    pub(crate) fn wait_for(&mut self, url: &str) {
        self.known = Some(Known {
            url: url.to_owned(),
            mechanism: None,
            pipelining: false,
            session: false,
            sm: false,
            stumbles: false,
        });
    }

    /// The record, where it isn't what was stored last.
    pub(crate) fn record(&mut self) -> Option<String> {
        let mut words = vec![FORM];
        if self.pinned {
            words.push("pinned");
        }
        if let Some(known) = &self.known {
            if known.session {
                words.push("session");
            }
            if known.sm {
                words.push("sm");
            }
            if known.pipelining {
                words.push("pipelining");
            }
            if known.stumbles {
                words.push("stumbles");
            }
            words.push(known.mechanism.map_or("", Mechanism::name));
            words.push(&known.url);
        }
        let record = words.join(" ");
        if record == self.stored {
            return None;
        }
        self.stored.clone_from(&record);
        Some(record)
    }

    /// Takes a record that an earlier client stored; one that can't be read is none.
    pub(crate) fn recall(&mut self, record: &str) {
        let mut words = record.split(' ');
        if words.next() != Some(FORM) {
            return;
        }
        let [mut session, mut sm, mut pipelining, mut stumbles] = [false; 4];
        for word in words.by_ref() {
            match word {
                "pinned" => self.pinned = true,
                "session" => session = true,
                "sm" => sm = true,
                "pipelining" => pipelining = true,
                "stumbles" => stumbles = true,
                mechanism => {
                    if let Some(url) = words.next().filter(|url| !url.is_empty()) {
                        self.known = Some(Known {
                            url: url.to_owned(),
                            mechanism: Mechanism::from_name(mechanism),
                            pipelining,
                            session,
                            sm,
                            stumbles,
                        });
                    }
                    break;
                }
            }
        }
        record.clone_into(&mut self.stored);
    }

    /// Takes a record that comes late; whether there is a pin in it, which holds from now on. The rest has been learnt anew
    /// or will be.
    pub(crate) fn recall_late(&mut self, record: &str) -> bool {
        let mut late = Memory::default();
        late.recall(record);
        self.pinned |= late.pinned;
        if self.stored.is_empty() {
            self.stored = late.stored;
        }
        late.pinned
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::sasl::Hash;

    fn known(mechanism: Option<Mechanism>, pipelining: bool, session: bool) -> Known {
        Known {
            url: "wss://example.org/ws".into(),
            mechanism,
            pipelining,
            session,
            sm: pipelining,
            stumbles: pipelining,
        }
    }

    #[test]
    fn a_record_says_again_what_was_learnt() {
        let scram = Mechanism::from_name("SCRAM-SHA-256").unwrap();
        let plain = Mechanism::from_name("PLAIN").unwrap();
        for learnt in [
            known(Some(scram), true, false),
            known(Some(scram), false, true),
            known(Some(plain), true, true),
            known(None, false, false),
        ] {
            let mut memory = Memory::default();
            memory.learn(learnt.clone());
            let record = memory.record().unwrap();
            assert_eq!(memory.record(), None, "said once");
            let mut later = Memory::default();
            later.recall(&record);
            assert_eq!(later.of("wss://example.org/ws"), Some(&learnt), "{record}");
            assert_eq!(later.of("wss://example.com/ws"), None);
            assert_eq!(later.pinned, learnt.mechanism == Some(scram));
            assert_eq!(later.record(), None, "nothing new");
        }
        assert_eq!(Hash::Sha256.name(), "SHA-256");
    }

    #[test]
    fn a_pin_is_never_taken_back() {
        let mut memory = Memory::default();
        memory.learn(known(Mechanism::from_name("EXTERNAL"), true, false));
        memory.learn(known(Mechanism::from_name("PLAIN"), true, false));
        memory.wait_for("wss://example.com");
        assert!(memory.pinned);
        assert_eq!(memory.of("wss://example.org/ws"), None);
        assert!(!memory.of("wss://example.com").unwrap().pipelining);
    }

    #[test]
    fn a_record_that_nobody_wrote_is_none() {
        for record in [
            "",
            "2 pinned",
            "pinned",
            "1",
            "1 ",
            "1  ",
            "1 pipelining",
            "1 X",
            "\u{0}",
        ] {
            let mut memory = Memory::default();
            memory.recall(record);
            assert!(!memory.pinned && memory.known.is_none(), "{record}");
        }
    }
}
