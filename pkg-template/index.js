// stanzawire, with the wasm in it: it is compiled when the first client is made, and once.

import wasm, { unweave } from "./wasm.js";
import * as api from "./api.js";

export { isXmppError, xml } from "./api.js";

export const connect = (options) => api.connect(compiled, options);
export const createClient = (options) => api.createClient(compiled, options);
export const discover = (domain, options) => api.discover(compiled, domain, options);
export const register = (options) => api.register(compiled, options);

/** The module, being compiled or ready. */
let compiling;

function compiled() {
  return compiling ??= compile().catch((cause) => {
    // The next call tries again.
    compiling = undefined;
    const garbled = /[^\0-\xff]/.test(wasm);
    throw api.loadFailed(cause, garbled ? "The script was not read as UTF-8: add <meta charset=\"utf-8\"> to the page." : undefined);
  });
}

// Async, so that a missing WebAssembly rejects as well.
async function compile() {
  return WebAssembly.compile(unweave(wasm));
}
