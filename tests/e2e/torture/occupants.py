"""Three who are in a room, by other hands: carol, dave and erin. See hands.py.

Their settings have a `room` as well. Each comes back, and into the room, whenever the server does. They do:

  {"send": [user, first, last]}   says `USER first` to `USER last` in the room, each once, as soon as that user is in it
  {"report": true}                says {"occupants": {user: [nick, …]}, "heard": {user: [body, …]}}
  {"read": true}                  reads the room's archive (XEP-0313) and says {"archive": [[id, from, body], …]}, oldest first

They say {"inside": [user, …]} as that changes. What they hand to a server that dies may be lost: what counts is what the archive has.
"""

import asyncio

from slixmpp.xmlstream import ET

from hands import Client, SETTINGS, obey, read, run, say, server_is_there

ROOM = SETTINGS["room"]
MUC = "{http://jabber.org/protocol/muc}"
USER = "{http://jabber.org/protocol/muc#user}"
inside = set()


class Occupant:
    def __init__(self, user):
        self.user = user
        self.client = None
        self.waiting = []
        self.occupants = set()
        self.heard = []

    async def stay(self):
        while True:
            await server_is_there()
            client = Client(self.user, "by-other-hands")
            client.add_event_handler("presence", self.on_presence)
            client.add_event_handler("message", self.on_message)
            if await client.log_in():
                self.client = client
                self.enter()
                await client.ended
                self.client = None
                self.occupants.clear()
                inside.discard(self.user)
                say(inside=sorted(inside))
            else:
                client.give_up()
                await asyncio.sleep(0.2)

    def enter(self):
        presence = self.client.make_presence(pto=f"{ROOM}/{self.user}")
        join = ET.SubElement(presence.xml, f"{MUC}x")
        ET.SubElement(join, f"{MUC}history", maxstanzas="0")
        presence.send()

    def on_presence(self, presence):
        nick = presence["from"].resource
        # What the room says of itself is nobody's who is in it.
        if presence["from"].bare != ROOM or not nick or self.client is None:
            return
        codes = {status.get("code") for status in presence.xml.iter(f"{USER}status")}
        if presence["type"] == "error":
            # A ghost of the last connection, or a room that is not there yet.
            asyncio.get_running_loop().call_later(0.5, lambda: self.client and self.enter())
        elif presence["type"] == "unavailable":
            self.occupants.discard(nick)
            if "110" in codes:
                self.enter()
        else:
            self.occupants.add(nick)
            if "110" in codes and self.user not in inside:
                inside.add(self.user)
                say(inside=sorted(inside))
                for first, last in self.waiting:
                    self.send(first, last)
                self.waiting = []

    def on_message(self, message):
        if message["from"].bare == ROOM and message["type"] == "groupchat" and message["body"]:
            self.heard.append(message["body"])

    def send(self, first, last):
        if self.client is None or self.user not in inside:
            self.waiting.append((first, last))
            return
        for number in range(first, last + 1):
            message = self.client.make_message(ROOM, mbody=f"{self.user} {number}", mtype="groupchat")
            message["id"] = f"{self.user}-{number}"
            message.send()


async def main():
    occupants = {user: Occupant(user) for user in ("carol", "dave", "erin")}
    staying = [asyncio.ensure_future(occupant.stay()) for occupant in occupants.values()]

    async def carry_out(order):
        if "send" in order:
            user, first, last = order["send"]
            occupants[user].send(first, last)
        elif "report" in order:
            say(
                occupants={user: sorted(one.occupants) for user, one in occupants.items()},
                heard={user: one.heard for user, one in occupants.items()},
            )
        else:
            say(archive=await read("carol", ROOM))

    await obey(carry_out)
    for stays in staying:
        stays.cancel()


run(main)
