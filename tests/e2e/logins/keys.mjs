// SCRAM keys in the place of a password: taken from one login, given to the next, and outdated by a new password.

export default async function (run) {
  for (const [server, host] of [[run.prosody, "sha256.prosody.example"], [run.ejabberd, "sha256.ejabberd.example"]]) {
    const url = server.endpoints.wss;
    await run.check(`${server.name}: keys log in until the password is changed`, async (page) => {
      await page.evaluate(async ({ url, host }) => {
        const options = { url, jid: `bob@${host}` };
        const first = await observed({ ...options, password: "secret" });
        const event = first.client.once("credentials", { timeout: 10_000 });
        await first.client.connect();
        const { scramKeys } = await event;
        equal(scramKeys.mechanism, "SCRAM-SHA-256");
        await first.client.disconnect();
        // As an app does that keeps them.
        const kept = { scramKeys: JSON.parse(JSON.stringify(scramKeys)) };
        if (JSON.stringify(kept).includes("secret")) throw new Error("the password is in the keys");

        const second = await login({ ...options, credentials: kept });
        equal([bare(second.client.jid), mechanisms(second.frames)], [options.jid, ["SCRAM-SHA-256"]]);
        await second.client.disconnect();
        Object.assign(globalThis, { options, kept });
      }, { url, host });

      await server.setPassword("bob", host, "another");
      try {
        await page.evaluate(async () => {
          const { client } = await observed({ ...options, credentials: kept });
          await fails(client.connect(), "keys-outdated", "auth");

          // An app that can ask somebody is asked again, and told why.
          const asked = [];
          const again = await login({
            ...options,
            credentials: (request) => {
              asked.push(request?.error?.code ?? null);
              return asked.length === 1 ? kept : { password: "another" };
            },
          });
          equal([asked, bare(again.client.jid)], [[null, "keys-outdated"], options.jid]);
          await again.client.disconnect();
        });
      } finally {
        await server.setPassword("bob", host, "secret");
      }
    });
  }
}
