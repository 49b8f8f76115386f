// Counts the round trips of a login over a stream that somebody withholds: what the server says is let go only when the
// client has nothing more to say, and each time that happens before it is online is a round trip. It logs in twice by
// one client: as one that has never met the server, and again after a logout.
//
//   STANZAWIRE_TARGETS  JSON: [{ "name", "options", "control" }]; `control` moves the hand that withholds
//   STANZAWIRE_SLOW     JSON: { "options", "roundTrip", "runs" }, logins through a wire that delays by so many milliseconds
//
// and what page.mjs wants. Prints a line of JSON for each target, and one for the slow wire.

import { clientPage, median, required, withBrowser } from "./page.mjs";

/** How often a login may be found waiting for nothing that is withheld, half a second each. */
const IDLE = 30;

await withBrowser(async (browser) => {
  for (const target of JSON.parse(required("STANZAWIRE_TARGETS"))) {
    console.log(JSON.stringify(await counted(browser, target)));
  }
  if (process.env.STANZAWIRE_SLOW) {
    console.log(JSON.stringify(await timed(browser, JSON.parse(process.env.STANZAWIRE_SLOW))));
  }
});

async function counted(browser, { name, options, control }) {
  const page = await clientPage(browser, options);
  // What the client says, a list for each round trip.
  await page.evaluate(() => {
    window.mechanism = "";
    client.on("frame", ({ direction, data }) => {
      if (direction !== "out") return;
      const [, element] = /^<(?:\w+:)?([\w-]+)/.exec(data) ?? [null, "?"];
      window.mechanism = /^<(?:\w+:)?auth\b[^>]* mechanism=["']([^"']+)/.exec(data)?.[1] ?? mechanism;
      const last = window.flights.at(-1);
      if (window.state === "pending") last.push(element);
    });
  });
  const ask = async (what) => Number(await (await fetch(`${control}/${what}`)).text());

  const login = async () => {
    await ask("withhold");
    await page.evaluate(() => {
      window.flights = [[]];
      window.state = "pending";
      client.connect().then(() => { window.state = "online"; }, (error) => {
        window.state = `${error.code}: ${error.message}`;
      });
    });
    let [trips, idle] = [0, 0];
    for (;;) {
      const held = await ask("quiet");
      const state = await page.evaluate(() => window.state);
      if (state !== "pending") {
        await ask("pass");
        if (state !== "online") throw new Error(`${name}: ${state}`);
        // What it says behind the last one, it says online.
        return { trips, flights: (await page.evaluate(() => window.flights)).slice(0, trips) };
      }
      if (held > 0) {
        await page.evaluate(() => window.flights.push([]));
        trips = await ask("release");
      } else if ((idle += 1) > IDLE) {
        throw new Error(`${name}: neither the client nor the server says anything`);
      }
    }
  };

  const first = await login();
  await page.evaluate(() => client.disconnect());
  const known = await login();
  await page.evaluate(() => client.disconnect());
  const mechanism = await page.evaluate(() => window.mechanism);
  await page.context().close();
  return { name, mechanism, first, known };
}

/** The second login and those behind it, and what a WebSocket alone takes on the same wire, in milliseconds. */
async function timed(browser, { options, roundTrip, runs }) {
  const page = await clientPage(browser, options);
  const [sockets, logins] = [[], []];
  for (let run = 0; run <= runs; run += 1) {
    const { socket, login } = await page.evaluate(async (url) => {
      const socket = await new Promise((resolve, reject) => {
        const begun = performance.now();
        const probe = new WebSocket(url, "xmpp");
        probe.onopen = () => {
          resolve(performance.now() - begun);
          probe.close();
        };
        probe.onerror = () => reject(new Error(`no WebSocket at ${url}`));
      });
      const begun = performance.now();
      await client.connect();
      const login = performance.now() - begun;
      await client.disconnect();
      return { socket, login };
    }, options.url);
    // The first time the server isn't known yet.
    if (run > 0) {
      sockets.push(socket);
      logins.push(login);
    }
  }
  await page.context().close();
  return { roundTrip, runs, socket: median(sockets), login: median(logins), fastest: Math.min(...logins), slowest: Math.max(...logins) };
}
