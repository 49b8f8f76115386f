// The whole public API, used as its types allow. What must not compile is marked.

import { connect, createClient, discover, isXmppError, xml } from "stanzawire";
import type {
  CallOptions, Carbon, Client, ConnectOptions, Credentials, CredentialsEvent, CredentialsRequest, DiscoverOptions, Endpoint,
  ErrorCode, ErrorPhase, Events, FrameEvent, GapEvent, IqRequest, KeyValueStore, ListenerOptions, Message, MessageInit, MessageType,
  NotSentEvent, PresenceEvent, PresenceInit, PresenceType, ReconnectOptions, RequestMatch, ResumedEvent, Roster, RosterItem,
  RosterPush, ScramKeys, SentEvent, SentMessage, Show, Status, StatusEvent, Subscription, XmlElement, XmppError,
} from "stanzawire";

/** Fails to compile unless both are the same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<_ extends true>(): void {}

const store: KeyValueStore = {
  getItem: async (key) => key,
  setItem: (_key: string, _value: string) => {},
  removeItem: () => Promise.resolve(),
};
/** Plain data: what `JSON.parse()` gives back is of the type again. */
const scramKeys: ScramKeys = {
  mechanism: "SCRAM-SHA-256",
  salt: "c2FsdA==",
  iterations: 4096,
  clientKey: "AAAA",
  serverKey: "AAAA",
};
const reconnect: ReconnectOptions = { minDelay: 1, maxDelay: 2, maxAttempts: Infinity };

export const minimal: ConnectOptions = { jid: "alice@example.org" };
export const full: ConnectOptions = {
  jid: "alice@example.org/web",
  password: "secret",
  url: "wss://example.org/ws",
  hostMeta: "https://example.org",
  resource: "web",
  signal: new AbortController().signal,
  timeout: 1000,
  reconnect,
  queue: 100,
  keepalive: 5000,
  keepToken: true,
  carbons: false,
  presence: { show: "away", status: "lunch", priority: -1 },
  features: ["http://jabber.org/protocol/tune", "http://jabber.org/protocol/tune+notify"],
  allowInsecure: false,
  allowPlain: true,
  storage: store,
  framing: "rfc7395",
  lang: "de",
};
export const others: ConnectOptions[] = [
  { jid: "example.org", credentials: { anonymous: true }, reconnect: false, presence: false, storage: null },
  { jid: "a@example.org", credentials: { external: true, authzid: "b@example.org" } },
  { jid: "a@example.org", credentials: () => ({ password: "secret" }), storage: sessionStorage },
  { jid: "a@example.org", credentials: async (): Promise<Credentials> => ({ external: true }), password: undefined },
  { jid: "a@example.org", credentials: { token: "t" }, framing: "draft-00", storage: undefined },
  { jid: "a@example.org", credentials: { scramKeys }, storage: localStorage },
  {
    jid: "a@example.org",
    credentials: async (request) => {
      same<Same<typeof request, CredentialsRequest>>();
      same<Same<typeof request.error, XmppError | undefined>>();
      return request.error?.code === "keys-outdated" ? { password: "secret" } : { scramKeys };
    },
  },
];

// @ts-expect-error: the address is required
export const noJid: ConnectOptions = { password: "secret" };
// @ts-expect-error: a token is text
export const token: ConnectOptions = { jid: "a@example.org", credentials: { token: 1 } };
// @ts-expect-error: keys are whole
export const keys: ConnectOptions = { jid: "a@example.org", credentials: { scramKeys: { mechanism: "SCRAM-SHA-1" } } };
// @ts-expect-error: no such mechanism
export const plus: ScramKeys = { ...scramKeys, mechanism: "SCRAM-SHA-256-PLUS" };
// @ts-expect-error: no such framing
export const framing: ConnectOptions = { jid: "a@example.org", framing: "draft-01" };
// @ts-expect-error: a store has three methods
export const storage: ConnectOptions = { jid: "a@example.org", storage: { getItem: () => null } };
// @ts-expect-error: a misspelt option
export const misspelt: ConnectOptions = { jid: "a@example.org", pasword: "secret" };
// @ts-expect-error: a number of stanzas
export const queue: ConnectOptions = { jid: "a@example.org", queue: "all" };
// @ts-expect-error: milliseconds
export const keepalive: ConnectOptions = { jid: "a@example.org", keepalive: true };
// @ts-expect-error: no such availability
export const show: ConnectOptions = { jid: "a@example.org", presence: { show: "busy" } };

export async function endpoints(signal: AbortSignal): Promise<void> {
  const options: DiscoverOptions = { hostMeta: "https://example.org", signal, timeout: 1000 };
  const found = await discover("example.org", options);
  same<Same<typeof found, Endpoint[]>>();
  for (const { url, source } of await discover("example.org")) {
    same<Same<typeof source, "url" | "xrd" | "json">>();
    await connect({ jid: "alice@example.org", url });
  }
  // @ts-expect-error: a domain is required
  await discover();
  // @ts-expect-error: these are no options of a login
  await discover("example.org", { password: "secret" });
}

export async function session(signal: AbortSignal): Promise<void> {
  const call: CallOptions = { signal, timeout: 1000 };
  const listen: ListenerOptions = { signal };
  const created: Client = await createClient({ jid: "alice@example.org", password: "secret" });
  same<Same<Awaited<ReturnType<typeof connect>>, Client>>();
  same<Same<typeof created.jid, string>>();
  same<Same<typeof created.status, Status>>();
  same<Same<typeof created.location, string | undefined>>();
  same<Same<typeof created.roster, Roster>>();
  // @ts-expect-error: it can't be set
  created.jid = "bob@example.org";
  // @ts-expect-error: nor this
  created.roster = created.roster;

  const connected: void = await created.connect(call);
  const message: MessageInit = { to: "bob@example.org", body: "hi", type: "chat", id: "1", subject: "s", thread: "t" };
  const sent = await created.send(message, call);
  same<Same<typeof sent, SentMessage>>();
  const ids: [string, string, string, string | undefined] = [sent.id, sent.originId, sent.to, sent.stanzaId];
  // @ts-expect-error: a message goes to somebody
  await created.send({ body: "hi" });
  // @ts-expect-error: nobody sends errors
  await created.send({ to: "bob@example.org", type: "error" });
  // @ts-expect-error: no promise, no string
  const wrong: string = created.send(message);

  const request: IqRequest = { type: "get", to: "example.org", payload: xml("query", { xmlns: "jabber:iq:version" }) };
  const answer = await created.iq(request, call);
  same<Same<typeof answer, XmlElement | null>>();
  // @ts-expect-error: it may be null
  answer.name;
  // @ts-expect-error: an answer is not asked
  await created.iq({ type: "result", payload: xml("a") });
  await created.iq({ type: "set", to: null, payload: xml("a", { xmlns: "urn:x" }) });

  await created.sendElement(xml("message", { to: "bob@example.org" }, xml("body", null, "hi", " there")));
  await created.setPresence({ show: "dnd" }, call);
  same<Same<Awaited<ReturnType<typeof created.ping>>, number>>();
  await created.ping("bob@example.org/web", call);
  await created.ping();

  const items = await created.roster.get(call);
  same<Same<typeof items, RosterItem[]>>();
  for (const { jid, name, subscription, groups, pending } of items) {
    same<Same<typeof subscription, "none" | "to" | "from" | "both">>();
    const row: [string, string | undefined, string[], boolean] = [jid, name, groups, pending];
    void row;
  }

  const off: () => void = created.on("message", (event) => {
    same<Same<typeof event, Message>>();
    const type: MessageType = event.type;
    const date: Date | undefined = event.delay;
    const fields: (string | undefined)[] = [event.from, event.to, event.id, event.body, event.stanzaId, event.originId, type];
    same<Same<typeof event.carbon, Carbon | undefined>>();
    same<Same<Carbon, "sent" | "received">>();
    void [date, fields, event.subject, event.thread, event.condition];
  }, listen);
  off();
  created.on("presence", (event: PresenceEvent) => {
    const [type, shown]: [PresenceType | undefined, Show | undefined] = [event.type, event.show];
    const priority: number = event.priority;
    void [type, shown, priority, event.from, event.status, event.delay, event.condition];
  });
  created.on("roster", (push: RosterPush) => {
    const subscription: Subscription = push.subscription;
    void subscription;
  });
  created.on("status", (event) => {
    same<Same<typeof event, StatusEvent>>();
    if (event.status === "online") same<Same<typeof event.error, undefined>>();
    const error: XmppError | undefined = event.error;
    void error;
  });
  created.on("resumed", (event) => {
    same<Same<typeof event, ResumedEvent>>();
    same<Same<typeof event.restored, boolean>>();
  });
  created.on("sent", (event) => {
    same<Same<typeof event, SentEvent>>();
    // It is what `send()` would have resolved to, and the message.
    const sent: SentMessage = event;
    const again: MessageInit = event;
    void [sent, again, event.stanzaId, event.body];
  });
  created.on("not-sent", (event) => {
    same<Same<typeof event, NotSentEvent>>();
    same<Same<typeof event.error, XmppError>>();
    // What wasn't sent can be sent again.
    const again: Promise<SentMessage> = created.send(event);
    // @ts-expect-error: no archive has it
    event.stanzaId;
    return again.then(() => {});
  });
  created.on("gap", (event) => {
    same<Same<typeof event, GapEvent>>();
    const bounds: [string | undefined, Date | undefined, string | undefined] = [event.after, event.since, event.before];
    void bounds;
  });
  created.on("error", (error) => same<Same<typeof error, XmppError>>());
  created.on("credentials", (event) => {
    same<Same<typeof event, CredentialsEvent>>();
    // It is what the next login takes.
    const credentials: Credentials = event;
    same<Same<typeof event.scramKeys, ScramKeys>>();
    void credentials;
  });
  created.on("stanza", (stanza) => same<Same<typeof stanza, XmlElement>>());
  created.on("frame", ({ direction, data }: FrameEvent) => {
    same<Same<typeof direction, "in" | "out">>();
    same<Same<typeof data, string>>();
  });
  // @ts-expect-error: no such event
  created.on("mesage", () => {});
  // @ts-expect-error: not what the event carries
  created.on("frame", (frame: Message) => void frame);

  const next = await created.once("status", call);
  same<Same<typeof next, StatusEvent>>();
  for await (const event of created.events("message", listen)) {
    same<Same<typeof event, Message>>();
    break;
  }

  const match: RequestMatch = { xmlns: "urn:x", type: "get" };
  const end: () => void = created.handle(match, (iq) => {
    same<Same<typeof iq, XmlElement>>();
    return iq.attrs.to === undefined ? null : xml("a", { xmlns: "urn:x" });
  });
  created.handle({ xmlns: "urn:y" }, async () => null);
  // @ts-expect-error: a string is no answer
  created.handle({ xmlns: "urn:y" }, () => "yes");
  end();

  // What an app adds to the events is an event like any other.
  created.on("tick", (count) => same<Same<typeof count, number>>());

  await created.disconnect();
  {
    await using scoped = created;
    using held = await connect(full);
    void [scoped, held];
  }
  void [connected, ids, wrong];
}

declare module "stanzawire" {
  interface Events {
    tick: number;
  }
}
same<Same<Events["tick"], number>>();

export function failed(error: unknown): string {
  // @ts-expect-error: it isn't known to be one yet
  error.code;
  if (!isXmppError(error)) return "not ours";
  const code: ErrorCode = error.code;
  const phase: ErrorPhase = error.phase;
  const retryable: boolean = error.retryable;
  const more: (string | undefined)[] = [error.condition, error.text, error.hint];
  same<Same<typeof error.cause, unknown>>();
  same<Same<typeof error.name, "XmppError">>();
  const real: Error = error;
  // @ts-expect-error: no such code
  if (error.code === "not-autorized") return "never";
  switch (error.code) {
    case "keys-outdated":
      return "ask for the password";
    case "not-authorized":
      return "wrong password";
    case "storage-failed":
      return "no reload without a loss";
    case "load-failed":
      return "no wasm";
    default:
      return [code, phase, retryable, more, real.message].join(" ");
  }
}

const init: PresenceInit = {};
const element: XmlElement = { name: "a", attrs: { xmlns: "urn:x" }, children: ["text", { name: "b", attrs: {}, children: [] }] };
void [init, element];
// @ts-expect-error: children are elements and strings
xml("a", {}, 1);
