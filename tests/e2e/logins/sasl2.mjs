// Logins by SASL2 (XEP-0388), with a resource (XEP-0386) and stream management (XEP-0198) along: what leaves, and in what order.

import { Slixmpp } from "./messages.mjs";

const HOST = "sasl2.prosody.example";
const TEXTS = ["along <&> \u{1F680}", "and back"];

export default async function (run) {
  const { prosody } = run;
  for (const transport of ["ws", "wss"]) {
    const from = { run, transport, secure: transport === "wss", url: prosody.endpoints[transport] };
    const password = { password: "secret" };
    await login(from, "SCRAM-SHA-1", { jid: `alice@${HOST}`, ...password });
    await login(from, "PLAIN", { jid: `alice@plain.${HOST}`, ...password, allowPlain: true });
    await login(from, "EXTERNAL", { jid: `alice@cookie.${HOST}`, credentials: { external: true } });
    await login(from, "ANONYMOUS", { jid: `anonymous.${HOST}` });
    await login(from, "OAUTHBEARER", { jid: `alice@${HOST}` });
    await refusals(from);
  }
  await messages(run);
}

async function login({ run, transport, secure, url }, mechanism, options) {
  const { prosody } = run;
  const host = options.jid.split("@").at(-1);
  const name = `prosody ${transport}: ${mechanism} by SASL2 to ${host}`;
  if (!prosody.isNew) return run.skip(name, `Prosody ${prosody.version} has no SASL2`);
  await run.check(name, async (page) => {
    const given = { mechanism, options: { url, ...options } };
    if (mechanism === "OAUTHBEARER") given.options.credentials = { token: await prosody.token("alice", host) };
    await page.evaluate(async ({ mechanism, options }) => {
      document.cookie = "session=of-alice; path=/";
      const between = mechanism.startsWith("SCRAM") ? "inchallenge outresponse " : "";
      const { client, frames } = await login(options);
      equal([client.jid.split(/[@/]/)[1], client.status], [options.jid.split("@").at(-1), "online"]);
      equal(client.jid.split("/")[1].startsWith("stanzawire~"), true);
      equal(mechanisms(frames), [mechanism]);
      equal(login2(frames), `outopen inopen infeatures outauthenticate ${between}insuccess`);
      equal(/<bound\b.*<enabled\b/.test(success(frames)), true);
      // There was neither a second stream nor a request for a resource.
      const said = frames.filter(({ direction }) => direction === "out").map(({ data }) => data);
      equal(said.filter((data) => data.includes("xmpp-bind") || data.startsWith("<enable")), []);
      equal(said.filter((data) => data.startsWith("<open")).length, 1);
      await client.disconnect();
      equal(client.status, "offline");
      // Once more, to a server that is known by now: nothing is waited for.
      const before = frames.length;
      await connect(client);
      const again = frames.slice(before);
      equal(mechanisms(again), [mechanism]);
      equal(login2(again), `outopen outauthenticate inopen infeatures ${between}insuccess`);
      await client.disconnect();
    }, given);
  }, { secure });
}

async function refusals({ run, transport, secure, url }) {
  const { prosody } = run;
  for (const [mechanism, more, host] of [["SCRAM-SHA-1", {}, HOST], ["PLAIN", { allowPlain: true }, `plain.${HOST}`]]) {
    const name = `prosody ${transport}: ${mechanism} by SASL2 to ${host}, a wrong password and an unknown user`;
    if (!prosody.isNew) {
      run.skip(name, `Prosody ${prosody.version} has no SASL2`);
      continue;
    }
    await run.inPage(name, { mechanism, url, host, more }, async ({ mechanism, url, host, more }) => {
      for (const [user, password] of [["alice", "not-the-password"], ["nobody", "secret"]]) {
        const { client, frames } = await observed({ url, jid: `${user}@${host}`, password, ...more });
        const error = await fails(client.connect(), "not-authorized", "auth");
        equal([error.condition, error.retryable, client.status], ["not-authorized", false, "offline"]);
        equal([mechanisms(frames), frames.some(({ data }) => data.startsWith("<authenticate"))], [[mechanism], true]);
      }
    }, { secure });
  }
}

async function messages(run) {
  const { prosody } = run;
  const name = "prosody: messages with slixmpp in a session by SASL2";
  if (!prosody.isNew) return run.skip(name, `Prosody ${prosody.version} has no SASL2`);
  await run.check(name, async (page) => {
    const bob = new Slixmpp(run.config, { jid: `bob@${HOST}`, password: "secret", port: prosody.c2s });
    try {
      const { online } = await bob.next();
      await page.evaluate(async ({ url, jid, to, texts }) => {
        const { client, frames } = await login({ url, jid, password: "secret" });
        equal(frames.some(({ data }) => data.startsWith("<authenticate")), true);
        // For the other half of the check. What came earlier may be told as well.
        const message = new Promise((resolve) => client.on("message", (heard) => { if (heard.body === texts[1]) resolve(heard); }));
        Object.assign(globalThis, { client, message });
        await client.send({ to, body: texts[0] });
      }, { url: prosody.endpoints.wss, jid: `alice@${HOST}`, to: online, texts: TEXTS });
      const { from, body } = await bob.next();
      equal([from.split("/")[0], body], [`alice@${HOST}`, TEXTS[0]]);
      bob.send({ to: from, body: TEXTS[1] });
      equal(await page.evaluate(() => message.then(({ from, body }) => [from, body])), [online, TEXTS[1]]);
      await page.evaluate(() => client.disconnect());
    } finally {
      await bob.end();
    }
  });
}

function equal(found, expected) {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${a}, not ${b}`);
}
