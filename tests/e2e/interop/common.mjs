// What the interop rows share: waiting, comparing, elements, and values on their way between processes.

/** How long, in ms, anything may take that is waited for. */
export const BOUND = 8000;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a function finds, as soon as it finds something; an error where it doesn't in time. */
export async function until(find, what, bound = BOUND) {
  const end = Date.now() + bound;
  for (;;) {
    const found = await find();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not in ${bound / 1000} s: ${what}`);
    await sleep(20);
  }
}

/** What can't be done at this server, in a row that it says it supports or not: see run.mjs. */
export class Unsupported extends Error {}

export function equal(found, expected, what = "found") {
  const [a, b] = [found, expected].map((value) => JSON.stringify(packed(value)));
  if (a !== b) throw new Error(`${what}: ${a}, not ${b}`);
}

export function ok(holds, what) {
  if (!holds) throw new Error(`it doesn't hold: ${what}`);
}

/** The error that a promise rejects with, whose fields are as in `expected`. */
export async function fails(promise, expected) {
  const error = await promise.then((value) => { throw new Error(`resolved to ${JSON.stringify(value)}`); }, (error) => error);
  for (const [name, value] of Object.entries(expected)) {
    if (error[name] !== value) throw new Error(`${name} is ${error[name]}, not ${value}: ${error.message}`, { cause: error });
  }
  return error;
}

// Elements, as a client has them, where children may inherit the namespace, and as slixmpp tells them, where each has its own.

/** The first element below with that name, and namespace, at any depth. */
export function find(element, name, xmlns, inherited = element?.attrs.xmlns) {
  for (const child of element?.children ?? []) {
    if (typeof child === "string") continue;
    const own = child.attrs.xmlns ?? inherited;
    if (child.name === name && (xmlns === undefined || own === xmlns)) return child;
    const deeper = find(child, name, xmlns, own);
    if (deeper) return deeper;
  }
  return undefined;
}

/** All children of that name. */
export const children = (element, name) => (element?.children ?? []).filter((child) => child.name === name);

/** The text of an element and of all within it. */
export const text = (element) => (element?.children ?? []).map((child) => typeof child === "string" ? child : text(child)).join("");

export const bareOf = (jid) => jid.split("/")[0];

/** What JSON can carry of a value. */
export function packed(value) {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (value instanceof Date) return { $date: value.toISOString() };
  if (Array.isArray(value)) return value.map(packed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, packed(each)]));
}

export function unpacked(value) {
  if (Array.isArray(value)) return value.map(unpacked);
  if (typeof value !== "object" || value === null) return value;
  if (typeof value.$bytes === "string") return Buffer.from(value.$bytes, "base64");
  if (typeof value.$date === "string") return new Date(value.$date);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpacked(each)]));
}
