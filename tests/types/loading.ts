// The slim entry: the same calls and types, and load(). What must not compile is marked.

import * as all from "stanzawire";
import * as slim from "stanzawire/slim";
import type { Client, Events } from "stanzawire";
import { load } from "stanzawire/slim";
import type { WasmSource } from "stanzawire/slim";

/** Fails to compile unless both are the same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<_ extends true>(): void {}

same<Same<Omit<typeof slim, "load">, Omit<typeof all, "load">>>();
same<Same<keyof typeof slim, keyof typeof all | "load">>();
same<Same<slim.Client, Client>>();
same<Same<slim.Events, Events>>();

export async function loading(module: WebAssembly.Module, bytes: Uint8Array): Promise<Client> {
  const sources: (WasmSource | Promise<WasmSource>)[] = [
    "/stanzawire.wasm", new URL("https://example.org/stanzawire.wasm"), fetch("/stanzawire.wasm"), bytes, bytes.buffer, module,
    Promise.resolve(module),
  ];
  for (const source of sources) same<Same<Awaited<ReturnType<typeof load>>, Awaited<void>>>(), await load(source);
  // @ts-expect-error: it wants something
  await load();
  // @ts-expect-error: nor is this anything (any object is one of lib.dom's modules, which have no members)
  await load(null);
  return slim.connect({ jid: "alice@example.org" });
}

// @ts-expect-error: the other entry has its own
all.load;

declare module "stanzawire/slim" {
  interface Events {
    tock: string;
  }
}
same<Same<Events["tock"], string>>();

export function listening(client: Client): void {
  client.on("tock", (event) => same<Same<typeof event, string>>());
}
