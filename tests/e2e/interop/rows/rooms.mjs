// Rooms: rosa at the page, rick by other hands, and a room of rick's for each row.

import { equal, fails, find, ok, text, until } from "../common.mjs";
import { anywhere, needs } from "../run.mjs";

const MUC = "http://jabber.org/protocol/muc";
const USER = `${MUC}#user`;

const muc = needs("rooms", MUC);
const presence = (room, nick, more = "") =>
  `<presence xmlns='jabber:client' to='${room}/${nick}'${more || `><x xmlns='${MUC}'><history maxstanzas='0'/></x></presence>`}`;
const gone = " type='unavailable'/>";
const groupchat = (room, id, content) => `<message xmlns='jabber:client' type='groupchat' to='${room}' id='${id}'>${content}</message>`;

const configure = (other, room, fields = {}) => {
  const all = Object.entries(fields).map(([name, value]) => `<field var='muc#roomconfig_${name}'><value>${value}</value></field>`);
  const form = fields && all.length > 0 ? `<field var='FORM_TYPE'><value>${MUC}#roomconfig</value></field>${all.join("")}` : "";
  return other.iq(`<iq xmlns='jabber:client' type='set' to='${room}'><query xmlns='${MUC}#owner'><x xmlns='jabber:x:data' type='submit'>${form}</x></query></iq>`);
};

const administer = (other, room, item) =>
  other.iq(`<iq xmlns='jabber:client' type='set' to='${room}'><query xmlns='${MUC}#admin'>${item}</query></iq>`);

/** Whether somebody by other hands is in the room. */
const isIn = (other, room, nick) => until(async () => {
  const answer = await other.iq(`<iq xmlns='jabber:client' type='get' to='${room}/${nick}'><ping xmlns='urn:xmpp:ping'/></iq>`);
  return answer.attrs.type === "result";
}, `${nick} is in ${room}`);

let rooms = 0;
/** A new room, in which rick is, and whose owner he is. */
async function made({ other, server }, fields) {
  const room = `row-${rooms += 1}@${server.rooms}`;
  await other.send(presence(room, "Rick"));
  await configure(other, room, fields);
  await isIn(other, room, "Rick");
  return room;
}

/** The same, with rosa in it. */
async function entered(hands, fields) {
  const room = await made(hands, fields);
  await hands.client.call("rooms.join", room, { nick: "Rosa" });
  return room;
}

const news = (client, room, kind, test = () => true, bound) =>
  client.heard("room", (event) => event.room === room && event.kind === kind && test(event), bound);
const said = (client, room, body) => client.heard("message", (message) => message.room === room && message.body === body);

export default {
  name: "rooms",
  user: "rosa",
  options: {},
  other: "rick",
  rows: [
    {
      feature: "rooms: entered, with all who are there", xep: "XEP-0045 §7.2", supported: muc,
      async run(hands) {
        const { client, other, person } = hands;
        const room = await made(hands);
        const joined = await client.call("rooms.join", room, { nick: "Rosa" });
        equal([joined.jid, joined.nick, joined.status, joined.created], [room, "Rosa", "joined", false]);
        equal(Object.keys(joined.occupants).sort(), ["Rick", "Rosa"]);
        equal([joined.occupants.Rick.affiliation, joined.occupants.Rick.role, joined.occupants.Rosa.self], ["owner", "moderator", true]);
        const ruth = await person("ruth");
        await ruth.send(presence(room, "Ruth"));
        await news(client, room, "occupant", ({ change, occupant }) => change === "joined" && occupant.nick === "Ruth");
        await ruth.send(`<presence xmlns='jabber:client' to='${room}/Ruth'><show>away</show><status>tea</status></presence>`);
        const changed = await news(client, room, "occupant", ({ change, occupant }) => change === "changed" && occupant.nick === "Ruth");
        equal([changed.occupant.show, changed.occupant.status], ["away", "tea"]);
        await ruth.send(presence(room, "Ruth", gone));
        await news(client, room, "occupant", ({ change, occupant }) => change === "left" && occupant.nick === "Ruth");
        equal(client.heardSoFar("presence", ({ from }) => from.startsWith(room)), [], "none of them is a contact");
        equal(Object.keys(await client.room(room, "occupants")).sort(), ["Rick", "Rosa"]);
        await client.call("room.leave", room);
        await other.heard("any_presence", (xml) => xml.attrs.from === `${room}/Rosa` && xml.attrs.type === "unavailable");
      },
    },
    {
      feature: "rooms: made by entering", xep: "XEP-0045 §10.1", supported: muc,
      async run({ client, server }) {
        const room = `made-${rooms += 1}@${server.rooms}`;
        const joined = await client.call("rooms.join", room, { nick: "Rosa" });
        equal([joined.created, joined.affiliation, joined.role], [true, "owner", "moderator"]);
        await client.call("room.leave", room);
      },
    },
    {
      feature: "rooms: refused, with the reason", xep: "XEP-0045 §7.2", supported: muc,
      async run(hands) {
        const { client, other } = hands;
        const open = await made(hands);
        await fails(client.call("rooms.join", open, { nick: "Rick" }), { code: "stanza-error", condition: "conflict" });
        const locked = await made(hands, { passwordprotectedroom: 1, roomsecret: "sesame" });
        await fails(client.call("rooms.join", locked, { nick: "Rosa", password: "wrong" }), { code: "stanza-error", condition: "not-authorized" });
        const joined = await client.call("rooms.join", locked, { nick: "Rosa", password: "sesame" });
        equal(joined.status, "joined");
        const closed = await made(hands, { membersonly: 1 });
        await fails(client.call("rooms.join", closed, { nick: "Rosa" }), { code: "stanza-error", condition: "registration-required" });
        await administer(other, open, "<item affiliation='outcast' jid='rosa@localhost'/>");
        await fails(client.call("rooms.join", open, { nick: "Rosa" }), { code: "stanza-error", condition: "forbidden" });
        await client.call("room.leave", locked);
      },
    },
    {
      feature: "rooms: said to everybody, and to one of them", xep: "XEP-0045 §7.4, §7.5", supported: muc,
      async run(hands) {
        const { client, other } = hands;
        const room = await entered(hands);
        const { id } = await client.call("room.send", room, "hello, everybody");
        await other.heard("any", (xml) => xml.attrs.type === "groupchat" && xml.attrs.from === `${room}/Rosa` && text(find(xml, "body")) === "hello, everybody");
        const own = await said(client, room, "hello, everybody");
        equal([own.own, own.nick, own.id, own.type], [true, "Rosa", id, "groupchat"]);
        await other.send(groupchat(room, "r-1", "<body>hello, Rosa</body>"));
        const theirs = await said(client, room, "hello, Rosa");
        equal([theirs.own, theirs.nick, theirs.from, theirs.occupant], [undefined, "Rick", `${room}/Rick`, undefined]);
        await client.call("room.sendPrivate", room, "Rick", "psst");
        await other.heard("any", (xml) => xml.attrs.type === "chat" && xml.attrs.from === `${room}/Rosa` && text(find(xml, "body")) === "psst" && find(xml, "x", USER));
        await other.send(`<message xmlns='jabber:client' type='chat' to='${room}/Rosa'><body>what?</body><x xmlns='${USER}'/></message>`);
        const alone = await said(client, room, "what?");
        equal([alone.type, alone.occupant, alone.nick], ["chat", true, "Rick"]);
        await news(client, room, "private-message", ({ message }) => message.body === "what?");
        await client.call("room.leave", room);
      },
    },
    {
      feature: "rooms: a history, and a subject, both ways", xep: "XEP-0045 §7.2.13, §8.1", supported: muc,
      async run(hands) {
        const { client, other } = hands;
        const room = await made(hands, { changesubject: 1 });
        for (const number of [1, 2, 3]) await other.send(groupchat(room, `h-${number}`, `<body>line ${number}</body>`));
        await other.send(groupchat(room, "s-1", "<subject>tea at five</subject>"));
        await other.heard("any", (xml) => xml.attrs.from === `${room}/Rick` && text(find(xml, "subject")) === "tea at five");
        await client.call("rooms.join", room, { nick: "Rosa", history: { maxMessages: 2 } });
        equal((await news(client, room, "subject")).subject, "tea at five");
        const lines = client.heardSoFar("message", (message) => message.room === room);
        equal(lines.map(({ body }) => body), ["line 2", "line 3"]);
        ok(lines.every(({ delay }) => delay instanceof Date), "with their times");
        await client.call("room.setSubject", room, "tea at six");
        await other.heard("any", (xml) => xml.attrs.from === `${room}/Rosa` && text(find(xml, "subject")) === "tea at six");
        equal((await news(client, room, "subject", ({ subject }) => subject === "tea at six")).nick, "Rosa");
        equal(await client.room(room, "subject"), "tea at six");
        await client.call("room.leave", room);
      },
    },
    {
      feature: "rooms: nicknames changed, ours and theirs", xep: "XEP-0045 §7.6", supported: muc,
      async run(hands) {
        const { client, other } = hands;
        const room = await entered(hands);
        equal(await client.call("room.changeNick", room, "Rosalind"), "Rosalind");
        equal(await client.room(room, "nick"), "Rosalind");
        await fails(client.call("room.changeNick", room, "Rick"), { code: "stanza-error", condition: "conflict" });
        await other.send(`<presence xmlns='jabber:client' to='${room}/Richard'/>`);
        const told = await news(client, room, "occupant", ({ change, occupant }) => change === "nick" && occupant.nick === "Richard");
        equal(told.previous, "Rick");
        equal(Object.keys(await client.room(room, "occupants")).sort(), ["Richard", "Rosalind"]);
        await client.call("room.leave", room);
      },
    },
    {
      feature: "rooms: messages corrected, retracted, answered and reacted to", xep: "XEP-0308, XEP-0424, XEP-0444, XEP-0461", supported: needs("room", "urn:xmpp:sid:0"),
      async run(hands) {
        const { client, other } = hands;
        const room = await entered(hands);
        await client.call("room.send", room, "helo");
        const own = await said(client, room, "helo");
        ok(own.stanzaId, "the room's id");
        await client.call("correct", own, "hello");
        const better = await said(client, room, "hello");
        equal(better.replaces, own.id);
        await other.send(groupchat(room, "q-1", "<body>tea?</body>"));
        const theirs = await said(client, room, "tea?");
        await client.call("reply", theirs, "yes");
        await other.heard("any", (xml) => find(xml, "reply", "urn:xmpp:reply:0")?.attrs.id === theirs.stanzaId);
        await client.call("react", theirs, ["🫖"]);
        await other.heard("any", (xml) => find(xml, "reactions", "urn:xmpp:reactions:0")?.attrs.id === theirs.stanzaId);
        await client.call("retract", better);
        await client.heard("retraction", ({ room: of, retracts }) => of === room && retracts === better.stanzaId);
        await client.call("room.leave", room);
      },
    },
    {
      feature: "rooms: who it is, whatever the nickname", xep: "XEP-0421", supported: needs("room", "urn:xmpp:occupant-id:0"),
      async run(hands) {
        const { client, other, person } = hands;
        const room = await entered(hands);
        const ruth = await person("ruth");
        await other.send(groupchat(room, "o-1", "<body>it was me</body>"));
        const first = await said(client, room, "it was me");
        const occupants = await client.room(room, "occupants");
        ok(first.occupantId && first.occupantId === occupants.Rick.occupantId && first.occupantId !== occupants.Rosa.occupantId, "an id each");
        // Somebody else takes over the nickname, and corrects what was said.
        await other.send(presence(room, "Rick", gone));
        await news(client, room, "occupant", ({ change }) => change === "left");
        await ruth.send(presence(room, "Rick"));
        await news(client, room, "occupant", ({ change }) => change === "joined");
        await ruth.send(groupchat(room, "o-2", "<body>it was her</body><replace xmlns='urn:xmpp:message-correct:0' id='o-1'/>"));
        const forged = await said(client, room, "it was her");
        equal([forged.nick, forged.replaces], ["Rick", undefined]);
        // He comes back by another, and it is he.
        await other.send(presence(room, "Richard"));
        await isIn(other, room, "Richard");
        await other.send(groupchat(room, "o-3", "<body>it was I</body><replace xmlns='urn:xmpp:message-correct:0' id='o-1'/>"));
        const honest = await said(client, room, "it was I");
        equal([honest.occupantId, honest.replaces], [first.occupantId, "o-1"]);
        await ruth.send(presence(room, "Rick", gone));
        await client.call("room.leave", room);
      },
    },
    {
      feature: "rooms: a message taken back by a moderator", xep: "XEP-0425", supported: needs("room", "urn:xmpp:message-moderate:1"),
      async run(hands) {
        const { client, other } = hands;
        const room = await entered(hands);
        await other.send(groupchat(room, "mod-1", "<body>an advertisement</body>"));
        const { stanzaId } = await said(client, room, "an advertisement");
        await fails(client.call("room.moderate", room, stanzaId, "off topic"), { code: "stanza-error", condition: "forbidden" });
        await administer(other, room, "<item nick='Rosa' role='moderator'/>");
        await news(client, room, "occupant", ({ occupant }) => occupant.nick === "Rosa" && occupant.role === "moderator");
        await client.call("room.moderate", room, stanzaId, "off topic");
        const told = await news(client, room, "moderation");
        equal([told.stanzaId, told.reason], [stanzaId, "off topic"]);
        await client.heard("retraction", ({ retracts, moderation }) => retracts === stanzaId && moderation);
        await client.call("room.leave", room);
      },
    },
    {
      feature: "rooms: kicked, banned, destroyed", xep: "XEP-0045 §8.2, §9.1, §10.9", supported: muc,
      async run(hands) {
        const { client, other, server } = hands;
        const room = await entered(hands);
        await administer(other, room, "<item nick='Rosa' role='none'><reason>enough</reason></item>");
        const kicked = await news(client, room, "status", ({ status }) => status === "left");
        equal([kicked.reason, kicked.text], ["kicked", "enough"]);
        await client.call("rooms.join", room, { nick: "Rosa" });
        await administer(other, room, "<item affiliation='outcast' jid='rosa@localhost'><reason>for good</reason></item>");
        const banned = await news(client, room, "status", ({ status, reason }) => status === "left" && reason === "banned");
        equal(banned.text, "for good");
        const second = await entered(hands);
        await other.iq(`<iq xmlns='jabber:client' type='set' to='${second}'><query xmlns='${MUC}#owner'><destroy jid='next@${server.rooms}'><reason>closed</reason></destroy></query></iq>`);
        const destroyed = await news(client, second, "status", ({ status }) => status === "left");
        equal([destroyed.reason, destroyed.alternate, destroyed.text], ["destroyed", `next@${server.rooms}`, "closed"]);
        equal(await client.room(second, "status"), null);
      },
    },
    {
      feature: "rooms: entered again after a lost session, with what was missed", xep: "XEP-0313, XEP-0410", supported: needs("room", "urn:xmpp:mam:2"),
      async run(hands) {
        const { other, open } = hands;
        const client = await open("rosa", { storage: null }, { sockets: true });
        const room = await made(hands);
        await client.call("rooms.join", room, { nick: "Rosa" });
        await other.send(groupchat(room, "l-0", "<body>line 0</body>"));
        await said(client, room, "line 0");
        // As far as the server knows, the client has logged out: the session can't be resumed.
        await client.page.evaluate(() => window.sockets.at(-1).send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"));
        for (const number of [1, 2, 3]) await other.send(groupchat(room, `l-${number}`, `<body>line ${number}</body>`));
        await news(client, room, "status", ({ status }) => status === "rejoining", 20_000);
        const events = client.events.length;
        await until(() => client.events.slice(events).some(({ type, event }) => type === "room" && event.status === "joined"), "it is back", 20_000);
        await other.send(groupchat(room, "l-4", "<body>line 4</body>"));
        await said(client, room, "line 4");
        const lines = client.heardSoFar("message", (message) => message.room === room).map(({ body }) => body);
        equal(lines, [0, 1, 2, 3, 4].map((number) => `line ${number}`), "each once, in order");
        equal(client.heardSoFar("gap"), []);
      },
    },
    {
      feature: "rooms: a room's own listeners, and those held for them", xep: "XEP-0045", supported: anywhere,
      async run(hands) {
        const { client, other } = hands;
        const room = await entered(hands);
        await other.send(groupchat(room, "e-1", "<body>held</body>"));
        await said(client, room, "held");
        const heard = await client.page.evaluate(async (jid) => {
          const room = client.rooms.get(jid);
          const { nick, body } = await room.once("message");
          const all = [...client.rooms].map((each) => each.jid);
          const left = room.once("status");
          await room.leave();
          return { nick, body, all: all.includes(jid), left: (await left).status, gone: client.rooms.get(jid) === undefined };
        }, room);
        equal(heard, { nick: "Rick", body: "held", all: true, left: "left", gone: true });
      },
    },
  ],
};
