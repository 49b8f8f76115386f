// Firefox, headless, by WebDriver BiDi: the few commands that the tests need.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What `use` makes of a browser with a profile of its own. */
export async function withFirefox(program, use) {
  const profile = mkdtempSync(join(tmpdir(), "stanzawire-firefox-"));
  const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"];
  const process_ = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, MOZ_CRASHREPORTER_DISABLE: "1" } });
  const ended = once(process_, "exit");
  try {
    const browser = new Firefox(await listening(process_));
    await browser.begin();
    return await use(browser);
  } finally {
    process_.kill("SIGKILL");
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Where it listens, as it says. */
async function listening(process_) {
  let said = "";
  const late = AbortSignal.timeout(60_000);
  for await (const text of process_.stderr.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    said += text;
    const [, address] = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said) ?? [];
    if (address) {
      process_.stderr.resume();
      return address;
    }
    if (late.aborted) break;
  }
  throw new Error(`Firefox doesn't listen:\n${said}`);
}

class Firefox {
  #address;
  #socket;
  #last = 0;
  #waiting = new Map();

  constructor(address) {
    this.#address = address;
  }

  async begin() {
    this.#socket = new WebSocket(`${this.#address}/session`);
    this.#socket.onmessage = ({ data }) => {
      const { id, type, result, error, message } = JSON.parse(data);
      const waiting = this.#waiting.get(id);
      if (!waiting) return;
      this.#waiting.delete(id);
      if (type === "success") waiting.resolve(result);
      else waiting.reject(new Error(`Firefox: ${error}: ${message}`));
    };
    await new Promise((resolve, reject) => {
      this.#socket.onopen = resolve;
      this.#socket.onerror = () => reject(new Error("Firefox refuses the connection"));
    });
    await this.send("session.new", { capabilities: {} });
  }

  send(method, params) {
    const id = this.#last += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Opens a page, in a tab of its own. */
  async open(url) {
    const { context } = await this.send("browsingContext.create", { type: "tab" });
    await this.send("browsingContext.navigate", { context, url, wait: "complete" });
    return new Page(this, context);
  }

  /** The title of a page once it is as it should be. */
  async title(url, finished, bound) {
    const page = await this.open(url);
    return page.until(`document.title`, finished, bound);
  }
}

class Page {
  constructor(browser, context) {
    this.browser = browser;
    this.context = context;
  }

  /** What an expression comes to in the page: text, a number, a truth value. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.browser.send("script.evaluate", {
      expression, target: { context: this.context }, awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(`in the page: ${exceptionDetails.text}`);
    return result.value;
  }

  /** The same, as soon as it is as it should be. */
  async until(expression, fits, bound) {
    const end = performance.now() + bound;
    for (;;) {
      const value = await this.evaluate(expression);
      if (fits(value)) return value;
      if (performance.now() > end) throw new Error(`${expression} is still ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
