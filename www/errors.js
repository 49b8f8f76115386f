// What went wrong, for a person: the message and the hint first, the stable code small.

import { isXmppError } from "stanzawire";
import { el } from "./dom.js";

/** One line, for the places where there is room for no more. */
export function reasonOf(error) {
  if (isXmppError(error)) return error.message || error.code;
  return error instanceof Error ? error.message : String(error);
}

/** Fills `box` with `error` and shows it; `null` hides it. `actions` are buttons to put behind the text. */
export function showError(box, error, ...actions) {
  if (error === null) {
    box.hidden = true;
    box.replaceChildren();
    return;
  }
  const parts = [el("strong", {}, reasonOf(error))];
  if (isXmppError(error)) {
    // What the server itself says is worth reading where it is more than the message repeats.
    if (error.text && !error.message.includes(error.text)) parts.push(el("span", {}, `“${error.text}”`));
    if (error.hint && error.hint !== error.message) parts.push(el("span", {}, error.hint));
    const facts = [error.code, error.phase, error.condition].filter((fact, at, all) => fact && all.indexOf(fact) === at);
    parts.push(el("code", {}, facts.join(" · ")));
  }
  const text = el("div", { class: "alert-text" }, ...parts);
  box.replaceChildren(text, ...actions);
  box.hidden = false;
}
