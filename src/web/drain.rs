//! The drain loop: facts and calls in, wishes carried out, then the app's own functions.
//!
//! What happens while the engine speaks only queues. The app's functions run when it has finished, in order; a call that
//! one of them makes goes through the engine at once, and the events it causes come behind those that wait already.

use super::callback::{Callback, Host, Kind};
use super::convert;
use super::credentials;
use super::derive::{self, Deriving};
use super::entropy;
use super::error::{report, to_js};
use super::fetch::{Fetch, Outcome};
use super::fields::set;
use super::listeners::Listeners;
use super::locks::Locks;
use super::options::Options;
use super::page::Page;
use super::promises::Promises;
use super::socket::{self, Socket};
use super::storage::{Errand, Storage};
use super::timer::{Timer, now};
use crate::engine::{Engine, Event, Input, Millis, Output, Status, Ticket, Wish};
use crate::error::{Code, Error, Phase};
use crate::sasl::Credentials;
use js_sys::{Function, Object};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(function: &Function);
}

/// What goes into the engine.
pub(super) type Entry = Box<dyn FnOnce(&mut Engine, Millis)>;

/// What is for functions of the app's.
pub(super) enum Delivery {
    Event(Event),
    /// Which wish, and why it is asked again.
    AskCredentials(Ticket, Option<Error>),
    /// The store has something to do.
    Errands,
}

/// A client's engine and all that the platform has for it.
pub(super) struct Inner {
    engine: RefCell<Engine>,
    entries: RefCell<VecDeque<Entry>>,
    draining: Cell<bool>,
    pub(super) deliveries: RefCell<VecDeque<Delivery>>,
    delivering: Cell<bool>,
    tickets: Cell<u64>,
    pub(super) callback: Callback,
    pub(super) host: Option<Host>,
    pub(super) promises: Promises,
    pub(super) listeners: Listeners,
    pub(super) handlers: RefCell<Vec<(u32, Function)>>,
    /// The app's `credentials` function, and what it last failed with.
    ask: Option<Function>,
    cause: RefCell<Option<JsValue>>,
    pub(super) storage: Storage,
    socket: RefCell<Option<Socket>>,
    /// Sockets whose stream has ended, until the server has taken note.
    lingering: RefCell<Vec<Socket>>,
    fetches: RefCell<Vec<Fetch>>,
    deriving: RefCell<Option<Deriving>>,
    timer: Timer,
    pub(super) page: Page,
    pub(super) locks: Locks,
}

impl Inner {
    pub(super) fn new(options: Options, host: Option<Host>) -> Result<Rc<Inner>, Error> {
        let seed = entropy::seed()?;
        Ok(Rc::new_cyclic(|weak| Inner {
            engine: RefCell::new(Engine::new(options.config, seed)),
            entries: RefCell::default(),
            draining: Cell::default(),
            deliveries: RefCell::default(),
            delivering: Cell::default(),
            tickets: Cell::default(),
            callback: Callback::new(weak, host.as_ref()),
            host,
            promises: Promises::default(),
            listeners: Listeners::default(),
            handlers: RefCell::default(),
            ask: options.ask,
            cause: RefCell::default(),
            storage: Storage::new(options.store),
            socket: RefCell::default(),
            lingering: RefCell::default(),
            fetches: RefCell::default(),
            deriving: RefCell::default(),
            timer: Timer::default(),
            page: Page::new(),
            locks: Locks::default(),
        }))
    }

    /// Looks at the engine.
    pub(super) fn with<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        look(&self.engine.borrow())
    }

    /// The number of a new call.
    pub(super) fn ticket(&self) -> Ticket {
        let number = self.tickets.get() + 1;
        self.tickets.set(number);
        Ticket(number)
    }

    /// Puts something into the engine, and carries out what comes of it.
    pub(super) fn enter(&self, entry: Entry) {
        self.entries.borrow_mut().push_back(entry);
        if self.draining.replace(true) {
            return;
        }
        let clock = self.page.clock();
        if let Some((utc, zone)) = clock.news {
            let news: Entry = Box::new(move |engine, now| engine.handle(now, Input::WallClock { utc, zone }));
            self.entries.borrow_mut().push_front(news);
        }
        if clock.jumped {
            // Told first: what has come in may be old.
            let jump: Entry = Box::new(|engine, now| engine.handle(now, Input::ClockJumped));
            self.entries.borrow_mut().push_front(jump);
        }
        while let Some(entry) = self.next_entry() {
            entry(&mut self.engine.borrow_mut(), now());
            while let Some(output) = self.next_output() {
                self.carry_out(output);
            }
            // It may find something to tell.
            self.watch_page(self.with(Engine::status) != Status::Offline);
        }
        self.timer.arm(self.with(Engine::next_deadline), &self.callback);
        self.draining.set(false);
        self.deliver();
    }

    /// Has the store do now what it is to do, even where a function of the app's is running: the page may be gone when
    /// that has come to its end.
    pub(super) fn hurry(&self) {
        if !self.draining.get() {
            self.run_errands();
        }
    }

    /// Reports a fact.
    pub(super) fn handle(&self, input: Input<'static>) {
        self.enter(Box::new(move |engine, now| engine.handle(now, input)));
    }

    // These are functions so that the borrow ends before what they return is used.
    fn next_entry(&self) -> Option<Entry> {
        self.entries.borrow_mut().pop_front()
    }

    fn next_output(&self) -> Option<Output> {
        self.engine.borrow_mut().poll_output()
    }

    fn next_delivery(&self) -> Option<Delivery> {
        self.deliveries.borrow_mut().pop_front()
    }

    fn carry_out(&self, output: Output) {
        match output {
            Output::Io(wish) => self.grant(wish),
            Output::Reply { ticket, result } => {
                let cause = result.as_ref().err().and_then(|error| self.cause(error));
                let result = result.map(|reply| convert::reply(&reply));
                self.promises.settle(ticket, result, cause.as_ref());
            }
            Output::Event(event) => self.deliveries.borrow_mut().push_back(Delivery::Event(event)),
        }
    }

    fn grant(&self, wish: Wish) {
        match wish {
            Wish::Fetch { id, url, limit } => match Fetch::start(id, &url, limit, &self.callback) {
                Some(fetch) => self.fetches.borrow_mut().push(fetch),
                None => self.fetch_ended(id, Outcome::Failed),
            },
            Wish::CancelFetch { id } => self.fetches.borrow_mut().retain(|fetch| fetch.id() != id),
            Wish::Connect { generation, url } => {
                let socket = Socket::open(&url, generation, &self.callback, self.host.as_ref());
                if socket.is_none() {
                    self.handle(Input::SocketClosed {
                        generation,
                        code: 1006,
                        clean: false,
                    });
                }
                self.socket.replace(socket);
            }
            Wish::Send(frame) => {
                if let Some(socket) = &*self.socket.borrow() {
                    socket.send(&frame);
                }
            }
            Wish::CloseSocket { generation, linger } => {
                self.deriving.take();
                let ours = |socket: &mut Socket| socket.generation() == generation;
                let closed = self.socket.borrow_mut().take_if(ours);
                if let Some(socket) = closed.filter(|_| linger) {
                    socket.linger(&self.callback);
                    self.lingering.borrow_mut().push(socket);
                }
            }
            Wish::Load { id, key } => self.send_for(Errand {
                id,
                load: true,
                key,
                value: None,
            }),
            Wish::Store { id, key, value } => self.send_for(Errand {
                id,
                load: false,
                key,
                value,
            }),
            Wish::Lock { id, name, wait } => self.lock(id, name, wait),
            Wish::Unlock { name } => self.unlock(&name),
            Wish::DeriveKey { id, request } => {
                let deriving = Deriving::start(id, request, &self.callback);
                self.deriving.replace(Some(deriving));
            }
            Wish::AskCredentials { id, error } => {
                let ask = Delivery::AskCredentials(id, error);
                self.deliveries.borrow_mut().push_back(ask);
            }
        }
    }

    /// Something the platform calls back about.
    pub(super) fn called(&self, kind: Kind, number: f64, value: &JsValue) {
        let (id, generation) = (Ticket(number as u64), number as u32);
        match kind {
            Kind::Open => {
                let protocol = self.socket.borrow().as_ref().map(Socket::protocol).unwrap_or_default();
                self.enter(Box::new(move |engine, now| {
                    let protocol = protocol.as_str();
                    engine.handle(now, Input::SocketOpen { generation, protocol });
                }));
            }
            Kind::Message => match socket::text(value) {
                Some(data) => self.enter(Box::new(move |engine, now| {
                    let data = data.as_str();
                    engine.handle(now, Input::Frame { generation, data });
                })),
                None => self.handle(Input::BinaryFrame { generation }),
            },
            Kind::Close => {
                let (code, clean) = socket::close(value);
                self.handle(Input::SocketClosed {
                    generation,
                    code,
                    clean,
                });
            }
            Kind::Timer => {
                self.timer.fired();
                self.handle(Input::Deadline);
            }
            Kind::Response => self.fetch_step(id, &mut |fetch| fetch.response(value, &self.callback).err()),
            Kind::Piece => self.fetch_step(id, &mut |fetch| fetch.piece(value, &self.callback).err()),
            Kind::Text => self.fetch_step(id, &mut |fetch| Some(fetch.text(value))),
            Kind::FetchFailed => self.fetch_step(id, &mut |_| Some(Outcome::Failed)),
            Kind::Key | Kind::Bits | Kind::DeriveFailed | Kind::Slice => self.derive_step(id, kind, value),
            Kind::Credentials => {
                // The app's getters may call the client: the engine is not to be borrowed meanwhile.
                let account = self.with(|engine| engine.jid().local().is_some());
                let read = credentials::read(value, account);
                self.credentials(id, read.map_err(|error| error.in_phase(Phase::Auth)));
            }
            Kind::CredentialsFailed => self.credentials_failed(id, value),
            Kind::Stored => self.errand_done(id, Some(value)),
            Kind::StoreFailed => self.errand_done(id, None),
            Kind::Answer => self.handler_answered(id, value),
            Kind::AnswerFailed => self.handler_failed(id, value),
            Kind::Abort => self.enter(Box::new(move |engine, now| engine.abort(now, id))),
            Kind::Page => self.page_event(generation, value),
            Kind::Deliver => self.deliver(),
            Kind::Lingered => {
                // A stanza that was on its way isn't it.
                if socket::text(value).is_none_or(|text| text.starts_with("<close")) {
                    self.lingering
                        .borrow_mut()
                        .retain(|socket| socket.generation() != generation);
                }
            }
            Kind::LockGranted => {}
            Kind::LockLate => self.lock_late(id),
            Kind::LockEnded => self.lock_ended(id),
        }
    }

    fn fetch_step(&self, id: Ticket, step: &mut dyn FnMut(&mut Fetch) -> Option<Outcome>) {
        let mut fetches = self.fetches.borrow_mut();
        let outcome = fetches.iter_mut().find(|fetch| fetch.id() == id).and_then(step);
        if let Some(outcome) = outcome {
            fetches.retain(|fetch| fetch.id() != id);
            drop(fetches);
            self.fetch_ended(id, outcome);
        }
    }

    fn fetch_ended(&self, id: Ticket, outcome: Outcome) {
        self.enter(Box::new(move |engine, now| {
            let outcome = outcome.as_fetched();
            engine.handle(now, Input::Fetched { id, outcome });
        }));
    }

    fn derive_step(&self, id: Ticket, kind: Kind, value: &JsValue) {
        let mut under_way = self.deriving.borrow_mut();
        let Some(deriving) = under_way.as_mut().filter(|deriving| deriving.id() == id) else {
            return;
        };
        let key = match kind {
            Kind::Key => deriving.key(value, &self.callback),
            Kind::Bits => Some(derive::bits(value)),
            Kind::Slice => deriving.slice(&self.callback),
            _ => deriving.in_slices(&self.callback),
        };
        if let Some(key) = key {
            under_way.take();
            drop(under_way);
            self.handle(Input::Derived { id, key });
        }
    }

    /// Runs the app's functions.
    fn deliver(&self) {
        if self.delivering.replace(true) {
            return;
        }
        while let Some(delivery) = self.next_delivery() {
            match delivery {
                Delivery::AskCredentials(id, error) => self.ask_credentials(id, error.as_ref()),
                Delivery::Errands => self.run_errands(),
                Delivery::Event(event @ Event::Request { .. }) => self.ask_handler(&event),
                Delivery::Event(event) => self.tell(event),
            }
        }
        self.delivering.set(false);
    }

    fn tell(&self, event: Event) {
        let name = convert::name(&event);
        let listeners = self.listeners.of(name);
        if listeners.is_empty() {
            if !convert::waits(&event) {
                return;
            }
            if self.listeners.hold(name, event) {
                let message = ["nobody listens for `", name, "`: the oldest of those held are dropped"].concat();
                let error = Error::new(Code::QueueFull, Phase::Session, message)
                    .with_retryable(false)
                    .with_hint("Add a listener for it.");
                self.deliveries
                    .borrow_mut()
                    .push_back(Delivery::Event(Event::Error(error)));
            }
            return;
        }
        let cause = match &event {
            Event::Error(error) | Event::Status(_, Some(error)) => self.cause(error),
            _ => None,
        };
        let value = convert::event(&event, cause.as_ref());
        for number in listeners {
            // One that was taken away by another meanwhile isn't called any more.
            let Some(listener) = self.listeners.get(number) else {
                continue;
            };
            if let Err(thrown) = listener.call1(&JsValue::UNDEFINED, &value) {
                report(&thrown);
            }
        }
    }

    /// Adds a listener. What was held for want of one comes before anything newer, but not before `on` has returned.
    pub(super) fn listen(&self, kind: String, listener: Function) -> u32 {
        let held = self.listeners.take_held(&kind);
        let number = self.listeners.add(kind, listener);
        // First, since it may itself run listeners.
        self.observe();
        if !held.is_empty() {
            let mut deliveries = self.deliveries.borrow_mut();
            for event in held.into_iter().rev() {
                deliveries.push_front(Delivery::Event(event));
            }
            queue_microtask(&self.callback.bound(Kind::Deliver, 0.0));
        }
        number
    }

    /// Takes a listener away.
    pub(super) fn unlisten(&self, number: u32) {
        self.listeners.remove(number);
        self.observe();
    }

    fn observe(&self) {
        let observe = self.listeners.observe();
        self.enter(Box::new(move |engine, _| engine.observe(observe)));
    }

    fn ask_credentials(&self, id: Ticket, error: Option<&Error>) {
        self.cause.take();
        let Some(ask) = &self.ask else { return };
        let request = Object::new().into();
        if let Some(error) = error {
            set(&request, "error", &to_js(error, None));
        }
        match ask.call1(&JsValue::UNDEFINED, &request) {
            Ok(answer) => {
                self.callback
                    .settled(&answer, Kind::Credentials, Kind::CredentialsFailed, id.0 as f64);
            }
            Err(thrown) => self.credentials_failed(id, &thrown),
        }
    }

    fn credentials_failed(&self, id: Ticket, thrown: &JsValue) {
        self.cause.replace(Some(thrown.clone()));
        let message = "the `credentials` function failed";
        self.credentials(id, Err(Error::new(Code::InvalidArgument, Phase::Auth, message)));
    }

    fn credentials(&self, id: Ticket, outcome: Result<Credentials, Error>) {
        self.handle(Input::Credentials { id, outcome });
    }

    /// What the app's function failed with, where the error is that it failed.
    fn cause(&self, error: &Error) -> Option<JsValue> {
        let its = error.code() == Code::InvalidArgument && error.phase() == Phase::Auth;
        if its { self.cause.borrow().clone() } else { None }
    }
}
