// What was, and what the account's other clients do: ada at the page, bert by other hands.

import { equal, fails, find, ok, sleep, text, until } from "../common.mjs";
import { needs } from "../run.mjs";

const ADA = "ada@localhost";
const BERT = "bert@localhost";
const MAM = "urn:xmpp:mam:2";
const MESSAGES = 24;
/** More than a client that knows nothing of the archive reads back. */
const FLOOD = 120;

const archived = needs("account", MAM);
const extended = needs("account", MAM, "urn:xmpp:mam:2#extended");

const bodies = (messages) => messages.map(({ body }) => body);

/** What was written both ways, once for each client: the archive's messages, oldest first. */
const written = new WeakMap();
function conversation({ client, other }) {
  if (!written.has(client)) written.set(client, write(client, other));
  return written.get(client);
}

async function write(client, other) {
  for (let number = 1; number <= MESSAGES; number += 1) {
    if (number % 2) {
      await client.call("send", { to: BERT, body: `line ${number}` });
    } else {
      await other.send(`<message xmlns='jabber:client' to='${ADA}' type='chat' id='line-${number}'><body>line ${number}</body></message>`);
      await client.heard("message", ({ body }) => body === `line ${number}`);
    }
    // Some servers know whole seconds.
    if (number === 10 || number === 19) await sleep(1200);
  }
  // A server may be done with a message before its archive is.
  return until(async () => {
    const all = await client.all("archive.query", { with: BERT });
    return all.filter(({ body }) => /^line \d+$/.test(body)).length >= MESSAGES && all;
  }, `${MESSAGES} messages in the archive`);
}

const lines = Array.from({ length: MESSAGES }, (_, at) => `line ${at + 1}`);

export default {
  name: "history",
  user: "ada",
  options: {},
  other: "bert",
  rows: [
    {
      feature: "carbons: what the account's other client sends and gets", xep: "XEP-0280", supported: needs("domain", "urn:xmpp:carbons:2"),
      async run({ client, other, start }) {
        const own = await start("ada");
        await own.call("xep_0280.enable");
        const { id } = await client.call("send", { to: other.jid, body: "from the page" });
        await own.heard("carbon_sent", (_, read) => read === "from the page");
        await own.send(`<message xmlns='jabber:client' to='${other.jid}' type='chat' id='own-1'><body>by other hands</body></message>`);
        const sent = await client.heard("message", ({ body }) => body === "by other hands");
        equal([sent.carbon, sent.from, sent.to], ["sent", own.jid, other.jid]);
        await other.send(`<message xmlns='jabber:client' to='${own.jid}' type='chat' id='bert-1'><body>for the other one</body></message>`);
        const received = await client.heard("message", ({ body }) => body === "for the other one");
        equal([received.carbon, received.from, received.to], ["received", other.jid, own.jid]);
        // From anybody else it is none.
        await other.send(`<message xmlns='jabber:client' to='${client.jid}' type='chat'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='${ADA}' to='${BERT}' type='chat'><body>forged</body></message></forwarded></sent></message>`);
        await other.send(`<message xmlns='jabber:client' to='${client.jid}' type='chat'><body>behind it</body></message>`);
        await client.heard("message", ({ body }) => body === "behind it");
        equal(client.heardSoFar("message", ({ body, id: each }) => body === "forged" || each === id), []);
      },
    },
    {
      feature: "carbons: not for what is private", xep: "XEP-0280", supported: needs("domain", "urn:xmpp:carbons:2"),
      async run({ client, other, start }) {
        const own = await start("ada");
        await own.send(`<message xmlns='jabber:client' to='${other.jid}' type='chat'><body>between us</body><private xmlns='urn:xmpp:carbons:2'/><no-copy xmlns='urn:xmpp:hints'/></message>`);
        await own.send(`<message xmlns='jabber:client' to='${other.jid}' type='chat'><body>for all to see</body></message>`);
        await client.heard("message", ({ body }) => body === "for all to see");
        equal(client.heardSoFar("message", ({ body }) => body === "between us"), []);
      },
    },
    {
      feature: "archive: what the account's other client has sent meanwhile", xep: "XEP-0313", supported: archived,
      async run({ client, other, open, start }) {
        const own = await start("ada", { priority: -1 });
        const page = await open("ada", { storage: null });
        await page.call("send", { to: BERT, body: "by this client" });
        await other.send(`<message xmlns='jabber:client' to='${ADA}' type='chat' id='before'><body>before</body></message>`);
        await page.heard("message", ({ id }) => id === "before");
        await page.call("send", { to: BERT, body: "by this client, too" });
        await page.call("disconnect");
        await own.send(`<message xmlns='jabber:client' to='${BERT}' type='chat' id='meanwhile'><body>meanwhile</body></message>`);
        await other.heard("message", (_, read) => read === "meanwhile");
        await other.send(`<message xmlns='jabber:client' to='${ADA}' type='chat' id='behind'><body>behind it</body></message>`);
        await client.heard("message", ({ id }) => id === "behind"); // and so it is in the archive, or about to be
        await page.connect();
        await page.heard("message", ({ id }) => id === "behind");
        const told = page.heardSoFar("message", ({ body }) => ["by this client", "by this client, too", "meanwhile", "behind it"].includes(body));
        equal(told.map(({ body, carbon, from }) => [body, carbon, from]), [["meanwhile", "sent", own.jid], ["behind it", undefined, other.jid]]);
        ok(told[0].stanzaId && told[0].delay instanceof Date, "which, and when");
      },
    },
    {
      feature: "archive: oldest first, and newest first", xep: "XEP-0313", supported: archived,
      async run(hands) {
        await conversation(hands);
        const { client } = hands;
        const ours = (messages) => bodies(messages).filter((body) => /^line/.test(body));
        equal(ours(await client.all("archive.query", { with: BERT })), lines);
        equal(ours(await client.all("archive.query", { with: BERT, page: 5 })), lines, "in pages of 5");
        equal(ours(await client.all("archive.query", { with: BERT, order: "newest", page: 7 })), lines.toReversed(), "newest first");
        equal(bodies(await client.some(3, "archive.query", { with: BERT, order: "newest" })), lines.slice(-3).toReversed(), "the last three");
        const [message] = (await client.all("archive.query", { with: BERT })).filter(({ body }) => body === "line 2");
        ok(message.stanzaId && message.delay instanceof Date && Math.abs(message.delay - Date.now()) < 120_000, `when and which: ${JSON.stringify(message)}`);
        equal(message.from.split("/")[0], BERT);
      },
    },
    {
      feature: "archive: filters by who, when and place", xep: "XEP-0313", supported: archived,
      async run(hands) {
        const all = (await conversation(hands)).filter(({ body }) => /^line/.test(body));
        const { client } = hands;
        equal(bodies(await client.all("archive.query", { with: "nobody@localhost" })), []);
        const [tenth, twentieth] = [all[9], all[19]];
        equal(bodies(await client.all("archive.query", { with: BERT, after: twentieth.stanzaId })), lines.slice(20), "after");
        const before = bodies(await client.all("archive.query", { with: BERT, before: tenth.stanzaId, order: "newest", page: 4 })).filter((body) => /^line/.test(body));
        equal(before, lines.slice(0, 9).toReversed(), "before");
        const between = async (times) => bodies(await client.all("archive.query", { with: BERT, ...times })).filter((body) => /^line/.test(body));
        const end = new Date(tenth.delay.getTime() + 1000);
        equal(await between({ start: twentieth.delay }), lines.slice(19), "since");
        equal(await between({ end }), lines.slice(0, 10), "until");
        equal(await between({ start: new Date(end.getTime() + 1), end: new Date(twentieth.delay.getTime() - 100) }), lines.slice(10, 19), "between");
        equal(bodies(await client.all("archive.query", { with: BERT, start: new Date(Date.now() + 3_600_000) })), [], "in an hour");
      },
    },
    {
      feature: "archive: what is between two places, both ways", xep: "XEP-0313 §4.1.3", supported: extended,
      async run(hands) {
        const all = (await conversation(hands)).filter(({ body }) => /^line/.test(body));
        const between = { with: BERT, after: all[4].stanzaId, before: all[12].stanzaId, page: 3 };
        equal(bodies(await hands.client.all("archive.query", between)), lines.slice(5, 12));
        equal(bodies(await hands.client.all("archive.query", { ...between, order: "newest" })), lines.slice(5, 12).toReversed());
        await fails(hands.client.all("archive.query", { with: BERT, after: "no-such-place" }), { code: "stanza-error", condition: "item-not-found" });
      },
    },
    {
      feature: "archive: entries by their ids", xep: "XEP-0313 §4.1.4", supported: extended,
      async run(hands) {
        const all = (await conversation(hands)).filter(({ body }) => /^line/.test(body));
        const ids = [all[3], all[7]].map(({ stanzaId }) => stanzaId);
        equal(bodies(await hands.client.all("archive.query", { ids })), ["line 4", "line 8"]);
      },
    },
    {
      feature: "archive: where it begins and ends", xep: "XEP-0313 §5", supported: extended,
      async run(hands) {
        await conversation(hands);
        const { start, end } = await hands.client.call("archive.metadata");
        const all = await hands.client.all("archive.query", {});
        equal([start.id, end.id], [all[0].stanzaId, all.at(-1).stanzaId]);
        ok(start.date instanceof Date && start.date <= end.date, "in order");
      },
    },
    {
      feature: "archive: preferences", xep: "XEP-0441", supported: archived,
      async run({ client, other }) {
        const before = await client.call("archive.preferences");
        ok(["always", "never", "roster"].includes(before.default), `default: ${before.default}`);
        await client.call("archive.setPreferences", { default: "roster", always: [BERT], never: ["troll@contacts.example"] });
        equal(await client.call("archive.preferences"), { default: "roster", always: [BERT], never: ["troll@contacts.example"] });
        await client.call("archive.setPreferences", { ...before });
        equal(await client.call("archive.preferences"), before);
        ok(other, "there");
      },
    },
    {
      feature: "archive: a gap, filled", xep: "XEP-0313", supported: archived,
      async run({ client, other, open }) {
        await other.flood(ADA, FLOOD);
        await client.heard("message", ({ body }) => body === String(FLOOD), 20_000);
        // One that knows nothing of the archive.
        const fresh = await open("ada", { storage: null, resource: "fresh" });
        const gap = await fresh.heard("gap", () => true, 15_000).catch(() => undefined);
        if (gap) {
          const first = await fresh.heard("message", ({ stanzaId }) => stanzaId === gap.before);
          const missing = await fresh.all("archive.fill", gap);
          const numbers = missing.filter(({ id }) => id?.startsWith("flood-")).map(({ body }) => Number(body));
          equal(numbers, Array.from({ length: Number(first.body) - 1 }, (_, at) => at + 1), "what was left out");
          ok(!missing.some(({ stanzaId }) => stanzaId === gap.before), "up to the first that is known");
        } else {
          // A server that keeps what comes while nobody is there leaves none: it is said by hand.
          const all = await fresh.all("archive.query", { with: BERT });
          const [after, before] = [all.at(-20), all.at(-10)];
          const missing = await fresh.all("archive.fill", { after: after.stanzaId, before: before.stanzaId });
          equal(missing.map(({ stanzaId }) => stanzaId), all.slice(-19, -10).map(({ stanzaId }) => stanzaId));
        }
      },
    },
    {
      feature: "displayed, for the account's other clients", xep: "XEP-0490", supported: needs("account", "http://jabber.org/protocol/pubsub#publish-options"),
      async run({ client, other, start }) {
        await other.send(`<message xmlns='jabber:client' to='${ADA}' type='chat' id='shown-1'><body>read me</body><markable xmlns='urn:xmpp:chat-markers:0'/></message>`);
        const message = await client.heard("message", ({ id }) => id === "shown-1");
        await client.call("markDisplayed", message);
        const own = await start("ada", { priority: -1 });
        const item = await until(async () => {
          const answer = await own.call("xep_0060.get_items", null, "urn:xmpp:mds:displayed:0").catch(() => undefined);
          const found = answer && find(answer, "item");
          return found && found.attrs.id === BERT && found;
        }, "an item of it");
        const { id, by } = find(item, "stanza-id", "urn:xmpp:sid:0").attrs;
        equal([id, by], [message.stanzaId, ADA]);
        ok((await client.call("displayed.get")).some((each) => each.with === BERT && each.stanzaId === message.stanzaId), "told by get");
        // By another client of the account.
        const payload = `<displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='${ADA}' id='later-1'/></displayed>`;
        await own.call("xep_0060.publish", null, "urn:xmpp:mds:displayed:0", { kw: { id: BERT, payload: { $xml: payload } } });
        const told = await client.heard("displayed", (event) => event.stanzaId === "later-1");
        equal(told.with, BERT);
        ok(text(item) === "", "nothing else in it");
      },
    },
  ],
};
