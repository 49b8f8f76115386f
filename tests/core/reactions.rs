//! XEP-0444, both ways.

use crate::carbons::carbon;
use crate::chat::{said, taken};
use crate::pair::{NS_CLIENT, Pair};
use serde_json::json;
use stanzawire::error::Code;
use stanzawire::xml::Element;

const REACTIONS: &str = "urn:xmpp:reactions:0";
const BOB: &str = "bob@example.org/x";
const ROOM: &str = "room@muc.example.org";

/// The id of the message that a message reacts to, and how.
fn reacts(message: &Element) -> (String, Vec<String>) {
    let reactions = message.child("reactions", REACTIONS).expect("reactions");
    let emojis = reactions.children().map(|child| {
        assert!(child.is("reaction", REACTIONS));
        child.text()
    });
    (reactions.attr("id").unwrap().to_owned(), emojis.collect())
}

fn reaction(id: &str, emojis: &[&str]) -> String {
    let emojis: String = emojis
        .iter()
        .map(|emoji| format!("<reaction>{emoji}</reaction>"))
        .collect();
    format!("<reactions xmlns='{REACTIONS}' id='{id}'>{emojis}</reactions>")
}

#[test]
fn xep0444_3_1_a_reaction_is_sent() {
    let mut pair = Pair::online();
    let message = json!({ "id": "m1", "from": BOB, "to": "alice@example.org", "type": "chat" });
    let (sent, value) = taken(&mut pair, "react", json!([message, ["👋", "🐢", "👋"]]));
    assert_eq!(
        (sent.attr("to"), sent.attr("type")),
        (Some("bob@example.org"), Some("chat"))
    );
    assert_eq!(
        reacts(&sent),
        ("m1".into(), vec!["👋".into(), "🐢".into()]),
        "§4: each once"
    );
    assert!(sent.child("store", "urn:xmpp:hints").is_some());
    assert!(sent.child("body", NS_CLIENT).is_none());
    assert_eq!(value["id"].as_str(), sent.attr("id"));
    // §3.2: none takes them away.
    let (sent, _) = taken(&mut pair, "react", json!([message, []]));
    assert_eq!(reacts(&sent), ("m1".into(), vec![]));
    // §4: of type "chat", and kept unless the message isn't.
    let message = json!({ "id": "m1", "from": BOB, "type": "normal", "hints": ["no-store"] });
    let (sent, _) = taken(&mut pair, "react", json!([message, ["👋"]]));
    assert_eq!(sent.attr("type"), Some("chat"));
    assert!(sent.child("store", "urn:xmpp:hints").is_none());
    // One's own messages too.
    let (_, own) = taken(&mut pair, "send", json!([{ "to": BOB, "body": "hi" }]));
    let (sent, _) = taken(&mut pair, "react", json!([own, ["👋"]]));
    assert_eq!(
        (sent.attr("to"), reacts(&sent).0.as_str()),
        (Some(BOB), own["id"].as_str().unwrap())
    );
}

#[test]
fn xep0444_4_2_by_the_right_id() {
    let mut pair = Pair::online();
    for (message, id) in [
        (
            json!({ "id": "m1", "originId": "o1", "stanzaId": "s1", "from": BOB }),
            "o1",
        ),
        (json!({ "id": "m1", "stanzaId": "s1", "from": BOB }), "m1"),
        (
            json!({ "id": "m2", "originId": "m2", "replaces": "m1", "from": BOB }),
            "m1",
        ),
        (
            json!({ "id": "m1", "originId": "o1", "stanzaId": "s1", "from": format!("{ROOM}/bob"), "type": "groupchat" }),
            "s1",
        ),
    ] {
        let (sent, _) = taken(&mut pair, "react", json!([message, ["👋"]]));
        assert_eq!(reacts(&sent).0, id);
        let room = id == "s1";
        assert_eq!(sent.attr("type"), Some(if room { "groupchat" } else { "chat" }));
        assert_eq!(sent.attr("to"), Some(if room { ROOM } else { "bob@example.org" }));
    }
    for wrong in [
        json!([{ "id": "m1", "originId": "o1", "from": format!("{ROOM}/bob"), "type": "groupchat" }, ["👋"]]),
        json!([{ "stanzaId": "s1", "from": BOB }, ["👋"]]),
        json!([{ "id": "m1", "from": BOB }]),
        json!([{ "id": "m1", "from": BOB }, "👋"]),
        json!([{ "id": "m1", "from": BOB }, [1]]),
        json!([{ "id": "m1", "from": BOB }, [""]]),
        json!([{ "id": "m1", "from": BOB }, ["x".repeat(65)]]),
        json!([{ "id": "m1", "from": BOB }, (0..101).map(|n| n.to_string()).collect::<Vec<_>>()]),
    ] {
        assert_eq!(pair.try_im("react", wrong).unwrap_err().code(), Code::InvalidArgument);
    }
    let wrong = json!([{ "to": BOB, "reactions": { "emojis": ["👋"] } }]);
    assert_eq!(pair.try_im("send", wrong).unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn xep0444_3_reactions_are_told() {
    let mut pair = Pair::online();
    pair.receive(&said(BOB, "chat", "r", &reaction("m1", &["👋", "🐢", "👋"])));
    let told = pair.told("reaction");
    assert_eq!(
        (&told[0]["from"], &told[0]["reactions"]),
        (&json!(BOB), &json!({ "id": "m1", "emojis": ["👋", "🐢"] }))
    );
    pair.receive(&said(BOB, "chat", "r", &reaction("m1", &[])));
    assert_eq!(pair.told("reaction")[0]["reactions"]["emojis"], json!([]));
    // XEP-0428: words for those who don't know better are none; others are.
    let words = |fallback: &str| format!("<body>👋</body>{fallback}{}", reaction("m1", &["👋"]));
    for fallback in [
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reactions:0'/>",
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reactions:0'><body/></fallback>",
    ] {
        pair.receive(&said(BOB, "chat", "r", &words(fallback)));
        assert_eq!(pair.told("reaction").len(), 1);
    }
    for fallback in [
        "",
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:x'/>",
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reactions:0'><body start='0' end='1'/></fallback>",
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reactions:0'><subject/></fallback>",
    ] {
        pair.receive(&said(BOB, "chat", "r", &words(fallback)));
        assert_eq!(pair.told("message").len(), 1, "{fallback}");
    }
    // Our own, from elsewhere.
    let inner = said("alice@example.org/phone", "chat", "r", &reaction("m1", &["👋"]));
    pair.receive(&carbon(
        "sent",
        &inner.replace("alice@example.org/here", "bob@example.org"),
    ));
    assert_eq!(pair.told("reaction")[0]["carbon"], "sent");
}

#[test]
fn what_is_no_reaction_is_ignored_and_there_is_an_end_to_them() {
    let mut pair = Pair::online();
    for content in [
        "<reactions xmlns='urn:xmpp:reactions:0'><reaction>👋</reaction></reactions>".to_owned(),
        "<reactions xmlns='urn:xmpp:reactions:0' id=''/>".to_owned(),
        "<reactions xmlns='urn:x' id='m1'/>".to_owned(),
        // §4: not two.
        format!("{0}{0}", reaction("m1", &["👋"])),
    ] {
        pair.receive(&said(BOB, "chat", "r", &content));
        assert_eq!(pair.messages(), [], "{content}");
    }
    pair.receive(&said(BOB, "error", "r", &reaction("m1", &["👋"])));
    assert_eq!(pair.told("reaction").len(), 0);
    let (long, longest) = ("x".repeat(65), "x".repeat(64));
    pair.receive(&said(
        BOB,
        "chat",
        "r",
        &reaction("m1", &["", &long, &longest, "<b>y</b>"]),
    ));
    assert_eq!(pair.told("reaction")[0]["reactions"]["emojis"], json!([longest]));
    let many: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    pair.receive(&said(BOB, "chat", "r", &reaction("m1", &many)));
    assert_eq!(pair.told("reaction")[0]["reactions"]["emojis"], json!(many[..100]));
}

#[test]
fn what_came_meanwhile_is_told_from_the_archive() {
    use crate::archive::{again, kept, knowing, page};
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let (id, message) = kept("1", BOB, "alice@example.org", "1");
    page(
        &mut pair,
        &asked,
        &[(id, message.replace("<body>1</body>", &reaction("m1", &["👋"])))],
        true,
    );
    let told = pair.told("reaction");
    assert_eq!(told[0]["reactions"]["emojis"], json!(["👋"]));
    assert!(told[0].get("delay").is_some(), "§4.1: so that a newer one counts");
}
