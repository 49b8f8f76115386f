// Soak: one page, one client, a great many messages. Measured between the parts, while nothing is under way: the wasm's
// memory, the heap of JavaScript after a collection, the listeners that the browser knows of, the timers that are set.
//
//   STANZAWIRE_URL   the page of soak/page.js
//   STANZAWIRE_SOAK  JSON: what xtask/src/soak.rs says
//
// and what page.mjs wants. Writes its result as JSON to the file that it is told.

import { writeFileSync } from "node:fs";

import { required, withBrowser } from "./page.mjs";
import { planted } from "./torture/plants.js";

/** After how many parts the page has everything that it will need. */
const WARM = 2;

const config = JSON.parse(required("STANZAWIRE_SOAK"));

/** Runs in the page, before everything else: counts what is there. */
function census() {
  const timers = new Set();
  for (const [set, clear, again] of [["setTimeout", "clearTimeout", false], ["setInterval", "clearInterval", true]]) {
    const [realSet, realClear] = [window[set], window[clear]];
    window[set] = (work, ...more) => {
      const id = realSet((...args) => {
        if (!again) timers.delete(id);
        return work(...args);
      }, ...more);
      timers.add(id);
      return id;
    };
    window[clear] = (id) => {
      timers.delete(id);
      realClear(id);
    };
  }
  const memories = [];
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const real = WebAssembly[name];
    WebAssembly[name] = async function (...args) {
      const result = await real.apply(this, args);
      const { exports } = result.instance ?? result;
      for (const value of Object.values(exports)) if (value instanceof WebAssembly.Memory) memories.push(value);
      return result;
    };
  }
  const Real = WebAssembly.Instance;
  WebAssembly.Instance = function (...args) {
    const instance = new Real(...args);
    for (const value of Object.values(instance.exports)) if (value instanceof WebAssembly.Memory) memories.push(value);
    return instance;
  };
  WebAssembly.Instance.prototype = Real.prototype;
  window.census = () => ({
    timers: timers.size, wasm: memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0),
  });
}

await withBrowser(async (browser) => {
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => console.error(`uncaught on the page: ${error.message}`));
  const session = await page.context().newCDPSession(page);
  await page.addInitScript(census);
  if (config.plant) await page.addInitScript(planted(config.plant));
  await page.goto(required("STANZAWIRE_URL"));
  await page.waitForFunction(() => window.soak);

  const measure = async () => {
    // Twice: what a finaliser lets go of is collected the next time.
    for (let time = 0; time < 2; time += 1) await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    const { jsEventListeners } = await session.send("Memory.getDOMCounters");
    return { ...await page.evaluate(() => window.census()), listeners: jsEventListeners, heap: usedSize };
  };
  const shown = ({ wasm, heap, listeners, timers }) =>
    `wasm ${kB(wasm)} kB, heap ${kB(heap)} kB, ${listeners} listeners, ${timers} timers`;
  const kB = (bytes) => String(Math.round(bytes / 1000)).padStart(6);

  const before = await measure();
  console.log(`before the client:  ${shown(before)}`);
  await page.evaluate((url) => window.soak.begin({ url }), config.url);
  const points = [];
  for (let part = 1; part <= config.parts; part += 1) {
    const begun = performance.now();
    const whole = await page.evaluate((count) => window.soak.part(count), config.part);
    const rate = Math.round(config.part / ((performance.now() - begun) / 1000));
    points.push(await measure());
    console.log(`${String(part * config.part).padStart(9)} messages: ${shown(points.at(-1))}, ${rate} a second`);
    if (!whole) {
      console.log("messages are missing: no further");
      break;
    }
  }
  const counts = await page.evaluate(() => window.soak.counts);
  await page.evaluate(() => window.soak.end());
  const after = await measure();
  console.log(`after the client:   ${shown(after)}`);
  console.log(`online ${counts.online} times`);
  const [warm, last] = [points[Math.min(WARM, points.length) - 1], points.at(-1)];
  const most = (what) => Math.max(...points.slice(WARM - 1).map((point) => point[what]), warm[what]);
  writeFileSync(config.result, JSON.stringify({
    ...counts,
    growth: { wasm: last.wasm - warm.wasm, heap: last.heap - warm.heap },
    more: Object.fromEntries(["listeners", "timers"].map((what) => [what, most(what) - warm[what]])),
    left: Object.fromEntries(["listeners", "timers"].map((what) => [what, after[what] - before[what]])),
  }));
});
