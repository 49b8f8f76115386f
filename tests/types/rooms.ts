// Rooms: as the doc comments of the types show them.

import type {
  Client, GapEvent, Message, Occupant, OccupantEvent, Room, RoomStatus, RoomStatusEvent, RoomSubjectEvent, Rooms, SentMessage,
} from "stanzawire";

/** Fails to compile unless both are the same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<_ extends true>(): void {}

export async function talk(client: Client, signal: AbortSignal): Promise<void> {
  const rooms: Rooms = client.rooms;
  const room = await rooms.join("tea@rooms.example.org", {
    nick: "Alice", password: "sesame", history: { maxMessages: 20, since: new Date() }, signal, timeout: 10_000,
  });
  same<Same<typeof room, Room>>();
  // @ts-expect-error: nobody is there without a nickname
  await rooms.join("tea@rooms.example.org", {});
  room.on("message", ({ nick, body, own, occupantId, stanzaId }: Message) => console.log(nick, body, own, occupantId, stanzaId));
  room.on("private-message", (message) => console.log(message.room, message.occupant));
  room.on("occupant", ({ change, occupant, reason, previous }: OccupantEvent) => console.log(change, occupant.nick, reason, previous), { signal });
  room.on("status", ({ status, reason, alternate }: RoomStatusEvent) => console.log(status, reason, alternate));
  room.on("moderation", ({ stanzaId, by }) => console.log(stanzaId, by));
  const { subject }: RoomSubjectEvent = await room.once("subject", { timeout: 1000 });
  // @ts-expect-error: there is no such event
  room.on("presence", () => {});
  const occupant: Occupant | undefined = room.occupants.get("Bob");
  // @ts-expect-error: who is there is for the room to say
  room.occupants.set("Bob", occupant);
  const sent: SentMessage = await room.send("hello, everybody");
  await room.send({ body: "hello again", id: sent.id }, { signal });
  await room.sendPrivate("Bob", "a word with you");
  await room.setSubject(subject + "!");
  const nick: string = await room.changeNick("Alicia");
  await room.setPresence({ show: "away", status: nick });
  await room.moderate("id", "this is an advertisement");
  for await (const { reactions } of room.events("reaction", { signal })) console.log(reactions?.emojis);
  for (const each of client.rooms) {
    const status: RoomStatus = each.status;
    console.log(each.jid, each.nick, status, each.role, each.affiliation, each.subject, each.created);
  }
  await client.rooms.get("tea@rooms.example.org")?.leave();
  await client.rooms.leave("tea@rooms.example.org");
  client.on("room", (event) => {
    if (event.kind === "status" && event.status === "left") console.log(event.room, event.condition);
    if (event.kind === "message") console.log(event.message.body);
  });
  client.on("gap", (gap: GapEvent) => console.log(gap.room));
}
