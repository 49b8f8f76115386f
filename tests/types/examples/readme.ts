// What the README shows of messages, people and history.

import { connect, register } from "stanzawire";
import type { DataField } from "stanzawire";

export async function shown(picture: File, show: (part: number) => void): Promise<void> {
  const client = await connect({ jid: "alice@example.org", password: "…" });
  const sent = await client.send({ to: "bob@example.org", body: "hi", receipt: true, marker: { type: "markable" } });
  await client.correct(sent, "hello");
  client.on("message", async (m) => {
    if (m.replaces) console.log("in the place of", m.replaces, "from", m.from);
    await client.react(m, ["👍"]);
    await client.markDisplayed(m);
  });
  client.on("reaction", ({ from, reactions }) => console.log(from, reactions?.emojis, "at", reactions?.id));

  for await (const m of client.archive.query({ with: "bob@example.org", order: "newest" })) console.log(m.delay, m.body);
  client.on("gap", async (gap) => {
    for await (const m of client.archive.fill(gap)) console.log(m.body);
  });

  await client.roster.set({ jid: "bob@example.org", name: "Bob", groups: ["friends"] });
  client.on("subscription", ({ from }) => client.roster.approve(from));
  const avatar = await client.profiles.avatar("bob@example.org");
  console.log(avatar?.type, avatar?.data?.length);
  await client.blocking.block("mallory@example.org");
  const { features } = await client.disco.info("example.org");
  console.log(features);

  const { url, ...file } = await client.files.upload(picture, { onProgress: ({ loaded, total }) => show(loaded / total) });
  await client.send({ to: "bob@example.org", body: url, oob: [{ url }], files: [{ ...file, urls: [url] }] });
}

export async function made(password: string, another: string): Promise<void> {
  await register({ jid: "alice@example.org", password, form: ({ form }) => askThePerson(form.fields) });
  const client = await connect({ jid: "alice@example.org", password });
  await client.account.changePassword(another);
}

declare function askThePerson(fields: DataField[]): Promise<Record<string, string>>;
