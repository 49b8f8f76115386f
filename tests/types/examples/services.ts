// Files, push and services that speak no XMPP: as the doc comments of the types show them. What must not compile is marked.

import { isXmppError } from "stanzawire";
import type {
  Client, ErrorCode, ExternalService, ExternalServices, ExternalServicesEvent, FileUploads, Push, PushTarget, UploadedFile, UploadOptions,
  UploadProgress, UploadRequest, UploadService, UploadSlot, XmppError,
} from "stanzawire";

/** Fails to compile unless both are the same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<_ extends true>(): void {}

export async function picture(client: Client, input: HTMLInputElement, bar: HTMLProgressElement, signal: AbortSignal): Promise<void> {
  same<Same<typeof client.files, FileUploads>>();
  const chosen = input.files![0]!;
  const onProgress = ({ loaded, total }: UploadProgress) => { bar.value = loaded / total; };
  const { url, ...file } = await client.files.upload(chosen, { onProgress });
  const value = new Uint8Array(await crypto.subtle.digest("SHA-256", await chosen.arrayBuffer()));
  const files = [{ ...file, hashes: [{ algo: "sha-256", value }], urls: [url] }];
  await client.send({ to: "bob@example.org", body: url, fallback: [{ for: "urn:xmpp:sfs:0", body: true }], oob: [{ url }], files });

  const options: UploadOptions = { name: "a", type: null, service: "upload.example.org", onProgress: null, signal, timeout: 60_000 };
  const uploaded = await client.files.upload(new ArrayBuffer(1), options);
  same<Same<typeof uploaded, UploadedFile>>();
  await client.files.upload(new Uint8Array(1), { name: "a", onProgress: (progress) => same<Same<typeof progress, UploadProgress>>() });
  // @ts-expect-error: a text is no file
  await client.files.upload("text", { name: "a" });
  // @ts-expect-error: progress is told to a function
  await client.files.upload(chosen, { onProgress: true });
}

export async function byHand(client: Client, blob: Blob): Promise<string> {
  const slot = await client.files.slot({ name: "cake.jpg", size: blob.size, type: "image/jpeg" });
  await fetch(slot.put, { method: "PUT", headers: [...slot.headers, ["Content-Type", "image/jpeg"]], body: blob });
  same<Same<typeof slot, UploadSlot>>();
  const request: UploadRequest = { name: "a", size: 1, type: undefined, service: null };
  await client.files.slot(request, { timeout: 1000 });
  // @ts-expect-error: how large?
  await client.files.slot({ name: "a" });
  const service = await client.files.service();
  same<Same<typeof service, UploadService | null>>();
  return service && blob.size <= (service.maxSize ?? Infinity) ? slot.url : "";
}

export function why(error: unknown): string {
  if (!isXmppError(error)) return "";
  const code: ErrorCode = "upload-failed";
  same<Same<typeof error.status, XmppError["status"]>>();
  if (error.code === code) return `HTTP status ${error.status ?? "unknown"}`;
  if (error.code === "too-large") return `${error.maxSize ?? 0} bytes at most`;
  return error.retryAt?.toLocaleTimeString() ?? error.hint;
}

export async function notifications(client: Client, endpoint: string): Promise<void> {
  same<Same<typeof client.push, Push>>();
  if (!await client.push.supported()) return;
  const target: PushTarget = { service: "push.example.org", node: endpoint };
  await client.push.enable({ ...target, options: { secret: "s" } });
  await client.push.enable({ service: "push.example.org" }, { timeout: 1000 });
  await client.push.disable(target);
  await client.push.disable({ service: "push.example.org", node: null });
  // @ts-expect-error: which service?
  await client.push.disable({ node: "n" });
  // @ts-expect-error: a value is none of these
  await client.push.enable({ ...target, options: { secret: new Date() } });
}

export async function calls(client: Client): Promise<RTCPeerConnection> {
  same<Same<typeof client.externalServices, ExternalServices>>();
  const services = await client.externalServices.get({ type: "turn" });
  const url = ({ type, host, port, transport }: ExternalService) => `${type}:${host}:${port ?? 3478}?transport=${transport ?? "udp"}`;
  const iceServers = services.map((turn) => ({ urls: url(turn), username: turn.username!, credential: turn.password! }));
  const connection = new RTCPeerConnection({ iceServers });

  const all = await client.externalServices.get();
  same<Same<typeof all, ExternalService[]>>();
  await client.externalServices.get(null, { timeout: 1000 });
  const [turn] = await client.externalServices.credentials({ type: "turn", host: "turn.example.org" });
  same<Same<NonNullable<typeof turn>["expires"], Date | undefined>>();
  same<Same<NonNullable<typeof turn>["restricted"], true | undefined>>();
  // @ts-expect-error: where?
  await client.externalServices.credentials({ type: "turn" });
  client.on("external-services", (event) => {
    same<Same<typeof event, ExternalServicesEvent>>();
    for (const { action } of event.services) same<Same<typeof action, "add" | "modify" | "delete">>();
  });
  return connection;
}
