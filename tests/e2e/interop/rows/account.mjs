// Accounts that are made on the page, changed and removed, and commands: dora at the page, carl by other hands.

import { equal, fails, ok } from "../common.mjs";
import { anywhere, needs } from "../run.mjs";

const IBR = "XEP-0077";
const COMMANDS = "http://jabber.org/protocol/commands";

/** Makes an account on the page: the forms that it asked to fill in, and the error where there was one. */
function register(page, options, answers) {
  return page.evaluate(async ([options, answers]) => {
    const { register } = await import("/pkg/index.js");
    const asked = [];
    // A picture of these tests has its answer behind its first eight bytes.
    const read = (field) => new TextDecoder().decode(field.media[0].data.slice(8));
    const form = ({ form, registered }) => {
      asked.push({ registered, fields: form.fields.map(({ name, type, required }) => [name, type, required ?? false]) });
      return Object.fromEntries(form.fields.flatMap((field) => {
        if (field.media) return [[field.name, answers.wrong ?? read(field)]];
        return field.name in answers ? [[field.name, answers[field.name]]] : [];
      }));
    };
    try {
      await register({ ...options, ...(answers ? { form } : {}) });
      return { asked };
    } catch ({ code, condition, text, url, phase }) {
      return { asked, error: { code, condition, text, url, phase } };
    }
  }, [options, answers]);
}

/** An account of its own, with a client on a page that has logged in to it. */
async function newcomer({ client, server, open }, user, password = "first & <best>") {
  const { error } = await register(client.page, { jid: `${user}@localhost`, password, url: server.url });
  equal(error, undefined, "the account is made");
  return open(user, { password });
}

/** That slixmpp can log in with this password, or can't. */
async function worksElsewhere({ start }, user, password, works) {
  const login = start(user, { password });
  if (works) return (await login).call("xep_0199.ping", "localhost");
  return fails(login, {});
}

/** That a page can log in with this password, or why it can't. */
async function logsIn({ open }, user, password, code) {
  const login = open(user, { password });
  return code ? fails(login, { code }) : login;
}

export default {
  name: "account",
  user: "dora",
  options: {},
  other: "carl",
  rows: [
    {
      feature: "an account, made and used", xep: IBR, supported: needs("domain", "jabber:iq:register"),
      async run(hands) {
        const { client, server } = hands;
        const made = await newcomer(hands, "eve");
        equal(made.jid.split("/")[0], "eve@localhost");
        await worksElsewhere(hands, "eve", "first & <best>", true);
        await worksElsewhere(hands, "eve", "another", false);
        const { error } = await register(client.page, { jid: "eve@localhost", password: "mine", url: server.url });
        equal([error.code, error.condition, error.phase], ["stanza-error", "conflict", "stanza"]);
        await worksElsewhere(hands, "eve", "mine", false);
      },
    },
    {
      feature: "an account, made with more than a name and a password", xep: IBR, supported: needs("domain", "jabber:iq:register"),
      async run({ client, server }) {
        const options = { jid: "fay@forms.localhost", password: "s3cret", url: server.url };
        const bare = await register(client.page, options);
        equal(bare.error.code, "invalid-argument");
        const answers = { email: "fay@example.org" };
        if (server.name === "ejabberd") {
          const wrong = await register(client.page, options, { wrong: "nonsense" });
          equal([wrong.error.code, wrong.error.condition, wrong.asked.length], ["stanza-error", "not-allowed", 1]);
        }
        const { asked: [asked], error } = await register(client.page, options, answers);
        equal(error, undefined);
        equal(asked.fields.some(([name]) => name === "username" || name === "password"), false, "what is known isn't asked for");
        ok(asked.fields.some(([name, type, required]) => name === (server.name === "ejabberd" ? "ocr" : "email") && type === "text-single" && required), JSON.stringify(asked));
        const again = await register(client.page, options, answers);
        equal(again.error.condition, "conflict");
      },
    },
    {
      feature: "an account that is made on the web", xep: IBR, supported: needs("domain", "jabber:iq:register"),
      async run({ client, server }) {
        const { error } = await register(client.page, { jid: "gus@elsewhere.localhost", password: "s3cret", url: server.url });
        equal([error.code, error.url], ["registration-elsewhere", "https://elsewhere.example/join"]);
        ok(error.text.includes("https://elsewhere.example/join"), error.text);
      },
    },
    {
      feature: "a password, changed", xep: IBR, supported: needs("domain", "jabber:iq:register"),
      async run(hands) {
        const { error } = await register(hands.client.page, { jid: "hal@localhost", password: "first & <best>", url: hands.server.url });
        equal(error, undefined, "the account is made");
        const made = await hands.open("hal", { password: "first & <best>" }, { connect: false });
        await made.page.evaluate(() => {
          const Real = WebSocket;
          globalThis.WebSocket = class extends Real {
            constructor(...args) {
              super(...args);
              globalThis.lastSocket = this;
            }
          };
        });
        await made.connect();
        await made.call("account.changePassword", "second ☃");
        await made.call("ping");
        for (const frame of made.wire) ok(!frame.includes("second ☃"), "shown nowhere");
        await worksElsewhere(hands, "hal", "second ☃", true);
        await worksElsewhere(hands, "hal", "first & <best>", false);
        // The client itself goes on with the new one, when its connection is lost and when it logs in again.
        made.begin();
        await made.page.evaluate(() => lastSocket.close());
        await made.heard("status", ({ status }) => status === "reconnecting");
        await made.heard("status", ({ status }) => status === "online", 20_000);
        await made.call("ping");
        equal(made.heardSoFar("error"), []);
        await made.call("disconnect");
        await made.connect();
        await logsIn(hands, "hal", "first & <best>", "not-authorized");
        await logsIn(hands, "hal", "second ☃");
      },
    },
    {
      feature: "an account, removed", xep: IBR, supported: needs("domain", "jabber:iq:register"),
      async run(hands) {
        const made = await newcomer(hands, "ida");
        const kept = () => made.page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith("stanzawire:ida@localhost")));
        ok((await kept()).length > 0, "something is kept for the next page");
        await made.call("account.remove");
        equal(await made.page.evaluate(() => client.status), "offline");
        equal(made.heardSoFar("status").at(-1)?.status, "offline");
        equal(made.heardSoFar("error"), []);
        equal(await kept(), []);
        await fails(made.call("connect"), { code: "not-authorized" });
        await worksElsewhere(hands, "ida", "first & <best>", false);
        // The name is to be had again.
        await newcomer(hands, "ida", "other");
        await worksElsewhere(hands, "ida", "other", true);
      },
    },
    {
      feature: "the account's own registration, read", xep: IBR, supported: needs("domain", "jabber:iq:register"),
      async run({ client }) {
        const { form, registered } = await client.call("registration.get", "localhost");
        equal(registered, true);
        equal(form.fields.find(({ name }) => name === "username").value, "dora");
        equal(form.fields.find(({ name }) => name === "password").value, null);
      },
    },
    {
      feature: "a server's command", xep: "XEP-0050", supported: needs("domain", COMMANDS),
      async run({ client, server }) {
        const node = server.name === "ejabberd" ? "ping" : "uptime";
        const list = await client.call("commands.list");
        ok(list.some((item) => item.node === node && item.jid === "localhost" && item.name), JSON.stringify(list));
        const stage = await client.call("commands.execute", "localhost", node);
        equal([stage.status, stage.node, stage.jid, stage.actions], ["completed", node, "localhost", []]);
        ok(stage.notes[0].type === "info" && stage.notes[0].text.length > 3, JSON.stringify(stage.notes));
        await fails(client.call("commands.execute", "localhost", "no-such-command"), { code: "stanza-error" });
      },
    },
    {
      feature: "a command of two stages", xep: "XEP-0050", supported: anywhere,
      async run({ client, other }) {
        equal(await client.call("commands.list", other.jid), [{ jid: other.jid, node: "cake", name: "Bake a cake" }]);
        const first = await client.call("commands.execute", other.jid, "cake");
        equal([first.status, first.actions, first.form.type], ["executing", ["next"], "form"]);
        const [flavour] = first.form.fields;
        equal([flavour.name, flavour.type, flavour.required, flavour.options[1]], ["flavour", "list-single", true, { value: "lemon & lime", label: "Lemons" }]);
        const second = await client.call("commands.next", first, { flavour: "plum" });
        equal([second.sessionId, second.actions], [first.sessionId, ["prev", "next", "complete"]]);
        // Back, and on by another way.
        const back = await client.call("commands.prev", second);
        equal(back.form.fields[0].name, "flavour");
        back.form.fields[0].value = "lemon & lime";
        const again = await client.call("commands.next", back);
        const done = await client.call("commands.complete", again, { number: 3 });
        equal([done.status, done.notes], ["completed", [{ type: "info", text: "3 of lemon & lime" }]]);
        // It is over, and slixmpp takes this for a new beginning: that is no answer to what was asked.
        await fails(client.call("commands.next", again), { code: "protocol-violation" });
        const other_ = await client.call("commands.execute", other.jid, "cake");
        ok(other_.sessionId !== first.sessionId, "an execution of its own");
        equal((await client.call("commands.cancel", other_)).status, "canceled");
      },
    },
  ],
};
