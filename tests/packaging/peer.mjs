// The one whom each row talks to: bob, who answers what he is told with a word that nobody else knows.

import { randomUUID } from "node:crypto";

/** Logs bob in, by the package in `pkg`. */
export async function peer(pkg, hostMeta) {
  const { connect } = await import(pkg);
  const client = await connect({ jid: "bob@localhost", password: "secret", hostMeta, storage: null });
  const answers = new Map();
  client.on("message", ({ from, body }) => {
    const answer = answers.get(body);
    if (answer) client.send({ to: from, body: answer }).catch(() => {});
  });
  return {
    /** What a row is to say, and what is answered. */
    question() {
      const [body, answer] = [randomUUID(), randomUUID()];
      answers.set(body, answer);
      return { ask: { hostMeta, to: client.jid, body }, answer };
    },
    close: () => client.disconnect(),
  };
}
