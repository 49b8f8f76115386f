// What the features are with other people's software: each row of interop/rows, with a client on a page of headless Chromium,
// real servers, and slixmpp at the other end. Prints a line `ok - …` or `not ok - …` for each, and three numbers for each server:
// how long the page's main thread is kept by a long archive, by a login with a great many contacts, and by a room with a crowd in it.
//
//   STANZAWIRE_INTEROP   JSON: what xtask/src/interop.rs says
//   STANZAWIRE_URL       an empty page, on a server that has the package in /pkg/
//
// and what page.mjs wants. Writes what came of each row, as JSON, to the file that it is told.

import { writeFileSync } from "node:fs";

import { find, text } from "./interop/common.mjs";
import { enter } from "./interop/crowd.mjs";
import { Other } from "./interop/other.mjs";
import { runGroups } from "./interop/run.mjs";
import ground from "./interop/rows/ground.mjs";
import history from "./interop/rows/history.mjs";
import messages from "./interop/rows/messages.mjs";
import people from "./interop/rows/people.mjs";
import roomAdmin from "./interop/rows/room_admin.mjs";
import rooms from "./interop/rows/rooms.mjs";
import { clientPage, longestTask, required, withBrowser } from "./page.mjs";

const config = JSON.parse(required("STANZAWIRE_INTEROP"));
const results = [];
let failed = 0;

await withBrowser(async (browser) => {
  await Promise.all(config.servers.map(async (server) => {
    results.push(...await runGroups([people, messages, history, rooms, roomAdmin, ground], server, { browser, config, only: config.only }));
  }));
  if (config.only && config.only !== "numbers") return;
  const archived = await Promise.all(config.servers.map(longArchive));
  // One after the other, so that nothing else is measured.
  for (const [at, server] of config.servers.entries()) await numbers(browser, server, archived[at]);
});
failed += results.filter(({ result }) => result === "failed").length;
writeFileSync(config.result, JSON.stringify(results));
process.exitCode = failed > 0 ? 1 : 0;

/** Has somebody write to somebody else who is there, so often that their archives are long; how long the server says. */
async function longArchive(server) {
  const log = (user) => Other.start(config.python, { jid: `${user}@localhost`, password: "secret", port: server.c2s });
  const [reader, writer] = await Promise.all([log("reader"), log("writer")]);
  await writer.flood(reader.bare, config.messages);
  await reader.heard("message", (_, body) => body === String(config.messages), 60_000);
  const query = "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>0</max></set></query>";
  const answer = await reader.iq(`<iq xmlns='jabber:client' type='set'>${query}</iq>`);
  await Promise.all([reader.end(), writer.end()]);
  return Number(text(find(answer, "count")));
}

/** What keeps the main thread, and for how long at once. */
async function numbers(browser, server, archived) {
  const open = (user) => clientPage(browser, { jid: `${user}@localhost`, password: "secret", url: server.url, storage: null });
  await measured(`${archived} archived messages`, async () => {
    const page = await open("reader");
    await page.evaluate(async () => {
      await client.connect();
      await client.ping();
      if (!client.archive?.query) throw new Error("the client has no archive.query");
    });
    const result = await longestTask(browser, page, () => page.evaluate(async () => {
      let count = 0;
      for await (const message of client.archive.query({ with: "writer@localhost" })) count += message.body ? 1 : 0;
      return count;
    }));
    await end(page);
    return result;
  }, archived);
  await measured(`a login with ${config.contacts} contacts`, async () => {
    const page = await open("crowd");
    const result = await longestTask(browser, page, () => page.evaluate(async () => {
      await client.connect();
      const { length } = await client.roster.get();
      await client.ping();
      return length;
    }));
    await end(page);
    return result;
  }, config.contacts);
  await measured(`a room with ${config.occupants} occupants`, async () => {
    const room = `crowd@${server.rooms}`;
    const owner = await Other.start(config.python, { jid: "carl@localhost", password: "secret", port: server.c2s });
    await owner.send(`<presence xmlns='jabber:client' to='${room}/Carl'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
    await owner.iq(`<iq xmlns='jabber:client' type='set' to='${room}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`);
    const leave = await enter({ component: server.component, room, count: config.occupants });
    await owner.end();
    const page = await open("reader");
    await page.evaluate(async () => {
      await client.connect();
      await client.ping();
    });
    const result = await longestTask(browser, page, () => page.evaluate(async (room) => {
      const { occupants } = await client.rooms.join(room, { nick: "Reader" });
      return [...occupants.keys()].filter((nick) => /^n\d/.test(nick)).length;
    }, room));
    await end(page);
    await leave();
    return result;
  }, config.occupants);

  async function measured(what, work, expected) {
    try {
      const { value, task, took } = await work();
      if (value !== expected) throw new Error(`${value}, not ${expected}`);
      // A time is printed and fails nothing: it is the machine's as well.
      const verdict = task <= config.bound ? "" : `, over the ${config.bound} ms that are claimed`;
      console.log(`ok - ${server.name}: ${what} in ${(took / 1000).toFixed(2)} s, the main thread kept for ${task.toFixed(1)} ms at most${verdict}`);
    } catch (error) {
      failed += 1;
      console.log(`not ok - ${server.name}: ${what}: ${error?.message ?? error}`);
    }
  }

  async function end(page) {
    await page.evaluate(() => client.disconnect());
    await page.context().close();
  }
}
