// What a message can be and carry: anna at the page, ben by other hands.

import { children, equal, find, ok, text } from "../common.mjs";
import { anywhere, needs } from "../run.mjs";

const ANNA = "anna@localhost";
const BEN = "ben@localhost";
const SID = "urn:xmpp:sid:0";

let last = 0;
/** An id, and a message with it to anna, as text; `inside` is what it carries. */
function written(to, inside, { type = "chat" } = {}) {
  const id = `ben-${last += 1}`;
  return { id, xml: `<message xmlns='jabber:client' to='${to}' type='${type}' id='${id}'>${inside}</message>` };
}

/** What a message of the other's carries is heard so, as a `type` event. */
async function hears({ client, other }, inside, type = "message", how = {}) {
  const { id, xml } = written(how.to ?? client.jid, inside, how);
  await other.send(xml);
  return client.heard(type, (message) => message.id === id);
}

/** What the other gets of a message that the client sends. */
async function gets({ client, other }, init) {
  const sent = await client.call("send", { to: BEN, ...init });
  const { xml } = await other.heard("any", (message) => message.attrs.id === sent.id);
  return { sent, xml };
}

export default {
  name: "messages",
  user: "anna",
  options: {},
  other: "ben",
  rows: [
    {
      feature: "messages: types, subjects and threads, both ways", xep: "RFC 6121 §5", supported: anywhere,
      async run(hands) {
        for (const type of ["chat", "normal", "headline"]) {
          const { xml } = await gets(hands, { type, subject: `About <${type}>`, thread: `thread-${type}`, body: `& a "${type}"` });
          equal([xml.attrs.type ?? "normal", text(find(xml, "subject")), text(find(xml, "thread")), text(find(xml, "body"))],
            [type, `About <${type}>`, `thread-${type}`, `& a "${type}"`]);
          const message = await hears(hands, `<subject>Re: ${type}</subject><thread>back-${type}</thread><body>1 &lt; 2, ${type}</body>`, "message", { type });
          equal([message.type, message.subject, message.thread, message.body], [type, `Re: ${type}`, `back-${type}`, `1 < 2, ${type}`]);
        }
      },
    },
    {
      feature: "delayed delivery: a message while away", xep: "XEP-0203", supported: needs("domain", "msgoffline"),
      async run({ client, other }) {
        await client.call("disconnect");
        const { id, xml } = written(ANNA, "<body>while you were away</body>");
        const begun = Date.now();
        await other.send(xml);
        await other.call("xep_0199.ping", { kw: { jid: { $jid: "localhost" } } });
        client.begin();
        await client.connect();
        const message = await client.heard("message", (each) => each.id === id);
        ok(message.delay instanceof Date && Math.abs(message.delay - begun) < 5000, `delay ${message.delay?.toISOString?.()}`);
        await client.call("ping");
        equal(client.heardSoFar("message", (each) => each.id === id).length, 1, "times heard");
      },
    },
    {
      feature: "stanza and origin ids, both ways", xep: "XEP-0359", supported: needs("account", SID),
      async run(hands) {
        const { sent, xml } = await gets(hands, { body: "with ids" });
        equal(find(xml, "origin-id", SID)?.attrs.id, sent.originId);
        // By the receiver's own archive.
        equal(find(xml, "stanza-id", SID)?.attrs.by, BEN);
        const message = await hears(hands, `<body>with an origin id</body><origin-id xmlns='${SID}' id='origin-77'/><stanza-id xmlns='${SID}' by='${ANNA}' id='forged'/>`);
        equal(message.originId, "origin-77");
        ok(message.stanzaId && message.stanzaId !== "forged", `stanza id ${message.stanzaId}`);
      },
    },
    {
      feature: "receipts: asked for, and had", xep: "XEP-0184", supported: anywhere,
      async run(hands) {
        const { sent } = await gets(hands, { body: "did you get it?", receipt: true });
        const receipt = await hands.client.heard("receipt", (event) => event.receipt?.id === sent.id || event.id === sent.id);
        equal(receipt.from, hands.other.jid);
      },
    },
    {
      feature: "receipts: given to those who ask", xep: "XEP-0184", supported: anywhere,
      async run(hands) {
        const message = await hears(hands, "<body>tell me</body><request xmlns='urn:xmpp:receipts'/>");
        equal(message.receipt, { requested: true });
        await hands.other.heard("receipt_received", (_, read) => read === message.id);
      },
    },
    {
      feature: "chat markers, both ways", xep: "XEP-0333", supported: anywhere,
      async run(hands) {
        const { sent } = await gets(hands, { body: "mark me", marker: { type: "markable" } });
        await hands.other.call("xep_0333.send_marker", hands.client.jid, sent.id, "displayed");
        const marker = await hands.client.heard("marker", (event) => event.marker?.id === sent.id);
        equal(marker.marker, { type: "displayed", id: sent.id });
        const message = await hears(hands, "<body>look at this</body><markable xmlns='urn:xmpp:chat-markers:0'/>");
        equal(message.marker, { type: "markable" });
        await hands.client.call("markDisplayed", message);
        await hands.other.heard("marker_displayed", (_, read) => read === message.id);
      },
    },
    {
      feature: "chat states, both ways", xep: "XEP-0085", supported: anywhere,
      async run(hands) {
        for (const state of ["composing", "paused", "inactive", "gone", "active"]) {
          await hands.client.call("setChatState", hands.other.jid, state);
          await hands.other.heard("chatstate", (_, read) => read === state);
          const heard = await hears(hands, `<${state} xmlns='http://jabber.org/protocol/chatstates'/>`, "chat-state");
          equal(heard.state, state);
        }
        const { xml } = await gets(hands, { body: "done", state: "active" });
        ok(find(xml, "active", "http://jabber.org/protocol/chatstates"), "a state along with a text");
      },
    },
    {
      feature: "corrections, both ways", xep: "XEP-0308", supported: anywhere,
      async run(hands) {
        const { client, other } = hands;
        const { sent } = await gets(hands, { body: "teh text" });
        const better = await client.call("correct", sent, "the <text>");
        const told = await other.heard("message_correction", (xml, read) => read === sent.id && xml.attrs.id === better.id);
        equal(text(find(told.xml, "body")), "the <text>");
        const first = await hears(hands, "<body>Rmeo</body>");
        const { id } = await hears(hands, `<body>Romeo</body><replace xmlns='urn:xmpp:message-correct:0' id='${first.id}'/>`);
        const message = await client.heard("message", (each) => each.id === id);
        equal([message.replaces, message.body], [first.id, "Romeo"]);
      },
    },
    {
      feature: "retractions, both ways", xep: "XEP-0424", supported: anywhere,
      async run(hands) {
        const { sent } = await gets(hands, { body: "to be taken back" });
        const taken = await hands.client.call("retract", sent);
        const { xml } = await hands.other.heard("any", (message) => message.attrs.id === taken.id);
        equal(find(xml, "retract", "urn:xmpp:message-retract:1")?.attrs.id, sent.id);
        const first = await hears(hands, "<body>oh no</body>");
        const event = await hears(hands, `<retract xmlns='urn:xmpp:message-retract:1' id='${first.id}'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/><body>/me retracted a message</body><store xmlns='urn:xmpp:hints'/>`, "retraction");
        equal(event.retracts, first.id);
      },
    },
    {
      feature: "reactions, both ways", xep: "XEP-0444", supported: anywhere,
      async run(hands) {
        const { client, other } = hands;
        const first = await hears(hands, "<body>what do you think?</body>");
        await client.call("react", first, ["👍", "❤️"]);
        await other.heard("reactions", (_, read) => read[0] === first.id && JSON.stringify(read[1].toSorted()) === JSON.stringify(["👍", "❤️"].toSorted()));
        await client.call("react", first, []);
        await other.heard("any", (xml) => find(xml, "reactions")?.attrs.id === first.id && children(find(xml, "reactions"), "reaction").length === 0);
        const { sent } = await gets(hands, { body: "and you?" });
        await other.send(written(client.jid, `<reactions xmlns='urn:xmpp:reactions:0' id='${sent.id}'><reaction>🎉</reaction><reaction>👩🏽‍🚀</reaction></reactions><store xmlns='urn:xmpp:hints'/>`).xml);
        const event = await client.heard("reaction", ({ reactions }) => reactions?.id === sent.id);
        equal(event.reactions, { id: sent.id, emojis: ["🎉", "👩🏽‍🚀"] });
      },
    },
    {
      feature: "replies, both ways", xep: "XEP-0461", supported: anywhere,
      async run(hands) {
        const first = await hears(hands, "<body>shall we?</body>");
        const answer = await hands.client.call("reply", first, "yes & soon");
        const told = await hands.other.heard("message_reply", (xml) => xml.attrs.id === answer.id);
        equal(told.read[0], first.id);
        ok(text(find(told.xml, "body")).endsWith("yes & soon"), "the text is there");
        const { sent } = await gets(hands, { body: "where?" });
        const message = await hears(hands, `<body>over there</body><reply xmlns='urn:xmpp:reply:0' to='${hands.client.jid}' id='${sent.id}'/>`);
        equal(message.reply, { id: sent.id, to: hands.client.jid });
      },
    },
    {
      feature: "fallbacks, both ways", xep: "XEP-0428", supported: anywhere,
      async run(hands) {
        // On the wire characters are counted, in JavaScript the units of UTF-16.
        const quote = "> shall we 👍?\n";
        const { xml } = await gets(hands, { body: `${quote}we shall`, reply: { id: "some-id", to: BEN }, fallback: [{ for: "urn:xmpp:reply:0", body: { start: 0, end: quote.length } }] });
        const fallback = find(xml, "fallback", "urn:xmpp:fallback:0");
        equal([fallback?.attrs.for, find(fallback, "body")?.attrs.start, find(fallback, "body")?.attrs.end], ["urn:xmpp:reply:0", "0", String(quote.length - 1)]);
        const message = await hears(hands, "<body>> &#128077;&#10;me too</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback><reply xmlns='urn:xmpp:reply:0' id='a'/>");
        equal(message.fallback, [{ for: "urn:xmpp:reply:0", body: { start: 0, end: "> 👍\n".length } }]);
        const whole = await hears(hands, "<body>your client can't show this</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:example:thing'/>");
        equal(whole.fallback?.[0]?.for, "urn:example:thing");
      },
    },
    {
      feature: "hints, both ways, and what the archive makes of them", xep: "XEP-0334", supported: needs("account", "urn:xmpp:mam:2"),
      async run(hands) {
        const { sent, xml } = await gets(hands, { to: hands.other.jid, body: "not to be kept", hints: ["no-store", "no-copy"] });
        ok(find(xml, "no-store", "urn:xmpp:hints") && find(xml, "no-copy", "urn:xmpp:hints"), "the hints are there");
        const message = await hears(hands, "<body>neither this</body><no-store xmlns='urn:xmpp:hints'/>");
        equal(message.hints, ["no-store"]);
        const { sent: kept } = await gets(hands, { body: "but this" });
        const found = (await hands.client.all("archive.query", { with: BEN, order: "newest" })).map(({ id }) => id);
        equal([found.includes(kept.id), found.includes(sent.id), found.includes(message.id)], [true, false, false], "kept");
      },
    },
    {
      feature: "out-of-band links, both ways", xep: "XEP-0066", supported: anywhere,
      async run(hands) {
        const url = "https://files.example/a?b=1&c=2";
        const { xml } = await gets(hands, { body: url, oob: [{ url, desc: "A <file>" }] });
        const oob = find(xml, "x", "jabber:x:oob");
        equal([text(find(oob, "url")), text(find(oob, "desc"))], [url, "A <file>"]);
        const message = await hears(hands, "<body>https://files.example/b</body><x xmlns='jabber:x:oob'><url>https://files.example/b</url><desc>Another</desc></x>");
        equal(message.oob, [{ url: "https://files.example/b", desc: "Another" }]);
      },
    },
    {
      feature: "references, both ways", xep: "XEP-0372", supported: anywhere,
      async run(hands) {
        const { xml } = await gets(hands, { body: "Hello Ben!", references: [{ type: "mention", uri: `xmpp:${BEN}`, begin: 6, end: 9 }] });
        const { attrs } = find(xml, "reference", "urn:xmpp:reference:0");
        equal([attrs.type, attrs.uri, attrs.begin, attrs.end], ["mention", `xmpp:${BEN}`, "6", "9"]);
        const message = await hears(hands, `<body>Hi Anna</body><reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:${ANNA}' begin='3' end='7'/>`);
        const [reference] = message.references;
        equal([reference.type, reference.uri, reference.begin, reference.end], ["mention", `xmpp:${ANNA}`, 3, 7]);
      },
    },
    {
      feature: "files with metadata and hashes, both ways", xep: "XEP-0446, XEP-0447", supported: anywhere,
      async run(hands) {
        const sharing = `<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'><file xmlns='urn:xmpp:file:metadata:0'><media-type>image/jpeg</media-type><name>summit &amp; lake.jpg</name><size>3032449</size><width>4032</width><height>3024</height><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>2XarmwTlNxDAMkvymloX3S5+VbylNrJt/l5QyPa+YoU=</hash><desc>Photo</desc></file><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://files.example/summit.jpg'/></sources></file-sharing>`;
        const message = await hears(hands, `<body>https://files.example/summit.jpg</body>${sharing}`);
        const [file] = message.files;
        const shown = JSON.stringify(file);
        for (const part of ["image/jpeg", "summit & lake.jpg", "3032449", "4032", "3024", "sha-256", "https://files.example/summit.jpg", "inline"]) {
          ok(shown.includes(part), `${part} in ${shown}`);
        }
        // As it came, it goes.
        const { xml } = await gets(hands, { body: "https://files.example/summit.jpg", files: [file] });
        const element = find(xml, "file-sharing", "urn:xmpp:sfs:0");
        const inner = find(element, "file", "urn:xmpp:file:metadata:0");
        equal(["media-type", "name", "size", "width", "height", "desc"].map((name) => text(find(inner, name))), ["image/jpeg", "summit & lake.jpg", "3032449", "4032", "3024", "Photo"]);
        const hash = find(inner, "hash", "urn:xmpp:hashes:2");
        equal([hash?.attrs.algo, text(hash)], ["sha-256", "2XarmwTlNxDAMkvymloX3S5+VbylNrJt/l5QyPa+YoU="]);
        equal(find(element, "url-data", "http://jabber.org/protocol/url-data")?.attrs.target, "https://files.example/summit.jpg");
      },
    },
    {
      feature: "styling: parsed, and called off", xep: "XEP-0393", supported: anywhere,
      async run(hands) {
        const message = await hears(hands, "<body>this is *strong* and `code`</body>");
        const spans = JSON.stringify(await hands.client.call("styling", message.body));
        ok(spans.includes("strong"), spans);
        const plain = await hears(hands, "<body>2 * 3 * 4</body><unstyled xmlns='urn:xmpp:styling:0'/>");
        equal(plain.unstyled, true);
        const { xml } = await gets(hands, { body: "*not bold*", unstyled: true });
        ok(find(xml, "unstyled", "urn:xmpp:styling:0"), "called off");
      },
    },
    {
      feature: "nickname in a message, both ways", xep: "XEP-0172", supported: anywhere,
      async run(hands) {
        const { xml } = await gets(hands, { body: "who am I?", nick: "Ann & Co" });
        equal(text(find(xml, "nick", "http://jabber.org/protocol/nick")), "Ann & Co");
        const message = await hears(hands, "<body>and I?</body><nick xmlns='http://jabber.org/protocol/nick'>Benny</nick>");
        equal(message.nick, "Benny");
      },
    },
  ],
};
