// Every mechanism that a server can be set to offer, over both transports: the one that goes over the wire is the one
// expected, and what is wrong is refused in a word.

export default async function (run) {
  const { prosody, ejabberd } = run;
  for (const transport of ["ws", "wss"]) {
    const secure = transport === "wss";
    const from = (server) => ({ run, server, transport, secure, url: server.endpoints[transport] });
    await password(from(prosody), "SCRAM-SHA-1", "prosody.example");
    await password(from(prosody), "SCRAM-SHA-256", "sha256.prosody.example");
    await plain(from(prosody), "plain.prosody.example");
    await anonymous(from(prosody), "anonymous.prosody.example");
    await cookie(from(prosody), "cookie.prosody.example");
    await token(from(prosody), "prosody.example");
    await password(from(ejabberd), "SCRAM-SHA-1", "sha1.ejabberd.example");
    await password(from(ejabberd), "SCRAM-SHA-256", "sha256.ejabberd.example");
    await password(from(ejabberd), "SCRAM-SHA-512", "sha512.ejabberd.example");
    // It offers all of them, and more: the strongest is taken.
    await password(from(ejabberd), "SCRAM-SHA-512", "ejabberd.example");
    await plain(from(ejabberd), "plain.ejabberd.example");
    await anonymous(from(ejabberd), "anonymous.ejabberd.example");
  }
  await run.inPage("prosody wss: mechanisms with channel binding are offered, and passed over", {
    url: prosody.endpoints.wss,
  }, async ({ url }) => {
    const { client, frames } = await login({ url, jid: "alice@prosody.example", password: "secret" });
    equal(offered(frames).includes("SCRAM-SHA-1-PLUS"), true);
    equal(mechanisms(frames), ["SCRAM-SHA-1"]);
    await client.disconnect();
  }, { secure: true });
}

async function password({ run, server, transport, secure, url }, mechanism, host, more = {}) {
  const given = { mechanism, options: { url, jid: `alice@${host}`, password: "secret", ...more } };
  await run.inPage(`${server.name} ${transport}: ${mechanism} to ${host}`, given, async ({ mechanism, options }) => {
    const { client, frames } = await login(options);
    equal([bare(client.jid), client.status], [options.jid, "online"]);
    equal(mechanisms(frames), [mechanism]);
    await client.disconnect();
    equal(client.status, "offline");
    // Once more, to a server that is known by now. It isn't waited for, except with what would show the password.
    const before = frames.length;
    await connect(client);
    equal(mechanisms(frames.slice(before)), [mechanism]);
    const begin = frames.slice(before, before + 2).map(({ direction, data }) => direction + /<(\w+)/.exec(data)[1]);
    equal(begin, ["outopen", mechanism === "PLAIN" ? "inopen" : "outauth"]);
    await client.disconnect();
  }, { secure });
  const refusals = `${server.name} ${transport}: ${mechanism} to ${host}, a wrong password and an unknown user`;
  await run.inPage(refusals, given, async ({ mechanism, options }) => {
    for (const wrong of [{ password: "not-the-password" }, { jid: options.jid.replace("alice", "nobody") }]) {
      const { client, frames } = await observed({ ...options, ...wrong });
      const error = await fails(client.connect(), "not-authorized", "auth");
      equal([error.condition, error.retryable, client.status], ["not-authorized", false, "offline"]);
      equal(mechanisms(frames), [mechanism]);
    }
  }, { secure });
}

async function plain(where, host) {
  const { run, server, transport, secure, url } = where;
  await password(where, "PLAIN", host, { allowPlain: true });
  await run.inPage(`${server.name} ${transport}: PLAIN to ${host} is not for those who didn't ask for it`, {
    url, jid: `alice@${host}`, password: "secret",
  }, async (options) => {
    const { client, frames } = await observed(options);
    await fails(client.connect(), "no-mechanism", "auth");
    equal(mechanisms(frames), []);
  }, { secure });
}

async function anonymous({ run, server, transport, secure, url }, host) {
  await run.inPage(`${server.name} ${transport}: ANONYMOUS to ${host}`, { url, jid: host }, async (options) => {
    const first = await login(options);
    const second = await login({ ...options, credentials: { anonymous: true } });
    for (const { client, frames } of [first, second]) {
      equal(mechanisms(frames), ["ANONYMOUS"]);
      equal(client.jid.split(/[@/]/).map((part, at) => at === 1 ? part : part.length > 0), [true, options.jid, true]);
    }
    if (bare(first.client.jid) === bare(second.client.jid)) throw new Error(`both are ${bare(first.client.jid)}`);
    await first.client.disconnect();
    await second.client.disconnect();
  }, { secure });
}

async function cookie({ run, server, transport, secure, url }, host) {
  const given = { host, url };
  await run.inPage(`${server.name} ${transport}: EXTERNAL to ${host}, by cookie`, given, async ({ host, url }) => {
    document.cookie = "session=of-alice; path=/";
    for (const [jid, authzid, user] of [
      [`alice@${host}`, undefined, "alice"],
      [`alice@${host}`, `alice@${host}`, "alice"],
      [`team@${host}`, `team@${host}`, "team"],
      // Who it is, only the cookie says.
      [host, undefined, "alice"],
    ]) {
      const { client, frames } = await login({ url, jid, credentials: { external: true, authzid } });
      equal([bare(client.jid), mechanisms(frames)], [`${user}@${host}`, ["EXTERNAL"]]);
      await client.disconnect();
    }
  }, { secure });
  const refusals = `${server.name} ${transport}: EXTERNAL to ${host}, not with a wrong cookie, nor as somebody else`;
  await run.inPage(refusals, given, async ({ host, url }) => {
    for (const [cookie, authzid] of [["", undefined], ["of-nobody", undefined], ["of-alice", `bob@${host}`]]) {
      document.cookie = `session=${cookie}; path=/`;
      const { client, frames } = await observed({ url, jid: `bob@${host}`, credentials: { external: true, authzid } });
      await fails(client.connect(), "not-authorized", "auth");
      equal(mechanisms(frames), ["EXTERNAL"]);
    }
    // The server lets it in, but as somebody else than was asked for.
    const { client } = await observed({ url, jid: `bob@${host}`, credentials: { external: true } });
    await fails(client.connect(), "bind-failed", "bind");
    equal(client.status, "offline");
  }, { secure });
}

async function token({ run, server, transport, secure, url }, host) {
  const names = [
    `${server.name} ${transport}: OAUTHBEARER to ${host}`,
    `${server.name} ${transport}: OAUTHBEARER to ${host}, a wrong token`,
  ];
  if (!server.isNew) {
    for (const name of names) run.skip(name, `Prosody ${server.version} has no tokens`);
    return;
  }
  const options = { url, jid: `alice@${host}` };
  await run.check(names[0], async (page) => {
    const given = { options, token: await server.token("alice", host) };
    await page.evaluate(async ({ options, token }) => {
      const { client, frames } = await login({ ...options, credentials: { token } });
      equal([bare(client.jid), mechanisms(frames)], [options.jid, ["OAUTHBEARER"]]);
      await client.disconnect();
    }, given);
  }, { secure });
  await run.inPage(names[1], { options }, async ({ options }) => {
    const { client, frames } = await observed({ ...options, credentials: { token: "not-the-token" } });
    const error = await fails(client.connect(), "not-authorized", "auth");
    equal(error.condition, "not-authorized");
    // RFC 7628 §3.2.3: the reason comes as a challenge, whose answer is told the failure.
    const steps = frames.map(({ direction, data }) => direction + (/<(auth|challenge|response|failure)\b/.exec(data)?.[1] ?? ""));
    equal(steps.filter((step) => step.length > 3), ["outauth", "inchallenge", "outresponse", "infailure"]);
  }, { secure });
}
