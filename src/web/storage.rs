//! What outlives the client: the app's store, else the page's `sessionStorage`.
//!
//! A store's methods are functions of the app's: they run once the engine has finished, and one at a time, so that what is
//! kept is what was wished for last, however slowly a store answers. Where it throws, rejects, or has something else than
//! text, it is as if it kept nothing.
//!
//! Left out: Web Locks. Two pages of one origin may write the same key; the last one's value stays.

use super::callback::Kind;
use super::drain::{Delivery, Inner};
use super::error::invalid;
use super::fields::{Fields, string};
use crate::engine::{Input, Ticket};
use crate::error::Error;
use js_sys::JsString;
use std::cell::{Cell, RefCell};
use wasm_bindgen::prelude::*;

/// How long a value may be, in UTF-16 units. A longer one is none of ours.
const LONGEST: u32 = 1 << 16;

#[wasm_bindgen]
extern "C" {
    /// The app's object, or `sessionStorage`.
    pub(super) type Store;
    #[wasm_bindgen(method, catch, js_name = getItem)]
    fn get_item(this: &Store, key: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setItem)]
    fn set_item(this: &Store, key: &str, value: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeItem)]
    fn remove_item(this: &Store, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = globalThis)]
    type Global;
    #[wasm_bindgen(static_method_of = Global, getter, catch, js_name = sessionStorage)]
    fn session_storage() -> Result<JsValue, JsValue>;
}

/// The store that the app passed; the page's where it said nothing, and none where it said `null`.
pub(super) fn store(given: JsValue) -> Result<Option<Store>, Error> {
    if given.is_null() {
        return Ok(None);
    }
    if !given.is_undefined() {
        return checked(given).map(Some);
    }
    // A sandboxed page may not even look at it (`SecurityError`), and Node may have none.
    let session = Global::session_storage().ok().filter(JsValue::is_object);
    Ok(session.map(JsValue::unchecked_into))
}

fn checked(given: JsValue) -> Result<Store, Error> {
    let fields = Fields::of(&given, "storage")?;
    for method in ["getItem", "setItem", "removeItem"] {
        if !fields.get(method)?.is_function() {
            return Err(invalid(["`storage` has no method `", method, "`"].concat()));
        }
    }
    Ok(given.unchecked_into())
}

/// A wish for the store.
pub(super) struct Errand {
    pub(super) id: Ticket,
    /// To look up, or else to keep the value, or to remove what is there.
    pub(super) load: bool,
    pub(super) key: String,
    pub(super) value: Option<String>,
}

/// The store, and what it has to do: no more than a wish or two a login.
pub(super) struct Storage {
    store: Option<Store>,
    waiting: RefCell<Vec<Errand>>,
    /// What it is at, and whether that is a load.
    under_way: Cell<Option<(Ticket, bool)>>,
}

impl Errand {
    fn run(&self, store: &Store) -> Result<JsValue, JsValue> {
        match &self.value {
            _ if self.load => store.get_item(&self.key),
            Some(value) => store.set_item(&self.key, value),
            None => store.remove_item(&self.key),
        }
    }
}

impl Storage {
    pub(super) fn new(store: Option<Store>) -> Storage {
        Storage {
            store,
            waiting: RefCell::default(),
            under_way: Cell::default(),
        }
    }
}

impl Inner {
    /// Puts an errand in line.
    pub(super) fn send_for(&self, errand: Errand) {
        self.storage.waiting.borrow_mut().push(errand);
        self.deliveries.borrow_mut().push_back(Delivery::Errand);
    }

    /// Lets the store do the errand that is first in line, unless it is at one.
    pub(super) fn run_errand(&self) {
        let storage = &self.storage;
        let mut waiting = storage.waiting.borrow_mut();
        if storage.under_way.get().is_some() || waiting.is_empty() {
            return;
        }
        let errand = waiting.remove(0);
        drop(waiting);
        let id = errand.id;
        storage.under_way.set(Some((id, errand.load)));
        match storage.store.as_ref().map(|store| errand.run(store)) {
            Some(Ok(answer)) if answer.is_object() || answer.is_function() => {
                self.callback
                    .settled(&answer, Kind::Stored, Kind::StoreFailed, id.0 as f64);
            }
            Some(Ok(answer)) => self.errand_done(id, Some(&answer)),
            _ => self.errand_done(id, None),
        }
    }

    /// The store has answered, or failed.
    pub(super) fn errand_done(&self, id: Ticket, answer: Option<&JsValue>) {
        if let Some((ours, load)) = self.storage.under_way.get()
            && ours == id
        {
            self.storage.under_way.set(None);
            self.deliveries.borrow_mut().push_back(Delivery::Errand);
            self.answered(id, load, answer);
        }
    }

    fn answered(&self, id: Ticket, load: bool, answer: Option<&JsValue>) {
        if load {
            let value = answer.and_then(text);
            self.enter(Box::new(move |engine, now| {
                let value = value.as_deref();
                engine.handle(now, Input::Loaded { id, value });
            }));
        } else {
            let kept = answer.is_some();
            self.handle(Input::Stored { id, kept });
        }
    }
}

/// The text that was kept, if it is any.
fn text(value: &JsValue) -> Option<String> {
    let text = value.dyn_ref::<JsString>()?;
    if text.length() > LONGEST {
        return None;
    }
    string(value, "").ok()
}
