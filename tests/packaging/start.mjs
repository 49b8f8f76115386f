// How long the first client of a page takes: from the call of createClient() until it is there, in headless Chromium, with the package
// already fetched. Each run has a browser of its own, which has compiled nothing yet. Prints a table; times fail nothing.
//
// The longest task of the main thread is that of another run, recorded by the browser's own tracing, in time that the thread truly ran.
//
// It wants what tests/e2e/page.mjs wants.

import { longestTask, median, required, withBrowser } from "../e2e/page.mjs";

const RUNS = 7;
const ENTRIES = [["stanzawire", "/pkg/index.js"], ["stanzawire/slim", "/pkg/slim.js"]];

/** Makes a client, and says how long that and its parts took. */
async function start(entry) {
  const stanzawire = await import(entry);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const parts = {};
  for (const name of ["compile", "compileStreaming", "instantiate"]) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const begun = performance.now();
      parts.before ??= begun - called;
      const value = await original(...args);
      parts[name.slice(0, 7)] = performance.now() - begun;
      return value;
    };
  }
  const called = performance.now();
  stanzawire.load?.("/pkg/stanzawire.wasm");
  await stanzawire.createClient({ jid: "alice@example.org", password: "secret" });
  return { all: performance.now() - called, ...parts };
}

console.log(`${"".padEnd(18)}${["ready", "task", "unweave, fetch", "compile", "instantiate"].map((name) => name.padStart(16)).join("")}`);
for (const [name, entry] of ENTRIES) {
  const runs = [];
  const tasks = [];
  for (let run = 0; run < RUNS; run += 1) {
    for (const traced of [false, true]) {
      await withBrowser(async (browser) => {
        const page = await browser.newPage();
        await page.goto(required("STANZAWIRE_URL"));
        const work = () => page.evaluate(start, entry);
        if (traced) tasks.push((await longestTask(browser, page, work)).task);
        else runs.push(await work());
      });
    }
  }
  const both = (list) => `${median(list).toFixed(1)} ${Math.max(...list).toFixed(1).padStart(6)}`.padStart(16);
  const columns = [runs.map(({ all }) => all), tasks, ...["before", "compile", "instant"].map((part) => runs.map((run) => run[part]))];
  console.log(name.padEnd(18) + columns.map(both).join(""));
}
