// What the package's entries have in common: the calls that make a client, each with an instance of its own of a module that
// the entry brings. A trap in one ends that client alone.

import createGlue from "./stanzawire.js";
import { Client, isXmppError } from "./client.js";
import { failure, field, signalOf, throwIfAborted, unlessAborted } from "./listening.js";

export { failure, isXmppError };

export function xml(name, attrs, ...children) {
  return { name, attrs: { ...attrs }, children };
}

/** The calls, on the module that `compiled` promises whenever it is asked. */
export function calls(compiled) {
  async function connect(options) {
    const client = await createClient(options);
    await client.connect({ signal: field(options, "signal") });
    return client;
  }

  async function createClient(options) {
    const glue = await instance(options);
    return new Client((host) => new glue.Client(options, host));
  }

  async function discover(domain, options) {
    const glue = await instance(options);
    return Client.call(new Client((host) => glue.Client.ofDomain(domain, options, host)), "discover", options);
  }

  async function register(options) {
    const glue = await instance(options);
    const client = new Client((host) => glue.Client.ofAccount(options, host));
    try {
      const form = await Client.call(client, "register", options);
      if (form) await Client.call(client, "fill", await unlessAborted(field(options, "form")(form), signalOf(options)), options);
    } finally {
      client.disconnect();
    }
  }

  async function instance(options) {
    const signal = signalOf(options);
    throwIfAborted(signal);
    const glue = await compiled().then(createGlue).catch((cause) => { throw loadFailed(cause); });
    throwIfAborted(signal);
    return glue;
  }

  return { connect, createClient, discover, register };
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
