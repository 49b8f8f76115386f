// What others can do, things published and found, and requests: amy at the page, boris by other hands.

import { createHash } from "node:crypto";

import { children, equal, fails, find, ok, text, until } from "../common.mjs";
import { anywhere, needs } from "../run.mjs";

const AMY = "amy@localhost";
const BORIS = "boris@localhost";
const INFO = "http://jabber.org/protocol/disco#info";
const PUBSUB = "http://jabber.org/protocol/pubsub";
const NEWS = "urn:example:news";

const pep = needs("account", `${PUBSUB}#publish`);
const service = needs("pubsub", PUBSUB);

const entry = (text) => ({ name: "entry", attrs: { xmlns: NEWS }, children: [{ name: "title", attrs: {}, children: [text] }] });

/** What the hash of XEP-0390 §4.3 is of a disco#info answer without forms, in base64. */
function capsHash(query) {
  const join = (list) => list.toSorted().join("") + "\x1c";
  const features = children(query, "feature").map(({ attrs }) => `${attrs.var}\x1f`);
  const identities = children(query, "identity").map(({ attrs }) =>
    [attrs.category, attrs.type, attrs["{http://www.w3.org/XML/1998/namespace}lang"] ?? "", attrs.name ?? ""].map((part) => `${part}\x1f`).join("") + "\x1e");
  const forms = children(query, "x").map((form) => children(form, "field").map((field) =>
    `${field.attrs.var}\x1f` + children(field, "value").map((value) => `${text(value)}\x1f`).toSorted().join("") + "\x1e").toSorted().join("") + "\x1d");
  return createHash("sha256").update(join(features) + join(identities) + join(forms)).digest("base64");
}

/** The features of the client, as it tells others. */
async function told({ client, other }, node) {
  const answer = await other.iq(`<iq xmlns='jabber:client' type='get' to='${client.jid}'><query xmlns='${INFO}'${node ? ` node='${node}'` : ""}/></iq>`);
  equal(answer.attrs.type, "result");
  return find(answer, "query", INFO);
}

export default {
  name: "ground",
  user: "amy",
  options: { features: ["urn:example:app", `${NEWS}+notify`] },
  other: "boris",
  rows: [
    {
      feature: "service discovery: what the server is, and its parts", xep: "XEP-0030", supported: needs("domain", INFO),
      async run({ client, server, disco }) {
        const info = await client.call("disco.info", "localhost");
        ok(info.identities.some(({ category, type }) => category === "server" && type === "im"), "a server's identity");
        equal(info.features.toSorted(), [...disco.domain].toSorted());
        const items = await client.all("disco.items", "localhost");
        ok(items.some(({ jid }) => jid === server.pubsub), `its parts: ${JSON.stringify(items)}`);
        await fails(client.call("disco.info", "localhost", "no-such-node"), { code: "stanza-error", condition: "item-not-found" });
        equal(await client.call("disco.supports", "localhost", "urn:xmpp:ping"), true);
        equal(await client.call("disco.supports", "localhost", "urn:example:nothing"), false);
      },
    },
    {
      feature: "service discovery: what we tell, and what we are told", xep: "XEP-0030", supported: anywhere,
      async run(hands) {
        const query = await told(hands);
        const features = children(query, "feature").map(({ attrs }) => attrs.var);
        for (const feature of [INFO, "urn:example:app", `${NEWS}+notify`, "urn:xmpp:ping"]) ok(features.includes(feature), `${feature} in ${features}`);
        equal(children(query, "identity")[0]?.attrs.category, "client");
        const info = await hands.client.call("disco.info", hands.other.jid);
        ok(info.identities.some(({ category }) => category === "client") && info.features.includes("urn:xmpp:receipts"), JSON.stringify(info));
      },
    },
    {
      feature: "capabilities of others, verified by us", xep: "XEP-0115", supported: anywhere,
      async run({ client, start }) {
        // Somebody who comes, and has not been asked.
        const other = await start("boris", { priority: 1 });
        await client.heard("presence", ({ from, type }) => from === other.jid && type === undefined);
        equal(await client.call("disco.supports", other.jid, "urn:xmpp:receipts"), true);
        const asked = () => client.frames.filter((frame) => /^-> <iq\b[^>]* type="get"/.test(frame) && frame.includes(INFO)).length;
        const before = asked();
        equal(await client.call("disco.supports", other.jid, "urn:xmpp:time"), true);
        equal(await client.call("disco.supports", other.jid, "urn:example:nothing"), false);
        equal(asked(), before, "questions once it is verified");
      },
    },
    {
      feature: "our capabilities, verified by others", xep: "XEP-0115", supported: anywhere,
      async run(hands) {
        const { client, other } = hands;
        await client.call("setPresence", { status: "here are my capabilities" });
        const { xml } = await other.heard("presence", (presence) => presence.attrs.from === client.jid && text(find(presence, "status")) === "here are my capabilities");
        const { node, ver, hash } = find(xml, "c", "http://jabber.org/protocol/caps").attrs;
        equal(hash, "sha-1");
        const known = await until(() => other.call("xep_0115.get_caps", { kw: { verstring: ver } }), "slixmpp has verified them");
        const features = children(known, "feature").map(({ attrs }) => attrs.var);
        equal(features.toSorted(), children(await told(hands, `${node}#${ver}`), "feature").map(({ attrs }) => attrs.var).toSorted());
        ok(features.includes("urn:example:app"), "the app's own");
      },
    },
    {
      feature: "our capabilities, by the newer hashes", xep: "XEP-0390", supported: anywhere,
      async run(hands) {
        const { client, other } = hands;
        await client.call("setPresence", { status: "and in another way" });
        const { xml } = await other.heard("presence", (presence) => presence.attrs.from === client.jid && text(find(presence, "status")) === "and in another way");
        const caps = find(xml, "c", "urn:xmpp:caps");
        const hash = children(caps, "hash").find(({ attrs }) => attrs.algo === "sha-256");
        ok(hash, `a hash: ${JSON.stringify(caps)}`);
        equal(text(hash), capsHash(await told(hands, `urn:xmpp:caps#sha-256.${text(hash)}`)));
        equal(text(hash), capsHash(await told(hands)));
      },
    },
    {
      feature: "published by us, with options, and found by others", xep: "XEP-0163", supported: needs("account", `${PUBSUB}#publish`, `${PUBSUB}#publish-options`),
      async run({ client, other, person }) {
        const node = "urn:example:open";
        const { id } = await client.call("pubsub.publish", node, entry("One & all"), { id: "first", options: { "pubsub#persist_items": true, "pubsub#access_model": "open", "pubsub#max_items": 5 } });
        equal(id, "first");
        await client.call("pubsub.publish", node, entry("Two"));
        const [carl] = [await person("carl")];
        for (const each of [other, carl]) {
          const answer = await each.call("xep_0060.get_items", AMY, node);
          const items = children(find(answer, "items"), "item");
          ok(items.some((item) => item.attrs.id === "first" && text(find(item, "title")) === "One & all"), `${each.jid}: ${JSON.stringify(items)}`);
        }
        // An option that the node hasn't got.
        await fails(client.call("pubsub.publish", node, entry("Three"), { options: { "pubsub#access_model": "whitelist" } }), { code: "stanza-error", condition: "conflict" });
        const own = await client.all("pubsub.items", node);
        equal(own.map((item) => text(item.payload)).toSorted(), ["One & all", "Two"]);
        equal((await client.all("pubsub.items", node, { ids: ["first"] })).map((item) => item.id), ["first"]);
        await client.call("pubsub.retract", node, "first", { notify: true });
        equal((await client.all("pubsub.items", node)).map((item) => text(item.payload)), ["Two"]);
        await client.call("pubsub.delete", node);
        await fails(client.all("pubsub.items", node), { code: "stanza-error", condition: "item-not-found" });
      },
    },
    {
      feature: "published by a contact, and told to us", xep: "XEP-0163", supported: pep,
      async run({ client, other }) {
        await other.call("xep_0060.publish", null, NEWS, { kw: { id: "current", payload: { $xml: `<entry xmlns='${NEWS}'><title>Fresh &lt;news&gt;</title></entry>` } } });
        const event = await client.heard("pubsub", ({ from, node }) => from === BORIS && node === NEWS);
        equal(event.items.map(({ id, payload }) => [id, text(payload)]), [["current", "Fresh <news>"]]);
        const items = await client.all("pubsub.items", NEWS, { to: BORIS });
        equal(items.map(({ payload }) => text(payload)), ["Fresh <news>"]);
        await other.call("xep_0060.retract", null, NEWS, "current", { kw: { notify: true } });
        const gone = await client.heard("pubsub", ({ from, node, retracted }) => from === BORIS && node === NEWS && retracted?.length > 0);
        equal(gone.retracted, ["current"]);
        await other.call("xep_0060.delete_node", null, NEWS);
      },
    },
    {
      feature: "a node made, configured, subscribed to, emptied and deleted", xep: "XEP-0060", supported: service,
      async run({ client, other, server }) {
        const [to, node] = [server.pubsub, "interop-news"];
        equal(await client.call("pubsub.create", node, { to, config: { "pubsub#title": "News & more", "pubsub#access_model": "open", "pubsub#notify_delete": true } }), { node });
        const state = await client.call("pubsub.subscribe", node, { to });
        equal(state.state, "subscribed");
        await other.call("xep_0060.subscribe", to, node);
        const { id } = await client.call("pubsub.publish", node, entry("To all <who> listen"), { to });
        const event = await client.heard("pubsub", (each) => each.from === to && each.node === node && each.items.length > 0);
        equal(event.items.map((item) => [item.id, text(item.payload)]), [[id, "To all <who> listen"]]);
        await other.heard("pubsub_publish", (xml, read) => xml.attrs.from === to && read === id);
        const read = await other.call("xep_0060.get_items", to, node);
        equal(text(find(read, "title")), "To all <who> listen");
        await client.call("pubsub.retract", node, id, { to, notify: true });
        equal((await client.heard("pubsub", (each) => each.retracted?.length > 0)).retracted, [id]);
        await client.call("pubsub.publish", node, entry("Again"), { to });
        await client.call("pubsub.purge", node, { to });
        await client.heard("pubsub", (each) => each.purged === true);
        await client.call("pubsub.unsubscribe", node, { to, ...(state.subid ? { subid: state.subid } : {}) });
        await client.call("pubsub.delete", node, { to });
        await other.heard("pubsub_delete", (_, deleted) => deleted === node);
      },
    },
    {
      feature: "data forms: a node's configuration, read and written", xep: "XEP-0004", supported: needs("pubsub", PUBSUB, `${PUBSUB}#config-node`),
      async run({ client, other, server }) {
        const [to, node] = [server.pubsub, "interop-form"];
        await client.call("pubsub.create", node, { to });
        const form = await client.call("pubsub.configuration", node, { to });
        equal(form.type, "form");
        const field = (of, name) => of.fields.find((each) => each.name === name);
        equal([field(form, "FORM_TYPE").type, field(form, "FORM_TYPE").value], ["hidden", `${PUBSUB}#node_config`]);
        const model = field(form, "pubsub#access_model");
        ok(model.type === "list-single" && model.options.some(({ value }) => value === "open"), JSON.stringify(model));
        equal(typeof field(form, "pubsub#persist_items").value, "boolean");
        await client.call("pubsub.configure", node, { "pubsub#title": "A <title>", "pubsub#access_model": "open", "pubsub#persist_items": true }, { to });
        const after = await client.call("pubsub.configuration", node, { to });
        equal([field(after, "pubsub#title").value, field(after, "pubsub#access_model").value, field(after, "pubsub#persist_items").value], ["A <title>", "open", true]);
        // To others it isn't shown.
        await fails(other.call("xep_0060.get_node_config", to, node), { condition: "forbidden" });
        await client.call("pubsub.delete", node, { to });
      },
    },
    {
      feature: "private XML, shared with the account's other client", xep: "XEP-0049", supported: anywhere,
      async run({ client, start }) {
        const [name, xmlns] = ["prefs", "urn:example:prefs"];
        equal(await client.call("privateXml.get", name, xmlns), null);
        await client.call("privateXml.set", { name, attrs: { xmlns, theme: "dark & deep" }, children: [{ name: "size", attrs: {}, children: ["<12>"] }] });
        const own = await start("amy", { priority: -1 });
        const answer = await own.iq(`<iq xmlns='jabber:client' type='get'><query xmlns='jabber:iq:private'><${name} xmlns='${xmlns}'/></query></iq>`);
        equal([find(answer, name, xmlns)?.attrs.theme, text(find(answer, "size"))], ["dark & deep", "<12>"]);
        await own.iq(`<iq xmlns='jabber:client' type='set'><query xmlns='jabber:iq:private'><${name} xmlns='${xmlns}' theme='light'><size>1</size></${name}></query></iq>`);
        equal((await client.call("privateXml.get", name, xmlns)).attrs.theme, "light");
      },
    },
    {
      feature: "requests of others': answered, and refused", xep: "RFC 6120 §8.2.3", supported: anywhere,
      async run({ client, other }) {
        const ask = () => other.iq(`<iq xmlns='jabber:client' type='get' to='${client.jid}'><question xmlns='urn:example:q' about='all &amp; sundry'/></iq>`);
        const refused = await ask();
        equal(refused.attrs.type, "error");
        ok(find(refused, "service-unavailable", "urn:ietf:params:xml:ns:xmpp-stanzas"), `refused: ${JSON.stringify(refused)}`);
        await client.answers({ xmlns: "urn:example:q" }, { name: "answer", attrs: { xmlns: "urn:example:q" }, children: ["<42>"] });
        const answered = await ask();
        equal([answered.attrs.type, text(find(answered, "answer", "urn:example:q"))], ["result", "<42>"]);
        const asked = await client.heard("asked");
        equal(find({ attrs: {}, children: [asked] }, "question", "urn:example:q").attrs.about, "all & sundry");
        await client.answersNoMore();
        ok(find(await ask(), "service-unavailable"), "refused again");
      },
    },
    {
      feature: "requests of ours: answered, and refused", xep: "RFC 6120 §8.2.3", supported: anywhere,
      async run({ client, other }) {
        const answer = await client.call("iq", { type: "get", to: other.jid, payload: { name: "query", attrs: { xmlns: "jabber:iq:version" }, children: [] } });
        equal(text(find(answer, "name")), "by other hands");
        const ping = await client.call("iq", { type: "get", to: other.jid, payload: { name: "ping", attrs: { xmlns: "urn:xmpp:ping" }, children: [] } });
        equal(ping, null);
        await fails(client.call("iq", { type: "get", to: other.jid, payload: { name: "question", attrs: { xmlns: "urn:example:q" }, children: [] } }), { code: "stanza-error" });
        ok(await client.call("ping", other.jid) >= 0, "a ping to somebody");
      },
    },
  ],
};
