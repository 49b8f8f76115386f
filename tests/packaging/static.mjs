// The page beside this file, with the package installed from its tarball, in headless Chromium: it has to log in.
// Prints a line `ok - …` or `not ok - …` for each check; the exit status is 1 if one failed.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { STANZAWIRE_TOOLS, STANZAWIRE_CHROMIUM, STANZAWIRE_URL, STANZAWIRE_HOST_META, STANZAWIRE_INSTALLED } = process.env;
const { chromium } = createRequire(join(STANZAWIRE_TOOLS, "resolve.js"))("playwright-core");

let failed = 0;
async function check(name, body) {
  try {
    await body();
    console.log(`ok - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${name}`);
    console.log(String(error?.stack ?? error).replace(/^/gm, "    "));
  }
}

function equal(found, expected, what) {
  if (found !== expected) throw new Error(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}

await check("the tarball has the types, the wasm, the readme and both licences", () => {
  const files = readdirSync(STANZAWIRE_INSTALLED);
  const wanted = ["index.js", "index.d.ts", "client.js", "listening.js", "rooms.js", "features.d.ts", "stanzawire.js", "stanzawire.d.ts", "wasm.js", "stanzawire_bg.wasm",
    "package.json", "README.md", "LICENSE-MIT", "LICENSE-APACHE"];
  const missing = wanted.filter((name) => !files.includes(name));
  equal(missing.join(), "", "missing");
});

await check("the manifest names no dependency and no script", () => {
  const manifest = JSON.parse(readFileSync(join(STANZAWIRE_INSTALLED, "package.json"), "utf8"));
  equal(manifest.name, "stanzawire", "name");
  equal(manifest.dependencies, undefined, "dependencies");
  equal(manifest.scripts, undefined, "scripts");
});

const browser = await chromium.launch({
  executablePath: STANZAWIRE_CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run"],
});
try {
  const page = await browser.newPage();
  const problems = [];
  const strangers = [];
  page.on("pageerror", (error) => problems.push(`${error.name}: ${error.message}`));
  page.on("requestfailed", (request) => {
    const problem = `${request.url()}: ${request.failure()?.errorText}`;
    // Of the two forms of host-meta, the one that comes second is dropped.
    if (!/\/host-meta(\.json)?: net::ERR_ABORTED$/.test(problem)) problems.push(problem);
  });
  page.on("response", (response) => {
    // A browser asks for the icon by itself.
    if (!response.ok() && !response.url().endsWith("/favicon.ico")) problems.push(`${response.url()}: ${response.status()}`);
  });
  page.on("request", (request) => {
    const known = [STANZAWIRE_URL, `${STANZAWIRE_HOST_META}/`].some((origin) => request.url().startsWith(origin));
    if (!known) strangers.push(request.url());
  });

  await check("a ten-line page logs in, with no bundler and no init()", async () => {
    const broken = new Promise((_, reject) => page.once("pageerror", reject));
    const online = () => document.title.startsWith("online as alice@localhost/");
    try {
      await page.goto(`${STANZAWIRE_URL}?hostMeta=${encodeURIComponent(STANZAWIRE_HOST_META)}`);
      await Promise.race([broken, page.waitForFunction(online, undefined, { timeout: 20_000 })]);
    } catch (error) {
      throw new Error(`the title is "${await page.title()}"; ${problems.join("; ") || error.message}`);
    }
  });

  await check("nothing fails on the way", () => equal(problems.join("; "), "", "problems"));

  await check("the page asks only its own server and host-meta", () => equal(strangers.join(" "), "", "others"));
} finally {
  await browser.close();
}
process.exitCode = failed === 0 ? 0 : 1;
