// How long a login keeps a page's main thread: the longest time between two turns of the event loop.
//
// A MessageChannel on the page sends itself a message, and the next one when that has come: a turn of the event loop
// each, some microseconds long while nothing else runs. The longest time between two of them is the gap: whatever ran on
// the main thread in between took that long. The same page is watched for as long without a login, which shows what the
// browser and the machine add.
//
// A machine that is busy with other things makes any gap longer. So a second login, without the pings, is recorded by the
// browser's own tracing: the longest task of the renderer's main thread, in time that the thread truly ran.
//
//   STANZAWIRE_CASES  JSON: [{ "name", "options", "webCrypto" }]
//   STANZAWIRE_RUNS   how often each
//
// and what page.mjs wants. Prints a line of JSON for each case: milliseconds.

import { clientPage, longestTask, median, required, withBrowser } from "./page.mjs";

/** How long the page is watched without a login, at the least. */
const WATCHED = 200;

const runs = Number(required("STANZAWIRE_RUNS"));

await withBrowser(async (browser) => {
  for (const { name, options, webCrypto } of JSON.parse(required("STANZAWIRE_CASES"))) {
    const [gaps, baselines, tasks, logins] = [[], [], [], []];
    for (let run = 0; run < runs; run += 1) {
      const { gap, baseline, login } = await pinged(browser, options, webCrypto);
      tasks.push(await traced(browser, options, webCrypto));
      gaps.push(gap);
      baselines.push(baseline);
      logins.push(login);
    }
    const both = (list) => ({ median: median(list), worst: Math.max(...list) });
    console.log(JSON.stringify({
      name, gap: both(gaps), baseline: both(baselines), task: both(tasks), login: both(logins),
    }));
  }
});

/** A page with a client that has met nobody yet. */
async function freshPage(browser, options, webCrypto) {
  // As on a page that came by plain http from another host.
  const hide = () => Object.defineProperty(Crypto.prototype, "subtle", { get: () => undefined });
  const page = await clientPage(browser, options, webCrypto ? undefined : hide);
  await page.evaluate(async ({ watched, webCrypto }) => {
    if ((crypto.subtle !== undefined) !== webCrypto) throw new Error("WebCrypto is not as it should be");
    // What the loading of the page has left behind is none of the login's.
    await new Promise((resolve) => setTimeout(resolve, watched));
  }, { watched: WATCHED, webCrypto });
  return page;
}

/** A login between pings. */
async function pinged(browser, options, webCrypto) {
  const page = await freshPage(browser, options, webCrypto);
  const result = await page.evaluate(async ({ watched, webCrypto }) => {
    let derived = 0;
    if (webCrypto) {
      const deriveBits = crypto.subtle.deriveBits;
      SubtleCrypto.prototype.deriveBits = function (...args) {
        derived += 1;
        return deriveBits.apply(this, args);
      };
    }
    /** The longest gap while `work` is under way. */
    const watch = async (work) => {
      const { port1, port2 } = new MessageChannel();
      let [last, longest] = [performance.now(), 0];
      port1.onmessage = () => {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
        port2.postMessage(0);
      };
      port2.postMessage(0);
      await work();
      longest = Math.max(longest, performance.now() - last);
      port1.close();
      return longest;
    };
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    let login = 0;
    const gap = await watch(async () => {
      const begun = performance.now();
      await client.connect();
      login = performance.now() - begun;
    });
    await client.disconnect();
    if (webCrypto !== derived > 0) throw new Error("the key was not derived as it should be");
    const baseline = await watch(() => wait(Math.max(watched, login)));
    return { gap, baseline, login };
  }, { watched: WATCHED, webCrypto });
  await page.context().close();
  return result;
}

/** The longest task of a login. */
async function traced(browser, options, webCrypto) {
  const page = await freshPage(browser, options, webCrypto);
  const { task } = await longestTask(browser, page, () => page.evaluate(() => client.connect()));
  await page.evaluate(() => client.disconnect());
  await page.context().close();
  return task;
}
