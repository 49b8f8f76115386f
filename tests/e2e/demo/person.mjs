// A person at the chat page: what they do, what they see, and what the page complains of.

import { join } from "node:path";

/** How long, in ms, each thing may take that is waited for. */
export const BOUND = 15_000;
export const WRONG = "not-the-password";

/** A browser context of its own, with one page, and what it complained about. `out` is where its screenshots go. */
export async function openPage(browser, { jid, password }, { url, out }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(BOUND);
  const self = { jid, password, page, provoked: null, complaints: [], proofs: [], requests: [] };
  page.on("request", (request) => self.requests.push(request.url()));
  page.on("pageerror", (error) => self.complaints.push(`uncaught: ${error.message}`));
  page.on("console", (line) => {
    if (line.type() === "error") self.complaints.push(`console: ${line.text()} ${line.location().url ?? ""}`);
  });
  page.on("requestfailed", (request) => {
    // One that the page itself called off, as discovery does with the slower of two answers, has not failed.
    const why = request.failure()?.errorText;
    if (why !== "net::ERR_ABORTED") self.complaints.push(`failed: ${request.url()} ${why}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) self.complaints.push(`status ${response.status()}: ${response.url()}`);
  });
  // What really went over the socket: the text of every element of a login.
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => {
    const text = payload.toString();
    for (const [, proof] of text.matchAll(/<(?:\w+:)?(?:auth|response|initial-response)\b[^>]*>([^<]+)</g)) self.proofs.push(proof);
  }));

  return Object.assign(self, {
    open: async () => {
      await page.goto(url);
      await page.locator("[data-testid=connect]:enabled").waitFor();
    },
    enter: async (address, secret) => {
      await page.getByTestId("jid").fill(address);
      await page.getByTestId("password").fill(secret);
      await page.getByTestId("connect").click();
    },
    online: async () => {
      await page.locator("[data-testid=status][data-status=online]").waitFor();
      await holds(self, (own) => document.querySelector("[data-testid=me]").innerText.includes(own), jid);
    },
    sees: (other, presence) => page.locator(`[data-testid=contact][data-jid="${other.jid}"][data-presence=${presence}]`).waitFor(),
    composer: page.getByTestId("composer"),
    /** The last message with this text. */
    message: (text) => page.getByTestId("message").filter({ has: page.getByText(text, { exact: true }) }).last(),
    /** The message with exactly this text, in this direction and state, and no element within its text. */
    showsMessage: (direction, state, text) => holds(self, (want) => {
      const list = document.querySelectorAll(`[data-testid=message][data-direction=${want.direction}][data-state=${want.state}]`);
      return [...list].some((message) => {
        const body = message.querySelector("[data-testid=body]");
        return body.textContent === want.text && body.childElementCount === 0;
      });
    }, { direction, state, text }),
    /** Tab until the element with this test id has the focus. */
    focusByTab: async (id) => {
      for (let presses = 0; presses < 40; presses += 1) {
        if (await page.evaluate((want) => document.activeElement?.dataset.testid === want, id)) return;
        await page.keyboard.press("Tab");
      }
      throw new Error(`Tab never reaches ${id}`);
    },
    type: async (text) => {
      await page.keyboard.press("ControlOrMeta+A");
      await page.keyboard.type(text);
    },
    arrowTo: async (address) => {
      for (let presses = 0; presses < 40; presses += 1) {
        if (await page.evaluate((want) => document.activeElement?.dataset.jid === want, address)) return;
        await page.keyboard.press("ArrowDown");
      }
      throw new Error(`the arrow keys never reach ${address}`);
    },
    wire: async (open) => {
      const panel = page.getByTestId("wire");
      if (await panel.isVisible() === open) return;
      if (!open) return page.keyboard.press("Escape");
      // On a narrow page the button stands above the contacts.
      const toggle = page.getByTestId("wire-toggle");
      if (!await toggle.isVisible()) await page.keyboard.press("Escape");
      await toggle.click();
      await panel.waitFor({ state: open ? "visible" : "hidden" });
    },
    /** Neither the page nor a scrolling part of it can be scrolled sideways. */
    fits: async (what) => {
      const wide = await page.evaluate(() => [...document.querySelectorAll("*")]
        .filter((part) => part === document.documentElement || /auto|scroll/.test(getComputedStyle(part).overflowX))
        .filter((part) => part.clientWidth > 0 && part.scrollWidth > part.clientWidth && part.localName !== "textarea")
        .map((part) => `${part.localName}.${part.className} is ${part.scrollWidth} px wide in ${part.clientWidth}`));
      if (wide.length > 0) throw new Error(`${what}: ${wide.join(", ")}`);
    },
    complainsOfNothing: async () => {
      const left = self.complaints.filter((line) => !self.provoked?.test(line));
      if (left.length > 0) throw new Error(left.join(" | "));
    },
    shot: (name) => page.screenshot({ path: join(out, name) }),
  });
}

/** The redaction, held against what truly went over the socket; empty hands on either side fail. */
export async function wireKeepsSecrets({ jid, page, password, proofs }) {
  const text = await page.getByTestId("wire").innerText();
  if (!/<(?:\w+:)?auth/.test(text)) throw new Error(`${jid}: no login among the frames shown`);
  const secretive = proofs.filter((sent) => tellsSecrets(sent, password));
  if (secretive.length === 0) throw new Error(`${jid}: no credentials were seen on the socket`);
  for (const sent of secretive) {
    if (text.includes(sent)) throw new Error(`${jid}: credentials as sent: ${sent}`);
  }
  // As Prosody's tokens begin (RFC 8959).
  for (const secret of [password, WRONG, "secret-token:"]) {
    if (text.includes(secret)) throw new Error(`${jid}: the password or a token in clear`);
  }
  for (const [token] of text.matchAll(/[A-Za-z0-9+/]{8,}={0,2}/g)) {
    if (tellsSecrets(token, password)) throw new Error(`${jid}: credentials in base64: ${token}`);
  }
}

/** Whether this base64 holds a password, or the proof of a SCRAM exchange (RFC 5802 §7). */
function tellsSecrets(base64, password) {
  const plain = Buffer.from(base64, "base64").toString("latin1");
  return plain.includes(password) || plain.includes(WRONG) || /,p=[A-Za-z0-9+/]{8,}={0,2}$/.test(plain);
}

/** Waits until `predicate(argument)` holds in the page. */
export function holds({ page }, predicate, argument = null) {
  return page.waitForFunction(predicate, argument, { timeout: BOUND });
}
