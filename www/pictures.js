// Pictures in messages: put on the server and sent, found in what others send, fetched, checked and shown.
//
// Nothing is shown that isn't what was announced. An address that isn't encrypted, or of this machine, is no picture; what comes from there is
// taken up to a bound, must be of a kind of picture that browsers decode, and must have the hash that the message says. Of those who are no
// contacts nothing is fetched until somebody asks for it: who fetches a picture tells where it goes that they are there.

import { byId, el, setText } from "./dom.js";

/** The kinds that are sent and shown. SVG isn't among them: it is a document. */
const KINDS = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];
const ENDINGS = /\.(png|jpe?g|gif|webp|avif)$/i;

/** The largest picture that is shown, in bytes, and its size on the page, in CSS pixels. */
const LARGEST = 10 * 1024 * 1024;
const [WIDEST, HIGHEST] = [320, 280];

const button = byId("send-picture");
const input = byId("picture-to-send");

/** The addresses of blobs that are on the page. */
const shown = new Set();

/** Nothing of it stays. */
export function forgetPictures() {
  for (const src of shown) URL.revokeObjectURL(src);
  shown.clear();
}

const addressOf = (blob) => {
  const src = URL.createObjectURL(blob);
  shown.add(src);
  return src;
};

/** Whether nobody on the way can read or change what is at an address: `https:`, or this machine. */
export function isSafe(address) {
  const { protocol, hostname } = URL.canParse(address) ? new URL(address) : {};
  return protocol === "https:" || (protocol === "http:" && /^(([^.]+\.)*localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
}

/** The picture of a message, if it has one. */
export function pictureOf({ files, oob, body }) {
  const file = files?.find(({ type, urls }) => KINDS.includes(type) && urls?.some(isSafe));
  if (file) {
    const { name, type, size, width, height, hashes } = file;
    return { url: file.urls.find(isSafe), name, type, size, width, height, hash: hashes?.find(({ algo }) => algo === "sha-256")?.value };
  }
  // As those do it who know no more than where it is (XEP-0066).
  const [only] = oob ?? [];
  if (oob?.length !== 1 || only.url !== body || !isSafe(only.url)) return null;
  const last = new URL(only.url).pathname.split("/").at(-1);
  if (!ENDINGS.test(last)) return null;
  try {
    return { url: only.url, name: decodeURIComponent(last) };
  } catch {
    return { url: only.url, name: last };
  }
}

// Out

/** A picture out of a file that somebody has chosen; it rejects where it is none. */
export async function chosen(file) {
  if (!KINDS.includes(file.type)) throw new Error("Only PNG, JPEG, GIF, WebP and AVIF pictures are sent.");
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("This file is no picture that the browser can show.");
  });
  const { width, height } = bitmap;
  bitmap.close();
  return { file, name: file.name, type: file.type, size: file.size, width, height, src: addressOf(file), progress: 0 };
}

/** What a message carries that sends the picture, once it is where others can fetch it. `changed` is called as it goes. */
export async function uploaded(client, picture, changed) {
  const { file, width, height } = picture;
  picture.stop = new AbortController();
  const onProgress = ({ loaded, total }) => {
    picture.progress = loaded / total;
    changed();
  };
  try {
    const { url, name, size, type } = picture.uploaded ??= await client.files.upload(file, { onProgress, signal: picture.stop.signal });
    const value = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    const metadata = { name, size, type, width, height, hashes: [{ algo: "sha-256", value }], disposition: "inline", urls: [url] };
    picture.url = url;
    return { body: url, fallback: [{ for: "urn:xmpp:sfs:0", body: true }], oob: [{ url }], files: [metadata] };
  } finally {
    picture.stop = picture.progress = undefined;
    changed();
  }
}

/** The button that sends a picture, where the server has a place for it: `send(file)`. Also what is pasted into the composer. */
export function pictureButton(client, send, { signal }) {
  button.hidden = true;
  client.files.service().then((service) => {
    if (!signal.aborted) button.hidden = !service;
  }, () => {});
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = "";
    if (file) send(file);
  }, { signal });
  byId("composer").addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find(({ type }) => KINDS.includes(type));
    if (!file || button.hidden) return;
    event.preventDefault();
    send(file);
  }, { signal });
}

// In

/** The bytes at an address, if they are what was said of them. */
async function fetched({ url, type, hash }, signal) {
  const response = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer", signal });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  if (!isSafe(response.url)) throw new Error("it leads to where it isn't safe");
  const told = response.headers.get("Content-Type")?.split(";", 1)[0].trim().toLowerCase();
  const kind = [told, type].find((each) => KINDS.includes(each));
  if (!kind) throw new Error("it is no picture");
  const pieces = [];
  let size = 0;
  for (const reader = response.body.getReader();;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > LARGEST) {
      await reader.cancel();
      throw new Error("it is too large");
    }
    pieces.push(value);
  }
  const blob = new Blob(pieces, { type: kind });
  if (hash) {
    const found = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
    if (found.length !== hash.length || found.some((byte, at) => byte !== hash[at])) throw new Error("it isn't the picture that was sent");
  }
  return blob;
}

/** The picture in a message's bubble. */
export class PictureView {
  #picture;
  #grown;
  #image = el("img", { "data-testid": "picture", referrerpolicy: "no-referrer", decoding: "async" });
  #link = el("a", { class: "frame-of-picture", target: "_blank", rel: "noopener noreferrer" }, this.#image);
  #bar = el("progress", { max: "1", "aria-label": "How much of the picture has been sent" });
  #stop = el("button", { type: "button", "aria-label": "Send no more of it", title: "Stop" }, "✕");
  #progress = el("div", { class: "progress", hidden: true }, this.#bar, this.#stop);
  #ask = el("button", { type: "button", class: "link", "data-testid": "fetch-picture", hidden: true });
  #watch = null;
  #busy = false;

  /** `trusted`: it may be fetched without asking. `grown` is called when it takes another place. */
  constructor(picture, { trusted, grown }) {
    this.#picture = picture;
    this.#grown = grown;
    this.element = el("div", { class: "shared", "data-testid": "shared" }, this.#link, this.#progress, this.#ask);
    this.#ask.addEventListener("click", () => this.#fetch());
    this.#stop.addEventListener("click", () => picture.stop?.abort());
    this.#image.addEventListener("load", () => this.#grown());
    this.#image.alt = picture.name ? `Picture: ${picture.name}` : "Picture";
    this.#room();
    if (picture.src) return;
    if (!trusted || picture.size > LARGEST) return this.#offer(`Show the picture${picture.name ? ` ${picture.name}` : ""}`);
    // Not before it is in sight.
    this.#watch = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && this.#fetch());
    this.#watch.observe(this.element);
  }

  fill() {
    const { src, url, progress } = this.#picture;
    if (src && this.#image.src !== src) this.#image.src = src;
    this.#link.hidden = !src && !this.#watch;
    if (url) this.#link.href = url;
    this.#progress.hidden = progress === undefined;
    if (progress !== undefined) this.#bar.value = progress;
  }

  remove() {
    this.#watch?.disconnect();
    this.element.remove();
  }

  /** So much room as it will take. */
  #room() {
    const { width, height } = this.#picture;
    if (!(width > 0 && height > 0)) return;
    const scale = Math.min(1, WIDEST / width, HIGHEST / height);
    this.#image.width = Math.max(1, Math.round(width * scale));
    this.#image.height = Math.max(1, Math.round(height * scale));
  }

  #offer(words) {
    this.#watch?.disconnect();
    this.#watch = null;
    this.#ask.hidden = false;
    setText(this.#ask, words);
    this.fill();
  }

  async #fetch() {
    if (this.#busy || this.#picture.src) return;
    this.#busy = true;
    this.#watch?.disconnect();
    this.#ask.disabled = true;
    try {
      this.#picture.src = addressOf(await fetched(this.#picture));
      this.#ask.hidden = true;
      this.#link.hidden = false;
      this.fill();
    } catch (error) {
      this.#offer(`The picture can’t be shown (${error.message}). Try again`);
    } finally {
      this.#busy = false;
      this.#ask.disabled = false;
      this.#grown();
    }
  }
}
