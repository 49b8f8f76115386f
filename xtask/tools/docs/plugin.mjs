// What TypeDoc is told of the package's types: in which part of the list each is shown, and which parts are open at first.

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// The one that has loaded this file; it isn't beside it.
const typedoc = createRequire(join(process.env.STANZAWIRE_TOOLS, "resolve.js")).resolve("typedoc");
const { Comment, CommentTag, Converter, JSX, ReflectionKind } = await import(pathToFileURL(typedoc));

/** What one begins with. */
const FIRST = ["connect", "createClient", "discover", "xml", "isXmppError", "ConnectOptions", "Client", "Calls", "Events", "XmppError",
  "ErrorCode", "Credentials", "XmlElement"];

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const named = (name) => project.getChildByName([name]);
    /** The names of the types that an interface's properties have. */
    const typesIn = (name) => new Set((named(name)?.children ?? [])
      .filter((child) => child.kindOf(ReflectionKind.Property))
      .flatMap(({ type }) => (type?.types ?? [type]).map((one) => one?.name)));
    // A room is one that a call has given.
    const groups = typesIn("Calls").add("Room");
    const told = new Set(["Events", "FeatureEvents", "RoomEvents"].flatMap((name) => [...typesIn(name)]));
    for (const reflection of project.children ?? []) {
      const { name } = reflection;
      const category = FIRST.includes(name) ? "Essentials" : groups.has(name) ? "Groups of calls" : told.has(name) ? "What events tell" : "Other types";
      // The comment of a function is at its signature.
      for (const one of reflection.signatures ?? [reflection]) {
        one.comment ??= new Comment();
        one.comment.blockTags.push(new CommentTag("@category", [{ kind: "text", text: category }]));
      }
    }
  }, 1000);

  // Members stand as in the source, where what belongs together stands together; but these come from many files.
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    const byName = (one, other) => one.name.localeCompare(other.name);
    for (const { title, children } of project.categories ?? []) {
      if (title === "Essentials") children.sort((one, other) => FIRST.indexOf(one.name) - FIRST.indexOf(other.name));
      else if (title !== "Guide") children.sort(byName);
    }
    for (const name of ["Calls", "Client", "Events", "FeatureEvents", "Room", "RoomEvents", "Rooms"]) {
      const reflection = project.getChildByName([name]);
      reflection?.children?.sort(byName);
      for (const { children } of reflection?.groups ?? []) children.sort(byName);
    }
  }, -1000);

  // The page remembers which parts its reader has opened; to begin with, those that one begins with are.
  const open = `for (const part of ["Guide", "Essentials"]) localStorage["tsd-accordion-" + part] ??= "true";`;
  app.renderer.hooks.on("head.end", () => JSX.createElement(JSX.Raw, { html: `<script>try { ${open} } catch {}</script>` }));
}
