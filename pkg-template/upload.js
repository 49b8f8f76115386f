// Files on their way to where the core was given a place for them (XEP-0363): by XMLHttpRequest, which alone tells how far a file has come, and
// by fetch where there is none, as in service workers and Node.

import { aborted, failure, field, signalOf, throwIfAborted, timeoutOf } from "./listening.js";

/** Puts a file where the service says that it can be put. `files` are the calls that ask it. */
export async function upload(files, file, options) {
  const signal = signalOf(options);
  const timeout = timeoutOf(options);
  throwIfAborted(signal);
  const onProgress = field(options, "onProgress");
  if (onProgress !== undefined && typeof onProgress !== "function") throw failure("invalid-argument", "`onProgress` must be a function");
  const blob = blobOf(file);
  const name = field(options, "name") ?? field(file, "name");
  const type = field(options, "type") ?? blob.type;
  const begun = performance.now();
  const request = { name, size: blob.size, type, service: field(options, "service") };
  const { put, headers, ...shared } = await files.slot(request, { signal, timeout });
  const left = timeout === undefined ? undefined : Math.max(0, begun + timeout - performance.now());
  await send(blob, put, shared.type === undefined ? headers : [...headers, ["Content-Type", shared.type]], { signal, left, onProgress });
  return shared;
}

function blobOf(file) {
  if (file instanceof Blob || /^\[object (Blob|File)\]$/.test(Object.prototype.toString.call(file))) return file;
  // A copy: what the app does with its bytes from now on is its own affair.
  if (file instanceof ArrayBuffer || ArrayBuffer.isView(file)) return new Blob([file]);
  throw failure("invalid-argument", "`file` must be a Blob, an ArrayBuffer or a Uint8Array");
}

function send(blob, url, headers, { signal, left, onProgress }) {
  return new Promise((resolve, reject) => {
    throwIfAborted(signal);
    const total = blob.size;
    let over = false;
    let told = -1;
    let stop = () => {};
    let timer;
    const tell = (loaded) => {
      if (over || loaded <= told) return;
      told = loaded;
      // On its own: what it throws is told as uncaught, and harms nothing.
      if (onProgress) queueMicrotask(() => onProgress({ loaded, total }));
    };
    const end = (settle, value) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      settle(value);
    };
    const done = (status, cause) => {
      if (status < 200 || status > 299) return end(reject, failed(status, headers, cause));
      tell(total);
      end(resolve);
    };
    const abort = () => {
      end(reject, aborted(signal));
      stop();
    };
    signal?.addEventListener("abort", abort);
    if (left !== undefined) {
      timer = setTimeout(() => {
        end(reject, failure("timeout", "the file could not be put in time", { retryable: true }));
        stop();
      }, Math.min(left, 2 ** 31 - 1));
    }
    try {
      stop = (typeof XMLHttpRequest === "undefined" ? byFetch : byRequest)(blob, url, headers, tell, done);
    } catch (cause) {
      done(0, cause);
    }
  });
}

function byRequest(blob, url, headers, tell, done) {
  const request = new XMLHttpRequest();
  request.open("PUT", url);
  for (const [name, value] of headers) {
    // Browsers let nobody set it, and complain.
    if (name !== "Cookie") request.setRequestHeader(name, value);
  }
  request.upload.onprogress = ({ loaded }) => tell(Math.min(loaded, blob.size));
  request.onload = () => done(request.status);
  request.onerror = () => done(0);
  request.send(blob);
  return () => request.abort();
}

function byFetch(blob, url, headers, tell, done) {
  const controller = new AbortController();
  // What was to be put in one place isn't led to another; nothing of the page's goes along.
  const init = { method: "PUT", body: blob, headers, signal: controller.signal, credentials: "omit", redirect: "error", referrerPolicy: "no-referrer" };
  fetch(url, init).then((response) => {
    response.body?.cancel().catch(() => {});
    done(response.status);
  }, (cause) => done(0, cause));
  return () => controller.abort();
}

function failed(status, headers, cause) {
  const cookie = headers.some(([name]) => name === "Cookie");
  const hint = cookie
    ? "The service wants a cookie to go along with the file, and no browser lets a page set one."
    : status === 0
      ? "The browser tells no reason: the network may have failed, the service may not allow pages of this origin (CORS), or this page's Content-Security-Policy (connect-src) may not."
      : "The status says why. A new upload asks for a new place.";
  const message = status === 0 ? "the file could not be put" : `the file could not be put: HTTP status ${status}`;
  const retryable = status === 0 || status === 408 || status === 429 || status >= 500;
  return Object.assign(failure("upload-failed", message, { retryable, hint, cause }), status === 0 ? {} : { status });
}
