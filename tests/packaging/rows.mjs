// Where the package must run. Each row makes a project of its own, builds it with the tool's defaults or with what its `config` says,
// runs it, and gives what alice was answered.
//
// `check`: whether the row is one of those that `cargo xtask test` runs, with the tools that are `dependencies` of package.json; the
// others may use all. `of`: the tool whose version is told.

import { once } from "node:events";
import { createServer } from "node:net";

const html = (body) => `<!doctype html>\n<meta charset="utf-8">\n<title>loading</title>\n${body}\n`;
const module = (src) => html(`<script type="module" src="${src}"></script>`);

/** A page's own module. */
const MAIN = `import { connect } from "stanzawire";
import { show } from "./show.js";
show(connect);
`;
/** The same with the slim entry, where the tool finds the wasm by its name. */
const SLIM = `import { connect, load } from "stanzawire/slim";
import { show } from "./show.js";
load(new URL("stanzawire/stanzawire.wasm", import.meta.url));
show(connect);
`;
/** A program that is told what to do by its environment, and prints what came of it. */
const program = (imports) => `${imports}
import { talk } from "./talk.js";
console.log(await talk(connect, JSON.parse(process.env.ASK)));
`;

const PATH = "/node_modules/stanzawire/index.js";

export const ROWS = [
  {
    name: "a page, `<script type=\"module\">`",
    config: "an import map, or the path",
    async run(project, { page }) {
      const map = JSON.stringify({ imports: { stanzawire: PATH } });
      project.apps(".", "talk.js", "show.js");
      project.file("main.js", MAIN);
      project.file("index.html", html(`<script type="importmap">${map}</script>\n<script type="module" src="./main.js"></script>`));
      return page(await project.serve());
    },
  },
  {
    name: "a page, slim",
    config: "an import map",
    async run(project, { page }) {
      const map = JSON.stringify({ imports: { "stanzawire/slim": "/node_modules/stanzawire/slim.js", "stanzawire/": "/node_modules/stanzawire/" } });
      project.apps(".", "talk.js", "show.js");
      project.file("main.js", SLIM.replace(/new URL\((.*), import.meta.url\)/, "import.meta.resolve($1)"));
      project.file("index.html", html(`<script type="importmap">${map}</script>\n<script type="module" src="./main.js"></script>`));
      return page(await project.serve());
    },
  },
  {
    name: "a page under a strict Content-Security-Policy",
    config: "`'wasm-unsafe-eval'`",
    async run(project, { page, ask }) {
      const sources = `${ask.hostMeta} ${ask.hostMeta.replace("http", "ws")}`;
      project.apps(".", "talk.js", "show.js");
      project.file("main.js", MAIN.replace("stanzawire", PATH));
      project.file("index.html", module("./main.js"));
      const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ${sources}`;
      return page(await project.serve(".", { "Content-Security-Policy": policy }));
    },
  },
  {
    name: "a Web Worker",
    config: "",
    async run(project, { page }) {
      project.apps(".", "talk.js", "show.js");
      project.file("worker.js", worker("onmessage = ({ data }) => answer(data, (said) => postMessage(said));"));
      project.file("main.js", asking(`const worker = new Worker("./worker.js", { type: "module" });
worker.onmessage = ({ data }) => said(data);
worker.onerror = () => failed({ message: "the worker fails" });
worker.postMessage(ask);`));
      project.file("index.html", module("./main.js"));
      return page(await project.serve());
    },
  },
  {
    name: "a SharedWorker",
    config: "",
    async run(project, { page }) {
      project.apps(".", "talk.js", "show.js");
      project.file("worker.js", worker(`onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => answer(data, (said) => port.postMessage(said));
};`));
      project.file("main.js", asking(`const { port } = new SharedWorker("./worker.js", { type: "module" });
port.onmessage = ({ data }) => said(data);
port.postMessage(ask);`));
      project.file("index.html", module("./main.js"));
      return page(await project.serve());
    },
  },
  {
    name: "a service worker",
    config: "",
    check: true,
    async run(project, { page }) {
      project.apps(".", "talk.js", "show.js");
      project.file("worker.js", worker(`onmessage = (event) => {
  event.waitUntil(answer(event.data, (said) => event.source.postMessage(said)));
};`));
      project.file("main.js", asking(`navigator.serviceWorker.onmessage = ({ data }) => said(data);
navigator.serviceWorker.startMessages();
await navigator.serviceWorker.register("./worker.js", { type: "module" });
(await navigator.serviceWorker.ready).active.postMessage(ask);`));
      project.file("index.html", module("./main.js"));
      return page(await project.serve());
    },
  },
  {
    name: "Firefox, a page",
    config: "an import map, or the path",
    browser: "firefox",
    check: true,
    async run(project, { firefox }) {
      project.apps(".", "talk.js", "show.js");
      project.file("main.js", MAIN.replace("stanzawire", PATH));
      project.file("index.html", module("./main.js"));
      return firefox(await project.serve());
    },
  },
  {
    name: "Vite, dev server",
    of: "vite",
    config: "",
    async run(project, { page }) {
      project.apps("src", "talk.js", "show.js");
      project.file("src/main.js", MAIN);
      project.file("index.html", module("/src/main.js"));
      return page(await project.start("vite", ["--port", "0"]));
    },
  },
  {
    name: "Vite, build",
    of: "vite",
    config: "",
    async run(project, { page }) {
      project.apps("src", "talk.js", "show.js");
      project.file("src/main.js", MAIN);
      project.file("index.html", module("/src/main.js"));
      await project.run("vite", ["build"]);
      return page(await project.start("vite", ["preview", "--port", "0"]));
    },
  },
  {
    name: "Vite, build, slim",
    of: "vite",
    config: "",
    async run(project, { page }) {
      project.apps("src", "talk.js", "show.js");
      project.file("src/main.js", SLIM);
      project.file("index.html", module("/src/main.js"));
      await project.run("vite", ["build"]);
      return page(await project.start("vite", ["preview", "--port", "0"]));
    },
  },
  {
    name: "webpack",
    of: "webpack",
    config: "",
    async run(project, { page }) {
      project.apps("src", "talk.js", "show.js");
      project.file("src/index.js", MAIN);
      project.file("dist/index.html", html('<script defer src="main.js"></script>'));
      await project.run("webpack", ["--mode", "production"]);
      return page(await project.serve("dist"));
    },
  },
  {
    name: "webpack, slim",
    of: "webpack",
    config: "",
    async run(project, { page }) {
      project.apps("src", "talk.js", "show.js");
      project.file("src/index.js", SLIM);
      project.file("dist/index.html", html('<script defer src="main.js"></script>'));
      await project.run("webpack", ["--mode", "production"]);
      return page(await project.serve("dist"));
    },
  },
  {
    name: "esbuild",
    of: "esbuild",
    config: "",
    check: true,
    async run(project, { page }) {
      project.apps("src", "talk.js", "show.js");
      project.file("src/main.js", MAIN);
      project.file("dist/index.html", html('<script defer src="main.js"></script>'));
      await project.run("esbuild", ["src/main.js", "--bundle", "--outfile=dist/main.js"]);
      // Who makes no client has no wasm in the bundle.
      project.file("src/shaken.js", 'import { isXmppError, xml } from "stanzawire";\nconsole.log(isXmppError(xml("a")));\n');
      const shaken = await project.run("esbuild", ["src/shaken.js", "--bundle"]);
      if (shaken.length > 20_000) throw new Error(`what isn't used is in the bundle: ${shaken.length} bytes`);
      return page(await project.serve("dist"));
    },
  },
  {
    name: "Rollup",
    of: "rollup",
    config: "`--plugin node-resolve`",
    async run(project, { page }) {
      project.apps("src", "talk.js", "show.js");
      project.file("src/main.js", MAIN);
      project.file("dist/index.html", module("./main.js"));
      await project.run("rollup", ["src/main.js", "--file", "dist/main.js", "--plugin", "node-resolve"]);
      return page(await project.serve("dist"));
    },
  },
  {
    name: "Parcel",
    of: "parcel",
    config: "",
    async run(project, { page }) {
      project.apps("src", "talk.js", "show.js");
      project.file("src/main.js", MAIN);
      project.file("src/index.html", module("./main.js"));
      await project.run("parcel", ["build", "src/index.html"]);
      return page(await project.serve("dist"));
    },
  },
  {
    name: "Next, in the page and on the server",
    of: "next",
    config: "",
    async run(project, { page, ask }) {
      project.apps("app", "talk.js", "show.js");
      project.file("app/layout.js", "export default ({ children }) => <html><body>{children}</body></html>;\n");
      project.file("app/page.js", `import { xml } from "stanzawire";
import Chat from "./chat.js";
export default () => <Chat element={xml("made-on-the-server").name} />;
`);
      project.file("app/chat.js", `"use client";
import { useEffect } from "react";
import { connect } from "stanzawire";
import { show } from "./show.js";
export default function Chat({ element }) {
  useEffect(() => show(connect), []);
  return <p>{element}</p>;
}
`);
      project.file("app/server/route.js", `import { connect } from "stanzawire";
import { talk } from "../talk.js";
export async function POST(request) {
  return talk(connect, await request.json()).then((answer) => new Response(answer), (error) => new Response(String(error), { status: 500 }));
}
`);
      await project.run("next", ["build"]);
      const url = await project.start("next", ["start", "--port", "0"]);
      const said = await (await fetch(`${url}server`, { method: "POST", body: JSON.stringify(ask) })).text();
      const text = await (await fetch(url)).text();
      if (!text.includes("made-on-the-server")) throw new Error("the server has not rendered what it made by the package");
      const answer = await page(url);
      if (answer !== said) throw new Error(`the server: ${said}`);
      return answer;
    },
  },
  {
    name: "Vitest, Node",
    of: "vitest",
    config: "",
    run: (project, tools) => vitest(project, tools, ""),
  },
  {
    // Until 27: from then on jsdom's WebSocket fires events of a class for which the environment puts another one.
    name: "Vitest, jsdom",
    of: ["vitest", "jsdom"],
    config: "`// @vitest-environment jsdom`",
    run: (project, tools) => vitest(project, tools, "// @vitest-environment jsdom\n"),
  },
  {
    name: "Node",
    of: "node",
    config: "",
    check: true,
    run: (project, tools) => runtime(project, tools, "node", ["main.js"]),
  },
  {
    name: "Node, `require()`",
    of: "node",
    config: "",
    run: (project, tools) => runtime(project, tools, "node", ["main.js"], `import { createRequire } from "node:module";
const { connect } = createRequire(import.meta.url)("stanzawire");`),
  },
  {
    name: "Node, slim",
    of: "node",
    config: "",
    run: (project, tools) => runtime(project, tools, "node", ["main.js"], `import { readFile } from "node:fs/promises";
import { connect, load } from "stanzawire/slim";
load(readFile(new URL(import.meta.resolve("stanzawire/stanzawire.wasm"))));`),
  },
  {
    name: "Deno",
    of: "deno",
    config: "",
    run: (project, tools) => runtime(project, tools, "deno", ["run", "--allow-all", "main.js"]),
  },
  {
    name: "Bun",
    of: "bun",
    config: "",
    run: (project, tools) => runtime(project, tools, "bun", ["main.js"]),
  },
  {
    name: "workerd, slim, which compiles no bytes at run time",
    of: "workerd",
    config: "the list of modules",
    async run(project, { ask }) {
      project.apps(".", "talk.js");
      project.file("main.js", `import { connect, load } from "stanzawire/slim";
import module from "stanzawire/stanzawire.wasm";
import { talk } from "./talk.js";
load(module);
export default {
  fetch: async (request) => talk(connect, await request.json()).then((answer) => new Response(answer), (error) => new Response(String(error.code + " " + error.message))),
};
`);
      const of = (name) => `node_modules/stanzawire/${name}`;
      const modules = [["main.js", "main.js"], ["talk.js", "talk.js"], ["stanzawire/slim", of("slim.js")],
        ...["api.js", "client.js", "stanzawire.js"].map((name) => [`stanzawire/${name}`, of(name)])];
      const list = modules.map(([name, file]) => `(name = "${name}", esModule = embed "${file}")`);
      list.push(`(name = "stanzawire/stanzawire.wasm", wasm = embed "${of("stanzawire.wasm")}")`);
      const port = await freePort();
      project.file("workerd.capnp", `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [${list.join(", ")}], compatibilityDate = "2026-01-01")),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`);
      await project.start("workerd", ["serve", "--verbose", "workerd.capnp"], port);
      const answer = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify(ask) });
      return answer.text();
    },
  },
];

async function vitest(project, { ask }, head) {
  project.apps(".", "talk.js");
  project.file("talk.test.js", `${head}import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { connect } from "stanzawire";
import { talk } from "./talk.js";
test("talk", async () => {
  const answer = await talk(connect, JSON.parse(process.env.ASK));
  expect(answer).toBeTypeOf("string");
  writeFileSync("answer.txt", answer);
}, 20_000);
`);
  await project.run("vitest", ["run"], { ASK: JSON.stringify(ask) });
  return project.read("answer.txt");
}

async function runtime(project, { ask }, command, args, imports = 'import { connect } from "stanzawire";') {
  project.apps(".", "talk.js");
  project.file("main.js", program(imports));
  return (await project.run(command, args, { ASK: JSON.stringify(ask) })).trim();
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** A worker's module, which answers by `talk`. */
function worker(listen) {
  return `import { connect } from "${PATH}";
import { talk } from "./talk.js";
const answer = (ask, tell) => talk(connect, ask).then((answer) => tell({ answer }), ({ code, message, hint }) => tell({ error: { code, message, hint } }));
${listen}
`;
}

/** A page's module that asks a worker. */
function asking(how) {
  return `import { failed, told } from "./show.js";
const ask = Object.fromEntries(new URLSearchParams(location.search));
const said = ({ answer, error }) => error ? failed(error) : told(answer);
${how}
`;
}
