// What each row does with the package: alice says something to somebody, who answers.
export async function talk(connect, { hostMeta, to, body }) {
  const client = await connect({ jid: "alice@localhost", password: "secret", hostMeta, storage: null });
  try {
    const messages = client.events("message");
    await client.send({ to, body });
    for await (const message of messages) if (message.from === to) return message.body;
  } finally {
    await client.disconnect();
  }
}
