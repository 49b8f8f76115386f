// What a page with a client in it does under torture: it tells the harness all that it hears from the client, at once. The
// last words of a page that goes don't reach anybody: so each is kept for the next page, which says them again.
//
// Its options stand in the fragment of its address, which outlives a reload. `window.tell` is the harness's.

import { createClient } from "/pkg/index.js";

const options = JSON.parse(decodeURIComponent(location.hash.slice(1)));
/** How many words are kept. */
const KEPT = 512;
let said = 0;
const kept = Array.from({ length: KEPT }, (_, at) => sessionStorage.getItem(`told:${at}`)).filter(Boolean);
for (const word of kept.sort((a, b) => JSON.parse(a).number - JSON.parse(b).number)) {
  said = JSON.parse(word).number;
  window.tell(word);
}
function tell(kind, what) {
  said += 1;
  const word = JSON.stringify({ kind, at: performance.timeOrigin + performance.now(), ...what, number: said });
  sessionStorage.setItem(`told:${said % KEPT}`, word);
  window.tell(word);
}
const errorOf = (error) => ({ code: error?.code ?? "none", text: `${error?.name}: ${error?.message}`, retryable: error?.retryable });

addEventListener("error", (event) => tell("uncaught", { text: String(event.error?.stack ?? event.message) }));
addEventListener("unhandledrejection", (event) => tell("uncaught", { text: String(event.reason?.stack ?? event.reason) }));

const client = await createClient(options);
window.plantInClient?.(client);
client.on("status", ({ status, error }) => tell("status", { status, ...(error && errorOf(error)) }));
client.on("message", ({ id, from, body, carbon, delay, stanzaId }) => tell("in", { id, from, body, carbon, late: Boolean(delay), stanzaId }));
client.on("error", (error) => tell("error", errorOf(error)));
// What ends the messages of the page before.
client.on("sent", ({ id, stanzaId }) => tell("sent", { id, stanzaId, kept: true }));
client.on("not-sent", ({ id, error }) => tell("refused", { id, kept: true, ...errorOf(error) }));
client.on("gap", (gap) => tell("gap", { gap }));
client.on("resumed", () => tell("resumed", {}));

window.page = {
  /** Sends messages, all at once. */
  send(first, last) {
    for (let number = first; number <= last; number += 1) {
      const id = `p-${number}`;
      tell("called", { id });
      client.send({ to: options.to, body: `p ${number}`, id }).then(
        ({ stanzaId }) => tell("sent", { id, stanzaId }),
        (error) => tell("refused", { id, ...errorOf(error) }),
      );
    }
    return last;
  },
  /** Asks the server whether it is there; any end of it will do. */
  ask(number) {
    tell("asked", { question: number });
    client.ping().then(() => tell("answered", { question: number }), (error) => tell("answered", { question: number, ...errorOf(error) }));
  },
};

// As an app would: until the first login of this page has succeeded.
for (;;) {
  try {
    await client.connect();
    break;
  } catch (error) {
    tell("no-login", errorOf(error));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
tell("ready", {});
