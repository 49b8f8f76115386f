//! Locks, which no two clients of an origin hold at once: Web Locks (W3C draft of 2024-11), and among the clients of one page
//! or process the façade's own list where there are none (a page that isn't secure, Node before 24).
//!
//! A lock is held until it is given back, or the page is gone. Nothing else takes it from a client that the app has forgotten
//! without logging out: its connection goes on as well. After a trap it is held until the page is gone, so that what
//! the trap came from isn't taken up again at once.
//!
//! Left out: locks stolen by others of the page's own scripts (`steal`). Whoever does so knows what for.

use super::callback::{Host, Kind};
use super::drain::Inner;
use super::fetch::AbortController;
use super::fields::set;
use super::page::global;
use super::timer::{cancel, later};
use crate::engine::{Input, Ticket};
use js_sys::{Function, Object, Promise, Reflect, Set};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(this: &LockManager, name: &str, options: &JsValue, granted: &Function) -> Result<JsValue, JsValue>;
}

/// The locks held, and those waited for.
#[derive(Default)]
pub(super) struct Locks(RefCell<Vec<Lock>>);

/// Dropped, it is given back, or waited for no more.
struct Lock {
    id: Ticket,
    name: String,
    state: State,
}

enum State {
    /// Asked for, and for how long it is waited for.
    Waiting(Option<Wait>),
    /// This function gives it back.
    Held(Function),
    /// It is in the façade's list.
    Listed(Set),
    /// There is nobody to keep it from.
    Alone,
}

struct Wait {
    controller: AbortController,
    timer: JsValue,
}

impl Inner {
    /// Waits that long for a lock, in milliseconds.
    pub(super) fn lock(&self, id: Ticket, name: String, wait: u64) {
        match self.request(id, &name, wait) {
            Some(wait) => self.locks.0.borrow_mut().push(Lock {
                id,
                name,
                state: State::Waiting(wait),
            }),
            None => self.list(id, name),
        }
    }

    /// Gives a lock back.
    pub(super) fn unlock(&self, name: &str) {
        self.locks.0.borrow_mut().retain(|lock| lock.name != name);
    }

    /// A lock is ours, or `null`: then somebody else has it. It stays ours for as long as the promise is open that is returned.
    pub(super) fn lock_granted(&self, id: Ticket, lock: &JsValue) -> JsValue {
        let Some(name) = self.locks.waiting(id) else {
            return JsValue::UNDEFINED;
        };
        let mut release = None;
        let open = Promise::new(&mut |resolve, _| release = Some(resolve));
        match release {
            Some(release) if !lock.is_null() => {
                let state = State::Held(release);
                self.locked(Lock { id, name, state });
                open.into()
            }
            _ => {
                self.handle(Input::Locked { id, held: false });
                JsValue::UNDEFINED
            }
        }
    }

    /// A lock has been waited for long enough.
    pub(super) fn lock_late(&self, id: Ticket) {
        if self.locks.waiting(id).is_some() {
            self.handle(Input::Locked { id, held: false });
        }
    }

    /// A request for a lock has ended. If it was still waited for, this page may have no locks, after all.
    pub(super) fn lock_ended(&self, id: Ticket) {
        if let Some(name) = self.locks.waiting(id) {
            self.list(id, name);
        }
    }

    fn request(&self, id: Ticket, name: &str, wait: u64) -> Option<Option<Wait>> {
        let manager = Reflect::get(&global("navigator"), &"locks".into()).ok()?;
        let manager: &LockManager = manager.unchecked_ref();
        let bound = |kind| self.callback.bound(kind, id.0 as f64);
        let controller = AbortController::new();
        let options: JsValue = Object::new().into();
        match wait {
            0 => set(&options, "ifAvailable", &true.into()),
            _ => set(&options, "signal", &controller.signal()),
        }
        let request = manager.request(name, &options, &bound(Kind::LockGranted)).ok()?;
        self.callback
            .then(&request, Kind::LockEnded, Kind::LockEnded, id.0 as f64);
        Some((wait > 0).then(|| Wait {
            controller,
            timer: later(&bound(Kind::LockLate), wait),
        }))
    }

    /// Without locks of the platform's: none of the page's other clients may have it.
    fn list(&self, id: Ticket, name: String) {
        let state = match self.host.as_ref().map(Host::locked) {
            None => State::Alone,
            Some(list) if !list.has(&name.as_str().into()) => State::Listed(list.add(&name.as_str().into())),
            Some(_) => return self.handle(Input::Locked { id, held: false }),
        };
        self.locked(Lock { id, name, state });
    }

    fn locked(&self, lock: Lock) {
        let id = lock.id;
        self.locks.0.borrow_mut().push(lock);
        self.handle(Input::Locked { id, held: true });
    }
}

impl Locks {
    /// The name of a lock that is waited for, and isn't any more.
    fn waiting(&self, id: Ticket) -> Option<String> {
        let mut locks = self.0.borrow_mut();
        let waits = |lock: &Lock| lock.id == id && matches!(lock.state, State::Waiting(_));
        let place = locks.iter().position(waits)?;
        Some(core::mem::take(&mut locks.swap_remove(place).name))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        match &self.state {
            State::Waiting(wait) => {
                if let Some(Wait { controller, timer }) = wait {
                    cancel(timer);
                    // On one that was granted this has no effect.
                    controller.abort();
                }
            }
            State::Held(release) => drop(release.call0(&JsValue::UNDEFINED)),
            State::Listed(locked) => drop(locked.delete(&self.name.as_str().into())),
            State::Alone => {}
        }
    }
}
