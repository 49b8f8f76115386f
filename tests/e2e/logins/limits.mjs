// What the server says that it won't take is not sent (XEP-0478).

export default async function (run) {
  const { prosody } = run;
  const name = "prosody: a message beyond max-bytes is refused before it is sent";
  if (!prosody.isNew) return run.skip(name, `Prosody ${prosody.version} says no limits`);
  await run.inPage(name, { url: prosody.endpoints.ws }, async ({ url }) => {
    const { client, frames } = await login({ url, jid: "alice@prosody.example", password: "secret" });
    const limit = frames.map(({ data }) => /<max-bytes>(\d+)</.exec(data)?.[1]).find(Boolean);
    equal(limit, "20000");
    const count = frames.length;
    // Counted in bytes of UTF-8: these are not 20,000 characters.
    for (const body of ["x".repeat(20_000), "\u{1F980}".repeat(5_000)]) {
      await fails(client.send({ to: "bob@prosody.example", body }), "too-large");
    }
    equal([frames.length, client.status], [count, "online"]);
    await client.send({ to: client.jid, body: "x".repeat(19_000) });
    await client.disconnect();
  });
}
