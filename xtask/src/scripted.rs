//! A server whose every word is known: the script of `tests/scripted.rs` behind a WebSocket (RFC 6455), on loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::HeaderValue;
use tungstenite::{Message, WebSocket};

#[allow(dead_code, unreachable_pub)]
#[path = "../../tests/scripted.rs"]
mod script;

pub(crate) use script::Along;
pub(crate) use script::Offer;
pub(crate) use script::Script;

/// A running server. Dropping it ends it for whoever comes next.
#[derive(Debug)]
pub(crate) struct Scripted {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Scripted {
    /// Starts it. Each connection has a script of its own.
    pub(crate) fn start(offer: Offer) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for the scripted server")?;
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if seen.load(Ordering::Relaxed) {
                    break;
                }
                let script = Script::new(offer.clone());
                thread::spawn(move || serve(stream, script));
            }
        });
        Ok(Self { address, ended })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // So that it looks.
        let _ = TcpStream::connect(self.address);
    }
}

/// One connection, to its end. A client that has gone away is no concern of ours.
fn serve(stream: TcpStream, mut script: Script) {
    let _ = stream.set_nodelay(true);
    let Ok(mut socket) = tungstenite::accept_hdr(stream, subprotocol) else {
        return;
    };
    while let Ok(message) = socket.read() {
        let answered = match message {
            Message::Text(frame) => answer(&mut socket, script.answer(&frame)),
            _ => Ok(()),
        };
        let closed = if script.has_ended() { socket.close(None) } else { Ok(()) };
        if answered.and(closed).is_err() {
            return;
        }
    }
}

fn answer(socket: &mut WebSocket<TcpStream>, frames: Vec<String>) -> tungstenite::Result<()> {
    for frame in frames {
        socket.write(Message::text(frame))?;
    }
    socket.flush()
}

/// RFC 7395 §3.1: the client asks for `xmpp` and is to be told so.
#[allow(clippy::result_large_err, clippy::unnecessary_wraps)]
pub(crate) fn subprotocol(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let asked = request.headers().get("Sec-WebSocket-Protocol");
    let named = asked.and_then(|list| list.to_str().ok());
    if named.is_some_and(|list| list.split(',').any(|name| name.trim() == "xmpp")) {
        let headers = response.headers_mut();
        headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_static("xmpp"));
    }
    Ok(response)
}
