//! XEP-0363: which service, and what may be believed of its slots.

use crate::disco::{INFO, refuse};
use crate::pair::{Pair, config};
use serde_json::{Value, json};
use stanzawire::engine::Ticket;
use stanzawire::error::{Code, Error, Phase};
use stanzawire::xml::Element;

const UPLOAD: &str = "urn:xmpp:http:upload:0";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";
const SERVICE: &str = "upload.example.org";

fn file() -> Value {
    json!({ "name": "très cool.jpg", "size": 23456, "type": "image/jpeg" })
}

fn info(max: Option<&str>) -> String {
    let max = max.map(|max| {
        format!(
            "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>{UPLOAD}</value></field>\
             <field var='max-file-size'><value>{max}</value></field></x>"
        )
    });
    let max = max.unwrap_or_default();
    format!(
        "<query xmlns='{INFO}'><identity category='store' type='file'/><feature var='{INFO}'/><feature var='{UPLOAD}'/>{max}</query>"
    )
}

fn nothing() -> String {
    format!("<query xmlns='{INFO}'><feature var='{INFO}'/></query>")
}

fn items(jids: &[&str]) -> String {
    let items: String = jids.iter().map(|jid| format!("<item jid='{jid}'/>")).collect();
    format!("<query xmlns='{ITEMS}'>{items}</query>")
}

/// The next question, which is asked of somebody.
fn asked(pair: &mut Pair, to: &str, ns: &str) -> Element {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), Some(to)));
    assert!(iq.child("query", ns).is_some(), "{ns}");
    iq
}

/// Answers the search for a service: the server has one, with that size.
fn found(pair: &mut Pair, max: Option<&str>) {
    let server = asked(pair, "example.org", INFO);
    let list = asked(pair, "example.org", ITEMS);
    pair.answer(&server, &nothing());
    pair.answer(&list, &items(&[SERVICE]));
    let service = asked(pair, SERVICE, INFO);
    pair.answer(&service, &info(max));
}

/// A client that knows its service, and a slot that is asked for.
fn slot_asked(request: Value) -> (Pair, Ticket, Element) {
    let mut pair = Pair::online();
    let call = pair.im("files.slot", json!([request]));
    found(&mut pair, None);
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), Some(SERVICE)));
    (pair, call, iq)
}

fn slot(put: &str, headers: &str, get: &str) -> String {
    format!("<slot xmlns='{UPLOAD}'><put url='{put}'>{headers}</put><get url='{get}'/></slot>")
}

fn good(headers: &str) -> String {
    slot(
        "https://up.example.org/1/a.jpg?x=1",
        headers,
        "https://down.example.org/1/a.jpg",
    )
}

/// What comes of a slot with these answers to its request.
fn outcome(answer: &str) -> Result<Value, Error> {
    let (mut pair, call, iq) = slot_asked(file());
    pair.answer(&iq, answer);
    match pair.reply(call) {
        Ok(_) => Ok(pair.value(call)),
        Err(error) => Err(error),
    }
}

#[test]
fn xep0363_3_a_service_is_found_once_a_session() {
    let mut pair = Pair::online();
    let call = pair.im("files.service", json!([]));
    let other = pair.im("files.service", json!([]));
    let server = asked(&mut pair, "example.org", INFO);
    let list = asked(&mut pair, "example.org", ITEMS);
    pair.nothing_sent();
    pair.answer(&list, &items(&["example.org", "rooms.example.org", SERVICE, SERVICE]));
    let rooms = asked(&mut pair, "rooms.example.org", INFO);
    let service = asked(&mut pair, SERVICE, INFO);
    pair.nothing_sent();
    pair.answer(&rooms, &nothing());
    assert!(pair.is_open(call));
    // Nobody has to be waited for any longer.
    pair.answer(&service, &info(Some("5242880")));
    for call in [call, other] {
        assert_eq!(pair.value(call), json!({ "jid": SERVICE, "maxSize": 5242880 }));
    }
    pair.answer(&server, &info(None));
    let again = pair.im("files.service", json!([]));
    pair.nothing_sent();
    assert_eq!(pair.value(again), json!({ "jid": SERVICE, "maxSize": 5242880 }));
}

#[test]
fn xep0363_3_the_server_itself_may_take_files() {
    for (max, told) in [
        (None, json!({ "jid": "example.org" })),
        (Some("many"), json!({ "jid": "example.org" })),
        (Some("99999999999999999999"), json!({ "jid": "example.org" })),
        (Some(" 7 "), json!({ "jid": "example.org", "maxSize": 7 })),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("files.service", json!([]));
        let server = asked(&mut pair, "example.org", INFO);
        pair.answer(&server, &info(max));
        assert_eq!(pair.value(call), told, "{max:?}");
    }
}

#[test]
fn xep0363_3_there_may_be_none() {
    let mut pair = Pair::online();
    let call = pair.im("files.service", json!([]));
    let upload = pair.im("files.slot", json!([file()]));
    let server = asked(&mut pair, "example.org", INFO);
    let list = asked(&mut pair, "example.org", ITEMS);
    pair.answer(&list, &items(&["rooms.example.org", "dead.example.org"]));
    let rooms = asked(&mut pair, "rooms.example.org", INFO);
    let dead = asked(&mut pair, "dead.example.org", INFO);
    refuse(&mut pair, &dead, "remote-server-not-found");
    refuse(&mut pair, &server, "service-unavailable");
    assert!(pair.is_open(call));
    // What can't be read is no such service.
    pair.answer(&rooms, "<other xmlns='urn:x'/>");
    assert_eq!(pair.value(call), Value::Null);
    let error = pair.error(upload);
    assert_eq!(
        (error.code(), error.condition()),
        (Code::StanzaError, Some("feature-not-implemented"))
    );
    let again = pair.im("files.service", json!([]));
    assert_eq!(pair.value(again), Value::Null);
    pair.nothing_sent();
}

#[test]
fn xep0363_3_where_a_question_gets_no_answer_it_is_asked_again() {
    let mut pair = Pair::online();
    let call = pair.im("files.service", json!([]));
    let list = {
        asked(&mut pair, "example.org", INFO);
        asked(&mut pair, "example.org", ITEMS)
    };
    pair.answer(&list, &items(&[]));
    pair.advance(30_000);
    assert_eq!(pair.error(call).code(), Code::Timeout);
    let call = pair.im("files.service", json!([]));
    let server = asked(&mut pair, "example.org", INFO);
    pair.answer(&server, &info(None));
    assert_eq!(pair.value(call)["jid"], json!("example.org"));
}

#[test]
fn xep0363_3_a_service_by_name() {
    let mut pair = Pair::online();
    let request = json!({ "name": "a", "size": 10, "service": "Files.Example.com" });
    let call = pair.im("files.slot", json!([request]));
    let service = asked(&mut pair, "files.example.com", INFO);
    pair.nothing_sent();
    pair.answer(&service, &info(Some("10")));
    let iq = pair.element();
    assert_eq!(iq.attr("to"), Some("files.example.com"));
    pair.answer(&iq, &good(""));
    assert_eq!(pair.value(call)["url"], json!("https://down.example.org/1/a.jpg"));
    // It is known now, and of the server nothing is.
    let request = json!({ "name": "a", "size": 11, "service": "files.example.com" });
    let call = pair.im("files.slot", json!([request]));
    pair.nothing_sent();
    assert_eq!(pair.error(call).code(), Code::TooLarge);
    pair.im("files.service", json!([]));
    asked(&mut pair, "example.org", INFO);

    let mut pair = Pair::online();
    let request = json!({ "name": "a", "size": 10, "service": "files.example.com" });
    let call = pair.im("files.slot", json!([request]));
    let service = asked(&mut pair, "files.example.com", INFO);
    pair.answer(&service, &nothing());
    assert_eq!(pair.error(call).condition(), Some("feature-not-implemented"));
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_says_who_takes_files() {
    let mut pair = Pair::online();
    let call = pair.im("files.service", json!([]));
    let server = asked(&mut pair, "example.org", INFO);
    let id = server.attr("id").unwrap();
    for from in ["mallory@example.org/x", "mallory.example.org", "alice@example.org"] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'>{}</iq>",
            info(None)
        ));
        assert!(pair.is_open(call), "{from}");
    }
}

#[test]
fn xep0363_4_a_slot_is_asked_for() {
    let (mut pair, call, iq) = slot_asked(file());
    let request = iq.child("request", UPLOAD).unwrap();
    assert_eq!(
        ["filename", "size", "content-type"].map(|name| request.attr(name)),
        [Some("très cool.jpg"), Some("23456"), Some("image/jpeg")]
    );
    pair.answer(
        &iq,
        &good("<header name='Authorization'>Basic Base64String==</header><header name='Cookie'>foo=bar; user=romeo</header>"),
    );
    assert_eq!(
        pair.value(call),
        json!({
            "url": "https://down.example.org/1/a.jpg", "name": "très cool.jpg", "size": 23456, "type": "image/jpeg",
            "put": "https://up.example.org/1/a.jpg?x=1",
            "headers": [["Authorization", "Basic Base64String=="], ["Cookie", "foo=bar; user=romeo"]],
        })
    );
    // Of what isn't known nothing is said.
    for kind in [Value::Null, json!("")] {
        let (_, _, iq) = slot_asked(json!({ "name": "a", "size": 1, "type": kind }));
        assert_eq!(iq.child("request", UPLOAD).unwrap().attr("content-type"), None);
    }
}

#[test]
fn xep0363_4_only_these_headers_are_handed_out() {
    let headers = "<header name='Host'>evil.example</header><header name='X-Forwarded-For'>::1</header>\
                   <header name='eXpires'>1</header><header name='Content-Type'>text/html</header><header>a</header>\
                   <header name='Autho&#10;rization'>b</header><header xmlns='urn:x' name='Cookie'>c</header>\
                   <header name='EXPIRES'>2</header>";
    let slot = outcome(&good(headers)).unwrap();
    assert_eq!(
        slot["headers"],
        json!([["Expires", "1"], ["Authorization", "b"], ["Expires", "2"]]),
        "in their order"
    );
}

#[test]
fn xep0363_9_2_a_header_has_one_line() {
    let headers = "<header name='Authorization'>a\r\n&#13;&#10;Host: evil.example&#10;</header>";
    let slot = outcome(&good(headers)).unwrap();
    assert_eq!(slot["headers"], json!([["Authorization", "aHost: evil.example"]]));
    for value in ["a&#x7f;", "a&#x85;", "☕"] {
        let error = outcome(&good(&format!("<header name='Authorization'>{value}</header>"))).unwrap_err();
        assert_eq!(error.code(), Code::ProtocolViolation, "{value}");
    }
    let slot = outcome(&good("<header name='Authorization'>a\tb é</header>")).unwrap();
    assert_eq!(slot["headers"], json!([["Authorization", "a\tb é"]]));
}

#[test]
fn xep0363_4_both_urls_are_encrypted_or_of_this_machine() {
    let tls = "https://a.example/1";
    for local in [
        "http://localhost:5280/1",
        "http://127.0.0.1/1",
        "http://[::1]:1/1",
        "HTTPS://a.example/1",
    ] {
        assert_eq!(outcome(&slot(local, "", tls)).unwrap()["put"], json!(local));
        assert_eq!(outcome(&slot(tls, "", local)).unwrap()["url"], json!(local));
    }
    for (url, code) in [
        ("http://a.example/1", Code::Insecure),
        ("http://localhost.a.example/1", Code::Insecure),
        ("http://10.0.0.1/1", Code::Insecure),
        ("https://user@a.example/1", Code::ProtocolViolation),
        ("https://localhost\\@a.example/1", Code::ProtocolViolation),
        ("ws://localhost/1", Code::ProtocolViolation),
        ("wss://a.example/1", Code::ProtocolViolation),
        ("ftp://a.example/1", Code::ProtocolViolation),
        ("javascript:alert(1)", Code::ProtocolViolation),
        ("data:text/html,a", Code::ProtocolViolation),
        ("blob:https://a.example/1", Code::ProtocolViolation),
        ("//a.example/1", Code::ProtocolViolation),
        ("/1", Code::ProtocolViolation),
        ("", Code::ProtocolViolation),
    ] {
        for answer in [slot(url, "", tls), slot(tls, "", url)] {
            let error = outcome(&answer).unwrap_err();
            assert_eq!((error.code(), error.phase()), (code, Phase::Stanza), "{url}");
        }
    }
    let mut allowed = config();
    allowed.session.allow_insecure = true;
    let mut pair = Pair::online_with(allowed);
    let call = pair.im("files.slot", json!([file()]));
    found(&mut pair, None);
    let iq = pair.element();
    pair.answer(&iq, &slot("http://10.0.0.1/1", "", "http://10.0.0.1/2"));
    assert_eq!(pair.value(call)["url"], json!("http://10.0.0.1/2"));
}

#[test]
fn xep0363_4_what_is_no_slot_is_the_services_fault() {
    let url = "url='https://a.example/1'";
    for answer in [
        String::new(),
        format!("<slot xmlns='urn:x'><put {url}/><get {url}/></slot>"),
        format!("<other xmlns='{UPLOAD}'><put {url}/><get {url}/></other>"),
        format!("<slot xmlns='{UPLOAD}'><put {url}/></slot>"),
        format!("<slot xmlns='{UPLOAD}'><get {url}/></slot>"),
        format!("<slot xmlns='{UPLOAD}'><put/><get {url}/></slot>"),
        format!("<slot xmlns='{UPLOAD}'><put {url}/><get/></slot>"),
        format!("<slot xmlns='{UPLOAD}'><put xmlns='urn:x' {url}/><get {url}/></slot>"),
    ] {
        let error = outcome(&answer).unwrap_err();
        assert_eq!(error.code(), Code::ProtocolViolation, "{answer}");
    }
}

#[test]
fn rfc6120_8_1_2_1_a_slot_comes_from_the_service_asked() {
    let (mut pair, call, iq) = slot_asked(file());
    let id = iq.attr("id").unwrap();
    for from in [
        "",
        "from='mallory@example.org/x'",
        "from='example.org'",
        "from='upload.example.com'",
        "from='alice@example.org'",
    ] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' {from}>{}</iq>",
            good("")
        ));
        assert!(pair.is_open(call), "{from}");
    }
    pair.answer(&iq, &good(""));
    assert_eq!(pair.value(call)["put"], json!("https://up.example.org/1/a.jpg?x=1"));
}

#[test]
fn xep0363_3_what_is_too_large_isnt_asked_for() {
    for (size, fits) in [(100, true), (101, false)] {
        let mut pair = Pair::online();
        let call = pair.im("files.slot", json!([{ "name": "a", "size": size }]));
        found(&mut pair, Some("100"));
        if fits {
            assert!(pair.element().child("request", UPLOAD).is_some());
            continue;
        }
        pair.nothing_sent();
        let error = pair.error(call);
        assert_eq!((error.code(), error.max_size()), (Code::TooLarge, Some(100)));
    }
}

fn refused(error: &str) -> Error {
    let (mut pair, call, iq) = slot_asked(file());
    let id = iq.attr("id").unwrap();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}' from='{SERVICE}'><request xmlns='{UPLOAD}' filename='a' size='1'/>{error}</iq>"
    ));
    pair.error(call)
}

const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

#[test]
fn xep0363_6_the_service_says_how_large_it_may_be() {
    for (most, told) in [
        ("<max-file-size>20000</max-file-size>", Some(20_000)),
        ("<max-file-size>-1</max-file-size>", None),
        ("", None),
    ] {
        let error = refused(&format!(
            "<error type='modify'><not-acceptable xmlns='{STANZAS}'/><text xmlns='{STANZAS}'>File too large.</text>\
             <file-too-large xmlns='{UPLOAD}'>{most}</file-too-large></error>"
        ));
        assert_eq!((error.code(), error.max_size()), (Code::TooLarge, told));
        assert_eq!(
            (error.condition(), error.text()),
            (Some("not-acceptable"), Some("File too large."))
        );
    }
}

#[test]
fn xep0363_6_the_service_says_when_to_try_again() {
    let constraint = |retry: &str| {
        refused(&format!(
            "<error type='wait'><resource-constraint xmlns='{STANZAS}'/>{retry}</error>"
        ))
    };
    let error = constraint(&format!("<retry xmlns='{UPLOAD}' stamp='2017-12-03T23:42:05Z'/>"));
    assert_eq!(
        (error.code(), error.condition()),
        (Code::StanzaError, Some("resource-constraint"))
    );
    assert_eq!(
        (error.retry_at(), error.retryable()),
        (Some("2017-12-03T23:42:05Z"), true)
    );
    for retry in [
        "",
        "<retry xmlns='urn:x' stamp='2017-12-03T23:42:05Z'/>",
        &format!("<retry xmlns='{UPLOAD}' stamp='soon'/>"),
        &format!("<retry xmlns='{UPLOAD}'/>"),
    ] {
        let error = constraint(retry);
        assert_eq!((error.retry_at(), error.retryable()), (None, true), "{retry}");
    }
    let error = refused(&format!("<error type='auth'><forbidden xmlns='{STANZAS}'/></error>"));
    assert_eq!((error.condition(), error.retryable()), (Some("forbidden"), false));
}

#[test]
fn a_name_is_that_of_a_file() {
    for (given, told) in [
        ("a.png", "a.png"),
        ("/etc/passwd", "passwd"),
        ("../../a.png", "a.png"),
        ("C:\\fakepath\\a.png", "a.png"),
        ("  a b.png ", "a b.png"),
        ("a\r\nb\t.png", "ab.png"),
        ("a\u{202e}gnp.exe", "agnp.exe"),
        ("a\u{2066}b\u{85}c", "abc"),
        ("☕ & <b>.png", "☕ & <b>.png"),
    ] {
        let (mut pair, call, iq) = slot_asked(json!({ "name": given, "size": 1 }));
        assert_eq!(iq.child("request", UPLOAD).unwrap().attr("filename"), Some(told));
        pair.answer(&iq, &good(""));
        assert_eq!(pair.value(call)["name"], json!(told));
    }
}

#[test]
fn what_cannot_be_asked_for_is_refused_at_once() {
    let mut pair = Pair::online();
    for (args, code) in [
        (json!([]), Code::InvalidArgument),
        (json!(["a"]), Code::InvalidArgument),
        (json!([{ "size": 1 }]), Code::InvalidArgument),
        (json!([{ "name": "", "size": 1 }]), Code::InvalidArgument),
        (json!([{ "name": "a/..", "size": 1 }]), Code::InvalidArgument),
        (json!([{ "name": "a/", "size": 1 }]), Code::InvalidArgument),
        (json!([{ "name": "a\u{0}", "size": 1 }]), Code::InvalidArgument),
        (json!([{ "name": "a\u{fffe}", "size": 1 }]), Code::InvalidArgument),
        (json!([{ "name": "a" }]), Code::InvalidArgument),
        (json!([{ "name": "a", "size": 0 }]), Code::InvalidArgument),
        (json!([{ "name": "a", "size": 1.5 }]), Code::InvalidArgument),
        (json!([{ "name": "a", "size": -1 }]), Code::InvalidArgument),
        (json!([{ "name": "a", "size": "1" }]), Code::InvalidArgument),
        (
            json!([{ "name": "a", "size": 9007199254740992u64 }]),
            Code::InvalidArgument,
        ),
        (
            json!([{ "name": "a", "size": 1, "type": "png" }]),
            Code::InvalidArgument,
        ),
        (
            json!([{ "name": "a", "size": 1, "type": "image/png\r\nHost: a" }]),
            Code::InvalidArgument,
        ),
        (
            json!([{ "name": "a", "size": 1, "type": "image/é" }]),
            Code::InvalidArgument,
        ),
        (json!([{ "name": "a", "size": 1, "service": "@" }]), Code::InvalidJid),
    ] {
        let refused = pair.try_im("files.slot", args.clone()).expect_err("it is refused");
        assert_eq!(refused.code(), code, "{args}");
    }
    pair.nothing_sent();
    let mut pair = Pair::new(config());
    for (name, args) in [("files.slot", json!([file()])), ("files.service", json!([]))] {
        let call = pair.im(name, args);
        assert_eq!(pair.error(call).code(), Code::Offline);
    }
}

#[test]
fn a_session_that_ends_settles_the_search_and_the_next_one_searches_anew() {
    let mut pair = Pair::online();
    let call = pair.im("files.service", json!([]));
    found(&mut pair, None);
    assert_eq!(pair.value(call), json!({ "jid": SERVICE }));
    let named = pair.im(
        "files.slot",
        json!([{ "name": "a", "size": 1, "service": "other.example" }]),
    );
    asked(&mut pair, "other.example", INFO);
    let slot = pair.im("files.slot", json!([file()]));
    pair.element();
    pair.close_socket();
    assert_eq!(pair.error(named).code(), Code::Closed);
    assert_eq!(pair.error(slot).code(), Code::Closed);
    pair.advance(60_000);
    pair.open_socket();
    pair.login(&crate::server::Fault::None);
    let call = pair.im("files.service", json!([]));
    while pair.is_open(call) {
        let iq = pair.element();
        match iq.child("query", INFO) {
            Some(_) => pair.answer(&iq, &info(None)),
            None => continue,
        }
    }
    assert_eq!(pair.value(call), json!({ "jid": "example.org" }));
}
