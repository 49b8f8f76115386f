// What the code of the guide and the readmes takes for granted: a client, and an app around it.

import type { Client } from "stanzawire";

declare global {
  /** What `connect()` or `createClient()` gave. */
  const client: Client;

  const jid: string;
  const password: string;

  /** What an app does with what it gets. */
  function show(...what: unknown[]): void;
  function askForPassword(): Promise<string>;
  /** Where an app keeps what it wants to find again. */
  const vault: { get(key: string): Promise<string | null>; put(key: string, value: string): Promise<void> };
}
