// What a page with a client in it does in the soak: it sends messages that come back, as many as it is told, and keeps
// nothing of them but counts.

import { createClient } from "/pkg/index.js";

/** How many are under way at a time. */
const WINDOW = 200;
/** How long nothing may come, in ms, before the rest counts as lost. */
const PATIENCE = 20_000;

const counts = { lost: 0, doubled: 0, disordered: 0, unsettled: 0, rejected: 0, uncaught: 0, online: 0 };
addEventListener("error", () => { counts.uncaught += 1; });
addEventListener("unhandledrejection", () => { counts.uncaught += 1; });

let client;
let offs = [];
let [sent, settled, back] = [0, 0, 0];
/** Those of this part that have come back. */
let came = new Set();
let [largest, moved] = [0, 0];
let wake = () => {};

function heard({ body }) {
  moved = performance.now();
  const number = Number(body.slice(2));
  if (came.has(number) || number <= sent - came.size - 100_000) counts.doubled += 1;
  else {
    came.add(number);
    back += 1;
    if (number < largest) counts.disordered += 1;
    largest = Math.max(largest, number);
  }
  wake();
}

function send() {
  const number = sent += 1;
  client.send({ to: "bob@example.org", body: `b ${number}`, id: `p-${number}` })
    .catch(() => { counts.rejected += 1; })
    .then(() => { settled += 1; moved = performance.now(); wake(); });
}

window.soak = {
  counts,
  async begin(options) {
    client = await createClient({ jid: "alice@example.org", password: "secret", ...options });
    window.plantInClient?.(client);
    offs = [client.on("message", heard), client.on("status", ({ status }) => { counts.online += status === "online"; })];
    await client.connect();
  },
  /** Sends so many, and waits until all have settled and come back. */
  async part(count) {
    const end = sent + count;
    const begun = sent;
    const turn = () => new Promise((resolve) => { wake = resolve; });
    moved = performance.now();
    const watch = setInterval(() => wake(), 1000);
    while (settled < end || back < end) {
      while (sent < end && sent - settled < WINDOW && sent - back < WINDOW) send();
      await turn();
      if (performance.now() - moved > PATIENCE) break;
    }
    clearInterval(watch);
    wake = () => {};
    for (let number = begun + 1; number <= sent; number += 1) counts.lost += !came.has(number);
    counts.unsettled += sent - settled;
    came = new Set();
    return settled === end && back === end;
  },
  async end() {
    await client.disconnect();
    for (const off of offs) off();
    [client, offs] = [undefined, []];
  },
};
