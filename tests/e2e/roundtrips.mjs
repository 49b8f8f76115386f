// Counts the round trips of a login over a stream that somebody withholds: what the server says is let go only when the
// client has nothing more to say, and each time that happens before it is online is a round trip. It logs in several times by
// one client or one page after the other: as one that has never met the server, and as one that knows it; with a new session,
// and with the one before.
//
//   STANZAWIRE_TARGETS  JSON: [{ "name", "options", "control", "plan", "cookie" }]; `control` moves the hand that withholds, the plan
//                       is one of those below
//   STANZAWIRE_SLOW     JSON: [{ "name", "trips", "options", "roundTrip", "runs" }], logins through a wire that delays by so many
//                       milliseconds
//
// and what page.mjs wants. Prints a line of JSON for each target, and one for each slow wire.

import { clientPage, makeClient, median, required, withBrowser } from "./page.mjs";

/** How often a login may be found waiting for nothing that is withheld, half a second each. */
const IDLE = 30;

/**
 * The logins of each target, in their order: behind what each comes, what the page has forgotten by then, and whether the session
 * before is to go on.
 */
const FIRST = { behind: "nothing", forget: ["server"] };
const PLANS = {
  // The server is known after the first one, and has nothing that goes on after a logout.
  logins: [FIRST, { behind: "logout" }],
  sessions: [FIRST, { behind: "logout" }, { behind: "loss", resumes: true }, { behind: "page", forget: ["server"], resumes: true }],
  tokens: [
    FIRST,
    { behind: "loss", resumes: true },
    { behind: "page", resumes: true },
    { behind: "page", forget: ["server"], resumes: true },
    { behind: "page", forget: ["session"] },
    { behind: "page", forget: ["server", "session"] },
  ],
};

await withBrowser(async (browser) => {
  for (const target of JSON.parse(required("STANZAWIRE_TARGETS"))) {
    console.log(JSON.stringify(await counted(browser, target)));
  }
  for (const slow of JSON.parse(process.env.STANZAWIRE_SLOW ?? "[]")) console.log(JSON.stringify(await timed(browser, slow)));
});

async function counted(browser, { name, options, control, plan, cookie }) {
  const page = await clientPage(browser, options);
  if (cookie) await page.context().addCookies([{ name: "session", value: cookie, url: page.url() }]);
  const ask = async (what) => Number(await (await fetch(`${control}/${what}`)).text());
  await watch(page);

  const login = async ({ behind, forget = [], resumes = false }) => {
    if (behind === "logout") await page.evaluate(() => client.disconnect());
    if (behind === "page") {
      await page.reload();
      await page.evaluate(forgetting, forget);
      await makeClient(page, options);
      await watch(page);
    }
    await ask("withhold");
    await page.evaluate((connects) => {
      [window.flights, window.resumed, window.state] = [[[]], false, "pending"];
      if (!connects) return;
      client.connect().then(() => { window.state = "online"; }, (error) => {
        window.state = `${error.code}: ${error.message}`;
      });
    }, behind !== "loss");
    if (behind === "loss") await ask("cut");
    let [trips, idle] = [0, 0];
    for (;;) {
      const held = await ask("quiet");
      const { state, resumed, mechanism, sasl2 } = await page.evaluate(() => ({ state, resumed, mechanism, sasl2 }));
      if (state !== "pending") {
        await ask("pass");
        const went = `${name}, ${mechanism}, behind ${behind}`;
        if (state !== "online") throw new Error(`${went}: ${state}`);
        if (resumed !== resumes) throw new Error(`${went}: the session before ${resumed ? "goes on" : "doesn't go on"}`);
        // What it says behind the last one, it says online.
        const flights = (await page.evaluate(() => window.flights)).slice(0, trips);
        // The server has said by then what the session can be resumed by.
        await page.evaluate(() => client.ping());
        return { mechanism, sasl2, kind: forget.includes("server") ? "first" : "known", resumed, trips, flights };
      }
      if (held > 0) {
        await page.evaluate(() => window.flights.push([]));
        trips = await ask("release");
      } else if ((idle += 1) > IDLE) {
        throw new Error(`${name}, behind ${behind}: neither the client nor the server says anything`);
      }
    }
  };

  const logins = [];
  for (const each of PLANS[plan]) logins.push(await login(each));
  await page.evaluate(() => client.disconnect());
  await page.context().close();
  return { name, logins };
}

/** What the client says, a list for each round trip, and how it fares. */
function watch(page) {
  return page.evaluate(() => {
    [window.mechanism, window.sasl2, window.resumed] = ["", false, false];
    client.on("resumed", () => { window.resumed = true; });
    client.on("status", ({ status }) => {
      if (status === "online") window.state = "online";
    });
    client.on("frame", ({ direction, data }) => {
      if (direction !== "out") return;
      const [, element] = /^<(?:\w+:)?([\w-]+)/.exec(data) ?? [null, "?"];
      const [, word, named] = /^<(?:\w+:)?(auth(?:enticate)?)\b[^>]* mechanism=["']([^"']+)/.exec(data) ?? [];
      if (window.state !== "pending") return;
      if (named) [window.mechanism, window.sasl2] = [named, word === "authenticate"];
      window.flights.at(-1).push(element);
    });
  });
}

/** Takes out of the page's store what it knows of the server, or the session of the page before. In the page. */
function forgetting(what) {
  for (const key of Object.keys(sessionStorage)) {
    const [, , tag, more] = key.split(":");
    const server = tag === undefined;
    const session = tag !== undefined && tag !== "tabs" && more !== "token";
    if ((server && what.includes("server")) || (session && what.includes("session"))) sessionStorage.removeItem(key);
  }
}

/** The second login and those behind it, and what a WebSocket alone takes on the same wire, in milliseconds. */
async function timed(browser, { name, trips, options, roundTrip, runs }) {
  const page = await clientPage(browser, options);
  const [sockets, logins] = [[], []];
  for (let run = 0; run <= runs; run += 1) {
    const { socket, login } = await page.evaluate(async ({ url, keepToken }) => {
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
      // A logout would take the token back.
      if (keepToken) await client.ping();
      else await client.disconnect();
      return { socket, login };
    }, options);
    if (options.keepToken) {
      await page.reload();
      await makeClient(page, options);
    }
    // The first time the server isn't known yet.
    if (run > 0) {
      sockets.push(socket);
      logins.push(login);
    }
  }
  await page.context().close();
  return { name, trips, roundTrip, runs, socket: median(sockets), login: median(logins), fastest: Math.min(...logins), slowest: Math.max(...logins) };
}
