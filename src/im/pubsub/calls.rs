//! What calls ask, and what comes of it.

use super::wire::{self, OWNER, PUBSUB, answered, items_of, of_node, publish, published, request, retract, violation};
use super::{Action, Answer};
use crate::error::Error;
use crate::im::forms::{self, DataForm};
use crate::im::{Page, rsm};
use crate::jid::Jid;
use crate::session::Ticket;
use crate::xml::Element;

/// How many items a page has at most, where the service knows pages.
const PAGE: u32 = 50;

/// What is to be known of a call when it is answered.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) ticket: Ticket,
    pub(super) node: String,
    pub(super) wanted: Wanted,
}

#[derive(Debug)]
pub(super) enum Wanted {
    Nothing,
    Id(Option<String>),
    Items(Option<String>),
    Subscription,
    Node,
    Form,
}

/// What is asked, and what is to come of it.
pub(super) fn build(node: &str, action: Action, account: &Jid) -> (Element, Wanted) {
    let subscriber = |name| request(PUBSUB, of_node(name, PUBSUB, node).with_attr("jid", account.bare_str()));
    let owner = |name| of_node(name, OWNER, node);
    match action {
        Action::Publish { id, payload, options } => (publish(node, id.as_deref(), payload, options), Wanted::Id(id)),
        Action::Items { ids, max, after } => {
            let request = wire::items(node, &ids, max);
            // Those that are named, or counted, are one page.
            let all = ids.is_empty() && max.is_none();
            let set = all.then(|| rsm::set(PAGE, after.as_deref()));
            (request.with_opt_child(set), Wanted::Items(after))
        }
        Action::Retract { id, notify } => (retract(node, &id, notify), Wanted::Nothing),
        Action::Subscribe => (subscriber("subscribe"), Wanted::Subscription),
        Action::Unsubscribe(subid) => {
            let unsubscribe = of_node("unsubscribe", PUBSUB, node).with_attr("jid", account.bare_str());
            (request(PUBSUB, unsubscribe.with_opt_attr("subid", subid)), Wanted::Nothing)
        }
        Action::Create(config) => {
            // §8.1.1: without a name it is an instant node.
            let create = Element::new("create", PUBSUB).with_opt_attr("node", Some(node).filter(|node| !node.is_empty()));
            let config = config.map(|form| Element::new("configure", PUBSUB).with_child(form));
            (request(PUBSUB, create).with_opt_child(config), Wanted::Node)
        }
        Action::Delete => (request(OWNER, owner("delete")), Wanted::Nothing),
        Action::Purge => (request(OWNER, owner("purge")), Wanted::Nothing),
        Action::Configuration => (request(OWNER, owner("configure")), Wanted::Form),
        Action::Configure(form) => (request(OWNER, owner("configure").with_child(form)), Wanted::Nothing),
    }
}

impl Asked {
    /// Reads the answer.
    ///
    /// # Errors
    /// `protocol-violation` for what is none.
    pub(super) fn read(self, answer: Option<Element>) -> Result<Answer, Error> {
        let answer = answer.as_ref();
        let of_node = |element: &&Element| element.attr("node") == Some(&*self.node);
        match self.wanted {
            Wanted::Nothing => Ok(Answer::Done),
            Wanted::Id(id) => published(answer, &self.node, id).map(|id| Answer::Published { id }),
            Wanted::Items(after) => {
                let items = items_of(answer, &self.node)?;
                let next = answer.and_then(|answer| rsm::next(answer, items.len(), after.as_deref()));
                Ok(Answer::Items(Page { items, next }))
            }
            Wanted::Subscription => {
                const STATES: [&str; 4] = ["subscribed", "pending", "unconfigured", "none"];
                let subscription = answered(answer, "subscription").filter(of_node);
                let state = subscription.and_then(|subscription| {
                    let state = subscription.attr("subscription")?;
                    STATES.into_iter().find(|known| *known == state)
                });
                let state = state.ok_or_else(|| violation("the request to subscribe was answered with something else"))?;
                let subid = subscription.and_then(|subscription| subscription.attr("subid"));
                Ok(Answer::Subscription {
                    state,
                    subid: subid.map(str::to_owned),
                })
            }
            Wanted::Node => {
                let named = answered(answer, "create").and_then(|create| create.attr("node"));
                let node = named.map_or(self.node, str::to_owned);
                // §8.1.1: the service says which node it has made, where that isn't the one that was named.
                if node.is_empty() {
                    return Err(violation("the request to make a node was answered with something else"));
                }
                Ok(Answer::Created { node })
            }
            Wanted::Form => {
                let configure = answer
                    .filter(|answer| answer.is("pubsub", OWNER))
                    .and_then(|answer| answer.child("configure", OWNER))
                    .filter(of_node);
                let form = configure.and_then(|configure| configure.child("x", forms::FORMS));
                let form = form.ok_or_else(|| violation("the request for a configuration was answered with something else"))?;
                DataForm::read(form).map(Answer::Form)
            }
        }
    }
}
