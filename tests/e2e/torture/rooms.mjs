// Torture in a room: five occupants, alice and bob at pages in headless Chromium, each with a wire of its own that misbehaves, and
// carol, dave and erin by other hands, past all mischief.
//
// While all five talk, the pages' connections are cut, reset, frozen, delayed and swallowed, the pages reloaded, and the server killed.
// Afterwards the room's archive is read by other hands, and is the truth: each page must have heard all of it, once and in order; what
// the client says was sent must be there once, in order, and what it says wasn't must not; and who is in the room must be the same for
// all five.

import { withBrowser } from "../page.mjs";
import { begun, config, finish, Hands, list, note, openPage, Pace, REST, say, sleep, until } from "./harness.mjs";
import { BAG, Mischief, Outages } from "./mischief.mjs";
import { judgeRoom } from "./room-judge.mjs";

const ROOM = "tea@rooms.localhost";
const OURS = ["alice", "bob"];
const OTHERS = ["carol", "dave", "erin"];
/** How many messages of a page may be under way before it waits. */
const UNDER_WAY = 200;

/** A page in the room, and what it has said. */
class Ours {
  calls = new Map();
  heard = [];
  found = { uncaught: [], gaps: [], errors: [], gaveUp: [], lostRoom: [] };
  outages = new Outages();
  ready = false;
  status = "offline";
  room = "left";
  resumed = 0;
  rejoined = 0;
  report;
  sent = 0;
  #perhaps = new Set();

  static async open(browser, user, wire, others, seed) {
    const ours = new Ours();
    ours.user = user;
    const hear = (event) => ours.#hear(event);
    const frames = (direction, text, socket) => {
      note(`${user} ${direction === "out" ? ">>" : "<<"} ${socket} ${text}`);
      if (direction === "in") ours.outages.heard(ours.status);
    };
    const { page, run } = await openPage(browser, { user, wire, document: "rooms.html", room: ROOM, hear, frames, plant: config.plant });
    page.on("crash", () => ours.found.uncaught.push("the page crashed"));
    [ours.page, ours.run] = [page, run];
    const reloading = () => { ours.ready = false; };
    const kinds = user === OURS[0] ? BAG : BAG.filter((kind) => kind !== "kill");
    ours.mischief = new Mischief({ page, wire, outages: ours.outages, reloading, seed, kinds });
    return ours;
  }

  #hear(event) {
    const { kind, at, id } = event;
    note(`${this.user}: ${JSON.stringify({ ...event, at: undefined })}`, at);
    if (kind === "called") {
      this.calls.set(id, []);
      this.sent = Math.max(this.sent, Number(id.slice(2)));
    } else if (kind === "sent" || kind === "refused") {
      if (!this.calls.has(id) && !this.#perhaps.has(id)) this.found.errors.push(`${kind} ${id}, which was never called`);
      this.calls.get(id)?.push(event);
    } else if (kind === "in") this.heard.push(event.body);
    else if (kind === "uncaught") this.found.uncaught.push(event.text);
    else if (kind === "gap") this.found.gaps.push(JSON.stringify(event.gap));
    else if (kind === "error") this.found.errors.push(event.text);
    else if (kind === "report") this.report = event;
    else if (kind === "resumed") this.resumed += 1;
    else if (kind === "ready") this.ready = true;
    else if (kind === "room") {
      if (this.room === "rejoining" && event.status === "joined") this.rejoined += 1;
      this.room = event.status;
      // Nobody ever has us leave.
      if (event.status === "left") this.found.lostRoom.push(JSON.stringify(event));
    } else if (kind === "status") {
      this.status = event.status;
      if (event.status === "connecting") this.ready = false;
      this.outages.status(event.status, at);
      if (event.status === "offline" && this.ready) this.found.gaveUp.push(event.text);
    }
  }

  underWay() {
    return [...this.calls.values()].reduce((sum, ends) => sum + (ends.length === 0), 0);
  }

  /** Says so many more things. */
  async speak(count) {
    const last = Math.min(config.messages, this.sent + count);
    if (!this.ready || this.underWay() >= UNDER_WAY || last <= this.sent) return;
    const before = this.sent;
    await this.run(`page.send(${this.sent + 1}, ${last})`).catch((error) => {
      note(`${this.user}: ${error.message}`);
      // The page went, perhaps with some of them: nobody knows how they end.
      for (let number = before + 1; number <= last; number += 1) this.#perhaps.add(`p-${number}`);
      this.sent = last;
    });
  }

  settled() {
    return this.ready && this.status === "online" && this.room === "joined" && this.underWay() === 0;
  }
}

/** carol, dave and erin. */
class Others extends Hands {
  inside = [];
  report;
  archive;

  constructor() {
    super("occupants.py", { room: ROOM }, (said) => {
      if (said.inside) this.inside = said.inside;
      if (said.occupants) this.report = said;
      if (said.archive) this.archive = said.archive;
    });
  }
}

async function underTorture(browser) {
  const others = new Others();
  const begins = async (holds, what) => {
    if (!await until(holds, 30_000, what)) throw new Error("there's nothing to begin with");
  };
  await begins(() => others.inside.length === OTHERS.length, "the others are in the room");
  const wires = [config.wires.alice, config.wires.bob];
  const ours = await Promise.all(OURS.map((user, at) => Ours.open(browser, user, wires[at], others, config.seed + at)));
  await begins(() => ours.every((one) => one.ready && one.room === "joined"), "the pages are in the room");

  const said = new Map(OTHERS.map((user) => [user, 0]));
  const faults = () => ours.reduce((sum, { mischief }) => sum + mischief.count, 0);
  const spoken = () => ours.every(({ sent }) => sent >= config.messages) && [...said.values()].every((count) => count >= config.messages);
  const enough = () => spoken() && faults() >= config.faults;
  const ended = Promise.all(ours.map(async ({ mischief }) => { while (!enough()) await mischief.next(); }));
  const paces = new Map([...OURS, ...OTHERS].map((user) => [user, new Pace(10)]));
  let lastWord = Date.now();
  while (!enough()) {
    for (const one of ours) await one.speak(paces.get(one.user).take());
    for (const [user, count] of said) {
      const more = Math.min(config.messages - count, paces.get(user).take());
      // Those outside say it when they are in.
      if (more <= 0 || !others.inside.includes(user)) continue;
      others.order({ send: [user, count + 1, count + more] });
      said.set(user, count + more);
    }
    await sleep(50);
    if (Date.now() - lastWord > 15_000) {
      lastWord = Date.now();
      say(`rooms: ${ours.map(({ user, sent, heard, status, room }) => `${user} said ${sent} and heard ${heard.length} (${status}, ${room})`).join(", ")}, ${faults()} faults`);
    }
    if (ours.some(({ found }) => found.uncaught.includes("the page crashed"))) break;
  }
  await ended;
  await Promise.all(ours.map(({ mischief }) => mischief.over()));
  say(`rooms: the mischief is over: ${faults()} faults`);

  // Everything comes to rest: all are in the room, and everybody has heard the last words.
  const rested = Date.now();
  await until(() => others.inside.length === OTHERS.length, REST, "the others are in the room at the end");
  await until(() => ours.every((one) => one.settled()), REST, "the pages are in the room at the end, and every promise is settled");
  for (const user of OTHERS) others.order({ send: [user, config.messages + 1, config.messages + 1] });
  const last = OTHERS.map((user) => `${user} ${config.messages + 1}`);
  await until(() => ours.every(({ heard }) => last.every((body) => heard.includes(body))), REST, "the last words are heard");
  say(`rooms: at rest after ${((Date.now() - rested) / 1000).toFixed(1)} s`);
  others.order({ report: true });
  others.order({ read: true });
  for (const one of ours) await one.run("page.report()");
  await until(() => others.report && ours.every(({ report }) => report), 10_000, "everybody says who is in the room");
  if (!await until(() => others.archive, 120_000, "the room's archive can be read")) throw new Error("no archive");
  for (const one of ours) await one.page.context().close();
  others.end();

  const found = judgeRoom({ ours, others, everybody: [...OURS, ...OTHERS].sort() });
  for (const one of ours) {
    for (const [what, items] of Object.entries(one.found)) (found[what] ??= []).push(...items.map((item) => `${one.user}: ${item}`));
  }
  list(found);
  const sum = (count) => ours.reduce((all, one) => all + count(one), 0);
  return {
    counts: Object.fromEntries(Object.entries(found).map(([what, items]) => [what, items.length])),
    called: sum(({ calls }) => calls.size), received: sum(({ heard }) => heard.length), archived: others.archive.length,
    resumed: sum(({ resumed }) => resumed), rejoined: sum(({ rejoined }) => rejoined),
    faults: ours.map(({ mischief }) => mischief.kinds).reduce((all, kinds) => {
      for (const [kind, count] of Object.entries(kinds)) all[kind] = (all[kind] ?? 0) + count;
      return all;
    }, {}),
    seconds: (Date.now() - begun) / 1000,
  };
}

let result;
await withBrowser(async (browser) => { result = await underTorture(browser); });
finish(result);
