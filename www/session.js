// One login's life: the client of the package on one side, the contacts and the two views on the other.

import { createClient } from "stanzawire";
import { Avatars, fillAvatar } from "./avatars.js";
import { byId, el, setText } from "./dom.js";
import { showError } from "./errors.js";
import { ContactList } from "./contacts.js";
import { Conversation } from "./conversation.js";
import { bareOf, People } from "./people.js";
import { chosen, forgetPictures, pictureButton } from "./pictures.js";
import { RoomList } from "./rooms.js";
import { RoomView } from "./room-view.js";
import { Talk } from "./talk.js";

const statusLine = byId("status");
const notice = byId("notice");
const announcer = byId("announcer");
const pictureFile = byId("picture-file");
const pictureRemove = byId("picture-remove");

/** The events by which messages come, with a text or without one. */
const MESSAGES = ["message", "receipt", "marker", "chat-state", "retraction", "reaction"];

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
  #talk;
  #rooms;
  #roomView = null;
  #avatars;
  #views = new AbortController(); // takes the views' listeners off the page again
  #unsubscribe = [];
  #list = null;
  #conversation = null;
  #open = null; // the contact whose conversation is on the page
  #rosterLoaded = false;
  #drawing = false;
  #lost = false; // the connection, since it was last online
  #leaving = false;

  constructor(client, onFrame) {
    this.#client = client;
    this.#avatars = new Avatars(client, () => this.#draw());
    this.#talk = new Talk(client, this.#people, {
      added: (contact, message) => contact === this.#open && this.#conversation?.add(message),
      changed: (message) => this.#conversation?.update(message),
      older: (contact) => contact === this.#open && this.#conversation?.showOlder(),
      heard: (contact) => this.#heard(contact),
      typing: () => this.#draw(),
    });
    this.#rooms = new RoomList(client, this.#people, this.#talk, {
      added: (contact, notice) => contact === this.#open && this.#conversation?.add(notice),
      changed: () => this.#draw(),
    });
    // Before connect: the first presence and the first message may come with the login.
    this.#on("frame", onFrame);
    for (const kind of MESSAGES) this.#on(kind, (message) => this.#talk.hear(message));
    this.#on("room", (event) => this.#rooms.told(event));
    this.#on("invitation", (invitation) => this.#rooms.invited(invitation));
    this.#on("avatar", (avatar) => this.#avatars.told(avatar));
    this.#on("presence", (presence) => this.#people.setPresence(presence));
    this.#on("roster", (item) => this.#people.push(item));
    this.#on("status", (change) => this.#status(change));
    this.#on("resumed", () => this.#people.recallPresence());
    this.#on("error", (error) => this.#notice(error));
    // What a page had sent that was left or reloaded before it knew what became of it.
    this.#on("sent", (message) => this.#talk.restored(message));
    this.#on("not-sent", (message) => this.#talk.restored(message));
    this.#on("gap", () => this.#notice(new Error("Some messages could not be fetched: there may be a gap.")));
  }

  get jid() {
    return this.#client.jid;
  }

  /** Online for the first time: the views come to life. */
  start() {
    const { signal } = this.#views;
    this.#list = new ContactList((jid) => this.open(jid), { signal });
    const talk = this.#talk;
    this.#conversation = new Conversation({
      send: (contact, body, reply) => talk.send(contact, body, reply),
      correct: (message, body) => this.#tried(talk.correct(message, body)),
      react: (message, emoji) => this.#tried(talk.react(message, emoji)),
      retract: (message) => this.#tried(talk.retract(message)),
      older: (contact) => this.#tried(talk.older(contact)),
      typed: (contact, text) => talk.typed(contact, text),
      picture: (contact, file, reply) => this.#tried(chosen(file).then((picture) => { talk.sendPicture(contact, picture, reply); })),
    }, { signal });
    const rooms = this.#rooms;
    this.#roomView = new RoomView({
      join: async (...what) => this.open(await rooms.join(...what)),
      again: (contact) => this.#tried(rooms.again(contact)),
      leave: (contact) => this.#tried(rooms.leave(contact)),
      invite: (contact, jid) => this.#tried(contact.room.invite(jid, { direct: true })),
      setSubject: (contact, subject) => this.#tried(contact.room.setSubject(subject)),
      decline: (invitation) => this.#tried(rooms.decline(invitation)),
    }, bareOf(this.jid), { signal });
    pictureButton(this.#client, (file) => this.#conversation.sendPicture(file), { signal });
    pictureFile.addEventListener("change", () => this.#publishPicture(), { signal });
    pictureRemove.addEventListener("click", () => this.#tried(this.#avatars.remove()), { signal });
    addEventListener("focus", () => this.#seen(), { signal });
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
    this.#list = this.#conversation = this.#roomView = null;
    this.#avatars.clear();
    forgetPictures();
    fillAvatar(byId("me-avatar"), "", null);
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
    this.#talk.stopped();
    this.#open = contact;
    this.#avatars.look(jid);
    document.body.dataset.pane = "talk";
    this.#conversation.open(contact);
    this.#seen();
    this.#draw();
  }

  /** On a narrow page: back from the conversation to the contacts. */
  back() {
    const jid = this.#open?.jid;
    this.#talk.stopped();
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

  /** Somebody else has said something. */
  #heard(contact) {
    if (contact === this.#open && document.hasFocus()) return this.#seen();
    if (contact !== this.#open) contact.unread += 1;
    setText(announcer, `New message from ${contact.name}`);
    this.#draw();
  }

  /** Somebody looks at the conversation that is open. */
  #seen() {
    if (this.#open && document.hasFocus()) this.#talk.seen(this.#open);
  }

  async #publishPicture() {
    const [file] = pictureFile.files;
    pictureFile.value = "";
    if (file) await this.#tried(this.#avatars.publish(file));
  }

  /** What fails is shown. */
  async #tried(work) {
    try {
      await work;
    } catch (error) {
      if (error?.code !== "aborted") this.#notice(error);
    }
  }

  #status({ status, error }) {
    this.#showStatus(status);
    if (!this.#list) return; // still logging in: the form tells
    if (status === "reconnecting" || status === "offline") {
      this.#lost = true;
      this.#talk.lost();
      this.#people.forgetPresence();
    }
    if (status === "online" && this.#lost) {
      this.#lost = false;
      this.#talk.found();
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
      this.#list.render(this.#people, this.#avatars, this.#open?.jid, this.#rosterLoaded);
      if (this.#open) this.#conversation.renderPeer(this.#people.presenceOf(this.#open.jid), this.#avatars.url(this.#open.jid));
      this.#roomView.show(this.#open);
      this.#roomView.showInvitations(this.#rooms.invitations);
      const own = bareOf(this.jid);
      fillAvatar(byId("me-avatar"), own, this.#avatars.url(own));
      pictureRemove.hidden = !this.#avatars.url(own);
      const unread = this.#people.unread();
      document.title = unread > 0 ? `(${unread}) stanzawire chat` : "stanzawire chat";
    });
  }
}
