//! Who may see whose presence: RFC 6121 §3. A request may have a nickname, XEP-0172 1.1 (21 March 2012) §4.1.

use super::{Event, KEPT, News, Roster};
use crate::error::Error;
use crate::im::{Ctx, typescript};
use crate::jid::Jid;
use crate::session::Ticket;
use crate::stream::ns;
use crate::xml::Element;
use serde::Serialize;

const NICK: &str = "http://jabber.org/protocol/nick";

/// How many requests of others' are kept for the next page, and how many bytes the words of one may have there. All together have
/// [`KEPT`] bytes at most.
const MOST: usize = 100;
const WORDS: usize = 500;

/// Somebody asks to see our presence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Request {
    /// Whose bare JID.
    pub from: String,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// By what name they go. Nothing vouches for it (XEP-0172 §7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
}

typescript!(
    r#"
/** Somebody asks to see our presence. */
export interface SubscriptionRequest {
  /** The bare JID of who asks. */
  from: string;
  /** In words. */
  status?: string;
  /** By what name they go (XEP-0172). Anybody can go by any name: only `from` says who it is. */
  nick?: string;
}

/** What goes along with a request to see somebody's presence. */
export interface SubscriptionInit {
  /** In words. */
  status?: string | null | undefined;
  /** By what name we go (XEP-0172). */
  nick?: string | null | undefined;
}
"#
);

/// What is said of subscriptions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// Asks to see the other's presence.
    Subscribe,
    /// Asks no longer.
    Unsubscribe,
    /// Lets the other see ours.
    Approve,
    /// Doesn't, or no longer.
    Deny,
}

impl Verb {
    pub(super) fn of(name: &str) -> Verb {
        match name {
            "roster.subscribe" => Verb::Subscribe,
            "roster.unsubscribe" => Verb::Unsubscribe,
            "roster.approve" => Verb::Approve,
            _ => Verb::Deny,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Verb::Subscribe => "subscribe",
            Verb::Unsubscribe => "unsubscribe",
            Verb::Approve => "subscribed",
            Verb::Deny => "unsubscribed",
        }
    }
}

/// Says it to a bare JID (RFC 6121 §3.1.1), with these words.
pub(super) fn say(
    cx: &mut Ctx<'_>,
    ticket: Ticket,
    verb: Verb,
    to: &Jid,
    [status, nick]: [Option<String>; 2],
) -> Result<(), Error> {
    // §3.1.1: with an id, by which an error that comes back can be told from others.
    let id = cx.id();
    let presence = element(verb.kind(), status, nick);
    cx.send_for(ticket, &presence.with_attr("to", to.as_str()).with_attr("id", id))
}

fn element(kind: &str, status: Option<String>, nick: Option<String>) -> Element {
    let text = |name, ns: &'static str, text: String| Element::new(name, ns).with_text(text);
    Element::new("presence", ns::CLIENT)
        .with_attr("type", kind)
        .with_opt_child(status.map(|status| text("status", ns::CLIENT, status)))
        .with_opt_child(nick.map(|nick| text("nick", NICK, nick)))
}

impl Request {
    /// Reads a presence that is one. RFC 6121 §3.1.4: it is an account that asks, whichever of its clients has sent it.
    pub(super) fn read(presence: &Element) -> Option<Request> {
        if presence.attr("type") != Some("subscribe") {
            return None;
        }
        let text = |name, ns| presence.child_text(name, ns).filter(|text| !text.is_empty());
        Some(Request {
            from: Jid::parse(presence.attr("from")?).ok()?.bare_str().to_owned(),
            status: text("status", ns::CLIENT),
            nick: text("nick", NICK),
        })
    }

    /// What [`Request::read`] reads.
    pub(super) fn element(&self) -> Element {
        element("subscribe", self.status.clone(), self.nick.clone()).with_attr("from", self.from.as_str())
    }

    /// As it is kept: without words that are too long.
    fn short(&self) -> Request {
        let short = |text: &Option<String>| text.clone().filter(|text| text.len() <= WORDS);
        Request {
            from: self.from.clone(),
            status: short(&self.status),
            nick: short(&self.nick),
        }
    }

    /// About how many bytes are kept of it.
    fn size(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        60 + self.from.len() + text(&self.status) + text(&self.nick)
    }
}

impl Roster {
    /// A presence came in.
    pub(super) fn presence(&mut self, cx: &mut Ctx<'_>, presence: &Element) {
        if presence.attr("type") == Some("unsubscribe") {
            let from = presence.attr("from").and_then(|from| Jid::parse(from).ok());
            if let Some(from) = from {
                self.answered(cx, from.bare_str());
            }
        }
        let Some(request) = Request::read(presence) else { return };
        // One's own presence is there to be seen (RFC 6121 §4.2.2).
        if request.from == cx.account().bare_str() {
            return;
        }
        self.answered(cx, &request.from);
        let kept = request.short();
        let size = self.requests.iter().fold(kept.size(), |size, other| size + other.size());
        if self.requests.len() < MOST && size <= KEPT {
            self.requests.push(kept);
        }
        cx.emit(Event::Roster(News::Request(request)));
    }

    /// That request is none any more.
    pub(super) fn answered(&mut self, cx: &mut Ctx<'_>, from: &str) {
        self.requests.retain(|request| request.from != from);
        self.changed(cx);
    }
}
