// The client as apps see it: calls, listeners and iterators around an instance of the wasm, which may trap.

import { events, failure, once, signalOf } from "./listening.js";
import { openRooms } from "./rooms.js";

/** What no two clients may hold, where the platform itself has no locks. */
const locked = new Set();

export function isXmppError(value) {
  return typeof value === "object" && value !== null && value.name === "XmppError" && typeof value.code === "string";
}

export class Client {
  #inner;
  #dead;
  #jid;
  #host = { locked, guard: (entry) => (...args) => this.#called(entry, args) };
  /** How to reject what waits for an instance that has trapped. */
  #waiting = new Set();
  #listeners = new Map();
  /** How to end what waits for events, with an error or by a logout. */
  #watching = new Set();
  #ears = { on: (...args) => this.on(...args), watching: this.#watching };

  constructor(make) {
    this.#inner = this.#enter(() => make(this.#host));
    this.#jid = this.jid;
    // What the features can be called, such as `roster.get/0`: with so many arguments, and a `*` where pages answer.
    const calls = this.#enter(() => this.#inner.calls);
    const room = {};
    for (const [, path, name, length, paged] of calls.matchAll(/((?:\w+\.)?(\w+))\/(\d)(\*?)/g)) {
      const all = (args, next) => [...Array.from({ length }, (_, place) => args[place]), next];
      const call = (args, next) => this.#call("im", path, all(args, next), args[length]);
      const [first] = path.split(".");
      // Calls of a room's are on each of them, with its JID in front.
      const group = path === name ? this : first === "room" ? room : (this[first] ??= {});
      group[name] = (...args) => paged ? pages((next) => call(args, next)) : call(args);
    }
    if (this.rooms) openRooms(this, room, this.#watching);
  }

  get jid() {
    // Kept for after a trap.
    if (!this.#dead) this.#jid = this.#enter(() => this.#inner.jid);
    return this.#jid;
  }

  get status() {
    return this.#dead ? "offline" : this.#enter(() => this.#inner.status);
  }
  get location() { return this.#dead ? undefined : this.#enter(() => this.#inner.location); }

  static {
    // The calls that only need a guard.
    for (const name of ["connect", "iq", "sendElement"]) {
      this.prototype[name] = function (...args) { return this.#call(name, ...args); };
    }
    // Engines that have `using` have these symbols; in others nobody can ask for them.
    for (const symbol of [Symbol.dispose, Symbol.asyncDispose]) {
      if (symbol) this.prototype[symbol] = function () { return this.disconnect().catch(() => {}); };
    }
  }

  /** Calls a method that apps don't see. */
  static call(client, ...args) {
    return client.#call(...args);
  }

  async disconnect() {
    // After a trap there is nothing left to log out.
    await this.#call("disconnect").catch((error) => {
      if (!this.#dead) throw error;
    });
    for (const end of [...this.#watching]) end();
  }

  handle(match, answer) {
    const number = this.#enter(() => this.#inner.handle(match, answer));
    return () => {
      if (!this.#dead) this.#enter(() => this.#inner.unhandle(number));
    };
  }

  on(type, listener, options) {
    const signal = signalOf(options);
    if (signal?.aborted) return () => {}; // like addEventListener
    const number = this.#enter(() => this.#inner.on(type, listener));
    this.#listeners.set(number, { type, listener });
    const off = () => {
      if (!this.#listeners.delete(number)) return;
      signal?.removeEventListener("abort", off);
      if (!this.#dead) this.#enter(() => this.#inner.off(number));
    };
    signal?.addEventListener("abort", off);
    return off;
  }

  once(type, options) {
    return once(this.#ears, type, options);
  }

  events(type, options) {
    return events(this.#ears, type, options);
  }

  /** Calls a method that returns a promise. */
  #call(method, ...args) {
    return new Promise((resolve, reject) => {
      const promise = this.#enter(() => this.#inner[method](...args));
      this.#waiting.add(reject);
      promise.finally(() => this.#waiting.delete(reject)).then(resolve, reject);
    });
  }

  /** A way into the wasm on the app's behalf. */
  #enter(entry) {
    if (this.#dead) throw this.#dead;
    try {
      return entry();
    } catch (error) {
      throw isXmppError(error) ? error : this.#trapped(error);
    }
  }

  /** A way into the wasm on the platform's behalf: there is nobody to throw to. */
  #called(entry, args) {
    if (this.#dead) return;
    try {
      return entry(...args);
    } catch (error) {
      this.#trapped(error);
    }
  }

  /** Nothing in the instance can be relied on any more. */
  #trapped(cause) {
    if (this.#dead) return this.#dead;
    const hint = "This is a fault of stanzawire: please report it. Make a new client with createClient().";
    const error = this.#dead = failure("internal", `the client has failed: ${cause?.message ?? cause}`, { hint, cause });
    this.#inner = undefined;
    const { socket, page } = this.#host;
    page?.abort();
    if (socket) {
      socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
      socket.close();
    }
    for (const reject of [...this.#waiting]) reject(error);
    this.#waiting.clear();
    for (const end of [...this.#watching]) end(error);
    const events = { status: { status: "offline", error }, error };
    for (const { type, listener } of this.#listeners.values()) {
      // In a microtask of its own, so that what one throws harms no other, and is told as uncaught.
      if (Object.hasOwn(events, type)) queueMicrotask(() => listener(events[type]));
    }
    this.#listeners.clear();
    return error;
  }
}

/** The items of all pages, each of which is asked for when those of the one before have been taken. */
async function* pages(call) {
  let page;
  do {
    page = await call(page?.next);
    yield* page.items;
  } while (page.next !== undefined);
}
