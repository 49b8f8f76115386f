//! What outlives the client: the app's store, else the page's `sessionStorage`.
//!
//! A store's methods are functions of the app's: they run once the engine has finished, and one at a time, so that what is
//! kept is what was wished for last, however slowly a store answers. A store that answers at once has done all it is to do
//! when the engine has been told that the page goes. Where it throws, rejects, or has something else than text, it is
//! as if it kept nothing.

use super::callback::Kind;
use super::drain::{Delivery, Inner};
use super::fields::{Fields, string};
use super::page::global;
use crate::engine::{Input, Ticket};
use crate::error::Error;
use crate::given::invalid;
use js_sys::JsString;
use std::cell::{Cell, RefCell};
use wasm_bindgen::prelude::*;

/// How long a value may be, in UTF-16 units. A longer one is none of ours: pages have 5 or 10 MB for all that they keep.
const LONGEST: u32 = 1 << 23;

/// How many errands may wait for a store that doesn't answer. What is to be kept beyond that isn't.
const MOST: usize = 1_000;

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
    let session = global("sessionStorage");
    Ok(session.is_object().then(|| session.unchecked_into()))
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

/// The store, and what it has to do.
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

    fn next(&self) -> Option<Errand> {
        let mut waiting = self.waiting.borrow_mut();
        if self.under_way.get().is_some() || waiting.is_empty() {
            return None;
        }
        Some(waiting.remove(0))
    }
}

impl Inner {
    /// Puts an errand in line.
    pub(super) fn send_for(&self, errand: Errand) {
        let mut waiting = self.storage.waiting.borrow_mut();
        if waiting.len() < MOST {
            waiting.push(errand);
            self.deliveries.borrow_mut().push_back(Delivery::Errands);
        } else {
            drop(waiting);
            self.answered(errand.id, errand.load, None);
        }
    }

    /// Lets the store do its errands one by one, until there are none or it takes its time.
    pub(super) fn run_errands(&self) {
        while let Some(errand) = self.storage.next() {
            self.run_errand(errand);
        }
    }

    fn run_errand(&self, errand: Errand) {
        let storage = &self.storage;
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
            self.deliveries.borrow_mut().push_back(Delivery::Errands);
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
