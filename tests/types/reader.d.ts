// What the examples of the documentation leave to the reader: an app around them.

import type { Client as AClient } from "stanzawire";

declare global {
  const client: AClient;
  const signal: AbortSignal;
  /** Of an app's state. */
  const names: Map<string, string>;
  let wanted: number;
  const jid: string;
  const password: string;
  const vault: { get(key: string): Promise<string | null>; put(key: string, value: string): Promise<void> };
  /** Of a page. */
  const file: File;
  const input: HTMLInputElement;
  const list: HTMLElement;
  /** Of a listener. */
  const message: import("stanzawire").Message;
  /** Of an app's own making. */
  function show(...what: unknown[]): void;
  function bare(jid: string): string;
  function markRead(chat: string, stanzaId: string): void;
  function showBlocking(): void;
  function showCall(): void;
  function showWrongPassword(): void;
  function showThatSomethingMayBeMissing(): void;
  function markAsSent(id: string): void;
  function offerAgain(id: string, hint?: string): void;
  function askThePerson(): string;
}
