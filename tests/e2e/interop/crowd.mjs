// A crowd in a room: a component (XEP-0114) whose users enter it, and listen to nobody.

import { createHash } from "node:crypto";
import { connect } from "node:net";

const HOST = "crowd.localhost";
/** How long, in ms, all of them may take. */
const BOUND = 300_000;

/** So many enter the room, as `n1` and so on; resolves to what ends it, when the room has told each that it is in. */
export function enter({ component, room, count }) {
  return new Promise((resolve, reject) => {
    const socket = connect(component, "127.0.0.1");
    const late = setTimeout(() => reject(new Error(`${are} of ${count} are in the room in ${BOUND / 1000} s`)), BOUND);
    let head = "";
    let tail = "";
    let are = 0;
    let handshaken = false;
    socket.setEncoding("utf8");
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the server has closed the crowd's connection")));
    socket.write(`<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${HOST}'>`);
    socket.on("data", (data) => {
      if (!handshaken) {
        head += data;
        const id = /<stream:stream[^>]*\sid=['"]([^'"]+)['"]/.exec(head)?.[1];
        if (id && !head.includes("answered")) {
          head = "answered";
          socket.write(`<handshake>${createHash("sha1").update(`${id}secret`).digest("hex")}</handshake>`);
        } else if (/<handshake/.test(head)) {
          handshaken = true;
          for (let number = 1; number <= count; number += 1) {
            socket.write(`<presence from='user${number}@${HOST}/x' to='${room}/n${number}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`);
          }
        }
        return;
      }
      // One for each who is in; all else is of no interest, and there is a lot of it.
      const text = tail + data;
      are += text.match(/code=['"]110['"]/g)?.length ?? 0;
      tail = text.slice(-9);
      if (are < count) return;
      clearTimeout(late);
      socket.removeAllListeners();
      socket.resume();
      resolve(() => new Promise((done) => {
        socket.once("close", done);
        socket.once("error", () => {});
        socket.end("</stream:stream>");
      }));
    });
  });
}
