// The panel "Wire": every frame in and out, the newest below. Credentials are already redacted by the package.

import { byId, el, setText } from "./dom.js";
import { prettyXml } from "./xml-view.js";

/** The frames kept, drawn and waiting together. */
const KEPT = 500;
/** As far from the end, in CSS pixels, as still counts as reading the newest. */
const NEAR_END = 60;

const panel = byId("wire");
const frames = byId("frames");
const pauseButton = byId("wire-pause");
const toggles = [...document.querySelectorAll("[data-wire-toggle]")];

export class Wire {
  #paused = false;
  #waiting = [];
  #opener = null;

  constructor() {
    for (const toggle of toggles) {
      toggle.addEventListener("click", () => {
        this.#opener = toggle;
        this.toggle(panel.hidden, { focus: true });
      });
    }
    byId("wire-close").addEventListener("click", () => this.toggle(false));
    byId("wire-clear").addEventListener("click", () => this.clear());
    pauseButton.addEventListener("click", () => this.#pause(!this.#paused));
    this.clear();
  }

  get isOpen() {
    return !panel.hidden;
  }

  /** Opens or closes the panel; closed from within, it gives the focus back. */
  toggle(open, { focus = false } = {}) {
    const hadFocus = panel.contains(document.activeElement);
    panel.hidden = !open;
    document.body.toggleAttribute("data-wire", open);
    for (const toggle of toggles) toggle.setAttribute("aria-expanded", String(open));
    setText(toggles[0], open ? "Hide the wire" : "Show the wire");
    if (open) frames.scrollTop = frames.scrollHeight;
    if (open && focus) frames.focus();
    if (!open && hadFocus) (this.#opener?.offsetParent ? this.#opener : toggles.find((toggle) => toggle.offsetParent))?.focus();
  }

  /** One frame: { direction: "in" | "out", data }. */
  add({ direction, data }) {
    const frame = { direction, data, time: new Date() };
    if (this.#paused) {
      this.#waiting.push(frame);
      if (this.#waiting.length > KEPT) this.#waiting.shift();
    } else {
      this.#draw(frame);
    }
    this.#count();
  }

  clear() {
    this.#waiting = [];
    frames.replaceChildren(el("p", { class: "note" }, "Nothing yet. Frames appear here as they are sent and received."));
    this.#count();
  }

  #draw({ direction, data, time }) {
    const follow = frames.scrollHeight - frames.scrollTop - frames.clientHeight < NEAR_END;
    if (frames.firstElementChild?.className === "note") frames.replaceChildren();
    frames.append(el("article", { class: "frame", "data-direction": direction, "data-testid": "frame" },
      el("header", {},
        el("span", { class: "direction" }, direction === "out" ? "→ out" : "← in"),
        el("time", {}, stamp(time)),
        el("span", {}, `${new TextEncoder().encode(data).length} bytes`)),
      el("pre", { dir: "ltr" }, prettyXml(data))));
    while (frames.children.length > KEPT) frames.firstElementChild.remove();
    if (follow) frames.scrollTop = frames.scrollHeight;
  }

  #pause(paused) {
    this.#paused = paused;
    pauseButton.setAttribute("aria-pressed", String(paused));
    setText(pauseButton, paused ? "Resume" : "Pause");
    if (!paused) this.#waiting.splice(0).forEach((frame) => this.#draw(frame));
    this.#count();
  }

  #count() {
    const drawn = frames.getElementsByClassName("frame").length;
    const waiting = this.#waiting.length > 0 ? `, ${this.#waiting.length} waiting` : "";
    setText(byId("wire-count"), `${drawn} ${drawn === 1 ? "frame" : "frames"}${waiting}`);
  }
}

/** "14:05:09.042". */
function stamp(date) {
  const two = (number) => String(number).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
