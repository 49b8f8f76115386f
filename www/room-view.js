// What a room has on the page beside its messages: the dialog to join one, who is there, the subject, and invitations.

import { byId, el, setText } from "./dom.js";
import { showError } from "./errors.js";
import { bareOf } from "./people.js";

const dialog = byId("join");
const form = byId("join-form");
const [address, nick, password] = ["join-address", "join-nick", "join-password"].map(byId);
const problem = byId("join-error");
const go = byId("join-go");
const thread = byId("thread");
const toggle = byId("occupants-toggle");
const panel = byId("occupants");
const list = byId("occupants-list");
const subject = byId("subject");
const topic = byId("topic-form");
const leave = byId("leave");
const again = byId("join-again");
const invite = byId("invite-form");
const invitee = byId("invitee");
const invitations = byId("invitations");

/** How many of those in a room are on the page. */
const SHOWN = 300;
/** Where there is room for a list beside the messages. */
const WIDE = "(min-width: 1000px)";

const ROLES = ["moderator", "participant", "visitor", "none"];

/** The hue of a name, the same in all clients (XEP-0392 §5.1), by name. */
const hues = new Map();

/** Gives an element the colour of a name. */
export async function tint(element, name) {
  element.dataset.tint = name;
  if (!hues.has(name)) {
    const [low, high] = new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(name)));
    if (hues.size > 5_000) hues.clear();
    hues.set(name, Math.round((low + high * 256) / 65_536 * 360));
  }
  if (element.dataset.tint === name) element.style.setProperty("--hue", hues.get(name));
}

export class RoomView {
  #hands;
  #contact = null;
  #own;
  #drawn = "";
  #aside = matchMedia(WIDE).matches;

  /**
   * `hands` does what is asked for: `join(jid, nick, password)`, which rejects where that fails, `again(contact)`, `leave(contact)`,
   * `invite(contact, jid)`, `setSubject(contact, subject)`, `decline(invitation)`. `own` is the bare JID of the account.
   */
  constructor(hands, own, { signal }) {
    this.#hands = hands;
    this.#own = own;
    byId("join-room").addEventListener("click", () => this.ask(), { signal });
    byId("join-cancel").addEventListener("click", () => dialog.close(), { signal });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#join();
    }, { signal });
    toggle.addEventListener("click", () => {
      this.#aside = !this.#aside;
      this.#fillAside();
    }, { signal });
    byId("occupants-close").addEventListener("click", () => this.#closeAside(), { signal });
    panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      this.#closeAside();
    }, { signal });
    leave.addEventListener("click", () => hands.leave(this.#contact), { signal });
    again.addEventListener("click", () => hands.again(this.#contact), { signal });
    invite.addEventListener("submit", (event) => {
      event.preventDefault();
      const jid = invitee.value.trim();
      if (!/^[^\s@/]+@[^\s@/]+$/u.test(jid)) return invitee.focus();
      invitee.value = "";
      hands.invite(this.#contact, jid);
    }, { signal });
    topic.addEventListener("submit", (event) => {
      event.preventDefault();
      hands.setSubject(this.#contact, byId("topic").value.trim());
    }, { signal });
    signal.addEventListener("abort", () => {
      dialog.close();
      this.show(null);
      this.showInvitations([]);
      form.reset();
    });
  }

  /** Asks which room, and by which name. */
  ask({ room = "", password: secret = "" } = {}) {
    showError(problem, null);
    address.value = room;
    password.value = secret;
    nick.value ||= this.#own.split("@", 1)[0];
    dialog.showModal();
    (room ? nick : address).focus();
  }

  async #join() {
    const [jid, name] = [address.value.trim().toLowerCase(), nick.value.trim()];
    const missing = !/^[^\s@/]+@[^\s@/]+$/u.test(jid) ? [address, "A room’s address looks like tea@rooms.example.org."]
      : name === "" ? [nick, "Choose by which name you are known there."] : null;
    if (missing) {
      showError(problem, new Error(missing[1]));
      return missing[0].focus();
    }
    go.disabled = true;
    setText(go, "Joining…");
    showError(problem, null);
    try {
      await this.#hands.join(jid, name, password.value);
      dialog.close();
    } catch (error) {
      if (!dialog.open) return;
      showError(problem, error);
      (error?.condition === "conflict" ? nick : error?.condition === "not-authorized" ? password : address).focus();
    } finally {
      go.disabled = false;
      setText(go, "Join");
    }
  }

  /** The room whose conversation is open; none where it is that of a person, or nobody's. */
  show(contact) {
    const room = contact?.room;
    if (contact !== this.#contact || (room?.subject ?? "") !== subject.title) byId("topic").value = room?.subject ?? "";
    this.#contact = room ? contact : null;
    const left = room?.status === "left";
    toggle.hidden = !room || left;
    leave.hidden = !room || left;
    again.hidden = !left;
    subject.hidden = !room?.subject;
    setText(subject, room?.subject ?? "");
    subject.title = room?.subject ?? "";
    setText(byId("occupants-count"), room ? String(room.occupants.size) : "");
    for (const id of ["composer", "picture-to-send"]) byId(id).disabled = Boolean(left);
    byId("composer").placeholder = left ? "You aren’t in this room" : "Message";
    this.#fillAside();
  }

  #closeAside() {
    this.#aside = false;
    this.#fillAside();
    toggle.focus();
  }

  #fillAside() {
    const shown = this.#aside && !toggle.hidden;
    panel.hidden = !shown;
    thread.toggleAttribute("data-aside", shown);
    toggle.setAttribute("aria-expanded", String(shown));
    if (!shown) return;
    const all = [...this.#contact.room.occupants.values()]
      .sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || a.nick.localeCompare(b.nick));
    const drawn = JSON.stringify([this.#contact.jid, all]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const more = all.length - SHOWN;
    list.replaceChildren(...all.slice(0, SHOWN).map(occupantRow), ...(more > 0 ? [el("li", { class: "note" }, `and ${more} more`)] : []));
  }

  /** Who invites, each with what can be answered. */
  showInvitations(all) {
    const drawn = all.map(({ room, from, reason }) => [room, from, reason].join(" ")).join("\n");
    if (invitations.dataset.drawn === drawn) return;
    invitations.dataset.drawn = drawn;
    invitations.hidden = all.length === 0;
    invitations.replaceChildren(...all.map((invitation) => {
      const { room, from, reason, mediated } = invitation;
      const who = !from ? "Somebody" : mediated ? from : bareOf(from);
      const join = el("button", { type: "button", class: "primary", "data-testid": "invitation-join", "aria-label": `Join ${room}` }, "Join");
      join.addEventListener("click", () => this.ask(invitation));
      const decline = el("button", { type: "button", class: "quiet", "data-testid": "invitation-decline", "aria-label": `Decline the invitation to ${room}` }, "Decline");
      decline.addEventListener("click", () => this.#hands.decline(invitation));
      return el("div", { class: "invitation", "data-testid": "invitation", "data-room": room },
        el("p", {}, el("strong", {}, who), " invites you to ", el("strong", {}, room)),
        reason ? el("p", { class: "note", dir: "auto" }, `“${reason}”`) : null,
        el("div", { class: "answers" }, join, decline));
    }));
  }
}

/** Somebody in the room. */
function occupantRow({ nick, role, affiliation, self, show, status, jid }) {
  const name = el("span", { class: "nick", dir: "auto" }, nick);
  tint(name, nick);
  const rank = ["owner", "admin"].includes(affiliation) ? affiliation : role === "participant" ? "" : role;
  const away = { away: "away", xa: "away for long", dnd: "busy" }[show];
  return el("li", { "data-testid": "occupant", "data-nick": nick, "data-role": role, "data-self": Boolean(self), "data-away": Boolean(away), title: [jid, status].filter(Boolean).join(" · ") },
    name, self ? el("span", { class: "you" }, "you") : null, rank ? el("span", { class: "rank" }, rank) : null, away ? el("span", { class: "rank" }, away) : null);
}
