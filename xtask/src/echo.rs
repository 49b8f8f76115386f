//! A server that says each message back, with stream management (XEP-0198 1.6.3) and resumption: the script of a login
//! (`scripted.rs`) and, behind it, no more than what a client needs to be busy with.
//!
//! Now and then it drops a connection in the middle of things, and lets the client resume. Left out: everything else.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use tungstenite::{Message, WebSocket};

use crate::scripted::{Offer, Script, subprotocol};

const SM: &str = "urn:xmpp:sm:3";
/// After how many stanzas the server asks what has come.
const ASKS: usize = 100;

/// A running server. Dropping it ends it for whoever comes next.
#[derive(Debug)]
pub(crate) struct Echo {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    all: Arc<All>,
}

/// What its connections share.
#[derive(Debug)]
struct All {
    offer: Offer,
    /// After how many messages a connection is dropped.
    drops: u64,
    messages: AtomicU64,
    ended: AtomicBool,
    sessions: Mutex<BTreeMap<String, Arc<Mutex<Session>>>>,
}

/// What outlives a connection.
#[derive(Debug, Default)]
struct Session {
    /// Of the client's stanzas.
    handled: u32,
    /// Of ours: how many the client has acknowledged, and the others.
    acknowledged: u32,
    waiting: VecDeque<String>,
    asked: usize,
}

impl Echo {
    /// Starts it. A connection is dropped each `drops` messages.
    pub(crate) fn start(domain: &str, password: &str, drops: u64) -> Result<Self> {
        let mut offer = Offer::new(domain, &["SCRAM-SHA-256"], password, 4096);
        offer.features = format!("<sm xmlns='{SM}'/>");
        let all = Arc::new(All {
            offer,
            drops,
            messages: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            sessions: Mutex::default(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for the echo")?;
        let address = listener.local_addr()?;
        let shared = Arc::clone(&all);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.ended.load(Ordering::Relaxed) {
                    break;
                }
                let all = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &all));
            }
        });
        Ok(Self { address, all })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.all.ended.store(true, Ordering::Relaxed);
        // So that it looks.
        let _ = TcpStream::connect(self.address);
    }
}

/// One connection, to its end. A client that has gone away is no concern of ours.
fn serve(stream: TcpStream, all: &All) {
    let _ = stream.set_nodelay(true);
    let Ok(mut socket) = tungstenite::accept_hdr(stream, subprotocol) else {
        return;
    };
    let mut connection = Connection {
        script: Script::new(all.offer.clone()),
        session: None,
    };
    while let Ok(message) = socket.read() {
        let Message::Text(frame) = message else { continue };
        let Some(frames) = connection.answer(&frame, all) else {
            // Without a word, and with whatever is under way.
            let _ = socket.get_ref().shutdown(Shutdown::Both);
            return;
        };
        let closed = connection.script.has_ended();
        if say(&mut socket, frames).is_err() || (closed && socket.close(None).is_err()) {
            return;
        }
    }
}

fn say(socket: &mut WebSocket<TcpStream>, frames: Vec<String>) -> tungstenite::Result<()> {
    for frame in frames {
        socket.write(Message::text(frame))?;
    }
    socket.flush()
}

struct Connection {
    script: Script,
    session: Option<Arc<Mutex<Session>>>,
}

impl Connection {
    /// None where the connection is to be dropped.
    fn answer(&mut self, frame: &str, all: &All) -> Option<Vec<String>> {
        if !self.script.is_authenticated() {
            return Some(self.script.answer(frame));
        }
        let name = frame.get(1..).unwrap_or_default();
        let name = name.split([' ', '/', '>']).next().unwrap_or_default();
        Some(match name {
            "enable" => {
                let mut sessions = lock(&all.sessions);
                let id = format!("session-{}", sessions.len());
                let session = Arc::clone(sessions.entry(id.clone()).or_default());
                self.session = Some(session);
                vec![format!("<enabled xmlns='{SM}' id='{id}' resume='true'/>")]
            }
            "resume" => {
                let id = attribute(frame, "previd").unwrap_or_default();
                let Some(session) = lock(&all.sessions).get(id).map(Arc::clone) else {
                    let not_found = "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
                    return Some(vec![format!("<failed xmlns='{SM}'>{not_found}</failed>")]);
                };
                let frames = {
                    let mut session = lock(&session);
                    session.acknowledge(frame);
                    let resumed = format!("<resumed xmlns='{SM}' previd='{id}' h='{}'/>", session.handled);
                    [resumed].into_iter().chain(session.waiting.iter().cloned()).collect()
                };
                self.session = Some(session);
                frames
            }
            "r" => {
                let handled = self.session.as_ref().map(|session| lock(session).handled);
                vec![format!("<a xmlns='{SM}' h='{}'/>", handled.unwrap_or_default())]
            }
            "a" => {
                if let Some(session) = &self.session {
                    lock(session).acknowledge(frame);
                }
                Vec::new()
            }
            "message" => {
                let number = all.messages.fetch_add(1, Ordering::Relaxed) + 1;
                self.count();
                let echo = self.send(vec![echo(frame, number, &all.offer.domain)]);
                if number.is_multiple_of(all.drops) {
                    return None;
                }
                echo
            }
            "iq" | "presence" => {
                self.count();
                let frames = self.script.answer(frame);
                self.send(frames)
            }
            _ => self.script.answer(frame),
        })
    }

    fn count(&self) {
        if let Some(session) = &self.session {
            let mut session = lock(session);
            session.handled = session.handled.wrapping_add(1);
        }
    }

    /// Stanzas on their way out.
    fn send(&self, mut frames: Vec<String>) -> Vec<String> {
        if let Some(session) = &self.session {
            let mut session = lock(session);
            session.waiting.extend(frames.iter().cloned());
            session.asked += frames.len();
            if session.asked >= ASKS {
                session.asked = 0;
                frames.push(format!("<r xmlns='{SM}'/>"));
            }
        }
        frames
    }
}

impl Session {
    fn acknowledge(&mut self, frame: &str) {
        let h: u32 = attribute(frame, "h").and_then(|h| h.parse().ok()).unwrap_or_default();
        let count = h.wrapping_sub(self.acknowledged) as usize;
        if count <= self.waiting.len() {
            self.waiting.drain(..count);
            self.acknowledged = h;
        }
    }
}

/// The same body, from the other side.
fn echo(frame: &str, number: u64, domain: &str) -> String {
    let body = frame
        .split_once("<body>")
        .and_then(|(_, rest)| rest.split_once("</body>"))
        .map(|(body, _)| body)
        .unwrap_or_default();
    format!(
        "<message xmlns='jabber:client' from='bob@{domain}/echo' to='alice@{domain}' type='chat' id='e-{number}'>\
         <body>{body}</body><stanza-id xmlns='urn:xmpp:sid:0' by='alice@{domain}' id='{number}'/></message>"
    )
}

/// As our own client writes them.
fn attribute<'a>(frame: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = frame.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back() {
        let frame = r#"<message xmlns="jabber:client" to="bob@a" id="p-1"><body>p 1</body><origin-id/></message>"#;
        let back = echo(frame, 7, "a");
        assert!(
            back.contains("<body>p 1</body>") && back.contains("from='bob@a/echo'"),
            "{back}"
        );
    }

    #[test]
    fn what_is_acknowledged_waits_no_more() {
        let mut session = Session::default();
        session.waiting.extend(["one", "two", "three"].map(str::to_owned));
        session.acknowledge(r#"<a xmlns="urn:xmpp:sm:3" h="2"/>"#);
        assert_eq!((session.acknowledged, session.waiting.len()), (2, 1));
        session.acknowledge(r#"<a xmlns="urn:xmpp:sm:3" h="9"/>"#);
        assert_eq!(
            (session.acknowledged, session.waiting.len()),
            (2, 1),
            "beyond what was sent"
        );
    }
}
