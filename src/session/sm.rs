//! Stream management, XEP-0198 1.6.3 (2025-07-28): its words, and a session that waits to be resumed.
//!
//! The counting is the matter of `ledger.rs`. `<r/>` leaves behind a stanza as long as none is unanswered, and again with each answer
//! while there is more to be acknowledged (`online/liveness.rs`), so that steady traffic is acknowledged once a round trip.
//!
//! Left out: `location` (§5) names a host and port for TCP; it can be asked for, and is not followed. Streams between servers.

use super::discovery::Endpoint;
use super::ledger::Ledger;
use super::tracker::Tracker;
use crate::decimal::decimal;
use crate::jid::Jid;
use crate::stream::ns;
use crate::xml::Element;

/// What a server says of stream management.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// §3: from `<enable/>` on it counts.
    Enabled {
        /// What the session can be resumed by, where it can (§5).
        id: Option<String>,
        /// Where the server would like it to be resumed.
        location: Option<String>,
    },
    /// §5: the session goes on.
    Resumed {
        /// Which.
        id: String,
        /// How many of our stanzas it has handled.
        h: u32,
    },
    /// §3, §5: no.
    Failed {
        /// How many of our stanzas it had handled when the session ended.
        h: Option<u32>,
    },
    /// §4: how many of its stanzas have we handled?
    Request,
    /// §4: this many of ours it has.
    Acknowledged(u32),
}

/// Reads an element of the namespace; none where it is no word of a server's, or misses what it must have.
pub(crate) fn read(element: &Element) -> Option<Word> {
    let h = || element.attr("h").and_then(number);
    let text = |name| element.attr(name).filter(|text| !text.is_empty()).map(str::to_owned);
    match element.name() {
        "enabled" => {
            // §5: an id without the permission to resume allows nothing, nor does the permission without an id.
            let resume = matches!(element.attr("resume"), Some("true" | "1"));
            Some(Word::Enabled {
                id: text("id").filter(|_| resume),
                location: text("location"),
            })
        }
        "resumed" => Some(Word::Resumed {
            id: text("previd")?,
            h: h()?,
        }),
        "failed" => Some(Word::Failed { h: h() }),
        "r" => Some(Word::Request),
        "a" => Some(Word::Acknowledged(h()?)),
        _ => None,
    }
}

/// An xs:unsignedInt, with the white space that a schema takes away.
fn number(text: &str) -> Option<u32> {
    let text = text.trim_matches(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
    // Rust would take a sign, too.
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// §3: count from here on, and let the session be resumed.
pub(crate) fn enable() -> Element {
    Element::new("enable", ns::SM).with_attr("resume", "true")
}

/// §5: go on with that session, of which we have handled `h` stanzas.
pub(crate) fn resume(id: &str, h: u32) -> Element {
    Element::new("resume", ns::SM)
        .with_attr("h", decimal(h.into()))
        .with_attr("previd", id)
}

/// §4: how many have you handled?
pub(crate) fn request() -> Element {
    Element::new("r", ns::SM)
}

/// §4: so many have we handled.
pub(crate) fn acknowledgement(h: u32) -> Element {
    Element::new("a", ns::SM).with_attr("h", decimal(h.into()))
}

/// The stream error of a server that counts what it was never sent (§4).
pub(crate) const TOO_HIGH: &str = "undefined-condition";

/// A session whose connection is gone, and which the server may still have.
#[derive(Debug)]
pub(crate) struct Asleep {
    /// What it can be resumed by.
    pub(crate) id: String,
    pub(crate) jid: Jid,
    /// Where it was.
    pub(crate) endpoint: Endpoint,
    pub(crate) ledger: Ledger,
    /// The questions whose answers are still to come.
    pub(crate) tracker: Tracker,
    /// It comes from the store, and was begun by an earlier page.
    pub(crate) restored: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::xml;

    fn said(text: &str) -> Option<Word> {
        let text = text.replacen(' ', " xmlns='urn:xmpp:sm:3' ", 1);
        read(&xml::read(&text, &xml::Limits::default()).unwrap())
    }

    #[test]
    fn xep0198_3_enabled() {
        let enabled = |id: Option<&str>, location: Option<&str>| {
            Some(Word::Enabled {
                id: id.map(str::to_owned),
                location: location.map(str::to_owned),
            })
        };
        assert_eq!(said("<enabled />"), enabled(None, None));
        assert_eq!(said("<enabled id='x' resume='true'/>"), enabled(Some("x"), None));
        assert_eq!(
            said("<enabled id='x' resume='1' max='600' location='[2001:db8::1]:9222'/>"),
            enabled(Some("x"), Some("[2001:db8::1]:9222"))
        );
        for none in [
            "<enabled resume='true'/>",
            "<enabled id='' resume='true'/>",
            "<enabled id='x'/>",
            "<enabled id='x' resume='false'/>",
        ] {
            assert_eq!(said(none), enabled(None, None), "{none}");
        }
    }

    #[test]
    fn xep0198_4_h_is_an_unsigned_32_bit_number() {
        assert_eq!(said("<a h='0'/>"), Some(Word::Acknowledged(0)));
        assert_eq!(said("<a h=' 4294967295 '/>"), Some(Word::Acknowledged(u32::MAX)));
        for bad in ["", "-1", "+1", "4294967296", "1.0", "0x1", "one", "1 2"] {
            assert_eq!(said(&format!("<a h='{bad}'/>")), None, "{bad}");
            assert_eq!(said(&format!("<resumed previd='x' h='{bad}'/>")), None, "{bad}");
            assert_eq!(said(&format!("<failed h='{bad}'/>")), Some(Word::Failed { h: None }));
        }
        assert_eq!(said("<a />"), None);
    }

    #[test]
    fn xep0198_5_resumed() {
        let id = "x".to_owned();
        assert_eq!(said("<resumed previd='x' h='7'/>"), Some(Word::Resumed { id, h: 7 }));
        assert_eq!(said("<resumed h='7'/>"), None);
        assert_eq!(said("<failed h='7'/>"), Some(Word::Failed { h: Some(7) }));
        assert_eq!(
            said("<failed ><item-not-found/></failed>"),
            Some(Word::Failed { h: None })
        );
        assert_eq!(said("<r />"), Some(Word::Request));
        assert_eq!(said("<other />"), None);
    }
}
