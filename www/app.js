// The page as a whole: which view is shown, and what belongs to none of them.

import { byId, setText } from "./dom.js";
import { Login } from "./login.js";
import { logIn } from "./session.js";
import { Wire } from "./wire.js";

const wire = new Wire();
let session = null;

const login = new Login(async (options, signal) => {
  session = await logIn(options, { signal, onFrame: (frame) => wire.add(frame) });
  show("chat");
  if (matchMedia("(min-width: 1200px)").matches) wire.toggle(true);
});

byId("logout").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.disabled = true;
  try {
    await session?.logOut();
  } catch {
    // Logged out all the same: the package ends the connection with or without the server's goodbye.
  } finally {
    // The next to log in need not be the same person: nothing of this session stays on the page.
    button.disabled = false;
    session = null;
    wire.clear();
    wire.toggle(false);
    show("login");
    login.show();
  }
});

byId("start-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = byId("start-jid");
  const note = byId("start-error");
  const address = input.value.trim().split("/", 1)[0].toLowerCase();
  // The package judges addresses; here only what can't be one is kept out of the list.
  const plausible = /^[^\s@"&'<>]+@[^\s@]+$|^[^\s@"&'<>]+\.[^\s@]+$/u.test(address);
  setText(note, plausible ? "" : "An address looks like name@server.");
  note.hidden = plausible;
  if (!plausible) return;
  input.value = "";
  session?.open(address);
});
byId("start-jid").addEventListener("input", () => {
  byId("start-error").hidden = true;
});

byId("back").addEventListener("click", () => session?.back());

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (wire.isOpen) wire.toggle(false);
  else if (document.body.dataset.pane === "talk" && byId("back").offsetParent) session?.back();
});

function show(view) {
  document.body.dataset.view = view;
  document.body.dataset.pane = "people";
  byId("login-view").hidden = view !== "login";
  byId("chat-view").hidden = view !== "chat";
}

await login.start();
