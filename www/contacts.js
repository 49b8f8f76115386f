// The contact list: a listbox with one tab stop, moved by the arrow keys.

import { fillAvatar } from "./avatars.js";
import { byId, el, setText } from "./dom.js";
import { People } from "./people.js";

const list = byId("contacts");
const empty = byId("contacts-empty");

export class ContactList {
  #rows = new Map();
  #choose;

  /** `choose(jid)` is called when a contact is picked by pointer or key. */
  constructor(choose, { signal }) {
    this.#choose = choose;
    list.addEventListener("click", (event) => this.#pick(event.target.closest("[role=option]")), { signal });
    list.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.clear();
  }

  clear() {
    this.#rows.clear();
    list.replaceChildren();
    setText(empty, "Fetching your contacts…");
    empty.hidden = false;
  }

  /** Draws `people` anew; rows are kept by JID, so focus and scroll position survive. */
  render(people, avatars, openJid, loaded) {
    const contacts = people.sorted();
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    for (const [jid, row] of this.#rows) {
      if (people.get(jid)) continue;
      row.remove();
      this.#rows.delete(jid);
    }
    contacts.forEach((contact, at) => {
      const row = this.#row(contact.jid);
      this.#fill(row, contact, people.presenceOf(contact.jid), avatars.url(contact.jid), contact.jid === openJid);
      if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
    });
    if (focused?.isConnected) focused.focus(); // a row that moved has lost it
    this.#setTabStop(focused?.isConnected ? focused : this.#rows.get(openJid));
    empty.hidden = contacts.length > 0;
    if (loaded) setText(empty, "No contacts yet. Write to an address above.");
  }

  /** Puts the focus on a row: the one of `jid`, else the first. */
  focus(jid) {
    (this.#rows.get(jid) ?? list.firstElementChild)?.focus();
  }

  #row(jid) {
    let row = this.#rows.get(jid);
    if (row) return row;
    row = el("div", { class: "person", role: "option", tabindex: "-1", "data-testid": "contact", "data-jid": jid },
      el("span", { class: "avatar", "aria-hidden": "true" }),
      el("span", { class: "name" }),
      el("span", { class: "line" }),
      el("span", { class: "unread" }, el("span"), el("span", { class: "visually-hidden" }, " unread")));
    this.#rows.set(jid, row);
    return row;
  }

  #fill(row, contact, presence, picture, open) {
    const [avatar, name, line, unread] = row.children;
    row.dataset.presence = presence.state;
    row.dataset.kind = contact.room ? "room" : "person";
    row.setAttribute("aria-selected", String(open));
    fillAvatar(avatar, contact.name, picture);
    setText(name, contact.name);
    setText(line, contact.typing ? "typing…" : [presence.label, People.subscriptionLabel(contact)].filter(Boolean).join(" · "));
    row.toggleAttribute("data-typing", Boolean(contact.typing));
    setText(unread.firstChild, String(contact.unread));
    unread.hidden = contact.unread === 0;
    row.title = contact.jid;
  }

  #setTabStop(row) {
    const stop = row ?? list.firstElementChild;
    for (const each of list.children) each.tabIndex = each === stop ? 0 : -1;
  }

  #pick(row) {
    if (row) this.#choose(row.dataset.jid);
  }

  #key(event) {
    const row = event.target.closest("[role=option]");
    if (!row) return;
    const target = {
      ArrowDown: row.nextElementSibling,
      ArrowUp: row.previousElementSibling,
      Home: list.firstElementChild,
      End: list.lastElementChild,
    }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#pick(row);
    } else if (target !== undefined) {
      event.preventDefault();
      if (!target) return;
      this.#setTabStop(target);
      target.focus();
    }
  }
}
