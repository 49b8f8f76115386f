// A way to a server on loopback that can be cut and shut, and lose what goes in one direction.

import { createServer, connect } from "node:net";

/** A port that leads to another one. */
export class Way {
  /** How many connections have been refused. */
  refused = 0;
  #sockets = new Set();
  #listener;
  #server;
  #open = true;
  /** Which direction loses what goes there. */
  #lost;

  static async open(server) {
    const way = new Way();
    way.#server = Number(server);
    way.#listener = createServer((client) => way.#carry(client));
    await new Promise((resolve) => way.#listener.listen(0, "127.0.0.1", resolve));
    way.port = way.#listener.address().port;
    return way;
  }

  #carry(client) {
    if (!this.#open) {
      this.refused += 1;
      return client.destroy();
    }
    const onward = connect(this.#server, "127.0.0.1");
    for (const [from, to, direction] of [[client, onward, "out"], [onward, client, "in"]]) {
      this.#sockets.add(from);
      from.on("data", (bytes) => this.#lost === direction || to.write(bytes));
      from.on("error", () => {});
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  /** Ends the connections there are. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** No more connections, and none of those there are. */
  shut() {
    this.#open = false;
    this.cut();
  }

  /** What the server says is lost. */
  deafen() {
    this.#lost = "in";
  }

  /** What the client says is lost. */
  mute() {
    this.#lost = "out";
  }

  /** New connections are whole again. */
  pass() {
    this.cut();
    this.#lost = undefined;
    this.#open = true;
  }

  close() {
    this.cut();
    this.#listener.close();
  }
}
