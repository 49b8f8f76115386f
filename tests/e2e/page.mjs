// What the scripts that measure share: headless Chromium, and a page that has the package and nothing else.
//
//   STANZAWIRE_URL       an empty page, on a server that has the package in /pkg/
//   STANZAWIRE_TOOLS     a node_modules folder that holds playwright-core
//   STANZAWIRE_CHROMIUM  the browser's executable

import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const tools = resolve(required("STANZAWIRE_TOOLS"));
const { chromium } = createRequire(join(tools, "resolve-from-here.js"))("playwright-core");

/** The value of an environment variable that must be there. */
export function required(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set`);
    process.exit(1);
  }
  return value;
}

/** Calls `use` with a browser, and closes it whatever happens. */
export async function withBrowser(use) {
  const browser = await chromium.launch({
    executablePath: required("STANZAWIRE_CHROMIUM"),
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

/** A page of its own context, on which `window.client` is a client with these options that has not connected yet. */
export async function clientPage(browser, options, before) {
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => console.error(`uncaught on the page: ${error.message}`));
  if (before) await page.addInitScript(before);
  await page.goto(required("STANZAWIRE_URL"));
  await makeClient(page, options);
  return page;
}

/** Makes `window.client`, as on a page that has just been loaded. */
export async function makeClient(page, options) {
  await page.evaluate(async (options) => {
    const { createClient } = await import("/pkg/index.js");
    window.client = await createClient(options);
  }, options);
}

/** The middle one. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
