// What a page does under torture that is in a room.

import { client, ends, errorOf, logIn, options, tell } from "./telling.js";

const nick = options.jid.split("@")[0];
let room;

function enterRoom(entered) {
  room = entered;
  window.plantInClient?.(room);
  room.on("message", ({ id, nick, body, own, stanzaId }) => tell("in", { id, nick, body, own, stanzaId }));
  room.on("status", ({ status, reason, condition, text }) => tell("room", { status, reason, condition, text }));
  tell("room", { status: room.status });
}

window.page = {
  /** Says something in the room, so many times at once. */
  send(first, last) {
    for (let number = first; number <= last; number += 1) {
      const id = `p-${number}`;
      ends(id, room.send({ body: `${nick} ${number}`, id }));
    }
    return last;
  },
  report() {
    tell("report", { status: room.status, occupants: [...room.occupants.keys()].sort(), nick: room.nick });
  },
};

await logIn();
// What an earlier page was in, the client goes back into by itself.
for (;;) {
  try {
    enterRoom(client.rooms.get(options.room) ?? await client.rooms.join(options.room, { nick }));
    break;
  } catch (error) {
    tell("no-room", errorOf(error));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
tell("ready", {});
