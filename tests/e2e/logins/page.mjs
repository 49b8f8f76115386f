// What the checks find in their page. The function is carried into it as text, and uses nothing from out here.

export function inPage({ entry }) {
  const load = () => import(entry);

  /** Every frame of a check, to be printed where it fails. */
  const wire = [];

  /** A client that doesn't come back by itself, and the frames that it sends and gets. */
  const observed = async (options) => {
    const { createClient } = await load();
    const { jid } = options;
    const client = await createClient({ reconnect: false, timeout: 10_000, ...options });
    const frames = [];
    client.on("frame", (frame) => {
      frames.push(frame);
      wire.push(`${jid} ${frame.direction === "in" ? "<-" : "->"} ${frame.data}`);
    });
    return { client, frames };
  };

  /** Logs in, and makes sure that it is a session, which lasts: the server answers, and goes on to. */
  const connect = async (client) => {
    await client.connect();
    for (let times = 0; times < 3; times += 1) await client.ping();
  };

  const login = async (options) => {
    const { client, frames } = await observed(options);
    await connect(client);
    return { client, frames };
  };

  /** The mechanisms that were begun, in their order. */
  const mechanisms = (frames) => frames
    .filter(({ direction }) => direction === "out")
    .flatMap(({ data }) => [...data.matchAll(/<auth\b[^>]*\bmechanism=["']([^"']+)/g)].map(([, name]) => name));

  /** The mechanisms that the server has offered. */
  const offered = (frames) => frames
    .filter(({ direction }) => direction === "in")
    .flatMap(({ data }) => [...data.matchAll(/<mechanism>([^<]+)/g)].map(([, name]) => name));

  const bare = (jid) => jid.split("/")[0];

  const equal = (found, expected) => {
    const [a, b] = [found, expected].map((value) => JSON.stringify(value));
    if (a !== b) throw new Error(`${a}, not ${b}`);
  };

  /** The XmppError that a promise rejects with. */
  const fails = async (promise, code, phase) => {
    const error = await promise.then(() => { throw new Error(`resolved, not ${code}`); }, (error) => error);
    if (!(error instanceof Error) || error.name !== "XmppError" || error.code !== code) {
      throw new Error(`${error.name} ${error.code}: ${error.message}, not ${code}`);
    }
    if (phase !== undefined) equal(error.phase, phase);
    return error;
  };

  Object.assign(globalThis, { wire, load, observed, connect, login, mechanisms, offered, bare, equal, fails });
}
