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
    .flatMap(({ data }) => [...data.matchAll(/<auth(?:enticate)?\b[^>]*\bmechanism=["']([^"']+)/g)].map(([, name]) => name));

  /** What goes over the wire from the first header to the end of the first login by SASL2, by direction and name. */
  const login2 = (frames) => {
    const words = frames.map(({ direction, data }) => direction + /<(?:\w+:)?([\w-]+)/.exec(data)[1]);
    return words.slice(words.indexOf("outopen"), words.indexOf("insuccess") + 1).join(" ");
  };

  /** The last success that has come. */
  const success = (frames) => frames.findLast(({ data }) => data.startsWith("<success")).data;

  /** The ids of the user agents that have logged in. */
  const agents = (frames) => [...new Set(frames
    .filter(({ direction }) => direction === "out")
    .flatMap(({ data }) => [...data.matchAll(/<user-agent\b[^>]*\bid=["']([^"']+)/g)].map(([, id]) => id)))];

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

  Object.assign(globalThis, { wire, load, observed, connect, login, mechanisms, login2, success, agents, offered, bare, equal, fails });
}
