// What messages carry, and the calls that say something of one, as their types allow. What must not compile is marked.

import { connect } from "stanzawire";
import type {
  ChatState, Fallback, FileHash, Hint, Marker, Message, MessageInit, MessageRef, OutOfBand, Reactions, Receipt, Reference, Reply,
  SentMessage, SharedFile, Span, Thumbnail, XmlElement,
} from "stanzawire";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<_ extends true>(): void {}

const client = await connect({ jid: "alice@example.org", password: "secret", receipts: true });

export async function verbs(sent: SentMessage): Promise<void> {
  await client.send({ to: "bob@example.org", receipt: { id: "m1" } });
  // @ts-expect-error: no receipt
  await client.send({ to: "bob@example.org", receipt: "yes" });
  client.on("marker", ({ marker }) => {
    if (marker?.type === "displayed") same<Same<typeof marker.id, string>>();
  });
  // @ts-expect-error: of which message?
  const marker: Marker = { type: "displayed" };
  client.on("chat-state", ({ state }) => same<Same<typeof state, ChatState | undefined>>());
  // @ts-expect-error: no such state
  void client.setChatState("bob@example.org", "typing");
  const better = await client.correct(sent, "hello");
  same<Same<typeof better, SentMessage>>();
  await client.correct(better, { body: "hello", thread: "t" }, { timeout: 1000 });
  client.on("sent", async (message) => void (await client.correct(message, "hello")));
  // @ts-expect-error: to whom is known
  await client.correct(sent, { to: "carol@example.org", body: "hello" });
  // @ts-expect-error: a message, and not its id
  await client.correct("m1", "hello");
  client.on("reaction", ({ reactions }) => same<Same<typeof reactions, Reactions | undefined>>());
  // @ts-expect-error: emojis in an array
  void client.react({ id: "m1", from: "bob@example.org" }, "👋");
  // @ts-expect-error: bytes
  const wrong: FileHash = { algo: "sha-256", value: "2XarmwTlNxDAMkvymloX3S5+VbylNrJt" };
  const spans: Span[] = await client.styling("*b*");
  void [marker, wrong, spans];
}

/** What comes in can be said again. */
export function again(message: Message): MessageInit {
  const { body, receipt, marker, state, reply, fallback, hints, oob, references, files, unstyled } = message;
  same<Same<typeof receipt, Receipt | undefined>>();
  same<Same<typeof marker, Marker | undefined>>();
  same<Same<typeof state, ChatState | undefined>>();
  same<Same<typeof reply, Reply | undefined>>();
  same<Same<typeof fallback, Fallback[] | undefined>>();
  same<Same<typeof hints, Hint[] | undefined>>();
  same<Same<typeof oob, OutOfBand[] | undefined>>();
  same<Same<typeof references, Reference[] | undefined>>();
  same<Same<typeof files, SharedFile[] | undefined>>();
  same<Same<typeof unstyled, true | undefined>>();
  const file: SharedFile | undefined = files?.[0];
  const more: [Date | undefined, Thumbnail[] | undefined, XmlElement[] | undefined, true | undefined] = [
    file?.date, file?.thumbnails, file?.sources, message.occupant,
  ];
  void more;
  const about: MessageRef = message;
  void about;
  return { to: "bob@example.org", ...(body === undefined ? {} : { body }), receipt, unstyled };
}
