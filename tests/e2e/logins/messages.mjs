// Messages both ways: between two pages' clients, and with a client by other hands.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const TEXTS = [`<&"'> \u{1F980} ]]> <b>bold?</b>`, "second line\nbelow a first \u{1F9F5}"];

export default async function (run) {
  for (const server of run.servers) {
    const host = server.domain;
    for (const [transport, url] of Object.entries(server.endpoints)) {
      await run.inPage(`${server.name} ${transport}: messages between two clients`, {
        url, host, texts: TEXTS,
      }, async ({ url, host, texts }) => {
        const [alice, bob] = await Promise.all(["alice", "bob"].map(async (user) =>
          (await login({ url, jid: `${user}@${host}`, password: "secret" })).client));
        const [there, back] = [bob.once("message"), alice.once("message")];
        await alice.send({ to: `bob@${host}`, body: texts[0] });
        equal(await there.then(({ from, body }) => [from, body]), [alice.jid, texts[0]]);
        await bob.send({ to: alice.jid, body: texts[1] });
        equal(await back.then(({ from, body }) => [from, body]), [bob.jid, texts[1]]);
        await Promise.all([alice.disconnect(), bob.disconnect()]);
      });
    }
    await run.check(`${server.name}: messages with slixmpp, which is connected by TCP`, async (page) => {
      const bob = new Slixmpp(run.config, { jid: `bob@${host}`, password: "secret", port: server.c2s });
      try {
        const { online } = await bob.next();
        await page.evaluate(async ({ url, host, to, text }) => {
          const { client } = await login({ url, jid: `alice@${host}`, password: "secret" });
          // For the other half of the check.
          Object.assign(globalThis, { client, message: client.once("message") });
          await client.send({ to, body: text });
        }, { url: server.endpoints.wss, host, to: online, text: TEXTS[0] });
        const { from, body } = await bob.next();
        equal([from.split("/")[0], body], [`alice@${host}`, TEXTS[0]]);
        bob.send({ to: from, body: TEXTS[1] });
        const got = await page.evaluate(async () => {
          const { from, body } = await message;
          await client.disconnect();
          return [from, body];
        });
        equal(got, [online, TEXTS[1]]);
      } finally {
        await bob.end();
      }
    });
  }
}

/** A client by slixmpp, in a process of its own: slixmpp_client.py says what goes in and out. */
export class Slixmpp {
  #process;
  #lines;
  #ended;

  constructor({ python, authority }, account) {
    const script = fileURLToPath(new URL("slixmpp_client.py", import.meta.url));
    this.#process = spawn(python, [script, JSON.stringify({ ...account, authority })], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve) => this.#process.once("close", resolve));
  }

  /** What it says next. */
  async next() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("slixmpp has ended");
    return JSON.parse(value);
  }

  send(message) {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
  }

  async end() {
    this.#process.stdin.end();
    await this.#ended;
  }
}

function equal(found, expected) {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${a}, not ${b}`);
}
