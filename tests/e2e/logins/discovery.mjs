// Both servers' own host-meta, found as any domain's is: over https:, at its standard port.

export default async function (run) {
  for (const server of run.servers) {
    const { name, domain, hostMeta } = server;
    await run.inPage(`${name}: an address and a password are enough`, { jid: `alice@${domain}` }, async ({ jid }) => {
      const { client, frames } = await login({ jid, password: "secret" });
      equal([bare(client.jid), frames.length > 0], [jid, true]);
      await client.disconnect();
    }, { secure: true });
    await run.inPage(`${name}: host-meta over http: on loopback leads to ws:`, { hostMeta }, async ({ hostMeta }) => {
      const { discover } = await load();
      const [endpoint] = await discover("localhost", { hostMeta });
      equal(endpoint.url.startsWith(hostMeta.replace("http", "ws")), true);
      const { client } = await login({ jid: "bob@localhost", password: "secret", hostMeta });
      equal(bare(client.jid), "bob@localhost");
      await client.disconnect();
    });
    for (const [source, other] of [["xrd", "host-meta.json"], ["json", "host-meta"]]) {
      await run.check(`${name}: the ${source} document alone will do`, async (page) => {
        await page.route(`https://${domain}/.well-known/${other}`, (route) => route.abort());
        await page.evaluate(async ({ domain, source }) => {
          const { discover } = await load();
          const endpoints = await discover(domain);
          equal(endpoints.map((endpoint) => [new URL(endpoint.url).origin, endpoint.source]), [[`wss://${domain}`, source]]);
          const { client } = await login({ jid: `bob@${domain}`, password: "secret" });
          await client.disconnect();
        }, { domain, source });
      });
    }
  }
}
