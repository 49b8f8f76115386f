//! One contact: RFC 6121 §2.1.2.

use super::ROSTER;
use crate::im::typescript;
use crate::jid::Jid;
use crate::xml::Element;
use serde::Serialize;

/// A contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RosterItem {
    /// The contact's bare JID.
    pub jid: String,
    /// The name that the user gave the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// Whether the user has asked to see the contact's presence, and waits for an answer (RFC 6121 §2.1.2.2).
    pub pending: bool,
    /// Whether the contact may see the user's presence as soon as it asks (RFC 6121 §2.1.2.1).
    pub approved: bool,
    /// The groups that the user put the contact in.
    pub groups: Vec<String>,
}

/// Who sees whose presence (RFC 6121 §2.1.2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subscription {
    /// Neither sees the other's.
    None,
    /// The user sees the contact's.
    To,
    /// The contact sees the user's.
    From,
    /// Both see each other's.
    Both,
    /// In a push: the contact has been removed.
    Remove,
}

typescript!(
    r#"
/**
 * Who sees whose presence (RFC 6121 §2.1.2.5): nobody, the user the contact's, the contact the user's, or both each other's. In a push
 * `"remove"`: the contact has been removed.
 */
export type Subscription = "none" | "to" | "from" | "both" | "remove";

/** A contact. */
export interface RosterItem {
  /** The contact's bare JID. */
  jid: string;
  /** The name that the user gave the contact. */
  name?: string;
  /** Who sees whose presence. */
  subscription: Exclude<Subscription, "remove">;
  /** Whether the user has asked to see the contact's presence, and waits for an answer (RFC 6121 §2.1.2.2). */
  pending: boolean;
  /** Whether the contact may see the user's presence as soon as it asks (RFC 6121 §3.4). */
  approved: boolean;
  /** The groups that the user put the contact in. */
  groups: string[];
}

/** A change of a contact. */
export interface RosterPush extends Omit<RosterItem, "subscription"> {
  /** Who sees whose presence; `"remove"` where the contact was removed. */
  subscription: Subscription;
}
"#
);

impl RosterItem {
    /// Whether the contact sees our presence.
    pub(super) fn watches(&self) -> bool {
        matches!(self.subscription, Subscription::From | Subscription::Both)
    }

    /// As a push says that it is no more.
    pub(super) fn removed(self) -> RosterItem {
        RosterItem {
            name: None,
            subscription: Subscription::Remove,
            pending: false,
            approved: false,
            groups: Vec::new(),
            ..self
        }
    }

    /// What [`read`] reads.
    pub(super) fn element(&self) -> Element {
        let subscription = match self.subscription {
            Subscription::To => Some("to"),
            Subscription::From => Some("from"),
            Subscription::Both => Some("both"),
            Subscription::None | Subscription::Remove => None,
        };
        entry(&self.jid, self.name.as_deref(), &self.groups)
            .with_opt_attr("subscription", subscription)
            .with_opt_attr("ask", self.pending.then_some("subscribe"))
            .with_opt_attr("approved", self.approved.then_some("true"))
    }
}

/// The part of an item that is the user's to set.
pub(super) fn entry(jid: &str, name: Option<&str>, groups: &[String]) -> Element {
    let mut item = Element::new("item", ROSTER)
        .with_attr("jid", jid)
        .with_opt_attr("name", name.filter(|name| !name.is_empty()));
    for group in groups {
        item = item.with_child(Element::new("group", ROSTER).with_text(group.as_str()));
    }
    item
}

/// Reads an `<item/>`; one without an address is none.
pub(super) fn read(element: &Element) -> Option<RosterItem> {
    if !element.is("item", ROSTER) {
        return None;
    }
    let jid = element.attr("jid")?;
    Some(RosterItem {
        // Servers may know addresses that RFC 7622 no longer allows. The contact is there all the same.
        jid: Jid::parse(jid).map_or_else(|_| jid.to_owned(), |jid| jid.as_str().to_owned()),
        name: element.attr("name").filter(|name| !name.is_empty()).map(str::to_owned),
        subscription: match element.attr("subscription") {
            Some("to") => Subscription::To,
            Some("from") => Subscription::From,
            Some("both") => Subscription::Both,
            Some("remove") => Subscription::Remove,
            // §2.1.2.5: without the attribute it is "none".
            _ => Subscription::None,
        },
        pending: element.attr("ask") == Some("subscribe"),
        approved: matches!(element.attr("approved"), Some("true" | "1")),
        groups: element
            .children()
            .filter(|child| child.is("group", ROSTER))
            .map(Element::text)
            .collect(),
    })
}
