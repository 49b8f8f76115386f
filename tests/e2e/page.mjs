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

/**
 * The longest task of a page's main thread while `work` is under way, by the browser's own trace, in time that the thread truly ran;
 * how long the work took; and what it resolved to. Times in milliseconds. One at a time a browser.
 */
export async function longestTask(browser, page, work) {
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  const begun = performance.now();
  let value;
  let took;
  let trace;
  try {
    value = await work();
    took = performance.now() - begun;
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace);
  const isMain = ({ ph, name, args }) => ph === "M" && name === "thread_name" && args.name === "CrRendererMain";
  const mains = traceEvents.filter(isMain).map(({ pid, tid }) => `${pid} ${tid}`);
  const times = traceEvents
    .filter(({ name, pid, tid }) => name === "ThreadControllerImpl::RunTask" && mains.includes(`${pid} ${tid}`))
    .map(({ tdur }) => tdur / 1000)
    .filter((ms) => ms >= 0);
  if (times.length === 0) throw new Error("the browser's trace names no task of the main thread");
  return { value, took, task: Math.max(...times) };
}

/** The middle one. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
