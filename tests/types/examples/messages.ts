// What messages carry, and the calls that say something of one: the examples of the documentation, and what must not compile.

import { connect } from "stanzawire";
import type {
  ChatState, Fallback, FileHash, Hint, Marker, Message, MessageInit, MessageRef, OutOfBand, Reactions, Receipt, Reference, Reply,
  SentMessage, SharedFile, Span, Thumbnail, XmlElement,
} from "stanzawire";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<_ extends true>(): void {}

const client = await connect({ jid: "alice@example.org", password: "secret", receipts: true });

export async function receipts(): Promise<void> {
  const sent = await client.send({ to: "bob@example.org", body: "hi", receipt: true });
  client.on("receipt", ({ from, receipt }) => {
    if (receipt?.id === sent.id) console.log(from, "has it");
  });
  await client.send({ to: "bob@example.org", receipt: { id: "m1" } });
  // @ts-expect-error: no receipt
  await client.send({ to: "bob@example.org", receipt: "yes" });
}

export function markers(): void {
  client.on("message", async (message) => {
    if (message.marker?.type === "markable" && document.hasFocus()) await client.markDisplayed(message);
  });
  client.on("marker", ({ marker }) => {
    if (marker?.type === "displayed") same<Same<typeof marker.id, string>>();
  });
  // @ts-expect-error: of which message?
  const marker: Marker = { type: "displayed" };
  void marker;
}

export function states(input: HTMLInputElement): void {
  input.addEventListener("input", () => client.setChatState("bob@example.org", "composing"));
  input.addEventListener("blur", () => client.setChatState("bob@example.org", "inactive"));
  client.on("chat-state", ({ from, state }) => {
    same<Same<typeof state, ChatState | undefined>>();
    console.log(from, state);
  });
  // @ts-expect-error: no such state
  void client.setChatState("bob@example.org", "typing");
}

export async function corrections(): Promise<void> {
  const sent = await client.send({ to: "bob@example.org", body: "helo" });
  const better = await client.correct(sent, "hello");
  same<Same<typeof better, SentMessage>>();
  await client.correct(better, "hello, Bob"); // of the same
  await client.correct(sent, { body: "hello", thread: "t" }, { timeout: 1000 });
  client.on("message", async (message) => {
    if (message.carbon === "sent") await client.correct(message, "hello");
  });
  client.on("sent", async (message) => void (await client.correct(message, "hello")));
  // @ts-expect-error: to whom is known
  await client.correct(sent, { to: "carol@example.org", body: "hello" });
  // @ts-expect-error: a message, and not its id
  await client.correct("m1", "hello");
}

export async function retractions(): Promise<void> {
  const sent = await client.send({ to: "bob@example.org", body: "for Carol" });
  await client.retract(sent);
  client.on("retraction", ({ from, retracts }) => console.log(from, retracts));
}

export function reactions(): void {
  client.on("message", async (message) => {
    await client.react(message, ["👋", "🐢"]);
    await client.react(message, []); // and away with them
  });
  client.on("reaction", ({ from, reactions }) => {
    same<Same<typeof reactions, Reactions | undefined>>();
    console.log(from, reactions?.emojis.join(" "));
  });
  // @ts-expect-error: emojis in an array
  void client.react({ id: "m1", from: "bob@example.org" }, "👋");
}

export function replies(): void {
  client.on("message", async (message) => {
    if (message.body === "Cake?") await client.reply(message, "Great idea!");
    const quote = "> Cake?\n";
    await client.reply(message, {
      body: quote + "Great idea!",
      fallback: [{ for: "urn:xmpp:reply:0", body: { start: 0, end: quote.length } }],
    });
  });
}

export async function files(file: File): Promise<void> {
  const url = "https://upload.example.org/1/cake.jpg"; // where it has been uploaded to
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  await client.send({
    to: "bob@example.org",
    body: url,
    fallback: [{ for: "urn:xmpp:sfs:0", body: true }],
    oob: [{ url }],
    files: [{ name: file.name, type: file.type, size: file.size, hashes: [{ algo: "sha-256", value: hash }], urls: [url] }],
  });
  // @ts-expect-error: bytes
  const wrong: FileHash = { algo: "sha-256", value: "2XarmwTlNxDAMkvymloX3S5+VbylNrJt" };
  void wrong;
}

export async function rest(list: HTMLElement, message: Message): Promise<void> {
  await client.send({ to: "bob@example.org", body: "psst", hints: ["no-permanent-store"] });
  const url = "https://example.org/cake.jpg";
  await client.send({ to: "bob@example.org", body: url, oob: [{ url }] });
  const body = "Ask Juliet!";
  await client.send({
    to: "room@rooms.example.org",
    type: "groupchat",
    body,
    references: [{ type: "mention", uri: "xmpp:juliet@example.org", begin: 4, end: 10 }],
  });
  const dom = (span: Span): Node => {
    const names = { quote: "blockquote", pre: "pre", line: "div", text: "span", strong: "b", emphasis: "i", strike: "s", code: "code" };
    const element = document.createElement(names[span.type]);
    element.append(...(span.children?.map(dom) ?? [span.text ?? ""]));
    return element;
  };
  list.append(...(await client.styling(message.body ?? "")).map(dom));
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
