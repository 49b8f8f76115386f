"""A client by other hands, for two-way tests: slixmpp, over TCP with TLS, which it checks.

Its argument is a JSON object with `jid`, `password`, `port` and `authority`, the certificate to trust. It says one JSON object
a line: first `{"online": jid}`, then `{"from": jid, "body": text}` for each message. It sends what stdin tells it in the same
way, `{"to": jid, "body": text}`, and logs out at its end.
"""

import asyncio
import inspect
import json
import sys

from slixmpp import ClientXMPP


def say(**what):
    print(json.dumps(what), flush=True)


class Client(ClientXMPP):
    def __init__(self, jid, password, port, authority):
        super().__init__(jid, password)
        self.ca_certs = authority
        # It resolves names by itself, and then takes the port from here.
        self.use_ipv6 = False
        self.default_port = port
        self.over = self.loop.create_future()
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("message", lambda message: say(**{"from": str(message["from"]), "body": message["body"]}))
        for event in ("failed_all_auth", "connection_failed"):
            self.add_event_handler(event, lambda reason, event=event: self.give_up(f"{event}: {reason}"))
        self.add_event_handler("disconnected", lambda _: self.over.done() or self.over.set_result(None))
        address = ("localhost", port)
        # Newer versions take two arguments in place of one pair.
        self.connect(*address if "host" in inspect.signature(self.connect).parameters else (address,))

    async def on_start(self, _):
        self.send_presence()
        say(online=str(self.boundjid))
        self.loop.add_reader(sys.stdin, self.on_line)

    def on_line(self):
        line = sys.stdin.readline()
        if line:
            order = json.loads(line)
            self.send_message(mto=order["to"], mbody=order["body"], mtype="chat")
        else:
            self.loop.remove_reader(sys.stdin)
            self.disconnect()

    def give_up(self, why):
        print(f"slixmpp: {why}", file=sys.stderr)
        sys.exit(1)


async def main():
    await Client(**json.loads(sys.argv[1])).over


asyncio.run(main())
