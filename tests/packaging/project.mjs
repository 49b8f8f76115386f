// A fresh project with the package installed from its tarball, and what is run in it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const apps = join(dirname(fileURLToPath(import.meta.url)), "apps");

/** How long, in ms, one command may take. */
const BOUND = 180_000;

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** What `use` makes of a new project in the folder of the tools, where it finds them as those of a folder above. */
export async function withProject(tools, tarball, use) {
  const project = new Project(tools);
  try {
    project.file("package.json", JSON.stringify({ name: "app", private: true, type: "module" }));
    // As a person does, but for what it says to the registry.
    await project.run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", tarball]);
    return await use(project);
  } finally {
    await project.close();
  }
}

class Project {
  #closing = [];

  constructor(tools) {
    this.folder = mkdtempSync(join(tools, "project-"));
    const path = [join(tools, "node_modules", ".bin"), process.env.PATH].join(delimiter);
    this.env = {
      ...process.env, PATH: path, CI: "1", NO_COLOR: "1", NEXT_TELEMETRY_DISABLED: "1", DENO_NO_UPDATE_CHECK: "1",
      DENO_DIR: join(this.folder, ".deno"),
    };
  }

  /** Writes a file. */
  file(name, content) {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  /** Takes files of `apps/` over into a folder. */
  apps(folder, ...names) {
    mkdirSync(join(this.folder, folder), { recursive: true });
    for (const name of names) copyFileSync(join(apps, name), join(this.folder, folder, name));
  }

  read(name) {
    return readFileSync(join(this.folder, name), "utf8");
  }

  /** Runs a command to its end, and gives what it wrote to stdout. */
  async run(command, args, env = {}) {
    const child = this.#spawn(command, args, env);
    const bound = setTimeout(() => kill(child), BOUND);
    const [code, signal] = await once(child, "close");
    clearTimeout(bound);
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code ?? signal}:\n${child.said}`);
    return child.out;
  }

  /** Starts a server that runs until the project is closed, and gives the address that it says, or has where it was told its port. */
  async start(command, args, port) {
    const child = this.#spawn(command, args, {});
    this.#closing.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      kill(child);
      await ended;
    });
    const address = () => /http:\/\/(?:localhost|127\.0\.0\.1):\d+/.exec(child.said)?.[0];
    await new Promise((resolve, reject) => {
      const bound = setTimeout(() => reject(new Error(`${command} says no address:\n${child.said}`)), 60_000);
      const end = (settle, value) => {
        clearTimeout(bound);
        clearInterval(asking);
        settle(value);
      };
      // Some say nothing.
      const asking = port && setInterval(() => fetch(`http://127.0.0.1:${port}/`).then(() => end(resolve), () => {}), 100);
      child.on("said", () => !port && address() && end(resolve));
      child.on("exit", (code) => end(reject, new Error(`${command} ended with ${code}:\n${child.said}`)));
    });
    return port ? `http://localhost:${port}/` : `${address()}/`;
  }

  #spawn(command, args, env) {
    const child = spawn(command, args, {
      cwd: this.folder, env: { ...this.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true,
    });
    child.said = "";
    child.out = "";
    const hear = (text) => {
      // Without the colours that some write all the same.
      child.said += text.replace(/\x1b\[[0-9;]*m/g, "");
      child.emit("said");
    };
    child.stdout.setEncoding("utf8").on("data", (text) => {
      child.out += text;
      hear(text);
    });
    child.stderr.setEncoding("utf8").on("data", hear);
    return child;
  }

  /** Serves a folder of the project until it is closed. */
  async serve(folder = ".", headers = {}) {
    const root = join(this.folder, folder);
    const server = createServer((request, response) => {
      const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
      try {
        const file = path.endsWith("/") ? `${path}index.html` : path;
        const content = readFileSync(join(root, file));
        response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", ...headers }).end(content);
      } catch {
        response.writeHead(404).end();
      }
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    this.#closing.push(async () => {
      server.close();
      server.closeAllConnections();
    });
    return `http://localhost:${server.address().port}/`;
  }

  async close() {
    for (const close of this.#closing) await close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ends a command with all that it has started. */
function kill(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
