// One message on the page: what it says, what it answers, the reactions to it, and what can be done with it.

import { clock, el, setText } from "./dom.js";
import { PictureView } from "./pictures.js";
import { tint } from "./room-view.js";

/** What one reacts with. */
const EMOJIS = [["👍", "thumbs up"], ["❤️", "heart"], ["😂", "tears of joy"], ["🎉", "party"], ["😮", "surprise"], ["😢", "tears"], ["🙏", "thanks"], ["👎", "thumbs down"]];

const STATES = {
  sending: "sending…",
  waiting: "waiting for the connection…",
  sent: "delivered to server",
};
const SEEN = { received: "received", displayed: "seen", room: "in the room" };

export class Bubble {
  #message;
  #hands;
  #quote = el("button", { type: "button", class: "quote", "data-testid": "quote", hidden: true });
  #body = el("div", { class: "body", "data-testid": "body", dir: "auto" });
  #shared = null; // what shows its picture
  #edited = el("span", { class: "edited", hidden: true }, "edited · ");
  #state = el("span", { class: "state" });
  #reactions = el("div", { class: "reactions", role: "group", "aria-label": "Reactions", hidden: true });
  #actions = el("div", { class: "actions", role: "toolbar", "aria-label": "What to do with this message" });
  #picker = null;

  /**
   * `hands` does what is asked for: `react(message, emoji)`, `reply(message)`, `edit(message)`, `retract(message)`; it says whether
   * `canEdit(message)`, what is `quoted(message)`: `{ who, text, show() }`, and whether its picture may be fetched (`trusts(message)`); it hears
   * when that has `grown()`.
   */
  constructor(message, who, grouped, hands) {
    this.#message = message;
    this.#hands = hands;
    this.element = el("article", {
      class: grouped ? "message grouped" : "message", tabindex: "-1",
      "data-testid": "message", "data-direction": message.direction,
    },
    message.nick && message.direction === "in" ? sender(message, grouped) : el("span", { class: "visually-hidden" }, `${who}: `),
    el("div", { class: "bubble" }, this.#quote, this.#body, this.#actions),
    this.#reactions,
    el("footer", {}, this.#edited, el("time", { datetime: message.time.toISOString() }, clock(message.time)), this.#state));
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.#quote.addEventListener("click", () => hands.quoted(message)?.show());
    this.fill();
  }

  /** Draws what may have changed. */
  fill() {
    const message = this.#message;
    this.element.dataset.state = message.state;
    this.element.toggleAttribute("data-retracted", Boolean(message.retracted));
    setText(this.#body, message.retracted ? "This message was taken back." : message.body);
    this.#edited.hidden = !message.edited || message.retracted;
    this.#fillPicture();
    this.#fillQuote();
    this.#fillState();
    this.#fillReactions();
    this.#fillActions();
  }

  #fillPicture() {
    const picture = this.#message.retracted ? null : this.#message.picture;
    if (picture && !this.#shared) {
      this.#shared = new PictureView(picture, { trusted: this.#hands.trusts(this.#message), grown: () => this.#hands.grown() });
      this.#body.before(this.#shared.element);
    } else if (!picture && this.#shared) {
      this.#shared.remove();
      this.#shared = null;
    }
    this.#shared?.fill();
  }

  #fillQuote() {
    const quoted = this.#message.retracted ? null : this.#hands.quoted(this.#message);
    this.#quote.hidden = !quoted;
    if (quoted) this.#quote.replaceChildren(el("strong", {}, quoted.who), el("span", {}, quoted.text));
  }

  #fillState() {
    const message = this.#message;
    this.element.title = clock(message.time);
    if (message.direction === "in") return;
    const words = message.state === "failed" ? `failed: ${message.why}` : SEEN[message.seen] ?? STATES[message.state];
    this.element.dataset.seen = message.seen ?? "";
    this.#state.replaceChildren(words);
    this.element.title = `${clock(message.time)} · ${words}`;
    if (message.state === "failed" && message.again) {
      const button = el("button", { type: "button", class: "link" }, "Send again");
      button.addEventListener("click", () => message.again(), { once: true });
      this.#state.append(" · ", button);
    }
  }

  #fillReactions() {
    const counts = new Map();
    for (const emojis of this.#message.reactions.values()) {
      for (const emoji of emojis) counts.set(emoji, (counts.get(emoji) ?? 0) + 1);
    }
    const own = this.#message.reactions.get("me") ?? [];
    this.#reactions.hidden = counts.size === 0;
    this.#reactions.replaceChildren(...[...counts].map(([emoji, count]) => {
      const mine = own.includes(emoji);
      const chip = el("button", {
        type: "button", class: "reaction", "data-testid": "reaction", "aria-pressed": String(mine),
        "aria-label": `${emoji}, ${count}${mine ? ", yours too" : ""}`,
      }, emoji, count > 1 ? el("span", {}, String(count)) : null);
      chip.addEventListener("click", () => this.#hands.react(this.#message, emoji));
      return chip;
    }));
  }

  #fillActions() {
    const message = this.#message;
    const there = Boolean(message.ref) && message.state === "sent" && !message.retracted;
    const names = !there ? [] : ["react", "reply", this.#hands.canEdit(message) && "edit", message.direction === "out" && "retract"].filter(Boolean);
    if (this.#actions.dataset.names === names.join(" ")) return;
    this.#actions.dataset.names = names.join(" ");
    const held = this.#actions.contains(document.activeElement);
    this.#actions.replaceChildren(...names.map((name) => {
      const [sign, label] = { react: ["☺", "React"], reply: ["↩", "Reply"], edit: ["✎", "Edit"], retract: ["✕", "Take back"] }[name];
      const button = el("button", { type: "button", tabindex: "-1", "data-testid": name, title: label, "aria-label": label }, sign);
      button.addEventListener("click", () => name === "react" ? this.#pick() : this.#hands[name](message));
      return button;
    }));
    if (held) this.element.focus();
  }

  /** Opens or closes the choice of reactions. */
  #pick() {
    if (this.#picker) return this.#closePicker();
    this.#picker = el("div", { class: "picker", role: "group", "aria-label": "Reactions to choose from", "data-testid": "picker" }, ...EMOJIS.map(([emoji, name]) => {
      const button = el("button", { type: "button", "aria-label": name, title: name, "data-emoji": emoji }, emoji);
      button.addEventListener("click", () => {
        this.#closePicker();
        this.#hands.react(this.#message, emoji);
      });
      return button;
    }));
    this.#picker.addEventListener("focusout", ({ relatedTarget }) => {
      if (this.#picker && !this.#picker.contains(relatedTarget)) this.#closePicker(false);
    });
    this.#actions.after(this.#picker);
    this.#picker.firstElementChild.focus();
  }

  #closePicker(back = true) {
    const picker = this.#picker;
    this.#picker = null;
    picker.remove();
    if (back) this.element.focus();
  }

  /** Within a message: to the right what can be done with it, Escape back to the message. */
  #key(event) {
    const row = this.#picker ?? this.#actions;
    const buttons = [...row.children];
    const at = buttons.indexOf(document.activeElement);
    const last = buttons.length - 1;
    const to = { ArrowRight: Math.min(at + 1, last), ArrowLeft: Math.max(at - 1, 0), Home: 0, End: last }[event.key];
    if (event.key === "Escape" && document.activeElement !== this.element) {
      event.preventDefault();
      if (this.#picker) this.#closePicker();
      else this.element.focus();
    } else if (to !== undefined && (at >= 0 || event.key === "ArrowRight")) {
      event.preventDefault();
      buttons[to]?.focus();
    }
  }
}

/** Who in a room has said it. */
function sender(message, grouped) {
  const name = el("span", { class: "nick", dir: "auto", "data-testid": "nick" }, message.nick);
  tint(name, message.nick);
  return el("span", { class: grouped ? "visually-hidden" : "sender" }, name, message.private ? el("span", { class: "note" }, " to you alone") : null);
}
