// What became of each message: the page's word against the archive's, and against what the server acknowledged on the wire.

/** Counts stream management (XEP-0198 §4) on the page's sockets by itself: which messages the server took upon itself. */
export class Wire {
  /** The ids of the messages that the server has acknowledged. */
  acknowledged = new Set();
  /** How often each message was written to a socket. */
  written = new Map();
  /** How often the server said of each that it had not handled it, and so was to be sent again (§5). */
  denied = new Map();
  /** The peer's messages, by their numbers: which place each had when it first came by itself, and not from the archive. */
  places = new Map();
  /** In the order of their writing, from the first one not acknowledged; null for what is no message of ours. */
  #pending = [];
  #handled = 0;
  #tracks = false;

  out(text) {
    const kind = /^<([\w:]+)/.exec(text)?.[1];
    if (kind === "enable") [this.#tracks, this.#pending, this.#handled] = [true, [], 0];
    if (!["message", "presence", "iq"].includes(kind)) return;
    const id = kind === "message" ? /\sid=["'](p-\d+)["']/.exec(text.slice(0, text.indexOf(">")))?.[1] ?? null : null;
    if (id) this.written.set(id, (this.written.get(id) ?? 0) + 1);
    if (this.#tracks) this.#pending.push(id);
  }

  in(text) {
    const said = text.startsWith("<message") && !text.includes("<result ") && /<body>b (\d+)<\/body>/.exec(text);
    if (said && !this.places.has(Number(said[1]))) this.places.set(Number(said[1]), this.places.size);
    if (!text.includes("urn:xmpp:sm:3")) return;
    // Along with the end of a login (XEP-0388): the session before goes on, or it is gone, and another one may begin.
    const along = /^<success[\s>]/.test(text);
    const word = (along ? /<(resumed|failed)[\s/>][^>]*/ : /^<(a|resumed|failed)[\s/>][^>]*/).exec(text);
    if (word) this.#word(word[1], /\sh=["'](\d+)["']/.exec(word[0])?.[1]);
    if (along && /<enabled[\s/>]/.test(text)) [this.#tracks, this.#pending, this.#handled] = [true, [], 0];
  }

  #word(kind, h) {
    if (h !== undefined) {
      const handled = (Number(h) - this.#handled) >>> 0;
      if (handled <= this.#pending.length) {
        for (const id of this.#pending.splice(0, handled)) if (id) this.acknowledged.add(id);
        this.#handled = Number(h);
      }
      if (kind !== "a") for (const id of this.#pending) if (id) this.denied.set(id, (this.denied.get(id) ?? 0) + 1);
    }
    // What is left is written again, or belonged to a session that is gone.
    if (kind === "resumed") this.#pending = [];
    if (kind === "failed") [this.#tracks, this.#pending] = [false, []];
  }
}

/**
 * The counts of a run.
 *
 * `calls`: for each message of the page, by its id, the list of its ends. `heard`: the bodies that the page heard, in order.
 * `archives`: the items of both accounts. All that is counted is listed as well.
 */
export function judge({ calls, heard, archives, wire, questions }) {
  const found = { lost: [], doubled: [], disordered: [], unsettled: [], unknown: [], refused: [], twice: [],
    server: [], serverDoubled: [], serverDisordered: [] };
  const bodies = (archive, user, letter) => archive
    .filter(([, from, body]) => from?.startsWith(`${user}@`) && body?.startsWith(`${letter} `))
    .map(([, , body]) => body);
  const numbers = (list) => list.map((body) => Number(body.slice(2)));

  // What the page sent: the archive of whom it was for is the truth.
  const there = numbers(bodies(archives.bob, "alice", "p"));
  const own = new Set(numbers(bodies(archives.alice, "alice", "p")));
  const times = new Map();
  for (const number of there) times.set(number, (times.get(number) ?? 0) + 1);
  for (const [id, ends] of calls) {
    const number = Number(id.slice(2));
    const copies = times.get(number) ?? 0;
    const kinds = ends.map(({ kind }) => kind);
    if (ends.length === 0) found.unsettled.push(id);
    if (ends.length > 1) found.twice.push(`${id} ${kinds.join(" and ")}`);
    if (copies > 1) {
      const [written, denied] = [wire.written.get(id) ?? 0, wire.denied.get(id) ?? 0];
      // Whoever is told that a stanza was not handled has to send it again.
      (written <= 1 + denied ? found.serverDoubled : found.doubled).push(`${id} ${copies} times, written ${written} times, denied ${denied} times`);
    }
    const [end] = ends;
    if (end?.kind === "sent" && copies === 0) {
      const taken = wire.acknowledged.has(id) || own.has(number);
      (taken ? found.server : found.lost).push(id);
    }
    if (end?.kind === "refused" && end.code === "delivery-unknown") found.unknown.push(id);
    if (end?.kind === "refused" && end.code !== "delivery-unknown") {
      if (copies > 0) found.doubled.push(`${id} delivered, though ${end.code}`);
      else found.refused.push(`${id} ${end.code}`);
    }
  }
  for (const [number, largest] of disorder(there)) {
    // A copy that the server made of what it had denied.
    (wire.denied.has(`p-${number}`) && times.get(number) > 1 ? found.serverDisordered : found.disordered).push(`p ${number} behind ${largest}`);
  }

  // What the page heard: its own archive is the truth, order and all.
  const said = numbers(bodies(archives.alice, "bob", "b"));
  const got = numbers(heard.filter((body) => body?.startsWith("b ")));
  const gotTimes = new Map();
  for (const number of got) gotTimes.set(number, (gotTimes.get(number) ?? 0) + 1);
  for (const number of said) {
    if (!gotTimes.has(number)) found.lost.push(`b-${number}`);
  }
  const known = new Set(said);
  for (const [number, copies] of gotTimes) {
    if (copies > 1) found.doubled.push(`b-${number} heard ${copies} times`);
    if (!known.has(number)) found.server.push(`b-${number} heard, and not archived`);
  }
  const place = new Map(said.map((number, at) => [number, at]));
  const first = [...new Set(got)].filter((number) => place.has(number));
  for (const [number, largest] of disorder(first.map((number) => place.get(number))).map((pair) => pair.map((at) => said[at]))) {
    // As the server itself sent them, both of them live.
    const byServer = wire.places.get(largest) < wire.places.get(number);
    (byServer ? found.serverDisordered : found.disordered).push(`b ${number} behind ${largest}`);
  }

  for (const [number, answered] of questions) if (!answered) found.unsettled.push(`question ${number}`);
  return { found, sent: there.length, received: got.length, archived: said.length };
}

/** Each number, at its first place, that comes behind a larger one, and the largest of those. */
function disorder(list) {
  const found = [];
  let largest = -Infinity;
  const seen = new Set();
  for (const number of list) {
    if (seen.has(number)) continue;
    seen.add(number);
    if (number < largest) found.push([number, largest]);
    largest = Math.max(largest, number);
  }
  return found;
}

/** Of numbers: how many, the middle one, and the one that 95 in 100 don't exceed. */
export function spread(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
  return sorted.length === 0 ? { count: 0 } : { count: sorted.length, median: at(0.5), p95: at(0.95), worst: sorted.at(-1) };
}
