// Pictures of people, by bare JID: fetched when an event says that there is another one, and kept as URLs of blobs.

import { el, initials } from "./dom.js";
import { bareOf } from "./people.js";

/** How large, in pixels, one's own picture is made. */
const SIZE = 192;

export class Avatars {
  #client;
  #changed;
  /** Bare JID → { id, url }. */
  #known = new Map();
  #asked = new Set();

  /** `changed` is called with no arguments when a picture has come or gone. */
  constructor(client, changed) {
    this.#client = client;
    this.#changed = changed;
  }

  /** Where the picture is, if there is one. */
  url(jid) {
    return this.#known.get(jid)?.url;
  }

  /** An `avatar` event. */
  told({ from, id }) {
    const jid = bareOf(from);
    if (jid !== from) return; // somebody in a room
    if (id === null) this.#put(jid, null);
    else if (this.#known.get(jid)?.id !== id) this.fetch(jid);
  }

  /** Asks once for the picture of one who says nothing of it. */
  look(jid) {
    if (!this.#asked.has(jid) && !this.#known.has(jid)) this.fetch(jid);
  }

  async fetch(jid) {
    this.#asked.add(jid);
    try {
      this.#put(jid, await this.#client.profiles.avatar(jid));
    } catch {
      // Somebody who doesn't show it to us, or isn't there: the initials will do.
    }
  }

  /** Publishes a picture out of a file, cut to a square. */
  async publish(file) {
    const picture = el("img", { src: URL.createObjectURL(file) });
    try {
      await picture.decode();
    } catch {
      throw new Error("This file is no picture that the browser can show.");
    } finally {
      URL.revokeObjectURL(picture.src);
    }
    const { naturalWidth: width, naturalHeight: height } = picture;
    const side = Math.min(width, height);
    const canvas = el("canvas", { width: SIZE, height: SIZE });
    canvas.getContext("2d").drawImage(picture, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIZE, SIZE);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    const data = new Uint8Array(await blob.arrayBuffer());
    await this.#client.profiles.setAvatar({ data, type: "image/png", width: SIZE, height: SIZE });
    const own = bareOf(this.#client.jid);
    if (!this.#known.has(own)) await this.fetch(own);
  }

  async remove() {
    await this.#client.profiles.removeAvatar();
    this.#put(bareOf(this.#client.jid), null);
  }

  /** Nothing of it stays. */
  clear() {
    for (const { url } of this.#known.values()) URL.revokeObjectURL(url);
    this.#known.clear();
  }

  #put(jid, avatar) {
    const old = this.#known.get(jid);
    if (!avatar && !old) return;
    if (old) URL.revokeObjectURL(old.url);
    if (avatar) this.#known.set(jid, { id: avatar.id, url: URL.createObjectURL(new Blob([avatar.data], { type: avatar.type })) });
    else this.#known.delete(jid);
    this.#changed();
  }
}

/** Draws a picture, or the initials where there is none. */
export function fillAvatar(place, name, url) {
  const picture = place.querySelector("img");
  if (url) {
    if (picture?.src === url) return;
    place.replaceChildren(el("img", { src: url, alt: "" }));
  } else if (picture || place.textContent !== initials(name)) {
    place.replaceChildren(initials(name));
  }
}
