//! What the account has sent to others: by another client it is told as a carbon would be, and once. What this client has sent its app knows.
//!
//! Which client it was shows in the address that it was sent from. Between two sessions others may have had an address that this client had
//! before, where the app asks for one resource everywhere: what those sent isn't told.

use super::Archive;
use crate::im::{Ctx, chat};
use crate::jid::Jid;
use crate::stream::ns;
use crate::xml::Element;

/// How many addresses are remembered. What is read of the archive was sent in the last session but one, or later.
const OWN: usize = 8;

impl Archive {
    /// This client has an address.
    pub(super) fn is_at(&mut self, jid: Option<&Jid>) {
        let Some(jid) = jid else { return };
        self.own.retain(|own| own != jid.as_str());
        if self.own.len() >= OWN {
            self.own.remove(0);
        }
        self.own.push(jid.as_str().to_owned());
    }

    /// Whether an entry of the archive that the account has sent to somebody else is to be told.
    pub(super) fn is_new_sent(&mut self, cx: &mut Ctx<'_>, message: &Element) -> bool {
        let from = message.attr("from").and_then(|from| Jid::parse(from).ok());
        // Nobody knows which client it was that left no address.
        let other = from.is_some_and(|from| from.is_full() && !self.own.iter().any(|own| own == from.as_str()));
        self.wants_sent && other && self.sees_sent(cx, message)
    }

    /// Another client has sent this to somebody else; whether it is seen for the first time. Not each such message comes with the archive's
    /// id, and not each client gives ids that are no other's. What others have sent is remembered apart: it takes nobody's place.
    pub(super) fn sees_sent(&mut self, cx: &mut Ctx<'_>, message: &Element) -> bool {
        let to = message.attr("to").and_then(|to| Jid::parse(to).ok());
        let to = to.as_ref().map(Jid::bare_str).unwrap_or_default();
        let body = message.child_text("body", ns::CLIENT).unwrap_or_default();
        let id = message.attr("id").unwrap_or_default();
        cx.changed();
        self.sent.insert(&["sent ", id, "\n", to, "\n", &body].concat())
    }
}

/// Whether the account itself sent it. RFC 6120 §8.1.2.1: that is who is meant where nobody is named.
pub(super) fn own(message: &Element, account: &Jid) -> bool {
    let from = |from| Jid::parse(from).is_ok_and(|from| from.same_bare(account));
    message.attr("from").is_none_or(from)
}

/// Whether the account has sent it to somebody else.
pub(super) fn is_sent(message: &Element, account: &Jid) -> bool {
    let to_self = |to| Jid::parse(to).is_ok_and(|to| to.same_bare(account));
    own(message, account) && !message.attr("to").is_none_or(to_self)
}

/// By which the copies of a message to oneself are known.
pub(super) fn own_key(message: &Element) -> Option<String> {
    let id = chat::origin_id(message).or(message.attr("id"))?;
    Some("own ".to_owned() + id)
}
