"""What people by other hands share: connections by slixmpp, straight to the server over TCP, past all mischief.

Their argument is a JSON object with `port`, that of XMPP over TCP on loopback, and `password`; orders come on stdin, a JSON object a
line, and end with it.
"""

import asyncio
import inspect
import json
import logging
import os
import sys
from xml.etree import ElementTree

from slixmpp import ClientXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

MAM = "{urn:xmpp:mam:2}"
RSM = "{http://jabber.org/protocol/rsm}"
PAGE = 250
SETTINGS = json.loads(sys.argv[1])


def say(**what):
    try:
        print(json.dumps(what), flush=True)
    except BrokenPipeError:
        os._exit(1)


class Client(ClientXMPP):
    """One connection, and none after it."""

    def __init__(self, user, resource):
        super().__init__(f"{user}@localhost/{resource}", SETTINGS["password"])
        self.use_ipv6 = False
        self.default_port = SETTINGS["port"]
        self.started = self.loop.create_future()
        self.ended = self.loop.create_future()
        self.found = []
        self.add_event_handler("session_start", lambda _: settle(self.started, True))
        for event in ("disconnected", "failed_all_auth", "connection_failed"):
            self.add_event_handler(event, lambda _: (settle(self.started, False), settle(self.ended, None)))
        self.register_handler(Callback("archive", MatchXPath(f"{{jabber:client}}message/{MAM}result"), self.on_result))

    async def log_in(self):
        address = ("localhost", self.default_port)
        # Newer versions take two arguments in place of one pair.
        pair = "host" not in inspect.signature(ClientXMPP.connect).parameters
        how = {"use_ssl": False, "force_starttls": False, "disable_starttls": True}
        known = inspect.signature(super().connect).parameters
        how = {name: value for name, value in how.items() if name in known}
        self.enable_starttls = self.enable_plaintext = True
        self.connect(address, **how) if pair else self.connect(*address, **how)
        try:
            return await asyncio.wait_for(asyncio.shield(self.started), 10)
        except asyncio.TimeoutError:
            return False

    def give_up(self):
        """It would try again by itself."""
        self.cancel_connection_attempt()
        self.abort()

    def on_result(self, message):
        result = message.xml.find(f"{MAM}result")
        inner = result.find(".//{jabber:client}message")
        body = inner.find("{jabber:client}body")
        if body is not None:
            self.found.append([result.get("id"), inner.get("from"), body.text])

    async def read(self, archive=None):
        """All messages with a body of an archive, oldest first; nobody's is the account's own."""
        self.found, after = [], ""
        while True:
            query = ElementTree.Element(f"{MAM}query")
            rsm = ElementTree.SubElement(query, f"{RSM}set")
            ElementTree.SubElement(rsm, f"{RSM}max").text = str(PAGE)
            if after:
                ElementTree.SubElement(rsm, f"{RSM}after").text = after
            iq = self.make_iq_set(ito=archive)
            iq.append(query)
            fin = (await iq.send(timeout=60)).xml.find(f"{MAM}fin")
            last = fin.find(f".//{RSM}last")
            if fin.get("complete") in ("true", "1") or last is None or not last.text:
                return self.found
            after = last.text


def settle(future, value):
    if not future.done():
        future.set_result(value)


async def server_is_there():
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", SETTINGS["port"])
            writer.close()
            return
        except OSError:
            await asyncio.sleep(0.1)


async def obey(carry_out):
    """Carries out each order, one after the other."""
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await carry_out(json.loads(line))


async def read(user, archive=None):
    """An archive as that user reads it, however often that has to be tried."""
    while True:
        await server_is_there()
        client = Client(user, "reader")
        if await client.log_in():
            try:
                return await client.read(archive)
            except Exception as error:
                print(f"reading {archive or user}'s archive: {error!r}", file=sys.stderr)
            finally:
                client.give_up()
        else:
            client.give_up()
        await asyncio.sleep(0.2)


def run(main):
    for noise in ("slixmpp", "asyncio"):
        logging.getLogger(noise).setLevel(logging.CRITICAL)
    asyncio.get_event_loop_policy().get_event_loop().run_until_complete(main())
