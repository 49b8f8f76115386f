// What those do in rooms who have a say there, how rooms are found and kept in mind, and who invites whom: olga at the page, otto and ruth by other
// hands.

import { bareOf, children, equal, fails, find, ok, text } from "../common.mjs";
import { anywhere, needs } from "../run.mjs";

const OLGA = "olga@localhost";
const OTTO = "otto@localhost";
const MUC = "http://jabber.org/protocol/muc";
const BOOKMARKS = "urn:xmpp:bookmarks:1";
const PUBLISH_OPTIONS = "http://jabber.org/protocol/pubsub#publish-options";

/** PNG, one pixel. */
const RED = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGM4IWcDAALUASNyYth2AAAAAElFTkSuQmCC", "base64");

/** What is called of a room that the client is in. */
const at = (client, room) => (name, ...args) => client.call(`room.${name}`, room, ...args);

/** The client enters a room, and configures it, unless it isn't to. */
async function enter(client, room, nick, values = {}) {
  await client.call("rooms.join", room, { nick });
  if (values) await at(client, room)("configure", values);
}

const leave = (client, room) => client.call("rooms.leave", room);

/** Somebody else does. */
async function entersToo(other, room, nick, opens = false) {
  await other.send(`<presence xmlns='jabber:client' to='${room}/${nick}'><x xmlns='${MUC}'/></presence>`);
  await sees(other, `${room}/${nick}`, () => true);
  if (opens) await other.iq(`<iq xmlns='jabber:client' type='set' to='${room}'><query xmlns='${MUC}#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`);
}

/** Somebody else sees what has become of one who is in a room. */
const sees = (other, jid, test) => other.heard("there", (xml) => xml.attrs.from === jid && test(xml, find(xml, "item", `${MUC}#user`)));

const codes = (xml) => children(find(xml, "x", `${MUC}#user`), "status").map(({ attrs }) => attrs.code);

export default {
  name: "room admin",
  user: "olga",
  options: {},
  other: "otto",
  rows: [
    {
      feature: "rooms: services, lists, and what a room says of itself", xep: "XEP-0045 §6", supported: anywhere,
      async run({ client, server }) {
        const services = await client.all("rooms.services");
        equal(services.map(({ jid }) => jid), [server.rooms]);
        const pubsub = await client.all("disco.services", { category: "pubsub", type: "service" });
        ok(pubsub.some(({ jid }) => jid === server.pubsub), JSON.stringify(pubsub.map(({ jid }) => jid)));
        const room = `listed@${server.rooms}`;
        await enter(client, room, "olga", { "muc#roomconfig_roomname": "The <listed> one", "muc#roomconfig_publicroom": true });
        const listed = await client.all("rooms.list", server.rooms, { max: 1 });
        ok(listed.some(({ jid }) => jid === room), JSON.stringify(listed));
        const info = await at(client, room)("info");
        equal([info.name, info.public, info.membersOnly, info.passwordProtected, info.occupants], ["The <listed> one", true, false, false, 1]);
        ok(info.archive, "it has an archive");
        await fails(client.call("rooms.info", `nowhere@${server.rooms}`), { condition: "item-not-found" });
        await leave(client, room);
      },
    },
    {
      feature: "rooms: configured, and opened as they are", xep: "XEP-0045 §10.1, §10.2", supported: anywhere,
      async run({ client, other, server }) {
        const room = `configured@${server.rooms}`;
        await enter(client, room, "olga", null);
        const form = await at(client, room)("configuration");
        equal([form.type, form.fields.find(({ name }) => name === "FORM_TYPE")?.value], ["form", `${MUC}#roomconfig`]);
        const field = form.fields.find(({ name }) => name === "muc#roomconfig_membersonly");
        equal([field.type, field.value], ["boolean", false]);
        field.value = true;
        await at(client, room)("configure", form);
        equal((await at(client, room)("info")).membersOnly, true);
        await at(client, room)("configure", { "muc#roomconfig_membersonly": false, "muc#roomconfig_roomdesc": "For all & sundry" });
        const info = await at(client, room)("info");
        equal([info.membersOnly, info.description], [false, "For all & sundry"]);
        await leave(client, room);
        const another = `given-up@${server.rooms}`;
        await enter(client, another, "olga", null);
        await at(client, another)("cancelConfiguration");
      },
    },
    {
      feature: "roles: taken, given, and a kick", xep: "XEP-0045 §8", supported: anywhere,
      async run({ client, other, server }) {
        const room = `roles@${server.rooms}`;
        await enter(client, room, "olga");
        await entersToo(other, room, "otto");
        await at(client, room)("setRole", "otto", "visitor");
        await sees(other, `${room}/otto`, (_, item) => item?.attrs.role === "visitor");
        await at(client, room)("setRole", "otto", "moderator");
        await sees(other, `${room}/otto`, (_, item) => item?.attrs.role === "moderator");
        await at(client, room)("setRole", "otto", "none", "Avaunt & away");
        const kicked = await sees(other, `${room}/otto`, (xml) => xml.attrs.type === "unavailable");
        ok(codes(kicked.xml).includes("307"), `${codes(kicked.xml)}`);
        equal(text(find(kicked.xml, "reason")), "Avaunt & away");
        await leave(client, room);
      },
    },
    {
      feature: "affiliations: members, bans, and their lists", xep: "XEP-0045 §9", supported: anywhere,
      async run({ client, other, server }) {
        const room = `affiliations@${server.rooms}`;
        await enter(client, room, "olga");
        await entersToo(other, room, "otto");
        await at(client, room)("setAffiliation", `${OTTO}/any`, "member");
        await sees(other, `${room}/otto`, (_, item) => item?.attrs.affiliation === "member");
        equal((await at(client, room)("affiliations", "member")).map(({ jid }) => jid), [OTTO]);
        equal((await at(client, room)("affiliations", "owner")).map(({ jid, affiliation }) => [jid, affiliation]), [[OLGA, "owner"]]);
        await at(client, room)("setAffiliation", OTTO, "outcast", { reason: "Treason" });
        const banned = await sees(other, `${room}/otto`, (xml) => xml.attrs.type === "unavailable");
        ok(codes(banned.xml).includes("301"), `${codes(banned.xml)}`);
        const [ban] = await at(client, room)("affiliations", "outcast");
        equal([ban.jid, ban.affiliation], [OTTO, "outcast"]);
        await at(client, room)("setAffiliation", OTTO, "none");
        equal(await at(client, room)("affiliations", "outcast"), []);
        await leave(client, room);
      },
    },
    {
      feature: "rooms: destroyed, with another to go to", xep: "XEP-0045 §10.9", supported: anywhere,
      async run({ client, other, server }) {
        const room = `destroyed@${server.rooms}`;
        await enter(client, room, "olga");
        await entersToo(other, room, "otto");
        await at(client, room)("destroy", { reason: "Macbeth <doth> come.", alternate: `coven@${server.rooms}` });
        const gone = await sees(other, `${room}/otto`, (xml) => xml.attrs.type === "unavailable");
        const destroy = find(gone.xml, "destroy", `${MUC}#user`);
        equal([destroy.attrs.jid, text(find(destroy, "reason"))], [`coven@${server.rooms}`, "Macbeth <doth> come."]);
        await fails(client.call("rooms.info", room), { condition: "item-not-found" });
      },
    },
    {
      feature: "a voice: asked for, and given, both ways", xep: "XEP-0045 §7.13, §8.6", supported: anywhere,
      async run({ client, other, server }) {
        const room = `voice@${server.rooms}`;
        await enter(client, room, "olga", { "muc#roomconfig_moderatedroom": true });
        await entersToo(other, room, "otto");
        await at(client, room)("setRole", "otto", "visitor");
        await sees(other, `${room}/otto`, (_, item) => item?.attrs.role === "visitor");
        await other.call("xep_0045.request_voice", room, "participant");
        const request = await client.heard("voice-request", (asked) => asked.room === room);
        equal([request.nick, bareOf(request.jid), request.role], ["otto", OTTO, "participant"]);
        await at(client, room)("answerVoiceRequest", request, true);
        await sees(other, `${room}/otto`, (_, item) => item?.attrs.role === "participant");
        await leave(client, room);
        const theirs = `their-voice@${server.rooms}`;
        await entersToo(other, theirs, "otto", true);
        await other.iq(`<iq xmlns='jabber:client' type='set' to='${theirs}'><query xmlns='${MUC}#owner'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${MUC}#roomconfig</value></field><field var='muc#roomconfig_moderatedroom'><value>1</value></field></x></query></iq>`);
        await enter(client, theirs, "olga", null);
        await other.iq(`<iq xmlns='jabber:client' type='set' to='${theirs}'><query xmlns='${MUC}#admin'><item nick='olga' role='visitor'/></query></iq>`);
        await fails(at(client, theirs)("configuration"), { condition: "forbidden" });
        await fails(at(client, theirs)("setRole", "otto", "none"), { code: "stanza-error" });
        await at(client, theirs)("requestVoice");
        const asked = await other.heard("any", (xml) => xml.attrs.from === theirs && JSON.stringify(xml).includes(`${MUC}#request`));
        ok(JSON.stringify(asked.xml).includes("olga"), "it says who asks");
        await leave(client, theirs);
      },
    },
    {
      feature: "registration with a room, and the nick that it keeps", xep: "XEP-0045 §7.10, §7.12",
      supported: needs("room", "jabber:iq:register"),
      async run({ client, other, server }) {
        const room = `registered@${server.rooms}`;
        await entersToo(other, room, "otto", true);
        // Some let only those register whom they know.
        await other.iq(`<iq xmlns='jabber:client' type='set' to='${room}'><query xmlns='${MUC}#admin'><item jid='${OLGA}' affiliation='member'/></query></iq>`);
        const before = await client.call("rooms.registration", room);
        equal(before.registered, false);
        ok(before.form.fields.some(({ name }) => name === "muc#register_roomnick"), JSON.stringify(before.form));
        equal(await client.call("rooms.reservedNick", room), null);
        await client.call("rooms.register", room, "ol & ga");
        const after = await client.call("rooms.registration", room);
        equal([after.registered, after.nick], [true, "ol & ga"]);
        // Some keep the nick, and don't say so beforehand.
        const asked = await other.iq(`<iq xmlns='jabber:client' type='get' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/></iq>`);
        const says = asked.attrs.type === "result";
        equal(await client.call("rooms.reservedNick", room), says ? "ol & ga" : null);
        await client.call("rooms.unregister", room);
        // One who isn't a member any more may not be told.
        const gone = await client.call("rooms.registration", room).catch(({ condition }) => ({ registered: condition !== "registration-required" }));
        equal(gone.registered, false);
        equal(await client.call("rooms.reservedNick", room), null);
      },
    },
    {
      feature: "invitations: through the room, both ways, and declined", xep: "XEP-0045 §7.8.2", supported: anywhere,
      async run({ client, other, server }) {
        const theirs = `inviting@${server.rooms}`;
        await entersToo(other, theirs, "otto", true);
        await other.call("xep_0045.invite", theirs, OLGA, { kw: { reason: "Come & see" } });
        const invitation = await client.heard("invitation", ({ room }) => room === theirs);
        equal([invitation.reason, invitation.mediated], ["Come & see", true]);
        ok([OTTO, other.jid, `${theirs}/otto`].includes(invitation.from), invitation.from);
        await client.call("rooms.decline", invitation, "Too <busy>");
        const declined = await other.heard("any", (xml) => xml.attrs.from === theirs && find(xml, "decline", `${MUC}#user`));
        equal(text(find(declined.xml, "reason")), "Too <busy>");
        const room = `invited@${server.rooms}`;
        await enter(client, room, "olga");
        await at(client, room)("invite", OTTO, { reason: "You <too>", thread: "t1" });
        const invited = await other.heard("any", (xml) => xml.attrs.from === room && find(xml, "invite", `${MUC}#user`));
        equal(text(find(invited.xml, "reason")), "You <too>");
        ok([OLGA, client.jid, `${room}/olga`].includes(find(invited.xml, "invite").attrs.from), find(invited.xml, "invite").attrs.from);
        await other.call("xep_0045.decline", room, find(invited.xml, "invite").attrs.from, { kw: { reason: "No & no" } });
        const answer = await client.heard("invitation-declined", (event) => event.room === room);
        equal([bareOf(answer.from), answer.reason], [OTTO, "No & no"]);
        equal(client.heardSoFar("message", ({ type }) => type !== "groupchat"), [], "none of it is a message");
        await leave(client, room);
      },
    },
    {
      feature: "invitations: directly, both ways", xep: "XEP-0249", supported: anywhere,
      async run({ client, other, server }) {
        const room = `directly@${server.rooms}`;
        await other.call("xep_0249.send_invitation", OLGA, room, { kw: { password: "c & b", reason: "Come <in>" } });
        const invitation = await client.heard("invitation", (event) => event.room === room);
        equal([invitation.from, invitation.reason, invitation.password, invitation.mediated], [other.jid, "Come <in>", "c & b", false]);
        await client.call("rooms.decline", invitation);
        await enter(client, room, "olga");
        await at(client, room)("invite", OTTO, { direct: true, reason: "You & all", password: "<p>" });
        const { read } = await other.heard("groupchat_direct_invite", (xml) => xml.attrs.from === client.jid);
        equal(read, [room, "You & all", "<p>"]);
        await leave(client, room);
      },
    },
    {
      feature: "invitations: not of who is blocked, through a room either", xep: "XEP-0045 §7.8.2, XEP-0191", supported: needs("domain", "urn:xmpp:blocking"),
      async run({ client, other, person, server }) {
        const ruth = await person("ruth");
        const theirs = `blocked@${server.rooms}`;
        await entersToo(other, theirs, "otto", true);
        await entersToo(ruth, theirs, "ruth");
        // Some rooms say who invites by the account, others by the nick.
        await client.call("blocking.block", [ruth.bare, `${theirs}/ruth`]);
        const before = `<message xmlns='jabber:client' to='${theirs}'><x xmlns='${MUC}#user'><invite to='${OLGA}'><reason>`;
        const after = "</reason></invite></x></message>";
        await other.iq(`<iq xmlns='jabber:client' type='set' to='${theirs}'><query xmlns='${MUC}#admin'><item jid='${ruth.bare}' affiliation='admin'/></query></iq>`);
        await ruth.send(`${before}of ruth${after}`);
        await ruth.iq(`<iq xmlns='jabber:client' type='get' to='${theirs}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`);
        await other.send(`${before}of otto${after}`);
        await client.heard("invitation", ({ room, reason }) => room === theirs && reason === "of otto");
        await client.call("blocking.unblock");
        await ruth.send(`${before}of ruth again${after}`);
        await client.heard("invitation", ({ room, reason }) => room === theirs && reason === "of ruth again");
        equal(client.heardSoFar("invitation", ({ reason }) => reason === "of ruth"), []);
      },
    },
    {
      feature: "bookmarks: set, kept to the account, told, and removed", xep: "XEP-0402", supported: needs("account", PUBLISH_OPTIONS),
      async run({ client, open, start, other, server }) {
        const [own, again] = [await start("olga", { priority: -1 }), await open("olga")];
        const room = `kept@${server.rooms}`;
        await client.call("bookmarks.set", { room, name: "Kept <in> mind", nick: "Ol & ga", autojoin: true, password: "p" });
        const told = await again.heard("bookmarks", ({ bookmarks }) => bookmarks.some((each) => each.room === room));
        const expected = { room, name: "Kept <in> mind", nick: "Ol & ga", autojoin: true, password: "p" };
        equal(told.bookmarks.find((each) => each.room === room), expected);
        equal((await again.call("bookmarks.get")).find((each) => each.room === room), expected);
        // Another client adds what we don't know.
        const conference = `<conference xmlns='${BOOKMARKS}' name='Other'><nick>Ol</nick><extensions><state xmlns='urn:example' minimized='true'/></extensions></conference>`;
        await own.iq(`<iq xmlns='jabber:client' type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${BOOKMARKS}'><item id='${room}'>${conference}</item></publish></pubsub></iq>`);
        await client.heard("bookmarks", ({ bookmarks }) => bookmarks.some(({ name }) => name === "Other"));
        await client.call("bookmarks.set", { room, name: "Ours" });
        const items = await own.iq(`<iq xmlns='jabber:client' type='get'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='${BOOKMARKS}'/></pubsub></iq>`);
        const kept = find(items, "conference", BOOKMARKS);
        equal([kept.attrs.name, find(kept, "nick"), find(kept, "state", "urn:example").attrs.minimized], ["Ours", undefined, "true"]);
        // Contacts can't read it.
        const refused = await other.iq(`<iq xmlns='jabber:client' type='get' to='${OLGA}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='${BOOKMARKS}'/></pubsub></iq>`);
        equal(refused.attrs.type, "error");
        await client.call("bookmarks.remove", room);
        await again.heard("bookmarks", ({ removed }) => removed.includes(room));
        equal(await client.call("bookmarks.get"), []);
      },
    },
    {
      feature: "bookmarks: those of older clients, read and taken along", xep: "XEP-0048, XEP-0049", supported: needs("account", PUBLISH_OPTIONS),
      async run({ open, start, server }) {
        const own = await start("ruth", { priority: -1 });
        const room = `old@${server.rooms}`;
        await own.iq(`<iq xmlns='jabber:client' type='set'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'><conference jid='${room}' name='Old &amp; good' autojoin='1'><nick>Ru</nick></conference></storage></query></iq>`);
        const client = await open("ruth");
        const expected = { room, name: "Old & good", nick: "Ru", autojoin: true };
        equal(await client.call("bookmarks.get"), [expected]);
        const another = `new@${server.rooms}`;
        await client.call("bookmarks.set", { room: another });
        const all = await client.call("bookmarks.get");
        equal(all.toSorted((a, b) => a.room < b.room ? -1 : 1), [{ room: another, autojoin: false }, expected]);
        for (const each of all) await client.call("bookmarks.remove", each.room);
      },
    },
    {
      feature: "a room's profile and picture", xep: "XEP-0054, XEP-0153", supported: needs("room", "vcard-temp"),
      async run({ client, other, server }) {
        const room = `pictured@${server.rooms}`;
        await enter(client, room, "olga");
        await at(client, room)("setProfile", { fullName: "The <Coven>", note: "Spells" });
        await at(client, room)("setAvatar", { data: RED, type: "image/png" });
        await client.heard("avatar", ({ from }) => from === room);
        const avatar = await client.call("profiles.avatar", room);
        equal([avatar.type, avatar.data], ["image/png", RED]);
        const profile = await client.call("profiles.get", room);
        equal([profile.fullName, profile.note, profile.source], ["The <Coven>", "Spells", "vcard-temp"]);
        const card = await other.iq(`<iq xmlns='jabber:client' type='get' to='${room}'><vCard xmlns='vcard-temp'/></iq>`);
        equal([text(find(card, "FN")), text(find(card, "BINVAL")).replace(/\s/g, "")], ["The <Coven>", RED.toString("base64")]);
        await at(client, room)("setAvatar", null);
        equal(await client.call("profiles.avatar", room), null);
        await leave(client, room);
      },
    },
  ],
};
