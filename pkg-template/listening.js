// What waits for events, and the options of calls that wait: shared by clients and rooms.

/** The next event of a kind, by a way to listen; `watching` has how to end what waits. */
export function once({ on, watching }, type, options) {
  return new Promise((resolve, reject) => {
    const signal = signalOf(options);
    const timeout = timeoutOf(options);
    throwIfAborted(signal);
    let timer;
    const off = on(type, (event) => end(resolve, event));
    const end = (settle, value) => {
      off();
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      watching.delete(fail);
      settle(value);
    };
    const gone = "the client was disconnected before the event came";
    const fail = (error = failure("offline", gone)) => end(reject, error);
    const abort = () => fail(aborted(signal));
    signal?.addEventListener("abort", abort);
    watching.add(fail);
    if (timeout !== undefined) {
      const late = failure("timeout", `no ${type} event came in time`, { retryable: true });
      timer = setTimeout(fail, Math.min(timeout, 2 ** 31 - 1), late);
    }
  });
}

/** The events of a kind from now on. */
export function events({ on, watching }, type, options) {
  const signal = signalOf(options);
  const items = [];
  const takers = [];
  let ended = false;
  let problem;
  const off = on(type, (value) => {
    const taker = takers.shift();
    if (taker) taker.resolve({ value, done: false });
    else items.push(value);
  }, options);
  const next = () => {
    if (items.length > 0) return Promise.resolve({ value: items.shift(), done: false });
    if (!ended) return new Promise((resolve, reject) => takers.push({ resolve, reject }));
    const error = problem;
    problem = undefined;
    return error ? Promise.reject(error) : Promise.resolve({ value: undefined, done: true });
  };
  const end = (error) => {
    if (ended) return;
    ended = true;
    problem = error;
    off();
    signal?.removeEventListener("abort", abort);
    watching.delete(end);
    if (error) items.length = 0;
    for (const taker of takers.splice(0)) next().then(taker.resolve, taker.reject);
  };
  const abort = () => end(aborted(signal));
  signal?.addEventListener("abort", abort);
  watching.add(end);
  if (signal?.aborted) abort();
  return {
    next,
    return: (value) => {
      end();
      items.length = 0;
      problem = undefined;
      return Promise.resolve({ value, done: true });
    },
    [Symbol.asyncIterator]() { return this; },
  };
}

export function signalOf(options) {
  const signal = field(options, "signal");
  if (signal !== undefined && typeof signal.addEventListener !== "function") {
    throw failure("invalid-argument", "`signal` must be an AbortSignal");
  }
  return signal;
}

/** A field of the app's object, whose getters may throw. */
export function field(options, name) {
  try {
    return options?.[name] ?? undefined;
  } catch (cause) {
    throw failure("invalid-argument", `\`${name}\` cannot be read`, { cause });
  }
}

function timeoutOf(options) {
  const timeout = field(options, "timeout");
  if (timeout === undefined || (typeof timeout === "number" && timeout >= 0)) return timeout;
  throw failure("invalid-argument", "`timeout` must be a number, and not below 0");
}

export function throwIfAborted(signal) {
  if (signal?.aborted) throw aborted(signal);
}

function aborted(signal) {
  return failure("aborted", "the call was aborted", { cause: signal.reason });
}

/** An XmppError of the façade's own. */
export function failure(code, message, { retryable = false, hint, cause } = {}) {
  const error = Object.assign(new Error(message), { name: "XmppError", code, phase: "session", retryable });
  error.hint = hint ?? "The message says what is wrong, and `cause`, where there is one, why.";
  if (cause !== undefined) error.cause = cause;
  return error;
}
