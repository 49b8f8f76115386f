// What a message costs the page's main thread, with a store and without: the time that the browser says its main thread was at
// work, divided by the messages.
//
// Each is sent, acknowledged and said back by the server, so many a second. The same is measured with no store, with one that
// is the page's own, and with sessionStorage, one after the other and again, so that what else the machine does hits all alike.
//
//   STANZAWIRE_OPTIONS  JSON: options of a client, but for the store
//   STANZAWIRE_RUNS     how often each
//
// and what page.mjs wants. Prints a line of JSON for each store: microseconds a message.

import { median, required, withBrowser } from "./page.mjs";

const RATE = 1_000;
const SECONDS = 6;
const STORES = ["none", "the page's own", "sessionStorage"];

const options = JSON.parse(required("STANZAWIRE_OPTIONS"));
const runs = Number(required("STANZAWIRE_RUNS"));

await withBrowser(async (browser) => {
  const costs = new Map(STORES.map((store) => [store, []]));
  const writes = new Map();
  for (let run = 0; run < runs; run += 1) {
    for (const store of STORES) {
      const { cost, written } = await measure(browser, store);
      costs.get(store).push(cost);
      writes.set(store, written);
    }
  }
  for (const [name, list] of costs) {
    console.log(JSON.stringify({ name, median: median(list), least: Math.min(...list), writes: writes.get(name) }));
  }
});

async function measure(browser, store) {
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => console.error(`uncaught on the page: ${error.message}`));
  await page.goto(required("STANZAWIRE_URL"));
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.evaluate(async ({ options, store, warm }) => {
    const { connect } = await import("/pkg/index.js");
    window.written = 0;
    const kept = new Map();
    const own = {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => { window.written += 1; kept.set(key, value); },
      removeItem: (key) => kept.delete(key),
    };
    const storage = { none: null, "the page's own": own, sessionStorage }[store];
    window.client = await connect({ ...options, storage });
    client.on("message", () => {});
    window.burst = async (count, rate) => {
      const sends = [];
      const begun = performance.now();
      while (sends.length < count) {
        const due = Math.min(count, Math.ceil((performance.now() - begun) * rate / 1000));
        while (sends.length < due) sends.push(client.send({ to: client.jid, body: "what people write to each other" }));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await Promise.all(sends);
    };
    // What only the first ones cost.
    await burst(warm, warm);
  }, { options, store, warm: RATE });
  const busy = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value;
  };
  const before = await busy();
  await page.evaluate(({ count, rate }) => burst(count, rate), { count: RATE * SECONDS, rate: RATE });
  const cost = (await busy() - before) * 1e6 / (RATE * SECONDS);
  const written = await page.evaluate(async () => {
    await client.disconnect();
    return window.written;
  });
  await page.context().close();
  return { cost, written };
}
