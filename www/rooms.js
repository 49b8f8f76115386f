// Rooms: entered and left, what happens in them as notices, and who invites to which. No DOM here.

/** How many invitations wait for an answer at most. */
const INVITATIONS = 10;
/** How much of a room's history is asked for on the way in; the rest comes with scrolling. */
const HISTORY = 30;

/** Why somebody is no longer there, in words. `left` needs none. */
const REASONS = {
  kicked: "kicked", banned: "banned", affiliation: "no longer a member", "members-only": "members only now", shutdown: "the service is shutting down",
  error: "connection lost", destroyed: "the room is gone", refused: "refused", offline: "offline",
};

/** "kicked by Alice: no cake"; nothing where somebody just went. */
function reasonFor({ reason, by, text, condition, alternate }) {
  const words = [REASONS[reason], by && reason !== "left" ? `by ${by}` : ""].filter(Boolean).join(" ");
  const all = [words, condition, text].filter(Boolean).join(": ");
  return alternate ? `${all}; go on in ${alternate}` : all;
}

/** How a room is, as presence is told: { state, label }. */
export function roomState({ room, why }) {
  const { size } = room.occupants;
  switch (room.status) {
    case "joined": return { state: "online", label: `${size} here` };
    case "joining": return { state: "away", label: "joining…" };
    case "rejoining": return { state: "away", label: why ? `rejoining… (${why})` : "rejoining…" };
    default: return { state: "offline", label: why ? `left (${why})` : "left" };
  }
}

/** What becomes of somebody in a room, as a line of text; nothing where it isn't worth one. */
function happening(event) {
  const { change, occupant, previous } = event;
  if (change === "nick") return occupant.self ? `You are now ${occupant.nick}` : `${previous} is now ${occupant.nick}`;
  if (occupant.self) return "";
  if (change === "joined") return `${occupant.nick} has joined`;
  if (change !== "left") return "";
  const why = reasonFor(event);
  return why ? `${occupant.nick} has left (${why})` : `${occupant.nick} has left`;
}

export class RoomList {
  #client;
  #people;
  #talk;
  #show;
  /** Room → invitation, the oldest first. */
  #invitations = new Map();

  /** `show` is told what to draw: `added(contact, notice)`, and `changed()` for all else. */
  constructor(client, people, talk, show) {
    this.#client = client;
    this.#people = people;
    this.#talk = talk;
    this.#show = show;
  }

  get invitations() {
    return [...this.#invitations.values()];
  }

  /** Enters a room, and resolves to its JID; it rejects where the room won't have us. */
  async join(jid, nick, password) {
    const room = await this.#client.rooms.join(jid, { nick, ...(password ? { password } : {}), history: { maxMessages: HISTORY } });
    this.#invitations.delete(room.jid);
    this.#contact(room.jid).password = password;
    this.#name(room.jid);
    this.#show.changed();
    return room.jid;
  }

  async leave(contact) {
    if (contact.room.status !== "left") await contact.room.leave();
  }

  again(contact) {
    return this.join(contact.jid, contact.room.nick, contact.password);
  }

  /** A `room` event. */
  told(event) {
    // One that won't have us isn't there.
    const known = this.#people.get(event.room)?.room;
    const contact = known || !["joining", "left"].includes(event.status) ? this.#contact(event.room) : undefined;
    if (!contact) return;
    if (event.message) this.#talk.hearRoom(event.message);
    else if (event.kind === "occupant") this.#notice(contact, happening(event));
    else if (event.kind === "subject") this.#subject(contact, event);
    else if (event.kind === "status") this.#status(contact, event);
    this.#show.changed();
  }

  #subject(contact, { nick, subject, delay }) {
    if (delay || !nick) return; // as it was when we came
    this.#notice(contact, subject ? `${nick} has changed the subject: ${subject}` : `${nick} has removed the subject`);
  }

  #status(contact, event) {
    const { status, nick, assigned } = event;
    const before = contact.was;
    contact.was = status;
    contact.why = status === "left" || status === "rejoining" ? reasonFor(event) : "";
    if (status === "joined") {
      this.#notice(contact, before === "rejoining" ? `You are back as ${nick}` : `You have joined as ${nick}${assigned ? ", a name that the room has chosen" : ""}`);
    } else if (status === "left" && before !== "joining") {
      this.#notice(contact, contact.why ? `You are no longer here (${contact.why})` : "You have left");
    }
  }

  /** An `invitation` event. */
  invited(invitation) {
    const { room } = invitation;
    if (this.#client.rooms.get(room)) return;
    this.#invitations.delete(room);
    this.#invitations.set(room, invitation);
    if (this.#invitations.size > INVITATIONS) this.#invitations.delete(this.#invitations.keys().next().value);
    this.#show.changed();
  }

  /** Of a direct invitation nobody is told that it was declined (XEP-0249 §2). */
  async decline(invitation) {
    this.#invitations.delete(invitation.room);
    this.#show.changed();
    if (invitation.mediated && invitation.from) await this.#client.rooms.decline(invitation);
  }

  /** The conversation of a room that we are in. */
  #contact(jid) {
    const room = this.#client.rooms.get(jid);
    if (!room) return this.#people.get(jid)?.room ? this.#people.get(jid) : undefined;
    const contact = this.#people.open(room.jid);
    if (!contact.room) [contact.room, contact.name] = [room, room.jid.split("@", 1)[0]];
    return contact;
  }

  /** What the room calls itself. */
  async #name(jid) {
    try {
      const { name } = await this.#client.rooms.info(jid);
      if (name) this.#contact(jid).name = name;
      this.#show.changed();
    } catch {
      // Its address will do.
    }
  }

  #notice(contact, text) {
    if (!text) return;
    const notice = { direction: "notice", body: text, time: new Date(), reactions: new Map() };
    this.#people.addNotice(contact, notice);
    this.#show.added(contact, notice);
  }
}
