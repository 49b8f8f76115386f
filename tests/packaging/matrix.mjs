// The matrix: the package's tarball installed into a fresh project for each row, built, and run against a real server. A row has
// held when alice was answered what only bob knows. Prints a line `ok - …` or `not ok - …` for each row, and before it one of
// JSON that tells of it; the exit status is 1 if one failed.
//
//   --list    only tells which rows there are, and what they are made with
//   --check   only the rows of the check
//   --only T  only the rows whose names contain this
//   --plant   the tarball has no wasm: a row has held when it fails for that
//
//   STANZAWIRE_NPM        the folder where package.json of this folder is installed
//   STANZAWIRE_TARBALL    the package, packed
//   STANZAWIRE_PKG        the same as a folder, for bob
//   STANZAWIRE_HOST_META  the origin of the server's host-meta; alice and bob have accounts there
//   STANZAWIRE_TOOLS      a node_modules folder that holds playwright-core
//   STANZAWIRE_CHROMIUM, STANZAWIRE_FIREFOX  the browsers' executables

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { withFirefox } from "./firefox.mjs";
import { peer } from "./peer.mjs";
import { withProject } from "./project.mjs";
import { ROWS } from "./rows.mjs";

/** How long, in ms, a page may take to show what came of it. */
const BOUND = 30_000;

const env = process.env;
const [flags, only] = [process.argv.slice(2), process.argv[process.argv.indexOf("--only") + 1]];
const manifest = JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), "package.json"), "utf8"));

const rows = ROWS.filter((row) => (!flags.includes("--check") || row.check) && (!flags.includes("--only") || row.name.includes(only)));

function made({ of = [] }) {
  return [of].flat().map((tool) => `${tool} ${manifest.dependencies[tool] ?? manifest.devDependencies[tool]}`).join(", ");
}

if (flags.includes("--list")) {
  for (const row of rows) console.log(JSON.stringify({ name: row.name, of: made(row), config: row.config }));
} else {
  await run();
}

async function run() {
  const bob = await peer(join(env.STANZAWIRE_PKG, "index.js"), env.STANZAWIRE_HOST_META);
  let chromium;
  let failed = 0;
  try {
    for (const row of rows) {
      const begun = performance.now();
      const { ask, answer } = bob.question();
      const address = (url) => `${url}?${new URLSearchParams(ask)}`;
      const page = async (url) => {
        chromium ??= await launch();
        return inChromium(chromium, address(url));
      };
      const firefox = (url) => withFirefox(env.STANZAWIRE_FIREFOX, (browser) => browser.title(address(url), finished, BOUND).then(said));
      const problem = await withProject(env.STANZAWIRE_NPM, env.STANZAWIRE_TARBALL, (project) => row.run(project, { ask, page, firefox }))
        .then((found) => found === answer ? undefined : `the answer is ${JSON.stringify(found)}`, (error) => String(error?.message ?? error));
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      const held = flags.includes("--plant") ? /load-failed|could not be loaded|wasm/i.test(problem) : problem === undefined;
      if (!held) failed += 1;
      console.log(`${held ? "ok" : "not ok"} - ${row.name} (${seconds} s)`);
      if (problem !== undefined) console.log(problem.replace(/^/gm, "    ").slice(0, held ? 300 : 4000));
    }
  } finally {
    await chromium?.close();
    await bob.close();
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

function launch() {
  const { chromium } = createRequire(join(env.STANZAWIRE_TOOLS, "resolve.js"))("playwright-core");
  return chromium.launch({
    executablePath: env.STANZAWIRE_CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
}

/** Whether a page's title says that it has come to an end. */
function finished(title) {
  return /^(answer|error): /.test(title);
}

/** The answer that a title tells of. */
function said(title) {
  if (!title.startsWith("answer: ")) throw new Error(title);
  return title.slice("answer: ".length);
}

async function inChromium(browser, address) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    await page.goto(address);
    const over = page.waitForFunction(() => /^(answer|error): /.test(document.title), undefined, { timeout: BOUND });
    await over.catch(() => { throw new Error(`the page says nothing; ${problems.join("; ")}`); });
    return said(await page.title());
  } finally {
    await context.close();
  }
}
