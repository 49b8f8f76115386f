// stanzawire without the wasm: the app hands it over.

import { build } from "./stanzawire.js";
import * as api from "./api.js";
import { failure } from "./listening.js";

export { isXmppError, xml } from "./api.js";

export const connect = (options) => api.connect(loaded, options);
export const createClient = (options) => api.createClient(loaded, options);
export const discover = (domain, options) => api.discover(loaded, domain, options);
export const register = (options) => api.register(loaded, options);

/** The module, being loaded or ready. */
let loading;

async function loaded() {
  const hint = "Call load() of stanzawire/slim first, such as with the address of stanzawire.wasm.";
  return loading ?? Promise.reject(failure("load-failed", "stanzawire/slim has not been given its wasm", { hint }));
}

export function load(source) {
  loading = compile(source).catch((cause) => { throw api.loadFailed(cause); });
  const done = loading.then(() => {});
  // Whoever doesn't wait for it is told by connect().
  done.catch(() => {});
  return done;
}

async function compile(source) {
  const module = await moduleOf(await source);
  const [mark] = WebAssembly.Module.customSections(module, "stanzawire");
  if (mark && new TextDecoder().decode(mark) === build) return module;
  throw failure("load-failed", "the wasm is not that of this version of stanzawire", { hint: "Take stanzawire.wasm out of the same package as the code." });
}

async function moduleOf(given) {
  if (given instanceof WebAssembly.Module) return given;
  if (given instanceof ArrayBuffer || ArrayBuffer.isView(given)) return WebAssembly.compile(given);
  if (typeof given === "string" || given instanceof URL) return moduleOf(await request(given));
  if (typeof given?.arrayBuffer !== "function" || !given.headers) {
    throw failure("invalid-argument", "load() takes an address, a Response, bytes or a WebAssembly.Module");
  }
  const type = given.headers.get("content-type");
  const hint = "Serve stanzawire.wasm of this package there, as application/wasm.";
  if (!given.ok) throw failure("load-failed", `${given.url} was answered with ${given.status}`, { hint, retryable: given.status > 499 });
  if (!/^application\/wasm *(;|$)/i.test(type)) throw failure("load-failed", `${given.url} was served as ${type}`, { hint });
  return WebAssembly.compileStreaming ? WebAssembly.compileStreaming(given) : WebAssembly.compile(await given.arrayBuffer());
}

function request(address) {
  return fetch(address).catch((cause) => {
    const hint = "Check the address; in Node, which fetches no files, hand over the bytes.";
    throw failure("load-failed", `${address} could not be fetched: ${cause?.message}`, { hint, cause, retryable: true });
  });
}
