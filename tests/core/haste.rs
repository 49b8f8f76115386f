//! What goes wrong while something has left ahead of its turn, and what must not come of it.

mod asked;

use crate::pair::{JID, Pair, config, password};
use crate::server::{Fault, Scram};
use stanzawire::engine::{Command, Config, Fetched, Input, Reply, Ticket};
use stanzawire::error::Code;
use stanzawire::im::{self, presence, presence::PresenceInit};
use stanzawire::session::{CredentialSource, Status};
use stanzawire::xml::{self, Element};

const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='1' version='1.0'/>";
const BIND: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
const PROSODY: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
                       <c xmlns='http://jabber.org/protocol/caps' node='http://prosody.im'/>";

fn features(children: &str) -> String {
    format!("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{children}</stream:features>")
}

fn mechanisms(names: &[&str]) -> String {
    let names: String = names
        .iter()
        .map(|name| format!("<mechanism>{name}</mechanism>"))
        .collect();
    features(&format!(
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{names}</mechanisms>"
    ))
}

/// A login at a server's own pace.
fn first_login(pair: &mut Pair, server: &str) {
    let call = pair.connect();
    pair.open_socket();
    if let Some(id) = pair.asked.take() {
        answer_credentials(pair, id);
    }
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    if let Some(id) = pair.asked.take() {
        answer_credentials(pair, id);
    }
    assert!(pair.authenticate(&Fault::None));
    pair.restart(server);
    pair.bind(JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

fn answer_credentials(pair: &mut Pair, id: Ticket) {
    let CredentialSource::Fixed(secret) = password("secret") else {
        unreachable!()
    };
    pair.handle(Input::Credentials {
        id,
        outcome: Ok(secret),
    });
}

fn log_out(pair: &mut Pair) {
    let call = pair.call(Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    pair.sent.clear();
}

fn acquainted(config: Config, server: &str) -> Pair {
    let mut pair = Pair::new(config);
    first_login(&mut pair, server);
    log_out(&mut pair);
    pair
}

fn taken(pair: &mut Pair) -> Vec<Element> {
    pair.sent
        .drain(..)
        .map(|frame| xml::read(&frame, &xml::Limits::default()).unwrap())
        .collect()
}

/// The server's side of a hurried login on an open socket, up to the bound resource.
fn serve_hurried(pair: &mut Pair, server: &str) {
    let said = taken(pair);
    assert_eq!(said[1].name(), "auth", "{said:?}");
    // A long way.
    pair.advance(100);
    let mut scram = Scram::new("secret");
    let challenge = scram.challenge(&said[1].text(), &Fault::None);
    for frame in [OPEN, &mechanisms(&["SCRAM-SHA-1"]), &challenge] {
        pair.receive(frame);
    }
    pair.derive_key();
    pair.advance(10);
    let said = taken(pair);
    let bind = said
        .iter()
        .find(|said| said.child("bind", "urn:ietf:params:xml:ns:xmpp-bind").is_some());
    let success = scram.success(&said[0].text(), &Fault::None);
    for frame in [&success, OPEN, &features(server)] {
        pair.receive(frame);
    }
    let jid = format!("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{JID}</jid></bind>");
    pair.answer(bind.expect("a bind request ahead"), &jid);
    assert_eq!(pair.engine.status(), Status::Online);
}

fn status(text: &str) -> Option<PresenceInit> {
    Some(PresenceInit {
        status: Some(text.into()),
        ..PresenceInit::default()
    })
}

#[test]
fn a_presence_that_was_held_back_does_not_come_after_a_newer_one() {
    let mut config = config();
    config.im.presence = status("old");
    let mut pair = acquainted(config, PROSODY);
    pair.connect();
    pair.open_socket();
    serve_hurried(&mut pair, PROSODY);
    let said = taken(&mut pair);
    assert!(said.iter().all(|said| said.name() != "presence"), "held back: {said:?}");
    pair.close_socket();
    pair.call(Command::Im {
        command: im::Command::Presence(presence::Command::Set(status("new").unwrap())),
        timeout: None,
    });
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.open_socket();
    if pair.sent.len() > 1 {
        serve_hurried(&mut pair, BIND);
        let ping = taken(&mut pair)
            .into_iter()
            .rfind(|said| said.child("ping", "urn:xmpp:ping").is_some());
        if let Some(ping) = ping {
            pair.answer(&ping, "");
        }
    } else {
        pair.login(&Fault::None);
    }
    let said: Vec<String> = taken(&mut pair)
        .iter()
        .filter(|said| said.name() == "presence")
        .filter_map(|said| said.child_text("status", "jabber:client"))
        .collect();
    assert_eq!(said, ["new"]);
}

#[test]
fn an_answer_that_was_held_back_belongs_to_the_session_that_was_asked() {
    let mut pair = acquainted(config(), PROSODY);
    pair.connect();
    pair.open_socket();
    serve_hurried(&mut pair, PROSODY);
    taken(&mut pair);
    pair.receive(
        "<iq xmlns='jabber:client' type='get' id='theirs' from='eve@example.org/x'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.open_socket();
    if pair.sent.len() > 1 {
        serve_hurried(&mut pair, BIND);
        let ping = taken(&mut pair)
            .into_iter()
            .rfind(|said| said.child("ping", "urn:xmpp:ping").is_some());
        if let Some(ping) = ping {
            pair.answer(&ping, "");
        }
    } else {
        pair.login(&Fault::None);
    }
    let said = taken(&mut pair);
    assert!(said.iter().all(|said| said.attr("id") != Some("theirs")), "{said:?}");
}

#[test]
fn a_server_that_says_nothing_or_hangs_up_after_a_risky_login_is_not_hurried_again() {
    for silent in [true, false] {
        let mut pair = acquainted(config(), PROSODY);
        pair.connect();
        pair.open_socket();
        serve_hurried(&mut pair, PROSODY);
        let message = pair.send("bob@example.org", "hi");
        taken(&mut pair);
        if silent {
            pair.advance(30_000);
        } else {
            pair.close_socket();
        }
        assert_eq!(pair.engine.status(), Status::Reconnecting);
        pair.sent.clear();
        while pair.socket.is_none() {
            pair.advance(1_000);
        }
        pair.open_socket();
        assert_eq!(pair.sent.len(), 1, "the header alone: {:?}", pair.sent);
        assert!(pair.is_open(message));
    }
}

#[test]
fn a_login_with_little_time_fails_in_haste_only_once() {
    let mut pair = acquainted(config(), BIND);
    let call = pair.call(Command::Connect { timeout: Some(5_000) });
    pair.open_socket();
    assert_eq!(pair.sent.len(), 2);
    pair.sent.clear();
    // What comes before its features is lost on this server.
    pair.receive(OPEN);
    pair.receive(&mechanisms(&["SCRAM-SHA-1"]));
    pair.advance(5_000);
    if !pair.is_open(call) {
        assert_eq!(pair.error(call).code(), Code::Timeout);
        pair.call(Command::Connect { timeout: Some(5_000) });
        pair.sent.clear();
        pair.open_socket();
        assert_eq!(pair.sent.len(), 1, "the header alone: {:?}", pair.sent);
    }
}

#[test]
fn an_answer_to_haste_may_come_before_the_features() {
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><malformed-request/></failure>";
    for frames in [&[failure][..], &[OPEN, failure]] {
        let mut pair = acquainted(config(), BIND);
        let call = pair.connect();
        pair.open_socket();
        assert_eq!(pair.sent.len(), 2);
        for frame in frames {
            pair.receive(frame);
        }
        assert!(pair.is_open(call), "{:?}", pair.error(call));
        pair.sent.clear();
        pair.open_socket();
        pair.login(&Fault::None);
        assert_eq!(pair.reply(call), Ok(Reply::Done));
    }
}

#[test]
fn a_refusal_of_what_left_behind_the_bind_request_may_come_before_its_answer() {
    let mut pair = acquainted(config(), BIND);
    let call = pair.connect();
    pair.open_socket();
    let said = taken(&mut pair);
    let mut scram = Scram::new("secret");
    let challenge = scram.challenge(&said[1].text(), &Fault::None);
    for frame in [OPEN, &mechanisms(&["SCRAM-SHA-1"]), &challenge] {
        pair.receive(frame);
    }
    let said = taken(&mut pair);
    let success = scram.success(&said[0].text(), &Fault::None);
    let roster = said
        .iter()
        .find(|said| said.child("query", "jabber:iq:roster").is_some())
        .unwrap();
    let refusal = format!(
        "<iq xmlns='jabber:client' type='error' id='{}'><error type='auth'>\
         <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
        roster.attr("id").unwrap()
    );
    for frame in [&success, OPEN, &features(BIND), &refusal] {
        pair.receive(frame);
    }
    assert!(pair.is_open(call), "{:?}", pair.error(call));
    pair.sent.clear();
    pair.open_socket();
    pair.login(&Fault::None);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn rfc6120_6_a_remembered_mechanism_that_cannot_run_costs_the_haste_alone() {
    let mut config = config();
    config.session.storage = true;
    let mut pair = Pair::new(config);
    let call = pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.handle(Input::Loaded {
        id,
        value: Some("1 pinned pipelining SCRAM-SHA-1-PLUS wss://example.org/ws"),
    });
    pair.open_socket();
    assert!(pair.is_open(call), "{:?}", pair.error(call));
    pair.login(&Fault::None);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn a_store_that_answers_late_still_keeps_plain_away() {
    let mut config = config();
    config.session.storage = true;
    config.session.allow_plain = true;
    let mut pair = Pair::new(config);
    let call = pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.advance(2_000);
    pair.open_socket();
    pair.handle(Input::Loaded {
        id,
        value: Some("1 pinned pipelining SCRAM-SHA-1 wss://example.org/ws"),
    });
    pair.greet("<mechanism>PLAIN</mechanism>");
    assert!(!pair.is_open(call), "the password is on its way: {:?}", pair.sent);
    assert_eq!(pair.error(call).code(), Code::Downgrade);
}

#[test]
fn a_pin_that_comes_too_late_is_not_written_over() {
    let mut config = config();
    config.session.storage = true;
    config.session.allow_plain = true;
    let mut pair = Pair::new(config);
    let call = pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.advance(2_000);
    pair.open_socket();
    pair.greet("<mechanism>PLAIN</mechanism>");
    pair.element();
    pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    pair.restart(BIND);
    pair.bind(JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    pair.handle(Input::Loaded {
        id,
        value: Some("1 pinned pipelining SCRAM-SHA-1 wss://example.org/ws"),
    });
    let (_, last) = pair.stored.last().expect("something is kept");
    assert!(last.as_ref().unwrap().contains("pinned"), "{last:?}");
}

#[test]
fn a_way_elsewhere_ends_with_the_session_that_the_app_ends() {
    let mut pair = Pair::online();
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://b.example.org/ws'/>");
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    let call = pair.call(Command::Disconnect);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    pair.connect();
    assert_eq!(pair.socket.as_ref().unwrap().1, "wss://example.org/ws");
}

#[test]
fn xep0478_3_1_the_keepalive_outlives_an_answer_that_takes_its_time() {
    let mut pair = Pair::new(config());
    first_login(
        &mut pair,
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
         <limits xmlns='urn:xmpp:stream-limits:0'><idle-seconds>10</idle-seconds></limits>",
    );
    pair.take_first_stanzas();
    pair.advance(7_500);
    let ping = pair.element();
    pair.advance(4_000);
    pair.answer(&ping, "");
    pair.nothing_sent();
    pair.advance(7_500);
    assert!(!pair.sent.is_empty(), "no sign of life any more");
}

#[test]
fn a_connection_lost_in_the_login_is_no_refusal_of_the_account() {
    const XRD: &str = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
        <Link rel='urn:xmpp:alt-connections:websocket' href='wss://one.example.org/ws'/>\
        <Link rel='urn:xmpp:alt-connections:websocket' href='wss://two.example.org/ws'/></XRD>";
    let mut config = config();
    config.session.url = None;
    let mut pair = Pair::new(config);
    let call = pair.connect();
    pair.xrd(Fetched::Response { status: 200, body: XRD });
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    pair.sent.clear();
    pair.close_socket();
    assert!(pair.is_open(call), "{:?}", pair.error(call));
    assert_eq!(pair.socket.as_ref().unwrap().1, "wss://two.example.org/ws");
}

#[test]
fn a_policy_error_is_not_tried_again_by_itself_because_of_haste_long_ago() {
    let mut pair = acquainted(config(), BIND);
    pair.connect();
    pair.open_socket();
    serve_hurried(&mut pair, BIND);
    pair.advance(40_000);
    pair.receive(
        "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
         <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    );
    assert_eq!(pair.engine.status(), Status::Offline);
}
