// Who there is to talk to: roster, presence and conversations folded into one list of contacts. No DOM here.

import { roomState } from "./rooms.js";

/** The newest messages that a conversation keeps. */
const KEPT_MESSAGES = 1000;

/** "alice@example.org/desk" → "alice@example.org". A resource may hold "/" and "@", so the first "/" decides. */
export const bareOf = (jid) => jid.split("/", 1)[0];

/** "alice@example.org/desk" → "example.org". */
export function domainOf(jid) {
  const bare = bareOf(jid);
  return bare.slice(bare.indexOf("@") + 1).toLowerCase();
}

/** How available each `show` is, the most available first; no `show` means plainly online. */
const RANKS = ["chat", "", "away", "dnd", "xa"];
const WORDS = { chat: "online", "": "online", away: "away", dnd: "busy", xa: "away for long" };

export class People {
  #contacts = new Map();
  /** Bare JID → full JID → { show, status }. Apart from the contacts: a presence may come before the roster. */
  #presence = new Map();
  #presenceBefore = new Map();
  #changed;

  /** `changed` is called after each change, with no arguments. */
  constructor(changed) {
    this.#changed = changed;
  }

  get(jid) {
    return this.#contacts.get(jid);
  }

  /** The contact of this bare JID, added where there is none: anyone may write, and be written to. */
  open(jid) {
    let contact = this.#contacts.get(jid);
    if (!contact) {
      contact = { jid, name: jid, subscription: "none", inRoster: false, unread: 0, messages: [], waiting: new Map(), draft: "", last: 0 };
      this.#contacts.set(jid, contact);
      this.#changed();
    }
    return contact;
  }

  /** The latest talked to first, then the most available, then by name. */
  sorted() {
    const rank = { online: 0, away: 1, offline: 2 };
    return [...this.#contacts.values()].sort((a, b) =>
      b.last - a.last
      || rank[this.presenceOf(a.jid).state] - rank[this.presenceOf(b.jid).state]
      || a.name.localeCompare(b.name));
  }

  unread() {
    return [...this.#contacts.values()].reduce((sum, contact) => sum + contact.unread, 0);
  }

  /** The whole roster, as fetched: what it no longer lists stays only where there is a conversation. */
  setRoster(items) {
    const listed = new Set(items.map((item) => item.jid));
    for (const contact of this.#contacts.values()) {
      if (contact.inRoster && !listed.has(contact.jid)) this.#remove(contact.jid);
    }
    for (const item of items) this.#put(item);
    this.#changed();
  }

  /** One roster push. */
  push(item) {
    if (item.subscription === "remove") this.#remove(item.jid);
    else this.#put(item);
    this.#changed();
  }

  #put(item) {
    const contact = this.open(item.jid);
    contact.name = item.name || item.jid;
    contact.subscription = item.subscription;
    contact.inRoster = true;
  }

  #remove(jid) {
    const contact = this.#contacts.get(jid);
    if (!contact) return;
    contact.inRoster = false;
    contact.subscription = "none";
    if (contact.messages.length === 0) this.#contacts.delete(jid);
  }

  /** RFC 6121 §4: one resource comes, changes or goes; an "unavailable" from the bare JID means all of them. */
  setPresence({ from, type, show, status }) {
    if (!from) return;
    const bare = bareOf(from);
    if (type && type !== "unavailable" && type !== "error") return; // subscription requests and answers
    if (!type) {
      if (!this.#presence.has(bare)) this.#presence.set(bare, new Map());
      this.#presence.get(bare).set(from, { show: RANKS.includes(show) ? show : "", status: status ?? "" });
    } else if (from === bare) {
      this.#presence.delete(bare);
    } else {
      this.#presence.get(bare)?.delete(from);
    }
    this.#changed();
  }

  /** The connection is gone: who is online is no longer known. Kept aside for a session that is resumed. */
  forgetPresence() {
    if (this.#presence.size === 0) return;
    this.#presenceBefore = this.#presence;
    this.#presence = new Map();
    this.#changed();
  }

  /** The session was resumed: the server tells only what changed since, so the rest still holds. */
  recallPresence() {
    for (const [bare, resources] of this.#presenceBefore) {
      this.#presence.set(bare, new Map([...resources, ...(this.#presence.get(bare) ?? [])]));
    }
    this.#presenceBefore = new Map();
    this.#changed();
  }

  /** All resources of a contact folded into the most available: { state, label }. */
  presenceOf(jid) {
    const contact = this.#contacts.get(jid);
    if (contact?.room) return roomState(contact);
    const resources = [...(this.#presence.get(jid)?.values() ?? [])];
    if (resources.length === 0) return { state: "offline", label: "offline" };
    resources.sort((a, b) => RANKS.indexOf(a.show) - RANKS.indexOf(b.show));
    const [{ show, status }] = resources;
    const words = status ? `${WORDS[show]}, ${status}` : WORDS[show];
    const label = resources.length > 1 ? `${words} (${resources.length} devices)` : words;
    return { state: RANKS.indexOf(show) < 2 ? "online" : "away", label };
  }

  /** Adds a message to a conversation: { direction, body, time, state, reactions, id?, ref?, why? }. */
  addMessage(contact, message) {
    contact.messages.push(message);
    if (contact.messages.length > KEPT_MESSAGES) contact.messages.shift();
    contact.last = Date.now();
    this.#changed();
  }

  /** Adds a line on what has happened in a room. It isn't talk: the room stays where it is in the list. */
  addNotice(contact, notice) {
    contact.messages.push(notice);
    if (contact.messages.length > KEPT_MESSAGES) contact.messages.shift();
    this.#changed();
  }

  /** What a subscription means for the two, in words; nothing where it is mutual. RFC 6121 §2.1.2.5. */
  static subscriptionLabel(contact) {
    if (contact.room) return "";
    if (!contact.inRoster) return "not in your contacts";
    return {
      both: "",
      to: "does not see when you are online",
      from: "you don’t see when they are online",
      none: "no presence shared",
    }[contact.subscription] ?? "";
  }
}
