//! What an app can call, and what that resolves to.

use super::{RosterItem, Verb};
use crate::error::Error;
use crate::given::{Arg, Args, invalid};
use crate::im::typescript;
use crate::jid::Jid;
use serde::{Serialize, Serializer};

typescript!(
    r#"
export interface Calls {
  /** The contacts. */
  readonly roster: Roster;
}

export interface FeatureEvents {
  /**
   * A contact was added, changed, or removed. Where that happened between two sessions of this client, it is told when the new one
   * has begun.
   */
  roster: RosterPush;
  /**
   * Somebody asks to see our presence (RFC 6121 §3.1.4): {@link Roster.approve} or {@link Roster.deny}. It is told again in each new
   * session until one of the account's clients has answered. Up to 1,000 are held for the first listener.
   */
  subscription: SubscriptionRequest;
}

/** The contacts of an account. */
export interface Roster {
  /**
   * All contacts, in the order of their JIDs. Changes arrive as `roster` events.
   *
   * Rejects `offline`, `stanza-error`.
   *
   * @example
   * const byGroup = new Map<string, RosterItem[]>();
   * for (const contact of await client.roster.get()) {
   *   for (const group of contact.groups) byGroup.set(group, [...(byGroup.get(group) ?? []), contact]);
   * }
   */
  get(options?: CallOptions): Promise<RosterItem[]>;
  /**
   * Adds a contact, or puts another name and other groups in the place of those it had: what is left out is taken away. Who sees
   * whose presence stays as it is. Only the bare JID counts.
   *
   * Rejects `offline`, `invalid-jid`, `stanza-error`.
   *
   * @example
   * await client.roster.set({ jid: "bob@example.org", name: "Bob", groups: ["Friends"] });
   * await client.roster.subscribe("bob@example.org", { status: "It's me, Alice" });
   */
  set(contact: RosterInit, options?: CallOptions): Promise<void>;
  /**
   * Removes a contact; from then on neither sees the other's presence (RFC 6121 §2.5).
   *
   * Rejects `offline`, `invalid-jid`, `stanza-error`: `item-not-found` where there is no such contact.
   *
   * @example await client.roster.remove("bob@example.org");
   */
  remove(jid: string, options?: CallOptions): Promise<void>;
  /**
   * Asks to see somebody's presence; resolves when that is sent (RFC 6121 §3.1). The contact is `pending` until there is an answer, which
   * comes as a `roster` event, and as a `presence` of type `subscribed` or `unsubscribed`.
   *
   * Rejects `offline`, `invalid-jid`.
   *
   * @example
   * await client.roster.subscribe("bob@example.org", { status: "We met on Sunday", nick: "Alice" });
   * client.on("presence", ({ from, type }) => {
   *   if (type === "subscribed") console.log(from, "lets us see when they are there");
   * });
   */
  subscribe(jid: string, request?: SubscriptionInit | null, options?: CallOptions): Promise<void>;
  /**
   * Asks no longer to see somebody's presence (RFC 6121 §3.3). Rejects `offline`, `invalid-jid`.
   *
   * @example await client.roster.unsubscribe("bob@example.org");
   */
  unsubscribe(jid: string, options?: CallOptions): Promise<void>;
  /**
   * Lets somebody see our presence who has asked for it. Who hasn't asked yet will be let without a question, where the server can do
   * that (RFC 6121 §3.4): the contact is `approved` then.
   *
   * Rejects `offline`, `invalid-jid`.
   *
   * @example
   * client.on("subscription", async ({ from, nick }) => {
   *   if (confirm(`May ${nick ?? from} see when you are online?`)) await client.roster.approve(from);
   *   else await client.roster.deny(from);
   * });
   */
  approve(jid: string, options?: CallOptions): Promise<void>;
  /**
   * Doesn't let somebody see our presence, or no longer, or takes back what was approved ahead (RFC 6121 §3.2).
   *
   * Rejects `offline`, `invalid-jid`.
   *
   * @example
   * client.on("subscription", async ({ from }) => {
   *   if (from.endsWith("@spam.example")) await client.roster.deny(from);
   * });
   */
  deny(jid: string, options?: CallOptions): Promise<void>;
}

/** What the user calls a contact, and where it belongs. */
export interface RosterInit {
  /** The contact's JID. */
  jid: string;
  /** The name that the user gives the contact. */
  name?: string | null | undefined;
  /** The groups that the user puts the contact in. */
  groups?: readonly string[] | null | undefined;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// All contacts.
    Get,
    /// Adds or changes a contact.
    Set {
        /// Its bare JID.
        jid: Jid,
        /// The name that the user gives it.
        name: Option<String>,
        /// The groups, no two of the same name.
        groups: Vec<String>,
    },
    /// Removes the contact of this bare JID.
    Remove(Jid),
    /// Asks, approves or refuses.
    Say {
        /// What.
        verb: Verb,
        /// To which bare JID.
        to: Jid,
        /// In words.
        status: Option<String>,
        /// By what name.
        nick: Option<String>,
    },
}

/// What a call resolves to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// All contacts, in the order of their JIDs.
    Items(Vec<RosterItem>),
    /// Nothing.
    Done,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Items(items) => items.serialize(serializer),
            Answer::Done => serializer.serialize_unit(),
        }
    }
}

/// Reads the arguments of the call of this name.
pub(super) fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
    if name == "roster.get" {
        return Ok(Command::Get);
    }
    if name == "roster.set" {
        return args.of(0, "contact", set);
    }
    let jid = args.of(0, "jid", Arg::jid)?.to_bare();
    if name == "roster.remove" {
        return Ok(Command::Remove(jid));
    }
    let request = args.take(1, "request");
    Ok(Command::Say {
        verb: Verb::of(name),
        to: jid,
        status: request.opt_of("status", Arg::opt_text)?,
        nick: request.opt_of("nick", Arg::opt_text)?,
    })
}

/// Reads what the user calls a contact, and where it belongs.
fn set(contact: &Arg) -> Result<Command, Error> {
    let jid = contact.of("jid", Arg::jid)?.to_bare();
    let name = contact.text_of("name")?;
    let mut groups = Vec::new();
    for group in contact.of("groups", Arg::texts)? {
        // RFC 6121 §2.3.3: a server takes no group without a name, and none twice.
        if group.is_empty() {
            return Err(invalid("a group in `groups` has no name"));
        }
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    Ok(Command::Set { jid, name, groups })
}
