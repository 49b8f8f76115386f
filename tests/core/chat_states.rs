//! XEP-0085, both ways.

use crate::chat::{said, taken};
use crate::pair::Pair;
use crate::sm;
use serde_json::json;
use stanzawire::error::Code;
use stanzawire::xml::Element;

const STATES: &str = "http://jabber.org/protocol/chatstates";
const BOB: &str = "bob@example.org";

fn say(pair: &mut Pair, state: &str) {
    let call = pair.im("setChatState", json!([BOB, state]));
    assert_eq!(pair.value(call), json!(null));
}

/// The states in a message.
fn states(message: &Element) -> Vec<&str> {
    message
        .children()
        .filter(|child| child.ns() == STATES)
        .map(Element::name)
        .collect()
}

/// Time passes, and the server is there all the while.
fn idle(pair: &mut Pair, seconds: u64) {
    for _ in 0..seconds {
        pair.advance(1_000);
        let is_ping = |frame: &String| frame.contains("urn:xmpp:ping");
        while let Some(place) = pair.sent.iter().position(is_ping) {
            let ping = pair.sent.remove(place).unwrap();
            let ping = stanzawire::xml::read(&ping, &Default::default()).unwrap();
            pair.answer(&ping, "");
        }
    }
}

/// The states that were sent since the last look.
fn sent(pair: &mut Pair) -> Vec<String> {
    let mut all = Vec::new();
    while !pair.sent.is_empty() {
        let message = pair.element();
        if message.is("message", "jabber:client") {
            all.extend(states(&message).into_iter().map(str::to_owned));
        }
    }
    all
}

#[test]
fn xep0085_5_6_a_state_stands_alone() {
    for state in ["active", "composing", "paused", "inactive", "gone"] {
        let mut pair = Pair::online();
        say(&mut pair, state);
        let message = pair.element();
        assert_eq!((message.attr("to"), message.attr("type")), (Some(BOB), Some("chat")));
        assert_eq!(states(&message), [state]);
        assert_eq!(message.children().count(), 1);
        pair.nothing_sent();
    }
    let mut pair = Pair::online();
    for args in [
        json!([BOB]),
        json!([BOB, "typing"]),
        json!([BOB, 1]),
        json!([null, "active"]),
    ] {
        assert_eq!(
            pair.try_im("setChatState", args).unwrap_err().code(),
            Code::InvalidArgument
        );
    }
    assert_eq!(
        pair.try_im("setChatState", json!(["@@", "active"])).unwrap_err().code(),
        Code::InvalidJid
    );
}

#[test]
fn xep0085_5_3_no_state_comes_twice_in_a_row() {
    let mut pair = Pair::online();
    for _ in 0..20 {
        say(&mut pair, "composing");
        pair.advance(2_000);
    }
    assert_eq!(sent(&mut pair), ["composing"]);
    say(&mut pair, "paused");
    say(&mut pair, "paused");
    say(&mut pair, "composing");
    assert_eq!(sent(&mut pair), ["paused", "composing"]);
    // Of each conversation.
    let call = pair.im("setChatState", json!(["carol@example.org", "composing"]));
    assert_eq!(pair.value(call), json!(null));
    assert_eq!(sent(&mut pair), ["composing"]);
}

#[test]
fn xep0085_2_who_writes_no_more_has_paused() {
    let mut pair = Pair::online();
    say(&mut pair, "composing");
    pair.advance(20_000);
    say(&mut pair, "composing");
    pair.advance(29_999);
    assert_eq!(sent(&mut pair), ["composing"]);
    pair.advance(1);
    assert_eq!(sent(&mut pair), ["paused"]);
    idle(&mut pair, 600);
    assert_eq!(sent(&mut pair), [""; 0]);
    say(&mut pair, "inactive");
    idle(&mut pair, 600);
    assert_eq!(sent(&mut pair), ["inactive"]);
}

#[test]
fn xep0085_5_3_a_message_says_active_and_the_writing_is_over() {
    let mut pair = Pair::online();
    let message = json!([{ "to": BOB, "body": "hi" }]);
    // Not before the app says that it uses them.
    assert_eq!(states(&taken(&mut pair, "send", message.clone()).0), [""; 0]);
    say(&mut pair, "composing");
    assert_eq!(sent(&mut pair), ["composing"]);
    assert_eq!(states(&taken(&mut pair, "send", message.clone()).0), ["active"]);
    idle(&mut pair, 60);
    assert_eq!(sent(&mut pair), [""; 0], "no pause");
    say(&mut pair, "active");
    assert_eq!(sent(&mut pair), [""; 0], "it has been said");
    say(&mut pair, "composing");
    assert_eq!(sent(&mut pair), ["composing"]);
    // What the app says itself counts.
    let own = json!([{ "to": BOB, "body": "hi", "state": "inactive" }]);
    assert_eq!(states(&taken(&mut pair, "send", own).0), ["inactive"]);
    // To others, in rooms, and without a text there is none.
    for other in [
        json!([{ "to": "carol@example.org", "body": "hi" }]),
        json!([{ "to": BOB, "body": "hi", "type": "normal" }]),
        json!([{ "to": BOB, "body": "hi", "type": "groupchat" }]),
        json!([{ "to": BOB, "receipt": { "id": "m1" } }]),
    ] {
        assert_eq!(states(&taken(&mut pair, "send", other).0), [""; 0]);
    }
    let wrong = json!([{ "to": BOB, "state": "typing" }]);
    assert_eq!(pair.try_im("send", wrong).unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn xep0085_5_1_who_answers_without_a_state_gets_none() {
    let mut pair = Pair::online();
    let from = "bob@example.org/x";
    // Before we have said any, that means nothing.
    pair.receive(&said(from, "chat", "m0", "<body>hi</body>"));
    say(&mut pair, "composing");
    assert_eq!(sent(&mut pair), ["composing"]);
    // It is no answer of his.
    pair.receive(&said("carol@example.org/x", "chat", "m1", "<body>hi</body>"));
    pair.receive(&said(from, "error", "m1", "<body>hi</body>"));
    pair.receive(&said(
        from,
        "chat",
        "m1",
        "<received xmlns='urn:xmpp:receipts' id='m'/>",
    ));
    say(&mut pair, "paused");
    assert_eq!(sent(&mut pair), ["paused"]);
    say(&mut pair, "composing");
    pair.receive(&said(from, "chat", "m1", "<body>hi</body>"));
    assert_eq!(sent(&mut pair), ["composing"]);
    say(&mut pair, "inactive");
    idle(&mut pair, 60);
    assert_eq!(
        states(&taken(&mut pair, "send", json!([{ "to": BOB, "body": "hi" }])).0),
        [""; 0]
    );
    assert_eq!(sent(&mut pair), [""; 0]);
    // Until he shows that he knows them.
    pair.receive(&said(
        from,
        "chat",
        "m1",
        &format!("<body>hi</body><active xmlns='{STATES}'/>"),
    ));
    say(&mut pair, "composing");
    assert_eq!(sent(&mut pair), ["composing"]);
}

#[test]
fn xep0085_5_1_who_says_that_they_do_not_know_them_gets_none() {
    use crate::caps::{EXODUS, EXODUS_VER, ROMEO, first, tell, there};
    let mut pair = Pair::online();
    let compose = |pair: &mut Pair| pair.im("setChatState", json!([ROMEO, "composing"]));
    there(&mut pair, ROMEO, &first(EXODUS_VER));
    pair.im("disco.info", json!([ROMEO]));
    let asked = pair.element();
    tell(&mut pair, &asked, EXODUS);
    compose(&mut pair);
    assert_eq!(sent(&mut pair), [""; 0]);
    // Of others nothing is known.
    say(&mut pair, "composing");
    assert_eq!(sent(&mut pair), ["composing"]);
}

#[test]
fn what_is_of_the_moment_waits_for_no_connection() {
    let mut pair = Pair::online();
    say(&mut pair, "composing");
    pair.sent.clear();
    pair.close_socket();
    say(&mut pair, "paused");
    say(&mut pair, "composing");
    pair.advance(1_000);
    pair.open_socket();
    pair.login(&crate::server::Fault::None);
    pair.take_first_stanzas();
    idle(&mut pair, 60);
    assert_eq!(sent(&mut pair), [""; 0]);
    // It is a new session: it can be said again.
    say(&mut pair, "composing");
    assert_eq!(sent(&mut pair), ["composing"]);

    let mut pair = Pair::new(crate::pair::config());
    say(&mut pair, "composing");
    pair.nothing_sent();
}

#[test]
fn in_a_session_that_goes_on_the_pause_comes_when_it_does() {
    let mut pair = sm::online();
    say(&mut pair, "composing");
    pair.sent.clear();
    pair.close_socket();
    // Nobody answers for half a minute.
    pair.advance(31_000);
    assert_eq!(sent(&mut pair), [""; 0]);
    sm::again(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, sm::FIRST + 1);
    assert_eq!(sent(&mut pair), ["paused"]);
}

#[test]
fn xep0085_2_a_state_is_told() {
    let mut pair = Pair::online();
    for state in ["active", "composing", "paused", "inactive", "gone"] {
        pair.receive(&said(
            "bob@example.org/x",
            "chat",
            "s",
            &format!("<{state} xmlns='{STATES}'/>"),
        ));
        let told = pair.told("chat-state");
        assert_eq!(
            (&told[0]["from"], &told[0]["state"]),
            (&json!("bob@example.org/x"), &json!(state))
        );
    }
    // With a text it is a message, with something else that.
    pair.receive(&said(
        "bob@example.org/x",
        "chat",
        "s",
        &format!("<body>x</body><active xmlns='{STATES}'/>"),
    ));
    assert_eq!(pair.told("message")[0]["state"], "active");
    let receipt = format!("<active xmlns='{STATES}'/><received xmlns='urn:xmpp:receipts' id='m'/>");
    pair.receive(&said("bob@example.org/x", "chat", "s", &receipt));
    assert_eq!(pair.told("receipt").len(), 1);
    // §5.5, §5.6, and what is none.
    for (kind, content) in [
        ("groupchat", format!("<gone xmlns='{STATES}'/>")),
        (
            "chat",
            format!("<active xmlns='{STATES}'/><composing xmlns='{STATES}'/>"),
        ),
        ("chat", format!("<typing xmlns='{STATES}'/>")),
        ("chat", "<active xmlns='urn:other'/>".to_owned()),
    ] {
        pair.receive(&said("room@muc.example.org/x", kind, "s", &content));
        assert_eq!(pair.messages(), [], "{content}");
    }
    pair.receive(&said(
        "bob@example.org/x",
        "error",
        "s",
        &format!("<active xmlns='{STATES}'/>"),
    ));
    assert_eq!(pair.told("chat-state").len(), 0);
}

#[test]
fn a_state_that_comes_late_is_none() {
    use crate::archive::{again, kept, knowing, page};
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let (id, message) = kept("1", "bob@example.org/x", "alice@example.org", "1");
    let alone = message.replace("<body>1</body>", &format!("<composing xmlns='{STATES}'/>"));
    let with_text = message.replace("</message>", &format!("<active xmlns='{STATES}'/></message>"));
    page(&mut pair, &asked, &[(id, alone), ("2".to_owned(), with_text)], true);
    assert_eq!(pair.messages().len(), 1);
    assert_eq!(pair.told("message")[0].get("state"), None);
    let delay = "<delay xmlns='urn:xmpp:delay' stamp='2026-11-21T10:00:00Z'/>";
    pair.receive(&said(
        "bob@example.org/x",
        "chat",
        "s",
        &format!("<composing xmlns='{STATES}'/>{delay}"),
    ));
    assert_eq!(pair.messages(), []);
}

#[test]
fn a_hundred_conversations_are_remembered() {
    let mut pair = Pair::online();
    for n in 0..=100 {
        pair.im("setChatState", json!([format!("u{n}@example.org"), "composing"]));
    }
    assert_eq!(sent(&mut pair).len(), 101);
    pair.advance(30_000);
    assert_eq!(sent(&mut pair).len(), 100, "the oldest is forgotten");
}
