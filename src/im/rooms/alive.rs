//! Whether we are still in a room, and how we get in again: XEP-0410.
//!
//! A room that has lost us says nothing, just as one where nobody speaks. So after five minutes of silence, when the device wakes up or the page
//! is looked at, and where a resumed session may have lost something, it is asked.

use super::room::Phase;
use super::told::{News, State};
use super::{Asked, Rooms};
use crate::error::{Code, Error, Phase as Where};
use crate::im::{Ctx, Event};
use crate::jid::Jid;
use crate::session::{Millis, Status};
use crate::xml::Element;

/// After how much silence a room is asked, in milliseconds.
pub(super) const QUIET: u64 = 5 * 60_000;

/// The same where somebody has just begun to look.
const LOOKED_AT: u64 = 60_000;

/// How soon it is asked again where it doesn't answer.
const RETRY: u64 = 60_000;

/// How long a room may take to let us in again.
pub(super) const ANSWER: u64 = 30_000;

/// And to let us go.
pub(super) const GOODBYE: u64 = 5_000;

/// How long it takes until it is tried again to enter: the first time, and at most.
const AGAIN: [u64; 2] = [2_000, 5 * 60_000];

impl Rooms {
    /// Sets the clock for what is due next.
    pub(super) fn arm(&self, cx: &mut Ctx<'_>) {
        let next: Option<Millis> = cx.facts.rooms.iter().filter_map(|room| room.at).min();
        cx.set_timer(next);
    }

    /// Does what is due.
    pub(super) fn due(&mut self, cx: &mut Ctx<'_>) {
        let now = cx.now();
        for jid in cx.facts.rooms.jids() {
            let Some(room) = cx.facts.rooms.get_mut(&jid) else { continue };
            if room.at.take_if(|at| *at <= now).is_none() {
                continue;
            }
            match room.stage {
                Phase::Leaving => self.out(cx, &jid, State::left(&jid, "left")),
                Phase::Joined if now.since(room.sure) < QUIET => room.at = Some(room.sure.after(QUIET)),
                Phase::Joined => self.ping(cx, &jid),
                // It doesn't answer.
                Phase::Rejoining if room.entering => self.again(cx, &jid),
                Phase::Rejoining => self.enter(cx, &jid),
                // That is for the call to wait for.
                Phase::Joining => {}
            }
        }
    }

    /// Somebody begins to look, or the device has woken up.
    pub(super) fn look(&mut self, cx: &mut Ctx<'_>) {
        let now = cx.now();
        for jid in cx.facts.rooms.jids() {
            let Some(room) = cx.facts.rooms.get(&jid) else { continue };
            if room.stage == Phase::Joined && now.since(room.sure) >= LOOKED_AT {
                self.ping(cx, &jid);
            }
        }
    }

    /// Asks whether we are in it (XEP-0410 §3.2).
    pub(super) fn ping(&mut self, cx: &mut Ctx<'_>, jid: &Jid) {
        let now = cx.now();
        let connected = matches!(cx.status(), Status::Online | Status::Verifying);
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        room.at = Some(now.after(QUIET));
        // XEP-0410 §4: not while a change of the nickname is under way, nor without a connection.
        if room.pinging || room.renaming.is_some() || !connected {
            room.at = Some(now.after(RETRY));
            return;
        }
        let address = room.address();
        let token = self.token(jid, Asked::Ping);
        let asked = cx.ask(false, Some(address), Element::new("ping", "urn:xmpp:ping"), token);
        if let Some(room) = cx.facts.rooms.get_mut(jid) {
            room.pinging = asked.is_ok();
        }
    }

    pub(super) fn pinged(&mut self, cx: &mut Ctx<'_>, jid: &Jid, result: Result<Option<Element>, Error>) {
        let now = cx.now();
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        room.pinging = false;
        if room.stage != Phase::Joined {
            return;
        }
        let condition = match &result {
            Ok(_) => None,
            Err(error) if error.code() == Code::StanzaError => Some(error.condition().unwrap_or_default()),
            // Nobody knows.
            Err(_) => Some("remote-server-timeout"),
        };
        match condition {
            // The client that was pinged doesn't know it, or has just changed its nickname; but it is there.
            None | Some("service-unavailable" | "feature-not-implemented" | "item-not-found") => {
                room.sure = now;
                room.at = Some(now.after(QUIET));
            }
            Some("remote-server-not-found" | "remote-server-timeout") => room.at = Some(now.after(RETRY)),
            Some(_) => {
                self.lose(cx, jid, "error");
                self.enter(cx, jid);
            }
        }
    }

    /// The room is to be entered again, for this reason.
    pub(super) fn lose(&mut self, cx: &mut Ctx<'_>, jid: &Jid, reason: &'static str) {
        let Some(room) = cx.facts.rooms.get(jid) else { return };
        if room.stage == Phase::Leaving {
            return self.out(cx, jid, State::left(jid, "left"));
        }
        let state = State::left(jid, reason).about(room).with_status("rejoining");
        self.lose_by(cx, jid, state);
    }

    /// The same, as it is to be told.
    pub(super) fn lose_by(&mut self, cx: &mut Ctx<'_>, jid: &Jid, state: State) {
        self.asked.retain(|(_, room, _)| room != jid);
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        let told = room.stage == Phase::Joined;
        if told {
            room.stage = Phase::Rejoining;
        }
        (room.entering, room.is_in, room.asking, room.pinging) = (false, false, false, false);
        room.at = None;
        // What waits is in the archive, or in the history.
        room.missed = None;
        room.waiting.clear();
        room.waiting_size = 0;
        let renaming = room.renaming.take();
        if let Some(renaming) = renaming {
            let message = "the room has lost us meanwhile";
            cx.reply(renaming.ticket, Err(Error::new(Code::Closed, Where::Stanza, message)));
        }
        if told {
            cx.emit(Event::Rooms(News::State(Box::new(state))));
        }
    }

    /// It is tried again, later and later.
    pub(super) fn again(&mut self, cx: &mut Ctx<'_>, jid: &Jid) {
        // Not all at once, where all have been lost at once.
        let chance = cx.id().bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let now = cx.now();
        let Some(room) = cx.facts.rooms.get_mut(jid) else { return };
        let cap = AGAIN[0].saturating_mul(1 << room.failures.min(10)).min(AGAIN[1]);
        room.failures = room.failures.saturating_add(1);
        (room.entering, room.is_in) = (false, false);
        room.at = Some(now.after(cap / 2 + chance % (cap / 2)));
    }
}
