/// <reference lib="es2022" />
/// <reference lib="esnext.disposable" />

import type { Calls, FeatureEvents, PresenceInit, RegisterOptions, SentMessage, MessageType } from "./features.js";

export type * from "./features.js";

/**
 * Logs in: {@link createClient}, then {@link Client.connect}.
 *
 * Rejects with an {@link XmppError}: those of both.
 */
export function connect(options: ConnectOptions): Promise<Client>;

/**
 * Makes a client that isn't connected yet: listeners can be added before anything happens.
 *
 * Rejects with an {@link XmppError}: `load-failed` where the platform can't run the wasm (the hint says what to do),
 * `invalid-argument` or `invalid-jid` for options that can't be used (what a login alone can tell of them, such as a `url` that
 * is none, {@link Client.connect} rejects with), `aborted`.
 */
export function createClient(options: ConnectOptions): Promise<Client>;

/**
 * Looks up a domain's WebSocket endpoints (RFC 6415, XEP-0156), and connects to none: those that a login would try, in its
 * order, at least one.
 *
 * Rejects with an {@link XmppError}: `discovery-network`, `discovery-http`, `discovery-parse`, `discovery-no-link`, `insecure`
 * where only unencrypted ones are named, `timeout`, `aborted`; `invalid-jid` for what is no domain, `invalid-argument`, and
 * `load-failed` as {@link createClient} does.
 */
export function discover(domain: string, options?: DiscoverOptions): Promise<Endpoint[]>;

/**
 * Makes an account at a server that lets people do so by themselves (XEP-0077); {@link connect} logs in to it then. Where the server
 * wants to know more than a name and a password, that is in `fields`, or asked for by `form`.
 *
 * Rejects with an {@link XmppError}: `stanza-error` where the server makes none, with the condition `conflict` for a name that somebody
 * has, `not-acceptable` for what is missing or won't do, `not-allowed`, `forbidden` or `service-unavailable` where nobody can have one this
 * way, `resource-constraint` for one too many at a time; `registration-elsewhere` where it is done on the web, at the error's `url`;
 * `invalid-argument` where something is required that isn't there; `insecure` where others could read the password; those of
 * {@link discover}, and `socket-failed`, `stream-error`, `closed`, `protocol-violation`. What `form` throws goes on as it is.
 *
 * @example
 * await register({ jid: "alice@example.org", password, async form({ form }) {
 *   const { media } = form.fields.find((field) => field.media) ?? {}; // a CAPTCHA, say
 *   return askThePerson(form.instructions, form.fields, media);
 * } });
 * const client = await connect({ jid: "alice@example.org", password });
 */
export function register(options: RegisterOptions): Promise<void>;

/**
 * Makes an element. Its namespace goes into `attrs.xmlns`; children without one inherit it.
 *
 * @example xml("query", { xmlns: "jabber:iq:version" })
 */
export function xml(
  name: string,
  attrs?: Readonly<Record<string, string | undefined>> | null,
  ...children: (XmlElement | string)[]
): XmlElement;

/** Whether a value that was caught is an error of this package. */
export function isXmppError(value: unknown): value is XmppError;

/** What a client is made from. */
export interface ConnectOptions {
  /** `"alice@example.org"`, or with a resource to ask for, `"alice@example.org/web"`. A bare domain logs in anonymously. */
  jid: string;
  /** Short for `credentials: { password }`. */
  password?: string | undefined;
  /**
   * What to log in with, or a function that is asked at each login, and once more in a login where the keys that it gave are
   * `keys-outdated`. What it throws is the `cause` of the login's error, `invalid-argument`.
   */
  credentials?: Credentials | ((request: CredentialsRequest) => Credentials | Promise<Credentials>) | undefined;
  /** A `wss:` address (`ws:` on loopback): nothing is looked up then. */
  url?: string | undefined;
  /** The origin to ask for host-meta in place of `https://DOMAIN`. `http:` on loopback only. */
  hostMeta?: string | undefined;
  /** The resource to ask for. The server may bind another: {@link Client.jid} says which. */
  resource?: string | undefined;
  /** Ends {@link createClient}, and the login of {@link connect}. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for a login, all endpoints together. Default 30,000. */
  timeout?: number | undefined;
  /** Whether and how a lost connection is made again. It applies after the first time online. Default true. */
  reconnect?: boolean | ReconnectOptions | undefined;
  /** How many stanzas may wait for a connection or for the server's word at once; beyond that calls are `queue-full`. Default 10,000. */
  queue?: number | undefined;
  /**
   * How long the server may be silent before it is asked whether it is there, while somebody can see the page; in milliseconds, at
   * least 1,000. Default 3,000. While nobody can see it, it is 50 seconds. A server that doesn't answer within 5 seconds is
   * as good as gone: the connection is made anew.
   */
  keepalive?: number | undefined;
  /** The presence to begin with; `false` to stay invisible. Default true. */
  presence?: boolean | PresenceInit | undefined;
  /**
   * Features that the app has itself: what service discovery (XEP-0030) and the hash in each presence say that this client can, beside what
   * stanzawire can. `"NODE+notify"` asks for `pubsub` events of the node `NODE` of the account and its contacts (XEP-0163).
   *
   * @example createClient({ jid: "alice@example.org", features: ["http://jabber.org/protocol/tune+notify"] })
   */
  features?: string[] | undefined;
  /**
   * What is said to those who ask what software this is (XEP-0092), and by what name (XEP-0030). Default: this package's name and
   * version. Of the operating system nothing is said unless you do.
   */
  software?: Software | undefined;
  /**
   * Whether contacts that see the user's presence, and other clients of the account's, are told how long nothing has happened
   * (XEP-0012): since the app last called, or the page came into sight or left it. Nobody else is. Default true.
   */
  lastActivity?: boolean | undefined;
  /** Whether `message` events also tell of what the account's other clients send and are sent: see {@link Carbon}. Default true. */
  carbons?: boolean | undefined;
  /**
   * Whether those who ask for a receipt of a message get one by itself (XEP-0184). It says that we are there, so that only those get
   * one who may know that: contacts who see our presence. Default true.
   */
  receipts?: boolean | undefined;
  /** Whether `ws:` and `http:` may be used beyond loopback. Default false. */
  allowInsecure?: boolean | undefined;
  /**
   * Whether SASL PLAIN may be used, and even then only over `wss:` or on loopback, and only as long as {@link storage}
   * doesn't say that the account has logged in by something better. Default false.
   */
  allowPlain?: boolean | undefined;
  /**
   * Where to keep what the next page should know; `null` for nowhere. Default `sessionStorage`, where there is one and the
   * page may use it: it outlives a reload, and ends with the tab.
   *
   * Under `stanzawire:` with the bare JID behind it there is one line. It says that the account has logged in by SCRAM or
   * EXTERNAL, so that PLAIN is refused from then on (`downgrade`), and what the server was found to be able to do, so that the
   * next login takes fewer round trips.
   *
   * Under keys that begin so and go on with a colon there is what it takes to go on after a reload as if nothing had been: the
   * address of the server, the bound JID, the id of the stream management session and its counters, how far the archive has
   * been read, who is there, the contacts where they fit into 64 kB, who asks to see the user's presence, and **the messages under
   * way**, as they were sent, until it is certain what became of them ({@link Events.sent}, {@link Events["not-sent"]}). It is
   * written at most once a second, and when the page is hidden or goes. Of credentials only a token is kept, and that by your
   * leave ({@link keepToken}): whoever can read that can log in. Without it, whoever can read the rest can read those messages, and
   * no others; without the credentials nobody can go on with the session. {@link Client.disconnect} removes all but the line.
   *
   * No two clients go on with one session: a lock (Web Locks) keeps them apart, so that a duplicated tab, which starts with a
   * copy of `sessionStorage`, gets a session of its own. Where there are no locks (a page that isn't secure, Node before 24),
   * this holds among the clients of one page or process only: there don't let two share a store.
   *
   * A store that throws, rejects, is full or doesn't answer fails no call: it is as if it kept nothing, and where it fails to keep
   * the session, an `error` event says so once (`storage-failed`). What it gives back is not believed either. One that answers
   * with promises may lose what was written last when the page goes. One without the three methods is an `invalid-argument`.
   */
  storage?: KeyValueStore | null | undefined;
  /**
   * Whether {@link storage} may also keep the token that a server issues for the next login (FAST, XEP-0484): a login by it takes
   * one round trip, and neither a password nor a question to {@link credentials}. **It is a secret**: until the server takes it
   * back, whoever can read it can log in. {@link Client.disconnect} takes it back. Default: true where you pass a `storage` of
   * your own, false for the `sessionStorage` that is used without one. Without leave the token is used to come
   * back after a loss, and ends with the page.
   *
   * With `true` neither `password` nor `credentials` has to be there: where there is no token, or the server refuses it, the login is
   * `invalid-argument`.
   */
  keepToken?: boolean | undefined;
  /**
   * How stanzas are framed: as RFC 7395 says, or, for a server from before it, as draft-ietf-xmpp-websocket-00 says, with the
   * stream's own tags as messages. Default `"rfc7395"`.
   */
  framing?: "rfc7395" | "draft-00" | undefined;
  /** The language of the stream, such as `"de"`: the server's texts are in it where it can. */
  lang?: string | undefined;
}

/**
 * What to log in with. The strongest mechanism wins that the server offers and that these can be used with; where there is
 * none, the login fails with `no-mechanism`. Those that name an account (all but the last two) need a `jid` with
 * something before the domain.
 */
export type Credentials =
  | { /** SCRAM, or, where {@link ConnectOptions.allowPlain} says so, PLAIN. */ password: string }
  | { /** A token of OAuth 2.0, for OAUTHBEARER. One that has expired is `not-authorized`. */ token: string }
  | { /** From a {@link CredentialsEvent}: the one SCRAM mechanism that they were made for. */ scramKeys: ScramKeys }
  | { /** Something outside the stream vouches for the client, such as a cookie. */ external: true; /** The address to act as. */ authzid?: string | undefined }
  | { anonymous: true };

/** What a `credentials` function is told. */
export interface CredentialsRequest {
  /** Why those that it gave before won't do, where it is asked once more in a login: `keys-outdated`. */
  error?: XmppError;
}

/**
 * What stands for a password, with one mechanism, as long as the server keeps the account's salt and iteration count. It is
 * plain data, and outlives `JSON.stringify()`. Keep it as you would keep a password: the password itself can't be told from
 * it, but whoever has it can log in. Once the server has changed salt or count, as it does with a new password, it is
 * `keys-outdated`.
 */
export interface ScramKeys {
  mechanism: "SCRAM-SHA-1" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  /** Base64. */
  salt: string;
  iterations: number;
  /** Base64. */
  clientKey: string;
  /** Base64. */
  serverKey: string;
}

/**
 * How a lost connection is made again: each delay is a random part of a cap, which grows threefold with each
 * failure. The first delay of a client in use (a message in the last ten seconds, or something that waits to be sent) is 400 ms at
 * most, that of the second 2 s, and the others come two failures later.
 */
export interface ReconnectOptions {
  /** The first cap, in milliseconds. Default 8,000. */
  minDelay?: number | undefined;
  /** The largest cap, in milliseconds. Default 60,000. */
  maxDelay?: number | undefined;
  /** After how many failures in a row to give up. Default never. */
  maxAttempts?: number | undefined;
}

/** A piece of software. */
export interface Software {
  /** Without a `<` in it. */
  name: string;
  version?: string | undefined;
  /** The operating system that it runs on. */
  os?: string | undefined;
}

/** A store such as `sessionStorage`; its methods may also return promises. One of them is called at a time. */
export interface KeyValueStore {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
}

/** What every long call takes. */
export interface CallOptions {
  /** Ends the call with `aborted`, whose `cause` is the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds until the call ends with `timeout`. */
  timeout?: number | undefined;
}

/** What every listener takes. */
export interface ListenerOptions {
  /** Takes the listener away. */
  signal?: AbortSignal | undefined;
}

/** How to look up endpoints. Default `timeout`: 30,000. */
export interface DiscoverOptions extends CallOptions {
  /** The origin to ask for host-meta in place of `https://DOMAIN`. `http:` on loopback only. */
  hostMeta?: string | undefined;
}

/** A place to connect to. */
export interface Endpoint {
  /** A `wss:` address (`ws:` on loopback), as {@link ConnectOptions.url} takes it. */
  url: string;
  /** Where it was found: in host-meta as XML or as JSON. `"url"`: the app named it. */
  source: "url" | "xrd" | "json";
}

/**
 * One account's client. Nothing of it has to be freed.
 *
 * Every promise settles exactly once. Those that reject do so with an {@link XmppError}: beside the codes named at each
 * method, `invalid-argument` for an argument that can't be used, `timeout` and `aborted` where there is a
 * {@link CallOptions}, and `internal` after a fault of this package.
 */
export interface Client extends Calls {
  /** The bound full JID while online; before, the account. */
  readonly jid: string;
  /** The state of the connection. */
  readonly status: Status;
  /**
   * Where the server would like the session to be resumed, if it says so: a host, and a port of TCP (XEP-0198). It is a hint for
   * those who run the server; the client itself can't follow it.
   */
  readonly location: string | undefined;

  /**
   * Logs in: one attempt over all endpoints. `timeout` takes the place of the client's own.
   *
   * Rejects `invalid-state` while connecting or online, and with everything that can go wrong on the way: the error's
   * `phase` says how far it came.
   */
  connect(options?: CallOptions): Promise<void>;

  /**
   * Logs out, and makes the token worthless that the server has issued, if it has ({@link ConnectOptions.keepToken}). Takes 3 seconds
   * at most for each of the two, and never fails. Ends the iterators of {@link Client.events}.
   */
  disconnect(): Promise<void>;

  /**
   * Asks somebody something, and resolves to the payload of the answer, `null` where it has none. Without `to` the own
   * account is asked. While `reconnecting` it waits. Without a timeout it ends after 30 seconds.
   *
   * Rejects `stanza-error` with the `condition` that was answered, `offline`, `queue-full`, `invalid-jid`, `closed`.
   */
  iq(request: IqRequest, options?: CallOptions): Promise<XmlElement | null>;

  /**
   * Sends a stanza as it is, and resolves when it is handed to the socket; a message to somebody when the server has taken it, as
   * with {@link Client.send}, and with an id of the client's making where it has none. Without `attrs.xmlns` it is in
   * `jabber:client`.
   *
   * Rejects `offline`, `queue-full`; a message to somebody as {@link Client.send} does.
   */
  sendElement(element: XmlElement): Promise<void>;

  /**
   * Adds a listener, and returns what takes it away. Listeners run in order, one event after the other; one that throws
   * harms no other, and is told as uncaught.
   *
   * `message`, `sent` and `not-sent` events that come while nobody listens for them are held for the next listener, up to 10,000
   * of each, and `gap` and `subscription` events, up to 1,000; then the oldest go and an `error` event says so (`queue-full`). The last
   * 1,000 each of `retraction`, `reaction`, `receipt` and `marker` are held as well, and of those none says so.
   */
  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => void, options?: ListenerOptions): () => void;

  /**
   * The next event of a kind. Rejects `offline` when {@link Client.disconnect} has ended before it came; a lost connection
   * doesn't end it.
   */
  once<K extends keyof Events>(type: K, options?: CallOptions): Promise<Events[K]>;

  /**
   * The events of a kind from this call on, for `for await`; what isn't read yet waits in memory. It ends with `break`,
   * and, once all is read, with {@link Client.disconnect}; a lost connection doesn't end it. `signal` ends it with an
   * `aborted` error. What an iterator has taken in and nobody has read goes with it when it ends: `once` takes one at a
   * time.
   */
  events<K extends keyof Events>(type: K, options?: ListenerOptions): AsyncIterableIterator<Events[K]>;

  /**
   * Answers requests of others. `answer` gets the whole iq and returns the payload of the result, `null` for an empty
   * one, or a promise. Where it throws something with a `condition` of RFC 6120 §8.3.3, that is the answer; anything
   * else that it throws is told as uncaught, and answered by `internal-server-error`.
   *
   * Returns what ends it.
   */
  handle(match: RequestMatch, answer: (iq: XmlElement) => XmlElement | null | Promise<XmlElement | null>): () => void;

  /** {@link Client.disconnect}, for `using`. */
  [Symbol.dispose](): void;
  /** {@link Client.disconnect}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A question to somebody. */
export interface IqRequest {
  type: "get" | "set";
  /** To whom: a JID. Without it, the own account. */
  to?: string | null | undefined;
  /** What; its namespace must be set. */
  payload: XmlElement;
}

/** Which requests a handler answers. */
export interface RequestMatch {
  /** The namespace of the payload. */
  xmlns: string;
  /** Only these; both where it is left out. */
  type?: "get" | "set" | undefined;
}

/**
 * An XML element. `name` is the local name; a namespace stands in `attrs.xmlns`, on the root and wherever it changes,
 * and children inherit it; the language in `attrs["xml:lang"]`. An attribute in a namespace is called `{namespace}name`.
 */
export interface XmlElement {
  name: string;
  attrs: Record<string, string>;
  children: (XmlElement | string)[];
}

/**
 * The state of a connection. `offline`: none is being made. `verifying`: it may have died, and the server was asked; it is used
 * as if nothing were. `reconnecting`: it was lost, and is being made again.
 */
export type Status = "offline" | "connecting" | "online" | "verifying" | "reconnecting";

/** The events of a client, by name. An app may add the names of its own to this interface. */
export interface Events extends FeatureEvents {
  /** The state of the connection changed. */
  status: StatusEvent;
  /** The session goes on over a new connection, as if the old one had not been lost. */
  resumed: ResumedEvent;
  /** Something went wrong that no promise tells of. */
  error: XmppError;
  /** A login with a password has left keys behind. The newest are held until somebody listens. */
  credentials: CredentialsEvent;
  /** Any stanza came in. */
  stanza: XmlElement;
  /** A frame came in or went out. */
  frame: FrameEvent;
}

/** The state of the connection changed, perhaps because of an error. */
export type StatusEvent =
  | { status: "offline" | "verifying" | "reconnecting"; error?: XmppError }
  | { status: "connecting" | "online"; error?: never };

/** The session goes on over a new connection (XEP-0198): nothing was lost, and contacts saw nothing of it. */
export interface ResumedEvent {
  /** It was begun by an earlier page; this one has made a client and connected it. */
  restored: boolean;
}

/** A login by SCRAM with a password has succeeded: from now on this can take the password's place in {@link ConnectOptions}. */
export interface CredentialsEvent {
  scramKeys: ScramKeys;
}

/** A frame, with the credentials of logins taken out. */
export interface FrameEvent {
  direction: "in" | "out";
  data: string;
}

/** Everything that can go wrong, as an `Error` with a stable code. */
export interface XmppError extends Error {
  name: "XmppError";
  /** Which of the known kinds. */
  code: ErrorCode;
  /** How far things had come. */
  phase: ErrorPhase;
  /** Whether trying the same again later can succeed. */
  retryable: boolean;
  /** The XMPP condition, where the other side gave one, such as `"item-not-found"`. */
  condition?: string;
  /** The other side's own words. */
  text?: string;
  /** With `registration-elsewhere`, where: `http:` or `https:`. */
  url?: string;
  /** What a person could do about it. */
  hint: string;
  /** With `upload-failed`, where the service has answered: the HTTP status. */
  status?: number;
  /** With `too-large`, where that is known: how large it might have been, in bytes. */
  maxSize?: number;
  /** Where the other side said so: from when on trying the same again can succeed. */
  retryAt?: Date;
  /** With `aborted`, the signal's reason; else what lies behind it, where that is known. */
  cause?: unknown;
}

/** How far things had come when it went wrong. */
export type ErrorPhase = "discovery" | "socket" | "stream" | "auth" | "bind" | "session" | "stanza";

/** The kinds of error. */
export type ErrorCode =
  /** Host-meta could not be asked: no network, no such host, or a CORS refusal. */
  | "discovery-network"
  /** Host-meta answered with an HTTP status that is no success. */
  | "discovery-http"
  /** Host-meta answered with something that it should not be. */
  | "discovery-parse"
  /** Host-meta names no WebSocket endpoint that may be used. */
  | "discovery-no-link"
  /** The only way on is unencrypted, and that was not allowed. */
  | "insecure"
  /** The WebSocket could not be opened. In browsers that fail the handshake themselves also where the server doesn't speak XMPP. */
  | "socket-failed"
  /** What answered is a WebSocket server, but not for XMPP. */
  | "subprotocol-missing"
  /** The server broke the rules of the protocol. */
  | "protocol-violation"
  /** The server ended the stream with an error. */
  | "stream-error"
  /** The connection was closed without a reason. */
  | "closed"
  /** The credentials were refused. */
  | "not-authorized"
  /** The server offers no way to log in that the credentials allow. */
  | "no-mechanism"
  /** The server did not prove that it knows the account's key. */
  | "server-signature"
  /**
   * The server offers less security than it must, or less than before: PLAIN, say, to an account that has logged in by SCRAM
   * or EXTERNAL, as {@link ConnectOptions.storage} remembers.
   */
  | "downgrade"
  /**
   * The `scramKeys` no longer fit: the server has changed the account's salt or iteration count, as it does with a new
   * password. A `credentials` function is asked once more before it comes to that.
   */
  | "keys-outdated"
  /** No resource could be bound. */
  | "bind-failed"
  /** Another session took this one's place. */
  | "conflict"
  /** The other side answered a stanza with an error. */
  | "stanza-error"
  /** There is no registering here, but somewhere else. */
  | "registration-elsewhere"
  /** There is no connection, and none is being made. */
  | "offline"
  /** The message has certainly not been taken by the server, and won't be. */
  | "not-delivered"
  /** Nobody can tell whether the server has taken the message. */
  | "delivery-unknown"
  /** Too much waits already. */
  | "queue-full"
  /** The stanza is larger than may be sent, or the file than a service takes. */
  | "too-large"
  /** A file could not be put where a service has given a place for it. */
  | "upload-failed"
  /** It took longer than allowed. */
  | "timeout"
  /** The app aborted it. */
  | "aborted"
  /** Not an XMPP address. */
  | "invalid-jid"
  /** The app passed something that can't be used. */
  | "invalid-argument"
  /** The call does not fit the client's present state. */
  | "invalid-state"
  /** {@link ConnectOptions.storage} has failed. The session goes on, and won't outlive the page. */
  | "storage-failed"
  /**
   * The package's wasm can't be loaded: the platform has no WebAssembly, a policy forbids it, or, where `stanzawire/slim` is used, it isn't
   * where the app says. `hint` says which, and what to do.
   */
  | "load-failed"
  /** A fault of this package. */
  | "internal";
