//! GET requests, for host-meta: without credentials, bounded in size, and never led from https to http.

use super::callback::{Callback, Kind};
use super::fields::{bytes, set};
use crate::engine::{Fetched, Ticket};
use js_sys::{Object, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = fetch)]
    fn start_fetch(url: &str, init: &JsValue) -> Result<JsValue, JsValue>;

    pub(super) type AbortController;
    #[wasm_bindgen(constructor)]
    pub(super) fn new() -> AbortController;
    #[wasm_bindgen(method, getter)]
    pub(super) fn signal(this: &AbortController) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn abort(this: &AbortController);

    type Response;
    #[wasm_bindgen(method, getter)]
    fn status(this: &Response) -> u16;
    #[wasm_bindgen(method, getter)]
    fn url(this: &Response) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn body(this: &Response) -> Option<Body>;
    #[wasm_bindgen(method, catch)]
    fn text(this: &Response) -> Result<JsValue, JsValue>;

    type Body;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(this: &Body) -> Result<Reader, JsValue>;

    type Reader;
    #[wasm_bindgen(method, catch)]
    fn read(this: &Reader) -> Result<JsValue, JsValue>;

    type Piece;
    #[wasm_bindgen(method, getter)]
    fn done(this: &Piece) -> bool;
    #[wasm_bindgen(method, getter)]
    fn value(this: &Piece) -> Uint8Array;
}

/// A fetch under way. Dropped, it is aborted.
pub(super) struct Fetch {
    id: Ticket,
    controller: AbortController,
    secure: bool,
    limit: usize,
    status: u16,
    reader: Option<Reader>,
    body: Vec<u8>,
}

/// The end of a fetch.
pub(super) enum Outcome {
    /// A response, whole.
    Response(u16, String),
    /// No response.
    Failed,
    /// A response with a body beyond the limit.
    TooLarge,
}

impl Outcome {
    pub(super) fn as_fetched(&self) -> Fetched<'_> {
        match self {
            Outcome::Response(status, body) => Fetched::Response { status: *status, body },
            Outcome::Failed => Fetched::Failed,
            Outcome::TooLarge => Fetched::TooLarge,
        }
    }
}

impl Fetch {
    /// Begins; `None` where the platform won't even try.
    pub(super) fn start(id: Ticket, url: &str, limit: usize, callback: &Callback) -> Option<Fetch> {
        let controller = AbortController::new();
        let init: JsValue = Object::new().into();
        set(&init, "credentials", &"omit".into());
        set(&init, "redirect", &"follow".into());
        set(&init, "signal", &controller.signal());
        let fetch = Fetch {
            id,
            controller,
            secure: url.starts_with("https:"),
            limit,
            status: 0,
            reader: None,
            body: Vec::new(),
        };
        let response = start_fetch(url, &init).ok()?;
        callback.then(&response, Kind::Response, Kind::FetchFailed, id.0 as f64);
        Some(fetch)
    }

    pub(super) fn id(&self) -> Ticket {
        self.id
    }

    /// Takes the response's head.
    pub(super) fn response(&mut self, response: &JsValue, callback: &Callback) -> Result<(), Outcome> {
        let response: &Response = response.unchecked_ref();
        // RFC 7395 §4: what tells where the server is must itself have come over TLS, to the last hop.
        let url = response.url().as_string().unwrap_or_default();
        if self.secure && url.starts_with("http:") {
            return Err(Outcome::Failed);
        }
        self.status = response.status();
        if !(200..300).contains(&self.status) {
            return Err(Outcome::Response(self.status, String::new()));
        }
        match response.body().map(|body| body.get_reader()) {
            Some(Ok(reader)) => {
                self.reader = Some(reader);
                self.read(callback)
            }
            _ => {
                let text = response.text().map_err(|_| Outcome::Failed)?;
                callback.then(&text, Kind::Text, Kind::FetchFailed, self.id.0 as f64);
                Ok(())
            }
        }
    }

    /// Takes a piece of the body.
    pub(super) fn piece(&mut self, piece: &JsValue, callback: &Callback) -> Result<(), Outcome> {
        let piece: &Piece = piece.unchecked_ref();
        if piece.done() {
            let body = String::from_utf8_lossy(&self.body).into_owned();
            return Err(Outcome::Response(self.status, body));
        }
        let value = piece.value();
        if self.body.len().saturating_add(value.length() as usize) > self.limit {
            return Err(Outcome::TooLarge);
        }
        self.body.extend(bytes(&value));
        self.read(callback)
    }

    /// Takes the whole body, where the platform doesn't give it in pieces.
    pub(super) fn text(&self, text: &JsValue) -> Outcome {
        match text.as_string() {
            Some(text) if text.len() <= self.limit => Outcome::Response(self.status, text),
            Some(_) => Outcome::TooLarge,
            None => Outcome::Failed,
        }
    }

    fn read(&self, callback: &Callback) -> Result<(), Outcome> {
        let reader = self.reader.as_ref().ok_or(Outcome::Failed)?;
        let piece = reader.read().map_err(|_| Outcome::Failed)?;
        callback.then(&piece, Kind::Piece, Kind::FetchFailed, self.id.0 as f64);
        Ok(())
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        // After the end it does nothing.
        self.controller.abort();
    }
}
