// Rooms: as the doc comments of the types show them.

import type {
  Bookmark, Bookmarks, BookmarksEvent, Client, DataForm, Disco, InvitationDeclinedEvent, InvitationEvent, Message, Room, RoomInfo, RoomListEntry,
  RoomRegistration, Rooms, SentMessage, Service, VoiceRequest,
} from "stanzawire";

/** Fails to compile unless both are the same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<_ extends true>(): void {}

declare function confirm(question: string): boolean;

export async function discovery(client: Client, signal: AbortSignal): Promise<void> {
  const rooms: Rooms = client.rooms;
  const disco: Disco = client.disco;
  for await (const { jid } of rooms.services()) console.log(`a room's address: NAME@${jid}`);
  for await (const { jid, name } of rooms.list("rooms.example.org", { max: 20 }, { signal })) console.log(jid, name);
  for await (const service of disco.services({ feature: "urn:xmpp:http:upload:0" })) {
    same<Same<typeof service, Service>>();
    console.log(service.jid, service.name, service.identities[0]?.category, service.features, service.forms);
  }
  for await (const { jid } of disco.services({ category: "pubsub", type: "service" })) console.log(jid);
  const coven = "coven@rooms.example.org";
  const info: RoomInfo = await rooms.info(coven);
  const nick = await rooms.reservedNick(coven) ?? "alice";
  const { registered } = await rooms.registration(coven, { signal });
  if (!registered && info.registration) await rooms.register(coven, nick);
  await rooms.unregister(coven);
  same<Same<Room, Awaited<ReturnType<typeof rooms.join>>>>();
}

export async function bookmarks(client: Client, enter: (room: string, nick: string) => Promise<void>): Promise<void> {
  const bookmarks: Bookmarks = client.bookmarks;
  const all: Bookmark[] = await bookmarks.get();
  for (const { room, nick, autojoin } of all) if (autojoin) await enter(room, nick ?? "alice");
  await bookmarks.set({ room: "coven@rooms.example.org", name: "The Coven", nick: "Hecate", autojoin: true });
  const [first] = all;
  // What came out can go in again.
  if (first) await bookmarks.set({ ...first, name: undefined });
  await bookmarks.remove("coven@rooms.example.org");
  client.on("bookmarks", (event) => {
    same<Same<typeof event, BookmarksEvent>>();
    console.log(event.bookmarks.map(({ room }) => room), event.removed, event.cleared);
  });
  // @ts-expect-error: of which room
  await bookmarks.set({ name: "The Coven" });
}

export function invitations(client: Client): void {
  client.on("invitation", async (invitation) => {
    same<Same<typeof invitation, InvitationEvent>>();
    const { room, from, reason, password, mediated, delay } = invitation;
    console.log(room, from, reason, password, mediated, delay?.getTime());
    if (!confirm(`${from} invites to ${room}`)) await client.rooms.decline(invitation, "Too busy");
  });
  client.on("invitation-declined", (event) => {
    same<Same<typeof event, InvitationDeclinedEvent>>();
    console.log(event.room, event.from, event.reason);
  });
  const of = (message: Message) => message.invitation?.declined;
  console.log(of);
  void client.send({ to: "bob@example.org", invitation: { room: "coven@rooms.example.org", reason: "Come!" } });
  client.on("voice-request", (request) => {
    same<Same<typeof request, VoiceRequest>>();
    console.log(request.room, request.nick, request.jid, request.role);
  });
}

export async function moderated(room: Room, request: VoiceRequest): Promise<void> {
  await room.setRole("pistol", "none", "Avaunt, you cullion!");
  await room.setAffiliation("mallory@example.org", "outcast", { reason: "Spam" });
  const list: RoomListEntry[] = await room.affiliations("outcast");
  for (const { jid, reason } of list) console.log(jid, reason);
  // @ts-expect-error: there is no such list
  await room.affiliations("none");
  const form: DataForm = await room.configuration();
  await room.configure(form);
  await room.configure({ "muc#roomconfig_membersonly": true, "muc#roomconfig_roomname": "The Coven" });
  await room.configure({});
  await room.cancelConfiguration();
  const registration: RoomRegistration = await room.registration();
  if (!registration.registered) await room.register("thirdwitch");
  const nick: string | null = await room.reservedNick();
  await room.unregister({ timeout: 1000 });
  await room.requestVoice();
  await room.answerVoiceRequest(request, true);
  const info: RoomInfo = await room.info();
  console.log(nick, info.name, info.occupants, info.anonymity === "semianonymous", info.avatars, info.features);
  const sent: SentMessage = await room.invite("hecate@example.org", { reason: "Come!", direct: true, thread: "t1" });
  console.log(sent.id);
  await room.setProfile({ fullName: "The Coven" });
  await room.setAvatar({ data: new Uint8Array(1), type: "image/png" });
  await room.setAvatar(null);
  await room.destroy({ reason: "Macbeth doth come.", alternate: "heath@rooms.example.org" });
}
