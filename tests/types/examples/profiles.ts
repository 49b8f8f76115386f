// What people say of themselves: `client.profiles`.

import type { Avatar, AvatarEvent, AvatarInit, Client, Message, NickEvent, Profile, Profiles, ProfileType } from "stanzawire";

declare const client: Client;
declare function show(jid: string, picture: string | null): void;
const names = new Map<string, string>();
const profiles: Profiles = client.profiles;

export async function nicknames(): Promise<void> {
  client.on("nick", ({ from, nick }) => names.set(from, nick ?? from));
  await client.profiles.setNick("Ishmael");
  const nick: string | null = await client.profiles.nick("queequeg@example.org");
  const own: string | null = await profiles.nick();
  await profiles.setNick(null, { timeout: 1000 });
  await client.send({ to: "queequeg@example.org", body: "Call me", nick: "Ishmael" });
  client.on("message", (message: Message) => message.nick?.trim());
  const event: NickEvent = { from: "queequeg@example.org", nick };
  // @ts-expect-error: a nickname is a string
  await profiles.setNick(5);
  void [own, event];
}

export async function cards(): Promise<void> {
  const profile = await client.profiles.get("queequeg@example.org");
  console.log(profile.fullName ?? profile.nickname);
  const own = await client.profiles.get();
  await client.profiles.set({ ...own, title: "Harpooner" });
  const source: "vcard4" | "vcard-temp" | undefined = own.source;
  const types: ProfileType[] = own.phones?.[0]?.types ?? [];
  const whole: Profile = {
    fullName: "Queequeg",
    name: { given: "Queequeg" },
    nickname: "Q",
    birthday: "1819-08-01",
    emails: [{ address: "q@example.org", types: ["home"] }],
    phones: [{ number: "+1-555-0100" }],
    addresses: [{ locality: "Kokovoko", country: "Rokovoko", types }],
    urls: ["https://example.org/"],
    organization: "Pequod",
    role: undefined,
    note: "…",
  };
  await profiles.set(whole, { timeout: 1000 });
  // @ts-expect-error: an address is an object
  await profiles.set({ emails: ["q@example.org"] });
  // @ts-expect-error: no such type
  await profiles.set({ emails: [{ address: "q@example.org", types: ["boat"] }] });
  void source;
}

export async function pictures(file: File): Promise<void> {
  client.on("avatar", async ({ from, id }) => {
    const avatar = id === null ? null : await client.profiles.avatar(from);
    if (avatar?.data) show(from, URL.createObjectURL(new Blob([avatar.data], { type: avatar.type })));
  });
  const init: AvatarInit = { data: new Uint8Array(await file.arrayBuffer()), type: file.type, width: 64, height: 64 };
  await client.profiles.setAvatar(init);
  const own: Avatar | null = await profiles.avatar();
  const fields: (string | number | undefined)[] = [own?.id, own?.type, own?.width, own?.height, own?.url];
  await profiles.removeAvatar({ timeout: 1000 });
  client.on("avatar", (event: AvatarEvent) => show(event.from, event.url ?? null));
  // @ts-expect-error: bytes, not their base64
  await profiles.setAvatar({ data: "iVBORw0KGgo=", type: "image/png" });
  void fields;
}
