// What the login tests share: the servers, the browsers, and a page for each check.

import { createRequire } from "node:module";
import { join } from "node:path";
import { inPage } from "./page.mjs";

const { STANZAWIRE_TOOLS, STANZAWIRE_CHROMIUM } = process.env;
const { chromium } = createRequire(join(STANZAWIRE_TOOLS, "resolve.js"))("playwright-core");

/** How long, in ms, a check may take. */
const BOUND = 15_000;

export class Run {
  failed = 0;
  #browsers = [];
  /** The pages that `inPage` uses again, by browser and scheme. */
  #pages = new Map();

  /** Starts the browsers: the usual one trusts the run's own authority. */
  static async start(config) {
    const servers = [
      new Prosody(config.prosody, "prosody", "/xmpp-websocket"),
      new Server(config.ejabberd, "ejabberd", "/ws"),
    ];
    const run = new Run();
    // The names of the tests are on nobody's DNS, and only they lead to port 443 of anything here.
    const rules = servers.map(({ domain, https }) => `MAP ${domain}:443 127.0.0.1:${https}`).join(",");
    run.launch = async (home) => {
      const browser = await chromium.launch({
        executablePath: STANZAWIRE_CHROMIUM,
        env: { ...process.env, HOME: home },
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--no-first-run", `--host-resolver-rules=${rules}`],
      });
      run.#browsers.push(browser);
      return browser;
    };
    [run.prosody, run.ejabberd] = run.servers = servers;
    run.config = config;
    run.browser = await run.launch(config.trusting);
    return run;
  }

  async end() {
    for (const browser of this.#browsers) await browser.close();
    process.exitCode = this.failed === 0 ? 0 : 1;
  }

  /** Runs `body` in a page, with what page.mjs puts there, and tells it `argument`. Nothing of the last check is left. */
  async inPage(name, argument, body, { browser = this.browser, secure = false } = {}) {
    const key = `${this.#browsers.indexOf(browser)} ${secure}`;
    const kept = this.#pages.get(key);
    const page = kept ?? await this.#open(browser, secure);
    this.#pages.delete(key);
    const whole = await this.#report(name, page, async () => {
      await page.context().clearCookies();
      await page.evaluate(() => {
        sessionStorage.clear();
        localStorage.clear();
        wire.length = 0;
      });
      await page.evaluate(body, argument);
    });
    if (whole) this.#pages.set(key, page);
    else await page.context().close();
  }

  /**
   * Runs `body` here, with a page of its own: on http:, or, where it is to be `secure`, on https: at the server to whose
   * WebSocket its cookies go as well.
   */
  async check(name, body, { browser = this.browser, secure = false } = {}) {
    const page = await this.#open(browser, secure);
    await this.#report(name, page, () => body(page));
    await page.context().close();
  }

  skip(name, why) {
    console.log(`skipped - ${name}: ${why}`);
  }

  async #open(browser, secure) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const folder = secure ? `https://localhost:${this.prosody.https}/files/` : `${this.config.page}pkg/`;
    await context.addInitScript(inPage, { entry: `${folder}index.js` });
    // Any document that nothing runs in.
    await page.goto(`${folder}package.json`);
    return page;
  }

  /** Prints how `body` ends, and what went over the wire where it failed; says whether it went well. */
  async #report(name, page, body) {
    let timer;
    try {
      const late = new Promise((_, reject) => { timer = setTimeout(reject, BOUND, new Error("it hangs")); });
      await Promise.race([body(), late]);
      console.log(`ok - ${name}`);
      return true;
    } catch (error) {
      this.failed += 1;
      console.log(`not ok - ${name}`);
      const frames = await page.evaluate(() => wire.join("\n")).catch(() => "");
      console.log(`${error?.stack ?? error}\n${frames}`.replace(/^/gm, "    "));
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A server: where it is, and what only its operator may do. */
class Server {
  constructor({ version, http, https, c2s }, name, path) {
    Object.assign(this, { version, http, https, c2s, name });
    /** The host that is found over https: at the standard port. */
    this.domain = `${name}.example`;
    this.endpoints = { ws: `ws://localhost:${http}${path}`, wss: `wss://localhost:${https}${path}` };
    /** Where the host `localhost` is found. */
    this.hostMeta = `http://localhost:${http}`;
  }

  setPassword(user, host, password) {
    return this.post("/api/change_password", { user, host, newpass: password });
  }

  async post(path, body) {
    const response = await fetch(`${this.hostMeta}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  }
}

class Prosody extends Server {
  /** Whether it is 13 or later; an unknown version is a new one. */
  get isNew() {
    return !(Number.parseFloat(this.version) < 13);
  }

  setPassword(user, host, password) {
    return this.post("/fixtures/password", { user, host, password });
  }

  /** A token of OAuth 2.0. */
  token(user, host) {
    return this.post("/fixtures/token", { user, host });
  }

  /** How many tokens for the next login the account has. */
  async keptTokens(user, host) {
    return Number(await this.post("/fixtures/kept-tokens", { user, host }));
  }

  forgetTokens(user, host) {
    return this.post("/fixtures/forget-tokens", { user, host });
  }
}
