// Faults to plant between the client and its socket, or its app: what a client with that fault would do. Each must be seen
// by the run. Put into a page before anything else, as a function of its name.

export const PLANTS = {
  /** An acknowledgement is dropped: from the tenth on, the server seems to have handled one stanza less. */
  ack: { shim: (name) => shimOf(name), seen: ["doubled", "unsettled", "unknown"] },
  /** A stanza is counted twice: the server seems to have handled one more, which it never got. */
  twice: { shim: (name) => shimOf(name), seen: ["lost"] },
  /** Two stanzas are swapped. */
  swap: { shim: (name) => shimOf(name), seen: ["disordered"] },
  /** A message that comes in is told to the app twice. */
  echo: { shim: (name) => shimOf(name), seen: ["doubled"] },
  /** Something that comes in is counted before it is told, and forgotten. */
  deaf: { shim: (name) => shimOf(name), seen: ["lost"] },
};

function shimOf(name) {
  return `(${shim})(${JSON.stringify(name)})`;
}

/** Runs in the page. */
function shim(name) {
  const isMessage = (text) => text.startsWith("<message") && text.includes(" id=\"p-") || text.includes(" id='p-");
  // Over the whole run, reloads and all.
  const count = (what) => {
    const key = `plant:${what}`;
    const number = Number(sessionStorage.getItem(key) ?? 0) + 1;
    sessionStorage.setItem(key, String(number));
    return number;
  };
  const less = (text, by) => text.replace(/(\bh=['"])(\d+)/, (_, head, h) => head + Math.max(0, Number(h) + by));
  let held;
  const out = (send, text) => {
    const number = isMessage(text) ? count("out") : 0;
    if (name === "twice" && number === 20) {
      // It counts here and at the server, and is for nobody.
      return send("<message xmlns='jabber:client' to='nobody@localhost' type='headline'/>");
    }
    if (name === "swap" && number % 20 === 0 && number > 0) {
      held = text;
      return undefined;
    }
    send(text);
    if (held !== undefined && number > 0) {
      send(held);
      held = undefined;
    }
    return undefined;
  };
  const into = (text) => {
    if (name === "ack" && /^<(a|resumed|failed) /.test(text) && (text.startsWith("<a ") ? count("ack") : 10) >= 10) {
      return less(text, -1);
    }
    if (name === "deaf" && text.startsWith("<message") && text.includes("b ") && count("in") === 20) {
      return "<message xmlns='jabber:client' from='nobody@localhost'/>";
    }
    return text;
  };
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    #send = (text) => super.send(text);
    send(text) {
      out(this.#send, text);
    }
    set onmessage(listener) {
      super.onmessage = listener && ((event) => {
        const text = into(event.data);
        listener(text === event.data ? event : new MessageEvent("message", { data: text }));
      });
    }
    get onmessage() {
      return super.onmessage;
    }
  };
  if (name === "echo") {
    window.plantInClient = (client) => {
      const on = client.on.bind(client);
      client.on = (type, listener, ...more) => on(type, type !== "message" ? listener : (message) => {
        listener(message);
        if (count("echo") === 20) listener(message);
      }, ...more);
    };
  }
}

/** What a client that forgets to tidy up would leave behind: with each socket, or each frame. */
export const LEAKS = {
  listener: `{ const Real = WebSocket; window.WebSocket = class extends Real {
    constructor(...args) { super(...args); addEventListener("online", () => this.readyState); } }; }`,
  timer: `{ const Real = WebSocket; window.WebSocket = class extends Real {
    constructor(...args) { super(...args); setTimeout(() => this.readyState, 1e9); } }; }`,
  heap: `{ const Real = WebSocket; const kept = []; window.WebSocket = class extends Real {
    send(text) { kept.push(text + " "); super.send(text); } }; window.kept = kept; }`,
};
