// People, what they say of themselves, and what was said with them, as the types allow. What must not compile is marked.

import type {
  Archive, ArchiveEnd, ArchiveMetadata, ArchivePreferences, ArchiveQuery, Avatar, AvatarEvent, AvatarInit, Blocking, BlockingEvent,
  Client, ConnectOptions, DisplayedMark, EntityTime, Gap, GapEvent, LastActivity, NickEvent, PresenceEvent, Profile, Profiles, ProfileType,
  Roster, RosterInit, RosterItem, RosterPush, Software, SoftwareVersion, Subscription, SubscriptionInit, SubscriptionRequest,
} from "stanzawire";

/** Fails to compile unless both are the same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<_ extends true>(): void {}

const software: Software = { name: "Chat", version: "7", os: undefined };
export const options: ConnectOptions[] = [
  { jid: "alice@example.org", software, lastActivity: false },
  { jid: "alice@example.org", software: { name: "Chat" }, lastActivity: true },
  // @ts-expect-error: it has a name
  { jid: "alice@example.org", software: { version: "7" } },
];

export async function contacts(client: Client, signal: AbortSignal): Promise<void> {
  const roster: Roster = client.roster;
  for (const contact of await roster.get()) {
    same<Same<typeof contact, RosterItem>>();
    same<Same<typeof contact.approved, boolean>>();
    // What came out can go in again.
    const same_again: RosterInit = contact;
    await roster.set(same_again);
  }
  const words: SubscriptionInit = { nick: "Alice", status: null };
  await roster.subscribe("bob@example.org", words, { signal });
  await roster.subscribe("bob@example.org", null, { timeout: 1000 });
  const nothing: void[] = [
    await roster.set({ jid: "bob@example.org", name: null, groups: undefined }, { signal }),
    await roster.remove("bob@example.org", { signal }),
    await roster.unsubscribe("bob@example.org", { signal }),
    await roster.approve("bob@example.org", { signal }),
    await roster.deny("bob@example.org", { signal }),
  ];
  // @ts-expect-error: a contact has an address
  await roster.set({ name: "Bob" });
  client.on("subscription", (event) => {
    same<Same<typeof event, SubscriptionRequest>>();
    same<Same<typeof event.status, string | undefined>>();
  });
  client.on("roster", (push: RosterPush) => {
    const subscription: Subscription = push.subscription;
    if (subscription === "remove") void [push.jid, push.name, push.pending, push.approved];
  });
  client.on("presence", (event: PresenceEvent) => {
    if (event.type === "error") console.log(event.from, event.condition);
  });
  void nothing;
}

export async function blocking(client: Client): Promise<void> {
  const all: Blocking = client.blocking;
  await all.unblock("spam.example", { timeout: 1000 });
  await all.unblock(null, { timeout: 1000 });
  // @ts-expect-error: whom?
  await all.block();
  client.on("blocking", (event) => {
    same<Same<typeof event, BlockingEvent>>();
    same<Same<typeof event.type, "blocked" | "unblocked">>();
  });
}

export async function others(client: Client, signal: AbortSignal): Promise<void> {
  const ago = await client.lastActivity("bob@example.org/x", { signal });
  same<Same<typeof ago, LastActivity>>();
  same<Same<typeof ago.seconds, number>>();
  const time = await client.entityTime("bob@example.org/x", { signal });
  same<Same<typeof time, EntityTime>>();
  same<Same<typeof time.utc, Date>>();
  const runs = await client.softwareVersion("bob@example.org/x", { signal });
  same<Same<typeof runs, SoftwareVersion>>();
  same<Same<typeof runs.os, string | undefined>>();
  // @ts-expect-error: whose?
  await client.lastActivity();
}

export async function profiles(client: Client): Promise<void> {
  const profiles: Profiles = client.profiles;
  const own: string | null = await profiles.nick();
  await profiles.setNick(null, { timeout: 1000 });
  const event: NickEvent = { from: "queequeg@example.org", nick: own };
  // @ts-expect-error: a nickname is a string
  await profiles.setNick(5);
  const card = await profiles.get();
  const source: "vcard4" | "vcard-temp" | undefined = card.source;
  const types: ProfileType[] = card.phones?.[0]?.types ?? [];
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
  const init: AvatarInit = { data: new Uint8Array(1), type: "image/png", width: 64, height: 64 };
  await profiles.setAvatar(init);
  const avatar: Avatar | null = await profiles.avatar();
  const fields: (string | number | undefined)[] = [avatar?.id, avatar?.type, avatar?.width, avatar?.height, avatar?.url];
  await profiles.removeAvatar({ timeout: 1000 });
  client.on("avatar", (event: AvatarEvent) => void [event.from, event.url]);
  // @ts-expect-error: bytes, not their base64
  await profiles.setAvatar({ data: "iVBORw0KGgo=", type: "image/png" });
  void [event, source, fields];
}

export async function history(client: Client, signal: AbortSignal): Promise<void> {
  const archive: Archive = client.archive;
  const every: ArchiveQuery = {
    of: "room@muc.example.org", with: "room@muc.example.org/bob", start: new Date(0), end: "2026-01-01T00:00:00Z",
    before: "z", after: "a", ids: ["1"], order: "oldest", page: 250,
  };
  for await (const { body } of archive.query(every, { signal, timeout: 10_000 })) void body;
  for await (const { stanzaId } of archive.query()) void stanzaId;
  const metadata: ArchiveMetadata = await archive.metadata({ of: "room@muc.example.org" });
  const end: ArchiveEnd | undefined = metadata.end;
  const date: Date | undefined = end?.date;
  const kept: ArchivePreferences = await archive.preferences();
  client.on("gap", async (gap: GapEvent) => {
    const kept: Gap = JSON.parse(JSON.stringify(gap));
    for await (const message of archive.fill(kept)) void message;
  });
  client.on("displayed", ({ with: chat, stanzaId, by }: DisplayedMark) => void [chat, stanzaId, by]);
  // @ts-expect-error: up to which message?
  await client.displayed.set({ with: "bob@example.org" });
  // @ts-expect-error: no such order
  archive.query({ order: "best" });
  // @ts-expect-error: ids are in an array
  archive.query({ ids: "1" });
  // @ts-expect-error: all of it, so that nothing is emptied by accident
  await archive.setPreferences({ default: "always" });
  // @ts-expect-error: which gap?
  archive.fill();
  void [date, kept];
}
