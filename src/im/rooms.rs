//! Rooms that many talk in, XEP-0045 1.35.5 (3 May 2026): entering and leaving them, who is there, and what is said there. With
//! XEP-0410 1.1.0 (is one still in?), XEP-0421 1.0.1 (who is it, whatever the nickname?), XEP-0425 0.3.0 (messages taken back by the
//! room), and the room's own archive for what was missed (XEP-0313).
//!
//! What a `Room` is stands in the facts: who may say what of whose messages (`known.rs`) depends on who is there. The room is the
//! authority for all that comes from its address, and nobody else for anything of it: what comes from a room that we aren't in is
//! dropped, and what others say of rooms, in whatever element, changes nothing.
//!
//! A room that has lost us is entered again: after a lost session, after its shutdown or an error, and where it answers a ping by
//! saying that we aren't there. What was said meanwhile comes from its archive, or else from its history.
//!
//! What is done to rooms and their occupants is the matter of features of their own: `room_admin`, `room_registration`, `room_info`,
//! `voice_requests` and `invitations`.

mod alive;
mod api;
mod given;
mod messages;
mod missed;
mod presence;
pub(super) mod room;
mod told;

pub use given::{Command, Entry};
pub use room::Joined;
pub(super) use messages::{mark, mark_private, moderation};
pub(super) use presence::{occupant_id, own};
pub use told::{Config, Moderated, Moderation, News, Occupancy, Occupant, Reply, Said, State, Subject, Which};

use super::{Call, Config as Options, Ctx, Event, Feature, Flow, chat};
use crate::error::{Code, Error, Phase};
use crate::given::Args;
use crate::jid::Jid;
use crate::session::{Status, Ticket, Token};
use crate::stream::ns;
use crate::xml::{self, Element};
use room::{Phase as Stage, Room};

const MUC: &str = "http://jabber.org/protocol/muc";
pub(super) const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
const MODERATE: &str = "urn:xmpp:message-moderate:1";
const RETRACT: &str = "urn:xmpp:message-retract:1";

/// Rooms.
#[derive(Debug, Default)]
pub struct Rooms {
    tokens: u32,
    /// What has been asked of which room, by its token.
    asked: Vec<(u32, Jid, Asked)>,
    /// The calls that an answer settles by itself.
    calls: Vec<Ticket>,
}

/// What a room, or its service, was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    /// What it can.
    Features,
    /// Whether we are in it.
    Ping,
    /// For a page of its archive.
    Page,
}

impl Feature for Rooms {
    type Command = Command;
    type Reply = Reply;
    type Event = News;

    const NAME: &'static str = "rooms";

    const DISCO: &'static [&'static str] = &[MUC];

    const CALLS: &'static [Call] = &[
        Call::once("rooms.join", 2),
        Call::once("rooms.leave", 1),
        Call::once("room.send", 2),
        Call::once("room.sendPrivate", 3),
        Call::once("room.setSubject", 2),
        Call::once("room.changeNick", 2),
        Call::once("room.setPresence", 2),
        Call::once("room.moderate", 3),
        Call::once("room.leave", 1),
    ];

    fn new(_: &Options) -> Self {
        Rooms::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        given::read(name, args)
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let result = match command {
            Command::Join(room, entry) => self.join(cx, ticket, room, *entry),
            Command::Leave(room) => self.leave(cx, ticket, &room),
            Command::Send(room, message) => self.send(cx, ticket, &room, message),
            Command::Nick(room, nick) => self.change_nick(cx, ticket, &room, nick),
            Command::Presence(room, presence) => self.set_presence(cx, ticket, &room, presence),
            Command::Moderate(room, id, reason) => {
                let retract = Element::new("retract", RETRACT);
                let reason = reason.map(|reason| Element::new("reason", MODERATE).with_text(reason));
                let moderate = Element::new("moderate", MODERATE).with_attr("id", id);
                let moderate = moderate.with_child(retract).with_opt_child(reason);
                let asked = cx.ask(true, Some(room), moderate, Token::Call(ticket));
                asked.map(|()| self.calls.push(ticket))
            }
        };
        if let Err(error) = result {
            cx.reply(ticket, Err(error));
        }
        self.arm(cx);
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        // Of the other session nothing is left.
        self.asked.clear();
        for room in cx.facts.rooms.jids() {
            self.lose(cx, &room, "offline");
            if let Some(room) = cx.facts.rooms.get_mut(&room) {
                room.restored = false;
            }
            self.enter(cx, &room);
        }
        self.arm(cx);
    }

    fn on_resumed(&mut self, cx: &mut Ctx<'_>, restored: bool, lost: bool) {
        for jid in cx.facts.rooms.jids() {
            let Some(room) = cx.facts.rooms.get(&jid) else { continue };
            match room.stage {
                // Whoever was told who is there was an earlier page, or its request has never left.
                Stage::Rejoining | Stage::Joining if restored || lost || !room.entering => self.enter(cx, &jid),
                // XEP-0410 §3.
                Stage::Joined if lost => self.ping(cx, &jid),
                _ => {}
            }
        }
        self.arm(cx);
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        let flow = if stanza.is("presence", ns::CLIENT) {
            self.presence(cx, stanza)
        } else if stanza.is("message", ns::CLIENT) {
            self.message(cx, stanza)
        } else {
            Flow::Next
        };
        if flow == Flow::Taken {
            self.arm(cx);
        }
        flow
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        match token {
            Token::Call(ticket) => {
                if let Some(place) = self.calls.iter().position(|call| *call == ticket) {
                    self.calls.swap_remove(place);
                    cx.reply(ticket, result.map(|_| super::Reply::Rooms(Reply::Done)));
                }
            }
            Token::Own(token) => {
                let Some(place) = self.asked.iter().position(|(asked, ..)| *asked == token) else {
                    return;
                };
                let (_, room, asked) = self.asked.swap_remove(place);
                match asked {
                    Asked::Features => self.learn(cx, &room, result),
                    Asked::Ping => self.pinged(cx, &room, result),
                    Asked::Page => self.page(cx, &room, result),
                }
                self.arm(cx);
            }
        }
    }

    fn on_cancelled(&mut self, cx: &mut Ctx<'_>, ticket: Ticket) {
        self.calls.retain(|call| *call != ticket);
        for jid in cx.facts.rooms.jids() {
            let Some(room) = cx.facts.rooms.get_mut(&jid) else { continue };
            room.renaming.take_if(|renaming| renaming.ticket == ticket);
            room.unsent.retain(|(waiting, _)| *waiting != ticket);
            if room.ticket == Some(ticket) {
                room.ticket = None;
                match room.stage {
                    // It may let us in yet.
                    Stage::Joining if room.entering => self.withdraw(cx, &jid),
                    Stage::Joining => self.out(cx, &jid, State::left(&jid, "left")),
                    _ => {}
                }
            }
        }
        self.arm(cx);
    }

    fn on_wake(&mut self, cx: &mut Ctx<'_>) {
        self.look(cx);
        self.arm(cx);
    }

    fn on_timer(&mut self, cx: &mut Ctx<'_>) {
        self.due(cx);
        self.arm(cx);
    }

    fn save_with(&self, facts: &super::Facts) -> Option<String> {
        let mut saved = Element::new("rooms", MUC);
        for room in facts.rooms.iter().filter(|room| room.stage != Stage::Leaving) {
            let room = Element::new("room", MUC)
                .with_attr("jid", room.jid.as_str())
                .with_attr("nick", room.nick.as_str())
                .with_opt_attr("can", room.features.map(room::Features::save))
                .with_opt_attr("last", room.last.clone());
            saved = saved.with_child(room);
        }
        xml::write(&saved).ok()
    }

    fn restore(&mut self, cx: &mut Ctx<'_>, saved: &str) {
        let Ok(saved) = xml::read(saved, &xml::Limits::default()) else {
            return;
        };
        for saved in saved.all("room", MUC) {
            if let (Some(jid), Some(nick)) = (saved.attr("jid").and_then(|jid| Jid::parse(jid).ok()), saved.attr("nick"))
                && cx.facts.rooms.get(&jid).is_none()
            {
                let mut room = Room::new(jid, nick.to_owned());
                room.stage = Stage::Rejoining;
                room.last = saved.attr("last").map(str::to_owned);
                room.features = saved.attr("can").map(room::Features::restore);
                room.restored = true;
                let state = State::of(&room, "rejoining");
                cx.facts.rooms.insert(room);
                cx.emit(Event::Rooms(News::State(Box::new(state))));
            }
        }
    }

    fn on_offline(&mut self, cx: &mut Ctx<'_>) {
        self.asked.clear();
        let ended = cx.status() == Status::Offline;
        for jid in cx.facts.rooms.jids() {
            if ended {
                self.out(cx, &jid, State::left(&jid, "offline"));
            } else {
                self.lose(cx, &jid, "offline");
            }
        }
        cx.set_timer(None);
    }
}

impl Rooms {
    fn join(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, jid: Jid, entry: Entry) -> Result<(), Error> {
        if cx.status() == Status::Offline || cx.status() == Status::Connecting {
            return Err(offline());
        }
        match cx.facts.rooms.get(&jid) {
            Some(room) if room.stage == Stage::Joined => {
                if room.nick != entry.nick {
                    let message = "we are in this room already, by another nickname";
                    let error = Error::new(Code::InvalidState, Phase::Stanza, message);
                    return Err(error.with_hint("`room.changeNick()` takes another nickname."));
                }
                cx.reply(ticket, Ok(super::Reply::Rooms(Reply::room(&jid))));
                return Ok(());
            }
            Some(room) if room.ticket.is_some() => {
                let message = "the room is being entered or left already";
                return Err(Error::new(Code::InvalidState, Phase::Stanza, message));
            }
            // It is entered again by itself, and tells what was missed.
            Some(room) if room.stage == Stage::Rejoining && room.nick == entry.nick => {
                let enters = !room.entering && matches!(cx.status(), Status::Online | Status::Verifying);
                if let Some(room) = cx.facts.rooms.get_mut(&jid) {
                    room.ticket = Some(ticket);
                    room.password = entry.password.or(room.password.take());
                }
                if enters {
                    self.enter(cx, &jid);
                }
                return Ok(());
            }
            _ => {}
        }
        let known = cx.facts.rooms.remove(&jid);
        let mut room = Room::new(jid.clone(), entry.nick);
        if let Some(known) = known {
            // Whoever leaves and comes back is somebody else, unless the room says who they are.
            room.remember(known);
        }
        room.password = entry.password;
        room.history = entry.history;
        room.ticket = Some(ticket);
        let state = State::of(&room, "joining");
        cx.facts.rooms.insert(room);
        cx.emit(Event::Rooms(News::State(Box::new(state))));
        self.enter(cx, &jid);
        Ok(())
    }

    fn leave(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, jid: &Jid) -> Result<(), Error> {
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return Err(absent()) };
        let call = room.ticket.replace(ticket);
        let entered = room.entering;
        if room.stage == Stage::Leaving {
            if let Some(call) = call {
                cx.reply(call, Ok(super::Reply::Rooms(Reply::Done)));
            }
            return Ok(());
        }
        if let Some(call) = call {
            let message = "the room was left before we were in it";
            cx.reply(call, Err(Error::new(Code::Aborted, Phase::Stanza, message)));
        }
        if !entered || cx.status() == Status::Reconnecting {
            // The room doesn't know of us, or won't when there is a connection again.
            self.out(cx, jid, State::left(jid, "left"));
        } else {
            self.withdraw(cx, jid);
        }
        Ok(())
    }

    fn send(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, jid: &Jid, message: Box<chat::OutgoingMessage>) -> Result<(), Error> {
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return Err(absent()) };
        match room.stage {
            Stage::Joined => {
                chat::send(cx, ticket, message, super::Reply::Chat);
                Ok(())
            }
            Stage::Leaving => Err(absent()),
            _ if room.unsent.len() >= room::UNSENT => {
                let message = "too much waits for the room already";
                Err(Error::new(Code::QueueFull, Phase::Stanza, message))
            }
            _ => {
                room.unsent.push((ticket, message));
                Ok(())
            }
        }
    }

    fn change_nick(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, jid: &Jid, nick: String) -> Result<(), Error> {
        let id = cx.id();
        let room = joined(cx, jid)?;
        if room.renaming.is_some() {
            let message = "another nickname has been asked for already";
            return Err(Error::new(Code::InvalidState, Phase::Stanza, message));
        }
        let to = jid.with_resource(&nick).map_err(|_| given::no_nick())?;
        let nick = to.resource().unwrap_or_default().to_owned();
        if nick == room.nick {
            cx.reply(ticket, Ok(super::Reply::Rooms(Reply::Nick(nick))));
            return Ok(());
        }
        let said = room.presence.clone();
        let presence = own(cx, &to, said.as_ref()).with_attr("id", id.as_str());
        cx.send(&presence)?;
        if let Some(room) = cx.facts.rooms.get_mut(jid) {
            let from = room.nick.clone();
            room.renaming = Some(room::Renaming { ticket, id, from });
        }
        Ok(())
    }

    fn set_presence(
        &mut self,
        cx: &mut Ctx<'_>,
        ticket: Ticket,
        jid: &Jid,
        presence: super::presence::PresenceInit,
    ) -> Result<(), Error> {
        let to = joined(cx, jid)?.address();
        let stanza = own(cx, &to, Some(&presence));
        cx.send(&stanza)?;
        if let Some(room) = cx.facts.rooms.get_mut(jid) {
            room.presence = Some(presence);
        }
        cx.reply(ticket, Ok(super::Reply::Rooms(Reply::Done)));
        Ok(())
    }

    fn token(&mut self, room: &Jid, asked: Asked) -> Token {
        self.tokens = self.tokens.wrapping_add(1);
        self.asked.push((self.tokens, room.clone(), asked));
        Token::Own(self.tokens)
    }

    /// We are out of it, for good.
    fn out(&mut self, cx: &mut Ctx<'_>, jid: &Jid, state: State) {
        self.asked.retain(|(_, room, _)| room != jid);
        let Some(room) = cx.facts.rooms.remove(jid) else { return };
        cx.changed();
        let gone = |condition: Option<&str>| {
            let message = "we are no longer in the room";
            let error = Error::new(Code::NotDelivered, Phase::Stanza, message).with_retryable(false);
            match condition {
                Some(condition) => error.with_condition(condition.to_owned()),
                None => error,
            }
        };
        let error = gone(state.condition.as_deref());
        for (ticket, _) in room.unsent {
            cx.reply(ticket, Err(error.clone()));
        }
        if let Some(renaming) = room.renaming {
            cx.reply(renaming.ticket, Err(error.clone()));
        }
        if let Some(ticket) = room.ticket {
            let reply = match room.stage {
                Stage::Joining | Stage::Rejoining if state.reason != Some("left") => Err(error),
                _ => Ok(super::Reply::Rooms(Reply::Done)),
            };
            cx.reply(ticket, reply);
        }
        cx.emit(Event::Rooms(News::State(Box::new(state))));
    }
}

fn joined<'a>(cx: &'a mut Ctx<'_>, jid: &Jid) -> Result<&'a mut Room, Error> {
    let room = cx.facts.rooms.get_mut(jid);
    room.filter(|room| room.stage == Stage::Joined).ok_or_else(absent)
}

fn absent() -> Error {
    Error::new(Code::InvalidState, Phase::Stanza, "we are not in this room").with_hint("Call `client.rooms.join()` first.")
}

fn offline() -> Error {
    Error::new(Code::Offline, Phase::Session, "the client is not connected")
}
