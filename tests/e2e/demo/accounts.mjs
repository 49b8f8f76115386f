// Somebody who has no account yet, at the chat page's login form.

const PASSWORD = "new & <secret>";

/** Runs the checks, with what demo.mjs has. */
export async function newcomers({ person, check, holds, equal, url }) {
  const { hostMeta } = await (await fetch(new URL("demo.json", url))).json();
  const carol = await person({ jid: "carol@localhost", password: PASSWORD });
  const create = async ({ page }, address, secret, endpoint = "") => {
    await page.getByTestId("jid").fill(address);
    await page.getByTestId("password").fill(secret);
    await page.locator(".advanced").evaluate((details, open) => { details.open = open; }, endpoint !== "");
    if (endpoint) await page.getByTestId("url").fill(endpoint);
    await page.getByTestId("create").click();
  };
  const says = (self, ...words) => holds(self, (words) => {
    const box = document.querySelector("[data-testid=login-error]");
    return box.offsetParent !== null && words.every((word) => box.innerText.includes(word));
  }, words);

  await check("an account without an address or a password is not even asked for", async () => {
    await carol.open();
    await holds(carol, () => ["connect", "create"].every((id) => {
      const button = document.querySelector(`[data-testid=${id}]`);
      for (let part = button; part; part = part.parentElement) if (Number(getComputedStyle(part).opacity) < 0.9) return false;
      return button.checkVisibility() && document.elementFromPoint(button.getBoundingClientRect().x + 8, button.getBoundingClientRect().y + 8) === button;
    }));
    await create(carol, "localhost", PASSWORD);
    await says(carol, "Enter the address that you would like");
    await create(carol, carol.jid, "");
    await says(carol, "Choose a password");
  });
  await check("a name that somebody has is refused, with the reason", async () => {
    await create(carol, "alice@localhost", PASSWORD);
    await says(carol, "conflict", "Somebody has that name: choose another.");
    await holds(carol, () => document.activeElement.dataset.testid === "jid" && !document.querySelector("[data-testid=create]").disabled);
    await carol.shot("name-taken.png");
  });
  await check("carol makes herself an account, and is logged in to it", async () => {
    await create(carol, carol.jid, PASSWORD);
    await carol.online();
    await holds(carol, () => document.querySelectorAll("[data-testid=contact]").length === 0);
    await carol.page.getByTestId("logout").click();
    await carol.page.getByTestId("login-form").waitFor();
  });
  await check("and again with her password", async () => {
    await carol.enter(carol.jid, PASSWORD);
    await carol.online();
    await carol.page.getByTestId("logout").click();
    await carol.page.getByTestId("login-form").waitFor();
  });

  const dave = await person({ jid: "dave@old.localhost", password: PASSWORD });
  const endpoint = `${hostMeta.replace(/^http/, "ws")}/xmpp-websocket`;
  await check("what else the server wants to know is asked in a dialog, by keyboard", async () => {
    await dave.open();
    await create(dave, dave.jid, PASSWORD, endpoint);
    await dave.page.getByTestId("asked").waitFor();
    const fields = await dave.page.getByTestId("asked-field").evaluateAll((all) => all.map(({ dataset, required }) => `${dataset.name} ${required}`));
    equal(fields.join(), "email true,nick false", "the fields");
    await dave.shot("asked.png");
    await dave.page.setViewportSize({ width: 360, height: 720 });
    await dave.fits("the dialog");
    await dave.page.setViewportSize({ width: 1280, height: 800 });
    // Given up, everything is as before.
    await dave.page.keyboard.press("Escape");
    await holds(dave, () => !document.querySelector("[data-testid=asked]").open && !document.querySelector("[data-testid=create]").disabled);
    await dave.page.getByTestId("create").click();
    await dave.page.getByTestId("asked").waitFor();
    await dave.page.keyboard.insertText("dave@mail.example");
    await dave.page.keyboard.press("Enter");
    await dave.online();
  });
}
