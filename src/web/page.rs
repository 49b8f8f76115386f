//! What becomes of the page: whether there is a network, whether anybody sees the page, and whether the browser puts it away or
//! brings it back. HTML §8.4.9 (`online`), §7.4.6 (`pageshow`, `pagehide`) and §6.2 (`visibilitychange`); Page Lifecycle
//! (`freeze`, `resume`), draft of 2024-04. Beside it the clock, which jumps when the machine has slept.
//!
//! A worker has the network's events alone, and Node none.

use super::callback::Kind;
use super::drain::Inner;
use super::fetch::AbortController;
use super::fields::set;
use super::timer::now;
use crate::engine::Input;
use js_sys::{Date, Function, Object, Reflect};
use std::cell::{Cell, RefCell};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Target;
    #[wasm_bindgen(method, catch, js_name = addEventListener)]
    fn add_event_listener(this: &Target, kind: &str, listener: &Function, options: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = globalThis)]
    type Global;
    #[wasm_bindgen(static_method_of = Global, getter, js_name = globalThis)]
    fn itself() -> JsValue;

    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

/// What is listened to: on the global object, and from [`OF_DOCUMENT`] on at the document.
const EVENTS: [&str; 7] = [
    "offline",
    "online",
    "pagehide",
    "pageshow",
    "resume",
    "visibilitychange",
    "freeze",
];
const OF_DOCUMENT: usize = 4;

/// How far the clock must run ahead of the platform's own count of time, in milliseconds, for it to have jumped.
const JUMP: f64 = 2_000.0;

/// By how much what the engine knows of the clock may be wrong, and how long it may know nothing of another time zone (in summer
/// there is one), in milliseconds.
const DRIFT: f64 = 500.0;
const ZONE: f64 = 600_000.0;

/// What the platform has under that name; `undefined` where it has nothing, or keeps it from the page.
pub(super) fn global(name: &str) -> JsValue {
    Reflect::get(&Global::itself(), &name.into()).unwrap_or_default()
}

/// The page as it was told of last.
pub(super) struct Page {
    /// Takes all listeners away. There are some while there is something to listen for.
    listening: RefCell<Option<AbortController>>,
    hidden: Cell<bool>,
    /// How far the clock is ahead of the platform's own count of time.
    ahead: Cell<f64>,
    /// The same when the engine was told the time, and when that was.
    told: Cell<(f64, f64)>,
}

/// What is to be known of the clock.
pub(super) struct Clock {
    /// It has jumped: the platform's own count of time may stand still in a machine that sleeps. One that is set back hasn't.
    pub(super) jumped: bool,
    /// The time in milliseconds, and by how many minutes the local time is ahead of it, where the engine is to be told.
    pub(super) news: Option<(u64, i32)>,
}

impl Page {
    pub(super) fn new() -> Page {
        Page {
            listening: RefCell::default(),
            hidden: Cell::default(),
            ahead: Cell::new(f64::INFINITY),
            told: Cell::new((f64::INFINITY, 0.0)),
        }
    }

    /// What is to be known of the clock since this was last asked.
    pub(super) fn clock(&self) -> Clock {
        let (date, count) = (date_now(), now().0 as f64);
        let ahead = date - count;
        let jumped = ahead - self.ahead.replace(ahead) > JUMP;
        let (told, at) = self.told.get();
        let news = ((ahead - told).abs() > DRIFT || count - at > ZONE).then(|| {
            self.told.set((ahead, count));
            let zone = Date::new(&date.into()).get_timezone_offset();
            (date as u64, -zone as i32)
        });
        Clock { jumped, news }
    }
}

impl Inner {
    /// Listens, or listens no more. Whether the page is seen may have changed while nobody listened.
    pub(super) fn watch_page(&self, watch: bool) {
        let mut listening = self.page.listening.borrow_mut();
        if watch == listening.is_some() {
            return;
        }
        if let Some(listeners) = listening.take() {
            return listeners.abort();
        }
        let controller = AbortController::new();
        let options: JsValue = Object::new().into();
        set(&options, "signal", &controller.signal());
        let (mut target, document) = (Global::itself(), global("document"));
        for (number, kind) in EVENTS.into_iter().enumerate() {
            if number == OF_DOCUMENT {
                target.clone_from(&document);
            }
            let listener = self.callback.bound(Kind::Page, number as f64);
            // Where there are no such events, there may be no such function, nor a document.
            let _ = target
                .unchecked_ref::<Target>()
                .add_event_listener(kind, &listener, &options);
        }
        if let Some(host) = &self.host {
            host.set_page(&controller);
        }
        *listening = Some(controller);
        drop(listening);
        if is_hidden(&document) != self.page.hidden.get() {
            self.look();
        }
    }

    /// One of the events has come, by its place among them.
    pub(super) fn page_event(&self, number: u32, event: &JsValue) {
        match number {
            0 | 1 => self.handle(Input::Network { online: number == 1 }),
            // The first `pageshow` comes with the page itself.
            3 if Reflect::get(event, &"persisted".into()).is_ok_and(|kept| kept.is_falsy()) => {}
            3 | 4 => self.handle(Input::PageShown),
            5 => self.look(),
            _ => self.handle(Input::PageHidden),
        }
        self.hurry();
    }

    fn look(&self) {
        let hidden = is_hidden(&global("document"));
        self.page.hidden.set(hidden);
        self.handle(Input::Visible(!hidden));
    }
}

fn is_hidden(document: &JsValue) -> bool {
    Reflect::get(document, &"visibilityState".into()).is_ok_and(|state| state == "hidden")
}
