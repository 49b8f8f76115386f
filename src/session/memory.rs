//! What is remembered of an account and its server from one login to the next: that PLAIN is out of the question, and how
//! much may be sent before the server has answered.
//!
//! It lasts as long as the client, and longer where the app gives it a store: a line of text under a key of the account's.
//! Nothing in it is secret, and nothing that a store answers can do more than cost a login its haste, and the account its pin.

use super::io::Ticket;
use crate::jid::Jid;
use crate::sasl::{Mechanism, ScramKeys};
use crate::stream::features::Inline;

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
    /// The account's server numbers the versions of rosters, as its features last said (RFC 6121 §2.6.1).
    pub(crate) roster_ver: bool,
    /// The server of the last login.
    known: Option<Known>,
    /// The last login that was hurried was cut off before a word of the server's.
    pub(crate) cut: bool,
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
    /// What it offers along with an authentication, where it has the profile for that (XEP-0388 §2.1).
    pub(crate) inline: Option<Inline>,
    /// Whether it was asked for the account's archive, and has none.
    pub(crate) no_archive: bool,
}

impl Known {
    fn new(url: String) -> Known {
        Known {
            url,
            mechanism: None,
            pipelining: false,
            session: false,
            sm: false,
            stumbles: false,
            inline: None,
            no_archive: false,
        }
    }
}

/// Words of a record, most of them for what a server offers along with an authentication.
const INLINE: &str = "sasl2";
const RESUME: &str = "resume";
const BIND: &str = "bind2";
const WITH: &str = "with:";
const TOKEN: &str = "token:";
const ROSTER_VER: &str = "rosterver";

impl Memory {
    /// What is known of the server at this endpoint.
    pub(crate) fn of(&self, url: &str) -> Option<&Known> {
        self.known.as_ref().filter(|known| known.url == url)
    }

    /// A login has come to its good end.
    pub(crate) fn learn(&mut self, known: Known) {
        self.pinned |= known.mechanism.is_some_and(Mechanism::pins);
        self.cut = false;
        self.known = Some(known);
    }

    /// This server wants to be waited for.
    pub(crate) fn wait_for(&mut self, url: &str) {
        let no_archive = self.of(url).is_some_and(|known| known.no_archive);
        let known = Known::new(url.to_owned());
        self.known = Some(Known { no_archive, ..known });
    }

    /// Whether the server of the last login keeps an archive for the account.
    pub(crate) fn learn_of_archive(&mut self, archive: bool) {
        if let Some(known) = &mut self.known {
            known.no_archive = !archive;
        }
    }

    /// The record, where it isn't what was stored last.
    pub(crate) fn record(&mut self) -> Option<String> {
        let mut words = vec![FORM.to_owned()];
        let mut say = |so: bool, word: &str| {
            if so {
                words.push(word.to_owned());
            }
        };
        say(self.pinned, "pinned");
        say(self.roster_ver, ROSTER_VER);
        if let Some(known) = &self.known {
            say(known.session, "session");
            say(known.sm, "sm");
            say(known.pipelining, "pipelining");
            say(known.stumbles, "stumbles");
            say(known.no_archive, "no-archive");
            if let Some(inline) = &known.inline {
                say(true, INLINE);
                say(inline.resume, RESUME);
                say(inline.bind.is_some(), BIND);
                for feature in inline.bind.iter().flatten() {
                    say(!feature.contains(' '), &(WITH.to_owned() + feature));
                }
                for mechanism in &inline.tokens {
                    say(true, &(TOKEN.to_owned() + mechanism.name()));
                }
            }
            say(true, known.mechanism.map_or("", Mechanism::name));
            say(true, &known.url);
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
        let mut known = Known::new(String::new());
        for word in words.by_ref() {
            let inline = known.inline.as_mut();
            match (word, inline) {
                ("pinned", _) => self.pinned = true,
                (ROSTER_VER, _) => self.roster_ver = true,
                ("session", _) => known.session = true,
                ("sm", _) => known.sm = true,
                ("pipelining", _) => known.pipelining = true,
                ("stumbles", _) => known.stumbles = true,
                ("no-archive", _) => known.no_archive = true,
                (INLINE, _) => known.inline = Some(Inline::default()),
                (RESUME, Some(inline)) => inline.resume = true,
                (BIND, Some(inline)) => inline.bind = Some(Vec::new()),
                (word, Some(inline)) if word.starts_with(TOKEN) => {
                    let name = word.strip_prefix(TOKEN).map(str::to_owned);
                    inline.tokens.extend(Mechanism::for_tokens(name.as_slice()));
                }
                (word, Some(Inline { bind: Some(bind), .. })) if word.starts_with(WITH) => {
                    bind.extend(word.strip_prefix(WITH).map(str::to_owned));
                }
                (mechanism, _) => {
                    if let Some(url) = words.next().filter(|url| !url.is_empty()) {
                        let mechanism = Mechanism::from_name(mechanism);
                        let url = url.to_owned();
                        self.known = Some(Known {
                            url,
                            mechanism,
                            ..known
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
            inline: pipelining.then(|| Inline {
                bind: Some(vec!["urn:xmpp:sm:3".into(), "urn:xmpp:csi:0".into()]),
                resume: session,
                tokens: Mechanism::for_tokens(&["HT-SHA-256-NONE".into(), "HT-SHA-512-NONE".into()]),
            }),
            no_archive: session,
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
            Known {
                inline: Some(Inline::default()),
                ..known(None, false, false)
            },
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
