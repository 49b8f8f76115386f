// What the scripts of torture share: the pages, the log, and the other side's process.
//
//   STANZAWIRE_TORTURE  JSON: what xtask/src/torture.rs says

import { spawn } from "node:child_process";
import { createWriteStream, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { required } from "../page.mjs";
import { planted } from "./plants.js";

export const config = JSON.parse(required("STANZAWIRE_TORTURE"));
/** How long everything may take to come to rest once the mischief is over, in ms. */
export const REST = 60_000;

const log = createWriteStream(config.log);
export const begun = Date.now();
export const note = (what, at = Date.now()) => log.write(`${((at - begun) / 1000).toFixed(3).padStart(9)} ${what}\n`);
export const say = (what) => { console.log(`${config.name}: ${what}`); note(`# ${what}`); };
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const between = (low, high, random = Math.random()) => low + random * (high - low);

/** Leaves the result to whoever has started the script, and ends it. */
export function finish(result) {
  writeFileSync(config.result, JSON.stringify(result));
  // Timers that nobody waits for any longer would keep it.
  log.end(() => process.exit());
}

/** Writes down all that was found, and says the beginning of it. */
export function list(found) {
  for (const [what, items] of Object.entries(found)) {
    if (!Array.isArray(items) || items.length === 0) continue;
    note(`! ${what}: ${items.length}\n${items.map((item) => `            ${item}`).join("\n")}`);
    say(`${what}: ${items.length}: ${items.slice(0, 5).join("; ")}${items.length > 5 ? " …" : ""}`);
  }
}

/** Asks the wire or the server for something. */
export async function tell(control, path) {
  const answer = await fetch(control + path);
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
}

/** A page with a client of this user's. `hear` gets what it says, `frames` what its sockets carry. */
export async function openPage(browser, { user, wire, hear, frames, plant, document = "torture.html", ...more }) {
  const page = await (await browser.newContext()).newPage();
  const session = await page.context().newCDPSession(page);
  let last = 0;
  session.on("Runtime.bindingCalled", ({ name, payload }) => {
    if (name !== "tell") return;
    const event = JSON.parse(payload);
    // Said again by the page that came after.
    if (event.number <= last) return;
    last = event.number;
    hear(event);
  });
  await session.send("Runtime.enable");
  await session.send("Runtime.addBinding", { name: "tell" });
  if (frames) {
    session.on("Network.webSocketCreated", ({ requestId }) => note(`socket ${requestId}`));
    session.on("Network.webSocketClosed", ({ requestId }) => note(`socket ${requestId} closed`));
    session.on("Network.webSocketFrameSent", ({ requestId, response }) => frames("out", response.payloadData, requestId));
    session.on("Network.webSocketFrameReceived", ({ requestId, response }) => frames("in", response.payloadData, requestId));
    await session.send("Network.enable");
  }
  if (plant) await page.addInitScript(planted(plant));
  // With a token, a page that is reloaded comes back in one round trip.
  const options = { jid: `${user}@localhost`, password: "secret", url: wire.url, ...more, keepToken: config.sasl2 };
  await page.goto(`${config.page}${document}#${encodeURIComponent(JSON.stringify(options))}`);
  // On the session that hears what the page says, so that each answer comes behind it.
  const run = (expression) => session.send("Runtime.evaluate", { expression });
  return { page, run };
}

/** Waits until something holds, and says so when it never does. */
export async function until(holds, bound, what) {
  const end = Date.now() + bound;
  while (!holds()) {
    if (Date.now() > end) {
      say(`after ${bound / 1000} s it doesn't hold that ${what}`);
      return false;
    }
    await sleep(20);
  }
  return true;
}

/** How many messages are due: so many a second, in small lots and now and then in a large one. */
export class Pace {
  #last = Date.now();
  #credit = 0;
  #burst;

  constructor(burst) {
    this.#burst = burst;
  }

  take() {
    const now = Date.now();
    this.#credit = Math.min(this.#credit + (config.rate * (now - this.#last)) / 1000, 2 * config.rate);
    this.#last = now;
    if (this.#credit < 1) return 0;
    const count = Math.random() < 0.004 ? this.#burst : Math.ceil(between(0, this.#credit));
    this.#credit -= count;
    return count;
  }

  giveBack(count) {
    this.#credit += count;
  }
}

/** People by other hands: a program that takes orders, and says what happens, a JSON object a line. */
export class Hands {
  #process;

  constructor(program, settings, hear) {
    const script = fileURLToPath(new URL(program, import.meta.url));
    this.#process = spawn(config.python, [script, JSON.stringify({ port: config.c2s, password: "secret", ...settings })], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#process.stdout }).on("line", (line) => {
      note(`${program}: ${line}`);
      hear(JSON.parse(line));
    });
  }

  order(what) {
    this.#process.stdin.write(`${JSON.stringify(what)}\n`);
  }

  end() {
    this.#process.stdin.end();
  }
}
