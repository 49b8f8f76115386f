//! XEP-0172, both ways; and what tests of other features that use an account's nodes share.

use crate::pair::{NS_CLIENT, Pair};
use serde_json::json;
use stanzawire::error::Code;
use stanzawire::xml::Element;

pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const NICK: &str = "http://jabber.org/protocol/nick";

/// Answers with a stanza error, as whoever was asked.
pub fn refuse(pair: &mut Pair, iq: &Element, condition: &str) {
    let from = iq.attr("to").map(|to| format!(" from='{to}'")).unwrap_or_default();
    let id = iq.attr("id").unwrap();
    pair.receive(&format!(
        "<iq xmlns='{NS_CLIENT}' type='error' id='{id}'{from}><error type='cancel'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
}

/// Takes a question for a node's items, whose owner is asked.
pub fn asked(pair: &mut Pair, owner: Option<&str>, node: &str) -> Element {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), owner));
    let items = iq.child("pubsub", PUBSUB).unwrap().child("items", PUBSUB).unwrap();
    assert_eq!(items.attr("node"), Some(node));
    iq
}

/// Answers it.
pub fn items(pair: &mut Pair, iq: &Element, node: &str, items: &str) {
    pair.answer(
        iq,
        &format!("<pubsub xmlns='{PUBSUB}'><items node='{node}'>{items}</items></pubsub>"),
    );
}

/// Takes a publication in one of the account's own nodes: the iq, the item, and the options of the node by name.
pub fn published(pair: &mut Pair, node: &str) -> (Element, Element, Vec<(String, String)>) {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("set"), None));
    let pubsub = iq.child("pubsub", PUBSUB).unwrap();
    let publish = pubsub.child("publish", PUBSUB).unwrap();
    assert_eq!(publish.attr("node"), Some(node));
    let item = publish.child("item", PUBSUB).unwrap().clone();
    let form = pubsub
        .child("publish-options", PUBSUB)
        .and_then(|options| options.children().next());
    let options = form.iter().flat_map(|form| form.children());
    let options = options.map(|field| {
        let value = field.children().next().map(Element::text);
        (field.attr("var").unwrap().to_owned(), value.unwrap())
    });
    let options = options.collect();
    (iq.clone(), item, options)
}

/// What a publication asks of its node where everybody is to read it (XEP-0222 §3).
pub fn open_to_all(options: &[(String, String)]) -> bool {
    let has = |name: &str, value: &str| options.contains(&(name.to_owned(), value.to_owned()));
    has("pubsub#access_model", "open") && has("pubsub#persist_items", "true")
}

/// Tells what has happened in a node.
pub fn notify(pair: &mut Pair, from: &str, event: &str) {
    pair.receive(&format!(
        "<message xmlns='{NS_CLIENT}' from='{from}' to='alice@example.org/here' type='headline'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'>{event}</event></message>"
    ));
}

fn told(name: &str) -> String {
    format!("<items node='{NICK}'><item id='current'><nick xmlns='{NICK}'>{name}</nick></item></items>")
}

#[test]
fn xep0172_4_3_an_account_says_its_nickname() {
    let mut pair = Pair::online();
    let call = pair.im("profiles.nick", json!(["queequeg@example.org/x"]));
    let iq = asked(&mut pair, Some("queequeg@example.org"), NICK);
    items(
        &mut pair,
        &iq,
        NICK,
        &format!("<item id='1'><nick xmlns='{NICK}'> Queequeg\n</nick></item>"),
    );
    assert_eq!(pair.value(call), json!("Queequeg"));
    let call = pair.im("profiles.nick", json!([]));
    let iq = asked(&mut pair, None, NICK);
    items(
        &mut pair,
        &iq,
        NICK,
        &format!("<item id='1'><nick xmlns='{NICK}'/></item>"),
    );
    assert_eq!(pair.value(call), json!(null));
}

#[test]
fn an_account_without_a_nickname_has_none() {
    for (condition, none) in [
        ("item-not-found", true),
        ("service-unavailable", true),
        ("feature-not-implemented", true),
        ("not-authorized", false),
        ("internal-server-error", false),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("profiles.nick", json!(["queequeg@example.org"]));
        let iq = pair.element();
        refuse(&mut pair, &iq, condition);
        if none {
            assert_eq!(pair.value(call), json!(null), "{condition}");
        } else {
            assert_eq!(pair.error(call).condition(), Some(condition));
        }
    }
}

#[test]
fn an_answer_that_is_none_is_a_violation() {
    let long = format!("<item id='1'><nick xmlns='{NICK}'>{}</nick></item>", "x".repeat(1_024));
    let in_node = |items: &str| format!("<pubsub xmlns='{PUBSUB}'><items node='{NICK}'>{items}</items></pubsub>");
    for (answer, none) in [
        (String::new(), false),
        ("<nick xmlns='http://jabber.org/protocol/nick'>Q</nick>".into(), false),
        (in_node("").replace("nick", "mood"), false),
        (
            in_node("<item id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></item>"),
            false,
        ),
        (in_node(""), true),
        (in_node("<item id='1'/>"), true),
        (in_node("<item id='1'><nick xmlns='urn:other'>Q</nick></item>"), true),
        (in_node(&long), true),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("profiles.nick", json!(["queequeg@example.org"]));
        let iq = pair.element();
        pair.answer(&iq, &answer);
        if none {
            assert_eq!(pair.value(call), json!(null), "{answer}");
        } else {
            assert_eq!(pair.error(call).code(), Code::ProtocolViolation, "{answer}");
        }
    }
}

#[test]
fn xep0172_4_3_a_nickname_is_published_for_all() {
    let mut pair = Pair::online();
    let call = pair.im("profiles.setNick", json!(["  Call me <Ishmael> "]));
    let (iq, item, options) = published(&mut pair, NICK);
    assert_eq!(item.attr("id"), Some("current"));
    assert_eq!(item.child_text("nick", NICK).as_deref(), Some("Call me <Ishmael>"));
    assert!(open_to_all(&options));
    assert!(pair.is_open(call));
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), json!(null));
    for none in [json!([null]), json!([]), json!([" "])] {
        pair.im("profiles.setNick", none);
        let (_, item, _) = published(&mut pair, NICK);
        assert_eq!(item.child_text("nick", NICK).as_deref(), Some(""));
    }
}

#[test]
fn xep0060_7_1_5_a_node_that_is_configured_otherwise_stays_so() {
    let mut pair = Pair::online();
    let call = pair.im("profiles.setNick", json!(["Ishmael"]));
    let (iq, ..) = published(&mut pair, NICK);
    refuse(&mut pair, &iq, "conflict");
    let (iq, item, options) = published(&mut pair, NICK);
    assert_eq!(options, []);
    assert_eq!(item.child_text("nick", NICK).as_deref(), Some("Ishmael"));
    refuse(&mut pair, &iq, "conflict");
    assert_eq!(pair.error(call).condition(), Some("conflict"), "once is enough");
    let call = pair.im("profiles.setNick", json!(["Ishmael"]));
    let (iq, ..) = published(&mut pair, NICK);
    refuse(&mut pair, &iq, "service-unavailable");
    assert_eq!(pair.error(call).condition(), Some("service-unavailable"));
    pair.nothing_sent();
}

#[test]
fn what_is_no_nickname_is_refused() {
    let mut pair = Pair::online();
    let long = "x".repeat(1_024);
    for bad in [json!([5]), json!([{}]), json!([long]), json!(["a\u{0}"])] {
        let error = pair.try_im("profiles.setNick", bad).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }
    let error = pair.try_im("profiles.nick", json!(["@"])).unwrap_err();
    assert_eq!(error.code(), Code::InvalidJid);
    pair.nothing_sent();
}

#[test]
fn xep0163_4_3_who_says_it_has_that_nickname() {
    let mut pair = Pair::online();
    notify(&mut pair, "queequeg@example.org", &told("Queequeg"));
    assert_eq!(
        pair.told("nick"),
        [json!({ "from": "queequeg@example.org", "nick": "Queequeg" })]
    );
    // A third party can only speak of itself, whatever it says of others.
    let forged = told("Queequeg").replace("<item ", "<item publisher='queequeg@example.org' ");
    notify(&mut pair, "mallory@example.org", &forged);
    assert_eq!(
        pair.told("nick"),
        [json!({ "from": "mallory@example.org", "nick": "Queequeg" })]
    );
    // The own one, from another client.
    notify(&mut pair, "alice@example.org", &told("Alice"));
    assert_eq!(
        pair.told("nick"),
        [json!({ "from": "alice@example.org", "nick": "Alice" })]
    );
}

#[test]
fn xep0163_4_3_what_is_no_accounts_word_is_nobodys_nickname() {
    let mut pair = Pair::online();
    // A client, or somebody in a room; and what comes back as an error.
    notify(&mut pair, "queequeg@example.org/x", &told("Mallory"));
    notify(&mut pair, "room@muc.example.org/mallory", &told("Mallory"));
    notify(&mut pair, "example.org/mallory", &told("Mallory"));
    notify(&mut pair, "@@", &told("Mallory"));
    pair.receive(&format!(
        "<message xmlns='{NS_CLIENT}' from='queequeg@example.org' type='error'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'>{}</event></message>",
        told("Mallory")
    ));
    // Nor what another node says, or nobody.
    notify(
        &mut pair,
        "queequeg@example.org",
        &told("Mallory").replacen(NICK, "urn:other", 1),
    );
    notify(&mut pair, "queequeg@example.org", &format!("<items node='{NICK}'/>"));
    notify(
        &mut pair,
        "queequeg@example.org",
        &format!("<items node='{NICK}'><item id='1'/></items>"),
    );
    let other = "<item id='1'><nick xmlns='urn:other'>Mallory</nick></item>";
    notify(
        &mut pair,
        "queequeg@example.org",
        &format!("<items node='{NICK}'>{other}</items>"),
    );
    assert_eq!(pair.told("nick"), Vec::<serde_json::Value>::new());
}

#[test]
fn a_nickname_can_go() {
    for gone in [
        told(""),
        format!("<items node='{NICK}'><retract id='current'/></items>"),
        format!("<purge node='{NICK}'/>"),
        format!("<delete node='{NICK}'/>"),
    ] {
        let mut pair = Pair::online();
        notify(&mut pair, "queequeg@example.org", &gone);
        assert_eq!(
            pair.told("nick"),
            [json!({ "from": "queequeg@example.org", "nick": null })]
        );
    }
}

#[test]
fn xep0172_4_2_a_message_can_say_who_sends_it() {
    let mut pair = Pair::online();
    pair.im(
        "send",
        json!([{ "to": "bob@example.org", "body": "Call me", "nick": "Ishmael" }]),
    );
    let message = pair.element();
    assert_eq!(message.child_text("nick", NICK).as_deref(), Some("Ishmael"));
    let message =
        |inner: &str| format!("<message xmlns='{NS_CLIENT}' from='q@example.org/x' type='chat'>{inner}</message>");
    pair.sent.clear();
    pair.receive(&message(&format!(
        "<body>hi</body><nick xmlns='{NICK}'>Queequeg</nick>"
    )));
    let told = pair.told("message");
    assert_eq!(
        (&told[0]["nick"], &told[0]["from"]),
        (&json!("Queequeg"), &json!("q@example.org/x"))
    );
    pair.receive(&message(&format!("<body>hi</body><nick xmlns='{NICK}'> </nick>")));
    assert!(pair.told("message")[0].get("nick").is_none());
    pair.receive(&message(&format!("<nick xmlns='{NICK}'>Queequeg</nick>")));
    assert!(
        pair.events
            .iter()
            .all(|event| !matches!(event, stanzawire::engine::Event::Im(_)))
    );
    for bad in [json!(""), json!(5)] {
        let bad = json!([{ "to": "bob@example.org", "body": "x", "nick": bad }]);
        assert_eq!(pair.try_im("send", bad).unwrap_err().code(), Code::InvalidArgument);
    }
}
