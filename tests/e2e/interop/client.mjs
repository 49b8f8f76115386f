// The client of the rows: one of this package, on a page of Chromium, and what it tells.

import { BOUND, packed, unpacked, until } from "./common.mjs";
import { clientPage } from "../page.mjs";

/** What a row can hear. */
const EVENTS = ["message", "presence", "roster", "subscription", "blocking", "pubsub", "nick", "avatar", "receipt", "marker", "chat-state",
  "retraction", "reaction", "room", "displayed", "gap", "status", "error", "sent", "not-sent",
  "invitation", "invitation-declined", "voice-request", "bookmarks"];

/** How many frames are kept for where a row fails. */
const KEPT = 400;

/** Runs in the page: calls the client by names, and carries values across. */
function inPage({ events }) {
  const pack = (value) => {
    if (value instanceof Uint8Array) return { $bytes: btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join("")) };
    if (value instanceof Date) return { $date: value.toISOString() };
    if (value instanceof Error) return failure(value);
    if (value instanceof Map) return pack(Object.fromEntries(value));
    if (value?.occupants instanceof Map) {
      const { jid, nick, status, created, subject, role, affiliation, occupants } = value;
      return pack({ jid, nick, status, created, subject, role, affiliation, occupants: Object.fromEntries(occupants) });
    }
    if (Array.isArray(value)) return value.map(pack);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, pack(each)]));
  };
  const unpack = (value) => {
    if (Array.isArray(value)) return value.map(unpack);
    if (typeof value !== "object" || value === null) return value;
    if (typeof value.$bytes === "string") return Uint8Array.from(atob(value.$bytes), (each) => each.charCodeAt(0));
    if (typeof value.$date === "string") return new Date(value.$date);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpack(each)]));
  };
  const failure = ({ name, message, code, phase, condition, text }) => ({ name, message, code, phase, condition, text });
  const method = (path) => {
    const names = path.split(".");
    const last = names.pop();
    if (names[0] === "room") return (jid, ...args) => client.rooms.get(jid)[last](...args);
    const group = names.reduce((object, name) => object?.[name], client);
    if (typeof group?.[last] !== "function") throw Object.assign(new Error(`the client has no ${path}`), { code: "missing" });
    return (...args) => group[last](...args);
  };
  const settled = async (work) => {
    try {
      return { value: pack(await work()) };
    } catch (error) {
      return { error: failure(error) };
    }
  };
  for (const type of events) client.on(type, (event) => tell({ type, event: pack(event) }));
  client.on("frame", (frame) => tell({ frame }));
  Object.assign(globalThis, {
    ask: (path, args) => settled(() => method(path)(...unpack(args))),
    askAll: (path, args, most) => settled(async () => {
      const items = [];
      for await (const item of method(path)(...unpack(args))) {
        items.push(item);
        if (items.length === most) break;
      }
      return items;
    }),
    room: (jid, field) => pack(client.rooms.get(jid)?.[field] ?? null),
    answer: (match, payload) => {
      globalThis.unhandle = client.handle(match, (iq) => {
        tell({ type: "asked", event: iq });
        return payload;
      });
    },
  });
}

/** Runs in the page before all else: what the package opens can be reached. */
function keepSockets() {
  window.sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      window.sockets.push(this);
    }
  };
}

export class Client {
  /** What it has told, `{ type, event }` each. */
  events = [];
  /** What went over the wire, `-> …` and `<- …`. */
  frames = [];
  #from = 0;
  #framesFrom = 0;

  /** A page with a client that has logged in, unless `connect` is false. */
  static async open(browser, options, { connect = true, sockets = false } = {}) {
    const client = new Client();
    client.bare = options.jid.split("/")[0];
    client.page = await clientPage(browser, options, sockets ? keepSockets : undefined);
    await client.page.exposeFunction("tell", ({ type, event, frame }) => {
      if (frame) {
        client.frames.push(`${frame.direction === "out" ? "->" : "<-"} ${frame.data}`);
        if (client.frames.length > KEPT) client.#framesFrom -= client.frames.splice(0, client.frames.length - KEPT).length;
      } else {
        client.events.push({ type, event: unpacked(event) });
      }
    });
    await client.page.evaluate(inPage, { events: EVENTS });
    if (connect) await client.connect();
    return client;
  }

  async connect() {
    await this.call("connect");
    await this.call("ping");
    this.jid = await this.page.evaluate(() => client.jid);
  }

  /** A row begins: what was before doesn't count. */
  begin() {
    this.#from = this.events.length;
    this.#framesFrom = this.frames.length;
  }

  /** The frames since then. */
  get wire() {
    return this.frames.slice(Math.max(this.#framesFrom, 0));
  }

  /** What `client.PATH(...args)` resolves to. */
  async call(path, ...args) {
    return result(await this.page.evaluate(([path, args]) => ask(path, args), [path, packed(args)]));
  }

  /** A field of a room's object; null where there is none. */
  async room(jid, field) {
    return unpacked(await this.page.evaluate(([jid, field]) => room(jid, field), [jid, field]));
  }

  /** What `client.PATH(...args)` iterates over, no more than `most`. */
  async all(path, ...args) {
    return this.some(Infinity, path, ...args);
  }

  async some(most, path, ...args) {
    return result(await this.page.evaluate(([path, args, most]) => askAll(path, args, most), [path, packed(args), most]));
  }

  /** Has the client answer requests with `payload`. */
  answers(match, payload) {
    return this.page.evaluate(([match, payload]) => answer(match, payload), [match, payload]);
  }

  /** Takes the last one back. */
  answersNoMore() {
    return this.page.evaluate(() => unhandle());
  }

  /** The first event of a kind, since the row began, that passes `test`. */
  async heard(type, test = () => true, bound = BOUND) {
    const find = () => this.events.slice(this.#from).find((each) => each.type === type && test(each.event));
    return (await until(find, `the client hears ${type}`, bound)).event;
  }

  /** The events of a kind since then. */
  heardSoFar(type, test = () => true) {
    return this.events.slice(this.#from).filter((each) => each.type === type && test(each.event)).map(({ event }) => event);
  }

  /** The frame since then that passes `test`. */
  framed(test, what) {
    return until(() => this.wire.find(test), what);
  }

  async end() {
    await this.call("disconnect").catch(() => {});
    await this.page.context().close();
  }
}

function result({ value, error }) {
  if (error) throw Object.assign(new Error(`${error.code ?? error.name}: ${error.message}`), error, { message: `${error.code ?? error.name}: ${error.message}` });
  return unpacked(value);
}
