// Up to where conversations have been seen: as the doc comments of the types show it.

import type { Client, DisplayedMark } from "stanzawire";

export async function seen(client: Client, markRead: (chat: string, stanzaId: string) => void): Promise<void> {
  for (const { with: chat, stanzaId } of await client.displayed.get()) markRead(chat, stanzaId);
  client.on("displayed", ({ with: chat, stanzaId, by }: DisplayedMark) => markRead(chat, stanzaId + by));
  client.on("message", ({ from, type, stanzaId }) => {
    const chat = from.replace(/\/.*/, "");
    if (stanzaId && type !== "groupchat") void client.displayed.set({ with: chat, stanzaId });
    if (stanzaId && type === "groupchat") void client.displayed.set({ with: chat, stanzaId, by: chat });
  });
  // @ts-expect-error: up to which message?
  await client.displayed.set({ with: "bob@example.org" });
}
