//! Message Carbons, XEP-0280 1.0.1 (26 December 2021): copies of what the account's other clients send and are sent.
//!
//! They are enabled along with a resource (XEP-0386 §2.2), or else asked for behind the first presence; a server that has none says so,
//! and there are none. A copy of what somebody sent to the account counts as if it had come directly, for the
//! archive (`archive.rs`) and for listeners ([`chat`](super::chat)).
//!
//! A message is kept from being copied (§9) where the app hints so (`no-copy`, [`hints`](super::hints)). Left out: disabling carbons within a
//! session.

use super::{Config, Ctx, Feature, Never, typescript};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stream::ns;
use crate::xml::Element;
use serde::Serialize;

pub(super) const CARBONS: &str = "urn:xmpp:carbons:2";

typescript!(
    r#"
/**
 * Of what a message is a copy: another client of the account has sent it, or was sent it (XEP-0280), where the server can make such copies;
 * or such a client has sent it while this one was away, and the account's archive has it (XEP-0313).
 *
 * @example
 * client.on("message", ({ from, to, body, carbon }) => {
 *   if (carbon === "sent") console.log("we to", to, body);
 *   else console.log(from, "to us", body);
 * });
 */
export type Carbon = "sent" | "received";
"#
);

/// Of what a message is a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Carbon {
    /// Another client of the account has sent it.
    Sent,
    /// Another client of the account was sent it.
    Received,
}

/// Has them enabled.
#[derive(Debug)]
pub struct Carbons {
    wanted: bool,
    /// Ahead of the session.
    asked: bool,
}

impl Feature for Carbons {
    type Command = Never;
    type Reply = Never;
    type Event = Never;

    fn inline(config: &Config) -> Option<(&'static str, &'static str)> {
        config.carbons.then_some(("enable", CARBONS))
    }

    fn new(config: &Config) -> Self {
        let (wanted, asked) = (config.carbons, false);
        Carbons { wanted, asked }
    }

    fn command(&mut self, _: &mut Ctx<'_>, _: Ticket, command: Never) {
        match command {}
    }

    fn on_binding(&mut self, cx: &mut Ctx<'_>) {
        self.asked = self.ask(cx);
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        if !core::mem::take(&mut self.asked) && !cx.is_enabled(CARBONS) {
            self.ask(cx);
        }
    }

    fn on_offline(&mut self, _: &mut Ctx<'_>) {
        self.asked = false;
    }
}

impl Carbons {
    /// Asks for them, if anybody wants them: nobody else has an anonymous account. §4: a server that can't enable them says so.
    fn ask(&self, cx: &mut Ctx<'_>) -> bool {
        let enable = Element::new("enable", CARBONS);
        self.wanted && !cx.is_anonymous() && cx.ask(true, None, enable, Token::Own(0)).is_ok()
    }
}

/// The message in a carbon, if that is one to be believed.
pub(super) fn open<'a>(stanza: &'a Element, own: &Jid) -> Option<(Carbon, &'a Element)> {
    let mut wrappers = stanza.children().filter(|child| is_wrapper(child));
    let (Some(wrapper), None) = (wrappers.next(), wrappers.next()) else {
        return None;
    };
    // §11: from the own bare JID alone. RFC 6120 §8.1.2.1: that is who is meant where nobody is named.
    let from = |from| Jid::parse(from).is_ok_and(|from| from.is_bare() && from.same_bare(own));
    if !stanza.is("message", ns::CLIENT) || stanza.attr("type") == Some("error") || !stanza.attr("from").is_none_or(from) {
        return None;
    }
    let forwarded = wrapper.child("forwarded", "urn:xmpp:forward:0")?;
    let message = forwarded.child("message", ns::CLIENT)?;
    let names_own = |name| {
        let own = |jid| Jid::parse(jid).is_ok_and(|jid| jid.same_bare(own));
        message.attr(name).is_none_or(own)
    };
    let (carbon, fits) = match wrapper.name() {
        // What the account sends to itself comes a second time, as what it is sent.
        "sent" => (Carbon::Sent, names_own("from") && !names_own("to")),
        _ => (Carbon::Received, names_own("to")),
    };
    // §6.1: what is said in a room is for those who are in it.
    let fits = fits && message.attr("type") != Some("groupchat");
    fits.then_some((carbon, message))
}

/// Whether it has a carbon in it, whoever it is from. §11: such a message is nothing else.
pub(super) fn is_carbon(message: &Element) -> bool {
    message.children().any(is_wrapper)
}

fn is_wrapper(child: &Element) -> bool {
    child.is("received", CARBONS) || child.is("sent", CARBONS)
}
