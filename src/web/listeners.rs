//! The app's listeners, and the events that wait for one: messages, and the keys of a login.

use crate::engine::{Event, Observe};
use js_sys::Function;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// How many messages are held for want of a listener. Beyond that the oldest go.
const HELD: usize = 10_000;

/// Who listens to what, and what is held meanwhile.
#[derive(Default)]
pub(super) struct Listeners {
    /// In the order in which they were added.
    listeners: RefCell<Vec<(u32, String, Function)>>,
    last: Cell<u32>,
    held: RefCell<VecDeque<Event>>,
    /// The newest [`Event::Credentials`]: a login made by `connect()` is over before the app has the client.
    keys: RefCell<Option<Event>>,
    overflowed: Cell<bool>,
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

    /// Keeps the event for the next listener, if it is of a kind that waits; true where a message had to go for it, for the
    /// first time since they were last taken.
    pub(super) fn hold(&self, kind: &str, event: Event) -> bool {
        match kind {
            "message" => {}
            "credentials" => {
                self.keys.replace(Some(event));
                return false;
            }
            _ => return false,
        }
        let mut held = self.held.borrow_mut();
        held.push_back(event);
        if held.len() <= HELD {
            return false;
        }
        held.pop_front();
        !self.overflowed.replace(true)
    }

    /// The events of that kind that were held, the oldest first; none is held any more.
    pub(super) fn take_held(&self, kind: &str) -> VecDeque<Event> {
        match kind {
            "message" => {
                self.overflowed.set(false);
                self.held.take()
            }
            "credentials" => self.keys.take().into_iter().collect(),
            _ => VecDeque::new(),
        }
    }
}
