// Service discovery, publish-subscribe and private XML, as their types allow. What must not compile is marked.

import { xml } from "stanzawire";
import type {
  Client, DataField, DataForm, DataOption, DataValues, Disco, DiscoIdentity, DiscoInfo, DiscoItem, PrivateXml, PublishOptions, Pubsub,
  PubsubEvent, PubsubItem, PubsubSubscription, XmlElement,
} from "stanzawire";

/** Fails to compile unless both are the same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<_ extends true>(): void {}

export async function discovery(client: Client, signal: AbortSignal): Promise<boolean> {
  same<Same<typeof client.disco, Disco>>();
  const info = await client.disco.info();
  same<Same<typeof info, DiscoInfo>>();
  const identity: DiscoIdentity | undefined = info.identities[0];
  void [identity?.category, identity?.type, identity?.name, identity?.lang, info.node, info.forms];
  for await (const item of client.disco.items("conference.example.org", null, { signal })) {
    same<Same<typeof item, DiscoItem>>();
    console.log(item.jid, item.name, item.node);
  }
  // @ts-expect-error: a feature is asked for
  await client.disco.supports("bob@example.org/phone");
  // @ts-expect-error: a name, not a list
  await client.disco.info(["example.org"]);
  return info.features.includes("urn:xmpp:blocking") && await client.disco.supports("bob@example.org/phone", "urn:xmpp:jingle:1");
}

export async function publishing(client: Client): Promise<void> {
  same<Same<typeof client.pubsub, Pubsub>>();
  const tune = xml("tune", { xmlns: "http://jabber.org/protocol/tune" }, xml("title", {}, "Yesterday"));
  const { id } = await client.pubsub.publish("http://jabber.org/protocol/tune", tune);
  const publish: PublishOptions = { to: null, id, options: { "pubsub#access_model": "open", "pubsub#max_items": 1, "pubsub#x": ["a"] } };
  await client.pubsub.publish("n", null, publish, { timeout: 1000 });
  for await (const item of client.pubsub.items("urn:xmpp:bookmarks:1", { max: 1 })) {
    same<Same<typeof item, PubsubItem>>();
    same<Same<typeof item.payload, XmlElement | null>>();
    console.log(item.id, item.publisher);
  }
  await client.pubsub.retract("n", id, { notify: true });
  const subscription = await client.pubsub.subscribe("n", { to: "pubsub.example.org" });
  same<Same<typeof subscription, PubsubSubscription>>();
  same<Same<typeof subscription.state, "subscribed" | "pending" | "unconfigured" | "none">>();
  await client.pubsub.unsubscribe("n", { to: "pubsub.example.org", subid: subscription.subid });
  const { node } = await client.pubsub.create(null, { config: { "pubsub#title": "N" } });
  const form = await client.pubsub.configuration(node);
  same<Same<typeof form, DataForm>>();
  for (const field of form.fields) fill(field);
  const values: DataValues = form;
  await client.pubsub.configure(node, values);
  await client.pubsub.configure(node, { "pubsub#persist_items": true });
  await client.pubsub.purge(node);
  await client.pubsub.delete(node);
  client.on("pubsub", (event) => {
    same<Same<typeof event, PubsubEvent>>();
    same<Same<typeof event.purged, true | undefined>>();
    console.log(event.from, event.node, event.items, event.retracted, event.deleted);
  });
  // @ts-expect-error: a payload is an element, or nothing
  await client.pubsub.publish("n", "text");
  // @ts-expect-error: no such option
  await client.pubsub.items("n", { limit: 1 });
  // @ts-expect-error: a value is none of these
  await client.pubsub.configure("n", { a: new Date() });
}

/** A field's type says what its value is. */
function fill(field: DataField): void {
  switch (field.type) {
    case "boolean":
      same<Same<typeof field.value, boolean>>();
      field.value = !field.value;
      break;
    case "list-single": {
      const options: DataOption[] = field.options;
      field.value = options[0]?.value ?? null;
      break;
    }
    case "text-multi":
    case "jid-multi":
      same<Same<typeof field.value, string[]>>();
      field.value.push("bob@example.org");
      break;
    case "text-single":
      same<Same<typeof field.value, string | null>>();
      // @ts-expect-error: a line of text
      field.value = true;
      break;
    default:
      console.log(field.name, field.label, field.description, field.required);
  }
}

export async function keeping(client: Client): Promise<XmlElement | null> {
  same<Same<typeof client.privateXml, PrivateXml>>();
  await client.privateXml.set(xml("prefs", { xmlns: "https://example.org/chat", theme: "dark" }));
  // @ts-expect-error: it is kept under a name and a namespace
  await client.privateXml.get("prefs");
  return client.privateXml.get("prefs", "https://example.org/chat");
}
