// The chat page in Firefox: alice and bob log in, each in a tab, and talk. Prints a line `ok - …` or `not ok - …` for each check;
// the exit status is 1 if one failed.
//
//   STANZAWIRE_URL      the page
//   STANZAWIRE_FIREFOX  the browser's executable

import { withFirefox } from "./firefox.mjs";

const { STANZAWIRE_URL: url, STANZAWIRE_FIREFOX: program } = process.env;

/** How long, in ms, each thing may take. */
const BOUND = 20_000;

let failed = 0;
async function check(name, test) {
  try {
    await test();
    console.log(`ok - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${name}`);
    console.log(String(error?.stack ?? error).replace(/^/gm, "    "));
  }
}

/** An element of the page by its name for tests, as an expression. */
const by = (name) => `document.querySelector('[data-testid=${name}]')`;
const yes = (value) => value === true;

await withFirefox(program, async (browser) => {
  const { accounts } = await (await fetch(new URL("demo.json", url))).json();
  const [alice, bob] = [await browser.open(url), await browser.open(url)];
  for (const [page, { jid, password }] of [[alice, accounts[0]], [bob, accounts[1]]]) {
    await check(`${jid} logs in to the chat page, in Firefox`, async () => {
      await page.until(`${by("connect")}.disabled`, (disabled) => disabled === false, BOUND);
      await page.evaluate(`for (const [name, value] of ${JSON.stringify([["jid", jid], ["password", password]])}) {
        const input = document.querySelector(\`[data-testid=\${name}]\`);
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }
      ${by("login-form")}.requestSubmit()`);
      await page.until("document.body.dataset.view === 'chat'", yes, BOUND);
    });
  }
  /** Says something in an open conversation. */
  const say = (page, text) => page.evaluate(`{
    const input = ${by("composer")};
    input.value = ${JSON.stringify(text)};
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.form.requestSubmit();
  }`);
  const open = async (page, jid) => {
    const contact = `document.querySelector('[data-testid="contact"][data-jid="${jid}"]')`;
    await page.until(`${contact} !== null`, yes, BOUND);
    await page.evaluate(`${contact}.click()`);
  };
  const shows = (page, text) => page.until(`document.querySelector("#chat-view").textContent.includes(${JSON.stringify(text)})`, yes, BOUND);
  await check("a message goes each way, in Firefox", async () => {
    await open(alice, accounts[1].jid);
    await say(alice, "from alice, <b>&");
    await open(bob, accounts[0].jid);
    await shows(bob, "from alice, <b>&");
    await say(bob, "from bob \u{1F980}");
    await shows(alice, "from bob \u{1F980}");
  });
});
process.exitCode = failed === 0 ? 0 : 1;
