//! XEP-0490: up to where conversations have been seen, on all clients of the account.

mod outbox;

use crate::disco::{RSM, refuse};
use crate::pair::{Pair, config};
use crate::pubsub::{PUBSUB, fields};
use crate::server::Fault;
use crate::sm;
use serde_json::{Value, json};
use stanzawire::engine::{Command, Ticket};
use stanzawire::error::Code;
use stanzawire::im;
use stanzawire::xml::{self, Element};

const NODE: &str = "urn:xmpp:mds:displayed:0";
const SID: &str = "urn:xmpp:sid:0";
const INFO: &str = "http://jabber.org/protocol/disco#info";
const OWN: &str = "alice@example.org";

fn item(with: &str, by: &str, id: &str) -> String {
    format!(
        "<item id='{with}'><displayed xmlns='{NODE}'><stanza-id xmlns='{SID}' by='{by}' id='{id}'/></displayed></item>"
    )
}

fn mark(with: &str, by: &str, id: &str) -> Value {
    json!({ "with": with, "by": by, "stanzaId": id })
}

/// A notification from there, about this node.
fn notify(pair: &mut Pair, from: &str, node: &str, items: &str) -> Vec<Value> {
    pair.events.clear();
    pair.receive(&format!(
        "<message xmlns='jabber:client' type='headline'{from} to='alice@example.org/here'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{node}'>{items}</items></event></message>"
    ));
    pair.told("displayed")
}

fn own(items: &str) -> impl FnOnce(&mut Pair) -> Vec<Value> {
    let items = items.to_owned();
    move |pair| notify(pair, &format!(" from='{OWN}'"), NODE, &items)
}

fn set(pair: &mut Pair, with: &str, id: &str) -> Ticket {
    pair.im("displayed.set", json!([{ "with": with, "stanzaId": id }]))
}

/// The account is asked what it can, and says whether it minds how a node must be.
fn minds(pair: &mut Pair, minds: bool) {
    let asked = pair.element();
    assert_eq!((asked.attr("type"), asked.attr("to")), (Some("get"), Some(OWN)));
    assert!(asked.child("query", INFO).is_some(), "{asked:?}");
    let feature = if minds { "publish-options" } else { "publish" };
    pair.answer(
        &asked,
        &format!("<query xmlns='{INFO}'><feature var='http://jabber.org/protocol/pubsub#{feature}'/></query>"),
    );
}

/// What is published: the request, the conversation, whose id, and the id.
fn published(pair: &mut Pair) -> (Element, [String; 3]) {
    let asked = pair.element();
    assert_eq!((asked.attr("type"), asked.attr("to")), (Some("set"), None));
    let pubsub = asked.child("pubsub", PUBSUB).expect("something is published");
    let publish = pubsub.child("publish", PUBSUB).unwrap();
    assert_eq!(publish.attr("node"), Some(NODE));
    let form = pubsub
        .child("publish-options", PUBSUB)
        .unwrap()
        .children()
        .next()
        .unwrap();
    let wanted = [
        ("FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"),
        ("pubsub#persist_items", "true"),
        ("pubsub#max_items", "max"),
        ("pubsub#send_last_published_item", "never"),
        ("pubsub#access_model", "whitelist"),
    ];
    let wanted = wanted.map(|(name, value)| (name.to_owned(), vec![value.to_owned()]));
    assert_eq!(fields(form), wanted, "§6: for the account alone");
    let item = publish.child("item", PUBSUB).unwrap();
    let id = item.child("displayed", NODE).unwrap().child("stanza-id", SID).unwrap();
    let texts = [item.attr("id"), id.attr("by"), id.attr("id")].map(|text| text.unwrap().to_owned());
    (asked, texts)
}

/// A client that has found out that its server minds.
fn minding() -> Pair {
    let mut pair = Pair::online();
    let call = set(&mut pair, "first@example.org", "0");
    minds(&mut pair, true);
    let (asked, _) = published(&mut pair);
    pair.answer(&asked, "");
    assert_eq!(pair.value(call), Value::Null);
    pair
}

#[test]
fn xep0490_3_3_what_is_known() {
    let mut pair = Pair::online();
    let call = pair.im("displayed.get", json!([]));
    let asked = pair.element();
    assert_eq!((asked.attr("type"), asked.attr("to")), (Some("get"), None));
    let pubsub = asked.child("pubsub", PUBSUB).unwrap();
    assert_eq!(pubsub.child("items", PUBSUB).unwrap().attr("node"), Some(NODE));
    assert_eq!(
        pubsub.child("set", RSM).unwrap().child_text("max", RSM).as_deref(),
        Some("200")
    );
    let first = item("Romeo@montague.lit", OWN, "1") + &item("room@muc.example.org", "room@muc.example.org", "2");
    pair.answer(
        &asked,
        &format!(
            "<pubsub xmlns='{PUBSUB}'><items node='{NODE}'>{first}</items>\
             <set xmlns='{RSM}'><first index='0'>a</first><last>b</last><count>3</count></set></pubsub>"
        ),
    );
    assert!(pair.is_open(call));
    let asked = pair.element();
    let page = asked.child("pubsub", PUBSUB).unwrap().child("set", RSM).unwrap();
    assert_eq!(page.child_text("after", RSM).as_deref(), Some("b"));
    let last = item("room@muc.example.org/witch", "ALICE@example.org/x", "3");
    pair.answer(
        &asked,
        &format!("<pubsub xmlns='{PUBSUB}'><items node='{NODE}'>{last}</items></pubsub>"),
    );
    assert_eq!(
        pair.value(call),
        json!([
            mark("romeo@montague.lit", OWN, "1"),
            mark("room@muc.example.org", "room@muc.example.org", "2"),
            mark("room@muc.example.org/witch", OWN, "3"),
        ])
    );
}

#[test]
fn pages_without_end_come_to_one() {
    let mut pair = Pair::online();
    let call = pair.im("displayed.get", json!([]));
    let mut pages = 0;
    while pair.is_open(call) {
        let asked = pair.element();
        pages += 1;
        assert!(pages <= 400);
        // Nothing that can be read, and always more of it.
        pair.answer(
            &asked,
            &format!(
                "<pubsub xmlns='{PUBSUB}'><items node='{NODE}'><item id='@@'/></items>\
                 <set xmlns='{RSM}'><last>{pages}</last></set></pubsub>"
            ),
        );
    }
    assert_eq!(pages, 400);
    assert_eq!(pair.value(call), json!([]));
    pair.nothing_sent();
}

#[test]
fn where_nobody_has_kept_anything_nothing_is_known() {
    let mut pair = Pair::online();
    let call = pair.im("displayed.get", json!([]));
    let asked = pair.element();
    refuse(&mut pair, &asked, "item-not-found");
    assert_eq!(pair.value(call), json!([]));
    let call = pair.im("displayed.get", json!([]));
    let asked = pair.element();
    refuse(&mut pair, &asked, "feature-not-implemented");
    assert_eq!(pair.error(call).condition(), Some("feature-not-implemented"));
    for nonsense in [
        String::new(),
        format!("<pubsub xmlns='{PUBSUB}'/>"),
        format!("<pubsub xmlns='{PUBSUB}'><items node='another'/></pubsub>"),
    ] {
        let call = pair.im("displayed.get", json!([]));
        let asked = pair.element();
        pair.answer(&asked, &nonsense);
        assert_eq!(pair.error(call).code(), Code::ProtocolViolation, "{nonsense}");
    }
}

#[test]
fn xep0490_3_an_item_has_one_id_of_the_account_or_the_room() {
    let two = item("bob@example.org", OWN, "1").replace(
        "</displayed>",
        &format!("<stanza-id xmlns='{SID}' by='{OWN}' id='2'/></displayed>"),
    );
    for wrong in [
        item("@", OWN, "1"),
        item("bob@example.org", "mallory@example.org", "1"),
        item("bob@example.org", "@", "1"),
        item("bob@example.org", OWN, ""),
        item("bob@example.org", OWN, "1").replace(" by='alice@example.org'", ""),
        item("bob@example.org", OWN, "1").replace(SID, "urn:example"),
        item("bob@example.org", OWN, "1").replace(NODE, "urn:example"),
        "<item id='bob@example.org'/>".to_owned(),
        format!("<item id='bob@example.org'><displayed xmlns='{NODE}'/></item>"),
        "<retract id='bob@example.org'/>".to_owned(),
        two,
    ] {
        let mut pair = Pair::online();
        let genuine = item("eve@example.org", OWN, "9");
        let both = wrong.clone() + &genuine;
        assert_eq!(own(&both)(&mut pair), [mark("eve@example.org", OWN, "9")], "{wrong}");
        let call = pair.im("displayed.get", json!([]));
        let asked = pair.element();
        let items = both.replace("<retract", "<item");
        pair.answer(
            &asked,
            &format!("<pubsub xmlns='{PUBSUB}'><items node='{NODE}'>{items}</items></pubsub>"),
        );
        assert_eq!(pair.value(call), json!([mark("eve@example.org", OWN, "9")]), "{wrong}");
    }
}

#[test]
fn xep0163_4_3_notifications_are_the_own_accounts() {
    let mut pair = Pair::online();
    let said = item("bob@example.org", OWN, "1");
    for from in [
        "mallory@example.org",
        "mallory@example.org/x",
        "bob@example.org",
        "alice@example.org/there",
        "example.org",
        "pubsub.example.org",
        "alice@example.com",
        "@",
        "",
    ] {
        assert_eq!(
            notify(&mut pair, &format!(" from='{from}'"), NODE, &said),
            [] as [Value; 0],
            "{from}"
        );
    }
    assert_eq!(
        notify(&mut pair, &format!(" from='{OWN}'"), "urn:example", &said),
        [] as [Value; 0]
    );
    // RFC 6120 §8.1.2.1: nobody is the own account.
    for from in ["", " from='ALICE@example.org'"] {
        assert_eq!(
            notify(&mut pair, from, NODE, &said),
            [mark("bob@example.org", OWN, "1")],
            "{from}"
        );
    }
    assert!(
        im::DISCO
            .iter()
            .any(|features| features.contains(&"urn:xmpp:mds:displayed:0+notify"))
    );
}

#[test]
fn xep0490_3_1_what_was_seen_is_published_for_the_account_alone() {
    let mut pair = Pair::online();
    let call = set(&mut pair, "Bob@example.org", "7");
    minds(&mut pair, true);
    let (asked, texts) = published(&mut pair);
    assert_eq!(texts, ["bob@example.org", OWN, "7"]);
    assert!(pair.is_open(call));
    pair.answer(&asked, "");
    assert_eq!(pair.value(call), Value::Null);
    // From then on it is known. In a room the id is the room's.
    let call = pair.im(
        "displayed.set",
        json!([{ "with": "room@muc.example.org", "stanzaId": "8", "by": "room@muc.example.org/witch" }]),
    );
    let (asked, texts) = published(&mut pair);
    assert_eq!(texts, ["room@muc.example.org", "room@muc.example.org", "8"]);
    refuse(&mut pair, &asked, "conflict");
    assert_eq!(pair.error(call).condition(), Some("conflict"));
    pair.nothing_sent();
}

#[test]
fn xep0490_3_4_a_marker_is_for_the_accounts_clients_too() {
    let mut pair = minding();
    let room = "room@muc.example.org";
    for (message, sent, texts) in [
        // Nobody who may know: there is no marker, and the account knows all the same.
        (
            json!({ "id": "m", "stanzaId": "1", "from": "bob@example.org/x" }),
            false,
            Some(["bob@example.org", OWN, "1"]),
        ),
        (
            json!({ "id": "m", "stanzaId": "2", "from": format!("{room}/witch"), "type": "groupchat" }),
            true,
            Some([room, room, "2"]),
        ),
        (
            json!({ "id": "m", "stanzaId": "3", "from": format!("{room}/witch"), "occupant": true }),
            false,
            Some(["room@muc.example.org/witch", OWN, "3"]),
        ),
        // Whoever has seen what another client of theirs has sent has seen what came before. Without an id nothing can be said.
        (
            json!({ "id": "m", "stanzaId": "4", "from": OWN, "to": "bob@example.org" }),
            false,
            Some(["bob@example.org", OWN, "4"]),
        ),
        (json!({ "id": "m", "from": "bob@example.org/x" }), false, None),
    ] {
        pair.im("markDisplayed", json!([message]));
        if sent {
            let marker = pair.element();
            assert!(marker.child("displayed", "urn:xmpp:chat-markers:0").is_some());
            pair.sent.retain(|frame| !frame.contains("urn:xmpp:ping"));
        }
        if let Some(texts) = texts {
            let (asked, said) = published(&mut pair);
            assert_eq!(said, texts, "{message}");
            pair.answer(&asked, "");
        }
        pair.nothing_sent();
    }
    // A server that can't is no reason to say less.
    let mut pair = Pair::online();
    let call = pair.im(
        "markDisplayed",
        json!([{ "id": "m", "stanzaId": "1", "from": "bob@example.org/x" }]),
    );
    assert_eq!(pair.value(call), Value::Null);
    minds(&mut pair, false);
    pair.nothing_sent();
}

#[test]
fn xep0490_6_a_server_that_does_not_mind_would_tell_all_contacts() {
    let mut pair = Pair::online();
    let call = set(&mut pair, "bob@example.org", "7");
    minds(&mut pair, false);
    let error = pair.error(call);
    assert_eq!(
        (error.code(), error.condition(), error.retryable()),
        (Code::StanzaError, Some("feature-not-implemented"), false)
    );
    let call = set(&mut pair, "bob@example.org", "8");
    assert_eq!(pair.error(call).condition(), Some("feature-not-implemented"));
    pair.nothing_sent();
    // Nor does one that says nothing of itself, or nonsense.
    let mut pair = Pair::online();
    let call = set(&mut pair, "bob@example.org", "7");
    let asked = pair.element();
    refuse(&mut pair, &asked, "service-unavailable");
    assert_eq!(pair.error(call).condition(), Some("feature-not-implemented"));
    let mut pair = Pair::online();
    let call = set(&mut pair, "bob@example.org", "7");
    let asked = pair.element();
    pair.answer(&asked, "<query xmlns='urn:example'/>");
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
    pair.nothing_sent();
}

#[test]
fn what_cannot_be_said_is_not() {
    let mut pair = minding();
    for (wrong, code) in [
        (json!([]), Code::InvalidArgument),
        (json!([{ "with": "bob@example.org" }]), Code::InvalidArgument),
        (
            json!([{ "with": "bob@example.org", "stanzaId": "" }]),
            Code::InvalidArgument,
        ),
        (
            json!([{ "with": "bob@example.org", "stanzaId": 7 }]),
            Code::InvalidArgument,
        ),
        (json!([{ "stanzaId": "7" }]), Code::InvalidArgument),
        (json!([{ "with": "@", "stanzaId": "7" }]), Code::InvalidJid),
        (json!([{ "with": "b@c", "stanzaId": "7", "by": "@" }]), Code::InvalidJid),
    ] {
        let error = pair.try_im("displayed.set", wrong.clone()).unwrap_err();
        assert_eq!(error.code(), code, "{wrong}");
    }
    let call = set(&mut pair, "bob@example.org", "\u{0}");
    assert_eq!(pair.error(call).code(), Code::InvalidArgument);
    // That keeps nobody else from it.
    set(&mut pair, "bob@example.org", "7");
    let (_, texts) = published(&mut pair);
    assert_eq!(texts[2], "7");
    for n in 0..1_000 {
        let call = set(&mut pair, &format!("bob{n}@example.org"), "7");
        assert!(pair.is_open(call));
    }
    let call = set(&mut pair, "one.too.many@example.org", "7");
    assert_eq!(pair.error(call).code(), Code::QueueFull);
    let waits = set(&mut pair, "bob7@example.org", "8");
    assert!(pair.is_open(waits));
    pair.call(Command::Disconnect);
    pair.advance(3_000);
    assert_eq!(pair.error(waits).code(), Code::Offline);
    let call = set(&mut pair, "bob@example.org", "7");
    assert_eq!(pair.error(call).code(), Code::Offline);
    let call = pair.im("displayed.get", json!([]));
    assert_eq!(pair.error(call).code(), Code::Offline);
    // Nothing of it is left for another login.
    pair.sent.clear();
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    assert!(!pair.sent.iter().any(|frame| frame.contains(INFO)), "{:?}", pair.sent);
}
