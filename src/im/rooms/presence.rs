//! Who is in a room, and that we are: XEP-0045 §7.1 to §7.7, §7.14, and how it ends for others' reasons (§8.2, §9.1, §10.9, §11).

use super::room::{Features, Phase, Room, There};
use super::told::{News, Occupancy, Occupant, Reply, State};
use super::{Asked, MUC, MUC_USER, Rooms};
use crate::decimal::decimal;
use crate::error::{Code, Error};
use crate::im::presence::{self, PresenceInit};
use crate::im::{Ctx, Event, Flow, disco};
use crate::jid::Jid;
use crate::session::Status;
use crate::stanza::StanzaError;
use crate::stream::ns;
use crate::xml::Element;

const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";

/// How many bytes of somebody's words are kept.
const WORDS: usize = 1 << 10;

/// How many codes a stanza may have.
const CODES: usize = 20;

/// What a presence says of an occupant.
struct Seen {
    occupant: Occupant,
    codes: Vec<u16>,
    /// With a change of nickname, the new one.
    new_nick: Option<String>,
    by: Option<String>,
    text: Option<String>,
    /// The room is no more: where to go instead, with which password.
    destroyed: Option<(Option<String>, Option<String>)>,
}

impl Rooms {
    pub(super) fn presence(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        let Some(from) = stanza.attr("from").and_then(|from| Jid::parse(from).ok()) else {
            return Flow::Next;
        };
        if cx.facts.rooms.get(&from).is_none() {
            return Flow::Next;
        }
        match (stanza.attr("type"), from.resource()) {
            (Some("error"), _) => self.refused(cx, &from, stanza),
            (None, Some(nick)) => self.there(cx, &from, read(stanza, nick)),
            (Some("unavailable"), Some(nick)) => self.gone(cx, &from, read(stanza, nick)),
            // What a room says of itself is not of anybody in it.
            _ => return Flow::Next,
        }
        Flow::Taken
    }

    /// Says that we come in, where there is a connection.
    pub(super) fn enter(&mut self, cx: &mut Ctx<'_>, jid: &Jid) {
        if !matches!(cx.status(), Status::Online | Status::Verifying) {
            return;
        }
        let id = cx.id();
        let Some(room) = cx.facts.rooms.get(jid) else { return };
        let ask = room.features.is_none() && !room.asking;
        let history = self.wanted(cx, room);
        let room = cx.facts.rooms.get(jid);
        let Some((to, own, password)) = room.map(|room| (room.address(), room.presence.clone(), room.password.clone())) else {
            return;
        };
        if ask {
            self.ask_features(cx, jid);
        }
        let join = Element::new("x", MUC)
            .with_opt_child(password.map(|password| Element::new("password", MUC).with_text(password)))
            .with_opt_child(history);
        let presence = self::own(cx, &to, own.as_ref()).with_attr("id", id.as_str()).with_child(join);
        let sent = cx.send(&presence);
        let now = cx.now();
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        room.request = id;
        room.entering = true;
        room.is_in = false;
        room.occupants.clear();
        room.codes.clear();
        room.at = Some(now.after(super::alive::ANSWER));
        if let (Err(error), Some(ticket)) = (sent, room.ticket) {
            // What can't be said: the password, say.
            cx.reply(ticket, Err(error));
            if let Some(room) = cx.facts.rooms.get_mut(jid) {
                room.ticket = None;
            }
            self.out(cx, jid, State::left(jid, "refused"));
        }
    }

    /// How much of what was said before is wanted (§7.2.14).
    fn wanted(&self, cx: &Ctx<'_>, room: &Room) -> Option<Element> {
        let history = || Element::new("history", MUC);
        if room.stage == Phase::Joining {
            return room.history.clone();
        }
        // The archive tells it, or the session has never been without it.
        if room.restored || (room.last.is_some() && room.can().archive) {
            return Some(history().with_attr("maxstanzas", "0"));
        }
        // By the time that has gone by, and not by that of a clock: what comes twice is known.
        let heard = room.heard?;
        let seconds = i64::try_from(cx.now().since(heard) / 1_000 + 60).unwrap_or(i64::MAX);
        Some(history().with_attr("seconds", decimal(seconds)))
    }

    pub(super) fn ask_features(&mut self, cx: &mut Ctx<'_>, jid: &Jid) {
        let token = self.token(jid, Asked::Features);
        let asked = cx.ask(false, Some(jid.clone()), Element::new("query", disco::INFO), token);
        if let Some(room) = cx.facts.rooms.get_mut(jid) {
            room.asking = asked.is_ok();
        }
    }

    /// The room has said what it can, or won't.
    pub(super) fn learn(&mut self, cx: &mut Ctx<'_>, jid: &Jid, result: Result<Option<Element>, Error>) {
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        room.asking = false;
        match result {
            Ok(info) => {
                let info = info.filter(|info| info.is("query", disco::INFO));
                let has = |name| {
                    let mut features = info.iter().flat_map(|info| info.all("feature", disco::INFO));
                    features.any(|feature| feature.attr("var") == Some(name))
                };
                room.features = Some(Features {
                    occupant_ids: has(OCCUPANT_ID),
                    stanza_ids: has(crate::im::chat::SID),
                    archive: has(crate::im::archive::page::MAM),
                });
            }
            // It wasn't there before we came.
            Err(_) if !room.is_in => {}
            Err(error) if error.code() == Code::StanzaError || error.code() == Code::Timeout => {
                room.features.get_or_insert_default();
            }
            Err(_) => {}
        }
        self.settle(cx, jid);
    }

    /// Somebody is there, or is something else.
    fn there(&mut self, cx: &mut Ctx<'_>, from: &Jid, seen: Seen) {
        let has_place = cx.facts.rooms.has_place();
        let Some(room) = cx.facts.rooms.get_mut(from) else { return };
        if room.stage == Phase::Leaving || !room.entering {
            return;
        }
        // §7.2.2: the one presence that says that it is ours.
        let own = seen.codes.contains(&110);
        let nick = seen.occupant.nick.clone();
        let before = room.occupants.get(&nick);
        if before.is_none() && !own && !has_place {
            return;
        }
        let change = match before {
            Some(before) if before.occupant == seen.occupant => None,
            Some(_) => Some("changed"),
            None => Some("joined"),
        };
        let generation = before.map_or(room.generation, |before| before.generation);
        if before.is_none() {
            room.generation = room.generation.wrapping_add(1);
        }
        let occupant = seen.occupant;
        if own {
            room.nick.clone_from(&nick);
        }
        room.occupants.insert(&nick, There {
            occupant: occupant.clone(),
            generation,
        });
        if room.stage == Phase::Joined {
            let news = change.map(|change| Occupancy::of(room, change, occupant));
            // §7.6: it ends by the presence of our new nickname.
            let renamed = room.renaming.take_if(|renaming| own && renaming.from != nick);
            if let Some(news) = news {
                cx.emit(Event::Rooms(News::Occupant(Box::new(news))));
            }
            if let Some(renaming) = renamed {
                cx.reply(renaming.ticket, Ok(crate::im::Reply::Rooms(Reply::Nick(nick))));
                cx.changed();
            }
        } else if own {
            room.is_in = true;
            room.codes = seen.codes;
            let unknown = room.features.is_none() && !room.asking;
            if unknown {
                self.ask_features(cx, &from.to_bare());
            }
            self.settle(cx, from);
        }
    }

    /// We are in it, once the room has said so, and what it can.
    pub(super) fn settle(&mut self, cx: &mut Ctx<'_>, jid: &Jid) {
        let now = cx.now();
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        if !room.is_in || !matches!(room.stage, Phase::Joining | Phase::Rejoining) {
            return;
        }
        if room.features.is_none() {
            // A room that was made by our coming couldn't say it before.
            if !room.asking {
                room.asking = true;
                self.ask_features(cx, &jid.to_bare());
            }
            return;
        }
        let again = room.stage == Phase::Rejoining;
        let archive = room.last.is_some() && room.can().archive;
        room.stage = Phase::Joined;
        room.history_open = true;
        room.history = None;
        room.failures = 0;
        room.restored = false;
        room.sure = now;
        room.at = Some(now.after(super::alive::QUIET));
        let state = State::joined(room);
        let (ticket, unsent) = (room.ticket.take(), core::mem::take(&mut room.unsent));
        cx.changed();
        cx.emit(Event::Rooms(News::State(Box::new(state))));
        if let Some(ticket) = ticket {
            cx.reply(ticket, Ok(crate::im::Reply::Rooms(Reply::room(&jid.to_bare()))));
        }
        for (ticket, message) in unsent {
            crate::im::chat::send(cx, ticket, message, crate::im::Reply::Chat);
        }
        if again && archive {
            self.look_up(cx, &jid.to_bare());
        } else {
            self.release(cx, jid);
        }
    }

    /// Somebody is no longer there, or no longer by that nickname.
    fn gone(&mut self, cx: &mut Ctx<'_>, from: &Jid, seen: Seen) {
        let Some(room) = cx.facts.rooms.get_mut(from) else { return };
        let nick = seen.occupant.nick.as_str();
        let is_in = matches!(room.stage, Phase::Joined | Phase::Leaving);
        // While we enter, somebody else may just have left that nickname.
        let own = seen.codes.contains(&110) || (is_in && nick == room.nick);
        if seen.codes.contains(&303)
            && let Some(new) = seen.new_nick.as_deref()
            && room.jid.with_resource(new).is_ok()
        {
            // §7.6.
            let Some(mut there) = room.occupants.remove(nick) else { return };
            new.clone_into(&mut there.occupant.nick);
            let occupant = there.occupant.clone();
            room.occupants.insert(new, there);
            if own {
                new.clone_into(&mut room.nick);
            }
            if room.stage == Phase::Joined {
                let mut news = Occupancy::of(room, "nick", occupant);
                news.previous = Some(nick.to_owned());
                cx.emit(Event::Rooms(News::Occupant(Box::new(news))));
            }
            return;
        }
        if own && (is_in || room.entering) {
            return self.thrown_out(cx, from, seen);
        }
        let Some(there) = room.occupants.remove(nick) else { return };
        if room.stage == Phase::Joined {
            let mut occupant = there.occupant;
            // What they are by now: nothing, or an outcast.
            (occupant.affiliation, occupant.role) = (seen.occupant.affiliation, seen.occupant.role);
            occupant.status = seen.occupant.status.clone();
            let mut news = Occupancy::of(room, "left", occupant);
            news.reason = Some(reason(&seen));
            (news.by, news.text) = (seen.by, seen.text);
            cx.emit(Event::Rooms(News::Occupant(Box::new(news))));
        }
    }

    /// We are no longer in it.
    fn thrown_out(&mut self, cx: &mut Ctx<'_>, from: &Jid, seen: Seen) {
        let jid = from.to_bare();
        let Some(room) = cx.facts.rooms.get(&jid) else { return };
        let reason = reason(&seen);
        let leaving = room.stage == Phase::Leaving;
        let mut state = State::left(&jid, reason).about(room);
        state.by = seen.by;
        state.text = seen.text;
        (state.alternate, state.password) = seen.destroyed.unwrap_or_default();
        if !leaving && matches!(reason, "shutdown" | "error") {
            // The service, or the way to it, has failed, and nobody meant it.
            self.lose_by(cx, &jid, state.with_status("rejoining"));
            self.again(cx, &jid);
        } else {
            self.out(cx, &jid, state);
        }
    }

    /// The room refuses something: to let us in, or a nickname.
    fn refused(&mut self, cx: &mut Ctx<'_>, from: &Jid, stanza: &Element) {
        let jid = from.to_bare();
        let (Some(room), Some(said)) = (cx.facts.rooms.get_mut(&jid), StanzaError::of(stanza)) else {
            return;
        };
        // RFC 6120 §8.3.1: an error has the id of what it answers, which nobody else knows.
        let id = stanza.attr("id").unwrap_or_default();
        if let Some(renaming) = room.renaming.take_if(|renaming| renaming.id == id) {
            let error = error(said, "the room refuses the nickname");
            return cx.reply(renaming.ticket, Err(error));
        }
        if id != room.request || !room.entering || room.is_in {
            return;
        }
        match room.stage {
            Phase::Leaving => self.out(cx, &jid, State::left(&jid, "left")),
            Phase::Rejoining if is_passing(&said, room.failures) => self.again(cx, &jid),
            _ => {
                let mut state = State::left(&jid, "refused").about(room);
                state.condition = Some(said.condition.clone());
                state.text.clone_from(&said.text);
                if let Some(ticket) = room.ticket.take() {
                    cx.reply(ticket, Err(error(said, "the room doesn't let us in")));
                }
                self.out(cx, &jid, state);
            }
        }
    }

    /// Says that we go, and no longer listens.
    pub(super) fn withdraw(&mut self, cx: &mut Ctx<'_>, jid: &Jid) {
        let Some(room) = cx.facts.rooms.get(jid) else { return };
        // §7.14.
        let presence = Element::new("presence", ns::CLIENT)
            .with_attr("to", room.address().as_str())
            .with_attr("type", "unavailable");
        let sent = cx.send(&presence).is_ok();
        let end = cx.now().after(super::alive::GOODBYE);
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        room.stage = Phase::Leaving;
        room.at = Some(end);
        if !sent {
            self.out(cx, jid, State::left(jid, "left"));
        }
    }
}

/// Our presence for a room: what the app has said for it, or else for all.
pub(in crate::im) fn own(cx: &Ctx<'_>, to: &Jid, own: Option<&PresenceInit>) -> Element {
    let mut init = own.or(cx.facts.presence.as_ref()).cloned().unwrap_or_default();
    // There is no routing by priorities in rooms.
    init.priority = None;
    cx.facts.own.mark(presence::element(&init)).with_attr("to", to.as_str())
}

/// Whether a room that refuses to let us in again may think better of it.
fn is_passing(error: &StanzaError, failures: u32) -> bool {
    match error.condition.as_str() {
        // Our own former session may have it yet.
        "conflict" => failures < 5,
        "remote-server-not-found" | "remote-server-timeout" | "service-unavailable" | "resource-constraint"
        | "internal-server-error" | "recipient-unavailable" => true,
        _ => error.kind == "wait",
    }
}

/// §7.2.
fn error(said: StanzaError, what: &str) -> Error {
    let hint = match said.condition.as_str() {
        "conflict" => "Somebody else has that nickname: take another one.",
        "not-authorized" => "The room has a password: pass the right one as `password`.",
        "registration-required" => "Only members may come in: somebody in the room can invite you.",
        "forbidden" => "The account is banned from the room.",
        "service-unavailable" => "The room is full, or there is no such service. Try again later.",
        "item-not-found" => "There is no such room, or whoever made it hasn't configured it yet.",
        "not-allowed" => "Rooms can't be made there, or the nickname can't be changed.",
        "not-acceptable" => "The room wants another nickname: the one that is reserved for the account.",
        "remote-server-not-found" => "There is no such service: check the room's address.",
        _ => "The condition says why the room has refused it.",
    };
    let full = said.condition == "service-unavailable";
    let error = said.into_error(what).with_hint(hint);
    if full { error.with_retryable(true) } else { error }
}

fn reason(seen: &Seen) -> &'static str {
    const REASONS: [(u16, &str); 6] = [
        (301, "banned"),
        // With it, 307 says no more than that somebody is out (§9.1).
        (333, "error"),
        (332, "shutdown"),
        (321, "affiliation"),
        (322, "members-only"),
        (307, "kicked"),
    ];
    if seen.destroyed.is_some() {
        return "destroyed";
    }
    let found = REASONS.iter().find(|(code, _)| seen.codes.contains(code));
    found.map_or("left", |(_, reason)| reason)
}

/// The codes of a stanza of a room's.
pub(super) fn codes(x: Option<&Element>) -> Vec<u16> {
    let all = x.into_iter().flat_map(|x| x.all("status", MUC_USER)).take(CODES);
    all.filter_map(|status| status.attr("code")?.parse().ok()).collect()
}

/// Reads what a presence says of an occupant.
fn read(stanza: &Element, nick: &str) -> Seen {
    let x = stanza.child("x", MUC_USER);
    let item = x.and_then(|x| x.child("item", MUC_USER));
    let attr = |name| item.and_then(|item| item.attr(name)).map(str::to_owned);
    let word = |name, words: &[&'static str]| {
        let found = item.and_then(|item| item.attr(name));
        let known = words.iter().find(|word| Some(**word) == found);
        known.copied().unwrap_or("none")
    };
    let actor = item.and_then(|item| item.child("actor", MUC_USER));
    let by = actor.and_then(|actor| actor.attr("nick").or(actor.attr("jid")));
    let destroy = x.and_then(|x| x.child("destroy", MUC_USER));
    let text = |element: Option<&Element>| element.and_then(|element| element.child_text("reason", MUC_USER));
    let init = presence::init(stanza);
    let id = stanza.child("occupant-id", OCCUPANT_ID).and_then(|id| id.attr("id"));
    Seen {
        occupant: Occupant {
            nick: nick.to_owned(),
            role: word("role", &["moderator", "participant", "visitor"]),
            affiliation: word("affiliation", &["owner", "admin", "member", "outcast"]),
            jid: attr("jid"),
            occupant_id: id.map(str::to_owned),
            show: init.show,
            status: init.status.filter(|words| words.len() <= WORDS),
            own: None,
        },
        codes: codes(x),
        new_nick: attr("nick"),
        by: by.map(str::to_owned),
        text: text(item).or(text(destroy)),
        destroyed: destroy.map(|destroy| {
            let password = destroy.child_text("password", MUC_USER);
            (destroy.attr("jid").map(str::to_owned), password)
        }),
    }
}

/// An occupant's id, as a stanza of theirs has it.
pub(in crate::im) fn occupant_id(stanza: &Element) -> Option<&str> {
    stanza.child("occupant-id", OCCUPANT_ID)?.attr("id").filter(|id| !id.is_empty())
}
