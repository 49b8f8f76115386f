//! The app's listeners, and the events that wait for one: messages, what became of those sent by an earlier page, requests to see
//! our presence, and the keys of a login.

use crate::engine::{Event, Observe};
use js_sys::Function;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// What is held for want of a listener, and how many of each. Beyond that the oldest go. (A login that `connect()` makes is
/// over before the app has the client.)
const HELD: [(&str, usize); 11] = [
    ("message", 10_000),
    ("sent", 10_000),
    ("not-sent", 10_000),
    ("gap", 1_000),
    ("subscription", 1_000),
    ("resumed", 1),
    ("credentials", 1),
    ("retraction", 1_000),
    ("reaction", 1_000),
    ("receipt", 1_000),
    ("marker", 1_000),
];

/// Behind these nobody need be told that an older one goes: it is of no use, or the app has no use for any.
const LOUD: usize = 6;

/// Who listens to what, and what is held meanwhile.
#[derive(Default)]
pub(super) struct Listeners {
    /// In the order in which they were added.
    listeners: RefCell<Vec<(u32, String, Function)>>,
    last: Cell<u32>,
    /// By their places in [`HELD`].
    held: RefCell<[Held; HELD.len()]>,
}

#[derive(Default)]
struct Held {
    events: VecDeque<Event>,
    overflowed: bool,
}

impl Listeners {
    /// Adds one; the number takes it away again.
    pub(super) fn add(&self, kind: String, listener: Function) -> u32 {
        let number = self.last.get().wrapping_add(1);
        self.last.set(number);
        self.listeners.borrow_mut().push((number, kind, listener));
        number
    }

    pub(super) fn remove(&self, number: u32) {
        self.listeners.borrow_mut().retain(|(other, _, _)| *other != number);
    }

    /// The numbers of those who listen to this now.
    pub(super) fn of(&self, kind: &str) -> Vec<u32> {
        let listeners = self.listeners.borrow();
        let of_kind = listeners.iter().filter(|(_, other, _)| other == kind);
        of_kind.map(|(number, _, _)| *number).collect()
    }

    /// The listener, unless it was taken away meanwhile.
    pub(super) fn get(&self, number: u32) -> Option<Function> {
        let listeners = self.listeners.borrow();
        let found = listeners.iter().find(|(other, _, _)| *other == number);
        found.map(|(_, _, listener)| listener.clone())
    }

    /// What the engine need not emit for nobody.
    pub(super) fn observe(&self) -> Observe {
        let listeners = self.listeners.borrow();
        let any = |kind: &str| listeners.iter().any(|(_, other, _)| other == kind);
        Observe {
            stanzas: any("stanza"),
            frames: any("frame"),
        }
    }

    /// Keeps the event for the next listener, if it is of a kind that waits; true where an older one had to go for it, for the
    /// first time since they were last taken.
    pub(super) fn hold(&self, kind: &str, event: Event) -> bool {
        let mut held = self.held.borrow_mut();
        let mut all = held.iter_mut().zip(HELD).enumerate();
        let Some((place, (held, (_, most)))) = all.find(|(_, (_, (held, _)))| *held == kind) else {
            return false;
        };
        held.events.push_back(event);
        if held.events.len() <= most {
            return false;
        }
        held.events.pop_front();
        place < LOUD && !core::mem::replace(&mut held.overflowed, true)
    }

    /// The events of that kind that were held, the oldest first; none is held any more.
    pub(super) fn take_held(&self, kind: &str) -> VecDeque<Event> {
        let mut held = self.held.borrow_mut();
        let held = held.iter_mut().zip(HELD).find(|(_, (held, _))| *held == kind);
        held.map(|(held, _)| core::mem::take(held).events).unwrap_or_default()
    }
}
