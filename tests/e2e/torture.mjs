// Torture: a page with a client in it, in headless Chromium, and a real server, with a wire between them that misbehaves.
//
// While messages go both ways, the connection is cut, reset, frozen, delayed and swallowed, the server killed, the page
// reloaded. Before that: how soon the client notices that a connection is dead though nobody says so, idle and in use.
// Afterwards the archives of both accounts are read by other hands, and every message accounted for: torture/judge.mjs.
//
//   STANZAWIRE_TORTURE  JSON: what xtask/src/torture.rs says
//
// and what page.mjs wants. Writes its result as JSON to the file that it is told.

import { spawn } from "node:child_process";
import { createWriteStream, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { required, withBrowser } from "./page.mjs";
import { judge, spread, Wire } from "./torture/judge.mjs";
import { planted } from "./torture/plants.js";

const config = JSON.parse(required("STANZAWIRE_TORTURE"));
/** How long everything may take to come to rest once the mischief is over, in ms. */
const REST = 60_000;
/** How many messages may be under way before the page waits. */
const UNDER_WAY = 600;

/** What happens, in some order, and then again: each kind as often as it is here. */
const BAG = ["cut", "cut", "cut", "reset", "reset", "reset", "freeze", "freeze", "reload", "reload", "delay", "hole", "kill"];

const log = createWriteStream(config.log);
const begun = Date.now();
const note = (what, at = Date.now()) => log.write(`${((at - begun) / 1000).toFixed(3).padStart(9)} ${what}\n`);
const say = (what) => { console.log(`${config.name}: ${what}`); note(`# ${what}`); };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// Only the mischief is the same with the same seed: who is how fast isn't.
const mischievous = mulberry32(config.seed);
const between = (low, high, random = Math.random()) => low + random * (high - low);

/** Asks the wire or the server for something. */
async function tell(control, path) {
  const answer = await fetch(control + path);
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
}

/** A page with a client. `hear` gets what it says, `frames` what its sockets carry. */
async function openPage(browser, user, wire, to, hear, frames, plant) {
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
  const options = { jid: `${user}@localhost`, password: "secret", url: wire.url, to, keepToken: config.sasl2 };
  await page.goto(`${config.page}torture.html#${encodeURIComponent(JSON.stringify(options))}`);
  // On the session that hears what the page says, so that each answer comes behind it.
  const run = (expression) => session.send("Runtime.evaluate", { expression });
  return { page, run };
}

/** Milliseconds from the moment that a connection is swallowed until the client gives it up: idle, and with traffic. */
async function halfOpenConnections(browser) {
  const one = async (user, wire, busy) => {
    let status = "offline";
    let since = 0;
    const changed = [];
    const { page, run } = await openPage(browser, user, wire, "bob@localhost", (event) => {
      if (event.kind !== "status") return;
      [status, since] = [event.status, event.at];
      note(`${user} ${status}`, event.at);
      for (const wake of changed.splice(0)) wake();
    });
    const until = async (wanted, bound) => {
      const end = Date.now() + bound;
      while (!wanted() && Date.now() < end) {
        await Promise.race([new Promise((resolve) => changed.push(resolve)), sleep(end - Date.now())]);
      }
      return wanted();
    };
    const took = [];
    for (let round = 0; round < config.rounds; round += 1) {
      if (!await until(() => status === "online", REST)) throw new Error(`${user} doesn't come online`);
      let number = 0;
      const traffic = busy && setInterval(() => run(`page.send(${number += 1}, ${number})`).catch(() => {}), 50);
      // Whatever belongs to the login is over, and the moment is any moment.
      await sleep(1000 + between(0, 3000));
      const swallowed = Date.now();
      await tell(wire.control, "/hole");
      note(`${user} in a hole`);
      const noticed = await until(() => status === "reconnecting" || (status === "online" && since > swallowed + 100), 30_000);
      took.push(noticed ? since - swallowed : Infinity);
      clearInterval(traffic);
    }
    await page.context().close();
    say(`half-open, ${busy ? "with traffic" : "idle"}: given up after ${took.map((ms) => `${(ms / 1000).toFixed(2)} s`).join(", ")}`);
    return took;
  };
  const [idle, busy] = await Promise.all([one("carol", config.wires.idle, false), one("dave", config.wires.busy, true)]);
  return { idle, busy };
}

async function underTorture(browser) {
  const wire = new Wire();
  const calls = new Map();
  const questions = new Map();
  const heard = [];
  const others = { uncaught: [], gaps: [], errors: [], gaveUp: [], logins: 0, resumed: 0 };
  const outages = new Outages();
  let status = "offline";
  let ready = false;
  // The last message that a page has said it sends; and those that one may have sent without a word of it, as it went.
  let called = 0;
  const perhaps = new Set();
  let [asked, lastHeard] = [0, Date.now()];

  const hear = (event) => {
    const { kind, at, id } = event;
    if (kind === "in") note(`page: heard ${event.body} ${event.stanzaId}`, at);
    else if (kind !== "called") note(`page: ${JSON.stringify({ ...event, at: undefined })}`, at);
    if (kind === "called") {
      calls.set(id, []);
      called = Math.max(called, Number(id.slice(2)));
    } else if (kind === "sent" || kind === "refused") {
      if (!calls.has(id) && !perhaps.has(id)) others.errors.push(`${kind} ${id}, which was never called`);
      calls.get(id)?.push(event);
    } else if (kind === "in" && !event.carbon && event.from?.startsWith("bob@")) {
      heard.push(event.body);
      lastHeard = Date.now();
    }
    else if (kind === "uncaught") others.uncaught.push(event.text);
    else if (kind === "gap") others.gaps.push(JSON.stringify(event.gap));
    else if (kind === "error") others.errors.push(event.text);
    else if (kind === "asked") questions.set(event.question, false);
    else if (kind === "answered") questions.set(event.question, true);
    else if (kind === "resumed") others.resumed += 1;
    else if (kind === "ready") {
      [ready, others.logins] = [true, others.logins + 1];
      // Those of the page before went with it.
      for (const number of questions.keys()) questions.set(number, true);
    }
    else if (kind === "status") {
      status = event.status;
      // A page that has just come: the one before may have been ready when it was told to go.
      if (status === "connecting") ready = false;
      outages.status(status, at);
      // Only a login that fails may end there, and this one has been online.
      if (status === "offline" && ready) others.gaveUp.push(event.text);
    }
  };
  const frames = (direction, text, socket) => {
    note(`${direction === "out" ? ">>" : "<<"} ${socket} ${text}`);
    if (direction === "out") wire.out(text);
    else {
      wire.in(text);
      outages.heard(status);
    }
  };
  const { page, run } = await openPage(browser, "alice", config.wires.main, "bob@localhost", hear, frames, config.plant);
  page.on("pageerror", (error) => note(`pageerror ${error.stack}`));
  page.on("crash", () => others.uncaught.push("the page crashed"));
  const peer = new Peer();
  await until(() => ready && peer.online, 30_000, "both are online");

  const mischief = new Mischief(page, outages, () => { ready = false; });
  let [toSend, toSay] = [1, 1];
  // What the peer hands to a server that dies doesn't count, and is said anew.
  const enough = () => toSend > config.messages && heard.length >= config.messages && mischief.count >= config.faults;
  const ended = (async () => { while (!enough()) await mischief.next(); })();
  const underWay = () => [...calls.values()].reduce((sum, ends) => sum + (ends.length === 0), 0);
  const burst = Math.min(600, Math.ceil(config.messages / 5));
  const paces = [new Pace(burst), new Pace(burst)];
  let lastWord = Date.now();
  while (!enough()) {
    const [out, back] = paces.map((pace) => pace.take());
    if (out > 0 && ready && toSend <= config.messages && underWay() < UNDER_WAY) {
      const last = Math.min(config.messages, toSend + out - 1);
      const question = Math.random() < 0.1 ? asked += 1 : 0;
      await run(`page.send(${toSend}, ${last}), ${question} && page.ask(${question})`).catch((error) => {
        note(error.message);
        while (called < last) perhaps.add(`p-${called += 1}`);
      });
      // A reload may have come before.
      toSend = called + 1;
    } else if (out > 0) paces[0].giveBack(out);
    const missing = config.messages - heard.length;
    const dry = status === "online" && Date.now() - lastHeard > 3000 && missing > 0;
    if (peer.online && (dry || (back > 0 && toSay <= config.messages))) {
      const last = dry && toSay > config.messages ? toSay + missing - 1 : Math.min(config.messages, toSay + back - 1);
      lastHeard = Date.now();
      peer.order({ send: [toSay, last] });
      toSay = last + 1;
    }
    await sleep(50);
    if (Date.now() - lastWord > 15_000) {
      lastWord = Date.now();
      say(`${calls.size} called, ${underWay()} of them under way, ${heard.length} heard, ${mischief.count} faults, ${status}`);
    }
    if (others.uncaught.includes("the page crashed")) break;
  }
  await ended;
  await mischief.over();
  say(`the mischief is over: ${mischief.count} faults, ${calls.size} called, ${heard.length} heard`);

  // Everything comes to rest: both have said their last word, and heard the other's.
  const rested = Date.now();
  await until(() => ready && status === "online" && peer.online, REST, "both are online at the end");
  await until(() => underWay() === 0, REST, "every promise is settled");
  // A question that a page took with it is settled with it.
  peer.order({ send: [toSay, toSay] });
  await until(() => heard.includes(`b ${toSay}`), 30_000, "the last word is heard");
  await until(() => [...questions.values()].every(Boolean), 35_000, "every question is answered");
  say(`at rest after ${((Date.now() - rested) / 1000).toFixed(1)} s`);
  const archives = { alice: await peer.read("alice"), bob: await peer.read("bob") };
  await page.context().close();
  peer.end();

  const verdict = judge({ calls, heard, archives, wire, questions });
  for (const [what, list] of Object.entries({ ...verdict.found, ...others })) {
    if (!Array.isArray(list) || list.length === 0) continue;
    note(`! ${what}: ${list.length}\n${list.map((item) => `            ${item}`).join("\n")}`);
    say(`${what}: ${list.length}: ${list.slice(0, 5).join("; ")}${list.length > 5 ? " …" : ""}`);
  }
  const counts = Object.fromEntries(Object.entries({ ...verdict.found, ...others })
    .map(([what, list]) => [what, Array.isArray(list) ? list.length : list]));
  return {
    sent: verdict.sent, received: verdict.received, archived: verdict.archived, called: calls.size, counts,
    faults: mischief.kinds, recovery: outages.result(), seconds: (Date.now() - begun) / 1000,
  };
}

/** Waits until something holds, and says so when it never does. */
async function until(holds, bound, what) {
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
class Pace {
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

/** One fault after the other, 0.2 to 3 s apart; some of them last longer than that, and overlap with the next. */
class Mischief {
  count = 0;
  kinds = {};
  #page;
  #outages;
  #reloading;
  #lasting = new Map();
  #bag = [];

  constructor(page, outages, reloading) {
    [this.#page, this.#outages, this.#reloading] = [page, outages, reloading];
  }

  async next() {
    // As many each time, so that the next ones don't depend on what was under way.
    const [wait, which, long, much] = Array.from({ length: 4 }, mischievous);
    await sleep(between(200, 3000, wait));
    if (this.#bag.length === 0) this.#bag = [...BAG];
    const [kind] = this.#bag.splice(Math.floor(which * this.#bag.length), 1);
    const lasts = {
      freeze: () => this.#last("/freeze", long < 0.2 ? between(5000, 9000, much) : between(300, 2500, much), "/thaw"),
      delay: () => this.#last("/delay/2000", between(1000, 4000, much), "/delay/0"),
      kill: () => this.#kill(between(100, 1500, much)),
      reload: () => this.#reload(),
    }[kind];
    if (this.#lasting.has(kind)) {
      this.#bag.push(kind);
      return;
    }
    this.count += 1;
    this.kinds[kind] = (this.kinds[kind] ?? 0) + 1;
    note(`** ${kind}`);
    const fault = this.#outages.fault(kind);
    if (lasts) {
      const lasting = lasts().finally(() => {
        this.#lasting.delete(kind);
        fault.ended();
        note(`** end of ${kind}`);
      });
      this.#lasting.set(kind, lasting);
    } else {
      await tell(config.wires.main.control, `/${kind}`);
      fault.ended();
    }
  }

  async over() {
    await Promise.all(this.#lasting.values());
  }

  async #last(begin, ms, end) {
    await tell(config.wires.main.control, begin);
    await sleep(ms);
    await tell(config.wires.main.control, end);
  }

  async #kill(ms) {
    await tell(config.server, "/kill");
    await sleep(ms);
    await tell(config.server, "/start");
  }

  async #reload() {
    this.#reloading();
    await this.#page.reload();
  }
}

/** How long the client takes from the end of the last fault until it is online again. */
class Outages {
  #pending = [];
  #down = false;
  #online = 0;
  #alone = {};
  #several = [];

  fault(kind) {
    const fault = { kind, end: undefined, ended: () => { fault.end = Date.now(); } };
    this.#pending.push(fault);
    if (kind === "reload") this.#down = true;
    return fault;
  }

  status(status, at) {
    if (status === "online") {
      const { length } = this.#pending;
      if (this.#down && length > 0) {
        const ends = this.#pending.map(({ end }) => end ?? at);
        const took = Math.max(0, at - Math.max(...ends));
        if (length === 1) (this.#alone[this.#pending[0].kind] ??= []).push(took);
        else this.#several.push(took);
      }
      // A fault that lasts goes on.
      this.#pending = this.#pending.filter(({ end }) => end === undefined);
      this.#down = false;
      this.#online = at;
    } else if (status !== "verifying") this.#down = true;
  }

  /** What comes in some while after a fault says that the client has come through it. */
  heard(status) {
    if (status !== "online" || this.#down) return;
    this.#pending = this.#pending.filter(({ end, kind }) => end === undefined || Date.now() - end < (kind === "hole" ? 500 : 150));
  }

  result() {
    const all = [...Object.values(this.#alone).flat(), ...this.#several];
    const unasked = Object.entries(this.#alone).filter(([kind]) => kind !== "hole").flatMap(([, list]) => list);
    const kinds = Object.entries({ ...this.#alone, several: this.#several }).map(([kind, list]) => [kind, spread(list)]);
    return { all: spread(all), told: spread([...unasked, ...this.#several]), kinds: Object.fromEntries(kinds) };
  }
}

/** bob, by other hands. */
class Peer {
  online = false;
  #process = spawn(config.python, [fileURLToPath(new URL("torture/peer.py", import.meta.url)), JSON.stringify({ port: config.c2s, password: "secret" })],
    { stdio: ["pipe", "pipe", "inherit"] });
  #archives = new Map();

  constructor() {
    createInterface({ input: this.#process.stdout }).on("line", (line) => {
      const said = JSON.parse(line);
      if ("online" in said) this.online = said.online;
      if ("archive" in said) this.#archives.set(said.archive, said.items);
      note(`peer: ${line}`);
    });
  }

  order(what) {
    this.#process.stdin.write(`${JSON.stringify(what)}\n`);
  }

  async read(user) {
    this.order({ read: user });
    if (!await until(() => this.#archives.has(user), 120_000, `${user}'s archive can be read`)) throw new Error("no archive");
    return this.#archives.get(user);
  }

  end() {
    this.#process.stdin.end();
  }
}

function mulberry32(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

await withBrowser(async (browser) => {
  const [halfOpen, messages] = [await halfOpenConnections(browser), await underTorture(browser)];
  writeFileSync(config.result, JSON.stringify({ halfOpen, ...messages }));
});
// Timers that nobody waits for any longer would keep it.
log.end(() => process.exit());
