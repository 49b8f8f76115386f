// The package's façade in headless Chromium: iterators, disposal, loading, content security policies, and traps, none of
// which the Rust tests can see; and in Node, whether it lets go. Prints a line `ok - …` or `not ok - …` for each check; the exit status is 1 if one failed.
//
//   STANZAWIRE_URL        a served folder that holds node_modules/stanzawire; ends with a slash
//   STANZAWIRE_HOST_META  the origin of the server's host-meta; alice and bob have accounts there
//   STANZAWIRE_INSTALLED  the installed package
//   STANZAWIRE_TOOLS      a node_modules folder that holds playwright-core
//   STANZAWIRE_CHROMIUM   the browser's executable

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const { STANZAWIRE_URL: url, STANZAWIRE_HOST_META: hostMeta, STANZAWIRE_INSTALLED, STANZAWIRE_TOOLS, STANZAWIRE_CHROMIUM } = process.env;
const { chromium } = createRequire(join(STANZAWIRE_TOOLS, "resolve.js"))("playwright-core");

/** How long, in ms, a check may take. */
const BOUND = 15_000;

const browser = await chromium.launch({
  executablePath: STANZAWIRE_CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run"],
});
let failed = 0;

/** Runs `body` in a page of its own, under a content security policy if one is given. */
async function check(name, body, policy) {
  await told(name, () => inPage(body, policy));
}

async function told(name, test) {
  try {
    await test();
    console.log(`ok - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${name}`);
    console.log(String(error?.stack ?? error).replace(/^/gm, "    "));
  }
}

async function inPage(body, policy) {
  const page = await browser.newPage();
  try {
    // Any document that nothing runs in.
    await page.goto(`${url}node_modules/stanzawire/package.json`);
    if (policy) {
      await page.evaluate((content) => {
        document.head.append(Object.assign(document.createElement("meta"), { httpEquiv: "Content-Security-Policy", content }));
      }, policy);
    }
    await page.evaluate(tools, { entry: `${url}node_modules/stanzawire/index.js`, hostMeta });
    const late = new Promise((_, reject) => setTimeout(reject, BOUND, new Error("it hangs")).unref());
    await Promise.race([page.evaluate(body), late]);
  } finally {
    await page.close();
  }
}

function equal(found, expected) {
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(`${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  }
}

/** What the bodies share, put into the page. */
function tools({ entry, hostMeta }) {
  Object.assign(globalThis, {
    entry,
    hostMeta,
    load: () => import(entry),
    options: (user, more) => ({ jid: `${user}@localhost`, password: "secret", hostMeta, ...more }),
    equal: (found, expected) => {
      if (JSON.stringify(found) !== JSON.stringify(expected)) {
        throw new Error(`${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
      }
    },
    fails: async (promise, code, cause) => {
      const error = await promise.then(() => { throw new Error(`resolved, not ${code}`); }, (error) => error);
      if (!(error instanceof Error) || error.name !== "XmppError" || error.code !== code) {
        throw new Error(`${error.name} ${error.code}: ${error.message}, not ${code}`);
      }
      if (cause !== undefined && error.cause !== cause) throw new Error(`cause ${error.cause}`);
      return error;
    },
  });
}

await check("nothing is compiled before the first client, and then once", async () => {
  const compile = WebAssembly.compile;
  let count = 0;
  WebAssembly.compile = (...args) => (count += 1, compile(...args));
  const { createClient } = await load();
  await new Promise((resolve) => setTimeout(resolve));
  equal(count, 0);
  await Promise.all([createClient(options("alice")), createClient(options("bob"))]);
  equal(count, 1);
});

await check("an account is made with what the app's function fills in; what it throws, or an abort while it waits, ends it", async () => {
  const { connect, register } = await load();
  const account = { jid: "facade@old.localhost", password: "secret", url: `${hostMeta.replace("http", "ws")}/xmpp-websocket` };
  const thrown = new Error("the app's own");
  const caught = await register({ ...account, form: () => { throw thrown; } }).catch((error) => error);
  equal(caught === thrown, true);
  const controller = new AbortController();
  const form = () => {
    controller.abort("enough");
    return new Promise(() => {});
  };
  await fails(register({ ...account, signal: controller.signal, form }), "aborted", "enough");
  await fails(register({ ...account, jid: "old.localhost" }), "invalid-jid");
  await fails(register({ ...account, jid: "facade@old.localhost/x" }), "invalid-jid");
  for (const wrong of [{ password: "" }, { password: undefined }, { form: 7 }, { fields: 7 }, { fields: { email: {} } }, {}]) {
    await fails(register({ ...account, ...wrong }), "invalid-argument");
  }
  await fails(connect(account), "not-authorized");
  await register({ ...account, form: ({ form }) => Object.fromEntries(form.fields.filter(({ required }) => required).map(({ name }) => [name, "a@b.example"])) });
  await (await connect(account)).disconnect();
});

await check("iterators have every event, and end as they should", async () => {
  const { connect } = await load();
  const [alice, bob] = [await connect(options("alice")), await connect(options("bob", { resource: "iterators" }))];
  const body = (message) => message.from === alice.jid && message.body;
  const all = bob.events("message");
  const once = bob.once("message");
  for (const text of ["1", "2", "3"]) await alice.send({ to: bob.jid, body: text });
  equal(typeof (await once).body, "string");
  const seen = [];
  for await (const message of all) {
    if (body(message)) seen.push(message.body);
    if (seen.length === 3) break;
  }
  equal(seen, ["1", "2", "3"]);
  equal(await all.next(), { done: true });

  const rest = bob.events("message");
  const idle = bob.events("frame");
  const waiting = (async () => { for await (const _ of idle); return "ended"; })();
  await alice.send({ to: bob.jid, body: "4" });
  await alice.ping(bob.jid);
  await bob.disconnect();
  const left = [];
  for await (const message of rest) left.push(message.body);
  equal([left, await waiting], [["4"], "ended"]);

  const controller = new AbortController();
  const aborted = alice.events("message", { signal: controller.signal });
  const next = aborted.next();
  controller.abort("why");
  await fails(next, "aborted", "why");
  equal(await aborted.next(), { done: true });
  await fails(alice.events("message", { signal: controller.signal }).next(), "aborted", "why");
  await fails(alice.once("message", { signal: controller.signal }), "aborted", "why");
  await fails(alice.once("message", { timeout: 1 }), "timeout");
  await fails(alice.once("message", { timeout: "1" }), "invalid-argument");
  await alice.disconnect();
});

await check("a listener goes with its signal", async () => {
  const { createClient } = await load();
  const alice = await createClient(options("alice"));
  const controller = new AbortController();
  const seen = [];
  const off = alice.on("status", ({ status }) => seen.push(status), { signal: controller.signal });
  await alice.connect();
  controller.abort();
  await alice.disconnect();
  alice.on("status", ({ status }) => seen.push(status), { signal: controller.signal });
  off();
  await alice.connect();
  await alice.disconnect();
  equal(seen, ["connecting", "online"]);
});

await check("disposal logs out", async () => {
  const { connect } = await load();
  for (const symbol of [Symbol.dispose, Symbol.asyncDispose].filter(Boolean)) {
    const alice = await connect(options("alice"));
    await alice[symbol]();
    equal(alice.status, "offline");
    await alice[symbol]();
  }
});

await check("what is wrong with options is told by rejection", async () => {
  const { connect, createClient } = await load();
  for (const value of [undefined, null, 1, {}, { jid: 1 }]) {
    await fails(createClient(value), "invalid-argument");
    await fails(connect(value), "invalid-argument");
  }
  await fails(createClient({ jid: "@" }), "invalid-jid");
  await fails(createClient(options("alice", { signal: {} })), "invalid-argument");
  await fails(connect(options("alice", { password: "wrong" })), "not-authorized");
});

await check("discover finds the endpoints, or says why not", async () => {
  const { connect, discover } = await load();
  const endpoints = await discover("localhost", { hostMeta });
  equal(endpoints.map((endpoint) => Object.keys(endpoint)), [["url", "source"]]);
  const [{ url, source }] = endpoints;
  equal([new URL(url).host, ["xrd", "json"].includes(source)], [new URL(hostMeta).host, true]);
  await (await connect(options("alice", { url, hostMeta: undefined }))).disconnect();

  for (const domain of ["alice@localhost", "localhost/web", ""]) await fails(discover(domain, { hostMeta }), "invalid-jid");
  for (const domain of [undefined, null, 1, {}]) await fails(discover(domain, { hostMeta }), "invalid-argument");
  for (const wrong of [1, { hostMeta: 1 }, { signal: {} }, { timeout: -1 }, { hostMeta: "localhost" }]) {
    await fails(discover("localhost", wrong), "invalid-argument");
  }
  const error = await fails(discover("localhost", { hostMeta: location.origin }), "discovery-http");
  equal([error.phase, error.message.match(/HTTP status 404/g)?.length], ["discovery", 1]);
  await fails(discover("localhost", { hostMeta, signal: AbortSignal.abort("at once") }), "aborted", "at once");
  const controller = new AbortController();
  const fetched = globalThis.fetch;
  globalThis.fetch = (...args) => (controller.abort("why"), fetched(...args));
  const abort = discover("localhost", { hostMeta, signal: controller.signal });
  equal((await fails(abort, "aborted", "why")).phase, "discovery");
  globalThis.fetch = () => new Promise(() => {});
  equal((await fails(discover("localhost", { hostMeta, timeout: 1 }), "timeout")).phase, "discovery");
});

for (const answered of ["host-meta", "host-meta.json"]) {
  await told(`discover lets Node end when ${answered} has come and the other document has not`, async () => {
    const link = { rel: "urn:xmpp:alt-connections:websocket", href: "wss://example.org/ws" };
    const documents = {
      "host-meta": `<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="${link.rel}" href="${link.href}"/></XRD>`,
      "host-meta.json": JSON.stringify({ links: [link] }),
    };
    // The other request is held until its socket closes.
    let asked;
    const held = new Promise((resolve) => asked = resolve);
    const said = await inNode(`
      const { discover } = await import(process.argv[1]);
      console.log(JSON.stringify(await discover("example.org", { hostMeta: process.argv[2] })));
    `, (request, response) => {
      if (request.url === `/.well-known/${answered}`) held.then(() => response.end(documents[answered]));
      else asked();
    });
    equal(JSON.parse(said), [{ url: link.href, source: answered === "host-meta" ? "xrd" : "json" }]);
  });
}

await told("discover lets Node end when it fails, is aborted, or is late", async () => {
  const said = await inNode(`
    const { discover } = await import(process.argv[1]);
    const codes = [];
    for (const options of [{ hostMeta: "http://127.0.0.1:9" }, { signal: AbortSignal.timeout(50) }, { timeout: 50 }]) {
      const call = discover("example.org", { hostMeta: process.argv[2], ...options });
      codes.push(await call.then(() => "found", ({ code }) => code));
    }
    console.log(codes.join());
  `, () => {});
  equal(said, "discovery-network,aborted,timeout\n");
});

/** What a module says in Node, which has to end by itself once it has spoken. It is told the origin of a server. */
async function inNode(module, answer) {
  const server = createServer(answer);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const entry = join(STANZAWIRE_INSTALLED, "index.js");
  const origin = `http://127.0.0.1:${server.address().port}`;
  const node = spawn(process.execPath, ["--input-type=module", "-e", module, entry, origin], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(node, "exit");
  let said = "";
  let bound = setTimeout(() => node.kill("SIGKILL"), BOUND);
  node.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
    clearTimeout(bound);
    bound = setTimeout(() => node.kill("SIGKILL"), 2_000);
  });
  const [code] = await ended;
  clearTimeout(bound);
  server.close();
  server.closeAllConnections();
  if (code !== 0) throw new Error(`Node ended with ${code}, having said ${said}`);
  return said;
}

await check("an abort ends loading and login", async () => {
  const { connect, createClient } = await load();
  await fails(createClient(options("alice", { signal: AbortSignal.abort("at once") })), "aborted", "at once");
  for (const delay of [0, 5, 10, 20, 40]) {
    const controller = new AbortController();
    const login = connect(options("alice", { signal: controller.signal }));
    setTimeout(() => controller.abort(delay), delay);
    await login.then((client) => client.disconnect(), (error) => fails(Promise.reject(error), "aborted", delay));
  }
});

await check("a lost connection is made again, and what was sent meanwhile arrives", async () => {
  const sockets = [];
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }
  };
  const { connect } = await load();
  // Nobody waits that long: the network's return brings it back.
  const reconnect = { minDelay: 1e9, maxDelay: 1e9 };
  const [alice, bob] = [await connect(options("alice", { reconnect })), await connect(options("bob"))];
  const status = alice.once("status");
  sockets[0].close();
  equal((await status).status, "reconnecting");
  const arrival = bob.events("message");
  const sent = alice.send({ to: bob.jid, body: "meanwhile" });
  const back = alice.once("status");
  dispatchEvent(new Event("online"));
  equal((await back).status, "online");
  await sent;
  for await (const { body } of arrival) if (body === "meanwhile") break;
  await alice.disconnect();
  await bob.disconnect();
});

await check("no two clients draw the same random numbers", async () => {
  const { connect } = await load();
  const drawn = new Set();
  for (let turn = 0; turn < 4; turn += 1) {
    const storage = {
      getItem: () => null,
      setItem: (key, value) => key.endsWith(":tabs") && drawn.add(value),
      removeItem: () => {},
    };
    await (await connect(options("alice", { storage }))).disconnect();
  }
  equal(drawn.size, 4);
});

await check("a trap on the platform's behalf ends its own client alone", async () => {
  // Whatever comes next on the first socket, once armed: its entry fails at the clock.
  let [first, armed] = [null, false];
  const trap = () => {
    armed = false;
    const now = performance.now;
    performance.now = () => {
      performance.now = now;
      throw new WebAssembly.RuntimeError("unreachable");
    };
  };
  globalThis.WebSocket = class extends WebSocket {
    set onmessage(listener) {
      first ??= this;
      super.onmessage = listener && ((event) => {
        if (armed && this === first) trap();
        listener(event);
      });
    }
  };
  const { connect } = await load();
  // What would take its listeners away from the page.
  const listening = [];
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    if (type === "pagehide") listening.push(options.signal);
    return add.call(this, type, listener, options);
  };
  const [alice, bob] = [await connect(options("alice")), await connect(options("bob"))];
  equal(listening.map(({ aborted }) => aborted), [false, false]);
  const seen = [];
  alice.on("status", () => { throw new Error("from a listener, to be told as uncaught"); });
  alice.on("status", ({ status, error }) => seen.push(status, error.code));
  alice.on("error", ({ code }) => seen.push(code));
  const { jid } = alice;
  const pending = [alice.ping(), alice.once("message"), alice.events("message").next()];
  armed = true;
  for (const promise of pending) await fails(promise, "internal");
  await new Promise((resolve) => setTimeout(resolve));
  equal(seen, ["offline", "internal", "internal"]);
  equal(listening.map(({ aborted }) => aborted), [true, false]);
  equal([alice.status, alice.jid], ["offline", jid]);
  for (const call of ["connect", "send", "ping"]) await fails(alice[call](), "internal");

  const again = await connect(options("alice"));
  const arrival = bob.events("message");
  await again.send({ to: bob.jid, body: "after" });
  for await (const { body } of arrival) if (body === "after") break;
  await again.disconnect();
  await bob.disconnect();
});

await check("a trap in a call rejects it and all that wait", async () => {
  const { connect } = await load();
  const alice = await connect(options("alice"));
  const waiting = alice.once("message");
  const now = performance.now;
  performance.now = () => { throw new RangeError("Maximum call stack size exceeded"); };
  const error = await fails(alice.ping(), "internal");
  performance.now = now;
  equal(error.cause.name, "RangeError");
  await fails(waiting, "internal");
  await (await connect(options("alice"))).disconnect();
});

await check("a logout is no failure after a trap, and the address is still known", async () => {
  const { connect } = await load();
  const alice = await connect(options("alice"));
  const now = performance.now;
  performance.now = () => { throw new RangeError("Maximum call stack size exceeded"); };
  await fails(alice.ping(), "internal");
  performance.now = now;
  equal(await alice.disconnect(), undefined);
  equal(typeof alice.jid, "string");
});

await check("objects that throw when they are read are refused, and harm nobody", async () => {
  const { connect, xml } = await load();
  const thrower = (target, trap) => new Proxy(target, { [trap]() { throw new Error("boom"); } });
  await fails(connect(thrower({}, "get")), "invalid-argument");
  await fails(connect({ get jid() { throw new Error("boom"); } }), "invalid-argument");
  const alice = await connect(options("alice"));
  const elements = [
    { name: "message", attrs: { get to() { throw new Error("boom"); } } },
    { name: "message", attrs: thrower({}, "ownKeys") },
    { name: "message", children: thrower(["a"], "get") },
  ];
  for (const element of elements) await fails(alice.sendElement(element), "invalid-argument");
  equal(await alice.sendElement(xml("presence")), undefined);
  equal(alice.status, "online");
  await alice.disconnect();
});

await check("once ends with the session", async () => {
  const alice = await (await load()).connect(options("alice"));
  const [message, offline] = [alice.once("message"), alice.once("status")];
  await alice.disconnect();
  await fails(message, "offline");
  equal((await offline).status, "offline");
});

await check("a strict policy with 'wasm-unsafe-eval' is enough", async () => {
  await (await (await load()).connect(options("alice"))).disconnect();
}, `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ${hostMeta} ${hostMeta.replace("http", "ws")}`);

await check("a policy against wasm is told with what to do", async () => {
  const error = await fails((await load()).createClient(options("alice")), "load-failed");
  if (!error.hint.includes("'wasm-unsafe-eval'")) throw new Error(error.hint);
}, "script-src 'self'");

await check("a platform without WebAssembly is told, and may get it later", async () => {
  const { createClient } = await load();
  const kept = globalThis.WebAssembly;
  delete globalThis.WebAssembly;
  await fails(createClient(options("alice")), "load-failed");
  globalThis.WebAssembly = kept;
  await createClient(options("alice"));
});

await check("a worker logs in", async () => {
  const code = `import { connect } from ${JSON.stringify(entry)};
    connect(${JSON.stringify(options("alice"))}).then(async (client) => {
      const { jid } = client;
      await client.disconnect();
      postMessage(jid);
    }, (error) => postMessage(error.message));`;
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { type: "module" });
  const answer = await new Promise((resolve, reject) => Object.assign(worker, { onmessage: resolve, onerror: reject }));
  if (!answer.data.startsWith("alice@localhost/")) throw new Error(answer.data);
});

await browser.close();
process.exitCode = failed === 0 ? 0 : 1;
