// wss: is as good as the browser's check of the certificate.

export default async function (run) {
  await run.inPage("a certificate for another name is refused", {
    urls: run.servers.map(({ endpoints }) => endpoints.wss.replace("localhost", "127.0.0.1")),
  }, async ({ urls }) => {
    for (const url of urls) {
      const { client, frames } = await observed({ url, jid: "alice@localhost", password: "secret" });
      await fails(client.connect(), "socket-failed", "socket");
      equal(frames, []);
    }
  });
  const browser = await run.launch(run.config.doubting);
  for (const { name, domain, endpoints } of run.servers) {
    await run.inPage(`${name} wss: a certificate by an authority that nobody trusts is refused`, {
      domain, url: endpoints.wss,
    }, async ({ domain, url }) => {
      const { client, frames } = await observed({ url, jid: `alice@${domain}`, password: "secret" });
      await fails(client.connect(), "socket-failed", "socket");
      equal(frames, []);
      const found = await observed({ jid: `alice@${domain}`, password: "secret" });
      await fails(found.client.connect(), "discovery-network", "discovery");
    }, { browser });
  }
}
