// Faults to plant between the client and its socket, or its app: what a client with that fault would do. Put into a page
// before anything else. What must be seen of each stands in xtask/src/torture.rs and xtask/src/soak.rs.
//
//   ack    acknowledgements are dropped on their way to the app
//   twice  a stanza is counted twice: the one behind it is never sent
//   swap   two stanzas are swapped
//   echo   a message that comes in is told to the app twice
//   deaf   a message that comes in is counted, and forgotten

const PLANTS = ["ack", "twice", "swap", "echo", "deaf"];

/** What is to run in the page. */
export function planted(name) {
  if (Object.hasOwn(LEAKS, name)) return LEAKS[name];
  if (PLANTS.includes(name)) return `(${shim})(${JSON.stringify(name)})`;
  throw new Error(`nothing is known of the fault ${name}`);
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
  window.plantInClient = (client) => {
    const [on, send] = [client.on.bind(client), client.send.bind(client)];
    if (name === "echo") {
      client.on = (type, listener, ...more) => on(type, type !== "message" ? listener : (message) => {
        listener(message);
        if (count("echo") === 20) listener(message);
      }, ...more);
    }
    if (name === "ack") {
      client.send = (...args) => {
        const sent = send(...args);
        return count("ack") % 20 === 0 ? new Promise(() => {}) : sent;
      };
    }
  };
}

/** What a client that forgets to tidy up would leave behind: with each socket, or each frame. */
const LEAKS = {
  listener: `{ const Real = WebSocket; window.WebSocket = class extends Real {
    constructor(...args) { super(...args); addEventListener("online", () => this.readyState); } }; }`,
  timer: `{ const Real = WebSocket; window.WebSocket = class extends Real {
    constructor(...args) { super(...args); setTimeout(() => this.readyState, 1e9); } }; }`,
  heap: `{ const Real = WebSocket; const kept = []; window.WebSocket = class extends Real {
    send(text) { kept.push(text + " "); super.send(text); } }; window.kept = kept; }`,
};
