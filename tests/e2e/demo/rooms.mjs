// Two people in a room, at their chat pages.

const ROOM = "tea@rooms.localhost";
const TRICKY = `Earl Grey & <i>milk</i>, "please" ]]>`;

/** Runs the checks, with what demo.mjs has. */
export async function inARoom({ alice, bob, check, holds, equal, ok, portrait, url }) {
  const join = async ({ page }, nick, address = ROOM) => {
    await page.getByTestId("join-room").click();
    await page.getByTestId("join-address").fill(address);
    await page.getByTestId("join-nick").fill(nick);
    await page.getByTestId("join-go").click();
  };
  const inside = (self, count) => holds(self, (words) => {
    const open = document.querySelector("[data-testid=contact][aria-selected=true]");
    return open?.dataset.kind === "room" && document.querySelector("[data-testid=peer-state]").textContent.startsWith(words);
  }, `${count} here`);
  const notes = (self, text) => holds(self, (text) => [...document.querySelectorAll("[data-testid=event]")].some(({ textContent }) => textContent === text), text);
  const say = async (self, text) => {
    await self.composer.fill(text);
    await self.composer.press("Enter");
  };
  const there = ({ page }) => page.getByTestId("occupant").evaluateAll((all) => all
    .map(({ dataset }) => `${dataset.nick} ${dataset.role}${dataset.self === undefined ? "" : " self"}`).join(", "));
  const PHONE = { width: 390, height: 844 };
  const DESK = { width: 1280, height: 800 };

  await check("an address that is none isn't asked to let anybody in", async () => {
    await join(alice, "Alice", "tea");
    await holds(alice, () => document.querySelector("[data-testid=join-error]").innerText.includes("tea@rooms.example.org")
      && document.activeElement.dataset.testid === "join-address");
    await alice.page.setViewportSize(PHONE);
    await alice.fits("the dialog");
    await alice.shot("room-join.png");
    await alice.page.setViewportSize(DESK);
    await alice.page.keyboard.press("Escape");
    await holds(alice, () => !document.querySelector("[data-testid=join]").open);
  });
  await check("alice joins a room, which is there among her conversations", async () => {
    await join(alice, "Alice");
    await inside(alice, 1);
    await alice.page.locator(`[data-testid=contact][data-jid="${ROOM}"][data-presence=online]`).waitFor();
    equal(await there(alice), "Alice moderator self", "who is there");
  });
  await check("a nickname that somebody has is refused, with the reason", async () => {
    await join(bob, "Alice");
    await holds(bob, () => document.querySelector("[data-testid=join-error]").innerText.includes("conflict")
      && document.activeElement.dataset.testid === "join-nick");
    await bob.page.keyboard.press("Escape");
    equal(await bob.page.locator(`[data-testid=contact][data-jid="${ROOM}"]`).count(), 0, "rooms among bob's conversations");
  });
  await check("alice invites bob, and he joins by keyboard; she sees him come", async () => {
    await alice.page.getByTestId("invitee").fill(bob.jid);
    await alice.page.getByTestId("invitee").press("Enter");
    const invitation = bob.page.locator(`[data-testid=invitation][data-room="${ROOM}"]`);
    await invitation.waitFor();
    ok((await invitation.innerText()).includes(`${alice.jid} invites you to ${ROOM}`), await invitation.innerText());
    await bob.shot("room-invitation.png");
    await invitation.getByTestId("invitation-join").press("Enter");
    await bob.page.getByTestId("join-nick").fill("Bob <b>");
    await bob.page.keyboard.press("Enter");
    await inside(bob, 2);
    await invitation.waitFor({ state: "detached" });
    await notes(alice, "Bob <b> has joined");
    for (const [self, who] of [[alice, "Alice moderator self, Bob <b> participant"], [bob, "Alice moderator, Bob <b> participant self"]]) {
      equal(await there(self), who, `who is there, for ${self.jid}`);
    }
  });
  await check("they talk both ways, and each sees who says it, once", async () => {
    await say(alice, TRICKY);
    await bob.showsMessage("in", "sent", TRICKY);
    equal(await bob.message(TRICKY).getByTestId("nick").textContent(), "Alice", "who has said it");
    await say(bob, "Coming right up");
    await alice.showsMessage("in", "sent", "Coming right up");
    equal(await alice.message("Coming right up").getByTestId("nick").textContent(), "Bob <b>", "who has said it");
    for (const [self, own] of [[alice, TRICKY], [bob, "Coming right up"]]) {
      await holds(self, (text) => [...document.querySelectorAll("[data-testid=message][data-seen=room] [data-testid=body]")].some(({ textContent }) => textContent === text), own);
      equal(await self.page.getByTestId("message").count(), 2, `messages on the page of ${self.jid}`);
    }
  });
  await check("alice says what the room is about, and all see it", async () => {
    const subject = "Tea & <i>scones</i> at five, in the garden if the weather is kind to us";
    await alice.page.getByTestId("topic").fill(subject);
    await alice.page.getByTestId("topic").press("Enter");
    for (const self of [alice, bob]) {
      await holds(self, (want) => {
        const { textContent, childElementCount, offsetParent } = document.querySelector("[data-testid=subject]");
        return offsetParent && textContent === want && childElementCount === 0;
      }, subject);
      await notes(self, `Alice has changed the subject: ${subject}`);
    }
    await alice.shot("room-notices.png");
  });
  await check("what is said in a room can be corrected, reacted to, answered and taken back", async () => {
    await say(alice, "And skones");
    await bob.showsMessage("in", "sent", "And skones");
    await holds(alice, () => [...document.querySelectorAll("[data-testid=message][data-direction=out]")].at(-1).dataset.seen === "room");
    await alice.composer.press("ArrowUp");
    await say(alice, "And scones");
    await bob.showsMessage("in", "sent", "And scones");
    await bob.message("And scones").hover();
    await bob.message("And scones").getByTestId("react").click();
    await bob.page.locator("[data-testid=picker] [data-emoji=\"❤️\"]").click();
    await alice.message("And scones").getByTestId("reaction").waitFor();
    await bob.message("And scones").hover();
    await bob.message("And scones").getByTestId("reply").click();
    await say(bob, "With jam");
    await alice.showsMessage("in", "sent", "With jam");
    equal((await alice.message("With jam").getByTestId("quote").innerText()).replace(/\s+/g, " "), "You And scones", "the quote");
    await say(bob, "Wrong room");
    await alice.showsMessage("in", "sent", "Wrong room");
    await bob.message("Wrong room").hover();
    await bob.message("Wrong room").getByTestId("retract").click();
    for (const self of [alice, bob]) {
      await holds(self, () => document.querySelectorAll("[data-testid=message][data-retracted]").length === 1);
      equal(await self.page.getByTestId("message").count(), 5, `messages on the page of ${self.jid}`);
    }
  });
  await check("alice sends a picture to the room, and bob sees it when he asks for it", async () => {
    const png = await alice.page.evaluate(async (svg) => {
      const image = Object.assign(new Image(), { src: URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" })) });
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 300 });
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas.toDataURL("image/png").split(",")[1];
    }, portrait);
    await alice.page.getByTestId("picture-to-send").setInputFiles({ name: "tea.png", mimeType: "image/png", buffer: Buffer.from(png, "base64") });
    await bob.page.getByTestId("fetch-picture").click();
    for (const [self, direction] of [[alice, "out"], [bob, "in"]]) {
      const picture = self.page.locator(`[data-testid=message][data-direction=${direction}][data-state=sent]`).getByAltText("Picture: tea.png");
      await picture.waitFor();
      await holds(self, () => [...document.querySelectorAll("[data-testid=picture]")].at(-1).naturalWidth === 400);
      equal(await self.page.getByTestId("message").count(), 6, `messages on the page of ${self.jid}`);
    }
  });
  await check("it fits 390 px, with those who are there over it", async () => {
    await alice.page.mouse.move(0, 0);
    await alice.shot("room-alice.png");
    await bob.page.emulateMedia({ colorScheme: "dark" });
    await bob.shot("room-bob.png");
    await bob.page.emulateMedia({ colorScheme: "light" });
    await alice.page.setViewportSize(PHONE);
    await alice.fits("the list of those who are there");
    await alice.shot("room-phone-people.png");
    await alice.page.getByTestId("occupants").getByRole("button", { name: "Close the list" }).press("Enter");
    await holds(alice, () => document.activeElement.dataset.testid === "occupants-toggle");
    await alice.fits("the room");
    await alice.shot("room-phone.png");
    await alice.page.setViewportSize(DESK);
  });
  await check("bob leaves, and alice sees it; he can come back and finds what was said", async () => {
    await bob.page.getByTestId("leave").click();
    await notes(alice, "Bob <b> has left");
    await inside(alice, 1);
    await holds(bob, () => document.querySelector("[data-testid=peer-state]").textContent.startsWith("left") && document.querySelector("[data-testid=composer]").disabled);
    await say(alice, "More for me");
    await bob.page.getByTestId("join-again").click();
    await inside(bob, 2);
    await bob.showsMessage("in", "sent", "More for me");
    equal(await bob.page.getByTestId("message").count(), 7, "messages on the page of bob");
  });
  /** Somebody else in the room, by a client without a page: `does` is done once what bob has said first has come. */
  const hostess = (does) => alice.page.evaluate(async ({ room, jid, password, demo, does }) => {
    const { connect } = await import("stanzawire");
    const { hostMeta } = await (await fetch(demo)).json();
    const client = await connect({ jid, password, hostMeta });
    const there = await client.rooms.join(room, { nick: "Hostess" });
    for await (const message of there.events("message")) {
      if (message.body !== "Coming right up") continue;
      if (does === "forge") {
        await there.send({ id: message.id, body: "An id taken twice" });
        await there.send({ replaces: message.id, body: "And of that a correction" });
      } else {
        await there.setRole("Bob <b>", "none", "no <i>cake</i> left");
      }
      break;
    }
    await client.disconnect();
  }, { room: ROOM, jid: alice.jid, password: alice.password, demo: new URL("demo.json", url).href, does });

  await check("a message with the id of somebody else’s is another one, and its correction doesn’t touch that", async () => {
    await hostess("forge");
    for (const [self, other] of [[alice, "out"], [bob, "in"]]) {
      await self.showsMessage(other, "sent", "And of that a correction");
      await self.showsMessage(other, "sent", "An id taken twice");
      await self.showsMessage(other === "out" ? "in" : "out", "sent", "Coming right up");
    }
    equal(await bob.page.getByTestId("nick").last().textContent(), "Hostess", "who has said it");
  });
  await check("bob is put out, and sees by whom and why; he need not come back", async () => {
    await hostess("kick");
    await holds(bob, () => /^left \(kicked( by \S+)?: no <i>cake<\/i> left\)/.test(document.querySelector("[data-testid=peer-state]").textContent));
    await holds(alice, () => [...document.querySelectorAll("[data-testid=event]")].some(({ textContent }) => /^Bob <b> has left \(kicked/.test(textContent)));
    await bob.shot("room-kicked.png");
    await alice.page.getByTestId("occupants-toggle").click();
    await alice.page.getByTestId("invitee").fill(bob.jid);
    await alice.page.getByTestId("invitee").press("Enter");
    await bob.page.getByTestId("invitation-decline").click();
    await bob.page.getByTestId("invitation").waitFor({ state: "detached" });
    await bob.page.getByTestId("join-again").click();
    await inside(bob, 2);
  });
  await check("they go back to talking to each other", async () => {
    for (const [self, other] of [[alice, bob], [bob, alice]]) {
      await self.page.getByTestId("leave").click();
      await self.page.locator(`[data-testid=contact][data-jid="${ROOM}"][data-presence=offline]`).waitFor();
      await self.page.locator(`[data-testid=contact][data-jid="${other.jid}"]`).click();
      await holds(self, () => document.querySelector("[data-testid=leave]").hidden && !document.querySelector("[data-testid=composer]").disabled);
    }
  });
}
