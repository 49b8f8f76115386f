// What keeps the wasm from loading, each for real in headless Chromium: no WebAssembly, a policy against it, and for the slim entry an
// address where it isn't, or isn't served as it should be. Prints a line `ok - …` or `not ok - …` for each check; the exit status is
// 1 if one failed.
//
//   STANZAWIRE_INSTALLED  the installed package
//   STANZAWIRE_HOST_META  the origin of the server's host-meta; alice has an account there
//   STANZAWIRE_TOOLS      a node_modules folder that holds playwright-core
//   STANZAWIRE_CHROMIUM   the browser's executable

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";

const { STANZAWIRE_INSTALLED, STANZAWIRE_HOST_META: hostMeta, STANZAWIRE_TOOLS, STANZAWIRE_CHROMIUM } = process.env;
const { chromium } = createRequire(join(STANZAWIRE_TOOLS, "resolve.js"))("playwright-core");

const POLICIES = { "/strict": "script-src 'self'", "/wasm": "script-src 'self' 'wasm-unsafe-eval'" };
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
/** What stands where ISO 8859-1 has nothing. */
const WINDOWS_1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";
let asked = 0;

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const answer = (status, type, body, headers = {}) => response.writeHead(status, { "Content-Type": type, ...headers }).end(body);
  const wasm = () => readFileSync(join(STANZAWIRE_INSTALLED, "stanzawire.wasm"));
  const policy = POLICIES[pathname];
  if (policy || pathname === "/") return answer(200, "text/html", "<!doctype html><title>empty</title>", policy && { "Content-Security-Policy": policy });
  if (pathname === "/octets.wasm") return answer(200, "application/octet-stream", wasm());
  if (pathname === "/page.wasm") return answer(200, "text/html", "<!doctype html>");
  if (pathname === "/late.wasm") return answer(503, "text/plain", "later");
  if (pathname === "/cut.wasm") return answer(200, "application/wasm", wasm().subarray(0, 1000));
  if (pathname === "/empty.wasm") return answer(200, "application/wasm", Buffer.from("\0asm\x01\0\0\0", "latin1"));
  if (pathname === "/other.wasm") return answer(200, "application/wasm", other(wasm()));
  try {
    const garbled = pathname.startsWith("/garbled/");
    let content = readFileSync(join(STANZAWIRE_INSTALLED, pathname.replace("/garbled/", "/")));
    // As a classic script is read in a page that doesn't say its encoding.
    if (garbled) content = content.toString("latin1").replace(/[\x80-\x9f]/g, (byte) => WINDOWS_1252[byte.charCodeAt() - 0x80]);
    if (pathname === "/stanzawire.wasm") asked += 1;
    answer(200, `${TYPES[extname(pathname)]}; charset=utf-8`.replace(/(wasm);.*/, "$1"), content);
  } catch {
    answer(404, "text/html", "not found");
  }
});
await once(server.listen(0, "127.0.0.1"), "listening");
const origin = `http://localhost:${server.address().port}`;

/** The same wasm, of a build that it isn't of. */
function other(wasm) {
  const copy = Buffer.from(wasm);
  copy[copy.length - 1] = copy[copy.length - 1] === 0x30 ? 0x31 : 0x30;
  return copy;
}

let failed = 0;
async function check(name, test) {
  try {
    await test();
    console.log(`ok - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${name}`);
    console.log(String(error?.stack ?? error).replace(/^/gm, "    "));
  }
}

async function withBrowser(flags, use) {
  const browser = await chromium.launch({
    executablePath: STANZAWIRE_CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--no-first-run", ...flags],
  });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

/** What `body` comes to in a page: the code, the hint and the message of what it rejects with, if it does. */
async function inPage(browser, path, body, argument) {
  const page = await browser.newPage();
  const uncaught = [];
  page.on("pageerror", (error) => uncaught.push(error.message));
  try {
    await page.goto(origin + path);
    const found = await page.evaluate(async ({ body, argument }) => {
      try {
        return { value: await (0, eval)(`(${body})`)(argument) };
      } catch ({ name, code, message, hint, retryable }) {
        return { name, code, message, hint, retryable };
      }
    }, { body: String(body), argument }).catch(async (error) => {
      // A policy forbids eval(): the body itself is handed over then.
      if (!/eval/.test(error.message)) throw error;
      return page.evaluate(body, argument).then((value) => ({ value }));
    });
    return { ...found, uncaught };
  } finally {
    await page.close();
  }
}

function refused(found, hint, message = /./) {
  const { name, code, uncaught } = found;
  const fits = name === "XmppError" && code === "load-failed" && hint.test(found.hint) && message.test(found.message) && uncaught.length === 0;
  if (!fits) throw new Error(JSON.stringify(found));
}

/** What the entry `.` does first. */
const make = async () => {
  const { createClient } = await import("/index.js");
  return createClient({ jid: "alice@example.org", password: "x" }).then(() => "ready", ({ name, code, message, hint }) => ({ name, code, message, hint }));
};
const slim = async (source) => {
  const { createClient, load } = await import("/slim.js");
  await load(source);
  await createClient({ jid: "alice@example.org", password: "x" });
  return "ready";
};

await check("a browser without WebAssembly is told why nothing works", () => withBrowser(["--js-flags=--jitless"], async (browser) => {
  refused({ ...(await inPage(browser, "/", make)).value, uncaught: [] }, /no WebAssembly, or it is switched off/);
  refused(await inPage(browser, "/", slim, "/stanzawire.wasm"), /no WebAssembly, or it is switched off/);
}));

await withBrowser([], async (browser) => {
  const told = async (source, hint, message) => refused(await inPage(browser, "/", slim, source), hint, message);
  const ready = (found) => {
    if (found.value !== "ready" || found.uncaught.length > 0) throw new Error(JSON.stringify(found));
  };

  await check("a policy without 'wasm-unsafe-eval' is told, for both entries", async () => {
    const both = async () => {
      const said = ({ name, code, message, hint }) => ({ name, code, message, hint });
      const { createClient } = await import("/index.js");
      const { load } = await import("/slim.js");
      return [
        await createClient({ jid: "alice@example.org", password: "x" }).catch(said),
        await load("/stanzawire.wasm").catch(said),
      ];
    };
    const page = await browser.newPage();
    await page.goto(`${origin}/strict`);
    for (const found of await page.evaluate(both)) refused({ ...found, uncaught: [] }, /'wasm-unsafe-eval'/);
    await page.goto(`${origin}/wasm`);
    const { length } = (await page.evaluate(both)).filter((error) => error?.code !== undefined);
    await page.close();
    if (length > 0) throw new Error("it fails with 'wasm-unsafe-eval' as well");
  });

  await check("a script that was not read as UTF-8 is told", async () => {
    const garbled = async () => (await import("/garbled/index.js")).createClient({ jid: "alice@example.org", password: "x" });
    refused(await inPage(browser, "/", garbled), /<meta charset="utf-8">/);
  });
  await check("a wasm that isn't there is told with its status", async () => {
    await told("/missing.wasm", /Serve stanzawire.wasm/, /missing.wasm was answered with 404/);
    const found = await inPage(browser, "/", slim, "/late.wasm");
    refused(found, /Serve stanzawire.wasm/, /503/);
    if (found.retryable !== true) throw new Error("a server that is overloaded may get over it");
  });
  await check("a wasm that is served as something else is told with its type", async () => {
    await told("/octets.wasm", /as application\/wasm/, /octets.wasm was served as application\/octet-stream/);
    await told("/page.wasm", /as application\/wasm/, /served as text\/html/);
  });
  await check("a server that isn't there is told", () => told("http://localhost:9/stanzawire.wasm", /Check the address/, /could not be fetched/));
  await check("a wasm that is cut off, or another one, is told", async () => {
    await told("/cut.wasm", /./);
    await told("/empty.wasm", /out of the same package/, /not that of this version/);
    await told("/other.wasm", /out of the same package/, /not that of this version/);
  });
  await check("what is no wasm at all is an invalid argument", async () => {
    for (const source of [undefined, 1, {}]) {
      const { code } = await inPage(browser, "/", slim, source);
      if (code !== "invalid-argument") throw new Error(`${source}: ${code}`);
    }
  });
  await check("a client before load() is told to call it", async () => {
    const early = async () => (await import("/slim.js")).createClient({ jid: "alice@example.org", password: "x" });
    refused(await inPage(browser, "/", early), /Call load\(\)/);
  });
  await check("load() takes an address, a URL, a response, bytes and a module, each also promised, and fetches once", async () => {
    asked = 0;
    ready(await inPage(browser, "/", slim, "/stanzawire.wasm"));
    if (asked !== 1) throw new Error(`asked for ${asked} times`);
    const sources = [
      () => new URL("/stanzawire.wasm", location.href),
      () => fetch("/stanzawire.wasm"),
      async () => (await fetch("/stanzawire.wasm")).arrayBuffer(),
      async () => new Uint8Array(await (await fetch("/stanzawire.wasm")).arrayBuffer()),
      async () => WebAssembly.compileStreaming(fetch("/stanzawire.wasm")),
      () => fetch("/stanzawire.wasm").then((response) => response.arrayBuffer()).then(WebAssembly.compile),
    ];
    for (const source of sources) ready(await inPage(browser, "/", `async () => (${slim})((${source})())`));
  });
  await check("who doesn't wait for load() is told by the first call, and may try again", async () => {
    const found = await inPage(browser, "/", async () => {
      const { createClient, load } = await import("/slim.js");
      const options = { jid: "alice@example.org", password: "x" };
      load("/missing.wasm");
      const { code } = await createClient(options).catch((error) => error);
      load("/stanzawire.wasm");
      await Promise.all([createClient(options), createClient(options)]);
      return code;
    });
    if (found.value !== "load-failed" || found.uncaught.length > 0) throw new Error(JSON.stringify(found));
  });
  await check("the slim entry has what the other has, and logs in", async () => {
    const found = await inPage(browser, "/", async (hostMeta) => {
      const [all, slim] = [await import("/index.js"), await import("/slim.js")];
      slim.load("/stanzawire.wasm");
      const client = await slim.connect({ jid: "alice@localhost", password: "secret", hostMeta });
      const { jid } = client;
      await client.disconnect();
      const missing = Object.keys(all).filter((name) => typeof slim[name] !== typeof all[name]);
      return [jid.startsWith("alice@localhost/"), missing.join(), Object.keys(slim).filter((name) => !(name in all)).join()];
    }, hostMeta);
    if (JSON.stringify(found.value) !== '[true,"","load"]') throw new Error(JSON.stringify(found));
  });
});
server.close();
server.closeAllConnections();
process.exitCode = failed === 0 ? 0 : 1;
