//! XEP-0402, and what older clients keep by XEP-0048.

use crate::disco::{INFO, RSM, refuse};
use crate::pair::{Pair, config};
use crate::pubsub::{OWNER, PUBSUB, fields};
use crate::server::Fault;
use serde_json::{Value, json};
use stanzawire::error::Code;
use stanzawire::xml::{self, Element};

const NODE: &str = "urn:xmpp:bookmarks:1";
const OLD: &str = "storage:bookmarks";
const PRIVATE: &str = "jabber:iq:private";
const PLAY: &str = "theplay@rooms.example.org";
const ORCHARD: &str = "orchard@rooms.example.org";

fn item(id: &str, attrs: &str, inner: &str) -> String {
    format!("<item id='{id}'><conference xmlns='{NODE}' {attrs}>{inner}</conference></item>")
}

fn items(node: &str, items: &str) -> String {
    format!("<pubsub xmlns='{PUBSUB}'><items node='{node}'>{items}</items></pubsub>")
}

/// Takes the question for what is in one of the account's nodes.
fn asked(pair: &mut Pair, node: &str) -> Element {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), None));
    let items = iq
        .child("pubsub", PUBSUB)
        .expect("a node is asked for")
        .child("items", PUBSUB)
        .unwrap();
    assert_eq!(items.attr("node"), Some(node));
    iq
}

fn asked_private(pair: &mut Pair) -> Element {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), None));
    assert!(iq.child("query", PRIVATE).unwrap().child("storage", OLD).is_some());
    iq
}

/// Answers for all that there is, in the three places.
fn there_is(pair: &mut Pair, new: &str, old: Option<[&str; 2]>) {
    let iq = asked(pair, NODE);
    pair.answer(&iq, &items(NODE, new));
    let Some([node, private]) = old else { return };
    let iq = asked(pair, OLD);
    match node {
        "" => refuse(pair, &iq, "item-not-found"),
        _ => pair.answer(
            &iq,
            &items(
                OLD,
                &format!("<item id='current'><storage xmlns='{OLD}'>{node}</storage></item>"),
            ),
        ),
    }
    let iq = asked_private(pair);
    match private {
        "" => refuse(pair, &iq, "service-unavailable"),
        _ => pair.answer(
            &iq,
            &format!("<query xmlns='{PRIVATE}'><storage xmlns='{OLD}'>{private}</storage></query>"),
        ),
    }
}

fn get(new: &str, old: Option<[&str; 2]>) -> Value {
    let mut pair = Pair::online();
    let call = pair.im("bookmarks.get", json!([]));
    there_is(&mut pair, new, old);
    pair.nothing_sent();
    pair.value(call)
}

/// The account is asked what it can.
fn minds(pair: &mut Pair, minds: bool) {
    let iq = pair.element();
    assert_eq!(
        (iq.attr("type"), iq.attr("to")),
        (Some("get"), Some("alice@example.org"))
    );
    let feature = if minds { "publish-options" } else { "publish" };
    pair.answer(
        &iq,
        &format!("<query xmlns='{INFO}'><feature var='http://jabber.org/protocol/pubsub#{feature}'/></query>"),
    );
}

/// What is published: the request, the id, and the element.
fn published(pair: &mut Pair) -> (Element, String, String) {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("set"), None));
    let pubsub = iq.child("pubsub", PUBSUB).expect("something is published");
    let publish = pubsub.child("publish", PUBSUB).expect("something is published");
    assert_eq!(publish.attr("node"), Some(NODE));
    let form = pubsub
        .child("publish-options", PUBSUB)
        .expect("with options")
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
    assert_eq!(
        fields(form),
        wanted.map(|(name, value)| (name.to_owned(), vec![value.to_owned()])),
        "§4.3"
    );
    let item = publish.child("item", PUBSUB).unwrap();
    let conference = xml::write(item.children().next().unwrap()).unwrap();
    let id = item.attr("id").unwrap().to_owned();
    (iq, id, conference)
}

fn conference(attrs: &str, inner: &str) -> String {
    let start = format!("<conference xmlns='{NODE}'{attrs}").replace('\'', "\"");
    match inner {
        "" => start + "/>",
        _ => format!("{start}>{}</conference>", inner.replace('\'', "\"")),
    }
}

#[test]
fn xep0402_4_2_all_bookmarks() {
    let state = "<state xmlns='urn:example' minimized='true'/>";
    let told = get(
        &[
            item(
                PLAY,
                "name='The Play&apos;s the Thing' autojoin='true'",
                "<nick>JC</nick>",
            ),
            item(
                "Orchard@rooms.example.org",
                "autojoin='1'",
                &format!("<password>p</password><extensions>{state}</extensions>"),
            ),
            item("heath@rooms.example.org", "autojoin='0'", "<nick/>"),
            // None of these is one.
            item("@@", "", ""),
            item("heath@rooms.example.org/nick", "", ""),
            "<item id='a@b'/>".to_owned(),
            "<item id='a@b'><conference xmlns='urn:x'/></item>".to_owned(),
        ]
        .concat(),
        None,
    );
    assert_eq!(
        told,
        json!([
            { "room": PLAY, "name": "The Play's the Thing", "nick": "JC", "autojoin": true },
            { "room": ORCHARD, "autojoin": true, "password": "p", "extensions": [
                { "name": "state", "attrs": { "xmlns": "urn:example", "minimized": "true" }, "children": [] },
            ] },
            { "room": "heath@rooms.example.org", "autojoin": false },
        ])
    );
}

#[test]
fn xep0059_2_there_may_be_many() {
    let mut pair = Pair::online();
    let call = pair.im("bookmarks.get", json!([]));
    let iq = asked(&mut pair, NODE);
    let end = format!("<set xmlns='{RSM}'><first index='0'>x</first><last>y</last><count>2</count></set>");
    pair.answer(
        &iq,
        &items(NODE, &item(PLAY, "", "")).replace("</pubsub>", &(end + "</pubsub>")),
    );
    let iq = asked(&mut pair, NODE);
    let set = iq.child("pubsub", PUBSUB).unwrap().child("set", RSM).unwrap();
    assert_eq!(set.child_text("after", RSM).as_deref(), Some("y"));
    pair.answer(&iq, &items(NODE, &item(ORCHARD, "", "")));
    assert_eq!(pair.value(call).as_array().unwrap().len(), 2);
}

#[test]
fn xep0048_3_what_older_clients_keep_is_read_where_there_is_nothing_else() {
    let node = "<conference jid='Theplay@rooms.example.org' name='A' autojoin='1'><nick>JC</nick><x xmlns='urn:x'/></conference>\
         <url name='Complete Works' url='http://the-tech.mit.edu/Shakespeare/'/><conference name='nowhere'/>";
    let private = "<conference jid='theplay@rooms.example.org' name='B'/>\
         <conference jid='orchard@rooms.example.org'><password>p</password></conference>";
    assert_eq!(
        get("", Some([node, private])),
        json!([
            { "room": PLAY, "name": "A", "nick": "JC", "autojoin": true, "extensions": [
                { "name": "x", "attrs": { "xmlns": "urn:x" }, "children": [] },
            ] },
            { "room": ORCHARD, "autojoin": false, "password": "p" },
        ])
    );
    assert_eq!(get("", Some(["", ""])), json!([]));
    // A node that isn't there is empty.
    let mut pair = Pair::online();
    let call = pair.im("bookmarks.get", json!([]));
    let iq = asked(&mut pair, NODE);
    refuse(&mut pair, &iq, "item-not-found");
    let iq = asked(&mut pair, OLD);
    refuse(&mut pair, &iq, "forbidden");
    assert_eq!(pair.error(call).condition(), Some("forbidden"), "it may be there");
}

#[test]
fn what_is_no_answer_is_the_servers_fault() {
    for (place, answer) in [
        (0, String::new()),
        (0, items(OLD, "")),
        (1, items(NODE, "")),
        (2, String::new()),
        (2, format!("<query xmlns='urn:x'><storage xmlns='{OLD}'/></query>")),
        (2, format!("<query xmlns='{PRIVATE}'/>")),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("bookmarks.get", json!([]));
        for at in 0..=place {
            let iq = pair.element();
            let fine = [items(NODE, ""), items(OLD, "")];
            pair.answer(&iq, if at == place { &answer } else { &fine[at] });
        }
        if place == 2 && answer.ends_with("private'/>") {
            assert_eq!(pair.value(call), json!([]), "nothing is kept there");
        } else {
            assert_eq!(pair.error(call).code(), Code::ProtocolViolation, "{place} {answer}");
        }
    }
}

#[test]
fn xep0402_4_3_a_bookmark_is_added_for_the_account_alone() {
    let mut pair = Pair::online();
    let bookmark = json!({ "room": "ThePlay@rooms.example.org", "name": "The Play", "nick": "JC", "autojoin": true, "password": "p" });
    let call = pair.im("bookmarks.set", json!([bookmark]));
    there_is(&mut pair, &item(ORCHARD, "", ""), None);
    minds(&mut pair, true);
    let (iq, id, element) = published(&mut pair);
    assert_eq!(id, PLAY);
    assert_eq!(
        element,
        conference(
            " autojoin='true' name='The Play'",
            "<nick>JC</nick><password>p</password>"
        )
    );
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), Value::Null);
    // It is asked once a session whether the server minds.
    let call = pair.im("bookmarks.set", json!([{ "room": PLAY }]));
    there_is(&mut pair, &item(ORCHARD, "", ""), None);
    let (iq, _, element) = published(&mut pair);
    assert_eq!(element, conference("", ""));
    refuse(&mut pair, &iq, "not-acceptable");
    assert_eq!(pair.error(call).condition(), Some("not-acceptable"));
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.sent.clear();
    pair.open_socket();
    pair.login(&Fault::None);
    pair.take_first_stanzas();
    pair.im("bookmarks.set", json!([{ "room": PLAY }]));
    there_is(&mut pair, &item(ORCHARD, "", ""), None);
    minds(&mut pair, true);
}

#[test]
fn xep0402_8_nothing_is_published_where_the_server_does_not_mind_how() {
    let mut pair = Pair::online();
    for first in [true, false] {
        let call = pair.im("bookmarks.set", json!([{ "room": PLAY }]));
        there_is(&mut pair, &item(ORCHARD, "", ""), None);
        if first {
            minds(&mut pair, false);
        }
        pair.nothing_sent();
        assert_eq!(pair.error(call).condition(), Some("feature-not-implemented"));
    }
}

#[test]
fn xep0402_8_a_node_that_is_open_is_closed_first() {
    for (again, rejects) in [(None, false), (Some("conflict"), true)] {
        let mut pair = Pair::online();
        let call = pair.im("bookmarks.set", json!([{ "room": PLAY }]));
        there_is(&mut pair, &item(ORCHARD, "", ""), None);
        minds(&mut pair, true);
        let (iq, ..) = published(&mut pair);
        refuse(&mut pair, &iq, "conflict");
        let iq = pair.element();
        let configure = iq.child("pubsub", OWNER).unwrap().child("configure", OWNER).unwrap();
        assert_eq!(
            (iq.attr("type"), iq.attr("to"), configure.attr("node")),
            (Some("set"), None, Some(NODE))
        );
        let form = fields(configure.children().next().unwrap());
        assert!(form.contains(&("pubsub#access_model".to_owned(), vec!["whitelist".to_owned()])));
        pair.answer(&iq, "");
        let (iq, ..) = published(&mut pair);
        match again {
            Some(condition) => refuse(&mut pair, &iq, condition),
            None => pair.answer(&iq, ""),
        }
        pair.nothing_sent();
        assert_eq!(pair.reply(call).is_err(), rejects);
    }
    let mut pair = Pair::online();
    let call = pair.im("bookmarks.set", json!([{ "room": PLAY }]));
    there_is(&mut pair, &item(ORCHARD, "", ""), None);
    minds(&mut pair, true);
    let (iq, ..) = published(&mut pair);
    refuse(&mut pair, &iq, "conflict");
    let iq = pair.element();
    refuse(&mut pair, &iq, "forbidden");
    assert_eq!(pair.error(call).condition(), Some("forbidden"));
    pair.nothing_sent();
}

#[test]
fn xep0402_4_4_what_is_not_known_in_a_bookmark_stays() {
    let mut pair = Pair::online();
    let extension = json!({ "name": "b", "attrs": { "xmlns": "urn:x", "new": "1" }, "children": [] });
    let call = pair.im(
        "bookmarks.set",
        json!([{ "room": ORCHARD, "extensions": [extension], "name": "New" }]),
    );
    let before = item(
        // As another client wrote it: that is how the item goes on being called.
        "Orchard@rooms.example.org",
        "name='Old' autojoin='1' colour='red'",
        "<nick>JC</nick><other xmlns='urn:o'>text</other><password>p</password>\
         <extensions><a xmlns='urn:x'><c/></a><b xmlns='urn:x' old='1'/></extensions>",
    );
    there_is(&mut pair, &before, None);
    minds(&mut pair, true);
    let (iq, id, element) = published(&mut pair);
    assert_eq!(id, "Orchard@rooms.example.org");
    assert_eq!(
        element,
        conference(
            " colour='red' name='New'",
            "<other xmlns='urn:o'>text</other><extensions><a xmlns='urn:x'><c/></a><b xmlns='urn:x' new='1'/></extensions>"
        )
    );
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), Value::Null);
    for (bookmark, code) in [
        (json!({}), Code::InvalidArgument),
        (json!({ "room": "@@" }), Code::InvalidJid),
        (json!({ "room": PLAY, "autojoin": 1 }), Code::InvalidArgument),
        (
            json!({ "room": PLAY, "extensions": [{ "name": "a", "attrs": {}, "children": [] }] }),
            Code::InvalidArgument,
        ),
        (json!(null), Code::InvalidArgument),
    ] {
        let error = pair.try_im("bookmarks.set", json!([bookmark])).unwrap_err();
        assert_eq!(error.code(), code);
    }
}

#[test]
fn the_first_bookmark_takes_along_what_older_clients_have_kept() {
    let mut pair = Pair::online();
    let call = pair.im("bookmarks.set", json!([{ "room": ORCHARD, "autojoin": true }]));
    let private = "<conference jid='orchard@rooms.example.org' name='B'/><conference jid='a@b' name='C'/>";
    there_is(
        &mut pair,
        "",
        Some(["<conference jid='theplay@rooms.example.org' name='A'/>", private]),
    );
    minds(&mut pair, true);
    for (id, attrs) in [(PLAY, " name='A'"), ("a@b", " name='C'"), (ORCHARD, " autojoin='true'")] {
        assert!(pair.is_open(call));
        let (iq, published, element) = published(&mut pair);
        assert_eq!((published.as_str(), element), (id, conference(attrs, "")));
        pair.answer(&iq, "");
    }
    assert_eq!(pair.value(call), Value::Null);
}

#[test]
fn xep0402_4_5_a_bookmark_is_removed_and_the_others_hear_of_it() {
    let mut pair = Pair::online();
    let call = pair.im("bookmarks.remove", json!(["orchard@rooms.example.org/nick"]));
    there_is(
        &mut pair,
        &(item("Orchard@rooms.example.org", "", "") + &item(PLAY, "", "")),
        None,
    );
    let iq = pair.element();
    let retract = iq.child("pubsub", PUBSUB).unwrap().child("retract", PUBSUB).unwrap();
    assert_eq!(
        (iq.attr("type"), retract.attr("node"), retract.attr("notify")),
        (Some("set"), Some(NODE), Some("true"))
    );
    assert_eq!(
        retract.child("item", PUBSUB).unwrap().attr("id"),
        Some("Orchard@rooms.example.org")
    );
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), Value::Null);
    // One that isn't there.
    let call = pair.im("bookmarks.remove", json!([ORCHARD]));
    there_is(&mut pair, &item(PLAY, "", ""), None);
    assert_eq!(pair.value(call), Value::Null);
    pair.nothing_sent();
}

#[test]
fn what_only_older_clients_keep_is_removed_there() {
    let both = "<url url='http://x'/><conference jid='Orchard@rooms.example.org'/><conference jid='a@b'/>";
    for (node, private) in [
        (both, both),
        (both, "<conference jid='a@b'/>"),
        ("", both),
        ("", "<conference jid='a@b'/>"),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("bookmarks.remove", json!([ORCHARD]));
        there_is(&mut pair, "", Some([node, private]));
        let storage = |element: &Element| xml::write(element).unwrap();
        let rest = format!("<storage xmlns=\"{OLD}\"><url url=\"http://x\"/><conference jid=\"a@b\"/></storage>");
        if node == both {
            let iq = pair.element();
            let pubsub = iq.child("pubsub", PUBSUB).unwrap();
            let publish = pubsub.child("publish", PUBSUB).unwrap();
            assert_eq!(publish.attr("node"), Some(OLD));
            let form = fields(
                pubsub
                    .child("publish-options", PUBSUB)
                    .unwrap()
                    .children()
                    .next()
                    .unwrap(),
            );
            assert_eq!(
                form[2],
                ("pubsub#access_model".to_owned(), vec!["whitelist".to_owned()])
            );
            let item = publish.child("item", PUBSUB).unwrap();
            assert_eq!(
                (item.attr("id"), storage(item.children().next().unwrap())),
                (Some("current"), rest.clone())
            );
            pair.answer(&iq, "");
        }
        if private == both {
            let iq = pair.element();
            assert_eq!(iq.attr("type"), Some("set"));
            assert_eq!(
                storage(iq.child("query", PRIVATE).unwrap().children().next().unwrap()),
                rest
            );
            pair.answer(&iq, "");
        }
        pair.nothing_sent();
        assert_eq!(pair.value(call), Value::Null);
    }
}

fn notify(attrs: &str, node: &str, inner: &str) -> Vec<Value> {
    let mut pair = Pair::online();
    pair.receive(&format!(
        "<message xmlns='jabber:client' type='headline' {attrs} to='alice@example.org/here'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'>{}</event></message>",
        inner.replace("NODE", node)
    ));
    pair.told("bookmarks")
}

#[test]
fn xep0402_5_what_happens_to_bookmarks_is_told() {
    let own = "from='alice@example.org'";
    let set = format!(
        "<items node='NODE'>{}</items>",
        item(PLAY, "autojoin='1'", "<nick>JC</nick>")
    );
    let bookmark = json!({ "room": PLAY, "nick": "JC", "autojoin": true });
    for from in [own, ""] {
        assert_eq!(
            notify(from, NODE, &set),
            [json!({ "bookmarks": [bookmark], "removed": [] })]
        );
    }
    let retract = "<items node='NODE'><retract id='Theplay@rooms.example.org'/></items>";
    assert_eq!(
        notify(own, NODE, retract),
        [json!({ "bookmarks": [], "removed": [PLAY] })]
    );
    for all in ["<purge node='NODE'/>", "<delete node='NODE'/>"] {
        assert_eq!(
            notify(own, NODE, all),
            [json!({ "bookmarks": [], "removed": [], "cleared": true })]
        );
    }
    for nothing in [
        "<items node='NODE'><item id='@@'/><retract id='@@'/></items>",
        "<items node='NODE'/>",
    ] {
        assert_eq!(notify(own, NODE, nothing), Vec::<Value>::new());
    }
    assert_eq!(notify(own, "urn:other", &set), Vec::<Value>::new());
}

#[test]
fn xep0402_5_nobody_else_says_what_is_bookmarked() {
    let set = format!("<items node='NODE'>{}</items>", item(PLAY, "autojoin='1'", ""));
    for from in [
        "from='mallory@example.org'",
        "from='mallory@example.org/x'",
        "from='alice@example.org/there'",
        "from='alice@example.com'",
        "from='example.org'",
        "from='@@'",
    ] {
        for inner in [
            &set,
            "<items node='NODE'><retract id='a@b'/></items>",
            "<delete node='NODE'/>",
        ] {
            assert_eq!(notify(from, NODE, inner), Vec::<Value>::new(), "{from} {inner}");
        }
    }
}

#[test]
fn xep0402_4_1_notifications_are_wanted() {
    assert!(
        stanzawire::im::DISCO
            .iter()
            .any(|features| features.contains(&"urn:xmpp:bookmarks:1+notify"))
    );
    let mut offline = Pair::new(config());
    for (name, args) in [
        ("bookmarks.get", json!([])),
        ("bookmarks.set", json!([{ "room": PLAY }])),
        ("bookmarks.remove", json!([PLAY])),
    ] {
        let call = offline.im(name, args);
        assert_eq!(offline.error(call).code(), Code::Offline, "{name}");
    }
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_answers_for_them() {
    let mut pair = Pair::online();
    let call = pair.im("bookmarks.get", json!([]));
    let id = pair.element().attr("id").unwrap().to_owned();
    for from in ["mallory@example.org", "alice@example.org/there", "example.com"] {
        let forged = items(NODE, &item("trap@mallory.example", "autojoin='1'", ""));
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'>{forged}</iq>"
        ));
        assert!(pair.is_open(call), "{from}");
    }
}
