//! The roster, RFC 6121 §2: fetched when a session begins, then kept up to date by pushes.
//!
//! Left out for now: changing the roster, and versioning (§2.6).

use super::{Call, Config, Ctx, Event, Feature, Flow, Named, Reply, typescript};
use crate::error::{Code, Error, Phase};
use crate::given::Args;
use crate::jid::Jid;
use crate::session::{Status, Ticket, Token};
use crate::stanza::iq;
use crate::xml::Element;
use serde::Serialize;

const ROSTER: &str = "jabber:iq:roster";

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
export interface Calls {
  /** The contacts. */
  readonly roster: Roster;
}

export interface FeatureEvents {
  /** A contact was added, changed, or removed. */
  roster: RosterPush;
}

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
  /** The groups that the user put the contact in. */
  groups: string[];
}

/** A change of a contact. */
export interface RosterPush extends Omit<RosterItem, "subscription"> {
  /** Who sees whose presence; `"remove"` where the contact was removed. */
  subscription: Subscription;
}

/** The contacts of an account. */
export interface Roster {
  /**
   * All contacts, in the order of their JIDs. Changes arrive as `roster` events.
   *
   * Rejects `offline`, `stanza-error`.
   */
  get(options?: CallOptions): Promise<RosterItem[]>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// All contacts.
    Get,
}

impl Named for RosterItem {
    fn name(&self) -> &'static str {
        "roster"
    }
}

/// The roster as far as it is known.
#[derive(Debug, Default)]
pub struct Roster {
    items: Vec<RosterItem>,
    state: State,
    waiting: Vec<Ticket>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    Asked,
    Known,
}

impl Feature for Roster {
    type Command = Command;
    type Reply = Vec<RosterItem>;
    type Event = RosterItem;

    const CALLS: &'static [Call] = &[Call::once("roster.get", 0)];

    fn new(_: &Config) -> Self {
        Roster::default()
    }

    fn read(_: &str, _: &mut Args) -> Result<Command, Error> {
        Ok(Command::Get)
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command::Get = command;
        match (&self.state, cx.status()) {
            (State::Known, _) => cx.reply(ticket, Ok(Reply::Roster(self.items.clone()))),
            (State::Asked, _) | (State::Unknown, Status::Reconnecting) => self.waiting.push(ticket),
            (State::Unknown, _) => {
                self.waiting.push(ticket);
                self.fetch(cx);
            }
        }
    }

    fn on_binding(&mut self, cx: &mut Ctx<'_>) {
        // It can be asked for again where this comes to nothing.
        if ask(cx).is_ok() {
            self.state = State::Asked;
        }
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        if self.state != State::Asked {
            self.fetch(cx);
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        let (Some(true), Some(query)) = (iq::request(stanza), stanza.child("query", ROSTER)) else {
            return Flow::Next;
        };
        // RFC 6121 §2.1.6: a push comes without a sender, or from the account itself. Anybody else's is a forgery.
        let genuine = match stanza.attr("from") {
            None => true,
            Some(from) => Jid::parse(from).is_ok_and(|from| from.is_bare() && from.same_bare(cx.account())),
        };
        // §2.1.6 again: exactly one item.
        let mut items = query.children();
        let item = match (items.next(), items.next()) {
            (Some(item), None) => item_of(item),
            _ => None,
        };
        match item {
            Some(item) if genuine => {
                cx.answer(&iq::result(stanza, None));
                self.apply(item.clone());
                cx.emit(Event::Roster(item));
            }
            // Nobody else's to handle, either.
            _ => cx.answer(&iq::error(stanza, "cancel", "service-unavailable")),
        }
        Flow::Taken
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, _: Token, result: Result<Option<Element>, Error>) {
        let result = result.and_then(|payload| {
            let query = payload.filter(|payload| payload.is("query", ROSTER)).ok_or_else(|| {
                let message = "the server answered the roster request with something else";
                Error::new(Code::ProtocolViolation, Phase::Stanza, message)
            })?;
            Ok(query.children().filter_map(item_of).collect::<Vec<_>>())
        });
        match result {
            Ok(items) => {
                self.items.clear();
                for item in items {
                    self.apply(item);
                }
                self.state = State::Known;
                for ticket in core::mem::take(&mut self.waiting) {
                    cx.reply(ticket, Ok(Reply::Roster(self.items.clone())));
                }
            }
            Err(error) => self.fail(cx, &error),
        }
    }

    fn on_offline(&mut self, _: &mut Ctx<'_>) {
        self.state = State::Unknown;
    }
}

impl Roster {
    /// RFC 6121 §2.1.3.
    fn fetch(&mut self, cx: &mut Ctx<'_>) {
        match ask(cx) {
            Ok(()) => self.state = State::Asked,
            Err(error) => self.fail(cx, &error),
        }
    }

    /// There is no roster for those who wait.
    fn fail(&mut self, cx: &mut Ctx<'_>, error: &Error) {
        self.state = State::Unknown;
        for ticket in core::mem::take(&mut self.waiting) {
            cx.reply(ticket, Err(error.clone()));
        }
    }

    /// Puts an item in its place, in the order of JIDs.
    fn apply(&mut self, item: RosterItem) {
        let place = self.items.binary_search_by(|other| other.jid.cmp(&item.jid));
        match (place, item.subscription) {
            (Ok(place), Subscription::Remove) => {
                self.items.remove(place);
            }
            (Ok(place), _) => {
                if let Some(known) = self.items.get_mut(place) {
                    *known = item;
                }
            }
            (Err(_), Subscription::Remove) => {}
            (Err(place), _) => self.items.insert(place, item),
        }
    }
}

fn ask(cx: &mut Ctx<'_>) -> Result<(), Error> {
    cx.ask(false, None, Element::new("query", ROSTER), Token::Own(0))
}

/// Reads an `<item/>`; one without an address is none.
fn item_of(element: &Element) -> Option<RosterItem> {
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
        groups: element
            .children()
            .filter(|child| child.is("group", ROSTER))
            .map(Element::text)
            .collect(),
    })
}
