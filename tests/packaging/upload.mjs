// Files on their way, where they truly go: from a page, a worker and a service worker of headless Chromium, and from Node, to the server's
// own service and to a place that answers as it likes. Prints a line `ok - …` or `not ok - …` for each check; the exit status is 1 if one
// failed. What it wants is what facade.mjs wants.

import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { STANZAWIRE_URL: url, STANZAWIRE_HOST_META: hostMeta, STANZAWIRE_INSTALLED, STANZAWIRE_TOOLS, STANZAWIRE_CHROMIUM } = process.env;
const { chromium } = createRequire(join(STANZAWIRE_TOOLS, "resolve.js"))("playwright-core");

/** How long, in ms, a check may take. */
const BOUND = 20_000;

/** What was put where, and how that ended, by path. */
const seen = new Map();
/** How a path is answered; what isn't here never is. */
const ANSWERS = { "/ok": 201, "/cookie": 401, "/forbidden": 403, "/full": 507 };

const place = createServer((request, response) => {
  const path = request.url;
  if (path !== "/foreign") {
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Access-Control-Allow-Methods", "PUT");
    response.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type, Expires");
  }
  if (request.method === "OPTIONS") return response.end();
  if (path.startsWith("/led")) return response.writeHead(307, { Location: "/ok" }).end();
  if (path === "/gone") return request.socket.destroy();
  const put = { headers: request.headers, method: request.method, size: 0, ended: "no" };
  seen.set(path, put);
  request.on("data", (piece) => { put.size += piece.length; });
  request.on("end", () => {
    put.ended = "whole";
    if (ANSWERS[path]) response.writeHead(ANSWERS[path]).end("words that nobody reads");
  });
  response.on("close", () => { if (!response.writableEnded) put.ended = "aborted"; });
});
place.listen(0, "127.0.0.1");
await once(place, "listening");
const origin = `http://127.0.0.1:${place.address().port}`;

const browser = await chromium.launch({
  executablePath: STANZAWIRE_CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run"],
});
let failed = 0;

async function told(name, test) {
  try {
    const late = new Promise((_, reject) => setTimeout(reject, BOUND, new Error("it hangs")).unref());
    await Promise.race([test(), late]);
    console.log(`ok - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${name}`);
    console.log(String(error?.stack ?? error).replace(/^/gm, "    "));
  }
}

/** Runs `body` in a page of its own, which knows `tools`. */
async function inPage(body, argument) {
  const page = await browser.newPage();
  try {
    await page.goto(`${url}node_modules/stanzawire/package.json`);
    await page.evaluate(tools, { entry: `${url}node_modules/stanzawire/index.js`, hostMeta, origin });
    return await page.evaluate(body, argument);
  } finally {
    await page.close();
  }
}

const check = (name, body, argument) => told(name, () => inPage(body, argument));

function equal(found, expected, what = "found") {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${what}: ${a}, not ${b}`);
}

async function until(holds, what) {
  for (const end = Date.now() + 8000; !holds();) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What the bodies share, put into the page. */
function tools({ entry, hostMeta, origin }) {
  const UPLOAD = "urn:xmpp:http:upload:0";
  const options = (user, more) => ({ jid: `${user}@localhost`, password: "secret", hostMeta, storage: null, ...more });
  Object.assign(globalThis, {
    entry, origin, options, UPLOAD,
    equal: (found, expected) => {
      const [a, b] = [found, expected].map((value) => JSON.stringify(value));
      if (a !== b) throw new Error(`${a}, not ${b}`);
    },
    fails: async (promise, code, fields = {}) => {
      const error = await promise.then(() => { throw new Error(`resolved, not ${code}`); }, (error) => error);
      if (!(error instanceof Error) || error.name !== "XmppError" || error.code !== code) throw new Error(`${error.code}: ${error.message}, not ${code}`);
      for (const [name, value] of Object.entries(fields)) {
        if (error[name] !== value) throw new Error(`${name} is ${error[name]}, not ${value}`);
      }
      return error;
    },
    /** Alice, and bob, who takes files, and says that they are to be put at `path`; what he calls the headers. */
    together: async (use) => {
      const { connect, xml } = await import(entry);
      const alice = await connect(options("alice"));
      const bob = await connect(options("bob", { features: [UPLOAD] }));
      let slot = ["/ok", []];
      const answersNoMore = bob.handle({ xmlns: UPLOAD }, () => xml("slot", { xmlns: UPLOAD },
        xml("put", { url: origin + slot[0] }, ...slot[1].map(([name, value]) => xml("header", { name }, value))),
        xml("get", { url: `${origin}/fetched` })));
      const blob = new Blob([new Uint8Array(100_000)], { type: "image/png" });
      await use({
        alice, bob, blob, xml, answersNoMore,
        upload: (path, more, headers = []) => {
          slot = [path, headers];
          return alice.files.upload(blob, { name: "a.png", service: bob.jid, ...more });
        },
      });
      await Promise.all([alice.disconnect(), bob.disconnect()]);
    },
  });
}

await told("what goes along is what may, and no more", async () => {
  const file = await inPage(async () => {
    let file;
    await together(async ({ upload }) => {
      const progress = [];
      file = await upload("/ok", { onProgress: (each) => progress.push(each) }, [
        ["X-Evil", "1"], ["authorization", "Bearer a\r\nX-Evil: 2"], ["Cookie", "a=b"], ["Expires", "soon"], ["Host", "example.org"],
      ]);
      const last = progress.at(-1);
      equal([last.loaded, last.total], [100_000, 100_000]);
    });
    return file;
  });
  equal(file, { url: `${origin}/fetched`, name: "a.png", size: 100_000, type: "image/png" });
  const { headers, method, size, ended } = seen.get("/ok");
  equal([method, size, ended], ["PUT", 100_000, "whole"]);
  const names = ["authorization", "expires", "content-type", "content-length", "cookie", "x-evil", "host"];
  equal(names.map((name) => headers[name] ?? null), ["Bearer aX-Evil: 2", "soon", "image/png", "100000", null, null, new URL(origin).host]);
});

await check("a refusal is told with its status", () => together(async ({ upload }) => {
  await fails(upload("/full"), "upload-failed", { status: 507, retryable: true });
  await fails(upload("/forbidden"), "upload-failed", { status: 403, retryable: false });
  const { hint } = await fails(upload("/cookie", {}, [["Cookie", "a=b"]]), "upload-failed", { status: 401 });
  if (!hint.includes("cookie")) throw new Error(hint);
}));

await check("what the browser tells no reason for is told without", () => together(async ({ upload }) => {
  for (const path of ["/foreign", "/gone"]) {
    const error = await fails(upload(path), "upload-failed", { retryable: true });
    equal("status" in error, false);
  }
}));

await told("an abort ends the upload itself, and so does a timeout", async () => {
  await inPage(() => together(async ({ upload }) => {
    const controller = new AbortController();
    const onProgress = ({ loaded, total }) => { if (loaded === total) controller.abort("enough"); };
    await fails(upload("/held", { onProgress, signal: controller.signal }), "aborted", { cause: "enough" });
    await fails(upload("/late", { timeout: 1500 }), "timeout", { retryable: true });
    await fails(upload("/never", { signal: AbortSignal.abort("before") }), "aborted", { cause: "before" });
  }));
  for (const path of ["/held", "/late"]) await until(() => seen.get(path)?.ended === "aborted", `${path} is aborted`);
  equal(seen.has("/never"), false);
});

await check("a file is what it says, and what can't be one is refused", () => together(async ({ alice, bob, blob }) => {
  const service = bob.jid;
  const bytes = new Uint8Array([1, 2, 3, 4]);
  for (const [file, more, told] of [
    [new File([bytes], "/tmp/b.bin"), {}, { name: "b.bin", size: 4 }],
    [new File([bytes], "b.bin", { type: "Text/Plain" }), { name: "c", type: "text/x" }, { name: "c", size: 4, type: "text/x" }],
    [bytes, { name: "d" }, { name: "d", size: 4 }],
    [bytes.subarray(1, 3), { name: "d" }, { name: "d", size: 2 }],
    [bytes.buffer, { name: "d", type: "text/plain" }, { name: "d", size: 4, type: "text/plain" }],
  ]) equal(await alice.files.upload(file, { service, ...more }), { url: `${origin}/fetched`, ...told });
  for (const [file, more] of [
    ["text", { name: "a" }], [null, { name: "a" }], [{ size: 1, name: "a" }, {}], [blob, {}], [blob, { name: 1 }], [blob, { name: "a", type: 1 }],
    [blob, { name: "a", onProgress: "often" }], [blob, { name: "a", signal: {} }], [blob, { name: "a", timeout: -1 }], [new Blob([]), { name: "a" }],
  ]) await fails(alice.files.upload(file, { service, ...more }), "invalid-argument");
  await fails(alice.files.upload(blob, { get name() { throw new Error("boom"); } }), "invalid-argument");
  await fails(alice.files.upload(blob, { name: "a", service: "@" }), "invalid-jid");
}));

await check("what listens to the progress and throws harms nothing", () => together(async ({ upload }) => {
  const uncaught = [];
  addEventListener("error", (event) => {
    event.preventDefault();
    uncaught.push(event.error.message);
  });
  await upload("/ok", { onProgress: () => { throw new Error("from the app"); } });
  equal(uncaught.at(-1), "from the app");
}));

await check("when to try again is a Date, and how large it may be a number", () => together(async ({ alice, bob, xml, answersNoMore }) => {
  answersNoMore();
  bob.handle({ xmlns: UPLOAD }, () => new Promise(() => {}));
  const refused = async (condition, specific) => {
    const call = alice.files.slot({ name: "a", size: 5, service: bob.jid });
    const asked = bob.events("stanza");
    for await (const iq of asked) {
      if (iq.children[0]?.name !== "request") continue;
      const { id, from } = iq.attrs;
      const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
      await bob.sendElement(xml("iq", { type: "error", id, to: from }, xml("error", { type: "wait" }, xml(condition, { xmlns: STANZAS }), specific)));
      break;
    }
    return fails(call, condition === "not-acceptable" ? "too-large" : "stanza-error", { condition });
  };
  const { retryAt } = await refused("resource-constraint", xml("retry", { xmlns: UPLOAD, stamp: "2030-01-02T03:04:05Z" }));
  equal([retryAt instanceof Date, retryAt.toISOString()], [true, "2030-01-02T03:04:05.000Z"]);
  const { maxSize } = await refused("not-acceptable", xml("file-too-large", { xmlns: UPLOAD }, xml("max-file-size", {}, "4")));
  equal(maxSize, 4);
}));

await check("the server's own service takes a file, and gives it back", async () => {
  const { connect } = await import(entry);
  const alice = await connect(options("alice"));
  const file = await alice.files.upload(new File(["hello"], "a.txt", { type: "text/plain" }));
  equal([file.name, file.size, await (await fetch(file.url)).text()], ["a.txt", 5, "hello"]);
  const slot = await alice.files.slot({ name: "b.txt", size: 2, type: "text/plain" });
  const put = await fetch(slot.put, { method: "PUT", headers: [...slot.headers, ["Content-Type", "text/plain"]], body: "hi" });
  equal([put.status, await (await fetch(slot.url)).text()], [201, "hi"]);
  await fails(alice.files.upload(new Blob([new Uint8Array(1024 * 1024 + 1)]), { name: "a" }), "too-large", { maxSize: 1024 * 1024 });
  await alice.disconnect();
});

/** Puts a file from where there is no page, and fetches it. */
const ELSEWHERE = (entry, options) => `import { connect } from ${JSON.stringify(entry)};
  const run = async () => {
    const client = await connect(${JSON.stringify(options)});
    const progress = [];
    const file = await client.files.upload(new Blob(["hello"]), { name: "a.txt", onProgress: (each) => progress.push(each.loaded) });
    const controller = new AbortController();
    const aborted = client.files.upload(new Blob(["hello"]), { name: "a.txt", signal: controller.signal });
    controller.abort("enough");
    const code = await aborted.then(() => "put", ({ code }) => code);
    await client.disconnect();
    return [await (await fetch(file.url)).text(), progress.at(-1), code, typeof XMLHttpRequest].join();
  };`;

await told("a worker puts a file", () => inPage(async (code) => {
  const worker = new Worker(URL.createObjectURL(new Blob([`${code}\nrun().then(postMessage, (error) => postMessage(String(error)));`], { type: "text/javascript" })), { type: "module" });
  const { data } = await new Promise((resolve, reject) => Object.assign(worker, { onmessage: resolve, onerror: reject }));
  equal(data, "hello,5,aborted,function");
}, ELSEWHERE(`${url}node_modules/stanzawire/index.js`, { jid: "alice@localhost", password: "secret", hostMeta })));

await told("a service worker puts a file, by fetch", async () => {
  const script = join(STANZAWIRE_INSTALLED, "../../service-worker.js");
  const code = ELSEWHERE("./node_modules/stanzawire/index.js", { jid: "alice@localhost", password: "secret", hostMeta });
  writeFileSync(script, `${code}\naddEventListener("message", ({ source }) => run().then((said) => source.postMessage(said), (error) => source.postMessage(String(error))));`);
  try {
    await inPage(async (script) => {
      const registration = await navigator.serviceWorker.register(script, { type: "module" });
      const worker = registration.installing ?? registration.waiting ?? registration.active;
      while (worker.state !== "activated") await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
      const said = new Promise((resolve) => navigator.serviceWorker.addEventListener("message", resolve, { once: true }));
      navigator.serviceWorker.startMessages();
      worker.postMessage("go");
      equal((await said).data, "hello,5,aborted,undefined");
      await registration.unregister();
    }, `${url}service-worker.js`);
  } finally {
    rmSync(script, { force: true });
  }
});

await told("Node puts a file, with a cookie, is refused, aborts, and isn't led elsewhere", async () => {
  const { upload } = await import(pathToFileURL(join(STANZAWIRE_INSTALLED, "upload.js")));
  const files = (path) => ({
    slot: async ({ name, size, type }) => ({ url: `${origin}/fetched`, name, size, type: type || undefined, put: origin + path, headers: [["Cookie", "a=b"], ["Authorization", "c"]] }),
  });
  const put = (path, more) => upload(files(path), new Blob(["hello"], { type: "text/plain" }), { name: "a", ...more });
  const codes = (promise) => promise.then(() => "put", ({ code, status }) => [code, status].join(" ").trim());
  seen.clear();
  const progress = [];
  equal(await put("/ok", { onProgress: ({ loaded }) => progress.push(loaded) }), { url: `${origin}/fetched`, name: "a", size: 5, type: "text/plain" });
  const { headers, size } = seen.get("/ok");
  equal([headers.cookie, headers.authorization, headers["content-type"], size, progress.at(-1)], ["a=b", "c", "text/plain", 5, 5]);
  equal(await codes(put("/full")), "upload-failed 507");
  equal(await codes(put("/gone")), "upload-failed");
  seen.clear();
  equal(await codes(put("/led")), "upload-failed");
  equal(seen.has("/ok"), false);
  const controller = new AbortController();
  const held = codes(put("/held", { signal: controller.signal }));
  await until(() => seen.get("/held")?.size === 5, "it is on its way");
  controller.abort();
  equal(await held, "aborted");
  await until(() => seen.get("/held").ended === "aborted", "the upload itself ends");
  equal(await codes(put("/late", { timeout: 100 })), "timeout");
});

await browser.close();
place.close();
place.closeAllConnections();
process.exitCode = failed === 0 ? 0 : 1;
