// A crowd in a room: a component (XEP-0114) whose users enter it, and listen to nobody.

import { createHash } from "node:crypto";
import { connect } from "node:net";

/** So many enter the room, as `n1` and so on; resolves to what ends it, when the room has told the last one that it is in. */
export function enter({ component, room, count }) {
  const host = "crowd.localhost";
  return new Promise((resolve, reject) => {
    const socket = connect(component, "127.0.0.1");
    let buffer = "";
    let begun = false;
    socket.setEncoding("utf8");
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the server has closed the crowd's connection")));
    socket.write(`<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${host}'>`);
    socket.on("data", (data) => {
      buffer += data;
      const id = /<stream:stream[^>]*\sid=['"]([^'"]+)['"]/.exec(buffer)?.[1];
      if (id && !begun) {
        begun = true;
        buffer = "";
        socket.write(`<handshake>${createHash("sha1").update(`${id}secret`).digest("hex")}</handshake>`);
      } else if (begun === true && /<handshake\s*\/?>/.test(buffer)) {
        begun = "in";
        for (let number = 1; number <= count; number += 1) {
          socket.write(`<presence from='user${number}@${host}/x' to='${room}/n${number}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`);
        }
      } else if (begun === "in" && isIn(buffer, room, count)) {
        buffer = "";
        begun = "done";
        resolve(() => new Promise((done) => {
          socket.removeAllListeners("close");
          socket.once("close", done);
          socket.end("</stream:stream>");
          socket.resume();
        }));
      }
      // It is a lot, and only its end is of interest.
      if (buffer.length > 200_000) buffer = buffer.slice(-100_000);
    });
  });
}

const isIn = (buffer, room, count) => new RegExp(`<presence[^>]*to=['"]user${count}@[^>]*>(?:(?!</presence>).)*code=['"]110['"]`, "s").test(buffer) && buffer.includes(`${room}/n${count}`);
