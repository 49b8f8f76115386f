// The few lines between this page and the DOM. Text becomes a text node, never markup.

/** The element with this id, which index.html has. */
export const byId = (id) => document.getElementById(id);

/**
 * A new element. `attributes` are set as attributes (null and false leave one out, true sets it empty);
 * strings among the children become text nodes.
 */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets the text of `element` where it differs, so that a live region does not speak again for nothing. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** "14:05" as the reader's locale writes it. */
export const clock = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** One letter or two for the round picture of a contact. */
export function initials(name) {
  const words = name.split("@", 1)[0].split(/[\s._-]+/u).filter(Boolean);
  const letters = words.slice(0, 2).map((word) => Array.from(word)[0]);
  return letters.join("").toUpperCase() || "?";
}
