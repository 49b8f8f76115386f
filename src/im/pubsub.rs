//! Publish-Subscribe, XEP-0060 1.30.0 (11 November 2025), and the Personal Eventing Protocol, XEP-0163 1.2.2 (16 February 2022): what
//! accounts and services publish in nodes, and are asked to.
//!
//! What other features keep in nodes, they read and write by `pubsub/wire.rs`. Each notification is told to the app as well.
//!
//! Left out: options of subscriptions, lists of subscriptions and affiliations and how they are managed, default configurations,
//! notifications of changed configurations and subscriptions, collections (XEP-0248).

mod calls;
mod wire;

pub use wire::PubsubItem;
#[allow(unused_imports, reason = "what the features ask for that keep something in nodes")]
pub(super) use wire::{Item, Notification, configure, event, is_missing, items, items_of, options, publish, published, retract, violation};

use super::forms::{self, DataForm};
use super::{Call, Config, Ctx, Event, Feature, Flow, Named, Page, Reply, typescript};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;
use serde::Serialize;
use calls::Asked;

const NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";

typescript!(
    r#"
export interface Calls {
  /** What accounts and services publish. */
  readonly pubsub: Pubsub;
}

export interface FeatureEvents {
  /**
   * Something was published, or taken back. It comes for nodes that were subscribed to, and for those of the account and its contacts whose
   * `"NODE+notify"` is one of {@link ConnectOptions.features} or of this client's own features.
   */
  pubsub: PubsubEvent;
}

/** An item of a node. */
export interface PubsubItem {
  /** Its id in the node; empty where the service gives it none. */
  id: string;
  /** What was published; `null` where the service doesn't say, or it was nothing. */
  payload: XmlElement | null;
  /** Who has published it, as the service says. */
  publisher?: string;
}

/** What has happened to a node. */
export interface PubsubEvent {
  /**
   * Whose node: the account's bare JID, or that of a service. Only that is certain: what is said in an item of somebody else is the word of
   * this one.
   */
  from: string;
  /** The node. */
  node: string;
  /** What was published. */
  items: PubsubItem[];
  /** The ids of items that were taken back. */
  retracted: string[];
  /** All items were taken back. */
  purged?: true;
  /** The node was deleted. */
  deleted?: true;
}

/** Whose node it is. */
export interface PubsubOptions {
  /** An account or a service; by default the own account (XEP-0163). */
  to?: string | null | undefined;
}

/** How an item is published. */
export interface PublishOptions extends PubsubOptions {
  /** The item's id, in the place of one that may be there; by default a new one. For a node with a single item `"current"` is usual. */
  id?: string | null | undefined;
  /**
   * How the node must be, such as `{ "pubsub#access_model": "open" }`. A node that isn't there is made like that. Where it is another way,
   * the call rejects with a `stanza-error` of condition `conflict`, and nothing is published.
   */
  options?: DataValues | null | undefined;
}

/** Which items. */
export interface PubsubItemsOptions extends PubsubOptions {
  /** Those of these ids. */
  ids?: string[] | null | undefined;
  /** So many of the latest. */
  max?: number | null | undefined;
}

/** A subscription. */
export interface PubsubSubscription {
  /** Whether notifications come: `"pending"` where the owner has to agree, `"unconfigured"` where options have to be set. */
  state: "subscribed" | "pending" | "unconfigured" | "none";
  /** Its id, where the service gives it one. */
  subid?: string;
}

/** What accounts and services publish: publish-subscribe (XEP-0060). All calls reject `offline`, `stanza-error`, `invalid-jid`. */
export interface Pubsub {
  /**
   * Publishes an item.
   *
   * @example
   * const tune = xml("tune", { xmlns: "http://jabber.org/protocol/tune" }, xml("title", {}, "Yesterday"));
   * const { id } = await client.pubsub.publish("http://jabber.org/protocol/tune", tune);
   */
  publish(node: string, payload: XmlElement | null, publish?: PublishOptions | null, options?: CallOptions): Promise<{ id: string }>;
  /**
   * The items of a node, page by page where the service knows pages.
   *
   * @example
   * for await (const { id, payload } of client.pubsub.items("urn:xmpp:bookmarks:1")) console.log(id, payload);
   */
  items(node: string, which?: PubsubItemsOptions | null, options?: CallOptions): AsyncIterableIterator<PubsubItem>;
  /**
   * Takes an item back. Subscribers hear of it if `notify` is true, or the node is configured like that.
   *
   * @example
   * const { id } = await client.pubsub.publish("blog", xml("entry", { xmlns: "http://www.w3.org/2005/Atom" }));
   * await client.pubsub.retract("blog", id, { notify: true });
   */
  retract(
    node: string, id: string, retract?: (PubsubOptions & { notify?: boolean | null | undefined }) | null, options?: CallOptions,
  ): Promise<void>;
  /**
   * Subscribes the account to a node: `pubsub` events tell of what happens to it.
   *
   * @example
   * client.on("pubsub", ({ from, node, items }) => console.log(from, node, items.length));
   * const { state } = await client.pubsub.subscribe("news", { to: "pubsub.example.org" });
   * if (state === "pending") console.log("its owner has to agree");
   */
  subscribe(node: string, whose?: PubsubOptions | null, options?: CallOptions): Promise<PubsubSubscription>;
  /**
   * Ends a subscription; where there are several of one node, the one with the `subid`.
   *
   * @example
   * const { subid } = await client.pubsub.subscribe("news", { to: "pubsub.example.org" });
   * await client.pubsub.unsubscribe("news", { to: "pubsub.example.org", subid });
   */
  unsubscribe(
    node: string, which?: (PubsubOptions & { subid?: string | null | undefined }) | null, options?: CallOptions,
  ): Promise<void>;
  /**
   * Makes a node; without a name the service gives it one.
   *
   * @example
   * const config = { "pubsub#title": "What I cook", "pubsub#access_model": "open" };
   * const { node } = await client.pubsub.create("cooking", { config });
   */
  create(
    node?: string | null, create?: (PubsubOptions & { config?: DataValues | null | undefined }) | null, options?: CallOptions,
  ): Promise<{ node: string }>;
  /**
   * Deletes a node with all that is in it.
   *
   * @example await client.pubsub.delete("cooking");
   */
  delete(node: string, whose?: PubsubOptions | null, options?: CallOptions): Promise<void>;
  /**
   * Takes all items of a node back.
   *
   * @example await client.pubsub.purge("cooking");
   */
  purge(node: string, whose?: PubsubOptions | null, options?: CallOptions): Promise<void>;
  /**
   * How a node is configured: a form that can be filled in for {@link Pubsub.configure}.
   *
   * @example
   * const form = await client.pubsub.configuration("cooking");
   * for (const field of form.fields) if (field.type === "boolean") field.value = true;
   * await client.pubsub.configure("cooking", form);
   */
  configuration(node: string, whose?: PubsubOptions | null, options?: CallOptions): Promise<DataForm>;
  /**
   * Configures a node. What isn't named stays as it is.
   *
   * @example await client.pubsub.configure("blog", { "pubsub#access_model": "open", "pubsub#max_items": 100 });
   */
  configure(node: string, values: DataValues, whose?: PubsubOptions | null, options?: CallOptions): Promise<void>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Whose node; nobody is the own account.
    pub to: Option<Jid>,
    /// Which node; empty where the service is to choose.
    pub node: String,
    /// What is asked.
    pub action: Action,
}

/// What is asked about a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// To publish an item, with a form that says how the node must be.
    Publish {
        /// Its id.
        id: Option<String>,
        /// What is in it.
        payload: Option<Element>,
        /// How the node must be.
        options: Option<Element>,
    },
    /// To hand over items.
    Items {
        /// Those of these ids, where there are any.
        ids: Vec<String>,
        /// So many of the latest.
        max: Option<u32>,
        /// Those behind that one, by its name in the page before.
        after: Option<String>,
    },
    /// To take an item back.
    Retract {
        /// Its id.
        id: String,
        /// Whether subscribers are to hear of it.
        notify: bool,
    },
    /// To subscribe the account.
    Subscribe,
    /// To end the account's subscription, that of this id.
    Unsubscribe(Option<String>),
    /// To make the node, with this configuration.
    Create(Option<Element>),
    /// To delete it.
    Delete,
    /// To take all its items back.
    Purge,
    /// To say how it is configured.
    Configuration,
    /// To configure it.
    Configure(Element),
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Nothing.
    Done,
    /// The id of an item.
    Published {
        /// It.
        id: String,
    },
    /// Items.
    Items(Page<PubsubItem>),
    /// A subscription.
    Subscription {
        /// Whether notifications come.
        state: &'static str,
        /// Its id.
        #[serde(skip_serializing_if = "Option::is_none")]
        subid: Option<String>,
    },
    /// The name of a node.
    Created {
        /// It.
        node: String,
    },
    /// A form.
    Form(DataForm),
}

/// What has happened to a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PubsubEvent {
    /// Whose node.
    pub from: String,
    /// The node.
    pub node: String,
    /// What was published.
    pub items: Vec<PubsubItem>,
    /// The ids of items that were taken back.
    pub retracted: Vec<String>,
    /// All items were taken back.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub purged: bool,
    /// The node was deleted.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub deleted: bool,
}

impl Named for PubsubEvent {
    fn name(&self) -> &'static str {
        "pubsub"
    }
}

/// The calls under way.
#[derive(Debug, Default)]
pub struct Pubsub {
    asked: Vec<Asked>,
}

impl Feature for Pubsub {
    type Command = Command;
    type Reply = Answer;
    type Event = PubsubEvent;

    const CALLS: &'static [Call] = &[
        Call::once("pubsub.publish", 3),
        Call::paged("pubsub.items", 2),
        Call::once("pubsub.retract", 3),
        Call::once("pubsub.subscribe", 2),
        Call::once("pubsub.unsubscribe", 2),
        Call::once("pubsub.create", 2),
        Call::once("pubsub.delete", 2),
        Call::once("pubsub.purge", 2),
        Call::once("pubsub.configuration", 2),
        Call::once("pubsub.configure", 3),
    ];

    fn new(_: &Config) -> Self {
        Pubsub::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        let node = args.take(0, "node");
        let node = match name {
            "pubsub.create" => node.opt_text()?.unwrap_or_default(),
            _ => node.text()?,
        };
        let last = |args: &mut Args, place| {
            let options = args.take(place, "options");
            options.jid_of("to").map(|to| (to, options))
        };
        let form = |values: Arg, form_type: &str| values.given()?.map(|values| forms::given(&values, form_type)).transpose();
        let (to, action) = match name {
            "pubsub.publish" => {
                let payload = args.take(1, "payload").given()?;
                let (to, options) = last(args, 2)?;
                let action = Action::Publish {
                    id: options.opt_of("id", Arg::opt_text)?,
                    payload: payload.map(|payload| payload.element(None)).transpose()?,
                    options: form(options.opt_field("options")?, wire::PUBLISH_OPTIONS)?,
                };
                (to, action)
            }
            "pubsub.items" => {
                let (to, options) = last(args, 1)?;
                let max = options.opt_field("max")?.opt_whole(1, u32::MAX.into())?;
                let action = Action::Items {
                    ids: options.opt_of("ids", Arg::texts)?,
                    max: max.and_then(|max| u32::try_from(max).ok()),
                    after: args.of(2, "next", Arg::opt_text)?,
                };
                (to, action)
            }
            "pubsub.retract" => {
                let id = args.of(1, "id", Arg::text)?;
                let (to, options) = last(args, 2)?;
                let notify = options.opt_of("notify", Arg::opt_flag)?.unwrap_or_default();
                (to, Action::Retract { id, notify })
            }
            "pubsub.configure" => {
                let values = args.take(1, "values");
                let (to, _) = last(args, 2)?;
                (to, Action::Configure(forms::given(&values, NODE_CONFIG)?))
            }
            _ => {
                let (to, options) = last(args, 1)?;
                let action = match name {
                    "pubsub.subscribe" => Action::Subscribe,
                    "pubsub.unsubscribe" => Action::Unsubscribe(options.opt_of("subid", Arg::opt_text)?),
                    "pubsub.create" => Action::Create(form(options.opt_field("config")?, NODE_CONFIG)?),
                    "pubsub.delete" => Action::Delete,
                    "pubsub.purge" => Action::Purge,
                    _ => Action::Configuration,
                };
                (to, action)
            }
        };
        Ok(Command { to, node, action })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command { to, node, action } = command;
        let set = !matches!(action, Action::Items { .. } | Action::Configuration);
        let (payload, wanted) = calls::build(&node, action, cx.account());
        match cx.ask(set, to, payload, Token::Call(ticket)) {
            Ok(()) => self.asked.push(Asked { ticket, node, wanted }),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if let Some(told) = event(stanza, cx.account()) {
            let event = PubsubEvent {
                from: told.from.as_str().to_owned(),
                node: told.node.to_owned(),
                items: told.items.iter().map(Item::to_owned).collect(),
                retracted: told.retracted.iter().map(|id| (*id).to_owned()).collect(),
                purged: told.purged,
                deleted: told.deleted,
            };
            cx.emit(Event::Pubsub(event));
        }
        Flow::Next
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let Some(place) = self.asked.iter().position(|asked| asked.ticket == ticket) else {
            return;
        };
        let asked = self.asked.swap_remove(place);
        let result = result.and_then(|answer| asked.read(answer));
        cx.reply(ticket, result.map(Reply::Pubsub));
    }
}
