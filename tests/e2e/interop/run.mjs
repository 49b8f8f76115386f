// Runs the rows against one server, group after group, and says what came of each.

import { Client } from "./client.mjs";
import { children, find, Unsupported } from "./common.mjs";
import { Other } from "./other.mjs";

/** How long, in ms, a row may take. */
const BOUND = 40_000;

/**
 * A group: `{ name, user, options, other, rows }`. `user` is at the page, with a client made with `options`, and `other` is who they
 * talk to. A row: `{ feature, xep, supported, run }`, see below.
 */
export async function runGroups(groups, server, { browser, config, only }) {
  const start = (user, more = {}) => Other.start(config.python, { jid: `${user}@localhost`, password: "secret", port: server.c2s, ...more });
  const disco = await discover(server, start);
  const results = [];
  for (const group of groups) {
    const rows = group.rows.filter(({ feature, xep }) => !only || `${group.name} ${feature} ${xep}`.includes(only));
    if (rows.length > 0) results.push(...await runGroup({ ...group, rows }, server, { browser, disco, start }));
  }
  return results;
}

async function runGroup({ name, user, options, other: friend, rows }, server, { browser, disco, start }) {
  const people = new Map();
  /** Another person's client by other hands, kept for the group. */
  const person = async (who, more) => {
    const key = `${who} ${JSON.stringify(more ?? {})}`;
    if (!people.has(key)) people.set(key, start(who, more));
    return people.get(key);
  };
  const open = (who, more, how) => Client.open(browser, { jid: `${who}@localhost`, password: "secret", url: server.url, ...more }, how);
  const results = [];
  let client;
  const report = (row, result, why) => {
    const mark = { passed: "ok", failed: "not ok", unsupported: "ok" }[result];
    console.log(`${mark} - ${server.name}: ${row.feature} (${row.xep})${result === "unsupported" ? `: unsupported, ${why}` : ""}`);
    results.push({ server: server.name, group: name, feature: row.feature, xep: row.xep, result, ...(why ? { why } : {}) });
  };
  try {
    const [opened, other] = await Promise.all([open(user, options), person(friend)]);
    client = opened;
    for (const row of rows) {
      const supported = row.supported(disco);
      if (supported !== true) {
        report(row, "unsupported", supported);
        continue;
      }
      for (const each of [client, ...await Promise.all(people.values())]) each.begin();
      const passing = new Set();
      /** One that ends with the row: a client of this package or by other hands. */
      const passer = async (made) => {
        const made_ = await made;
        passing.add(made_);
        return made_;
      };
      const hands = {
        client, other, server, disco,
        person: (who, more) => person(who, more),
        open: (who, more, how) => passer(open(who, more, how)),
        start: (who, more) => passer(start(who, more)),
      };
      try {
        const late = new Promise((_, reject) => setTimeout(reject, BOUND, new Error(`it takes longer than ${BOUND / 1000} s`)).unref());
        await Promise.race([row.run(hands), late]);
        report(row, "passed");
      } catch (error) {
        const why = error instanceof Unsupported ? `unsupported, though the server says that it isn't: ${error.message}` : String(error?.message ?? error);
        report(row, "failed", why);
        const wire = [client, ...passing].filter((each) => each.wire).flatMap((each) => each.wire.slice(-40));
        console.log(`${error?.stack ?? error}\n${wire.map((frame) => frame.slice(0, 1500)).join("\n")}`.replace(/^/gm, "    "));
      }
      await Promise.all([...passing].map((each) => each.end()));
      // A row that has lost the connection leaves it to the next one.
      if (await client.page.evaluate(() => window.client.status) === "offline") await client.connect();
    }
  } catch (error) {
    report({ feature: `the group ${name}`, xep: "login" }, "failed", String(error?.message ?? error));
    console.log(String(error?.stack ?? error).replace(/^/gm, "    "));
  } finally {
    const left = await Promise.allSettled(people.values());
    await Promise.all([client?.end(), ...left.map(({ value }) => value?.end())]);
  }
  return results;
}

/** What the server says of itself, to somebody else: the features of its domain, of an account, of its services, of a room and of its streams. */
async function discover(server, start) {
  const other = await start("carl");
  const of = async (jid) => {
    const answer = await other.iq(`<iq xmlns='jabber:client' type='get' to='${jid}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`);
    return new Set(children(find(answer, "query"), "feature").map(({ attrs }) => attrs.var));
  };
  const room = `any@${server.rooms}`;
  await other.send(`<presence xmlns='jabber:client' to='${room}/carl'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
  await other.iq(`<iq xmlns='jabber:client' type='set' to='${room}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`);
  const found = await Promise.all(["localhost", other.bare, server.pubsub, server.rooms, room].map(of));
  const disco = Object.fromEntries(["domain", "account", "pubsub", "rooms", "room"].map((name, at) => [name, found[at]]));
  disco.stream = new Set(other.features);
  await other.end();
  return disco;
}

/** For `supported`: that all these features are listed there. */
export const needs = (where, ...features) => (disco) => {
  const missing = features.filter((feature) => !disco[where].has(feature));
  const whose = { domain: "the server's", account: "an account's", pubsub: "the pubsub service's", rooms: "the service of rooms'", room: "a room's",
    stream: "the stream's" }[where];
  return missing.length === 0 || `${whose} features lack ${missing.map((feature) => `\`${feature}\``).join(", ")}`;
};

/** For `supported`: that nothing is needed of the server but to carry it. */
export const anywhere = () => true;
