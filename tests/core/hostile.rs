//! A server that does what no server should, or somebody in its place. Each time there is a typed error, the stream ends
//! with the right condition, the socket is closed, and the same client can log in elsewhere. What it may do within SASL
//! is in `hostile/sasl.rs`, what it may write in `hostile/frames.rs`.

mod frames;
mod sasl;

use crate::pair::{JID, Pair, config, password};
use crate::server::{Fault, Scram};
use crate::stream::condition;
use stanzawire::engine::{Command, Event, Input, Reply, Ticket};
use stanzawire::error::{Code, Error};
use stanzawire::session::{CredentialSource, Status};
use std::collections::BTreeSet;

/// How far a login, or what follows it, has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    Socket,
    Open,
    Features,
    Credentials,
    Challenge,
    Key,
    Success,
    Reopen,
    Refeatures,
    Bind,
    Session,
    Online,
    Closing,
}

impl At {
    pub const ALL: [At; 13] = [
        At::Socket,
        At::Open,
        At::Features,
        At::Credentials,
        At::Challenge,
        At::Key,
        At::Success,
        At::Reopen,
        At::Refeatures,
        At::Bind,
        At::Session,
        At::Online,
        At::Closing,
    ];
}

/// A client that has come as far as that, all it has sent taken, and the call that waits.
pub fn at(at: At) -> (Pair, Ticket) {
    let mut config = config();
    config.session.reconnect = None;
    if at == At::Credentials {
        config.session.credentials = CredentialSource::Ask;
    }
    let mut pair = Pair::new(config);
    let call = pair.connect();
    reach(&mut pair, at);
    pair.sent.clear();
    if at == At::Closing {
        assert_eq!(pair.reply(call), Ok(Reply::Done));
        let call = pair.call(Command::Disconnect);
        pair.sent.clear();
        return (pair, call);
    }
    (pair, call)
}

fn reach(pair: &mut Pair, at: At) {
    if at == At::Socket {
        return;
    }
    pair.open_socket();
    if at == At::Open {
        return;
    }
    if at == At::Features {
        return pair
            .receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
    }
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    if matches!(at, At::Credentials | At::Challenge) {
        return;
    }
    let mut scram = Scram::new("secret");
    let challenge = scram.challenge(&pair.element().text(), &Fault::None);
    pair.receive(&challenge);
    if at == At::Key {
        return;
    }
    pair.derive_key();
    if at == At::Success {
        return;
    }
    let success = scram.success(&pair.element().text(), &Fault::None);
    pair.receive(&success);
    if at == At::Reopen {
        return;
    }
    if at == At::Refeatures {
        return pair
            .receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s2' version='1.0'/>");
    }
    let session = if at == At::Session {
        "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"
    } else {
        ""
    };
    pair.restart(&format!("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>{session}"));
    if at != At::Bind {
        pair.bind(JID);
    }
}

/// How it ended for who waits, or for who listens. None: it did not.
fn ended(pair: &Pair, call: Ticket) -> Option<Error> {
    if let Some(replies) = pair.replies.get(&call.0) {
        assert_eq!(replies.len(), 1, "a call is settled once");
        if let Err(error) = &replies[0] {
            return Some(error.clone());
        }
    }
    pair.events.iter().find_map(|event| match event {
        Event::Error(error) => Some(error.clone()),
        _ => None,
    })
}

/// Whoever was refused can be let in: the same client logs in to a better server.
fn comes_back(mut pair: Pair, call: Ticket) {
    if pair.reply(call).is_err() {
        if let Some(id) = pair.asked.take() {
            // The question of the first login; whoever answers late harms nobody.
            let outcome = Err(Error::new(Code::Aborted, stanzawire::error::Phase::Auth, "never mind"));
            pair.handle(Input::Credentials { id, outcome });
        }
        pair.derive = None;
    }
    assert_eq!(pair.engine.status(), Status::Offline);
    assert_eq!(pair.engine.next_deadline(), None, "nothing is left ticking");
    pair.sent.clear();
    let again = pair.connect();
    pair.open_socket();
    if let CredentialSource::Fixed(credentials) = password("secret") {
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        if let Some(id) = pair.asked.take() {
            pair.handle(Input::Credentials {
                id,
                outcome: Ok(credentials),
            });
        }
    }
    assert!(pair.authenticate(&Fault::None));
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind(JID);
    assert_eq!(pair.reply(again), Ok(Reply::Done));
}

/// What a server can say, each by its word in the matrix.
const SAID: [(&str, &str); 17] = [
    (
        "open",
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s' version='1.0'/>",
    ),
    ("close", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"),
    (
        "error",
        "<error xmlns='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
    ),
    (
        "mechs",
        "<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
         <mechanism>SCRAM-SHA-1</mechanism></mechanisms></features>",
    ),
    ("nothing", "<features xmlns='http://etherx.jabber.org/streams'/>"),
    (
        "challenge",
        "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>cj14</challenge>",
    ),
    ("success", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
    (
        "failure",
        "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
    ),
    ("abort", "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
    (
        "result",
        "<iq xmlns='jabber:client' type='result' id='none' from='example.org'/>",
    ),
    (
        "get",
        "<iq xmlns='jabber:client' type='get' id='p' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
    ),
    (
        "message",
        "<message xmlns='jabber:client' from='bob@example.org/x'><body>hi</body></message>",
    ),
    ("presence", "<presence xmlns='jabber:client' from='bob@example.org/x'/>"),
    ("tls", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    ("sm", "<r xmlns='urn:xmpp:sm:3'/>"),
    ("alien", "<x xmlns='urn:example:nobody'/>"),
    ("bare", "<message from='bob@example.org/x'><body>hi</body></message>"),
];

/// What comes of each at each step:
///
/// - `X` out of order: `protocol-violation`, and `undefined-condition` on the wire
/// - `C` closed, `E` the server's error, `A` refused, `S` no proof of the server's, `P` not what its mechanism says,
///   `N` nothing that one could log in with: a typed error, and the end of the stream
/// - `c`, `e` the same once the client has tried again without haste, since the bind request had left before its time
/// - `+` the login goes on, or is over
/// - `.` nothing
const MATRIX: &str = "
           open close error mechs nothing challenge success failure abort result get message presence tls sm alien bare
Socket        X     C     E     X       X         X       X       X     X      X   X       X        X   X  X     X    X
Open          +     C     E     X       X         X       X       X     X      X   X       X        X   X  X     X    X
Features      X     C     E     +       N         X       X       X     X      X   X       X        X   X  X     X    X
Credentials   X     C     E     X       X         X       X       X     X      X   X       X        X   X  X     X    X
Challenge     X     C     E     X       X         P       S       A     X      X   X       X        X   X  X     X    X
Key           X     C     E     X       X         X       X       X     X      X   X       X        X   X  X     X    X
Success       X     C     E     X       X         S       S       A     X      X   X       X        X   X  X     X    X
Reopen        +     c     e     X       X         X       X       X     X      X   X       X        X   X  X     X    X
Refeatures    X     c     e     X       X         X       X       X     X      X   X       X        X   X  X     X    X
Bind          X     c     e     X       X         X       X       X     X      X   X       X        X   X  X     X    X
Session       X     c     e     X       X         X       X       X     X      .   .       .        .   .  .     .    .
Online        X     C     E     .       .         X       X       X     X      .   .       .        .   .  .     .    .
Closing       .     +     +     .       .         .       .       .     .      .   .       .        .   .  .     .    .
";

#[test]
fn rfc6120_4_9_elements_out_of_order_in_each_state() {
    let mut rows = MATRIX.trim().lines();
    let words: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
    assert_eq!(words, SAID.map(|(word, _)| word));
    for (state, row) in At::ALL.into_iter().zip(rows) {
        let mut cells = row.split_whitespace();
        assert_eq!(cells.next().unwrap(), format!("{state:?}"));
        let cells: Vec<&str> = cells.collect();
        assert_eq!(cells.len(), SAID.len());
        let mut kinds = BTreeSet::new();
        for ((word, frame), cell) in SAID.into_iter().zip(cells) {
            let case = format!("{word} at {state:?}");
            let (mut pair, call) = at(state);
            pair.receive(frame);
            if matches!(cell, "c" | "e") {
                assert!(pair.is_open(call), "{case}");
                pair.sent.clear();
                reach(&mut pair, state);
                pair.sent.clear();
                pair.receive(frame);
            }
            let error = ended(&pair, call);
            let code = error.as_ref().map(Error::code);
            let online = matches!(state, At::Online | At::Closing | At::Session);
            assert!(
                online || pair.messages().is_empty(),
                "{case}: nothing is believed before the login"
            );
            if matches!(cell, "." | "+") {
                assert_eq!(code, None, "{case}");
                continue;
            }
            let expected = match cell {
                "C" | "c" => Code::Closed,
                "E" | "e" => Code::StreamError,
                "A" => Code::NotAuthorized,
                "S" => Code::ServerSignature,
                "N" => Code::NoMechanism,
                _ => Code::ProtocolViolation,
            };
            assert_eq!(code, Some(expected), "{case}: {error:?}");
            assert_eq!(pair.socket, None, "{case}: the socket is closed");
            // Before the client's header there is no stream to end.
            if state == At::Socket {
                pair.nothing_sent();
            } else {
                let last = pair.sent.back().expect("the stream is ended");
                assert!(last.starts_with("<close "), "{case}: {last}");
            }
            let said = condition(&mut pair);
            let wanted = (cell == "X" && state != At::Socket).then_some("undefined-condition");
            assert_eq!(said.as_deref(), wanted, "{case}");
            // Once a state and kind: each login costs two derivations.
            if kinds.insert(cell) {
                comes_back(pair, call);
            }
        }
    }
}

/// A client that was here before: what it knows of the server leaves ahead of its turn (`session/negotiate/ahead.rs`).
fn acquainted(state: At) -> (Pair, Ticket) {
    let mut config = config();
    config.session.reconnect = None;
    let mut pair = Pair::online_with(config);
    let left = pair.call(Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    assert_eq!(pair.reply(left), Ok(Reply::Done));
    pair.sent.clear();
    pair.events.clear();
    let call = pair.connect();
    reach(&mut pair, state);
    (pair, call)
}

#[test]
fn what_left_ahead_is_no_way_in() {
    let mut hasty = 0;
    for state in [
        At::Open,
        At::Features,
        At::Challenge,
        At::Success,
        At::Reopen,
        At::Refeatures,
        At::Bind,
    ] {
        for (word, frame) in SAID {
            let case = format!("{word} at {state:?}");
            let (mut pair, call) = acquainted(state);
            let first = pair.generation();
            pair.receive(frame);
            assert!(
                pair.messages().is_empty(),
                "{case}: nothing is believed before the login"
            );
            if let Some(error) = ended(&pair, call) {
                assert!(
                    error.code() != Code::Internal && pair.socket.is_none(),
                    "{case}: {error:?}"
                );
                pair.derive = None;
                comes_back(pair, call);
            } else if pair.generation() == first {
                // What could follow: nobody is in by it.
                assert!(pair.is_open(call), "{case}");
                assert_eq!(pair.engine.status(), Status::Connecting, "{case}");
            } else {
                // The same server once more, and this time one word after the other.
                hasty += 1;
                pair.sent.clear();
                pair.open_socket();
                assert_eq!(pair.sent.len(), 1, "{case}: {:?}", pair.sent);
                pair.login(&Fault::None);
                assert_eq!(pair.reply(call), Ok(Reply::Done), "{case}");
            }
        }
    }
    assert!(hasty > 0, "something was taken for the fault of haste");
}
