// The documentation's site in headless Chromium: it fits a phone, can be read, and is searched; and the guide's first app, as the guide
// shows it, through a real server. Screenshots go to STANZAWIRE_OUT. Prints a line `ok - …` or `not ok - …` for each check; the
// exit status is 1 if one failed.

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { blocks } from "../types/extract.mjs";

const { STANZAWIRE_TOOLS, STANZAWIRE_CHROMIUM, STANZAWIRE_URL, STANZAWIRE_HOST_META, STANZAWIRE_SITE, STANZAWIRE_APP, STANZAWIRE_OUT } = process.env;
const { chromium } = createRequire(join(STANZAWIRE_TOOLS, "resolve.js"))("playwright-core");
const GUIDE = "src/manual/guide";

let failed = 0;
async function check(name, body) {
  const begun = performance.now();
  try {
    await body();
    console.log(`ok - ${name} (${Math.round(performance.now() - begun)} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${name}`);
    console.log(String(error?.stack ?? error).replace(/^/gm, "    "));
  }
}

function none(problems, what) {
  if (problems.length > 0) throw new Error(`${what}: ${problems.slice(0, 10).join("; ")}`);
}

/** A block of a page of the guide. */
function block(page, language, has) {
  const found = blocks(readFileSync(join(GUIDE, page), "utf8"), page).find((one) => one.language === language && one.lines.join("\n").includes(has));
  if (!found) throw new Error(`${page} has no block of ${language} with ${has}`);
  return found.lines.join("\n");
}

/** A text with another part, which must be there. */
function replaced(text, part, by) {
  if (!text.includes(part)) throw new Error(`there is no ${part} to be replaced`);
  return text.replaceAll(part, by);
}

const pages = readdirSync(STANZAWIRE_SITE, { recursive: true }).map((name) => String(name).replaceAll("\\", "/")).filter((name) => name.endsWith(".html")).sort();
const SHOWN = ["index.html", "documents/First_chat.html", "documents/Errors.html", "documents/Reliability.html", "interfaces/Client.html",
  "interfaces/Message.html"];

const browser = await chromium.launch({
  executablePath: STANZAWIRE_CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run"],
});
const problems = [];

/** A page in a context of its own, whose failures are noted. */
async function open(width, colorScheme = "light") {
  const context = await browser.newContext({ viewport: { width, height: width > 500 ? 900 : 844 }, colorScheme });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`));
  page.on("requestfailed", (request) => {
    // What a page was still loading when it was left.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") problems.push(`${request.url()}: ${request.failure()?.errorText}`);
  });
  page.on("response", (response) => {
    if (!response.ok() && !response.url().endsWith("/favicon.ico")) problems.push(`${response.url()}: ${response.status()}`);
  });
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(STANZAWIRE_URL)) problems.push(`asks elsewhere: ${request.url()}`);
  });
  return page;
}

const at = (name) => `${STANZAWIRE_URL}docs/${name}`;

try {
  await check(`nothing is wider than a phone, on any of ${pages.length} pages`, async () => {
    const page = await open(390);
    await page.goto(at("index.html"));
    await page.waitForSelector(".container-main", { state: "visible" });
    // Each in the place of the one before, which is a matter of milliseconds.
    const wide = await page.evaluate(async (pages) => {
      const found = [];
      for (const name of pages) {
        const text = (await (await fetch(name)).text()).replaceAll("../assets/", "assets/");
        document.querySelector(".container-main").replaceWith(new DOMParser().parseFromString(text, "text/html").querySelector(".container-main"));
        const beyond = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        if (beyond > 0) found.push(`${name} by ${beyond} px`);
      }
      return found;
    }, pages);
    none(wide, "too wide");
    await page.context().close();
  });

  for (const scheme of ["light", "dark"]) {
    await check(`all text and code can be read (${scheme})`, async () => {
      for (const width of [1280, 390]) {
        const page = await open(width, scheme);
        for (const name of width === 1280 ? SHOWN : SHOWN.slice(0, 3)) {
          await page.goto(at(name));
          await page.waitForSelector(".site-menu .tsd-navigation a", { state: "attached" });
          await page.screenshot({ path: join(STANZAWIRE_OUT, `${name.replace(/\W+/g, "-")}-${width}-${scheme}.png`) });
          if (width === 1280) none(await page.evaluate(faint), `${name}, too little contrast`);
        }
        await page.context().close();
      }
    });
  }

  await check("the search finds the reference and the guide, and leads there", async () => {
    const page = await open(1280);
    await page.goto(at("index.html"));
    const search = async (words) => {
      await page.click("#tsd-search-trigger");
      await page.fill("#tsd-search-input", "");
      await page.waitForSelector("#tsd-search-results a", { state: "detached" });
      await page.fill("#tsd-search-input", words);
      await page.waitForSelector("#tsd-search-results a");
      return page.$$eval("#tsd-search-results a", (links) => links.map((link) => new URL(link.href).pathname.replace("/docs/", "")));
    };
    const found = await search("archive");
    if (!found.some((path) => path === "interfaces/Archive.html")) throw new Error(`archive: ${found}`);
    await page.keyboard.press("Escape");
    const told = await search("purged");
    if (!told.some((path) => path === "documents/History.html")) throw new Error(`purged: ${told}`);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => told.some((path) => url.pathname.endsWith(path)));
    await page.context().close();
  });

  await check("the menu has all pages of the guide and every type, also on a phone", async () => {
    for (const width of [1280, 390]) {
      const page = await open(width);
      await page.goto(at("documents/History.html"));
      if (width < 500) await page.click("#tsd-toolbar-menu-trigger");
      await page.waitForSelector(".site-menu a[href$='documents/Reliability.html']", { state: "visible" });
      const listed = new Set(await page.$$eval(".site-menu .tsd-navigation a", (links) => links.map((link) => new URL(link.href).pathname.replace("/docs/", ""))));
      none(pages.filter((name) => name.includes("/") && !listed.has(name)), "not in the menu");
      none([...listed].filter((name) => !pages.includes(name)), "in the menu, and not there");
      await page.click(".site-menu a[href$='documents/Reliability.html']");
      await page.waitForURL(/Reliability\.html/);
      await page.context().close();
    }
  });

  none(problems.splice(0), "in the browser");

  // The app of the guide, told where the server of this test is.
  const app = replaced(block("first-chat.md", "html", "<!doctype html>"), "connect({ ", `connect({ hostMeta: ${JSON.stringify(STANZAWIRE_HOST_META)}, `);
  mkdirSync(STANZAWIRE_APP, { recursive: true });
  writeFileSync(join(STANZAWIRE_APP, "index.html"), app);

  const login = async (page, name, jid) => {
    await page.goto(`${STANZAWIRE_URL}${name}`);
    await page.fill("[name=jid]", jid);
    await page.fill("[name=password]", "secret");
    await page.click("#login button");
  };
  const says = (page, text) => page.getByText(text).first().waitFor({ timeout: 15_000 });
  const visitor = async () => (await browser.newContext()).newPage();

  await check("the guide's first app: two people log in and write to each other", async () => {
    const [alice, bob] = [await visitor(), await visitor()];
    await login(alice, "index.html", "alice@localhost");
    await login(bob, "index.html", "bob@localhost");
    await Promise.all([says(alice, "logged in as alice@localhost/"), says(bob, "logged in as bob@localhost/")]);
    await alice.fill("[name=to]", "bob@localhost");
    await alice.fill("[name=body]", "hi, Bob");
    await alice.click("#say button");
    await Promise.all([says(alice, "me: hi, Bob"), says(bob, ": hi, Bob")]);
    await alice.screenshot({ path: join(STANZAWIRE_OUT, "first-chat.png") });
    await alice.context().close();
    await bob.context().close();
  });

  await check("and says what is wrong with a wrong password", async () => {
    const page = await visitor();
    await login(page, "index.html", "alice@localhost");
    await says(page, "logged in as");
    await page.goto(`${STANZAWIRE_URL}index.html`);
    await page.fill("[name=jid]", "carol@localhost");
    await page.fill("[name=password]", "wrong");
    await page.click("#login button");
    await says(page, "Check the address and the password.");
    await page.context().close();
  });

  // The policy of the guide, for this server, with a nonce for the page's own two scripts.
  const server = STANZAWIRE_HOST_META.replace(/\/$/, "");
  const policy = replaced(block("csp.md", "text", "Content-Security-Policy:").replace("Content-Security-Policy:", "").replace(/\s+/g, " "),
    "https://example.org wss://xmpp.example.org", `${server} ${server.replace(/^http/, "ws")}`);
  const strict = replaced(policy, "script-src", "script-src 'nonce-n'");
  const page = replaced(app, "<script", "<script nonce=\"n\"");
  const headed = (content) => replaced(page, "<title>", `<meta http-equiv="Content-Security-Policy" content="${content}; require-trusted-types-for 'script'">\n<title>`);
  writeFileSync(join(STANZAWIRE_APP, "strict.html"), headed(strict));
  writeFileSync(join(STANZAWIRE_APP, "without-wasm.html"), headed(replaced(strict, " 'wasm-unsafe-eval'", "")));

  await check("the guide's Content-Security-Policy is enough, with Trusted Types", async () => {
    const page = await visitor();
    await login(page, "strict.html", "alice@localhost");
    await says(page, "logged in as alice@localhost/");
    await page.context().close();
  });

  await check("and without 'wasm-unsafe-eval' the hint says so", async () => {
    const page = await visitor();
    await login(page, "without-wasm.html", "alice@localhost");
    await says(page, "Add 'wasm-unsafe-eval'");
    await page.context().close();
  });
} catch (error) {
  failed += 1;
  console.log(`not ok - ${error.message}`);
} finally {
  await browser.close();
}
process.exit(failed > 0 ? 1 : 0);

/** In the page: texts whose colour is too near to what is behind them (WCAG 2.2 §1.4.3 asks for 4.5). */
function faint() {
  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const [r, g, b, a = 1] = parts(getComputedStyle(one).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = new Map();
  const texts = document.createTreeWalker(document.querySelector(".container-main"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const { color } = getComputedStyle(element);
    const [one, other] = [light(parts(color)), light(behind(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) found.set(`${color} on ${behind(element)}`, `${texts.currentNode.data.trim().slice(0, 30)} (${color} on ${behind(element)}: ${contrast.toFixed(1)})`);
  }
  return [...found.values()];
}
