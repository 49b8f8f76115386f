// Faults, one after the other, and how long a client takes to come back from them.

import { between, config, note, sleep, tell } from "./harness.mjs";
import { spread } from "./judge.mjs";

/** What happens, in some order, and then again: each kind as often as it is here. */
export const BAG = ["cut", "cut", "cut", "reset", "reset", "reset", "freeze", "freeze", "reload", "reload", "delay", "hole", "kill"];

/** One fault after the other, 0.2 to 3 s apart; some of them last longer than that, and overlap with the next. */
export class Mischief {
  count = 0;
  kinds = {};
  #page;
  #outages;
  #reloading;
  #lasting = new Map();
  #bag = [];
  #wire;
  #all;
  // Only the mischief is the same with the same seed: who is how fast isn't.
  #random;

  /** To one page and its wire. `reloading` is called before it is reloaded; the same `seed` does the same. */
  constructor({ page, wire, outages, reloading, seed = config.seed, kinds = BAG }) {
    [this.#page, this.#wire, this.#outages, this.#reloading, this.#all] = [page, wire, outages, reloading, kinds];
    this.#random = mulberry32(seed);
  }

  async next() {
    // As many each time, so that the next ones don't depend on what was under way.
    const [wait, which, long, much] = Array.from({ length: 4 }, this.#random);
    await sleep(between(200, 3000, wait));
    if (this.#bag.length === 0) this.#bag = [...this.#all];
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
      await tell(this.#wire.control, `/${kind}`);
      fault.ended();
    }
  }

  async over() {
    await Promise.all(this.#lasting.values());
  }

  async #last(begin, ms, end) {
    await tell(this.#wire.control, begin);
    await sleep(ms);
    await tell(this.#wire.control, end);
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
export class Outages {
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
