// People: as the doc comments of the types show them.

import type {
  Blocking, BlockingEvent, Client, ConnectOptions, EntityTime, LastActivity, PresenceEvent, Roster, RosterInit, RosterItem, RosterPush,
  Software, SoftwareVersion, Subscription, SubscriptionInit, SubscriptionRequest,
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
  const byGroup = new Map<string, RosterItem[]>();
  for (const contact of await client.roster.get()) {
    for (const group of contact.groups) byGroup.set(group, [...(byGroup.get(group) ?? []), contact]);
    same<Same<typeof contact.approved, boolean>>();
    // What came out can go in again.
    const same_again: RosterInit = contact;
    await roster.set(same_again);
  }
  await client.roster.set({ jid: "bob@example.org", name: "Bob", groups: ["Friends"] });
  await client.roster.subscribe("bob@example.org", { status: "It's me, Alice" });
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
  client.on("subscription", async ({ from, nick }) => {
    if (confirm(`May ${nick ?? from} see when you are online?`)) await client.roster.approve(from);
    else await client.roster.deny(from);
  });
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
  const blocked = new Set(await client.blocking.get());
  client.on("blocking", ({ type, jids }) => {
    if (type === "unblocked" && jids.length === 0) blocked.clear();
    for (const jid of jids) type === "blocked" ? blocked.add(jid) : blocked.delete(jid);
  });
  await client.blocking.block(["mallory@example.org", "spam.example"]);
  const all: Blocking = client.blocking;
  await all.unblock("spam.example", { timeout: 1000 });
  await all.unblock();
  await all.unblock(null, { timeout: 1000 });
  // @ts-expect-error: whom?
  await all.block();
  client.on("blocking", (event) => {
    same<Same<typeof event, BlockingEvent>>();
    same<Same<typeof event.type, "blocked" | "unblocked">>();
  });
}

export async function others(client: Client, signal: AbortSignal): Promise<void> {
  const { seconds, status } = await client.lastActivity("bob@example.org");
  console.log(`last seen ${new Date(Date.now() - seconds * 1000).toLocaleString()}`, status ?? "");
  const { utc, tzo } = await client.entityTime("example.org");
  console.log(`the server's clock is off by ${utc.getTime() - Date.now()} ms, and stands at UTC${tzo}`);
  const { name, version } = await client.softwareVersion("example.org");
  console.log(`the server is ${name} ${version}`);

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
