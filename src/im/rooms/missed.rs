//! What was said in a room while we were lost to it, from the room's own archive: XEP-0313.
//!
//! What comes in meanwhile waits, so that all is told in order and once.

use super::room::Phase;
use super::{Asked, Rooms};
use crate::error::{Code, Error};
use crate::im::archive::{Gap, page, weight};
use crate::im::{Ctx, Event, chat};
use crate::jid::Jid;
use crate::xml::Element;

/// How many entries are asked for at once, and how many pages at most.
const PAGE: u32 = 100;
const PAGES: u32 = 20;

/// How many messages of a room wait, and how many bytes of them, roughly.
const WAITING: [usize; 2] = [1_000, 1 << 20];

/// The archive of a room, as far as it is being read.
#[derive(Debug)]
pub(super) struct Missed {
    /// The id of the query.
    id: String,
    pages: u32,
    /// Some of what came in meanwhile wasn't kept: the archive has it.
    dropped: bool,
    /// The last entry that has come by.
    last: Option<String>,
}

impl Rooms {
    /// Reads what is behind the last message that was told.
    pub(super) fn look_up(&mut self, cx: &mut Ctx<'_>, jid: &Jid) {
        let missed = Missed {
            id: String::new(),
            pages: 0,
            dropped: false,
            last: None,
        };
        if let Some(room) = cx.facts.rooms.get_mut(jid) {
            room.missed = Some(missed);
        }
        self.next(cx, jid);
    }

    fn next(&mut self, cx: &mut Ctx<'_>, jid: &Jid) {
        let id = cx.id();
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        let Some(missed) = &mut room.missed else { return };
        missed.id.clone_from(&id);
        missed.pages += 1;
        missed.dropped = false;
        let after = missed.last.clone().or(room.last.clone());
        let query = page::among(&id, &page::From::After(after.as_deref()), PAGE, &[]);
        let token = self.token(jid, Asked::Page);
        if cx.ask(true, Some(jid.clone()), query, token).is_err() {
            self.hole(cx, jid);
        }
    }

    /// An entry of the archive; whether it is one that was asked for.
    pub(super) fn entry(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> bool {
        if stanza.child("result", page::MAM).is_none() {
            return false;
        }
        let account = cx.account().clone();
        let asked = cx.facts.rooms.iter().find_map(|room| {
            let missed = room.missed.as_ref()?;
            Some((room.jid.clone(), page::entry_of(stanza, &missed.id, &room.jid, &account)?))
        });
        let Some((jid, entry)) = asked else { return false };
        let id = entry.point.id.unwrap_or_default();
        if let Some(missed) = cx.facts.rooms.get_mut(&jid).and_then(|room| room.missed.as_mut()) {
            missed.last = Some(id.clone());
        }
        // §6.1.2: what a room keeps was said in it.
        let from = entry.message.and_then(|message| Jid::parse(message.attr("from")?).ok());
        if let (Some(message), Some(from)) = (entry.message, from)
            && from.same_bare(&jid)
            && chat::kind(message) == chat::MessageType::Groupchat
        {
            self.say(cx, &from, message, Some((id, entry.point.stamp)));
        }
        true
    }

    /// A page has come to its end, or won't.
    pub(super) fn page(&mut self, cx: &mut Ctx<'_>, jid: &Jid, result: Result<Option<Element>, Error>) {
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        let Some(missed) = &mut room.missed else { return };
        let fin = match result {
            // The next session asks again.
            Err(error) if error.code() == Code::Closed => return,
            Err(_) => None,
            Ok(payload) => page::fin(payload.as_ref()),
        };
        match fin {
            Some(fin) if fin.complete && !missed.dropped => {
                room.missed = None;
                self.release(cx, jid);
            }
            Some(fin) if missed.pages < PAGES => {
                let before = missed.last.clone();
                missed.last = fin.last.filter(|last| !last.is_empty()).or(before);
                self.next(cx, jid);
            }
            _ => self.hole(cx, jid),
        }
    }

    /// The archive doesn't tell what was missed, or not all.
    fn hole(&mut self, cx: &mut Ctx<'_>, jid: &Jid) {
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        room.missed = None;
        let first = room.waiting.iter().find_map(|stanza| chat::stanza_id(stanza, jid.bare_str()));
        let gap = Gap {
            room: Some(jid.as_str().to_owned()),
            after: room.last.clone(),
            since: None,
            before: first.map(str::to_owned),
        };
        cx.emit(Event::Archive(gap));
        self.release(cx, jid);
    }

    /// Keeps a message until it is its turn; whether it has to wait.
    pub(super) fn hold(&mut self, cx: &mut Ctx<'_>, jid: &Jid, stanza: &Element) -> bool {
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return false };
        if room.stage == Phase::Joined && room.missed.is_none() {
            return false;
        }
        let held = room.waiting.iter().fold(weight(stanza), |sum, held| sum.saturating_add(weight(held)));
        if room.waiting.len() < WAITING[0] && held <= WAITING[1] {
            room.waiting.push(stanza.clone());
        } else if let Some(missed) = &mut room.missed {
            // From here on the archive tells it: nothing is to come before what it has.
            missed.dropped = true;
        }
        true
    }

    /// Tells what has waited.
    pub(super) fn release(&mut self, cx: &mut Ctx<'_>, jid: &Jid) {
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        for stanza in core::mem::take(&mut room.waiting) {
            if let Some(from) = stanza.attr("from").and_then(|from| Jid::parse(from).ok()) {
                self.say(cx, &from, &stanza, None);
            }
        }
    }
}
