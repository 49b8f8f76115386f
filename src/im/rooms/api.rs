//! What apps see of rooms, in TypeScript.

use crate::im::typescript;

typescript!(
    r#"
export interface Calls {
  /** Rooms that many talk in (XEP-0045). */
  readonly rooms: Rooms;
}

/** The rooms that the client is in. Iterating goes over them. */
export interface Rooms extends Iterable<Room> {
  /**
   * Enters a room, and resolves when the room says that we are in it. One that doesn't exist is made by most services, and is locked then until
   * it is configured: see {@link Room.created}. From then on the client sees to it that it stays in: see {@link Room.status}.
   *
   * Rejects `stanza-error` with the room's `condition`, among them `conflict` (the nickname is taken), `not-authorized` (it wants a
   * password), `registration-required` (members only), `forbidden` (banned), `service-unavailable` (full), `item-not-found` (it
   * doesn't exist, or is locked), `not-allowed` (rooms can't be made), `not-acceptable` (another nickname is reserved for us); `invalid-state`
   * where we are in it by another nickname, `offline`, `timeout`, `invalid-jid`.
   *
   * @example
   * const room = await client.rooms.join("tea@rooms.example.org", { nick: "Alice" });
   * room.on("message", ({ nick, body }) => console.log(nick, body));
   * await room.send("hello, everybody");
   */
  join(jid: string, options: JoinOptions): Promise<Room>;

  /** The room of this JID, unless we are neither in it nor on the way. */
  get(jid: string): Room | undefined;

  /**
   * {@link Room.leave} by the room's JID. Rejects `invalid-state` where we aren't in it.
   *
   * @example
   * await client.rooms.leave("tea@rooms.example.org");
   */
  leave(jid: string, options?: CallOptions): Promise<void>;
}

/** How to enter a room. */
export interface JoinOptions extends CallOptions {
  /** By which name we are known there. */
  nick: string;
  /** Where the room wants one. It isn't kept in {@link ConnectOptions.storage}. */
  password?: string | undefined;
  /** How much of what was said before is wanted. Default: as much as the room likes to tell. */
  history?: RoomHistory | undefined;
}

/** Of what was said in a room before: no more than this. */
export interface RoomHistory {
  /** So many messages; 0 for none. */
  maxMessages?: number | undefined;
  /** So many characters of XML. */
  maxChars?: number | undefined;
  /** Of the last so many seconds. */
  seconds?: number | undefined;
  /** Since then. */
  since?: Date | string | undefined;
}

/** `rejoining`: the room has lost us, or the session was lost, and the client is entering again by itself. */
export type RoomStatus = "joining" | "joined" | "rejoining" | "left";
export type RoomRole = "moderator" | "participant" | "visitor" | "none";
export type RoomAffiliation = "owner" | "admin" | "member" | "outcast" | "none";

/** Somebody in a room, as the room says. */
export interface Occupant {
  nick: string;
  role: RoomRole;
  affiliation: RoomAffiliation;
  /** Who it is, where the room says that, to everybody or to moderators: mostly a full JID. */
  jid?: string;
  /** Who it is, without saying who: the same for as long as the room exists, whatever the nickname (XEP-0421). Only from rooms that say they tell it. */
  occupantId?: string;
  show?: Show;
  /** In words. */
  status?: string;
  /** It is us. */
  self?: true;
}

/**
 * A room that we are in, or have been in. All that it says is what the room has said; while `rejoining` it is what was known before.
 *
 * The verbs of the client work with messages of rooms: {@link Client.correct}, {@link Client.retract}, {@link Client.react},
 * {@link Client.reply}, {@link Client.markDisplayed}. They need the message as it has come back from the room.
 */
export interface Room {
  readonly jid: string;
  /** Our own, as the room has it. */
  readonly nick: string;
  readonly status: RoomStatus;
  /** It didn't exist before we came, and is to be configured by us. */
  readonly created: boolean;
  readonly subject: string | undefined;
  /** Our own: what we may do there. */
  readonly role: RoomRole;
  readonly affiliation: RoomAffiliation;
  /** By nickname. The client keeps 20,000 in all rooms together; those beyond are there without being shown. */
  readonly occupants: ReadonlyMap<string, Occupant>;

  /**
   * Sends a message to everybody in the room, and resolves as {@link Client.send} does. It comes back as a `message` event, with `own` and
   * the room's `stanzaId` for it. While `rejoining` it waits.
   *
   * Rejects as {@link Client.send} does: `stanza-error` where the room refuses it, `not-delivered` where we can't get in again;
   * `invalid-state` where we aren't in the room.
   *
   * @example
   * await room.send("hello");
   * await room.send({ body: "look", oob: [{ url: "https://example.org/" }] });
   */
  send(message: string | Omit<MessageInit, "to" | "type">, options?: CallOptions): Promise<SentMessage>;

  /**
   * Sends a message to one of those in the room, and nobody else. Rejects as {@link Room.send} does.
   *
   * @example
   * await room.sendPrivate("Bob", "a word with you");
   */
  sendPrivate(nick: string, message: string | Omit<MessageInit, "to" | "type">, options?: CallOptions): Promise<SentMessage>;

  /**
   * Changes what the room is about, `""` for nothing. The `subject` event says when it has. Rejects as {@link Room.send} does.
   *
   * @example
   * await room.setSubject("tea at five");
   */
  setSubject(subject: string, options?: CallOptions): Promise<SentMessage>;

  /**
   * Takes another nickname, and resolves to the one that the room has given. Rejects `stanza-error` (`conflict` where it is taken),
   * `invalid-state`, `offline`.
   *
   * @example
   * const nick = await room.changeNick("Alice (away)");
   */
  changeNick(nick: string, options?: CallOptions): Promise<string>;

  /**
   * Says something else of our availability in this room alone. What {@link Client.setPresence} says goes to all rooms where that hasn't
   * been done. Rejects `invalid-state`, `offline`.
   *
   * @example
   * await room.setPresence({ show: "away" });
   */
  setPresence(presence: Omit<PresenceInit, "priority">, options?: CallOptions): Promise<void>;

  /**
   * Has a message of anybody's taken back by the room (XEP-0425): for its moderators. The `moderation` event says when it has been.
   *
   * Rejects `stanza-error` (`forbidden`, `item-not-found`, `service-unavailable` where the room can't), `offline`.
   *
   * @example
   * if (message.stanzaId) await room.moderate(message.stanzaId, "this is an advertisement");
   */
  moderate(stanzaId: string, reason?: string | null, options?: CallOptions): Promise<void>;

  /**
   * Leaves. Never rejects but by `signal` and for want of a room to leave (`invalid-state`): where the room doesn't answer within five seconds, we are
   * out all the same.
   *
   * @example
   * await room.leave();
   */
  leave(options?: CallOptions): Promise<void>;

  /**
   * Adds a listener, and returns what takes it away. Up to 1,000 each of `message`, `private-message`, `reaction`, `retraction` and
   * `moderation` events are held until somebody listens for them.
   */
  on<K extends keyof RoomEvents>(type: K, listener: (event: RoomEvents[K]) => void, options?: ListenerOptions): () => void;
  /** The next event of a kind, as {@link Client.once} has it. */
  once<K extends keyof RoomEvents>(type: K, options?: CallOptions): Promise<RoomEvents[K]>;
  /** The events of a kind, as {@link Client.events} has them. */
  events<K extends keyof RoomEvents>(type: K, options?: ListenerOptions): AsyncIterableIterator<RoomEvents[K]>;
}

/** The events of a room, by name. */
export interface RoomEvents {
  /** Somebody said something to everybody, also we ourselves (`own`). */
  message: Message;
  /** Somebody in the room said something to us alone. */
  "private-message": Message;
  reaction: Message;
  retraction: Message;
  marker: Message;
  "chat-state": Message;
  /** Somebody came, left, or is something else than before. Of those who are there when we come `occupants` tells. */
  occupant: OccupantEvent;
  subject: RoomSubjectEvent;
  status: RoomStatusEvent;
  /** The room has taken back somebody's message. There is a `retraction` as well. */
  moderation: ModerationEvent;
  /** The room's configuration has changed, as the codes say (XEP-0045 §10.2.1). */
  configuration: RoomConfigurationEvent;
}

/** Why somebody is no longer in a room. `left` is by their own will. */
export type LeaveReason =
  | "left" | "kicked" | "banned" | "affiliation" | "members-only" | "shutdown" | "error" | "destroyed"
  /** The room is lost to us: it refuses us (`condition`). */
  | "refused"
  /** The session or the connection is over. */
  | "offline";

export interface OccupantEvent {
  room: string;
  kind: "occupant";
  change: "joined" | "changed" | "nick" | "left";
  /** As they are now; with `left`, as they were. */
  occupant: Occupant;
  /** With `nick`, what they were called before. */
  previous?: string;
  reason?: LeaveReason;
  /** Who did that, by nickname or JID, and why. */
  by?: string;
  text?: string;
}

export interface RoomSubjectEvent {
  room: string;
  kind: "subject";
  /** Empty where there is none any more. */
  subject: string;
  /** Who has changed it. */
  nick?: string;
  /** When, where that wasn't now. */
  delay?: Date;
}

export interface RoomStatusEvent {
  room: string;
  kind: "status";
  status: RoomStatus;
  nick: string;
  /** With `joined`: it didn't exist before. */
  created?: boolean;
  /** With `joined`: the service gave us another nickname than we asked for. */
  assigned?: boolean;
  /** With `joined`: who is there. */
  occupants?: Occupant[];
  subject?: string;
  /** What else the room has said: 100 that everybody sees everybody's JID, 170 that it keeps a log, and so on. */
  codes?: number[];
  /** With `left` and `rejoining`: why. */
  reason?: LeaveReason;
  by?: string;
  text?: string;
  /** With `refused`: the condition. */
  condition?: string;
  /** With `destroyed`: where to go instead. */
  alternate?: string;
  /** And the password there. */
  password?: string;
}

export interface ModerationEvent {
  room: string;
  kind: "moderation";
  /** Of which message. */
  stanzaId: string;
  /** Who: an occupant's JID, or that of the account, where the room says it. */
  by?: string;
  occupantId?: string;
  reason?: string;
}

export interface RoomConfigurationEvent {
  room: string;
  kind: "configuration";
  codes: number[];
}

/** A message that was told in a room, at {@link FeatureEvents.room}. */
export interface RoomMessageEvent {
  room: string;
  kind: "message" | "private-message" | "reaction" | "retraction" | "marker" | "chat-state" | "receipt";
  message: Message;
}

export interface FeatureEvents {
  /**
   * Something has happened in one of the rooms: what {@link Room} objects are made of. Who is in a room is told here, and not by
   * `presence` events.
   */
  room: OccupantEvent | RoomSubjectEvent | RoomStatusEvent | ModerationEvent | RoomConfigurationEvent | RoomMessageEvent;
}
"#
);
