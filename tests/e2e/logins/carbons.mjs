// Carbons (XEP-0280), enabled along with a login by SASL2: what another client of the account is sent, and sends.

import { Slixmpp } from "./messages.mjs";

const HOST = "sasl2.prosody.example";

export default async function (run) {
  const { prosody } = run;
  for (const transport of ["ws", "wss"]) {
    const name = `prosody ${transport}: the account's other client is told what this one is sent, and sends`;
    if (!prosody.isNew) {
      run.skip(name, `Prosody ${prosody.version} has no SASL2`);
      continue;
    }
    await run.check(name, async (page) => {
      const bob = new Slixmpp(run.config, { jid: `bob@${HOST}`, password: "secret", port: prosody.c2s });
      try {
        const { online } = await bob.next();
        const jids = await page.evaluate(async ({ url, jid }) => {
          const both = await Promise.all(["one", "two"].map((resource) => login({ url, jid, resource, password: "secret" })));
          for (const { frames } of both) {
            equal(success(frames).includes("<bound"), true);
            equal(frames.some(({ data }) => data.startsWith("<iq") && data.includes("urn:xmpp:carbons:2")), false);
          }
          const [one, two] = both.map(({ client }) => client);
          const heard = [[], []];
          [one, two].forEach((client, at) => client.on("message", ({ from, to, body, carbon }) => heard[at].push([from, to, body, carbon ?? null])));
          Object.assign(globalThis, { one, two, heard });
          return [one.jid, two.jid];
        }, { url: prosody.endpoints[transport], jid: `alice@${HOST}` });
        // To one of them, in person.
        const inward = `for the first, ${transport}`;
        bob.send({ to: jids[0], body: inward });
        await page.waitForFunction((body) => heard.every((list) => list.some(([, , text]) => text === body)), inward, { polling: 20 });
        const outward = `from the second, ${transport}`;
        await page.evaluate(([to, body]) => two.send({ to, body }).then(() => {}), [online, outward]);
        await page.waitForFunction((body) => heard[0].some(([, , text]) => text === body), outward, { polling: 20 });
        const told = (bodies, list) => list.filter(([, , body]) => bodies.includes(body));
        const [first, second] = (await page.evaluate(() => heard)).map((list) => told([inward, outward], list));
        equal(first, [[online, jids[0], inward, null], [jids[1], online, outward, "sent"]]);
        equal(second, [[online, jids[0], inward, "received"]]);
        const { body } = await bob.next();
        equal(body, outward);
        await page.evaluate(() => Promise.all([one.disconnect(), two.disconnect()]));
      } finally {
        await bob.end();
      }
    });
  }
}

function equal(found, expected) {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${a}, not ${b}`);
}
