import type { XmppError } from "./index.js";

export * from "./index.js";

/**
 * `stanzawire.wasm` of this package: its address, a response that has it, its bytes, or the module compiled already, as platforms
 * give it that compile no bytes at run time.
 */
export type WasmSource = string | URL | Response | ArrayBuffer | ArrayBufferView | WebAssembly.Module;

/**
 * Loads the wasm, which this entry of the package hasn't in it; to be called once, before anything else. Nobody has to wait for it: the
 * calls that make a client do, and reject as it does.
 *
 * Rejects with an {@link XmppError}: `load-failed` where the wasm can't be had (an HTTP status, another type than
 * `application/wasm`), isn't that of this version, or can't be run here; `invalid-argument` for something else. It can
 * be called again then.
 *
 * @example
 * await load(new URL("stanzawire/stanzawire.wasm", import.meta.url));
 */
export function load(source: WasmSource | PromiseLike<WasmSource>): Promise<void>;
