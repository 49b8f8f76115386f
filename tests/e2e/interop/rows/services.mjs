// What a server has beside messages: places for files, push, and services that speak no XMPP. Amy at the page, boris by other hands.

import { createHash, createHmac } from "node:crypto";

import { children, equal, find, ok, text, until } from "../common.mjs";
import { anywhere, needs } from "../run.mjs";

const AMY = "amy@localhost";
const PUBSUB = "http://jabber.org/protocol/pubsub";
const PUSH = "urn:xmpp:push:0";
const EXTERNAL = "urn:xmpp:extdisco:2";
const UPLOAD = "XEP-0363";

/** As the configurations of both servers say it. */
const [LARGEST, SECRET] = [4_194_304, "shared with the relay"];

/**
 * Uploads `size` bytes from the page, and says what came of it: `{ file, hash, progress }` or `{ error }`. With `rate`, so many bytes a
 * second; with `stop`, it is aborted once some of it is on its way.
 */
async function upload(client, { size, name, type, rate, stop = false }) {
  const network = await client.page.context().newCDPSession(client.page);
  const conditions = (uploadThroughput) => ({ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", conditions(rate ?? -1));
  try {
    return await client.page.evaluate(async ({ size, name, type, stop }) => {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
      const hash = Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
      const controller = new AbortController();
      const progress = [];
      const onProgress = (each) => {
        progress.push(each);
        if (stop && each.loaded > 0 && each.loaded < each.total) controller.abort("enough");
      };
      try {
        const file = await client.files.upload(new File([bytes], name, { type }), { onProgress, signal: controller.signal });
        return { file, hash, progress };
      } catch ({ code, message, status, maxSize, cause }) {
        return { error: { code, message, status, maxSize, cause: String(cause) }, progress };
      }
    }, { size, name, type, stop });
  } finally {
    await network.send("Network.emulateNetworkConditions", conditions(-1));
    await network.detach();
  }
}

const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** How often it has been asked what parts the server has, or something of the one that takes files. A login asks neither. */
const sent = (client) => client.wire.filter((frame) => frame.startsWith("->") && /protocol\/disco#items| to="upload\.localhost"/.test(frame)).length;

/** The same once all is known that has been sent so far: what the page has said comes here later than what a call resolves to. */
async function sentSoFar(client) {
  const pings = () => client.wire.filter((frame) => frame.startsWith("->") && frame.includes("urn:xmpp:ping")).length;
  const before = pings();
  await client.call("ping");
  await until(() => pings() > before, "the ping is seen");
  return sent(client);
}

/** The address that the last slot said the file could be fetched from. */
function slotOf(client) {
  const slot = client.wire.findLast((frame) => frame.startsWith("<-") && frame.includes("<slot"));
  return / url=["']([^"']+)["']/.exec(/<get\b[^>]*>/.exec(slot)[0])[1].replaceAll("&amp;", "&");
}

export default {
  name: "services",
  user: "amy",
  options: {},
  other: "boris",
  rows: [
    {
      feature: "file upload: the service is found, and what it takes", xep: UPLOAD, supported: anywhere,
      async run({ client }) {
        equal(await client.call("files.service"), { jid: "upload.localhost", maxSize: LARGEST });
        const asked = await sentSoFar(client);
        await client.call("files.service");
        equal(await sentSoFar(client), asked, "questions once it is known");
      },
    },
    {
      feature: "file upload: with progress, sent on, and fetched by the other side", xep: UPLOAD, supported: anywhere,
      async run({ client, other }) {
        const size = 1_500_000;
        const { file, hash, progress, error } = await upload(client, { size, name: "C:\\fakepath\\très cool & <b>.png", type: "image/png", rate: 1_500_000 });
        equal(error, undefined, "the error");
        equal([file.name, file.size, file.type], ["très cool & <b>.png", size, "image/png"]);
        ok(progress.length > 2, `there is progress: ${JSON.stringify(progress)}`);
        ok(progress.every(({ loaded, total }, at) => total === size && loaded > (progress[at - 1]?.loaded ?? -1)), `it goes on: ${JSON.stringify(progress)}`);
        equal(progress.at(-1).loaded, size, "in the end");
        const { url, name, type } = file;
        const files = [{ name, type, size, hashes: [{ algo: "sha-256", value: Buffer.from(hash, "hex") }], urls: [url] }];
        await client.call("send", { to: other.bare, body: url, fallback: [{ for: "urn:xmpp:sfs:0", body: true }], oob: [{ url }], files });
        const { xml } = await other.heard("message", (message) => find(message, "url-data")?.attrs.target === url);
        equal(find(xml, "x", "jabber:x:oob").children[0].children, [url]);
        const { status, type: told, bytes } = await other.fetch(url);
        equal([status, told, bytes.length, hashOf(bytes)], [200, "image/png", size, hash]);
      },
    },
    {
      feature: "file upload: aborted on its way", xep: UPLOAD, supported: anywhere,
      async run({ client, other }) {
        const { error, progress } = await upload(client, { size: 2_000_000, name: "a.bin", type: "", rate: 400_000, stop: true });
        equal([error?.code, error?.cause], ["aborted", "enough"]);
        ok(progress.at(-1).loaded < 2_000_000, "some of it was on its way");
        // A server may keep what it has got of a file.
        const { status, bytes } = await other.fetch(slotOf(client));
        ok(status === 404 || status === 410 || bytes.length < 2_000_000, `it isn't there: ${status}, ${bytes?.length} bytes`);
        // The next one has a place of its own.
        const { file, hash } = await upload(client, { size: 1000, name: "a.bin", type: "" });
        equal([file.name, file.type], ["a.bin", undefined]);
        equal(hashOf((await other.fetch(file.url)).bytes), hash);
      },
    },
    {
      feature: "file upload: too large, and what can't be put", xep: UPLOAD, supported: anywhere,
      async run({ client }) {
        await client.call("files.service");
        const asked = await sentSoFar(client);
        const { error } = await upload(client, { size: LARGEST + 1, name: "a.bin", type: "" });
        equal([error.code, error.maxSize], ["too-large", LARGEST]);
        equal(await sentSoFar(client), asked, "questions for it");
        // What isn't as large as it was said to be is refused where it is put.
        const status = await client.page.evaluate(async () => {
          const { files } = client;
          const lying = Object.create(files, { slot: { value: (file, options) => files.slot({ ...file, size: file.size + 1 }, options) } });
          const { upload } = await import("/pkg/upload.js");
          return upload(lying, new Blob(["a"]), { name: "a" }).then(() => "put", ({ code }) => code);
        });
        equal(status, "upload-failed");
      },
    },
    {
      feature: "push: a service is told of what comes while nobody is there, until it isn't to be", xep: "XEP-0357", supported: needs("account", PUSH),
      async run({ client, other, open }) {
        const service = await open("boris", { resource: "service" });
        await service.answers({ xmlns: PUBSUB, type: "set" }, null);
        const target = { service: service.jid, node: "amy's" };
        const write = (body) => other.send(`<message xmlns='jabber:client' type='chat' to='${AMY}' id='${body}'><body>${body}</body></message>`);
        equal(await client.call("push.supported"), true);
        await client.call("push.enable", { ...target, options: { secret: "s" } });
        await client.call("disconnect");
        await write("first");
        const told = await service.heard("asked");
        equal([told.attrs.from, find(told, "publish").attrs.node], ["localhost", "amy's"]);
        ok(find(told, "notification", PUSH), "a notification");
        const fields = children(find(find(told, "publish-options"), "x", "jabber:x:data"), "field");
        const [type, secret] = ["FORM_TYPE", "secret"].map((name) => fields.find(({ attrs }) => attrs.var === name));
        equal([type, secret].map((field) => text(find(field, "value"))), [`${PUBSUB}#publish-options`, "s"]);
        await client.connect();
        await client.heard("message", ({ body }) => body === "first");
        await client.call("push.disable", target);
        const before = service.heardSoFar("asked").length;
        await client.call("disconnect");
        await write("second");
        await client.connect();
        await client.heard("message", ({ body }) => body === "second");
        await service.call("ping");
        equal(service.heardSoFar("asked").length, before, "notifications from then on");
      },
    },
    {
      feature: "external services: which there are, of a type, with credentials for a time", xep: "XEP-0215", supported: needs("domain", EXTERNAL),
      async run({ client }) {
        const services = await client.call("externalServices.get");
        const short = services.map(({ type, host, port, transport }) => [type, host, port, transport].join(" "));
        equal(short.toSorted(), ["stun 203.0.113.3 3478 udp", "turn 203.0.113.3 3478 udp"]);
        const turn = await client.call("externalServices.get", { type: "turn" });
        equal(turn.map(({ type }) => type), ["turn"]);
        const asked = await client.call("externalServices.credentials", { type: "turn", host: "203.0.113.3" });
        for (const each of [turn[0], asked[0]]) {
          equal([each.restricted, each.password], [true, createHmac("sha1", SECRET).update(each.username).digest("base64")]);
          ok(each.expires instanceof Date && each.expires > new Date(), `until ${each.expires}`);
        }
      },
    },
    {
      feature: "external services: of one that nobody knows", xep: "XEP-0215", supported: needs("domain", EXTERNAL),
      async run({ client }) {
        equal(await client.call("externalServices.credentials", { type: "turn", host: "nowhere.example" }), []);
      },
    },
  ],
};
