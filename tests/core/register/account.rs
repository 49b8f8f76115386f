//! The account's own password, and its end (XEP-0077 §3.2, §3.3).

use super::{REGISTER, query, told};
use crate::pair::{Pair, config};
use crate::server::{Fault, Scram};
use crate::sm;
use serde_json::json;
use stanzawire::engine::{Command, Config, Event, Input, Observe, Reply, Ticket};
use stanzawire::error::Code;
use stanzawire::session::Status;
use stanzawire::xml::Element;

const NOT_AUTHORIZED: &str = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
    <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
const KEY: &str = "stanzawire:alice@example.org";

fn change(pair: &mut Pair) -> (Ticket, Element) {
    let call = pair.im("account.changePassword", json!(["new & better"]));
    let request = pair.element();
    assert_eq!(
        (request.attr("type"), request.attr("to")),
        (Some("set"), Some("example.org"))
    );
    let expected = [("username", "alice"), ("password", "new & better")];
    let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(told(&request), expected);
    (call, request)
}

fn next_attempt(pair: &mut Pair) {
    while pair.socket.is_none() {
        let next = pair.engine.next_deadline().expect("another attempt");
        pair.advance(next.since(pair.now));
    }
    pair.sent.clear();
    pair.open_socket();
}

/// Comes back after a loss, and logs in with this password; whether the server takes it.
fn comes_back_with(pair: &mut Pair, password: &'static str) -> bool {
    pair.close_socket();
    next_attempt(pair);
    assert!(pair.element().is("open", "urn:ietf:params:xml:ns:xmpp-framing"));
    let auth = pair.element();
    assert_eq!(auth.attr("mechanism"), Some("SCRAM-SHA-1"));
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
    pair.receive(super::FEATURES);
    let mut scram = Scram::new(password);
    scram.salt = b"another salt";
    let challenge = scram.challenge(&auth.text(), &Fault::None);
    pair.receive(&challenge);
    pair.derive_key();
    let success = scram.success(&pair.element().text(), &Fault::None);
    let good = success.starts_with("<success");
    pair.receive(&success);
    good
}

#[test]
fn xep0077_3_3_the_next_login_is_with_the_new_password() {
    let mut pair = Pair::online();
    let (call, request) = change(&mut pair);
    assert!(pair.is_open(call));
    pair.answer(&request, "");
    pair.value(call);
    pair.events.clear();
    assert!(comes_back_with(&mut pair, "new & better"));
    assert!(
        pair.events.iter().any(|event| matches!(event, Event::Credentials(_))),
        "new keys"
    );
}

#[test]
fn xep0077_3_3_a_refusal_leaves_the_old_one() {
    for (condition, hint) in [
        ("not-allowed", "This server doesn't let"),
        ("not-authorized", "The server wants to know more"),
        ("not-acceptable", "The server may want a stronger password"),
    ] {
        let mut pair = Pair::online();
        let (call, request) = change(&mut pair);
        super::refuse(&mut pair, &request, "cancel", condition, "");
        let error = pair.error(call);
        assert_eq!((error.code(), error.condition()), (Code::StanzaError, Some(condition)));
        assert!(error.hint().starts_with(hint), "{}", error.hint());
        assert!(comes_back_with(&mut pair, "secret"));
    }
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_says_that_the_password_has_changed() {
    let mut pair = Pair::online();
    let (call, request) = change(&mut pair);
    let id = request.attr("id").unwrap();
    for from in [
        "",
        "from='alice@example.org'",
        "from='alice@example.org/there'",
        "from='mallory@example.org'",
    ] {
        pair.receive(&format!("<iq xmlns='jabber:client' type='result' id='{id}' {from}/>"));
        assert!(pair.is_open(call), "{from}");
    }
    assert!(
        comes_back_with(&mut pair, "secret"),
        "the old one, as long as nobody has said so"
    );
    assert_eq!(pair.error(call).code(), Code::Closed);
}

#[test]
fn xep0077_9_a_new_password_never_leaves_unencrypted() {
    let insecure = |url: &str| {
        let mut config = config();
        config.session.url = Some(url.into());
        config.session.allow_insecure = true;
        config
    };
    let mut pair = Pair::online_with(insecure("ws://example.org/ws"));
    for (name, args) in [
        ("account.changePassword", json!(["new"])),
        ("account.remove", json!([])),
        ("registration.get", json!(["gateway.example.org"])),
    ] {
        let call = pair.im(name, args);
        assert_eq!(pair.error(call).code(), Code::Insecure, "{name}");
    }
    pair.nothing_sent();
    // Within the machine nobody listens.
    let mut pair = Pair::online_with(insecure("ws://localhost/ws"));
    change(&mut pair);
    // What waits for a connection may get another than it was asked on.
    let mut pair = sm::online_with(insecure("ws://example.org/ws"));
    pair.close_socket();
    let call = pair.im("account.changePassword", json!(["new"]));
    assert!(pair.is_open(call));
    sm::again(&mut pair);
    sm::resumed(&mut pair, sm::FIRST);
    assert_eq!(pair.error(call).code(), Code::Insecure);
    assert!(pair.sent.iter().all(|frame| !frame.contains(REGISTER)));
}

#[test]
fn xep0077_3_3_what_no_password_can_be_is_not_sent() {
    let mut pair = Pair::online();
    for args in [json!([]), json!([""]), json!(["a\u{7}"]), json!([7]), json!([null])] {
        assert_eq!(
            pair.try_im("account.changePassword", args.clone()).unwrap_err().code(),
            Code::InvalidArgument,
            "{args}"
        );
    }
    pair.nothing_sent();
}

#[test]
fn frames_that_are_watched_show_no_new_password() {
    let mut pair = Pair::online();
    pair.engine.observe(Observe {
        stanzas: false,
        frames: true,
    });
    change(&mut pair);
    let frames = format!("{:?}", pair.events);
    assert!(frames.contains("[redacted]") && !frames.contains("better"), "{frames}");
}

fn remove(pair: &mut Pair) -> (Ticket, Element) {
    let call = pair.im("account.remove", json!([]));
    let request = pair.element();
    assert_eq!(
        (request.attr("type"), request.attr("to")),
        (Some("set"), None),
        "§3.2: to nobody"
    );
    assert_eq!(told(&request), [("remove".to_owned(), String::new())]);
    (call, request)
}

/// Nobody is there, nobody comes back, and nothing is kept.
fn gone(pair: &mut Pair) {
    assert_eq!((pair.engine.status(), pair.socket.take()), (Status::Offline, None));
    assert_eq!(pair.engine.next_deadline(), None);
    assert_eq!(
        pair.kept.keys().filter(|key| key.starts_with(KEY)).count(),
        0,
        "{:?}",
        pair.kept
    );
    let last = pair.stored.iter().rfind(|(key, _)| key == KEY);
    assert!(last.is_none_or(|(_, value)| value.is_none()), "{:?}", pair.stored);
    pair.advance(1_000_000);
    assert_eq!(pair.socket, None);
}

fn storing() -> Config {
    let mut config = config();
    config.session.storage = true;
    config
}

#[test]
fn xep0077_3_2_the_account_is_removed() {
    let mut pair = sm::online_with(storing());
    pair.advance(5_000);
    assert!(pair.kept.keys().any(|key| key.starts_with(KEY)), "a session is kept");
    pair.sent.clear();
    pair.events.clear();
    let (call, request) = remove(&mut pair);
    let waiting = pair.iq(Some("bob@example.org"));
    pair.answer(&request, "");
    assert_eq!(pair.value(call), json!(null));
    assert_eq!(pair.error(waiting).code(), Code::Closed);
    assert!(pair.sent.iter().any(|frame| frame.starts_with("<close")));
    assert_eq!(pair.statuses(), [Status::Offline]);
    assert!(!pair.events.iter().any(|event| matches!(event, Event::Error(_))));
    gone(&mut pair);
    let late = pair.im("account.remove", json!([]));
    assert_eq!(pair.error(late).code(), Code::Offline);
}

#[test]
fn xep0077_3_2_the_stream_ends_in_the_place_of_an_answer() {
    let mut pair = sm::online_with(storing());
    pair.sent.clear();
    pair.events.clear();
    let (call, _) = remove(&mut pair);
    pair.receive(NOT_AUTHORIZED);
    assert_eq!(pair.value(call), json!(null));
    assert_eq!(pair.statuses(), [Status::Offline]);
    gone(&mut pair);
}

#[test]
fn xep0077_3_2_another_end_of_the_stream_is_no_answer() {
    let system_shutdown = NOT_AUTHORIZED.replace("not-authorized", "system-shutdown");
    for end in [
        Some(system_shutdown.as_str()),
        Some("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"),
        None,
    ] {
        for refused in [true, false] {
            let mut pair = Pair::online();
            let (call, _) = remove(&mut pair);
            match end {
                Some(end) => pair.receive(end),
                None => pair.close_socket(),
            }
            assert!(pair.is_open(call), "the next login shows it");
            assert_eq!(pair.engine.status(), Status::Reconnecting);
            next_attempt(&mut pair);
            pair.element();
            let auth = pair.element();
            pair.receive(
                "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>",
            );
            pair.receive(super::FEATURES);
            if refused {
                pair.receive("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
                assert_eq!(pair.value(call), json!(null), "nobody knows it any more");
                gone(&mut pair);
                continue;
            }
            let mut scram = Scram::new("secret");
            let challenge = scram.challenge(&auth.text(), &Fault::None);
            pair.receive(&challenge);
            pair.derive_key();
            let success = scram.success(&pair.element().text(), &Fault::None);
            pair.receive(&success);
            pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
            pair.bind(crate::pair::JID);
            assert_eq!(pair.error(call).code(), Code::Closed, "it is still there");
            assert_eq!(pair.engine.status(), Status::Online);
            // It is over: an end by the same words is no answer to that any more.
            pair.receive(NOT_AUTHORIZED);
            assert!(
                !pair
                    .events
                    .iter()
                    .any(|event| matches!(event, Event::Status(Status::Offline, None)))
            );
        }
    }
}

#[test]
fn xep0077_3_2_a_refusal_leaves_everything_as_it_is() {
    let mut pair = Pair::online();
    let (call, request) = remove(&mut pair);
    let id = request.attr("id").unwrap().to_owned();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='result' id='{id}' from='mallory@example.org'/>"
    ));
    assert!(pair.is_open(call), "nobody else says so");
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'>{}<error type='cancel'><not-allowed \
         xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
        query("<remove/>")
    ));
    let error = pair.error(call);
    assert_eq!(error.condition(), Some("not-allowed"));
    assert!(error.hint().starts_with("This server doesn't let"));
    assert_eq!(pair.engine.status(), Status::Online);
    pair.events.clear();
    pair.receive(NOT_AUTHORIZED);
    assert!(
        pair.events.iter().any(|event| matches!(event, Event::Error(_))),
        "that is something else"
    );
}

#[test]
fn without_a_way_back_nobody_can_tell() {
    let mut config = config();
    config.session.reconnect = None;
    let mut pair = Pair::online_with(config);
    let (call, _) = remove(&mut pair);
    pair.close_socket();
    assert_eq!(pair.error(call).code(), Code::Closed);
    let again = pair.call(Command::Disconnect);
    assert_eq!(pair.reply(again), Ok(Reply::Done));
    pair.handle(Input::Deadline);
}
