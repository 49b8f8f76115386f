//! Whether the server is still there, and how far it has come: both are the same question, `<r/>` (XEP-0198 §4), or
//! where there is no stream management, a ping (XEP-0199 2.0.1 §4.2), which a server answers behind all that was sent before
//! it (RFC 6120 §10.1).
//!
//! It is asked behind what was sent, one question at a time; after a silence; and on any suspicion: the page has come to the
//! front or back from sleep, the network has changed, the clock has jumped. A server that says nothing for [`ANSWER`]
//! milliseconds after a question is taken for gone, whatever `readyState` says.

use super::{Hurried, Online, PATIENCE, Sm};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::session::io::{Input, Millis, Note, Status};
use crate::session::ledger::{Beyond, Ledger};
use crate::session::outgoing::Parcel;
use crate::session::state::State;
use crate::session::timers::Timer;
use crate::session::{Shared, sm};
use crate::stream::ns;
use crate::xml::Element;

/// How long the server may be silent after a question, in milliseconds.
pub(super) const ANSWER: u64 = 4_800;

/// How long it may say other things instead of the answer, in milliseconds.
const EVASION: u64 = 30_000;

/// How late a timer may be before it says nothing about the server any more, in milliseconds.
const LATE: u64 = 1_000;

/// How long nothing may be sent before the server is asked whether it is still there, in milliseconds: proxies are often
/// set to cut what is silent for a minute.
const KEEPALIVE: u64 = 50_000;

/// The same for a server that wants to be asked more often than is good, in milliseconds.
const KEEPALIVE_MIN: u64 = 3_000;

/// After the network has come back the connection is either there at once or never: at least and at most that long, in
/// milliseconds, and else four round trips.
const BACK: [u64; 2] = [250, 600];

/// When a server is asked again that has answered, and taken nothing of what is under way, in milliseconds.
const AGAIN: u64 = 1_000;

/// How recent a sign of life has to be for nothing to be suspected, in milliseconds.
const RECENT: u64 = 1_000;

/// How many of the server's stanzas may wait for an acknowledgement that first has to be stored, and how many may until that is done at
/// once.
const OWED: u32 = 400;
const SOON: u32 = 200;

/// A question that the server hasn't answered.
#[derive(Debug)]
pub(super) struct Asked {
    by: By,
    /// The last stanza sent before it.
    upto: u32,
    at: Millis,
    /// When the server is taken for gone.
    due: Millis,
    /// Whether the timer for that was held up once.
    held_up: bool,
}

#[derive(Debug)]
enum By {
    /// `<r/>`.
    Request,
    /// A ping of this id.
    Ping(String),
}

impl Online {
    /// Asks how far the server has come, if there is anything to know and no question under way.
    pub(super) fn ask_if_needed(&mut self, shared: &mut Shared, now: Millis) {
        if self.asked.is_some() || self.closing || self.ledger.len() == 0 {
            return;
        }
        match self.sm {
            Sm::On { .. } => self.ask(shared, now, ANSWER),
            Sm::Off if self.ledger.awaited() > 0 => self.ask(shared, now, ANSWER),
            // It has answered what came behind `<enable/>`, and not that.
            Sm::Asked if self.progressed && self.ledger.awaited() > 0 => self.ask(shared, now, ANSWER),
            // A server that doesn't know the one won't know the other.
            Sm::Off | Sm::Asked => {}
        }
    }

    /// Whether the question under way is about all that was sent.
    pub(super) fn asks_about_all(&self) -> bool {
        let written = self.ledger.written();
        self.asked.as_ref().is_some_and(|asked| asked.upto == written)
    }

    /// Asks, whatever was asked before.
    pub(super) fn ask(&mut self, shared: &mut Shared, now: Millis, patience: u64) {
        if matches!(self.sm, Sm::On { .. }) {
            shared.write(&sm::request());
            self.wait(shared, now, By::Request, patience);
        } else {
            self.ask_by_ping(shared, now, patience);
        }
    }

    pub(super) fn ask_by_ping(&mut self, shared: &mut Shared, now: Millis, patience: u64) {
        let id = self.ping(shared, now);
        self.wait(shared, now, By::Ping(id), patience);
    }

    fn wait(&mut self, shared: &mut Shared, now: Millis, by: By, patience: u64) {
        self.spoke = now;
        let due = now.after(patience);
        shared.timers.set(Timer::Confirm, due);
        self.asked = Some(Asked {
            by,
            upto: self.ledger.written(),
            at: now,
            due,
            held_up: false,
        });
    }

    /// Sends a ping to the server; its id.
    pub(super) fn ping(&mut self, shared: &mut Shared, now: Millis) -> String {
        let id = shared.rng.id();
        let ping = Element::new("iq", ns::CLIENT)
            .with_attr("type", "get")
            .with_attr("id", id.as_str())
            .with_attr("to", self.jid.domain())
            .with_child(Element::new("ping", "urn:xmpp:ping"));
        shared.write(&ping);
        self.spoke = now;
        if !matches!(self.sm, Sm::Off) {
            // It counts, and there is no use in sending it again.
            self.ledger.push(Parcel::void());
        }
        id
    }

    /// `<a/>`: the server has taken all up to `h`.
    pub(super) fn acknowledged(&mut self, shared: &mut Shared, now: Millis, h: u32) -> Result<(), Beyond> {
        let progress = self.taken(shared, h)?;
        if matches!(&self.asked, Some(asked) if matches!(asked.by, By::Request)) {
            self.answered(shared, now, progress);
        } else if progress {
            // To a question before the last one: what waits for that alone needn't wait for another.
            self.go_on(shared, now);
        }
        Ok(())
    }

    /// Whether this answers our ping; if so, all that was sent before it has been taken.
    pub(super) fn answered_ping(&mut self, shared: &mut Shared, now: Millis, iq: &Element) -> bool {
        let Some(Asked {
            by: By::Ping(id), upto, ..
        }) = &self.asked
        else {
            return false;
        };
        // Only the server itself may say so: RFC 6120 §8.1.2.1.
        let servers = |from: &str| Jid::parse(from).is_ok_and(|from| from == self.jid.domain_jid());
        if iq.attr("id") != Some(id) || !iq.attr("from").is_some_and(servers) {
            return false;
        }
        // Behind our `<close/>` it is the last word that there will be.
        if self.closing || !matches!(self.sm, Sm::On { .. }) {
            let upto = *upto;
            // It is a number of ours, and cannot be beyond the last.
            let _ = self.taken(shared, upto);
        }
        self.hurried = Hurried::No;
        self.answered(shared, now, true);
        true
    }

    /// The server has handled all up to `h`; whether that is news.
    fn taken(&mut self, shared: &mut Shared, h: u32) -> Result<bool, Beyond> {
        let taken = self.ledger.acknowledge(h)?;
        let progress = !taken.is_empty();
        if progress {
            self.progressed = true;
            shared.keeper.change();
        }
        for parcel in taken {
            if parcel.is_message() {
                shared.finish(parcel, Ok(None));
            }
        }
        Ok(progress)
    }

    /// The server has answered: it is there. Where it has got nowhere, it is not asked again at once, and so not in a circle.
    fn answered(&mut self, shared: &mut Shared, now: Millis, progress: bool) {
        if let Some(asked) = self.asked.take() {
            self.round_trip = now.since(asked.at);
        }
        shared.timers.stop(Timer::Confirm);
        if core::mem::take(&mut self.verifying) {
            shared.set_status(Status::Online, None);
        }
        self.rest(shared);
        self.go_on(shared, now);
        if progress {
            self.ask_if_needed(shared, now);
        } else if self.asked.is_none() && self.ledger.len() > 0 {
            let due = shared.timers.due(Timer::Keepalive);
            let soon = now.after(AGAIN);
            shared
                .timers
                .set(Timer::Keepalive, due.map_or(soon, |due| due.min(soon)));
        }
    }

    /// Sends what waited for an answer.
    fn go_on(&mut self, shared: &mut Shared, now: Millis) {
        if !shared.outbox.waiting.is_empty() && !self.closing {
            self.pump(shared, now);
        }
    }

    /// `<r/>`: says what has been handled; but nothing that a later page couldn't know.
    pub(super) fn acknowledge(&mut self, shared: &mut Shared, now: Millis) {
        if self.closing {
            // RFC 7395 §3.6: our last word has been said.
            return;
        }
        match shared.keeper.stored(self.ledger.handled) {
            Some(behind @ 1..) if behind < OWED => {
                self.owes = true;
                match behind < SOON || shared.keeper.is_writing() {
                    true => shared.keep_soon(now),
                    false => shared.note(Note::Keep),
                }
                if !shared.visible {
                    // A timer may be a minute late now, and the server wants an answer as soon as possible (§4).
                    self.say_stored(shared);
                }
            }
            _ => self.say_handled(shared),
        }
    }

    /// The store has answered: what was handled may be there now.
    pub(crate) fn stored(&mut self, shared: &mut Shared) {
        if self.owes {
            self.say_stored(shared);
        }
    }

    /// Says what has been handled, as far as the store knows it, and takes nothing back.
    fn say_stored(&mut self, shared: &mut Shared) {
        let Ledger { handled, told, .. } = self.ledger;
        let behind = shared.keeper.stored(handled).filter(|behind| *behind < OWED);
        let behind = behind.unwrap_or_default().min(handled.wrapping_sub(told));
        self.owes = behind > 0;
        self.say(shared, handled.wrapping_sub(behind));
    }

    pub(super) fn say_handled(&mut self, shared: &mut Shared) {
        self.owes = false;
        self.say(shared, self.ledger.handled);
    }

    fn say(&mut self, shared: &mut Shared, h: u32) {
        self.ledger.told = h;
        shared.write(&sm::acknowledgement(h));
    }

    /// Arms the timer that ends a silence.
    pub(super) fn rest(&self, shared: &mut Shared) {
        let silence = if shared.visible {
            shared.config.silence
        } else {
            KEEPALIVE
        };
        // XEP-0478 §3.1: in seconds. What stands between us and the server may be less patient than it.
        let idle = self.limits.idle_seconds.map(|seconds| u64::from(seconds) * 750);
        let interval = idle.unwrap_or(KEEPALIVE).clamp(KEEPALIVE_MIN, KEEPALIVE);
        let due = self.heard.after(silence).min(self.spoke.after(interval));
        shared.timers.set(Timer::Keepalive, due);
    }

    pub(crate) fn timer(mut self: Box<Self>, shared: &mut Shared, now: Millis, timer: Timer) -> State {
        match timer {
            Timer::Keepalive => {
                if self.ledger.len() > shared.config.queue + PATIENCE {
                    // It is there, and takes nothing. In a session that goes on all of that would, too.
                    shared.hang_up(self.generation, true, Some("policy-violation"));
                    self.sm = Sm::Off;
                    let message = "the server has stopped acknowledging";
                    return self.lost(shared, now, Error::new(Code::Timeout, Phase::Session, message));
                }
                if self.owes {
                    // The store takes its time, and the server may not.
                    self.say_stored(shared);
                }
                self.ask_if_needed(shared, now);
                self.rest(shared);
                // RFC 7395 §3.8: no white space.
                match (shared.timers.due(Timer::Keepalive), &self.asked) {
                    (Some(due), None) if due <= now => {
                        shared.timers.stop(Timer::Keepalive);
                        self.ask(shared, now, ANSWER);
                    }
                    // The question under way will do.
                    (Some(due), Some(_)) if due <= now => shared.timers.stop(Timer::Keepalive),
                    _ => {}
                }
                State::Online(self)
            }
            Timer::Confirm => self.unanswered(shared, now),
            _ => State::Online(self),
        }
    }

    fn unanswered(mut self: Box<Self>, shared: &mut Shared, now: Millis) -> State {
        let Some(asked) = &mut self.asked else {
            return State::Online(self);
        };
        let silent = self.heard.after(ANSWER);
        if now.since(asked.due) > LATE && !asked.held_up {
            // The timer was held up, and with it perhaps the answer.
            asked.held_up = true;
            asked.due = now.after(ANSWER);
            shared.timers.set(Timer::Confirm, asked.due);
        } else if self.heard > asked.at && silent > now && now.since(asked.at) < EVASION {
            asked.due = silent;
            shared.timers.set(Timer::Confirm, silent);
        } else if self.heard > asked.at
            && silent > now
            && matches!(asked.by, By::Request)
            && self.ledger.len() <= shared.config.queue + PATIENCE
        {
            // It is there, but does not acknowledge. Anybody answers a ping.
            self.ask_by_ping(shared, now, ANSWER);
        } else {
            shared.hang_up(self.generation, true, None);
            let message = "the server has stopped answering";
            return self.lost(shared, now, Error::new(Code::Timeout, Phase::Session, message));
        }
        State::Online(self)
    }

    /// Something has happened around the connection.
    pub(super) fn noticed(&mut self, shared: &mut Shared, now: Millis, input: &Input<'_>) {
        match input {
            Input::Visible(visible) => {
                self.indicate(shared);
                self.rest(shared);
                if *visible {
                    // Somebody looks, and waits for it.
                    self.used = Some(now);
                }
                if *visible && now.since(self.heard) > RECENT {
                    self.suspect(shared, now, ANSWER, false);
                }
            }
            Input::Network { online: true } => {
                let [least, most] = BACK;
                let patience = match shared.was_offline {
                    true => (self.round_trip * 4).clamp(least, most),
                    false => ANSWER,
                };
                self.suspect(shared, now, patience, false);
            }
            Input::PageShown | Input::ClockJumped => self.suspect(shared, now, ANSWER, true),
            _ => {}
        }
    }

    /// Asks, unless that has just been done.
    fn suspect(&mut self, shared: &mut Shared, now: Millis, patience: u64, slept: bool) {
        let asked = self.asked.as_ref().filter(|_| self.verifying);
        // One suspicion after the other would put the end off for ever. Where nobody was there to hear the answer, it has its
        // time again.
        let counts = |at| !slept || now.since(at) < RECENT;
        if asked.is_some_and(|asked| asked.due > now && asked.due <= now.after(patience) && counts(asked.at)) {
            return;
        }
        self.verifying = true;
        shared.set_status(Status::Verifying, None);
        self.ask(shared, now, patience);
    }

    /// XEP-0352 §4.2: whether anybody looks.
    pub(super) fn indicate(&mut self, shared: &mut Shared) {
        if self.csi && self.active != shared.visible {
            self.active = shared.visible;
            let state = if shared.visible { "active" } else { "inactive" };
            shared.write(&Element::new(state, ns::CSI));
        }
    }

    /// Whether the network has come back, and the connection, as far as that shows, has not.
    pub(super) fn has_network_again(&self) -> bool {
        let asked = self.asked.as_ref();
        asked.is_some_and(|asked| asked.due.since(asked.at) < ANSWER)
    }

    /// Whether the app is at it.
    pub(super) fn is_in_use(&self, shared: &Shared, now: Millis) -> bool {
        const LATELY: u64 = 10_000;
        self.used.is_some_and(|used| now.since(used) < LATELY)
            || self.ledger.awaited() > 0
            || !shared.outbox.waiting.is_empty()
    }
}
