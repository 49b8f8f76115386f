//! The WebSocket. There is one at a time; an older one is detached and closed, and what it still says goes nowhere.

use super::callback::{Callback, Host, Kind};
use super::timer::later;
use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type WebSocket;
    #[wasm_bindgen(constructor, catch)]
    fn new(url: &str, protocol: &str) -> Result<WebSocket, JsValue>;
    #[wasm_bindgen(method, setter)]
    fn set_onopen(this: &WebSocket, listener: Option<&Function>);
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &WebSocket, listener: Option<&Function>);
    #[wasm_bindgen(method, setter)]
    fn set_onclose(this: &WebSocket, listener: Option<&Function>);
    #[wasm_bindgen(method, setter)]
    fn set_onerror(this: &WebSocket, listener: Option<&Function>);
    #[wasm_bindgen(method, getter)]
    fn protocol(this: &WebSocket) -> JsValue;
    #[wasm_bindgen(method, catch)]
    fn send(this: &WebSocket, text: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn close(this: &WebSocket, code: u16) -> Result<(), JsValue>;

    type SocketEvent;
    #[wasm_bindgen(method, getter)]
    fn data(this: &SocketEvent) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn code(this: &SocketEvent) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = wasClean)]
    fn was_clean(this: &SocketEvent) -> JsValue;
}

/// How long a socket waits for the server to take note of our `<close/>`, in milliseconds.
const LINGER: u64 = 1_000;

/// A socket, opening, open or closed by the other side. Dropped, it is detached and closed.
pub(super) struct Socket {
    socket: WebSocket,
    generation: u32,
}

impl Socket {
    /// Begins to open one with the subprotocol of RFC 7395 §3.1; `None` where the platform won't even try.
    pub(super) fn open(url: &str, generation: u32, callback: &Callback, host: Option<&Host>) -> Option<Socket> {
        let socket = WebSocket::new(url, "xmpp").ok()?;
        let number = f64::from(generation);
        socket.set_onopen(Some(&callback.bound(Kind::Open, number)));
        socket.set_onmessage(Some(&callback.bound(Kind::Message, number)));
        // An `error` tells nothing. A `close` should follow it, and in some releases of Node 22 does not.
        let ended = callback.bound(Kind::Close, number);
        socket.set_onerror(Some(&ended));
        socket.set_onclose(Some(&ended));
        if let Some(host) = host {
            host.set_socket(&socket);
        }
        Some(Socket { socket, generation })
    }

    /// What the socket still says doesn't matter any more, but that the server has heard our last word does: one that
    /// closes by itself at that very moment would see a closed socket talked to.
    pub(super) fn linger(&self, callback: &Callback) {
        let lingered = callback.bound(Kind::Lingered, f64::from(self.generation));
        self.socket.set_onopen(None);
        self.socket.set_onmessage(Some(&lingered));
        self.socket.set_onerror(Some(&lingered));
        self.socket.set_onclose(Some(&lingered));
        later(&lingered, LINGER);
    }

    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// What the server chose; empty for none.
    pub(super) fn protocol(&self) -> String {
        self.socket.protocol().as_string().unwrap_or_default()
    }

    /// Sends a text message. On a socket that is closing it goes nowhere, and `close` tells so.
    pub(super) fn send(&self, text: &str) {
        let _ = self.socket.send(text);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onerror(None);
        self.socket.set_onclose(None);
        // RFC 6455 §7.4.1: 1000 is the normal closure.
        let _ = self.socket.close(1000);
    }
}

/// The text of a message; `None` for a binary one, and for what is no message.
pub(super) fn text(event: &JsValue) -> Option<String> {
    if event.is_undefined() {
        return None;
    }
    event.unchecked_ref::<SocketEvent>().data().as_string()
}

/// The code of a `close`, and whether the closing handshake took place.
pub(super) fn close(event: &JsValue) -> (u16, bool) {
    let event: &SocketEvent = event.unchecked_ref();
    let code = event.code().as_f64().unwrap_or(1006.0) as u16;
    (code, event.was_clean().is_truthy())
}
