// The links of the documentation's site: each leads to a page that is there, and to a place that is on it; nothing is loaded from
// elsewhere. Prints a line `ok - …` or `not ok - …` for each check; the exit status is 1 if one failed.
//
//     node tests/docs/links.mjs SITE

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";

const [site] = process.argv.slice(2);

const files = readdirSync(site, { recursive: true }).map(String).filter((name) => statSync(join(site, name)).isFile());
const names = new Set(files.map((name) => relative(".", name).split(sep).join("/")));
const pages = new Map([...names].filter((name) => name.endsWith(".html")).map((name) => [name, readFileSync(join(site, name), "utf8")]));

const decode = (text) => text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, found]) => decode(found));
const ids = new Map([...pages].map(([name, text]) => [name, new Set(all(text, /\sid="([^"]*)"/g))]));

let failed = 0;
function report(name, problems) {
  console.log(`${problems.length === 0 ? "ok" : "not ok"} - ${name}`);
  for (const problem of problems) console.log(`    ${problem}`);
  if (problems.length > 0) failed += 1;
}

/** Where a link on a page leads within the site; undefined for one that leads out of it. */
function target(page, link) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined;
  const [path, anchor = ""] = link.split("#");
  const to = path === "" ? page : posix.join(posix.dirname(page), decodeURIComponent(path.split("?")[0]));
  return { to, anchor: decodeURIComponent(anchor) };
}

const dead = [];
const nowhere = [];
const foreign = [];
let links = 0;
for (const [page, text] of pages) {
  for (const link of all(text, /<a\s[^>]*?href="([^"]*)"/g)) {
    const found = target(page, link);
    if (!found) {
      if (!/^(https:|mailto:)/.test(link)) foreign.push(`${page}: ${link}`);
      continue;
    }
    links += 1;
    if (!names.has(found.to)) dead.push(`${page}: ${link}`);
    // "#" is the menu's own.
    else if (found.anchor !== "" && !ids.get(found.to)?.has(found.anchor)) nowhere.push(`${page}: ${link}`);
  }
  for (const asset of all(text, /<(?:script|img|link|iframe|source)\s[^>]*?(?:src|href)="([^"]*)"/g)) {
    const found = target(page, asset);
    if (!found) foreign.push(`${page}: ${asset}`);
    else if (!names.has(found.to)) dead.push(`${page}: ${asset}`);
  }
  // An address in Markdown that no link was made of leads to a file of the repository.
  for (const link of all(text, /href="([^"]*\.md(?:#[^"]*)?)"/g)) dead.push(`${page}: ${link}`);
}
for (const name of names) {
  if (name.endsWith(".css")) {
    const loaded = all(readFileSync(join(site, name), "utf8"), /url\(["']?((?:https?:)?\/\/[^)"']*)/g);
    foreign.push(...loaded.map((address) => `${name}: ${address}`));
  }
}

// The readme's, in the repository.
const missing = all(readFileSync("README.md", "utf8"), /\]\(([^)#]+)[^)]*\)/g).filter((link) => !/^https:/.test(link) && !existsSync(link));
report("each link of the readme leads to a file", missing);
report(`each of ${links} links on ${pages.size} pages leads to a page`, dead);
report("and to a place that is on it", nowhere);
report("nothing is loaded from elsewhere", foreign);
if (pages.size < 100 || links < 3000) report("there are pages and links", [`${pages.size} pages, ${links} links`]);
process.exit(failed > 0 ? 1 : 0);
