// Making an account. What its server wants to know beside a name and a password is asked in a dialog.

import { register } from "stanzawire";
import { byId, el, setText } from "./dom.js";

const dialog = byId("asked");
const form = byId("asked-form");
const list = byId("asked-fields");

/** Makes the account, and resolves once it is there. */
export function createAccount(options, signal) {
  return register({ ...options, signal, form: ({ form }) => ask(form, signal) });
}

/** Asks a person, and resolves to what they have filled in, by the names of the fields. */
function ask({ title, instructions, fields }, signal) {
  setText(byId("asked-title"), title ?? "One more thing");
  setText(byId("asked-instructions"), instructions ?? "");
  const urls = [];
  const shown = fields.filter(({ type }) => type !== "hidden").map((field) => view(field, urls));
  list.replaceChildren(...shown.map(({ element }) => element));
  const aborter = new AbortController();
  const { signal: over } = aborter;
  return new Promise((resolve, reject) => {
    const stop = () => reject(new DOMException("given up", "AbortError"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      resolve(Object.fromEntries(shown.filter(({ name }) => name).map(({ name, value }) => [name, value()])));
    }, { signal: over });
    dialog.addEventListener("cancel", stop, { signal: over });
    byId("asked-cancel").addEventListener("click", stop, { signal: over });
    signal.addEventListener("abort", stop, { signal: over });
    dialog.showModal();
  }).finally(() => {
    aborter.abort();
    dialog.close();
    list.replaceChildren();
    urls.forEach((url) => URL.revokeObjectURL(url));
  });
}

/** A field on the page, and how to read it. */
function view({ name, type, label, description, required, options, value, media }, urls) {
  if (type === "fixed") return { element: el("p", { class: "note" }, value ?? "") };
  const common = { name, required, "data-testid": "asked-field", "data-name": name };
  const lines = (text) => text.split("\n").filter(Boolean);
  if (type === "boolean") {
    const box = el("input", { ...common, required: null, type: "checkbox", checked: value });
    return { name, value: () => box.checked, element: el("label", { class: "check" }, box, el("span", {}, label ?? name)) };
  }
  const several = type === "list-multi";
  const control = type === "list-single" || several
    ? el("select", { ...common, multiple: several }, ...options.map((option) => el("option",
      { value: option.value, selected: several ? value.includes(option.value) : value === option.value }, option.label ?? option.value)))
    : type === "text-multi" || type === "jid-multi"
      ? el("textarea", { ...common, rows: 3 })
      : el("input", { ...common, type: type === "text-private" ? "password" : "text", autocomplete: "off" });
  if (control.localName === "textarea") control.value = value.join("\n");
  else if (control.localName === "input") control.value = value ?? "";
  const read = several ? () => [...control.selectedOptions].map((option) => option.value)
    : control.localName === "textarea" ? () => lines(control.value) : () => control.value;
  const picture = media?.find((each) => each.data && each.type.startsWith("image/"));
  let image = null;
  if (picture) {
    urls.push(URL.createObjectURL(new Blob([picture.data], { type: picture.type })));
    image = el("img", { src: urls.at(-1), alt: label ?? "A picture with a question" });
  }
  const note = description ? el("span", { class: "note" }, description) : null;
  return { name, value: read, element: el("label", { class: "field" }, el("span", {}, label ?? name), image, control, note) };
}
