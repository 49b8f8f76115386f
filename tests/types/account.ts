// Accounts and commands, as their types allow. What must not compile is marked.

import { register } from "stanzawire";
import type {
  Account, Client, CommandAction, CommandItem, CommandNote, CommandStage, Commands, DataMedia, RegisterOptions, Registration, RegistrationForm,
} from "stanzawire";

/** Fails to compile unless both are the same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<_ extends true>(): void {}

export const full: RegisterOptions = {
  jid: "alice@example.org",
  password: "secret",
  url: "wss://example.org/ws",
  hostMeta: "https://example.org",
  fields: { email: "alice@example.org", news: false, age: 7, tags: ["a"], none: null },
  form: async ({ form, registered, url }) => {
    same<Same<typeof registered, boolean>>();
    same<Same<typeof url, string | undefined>>();
    const media: DataMedia | undefined = form.fields[0]?.media?.[0];
    void [media?.data?.length, media?.type, media?.uri];
    return form;
  },
  lang: "de",
  signal: new AbortController().signal,
  timeout: 1000,
};

export async function accounts(client: Client): Promise<void> {
  const made = register(full);
  same<Same<typeof made, Promise<void>>>();
  await register({ jid: "alice@example.org", password: "secret", form: () => ({ ocr: "7nHL3" }) });
  // @ts-expect-error: a password is what it takes
  await register({ jid: "alice@example.org" });
  // @ts-expect-error: nobody logs in by this
  await register({ jid: "alice@example.org", password: "secret", credentials: { token: "t" } });
  same<Same<typeof client.account, Account>>();
  await client.account.changePassword("new", { timeout: 1000 });
  await client.account.remove();
  // @ts-expect-error: a password is a string
  await client.account.changePassword(null);
}

export async function services(client: Client): Promise<void> {
  same<Same<typeof client.registration, Registration>>();
  const asked = await client.registration.get("gateway.example.org");
  same<Same<typeof asked, RegistrationForm>>();
  await client.registration.set("gateway.example.org", asked.form);
  await client.registration.set("gateway.example.org", { username: "alice" });
  await client.registration.remove("gateway.example.org");
  // @ts-expect-error: with whom?
  await client.registration.get();
}

export async function commands(client: Client, signal: AbortSignal): Promise<CommandNote[]> {
  same<Same<typeof client.commands, Commands>>();
  const [item] = await client.commands.list();
  same<Same<typeof item, CommandItem | undefined>>();
  let stage = await client.commands.execute(item?.jid, "uptime", { signal });
  same<Same<typeof stage, CommandStage>>();
  const actions: CommandAction[] = stage.actions;
  if (stage.status === "executing" && actions.includes("next")) stage = await client.commands.next(stage, { number: 3 });
  stage = await client.commands.prev(stage);
  stage = await client.commands.complete(stage, stage.form);
  stage = await client.commands.cancel(stage);
  // @ts-expect-error: the whole stage
  await client.commands.next(stage.sessionId);
  void [stage.default, stage.sessionId, stage.jid, stage.node];
  return stage.notes;
}
