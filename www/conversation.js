// The open conversation: bubbles, what became of each own message, and the composer.

import { byId, clock, el, initials, setText } from "./dom.js";
import { People } from "./people.js";

const thread = byId("thread");
const placeholder = byId("placeholder");
const messages = byId("messages");
const latest = byId("latest");
const composer = byId("composer");
const form = byId("composer-form");
const sendButton = byId("send");

/** Messages of one side closer than this are drawn as one group; in ms. */
const GROUP_GAP = 3 * 60_000;
/** As far from the end, in CSS pixels, as still counts as reading the newest. */
const NEAR_END = 80;

export class Conversation {
  #contact = null;
  #last = null; // the message drawn last
  #bubbles = new WeakMap();
  #send;

  /** `send(contact, body)` is called for each message written. */
  constructor(send, { signal }) {
    this.#send = send;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    }, { signal });
    composer.addEventListener("keydown", (event) => {
      // While an input method composes, Enter belongs to it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    }, { signal });
    composer.addEventListener("input", () => this.#composed(), { signal });
    messages.addEventListener("scroll", () => {
      if (this.#atEnd()) latest.hidden = true;
    }, { signal });
    latest.addEventListener("click", () => {
      this.#scrollToEnd();
      composer.focus();
    }, { signal });
    this.close();
  }

  /** Shows `contact` and puts the focus where one writes. */
  open(contact) {
    this.#contact = contact;
    this.#last = null;
    messages.replaceChildren();
    for (const message of contact.messages) this.#append(message);
    composer.value = contact.draft;
    this.#composed();
    placeholder.hidden = true;
    thread.hidden = false;
    this.#scrollToEnd();
    composer.focus();
  }

  close() {
    this.#contact = null;
    messages.replaceChildren();
    composer.value = "";
    thread.hidden = true;
    placeholder.hidden = false;
  }

  /** The line above the conversation. */
  renderPeer(presence) {
    const contact = this.#contact;
    if (!contact) return;
    const avatar = byId("peer-avatar");
    avatar.dataset.presence = presence.state;
    setText(avatar, initials(contact.name));
    setText(byId("peer-name"), contact.name);
    const address = contact.name === contact.jid ? "" : contact.jid;
    setText(byId("peer-state"), [presence.label, address, People.subscriptionLabel(contact)].filter(Boolean).join(" · "));
    composer.setAttribute("aria-label", `Message to ${contact.name}`);
  }

  /** A message that was added to the open conversation. */
  add(message) {
    const follow = message.direction === "out" || this.#atEnd();
    this.#append(message);
    if (follow) this.#scrollToEnd();
    else latest.hidden = false;
  }

  /** A message whose state has changed. */
  update(message) {
    const bubble = this.#bubbles.get(message);
    if (!bubble) return;
    const follow = this.#atEnd();
    this.#fillState(bubble, message);
    if (follow) this.#scrollToEnd();
  }

  #append(message) {
    const day = message.time.toDateString();
    if (day !== this.#last?.time.toDateString()) {
      messages.append(el("p", { class: "day" }, dayName(message.time)));
      this.#last = null;
    }
    const grouped = this.#last?.direction === message.direction && message.time - this.#last.time < GROUP_GAP;
    const bubble = el("article", {
      class: grouped ? "message grouped" : "message",
      "data-testid": "message",
      "data-direction": message.direction,
    },
    el("span", { class: "visually-hidden" }, message.direction === "out" ? "You: " : `${this.#contact.name}: `),
    el("div", { class: "body", "data-testid": "body", dir: "auto" }, message.body),
    el("footer", {}, el("time", { datetime: message.time.toISOString() }, clock(message.time)), el("span", { class: "state" })));
    this.#fillState(bubble, message);
    this.#bubbles.set(message, bubble);
    messages.append(bubble);
    this.#last = message;
  }

  #fillState(bubble, message) {
    bubble.dataset.state = message.state;
    bubble.title = clock(message.time);
    if (message.direction === "in") return;
    const state = bubble.querySelector(".state");
    const words = {
      sending: "sending…",
      waiting: "waiting for the connection…",
      sent: "delivered to server",
      failed: `failed: ${message.why}`,
    }[message.state];
    state.replaceChildren(words);
    bubble.title = `${clock(message.time)} · ${words}`;
    if (message.state === "failed" && message.again) {
      const button = el("button", { type: "button", class: "link" }, "Send again");
      button.addEventListener("click", () => message.again(), { once: true });
      state.append(" · ", button);
    }
  }

  #composed() {
    if (this.#contact) this.#contact.draft = composer.value;
    sendButton.disabled = composer.value.trim() === "";
    composer.style.height = "auto";
    composer.style.height = `${composer.scrollHeight + 2}px`; // the borders; the stylesheet bounds it
  }

  #submit() {
    const body = composer.value;
    if (!this.#contact || body.trim() === "") return;
    composer.value = "";
    this.#composed();
    composer.focus();
    this.#send(this.#contact, body);
  }

  #atEnd() {
    return messages.scrollHeight - messages.scrollTop - messages.clientHeight < NEAR_END;
  }

  #scrollToEnd() {
    messages.scrollTop = messages.scrollHeight;
    latest.hidden = true;
  }
}

function dayName(date) {
  const today = new Date();
  if (date.toDateString() === today.toDateString()) return "Today";
  const sameYear = date.getFullYear() === today.getFullYear();
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", ...(sameYear ? {} : { year: "numeric" }) });
}
