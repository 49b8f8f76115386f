//! What is said in a room: XEP-0045 §7.4, its history (§7.2.13) and its subject (§7.2.15, §8.1).

use super::room::Phase;
use super::told::{Config, Moderated, Moderation, News, Subject};
use super::{MODERATE, MUC_USER, RETRACT, Rooms, presence};
use crate::im::chat::{self, Message, MessageType};
use crate::im::{Ctx, Event, Facts, Flow};
use crate::jid::Jid;
use crate::stanza::{Stamp, delay};
use crate::stream::ns;
use crate::xml::Element;

/// What makes it worth asking again what the room can (§10.2.1).
const CONFIGURED: [u16; 5] = [104, 170, 171, 172, 173];

impl Rooms {
    pub(super) fn message(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if self.entry(cx, stanza) {
            return Flow::Taken;
        }
        let kind = chat::kind(stanza);
        let from = stanza.attr("from").and_then(|from| Jid::parse(from).ok());
        let Some(from) = from else {
            // A room has an address.
            return if kind == MessageType::Groupchat { Flow::Taken } else { Flow::Next };
        };
        let now = cx.now();
        let known = cx.facts.rooms.get_mut(&from);
        if let Some(room) = known
            && room.is_in
        {
            room.sure = now;
        }
        if kind != MessageType::Groupchat {
            self.configured(cx, &from, stanza);
            return Flow::Next;
        }
        // What a room says that we aren't in is nobody's, and what comes before it has let us in isn't for us. An earlier page may
        // have left the session in a room.
        let told = cx.facts.rooms.get(&from).is_some_and(|room| match room.stage {
            Phase::Leaving => false,
            _ => room.is_in || room.restored,
        });
        if told && !self.hold(cx, &from, stanza) {
            self.say(cx, &from, stanza, None);
        }
        Flow::Taken
    }

    /// The room says that it has been configured.
    fn configured(&mut self, cx: &mut Ctx<'_>, from: &Jid, stanza: &Element) {
        // Nobody else than the room itself, who has no nickname.
        if from.is_full() || !cx.facts.rooms.is_in(from) || stanza.attr("type") == Some("error") {
            return;
        }
        let codes = presence::codes(stanza.child("x", MUC_USER));
        if codes.is_empty() {
            return;
        }
        if codes.iter().any(|code| CONFIGURED.contains(code)) {
            self.ask_features(cx, from);
        }
        let room = from.as_str().to_owned();
        let kind = "configuration";
        cx.emit(Event::Rooms(News::Config(Config { room, kind, codes })));
    }

    /// Tells of a message of a room's: as it came, or as its archive has it, with an id and the time when it was put there.
    pub(super) fn say(&mut self, cx: &mut Ctx<'_>, from: &Jid, stanza: &Element, kept: Option<(String, Option<Stamp>)>) {
        let account = cx.account().clone();
        let now = cx.now();
        let archived = kept.is_some();
        if !archived {
            self.configured(cx, from, stanza);
        }
        let Some(room) = cx.facts.rooms.get_mut(from) else { return };
        // XEP-0203 §4: anybody can write a time into a message; it counts from the room, and as long as it tells its history.
        let delay = delay(stanza).filter(|_| room.history_open && by_room(stanza, from));
        if delay.is_none() && !archived {
            room.history_open = false;
        }
        // §8.1.
        let subject = stanza.child_text("subject", ns::CLIENT);
        let is_subject = stanza.child("body", ns::CLIENT).is_none() && stanza.child("thread", ns::CLIENT).is_none();
        if let Some(subject) = subject.filter(|_| is_subject) {
            if !archived {
                // §7.2.15: the history is over.
                room.history_open = false;
                room.subject = Some(subject.clone()).filter(|subject| !subject.is_empty());
                let news = Subject {
                    room: room.jid.as_str().to_owned(),
                    kind: "subject",
                    subject,
                    nick: from.resource().map(str::to_owned),
                    delay,
                };
                cx.emit(Event::Rooms(News::Subject(news)));
            }
            return;
        }
        // XEP-0425 §5: nobody else than the room can take back what others have said.
        if from.is_full() && moderation(stanza).is_some() {
            return;
        }
        let Some(mut message) = chat::read(stanza, &account) else { return };
        if message.kind != MessageType::Groupchat {
            return;
        }
        let live = delay.is_none() && !archived;
        message.delay = delay;
        if !room.can().stanza_ids && !room.can().archive {
            message.stanza_id = None;
        }
        if let Some((id, stamp)) = kept {
            message.stanza_id = Some(id);
            message.delay = stamp.or(message.delay.take());
        }
        let key = match (&message.stanza_id, &message.id) {
            (Some(id), _) => Some(id.clone()),
            (None, Some(id)) => Some([from.as_str(), "\u{1f}", id].concat()),
            (None, None) => None,
        };
        // The room's ids are its own; those of a sender's may be used again.
        let first = key.is_none_or(|key| room.note(&key));
        if !first && (message.stanza_id.is_some() || !live) {
            return;
        }
        if let Some(id) = &message.stanza_id {
            room.last = Some(id.clone());
        }
        room.heard = Some(now);
        cx.changed();
        mark(cx.facts, from, &mut message, live);
        let moderated = message.moderation.clone().zip(message.retracts.clone());
        let told = chat::tell(cx, message, archived);
        if let Some((moderation, retracts)) = moderated.filter(|_| told) {
            let Moderation { by, occupant_id, reason } = moderation;
            let moderated = Moderated {
                room: from.bare_str().to_owned(),
                kind: "moderation",
                stanza_id: retracts.0,
                by,
                occupant_id,
                reason,
            };
            cx.emit(Event::Rooms(News::Moderated(moderated)));
        }
    }
}

/// Says of a message that came from a room that it did, and who in it has sent it.
pub(in crate::im) fn mark(facts: &Facts, from: &Jid, message: &mut Message, live: bool) {
    message.room = Some(from.bare_str().to_owned());
    // XEP-0172 has no place in rooms: there is a nickname already, and nobody has it twice.
    message.nick = from.resource().map(|nick| crate::im::nick::Nick(nick.to_owned()));
    let Some(room) = facts.rooms.get(from) else {
        message.occupant_id = None;
        return;
    };
    message.occupant_id.take_if(|_| !room.can().occupant_ids);
    let id = message.occupant_id.as_deref();
    let own = room.occupants.get(&room.nick);
    let own_id = own.and_then(|own| own.occupant.occupant_id.as_deref());
    let is_own = match id {
        Some(id) => own_id == Some(id),
        None => live && from.resource() == Some(&room.nick),
    };
    if from.is_full() {
        message.author = Some(room.author(from, id, live));
    }
    message.own = (is_own && from.is_full()).then_some(true);
}

/// The same of one that an occupant and we have for ourselves (§7.5): all that comes from the address of one is that, whatever it says.
pub(in crate::im) fn mark_private(facts: &Facts, message: &mut Message, live: bool) {
    if message.kind == MessageType::Groupchat || message.kind == MessageType::Headline {
        return;
    }
    let [from, to] = [&message.from, &message.to].map(|jid| Jid::parse(jid).ok().filter(|jid| facts.rooms.is_in(jid)));
    match (from, to) {
        (Some(from), _) if from.is_full() => {
            mark(facts, &from, message, live);
            message.own = None;
            message.occupant = (message.kind != MessageType::Error).then_some(true);
        }
        // What the room itself says, an error say.
        (Some(from), _) => message.room = Some(from.as_str().to_owned()),
        // What another client of ours has said there.
        (None, Some(to)) if to.is_full() => {
            message.room = Some(to.bare_str().to_owned());
            message.occupant = Some(true);
        }
        _ => {}
    }
}

/// Whether a message's time is that of the room, as far as it says by whom it is.
fn by_room(stanza: &Element, room: &Jid) -> bool {
    let by = stanza.child("delay", "urn:xmpp:delay").and_then(|delay| delay.attr("from"));
    by.is_none_or(|by| Jid::parse(by).is_ok_and(|by| by.as_str() == room.bare_str() || by.as_str() == room.domain()))
}

/// Who has had a message taken back, in what the room says of that (XEP-0425 §4).
pub(in crate::im) fn moderation(message: &Element) -> Option<Moderation> {
    let retract = message.child("retract", RETRACT)?;
    let moderated = retract.child("moderated", MODERATE)?;
    Some(Moderation {
        by: moderated.attr("by").map(str::to_owned),
        occupant_id: presence::occupant_id(moderated).map(str::to_owned),
        // Some servers write it in the other namespace.
        reason: retract.child_text("reason", RETRACT).or(retract.child_text("reason", MODERATE)),
    })
}
