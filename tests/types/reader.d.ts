// What the examples of the types, the guide and the readmes leave to the reader: a client, and an app around it.

import type { Client as AClient, DataForm, DataValues, Room } from "stanzawire";

declare global {
  const client: AClient;
  const room: Room;
  const signal: AbortSignal;
  /** Of an app's state. */
  const names: Map<string, string>;
  let wanted: number;
  const jid: string;
  const password: string;
  const another: string;
  const vault: { get(key: string): Promise<string | null>; put(key: string, value: string): Promise<void> };
  /** Of a page. */
  const file: File;
  const picture: File;
  const bar: HTMLProgressElement;
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
  function askThePerson(...what: unknown[]): Promise<DataValues>;
  function askForPassword(): Promise<string>;
  function fillIn(form: DataForm | undefined): Promise<DataValues>;
  function showSend(): void;
  function showNotificationSettings(): void;
  /** Of an app with push messages. */
  const registration: ServiceWorkerRegistration;
  const applicationServerKey: string;
  function registerAtAppServer(endpoint: string): Promise<{ service: string; node: string; secret: string }>;
}
