// Rooms as apps see them: each a mirror of what the core tells of it, by `room` events that name it.

import { events, once, signalOf } from "./listening.js";

/** What is held for want of a listener, and how much of each. Beyond that the oldest go. */
const HELD = { message: 1000, "private-message": 1000, retraction: 1000, reaction: 1000, moderation: 1000 };

export class Room {
  #told = { status: "joining", nick: "", created: false };
  #occupants = new Map();
  #listeners = new Map();
  #held = new Map();
  #ears;

  constructor(jid, calls, watching) {
    Object.defineProperty(this, "jid", { value: jid, enumerable: true });
    this.#ears = { on: (...args) => this.on(...args), watching };
    for (const [name, call] of Object.entries(calls)) this[name] = (...args) => call(jid, ...args);
  }

  get status() { return this.#told.status; }
  get nick() { return this.#told.nick; }
  get created() { return this.#told.created; }
  get subject() { return this.#told.subject; }
  get occupants() { return this.#occupants; }
  get self() { return this.#occupants.get(this.nick); }
  get role() { return this.self?.role ?? "none"; }
  get affiliation() { return this.self?.affiliation ?? "none"; }

  on(type, listener, options) {
    const signal = signalOf(options);
    if (signal?.aborted) return () => {};
    const entry = { listener };
    const all = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, all.add(entry));
    const off = () => {
      all.delete(entry);
      signal?.removeEventListener("abort", off);
    };
    signal?.addEventListener("abort", off);
    // What was held comes before anything newer, but not before `on` has returned.
    if (this.#held.has(type)) queueMicrotask(() => this.#release(type));
    return off;
  }

  once(type, options) {
    return once(this.#ears, type, options);
  }

  events(type, options) {
    return events(this.#ears, type, options);
  }

  /** The core has told something of the room. */
  static tell(room, event) {
    room.#mirror(event);
    room.#tell(event.kind, event.message ?? event);
  }

  #mirror({ kind, status, nick, created, occupants, subject, change, occupant, previous }) {
    const told = this.#told;
    if (kind === "status") {
      Object.assign(told, { status, nick, created: created ?? false });
      if (status === "joined") [this.#occupants, told.subject] = [new Map(occupants.map((each) => [each.nick, each])), subject];
      if (status === "left") this.#occupants = new Map();
    } else if (kind === "subject") {
      told.subject = subject;
    } else if (kind === "occupant") {
      if (previous !== undefined) this.#occupants.delete(previous);
      if (change === "left") this.#occupants.delete(occupant.nick);
      else this.#occupants.set(occupant.nick, occupant);
      if (occupant.self) told.nick = occupant.nick;
    }
  }

  #tell(type, event) {
    const held = this.#held.get(type);
    if (held || (HELD[type] && !this.#listeners.get(type)?.size)) {
      const all = held ?? [];
      this.#held.set(type, all);
      if (all.push(event) > HELD[type]) all.shift();
      return;
    }
    for (const entry of [...this.#listeners.get(type) ?? []]) {
      // One that was taken away by another meanwhile isn't called any more.
      if (!this.#listeners.get(type).has(entry)) continue;
      try {
        entry.listener(event);
      } catch (error) {
        queueMicrotask(() => { throw error; });
      }
    }
  }

  #release(type) {
    if (!this.#listeners.get(type)?.size) return;
    const held = this.#held.get(type) ?? [];
    this.#held.delete(type);
    for (const event of held) this.#tell(type, event);
  }
}

/** Makes `client.rooms` of the calls that it has, and rooms with `calls` of theirs. */
export function openRooms(client, calls, watching) {
  const all = new Map();
  const of = (jid) => all.get(jid) ?? all.set(jid, new Room(jid, calls, watching)).get(jid);
  client.on("room", (event) => Room.tell(of(event.room), event));
  const { rooms } = client;
  const isIn = (room) => room && room.status !== "left";
  for (const name of ["join", "create"]) {
    const call = rooms[name];
    // Their options are those of the call as well.
    if (call) rooms[name] = async (jid, options) => of((await call(jid, options, options)).room);
  }
  rooms.get = (jid) => [all.get(jid), all.get(jid.toLowerCase())].find(isIn);
  rooms[Symbol.iterator] = () => [...all.values()].filter(isIn).values();
}
