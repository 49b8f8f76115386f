// What a page with a client in it does under torture.

import { client, ends, errorOf, logIn, options, tell } from "./telling.js";

client.on("message", ({ id, from, body, carbon, delay, stanzaId }) => tell("in", { id, from, body, carbon, late: Boolean(delay), stanzaId }));

window.page = {
  /** Sends messages, all at once. */
  send(first, last) {
    for (let number = first; number <= last; number += 1) {
      const id = `p-${number}`;
      ends(id, client.send({ to: options.to, body: `p ${number}`, id }));
    }
    return last;
  },
  /** Asks the server whether it is there; any end of it will do. */
  ask(number) {
    tell("asked", { question: number });
    client.ping().then(() => tell("answered", { question: number }), (error) => tell("answered", { question: number, ...errorOf(error) }));
  },
};

await logIn();
tell("ready", {});
