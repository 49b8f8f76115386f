"""The other person, by other hands: slixmpp, straight to the server over TCP on loopback.

Its argument is a JSON object with `jid`, `password` and `port`. It says one JSON object a line: first `{"online": jid, "features": […]}`,
the features of the stream that it has met; then `{"event": name, "xml": tree, "read": value}` for each of EVENTS, where `read` is what
slixmpp itself makes of it. It does what stdin tells it, an object a line, each with an `id`, and answers `{"id", "value"}` or
`{"id", "error", "xml"}`:

  {"call": ["xep_0092", "get_version"], "args": […], "kw": {…}}   a method of a plugin's, or, with one word, of the client's own
  {"send": xml}                                                    a stanza as it is
  {"iq": xml}                                                      the same, and its answer, also where that is an error
  {"flood": to, "count": n}                                        so many messages, `1` to `n`

A tree is {name, attrs, children} with a namespace on each element. Bytes are {"$bytes": base64}, times {"$date": ISO 8601}, XML
among the arguments is {"$xml": text}. It logs out when stdin ends.
"""

import asyncio
import base64
import datetime
import inspect
import json
import logging
import os
import sys
from xml.etree import ElementTree

# Also what it says while it is loaded.
logging.disable(logging.CRITICAL)

from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout, XMPPError
from slixmpp.xmlstream import ElementBase
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

SETTINGS = json.loads(sys.argv[1])

PLUGINS = {
    "xep_0004": {}, "xep_0012": {}, "xep_0030": {}, "xep_0045": {}, "xep_0049": {}, "xep_0054": {}, "xep_0059": {}, "xep_0060": {}, "xep_0066": {},
    "xep_0084": {}, "xep_0085": {}, "xep_0092": {"software_name": "by other hands", "version": "1.0", "os": "any"}, "xep_0115": {},
    "xep_0153": {}, "xep_0163": {}, "xep_0172": {}, "xep_0184": {}, "xep_0191": {}, "xep_0199": {}, "xep_0203": {},
    "xep_0280": {}, "xep_0297": {}, "xep_0308": {}, "xep_0313": {}, "xep_0333": {}, "xep_0334": {}, "xep_0359": {}, "xep_0444": {},
    "xep_0461": {}, "xep_0249": {},
}

# What is told, and what slixmpp reads in it.
EVENTS = {
    "message": lambda stanza: stanza["body"],
    "message_error": lambda stanza: stanza["error"]["condition"],
    "message_correction": lambda stanza: stanza["replace"]["id"],
    "message_reply": lambda stanza: [stanza["reply"]["id"], str(stanza["reply"]["to"])],
    "reactions": lambda stanza: [stanza["reactions"]["id"], sorted(stanza["reactions"].get_values(all_chars=True))],
    "receipt_received": lambda stanza: stanza["receipt"],
    "marker_received": lambda stanza: stanza["received"]["id"],
    "marker_displayed": lambda stanza: stanza["displayed"]["id"],
    "marker_acknowledged": lambda stanza: stanza["acknowledged"]["id"],
    "chatstate": lambda stanza: stanza["chat_state"],
    "carbon_received": lambda stanza: stanza["carbon_received"]["body"],
    "carbon_sent": lambda stanza: stanza["carbon_sent"]["body"],
    "presence": lambda stanza: [stanza["type"], stanza["status"], stanza["priority"]],
    "presence_subscribe": lambda stanza: [stanza["status"], stanza["nick"] if "nick" in stanza.interfaces else stanza["nick"]["nick"]],
    "presence_subscribed": lambda stanza: str(stanza["from"]),
    "presence_unsubscribe": lambda stanza: str(stanza["from"]),
    "presence_unsubscribed": lambda stanza: str(stanza["from"]),
    "roster_update": lambda stanza: {
        str(jid): {**item, "groups": sorted(item["groups"])} for jid, item in stanza["roster"]["items"].items()
    },
    "blocked": lambda stanza: sorted(str(jid) for jid in stanza["block"]["items"]),
    "unblocked": lambda stanza: sorted(str(jid) for jid in stanza["unblock"]["items"]),
    "avatar_metadata_publish": lambda stanza: [info["id"] for info in stanza["pubsub_event"]["items"]["item"]["avatar_metadata"]["items"]],
    "user_nick_publish": lambda stanza: stanza["pubsub_event"]["items"]["item"]["nick"]["nick"],
    "vcard_avatar_update": lambda stanza: stanza["vcard_temp_update"]["photo"],
    "groupchat_direct_invite": lambda stanza: [str(stanza["groupchat_invite"]["jid"]), stanza["groupchat_invite"]["reason"], stanza["groupchat_invite"]["password"]],
    "pubsub_publish": lambda stanza: stanza["pubsub_event"]["items"]["item"]["id"],
    "pubsub_retract": lambda stanza: stanza["pubsub_event"]["items"]["retract"]["id"],
    "pubsub_purge": lambda stanza: stanza["pubsub_event"]["purge"]["node"],
    "pubsub_delete": lambda stanza: stanza["pubsub_event"]["delete"]["node"],
}


def say(**what):
    try:
        print(json.dumps(what), flush=True)
    except BrokenPipeError:
        os._exit(1)


def tree(element):
    """An element, with a namespace on each."""
    namespace, _, name = element.tag.rpartition("}")
    children = [element.text] if element.text else []
    for child in element:
        children.append(tree(child))
        if child.tail:
            children.append(child.tail)
    return {"name": name, "attrs": {"xmlns": namespace[1:], **element.attrib}, "children": children}


def packed(value):
    """What JSON can carry of it."""
    if isinstance(value, ElementBase):
        return tree(value.xml)
    if isinstance(value, ElementTree.Element):
        return tree(value)
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return {"$date": value.isoformat()}
    if isinstance(value, dict):
        return {str(key): packed(each) for key, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(str(each) for each in value)
    if isinstance(value, (list, tuple)):
        return [packed(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def unpacked(value):
    if isinstance(value, list):
        return [unpacked(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return base64.b64decode(value["$bytes"])
    if "$date" in value:
        return datetime.datetime.fromisoformat(value["$date"].replace("Z", "+00:00"))
    if "$xml" in value:
        return ElementTree.fromstring(value["$xml"])
    if "$jid" in value:
        return JID(value["$jid"])
    return {key: unpacked(each) for key, each in value.items()}


class Client(ClientXMPP):
    def __init__(self):
        super().__init__(SETTINGS["jid"], SETTINGS["password"])
        self.use_ipv6 = False
        self.default_port = SETTINGS["port"]
        # The rows say who may see whom.
        self.auto_authorize = None
        self.auto_subscribe = False
        for plugin, config in PLUGINS.items():
            self.register_plugin(plugin, config)
        self.started = self.loop.create_future()
        self.under_way = set()
        self.add_event_handler("session_start", lambda _: self.started.done() or self.started.set_result(None))
        for event in ("failed_all_auth", "connection_failed"):
            self.add_event_handler(event, lambda reason, event=event: self.give_up(f"{event}: {reason}"))
        self.add_event_handler("disconnected", lambda _: os._exit(0))
        for event, read in EVENTS.items():
            self.add_event_handler(event, lambda stanza, event=event, read=read: self.tell(event, stanza, read))
        # slixmpp's own answer (XEP-0202) fails where it reads what it has written.
        self.add_event_handler("session_bind", lambda _: self["xep_0030"].add_feature("urn:xmpp:time"))
        self.register_handler(Callback("time", MatchXPath("{jabber:client}iq/{urn:xmpp:time}time"), self.tell_time))
        # Also what has neither a body nor anything that slixmpp knows.
        self.register_handler(
            Callback("every presence", MatchXPath("{jabber:client}presence"), lambda it: self.tell("any_presence", it, lambda _: None))
        )
        self.register_handler(Callback("every message", MatchXPath("{jabber:client}message"), lambda it: self.tell("any", it, lambda _: None)))
        # Also of those in a room that it doesn't know itself to be in.
        self.register_handler(Callback("every presence", MatchXPath("{jabber:client}presence"), lambda it: self.tell("there", it, lambda _: None)))

    def tell(self, event, stanza, read):
        try:
            value = read(stanza)
        except Exception as error:
            value = f"{type(error).__name__}: {error}"
        say(event=event, xml=tree(stanza.xml), read=packed(value))

    def tell_time(self, iq):
        if iq["type"] != "get":
            return
        answer = iq.reply(clear=True)
        time = ElementTree.SubElement(answer.xml, "{urn:xmpp:time}time")
        ElementTree.SubElement(time, "{urn:xmpp:time}tzo").text = "+02:00"
        now = datetime.datetime.now(datetime.timezone.utc)
        ElementTree.SubElement(time, "{urn:xmpp:time}utc").text = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        answer.send()

    def log_in(self):
        address = ("localhost", self.default_port)
        # Newer versions take two arguments in place of one pair.
        known = inspect.signature(super().connect).parameters
        pair = "host" not in inspect.signature(ClientXMPP.connect).parameters
        how = {"use_ssl": False, "force_starttls": False, "disable_starttls": True}
        how = {name: value for name, value in how.items() if name in known}
        self.enable_starttls = self.enable_plaintext = True
        self.connect(address, **how) if pair else self.connect(*address, **how)

    async def obey(self):
        reader = asyncio.StreamReader(limit=1 << 24)
        await self.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            # What nobody refers to is collected, and never done.
            task = asyncio.ensure_future(self.carry_out(json.loads(line)))
            self.under_way.add(task)
            task.add_done_callback(self.under_way.discard)

    async def carry_out(self, order):
        try:
            say(id=order["id"], value=packed(await self.value(order)))
        except XMPPError as error:
            stanza = getattr(error, "iq", None)
            say(id=order["id"], error=str(error.condition), xml=stanza is not None and tree(stanza.xml))
        except IqTimeout:
            say(id=order["id"], error="no answer")
        except Exception as error:
            say(id=order["id"], error=f"{type(error).__name__}: {error}")

    async def value(self, order):
        if "send" in order:
            return self.send_raw(order["send"])
        if "iq" in order:
            iq = self.Iq(xml=ElementTree.fromstring(order["iq"]))
            try:
                return await iq.send(timeout=10)
            except IqError as error:
                return error.iq
        if "flood" in order:
            for number in range(1, order["count"] + 1):
                message = self.make_message(order["flood"], mbody=str(number), mtype="chat")
                message["id"] = f"flood-{number}"
                message.send()
            # Answered behind them all.
            await self["xep_0199"].ping(JID(self.boundjid.domain), timeout=120)
            return None
        *plugin, method = order["call"]
        method = getattr(self[plugin[0]] if plugin else self, method)
        value = method(*unpacked(order.get("args", [])), **unpacked(order.get("kw", {})))
        if inspect.isasyncgen(value):
            return [each async for each in value]
        return await value if inspect.isawaitable(value) else value

    def give_up(self, why):
        print(f"slixmpp, {SETTINGS['jid']}: {why}", file=sys.stderr)
        os._exit(1)


async def main():
    client = Client()
    client.log_in()
    await client.started
    await client.get_roster()
    client.send_presence(ppriority=SETTINGS.get("priority"))
    say(online=str(client.boundjid), features=sorted(client.features))
    await client.obey()
    # slixmpp's own way out takes seconds.
    client.send_raw("</stream:stream>")
    await asyncio.sleep(0.1)
    os._exit(0)


asyncio.get_event_loop_policy().get_event_loop().run_until_complete(main())
