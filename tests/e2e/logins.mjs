// Logins from headless Chromium, through the npm package, to a real Prosody and a real ejabberd. Prints a line `ok - …`,
// `not ok - …` or `skipped - …` for each check; the exit status is 1 if one failed.
//
//   STANZAWIRE_LOGINS    where everything is, as `cargo xtask test logins` says it, in JSON
//   STANZAWIRE_TOOLS     a node_modules folder that holds playwright-core
//   STANZAWIRE_CHROMIUM  the browser's executable

import carbons from "./logins/carbons.mjs";
import discovery from "./logins/discovery.mjs";
import downgrade from "./logins/downgrade.mjs";
import keys from "./logins/keys.mjs";
import limits from "./logins/limits.mjs";
import mechanisms from "./logins/mechanisms.mjs";
import messages from "./logins/messages.mjs";
import { Run } from "./logins/run.mjs";
import sasl2 from "./logins/sasl2.mjs";
import tls from "./logins/tls.mjs";
import tokens from "./logins/tokens.mjs";

const run = await Run.start(JSON.parse(process.env.STANZAWIRE_LOGINS));
try {
  for (const topic of [mechanisms, sasl2, tokens, carbons, tls, discovery, messages, limits, keys, downgrade]) await topic(run);
} finally {
  await run.end();
}
