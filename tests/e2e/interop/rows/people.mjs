// Contacts, presence, who is blocked, who is who: alice at the page, bob and others by other hands.

import { bareOf, equal, fails, find, ok, text } from "../common.mjs";
import { anywhere, needs } from "../run.mjs";

const BOB = "bob@localhost";
const ALICE = "alice@localhost";
const ROSTER = "RFC 6121 §2";

const PEP = ["http://jabber.org/protocol/pubsub#publish"];

/** Pictures: PNG, one pixel each. */
const [RED, BLUE, GREEN] = [
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGM4IWcDAALUASNyYth2AAAAAElFTkSuQmCC",
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGMQqbgDAAIMAWmDjdkIAAAAAElFTkSuQmCC",
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGOIWqABAAJ6ASNcqOVJAAAAAElFTkSuQmCC",
].map((base64) => Buffer.from(base64, "base64"));

const item = (list, jid) => list.find((each) => each.jid === jid);

export default {
  name: "people",
  user: "alice",
  options: { software: { name: "rows", version: "1.2.3", os: "any" } },
  other: "bob",
  rows: [
    {
      feature: "roster: get, with names and groups", xep: ROSTER, supported: anywhere,
      async run({ client }) {
        const bob = item(await client.call("roster.get"), BOB);
        equal([bob.name, bob.subscription, bob.groups], ["Bob", "both", ["Friends"]]);
      },
    },
    {
      feature: "roster: set and remove, seen by the account's other client", xep: ROSTER, supported: anywhere,
      async run({ client, start }) {
        const own = await start("alice", { priority: -1 });
        const jid = "someone@contacts.example";
        await client.call("roster.set", { jid, name: "Some & One", groups: ["A", "B <2>"] });
        const pushed = await client.heard("roster", (push) => push.jid === jid);
        equal([pushed.name, pushed.groups.toSorted(), pushed.subscription], ["Some & One", ["A", "B <2>"], "none"]);
        await own.heard("roster_update", (_, read) => JSON.stringify([read[jid]?.name, read[jid]?.groups]) === JSON.stringify(["Some & One", ["A", "B <2>"]]));
        await client.call("roster.set", { jid, name: "Someone" });
        await own.heard("roster_update", (_, read) => read[jid]?.name === "Someone" && read[jid].groups.length === 0);
        equal(item(await client.call("roster.get"), jid).name, "Someone");
        await client.call("roster.remove", jid);
        await client.heard("roster", (push) => push.jid === jid && push.subscription === "remove");
        await own.heard("roster_update", (_, read) => read[jid]?.subscription === "remove");
        equal(item(await client.call("roster.get"), jid), undefined);
      },
    },
    {
      feature: "roster: versions", xep: "RFC 6121 §2.6", supported: needs("stream", "rosterver"),
      async run({ client }) {
        await client.call("roster.get");
        await client.call("disconnect");
        client.begin();
        await client.connect();
        const names = (await client.call("roster.get")).map(({ jid }) => jid);
        ok(names.includes(BOB), "the roster is there");
        const asked = await client.framed((frame) => frame.startsWith("->") && frame.includes("jabber:iq:roster"), "the roster is asked for");
        ok(/ ver=["'][^"']+["']/.test(asked), `a version is named: ${asked}`);
        const [, id] = / id=["']([^"']+)["']/.exec(asked);
        const answer = await client.framed((frame) => frame.startsWith("<- <iq") && frame.includes(id), "the server answers");
        ok(!answer.includes("<item"), `the roster isn't sent again: ${answer.slice(0, 300)}`);
      },
    },
    {
      feature: "subscription: a request of ours, and the answer", xep: "RFC 6121 §3", supported: anywhere,
      async run({ client, person }) {
        const carl = await person("carl");
        await client.call("roster.subscribe", carl.bare, { status: "It's alice & me", nick: "Al" });
        const asked = await carl.heard("presence_subscribe", (xml) => bareOf(xml.attrs.from) === ALICE);
        equal(text(find(asked.xml, "status")), "It's alice & me");
        // A server may leave out what it doesn't know.
        const nick = find(asked.xml, "nick", "http://jabber.org/protocol/nick");
        if (nick) equal(text(nick), "Al");
        await client.heard("roster", (push) => push.jid === carl.bare && push.pending);
        await carl.call("send_presence_subscription", { kw: { pto: ALICE, ptype: "subscribed" } });
        await client.heard("roster", (push) => push.jid === carl.bare && push.subscription === "to");
        await client.heard("presence", ({ from, type }) => from === carl.jid && type === undefined);
        await client.call("roster.unsubscribe", carl.bare);
        await carl.heard("presence_unsubscribe", (_, read) => bareOf(read) === ALICE);
        await client.heard("roster", (push) => push.jid === carl.bare && push.subscription === "none");
        await client.call("roster.remove", carl.bare);
      },
    },
    {
      feature: "subscription: a request of others', approved and taken back", xep: "RFC 6121 §3", supported: anywhere,
      async run({ client, person }) {
        const dora = await person("dora");
        await dora.send(`<presence xmlns='jabber:client' to='${ALICE}' type='subscribe'><status>Hello &amp; good day</status><nick xmlns='http://jabber.org/protocol/nick'>Dorothea</nick></presence>`);
        const request = await client.heard("subscription", ({ from }) => from === dora.bare);
        equal(request.status, "Hello & good day");
        await client.heard("presence", ({ from, type }) => bareOf(from) === dora.bare && type === "subscribe");
        await client.call("roster.approve", dora.bare);
        await dora.heard("presence_subscribed", (_, read) => bareOf(read) === ALICE);
        await dora.heard("presence", (xml, [type]) => xml.attrs.from === client.jid && type === "available");
        await client.call("roster.deny", dora.bare);
        await dora.heard("presence_unsubscribed", (_, read) => bareOf(read) === ALICE);
        await client.call("roster.remove", dora.bare).catch(() => {});
      },
    },
    {
      feature: "subscription: a request of others', denied", xep: "RFC 6121 §3", supported: anywhere,
      async run({ client, person }) {
        const dora = await person("dora");
        await dora.send(`<presence xmlns='jabber:client' to='${ALICE}' type='subscribe'/>`);
        await client.heard("subscription", ({ from }) => from === dora.bare);
        await client.call("roster.deny", dora.bare);
        await dora.heard("presence_unsubscribed", (_, read) => bareOf(read) === ALICE);
      },
    },
    {
      feature: "subscription: approved before it is asked for", xep: "RFC 6121 §3.4", supported: needs("stream", "preapproval"),
      async run({ client, person }) {
        const carl = await person("carl");
        await client.call("roster.approve", carl.bare);
        await carl.send(`<presence xmlns='jabber:client' to='${ALICE}' type='subscribe'/>`);
        await carl.heard("presence_subscribed", (_, read) => bareOf(read) === ALICE);
        equal(client.heardSoFar("subscription", ({ from }) => from === carl.bare), []);
        await client.call("roster.deny", carl.bare);
        await client.call("roster.remove", carl.bare).catch(() => {});
      },
    },
    {
      feature: "presence: show, status and priority, both ways", xep: "RFC 6121 §4", supported: anywhere,
      async run({ client, other }) {
        await client.call("setPresence", { show: "dnd", status: "Busy <today>", priority: 5 });
        await other.heard("presence", (xml, read) => xml.attrs.from === client.jid && JSON.stringify(read) === JSON.stringify(["dnd", "Busy <today>", 5]));
        await other.call("send_presence", { kw: { pshow: "away", pstatus: "Tea & cake", ppriority: 3 } });
        const heard = await client.heard("presence", ({ from, show }) => from === other.jid && show === "away");
        equal([heard.status, heard.priority], ["Tea & cake", 3]);
        await other.call("send_presence");
        await client.call("setPresence", {});
      },
    },
    {
      feature: "blocking: block, unblock, pushes", xep: "XEP-0191", supported: needs("domain", "urn:xmpp:blocking"),
      async run({ client, person, start }) {
        const [carl, own] = [await person("carl"), await start("alice", { priority: -1 })];
        equal(await client.call("blocking.get"), []);
        await client.call("blocking.block", carl.bare);
        await client.heard("blocking", ({ type, jids }) => type === "blocked" && jids.includes(carl.bare));
        await own.call("xep_0191.get_blocked");
        equal(await client.call("blocking.get"), [carl.bare]);
        await carl.send(`<message xmlns='jabber:client' to='${ALICE}' type='chat' id='blocked-1'><body>no entry</body></message>`);
        await fails(client.call("send", { to: carl.bare, body: "to one who is blocked" }).then(async ({ id }) => {
          const error = await client.heard("message", (message) => message.type === "error" && message.id === id);
          throw Object.assign(new Error("refused"), { condition: error.error?.condition });
        }), { condition: "not-acceptable" });
        // By another client of the account.
        await own.iq("<iq xmlns='jabber:client' type='set'><block xmlns='urn:xmpp:blocking'><item jid='troll@contacts.example'/></block></iq>");
        await client.heard("blocking", ({ type, jids }) => type === "blocked" && jids.includes("troll@contacts.example"));
        await client.call("blocking.unblock", [carl.bare]);
        await client.heard("blocking", ({ type, jids }) => type === "unblocked" && jids.includes(carl.bare));
        await carl.send(`<message xmlns='jabber:client' to='${client.jid}' type='chat' id='free-1'><body>again</body></message>`);
        await client.heard("message", ({ body }) => body === "again");
        await client.call("blocking.unblock");
        await client.heard("blocking", ({ type, jids }) => type === "unblocked" && jids.length === 0);
        equal(await client.call("blocking.get"), []);
        equal(client.heardSoFar("message", ({ body }) => body === "no entry"), []);
      },
    },
    {
      feature: "last activity of one who has left", xep: "XEP-0012", supported: needs("domain", "jabber:iq:last"),
      async run({ client, start }) {
        const erin = await start("erin");
        await erin.send("<presence xmlns='jabber:client' type='unavailable'><status>Gone &lt;home&gt;</status></presence></stream:stream>");
        const gone = await client.heard("presence", ({ from, type }) => from === erin.jid && type === "unavailable");
        equal(gone.status, "Gone <home>");
        await erin.end();
        const { seconds, status } = await client.call("lastActivity", erin.bare);
        ok(seconds >= 0 && seconds < 20, `${seconds} s`);
        equal(status, "Gone <home>");
      },
    },
    {
      feature: "last activity of one who is there", xep: "XEP-0012", supported: anywhere,
      async run({ client, other }) {
        await other.call("xep_0012.set_last_activity", { kw: { jid: { $jid: other.jid }, seconds: 75, status: "idle" } });
        const { seconds } = await client.call("lastActivity", other.jid);
        ok(seconds >= 75 && seconds < 100, `${seconds} s`);
      },
    },
    {
      feature: "ping, both ways", xep: "XEP-0199", supported: anywhere,
      async run({ client, other }) {
        for (const to of [[other.jid], ["localhost"], []]) {
          const took = await client.call("ping", ...to);
          ok(took >= 0 && took < 5000, `${to}: ${took} ms`);
        }
        const seconds = await other.call("xep_0199.ping", client.jid);
        ok(seconds >= 0 && seconds < 5, `${seconds} s`);
        // Who isn't there.
        await fails(client.call("ping", `${BOB}/nobody`), { code: "stanza-error" });
      },
    },
    {
      feature: "entity time, asked by others", xep: "XEP-0202", supported: anywhere,
      async run({ client, other }) {
        const answer = await other.iq(`<iq xmlns='jabber:client' type='get' to='${client.jid}'><time xmlns='urn:xmpp:time'/></iq>`);
        equal(answer.attrs.type, "result");
        const time = find(answer, "time", "urn:xmpp:time");
        const [utc, tzo] = ["utc", "tzo"].map((name) => text(find(time, name)));
        ok(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(utc) && Math.abs(new Date(utc) - Date.now()) < 5000, `utc ${utc}`);
        const minutes = await client.page.evaluate(() => -new Date().getTimezoneOffset());
        const [, sign, hours, rest] = /^([+-])(\d\d):(\d\d)$/.exec(tzo.replace(/^Z$/, "+00:00"));
        equal(Number(`${sign}1`) * (60 * hours + Number(rest)), minutes, `tzo ${tzo}`);
      },
    },
    {
      feature: "entity time, asked by us", xep: "XEP-0202", supported: needs("domain", "urn:xmpp:time"),
      async run({ client, other }) {
        for (const jid of [other.jid, "localhost"]) {
          const { utc, tzo } = await client.call("entityTime", jid);
          ok(utc instanceof Date && Math.abs(utc - Date.now()) < 5000, `${jid}: ${utc?.toISOString?.()}`);
          ok(/^(Z|[+-]\d\d:\d\d)$/.test(tzo), `tzo ${tzo}`);
        }
      },
    },
    {
      feature: "software version, asked by us", xep: "XEP-0092", supported: anywhere,
      async run({ client, other, server }) {
        equal(await client.call("softwareVersion", other.jid), { name: "by other hands", version: "1.0", os: "any" });
        const { name } = await client.call("softwareVersion", "localhost");
        equal(name.toLowerCase(), server.name.toLowerCase());
      },
    },
    {
      feature: "software version, asked by others", xep: "XEP-0092", supported: anywhere,
      async run({ client, other }) {
        const answer = await other.call("xep_0092.get_version", client.jid);
        equal(["name", "version", "os"].map((name) => text(find(answer, name))), ["rows", "1.2.3", "any"]);
      },
    },
    {
      feature: "nickname, published and heard", xep: "XEP-0172", supported: needs("account", ...PEP),
      async run({ client, other }) {
        await client.call("profiles.setNick", "Al & Ice");
        await other.heard("user_nick_publish", (_, read) => read === "Al & Ice");
        await other.call("xep_0172.publish_nick", "Bobby <3>");
        const heard = await client.heard("nick", ({ from, nick }) => bareOf(from) === BOB && nick === "Bobby <3>");
        ok(heard, "told");
        equal(await client.call("profiles.nick", BOB), "Bobby <3>");
        equal(await client.call("profiles.nick"), "Al & Ice");
        await client.call("profiles.setNick", null);
        equal(await client.call("profiles.nick"), null);
      },
    },
    {
      feature: "vCard, the old kind, read", xep: "XEP-0054", supported: needs("domain", "vcard-temp"),
      async run({ client, server }) {
        const { Other } = await import("../other.mjs");
        const fred = await Other.start(server.python, { jid: "fred@vcards.localhost", password: "secret", port: server.c2s });
        try {
          await fred.iq(`<iq xmlns='jabber:client' type='set'><vCard xmlns='vcard-temp'><FN>Fred &amp; Co</FN><NICKNAME>freddy</NICKNAME>
            <URL>https://fred.example/</URL><EMAIL><INTERNET/><USERID>fred@mail.example</USERID></EMAIL></vCard></iq>`);
          const profile = await client.call("profiles.get", "fred@vcards.localhost");
          const shown = JSON.stringify(profile);
          for (const each of ["Fred & Co", "freddy", "https://fred.example/", "fred@mail.example"]) ok(shown.includes(each), `${each} in ${shown}`);
          equal(profile.source, "vcard-temp");
        } finally {
          await fred.end();
        }
      },
    },
    {
      feature: "vCard4, published and read", xep: "XEP-0292", supported: needs("account", ...PEP),
      async run({ client, other }) {
        const ns = "urn:ietf:params:xml:ns:vcard-4.0";
        const vcard = `<vcard xmlns='${ns}'><fn><text>Robert &lt;Bob&gt;</text></fn><nickname><text>bobby</text></nickname><url><uri>https://bob.example/</uri></url><email><text>bob@mail.example</text></email></vcard>`;
        await other.call("xep_0060.publish", null, "urn:xmpp:vcard4", { kw: { id: "current", payload: { $xml: vcard } } });
        const profile = await client.call("profiles.get", BOB);
        const shown = JSON.stringify(profile);
        for (const each of ["Robert <Bob>", "bobby", "https://bob.example/", "bob@mail.example"]) ok(shown.includes(each), `${each} in ${shown}`);
        equal(profile.source, "vcard4");
        const own = { ...profile };
        delete own.source;
        await client.call("profiles.set", own);
        const read = await other.call("xep_0060.get_items", ALICE, "urn:xmpp:vcard4");
        const published = find(read, "vcard", ns);
        ok(published, `a vCard4 is there: ${JSON.stringify(read)}`);
        equal([text(find(published, "fn")), text(find(published, "nickname")), text(find(published, "url")), text(find(published, "email"))],
          ["Robert <Bob>", "bobby", "https://bob.example/", "bob@mail.example"]);
        const again = await client.call("profiles.get");
        equal(JSON.stringify(again), JSON.stringify(profile));
      },
    },
    {
      feature: "avatar, published", xep: "XEP-0084", supported: needs("account", ...PEP),
      async run({ client, other }) {
        await client.call("profiles.setAvatar", { data: RED, type: "image/png", width: 1, height: 1 });
        const { read: [id] } = await other.heard("avatar_metadata_publish", (xml) => bareOf(xml.attrs.from) === ALICE);
        const answer = await other.call("xep_0084.retrieve_avatar", ALICE, id);
        equal(text(find(answer, "data", "urn:xmpp:avatar:data")).replace(/\s/g, ""), RED.toString("base64"));
        const own = await client.call("profiles.avatar");
        equal([own.id, own.type, own.data], [id, "image/png", RED]);
        await client.call("profiles.removeAvatar");
        await other.heard("avatar_metadata_publish", (xml, read) => bareOf(xml.attrs.from) === ALICE && read.length === 0);
        equal(await client.call("profiles.avatar"), null);
      },
    },
    {
      feature: "avatar, read", xep: "XEP-0084", supported: needs("account", ...PEP),
      async run({ client, other }) {
        const id = await other.call("xep_0084.generate_id", BLUE);
        await other.call("xep_0084.publish_avatar", BLUE);
        await other.call("xep_0084.publish_avatar_metadata", [{ id, type: "image/png", bytes: String(BLUE.length), width: "1", height: "1" }]);
        const told = await client.heard("avatar", (avatar) => bareOf(avatar.from) === BOB && avatar.id === id);
        equal([told.type, told.bytes, told.width, told.height], ["image/png", BLUE.length, 1, 1]);
        const avatar = await client.call("profiles.avatar", BOB);
        equal([avatar.id, avatar.type, avatar.data], [id, "image/png", BLUE]);
      },
    },
    {
      feature: "avatar in a vCard, read", xep: "XEP-0153", supported: needs("domain", "vcard-temp"),
      async run({ client, server }) {
        const { Other } = await import("../other.mjs");
        const fred = await Other.start(server.python, { jid: "fred@vcards.localhost", password: "secret", port: server.c2s });
        try {
          await client.call("roster.subscribe", fred.bare);
          await fred.heard("presence_subscribe");
          await fred.call("send_presence_subscription", { kw: { pto: ALICE, ptype: "subscribed" } });
          await client.heard("roster", (push) => push.jid === fred.bare && push.subscription === "to");
          await fred.call("xep_0153.set_avatar", { kw: { avatar: GREEN, mtype: "image/png" } });
          const id = await fred.call("xep_0084.generate_id", GREEN);
          await client.heard("avatar", (avatar) => bareOf(avatar.from) === fred.bare && avatar.id === id);
          const avatar = await client.call("profiles.avatar", fred.bare);
          equal([avatar.id, avatar.type, avatar.data], [id, "image/png", GREEN]);
          await client.call("roster.remove", fred.bare);
        } finally {
          await fred.end();
        }
      },
    },
  ],
};
