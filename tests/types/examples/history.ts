// Archives: as the doc comments of the types show them.

import type {
  Archive, ArchiveEnd, ArchiveMetadata, ArchivePreferences, ArchiveQuery, Client, Gap, GapEvent, Message,
} from "stanzawire";

export async function history(client: Client, signal: AbortSignal): Promise<Message[]> {
  const read: Message[] = [];
  let wanted = 100;
  for await (const message of client.archive.query({ with: "bob@example.org", order: "newest" })) {
    read.push(message);
    if (--wanted === 0) break; // no further page is asked for
  }
  const every: ArchiveQuery = {
    of: "room@muc.example.org", with: "room@muc.example.org/bob", start: new Date(0), end: "2026-01-01T00:00:00Z",
    before: "z", after: "a", ids: ["1"], order: "oldest", page: 250,
  };
  for await (const { body } of client.archive.query(every, { signal, timeout: 10_000 })) void body;
  for await (const { stanzaId } of client.archive.query()) void stanzaId;
  return read;
}

export async function ends(client: Client): Promise<ArchiveEnd | undefined> {
  const { end }: ArchiveMetadata = await client.archive.metadata();
  await client.archive.metadata({ of: "room@muc.example.org" });
  const date: Date | undefined = end?.date;
  void date;
  return end;
}

export async function discreet({ archive }: { archive: Archive }): Promise<ArchivePreferences> {
  const kept = await archive.preferences();
  return archive.setPreferences({ ...kept, never: [...kept.never, "diary@example.org"] });
}

export function gaps(client: Client, show: (message: Message) => void): () => void {
  return client.on("gap", async (gap: GapEvent) => {
    for await (const message of client.archive.fill(gap)) show(message);
    const kept: Gap = JSON.parse(JSON.stringify(gap));
    for await (const message of client.archive.fill(kept)) show(message);
  });
}

export async function wrong(client: Client): Promise<void> {
  // @ts-expect-error: no such order
  client.archive.query({ order: "best" });
  // @ts-expect-error: ids are in an array
  client.archive.query({ ids: "1" });
  // @ts-expect-error: all of it, so that nothing is emptied by accident
  await client.archive.setPreferences({ default: "always" });
  // @ts-expect-error: which gap?
  client.archive.fill();
}
