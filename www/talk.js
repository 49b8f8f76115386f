// What is said: messages in and out, what changes them afterwards, and the history. No DOM here.

import { bareOf } from "./people.js";
import { pictureOf, uploaded } from "./pictures.js";
import { reasonOf } from "./errors.js";

/** How many messages of the history are fetched at once. */
const PAGE = 30;
/** How long, in ms, a pause in typing lasts before the other side hears of it; and how long their typing is believed. */
const PAUSE = 5_000;
const TYPING = 30_000;
/** For how many messages of a conversation that aren't there changes may wait, and how many for each. */
const WAITING = 200;
const CHANGES = 20;

const REPLY = "urn:xmpp:reply:0";
const FILES = "urn:xmpp:sfs:0";

export class Talk {
  #client;
  #people;
  #show;
  #underWay = new Set(); // messages that the server has not taken yet
  #lost = false;
  /** Whom we have told that we type, and until when. */
  #typing = null;

  /**
   * `show` is told what to draw: `added(contact, message)`, `changed(message)`, `older(contact)`, `heard(contact)` for what somebody
   * else has just said, `typing(contact)`.
   */
  constructor(client, people, show) {
    this.#client = client;
    this.#people = people;
    this.#show = show;
  }

  // In

  /** A `message` event, or any of those for messages without a text of their own. What is said in rooms comes as `room` events. */
  hear(message) {
    if (message.type !== "groupchat" && !message.room) this.#hear(message);
  }

  /** What a `room` event tells of a message. */
  hearRoom(message) {
    if (this.#people.get(message.room)?.room) this.#hear(message);
  }

  #hear(message) {
    const { jid, outgoing } = this.#place(message);
    // Only a text begins a conversation.
    const contact = message.body && message.type !== "error" ? this.#people.open(jid) : this.#people.get(jid);
    if (!contact) return;
    if (message.type === "error") return this.#bounced(contact, message);
    if (message.state && !outgoing && !message.room) this.#theyType(contact, message.state === "composing");
    if (this.#changes(message)) return this.#change(contact, message, outgoing);
    if (!message.body) return;
    const known = this.#known(contact, message); // the history had it before, or we have sent it
    if (known) return this.#cameBack(contact, known, message);
    const drawn = this.#add(contact, this.#drawn(message, outgoing));
    if (!outgoing) {
      this.#theyType(contact, false);
      // What a room tells of the time before isn't news.
      if (!message.room || !message.delay) this.#show.heard(contact, drawn);
    }
  }

  /** Whose conversation a message belongs to. */
  #place(message) {
    if (message.room) return { jid: message.room, outgoing: Boolean(message.own) };
    const mine = bareOf(this.#client.jid);
    const from = bareOf(message.from ?? mine); // RFC 6121 §8.1.2.1: none means our own account
    const to = bareOf(message.to ?? mine);
    const outgoing = message.carbon === "sent" || (from === mine && to !== mine);
    return { jid: outgoing ? to : from, outgoing };
  }

  #drawn(message, outgoing) {
    const { id, from, reply, room, nick, occupantId, occupant } = message;
    return {
      direction: outgoing ? "out" : "in",
      body: withoutFallback(message),
      picture: pictureOf(message),
      time: message.delay ?? new Date(),
      state: "sent",
      id, reply,
      ref: refOf(message),
      ...(room ? { nick: nick ?? room, from, occupantId, private: Boolean(occupant), seen: outgoing ? "room" : undefined } : {}),
      reactions: new Map(),
    };
  }

  /** The message on the page that this one is. In a room others may have used its `id` as well. */
  #known(contact, { room, own, id, stanzaId }) {
    if (!room) return this.#find(contact, stanzaId, id);
    return contact.messages.findLast((each) => (stanzaId && each.ref?.stanzaId === stanzaId) || (own && each.direction === "out" && each.id === id));
  }

  /** An own message has come back from the room: with this it can be corrected, answered and so on. */
  #cameBack(contact, known, message) {
    if (!message.own || known.ref?.stanzaId) return;
    known.ref = refOf(message);
    [known.from, known.occupantId, known.seen] = [message.from, message.occupantId, "room"];
    this.#catchUp(contact, known);
    this.#show.changed(known);
  }

  /** Whether a message is about another one. */
  #changes({ replaces, retracts, reactions, receipt, marker }) {
    return Boolean(replaces || retracts || reactions || receipt?.id || marker?.id);
  }

  /** XEP-0308, XEP-0424, XEP-0444, XEP-0184, XEP-0333. Where the other message isn't there yet, the change waits for it. */
  #change(contact, message, outgoing) {
    const { replaces, retracts, reactions, receipt, marker } = message;
    const id = replaces ?? retracts ?? reactions?.id ?? receipt?.id ?? marker?.id;
    const target = this.#target(contact, message, id, outgoing);
    if (!target) {
      const waiting = [...contact.waiting.get(id) ?? [], { message, outgoing, time: message.delay ?? new Date() }];
      contact.waiting.delete(id); // to the end: what has waited longest is forgotten first
      contact.waiting.set(id, waiting.toSorted((a, b) => a.time - b.time).slice(-CHANGES));
      if (contact.waiting.size > WAITING) contact.waiting.delete(contact.waiting.keys().next().value);
      return;
    }
    this.#apply(contact, target, message, outgoing);
    this.#show.changed(target);
  }

  /** What a change is about. In a room that goes by the room's own ids, but for corrections, which are of the same sender's messages. */
  #target(contact, message, id, outgoing) {
    if (!message.room) return this.#find(contact, id);
    return contact.messages.findLast((each) => message.replaces ? each.id === id && sameSender(each, message, outgoing) : each.ref?.stanzaId === id);
  }

  #apply(contact, target, message, outgoing) {
    // Only one's own words can be corrected or taken back.
    const own = message.room ? sameSender(target, message, outgoing) : (target.direction === "out") === outgoing;
    if (message.replaces && own && !target.retracted) {
      [target.body, target.edited] = [withoutFallback(message), true];
    } else if (message.retracts && (own || (message.room && message.moderation))) {
      this.#takenBack(target);
    } else if (message.reactions) {
      const who = message.room ? message.occupantId ?? message.from : bareOf(message.from);
      target.reactions.set(outgoing ? "me" : who, message.reactions.emojis);
    } else if (!outgoing && target.direction === "out" && !message.room) {
      if (message.receipt?.id || message.marker?.type === "received") target.seen ??= "received";
      if (message.marker?.type === "displayed") this.#seen(contact, target);
    }
  }

  #takenBack(target) {
    target.retracted = true;
    target.body = "";
    target.picture = null;
    target.reactions.clear();
  }

  /** A message was displayed, and so were those before it. */
  #seen(contact, target) {
    for (const message of contact.messages) {
      if (message.direction === "out" && message.state === "sent" && message.seen !== "displayed") {
        message.seen = "displayed";
        this.#show.changed(message);
      }
      if (message === target) return;
    }
  }

  /** RFC 6120 §8.3.1: an error answers a message by its id. */
  #bounced(contact, message) {
    const own = contact.messages.findLast((each) => each.direction === "out" && each.id === message.id);
    if (own) this.#settle(own, "failed", message.error ? reasonOf(message.error) : "the other server refused it");
  }

  #theyType(contact, typing) {
    clearTimeout(contact.typing);
    contact.typing = typing ? setTimeout(() => this.#theyType(contact, false), TYPING) : undefined;
    this.#show.typing(contact);
  }

  /** A message of an earlier page's, and what has become of it. */
  restored({ to, id, originId, stanzaId, type, body, error }) {
    if (!body || type === "groupchat") return;
    const contact = this.#people.open(bareOf(to));
    if (this.#find(contact, stanzaId, id)) return;
    const message = { direction: "out", body, time: new Date(), id, ref: { id, originId, stanzaId, to, type: "chat" }, reactions: new Map() };
    this.#outcome(contact, message, error);
    this.#add(contact, message);
  }

  // Out

  send(contact, body, reply) {
    this.#typing = null;
    const message = { direction: "out", body, time: new Date(), state: "sending", reactions: new Map(), answers: reply };
    if (reply) message.reply = { id: reply.ref.id };
    this.#add(contact, message);
    return this.#attempt(contact, message);
  }

  /** Sends a picture, which is shown at once, when it is where the other side can fetch it. */
  sendPicture(contact, picture, reply) {
    const message = { direction: "out", body: "", picture, time: new Date(), state: "sending", reactions: new Map(), answers: reply };
    if (reply) message.reply = { id: reply.ref.id };
    this.#add(contact, message);
    return this.#attempt(contact, message);
  }

  async #attempt(contact, message) {
    this.#underWay.add(message);
    this.#settle(message, this.#lost ? "waiting" : "sending");
    try {
      const { body, answers, picture } = message;
      const words = picture ? await uploaded(this.#client, picture, () => this.#show.changed(message)) : { body };
      const { room } = contact;
      // By its id it is known when it comes back from the room, which may be before it is known to be sent.
      if (room) message.id ??= crypto.randomUUID();
      const init = room ? { ...words, id: message.id } : { ...words, receipt: true, marker: { type: "markable" }, state: "active" };
      const sent = answers
        ? await this.#client.reply(answers.ref, init)
        : room ? await room.send(init) : await this.#client.send({ to: contact.jid, ...init });
      message.id = sent.id;
      if (!room) message.ref = { ...sent, type: "chat" };
      this.#outcome(contact, message);
      this.#catchUp(contact, message);
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

  #settle(message, state, why = "") {
    message.state = state;
    message.why = why;
    this.#show.changed(message);
  }

  /** Changes an own message, shown at once, and as it was where that fails: the promise says so. */
  async correct(message, body) {
    const before = [message.body, message.edited];
    [message.body, message.edited] = [body, true];
    this.#show.changed(message);
    try {
      await this.#client.correct(message.ref, body);
    } catch (error) {
      [message.body, message.edited] = before;
      this.#show.changed(message);
      throw error;
    }
  }

  async retract(message) {
    await this.#client.retract(message.ref);
    this.#takenBack(message);
    this.#show.changed(message);
  }

  /** Adds a reaction of ours, or takes it back. */
  async react(message, emoji) {
    const before = message.reactions.get("me") ?? [];
    const after = before.includes(emoji) ? before.filter((each) => each !== emoji) : [...before, emoji];
    message.reactions.set("me", after);
    this.#show.changed(message);
    try {
      await this.#client.react(message.ref, after);
    } catch (error) {
      message.reactions.set("me", before);
      this.#show.changed(message);
      throw error;
    }
  }

  /** The last message of theirs has been seen. */
  seen(contact) {
    if (contact.room) return;
    const last = contact.messages.findLast((message) => message.direction === "in" && message.ref);
    if (!last || last.marked) return;
    last.marked = true;
    this.#client.markDisplayed(last.ref).catch(() => {
      last.marked = false;
    });
  }

  /** Something was typed: the other side hears of it once, and again when it stops. */
  typed(contact, text) {
    if (contact.room) return;
    if (text.trim() === "") return this.stopped(contact, "active");
    if (this.#typing?.contact !== contact) {
      this.stopped();
      this.#tell(contact, "composing");
      this.#typing = { contact };
    }
    clearTimeout(this.#typing.timer);
    this.#typing.timer = setTimeout(() => this.stopped(contact), PAUSE);
  }

  /** Nothing is typed any more. */
  stopped(contact = this.#typing?.contact, state = "paused") {
    if (!contact || this.#typing?.contact !== contact) return;
    clearTimeout(this.#typing.timer);
    this.#typing = null;
    this.#tell(contact, state);
  }

  #tell(contact, state) {
    this.#client.setChatState(contact.jid, state).catch(() => {}); // nobody misses it
  }

  // The history

  /** Fetches some of what was said before; it rejects where that fails. */
  async older(contact) {
    if (contact.reading || contact.complete) return;
    contact.reading = true;
    this.#show.older(contact);
    try {
      contact.history ??= this.#client.archive.query({ [contact.room ? "of" : "with"]: contact.jid, order: "newest" })[Symbol.asyncIterator]();
      const found = [];
      while (found.length < PAGE) {
        const { value, done } = await contact.history.next();
        if (done) {
          contact.complete = true;
          break;
        }
        const { outgoing } = this.#place(value);
        if (this.#changes(value)) this.#change(contact, value, outgoing);
        else if (value.body && value.type !== "error" && !this.#known(contact, value)) found.push(this.#drawn(value, outgoing));
      }
      contact.messages.unshift(...found.reverse());
      for (const message of found) this.#catchUp(contact, message);
    } catch (error) {
      contact.history = undefined; // from the beginning, the next time
      // Not every room has an archive.
      if (contact.room && error?.code === "stanza-error") {
        contact.complete = true;
        return;
      }
      throw error;
    } finally {
      contact.reading = false;
      this.#show.older(contact);
    }
  }

  #add(contact, message) {
    this.#people.addMessage(contact, message);
    this.#catchUp(contact, message);
    this.#show.added(contact, message);
    return message;
  }

  /** What has waited for this message. */
  #catchUp(contact, message) {
    for (const id of [message.id, message.ref?.originId, message.ref?.stanzaId]) {
      const waiting = contact.waiting.get(id) ?? [];
      contact.waiting.delete(id);
      for (const each of waiting) this.#apply(contact, message, each.message, each.outgoing);
      if (waiting.length > 0) this.#show.changed(message);
    }
  }

  /** The message with one of these ids. */
  #find(contact, ...ids) {
    return findMessage(contact, ...ids);
  }

  // The connection

  lost() {
    this.#lost = true;
    this.#typing = null;
    for (const message of this.#underWay) this.#settle(message, "waiting");
  }

  found() {
    this.#lost = false;
    for (const message of this.#underWay) this.#settle(message, "sending");
  }
}

/** What the package needs to know of a message to say something of it. */
const refOf = ({ id, originId, stanzaId, from, to, type, occupant }) => ({ id, originId, stanzaId, from, to, type, occupant });

/** Whether a message on the page is by whom a later one in the room is. A nickname may pass to somebody else. */
function sameSender(known, message, outgoing) {
  if (known.direction === "out" || outgoing) return (known.direction === "out") === outgoing;
  return known.occupantId && message.occupantId ? known.occupantId === message.occupantId : known.from === message.from;
}

/** The message of a conversation that has one of these ids. */
export function findMessage(contact, ...ids) {
  const known = ids.filter((id) => id !== undefined);
  const has = ({ id, ref }) => known.includes(id) || known.includes(ref?.stanzaId) || known.includes(ref?.originId);
  return known.length > 0 ? contact.messages.findLast(has) : undefined;
}

/** The text without the quote that is there for clients that know no replies (XEP-0461 §3.1, XEP-0428). */
function withoutFallback(message) {
  const { body = "", fallback, reply } = message;
  // The address of a picture that is shown.
  const picture = pictureOf(message);
  if (picture && (body === picture.url || fallback?.some((each) => each.for === FILES && each.body === true))) return "";
  const range = reply && fallback?.find((each) => each.for === REPLY)?.body;
  if (typeof range !== "object") return body;
  return body.slice(0, range.start) + body.slice(range.end);
}
