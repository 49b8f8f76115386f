// The open conversation: its messages, those before them, and the composer.

import { fillAvatar } from "./avatars.js";
import { Bubble } from "./bubble.js";
import { byId, el, setText } from "./dom.js";
import { People } from "./people.js";
import { findMessage } from "./talk.js";

const thread = byId("thread");
const placeholder = byId("placeholder");
const messages = byId("messages");
const older = byId("older");
const latest = byId("latest");
const composer = byId("composer");
const form = byId("composer-form");
const sendButton = byId("send");
const mode = byId("composer-mode");

/** Messages of one side closer than this are drawn as one group; in ms. */
const GROUP_GAP = 3 * 60_000;
/** As far from the end, in CSS pixels, as still counts as reading the newest; and from the beginning, as wanting more. */
const NEAR_END = 80;
const NEAR_BEGINNING = 160;

export class Conversation {
  #contact = null;
  #last = null; // the message drawn last
  #bubbles = new Map();
  /** Whether the newest is being read. */
  #following = true;
  /** What the composer does with a message: `{ name: "edit" | "reply", message }`. */
  #mode = null;
  #hands;

  /**
   * `hands` does what is asked for on the page: `send(contact, body, reply)`, `correct(message, body)`, `react(message, emoji)`,
   * `retract(message)`, `older(contact)`, `typed(contact, text)`, `picture(contact, file, reply)`.
   */
  constructor(hands, { signal }) {
    this.#hands = hands;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    }, { signal });
    composer.addEventListener("keydown", (event) => this.#composerKey(event), { signal });
    composer.addEventListener("input", () => {
      this.#composed();
      if (this.#mode?.name !== "edit") hands.typed(this.#contact, composer.value);
    }, { signal });
    messages.addEventListener("scroll", () => {
      this.#following = this.#atEnd();
      if (this.#following) latest.hidden = true;
      if (messages.scrollTop < NEAR_BEGINNING && messages.scrollHeight > messages.clientHeight) this.#wantOlder();
    }, { signal });
    messages.addEventListener("keydown", (event) => this.#listKey(event), { signal });
    // Less room for the list, and its end stays in sight.
    const room = new ResizeObserver(() => this.#following && this.#scrollToEnd());
    room.observe(messages);
    signal.addEventListener("abort", () => room.disconnect());
    older.addEventListener("click", () => this.#wantOlder(), { signal });
    byId("composer-mode-cancel").addEventListener("click", () => this.#setMode(null), { signal });
    latest.addEventListener("click", () => {
      this.#scrollToEnd();
      composer.focus();
    }, { signal });
    this.close();
  }

  /** Sends a picture, as an answer where one is being written. */
  sendPicture(file) {
    if (!this.#contact) return;
    const reply = this.#mode?.name === "reply" ? this.#mode.message : undefined;
    if (reply) this.#setMode(null);
    composer.focus();
    this.#hands.picture(this.#contact, file, reply);
  }

  /** Shows `contact` and puts the focus where one writes. */
  open(contact) {
    this.#contact = contact;
    placeholder.hidden = true;
    thread.hidden = false;
    this.#drawAll();
    const { draft } = contact;
    this.#setMode(null);
    composer.value = draft;
    this.#composed();
    this.#scrollToEnd();
    composer.focus();
    if (!contact.history) this.#wantOlder();
  }

  close() {
    this.#contact = null;
    this.#bubbles.clear();
    messages.replaceChildren(older);
    composer.value = "";
    this.#setMode(null);
    thread.hidden = true;
    placeholder.hidden = false;
  }

  /** The line above the conversation. */
  renderPeer(presence, avatar) {
    const contact = this.#contact;
    if (!contact) return;
    const place = byId("peer-avatar");
    place.dataset.presence = presence.state;
    place.dataset.kind = contact.room ? "room" : "person";
    fillAvatar(place, contact.name, avatar);
    setText(byId("peer-name"), contact.name);
    const address = contact.name === contact.jid ? "" : contact.jid;
    const state = [presence.label, address, People.subscriptionLabel(contact)].filter(Boolean).join(" · ");
    setText(byId("peer-state"), contact.typing ? "typing…" : state);
    byId("peer-state").toggleAttribute("data-typing", Boolean(contact.typing));
    composer.setAttribute("aria-label", `Message to ${contact.name}`);
  }

  /** A message that was added to the open conversation. */
  add(message) {
    const follow = message.direction === "out" || this.#atEnd();
    const before = this.#last;
    this.#append(message);
    // The one before it can no longer be corrected.
    this.#bubbles.get(before)?.fill();
    if (follow) this.#scrollToEnd();
    else latest.hidden = false;
  }

  /** A message that has changed. */
  update(message) {
    const bubble = this.#bubbles.get(message);
    if (!bubble) return;
    const follow = this.#atEnd();
    bubble.fill();
    if (message === this.#mode?.message && message.retracted) this.#setMode(null);
    if (follow) this.#scrollToEnd();
  }

  /** Some of what was before is being fetched, or is there. What is read stays where it is. */
  showOlder() {
    const contact = this.#contact;
    if (!contact.reading && this.#bubbles.size < contact.messages.length) {
      const fromEnd = messages.scrollHeight - messages.scrollTop;
      this.#drawAll();
      messages.scrollTop = messages.scrollHeight - fromEnd;
    }
    this.#fillOlder();
    // A page that is higher than what is there asks on.
    if (!contact.reading && messages.scrollHeight <= messages.clientHeight) this.#wantOlder();
  }

  #fillOlder() {
    const { reading, complete } = this.#contact;
    older.disabled = Boolean(reading);
    older.hidden = Boolean(complete);
    setText(older, reading ? "Fetching older messages…" : "Show older messages");
  }

  #wantOlder() {
    if (this.#contact && !this.#contact.reading && !this.#contact.complete) this.#hands.older(this.#contact);
  }

  #drawAll() {
    this.#last = null;
    this.#bubbles.clear();
    messages.replaceChildren(older);
    this.#fillOlder();
    for (const message of this.#contact.messages) this.#append(message);
  }

  #append(message) {
    const day = message.time.toDateString();
    if (day !== this.#last?.time.toDateString()) {
      messages.append(el("p", { class: "day" }, dayName(message.time)));
      this.#last = null;
    }
    if (message.direction === "notice") return this.#appendNotice(message);
    const grouped = this.#last?.direction === message.direction && sameVoice(this.#last, message) && message.time - this.#last.time < GROUP_GAP;
    this.#last = message;
    const bubble = new Bubble(message, this.#who(message), grouped, {
      react: (...what) => this.#hands.react(...what),
      retract: (each) => this.#hands.retract(each),
      reply: (each) => this.#setMode({ name: "reply", message: each }),
      edit: (each) => this.#setMode({ name: "edit", message: each }),
      canEdit: (each) => each === this.#lastOwn() && !each.picture,
      trusts: (each) => each.direction === "out" || this.#contact.inRoster,
      grown: () => this.#following && this.#scrollToEnd(),
      quoted: (each) => this.#quoted(each),
    });
    this.#bubbles.set(message, bubble);
    messages.append(bubble.element);
  }

  /** What has happened in a room, between its messages. */
  #appendNotice(notice) {
    const element = el("p", { class: "event", "data-testid": "event", title: notice.time.toLocaleString(), dir: "auto" }, notice.body);
    this.#last = notice;
    this.#bubbles.set(notice, { element, fill: () => {} });
    messages.append(element);
  }

  #who(message) {
    return message.direction === "out" ? "You" : message.nick ?? this.#contact.name;
  }

  #lastOwn() {
    return this.#contact?.messages.findLast((message) => message.direction === "out" && !message.retracted);
  }

  #quoted({ reply }) {
    if (!reply) return null;
    const target = findMessage(this.#contact, reply.id);
    if (!target) return { who: "An earlier message", text: "", show: () => this.#wantOlder() };
    const show = () => {
      const { element } = this.#bubbles.get(target) ?? {};
      element?.scrollIntoView({ block: "center" });
      element?.focus();
    };
    return { who: this.#who(target), text: target.retracted ? "taken back" : target.body || "Picture", show };
  }

  /** What the composer is for: a message of its own, a correction, an answer. */
  #setMode(next) {
    if (this.#mode?.name === "edit" || next?.name === "edit") composer.value = next?.name === "edit" ? next.message.body : "";
    this.#mode = next;
    mode.hidden = !next;
    mode.dataset.mode = next?.name ?? "";
    setText(byId("composer-mode-what"), !next ? "" : next.name === "edit" ? "Correcting your message" : `Answering ${this.#who(next.message) === "You" ? "yourself" : this.#who(next.message)}`);
    setText(byId("composer-mode-text"), next ? next.message.body || "Picture" : "");
    setText(sendButton, next?.name === "edit" ? "Save" : "Send");
    this.#composed();
    if (next) composer.focus();
  }

  #composerKey(event) {
    // While an input method composes, its keys belong to it.
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && this.#mode) {
      event.preventDefault();
      this.#setMode(null);
    } else if (event.key === "ArrowUp" && composer.value === "") {
      const last = this.#lastOwn();
      if (!last?.ref || last.picture) return;
      event.preventDefault();
      this.#setMode({ name: "edit", message: last });
    }
  }

  /** In the list: up and down from message to message. */
  #listKey(event) {
    const all = [...messages.querySelectorAll(".message")];
    const at = all.indexOf(document.activeElement);
    if (at < 0 && document.activeElement !== messages) return;
    const to = { ArrowUp: at < 0 ? all.length - 1 : at - 1, ArrowDown: at + 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    all[to].focus();
  }

  #composed() {
    if (this.#contact && this.#mode?.name !== "edit") this.#contact.draft = composer.value;
    sendButton.disabled = composer.value.trim() === "";
    composer.style.height = "auto";
    composer.style.height = `${composer.scrollHeight + 2}px`; // the borders; the stylesheet bounds it
  }

  #submit() {
    const body = composer.value;
    if (!this.#contact || body.trim() === "") return;
    const { name, message } = this.#mode ?? {};
    this.#setMode(null);
    composer.value = "";
    this.#composed();
    composer.focus();
    if (name !== "edit") this.#hands.send(this.#contact, body, message);
    else if (body !== message.body) this.#hands.correct(message, body);
  }

  #atEnd() {
    return messages.scrollHeight - messages.scrollTop - messages.clientHeight < NEAR_END;
  }

  #scrollToEnd() {
    this.#following = true;
    messages.scrollTop = messages.scrollHeight;
    latest.hidden = true;
  }
}

/** Whether two messages in a row are by the same person, and to the same people. */
const sameVoice = (a, b) => a.nick === b.nick && a.occupantId === b.occupantId && a.private === b.private || a.direction === "out";

function dayName(date) {
  const today = new Date();
  if (date.toDateString() === today.toDateString()) return "Today";
  const sameYear = date.getFullYear() === today.getFullYear();
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", ...(sameYear ? {} : { year: "numeric" }) });
}
