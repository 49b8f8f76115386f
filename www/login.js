// The login form, by which an account can be made as well: what is asked, what is prefilled where a demo server says so, and what went wrong.

import { byId, el, setText } from "./dom.js";
import { showError } from "./errors.js";
import { domainOf } from "./people.js";
import { createAccount } from "./register.js";

const form = byId("login-form");
const errorBox = byId("login-error");
const connectButton = byId("connect");
const createButton = byId("create");
const cancelButton = byId("cancel");
const { jid, password, url } = form.elements;

/** What /demo.json says of the server that runs beside the page, or null where the page is served alone. */
async function demoServer() {
  try {
    const response = await fetch("./demo.json", { cache: "no-store" });
    if (!response.ok) return null;
    const { hostMeta, domain, accounts } = await response.json();
    if (typeof hostMeta !== "string" || typeof domain !== "string" || !Array.isArray(accounts)) return null;
    return { hostMeta, domain: domain.toLowerCase(), accounts };
  } catch {
    return null; // no hints, then: the form does without
  }
}

export class Login {
  #demo = null;
  #login;
  #abort = null;

  /** `login(options, signal)` logs in, and rejects where it can't. */
  constructor(login) {
    this.#login = login;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    createButton.addEventListener("click", () => this.#submit(true));
    cancelButton.addEventListener("click", () => this.#abort?.abort());
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#abort?.abort();
    });
  }

  /** Prefills the form and makes it usable. */
  async start() {
    this.#demo = await demoServer();
    if (this.#demo?.accounts.length > 0) {
      byId("demo-accounts").replaceChildren(...this.#demo.accounts.map((account) => this.#chip(account)));
      byId("demo-hints").hidden = false;
      if (jid.value === "") this.#fill(this.#demo.accounts[0]);
    }
    connectButton.disabled = createButton.disabled = false;
    this.show();
  }

  /** The form again, after a log-out: the address stays, the password does not unless the demo gives it. */
  show() {
    const account = this.#demo?.accounts.find((each) => each.jid === jid.value);
    if (account) password.value = account.password;
    (jid.value === "" ? jid : password.value === "" ? password : connectButton).focus();
  }

  #chip(account) {
    const chip = el("button", { type: "button", class: "chip", "data-testid": "demo-account", "data-jid": account.jid }, account.jid);
    chip.addEventListener("click", () => {
      this.#fill(account);
      connectButton.focus();
    });
    return chip;
  }

  #fill(account) {
    jid.value = account.jid;
    password.value = account.password;
    showError(errorBox, null);
  }

  async #submit(create = false) {
    if (this.#abort) return;
    const missing = this.#missing(create);
    if (missing) {
      showError(errorBox, new Error(missing.says));
      missing.field.focus();
      return;
    }
    this.#abort = new AbortController();
    showError(errorBox, null);
    this.#busy(true, create);
    try {
      if (create) await createAccount(this.#options(), this.#abort.signal);
      await this.#login(this.#options(), this.#abort.signal);
      password.value = "";
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#abort = null;
      this.#busy(false);
    }
  }

  #missing(create) {
    const address = jid.value.trim();
    if (address === "") return { field: jid, says: "Enter your address, such as you@example.org." };
    if (create && !/^[^@]+@[^@/]+$/u.test(address)) return { field: jid, says: "Enter the address that you would like, such as you@example.org." };
    if (create && password.value === "") return { field: password, says: "Choose a password for your new account." };
    // A bare domain asks for an anonymous login, which has no password.
    if (password.value === "" && address.includes("@")) return { field: password, says: "Enter your password." };
    return null;
  }

  #options() {
    const address = jid.value.trim();
    const options = { jid: address };
    if (password.value !== "") options.password = password.value;
    if (url.value.trim() !== "") options.url = url.value.trim();
    else if (this.#demo && domainOf(address) === this.#demo.domain) options.hostMeta = this.#demo.hostMeta;
    return options;
  }

  #failed(error) {
    this.#busy(false);
    if (error?.code === "aborted" || error?.name === "AbortError") {
      connectButton.focus();
      return;
    }
    const web = error?.url ? [el("a", { href: error.url, target: "_blank", rel: "noopener noreferrer" }, "Go there")] : [];
    showError(errorBox, error, ...web);
    const field = error?.code === "not-authorized" || error?.condition === "not-acceptable" ? password
      : url.value !== "" && ["socket-failed", "insecure", "invalid-argument"].includes(error?.code) ? url
      : jid;
    field.setAttribute("aria-invalid", "true");
    field.addEventListener("input", () => field.removeAttribute("aria-invalid"), { once: true });
    field.focus();
    field.select();
  }

  #busy(busy, create = false) {
    const does = create ? "Creating the account" : "Connecting";
    for (const control of [jid, password, url, connectButton, createButton]) control.disabled = busy;
    form.setAttribute("aria-busy", String(busy));
    createButton.hidden = busy;
    setText(connectButton, busy ? `${does}…` : "Log in");
    setText(byId("login-progress"), busy ? does : "");
    const hadFocus = document.activeElement === document.body || document.activeElement === cancelButton;
    cancelButton.hidden = !busy;
    if (busy && hadFocus) cancelButton.focus();
  }
}
