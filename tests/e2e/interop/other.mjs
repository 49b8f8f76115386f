// The other person: other.py, a process of its own, and what it says.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { packed, until, unpacked } from "./common.mjs";

const SCRIPT = fileURLToPath(new URL("other.py", import.meta.url));

export class Other {
  /** What it has told, `{ event, xml, read }` each. */
  events = [];
  #process;
  #waiting = new Map();
  #last = 0;
  #from = 0;
  #ended;

  /** Logs in, and resolves when it is online and has said so to its contacts. */
  static start(python, settings) {
    return new Promise((resolve, reject) => {
      const other = new Other();
      other.#process = spawn(python, [SCRIPT, JSON.stringify(settings)], { stdio: ["pipe", "pipe", "inherit"] });
      other.#ended = new Promise((done) => other.#process.once("close", done));
      other.#process.stdin.on("error", () => {});
      createInterface({ input: other.#process.stdout }).on("line", (line) => {
        const said = JSON.parse(line);
        if (said.online) {
          [other.jid, other.bare, other.features] = [said.online, said.online.split("/")[0], said.features];
          resolve(other);
        } else if (said.event) {
          other.events.push({ ...said, read: unpacked(said.read) });
        } else {
          const { settle, fail } = other.#waiting.get(said.id);
          other.#waiting.delete(said.id);
          if (said.error) fail(Object.assign(new Error(`slixmpp: ${said.error}`), { condition: said.error, xml: said.xml }));
          else settle(unpacked(said.value));
        }
      });
      other.#ended.then(() => {
        const gone = new Error(`slixmpp has ended: ${settings.jid}`);
        reject(gone);
        for (const { fail } of other.#waiting.values()) fail(gone);
      });
    });
  }

  /** A row begins: what was before doesn't count. */
  begin() {
    this.#from = this.events.length;
  }

  /** Calls a method of slixmpp's: `"xep_0092.get_version"`, or one of the client's own. A last object `{ kw }` has those with names. */
  call(path, ...args) {
    const { kw } = args.at(-1)?.kw ? args.pop() : { kw: {} };
    return this.#order({ call: path.split("."), args: packed(args), kw: packed(kw) });
  }

  /** A stanza as it is. */
  send(xml) {
    return this.#order({ send: xml });
  }

  /** An iq as it is, and its answer: a tree, also of an error. */
  iq(xml) {
    return this.#order({ iq: xml });
  }

  /** What is to be had at an address: `{ status, type, bytes }`. */
  fetch(url) {
    return this.#order({ fetch: url });
  }

  flood(to, count) {
    return this.#order({ flood: to, count });
  }

  #order(order) {
    return new Promise((settle, fail) => {
      const id = this.#last += 1;
      this.#waiting.set(id, { settle, fail });
      this.#process.stdin.write(`${JSON.stringify({ id, ...order })}\n`);
    });
  }

  /** The first event of a name, since the row began, that passes `test`, which gets the tree and what slixmpp reads in it. */
  heard(event, test = () => true, bound) {
    const find = () => this.events.slice(this.#from).find((each) => each.event === event && test(each.xml, each.read));
    return until(find, `slixmpp hears ${event}`, bound);
  }

  /** The same of those that are there. */
  all(event, test = () => true) {
    return this.events.slice(this.#from).filter((each) => each.event === event && test(each.xml, each.read));
  }

  async end() {
    this.#process.stdin.end();
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 5000);
    await this.#ended;
    clearTimeout(late);
  }
}
