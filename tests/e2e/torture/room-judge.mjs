// What became of what was said in a room: everybody's word against the room's archive.

/**
 * All that must not be. `ours` are the pages: `{ user, calls, heard, report }`, of which `calls` has the ends of each message by its id,
 * and `heard` the bodies in the order in which they were told. `others` have `report` and `archive`, whose items are
 * `[id, from, body]`.
 */
export function judgeRoom({ ours, others, everybody }) {
  const found = { lost: [], doubled: [], disordered: [], unsettled: [], twice: [], unknown: [], refused: [], membership: [], server: [] };
  const truth = others.archive.map(([, , body]) => body);
  const times = new Map();
  for (const body of truth) times.set(body, (times.get(body) ?? 0) + 1);
  for (const one of ours) {
    sentBy(one, truth, times, found);
    heardBy(one.user, one.heard, truth, found, true);
    members(one.user, one.report?.occupants, everybody, found);
    if (one.report && one.report.nick !== one.user) found.membership.push(`${one.user} is called ${one.report.nick}`);
  }
  for (const [user, heard] of Object.entries(others.report?.heard ?? {})) heardBy(user, heard, truth, found, false);
  for (const [user, nicks] of Object.entries(others.report?.occupants ?? {})) members(user, nicks, everybody, found);
  return found;
}

/** What one of the pages said. */
function sentBy({ user, calls }, truth, times, found) {
  for (const [id, ends] of calls) {
    const body = `${user} ${id.slice(2)}`;
    const copies = times.get(body) ?? 0;
    const [end] = ends;
    if (ends.length === 0) found.unsettled.push(body);
    if (ends.length > 1) found.twice.push(`${body} ${ends.map(({ kind }) => kind).join(" and ")}`);
    if (copies > 1) found.doubled.push(`${body} ${copies} times`);
    if (end?.kind === "sent" && copies === 0) found.lost.push(`${body}, sent`);
    if (end?.kind === "refused" && end.code === "delivery-unknown") found.unknown.push(body);
    else if (end?.kind === "refused") (copies > 0 ? found.doubled : found.refused).push(`${body} ${copies > 0 ? "delivered, though " : ""}${end.code}`);
  }
  const own = truth.filter((body) => body.startsWith(`${user} `)).map((body) => Number(body.split(" ")[1]));
  disorder(own, (number, largest) => found.disordered.push(`${user} ${number} behind ${largest}`));
}

/** What somebody heard; who was there all the time, or has an archive to ask, `all` of it. */
function heardBy(user, heard, truth, found, all) {
  const places = new Map(truth.map((body, place) => [body, place]));
  const times = new Map();
  for (const body of heard) times.set(body, (times.get(body) ?? 0) + 1);
  for (const [body, count] of times) {
    if (count > 1) found.doubled.push(`${user} heard ${body} ${count} times`);
    // A server that is killed takes with it what it has told and not kept.
    if (!places.has(body)) found.server.push(`${user} heard ${body}, which isn't in the archive`);
  }
  if (all) for (const body of truth) if (!times.has(body)) found.lost.push(`${user} never heard ${body}`);
  const order = heard.filter((body) => places.has(body)).map((body) => places.get(body));
  disorder(order, (place, largest) => found.disordered.push(`${user} heard ${truth[place]} behind ${truth[largest]}`));
}

function members(user, nicks, everybody, found) {
  if (JSON.stringify(nicks) !== JSON.stringify(everybody)) found.membership.push(`to ${user} there are ${nicks}`);
}

/** Tells of each number, at its first place, that comes behind a larger one. */
function disorder(numbers, tell) {
  let largest = -Infinity;
  for (const number of new Set(numbers)) {
    if (number < largest) tell(number, largest);
    largest = Math.max(largest, number);
  }
}
