// The client as apps see it: calls, listeners and iterators around an instance of the wasm, which may trap.

import { upload } from "./upload.js";

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

  constructor(make) {
    this.#inner = this.#enter(() => make(this.#host));
    this.#jid = this.jid;
    // What the features can be called, such as `roster.get/0`: with so many arguments, and a `*` where pages answer.
    const calls = this.#enter(() => this.#inner.calls);
    for (const [, path, name, length, paged] of calls.matchAll(/((?:\w+\.)?(\w+))\/(\d)(\*?)/g)) {
      const all = (args, next) => [...Array.from({ length }, (_, place) => args[place]), next];
      const call = (args, next) => this.#call("im", path, all(args, next), args[length]);
      const group = path === name ? this : (this[path.split(".")[0]] ??= {});
      group[name] = (...args) => paged ? pages((next) => call(args, next)) : call(args);
    }
    // The core asks for a place, and the file goes there without it.
    this.files.upload = (file, options) => upload(this.files, file, options);
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
    return new Promise((resolve, reject) => {
      const signal = signalOf(options);
      const timeout = timeoutOf(options);
      throwIfAborted(signal);
      let timer;
      const off = this.on(type, (event) => end(resolve, event));
      const end = (settle, value) => {
        off();
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#watching.delete(fail);
        settle(value);
      };
      const gone = "the client was disconnected before the event came";
      const fail = (error = failure("offline", gone)) => end(reject, error);
      const abort = () => fail(aborted(signal));
      signal?.addEventListener("abort", abort);
      this.#watching.add(fail);
      if (timeout !== undefined) {
        const late = failure("timeout", `no ${type} event came in time`, { retryable: true });
        timer = setTimeout(fail, Math.min(timeout, 2 ** 31 - 1), late);
      }
    });
  }

  events(type, options) {
    const signal = signalOf(options);
    const items = [];
    const takers = [];
    let ended = false;
    let problem;
    const off = this.on(type, (value) => {
      const taker = takers.shift();
      if (taker) taker.resolve({ value, done: false });
      else items.push(value);
    }, options);
    const next = () => {
      if (items.length > 0) return Promise.resolve({ value: items.shift(), done: false });
      if (!ended) return new Promise((resolve, reject) => takers.push({ resolve, reject }));
      const error = problem;
      problem = undefined;
      return error ? Promise.reject(error) : Promise.resolve({ value: undefined, done: true });
    };
    const end = (error) => {
      if (ended) return;
      ended = true;
      problem = error;
      off();
      signal?.removeEventListener("abort", abort);
      this.#watching.delete(end);
      if (error) items.length = 0;
      for (const taker of takers.splice(0)) next().then(taker.resolve, taker.reject);
    };
    const abort = () => end(aborted(signal));
    signal?.addEventListener("abort", abort);
    this.#watching.add(end);
    if (signal?.aborted) abort();
    return {
      next,
      return: (value) => {
        end();
        items.length = 0;
        problem = undefined;
        return Promise.resolve({ value, done: true });
      },
      [Symbol.asyncIterator]() { return this; },
    };
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

export function signalOf(options) {
  const signal = field(options, "signal");
  if (signal !== undefined && typeof signal.addEventListener !== "function") {
    throw failure("invalid-argument", "`signal` must be an AbortSignal");
  }
  return signal;
}

/** A field of the app's object, whose getters may throw. */
export function field(options, name) {
  try {
    return options?.[name] ?? undefined;
  } catch (cause) {
    throw failure("invalid-argument", `\`${name}\` cannot be read`, { cause });
  }
}

export function timeoutOf(options) {
  const timeout = field(options, "timeout");
  if (timeout === undefined || (typeof timeout === "number" && timeout >= 0)) return timeout;
  throw failure("invalid-argument", "`timeout` must be a number, and not below 0");
}

export function throwIfAborted(signal) {
  if (signal?.aborted) throw aborted(signal);
}

export function aborted(signal) {
  return failure("aborted", "the call was aborted", { cause: signal.reason });
}

/** An XmppError of the façade's own. */
export function failure(code, message, { retryable = false, hint, cause } = {}) {
  const error = Object.assign(new Error(message), { name: "XmppError", code, phase: "session", retryable });
  error.hint = hint ?? "The message says what is wrong, and `cause`, where there is one, why.";
  if (cause !== undefined) error.cause = cause;
  return error;
}
