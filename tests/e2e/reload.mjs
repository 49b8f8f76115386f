// Pages that are left, reloaded and duplicated, in headless Chromium with a real server: their sessions go on, and what was under
// way comes to its end. Prints a line `ok - …`, `not ok - …` or `skipped - …` a check; the exit status is 1 if one failed.
//
//   STANZAWIRE_SERVER  the server's origin
//   STANZAWIRE_SASL2   not empty where the server has SASL2 (XEP-0388)
//
// and what page.mjs wants. The way to the server can be shut, and lose what goes in one direction.

import { required, withBrowser } from "./page.mjs";
import { Way } from "./way.mjs";

/** How long, in ms, each thing may take that is waited for. */
const BOUND = 15_000;
const server = new URL(required("STANZAWIRE_SERVER"));
const empty = required("STANZAWIRE_URL");
/** The server's hosts: with SASL2, and without. */
const HOSTS = ["localhost", "old.localhost"];
/** A story for a server that has SASL2. */
const FAST = "with leave to keep the token, a reload takes one round trip and no password";

function stories(browser, bob) {
  return {
    async "a session goes on after a reload, and contacts see nothing of it"(alice) {
      const before = await bob.count("presence");
      await alice.reload();
      await alice.resumed();
      await alice.says(bob, "here again");
      const seen = await bob.events("presence");
      equal(seen.slice(before).filter(({ from }) => from === alice.jid).length, 0, "presences of the reloaded page");
    },

    async "a session goes on after two reloads on end"(alice) {
      await alice.reload();
      await alice.page.reload();
      await alice.begin();
      await alice.resumed();
      await alice.says(bob, "twice reloaded");
    },

    async "what comes while the page is away is there once and in order"(alice) {
      await alice.page.goto("about:blank");
      for (const body of ["one", "two", "three"]) await bob.send(alice.jid, body);
      await alice.page.goto(empty);
      await alice.begin();
      await alice.resumed();
      await bob.says(alice, "four");
      const bodies = (await alice.events("message")).map(({ body }) => body);
      equal(bodies.join(), "one,two,three,four", "messages");
    },

    async "what was sent without a connection is sent by the next page"(alice, way) {
      way.shut();
      await alice.sees("status", "status", "reconnecting");
      await alice.begins(bob, "in line 1", "in line 2");
      await alice.page.reload();
      way.pass();
      await alice.begin();
      await alice.hears(bob, "in line 1", "in line 2");
    },

    async "what the server has taken without saying so isn't sent again"(alice, way) {
      way.deafen();
      await alice.begins(bob, "taken 1", "taken 2");
      await bob.sees("message", "body", "taken 2");
      await alice.page.reload();
      way.pass();
      await alice.begin();
      await alice.hears(bob, "taken 1", "taken 2");
    },

    async "what was lost on its way is sent again"(alice, way) {
      way.mute();
      await alice.begins(bob, "lost 1", "lost 2");
      await alice.page.reload();
      way.pass();
      await alice.begin();
      await alice.hears(bob, "lost 1", "lost 2");
    },

    async "a message sent in the last moment is heard of"(alice) {
      const [id] = await alice.page.evaluate((to) => {
        const id = crypto.randomUUID();
        // The page that is being left may hear of it yet.
        client.send({ to, id, body: "last moment" }).then(() => sessionStorage.setItem("told", id), () => {});
        location.reload();
        return [id];
      }, bob.jid);
      await alice.page.waitForFunction(() => window.client === undefined, null, { timeout: BOUND, polling: 50 });
      await alice.begin();
      const told = await alice.page.evaluate(() => sessionStorage.getItem("told"));
      if (told !== id) await alice.sees("sent", "id", id);
      equal(await bob.has("last moment"), 1, "times that bob has it");
    },

    async "a duplicated tab gets a session of its own"(alice) {
      const [page] = await Promise.all([
        alice.context.waitForEvent("page"),
        alice.page.evaluate((url) => void open(url), empty),
      ]);
      await page.waitForLoadState();
      const keys = await page.evaluate(() => Object.keys(sessionStorage).length);
      if (keys < 3) throw new Error("the new tab has no copy of what the first one keeps");
      const twin = new Person(alice.context, page, alice.options);
      await twin.begin();
      if (twin.jid === alice.jid) throw new Error("both have the same address");
      equal(await twin.count("resumed"), 0, "sessions resumed by the twin");
      await alice.says(bob, "from the first");
      await twin.says(bob, "from the twin");
      await alice.says(twin, "from one to the other");
      equal(await alice.status(), "online", "the first");
      // Each goes on with its own.
      for (const each of [twin, alice]) {
        await each.reload();
        await each.resumed();
      }
      equal(await twin.status(), "online", "the twin");
      await twin.page.close();
    },

    async [FAST](alice) {
      alice.options = { ...alice.options, keepToken: true };
      await alice.reload();
      // From now on there is a token, and it will do.
      alice.options.password = undefined;
      for (let times = 0; times < 2; times += 1) {
        await alice.reload();
        await alice.resumed();
        const told = await alice.page.evaluate(() => seen.flatMap(({ event, direction, data, status }) =>
          event === "frame" ? [direction + /<(?:\w+:)?([\w-]+)/.exec(data)[1]] : status === "online" ? ["online"] : []));
        const login = told.slice(0, told.indexOf("online") + 1).join(" ");
        equal(login, "outopen outauthenticate inopen infeatures insuccess online", "what comes until it is online");
        const [, { data }] = await alice.events("frame");
        equal(/ mechanism="([^"]+)/.exec(data)[1], "HT-SHA-256-NONE", "the mechanism");
        await alice.says(bob, `in one round trip ${times}`);
      }
    },

    async "who has logged out leaves a line and no session behind"(alice) {
      await alice.page.evaluate(() => client.disconnect());
      const keys = await alice.page.evaluate(() => Object.keys(sessionStorage));
      equal(keys.join(), `stanzawire:${alice.options.jid}`, "keys");
      const { jid } = alice;
      await alice.reload();
      equal(await alice.count("resumed"), 0, "sessions resumed");
      if (alice.jid === jid) throw new Error("the session was taken up again");
    },
  };
}

/** A page with a client. */
class Person {
  #complaints = [];

  constructor(context, page, options) {
    Object.assign(this, { context, page, options });
    page.on("pageerror", (error) => this.#complaints.push(error.message));
  }

  static async come(browser, jid, port) {
    const context = await browser.newContext();
    const url = `ws://localhost:${port}/xmpp-websocket`;
    const reconnect = { minDelay: 50, maxDelay: 200 };
    const options = { jid, password: "secret", url, reconnect };
    const person = new Person(context, await context.newPage(), options);
    await person.page.goto(empty);
    await person.begin();
    return person;
  }

  /** Makes a client and logs in. */
  async begin() {
    this.jid = await this.page.evaluate(async (options) => {
      const { createClient } = await import("/pkg/index.js");
      window.client = await createClient(options);
      window.seen = [];
      for (const type of ["message", "presence", "status", "resumed", "sent", "not-sent", "gap", "error", "frame"]) {
        const code = (error) => error && { error: `${error.code}: ${error.message}` };
        client.on(type, (event) => seen.push({ event: type, ...event, ...code(type === "error" ? event : event.error) }));
      }
      await client.connect();
      // By its answer the server has said what the session can be resumed by.
      await client.ping();
      return client.jid;
    }, this.options);
  }

  async reload() {
    this.before = this.jid;
    await this.page.reload();
    await this.begin();
  }

  events(type) {
    return this.page.evaluate((type) => seen.filter(({ event }) => event === type), type);
  }

  async count(type) {
    return (await this.events(type)).length;
  }

  async has(body) {
    return (await this.events("message")).filter((message) => message.body === body).length;
  }

  status() {
    return this.page.evaluate(() => client.status);
  }

  /** Waits for an event with that value in that field. */
  async sees(type, field, value) {
    const there = ([type, field, value]) => seen.some((one) => one.event === type && one[field] === value);
    await this.page.waitForFunction(there, [type, field, value], { timeout: BOUND, polling: 50 }).catch(() => {
      throw new Error(`no ${type} event with ${field} ${value}`);
    });
  }

  /** An earlier page's session goes on. */
  async resumed() {
    await this.sees("resumed", "restored", true);
    equal(await this.count("resumed"), 1, "resumed events");
    if (this.before) equal(this.jid, this.before, "its address");
  }

  send(to, body) {
    return this.page.evaluate(([to, body]) => client.send({ to, body }).then(() => {}), [to, body]);
  }

  /** Sends a message, which must arrive. */
  async says(other, body) {
    await this.send(other.jid, body);
    await other.sees("message", "body", body);
    equal(await other.has(body), 1, `times that ${body} has come`);
  }

  /** Sends messages, and doesn't wait. Their ids are their bodies. */
  begins(other, ...bodies) {
    return this.page.evaluate(([to, bodies]) => {
      for (const body of bodies) client.send({ to, id: body, body }).catch(() => {});
    }, [other.jid, bodies]);
  }

  /** An earlier page's messages: each has come, once and in order, and so it is told. */
  async hears(other, ...bodies) {
    for (const body of bodies) await this.sees("sent", "id", body);
    const sent = await this.events("sent");
    equal(sent.map(({ id, body }) => `${id}=${body}`).join(), bodies.map((body) => `${body}=${body}`).join(), "sent events");
    equal(await this.count("not-sent"), 0, "not-sent events");
    await this.says(other, `after ${bodies.at(-1)}`);
    const came = (await other.events("message")).map(({ body }) => body);
    equal(came.filter((body) => bodies.includes(body)).join(), bodies.join(), "messages");
  }

  complainsOfNothing() {
    equal(this.#complaints.join(), "", "uncaught errors");
  }
}

function equal(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`);
}

let failed = 0;
async function tell(browser, host) {
  const bob = await Person.come(browser, `bob@${host}`, server.port);
  for (const [story, happens] of Object.entries(stories(browser, bob))) {
    const name = `${host}: ${story}`;
    if (story === FAST && host === HOSTS[1]) continue;
    if (story === FAST && !process.env.STANZAWIRE_SASL2) {
      console.log(`skipped - ${name}: the server has no SASL2`);
      continue;
    }
    const way = await Way.open(server.port);
    const alice = await Person.come(browser, `alice@${host}`, way.port);
    try {
      await happens(alice, way);
      await alice.complainsOfNothing();
      console.log(`ok - ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`not ok - ${name}: ${error.message}`);
      console.log(JSON.stringify(await alice.page.evaluate(() => window.seen).catch(() => null)));
    }
    await alice.context.close();
    way.close();
  }
}

await withBrowser((browser) => Promise.all(HOSTS.map((host) => tell(browser, host))));
process.exitCode = failed > 0 ? 1 : 0;
