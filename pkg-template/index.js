// stanzawire: what the wasm can't do by itself. It is loaded when the first client is made, each client has an instance
// of its own, and a trap in one ends that client alone.

import createGlue from "./stanzawire.js";
import wasm, { unweave } from "./wasm.js";
import { Client } from "./client.js";
import { failure, field, signalOf, throwIfAborted } from "./listening.js";

export { isXmppError } from "./client.js";

export async function connect(options) {
  const client = await createClient(options);
  await client.connect({ signal: field(options, "signal") });
  return client;
}

export async function createClient(options) {
  const glue = await load(options);
  return new Client((host) => new glue.Client(options, host));
}

export async function discover(domain, options) {
  const glue = await load(options);
  return Client.call(new Client((host) => glue.Client.ofDomain(domain, options, host)), "discover", options);
}

export function xml(name, attrs, ...children) {
  return { name, attrs: { ...attrs }, children };
}

/** The module, being compiled or ready. */
let compiling;

/** An instance of its own for a new client. */
async function load(options) {
  const signal = signalOf(options);
  throwIfAborted(signal);
  compiling ??= compile();
  const glue = await compiling.then(createGlue).catch((cause) => {
    // The next call tries again.
    compiling = undefined;
    throw loadFailed(cause);
  });
  throwIfAborted(signal);
  return glue;
}

// Async, so that a missing WebAssembly rejects as well.
async function compile() {
  return WebAssembly.compile(unweave(wasm));
}

function loadFailed(cause) {
  const hint = typeof WebAssembly === "undefined"
    ? "This platform has no WebAssembly, or it is switched off (as in some lockdown modes)."
    : /content security policy|unsafe-eval|csp/i.test(cause?.message)
      ? "Add 'wasm-unsafe-eval' to the `script-src` of the page's Content-Security-Policy."
      : /[^\0-\xff]/.test(wasm)
        ? "The script was not read as UTF-8: add <meta charset=\"utf-8\"> to the page."
        : undefined;
  return failure("load-failed", `stanzawire could not be loaded: ${cause?.message ?? cause}`, { hint, cause });
}
