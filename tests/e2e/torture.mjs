// Torture: a page with a client in it, in headless Chromium, and a real server, with a wire between them that misbehaves.
//
// While messages go both ways, the connection is cut, reset, frozen, delayed and swallowed, the server killed, the page
// reloaded. Before that: how soon the client notices that a connection is dead though nobody says so, idle and in use.
// Afterwards the archives of both accounts are read by other hands, and every message accounted for: torture/judge.mjs.
//
//   STANZAWIRE_TORTURE  JSON: what xtask/src/torture.rs says
//
// and what page.mjs wants. Writes its result as JSON to the file that it is told.

import { withBrowser } from "./page.mjs";
import { begun, between, config, finish, Hands, list, note, openPage, Pace, REST, say, sleep, tell, until } from "./torture/harness.mjs";
import { judge, Wire } from "./torture/judge.mjs";
import { Mischief, Outages } from "./torture/mischief.mjs";

/** How many messages may be under way before the page waits. */
const UNDER_WAY = 600;

/** Milliseconds from the moment that a connection is swallowed until the client gives it up: idle, and with traffic. */
async function halfOpenConnections(browser) {
  const one = async (user, wire, busy) => {
    let status = "offline";
    let since = 0;
    const changed = [];
    const hear = (event) => {
      if (event.kind !== "status") return;
      [status, since] = [event.status, event.at];
      note(`${user} ${status}`, event.at);
      for (const wake of changed.splice(0)) wake();
    };
    const { page, run } = await openPage(browser, { user, wire, to: "bob@localhost", hear });
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
  const { page, run } = await openPage(browser, { user: "alice", wire: config.wires.main, to: "bob@localhost", hear, frames, plant: config.plant });
  page.on("pageerror", (error) => note(`pageerror ${error.stack}`));
  page.on("crash", () => others.uncaught.push("the page crashed"));
  const peer = new Peer();
  await until(() => ready && peer.online, 30_000, "both are online");

  const mischief = new Mischief({ page, wire: config.wires.main, outages, reloading: () => { ready = false; } });
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
  list({ ...verdict.found, ...others });
  const counts = Object.fromEntries(Object.entries({ ...verdict.found, ...others })
    .map(([what, items]) => [what, Array.isArray(items) ? items.length : items]));
  return {
    sent: verdict.sent, received: verdict.received, archived: verdict.archived, called: calls.size, counts,
    faults: mischief.kinds, recovery: outages.result(), seconds: (Date.now() - begun) / 1000,
  };
}

/** bob, by other hands. */
class Peer extends Hands {
  online = false;
  #archives = new Map();

  constructor() {
    super("peer.py", {}, (said) => {
      if ("online" in said) this.online = said.online;
      if ("archive" in said) this.#archives.set(said.archive, said.items);
    });
  }

  async read(user) {
    this.order({ read: user });
    if (!await until(() => this.#archives.has(user), 120_000, `${user}'s archive can be read`)) throw new Error("no archive");
    return this.#archives.get(user);
  }
}

let result;
await withBrowser(async (browser) => {
  const halfOpen = await halfOpenConnections(browser);
  result = { halfOpen, ...await underTorture(browser) };
});
finish(result);
