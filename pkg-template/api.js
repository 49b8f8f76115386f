// What the package's entries have in common: the calls that make a client, each with an instance of its own of the module that
// `compiled`, the entry's own, promises whenever it is asked. A trap in one ends that client alone.

import createGlue from "./stanzawire.js";
import { Client, isXmppError } from "./client.js";
import { failure, field, signalOf, throwIfAborted, unlessAborted } from "./listening.js";

export { isXmppError };

export async function connect(compiled, options) {
  const client = await createClient(compiled, options);
  await client.connect({ signal: field(options, "signal") });
  return client;
}

export async function createClient(compiled, options) {
  const glue = await instance(compiled, options);
  return new Client((host) => new glue.Client(options, host));
}

export async function discover(compiled, domain, options) {
  const glue = await instance(compiled, options);
  return Client.call(new Client((host) => glue.Client.ofDomain(domain, options, host)), "discover", options);
}

export async function register(compiled, options) {
  const glue = await instance(compiled, options);
  const client = new Client((host) => glue.Client.ofAccount(options, host));
  try {
    const form = await Client.call(client, "register", options);
    if (form) await Client.call(client, "fill", await unlessAborted(field(options, "form")(form), signalOf(options)), options);
  } finally {
    client.disconnect();
  }
}

export function xml(name, attrs, ...children) {
  return { name, attrs: { ...attrs }, children };
}

/** An instance of its own for a new client. */
async function instance(compiled, options) {
  const signal = signalOf(options);
  throwIfAborted(signal);
  const glue = await compiled().then(createGlue).catch((cause) => { throw loadFailed(cause); });
  throwIfAborted(signal);
  return glue;
}

/** The error of a load that failed, with what can be done about it. */
export function loadFailed(cause, hint) {
  if (isXmppError(cause)) return cause;
  hint ??= typeof WebAssembly === "undefined"
    ? "This platform has no WebAssembly, or it is switched off, as in the lockdown mode of some."
    : /content security policy|unsafe-eval|csp/i.test(cause?.message)
      ? "Add 'wasm-unsafe-eval' to the `script-src` of the page's Content-Security-Policy."
      : /disallowed/i.test(cause?.message)
        ? "This platform compiles no bytes at run time: take stanzawire/slim, and hand it the module as the platform gives it."
        : cause instanceof WebAssembly.CompileError
          ? "The wasm is damaged, or the engine does not know all that it needs: browsers do since 2022."
          : undefined;
  return failure("load-failed", `stanzawire could not be loaded: ${cause?.message ?? cause}`, { hint, cause });
}
