"""The other side, by other hands: slixmpp, straight to the server over TCP, past all mischief.

Its argument is a JSON object with `port`, that of XMPP over TCP on loopback, and `password`. It is bob@localhost, comes back
whenever the server does, and does what stdin tells it, a JSON object a line:

  {"send": [first, last]}   sends alice the messages `b first` to `b last`, each once, as soon as it is online
  {"read": user}            reads that user's whole archive (XEP-0313) and says {"archive": user, "items": [[id, from, body], …]},
                            oldest first

It says {"online": true} and {"online": false} as that changes, and ends with stdin. A message that it hands to a server that
dies may be lost: what counts is what the archive has.
"""

import asyncio

from hands import Client, obey, read, run, say, server_is_there


class Peer:
    def __init__(self):
        self.client = None
        self.waiting = []

    async def stay(self):
        while True:
            await server_is_there()
            client = Client("bob", "by-other-hands")
            if await client.log_in():
                client.send_presence()
                self.client = client
                say(online=True)
                for first, last in self.waiting:
                    self.send(first, last)
                self.waiting = []
                await client.ended
                self.client = None
                say(online=False)
            else:
                client.give_up()
                await asyncio.sleep(0.2)

    def send(self, first, last):
        for number in range(first, last + 1):
            message = self.client.make_message("alice@localhost", mbody=f"b {number}", mtype="chat")
            message["id"] = f"b-{number}"
            message.send()

    async def carry_out(self, order):
        if "send" in order:
            first, last = order["send"]
            if self.client is None:
                self.waiting.append((first, last))
            else:
                self.send(first, last)
        else:
            user = order["read"]
            say(archive=user, items=await read(user))


async def main():
    peer = Peer()
    staying = asyncio.ensure_future(peer.stay())
    await obey(peer.carry_out)
    staying.cancel()


run(main)
