// One domain at two servers. At the first it has SCRAM; the second, which may be anybody's, asks for the password itself.

export default async function (run) {
  const given = {
    good: run.prosody.endpoints.ws,
    bad: run.ejabberd.endpoints.wss,
    options: { jid: "alice@both.example", password: "secret", allowPlain: true },
  };
  await run.inPage("PLAIN will do where nothing better is known", given, async ({ bad, options }) => {
    const { client, frames } = await login({ url: bad, ...options });
    equal(mechanisms(frames), ["PLAIN"]);
    await client.disconnect();
  });
  await run.check("no PLAIN after SCRAM, also after a reload", async (page) => {
    await page.evaluate(async ({ good, options }) => {
      const { client, frames } = await login({ url: good, ...options });
      equal(mechanisms(frames), ["SCRAM-SHA-1"]);
      await client.disconnect();
    }, given);
    for (const reloads of [false, true]) {
      if (reloads) await page.reload();
      await page.evaluate(async ({ bad, options }) => {
        const { client, frames } = await observed({ url: bad, ...options });
        await fails(client.connect(), "downgrade", "auth");
        equal([mechanisms(frames), client.status], [[], "offline"]);
      }, given);
    }
    // Without a store nobody remembers.
    await page.evaluate(async ({ bad, options }) => {
      const { client, frames } = await login({ url: bad, ...options, storage: null });
      equal(mechanisms(frames), ["PLAIN"]);
      await client.disconnect();
    }, given);
  });
}
