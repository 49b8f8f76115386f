// How a page under torture tells the harness what it hears from its client, at once. The last words of a page that goes don't
// reach anybody: so each is kept for the next page, which says them again.
//
// The options stand in the fragment of the page's address, which outlives a reload. `window.tell` is the harness's.

import { createClient } from "/pkg/index.js";

export const options = JSON.parse(decodeURIComponent(location.hash.slice(1)));
/** How many words are kept. */
const KEPT = 512;
let said = 0;
const kept = Array.from({ length: KEPT }, (_, at) => sessionStorage.getItem(`told:${at}`)).filter(Boolean);
for (const word of kept.sort((a, b) => JSON.parse(a).number - JSON.parse(b).number)) {
  said = JSON.parse(word).number;
  window.tell(word);
}

export function tell(kind, what) {
  said += 1;
  const word = JSON.stringify({ kind, at: performance.timeOrigin + performance.now(), ...what, number: said });
  sessionStorage.setItem(`told:${said % KEPT}`, word);
  window.tell(word);
}

export const errorOf = (error) => ({ code: error?.code ?? "none", text: `${error?.name}: ${error?.message}`, retryable: error?.retryable });

addEventListener("error", (event) => tell("uncaught", { text: String(event.error?.stack ?? event.message) }));
addEventListener("unhandledrejection", (event) => tell("uncaught", { text: String(event.reason?.stack ?? event.reason) }));

/** The client, which tells of everything but messages. */
export const client = await createClient(options);
window.plantInClient?.(client);
client.on("status", ({ status, error }) => tell("status", { status, ...(error && errorOf(error)) }));
client.on("error", (error) => tell("error", errorOf(error)));
// What ends the messages of the page before.
client.on("sent", ({ id, stanzaId }) => tell("sent", { id, stanzaId, kept: true }));
client.on("not-sent", ({ id, error }) => tell("refused", { id, kept: true, ...errorOf(error) }));
client.on("gap", (gap) => tell("gap", { gap }));
client.on("resumed", () => tell("resumed", {}));

/** Tells how the sending of a message ends. */
export function ends(id, sending) {
  tell("called", { id });
  sending.then(({ stanzaId }) => tell("sent", { id, stanzaId }), (error) => tell("refused", { id, ...errorOf(error) }));
}

/** As an app would: until the first login of this page has succeeded. */
export async function logIn() {
  for (;;) {
    try {
      return await client.connect();
    } catch (error) {
      tell("no-login", errorOf(error));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
