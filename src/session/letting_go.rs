//! What is given up while a store has it.
//!
//! A message that waits for a connection is certain to be undelivered only when no later page can find it: so its promise ends once
//! the store has written that nothing is under way. One write decides that, whatever becomes of those behind it.

use super::Shared;
use super::io::{Millis, Ticket};
use super::keeper::{CLEAN, FIELD, FORM, Keeper};
use super::outgoing::Parcel;
use super::shared::never_sent;
use super::timers::Timer;
use crate::decimal::decimal;
use crate::error::{Code, Error};

/// How long the store may take, in milliseconds.
const TIMEOUT: u64 = 2_000;

/// The flag of a header that says that the client has logged out.
pub(super) const ENDED: u32 = 4;

/// Messages that are never sent, as soon as one of these writes has succeeded.
#[derive(Debug)]
pub(crate) struct LettingGo {
    writes: Vec<Ticket>,
    messages: Vec<(Parcel, Error)>,
}

impl Keeper {
    /// Whether a header is on its way to the store.
    pub(crate) fn is_writing(&self) -> bool {
        self.writes.iter().any(|(_, of_header)| of_header.is_some())
    }
}

impl Shared {
    /// A message comes to its end, unless that isn't certain yet.
    pub(super) fn finish_or_let_go(&mut self, parcel: Parcel, error: Error) -> Option<(Parcel, Error)> {
        if error.code() == Code::NotDelivered && parcel.segment.is_some() {
            return Some((parcel, error));
        }
        self.finish(parcel, Err(error));
        None
    }

    /// These end when the store has written one of those.
    pub(super) fn wait_to_let_go(&mut self, now: Millis, writes: Vec<Ticket>, messages: Vec<(Parcel, Error)>) {
        let mut letting_go = LettingGo { writes, messages };
        // What another number of another keeper's means is none of theirs.
        for (parcel, _) in &mut letting_go.messages {
            parcel.segment = None;
        }
        if letting_go.writes.is_empty() {
            return self.end(letting_go, None);
        }
        if !letting_go.messages.is_empty() {
            self.timers.set(Timer::LetGo, now.after(TIMEOUT));
            self.letting_go.push(letting_go);
        }
    }

    /// The store has written something, or not.
    pub(super) fn let_go(&mut self, id: Ticket, kept: bool) {
        let Some(place) = self.letting_go.iter().position(|one| one.writes.contains(&id)) else {
            return;
        };
        let mut one = self.letting_go.remove(place);
        one.writes.retain(|write| *write != id);
        match (kept, one.writes.is_empty()) {
            (true, _) => self.end(one, None),
            (false, true) => self.end(one, Some(Code::DeliveryUnknown)),
            (false, false) => self.letting_go.insert(place, one),
        }
        if self.letting_go.is_empty() {
            self.timers.stop(Timer::LetGo);
        }
    }

    /// The store says nothing, and a later page may find what it has.
    pub(super) fn let_go_in_doubt(&mut self) {
        for one in core::mem::take(&mut self.letting_go) {
            self.end(one, Some(Code::DeliveryUnknown));
        }
    }

    fn end(&mut self, letting_go: LettingGo, code: Option<Code>) {
        for (parcel, error) in letting_go.messages {
            let error = code.map_or(error, never_sent);
            self.finish(parcel, Err(error));
        }
    }
}

/// The header of a client that has logged out. It names no session, and of these segments what was given up: the next page tells of that,
/// unless this one still gets to remove them.
pub(super) fn ended(given_up: &str, next: u32, segments: &[(u32, u32)]) -> String {
    let segments: Vec<String> = segments.iter().map(|(number, _)| decimal((*number).into())).collect();
    let (next, segments) = (decimal(next.into()), segments.join(" "));
    let flags = decimal((CLEAN | ENDED).into());
    let fields = [
        FORM, &flags, "", "", "", "0", "0", "0", "", "", given_up, &next, &segments, "",
    ];
    fields.join(FIELD)
}
