// Tokens for the next login (FAST, XEP-0484), and sessions that go on along with it: after a loss, in the next page, in two tabs
// at once; refused, expired, followed by the next one, and taken back.

import { Way } from "../way.mjs";

const HOST = "sasl2.prosody.example";
const TOKEN = "HT-SHA-256-NONE";
const SCRAM = "SCRAM-SHA-1";
/** What a login by a token is, on a server that is known. */
const FAST = "outopen outauthenticate inopen infeatures insuccess";
/** And what one by a token that is refused is: nothing is begun anew. */
const REFUSED = FAST.replace("insuccess", "infailure outauthenticate inchallenge outresponse insuccess");

export default async function (run) {
  for (const transport of ["ws", "wss"]) {
    const story = (name, host, body) => told(run, transport, name, host, body);
    await story("a session goes on by a token", HOST, async (alice) => {
      const { jid } = await alice.begin();
      for (let times = 0; times < 2; times += 1) equal(await alice.comesBack(), { jid, by: [TOKEN], words: FAST, resumed: true });
    });
    await story("a token that the server has forgotten is followed by the password, on the same stream", HOST, async (alice) => {
      const { jid } = await alice.begin();
      await alice.forgotten();
      equal(await alice.comesBack(), { jid, by: [TOKEN, SCRAM], words: REFUSED, resumed: true });
      equal(await alice.comesBack(), { jid, by: [TOKEN], words: FAST, resumed: true });
    });
    await story("a token that has expired is followed by the password", `expiring.${HOST}`, async (alice) => {
      const { jid } = await alice.begin({ keepToken: true });
      for (let times = 0; times < 2; times += 1) {
        const { by, resumed } = await alice.comesBack();
        equal([by, resumed], [[TOKEN, SCRAM], true]);
      }
      await alice.page.reload();
      const next = await alice.begin({ keepToken: true });
      equal([next.by, next.resumed, next.jid], [[TOKEN, SCRAM], true, jid]);
    });
    await story("each token is followed by the next one", `rotating.${HOST}`, async (alice) => {
      const { jid } = await alice.begin({ keepToken: true });
      const seen = new Set(await alice.kept());
      for (let times = 0; times < 3; times += 1) {
        equal(await alice.comesBack(), { jid, by: [TOKEN], words: FAST, resumed: true });
        for (const token of await alice.kept()) seen.add(token);
      }
      equal(seen.size, 4);
    });
    await story("a page that is reloaded needs no password", HOST, async (alice) => {
      const { jid } = await alice.begin({ keepToken: true });
      for (let times = 0; times < 2; times += 1) {
        await alice.page.reload();
        equal(await alice.begin({ keepToken: true, password: undefined }), { jid, by: [TOKEN], words: FAST, resumed: true });
      }
    });
    await story("without leave no token is kept", HOST, async (alice) => {
      const { jid } = await alice.begin();
      equal(await alice.kept(), []);
      await alice.page.reload();
      const { by, resumed, ...next } = await alice.begin();
      equal([by, resumed, next.jid], [[SCRAM], true, jid]);
      await alice.page.reload();
      equal(await alice.refused({ keepToken: true, password: undefined }), "invalid-argument");
    });
    await story("who has logged out has no token, and a copy of it is worth nothing", HOST, async (alice) => {
      await alice.server.forgetTokens("alice", HOST);
      await alice.begin({ keepToken: true });
      equal([await alice.server.keptTokens("alice", HOST), (await alice.kept()).length], [1, 1]);
      const copy = await alice.page.evaluate(() => ({ ...sessionStorage }));
      await alice.page.evaluate(() => client.disconnect());
      equal(await alice.server.keptTokens("alice", HOST), 0);
      equal(await alice.page.evaluate(() => Object.keys(sessionStorage)), [`stanzawire:alice@${HOST}`]);
      const restore = async () => {
        await alice.page.evaluate((copy) => Object.assign(sessionStorage, copy), copy);
        equal((await alice.kept()).length, 1);
      };
      await alice.page.reload();
      await restore();
      equal(await alice.refused({ keepToken: true, password: undefined }), "invalid-argument");
      await alice.page.reload();
      await restore();
      const { by, resumed } = await alice.begin({ keepToken: true });
      equal([by, resumed], [[TOKEN, SCRAM], false]);
    });
    await story("who logs out without a connection has no token either", HOST, async (alice) => {
      await alice.server.forgetTokens("alice", HOST);
      await alice.begin({ keepToken: true, reconnect: { minDelay: 60_000, maxDelay: 60_000 } });
      equal(await alice.server.keptTokens("alice", HOST), 1);
      alice.way.shut();
      // It tries at once, and then not for a while.
      await until(() => alice.way.refused > 0);
      alice.way.pass();
      equal(await alice.page.evaluate(() => client.status), "reconnecting");
      await alice.page.evaluate(() => client.disconnect());
      equal([await alice.server.keptTokens("alice", HOST), await alice.kept()], [0, []]);
    });
    await story("a password that is changed makes the token worthless, and the app is asked", HOST, async (alice) => {
      await alice.begin({ keepToken: true, asks: true });
      equal((await alice.comesBack()).by, [TOKEN]);
      // The server knows the second in which a password was changed: the token is to be from an earlier one.
      await new Promise((resolve) => setTimeout(resolve, 1000 - Date.now() % 1000));
      await alice.page.evaluate(() => { password = "another"; });
      try {
        // By that it ends the session.
        const { by, resumed } = await alice.online(() => alice.server.setPassword("alice", HOST, "another"));
        equal([by, resumed], [[TOKEN, SCRAM], false]);
        equal((await alice.comesBack()).by, [TOKEN]);
      } finally {
        await alice.server.setPassword("alice", HOST, "secret");
      }
    });
    await story("two tabs with one store are two user agents, and neither ends the other's session", HOST, async (one) => {
      const two = await one.another();
      const both = [one, two];
      const shared = { keepToken: true, storage: "local" };
      const jids = [(await one.begin(shared)).jid, (await two.begin(shared)).jid];
      const agents = async () => (await Promise.all(both.map((tab) => tab.page.evaluate(() => agents(frames))))).flat();
      equal([new Set(jids).size, new Set(await agents()).size], [2, 2]);
      await one.says(two, "to the second");
      await two.says(one, "to the first");
      // Both lose the connection at once.
      const back = await Promise.all(both.map((tab, at) => tab.back(at === 0 ? () => one.way.cut() : () => {})));
      equal(back, jids.map((jid) => ({ jid, by: [TOKEN], words: FAST, resumed: true })));
      equal((await agents()).length, 2);
      const known = await agents();
      await Promise.all(both.map((tab) => tab.page.reload()));
      const again = await Promise.all(both.map((tab) => tab.begin({ ...shared, password: undefined })));
      equal(again.map(({ jid }) => jid).sort(), [...jids].sort());
      equal(again.map(({ by, resumed }) => [by, resumed]), [[[TOKEN], true], [[TOKEN], true]]);
      equal((await agents()).sort(), known.sort());
      await one.says(two, "once more");
      // One logs out; the other one's token is its own.
      await one.page.evaluate(() => client.disconnect());
      equal((await two.comesBack()).by, [TOKEN]);
    });
  }
}

async function told(run, transport, title, host, body) {
  const { prosody } = run;
  const name = `prosody ${transport}: ${title}`;
  if (!prosody.isNew) return run.skip(name, `Prosody ${prosody.version} has no tokens for the next login`);
  const way = await Way.open(transport === "ws" ? prosody.http : prosody.https);
  const url = `${transport}://localhost:${way.port}/xmpp-websocket`;
  const options = { url, jid: `alice@${host}`, password: "secret", reconnect: { minDelay: 50, maxDelay: 200 } };
  await run.check(name, (page) => body(new Tab(prosody, page, way, options)));
  way.close();
}

/** A page with a client. */
class Tab {
  constructor(server, page, way, options) {
    Object.assign(this, { server, page, way, options });
  }

  /** Logs in; says by what, and whether an earlier page's session goes on. */
  async begin(more = {}) {
    return this.page.evaluate(async ({ storage, asks, password, ...options }) => {
      const { client, frames } = await observed({
        ...options,
        ...(asks ? { credentials: () => ({ password: globalThis.password }) } : { password }),
        ...(storage === "local" && { storage: localStorage }),
      });
      Object.assign(globalThis, { client, frames, password, heard: [], resumed: 0 });
      client.on("resumed", () => { resumed += 1; });
      client.on("message", ({ body }) => heard.push(body));
      globalThis.how = (from) => {
        const since = frames.slice(from);
        return { jid: client.jid, by: mechanisms(since), words: login2(since), resumed: success(since).includes("<resumed") };
      };
      await connect(client);
      const came = how(0);
      equal(came.resumed, resumed === 1);
      return came;
    }, { ...this.options, ...more });
  }

  /** Loses its connection, and comes back. */
  comesBack() {
    return this.back(() => this.way.cut());
  }

  async back(lose) {
    const from = await this.page.evaluate(() => {
      globalThis.before = resumed;
      return frames.length;
    });
    await lose();
    await this.page.waitForFunction(() => resumed > before, null, { polling: 20 });
    return this.page.evaluate(async (from) => {
      await client.ping();
      return how(from);
    }, from);
  }

  /** Comes online with a new session. */
  async online(lose) {
    const from = await this.page.evaluate(() => frames.length);
    await lose();
    await this.page.waitForFunction((from) => frames.slice(from).some(({ data }) => data.startsWith("<success")), from, { polling: 20 });
    return this.page.evaluate(async (from) => {
      await client.ping();
      return how(from);
    }, from);
  }

  /** By which code a login fails. */
  refused(more) {
    return this.page.evaluate(async (options) => {
      const made = await observed(options).catch((error) => ({ error }));
      const error = made.error ?? await made.client.connect().then(() => undefined, (error) => error);
      return error?.code ?? "none";
    }, { ...this.options, ...more });
  }

  /** The tokens in the page's own store. */
  kept() {
    return this.page.evaluate(() => Object.entries(sessionStorage).filter(([key]) => key.endsWith(":token")).map(([, token]) => token));
  }

  forgotten() {
    const [user, host] = this.options.jid.split("@");
    return this.server.forgetTokens(user, host);
  }

  /** Another tab, in the same browser. */
  async another() {
    const page = await this.page.context().newPage();
    await page.goto(this.page.url());
    return new Tab(this.server, page, this.way, this.options);
  }

  async says(other, body) {
    const to = await other.page.evaluate(() => client.jid);
    await this.page.evaluate(([to, body]) => client.send({ to, body }).then(() => {}), [to, body]);
    await other.page.waitForFunction((body) => heard.includes(body), body, { polling: 20 });
  }
}

async function until(holds) {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

function equal(found, expected) {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${a}, not ${b}`);
}
