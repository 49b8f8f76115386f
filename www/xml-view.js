// One frame, made readable: indented and coloured. What is shown is drawn from the parsed document, as text nodes;
// what doesn't parse is shown as it came.

import { el } from "./dom.js";

/** Frames longer than this many characters are cut and shown raw. */
const LONGEST = 60_000;
/** Elements deeper than this are not walked into. */
const DEEPEST = 40;

/** The frame as a fragment of spans. */
export function prettyXml(data) {
  const raw = data.length > LONGEST ? `${data.slice(0, LONGEST)}… (${data.length} characters)` : data;
  const root = raw === data ? parse(data) : null;
  const out = document.createDocumentFragment();
  if (root && depth(root) <= DEEPEST) write(out, root, 0);
  else out.append(raw);
  return out;
}

function parse(data) {
  // XMPP has no DTD (RFC 6120 §11.1); one in a frame is not to be worked on here.
  if (data.includes("<!")) return null;
  const parsed = new DOMParser().parseFromString(data, "text/xml");
  return parsed.getElementsByTagName("parsererror").length > 0 ? null : parsed.documentElement;
}

function depth(element) {
  let deepest = 0;
  const rest = [[element, 1]];
  while (rest.length > 0) {
    const [node, level] = rest.pop();
    deepest = Math.max(deepest, level);
    for (const child of node.children) rest.push([child, level + 1]);
  }
  return deepest;
}

function write(out, element, indent) {
  out.append(mark("<"), el("span", { class: "x-name" }, element.nodeName));
  for (const { name, value } of element.attributes) {
    out.append(" ", el("span", { class: "x-attr" }, name), mark("=\""), el("span", { class: "x-value" }, escaped(value, true)), mark("\""));
  }
  if (element.childNodes.length === 0) {
    out.append(mark("/>"));
    return;
  }
  out.append(mark(">"));
  // Where there is text, white space counts: then nothing is indented.
  const mixed = [...element.childNodes].some((node) => node.nodeType !== Node.ELEMENT_NODE);
  for (const node of element.childNodes) {
    if (!mixed) out.append(`\n${"  ".repeat(indent + 1)}`);
    if (node.nodeType === Node.ELEMENT_NODE) write(out, node, indent + 1);
    else out.append(el("span", { class: "x-text" }, escaped(node.nodeValue, false)));
  }
  if (!mixed) out.append(`\n${"  ".repeat(indent)}`);
  out.append(mark("</"), el("span", { class: "x-name" }, element.nodeName), mark(">"));
}

const mark = (text) => el("span", { class: "x-mark" }, text);

/** As it stands on the wire: this is a view of XML, so `<` in a text is `&lt;`. */
function escaped(text, inAttribute) {
  const plain = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return inAttribute ? plain.replaceAll("\"", "&quot;") : plain;
}
