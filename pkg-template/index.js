// stanzawire, with the wasm in it: it is compiled when the first client is made, and once.

import wasm, { unweave } from "./wasm.js";
import { calls, loadFailed } from "./api.js";

export { isXmppError, xml } from "./api.js";

/** The module, being compiled or ready. */
let compiling;

export const { connect, createClient, discover, register } = calls(() => compiling ??= compile().catch((cause) => {
  // The next call tries again.
  compiling = undefined;
  const garbled = /[^\0-\xff]/.test(wasm);
  throw loadFailed(cause, garbled ? "The script was not read as UTF-8: add <meta charset=\"utf-8\"> to the page." : undefined);
}));

// Async, so that a missing WebAssembly rejects as well.
async function compile() {
  return WebAssembly.compile(unweave(wasm));
}
