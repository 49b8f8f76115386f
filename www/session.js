// One login's life: the client of the package on one side, the contacts and the two views on the other.

import { createClient } from "stanzawire";
import { byId, el, setText } from "./dom.js";
import { reasonOf, showError } from "./errors.js";
import { ContactList } from "./contacts.js";
import { Conversation } from "./conversation.js";
import { bareOf, People } from "./people.js";

const statusLine = byId("status");
const notice = byId("notice");
const announcer = byId("announcer");

const STATUS_WORDS = {
  offline: "Offline",
  connecting: "Connecting…",
  online: "Online",
  verifying: "Checking the connection…",
  reconnecting: "Connection lost, reconnecting…",
};

/** Connects with `options`, and resolves with a Session once online. `onFrame` gets each frame from the first on. */
export async function logIn(options, { signal, onFrame }) {
  const client = await createClient(options);
  const session = new Session(client, onFrame);
  try {
    await client.connect({ signal });
    session.start();
    return session;
  } catch (error) {
    session.stop();
    throw error;
  }
}

class Session {
  #client;
  #people = new People(() => this.#draw());
  #views = new AbortController(); // takes the views' listeners off the page again
  #unsubscribe = [];
  #list = null;
  #conversation = null;
  #open = null; // the contact whose conversation is on the page
  #rosterLoaded = false;
  #drawing = false;
  #lost = false; // the connection, since it was last online
  #underWay = new Set(); // messages that the server has not taken yet
  #leaving = false;

  constructor(client, onFrame) {
    this.#client = client;
    // Before connect: the first presence and the first message may come with the login.
    this.#on("frame", onFrame);
    this.#on("message", (message) => this.#message(message));
    this.#on("presence", (presence) => this.#people.setPresence(presence));
    this.#on("roster", (item) => this.#people.push(item));
    this.#on("status", (change) => this.#status(change));
    this.#on("resumed", () => this.#people.recallPresence());
    this.#on("error", (error) => this.#notice(error));
    // What a page had sent that was left or reloaded before it knew what became of it.
    this.#on("sent", (message) => this.#restored(message));
    this.#on("not-sent", (message) => this.#restored(message));
    this.#on("gap", () => this.#notice(new Error("Some messages could not be fetched: there may be a gap.")));
  }

  get jid() {
    return this.#client.jid;
  }

  /** Online for the first time: the views come to life. */
  start() {
    const { signal } = this.#views;
    this.#list = new ContactList((jid) => this.open(jid), { signal });
    this.#conversation = new Conversation((contact, body) => this.#send(contact, body), { signal });
    setText(byId("me"), bareOf(this.jid));
    byId("me").title = this.jid;
    this.#showStatus("online");
    this.#notice(null);
    this.#draw();
    this.#fetchRoster();
  }

  /** Nothing reaches the page any more. */
  stop() {
    for (const off of this.#unsubscribe.splice(0)) off();
    this.#views.abort();
    this.#list?.clear();
    this.#conversation?.close();
    this.#list = this.#conversation = null;
    document.title = "stanzawire chat";
  }

  async logOut() {
    this.#leaving = true;
    try {
      await this.#client.disconnect();
    } finally {
      this.stop();
    }
  }

  /** Opens the conversation with a bare JID, known or not. */
  open(jid) {
    const contact = this.#people.open(jid);
    contact.unread = 0;
    this.#open = contact;
    document.body.dataset.pane = "talk";
    this.#conversation.open(contact);
    this.#draw();
  }

  /** On a narrow page: back from the conversation to the contacts. */
  back() {
    const jid = this.#open?.jid;
    this.#open = null;
    document.body.dataset.pane = "people";
    this.#conversation.close();
    this.#draw();
    this.#list.focus(jid);
  }

  #on(type, listener) {
    const off = this.#client.on(type, listener);
    if (typeof off === "function") this.#unsubscribe.push(off);
  }

  async #fetchRoster() {
    try {
      this.#people.setRoster(await this.#client.roster.get());
    } catch (error) {
      if (error?.code !== "offline" && error?.code !== "aborted") this.#notice(error);
    }
    this.#rosterLoaded = true;
    this.#draw();
    // The login form took its focus with it when it went.
    queueMicrotask(() => document.activeElement === document.body && this.#list?.focus());
  }

  #message(message) {
    const mine = bareOf(this.jid);
    const from = bareOf(message.from ?? mine); // RFC 6121 §8.1.2.1: none means our own account
    const to = bareOf(message.to ?? mine);
    const outgoing = message.carbon === "sent" || (from === mine && to !== mine);
    if (message.type === "error") return this.#bounced(from, message);
    if (message.type === "groupchat" || !message.body) return;
    const contact = this.#people.open(outgoing ? to : from);
    this.#add(contact, {
      direction: outgoing ? "out" : "in",
      body: message.body,
      time: message.delay ?? new Date(),
      state: "sent",
      id: message.id,
    });
    if (!outgoing) this.#announce(contact);
  }

  /** RFC 6120 §8.3.1: an error answers a message by its id. */
  #bounced(from, message) {
    const own = this.#people.get(from)?.messages
      .findLast((each) => each.direction === "out" && each.id === message.id);
    if (own) this.#settle(own, "failed", message.error ? reasonOf(message.error) : "the other server refused it");
  }

  #announce(contact) {
    if (contact === this.#open && document.hasFocus()) return;
    if (contact !== this.#open) contact.unread += 1;
    setText(announcer, `New message from ${contact.name}`);
    this.#draw();
  }

  /** A message of an earlier page's, and what has become of it. */
  #restored({ to, id, body, error }) {
    if (!body) return;
    const contact = this.#people.open(bareOf(to));
    const message = { direction: "out", body, time: new Date(), id };
    this.#outcome(contact, message, error);
    this.#add(contact, message);
  }

  #send(contact, body) {
    const message = { direction: "out", body, time: new Date(), state: "sending" };
    this.#add(contact, message);
    return this.#attempt(contact, message);
  }

  async #attempt(contact, message) {
    this.#underWay.add(message);
    this.#settle(message, this.#lost ? "waiting" : "sending");
    try {
      const { id } = await this.#client.send({ to: contact.jid, body: message.body });
      message.id = id;
      this.#outcome(contact, message);
    } catch (error) {
      this.#outcome(contact, message, error);
    }
  }

  #outcome(contact, message, error) {
    this.#underWay.delete(message);
    if (!error) return this.#settle(message, "sent");
    // Where delivery is unknown, sending again could show the other side the message twice.
    message.again = error.code === "delivery-unknown" ? null : () => this.#attempt(contact, message);
    this.#settle(message, "failed", reasonOf(error));
  }

  #add(contact, message) {
    this.#people.addMessage(contact, message);
    if (contact === this.#open) this.#conversation?.add(message);
  }

  #settle(message, state, why = "") {
    message.state = state;
    message.why = why;
    this.#conversation?.update(message);
  }

  #status({ status, error }) {
    this.#showStatus(status);
    if (!this.#list) return; // still logging in: the form tells
    if (status === "reconnecting" || status === "offline") {
      this.#lost = true;
      for (const message of this.#underWay) this.#settle(message, "waiting");
      this.#people.forgetPresence();
    }
    if (status === "online" && this.#lost) {
      this.#lost = false;
      for (const message of this.#underWay) this.#settle(message, "sending");
      this.#notice(null);
      this.#fetchRoster();
    } else if (status === "offline" && !this.#leaving) {
      this.#notice(error ?? new Error("The connection has ended."), this.#againButton());
    }
  }

  #againButton() {
    const button = el("button", { type: "button", class: "quiet" }, "Connect again");
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await this.#client.connect();
      } catch (error) {
        this.#notice(error, this.#againButton());
      }
    });
    return button;
  }

  #showStatus(status) {
    statusLine.dataset.status = status;
    setText(statusLine, STATUS_WORDS[status] ?? status);
  }

  #notice(error, action) {
    if (error === null || !this.#list) return showError(notice, null);
    const close = el("button", { type: "button", class: "quiet", "aria-label": "Dismiss" }, "✕");
    close.addEventListener("click", () => showError(notice, null));
    showError(notice, error, ...(action ? [action] : []), close);
  }

  /** Draws once for all that changes in one turn. */
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      if (!this.#list) return;
      this.#list.render(this.#people, this.#open?.jid, this.#rosterLoaded);
      if (this.#open) this.#conversation.renderPeer(this.#people.presenceOf(this.#open.jid));
      const unread = this.#people.unread();
      document.title = unread > 0 ? `(${unread}) stanzawire chat` : "stanzawire chat";
    });
  }
}
