//! XEP-0077: an account that is made, what becomes of it, and registrations with services.

mod account;
mod services;

use crate::app::given;
use crate::pair::{Pair, config};
use serde_json::{Value, json};
use stanzawire::engine::{Command, Config, Event, Fetched, Input, Observe, Reply, Ticket};
use stanzawire::error::{Code, Phase};
use stanzawire::im::register::{NewAccount, Values, password};
use stanzawire::jid::Jid;
use stanzawire::session::{CredentialSource, Status};
use stanzawire::xml::Element;

pub const REGISTER: &str = "jabber:iq:register";
const FEATURES: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
    <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>";
const PLAIN: &str = "<instructions>Choose.</instructions><username/><password/>";

fn nobody() -> Config {
    let mut config = config();
    config.session.credentials = CredentialSource::None;
    config.session.reconnect = None;
    config
}

fn begin_with(config: Config, fields: Value, asks: bool) -> (Pair, Ticket) {
    let mut pair = Pair::new(config);
    let account = Jid::parse("alice@example.org").unwrap();
    let fields = Values::given(&given(fields, "fields")).unwrap();
    let account = NewAccount::new(&account, password("s3cret".into()).unwrap(), fields, asks);
    let call = pair.call(Command::Register {
        account: Box::new(account),
        timeout: None,
    });
    (pair, call)
}

fn begin(fields: Value, asks: bool) -> (Pair, Ticket) {
    begin_with(nobody(), fields, asks)
}

/// Up to the question what is to be filled in.
fn asked(pair: &mut Pair) -> Element {
    pair.open_socket();
    let open = pair.element();
    assert_eq!(open.attr("from"), None, "nobody is there yet");
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
    pair.receive(FEATURES);
    let question = pair.element();
    assert_eq!(
        (question.attr("type"), question.attr("to")),
        (Some("get"), Some("example.org"))
    );
    assert!(question.child("query", REGISTER).is_some());
    question
}

pub fn query(children: &str) -> String {
    format!("<query xmlns='{REGISTER}'>{children}</query>")
}

fn refuse(pair: &mut Pair, iq: &Element, kind: &str, condition: &str, more: &str) {
    let id = iq.attr("id").unwrap();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}' from='example.org'><error type='{kind}'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{more}</error></iq>"
    ));
}

fn form(pair: &Pair, call: Ticket) -> Value {
    match pair.reply(call).expect("a form") {
        Reply::Im(form) => serde_json::to_value(&form).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn fill(pair: &mut Pair, values: Value) -> Ticket {
    let values = Values::given(&given(values, "values")).unwrap();
    pair.call(Command::Fill { values, timeout: None })
}

/// What is filled in: each element's name and text, or each field's name and values.
pub fn told(iq: &Element) -> Vec<(String, String)> {
    let query = iq.child("query", REGISTER).expect("a registration");
    match query.child("x", "jabber:x:data") {
        Some(form) => {
            assert_eq!(
                (form.attr("type"), query.children().count()),
                (Some("submit"), 1),
                "§4: not both"
            );
            let value = |field: &Element| field.children().map(Element::text).collect::<Vec<_>>().join("|");
            form.children()
                .map(|field| (field.attr("var").unwrap().to_owned(), value(field)))
                .collect()
        }
        None => query
            .children()
            .map(|child| (child.name().to_owned(), child.text()))
            .collect(),
    }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn xep0077_3_1_an_account_is_made() {
    let (mut pair, call) = begin(json!(null), false);
    let question = asked(&mut pair);
    pair.answer(&question, &query(PLAIN));
    let set = pair.element();
    assert_eq!((set.attr("type"), set.attr("to")), (Some("set"), Some("example.org")));
    assert_ne!(set.attr("id"), question.attr("id"));
    assert_eq!(told(&set), pairs(&[("username", "alice"), ("password", "s3cret")]));
    assert!(pair.is_open(call));
    pair.answer(&set, "");
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert!(pair.element().is("close", "urn:ietf:params:xml:ns:xmpp-framing"));
    assert_eq!((pair.socket.take(), pair.engine.status()), (None, Status::Offline));
    assert_eq!(pair.statuses(), [], "nobody was online, nor will be");
    assert_eq!(pair.engine.next_deadline(), None);
}

#[test]
fn xep0077_4_a_form_comes_before_elements_and_its_hidden_fields_go_back() {
    let (mut pair, call) = begin(json!({ "email": "a@b.example", "shoe": "43" }), false);
    let question = asked(&mut pair);
    let form = "<username/><password/><x xmlns='jabber:x:data' type='form'><title>T</title>\
        <field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>\
        <field type='fixed'><value>Hello</value></field>\
        <field type='text-single' var='username'><required/></field>\
        <field type='text-private' var='password'><required/></field>\
        <field type='text-private' var='pin'><value>1234</value></field>\
        <field type='text-single' var='email'><required/></field>\
        <field type='boolean' var='news'><value>1</value></field></x>";
    pair.answer(&question, &query(form));
    let set = pair.element();
    let expected = [
        ("FORM_TYPE", "jabber:iq:register"),
        ("username", "alice"),
        ("password", "s3cret"),
        ("email", "a@b.example"),
        ("news", "true"),
    ];
    assert_eq!(
        told(&set),
        pairs(&expected),
        "what isn't asked for isn't told, and no secret is filled in"
    );
    pair.answer(&set, "");
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn xep0077_3_1_what_is_missing_is_named() {
    let (mut pair, call) = begin(json!({ "email": "" }), false);
    let question = asked(&mut pair);
    pair.answer(&question, &query("<username/><password/><email/><zip/>"));
    let error = pair.error(call);
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.message(), "the form wants more to be filled in: `email`, `zip`");
    assert!(
        pair.sent.iter().all(|frame| !frame.contains("s3cret")),
        "{:?}",
        pair.sent
    );
    assert_eq!(pair.socket, None);
}

#[test]
fn xep0077_4_the_app_fills_in_the_rest() {
    let (mut pair, call) = begin(json!({ "email": "a@b.example" }), true);
    let question = asked(&mut pair);
    let captcha = "<instructions>Read.</instructions><x xmlns='jabber:x:data' type='form'>\
        <field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>\
        <field type='hidden' var='challenge'><value>c1</value></field>\
        <field type='text-single' var='username'/><field type='text-private' var='password'/>\
        <field type='text-single' var='email'/>\
        <field type='text-single' var='ocr' label='What is it?'><required/>\
        <media xmlns='urn:xmpp:media-element' height='80'><uri type='image/png'>cid:sha1+ab@bob.xmpp.org</uri>\
        <uri type='audio/x-wav'>https://example.org/a.wav</uri><uri>cid:none</uri></media></field></x>\
        <data xmlns='urn:xmpp:bob' cid='sha1+ab@bob.xmpp.org' type='image/png'>AQ ID</data>\
        <data xmlns='urn:xmpp:bob' cid='other' type='image/png'>BBBB</data>";
    pair.answer(&question, &query(captcha));
    let hidden = |name, value| json!({ "name": name, "type": "hidden", "value": value });
    assert_eq!(
        form(&pair, call),
        json!({
            "form": {
                "fields": [
                    hidden("FORM_TYPE", "jabber:iq:register"),
                    hidden("challenge", "c1"),
                    {
                        "label": "What is it?",
                        "media": [
                            { "data": [1, 2, 3], "type": "image/png", "uri": "cid:sha1+ab@bob.xmpp.org" },
                            { "type": "audio/x-wav", "uri": "https://example.org/a.wav" },
                        ],
                        "name": "ocr",
                        "required": true,
                        "type": "text-single",
                        "value": null,
                    },
                ],
                "instructions": "Read.",
                "type": "form",
            },
            "registered": false,
        })
    );
    // A person takes their time.
    pair.advance(600_000);
    pair.handle(Input::Network { online: false });
    pair.handle(Input::Network { online: true });
    pair.nothing_sent();
    let call = fill(
        &mut pair,
        json!({ "ocr": "7nHL3", "username": "mallory", "password": "other" }),
    );
    let set = pair.element();
    let expected = [
        ("FORM_TYPE", "jabber:iq:register"),
        ("challenge", "c1"),
        ("username", "alice"),
        ("password", "s3cret"),
        ("email", "a@b.example"),
        ("ocr", "7nHL3"),
    ];
    assert_eq!(
        told(&set),
        pairs(&expected),
        "the account is the one that was asked for"
    );
    pair.answer(&set, "");
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn the_app_is_not_asked_for_what_is_known() {
    let (mut pair, call) = begin(json!({ "email": "a@b.example" }), true);
    let question = asked(&mut pair);
    pair.answer(&question, &query("<username/><password/><email/><key>k1</key>"));
    let set = pair.element();
    let expected = [
        ("username", "alice"),
        ("password", "s3cret"),
        ("email", "a@b.example"),
        ("key", "k1"),
    ];
    assert_eq!(told(&set), pairs(&expected));
    assert!(pair.is_open(call));
    // Nor can anything be filled in twice.
    let again = fill(&mut pair, json!({ "email": "b@b.example" }));
    assert_eq!(pair.error(again).code(), Code::InvalidState);
    pair.nothing_sent();
}

#[test]
fn what_cannot_be_sent_leaves_the_form_as_it_is() {
    let (mut pair, _) = begin(json!(null), true);
    let question = asked(&mut pair);
    pair.answer(&question, &query("<username/><password/><email/>"));
    for (values, message) in [
        (json!({ "email": "\u{0}" }), "the stanza cannot be sent"),
        (json!(null), "the form wants more to be filled in: `email`"),
    ] {
        let call = fill(&mut pair, values);
        assert_eq!(pair.error(call).code(), Code::InvalidArgument);
        assert!(
            pair.error(call).message().starts_with(message),
            "{}",
            pair.error(call).message()
        );
    }
    pair.nothing_sent();
    fill(&mut pair, json!({ "email": "a@b.example" }));
    assert_eq!(told(&pair.element()).len(), 3);
}

#[test]
fn xep0077_5_elsewhere_on_the_web() {
    for (url, kept) in [
        (
            "https://example.org/join?a=1&amp;b",
            Some("https://example.org/join?a=1&b"),
        ),
        (" HTTP://example.org/ ", Some("HTTP://example.org/")),
        ("javascript:alert(1)", None),
        ("https://example.org/ x", None),
        ("", None),
    ] {
        let (mut pair, call) = begin(json!(null), true);
        let question = asked(&mut pair);
        let redirect = format!("<instructions> Go there. </instructions><x xmlns='jabber:x:oob'><url>{url}</url></x>");
        pair.answer(&question, &query(&redirect));
        let error = pair.error(call);
        assert_eq!((error.code(), error.url()), (Code::RegistrationElsewhere, kept));
        assert_eq!((error.text(), error.retryable()), (Some("Go there."), false));
        assert_eq!(pair.socket, None);
    }
}

#[test]
fn xep0077_3_1_a_refusal_says_why() {
    for (kind, condition, retryable, hint) in [
        ("cancel", "conflict", false, "Somebody has that name"),
        (
            "modify",
            "not-acceptable",
            false,
            "Something that the server wants is missing",
        ),
        ("cancel", "not-allowed", false, "The server may let nobody"),
        ("auth", "forbidden", false, "The server may let nobody"),
        ("wait", "resource-constraint", true, "The server takes only so many"),
        ("modify", "jid-malformed", false, "That can't be a name"),
        ("cancel", "gone", false, "The condition says why"),
    ] {
        for at_once in [true, false] {
            let (mut pair, call) = begin(json!(null), false);
            let mut iq = asked(&mut pair);
            if !at_once {
                pair.answer(&iq, &query(PLAIN));
                iq = pair.element();
            }
            let text = "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>So it is.</text>";
            refuse(&mut pair, &iq, kind, condition, text);
            let error = pair.error(call);
            assert_eq!((error.code(), error.phase()), (Code::StanzaError, Phase::Stanza));
            assert_eq!((error.condition(), error.text()), (Some(condition), Some("So it is.")));
            assert_eq!(error.retryable(), retryable, "{condition}");
            assert!(error.hint().starts_with(hint), "{condition}: {}", error.hint());
            assert_eq!(pair.socket, None);
        }
    }
}

#[test]
fn rfc6120_8_1_2_1_before_a_login_there_is_nobody_but_the_server() {
    let forged = [
        ("id='ID' from='mallory@example.org'", "result"),
        ("id='ID' from='example.com'", "result"),
        ("id='ID' from='@'", "error"),
        ("id='other'", "result"),
        ("", "result"),
        ("id='ID'", "set"),
    ];
    for told in [false, true] {
        for (attrs, kind) in forged {
            let (mut pair, call) = begin(json!(null), false);
            let mut iq = asked(&mut pair);
            if told {
                pair.answer(&iq, &query(PLAIN));
                iq = pair.element();
            }
            let attrs = attrs.replace("ID", iq.attr("id").unwrap());
            pair.receive(&format!(
                "<iq xmlns='jabber:client' type='{kind}' {attrs}>{}</iq>",
                query(PLAIN)
            ));
            assert_eq!(pair.error(call).code(), Code::ProtocolViolation, "{attrs} {kind}");
            assert!(told || pair.sent.iter().all(|frame| !frame.contains("s3cret")));
        }
    }
    // Without a sender it is the server's.
    let (mut pair, _) = begin(json!(null), false);
    let id = asked(&mut pair).attr("id").unwrap().to_owned();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='result' id='{id}'>{}</iq>",
        query(PLAIN)
    ));
    assert_eq!(told(&pair.element()).len(), 2);
}

#[test]
fn what_is_no_form_is_the_servers_fault() {
    let many = |one: &str| one.repeat(201);
    let fields: String = (0..201).map(|at| format!("<field var='f{at}'/>")).collect();
    for payload in [
        String::new(),
        "<query xmlns='urn:x'><username/><password/></query>".into(),
        query("<username/>"),
        query("<username/><email/>"),
        query("<x xmlns='jabber:x:data' type='form'><field var='username'/></x>"),
        query("<x xmlns='jabber:x:data' type='nonsense'><field var='username'/><field var='password'/></x>"),
        query("<x xmlns='jabber:x:data' type='form'><field var='username'/><field var='username'/></x>"),
        query(&format!("<username/><password/>{}", many("<more/>"))),
        query(&format!(
            "<x xmlns='jabber:x:data' type='form'><field var='username'/><field var='password'/>{fields}</x>"
        )),
    ] {
        let (mut pair, call) = begin(json!(null), true);
        let question = asked(&mut pair);
        pair.answer(&question, &payload);
        let error = pair.error(call);
        assert_eq!(
            (error.code(), error.phase()),
            (Code::ProtocolViolation, Phase::Stanza),
            "{payload}"
        );
        assert!(pair.sent.iter().all(|frame| !frame.contains("s3cret")));
        assert_eq!((pair.socket.take(), pair.engine.next_deadline()), (None, None));
    }
}

#[test]
fn xep0077_9_no_password_leaves_where_others_can_read_it() {
    let mut config = nobody();
    config.session.url = Some("ws://example.org/".into());
    config.session.allow_insecure = true;
    let (mut pair, call) = begin_with(config, json!(null), false);
    pair.open_socket();
    pair.element();
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
    pair.receive(FEATURES);
    assert_eq!(pair.error(call).code(), Code::Insecure);
    // By a server that leads to somebody else's.
    let (mut pair, call) = begin(json!(null), false);
    pair.open_socket();
    pair.element();
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://evil.example/ws'/>");
    pair.sent.clear();
    pair.open_socket();
    pair.element();
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
    pair.receive(FEATURES);
    assert_eq!(pair.error(call).code(), Code::Insecure);
    assert!(pair.sent.iter().all(|frame| !frame.contains(REGISTER)));
}

#[test]
fn discovery_and_the_next_endpoint_are_those_of_a_login() {
    const XRD: &str = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
        <Link rel='urn:xmpp:alt-connections:websocket' href='wss://one.example.org/ws'/>\
        <Link rel='urn:xmpp:alt-connections:websocket' href='wss://two.example.org/ws'/></XRD>";
    let discovering = || {
        let mut config = nobody();
        config.session.url = None;
        let (mut pair, call) = begin_with(config, json!(null), true);
        pair.xrd(Fetched::Response { status: 200, body: XRD });
        (pair, call)
    };
    let (mut pair, call) = discovering();
    pair.close_socket();
    assert_eq!(pair.socket.as_ref().unwrap().1, "wss://two.example.org/ws");
    let question = asked(&mut pair);
    pair.answer(&question, &query(PLAIN));
    let set = pair.element();
    pair.answer(&set, "");
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    // Once a server has its form filled in, no other is asked: the account may be there.
    let (mut pair, call) = discovering();
    let question = asked(&mut pair);
    pair.answer(&question, &query(PLAIN));
    pair.close_socket();
    let error = pair.error(call);
    assert_eq!((error.code(), pair.socket.take()), (Code::Closed, None));
    assert!(error.hint().starts_with("Try to log in"));
    let (mut pair, _) = discovering();
    let question = asked(&mut pair);
    pair.answer(&question, &query("<username/><password/><email/>"));
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://two.example.org/ws'/>");
    assert_eq!(pair.socket, None);
    let call = fill(&mut pair, json!({ "email": "a@b.example" }));
    assert_eq!(pair.error(call).code(), Code::Closed);
}

#[test]
fn a_server_that_ends_the_stream_over_the_question() {
    for end in [
        "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
    ] {
        let (mut pair, call) = begin(json!(null), false);
        asked(&mut pair);
        pair.receive(end);
        let error = pair.error(call);
        assert!(
            matches!(error.code(), Code::StreamError | Code::Closed),
            "{:?}",
            error.code()
        );
        assert!(
            error.hint().starts_with("The server may let nobody"),
            "{}",
            error.hint()
        );
    }
}

#[test]
fn it_ends_in_time_or_when_it_is_aborted() {
    let (mut pair, call) = begin(json!(null), false);
    asked(&mut pair);
    pair.advance(30_000);
    assert_eq!((pair.error(call).code(), pair.socket.take()), (Code::Timeout, None));

    let (mut pair, call) = begin(json!(null), false);
    let question = asked(&mut pair);
    pair.advance(20_000);
    pair.answer(&question, &query(PLAIN));
    pair.element();
    pair.advance(29_999);
    assert!(pair.is_open(call), "as much time for the answer");
    pair.advance(1);
    assert_eq!((pair.error(call).code(), pair.socket.take()), (Code::Timeout, None));

    let (mut pair, call) = begin(json!(null), false);
    asked(&mut pair);
    pair.abort(call);
    assert_eq!((pair.error(call).code(), pair.socket.take()), (Code::Aborted, None));

    let (mut pair, call) = begin(json!(null), true);
    let question = asked(&mut pair);
    pair.answer(&question, &query("<username/><password/><email/>"));
    form(&pair, call);
    let end = pair.call(Command::Disconnect);
    assert_eq!((pair.reply(end), pair.socket.take()), (Ok(Reply::Done), None));
}

#[test]
fn what_a_client_is_at_already_is_not_disturbed() {
    let mut pair = Pair::online();
    let account = NewAccount::new(
        &Jid::parse("alice@example.org").unwrap(),
        password("x".into()).unwrap(),
        Values::default(),
        false,
    );
    let call = pair.call(Command::Register {
        account: Box::new(account),
        timeout: None,
    });
    assert_eq!(pair.error(call).code(), Code::InvalidState);
    let call = fill(&mut pair, json!({}));
    assert_eq!(pair.error(call).code(), Code::InvalidState);
    pair.nothing_sent();
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn rfc4013_a_password_that_nobody_could_log_in_with_is_refused() {
    for bad in ["", "\u{ad}", "a\u{7}b", "\u{627}1", "\u{e000}"] {
        let error = password(bad.into()).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{bad:?}");
        assert!(bad.is_empty() || !error.message().contains(bad));
    }
    for good in ["s3cret", "пароль", "🦀 <&>", " "] {
        assert!(password(good.into()).is_ok(), "{good}");
    }
}

#[test]
fn frames_that_are_watched_show_no_password() {
    let (mut pair, _) = begin(json!({ "secret": "hush" }), false);
    pair.engine.observe(Observe {
        stanzas: false,
        frames: true,
    });
    let question = asked(&mut pair);
    let form = "<x xmlns='jabber:x:data' type='form'><field type='text-single' var='username'/>\
        <field type='text-private' var='password'/><field type='text-private' var='secret'/></x>";
    pair.answer(&question, &query(form));
    let set = pair.element();
    let id = set.attr("id").unwrap();
    let echo = query("<username>alice</username><password>s3cret</password>");
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'>{echo}<error type='cancel'><conflict \
         xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    let frames = pair.events.iter().filter_map(|event| match event {
        Event::Frame { data, .. } => Some(data.as_str()),
        _ => None,
    });
    let frames: Vec<&str> = frames.collect();
    assert!(
        frames
            .iter()
            .any(|frame| frame.contains("submit") && frame.contains(">alice<")),
        "{frames:?}"
    );
    assert_eq!(frames.iter().filter(|frame| frame.contains("[redacted]")).count(), 2);
    assert!(
        frames
            .iter()
            .all(|frame| !frame.contains("s3cret") && !frame.contains("hush")),
        "{frames:?}"
    );
}
