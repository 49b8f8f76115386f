// Drives the chat page in headless Chromium: two people, two browser contexts, one real server behind the page.
//
//   STANZAWIRE_URL       the page
//   STANZAWIRE_TOOLS     a node_modules folder that holds playwright-core
//   STANZAWIRE_CHROMIUM  the browser's executable
//   STANZAWIRE_OUT       where the screenshots go
//   STANZAWIRE_SASL2     not empty where the server has SASL2 (XEP-0388)
//
// The page's /demo.json names the accounts. Prints a line `ok - …` or `not ok - …` a check; exits 1 if any failed.

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

import { newcomers } from "./demo/accounts.mjs";
import { inARoom } from "./demo/rooms.mjs";
import { BOUND, WRONG, holds, openPage, wireKeepsSecrets } from "./demo/person.mjs";

const TRICKY = `<&"'> \u{1F980} <b>bold?</b> & &amp; ]]> done`;
const TRICKY_BACK = `Answer: '"<&>" \u{1F9F5} <b>no</b>\nsecond line`;
/** Who alice is. */
const PORTRAIT = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300" viewBox="0 0 400 300"><rect width="400" height="300" fill="#f2b544"/>
  <circle cx="200" cy="120" r="62" fill="#7a3b1e"/><circle cx="200" cy="132" r="48" fill="#f6d3b3"/><path d="M110 300c0-70 40-104 90-104s90 34 90 104z" fill="#0b6b66"/></svg>`;

const url = required("STANZAWIRE_URL");
const out = resolve(required("STANZAWIRE_OUT"));
const tools = resolve(required("STANZAWIRE_TOOLS"));
const { chromium } = createRequire(join(tools, "resolve-from-here.js"))("playwright-core");

const people = [];
const failures = [];
let passed = 0;

mkdirSync(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: required("STANZAWIRE_CHROMIUM"),
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
try {
  await story();
} catch (error) {
  report("the story runs to its end", error);
} finally {
  // Also after a story cut short: here stands why, as often as not.
  for (const each of people) {
    await check(`no errors in the console, no failed requests: ${each.jid}`, () => each.complainsOfNothing());
  }
  await browser.close();
}
console.log(`# ${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;

/** Somebody with a page of their own. */
async function person(account) {
  const self = await openPage(browser, account, { url, out });
  people.push(self);
  return self;
}

async function story() {
  const { accounts: [aliceAccount, bobAccount] } = await (await fetch(new URL("demo.json", url))).json();
  const alice = await person(aliceAccount);
  const bob = await person(bobAccount);

  await check("the page loads and is prefilled", async () => {
    await alice.open();
    await holds(alice, ({ id, jid }) => document.querySelector(id).value === jid, { id: "[data-testid=jid]", jid: alice.jid });
    await alice.shot("login.png");
  });
  await must("alice logs in", async () => {
    await alice.enter(alice.jid, alice.password);
    await alice.online();
  });

  // bob takes the long way: a wrong password first, then everything by keyboard.
  await check("a wrong password shows its reason, and the form is usable again", async () => {
    await bob.open();
    await bob.enter(bob.jid, WRONG);
    await holds(bob, () => {
      const box = document.querySelector("[data-testid=login-error]");
      return box.offsetParent !== null && box.innerText.includes("not-authorized") && box.querySelector("strong").innerText.length > 5;
    });
    await holds(bob, () => !["jid", "password", "connect"].some((id) => document.querySelector(`[data-testid=${id}]`).disabled));
    await bob.shot("wrong-password.png");
  });
  await must("then the right password logs bob in, by keyboard only", async () => {
    await bob.focusByTab("jid");
    await bob.type(bob.jid);
    await bob.focusByTab("password");
    await bob.type(bob.password);
    await bob.page.keyboard.press("Enter");
    await bob.online();
  });

  await check("alice sees bob come online", () => alice.sees(bob, "online"));
  await check("bob sees alice come online", () => bob.sees(alice, "online"));

  await check("alice writes to bob, and her message is delivered to the server", async () => {
    await alice.page.locator(`[data-testid=contact][data-jid="${bob.jid}"]`).click();
    await alice.page.getByTestId("composer").fill(TRICKY);
    await alice.page.getByTestId("send").click();
    await alice.showsMessage("out", "sent", TRICKY);
  });
  await check("bob has one unread message", () => holds(bob, (jid) => {
    const row = document.querySelector(`[data-testid=contact][data-jid="${jid}"]`);
    return /\b1\s+unread/.test(row.innerText) && document.title.startsWith("(1)");
  }, alice.jid));
  await check("bob opens the conversation by keyboard and reads the exact text, not markup", async () => {
    await bob.page.getByTestId("logout").focus();
    await bob.focusByTab("contact");
    await bob.page.keyboard.press("Home");
    await bob.arrowTo(alice.jid);
    await bob.page.keyboard.press("Enter");
    await bob.showsMessage("in", "sent", TRICKY);
    await bob.page.waitForFunction(() => document.activeElement?.dataset.testid === "composer", null, { timeout: BOUND });
  });
  await check("bob answers by keyboard, a new line within, and alice reads the exact text", async () => {
    const [first, second] = TRICKY_BACK.split("\n");
    await bob.page.keyboard.insertText(first);
    await bob.page.keyboard.press("Shift+Enter");
    await bob.page.keyboard.insertText(second);
    await bob.page.keyboard.press("Enter");
    await bob.showsMessage("out", "sent", TRICKY_BACK);
    await alice.showsMessage("in", "sent", TRICKY_BACK);
  });
  await check("each message is there once", async () => {
    for (const each of [alice, bob]) {
      equal(await each.page.getByTestId("message").count(), 2, `messages on the page of ${each.jid}`);
    }
  });

  // A conversation worth looking at.
  await check("they chat on", async () => {
    for (const [from, to, text] of [
      [alice, bob, "That came through whole, brackets and all."],
      [alice, bob, "No reload, no polling: one WebSocket."],
      [bob, alice, "And the server said it has it before the page did. Open the wire panel to see how."],
      [alice, bob, "Looking now…"],
    ]) {
      await from.page.getByTestId("composer").fill(text);
      await from.page.getByTestId("composer").press("Enter");
      await from.showsMessage("out", "sent", text);
      await to.showsMessage("in", "sent", text);
    }
  });

  await check("a message that is seen says so, and that they type is shown", async () => {
    await alice.composer.fill("Are you there?");
    await holds(bob, () => document.querySelector("#peer-state").textContent === "typing…");
    await bob.shot("typing.png");
    await alice.composer.press("Enter");
    await holds(alice, (text) => {
      const message = [...document.querySelectorAll("[data-testid=message]")].findLast((each) => each.querySelector("[data-testid=body]").textContent === text);
      return message?.dataset.seen === "displayed" && message.innerText.includes("seen");
    }, "Are you there?");
    await holds(bob, () => document.querySelector("#peer-state").textContent !== "typing…");
  });
  await check("alice corrects her last message, by keyboard", async () => {
    await alice.composer.fill("Lets meet at noom");
    await alice.composer.press("Enter");
    await bob.showsMessage("in", "sent", "Lets meet at noom");
    await alice.composer.press("ArrowUp");
    await alice.page.getByTestId("composer-mode").waitFor();
    equal(await alice.composer.inputValue(), "Lets meet at noom", "in the composer");
    await alice.shot("correcting.png");
    await alice.composer.fill("Let’s meet at noon");
    await alice.composer.press("Enter");
    for (const [person, direction] of [[alice, "out"], [bob, "in"]]) {
      await person.showsMessage(direction, "sent", "Let’s meet at noon");
      await holds(person, () => [...document.querySelectorAll("[data-testid=message]")].at(-1).innerText.includes("edited"));
      equal(await person.page.locator("#messages").getByText("Lets meet at noom").count(), 0, "the words before");
    }
  });
  await check("bob reacts, and alice agrees", async () => {
    const message = bob.message("Let’s meet at noon");
    await message.hover();
    await message.getByTestId("react").click();
    await bob.page.getByTestId("picker").waitFor();
    await bob.shot("picker.png");
    await bob.page.locator("[data-testid=picker] [data-emoji=\"👍\"]").click();
    const chip = alice.message("Let’s meet at noon").getByTestId("reaction");
    await chip.waitFor();
    equal((await chip.innerText()).trim(), "👍", "the reaction");
    await chip.click();
    await holds(bob, () => /2/.test(document.querySelector("[data-testid=reaction]")?.innerText ?? ""));
    equal(await bob.message("Let’s meet at noon").getByTestId("reaction").getAttribute("aria-pressed"), "true", "pressed");
  });
  await check("bob answers a message, and alice sees which", async () => {
    const message = bob.message("Are you there?");
    await message.hover();
    await message.getByTestId("reply").click();
    await bob.composer.fill("I am, and I’ll bring cake");
    await bob.composer.press("Enter");
    await alice.showsMessage("in", "sent", "I am, and I’ll bring cake");
    const quote = alice.message("I am, and I’ll bring cake").getByTestId("quote");
    equal((await quote.innerText()).replace(/\s+/g, " "), "You Are you there?", "the quote");
  });
  await check("alice takes a message back", async () => {
    await alice.composer.fill("Don’t tell anybody");
    await alice.composer.press("Enter");
    await bob.showsMessage("in", "sent", "Don’t tell anybody");
    const message = alice.message("Don’t tell anybody");
    await message.hover();
    await message.getByTestId("retract").click();
    for (const person of [alice, bob]) {
      await holds(person, () => document.querySelectorAll("[data-testid=message][data-retracted]").length === 1);
      equal(await person.page.locator("#messages").getByText("Don’t tell anybody").count(), 0, "the words taken back");
    }
  });
  await check("alice chooses a picture of herself, and bob sees it", async () => {
    await alice.page.getByTestId("picture-file").setInputFiles({ name: "alice.svg", mimeType: "image/svg+xml", buffer: Buffer.from(PORTRAIT) });
    await alice.page.locator("[data-testid=me-avatar] img").waitFor();
    const shown = bob.page.locator(`[data-testid=contact][data-jid="${alice.jid}"] .avatar img`);
    await shown.waitFor();
    await bob.page.locator("#peer-avatar img").waitFor();
    equal(await shown.evaluate(async (image) => {
      await image.decode();
      return `${image.naturalWidth} × ${image.naturalHeight}`;
    }), "192 × 192", "the picture");
    await alice.page.mouse.move(0, 0);
    await alice.shot("features-alice.png");
    await bob.shot("features-bob.png");
  });
  await check("alice sends a picture, which is shown as it goes, and bob sees it", async () => {
    const png = await alice.page.evaluate(async (svg) => {
      const image = Object.assign(new Image(), { src: URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" })) });
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 300 });
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas.toDataURL("image/png").split(",")[1];
    }, PORTRAIT);
    await alice.page.getByTestId("picture-to-send").setInputFiles({ name: "me & <b>.png", mimeType: "image/png", buffer: Buffer.from(png, "base64") });
    for (const [person, direction] of [[alice, "out"], [bob, "in"]]) {
      const message = person.page.locator(`[data-testid=message][data-direction=${direction}][data-state=sent]`).filter({ has: person.page.getByTestId("picture") });
      const picture = message.getByTestId("picture");
      await picture.waitFor();
      await holds(person, () => [...document.querySelectorAll("[data-testid=picture]")].every((image) => image.complete && image.naturalWidth === 400));
      equal(await picture.getAttribute("alt"), "Picture: me & <b>.png", "the words for it");
      equal(await message.getByTestId("body").textContent(), "", "its address isn't shown as well");
      ok(await picture.evaluate((image) => image.src.startsWith("blob:") && image.clientWidth === 320), "it is as large as it may be");
      ok(/^http:\/\/localhost:\d+\//.test(await message.getByRole("link").getAttribute("href")), "it can be opened");
      equal(await message.locator(".progress").isVisible(), false, "nothing is on its way");
    }
    await alice.shot("picture-alice.png");
    await bob.shot("picture-bob.png");
  });
  await check("what is too large isn't sent, and says so", async () => {
    const png = await noise(alice, 700);
    await alice.page.getByTestId("picture-to-send").setInputFiles({ name: "noise.png", mimeType: "image/png", buffer: Buffer.from(png, "base64") });
    const failed = alice.page.locator("[data-testid=message][data-state=failed]");
    await failed.waitFor();
    ok(/larger than the service takes/.test(await failed.innerText()), await failed.innerText());
  });
  await check("a picture can be stopped on its way, and sent after all", async () => {
    const network = await alice.page.context().newCDPSession(alice.page);
    const slow = (uploadThroughput) => network.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
    await network.send("Network.enable");
    await slow(200_000);
    const png = await noise(alice, 400);
    await alice.page.getByTestId("picture-to-send").setInputFiles({ name: "static.png", mimeType: "image/png", buffer: Buffer.from(png, "base64") });
    const message = alice.page.getByTestId("message").filter({ has: alice.page.getByAltText("Picture: static.png") });
    await message.getByRole("progressbar").waitFor();
    await holds(alice, () => [...document.querySelectorAll("progress")].some(({ value }) => value > 0 && value < 1));
    await alice.shot("picture-on-its-way.png");
    await message.getByRole("button", { name: "Send no more of it" }).click();
    await holds(alice, () => [...document.querySelectorAll("[data-testid=message][data-state=failed]")].some(({ innerText }) => innerText.includes("aborted")));
    await slow(-1);
    await network.detach();
    equal(await bob.page.getByAltText("Picture: static.png").count(), 0, "pictures of bob's");
    await message.getByRole("button", { name: "Send again" }).click();
    await bob.page.getByAltText("Picture: static.png").waitFor();
    await holds(bob, () => document.querySelector("[alt='Picture: static.png']").naturalWidth === 400);
  });
  await check("what isn't the picture that was sent isn't shown, and a stranger's isn't fetched by itself", async () => {
    const href = await bob.page.getByTestId("shared").getByRole("link").first().getAttribute("href");
    const before = bob.requests.length;
    const words = await bob.page.evaluate(async (url) => {
      const { PictureView } = await import("./pictures.js");
      const show = async (picture, how, done) => {
        const view = new PictureView(picture, { trusted: true, grown: () => {}, ...how });
        document.querySelector("#messages").append(view.element);
        view.fill();
        const button = view.element.querySelector("[data-testid=fetch-picture]");
        while (!done(button)) await new Promise((resolve) => requestAnimationFrame(resolve));
        const [text, { src }] = [button.innerText, view.element.querySelector("img")];
        view.remove();
        return `${text}${src}`;
      };
      const asked = (button) => !button.hidden;
      return [
        await show({ url, type: "image/png", hash: new Uint8Array(32) }, {}, asked),
        await show({ url, name: "a.png" }, { trusted: false }, asked),
        await show({ url, name: "a.png", size: 2 ** 40 }, {}, asked),
      ];
    }, href);
    equal(words.join(" | "), "The picture can’t be shown (it isn't the picture that was sent). Try again | Show the picture a.png | Show the picture a.png", "what is offered");
    equal(bob.requests.slice(before).filter((each) => each === href).length, 1, "requests");
  });
  await check("no picture is where it isn't safe", async () => {
    const found = await alice.page.evaluate(async () => {
      const { pictureOf } = await import("./pictures.js");
      const file = (url, type = "image/png") => pictureOf({ files: [{ type, urls: [url] }] });
      const link = (url, body = url) => pictureOf({ oob: [{ url }], body });
      return [
        ["https://a.example/1.png", "http://localhost:1/1.png", "http://127.0.0.1/1.png", "http://[::1]/1.png"].map((url) => [file(url)?.url, link(url)?.url]),
        ["http://a.example/1.png", "http://localhost.a.example/1.png", "javascript:alert(1)//1.png", "data:image/png,1.png", "blob:https://a.example/1.png",
          "file:///1.png", "//a.example/1.png", "1.png"].flatMap((url) => [file(url), link(url)]),
        [file("https://a.example/1.svg", "image/svg+xml"), file("https://a.example/1.png", "text/html"), link("https://a.example/1.html"),
          link("https://a.example/1.png", "look: https://a.example/1.png")],
      ];
    });
    ok(found[0].every(([file, link]) => file && file === link), JSON.stringify(found[0]));
    ok(found.slice(1).flat().every((each) => each === null), JSON.stringify(found.slice(1)));
  });
  await check("the wire panel shows frames in both directions", async () => {
    await alice.wire(true);
    for (const direction of ["in", "out"]) {
      await alice.page.locator(`[data-testid=wire] [data-testid=frame][data-direction=${direction}]`).first().waitFor({ timeout: BOUND });
    }
    await holds(alice, () => {
      const frames = [...document.querySelectorAll("[data-testid=frame]")];
      const panel = document.querySelector("[data-testid=wire]").getBoundingClientRect();
      return frames.at(-1).getBoundingClientRect().bottom <= panel.bottom + 1; // the newest is in sight
    });
    await alice.shot("wire.png");
    await bob.wire(true);
  });
  const fast = "the wire panel shows a login by SASL2, with a resource along";
  if (!process.env.STANZAWIRE_SASL2) console.log(`skipped - ${fast}: the server has no SASL2`);
  else await check(fast, async () => {
    const text = await alice.page.getByTestId("wire").innerText();
    for (const word of ["<authenticate", "<bound", "<enabled"]) {
      if (!text.includes(word)) throw new Error(`no ${word} among the frames shown`);
    }
  });
  await check("the wire panel shows no password, no proof and no token", async () => {
    for (const each of [alice, bob]) await wireKeepsSecrets(each);
  });
  await check("Escape closes the wire panel", async () => {
    for (const each of [alice, bob]) {
      await each.page.keyboard.press("Escape");
      await each.page.getByTestId("wire").waitFor({ state: "hidden", timeout: BOUND });
    }
    await alice.shot("alice.png");
    await bob.shot("bob.png");
  });

  await check("what was said before is there after the next login, and more of it with scrolling", async () => {
    for (let number = 1; number <= 40; number += 1) {
      await alice.composer.fill(`Line ${number}`);
      await alice.composer.press("Enter");
    }
    await bob.showsMessage("in", "sent", "Line 40");
    await alice.showsMessage("out", "sent", "Line 40");
    await alice.page.getByTestId("logout").click();
    await alice.page.getByTestId("login-form").waitFor();
    await alice.page.reload();
    await alice.page.locator("[data-testid=connect]:enabled").waitFor();
    await alice.enter(alice.jid, alice.password);
    await alice.online();
    await alice.page.locator(`[data-testid=contact][data-jid="${bob.jid}"]`).click();
    await alice.showsMessage("out", "sent", "Line 40");
    await alice.page.getByTestId("older").waitFor();
    await alice.shot("history.png");
    const list = alice.page.locator("#messages");
    for (let times = 0; times < 8 && await alice.page.getByTestId("older").isVisible(); times += 1) {
      await list.evaluate((messages) => { messages.scrollTop = 0; });
      await alice.page.waitForFunction(() => !document.querySelector("[data-testid=older]").disabled, null, { timeout: BOUND });
    }
    await alice.showsMessage("out", "sent", TRICKY);
    await alice.showsMessage("in", "sent", TRICKY_BACK);
    // As they were left: corrected, reacted to, answered, taken back.
    await alice.showsMessage("out", "sent", "Let’s meet at noon");
    equal((await alice.message("Let’s meet at noon").getByTestId("reaction").innerText()).replace(/\s+/g, ""), "👍2", "the reactions");
    ok(await alice.message("I am, and I’ll bring cake").getByTestId("quote").isVisible(), "the quote");
    await alice.page.getByTestId("shared").first().scrollIntoViewIfNeeded();
    await holds(alice, () => document.querySelector("[data-testid=picture]")?.naturalWidth === 400);
    equal(await alice.page.locator("[data-testid=message][data-retracted]").count(), 1, "taken back");
    equal(await alice.page.locator("#messages").getByText("Lets meet at noom").count(), 0, "the words before");
    const lines = await alice.page.locator("[data-testid=body]").evaluateAll((all) => all.map(({ textContent }) => textContent).filter((text) => text.startsWith("Line ")));
    equal(lines.join(), Array.from({ length: 40 }, (_, at) => `Line ${at + 1}`).join(), "in order, and once each");
    await list.evaluate((messages) => { messages.scrollTop = 0; });
    await alice.shot("history-older.png");
    await list.evaluate((messages) => { messages.scrollTop = messages.scrollHeight; });
    await alice.wire(false);
  });

  await inARoom({ alice, bob, check, holds, equal, ok, portrait: PORTRAIT, url });

  await check("dark scheme", async () => {
    await alice.page.emulateMedia({ colorScheme: "dark" });
    await holds(alice, () => {
      const [red, green, blue] = getComputedStyle(document.querySelector("[data-testid=conversation]")).backgroundColor.match(/[\d.]+/g).map(Number);
      return red + green + blue < 200;
    });
    await alice.shot("dark.png");
    await alice.page.emulateMedia({ colorScheme: "light" });
  });
  await check("at 360 px nothing scrolls sideways", async () => {
    await alice.page.setViewportSize({ width: 360, height: 720 });
    await alice.fits("the conversation");
    await alice.shot("narrow.png");
    await alice.wire(true);
    await alice.fits("the wire panel");
    await alice.page.keyboard.press("Escape");
    await alice.page.keyboard.press("Escape");
    await alice.page.getByTestId("contact").first().waitFor({ timeout: BOUND });
    await alice.fits("the contact list");
    await alice.page.setViewportSize({ width: 1280, height: 800 });
  });

  await check("bob logs out, and alice sees him offline", async () => {
    await bob.page.getByTestId("logout").click();
    await bob.page.getByTestId("login-form").waitFor({ timeout: BOUND });
    await alice.sees(bob, "offline");
  });
  await check("nothing of bob's session stays on the page", () => holds(bob, () =>
    document.querySelectorAll("[data-testid=message], [data-testid=contact], [data-testid=frame]").length === 0));
  await check("the login form fits 360 px", async () => {
    await bob.page.setViewportSize({ width: 360, height: 720 });
    await bob.fits("the login form");
  });

  await newcomers({ person, check, holds, equal, url });

  const stranger = await person({ jid: "someone@no-such-server.invalid", password: "secret" });
  await check("an unknown domain shows a discovery error", async () => {
    await stranger.open();
    // The browser itself logs each request of a discovery that leads nowhere.
    stranger.provoked = /no-such-server\.invalid|ERR_NAME_NOT_RESOLVED|ERR_INTERNET_DISCONNECTED|ERR_PROXY|ERR_TUNNEL/;
    await stranger.enter(stranger.jid, stranger.password);
    await stranger.page.waitForFunction(() => {
      const box = document.querySelector("[data-testid=login-error]");
      return box.offsetParent !== null && /discovery-(network|http|no-link|parse)/.test(box.innerText);
    }, null, { timeout: 2 * BOUND });
  });
}

/** A picture that can't be made smaller: a square of so many pixels, as PNG in base64. */
function noise({ page }, side) {
  return page.evaluate((side) => {
    const context = Object.assign(document.createElement("canvas"), { width: side, height: side }).getContext("2d");
    const image = context.createImageData(side, side);
    for (let at = 0; at < image.data.length; at += 16_384) crypto.getRandomValues(image.data.subarray(at, at + 16_384));
    for (let at = 3; at < image.data.length; at += 4) image.data[at] = 255;
    context.putImageData(image, 0, 0);
    return context.canvas.toDataURL("image/png").split(",")[1];
  }, side);
}

async function check(what, run) {
  try {
    await run();
    report(what, null);
    return true;
  } catch (error) {
    report(what, error);
    for (const [at, each] of people.entries()) await each.shot(`failed-${failures.length}-${at + 1}.png`).catch(() => {});
    return false;
  }
}

/** A check without which the rest of the story makes no sense. */
async function must(what, run) {
  if (!await check(what, run)) throw new Error(`stopped, because this failed: ${what}`);
}

function report(what, error) {
  if (error === null) {
    passed += 1;
    console.log(`ok - ${what}`);
    return;
  }
  failures.push(what);
  console.log(`not ok - ${what}: ${String(error?.message ?? error).replace(/\s+/g, " ")}`);
}

function ok(holds, what) {
  if (!holds) throw new Error(what);
}

function equal(got, want, what) {
  if (got !== want) throw new Error(`${what}: ${got}, not ${want}`);
}

function required(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set`);
    process.exit(1);
  }
  return value;
}
