//! XEP-0060 and XEP-0163, calls and notifications.

mod events;

use crate::disco::{RSM, refuse};
use crate::pair::{Pair, config};
use serde_json::{Value, json};
use stanzawire::error::{Code, Phase};
use stanzawire::xml::Element;

pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
pub const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
const EVENT: &str = "http://jabber.org/protocol/pubsub#event";
const FORMS: &str = "jabber:x:data";

fn tune() -> Value {
    json!({ "name": "tune", "attrs": { "xmlns": "urn:tune" }, "children": [] })
}

/// A form's fields that have values, and these.
pub fn fields(form: &Element) -> Vec<(String, Vec<String>)> {
    assert!(form.is("x", FORMS) && form.attr("type") == Some("submit"));
    let fields = form.children().map(|field| {
        let values = field.children().map(Element::text).collect();
        (field.attr("var").unwrap().to_owned(), values)
    });
    fields.collect()
}

fn one(name: &str, value: &str) -> (String, Vec<String>) {
    (name.to_owned(), vec![value.to_owned()])
}

/// The iq that a call sends, of this type and to that address, and what is in the `<pubsub/>` of this namespace.
fn sent(pair: &mut Pair, kind: &str, to: Option<&str>, ns: &str) -> (Element, Element) {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some(kind), to));
    let pubsub = iq.child("pubsub", ns).expect("it is about nodes").clone();
    (iq, pubsub)
}

#[test]
fn xep0060_7_1_an_item_is_published() {
    let mut pair = Pair::online();
    // XEP-0163 §3: in a node of the own account, which need not be there.
    let call = pair.im("pubsub.publish", json!(["n", tune()]));
    let (iq, pubsub) = sent(&mut pair, "set", None, PUBSUB);
    let publish = pubsub.child("publish", PUBSUB).unwrap();
    let item = publish.child("item", PUBSUB).unwrap();
    assert_eq!((publish.attr("node"), item.attr("id")), (Some("n"), None));
    assert!(item.child("tune", "urn:tune").is_some() && pubsub.children().count() == 1);
    pair.answer(
        &iq,
        &format!("<pubsub xmlns='{PUBSUB}'><publish node='n'><item id='new'/></publish></pubsub>"),
    );
    assert_eq!(pair.value(call), json!({ "id": "new" }));

    // §7.1.5: with an id, and what the node must be like.
    let options = json!({
        "to": "pubsub.example.org", "id": "current",
        "options": { "left": null, "pubsub#access_model": "open", "pubsub#max_items": 1, "pubsub#persist_items": true },
    });
    let call = pair.im("pubsub.publish", json!(["n", tune(), options]));
    let (iq, pubsub) = sent(&mut pair, "set", Some("pubsub.example.org"), PUBSUB);
    let item = pubsub.child("publish", PUBSUB).unwrap().child("item", PUBSUB).unwrap();
    assert_eq!(item.attr("id"), Some("current"));
    let form = pubsub
        .child("publish-options", PUBSUB)
        .unwrap()
        .children()
        .next()
        .unwrap();
    assert_eq!(
        fields(form),
        [
            one("FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"),
            one("pubsub#access_model", "open"),
            one("pubsub#max_items", "1"),
            one("pubsub#persist_items", "true"),
        ]
    );
    // §7.1.2: an id that was given need not be said.
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), json!({ "id": "current" }));
}

#[test]
fn xep0060_7_1_5_a_node_that_is_another_way_is_a_conflict() {
    let mut pair = Pair::online();
    let call = pair.im(
        "pubsub.publish",
        json!(["n", null, { "options": { "pubsub#access_model": "open" } }]),
    );
    let (iq, pubsub) = sent(&mut pair, "set", None, PUBSUB);
    let item = pubsub.child("publish", PUBSUB).unwrap().child("item", PUBSUB).unwrap();
    assert!(item.nodes().is_empty(), "nothing is published");
    let id = iq.attr("id").unwrap();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'><error type='cancel'>\
         <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/></error></iq>"
    ));
    let error = pair.error(call);
    assert_eq!((error.code(), error.condition()), (Code::StanzaError, Some("conflict")));
}

#[test]
fn xep0060_6_5_items_come_page_by_page() {
    let mut pair = Pair::online();
    let call = pair.im("pubsub.items", json!(["n", { "to": "bob@example.org" }]));
    let (iq, pubsub) = sent(&mut pair, "get", Some("bob@example.org"), PUBSUB);
    assert_eq!(pubsub.child("items", PUBSUB).unwrap().attr("node"), Some("n"));
    assert!(pubsub.child("set", RSM).unwrap().child("max", RSM).is_some());
    pair.answer(
        &iq,
        &format!(
            "<pubsub xmlns='{PUBSUB}'><items node='n'><item id='1' publisher='bob@example.org/x'><tune xmlns='urn:tune'/></item>\
             <item id='2'/></items><set xmlns='{RSM}'><first index='0'>1</first><last>2</last><count>3</count></set></pubsub>"
        ),
    );
    assert_eq!(
        pair.value(call),
        json!({
            "items": [{ "id": "1", "payload": tune(), "publisher": "bob@example.org/x" }, { "id": "2", "payload": null }],
            "next": "2",
        })
    );
    let call = pair.im("pubsub.items", json!(["n", { "to": "bob@example.org" }, "2"]));
    let (iq, pubsub) = sent(&mut pair, "get", Some("bob@example.org"), PUBSUB);
    let set = pubsub.child("set", RSM).unwrap();
    assert_eq!(set.child_text("after", RSM).as_deref(), Some("2"));
    pair.answer(
        &iq,
        &format!("<pubsub xmlns='{PUBSUB}'><items node='n'><item/></items></pubsub>"),
    );
    assert_eq!(
        pair.value(call),
        json!({ "items": [{ "id": "", "payload": null }] }),
        "a service without pages, and without ids"
    );
}

#[test]
fn xep0060_6_5_7_the_latest_items_or_those_with_these_ids() {
    let mut pair = Pair::online();
    pair.im("pubsub.items", json!(["n", { "max": 2 }]));
    let (_, pubsub) = sent(&mut pair, "get", None, PUBSUB);
    let items = pubsub.child("items", PUBSUB).unwrap();
    assert_eq!((items.attr("max_items"), pubsub.children().count()), (Some("2"), 1));
    pair.im("pubsub.items", json!(["n", { "ids": ["a", "b"] }]));
    let (_, pubsub) = sent(&mut pair, "get", None, PUBSUB);
    let ids = pubsub.child("items", PUBSUB).unwrap().children();
    assert_eq!(ids.map(|item| item.attr("id").unwrap()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(pubsub.children().count(), 1);
}

#[test]
fn xep0060_7_2_an_item_is_taken_back() {
    let mut pair = Pair::online();
    for (options, notify) in [(json!(null), None), (json!({ "notify": true }), Some("true"))] {
        let call = pair.im("pubsub.retract", json!(["n", "i", options]));
        let (iq, pubsub) = sent(&mut pair, "set", None, PUBSUB);
        let retract = pubsub.child("retract", PUBSUB).unwrap();
        assert_eq!((retract.attr("node"), retract.attr("notify")), (Some("n"), notify));
        assert_eq!(retract.child("item", PUBSUB).unwrap().attr("id"), Some("i"));
        pair.answer(&iq, "");
        assert_eq!(pair.value(call), json!(null));
    }
}

#[test]
fn xep0060_6_1_the_account_subscribes_and_ends_it() {
    let service = json!({ "to": "pubsub.example.org" });
    let mut pair = Pair::online();
    let call = pair.im("pubsub.subscribe", json!(["n", service]));
    let (iq, pubsub) = sent(&mut pair, "set", Some("pubsub.example.org"), PUBSUB);
    let subscribe = pubsub.child("subscribe", PUBSUB).unwrap();
    assert_eq!(
        (subscribe.attr("node"), subscribe.attr("jid")),
        (Some("n"), Some("alice@example.org"))
    );
    pair.answer(
        &iq,
        &format!(
            "<pubsub xmlns='{PUBSUB}'><subscription node='n' jid='alice@example.org' subid='s' subscription='pending'/></pubsub>"
        ),
    );
    assert_eq!(pair.value(call), json!({ "state": "pending", "subid": "s" }));
    let call = pair.im(
        "pubsub.unsubscribe",
        json!(["n", { "to": "pubsub.example.org", "subid": "s" }]),
    );
    let (iq, pubsub) = sent(&mut pair, "set", Some("pubsub.example.org"), PUBSUB);
    let unsubscribe = pubsub.child("unsubscribe", PUBSUB).unwrap();
    assert_eq!(
        (
            unsubscribe.attr("node"),
            unsubscribe.attr("jid"),
            unsubscribe.attr("subid")
        ),
        (Some("n"), Some("alice@example.org"), Some("s"))
    );
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), json!(null));
}

#[test]
fn xep0060_8_nodes_are_made_emptied_and_deleted() {
    let mut pair = Pair::online();
    let call = pair.im("pubsub.create", json!(["n", { "config": { "pubsub#title": "N" } }]));
    let (iq, pubsub) = sent(&mut pair, "set", None, PUBSUB);
    let parts: Vec<&Element> = pubsub.children().collect();
    // §8.1.3: the configuration behind it, and without a node.
    assert!(parts[0].is("create", PUBSUB) && parts[0].attr("node") == Some("n"));
    assert!(parts[1].is("configure", PUBSUB) && parts[1].attr("node").is_none());
    assert_eq!(
        fields(parts[1].children().next().unwrap()),
        [
            one("FORM_TYPE", "http://jabber.org/protocol/pubsub#node_config"),
            one("pubsub#title", "N"),
        ]
    );
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), json!({ "node": "n" }));
    // An instant node has its name from the service.
    let call = pair.im("pubsub.create", json!([null, { "to": "pubsub.example.org" }]));
    let (iq, pubsub) = sent(&mut pair, "set", Some("pubsub.example.org"), PUBSUB);
    assert_eq!(pubsub.child("create", PUBSUB).unwrap().attr("node"), None);
    pair.answer(
        &iq,
        &format!("<pubsub xmlns='{PUBSUB}'><create node='25e3d37d'/></pubsub>"),
    );
    assert_eq!(pair.value(call), json!({ "node": "25e3d37d" }));
    for (name, element) in [("pubsub.purge", "purge"), ("pubsub.delete", "delete")] {
        let call = pair.im(name, json!(["n"]));
        let (iq, pubsub) = sent(&mut pair, "set", None, OWNER);
        assert_eq!(pubsub.child(element, OWNER).unwrap().attr("node"), Some("n"));
        pair.answer(&iq, "");
        assert_eq!(pair.value(call), json!(null));
    }
}

#[test]
fn xep0060_6_to_8_what_is_no_answer_is_an_error() {
    let pubsub = |text: &str| format!("<pubsub xmlns='{PUBSUB}'>{text}</pubsub>");
    let owner = |text: &str| format!("<pubsub xmlns='{OWNER}'>{text}</pubsub>");
    let cases = [
        // Without an id of ours there must be one of theirs.
        (
            "pubsub.publish",
            json!(["n", null]),
            vec![
                String::new(),
                pubsub(""),
                pubsub("<publish node='n'/>"),
                pubsub("<publish node='other'><item id='1'/></publish>"),
                pubsub("<publish node='n'><item/></publish>"),
                owner("<publish node='n'><item id='1'/></publish>"),
            ],
        ),
        (
            "pubsub.items",
            json!(["n"]),
            vec![
                String::new(),
                pubsub(""),
                pubsub("<items/>"),
                pubsub("<items node='other'><item id='1'/></items>"),
                pubsub("<items node='n'><item id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></item></items>"),
                "<items xmlns='urn:other' node='n'/>".into(),
            ],
        ),
        (
            "pubsub.subscribe",
            json!(["n"]),
            vec![
                String::new(),
                pubsub(""),
                pubsub("<subscription node='n' jid='alice@example.org'/>"),
                pubsub("<subscription node='n' jid='alice@example.org' subscription='perhaps'/>"),
                pubsub("<subscription node='other' jid='alice@example.org' subscription='subscribed'/>"),
            ],
        ),
        (
            "pubsub.create",
            json!([]),
            vec![String::new(), pubsub(""), pubsub("<create/>")],
        ),
        (
            "pubsub.configuration",
            json!(["n"]),
            vec![
                String::new(),
                pubsub("<configure node='n'><x xmlns='jabber:x:data' type='form'/></configure>"),
                owner("<configure node='n'/>"),
                owner("<configure node='other'><x xmlns='jabber:x:data' type='form'/></configure>"),
                owner("<configure node='n'><x xmlns='jabber:x:data' type='other'/></configure>"),
            ],
        ),
    ];
    for (name, args, answers) in cases {
        for answer in answers {
            let mut pair = Pair::online();
            let call = pair.im(name, args.clone());
            let iq = pair.element();
            pair.answer(&iq, &answer);
            let error = pair.error(call);
            assert_eq!(
                (error.code(), error.phase()),
                (Code::ProtocolViolation, Phase::Stanza),
                "{name}: {answer}"
            );
        }
    }
    let mut pair = Pair::online();
    let call = pair.im("pubsub.items", json!(["n"]));
    let iq = pair.element();
    refuse(&mut pair, &iq, "item-not-found");
    assert_eq!(pair.error(call).condition(), Some("item-not-found"));
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_hands_over_items() {
    let mut pair = Pair::online();
    let call = pair.im("pubsub.items", json!(["n", { "to": "bob@example.org" }]));
    let id = pair.element().attr("id").unwrap().to_owned();
    for from in ["", "from='bob@example.org/x'", "from='mallory@example.org'"] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' {from}><pubsub xmlns='{PUBSUB}'><items node='n'/></pubsub></iq>"
        ));
        assert!(pair.is_open(call), "{from}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_at_once() {
    let mut pair = Pair::online();
    let options = |options: Value| json!(["n", null, options]);
    for (name, args, code) in [
        ("pubsub.publish", json!([]), Code::InvalidArgument),
        ("pubsub.publish", json!(["n", "<a/>"]), Code::InvalidArgument),
        (
            "pubsub.publish",
            json!(["n", { "name": "a", "attrs": {}, "children": [] }]),
            Code::InvalidArgument,
        ),
        ("pubsub.publish", options(json!({ "to": "@@" })), Code::InvalidJid),
        ("pubsub.publish", options(json!({ "id": 1 })), Code::InvalidArgument),
        (
            "pubsub.publish",
            options(json!({ "options": "open" })),
            Code::InvalidArgument,
        ),
        (
            "pubsub.publish",
            options(json!({ "options": { "a": {} } })),
            Code::InvalidArgument,
        ),
        (
            "pubsub.publish",
            options(json!({ "options": { "a": 1.5 } })),
            Code::InvalidArgument,
        ),
        (
            "pubsub.publish",
            options(json!({ "options": { "a": [1] } })),
            Code::InvalidArgument,
        ),
        ("pubsub.items", json!([1]), Code::InvalidArgument),
        ("pubsub.items", json!(["n", 1]), Code::InvalidArgument),
        ("pubsub.items", json!(["n", { "ids": "a" }]), Code::InvalidArgument),
        ("pubsub.items", json!(["n", { "max": 0 }]), Code::InvalidArgument),
        ("pubsub.items", json!(["n", { "max": 1.5 }]), Code::InvalidArgument),
        ("pubsub.items", json!(["n", null, 1]), Code::InvalidArgument),
        ("pubsub.retract", json!(["n"]), Code::InvalidArgument),
        (
            "pubsub.retract",
            json!(["n", "i", { "notify": "yes" }]),
            Code::InvalidArgument,
        ),
        ("pubsub.subscribe", json!(["n", { "to": "@@" }]), Code::InvalidJid),
        ("pubsub.subscribe", json!([]), Code::InvalidArgument),
        (
            "pubsub.unsubscribe",
            json!(["n", { "subid": 1 }]),
            Code::InvalidArgument,
        ),
        ("pubsub.create", json!([1]), Code::InvalidArgument),
        ("pubsub.create", json!(["n", { "config": [] }]), Code::InvalidArgument),
        ("pubsub.delete", json!([null]), Code::InvalidArgument),
        ("pubsub.purge", json!([{}]), Code::InvalidArgument),
        ("pubsub.configuration", json!([]), Code::InvalidArgument),
        ("pubsub.configure", json!(["n"]), Code::InvalidArgument),
        ("pubsub.configure", json!(["n", {}, { "to": "@@" }]), Code::InvalidJid),
    ] {
        let refused = pair.try_im(name, args.clone()).expect_err("it is refused");
        assert_eq!(refused.code(), code, "{name} {args}");
    }
    let call = pair.im("pubsub.delete", json!(["\u{1}"]));
    assert_eq!(pair.error(call).code(), Code::InvalidArgument);
    let mut pair = Pair::new(config());
    let call = pair.im("pubsub.purge", json!(["n"]));
    assert_eq!(pair.error(call).code(), Code::Offline);
}
