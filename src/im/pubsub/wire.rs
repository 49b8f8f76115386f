//! What features that keep something in nodes share: requests, what they are answered, and notifications.
//!
//! A request is a payload for [`Ctx::ask`](crate::im::Ctx::ask); whose node it is says `to` there, nobody is the own account (XEP-0163 §3).

use crate::decimal::decimal;
use crate::error::{Code, Error, Phase};
use crate::im::forms;
use crate::jid::Jid;
use crate::stream::ns;
use crate::xml::Element;
use serde::Serialize;

pub(super) const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const EVENT: &str = "http://jabber.org/protocol/pubsub#event";
pub(super) const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
pub(super) const PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";

/// An item of a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PubsubItem {
    /// Its id in the node; empty where the service gives it none.
    pub id: String,
    /// What was published, where the service says.
    pub payload: crate::im::OrNull<Element>,
    /// Who has published it, as the service says (XEP-0060 §7.1.2.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
}

/// What has happened to a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::im) struct Notification<'a> {
    /// Whose node it is: who has sent this, the service or, in PEP, the account. Only this can be believed: what is said of a
    /// contact must come from the contact's own bare JID, what is said of the account from the account's.
    pub(in crate::im) from: Jid,
    /// The node.
    pub(in crate::im) node: &'a str,
    /// Items that were published.
    pub(in crate::im) items: Vec<Item<'a>>,
    /// The ids of items that were taken back.
    pub(in crate::im) retracted: Vec<&'a str>,
    /// All items were taken back.
    pub(in crate::im) purged: bool,
    /// The node was deleted.
    pub(in crate::im) deleted: bool,
}

/// An item in a notification.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::im) struct Item<'a> {
    /// Its id in the node; empty where the service gives it none.
    pub(in crate::im) id: &'a str,
    /// What was published, where the service says.
    pub(in crate::im) payload: Option<&'a Element>,
    /// Who has published it, as the service says. In PEP nobody but the owner can, unless the owner lets others.
    pub(in crate::im) publisher: Option<&'a str>,
}

/// Reads a notification. `own` is the account, which is who sends what has no sender.
pub(in crate::im) fn event<'a>(message: &'a Element, own: &Jid) -> Option<Notification<'a>> {
    // One that comes back as an error is a notification of nobody's.
    if !message.is("message", ns::CLIENT) || message.attr("type") == Some("error") {
        return None;
    }
    let event = message.child("event", EVENT)?;
    let from = match message.attr("from") {
        // RFC 6120 §8.1.2.1: without a sender, it is the own account's.
        None => own.to_bare(),
        Some(from) => Jid::parse(from).ok()?,
    };
    // XEP-0163 §4.3: an account's own server speaks for it by its bare JID. A full one is that of a client, or of somebody in a
    // room, for neither of whom that is.
    if from.local().is_some() && from.is_full() {
        return None;
    }
    let of_node = |name| event.children().find(|child| child.is(name, EVENT));
    let mut told = Notification {
        from,
        node: "",
        items: Vec::new(),
        retracted: Vec::new(),
        purged: false,
        deleted: false,
    };
    if let Some(items) = of_node("items") {
        told.node = items.attr("node")?;
        for child in items.children() {
            if child.is("item", EVENT) {
                told.items.extend(item(child));
            } else if child.is("retract", EVENT) {
                told.retracted.extend(child.attr("id"));
            }
        }
    } else if let Some(purge) = of_node("purge") {
        (told.node, told.purged) = (purge.attr("node")?, true);
    } else {
        (told.node, told.deleted) = (of_node("delete")?.attr("node")?, true);
    }
    Some(told)
}

/// Reads an `<item/>`; none where there is more in it than one payload.
fn item(item: &Element) -> Option<Item<'_>> {
    let mut payload = item.children();
    let only = payload.next();
    // XEP-0060 §7.1.3.6.
    payload.next().is_none().then(|| Item {
        id: item.attr("id").unwrap_or_default(),
        payload: only,
        publisher: item.attr("publisher"),
    })
}

impl Item<'_> {
    /// The same, kept.
    pub(in crate::im) fn to_owned(&self) -> PubsubItem {
        PubsubItem {
            id: self.id.to_owned(),
            payload: crate::im::OrNull(self.payload.cloned()),
            publisher: self.publisher.map(str::to_owned),
        }
    }
}

pub(super) fn request(ns: &'static str, child: Element) -> Element {
    Element::new("pubsub", ns).with_child(child)
}

/// An element about a node, in the one of these namespaces.
pub(super) fn of_node(name: &'static str, ns: &'static str, node: &str) -> Element {
    Element::new(name, ns).with_attr("node", node)
}

/// Asks for an item to be published (XEP-0060 §7.1), a set. Without an id the service gives it one. For `options` see [`options`]; where
/// the node isn't as they say, the answer is `conflict` with `precondition-not-met` (§7.1.5).
pub(in crate::im) fn publish(
    node: &str,
    id: Option<&str>,
    payload: Option<Element>,
    options: Option<Element>,
) -> Element {
    let item = Element::new("item", PUBSUB)
        .with_opt_attr("id", id)
        .with_opt_child(payload);
    let publish = of_node("publish", PUBSUB, node).with_child(item);
    let options = options.map(|form| Element::new("publish-options", PUBSUB).with_child(form));
    request(PUBSUB, publish).with_opt_child(options)
}

/// How a node is to be where something is published in it, such as `("pubsub#access_model", "open")`.
#[allow(dead_code, reason = "what the features ask for that keep something in nodes")]
pub(in crate::im) fn options(options: &[(&str, &str)]) -> Element {
    let form = forms::submit(PUBLISH_OPTIONS);
    options.iter().fold(form, |form, (name, value)| {
        form.with_child(forms::field(name, &[value]))
    })
}

/// Asks for items (XEP-0060 §6.5), a get: those of these ids, or the last ones, `max` of them at most, or all.
pub(in crate::im) fn items(node: &str, ids: &[impl AsRef<str>], max: Option<u32>) -> Element {
    let mut items = of_node("items", PUBSUB, node).with_opt_attr("max_items", max.map(|max| decimal(max.into())));
    for id in ids {
        items = items.with_child(Element::new("item", PUBSUB).with_attr("id", id.as_ref()));
    }
    request(PUBSUB, items)
}

/// Asks for an item to be taken back (XEP-0060 §7.2), a set.
pub(in crate::im) fn retract(node: &str, id: &str, notify: bool) -> Element {
    let retract = of_node("retract", PUBSUB, node)
        .with_opt_attr("notify", notify.then_some("true"))
        .with_child(Element::new("item", PUBSUB).with_attr("id", id));
    request(PUBSUB, retract)
}

/// Asks for a node to be configured like this (XEP-0060 §8.2), a set.
pub(in crate::im) fn configure(node: &str, config: &[(&str, &str)]) -> Element {
    let form = forms::submit("http://jabber.org/protocol/pubsub#node_config");
    let form = config.iter().fold(form, |form, (name, value)| form.with_child(forms::field(name, &[value])));
    request(OWNER, of_node("configure", OWNER, node).with_child(form))
}

/// The items that were asked for, in the order of the service.
///
/// # Errors
/// `protocol-violation` for what are no items of that node.
pub(in crate::im) fn items_of(answer: Option<&Element>, node: &str) -> Result<Vec<PubsubItem>, Error> {
    let items = answered(answer, "items").filter(|items| items.attr("node") == Some(node));
    let items = items.ok_or_else(|| violation("the request for a node's items was answered with something else"))?;
    let items = items.all("item", PUBSUB).map(|child| {
        let item = item(child).ok_or_else(|| violation("an item of a node has more than one payload"));
        item.map(|item| item.to_owned())
    });
    items.collect()
}

/// The id under which an item was published; `asked` is the one it was to have.
///
/// # Errors
/// `protocol-violation` for what is no answer to that.
pub(in crate::im) fn published(answer: Option<&Element>, node: &str, asked: Option<String>) -> Result<String, Error> {
    let unfit = || violation("the request to publish was answered with something else");
    let id = match answered(answer, "publish") {
        Some(publish) if publish.attr("node") != Some(node) => return Err(unfit()),
        Some(publish) => publish.child("item", PUBSUB).and_then(|item| item.attr("id")),
        None => None,
    };
    // XEP-0060 §7.1.2: an id that was given need not be said.
    id.map(str::to_owned).or(asked).ok_or_else(unfit)
}

/// What of this name an answer is about.
pub(super) fn answered<'a>(answer: Option<&'a Element>, name: &str) -> Option<&'a Element> {
    answer.filter(|answer| answer.is("pubsub", PUBSUB))?.child(name, PUBSUB)
}

/// Whether what was asked for isn't there: the node, or the item (XEP-0060 §6.5.9.11).
#[allow(dead_code, reason = "what the features ask for that keep something in nodes")]
pub(in crate::im) fn is_missing(error: &Error) -> bool {
    error.code() == Code::StanzaError && error.condition() == Some("item-not-found")
}

/// Somebody's answer isn't what it must be.
pub(in crate::im) fn violation(message: &'static str) -> Error {
    Error::new(Code::ProtocolViolation, Phase::Stanza, message)
}
