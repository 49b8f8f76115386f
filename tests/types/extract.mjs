// Takes the code out of Markdown, so that the compiler sees what readers see.
//
//     node tests/types/extract.mjs INTO FILE...
//
// Each fenced block of `ts` or `js` becomes a module INTO/NAME.LINE.ts, and each `<script type="module">` of an `html` block a
// module INTO/html/NAME.LINE.js. What stands before it is replaced by empty lines: the compiler's line numbers are those of the Markdown. A block
// is a module of its own, beside which only `reader.d.ts` is known.
//
// The word `before` behind the language says that the block is of another library, and isn't taken. An unknown language or word is an
// error, so that no block is passed over because of a slip. Prints one line for each module: its path.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What may stand in the Markdown and is none of the compiler's business. */
const OTHERS = new Set(["sh", "text", "json", "toml", "yaml", "lua", "xml", "css", "rust", "nginx"]);

/** The fenced blocks (CommonMark §4.5), with the number of the line of their first line of code, from 1. */
export function blocks(markdown, name) {
  const found = [];
  let open;
  for (const [at, line] of markdown.split(/\r?\n/).entries()) {
    const [, indent, fence, info] = /^( *)(`{3,}|~{3,})\s*(.*?)\s*$/.exec(line) ?? [];
    if (open) {
      const ends = fence && info === "" && fence[0] === open.fence[0] && fence.length >= open.fence.length;
      if (ends) {
        found.push(open);
        open = undefined;
      } else {
        open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line.trimStart());
      }
    } else if (fence && !(fence[0] === "`" && info.includes("`"))) {
      const [language, ...words] = info.split(/\s+/);
      open = { fence, indent, language, words, line: at + 2, lines: [] };
    }
  }
  if (open) throw new Error(`${name}:${open.line - 1}: the block isn't closed`);
  return found;
}

/** The modules in a Markdown file: `{ kind, line, code }`, `kind` being `ts` or `html`. */
export function modules(markdown, name) {
  const found = [];
  for (const { language, words, line, lines } of blocks(markdown, name)) {
    const code = lines.join("\n");
    const where = `${name}:${line - 1}`;
    if (language === "ts" || language === "js") {
      if (words.some((word) => word !== "before") || words.length > 1) throw new Error(`${where}: what is \`${words.join(" ")}\`?`);
      if (words.length === 0) found.push({ kind: "ts", line, code });
    } else if (words.length > 0) {
      throw new Error(`${where}: what is \`${words.join(" ")}\`?`);
    } else if (language === "html") {
      for (const script of code.matchAll(/(?<=<script type="module">)[^]*?(?=<\/script>)/g)) {
        found.push({ kind: "html", line: line + code.slice(0, script.index).split("\n").length - 1, code: script[0] });
      }
    } else if (!OTHERS.has(language)) {
      throw new Error(`${where}: ${language === "" ? "a block must name its language" : `unknown language ${language}`}`);
    }
  }
  return found;
}

/** Writes the modules of the files into a new folder, and returns their paths. */
export function extract(into, files) {
  rmSync(into, { recursive: true, force: true });
  const paths = [];
  for (const file of files) {
    // Two files may have one name.
    const name = join(dirname(file), basename(file, ".md")).replaceAll(/[^\w-]+/g, "_").replace(/^_/, "");
    for (const { kind, line, code } of modules(readFileSync(file, "utf8"), file)) {
      const path = kind === "ts" ? join(into, `${name}.${line}.ts`) : join(into, "html", `${name}.${line}.js`);
      mkdirSync(dirname(path), { recursive: true });
      // Code without an import is a module as well: its names are its own.
      writeFileSync(path, `${"\n".repeat(line - 1)}${code}\nexport {};\n`);
      paths.push(path);
    }
  }
  return paths;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [into, ...files] = process.argv.slice(2);
  try {
    for (const path of extract(into, files)) console.log(path);
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exit(1);
  }
}
